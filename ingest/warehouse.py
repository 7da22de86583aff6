"""The warehouse file, written so that a kill at any moment leaves a whole one.

DuckDB 1.5 rewrites blocks in place that its last checkpoint still needs: who is killed in the
middle of such a write leaves a file that nobody can read. So all writers work on a copy.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import duckdb

from ingest.durable import fsync

WAREHOUSE = "warehouse.duckdb"


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
                shutil.copyfile(warehouse, copy)
                shutil.copymode(warehouse, copy)
                # what is copied goes to disk meanwhile, or the end would wait for all of it
                copied = background.submit(fsync, copy)
                yield copy
                copied.result()
            else:
                yield copy
        with duckdb.connect(str(copy)) as written:
            written.execute("checkpoint")
        fsync(copy)
        copy.replace(warehouse)
        fsync(warehouse.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
