"""Erasure in the warehouse, hot and cold: rows go, and with a rewritten file their bytes."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import duckdb
import pyarrow as pa

from execution.analytics.cold_store import (
    KEYS,
    ColdFile,
    open_cold_store,
    open_warehouse,
    read_warehouse,
)
from execution.analytics.relations import columns_of, literal, scratch_connection
from execution.control.settings import Settings
from ingest.durable import fsync
from ingest.load import RAW
from ingest.warehouse import remove_spare

Marks = Mapping[str, Collection[str]]

#: dlt's copies of what it merges: scratch, emptied by each landing that ends.
_STAGING: Final = f"{RAW}_staging"


def landed(settings: Settings, wanted: Sequence[str], marks: Marks) -> set[tuple[str | None, ...]]:
    """What the columns `wanted` hold in landed rows, hot or cold, that are marked.

    `marks`: column -> values; a row is marked if any of them fits. Tables that lack one of the
    wanted columns, or all of those that mark, are left out.
    """
    found: set[tuple[str | None, ...]] = set()
    if not settings.warehouse.exists():
        return found
    store = open_cold_store(settings)
    with read_warehouse(settings) as connection, _marked(connection, marks):
        store.attach(connection)
        cold = [store.source(*store.of(table)) for table in KEYS if store.of(table)]
        hot = [f"{schema}.{name}" for schema, name in _tables(connection) if schema == RAW]
        for source in (*hot, *cold):
            columns = columns_of(connection, source)
            condition = _condition(columns, marks)
            if condition and columns.keys() >= set(wanted):
                found |= set(
                    connection.execute(
                        f"select distinct {', '.join(wanted)} from {source} where {condition}"
                    ).fetchall()
                )
    return found


def erase_cold(settings: Settings, marks: Marks) -> Counter[str]:
    """Write every archived month anew that holds a marked row; place -> rows that went."""
    store = open_cold_store(settings)
    gone: Counter[str] = Counter()
    with open_warehouse(settings) as connection, _marked(connection, marks):
        store.attach(connection)
        new: list[ColdFile] = []
        old: list[ColdFile] = []
        for file in store.files:
            source = store.source(file)
            condition = _condition(columns_of(connection, source), marks)
            marked = _count(connection, source, condition)
            if not marked:
                continue
            store.check(file)
            gone[f"archive/{file.table}"] += marked
            old.append(file)
            if marked < file.rows:
                rest = f"(from {source} where not coalesce({condition}, false))"
                new.append(store.write(connection, rest, file.table, file.month))
        if old:
            store.commit(new, old)
        store.show(connection)
    store.sweep()
    return gone


def erase_landed(settings: Settings, marks: Marks) -> Counter[str]:
    """Delete the marked rows of raw, and dlt's copies; place -> rows that went."""
    gone: Counter[str] = Counter()
    with open_warehouse(settings) as connection, _marked(connection, marks):
        connection.begin()
        for schema, table in _tables(connection):
            if schema == RAW:
                gone += _delete(connection, schema, table, marks)
            elif schema == _STAGING:
                connection.execute(f"delete from {schema}.{table}")
        connection.commit()
    return gone


def erase_built(settings: Settings, marks: Marks) -> Counter[str]:
    """Delete what a build has left of the marked rows in any other table: nothing, as a rule."""
    gone: Counter[str] = Counter()
    with open_warehouse(settings) as connection, _marked(connection, marks):
        connection.begin()
        for schema, table in _tables(connection):
            if schema not in {RAW, _STAGING}:
                gone += _delete(connection, schema, table, marks)
        connection.commit()
    return gone


def rewrite(settings: Settings) -> None:
    """Write the warehouse into a new file: DuckDB keeps the bytes of deleted rows in the old one.

    The new file takes the old one's place in one step; a kill before it leaves a draft, which the
    next one removes.
    """
    file = settings.warehouse
    draft = file.with_name(f".{file.name}.draft")
    for leftover in file.parent.glob(f"{draft.name}*"):  # its log, too: it would be replayed
        leftover.unlink()
    with duckdb.connect(file) as connection:
        connection.execute("checkpoint")
    # closed, it has no log that would be replayed into the new file
    assert not file.with_name(f"{file.name}.wal").exists()
    store = open_cold_store(settings)
    with scratch_connection(file) as connection:
        store.attach(connection)
        connection.execute(f"attach {literal(file)} as {file.stem} (read_only)")
        connection.execute(f"attach {literal(draft)} as draft")
        connection.execute(f"use {file.stem}")
        connection.execute(f"copy from database {file.stem} to draft")
        connection.execute("checkpoint draft")
        connection.execute("use memory")
        connection.execute("detach draft")
    draft.chmod(file.stat().st_mode & 0o777)
    fsync(draft)
    draft.replace(file)
    remove_spare(file)
    fsync(file.parent)


# --- rows by their marks -----------------------------------------------------------------------


@contextmanager
def _marked(connection: duckdb.DuckDBPyConnection, marks: Marks) -> Iterator[None]:
    """Have the values of each mark in a relation `marks_<column>`."""
    for column, values in marks.items():
        named = pa.table({"value": pa.array(sorted(values), pa.string())})
        connection.register(f"marks_{column}", named)
    try:
        yield
    finally:
        for column in marks:
            connection.unregister(f"marks_{column}")


def _condition(columns: Mapping[str, str], marks: Marks) -> str:
    """Whether a row is marked; empty where no column can mark one."""
    return " or ".join(
        f"cast({column} as varchar) in (select value from marks_{column})"
        for column in marks
        if column in columns
    )


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Schema and name of every table of the warehouse; not its views."""
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and not temporary order by all"
    )
    return [(str(schema), str(table)) for schema, table in found.fetchall()]


def _delete(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, marks: Marks
) -> Counter[str]:
    name = f"{schema}.{table}"
    condition = _condition(columns_of(connection, name), marks)
    rows = _count(connection, name, condition)
    if rows:
        connection.execute(f"delete from {name} where {condition}")
    return Counter({f"warehouse {name}": rows} if rows else {})


def _count(connection: duckdb.DuckDBPyConnection, source: str, condition: str) -> int:
    if not condition:
        return 0
    row = connection.execute(f"select count(*) from {source} where {condition}").fetchone()
    assert row is not None  # an aggregate
    return int(row[0])
