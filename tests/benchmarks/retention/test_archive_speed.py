"""Archiving five million snapshots takes at most a minute on two cores, every row verified.

Beside the plain SQL that copies the same rows to the same kind of files, unverified.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from execution.analytics.archive import archive, restore
from execution.control.settings import Settings
from ingest.clock import ManualClock
from ingest.load import arrow_schema
from ingest.platforms import PLATFORMS
from tests.benchmarks.retention.figures import FIGURES, IN_FULL, SCALE

ROWS = round(5_000_000 * SCALE)
#: Snapshots of a post, a day apart; the last three stay hot.
A_POST = 103
NOW = datetime(2026, 11, 22, 12, 7, tzinfo=UTC)
SECONDS = 60


def warehouse(path: Path) -> None:
    """Two tables of posts read daily, over two years, that the last build has counted."""
    with duckdb.connect(path) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema raw")
        connection.execute("create schema intermediate")
        for platform in PLATFORMS.values():
            table, schema = platform.snapshot_row.table, arrow_schema(platform.snapshot_row)
            counters = ", ".join(
                f"(reading * 37 + hash(post, '{name}') % 1000)::bigint as {name}"
                for name in schema.names
                if name.endswith(("_count", "_clicks"))
            )
            posts = ROWS // 2 // (A_POST - 3)
            connection.execute(
                f"""
                create table raw.{table} as
                select
                    uuid()::varchar as snapshot_id,
                    md5('{table}' || post)::uuid::varchar as post_id,
                    md5('{table}' || post % 400)::uuid::varchar as account_id,
                    (1000000000 + post)::varchar as platform_post_id,
                    published_at,
                    time_bucket(interval '6 hours', collected_at) as slot_start,
                    collected_at,
                    {counters},
                    collected_at as first_landed_at,
                    '17' || strftime(collected_at, '%y%m%d') || '.000001' as _dlt_load_id,
                    left(md5(post || '/' || reading), 14) as _dlt_id
                from (
                    select
                        post,
                        reading,
                        timestamptz '2024-05-01' + to_seconds(post * 53777 % 51840000)
                            as published_at,
                        published_at + to_days(reading::integer) + interval '1 hour' as collected_at
                    from range({posts}) as posts (post), range({A_POST}) as readings (reading)
                )
                """
            )
        connection.execute(
            "create table intermediate.recorded_loads as select distinct _dlt_load_id as load_id"
            " from (select _dlt_load_id from raw.twitter_snapshots"
            " union all select _dlt_load_id from raw.linkedin_snapshots)"
        )


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def plain_copy(path: Path, folder: Path) -> None:
    """What the archive does to the rows, without its promises: one file a table and month."""
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for platform in PLATFORMS.values():
            table = platform.snapshot_row.table
            connection.execute(
                f"copy (select *, strftime(slot_start, '%Y-%m') as month from raw.{table}"
                f" where collected_at < timestamptz '2026-08-24 12:07')"
                f" to '{folder / table}' (format parquet, compression zstd, partition_by (month))"
            )


def test_five_million_snapshots_are_archived_within_a_minute(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        vault_key_file=tmp_path / "keys" / "vault.json",
    )
    settings.data_dir.mkdir()
    warehouse(settings.warehouse)
    clock, moved = ManualClock(NOW), {}

    (tmp_path / "plain").mkdir()
    plain = seconds(lambda: plain_copy(settings.warehouse, tmp_path / "plain"))
    took = seconds(lambda: moved.update(archived=archive(settings, clock, _quiet).total))
    again = seconds(lambda: moved.update(again=archive(settings, clock, _quiet).total))
    back = seconds(lambda: moved.update(restored=restore(settings, [], _quiet).total))

    assert 0.9 * ROWS <= moved["archived"] == moved["restored"]
    assert moved["again"] == 0
    size = sum(path.stat().st_size for path in (settings.data_dir / "archive").rglob("*.parquet"))
    FIGURES.append(
        f"archive: {moved['archived']:,} snapshots in {took:.1f} s, {size / 1e6:.0f} MB;"
        f" plain COPY of them {plain:.1f} s ({took / plain:.1f} times);"
        f" nothing to move {again:.2f} s; restored in {back:.1f} s"
    )
    if IN_FULL:
        assert took <= SECONDS


def _quiet(*_: object) -> None:
    """No progress to show."""
