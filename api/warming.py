"""Warms a new generation with the questions that will be asked of it first."""

import threading
from collections import OrderedDict
from zoneinfo import ZoneInfo

import duckdb

from api.publication import Publication
from api.queries.answers import overview
from api.queries.params import OverviewParams
from api.queries.reader import Reader
from api.queries.scope import AccountScope

REMEMBERED = 20


class RecentCallers:
    """The accounts and zones that were asked about most recently, in memory only."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[AccountScope, ZoneInfo], None] = OrderedDict()
        self._lock = threading.Lock()

    def saw(self, scope: AccountScope, zone: ZoneInfo) -> None:
        """Remembers who asked."""
        with self._lock:
            self._seen[scope, zone] = None
            self._seen.move_to_end((scope, zone))
            if len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)

    def warm(self, publication: Publication, cursor: duckdb.DuckDBPyConnection) -> None:
        """Answers the overview of each, so that the pages they need are in memory.

        Raises duckdb.Error if the generation cannot answer: it is then not served at all.
        """
        with self._lock:
            seen = list(self._seen) or [(AccountScope(frozenset()), ZoneInfo("UTC"))]
        for scope, zone in reversed(seen):
            overview(Reader(publication, cursor, scope, zone), OverviewParams())
