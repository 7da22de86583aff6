"""Builds of a year of readings: time and memory, each beside the plain SQL over the same Parquet.

Targets (in full, NEXUS_BENCH_SCALE=1, on two cores): 10 million snapshots of 100,000 posts and 400
accounts built within 120 seconds and 6 GB; 10,000 new ones, a tenth late and scattered, built with
their tests within 20 seconds, and within 6 seconds more than the same on 1 million; published
within 30 seconds whole and within 8 as changes, beside a plain copy of the same tables.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from execution.analytics.aggregations import BuildResult, Dbt
from execution.analytics.publish import publish
from execution.control.settings import Settings
from ingest.clock import SystemClock
from tests.benchmarks.warehouse.figures import FIGURES, IN_FULL, SCALE
from tests.benchmarks.warehouse.history import Size, generate, land_the_rest

PROJECT = Path(__file__).resolve().parents[3]
BUILD = "from pathlib import Path; from execution.analytics.aggregations import Dbt; import sys;"
BUILD += "Dbt(Path(sys.argv[1])).build()"


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of processors, and the most memory that the build held, in GB."""

    seconds: float
    processor_seconds: float
    gigabytes: float


def build(data_dir: Path) -> Measured:
    """Build and test as the product does."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", BUILD, str(data_dir)], cwd=PROJECT) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Measured(
        time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    )


def plain_sql(warehouse: Path) -> tuple[float, int]:
    """Seconds that increments and daily sums take from Parquet in plain SQL, and how many rows."""
    folder = warehouse.parent / "plain"
    folder.mkdir(exist_ok=True)
    with duckdb.connect(warehouse, read_only=True) as connection:
        for platform in ("linkedin", "twitter"):
            connection.execute(
                f"copy raw.{platform}_snapshots to '{folder}/{platform}.parquet' (format parquet)"
            )
    started = time.perf_counter()
    with duckdb.connect(folder / "plain.duckdb") as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        connection.execute(
            f"""
            create or replace table increments as
            select
                account_id, post_id, slot_start, collected_at,
                impression_count - coalesce(lag(impression_count) over w, 0) as impressions,
                like_count - coalesce(lag(like_count) over w, 0) as likes
            from read_parquet('{folder}/*.parquet', union_by_name = true)
            window w as (partition by post_id order by slot_start);
            create or replace table days as
            select account_id, cast(collected_at as date) as day, sum(impressions) as impressions,
                sum(likes) as likes
            from increments group by all
            """
        )
        (rows,) = connection.execute("select count(*) from increments").fetchall()
    return time.perf_counter() - started, int(rows[0])


def publication(data_dir: Path) -> float:
    """Seconds that publishing takes, as the product does it."""
    settings = Settings(
        _env_file=None, data_dir=data_dir, vault_key_file=data_dir / "keys" / "vault.json"
    )
    started = time.perf_counter()
    publish(settings, Dbt(data_dir), BuildResult(1, 1, 0), SystemClock())
    return time.perf_counter() - started


def plain_copy(warehouse: Path) -> float:
    """Seconds that a copy of the marts takes."""
    started = time.perf_counter()
    with duckdb.connect(warehouse.parent / "plain" / "copy.duckdb") as connection:
        connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        for (table,) in connection.execute(
            "select table_name from information_schema.tables"  # a mart may be a view
            " where table_catalog = 'warehouse' and table_schema = 'marts'"
        ).fetchall():
            connection.execute(f"create table {table} as from warehouse.marts.{table}")
    return time.perf_counter() - started


@dataclass(frozen=True)
class Figures:
    """What was measured of one size; `published`: seconds whole, as changes, of a plain copy."""

    rows: int
    whole: Measured
    part: Measured
    plain: float
    published: tuple[float, float, float]


def measure(folder: Path, size: Size) -> Figures:
    """The first build and publication, and those of what arrives afterwards."""
    folder.mkdir()
    warehouse = folder / "warehouse.duckdb"
    generate(warehouse, size)
    whole, all_published = build(folder), publication(folder)
    assert land_the_rest(warehouse) == size.arriving
    part, part_published = build(folder), publication(folder)
    plain, rows = plain_sql(warehouse)
    with duckdb.connect(warehouse, read_only=True) as connection:
        (found,) = connection.execute("select count(*) from marts.post_increments").fetchall()
    assert found[0] == rows
    published = (all_published, part_published, plain_copy(warehouse))
    return Figures(rows, whole, part, plain, published)


def test_builds_follow_what_is_new(tmp_path: Path) -> None:
    found = {}
    for share in (0.1, 1.0) if IN_FULL else (1.0,):
        accounts = max(round(400 * min(SCALE, 1)), 4)
        size = Size(
            max(round(100_000 * SCALE * share), 20), accounts, max(round(10_000 * SCALE), 20)
        )
        found[share] = measured = measure(tmp_path / str(share), size)
        whole, part, copy = measured.published
        FIGURES.append(
            f"{measured.rows:,} snapshots, load {os.getloadavg()[0]:.1f}: full build"
            f" {_told(measured.whole)}; {size.arriving:,} new ones {_told(measured.part)};"
            f" plain SQL {measured.plain:.1f} s; published whole in {whole:.1f} s, as changes in"
            f" {part:.1f} s, plain copy {copy:.1f} s"
        )
    if IN_FULL:
        all_of_it = found[1.0]
        assert all_of_it.whole.seconds <= 120
        assert all_of_it.whole.gigabytes <= 6
        assert all_of_it.published[0] <= 30
        assert all_of_it.published[1] <= 8
        assert all_of_it.part.seconds <= 20
        assert all_of_it.part.seconds - found[0.1].part.seconds <= 6


def _told(done: Measured) -> str:
    return (
        f"{done.seconds:.1f} s ({done.processor_seconds:.0f} s of processors),"
        f" {done.gigabytes:.1f} GB"
    )
