"""A small published world with a fixed clock, and its figures worked out in plain Python.

One LinkedIn page and one X profile, 120 days: a new post every ten days on each, whose readings
bring an amount that follows from the day; one day without any reading, one imported post, one
deleted post. `gained` adds the facts up by local day: what the dashboard must show.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from flask import Flask
from published_marts import AccountFact, IncrementFact, Marts, PostFact

from api.app import create_app
from execution.control import access
from execution.control.models import Account, AccountMember
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 16, 5, tzinfo=UTC)
#: What a test that provokes failed loads adds to the browser's complaints.
PROVOKED = "provoked"
TODAY = date(2026, 11, 22)
FIRST_DAY = date(2026, 7, 26)
DAYS = 120
DAYS_PER_POST = 10
#: No reading succeeded on this day: the chart shows a gap.
GAP = date(2026, 11, 9)
CONNECTED = datetime(2026, 7, 20, tzinfo=UTC)

PAGE = AccountFact("harbour robotics", "linkedin", "page", str(ZONE), CONNECTED)
BOTS = AccountFact("harbour_bots", "twitter", "profile", str(ZONE), CONNECTED)
ACCOUNTS = (PAGE, BOTS)

TEXTS = (
    "We measured our new gripper on 10,000 parcels: the failure rate fell from 3.1% to 0.4%.",
    "Hiring: a controls engineer in Hamburg who likes salt water, forklifts and unit tests.",
    "Five things that broke in production last month, and what we changed so they cannot again",
    "Why warehouse robots queue like people do, and why that is bad: a short thread",
    "Our open dataset of 40 hours of crane camera footage can now be downloaded by everyone.",
    "How do you test a robot arm that must never touch anything? Slowly. Here is our rig.",
    "New paper: predicting pallet wobble from one accelerometer (code included)",
    "Ask us anything about running ROS 2 on boats. We have made every mistake already.",
    "The best bug report we ever got came from a seagull.",
    "Version 2.4 is out: half the calibration time, twice the patience.",
    "<script>alert('a post is text, never markup')</script> & other things robots say",
    None,
)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _posts_of(account: AccountFact) -> list[PostFact]:
    prefix = "li" if account is PAGE else "x"
    return [
        PostFact(
            name=f"{prefix}-{n:02}",
            account=account,
            published_at=_noon(FIRST_DAY + timedelta(days=DAYS_PER_POST * n)) - timedelta(hours=3),
            text=text,
            is_deleted=account is BOTS and text is None,
        )
        for n, text in enumerate(TEXTS)
    ]


POSTS = {account.platform: _posts_of(account) for account in ACCOUNTS}
DELETED = POSTS["twitter"][-1]
IMPORTED = PostFact("x-imported", BOTS, _noon(date(2026, 11, 1)), "Written before the account")


def _amount(account: AccountFact, n: int) -> int:
    """Impressions of day `n`: LinkedIn quiet at weekends, X noisier with a peak now and then."""
    if account is PAGE:
        amount = 620 + 4 * n + (n * 37) % 190
        return amount // 3 if (FIRST_DAY + timedelta(days=n)).weekday() >= 5 else amount
    return 900 + 2 * n + (n * 71) % 520 + (2600 if n % 29 == 11 else 0)


def _counters(account: AccountFact, impressions: int) -> dict[str, int]:
    likes = impressions // 50
    if account is PAGE:
        return {
            "impressions": impressions,
            "likes": likes,
            "comments": impressions // 300,
            "shares": impressions // 450,
            "clicks": impressions // 90,
        }
    return {
        "impressions": impressions,
        "likes": likes,
        "replies": impressions // 400,
        "retweets": impressions // 260,
        "quotes": impressions // 1500,
        "bookmarks": impressions // 500,
    }


def _readings(account: AccountFact) -> Iterator[IncrementFact]:
    """Each day one reading of the newest post and one, of a quarter, of the post before it."""
    posts = POSTS[account.platform]
    for n in range(DAYS):
        day = FIRST_DAY + timedelta(days=n)
        if day == GAP:
            continue
        newest = n // DAYS_PER_POST
        collected_at = NOW if day == TODAY else _noon(day)
        amount = _amount(account, n)
        yield IncrementFact(posts[newest], collected_at, _counters(account, amount))
        if newest:
            quarter = _counters(account, amount // 4)
            yield IncrementFact(posts[newest - 1], collected_at, quarter)


IMPORTED_COUNTERS = _counters(BOTS, 12_840)
INCREMENTS = [
    *_readings(PAGE),
    *_readings(BOTS),
    IncrementFact(IMPORTED, NOW - timedelta(days=1), IMPORTED_COUNTERS, basis="lifetime"),
]
MARTS = Marts(
    accounts=ACCOUNTS,
    posts=[*POSTS["linkedin"], *POSTS["twitter"], IMPORTED],
    increments=INCREMENTS,
    built_at=NOW + timedelta(minutes=4),
)


def gained(
    metric: str,
    first: date,
    last: date,
    accounts: Iterable[AccountFact] = ACCOUNTS,
    basis: Literal["observed", "all"] = "all",
) -> int:
    """What the posts of `accounts` gained from `first` to `last`, both included."""
    chosen = tuple(accounts)
    return sum(
        increment.gains()[metric] or 0
        for increment in INCREMENTS
        if increment.post.account in chosen
        and first <= increment.activity_at.astimezone(ZONE).date() <= last
        and (basis == "all" or increment.basis == "observed")
    )


def total(metric: str, post: PostFact) -> int:
    """A post's counter as last known."""
    return sum(i.gains()[metric] or 0 for i in INCREMENTS if i.post == post)


def days_back(days: int) -> tuple[date, date]:
    """First and last day of the preset of so many days."""
    return TODAY - timedelta(days=days - 1), TODAY


@dataclass(frozen=True)
class Installation:
    """The real app over the published world, and its only user."""

    app: Flask
    store: ControlStore

    def sign_in(self) -> str:
        """A new session's cookie value."""
        with self.store.begin() as session:
            opened = access.redeem_login_link(session, self._link(), NOW)
        assert opened is not None
        return opened

    def link(self) -> str:
        """The path of a fresh one-time link."""
        return f"/login/{self._link()}"

    def _link(self) -> str:
        with self.store.begin() as session:
            user = access.find_user(session, "mira@example.org")
            assert user is not None
            return access.create_login_link(session, user, NOW)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Publishes the world into `folder`; its user mira@example.org is a member of both accounts."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=folder / "data",
        vault_key_file=folder / "keys" / "vault.json",
        api_requests_per_minute=100_000,
    )
    store = open_store(settings)
    with store.begin() as session:
        user = access.create_user(session, "mira@example.org", str(ZONE), NOW)
        for fact in ACCOUNTS:
            session.add(
                Account(
                    id=fact.account_id,
                    platform=fact.platform,
                    kind=fact.kind,
                    handle=fact.name,
                    timezone=fact.timezone,
                    created_at=NOW,
                )
            )
            session.flush()
            session.add(AccountMember(account_id=fact.account_id, user_id=user.id, role="owner"))
    MARTS.publish(settings.published_dir)
    yield Installation(create_app(settings, store=store, now=lambda: NOW), store)
    store.close()
