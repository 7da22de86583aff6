"""What the next run would do, and what posts would cost: nothing is asked of any platform.

The figures follow what the clients do: how many posts a request reads, and which are read
together, each platform's module says (`PlatformSettings.reads`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from execution.control.budgets import Budgets, limits_of, prices_micros
from execution.control.platforms import platform_settings
from execution.control.posts import polled_posts
from execution.control.schedule import (
    BlockedAccount,
    DueAccount,
    blocked_accounts,
    due_accounts,
)
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest.clock import Clock
from ingest.platforms import PLATFORMS
from ingest.platforms.base import AccountKind
from ingest.slots import OLD_SLOT, POLLED_AGE, YOUNG_AGE, YOUNG_SLOT

_DAY: Final = timedelta(days=1)
_OLD_RUNS: Final = _DAY // OLD_SLOT
_YOUNG_RUNS: Final = _DAY // YOUNG_SLOT - _OLD_RUNS
_DAYS: Final = POLLED_AGE // _DAY


@dataclass(frozen=True)
class PlannedAccount:
    """What the next run would do for one account.

    `requests`, `cost_micros`: what it takes, the cost at most. `waits_until`, `waits_for`: a
    cooldown that forbids it now. `queued_at`: since when it waits, and so goes first.
    """

    name: str
    platform: str
    kind: AccountKind
    posts: int
    young_posts: int
    looks_for_posts: bool
    reads_profile: bool
    requests: int
    cost_micros: int
    queued_at: datetime | None
    waits_until: datetime | None
    waits_for: str | None


@dataclass(frozen=True)
class Plan:
    """The next run, were it now: accounts in their order.

    `requests_left`: platform -> requests that the app's budgets allow now.
    """

    at: datetime
    accounts: tuple[PlannedAccount, ...]
    blocked: tuple[BlockedAccount, ...]
    requests_left: Mapping[str, int]

    def requests(self, platform: str) -> int:
        return sum(item.requests for item in self.accounts if item.platform == platform)

    @property
    def cost_micros(self) -> int:
        return sum(item.cost_micros for item in self.accounts)


@dataclass(frozen=True)
class MonthEstimate:
    """What collecting an account with so many posts a month takes, in a steady state of 30 days.

    `cost_micros`: per 30 days; X charges a post once per UTC day. `requests_at_once`: of the
    six-hourly run. `requests_allowed`, `requests_allowed_a_day`: by the budgets, per window and
    per day.
    """

    platform: str
    kind: AccountKind
    posts_a_month: int
    requests_a_day: int
    requests_at_once: int
    requests_allowed: int
    requests_allowed_a_day: int
    cost_micros: int

    @property
    def fits(self) -> bool:
        """Whether every slot can be filled within the budgets."""
        return (
            self.requests_at_once <= self.requests_allowed
            and self.requests_a_day <= self.requests_allowed_a_day
        )


def plan(settings: Settings, store: ControlStore, clock: Clock) -> Plan:
    """What a run would do now."""
    now = clock.now()
    budgets = Budgets(settings, store, clock)  # only read: nothing to close
    with store.begin() as session:
        due = due_accounts(session, now)
        blocked = blocked_accounts(session, now)
        polled = {
            item.account.account_id: len(
                {
                    post.post_id
                    for post in polled_posts(session, item.account.account_id, now).values()
                    if not post.is_deleted
                }
            )
            for item in due
            if _goes_far(item, now)
        }
    left: dict[str, int] = {}
    for item in due:
        limits = limits_of(settings, item.platform, item.connection_id, item.user_id)
        of_app = {key: limit for key, limit in limits.items() if key[0].startswith("app:")}
        left.setdefault(item.platform, budgets.left(of_app))
    accounts = tuple(
        _planned(settings, budgets, item, polled.get(item.account.account_id, 0), now)
        for item in due
    )
    return Plan(now, accounts, tuple(blocked), left)


def _goes_far(due: DueAccount, now: datetime) -> bool:
    """Whether posts are looked for as far back as any is polled."""
    return due.discover_since is not None and due.discover_since <= now - POLLED_AGE


def _planned(
    settings: Settings, budgets: Budgets, due: DueAccount, polled: int, now: datetime
) -> PlannedAccount:
    """`polled`: posts that discovery goes through, where it goes far."""
    reads = platform_settings(settings, due.platform).reads(
        due.account.kind,
        due=len(due.posts),
        listed=max(polled, len(due.posts)),
        looks=due.discover_since is not None,
        profile=due.with_profile,
    )
    limits = limits_of(settings, due.platform, due.connection_id, due.user_id)
    rest = budgets.rests_until(limits)
    return PlannedAccount(
        name=due.name,
        platform=due.platform,
        kind=due.account.kind,
        posts=len(due.posts),
        young_posts=sum(now - post.published_at < YOUNG_AGE for post in due.posts),
        looks_for_posts=due.discover_since is not None,
        reads_profile=due.with_profile,
        requests=reads.requests,
        cost_micros=reads.cost(prices_micros(settings)),
        queued_at=due.queued_at,
        waits_until=rest[0] if rest else None,
        waits_for=rest[1] if rest else None,
    )


def _batches(count: int, size: int) -> int:
    return -(-count // size)


def estimate_months(settings: Settings, posts_a_month: int) -> list[MonthEstimate]:
    """What an account of each kind would take and cost, before it is connected."""
    return [
        estimate_month(settings, platform, kind, posts_a_month)
        for platform, client in PLATFORMS.items()
        for kind in client.kinds
    ]


def estimate_month(
    settings: Settings, platform: str, kind: AccountKind, posts_a_month: int
) -> MonthEstimate:
    """The same of one kind."""
    client = platform_settings(settings, platform)
    young = _batches(posts_a_month * (YOUNG_AGE // _DAY), _DAYS)
    looks = kind != "member"
    old_run = client.reads(kind, due=posts_a_month, listed=posts_a_month, looks=looks, profile=True)
    young_run = client.reads(kind, due=young, listed=young, looks=looks, profile=False)
    limits = limits_of(settings, platform, UUID(int=0), UUID(int=0)).values()
    return MonthEstimate(
        platform=platform,
        kind=kind,
        posts_a_month=posts_a_month,
        requests_a_day=_OLD_RUNS * old_run.requests + _YOUNG_RUNS * young_run.requests,
        requests_at_once=old_run.requests,
        requests_allowed=min(limit.requests for limit in limits),
        requests_allowed_a_day=min(limit.requests_a_day for limit in limits),
        # a second read in one UTC day is free: the largest of the day's runs reads them all
        cost_micros=_DAYS * old_run.cost(prices_micros(settings)),
    )
