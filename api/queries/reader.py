"""One request's view of one generation: whose accounts, in which zone, and how fresh they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import duckdb

from api.publication import Publication
from api.queries import statements
from api.queries.scope import AccountScope, Query, Row
from api.schemas import Account

#: An account this far behind the newest one missed at least a six-hour poll.
STALE_AFTER = timedelta(hours=6)


@dataclass(frozen=True)
class Reader:
    """Runs queries of one request; every answer comes from the same generation."""

    publication: Publication
    cursor: duckdb.DuckDBPyConnection
    scope: AccountScope
    zone: ZoneInfo

    def run(self, query: Query) -> list[Row]:
        """All rows of a query."""
        return query.run(self.cursor)

    @cached_property
    def account_rows(self) -> list[Row]:
        """The accounts in the scope, with their handles."""
        return self.run(statements.accounts(self.scope))

    @cached_property
    def as_of(self) -> datetime | None:
        """Newest latest collection among the accounts."""
        return max((row["as_of"] for row in self.account_rows if row["as_of"]), default=None)

    @property
    def end(self) -> datetime:
        """Where windows end: with the data, or where there is none, with the publication."""
        return self.as_of or self.publication.data_as_of or self.publication.built_at

    def freshness(self) -> dict[str, object]:
        """What every analytics answer carries."""
        return {
            "as_of": self.as_of,
            "published_at": self.publication.built_at,
            "generation": self.publication.generation,
            "accounts": [_account(row, self.as_of) for row in self.account_rows],
        }


def _account(row: Row, newest: datetime | None) -> Account:
    as_of = row["as_of"]
    return Account(
        account_id=row["account_id"],
        platform=row["platform"],
        account_kind=row["account_kind"],
        handle=row["handle"],
        display_name=row["display_name"],
        timezone=row["timezone"],
        is_proven=row["is_proven"],
        posts=row["posts"],
        as_of=as_of,
        stale=as_of is None or (newest is not None and newest - as_of > STALE_AFTER),
    )
