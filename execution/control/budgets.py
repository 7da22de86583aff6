"""Request budgets and the ledger of what calls cost (DESIGN.md section 4).

Token buckets per app and per connection: a call takes one token from both. They refill evenly
over the platform's window, so requests spread over it. State is kept in memory during a run (the
run lock makes this the only one) and written with each account's results.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from execution.control.models import ApiUsage, Budget, Connection
from execution.control.settings import Settings
from execution.control.store import ControlStore, upsert
from ingest.clock import Clock
from ingest.http import BudgetExhausted
from ingest.platforms import twitter


@dataclass
class _Bucket:
    tokens: float
    updated_at: datetime
    cooldown_until: datetime | None = None
    cooldown_reason: str | None = None


@dataclass(frozen=True)
class _Limit:
    requests: int
    window: timedelta

    @property
    def per_second(self) -> float:
        return self.requests / self.window.total_seconds()


@dataclass
class _Usage:
    requests: int = 0
    posts_read: int = 0
    cost_micros: int = 0


@dataclass
class _Spent:
    """What a connection with a cap has cost in a UTC month so far."""

    month: str
    micros: int
    cap: int


def cost_micros(family: str, posts_read: int) -> int:
    """What an answer costs at most, in micro-dollars.

    X bills each resource read, a second read in one UTC day usually not again (platform-apis.md
    1.5): the ledger keeps to the upper bound. A profile is one resource.
    """
    resources = posts_read or (family == twitter.USER)
    return round(twitter.PRICES.get(family, 0) * 1_000_000) * resources


class Budgets:
    """All budgets of one run."""

    def __init__(self, settings: Settings, store: ControlStore, clock: Clock) -> None:
        self._clock = clock
        self._limits = {
            "twitter": _Limit(settings.x_requests_per_15_minutes, timedelta(minutes=15)),
            "linkedin": _Limit(settings.linkedin_requests_per_hour, timedelta(hours=1)),
        }
        with store.begin() as session:
            self._buckets = {
                (row.scope, row.family): _Bucket(
                    row.tokens, row.updated_at, row.cooldown_until, row.cooldown_reason
                )
                for row in session.scalars(select(Budget))
            }
            caps = session.execute(
                select(Connection.id, Connection.monthly_cap_micros).where(
                    Connection.monthly_cap_micros.is_not(None)
                )
            )
            self._spent = {
                connection_id: self._spent_of(session, connection_id, cap or 0)
                for connection_id, cap in caps
            }
        self._touched: set[tuple[str, str]] = set()
        self._usage: dict[tuple[UUID, str, str], _Usage] = {}

    def pacer(self, platform: str, connection_id: UUID) -> "ConnectionPacer":
        """The pacer of one connection's calls."""
        return ConnectionPacer(self, platform, connection_id)

    def take(self, platform: str, connection_id: UUID, family: str) -> None:
        """One request from the app's and the connection's bucket, or BudgetExhausted and none."""
        limit, now = self._limits[platform], self._clock.now()
        self._check_cap(connection_id, family, now)
        app, connection = f"app:{platform}", f"connection:{connection_id}"
        buckets = [self._refilled((scope, platform), limit, now) for scope in (app, connection)]
        cooling = [self._buckets.get((scope, family)) for scope in (app, connection)]
        for bucket in (*buckets, *filter(None, cooling)):
            if bucket.cooldown_until and bucket.cooldown_until > now:
                raise BudgetExhausted(
                    f"{platform} is cooling down until {bucket.cooldown_until:%d %b %H:%M} UTC: "
                    f"{bucket.cooldown_reason}",
                    endpoint=family,
                    until=bucket.cooldown_until,
                )
        for bucket in buckets:
            if bucket.tokens < 1:
                wait = timedelta(seconds=(1 - bucket.tokens) / limit.per_second)
                raise BudgetExhausted(
                    f"the budget of {limit.requests} {platform} requests per "
                    f"{limit.window.total_seconds() / 60:.0f} minutes is used up",
                    endpoint=family,
                    until=now + wait,
                )
        for bucket in buckets:
            bucket.tokens -= 1

    def _check_cap(self, connection_id: UUID, family: str, now: datetime) -> None:
        spent = self._spent.get(connection_id)
        if spent is None:
            return
        if spent.month != f"{now:%Y-%m}":
            spent.month, spent.micros = f"{now:%Y-%m}", 0
        if spent.micros >= spent.cap:
            next_month = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
            raise BudgetExhausted(
                f"the monthly cap of ${spent.cap / 1e6:.2f} is reached",
                endpoint=family,
                until=next_month.replace(hour=0, minute=0, second=0, microsecond=0),
            )

    def _spent_of(self, session: Session, connection_id: UUID, cap: int) -> _Spent:
        month = f"{self._clock.now():%Y-%m}"
        micros = session.scalar(
            select(func.sum(ApiUsage.cost_micros)).where(
                ApiUsage.connection_id == connection_id, ApiUsage.day.startswith(month)
            )
        )
        return _Spent(month, micros or 0, cap)

    def cool_down(self, scope: str, family: str, until: datetime, reason: str) -> None:
        """No request of `family` (a platform's name: of any) before `until`."""
        bucket = self._buckets.setdefault((scope, family), _Bucket(0, self._clock.now()))
        if bucket.cooldown_until is None or bucket.cooldown_until < until:
            bucket.cooldown_until, bucket.cooldown_reason = until, reason
            self._touched.add((scope, family))

    def count(self, connection_id: UUID, family: str, posts_read: int) -> None:
        """Enter an answered request into the ledger of the present UTC day."""
        day = self._clock.now().date().isoformat()
        usage = self._usage.setdefault((connection_id, family, day), _Usage())
        cost = cost_micros(family, posts_read)
        usage.requests += 1
        usage.posts_read += posts_read
        usage.cost_micros += cost
        spent = self._spent.get(connection_id)
        if spent is not None:
            spent.micros += cost

    def flush(self, session: Session) -> None:
        """Write what changed since the last flush."""
        buckets = [
            {
                "scope": scope,
                "family": family,
                "tokens": bucket.tokens,
                "updated_at": bucket.updated_at,
                "cooldown_until": bucket.cooldown_until,
                "cooldown_reason": bucket.cooldown_reason,
            }
            for (scope, family), bucket in self._buckets.items()
            if (scope, family) in self._touched
        ]
        usage = [
            {
                "connection_id": connection_id,
                "family": family,
                "day": day,
                "requests": used.requests,
                "posts_read": used.posts_read,
                "cost_micros": used.cost_micros,
            }
            for (connection_id, family, day), used in self._usage.items()
        ]
        upsert(session, Budget, buckets)
        upsert(session, ApiUsage, usage, added=("requests", "posts_read", "cost_micros"))
        self._touched.clear()
        self._usage.clear()

    def _refilled(self, key: tuple[str, str], limit: _Limit, now: datetime) -> _Bucket:
        bucket = self._buckets.setdefault(key, _Bucket(limit.requests, now))
        elapsed = max((now - bucket.updated_at).total_seconds(), 0)
        bucket.tokens = min(bucket.tokens + elapsed * limit.per_second, limit.requests)
        bucket.updated_at = now
        self._touched.add(key)
        return bucket


@dataclass(frozen=True)
class ConnectionPacer:
    """Asked before each request of a connection and told of each answer (ingest.http.Pacer)."""

    budgets: Budgets
    platform: str
    connection_id: UUID

    def before(self, endpoint_family: str) -> None:
        self.budgets.take(self.platform, self.connection_id, endpoint_family)

    def after(self, endpoint_family: str, headers: Mapping[str, str], posts_read: int) -> None:
        """Count the call, and believe the platform where it says that a window is used up."""
        self.budgets.count(self.connection_id, endpoint_family, posts_read)
        remaining, reset = headers.get("x-rate-limit-remaining"), headers.get("x-rate-limit-reset")
        if remaining == "0" and reset and reset.isdecimal():
            self.budgets.cool_down(
                f"connection:{self.connection_id}",
                endpoint_family,
                datetime.fromtimestamp(int(reset), UTC),
                "the platform's window is used up",
            )
