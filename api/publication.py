"""Follows the published files (DESIGN.md section 6) without a restart and without a lost request.

A generation is a pair of DuckDB files, `nexus-<generation>.duckdb` and
`content-<generation>.duckdb`. Both are attached read-only, by their resolved versioned paths, to
an in-memory database of their own, which is then locked down. (Connecting to a file directly
shares one instance per path in a process, and with it the old content of a path written anew.)
When `current.duckdb` points elsewhere, the new pair is opened and warmed beside the requests, which
go on with the old one until then; it is closed after its last request.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import structlog

CURRENT = "current.duckdb"
MARTS_PREFIX = "nexus-"
CONTENT_PREFIX = "content-"

_log = structlog.get_logger("api.publication")

#: Set after the files are attached, in this order: the last one closes the door.
_LOCKDOWN = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class NothingPublishedError(Exception):
    """There is no publication to serve yet."""


@dataclass(frozen=True)
class Publication:
    """The one row that describes a generation."""

    generation: int
    built_at: datetime
    data_as_of: datetime | None


@dataclass(frozen=True)
class _File:
    """A published file by path and identity: one written anew under its old name is another."""

    path: Path
    inode: int
    modified_ns: int


class Generation:
    """An open pair of published files. Closes itself once retired and no longer in use."""

    def __init__(self, file: _File) -> None:
        """Opens the pair that `file` (a `nexus-<generation>.duckdb`) belongs to.

        Raises duckdb.Error if it cannot be opened.
        """
        self.file = file
        name = CONTENT_PREFIX + file.path.name.removeprefix(MARTS_PREFIX)
        self._connection = duckdb.connect(":memory:")
        try:
            self._attach("marts", file.path)
            self._attach("content", file.path.with_name(name))
            for statement in _LOCKDOWN:
                self._connection.execute(statement)
            self.publication = _read_publication(self._connection)
        except BaseException:
            self._connection.close()
            raise
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False

    def _attach(self, alias: str, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{quoted}' AS {alias} (READ_ONLY)")

    def acquire(self) -> None:
        """Counts one more user. Only ever called on the generation that is served."""
        with self._lock:
            self._users += 1

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for a user that was counted; at its end the user is counted out."""
        try:
            with closing(self._connection.cursor()) as cursor:
                yield cursor
        finally:
            self.release()

    def release(self) -> None:
        """Counts one user less, and closes a retired generation after its last."""
        with self._lock:
            self._users -= 1
            close = self._retired and not self._users
        if close:
            self._connection.close()

    def retire(self) -> None:
        """Closes as soon as the last request is done; called once nobody can acquire any more."""
        with self._lock:
            self._retired = True
            close = not self._users
        if close:
            self._connection.close()


Warm = Callable[[Publication, duckdb.DuckDBPyConnection], None]


def _no_warming(_publication: Publication, _cursor: duckdb.DuckDBPyConnection) -> None:
    """Serves a new generation cold."""


class PublicationFollower:
    """Hands each request a cursor on the generation that `current.duckdb` points to."""

    def __init__(self, folder: Path, warm: Warm = _no_warming) -> None:
        """`warm` is run on a new generation before requests get it; if it raises duckdb.Error,
        the generation is refused and the last good one goes on serving."""
        self._link = folder / CURRENT
        self._warm = warm
        self._current: Generation | None = None
        self._swap = threading.Lock()  # guards _current; held for moments only
        self._opening = threading.Lock()  # held while a new generation is opened and warmed
        self._refused: _File | None = None

    @contextmanager
    def lease(self) -> Iterator[tuple[Publication, duckdb.DuckDBPyConnection]]:
        """The publication of one request and a cursor on it.

        Raises NothingPublishedError if there is none.
        """
        if self._current is None:
            self.check()
        elif self._is_behind() and not self._opening.locked():
            threading.Thread(target=self.check, daemon=True).start()
        generation = self._acquire()
        with generation.cursor() as cursor:
            yield generation.publication, cursor

    def check(self) -> None:
        """Moves over to the generation that the link points to, if it is another one."""
        if not self._is_behind():
            return
        with self._opening:
            target = self._target()
            if target is not None and not self._serves(target):
                self._move_to(target)

    def close(self) -> None:
        """Lets go of the files."""
        with self._opening, self._swap:
            last, self._current = self._current, None
        if last is not None:
            last.retire()

    def _acquire(self) -> Generation:
        with self._swap:
            if self._current is None:
                raise NothingPublishedError(str(self._link))
            self._current.acquire()
            return self._current

    def _is_behind(self) -> bool:
        target = self._target()
        if target is None or self._serves(target):
            return False
        # One that was refused is tried again only while there is nothing else to serve.
        return target != self._refused or self._current is None

    def _target(self) -> _File | None:
        """The versioned file behind the link; None if there is no such file."""
        try:
            path = self._link.resolve(strict=True)
            state = path.stat()
        except OSError:
            return None
        return _File(path, state.st_ino, state.st_mtime_ns)

    def _serves(self, target: _File) -> bool:
        current = self._current
        return current is not None and current.file == target

    def _move_to(self, target: _File) -> None:
        try:
            fresh = self._opened(target)
        except duckdb.Error as error:
            # Pruned between reading the link and opening it, or broken: the last good generation
            # goes on serving until the link moves again.
            _log.error("publication_refused", file=target.path.name, reason=str(error))
            self._refused = target
            return
        with self._swap:
            old, self._current = self._current, fresh
        if old is not None:
            old.retire()
        _log.info("publication_served", generation=fresh.publication.generation)

    def _opened(self, target: _File) -> Generation:
        """The generation of `target`, warmed."""
        fresh = Generation(target)
        fresh.acquire()
        try:
            with fresh.cursor() as cursor:
                self._warm(fresh.publication, cursor)
        except duckdb.Error:
            fresh.retire()
            raise
        return fresh


def _read_publication(connection: duckdb.DuckDBPyConnection) -> Publication:
    row = connection.execute(
        "select generation, built_at, data_as_of from marts.publication limit 1"
    ).fetchone()
    if row is None:
        raise duckdb.DataError("the publication table is empty")
    generation, built_at, data_as_of = row
    return Publication(generation, _utc(built_at), _utc(data_as_of) if data_as_of else None)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
