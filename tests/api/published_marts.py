"""Publications made straight from the marts' contracts (models/**/*.yml), without a dbt run.

A test says which increments there are; everything else in the files follows from them by
METRICS.md, worked out here in plain Python so that the API's SQL has something to be held against.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid5

import duckdb
import yaml

MODELS = Path(__file__).parents[2] / "models"
COUNTERS = (
    "impressions", "likes", "comments", "shares", "clicks", "replies", "retweets", "quotes",
    "bookmarks",
)  # fmt: skip
METRICS = (*COUNTERS, "engagements", "engagements_core")
ENGAGEMENTS = {
    ("linkedin", "page"): ("likes", "comments", "shares", "clicks"),
    ("linkedin", "member"): ("likes", "comments", "shares"),
    ("twitter", "profile"): ("likes", "replies", "retweets", "quotes", "bookmarks"),
}
CORE = {
    "linkedin": ("likes", "comments", "shares"),
    "twitter": ("likes", "replies", "retweets", "quotes"),
}
WEIGHTS = {
    "linkedin": {"likes": 1, "comments": 5, "shares": 10, "clicks": 2},
    "twitter": {"likes": 1, "replies": 5, "retweets": 10, "quotes": 8, "bookmarks": 3},
}
QUARTER_HOUR = timedelta(minutes=15)
SLOT = timedelta(hours=2)
_NAMESPACE = UUID("11111111-2222-4333-8444-555555555555")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


def uuid_of(name: str) -> UUID:
    """A stable id for a name used in a test."""
    return uuid5(_NAMESPACE, name)


def floor_to(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // step * step


@dataclass(frozen=True)
class AccountFact:
    """An account of a publication. `as_of`: None takes the newest reading.

    `known_id`: of an account that is already in marts made otherwise.
    """

    name: str
    platform: Literal["linkedin", "twitter"] = "twitter"
    kind: Literal["page", "member", "profile"] = "profile"
    timezone: str = "UTC"
    connected_at: datetime | None = datetime(2026, 1, 1, tzinfo=UTC)
    as_of: datetime | None = None
    known_id: UUID | None = None

    @property
    def account_id(self) -> UUID:
        return self.known_id or uuid_of(self.name)


@dataclass(frozen=True)
class PostFact:
    """A post of an account."""

    name: str
    account: AccountFact
    published_at: datetime
    text: str | None = "A post"
    is_deleted: bool = False

    @property
    def post_id(self) -> UUID:
        return uuid_of(f"post {self.name}")


@dataclass(frozen=True)
class IncrementFact:
    """What one snapshot of a post added; a counter that is not named was not known."""

    post: PostFact
    collected_at: datetime
    new: dict[str, int]
    basis: Literal["observed", "lifetime", "catch_up"] = "observed"
    slot_start: datetime | None = None

    @property
    def slot(self) -> datetime:
        return self.slot_start or floor_to(self.collected_at, SLOT)

    @property
    def activity_at(self) -> datetime:
        return self.post.published_at if self.basis == "lifetime" else self.collected_at

    @property
    def activity_slot(self) -> datetime:
        lifetime = self.basis == "lifetime"
        return floor_to(self.post.published_at, SLOT) if lifetime else self.slot

    @property
    def snapshot_id(self) -> UUID:
        return uuid5(self.post.post_id, self.slot.isoformat())

    def gains(self) -> dict[str, int | None]:
        """All metrics; a sum with an unknown part is unknown."""
        account = self.post.account
        known: dict[str, int | None] = {name: self.new.get(name) for name in COUNTERS}
        known["engagements"] = _total(known, ENGAGEMENTS[account.platform, account.kind])
        known["engagements_core"] = _total(known, CORE[account.platform])
        return known


@dataclass
class Marts:
    """Facts of one generation. `missed`: due slots without a snapshot."""

    accounts: Sequence[AccountFact]
    posts: Sequence[PostFact] = ()
    increments: Sequence[IncrementFact] = ()
    missed: Sequence[tuple[AccountFact, datetime]] = ()
    due_slots: bool = True
    members: Sequence[tuple[AccountFact, str]] = ()
    benchmarks: Sequence[Row] = ()
    age_values: Sequence[Row] = ()
    built_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def publish(self, folder: Path, generation: int = 1) -> Path:
        """Writes the pair of files and moves the links, content first; returns the marts file."""
        folder.mkdir(parents=True, exist_ok=True)
        as_of = max((row["as_of"] for row in self.account_rows() if row["as_of"]), default=None)
        publication = {
            "generation": generation,
            "built_at": self.built_at,
            "data_as_of": as_of,
            "git_revision": None,
            "tests_passed": 1,
            "tests_warned": 0,
            "row_counts": "{}",
        }
        for stem, link, layer in (
            ("content", "content.duckdb", self.content()),
            ("nexus", "current.duckdb", self.marts()),
        ):
            path = folder / f"{stem}-{generation}.duckdb"
            # DuckDB does not write to a path that this process has attached.
            _write(folder / f".{path.name}.draft", layer, publication).replace(path)
            draft = folder / f".{link}.draft"
            draft.unlink(missing_ok=True)
            draft.symlink_to(path.name)
            draft.replace(folder / link)
        return folder / f"nexus-{generation}.duckdb"

    def marts(self) -> dict[str, list[Row]]:
        return {
            "accounts": self.account_rows(),
            "account_members": [
                {"account_id": account.account_id, "user_key": user, "role": "owner"}
                for account, user in self.members
            ],
            "posts": [self._post_row(post) for post in self.posts],
            "post_increments": [_increment_row(increment) for increment in self.increments],
            "analytics_snapshots": list(self._snapshot_rows()),
            "post_scores": list(self._score_rows()),
            "quarter_hour_metrics": self._quarter_hour_rows(),
            "post_benchmarks": list(self.benchmarks),
            "post_age_values": list(self.age_values),
        }

    def content(self) -> dict[str, list[Row]]:
        return {
            "post_content": [
                {
                    "post_id": post.post_id,
                    "account_id": post.account.account_id,
                    "text": post.text,
                    "url": f"https://example.org/{post.name}",
                }
                for post in self.posts
            ],
            "account_profile": [
                {
                    "account_id": account.account_id,
                    "handle": account.name,
                    "display_name": account.name.title(),
                }
                for account in self.accounts
            ],
        }

    def account_rows(self) -> list[Row]:
        return [self._account_row(account) for account in self.accounts]

    def of_post(self, post: PostFact) -> list[IncrementFact]:
        own = (increment for increment in self.increments if increment.post == post)
        return sorted(own, key=lambda increment: increment.collected_at)

    def _account_row(self, account: AccountFact) -> Row:
        own = [increment for increment in self.increments if increment.post.account == account]
        activity = [increment.activity_at for increment in own]
        return {
            "account_id": account.account_id,
            "platform": account.platform,
            "account_kind": account.kind,
            "timezone": account.timezone,
            "is_proven": account.connected_at is not None,
            "connected_at": account.connected_at,
            "as_of": account.as_of or max((i.collected_at for i in own), default=None),
            "first_activity_at": min(activity, default=None),
            "last_activity_at": max(activity, default=None),
            "posts": sum(post.account == account for post in self.posts),
        }

    def _post_row(self, post: PostFact) -> Row:
        own = self.of_post(post)
        return {
            "post_id": post.post_id,
            "account_id": post.account.account_id,
            "platform": post.account.platform,
            "platform_post_id": post.name,
            "post_type": "post",
            "published_at": post.published_at,
            "first_collected_at": min((i.collected_at for i in own), default=None),
            "last_collected_at": max((i.collected_at for i in own), default=None),
            "deleted_at": None,
            "is_deleted": post.is_deleted,
            "has_api_snapshots": True,
            "has_file_snapshots": False,
            "snapshots": len(own),
        }

    def _snapshot_rows(self) -> Iterable[Row]:
        for post in self.posts:
            account = post.account
            so_far: dict[str, int | None] = dict.fromkeys(METRICS)
            for increment in self.of_post(post):
                gains = increment.gains()
                for metric, gain in gains.items():
                    if gain is not None:
                        so_far[metric] = (so_far[metric] or 0) + gain
                counters = {
                    name: so_far[name] if gains[name] is not None else None for name in METRICS
                }
                yield {
                    "id": increment.snapshot_id,
                    "post_id": post.post_id,
                    "platform": account.platform,
                    "platform_post_id": post.name,
                    **counters,
                    "engagement_rate": rate(counters["engagements"], counters["impressions"]),
                    "engagement_score": score(counters, account.platform),
                    "collected_at": increment.collected_at,
                    "created_at": increment.collected_at,
                    "account_id": account.account_id,
                    "slot_start": increment.slot,
                    "published_at": post.published_at,
                    "engagements_basis": " + ".join(ENGAGEMENTS[account.platform, account.kind]),
                    "score_capped": score(counters, account.platform) == 1000,
                    "metric_version": 1,
                    "source": "api",
                    "collected_basis": "observed",
                }

    def _score_rows(self) -> Iterable[Row]:
        for post in self.posts:
            own = self.of_post(post)
            if not own:
                continue
            known = {
                metric: _add(increment.gains()[metric] for increment in own) for metric in METRICS
            }
            yield {
                "post_id": post.post_id,
                "metric_version": 1,
                "is_current_version": True,
                "account_id": post.account.account_id,
                "platform": post.account.platform,
                "published_at": post.published_at,
                "collected_at": own[-1].collected_at,
                **known,
                "unique_impressions": None,
                "engagement_rate": rate(known["engagements"], known["impressions"]),
                "engagement_score": score(known, post.account.platform),
                "score_capped": score(known, post.account.platform) == 1000,
            }

    def slots(self) -> list[tuple[AccountFact, datetime, int, int]]:
        """(account, slot, due, filled): every observed snapshot filled a slot that was due."""
        if not self.due_slots:
            return []
        filled = [(i.post.account, i.slot, 1, 1) for i in self.increments if i.basis == "observed"]
        return filled + [(account, slot, 1, 0) for account, slot in self.missed]

    def _quarter_hour_rows(self) -> list[Row]:
        rows: dict[tuple[UUID, datetime], Row] = {}
        posts: dict[tuple[UUID, datetime], set[UUID]] = defaultdict(set)

        def row_of(account: AccountFact, quarter: datetime) -> Row:
            return rows.setdefault(
                (account.account_id, quarter),
                {
                    "account_id": account.account_id,
                    "platform": account.platform,
                    "quarter_hour": quarter,
                    "active_posts": 0,
                    "due_slots": 0,
                    "filled_slots": 0,
                },
            )

        for increment in self.increments:
            account = increment.post.account
            quarter = floor_to(increment.activity_at, QUARTER_HOUR)
            row = row_of(account, quarter)
            add_sums(row, increment)
            posts[account.account_id, quarter].add(increment.post.post_id)
            row["active_posts"] = len(posts[account.account_id, quarter])
        for account, slot, due, done in self.slots():
            row = row_of(account, slot)
            row["due_slots"] += due
            row["filled_slots"] += done
        return list(rows.values())


def add_sums(row: Row, increment: IncrementFact) -> None:
    """Adds an increment to the sums that windows are made of."""
    gains = increment.gains()
    qualities = ["new", "observed"] if increment.basis == "observed" else ["new"]
    for quality in qualities:
        for metric, gain in gains.items():
            if gain is not None:
                name = f"{quality}_{metric}"
                row[name] = (row.get(name) or 0) + gain
    if gains["impressions"] is None or gains["engagements"] is None:
        return
    for quality in ["rated", "observed_rated"][: len(qualities)]:
        for metric in ("impressions", "engagements"):
            name = f"{quality}_{metric}"
            row[name] = (row.get(name) or 0) + (gains[metric] or 0)


def rate(engagements: int | None, impressions: int | None) -> Decimal | None:
    if engagements is None or not impressions:
        return None
    return (Decimal(engagements) / impressions).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def score(counters: dict[str, int | None], platform: str) -> Decimal | None:
    impressions = counters["impressions"]
    if impressions is None:
        return None
    total = sum((counters[name] or 0) * weight for name, weight in WEIGHTS[platform].items())
    exact = Decimal(10000 * total) / max(impressions, 1)
    return min(max(exact, Decimal(0)), Decimal(1000)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _total(known: dict[str, int | None], parts: Sequence[str]) -> int | None:
    values = [known[part] for part in parts]
    return None if None in values else sum(value or 0 for value in values)


def _add(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _increment_row(increment: IncrementFact) -> Row:
    return {
        "id": increment.snapshot_id,
        "post_id": increment.post.post_id,
        "account_id": increment.post.account.account_id,
        "platform": increment.post.account.platform,
        "slot_start": increment.slot,
        "collected_at": increment.collected_at,
        "activity_at": increment.activity_at,
        "activity_slot": increment.activity_slot,
        "basis": increment.basis,
        "is_gap": False,
        "is_correction": any((gain or 0) < 0 for gain in increment.gains().values()),
        **{f"new_{metric}": gain for metric, gain in increment.gains().items()},
    }


def benchmark_row(post: PostFact, metric: str, own: Decimal, median: Decimal | None) -> Row:
    """A row of post_benchmarks; below ten posts its statistics are NULL."""
    return {
        "post_id": post.post_id,
        "metric": metric,
        "account_id": post.account.account_id,
        "platform": post.account.platform,
        "published_at": post.published_at,
        "comparison": "same age",
        "age_hours": 72,
        "is_same_type": False,
        "own_value": own,
        "n": 9 if median is None else 10,
        "lower_quartile": median and median / 2,
        "median": median,
        "upper_quartile": median and median * 2,
        "mean": median,
        "percentile": median and Decimal("62.5"),
    }


def age_row(post: PostFact, hours: int, counters: dict[str, int]) -> Row:
    """A row of post_age_values; a counter that is not named was not known."""
    known = IncrementFact(post, post.published_at, counters).gains()
    return {
        "post_id": post.post_id,
        "age_hours": hours,
        "account_id": post.account.account_id,
        "platform": post.account.platform,
        "published_at": post.published_at,
        "reached_at": post.published_at + timedelta(hours=hours),
        "is_interpolated": True,
        **known,
        "engagement_rate": rate(known["engagements"], known["impressions"]),
        "engagement_score": score(known, post.account.platform),
        "metric_version": 1,
    }


@lru_cache(maxsize=1)
def contracts() -> dict[str, dict[str, str]]:
    """Mart -> column -> type with its not-null rule, from the models' yml, as published."""
    found: dict[str, dict[str, str]] = {}
    for path in [*MODELS.glob("marts/**/*.yml"), *MODELS.glob("content/*.yml")]:
        for model in yaml.safe_load(path.read_text()).get("models", []):
            unpublished = model["config"].get("meta", {}).get("unpublished", ())
            found[model["name"]] = {
                column["name"]: column["data_type"]
                + (" not null" if {"type": "not_null"} in column.get("constraints", []) else "")
                for column in model["columns"]
                if column["name"] not in unpublished
            }
    return found


PUBLICATION = {
    "generation": "bigint",
    "built_at": "timestamptz",
    "data_as_of": "timestamptz",
    "git_revision": "varchar",
    "tests_passed": "integer",
    "tests_warned": "integer",
    "row_counts": "varchar",
}


def _write(path: Path, tables: dict[str, list[Row]], publication: Row) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("begin")
        for table, rows in tables.items():
            _fill(connection, table, contracts()[table], rows)
        _fill(connection, "publication", PUBLICATION, [publication])
        connection.execute("commit")
    return path


def _fill(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[Row]
) -> None:
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create table {table} ({listed})")
    unknown = {name for row in rows for name in row} - set(columns)
    assert not unknown, f"{table} has no columns {sorted(unknown)}"
    if rows:
        marks = ", ".join("?" for _ in columns)
        values = [[row.get(name) for name in columns] for row in rows]
        connection.executemany(f"insert into {table} values ({marks})", values)
