"""The search that proves erasures finds what lies where nobody would look."""

import gzip
from pathlib import Path
from uuid import UUID, uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.integration.retention.traces import traces

SECRET = "words that nobody shall read"


def test_it_looks_into_names_of_files_folders_and_links(tmp_path: Path) -> None:
    id_ = uuid4()
    (tmp_path / id_.hex).mkdir()
    (tmp_path / f"{SECRET}.csv").touch()
    (tmp_path / f"{id_}.link").symlink_to("nowhere")
    assert traces(tmp_path, [SECRET, id_]) == sorted(
        [f"{id_.hex} (name): {id_}", f"{SECRET}.csv (name): {SECRET}", f"{id_}.link (name): {id_}"]
    )


def test_it_reads_what_is_compressed_under_whatever_name(tmp_path: Path) -> None:
    id_ = UUID(int=7)
    with duckdb.connect(tmp_path / ".warehouse.duckdb.spare") as spare:
        spare.execute("create table t as select $1 || n as text from range(5000) as r(n)", [SECRET])
    pq.write_table(pa.table({"id": [str(id_)] * 2}), tmp_path / "draft.tmp", compression="zstd")
    (tmp_path / "log.1").write_bytes(gzip.compress(SECRET.encode() * 9))
    found = traces(tmp_path, [SECRET, id_])
    assert {
        *(f".warehouse.duckdb.spare main.t: {SECRET}", f"draft.tmp (rows): {id_}"),
        f"log.1 (content): {SECRET}",
    } <= set(found)
