"""Request budgets, cooldowns, and the ledger of what calls cost (DESIGN.md section 4).

A call takes a token from every budget it falls under: the app's, the connection's and, where a
platform has daily ones (LinkedIn's Development tier), the day's of app and member. What is taken
is written before the request is sent and what an answer cost before it is used, so that kill -9
neither spends twice nor forgets. These writes do not wait for the disk (a run makes thousands): a
power cut may lose the last of them. The run lock makes a run the only one that spends.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from execution.control.models import ApiUsage, Budget, Connection
from execution.control.platforms import platform_settings
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest.clock import Clock
from ingest.http import LONGEST_WINDOW, BudgetExhausted, reset_moment
from ingest.platforms import PLATFORMS, twitter
from ingest.slots import YOUNG_SLOT

_DAY: Final = timedelta(days=1)
_SLOTS_A_DAY: Final = _DAY // YOUNG_SLOT
#: Two-hour slots whose share of a day's calls may be taken ahead: the six-hour polls need it.
_SLOTS_AHEAD: Final = 2

#: Resources that one answer of a family can hold at most.
_MOST_RESOURCES: Final[Mapping[str, int]] = {
    twitter.USER: 1,
    twitter.TIMELINE: twitter.BATCH,
    twitter.LOOKUP: twitter.BATCH,
}

#: Commits that survive the end of the process but need not have reached the disk.
_UNSYNCED: Final[Mapping[str, str]] = {
    "sqlite": "PRAGMA synchronous=NORMAL",
    "postgresql": "SET synchronous_commit = off",
}


class CapReached(BudgetExhausted):
    """The monthly cap that a person has set for a connection forbids the next call."""


def prices_micros(settings: Settings) -> dict[str, int]:
    """Endpoint family -> micro-dollars per resource read: a post, or a user (platform-apis.md 1.5).

    What is not in it is free.
    """
    return {
        family: round(price * 1_000_000)
        for platform in PLATFORMS
        for family, price in platform_settings(settings, platform).prices.items()
    }


class Limit(Protocol):
    """How many requests a budget allows when. `taken`: unix seconds -> requests since then."""

    @property
    def requests(self) -> int: ...

    @property
    def requests_a_day(self) -> int: ...

    def bin_of(self, now: datetime) -> int: ...

    def kept(self, taken: Mapping[int, int], now: datetime) -> dict[int, int]: ...

    def left(self, taken: Mapping[int, int], now: datetime) -> int: ...

    def free_at(self, taken: Mapping[int, int], now: datetime) -> datetime: ...


@dataclass(frozen=True)
class Window:
    """At most `requests` in any stretch of `length`: a token returns one length after it was taken.

    (A bucket that refills evenly lets almost twice as many through in its first window.)
    """

    requests: int
    length: timedelta

    @property
    def requests_a_day(self) -> int:
        return self.requests * (_DAY // self.length)

    @property
    def _grain(self) -> int:
        return max(int(self.length.total_seconds()) // 60, 1)

    def __str__(self) -> str:
        return f"{self.requests} requests per {self.length.total_seconds() / 60:.0f} minutes"

    def bin_of(self, now: datetime) -> int:
        return int(now.timestamp()) // self._grain * self._grain

    def kept(self, taken: Mapping[int, int], now: datetime) -> dict[int, int]:
        """What still counts; what a wrong clock dated in the future counts as of now."""
        latest = self.bin_of(now)
        kept: dict[int, int] = defaultdict(int)
        for start, count in taken.items():
            if self._returns_at(start) > now:
                kept[min(start, latest)] += count
        return kept

    def left(self, taken: Mapping[int, int], now: datetime) -> int:
        return self.requests - sum(self.kept(taken, now).values())

    def free_at(self, taken: Mapping[int, int], now: datetime) -> datetime:
        """When a token is there again."""
        kept = self.kept(taken, now)
        used = sum(kept.values())
        for start in sorted(kept):
            if used < self.requests:
                break
            used -= kept[start]
            now = self._returns_at(start)
        return now

    def _returns_at(self, start: int) -> datetime:
        # The whole bin waits for its last possible request.
        return datetime.fromtimestamp(start + self._grain, UTC) + self.length


@dataclass(frozen=True)
class Day:
    """At most `requests` in a UTC day, handed out with its two-hour slots and some ahead.

    So a busy night does not take the evening's calls, and a six-hourly cron can use them all.
    """

    requests: int

    @property
    def requests_a_day(self) -> int:
        return self.requests

    def __str__(self) -> str:
        return f"{self.requests} requests per day, spread over the day,"

    def bin_of(self, now: datetime) -> int:
        return int(_midnight(now).timestamp())

    def kept(self, taken: Mapping[int, int], now: datetime) -> dict[int, int]:
        today = self.bin_of(now)
        used = sum(count for start, count in taken.items() if start >= today)
        return {today: used} if used else {}

    def left(self, taken: Mapping[int, int], now: datetime) -> int:
        slots = (now - _midnight(now)) // YOUNG_SLOT + 1 + _SLOTS_AHEAD
        allowed = math.ceil(self.requests * min(slots, _SLOTS_A_DAY) / _SLOTS_A_DAY)
        return allowed - sum(self.kept(taken, now).values())

    def free_at(self, taken: Mapping[int, int], now: datetime) -> datetime:
        moment = now
        for slot in range(1, _SLOTS_A_DAY + 1):
            if self.left(taken, moment) > 0:
                break
            moment = _midnight(now) + slot * YOUNG_SLOT
        return max(moment, now)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass
class _Budget:
    """What was taken from one budget, and until when it rests."""

    taken: dict[int, int] = field(default_factory=dict)
    cooldown_until: datetime | None = None
    cooldown_reason: str | None = None


@dataclass
class _Spent:
    """What a connection with a cap has cost in a UTC month so far."""

    month: str
    micros: int
    cap: int


_Key = tuple[str, str]


class Budgets:
    """All budgets of one run. Close it after use; nothing waits to be written."""

    def __init__(self, settings: Settings, store: ControlStore, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._prices = prices_micros(settings)
        self._writer: DatabaseConnection | None = None
        #: Resources counted since they were last settled, by connection and family.
        self._unsettled: dict[UUID, dict[str, int]] = {}
        longest = clock.now() + LONGEST_WINDOW
        with store.begin() as session:
            self._budgets = {
                # a cooldown that a wrong clock has set must not last for years
                (row.scope, row.family): _Budget(
                    {int(start): count for start, count in row.taken},
                    row.cooldown_until and min(row.cooldown_until, longest),
                    row.cooldown_reason,
                )
                for row in session.scalars(select(Budget))
            }
            caps = session.execute(
                select(Connection.id, Connection.monthly_cap_micros).where(
                    Connection.monthly_cap_micros.is_not(None)
                )
            )
            month = f"{clock.now():%Y-%m}"
            self._spent = {
                connection_id: _Spent(month, _spent_micros(session, connection_id, month), cap or 0)
                for connection_id, cap in caps
            }

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def pacer(self, platform: str, connection_id: UUID, user_id: UUID) -> "ConnectionPacer":
        """The pacer of one connection's calls; `user_id`: the member who gave the consent."""
        limits = limits_of(self._settings, platform, connection_id, user_id)
        return ConnectionPacer(self, platform, connection_id, limits, self._clock)

    def left(self, limits: Mapping[_Key, Limit]) -> int:
        """How many requests these budgets allow now."""
        now = self._clock.now()
        return min(limit.left(self._of(key).taken, now) for key, limit in limits.items())

    def cap_left(self, connection_id: UUID) -> int | None:
        """Micro-dollars left of a connection's monthly cap; None: it has none."""
        spent = self._spent.get(connection_id)
        return None if spent is None else max(spent.cap - spent.micros, 0)

    def rests_until(self, keys: Iterable[_Key]) -> tuple[datetime, str] | None:
        """The longest present cooldown among these, with its reason."""
        now = self._clock.now()
        cooling = [
            (budget.cooldown_until, budget.cooldown_reason or "")
            for budget in map(self._of, keys)
            if budget.cooldown_until is not None and budget.cooldown_until > now
        ]
        return max(cooling, default=None)

    def take(self, pacer: "ConnectionPacer", family: str) -> None:
        """One request from every budget of a connection, durably; or BudgetExhausted and none."""
        now = self._clock.now()
        self._check_cap(pacer.connection_id, family, now)
        resting = self.rests_until([*pacer.limits, (f"connection:{pacer.connection_id}", family)])
        if resting is not None:
            until, reason = resting
            raise BudgetExhausted(
                f"{pacer.platform} rests until {until:%d %b %H:%M} UTC: {reason}",
                endpoint=family,
                until=until,
            )
        for key, limit in pacer.limits.items():
            taken = self._of(key).taken
            if limit.left(taken, now) < 1:
                raise BudgetExhausted(
                    f"the {pacer.platform} budget of {limit} is used up",
                    endpoint=family,
                    until=limit.free_at(taken, now),
                )
        for key, limit in pacer.limits.items():
            budget = self._of(key)
            budget.taken = limit.kept(budget.taken, now)
            start = limit.bin_of(now)
            budget.taken[start] = budget.taken.get(start, 0) + 1
        self._write(pacer.limits, [self._usage(pacer.connection_id, family, requests=1)])

    def count(self, connection_id: UUID, family: str, resources: int) -> None:
        """Enter an answer into the ledger of the present UTC day, as if all of it was billed."""
        if not resources:
            return
        unsettled = self._unsettled.setdefault(connection_id, defaultdict(int))
        unsettled[family] += resources
        cost = self._cost(family, resources)
        self._add_spent(connection_id, cost)
        usage = self._usage(connection_id, family, posts_read=resources, cost_micros=cost)
        self._write((), [usage])

    def settle(self, connection_id: UUID, *, new_posts: int, new_users: int) -> None:
        """Take back what is not billed: a resource read before in this UTC day is free.

        `new_posts`, `new_users`: resources counted since the last call that were read for the
        first time today. Which request showed which is not known: the dear ones count first.
        """
        unsettled = self._unsettled.pop(connection_id, {})
        refunds = []
        new = {twitter.USER: new_users, twitter.LOOKUP: new_posts, twitter.TIMELINE: new_posts}
        new[twitter.TIMELINE] -= min(unsettled.get(twitter.LOOKUP, 0), new_posts)
        for family, first_reads in new.items():
            repeated = unsettled.get(family, 0) - first_reads
            if repeated > 0:
                cost = -self._cost(family, repeated)
                self._add_spent(connection_id, cost)
                refunds.append(self._usage(connection_id, family, cost_micros=cost))
        if refunds:
            self._write((), refunds)

    def cool_down(self, scope: str, family: str, until: datetime, reason: str) -> None:
        """No request of `family` (a platform's name: of any) before `until`; durable on return."""
        budget = self._of((scope, family))
        if budget.cooldown_until is None or budget.cooldown_until < until:
            budget.cooldown_until, budget.cooldown_reason = until, reason
            self._write([(scope, family)], [])

    def _cost(self, family: str, resources: int) -> int:
        return self._prices.get(family, 0) * resources

    def _of(self, key: _Key) -> _Budget:
        return self._budgets.setdefault(key, _Budget())

    def _check_cap(self, connection_id: UUID, family: str, now: datetime) -> None:
        spent = self._spent.get(connection_id)
        if spent is None:
            return
        if spent.month != f"{now:%Y-%m}":
            spent.month, spent.micros = f"{now:%Y-%m}", 0
        # What the answer may cost counts: a cap that is passed by one call is no cap.
        if spent.micros + self._cost(family, _MOST_RESOURCES.get(family, 0)) > spent.cap:
            next_month = (_midnight(now).replace(day=1) + timedelta(days=32)).replace(day=1)
            raise CapReached(
                f"the next call could pass the monthly cap of ${spent.cap / 1e6:.2f}",
                endpoint=family,
                until=next_month,
            )

    def _add_spent(self, connection_id: UUID, micros: int) -> None:
        if connection_id in self._spent:
            self._spent[connection_id].micros += micros

    def _usage(self, connection_id: UUID, family: str, **counts: int) -> dict[str, Any]:
        day = self._clock.now().date().isoformat()
        zeros = {"requests": 0, "posts_read": 0, "cost_micros": 0}
        return {"connection_id": connection_id, "family": family, "day": day, **zeros, **counts}

    def _write(self, keys: Iterable[_Key], usage: Sequence[Mapping[str, Any]]) -> None:
        rows = [
            {
                "scope": key[0],
                "family": key[1],
                "taken": sorted(self._of(key).taken.items()),
                "cooldown_until": self._of(key).cooldown_until,
                "cooldown_reason": self._of(key).cooldown_reason,
            }
            for key in keys
        ]
        writer = self._open_writer()
        budgets, ledger = _STATEMENTS[writer.dialect.name]
        with writer.begin():
            if rows:
                writer.execute(budgets, rows)
            if usage:
                writer.execute(ledger, list(usage))

    def _open_writer(self) -> DatabaseConnection:
        """A connection of its own, whose commits need not wait for the disk."""
        if self._writer is None:
            self._writer = self._store.engine.connect()
            self._writer.detach()  # its setting must not go back to the pool with it
            self._writer.exec_driver_sql(_UNSYNCED[self._writer.dialect.name])
            self._writer.commit()
        return self._writer


def limits_of(
    settings: Settings, platform: str, connection_id: UUID, user_id: UUID
) -> dict[_Key, Limit]:
    """(scope, family) -> limit, for every budget that a call of this connection takes from."""
    app, connection = f"app:{platform}", f"connection:{connection_id}"
    counted = PLATFORMS[platform].window
    window = Window(settings.of_platform(platform, counted.setting), counted.length)
    limits: dict[_Key, Limit] = {(app, platform): window, (connection, platform): window}
    of_app, of_member = platform_settings(settings, platform).daily_calls
    if of_app is not None:
        limits[app, f"{platform}.day"] = Day(of_app)
    if of_member is not None:
        limits[f"member:{user_id}", f"{platform}.day"] = Day(of_member)
    return limits


def _spent_micros(session: Any, connection_id: UUID, month: str) -> int:
    return (
        session.scalar(
            select(func.sum(ApiUsage.cost_micros)).where(
                ApiUsage.connection_id == connection_id, ApiUsage.day.startswith(month)
            )
        )
        or 0
    )


def _statements(insert: Any) -> tuple[Any, Any]:
    """Upserts of budgets (replaced) and of the ledger (added to), for one kind of database."""
    budgets = insert(Budget.__table__)
    ledger = insert(ApiUsage.__table__)
    used = ApiUsage.__table__.c
    return (
        budgets.on_conflict_do_update(
            index_elements=["scope", "family"],
            set_={
                name: budgets.excluded[name]
                for name in ("taken", "cooldown_until", "cooldown_reason")
            },
        ),
        ledger.on_conflict_do_update(
            index_elements=["connection_id", "family", "day"],
            set_={
                name: used[name] + ledger.excluded[name]
                for name in ("requests", "posts_read", "cost_micros")
            },
        ),
    )


_STATEMENTS: Final[Mapping[str, tuple[Any, Any]]] = {
    "sqlite": _statements(sqlite.insert),
    "postgresql": _statements(postgresql.insert),
}


@dataclass(frozen=True)
class ConnectionPacer:
    """Asked before each request of a connection and told of each answer (ingest.http.Pacer)."""

    budgets: Budgets
    platform: str
    connection_id: UUID
    limits: Mapping[_Key, Limit]
    clock: Clock

    def before(self, endpoint_family: str) -> None:
        self.budgets.take(self, endpoint_family)

    def after(self, endpoint_family: str, headers: Mapping[str, str], posts_read: int) -> None:
        """Count the answer, and believe the platform where it says that a window is used up."""
        self.budgets.count(self.connection_id, endpoint_family, posts_read)
        if headers.get("x-rate-limit-remaining") != "0":
            return
        now = self.clock.now()
        reset = reset_moment(headers.get("x-rate-limit-reset", ""), headers, now)
        if reset is not None and now < reset <= now + LONGEST_WINDOW:
            self.budgets.cool_down(
                f"connection:{self.connection_id}",
                endpoint_family,
                reset,
                "the platform's window is used up",
            )
