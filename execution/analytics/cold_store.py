"""The cold store: archived snapshots as zstd Parquet, one file a table and month.

`manifest.json` is the truth: a file that it does not name is a leftover. Files never change. A
month that gets more rows, or loses some, gets a new file under a new name, and the manifest moves
over in one step. The store lies in a folder, or at any URL that fsspec understands.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Final
from uuid import uuid4

import duckdb
import fsspec

from execution.analytics.relations import (
    columns_of,
    exists,
    fingerprint,
    literal,
    scratch_connection,
)
from execution.control.settings import Settings
from ingest.durable import fsync, replace_durably
from ingest.errors import NexusError, first_line
from ingest.load import RAW
from ingest.platforms import PLATFORMS
from ingest.warehouse import working_copy

#: Archived tables and what identifies their rows: the snapshots that were polled. Rows of export
#: files stay hot: they are few, describe posts as well, and are no readings of a slot.
KEYS: Final = {p.snapshot_row.table: p.snapshot_row.key for p in PLATFORMS.values()}
#: DuckDB schema of the views on cold rows.
COLD: Final = "raw_cold"
_MANIFEST = "manifest.json"
_DRAFT = ".draft"
#: Folder of the copy of the warehouse that is being written.
_COPY = ".warehouse-copy"


class ArchiveError(NexusError):
    """The archive cannot be used; the message says why. No row was lost."""


class WarehouseError(NexusError):
    """The warehouse cannot be opened: another program has it, or it is no such file."""


@dataclass(frozen=True)
class ColdFile:
    """An archived month of a table; `sha256` of the file's bytes."""

    table: str
    month: str
    name: str
    rows: int
    sha256: str


class ColdStore:
    """The archive of one installation. One writer at a time (run lock)."""

    def __init__(self, url: str, drafts: Path | None = None) -> None:
        """`url`: a folder, or any URL of fsspec. Raises ArchiveError if it cannot be read.

        `drafts`: the folder of what is not uploaded yet, where the archive lies elsewhere.
        """
        self._url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ArchiveError(f"the archive {url} cannot be reached: {error}") from error
        self._root = root.rstrip("/")
        self._is_local = "file" in self._fs.protocol
        elsewhere = drafts or Path(gettempdir()) / "nexus-archive"
        self._drafts = Path(self._root) if self._is_local else elsewhere
        with self._told("read"):
            self.files = self._read_manifest()

    def of(self, table: str, months: Iterable[str] | None = None) -> list[ColdFile]:
        """The files of a table, oldest month first."""
        wanted = None if months is None else set(months)
        return [f for f in self.files if f.table == table and (wanted is None or f.month in wanted)]

    def source(self, *files: ColdFile) -> str:
        """A relation of the rows of these files, for a connection that `attach` was called on."""
        paths = [f"{self._root}/{file.name}" for file in files]
        if not self._is_local:
            paths = [str(self._fs.unstrip_protocol(path)) for path in paths]
        return f"read_parquet([{', '.join(map(literal, paths))}], union_by_name = true)"

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let this connection read the files."""
        if not self._is_local:
            connection.register_filesystem(self._fs)

    def check(self, file: ColdFile) -> None:
        """Raises ArchiveError unless the file is there, byte for byte as it was written."""
        with self._told("read"):
            if not self._fs.exists(f"{self._root}/{file.name}"):
                raise ArchiveError(f"{self._root}/{file.name} is missing: restore it from a backup")
            if self._sha256(file.name) != file.sha256:
                raise ArchiveError(
                    f"{self._root}/{file.name} is not as it was written: restore it from a backup"
                )

    # --- writing -----------------------------------------------------------------------------

    def write(
        self, connection: duckdb.DuckDBPyConnection, source: str, table: str, month: str
    ) -> ColdFile:
        """A new file with the rows of `source` (a relation), read back and found equal.

        It counts once `commit` names it. Raises ArchiveError.
        """
        with self._told("written"):
            self._drafts.mkdir(parents=True, exist_ok=True)
            draft = self._drafts / f".{uuid4().hex}{_DRAFT}"
            try:
                connection.execute(
                    f"copy (from {source} order by post_id, slot_start) to {literal(draft)}"
                    " (format parquet, compression zstd)"
                )
                sha256 = _digest(draft)
                name = f"{table}/{month}/{sha256[:16]}.parquet"
                self._store(draft, name)
            finally:
                draft.unlink(missing_ok=True)
            read_back = self._sha256(name)
            rows, checksum = fingerprint(connection, source)
            file = ColdFile(table, month, name, rows, sha256)
            columns = columns_of(connection, source)
            found = fingerprint(connection, self.source(file), columns)
        if read_back != sha256 or found != (rows, checksum):
            raise ArchiveError(f"{self._root}/{name} reads back otherwise than it was written")
        return file

    def commit(self, new: Iterable[ColdFile], old: Iterable[ColdFile] = ()) -> None:
        """Let the new files count from now on, and the old ones no more, in one step."""
        gone = set(old)
        files = {*(file for file in self.files if file not in gone), *new}
        self.files = sorted(files, key=lambda file: (file.table, file.month))
        text = json.dumps({"files": [asdict(file) for file in self.files]}, indent=1)
        with self._told("written"):
            if self._is_local:
                replace_durably(Path(self._root) / _MANIFEST, text.encode())
            else:
                self._fs.pipe_file(f"{self._root}/{_MANIFEST}", text.encode())

    def sweep(self) -> None:
        """Remove what the manifest does not name: replaced files, and leftovers of a kill.

        Only once no view reads them any more (`show`).
        """
        named = {file.name for file in self.files}
        with self._told("written"):
            for table in KEYS:
                folder = f"{self._root}/{table}"
                for path in self._fs.find(folder) if self._fs.exists(folder) else ():
                    if f"{table}{path.rpartition(folder)[2]}" not in named:
                        self._fs.rm_file(path)
            for draft in self._drafts.glob(f".*{_DRAFT}"):
                draft.unlink()

    def _store(self, draft: Path, name: str) -> None:
        if self._is_local:
            root = Path(self._root)
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            fsync(draft)
            draft.rename(target)
            for folder in (target.parent, target.parent.parent, root):
                fsync(folder)
        else:
            self._fs.put_file(str(draft), f"{self._root}/{name}")

    # --- reading -----------------------------------------------------------------------------

    def show(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the views on cold rows, with the columns of the hot tables, in schema `raw_cold`.

        `connection` has the warehouse as its present database; tables that never landed are left.
        """
        connection.execute(f"create schema if not exists {COLD}")
        with self._told("read"):
            for table, rows in self._definitions(connection).items():
                connection.execute(f"create or replace view {COLD}.{table} as {rows}")
                comment = literal(_fingerprint_of(rows))
                connection.execute(f"comment on view {COLD}.{table} is {comment}")

    def is_shown(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether `show` would change nothing."""
        found = connection.execute(
            "select view_name, comment from duckdb_views() where schema_name = $cold"
            " and database_name = current_database()",
            {"cold": COLD},
        ).fetchall()
        with self._told("read"):
            wanted = self._definitions(connection)
        return {table: _fingerprint_of(rows) for table, rows in wanted.items()} == dict(found)

    def _definitions(self, connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """Table -> the query of its cold rows."""
        found = {}
        for table in filter(lambda table: exists(connection, table), KEYS):
            hot, files = f"{RAW}.{table}", self.of(table)
            if files:
                source = self.source(*files)
                found[table] = f"select {_casts(connection, source, hot)} from {source}"
            else:
                found[table] = f"select * from {hot} where false"
        return found

    def _read_manifest(self) -> list[ColdFile]:
        path = f"{self._root}/{_MANIFEST}"
        if not self._fs.exists(path):
            return []
        try:
            return [ColdFile(**file) for file in json.loads(self._fs.cat_file(path))["files"]]
        except (ValueError, KeyError, TypeError):
            raise ArchiveError(f"{path} is damaged: restore it from a backup") from None

    def _sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._fs.open(f"{self._root}/{name}", "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        """What goes wrong outside becomes one line that names the place."""
        try:
            yield
        except (OSError, duckdb.Error) as error:
            message = f"the archive {self._url} cannot be {done}: {first_line(error)}"
            raise ArchiveError(message) from error


def open_cold_store(settings: Settings) -> ColdStore:
    """The archive where the settings say. Raises ArchiveError."""
    folder = settings.data_dir / "archive"
    return ColdStore(settings.archive_url or str(folder), drafts=folder)


def show_cold_rows(settings: Settings) -> None:
    """Make the views of the warehouse show the archive as it stands. Raises ArchiveError.

    Before each build: what landed may have new columns, and the folder may have moved.
    """
    if not settings.warehouse.exists():
        return
    store = open_cold_store(settings)
    with read_warehouse(settings) as connection:
        store.attach(connection)
        if store.is_shown(connection):
            return
    with open_warehouse(settings) as connection:
        store.attach(connection)
        store.show(connection)


@contextmanager
def read_warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, to read; instants in UTC. Raises WarehouseError."""
    file = settings.warehouse
    with scratch_connection(file) as connection:
        with _unreadable():
            connection.execute(f"attach {literal(file)} as {file.stem} (read_only)")
        connection.execute(f"use {file.stem}")
        yield connection
        connection.execute("use memory")


@contextmanager
def open_warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, to write, by way of a copy; instants in UTC. Raises WarehouseError."""
    with ExitStack() as opened:
        with _unreadable():
            copy = opened.enter_context(working_copy(settings.warehouse, settings.data_dir / _COPY))
        connection = opened.enter_context(duckdb.connect(copy))
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(f"the warehouse cannot be opened: {first_line(error)}") from error


def _casts(connection: duckdb.DuckDBPyConnection, cold: str, hot: str) -> str:
    """The hot table's columns; one that was added later is unknown in older files."""
    present = columns_of(connection, cold)
    return ", ".join(
        f"cast({name if name in present else 'null'} as {kind}) as {name}"
        for name, kind in columns_of(connection, hot).items()
    )


def _fingerprint_of(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
