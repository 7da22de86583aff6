"""Looks for ids and words in every name and byte of a folder, in whatever form they may lie there.

What a file is, its first bytes say: a spare or a draft is named otherwise.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from uuid import UUID

import duckdb
import fsspec
import pyarrow.parquet as pq


def traces(data_dir: Path, wanted: Iterable[UUID | str]) -> list[str]:
    """`place: what` for each thing of `wanted` that is found."""
    needles = {form: str(thing) for thing in wanted for form in _forms(thing)}
    found = []
    for path in sorted(data_dir.rglob("*")):
        name = str(path.relative_to(data_dir))
        for place, content in _contents(path):
            found += [f"{name}{place}: {needles[form]}" for form in needles if form in content]
    return sorted(set(found))


def _forms(thing: UUID | str) -> Iterator[bytes]:
    if isinstance(thing, str):
        yield thing.encode()
        yield thing.encode("utf-16-le")
        return
    yield str(thing).encode()
    yield thing.hex.encode()
    yield thing.bytes
    yield thing.bytes_le
    # DuckDB keeps a UUID as a signed number of 128 bits, so that it sorts
    signed = thing.int ^ (1 << 127)
    yield signed.to_bytes(16, "little")
    yield signed.to_bytes(16, "big")


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Its name; of a file also its bytes, and what they stand for where they are compressed."""
    yield " (name)", path.name.encode()
    if path.is_symlink() or not path.is_file():
        return
    content = path.read_bytes()
    yield "", content
    if content.startswith(b"\x1f\x8b"):
        yield " (content)", gzip.decompress(content)
    if content.startswith(b"PAR1"):
        for row in pq.read_table(path).to_pylist():
            yield " (rows)", _said(row)
    if content[8:12] == b"DUCK":
        yield from _tables(path)


def _tables(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(path, read_only=True) as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))  # an archive may lie there
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where not internal union all select schema_name, view_name from duckdb_views()"
            " where not internal"
        ).fetchall()
        for schema, table in tables:
            cursor = connection.execute(f'from "{schema}"."{table}"')
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(1000):
                for row in rows:
                    yield f" {schema}.{table}", _said(dict(zip(names, row, strict=True)))


def _said(row: Mapping[str, object]) -> bytes:
    return "\x1f".join(str(value) for value in row.values()).encode()
