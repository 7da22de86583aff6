"""One writing run at a time, and a history of how each ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from execution.control.models import Run
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store
from execution.run import ExitCode, RunLockedError, exclusive_run
from ingest.clock import SystemClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, vault_key_file=tmp_path.parent / "v.json")


@pytest.fixture
def store(settings: Settings) -> ControlStore:
    return open_store(settings)


HOLD_THE_LOCK = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_at_once(settings: Settings, store: ControlStore) -> None:
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLD_THE_LOCK, str(settings.data_dir / "run.lock")],
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with (
            pytest.raises(RunLockedError, match="another run"),
            exclusive_run(settings, store, SystemClock(), "sync"),
        ):
            pass
        other.kill()
    with exclusive_run(settings, store, SystemClock(), "sync"):
        pass  # the kernel gave the lock back when its holder was killed


def test_the_history_tells_how_a_run_ended(settings: Settings, store: ControlStore) -> None:
    with exclusive_run(settings, store, SystemClock(), "sync") as run:
        run.summary["snapshots"] = 3
        run.exit_code = ExitCode.PARTLY

    def fail() -> None:
        with exclusive_run(settings, store, SystemClock(), "build"):
            raise RuntimeError("dbt")

    with pytest.raises(RuntimeError, match="dbt"):
        fail()
    with store.begin() as session:
        done = [(run.command, run.exit_code, run.summary) for run in session.query(Run)]
    assert done == [("sync", 3, {"snapshots": 3}), ("build", 1, {})]
