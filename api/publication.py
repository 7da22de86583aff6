"""Follows the published files (DESIGN.md section 6) without a restart and without a lost request.

A generation is a pair of DuckDB files, `nexus-<generation>.duckdb` and
`content-<generation>.duckdb`. Both are attached read-only, by their resolved versioned paths, to
an in-memory database of their own, which is then locked down. (Connecting to a file directly
shares one instance per path in a process, and with it the old content of a path written anew.)
When `current.duckdb` points elsewhere, one request opens and warms the new pair while the others
go on with the old one, which is closed after its last request.
"""

import threading
from collections.abc import Iterator
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
#: Reads the columns that windows are cut by, so that the first request finds them in memory.
_WARM = (
    "select count(new_impressions), count(new_engagements), count(observed_impressions),"
    " max(quarter_hour) from marts.quarter_hour_metrics",
    "select count(distinct account_id), max(activity_at) from marts.post_increments",
    "select count(engagement_score), max(published_at) from marts.post_scores",
    "select count(post_type), max(published_at) from marts.posts",
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

    def warm(self) -> None:
        """Reads what the first requests will need."""
        for statement in _WARM:
            self._connection.execute(statement).fetchall()

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

    @property
    def is_closed(self) -> bool:
        """Whether the files have been let go of."""
        return self._retired and not self._users


class PublicationFollower:
    """Hands each request a cursor on the generation that `current.duckdb` points to."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / CURRENT
        self._current: Generation | None = None
        self._swap = threading.Lock()  # guards _current; held for moments only
        self._opening = threading.Lock()  # held by the one request that opens a new generation
        self._refused: _File | None = None

    @contextmanager
    def lease(self) -> Iterator[tuple[Publication, duckdb.DuckDBPyConnection]]:
        """The publication of one request and a cursor on it.

        Raises NothingPublishedError if there is none.
        """
        generation = self._acquire()
        with generation.cursor() as cursor:
            yield generation.publication, cursor

    def check(self) -> None:
        """Moves over to the generation that the link points to, if it is another one.

        Returns at once when another thread is already at it and there is one to go on with.
        """
        target = self._target()
        if target is None or self._serves(target):
            return
        if not self._opening.acquire(blocking=self._current is None):
            return
        try:
            target = self._target()
            if target is not None and not self._serves(target):
                self._move_to(target)
        finally:
            self._opening.release()

    def close(self) -> None:
        """Lets go of the files."""
        with self._swap:
            last, self._current = self._current, None
        if last is not None:
            last.retire()

    def _acquire(self) -> Generation:
        self.check()
        with self._swap:
            if self._current is None:
                raise NothingPublishedError(str(self._link))
            self._current.acquire()
            return self._current

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
            fresh = Generation(target)
            fresh.warm()
        except duckdb.Error as error:
            # A generation may be pruned between reading the link and opening the file: the next
            # request looks again. The last good one goes on serving meanwhile.
            if target != self._refused:
                _log.error("publication_refused", file=target.path.name, reason=str(error))
            self._refused = target
            return
        with self._swap:
            old, self._current = self._current, fresh
        if old is not None:
            old.retire()
        _log.info("publication_served", generation=fresh.publication.generation)


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
