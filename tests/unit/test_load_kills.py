"""A kill -9 anywhere in spooling and landing costs nothing: the next run ends with the same rows.

Run as a program, this file is the process that gets killed: `test_load_kills.py DATA_DIR [STEP]`.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.destinations.sql_jobs import SqlMergeFollowupJob
from dlt.load.load import Load
from dlt.pipeline.pipeline import Pipeline
from test_load import MODELS, START, members, post, snapshot

from ingest.clock import ManualClock
from ingest.load import land, spool

LANDED, SPOOLED = 40, 60


def rows(first: int, last: int, *, hours: int) -> list[Any]:
    return [snapshot(str(n), hours=hours, impressions=n + hours) for n in range(first, last)]


def prepare(data_dir: Path) -> None:
    """A warehouse with rows, and a spool that replaces some of them and brings others."""
    spool(rows(0, LANDED, hours=1), data_dir / "spool", "first")
    control = {"control_account_members": members("a", "b")}
    land(data_dir, MODELS, clock=ManualClock(START), control=control)
    spool(rows(20, 50, hours=2), data_dir / "spool", "run-1")


def run(data_dir: Path) -> None:
    """What a run does: spool what was collected (once), then land. Never finds a half of either."""
    folder = data_dir / "spool"
    if not (data_dir / "collected").exists():
        for name, table_rows in {
            "run-2a": rows(45, SPOOLED, hours=3),
            "run-2b": [*rows(30, 46, hours=1), *rows(30, 32, hours=4)],
            "run-2c": [post("hello")],
        }.items():
            if not list(folder.glob(f"*--{name}.parquet")):
                spool(table_rows, folder, name)
        (data_dir / "collected").touch()
    control = {"control_account_members": members("b", "c", "d")}
    clock = ManualClock(START + timedelta(days=1))
    land(data_dir, MODELS, clock=clock, control=control)


def contents(data_dir: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        return {
            table: warehouse.execute(
                f"SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM raw.{table} ORDER BY ALL"
            ).fetchall()
            for table in ("toy_snapshots", "toy_posts", "toy_accounts", "control_account_members")
        }


def rows_without_a_booked_load(data_dir: Path) -> int:
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as warehouse:
        found = warehouse.execute(
            "SELECT count(*) FROM raw.toy_snapshots"
            " WHERE _dlt_load_id NOT IN (SELECT load_id FROM raw._dlt_loads)"
        ).fetchone()
    assert found is not None
    return int(found[0])


# --- the process that dies -------------------------------------------------------------------


def die_after(owner: type, method: str, calls: int = 1) -> Callable[[], None]:
    """Makes the process end as by kill -9 when `method` has returned for the `calls`-th time."""

    def arm() -> None:
        original = getattr(owner, method)
        seen = 0

        def last_act(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            result = original(*args, **kwargs)
            seen += 1
            if seen == calls:
                os._exit(9)
            return result

        setattr(owner, method, last_act)

    return arm


STEPS: dict[str, Callable[[], None]] = {
    "the second file is spooled": die_after(Path, "rename", 2),
    "the last spool file has its name": die_after(Path, "rename", 3),
    "all is collected": die_after(Path, "touch"),
    "dlt has extracted": die_after(Pipeline, "extract"),
    "dlt has normalised": die_after(Pipeline, "normalize"),
    "the first copy into staging": die_after(DuckDbCopyJob, "run", 1),
    "the second copy into staging": die_after(DuckDbCopyJob, "run", 2),
    "the last copy into staging": die_after(DuckDbCopyJob, "run", 3),
    "dlt has written the merge": die_after(SqlMergeFollowupJob, "__init__", 1),
    "the load is booked": die_after(SqlJobClientBase, "complete_load"),
    "the package is complete": die_after(Load, "complete_package"),
    "dlt has loaded": die_after(Pipeline, "load"),
    "the version before has a second name": die_after(Path, "hardlink_to"),
    "the copy has taken its place": die_after(Path, "replace", 1),
    "the spare is there": die_after(Path, "replace", 2),
    "the first spool file is gone": die_after(Path, "unlink", 1),
    "the second spool file is gone": die_after(Path, "unlink", 2),
}
AFTER_LANDING = list(STEPS)[-4:]


def start(data_dir: Path, *step: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, str(data_dir), *step])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each process that dies begins with, to be copied."""
    data_dir = tmp_path_factory.mktemp("prepared") / "var"
    prepare(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def undisturbed(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[tuple[Any, ...]]]:
    data_dir = shutil.copytree(prepared, tmp_path_factory.mktemp("undisturbed") / "var")
    run(data_dir)
    result = contents(data_dir)
    assert [len(found) for found in result.values()] == [SPOOLED, 1, 0, 3]
    return result


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_costs_nothing_once(
    step: str, prepared: Path, tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    data_dir = shutil.copytree(prepared, tmp_path / "var")
    before = (data_dir / "warehouse.duckdb").read_bytes()
    assert start(data_dir, step).wait() == 9
    is_landed = step in AFTER_LANDING
    assert ((data_dir / "warehouse.duckdb").read_bytes() == before) is not is_landed

    run(data_dir)

    assert contents(data_dir) == undisturbed
    assert rows_without_a_booked_load(data_dir) == 0
    assert list((data_dir / "spool").iterdir()) == []
    assert not (data_dir / "dlt").exists()


def test_kills_at_random_moments_cost_nothing(
    prepared: Path, tmp_path: Path, undisturbed: dict[str, list[tuple[Any, ...]]]
) -> None:
    # The import of dlt takes most of a run; `ready` marks its end, so that kills hit the work.
    kills = int(os.environ.get("NEXUS_TEST_KILLS", "5"))
    dice = random.Random(20261122)
    for number in range(kills):
        data_dir = shutil.copytree(prepared, tmp_path / str(number))
        with start(data_dir) as process:
            while not (data_dir / "ready").exists():
                assert process.poll() is None
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.9))
            process.send_signal(signal.SIGKILL)
        (data_dir / "ready").unlink()

        run(data_dir)

        assert contents(data_dir) == undisturbed
        assert rows_without_a_booked_load(data_dir) == 0


if __name__ == "__main__":
    target = Path(sys.argv[1])
    for name in sys.argv[2:]:
        STEPS[name]()
    (target / "ready").open("w").close()
    run(target)
