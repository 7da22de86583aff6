"""The copy that writers work on: equal to the warehouse, whatever it is made of."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ingest.warehouse import WAREHOUSE, remove_spare, working_copy

SPARE = f".{WAREHOUSE}.spare"
READ = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as reader:
    print("reading", flush=True)
    sys.stdin.readline()
    print(reader.execute("select count(*), sum(n), max(length(text)) from numbers").fetchall())
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    path = tmp_path / WAREHOUSE
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table numbers as select n, repeat(md5(n::varchar), 9) as text"
            " from range(50000) as t(n)"
        )
    return path


def write(warehouse: Path, statement: str) -> None:
    with (
        working_copy(warehouse, warehouse.parent / "copy") as copy,
        duckdb.connect(str(copy)) as connection,
    ):
        connection.execute(statement)


def count(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        (found,) = connection.execute("select count(*) from numbers").fetchall()
    return int(found[0])


@pytest.mark.parametrize("spare", ["none", "older", "empty", "shorter", "longer", "something else"])
def test_the_copy_equals_the_warehouse_whatever_the_spare_holds(
    warehouse: Path, spare: str
) -> None:
    write(warehouse, "insert into numbers select n, 'new' from range(70000) as t(n)")
    left = warehouse.with_name(SPARE)
    content = left.read_bytes()
    match spare:
        case "none":
            left.unlink()
        case "empty":
            left.write_bytes(b"")
        case "shorter":
            left.write_bytes(content[: len(content) // 2 + 7])
        case "longer":
            left.write_bytes(content * 3)
        case "something else":
            left.write_bytes(os.urandom(len(content)))
    with working_copy(warehouse, warehouse.parent / "copy") as copy:
        assert copy.read_bytes() == warehouse.read_bytes()
    assert count(warehouse) == 120_000


def test_only_what_differs_is_written(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(warehouse, "create table other as select 1 as n")
    written: list[int] = []
    pwrite = os.pwrite

    def follow(descriptor: int, content: bytes, start: int) -> int:
        written.append(pwrite(descriptor, content, start))
        return written[-1]

    monkeypatch.setattr(os, "pwrite", follow)
    write(warehouse, "insert into other values (2)")
    assert warehouse.stat().st_size > 5_000_000
    assert 0 < sum(written) <= 3 * (1 << 20)


def test_a_disk_that_takes_a_part_of_a_block_is_given_the_rest(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(warehouse, "insert into numbers select n, 'new' from range(70000) as t(n)")
    pwrite = os.pwrite
    monkeypatch.setattr(
        os,
        "pwrite",
        lambda file, content, start: pwrite(file, content[: len(content) // 2 + 1], start),
    )
    with working_copy(warehouse, warehouse.parent / "copy") as copy:
        assert copy.read_bytes() == warehouse.read_bytes()


def test_who_still_reads_the_version_before_goes_on_reading_it(warehouse: Path) -> None:
    command = [sys.executable, "-c", READ, str(warehouse)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "reading\n"
        # a reader's lock keeps writers off the warehouse itself: what was read is the spare by now
        spare = warehouse.with_name(SPARE)
        spare.hardlink_to(warehouse)
        anew = warehouse.with_name("anew")
        anew.write_bytes(warehouse.read_bytes())
        anew.replace(warehouse)
        write(warehouse, "delete from numbers; insert into numbers select n, '' from range(9) t(n)")
        write(warehouse, "insert into numbers select n, 'x' from range(200000) as t(n)")
        told, _ = reader.communicate("\n")
    assert told == "[(50000, 1249975000, 288)]\n"
    assert count(warehouse) == 200_009


def test_an_error_leaves_the_warehouse_and_the_next_copy_is_whole(warehouse: Path) -> None:
    write(warehouse, "create table other as select 1 as n")
    before = warehouse.read_bytes()

    def fail() -> None:
        with working_copy(warehouse, warehouse.parent / "copy") as copy:
            copy.write_bytes(b"half a warehouse")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert warehouse.read_bytes() == before
    assert not (warehouse.parent / "copy").exists()
    write(warehouse, "insert into other values (2)")
    assert count(warehouse) == 50_000


def test_a_removed_spare_leaves_no_byte_of_the_version_before(warehouse: Path) -> None:
    write(warehouse, "insert into numbers values (1, 'a secret')")
    write(warehouse, "drop table numbers; create table numbers as select 1 as n")
    assert b"a secret" in warehouse.with_name(SPARE).read_bytes()
    remove_spare(warehouse)
    remove_spare(warehouse)
    assert {path.name for path in warehouse.parent.iterdir()} == {WAREHOUSE}
