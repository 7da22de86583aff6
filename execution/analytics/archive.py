"""Retention (directive 5.2; DESIGN.md section 5): old snapshots move to cold storage, and back.

Hot are the last 90 days, each post's last three, and what no build has counted yet. What leaves
is written, read back and compared first; the manifest names it next; only then one transaction
deletes the hot rows. A kill at any point leaves each row hot, cold, or both with the same values,
and the next run goes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import duckdb

from execution.analytics.cold_store import (
    COLD,
    KEYS,
    ArchiveError,
    ColdFile,
    ColdStore,
    open_cold_store,
    open_warehouse,
)
from execution.analytics.relations import columns_of, exists, fingerprint
from execution.console import OnProgress
from execution.control.settings import Settings
from ingest.clock import Clock
from ingest.errors import first_line
from ingest.load import RAW

HOT_FOR: Final = timedelta(days=90)
#: Snapshots of a post that stay hot, however old they are.
ALWAYS_HOT: Final = 3
#: The model that holds hot snapshots alone, and follows what leaves.
_HOT_COPY: Final = ("marts", "analytics_snapshots")
#: What builds have seen: loads that a complete one counted, posts as it knew them.
_RECORDED_LOADS: Final = ("intermediate", "recorded_loads")
_RECORDED_POSTS: Final = ("intermediate", "recorded_posts")


@dataclass
class Moved:
    """What an archive or a restore did: rows and months per table."""

    rows: dict[str, int] = field(default_factory=dict)
    months: set[str] = field(default_factory=set)

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def span(self) -> str:
        return f"{len(self.months)} month{'s' * (len(self.months) != 1)}"


def archive(settings: Settings, clock: Clock, progress: OnProgress) -> Moved:
    """Move what is no longer hot into the archive; a second run has nothing to move.

    The caller holds the run lock. Raises ArchiveError; hot rows then stay as they are.
    """
    moved = Moved()
    if not settings.warehouse.exists():
        return moved
    store = open_cold_store(settings)
    with _one_line(), open_warehouse(settings) as connection:
        store.attach(connection)
        tables = [table for table in KEYS if exists(connection, table)]
        if not _is_there(connection, _RECORDED_LOADS):
            return moved  # nothing was built yet: no increment is counted, every row is needed
        months = [
            (table, month)
            for table in tables
            for month in _find_leaving(connection, table, clock.now() - HOT_FOR)
        ]
        new: list[ColdFile] = []
        for done, (table, month) in enumerate(months, start=1):
            new += _archive_month(connection, store, table, month)
            progress(done, len(months), f"{table} {month}")
        if new:
            store.commit(new, _replaced(store, new))
        connection.begin()
        store.show(connection)
        for table in tables:
            moved.rows[table] = _delete_left(connection, table)
        connection.commit()
    store.sweep()
    moved.months = {month for _, month in months}
    return moved


def restore(settings: Settings, months: Sequence[str], progress: OnProgress) -> Moved:
    """Put cold rows back among the hot ones, of these months or of all; the archive keeps them.

    A second time changes nothing. The caller holds the run lock. Raises ArchiveError for a month
    of which nothing is archived.
    """
    store = open_cold_store(settings)
    archived = sorted({file.month for file in store.files})
    if not archived:
        raise ArchiveError("nothing is archived yet: there is nothing to restore")
    if unknown := sorted(set(months) - set(archived)):
        raise ArchiveError(
            f"nothing is archived of {', '.join(unknown)}: "
            f"archived are {archived[0]} to {archived[-1]}"
        )
    wanted = months or archived
    moved = Moved(months=set(wanted))
    files = [file for table in KEYS for file in store.of(table, wanted)]
    for file in files:
        store.check(file)
    with _one_line(), open_warehouse(settings) as connection:
        store.attach(connection)
        store.show(connection)
        connection.begin()
        for done, file in enumerate(files, start=1):
            rows = _restore_file(connection, file)
            moved.rows[file.table] = moved.rows.get(file.table, 0) + rows
            progress(done, len(files), f"{file.table} {file.month}")
        connection.commit()
    return moved


def _find_leaving(connection: duckdb.DuckDBPyConnection, table: str, before: datetime) -> list[str]:
    """Collect what leaves as `leaving_<table>`; its months, oldest first.

    Rows that no complete build has counted stay: their increments are kept for ever, and must be
    made first.
    """
    connection.execute(
        f"""
        create or replace temp table leaving_{table} as
        with kept as (
            select post_id, list_min(max(slot_start, {ALWAYS_HOT})) as first_kept
            from (select distinct post_id, slot_start from {RAW}.{table})
            group by post_id
        )
        select hot.* from {RAW}.{table} as hot
        inner join kept on hot.post_id = kept.post_id
        where
            hot.collected_at < $before
            and hot.slot_start < kept.first_kept
            and hot._dlt_load_id in (select load_id from {".".join(_RECORDED_LOADS)})
        """,
        {"before": before},
    )
    found = connection.execute(
        f"select strftime(month, '%Y-%m') from"
        f" (select distinct date_trunc('month', slot_start) as month from leaving_{table})"
        " order by 1"
    )
    return [str(month) for (month,) in found.fetchall()]


def _archive_month(
    connection: duckdb.DuckDBPyConnection, store: ColdStore, table: str, month: str
) -> list[ColdFile]:
    """Write a month's cold rows with those that leave; nothing if they are all cold already."""
    leaving = f"(from leaving_{table} where {_within(month)})"
    old = store.of(table, [month])
    if not old:
        return [store.write(connection, leaving, table, month)]
    for file in old:
        store.check(file)
    key = ", ".join(KEYS[table])
    # Of two readings of a slot the newer counts; equal ones are the same row.
    connection.execute(
        f"""
        create or replace temp table month_rows as
        with found as (from {leaving} union all by name from {store.source(*old)}),
        ranked as (
            select
                * replace (min(first_landed_at) over (partition by {key}) as first_landed_at),
                row_number() over (
                    partition by {key} order by collected_at desc, _dlt_load_id desc
                ) as place
            from found
        )
        select * exclude (place) from ranked where place = 1
        """
    )
    if _is_same(connection, store.source(*old)):
        return []
    return [store.write(connection, "month_rows", table, month)]


def _within(month: str) -> str:
    """Whether a row is of the month `YYYY-MM`; cheaper than naming the month of each row."""
    start = f"timestamptz '{month}-01 00:00:00+00'"
    return f"slot_start >= {start} and slot_start < {start} + interval '1 month'"


def _is_same(connection: duckdb.DuckDBPyConnection, cold: str) -> bool:
    columns = columns_of(connection, "month_rows")
    return columns_of(connection, cold).keys() == columns.keys() and (
        fingerprint(connection, "month_rows", columns) == fingerprint(connection, cold, columns)
    )


def _replaced(store: ColdStore, new: Iterable[ColdFile]) -> list[ColdFile]:
    months = {(file.table, file.month) for file in new}
    return [file for file in store.files if (file.table, file.month) in months]


def _delete_left(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Delete the hot rows that left. Raises ArchiveError if one of them is not cold."""
    key = ", ".join(KEYS[table])
    missing = _count(
        connection, f"select count(*) from leaving_{table} anti join {COLD}.{table} using ({key})"
    )
    if missing:
        raise ArchiveError(f"{missing:,} rows of {table} did not reach the archive: none was moved")
    if _is_there(connection, _HOT_COPY):
        connection.execute(
            f"delete from {'.'.join(_HOT_COPY)} as hot using leaving_{table} as gone"
            " where hot.post_id = cast(gone.post_id as uuid)"
            " and hot.slot_start = gone.slot_start and hot.source = 'api'"
        )
    return _count(
        connection,
        f"delete from {RAW}.{table} as hot using leaving_{table} as gone"
        f" where {' and '.join(f'hot.{name} = gone.{name}' for name in KEYS[table])}",
    )


def _is_there(connection: duckdb.DuckDBPyConnection, place: tuple[str, str]) -> bool:
    schema, table = place
    return exists(connection, table, schema)


def _restore_file(connection: duckdb.DuckDBPyConnection, file: ColdFile) -> int:
    """Put a month's rows back; a newer hot row of the same slot stays. Returns how many."""
    hot, key = f"{RAW}.{file.table}", ", ".join(KEYS[file.table])
    if not exists(connection, file.table):
        raise ArchiveError(f"the warehouse has no {hot} yet: run nexus build first")
    connection.execute(
        f"create or replace temp table cold_rows as from {COLD}.{file.table}"
        f" where {_within(file.month)}"
    )
    same = " and ".join(f"hot.{name} = cold.{name}" for name in KEYS[file.table])
    connection.execute(
        f"delete from {hot} as hot using cold_rows as cold"
        f" where {same} and hot.collected_at < cold.collected_at"
    )
    if _is_there(connection, _RECORDED_POSTS):  # the next build makes these posts anew
        connection.execute(
            f"delete from {'.'.join(_RECORDED_POSTS)}"
            " where post_id in (select cast(post_id as uuid) from cold_rows)"
        )
    return _count(
        connection,
        f"insert into {hot} by name from cold_rows anti join {hot} using ({key})",
    )


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None  # counts, inserts and deletes answer with one number
    return int(row[0])


@contextmanager
def _one_line() -> Iterator[None]:
    """DuckDB's errors, and a full disk, in one line."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise ArchiveError(f"nothing was moved: {first_line(error)}") from error
