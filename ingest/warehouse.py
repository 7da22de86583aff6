"""The warehouse file, written so that a kill at any moment leaves a whole one.

DuckDB 1.5 rewrites blocks in place that its last checkpoint still needs: who is killed in the
middle of such a write leaves a file that nobody can read. So all writers work on a copy. What it
replaces stays as a spare, which the next one is made of: most of its bytes are still the same.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import duckdb

from ingest.durable import fsync

WAREHOUSE = "warehouse.duckdb"

#: Bytes compared at a time: a few blocks of DuckDB's.
_STEP = 1 << 20


@contextmanager
def working_copy(warehouse: Path, folder: Path) -> Iterator[Path]:
    """A copy of the warehouse to write, which takes its place, whole, unless an error leaves it.

    `folder` is the copy's own: emptied before, gone afterwards. Within one process DuckDB knows
    files by their path, so each copy has another one.
    Raises duckdb.Error if the warehouse cannot be read or another process holds it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / uuid4().hex / warehouse.name
    copy.parent.mkdir(parents=True)
    try:
        with ThreadPoolExecutor(1) as background:
            if warehouse.exists():
                # takes in the log that a killed writer may have left
                duckdb.connect(str(warehouse)).close()
                _copy(warehouse, copy)
                # what is copied goes to disk meanwhile, or the end would wait for all of it
                copied = background.submit(fsync, copy)
                yield copy
                copied.result()
            else:
                yield copy
        with duckdb.connect(str(copy)) as written:
            written.execute("checkpoint")
        fsync(copy)
        _replace(warehouse, copy)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_spare(warehouse: Path) -> None:
    """Remove the version before this one: after an erasure it would still hold what was erased."""
    _spare(warehouse).unlink(missing_ok=True)


def _spare(warehouse: Path) -> Path:
    return warehouse.with_name(f".{warehouse.name}.spare")


def _copy(warehouse: Path, copy: Path) -> None:
    """Copy the warehouse: into its spare, unless DuckDB still reads that in another process.

    It is compared byte for byte, so it does not matter what the spare holds.
    """
    spare = _spare(warehouse)
    with (
        suppress(FileNotFoundError, BlockingIOError),
        spare.open("r+b") as target,
        warehouse.open("rb") as source,
    ):
        fcntl.lockf(target, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as its readers do
        spare.rename(copy)
        _write_differences(source.fileno(), target.fileno())
    if not copy.exists():
        shutil.copyfile(warehouse, copy)
    shutil.copymode(warehouse, copy)


def _write_differences(source: int, target: int) -> None:
    """Make one open file equal another: reading both takes a fraction of writing one of them."""
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    wanted, found = bytearray(_STEP), bytearray(_STEP)
    for start in range(0, size, _STEP):
        length = os.preadv(source, [wanted], start)
        if os.preadv(target, [found], start) != length or wanted != found:
            _write_whole(target, memoryview(wanted)[:length], start)


def _write_whole(target: int, content: memoryview, start: int) -> None:
    """Write all of it: a disk that becomes full takes a part first, and refuses the rest."""
    written = 0
    while written < len(content):
        written += os.pwrite(target, content[written:], start + written)


def _replace(warehouse: Path, copy: Path) -> None:
    """Put the copy in the warehouse's place, and that in the spare's."""
    if warehouse.exists():
        replaced = copy.with_name("replaced")
        replaced.hardlink_to(warehouse)
        copy.replace(warehouse)
        replaced.replace(_spare(warehouse))
    else:
        copy.replace(warehouse)
    fsync(warehouse.parent)
