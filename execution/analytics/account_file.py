"""A published file of one account, to hand to somebody (DESIGN.md section 6).

It is cut from the generation being served, so it holds nothing that did not pass its tests. Marts
about people (`user_key`) stay out; so does content, as in every file for BI tools.
"""

import json
from pathlib import Path
from uuid import UUID

import duckdb

from execution.analytics.publish import CURRENT, PublishError
from execution.analytics.relations import columns_of, literal, scratch_connection
from execution.control.settings import Settings
from ingest.durable import fsync
from ingest.errors import first_line


def write_account_file(settings: Settings, account_id: UUID, target: Path) -> dict[str, int]:
    """Write `target`, a new DuckDB file with every mart's rows of the account; rows a table.

    Raises PublishError if nothing is published yet, or `target` exists or cannot be written.
    """
    source = settings.published_dir / CURRENT
    if not source.exists():
        raise PublishError("nothing is published yet: run nexus refresh first")
    if target.exists():
        raise PublishError(f"{target} exists: it is not written over")
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    try:
        counts = _cut(source.resolve(), draft, account_id)
        draft.chmod(0o640)
        fsync(draft)
        draft.rename(target)
    except (duckdb.Error, OSError) as error:
        draft.unlink(missing_ok=True)
        raise PublishError(f"{target} was not written: {first_line(error)}") from error
    return counts


def _cut(source: Path, draft: Path, account_id: UUID) -> dict[str, int]:
    counts = {}
    with scratch_connection(draft) as connection:
        connection.execute(f"attach {literal(source)} as source (read_only)")
        connection.execute(f"attach {literal(draft)} as draft")
        for table, comment in _tables(connection):
            columns = columns_of(connection, f"source.{table}")
            if "user_key" in columns:
                continue
            own = "account_id = $account" if "account_id" in columns else "$account is not null"
            connection.execute(f"create table draft.{table} as from source.{table} limit 0")
            (counts[table],) = connection.execute(
                f"insert into draft.{table} from source.{table} where {own}",
                {"account": account_id},
            ).fetchone() or (0,)
            connection.execute(f"comment on table draft.{table} is {literal(comment)}")
            _comment_columns(connection, table)
        del counts["publication"]
        connection.execute("update draft.publication set row_counts = ?", [json.dumps(counts)])
        connection.execute("detach draft")
    return counts


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Name and definition of every table of the source."""
    return connection.execute(
        "select table_name, coalesce(comment, '') from duckdb_tables()"
        " where database_name = 'source' order by table_name"
    ).fetchall()


def _comment_columns(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    for column, comment in connection.execute(
        "select column_name, comment from duckdb_columns()"
        " where database_name = 'source' and table_name = ? and comment is not null",
        [table],
    ).fetchall():
        connection.execute(f"comment on column draft.{table}.{column} is {literal(comment)}")
