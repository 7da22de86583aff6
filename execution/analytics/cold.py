"""Cold readings in the warehouse: views `raw_cold.<table>` over the archive's Parquet files.

dbt reads hot rows from `raw` and archived ones from here, and nothing else knows where the files
lie (DESIGN.md section 5: a row found hot and cold counts once; cold rows serve a full refresh).
"""

from pathlib import Path

import duckdb

#: Raw tables whose old rows are archived. Rows of files stay: they describe posts as well.
ARCHIVED_TABLES = ("linkedin_snapshots", "twitter_snapshots")


def cold_files(archive: Path, table: str) -> list[Path]:
    """The archived files of a raw table, `<archive>/<table>/<YYYY-MM>/<name>.parquet`, by name."""
    return sorted((archive / table).glob("*/*.parquet"))


def expose_cold(connection: duckdb.DuckDBPyConnection, archive: Path) -> None:
    """Make `raw_cold` show what the archive holds now; every raw table must exist.

    A table without files is a view of no rows, so that models need not ask.
    """
    connection.execute("create schema if not exists raw_cold")
    for table in ARCHIVED_TABLES:
        files = cold_files(archive, table)
        connection.execute(f"create or replace view raw_cold.{table} as {_rows(table, files)}")


def _rows(table: str, files: list[Path]) -> str:
    if not files:
        return f"select * from raw.{table} where false"
    listed = ", ".join("'" + str(file.resolve()).replace("'", "''") + "'" for file in files)
    return f"select * from read_parquet([{listed}], union_by_name = true)"
