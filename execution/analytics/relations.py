"""What is asked of DuckDB's tables, views and files alike, whichever of our steps asks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingest.load import RAW


@contextmanager
def scratch_connection(beside: Path, **config: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, to attach files to; instants in UTC.

    What does not fit into memory is spilled beside this file, as DuckDB does for a database that is
    one: into the folder at hand it would spill otherwise.
    """
    spilled = beside.with_name(f"{beside.name}.tmp")
    with duckdb.connect(config={"temp_directory": str(spilled), **config}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def exists(connection: duckdb.DuckDBPyConnection, table: str, schema: str = RAW) -> bool:
    """Whether the warehouse has this table; a raw one: whether it has landed once."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = $schema and table_name = $table"
        " and database_name = current_database()",
        {"schema": schema, "table": table},
    )
    return found.fetchone() is not None


def columns_of(connection: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Column -> type of a relation."""
    described = connection.execute(f"describe from {source}").fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def fingerprint(
    connection: duckdb.DuckDBPyConnection, source: str, columns: Iterable[str] | None = None
) -> tuple[int, int]:
    """Number of rows and a checksum over all their values, whatever their order."""
    named = ", ".join(columns or columns_of(connection, source))
    row = connection.execute(
        f"select count(*), coalesce(sum(hash({named})), 0) from {source}"
    ).fetchone()
    assert row is not None  # an aggregate
    return int(row[0]), int(row[1])


def literal(value: object) -> str:
    """An SQL text literal: COPY and views take no bound parameters."""
    return "'" + str(value).replace("'", "''") + "'"
