"""Archiving five million snapshots takes at most a minute on two cores, every row verified.

They leave a built warehouse, which is copied first. Beside the plain SQL that copies the same rows
to the same kind of files, unverified.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from execution.analytics.aggregations import Dbt
from execution.analytics.archive import HOT_FOR, archive, restore
from execution.control.settings import Settings
from ingest.clock import ManualClock
from ingest.platforms import PLATFORMS
from tests.benchmarks.retention.figures import FIGURES, IN_FULL, SCALE
from tests.benchmarks.warehouse.history import Size, generate

#: Of a post's 104 readings all but three leave; posts of the last weeks have fewer.
SIZE = Size(posts=round(52_000 * SCALE), accounts=max(round(400 * SCALE), 4), arriving=10)
LEAVING = round(5_000_000 * SCALE)
#: More than ninety days after the history's last reading.
NOW = datetime(2026, 12, 31, tzinfo=UTC)
SECONDS = 60


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
                f" where collected_at < timestamptz '{NOW - HOT_FOR}')"
                f" to '{folder / table}' (format parquet, compression zstd, partition_by (month))"
            )


@pytest.mark.long  # its build takes longest
def test_five_million_snapshots_are_archived_within_a_minute(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        vault_key_file=tmp_path / "keys" / "vault.json",
    )
    settings.data_dir.mkdir()
    generate(settings.warehouse, SIZE)
    Dbt(settings.data_dir).build("resource_type:seed resource_type:model")
    built = settings.warehouse.stat().st_size
    clock, moved = ManualClock(NOW), {}

    (tmp_path / "plain").mkdir()
    plain = seconds(lambda: plain_copy(settings.warehouse, tmp_path / "plain"))
    took = seconds(lambda: moved.update(archived=archive(settings, clock, _quiet).total))
    again = seconds(lambda: moved.update(again=archive(settings, clock, _quiet).total))
    back = seconds(lambda: moved.update(restored=restore(settings, [], _quiet).total))

    assert LEAVING <= moved["archived"] == moved["restored"]
    assert moved["again"] == 0
    size = sum(path.stat().st_size for path in (settings.data_dir / "archive").rglob("*.parquet"))
    FIGURES.append(
        f"archive: {moved['archived']:,} snapshots of a warehouse of {built / 1e6:.0f} MB in"
        f" {took:.1f} s, {size / 1e6:.0f} MB, load {os.getloadavg()[0]:.1f};"
        f" plain COPY of them {plain:.1f} s ({took / plain:.1f} times);"
        f" nothing to move {again:.2f} s; restored in {back:.1f} s"
    )
    if IN_FULL:
        assert took <= SECONDS


def _quiet(*_: object) -> None:
    """No progress to show."""
