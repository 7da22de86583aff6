"""One writing run at a time: the lock, the history, the exit code (DESIGN.md section 9)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from filelock import FileLock, Timeout

from execution.control.models import Run
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest.clock import Clock
from ingest.errors import NexusError


class ExitCode(IntEnum):
    """What a command's end means to cron."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PARTLY = 3
    LOCKED = 75


class RunLockedError(NexusError):
    """Another run holds the lock; this one did nothing."""


@dataclass
class RunRecord:
    """What the run history keeps of a run; commands fill `summary` as they go."""

    summary: dict[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.DONE


@contextmanager
def exclusive_run(
    settings: Settings, store: ControlStore, clock: Clock, command: str
) -> Iterator[RunRecord]:
    """Hold the run lock and write this run into the history, however it ends.

    The lock is the kernel's: it goes with the process, even after kill -9. Raises RunLockedError
    at once if another run holds it.
    """
    lock = FileLock(settings.data_dir / "run.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunLockedError(
            f"another run is writing to {settings.data_dir}: nothing was done"
        ) from None
    record = RunRecord()
    try:
        with store.begin() as session:
            run = Run(command=command, started_at=clock.now())
            session.add(run)
            session.flush()
            run_id = run.id
        try:
            yield record
        except BaseException:
            record.exit_code = ExitCode.FAILED
            raise
        finally:
            with store.begin() as session:
                run = session.get_one(Run, run_id)
                run.ended_at = clock.now()
                run.exit_code, run.summary = record.exit_code, record.summary
    finally:
        lock.release()
