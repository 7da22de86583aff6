"""The one way to read a mart: a query is built for an AccountScope and sees only its rows.

A query's SQL names marts by their bare names. Each name it uses is defined in front of it as the
rows of that mart whose account is in the scope. A bare name that is not so defined does not exist
(the files are attached under other databases), and a qualified name is refused: a query can
neither forget the filter nor reach round it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import duckdb

#: Every relation a query may name, and where it lies. All have a column account_id.
RELATIONS = {
    "accounts": "marts.accounts",
    "account_profile": "content.account_profile",
    "analytics_snapshots": "marts.analytics_snapshots",
    "post_age_values": "marts.post_age_values",
    "post_benchmarks": "marts.post_benchmarks",
    "post_content": "content.post_content",
    "post_increments": "marts.post_increments",
    "post_scores": "marts.post_scores",
    "posts": "marts.posts",
    "quarter_hour_metrics": "marts.quarter_hour_metrics",
}

_RELATION = re.compile(rf"\b({'|'.join(RELATIONS)})\b")
_QUALIFIED = re.compile(r"\b(marts|content)\b\W*\.", re.IGNORECASE)
_LEADING_WITH = re.compile(r"\s*with\b", re.IGNORECASE)

Row = dict[str, Any]


@dataclass(frozen=True)
class AccountScope:
    """The accounts one caller may see. Built by `restrict` from the caller's memberships."""

    account_ids: frozenset[UUID]

    def restrict(self, wanted: Iterable[UUID] | None) -> "AccountScope":
        """The same scope, or the part of it that was asked for.

        Raises NotAMemberError if an account was asked for that is not in it.
        """
        if wanted is None:
            return self
        asked = frozenset(wanted)
        if not asked <= self.account_ids:
            raise NotAMemberError
        return AccountScope(asked)


class NotAMemberError(Exception):
    """An account was asked for that the caller may not see, or that does not exist."""


class Query:
    """A SELECT that can see only the accounts of its scope. Values are bound, never pasted."""

    def __init__(
        self, scope: AccountScope, sql: str, parameters: Mapping[str, object] | None = None
    ) -> None:
        """`parameters` are bound to `$name`; names of the form `account_0` are taken.

        Raises ValueError if `sql` qualifies a name, or names no mart.
        """
        if _QUALIFIED.search(sql):
            raise ValueError("a query names marts by their bare names")
        used = dict.fromkeys(_RELATION.findall(sql))
        if not used:
            raise ValueError("a query reads at least one mart")
        accounts = {f"account_{n}": key for n, key in enumerate(sorted(scope.account_ids))}
        allowed = ", ".join(f"${name}" for name in accounts)
        # `in ()` is no SQL: an empty scope sees nothing.
        condition = f"account_id in ({allowed})" if accounts else "false"
        views = ", ".join(
            f"{name} as (select * from {RELATIONS[name]} where {condition})" for name in used
        )
        own_views = _LEADING_WITH.match(sql)
        rest = f", {sql[own_views.end() :]}" if own_views else f" {sql}"
        self.sql = f"with {views}{rest}"
        self.parameters = {**(parameters or {}), **accounts}

    def run(self, cursor: duckdb.DuckDBPyConnection) -> list[Row]:
        """All rows, as dictionaries by column name."""
        result = cursor.execute(self.sql, self.parameters)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
