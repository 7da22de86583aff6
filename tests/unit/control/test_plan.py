"""What a run would do and what posts cost, told before anything is asked or connected."""

from datetime import timedelta

import pytest
from consents import Connect
from sqlalchemy import update

from execution.control import posts as tracked
from execution.control.budgets import Budgets
from execution.control.connections import EXPIRED, set_state
from execution.control.models import ApiUsage, Connection
from execution.control.plan import estimate_month, plan
from execution.control.platforms import platform_settings
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest import identity
from ingest.clock import ManualClock
from ingest.platforms.base import Post
from ingest.platforms.twitter import LOOKUP, TIMELINE
from ingest.slots import OLD_SLOT, YOUNG_SLOT, floor_to


def add_posts(
    store: ControlStore, clock: ManualClock, connection: Connection, count: int, hours: float = 60
) -> None:
    at = clock.now() - timedelta(hours=hours)
    with store.begin() as session:
        posts = [Post(f"{hours}.{n}", at, "post", None, None) for n in range(count)]
        account_id, platform = connection.account_id, connection.platform
        tracked.register_posts(session, account_id, platform, posts, clock.now())


def test_an_empty_installation_has_nothing_to_do(
    settings: Settings, store: ControlStore, clock: ManualClock
) -> None:
    planned = plan(settings, store, clock)
    assert (planned.accounts, planned.blocked, planned.cost_micros) == ((), (), 0)


def test_the_plan_of_an_x_profile_counts_pages_and_owned_reads(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    ana = connect_account()
    add_posts(store, clock, ana, 240)
    add_posts(store, clock, ana, 10, hours=1)
    planned = plan(settings, store, clock)
    (item,) = planned.accounts
    assert (item.name, item.posts, item.young_posts) == ("twitter:ana", 250, 10)
    assert item.looks_for_posts
    assert item.reads_profile
    assert (item.requests, item.cost_micros) == (4, 250 * 1_000 + 10_000)
    assert planned.requests("twitter") == 4
    assert planned.requests_left == {"twitter": 900}


@pytest.mark.parametrize(("owned", "family"), [(True, TIMELINE), (False, LOOKUP)])
def test_due_posts_are_read_where_they_are_cheapest(
    settings: Settings, owned: bool, family: str
) -> None:
    settings = settings.model_copy(update={"x_owned_reads": owned})
    reads = platform_settings(settings, "twitter").reads(
        "profile", due=60, listed=60, looks=False, profile=False
    )
    assert {name: count for name, count in reads.resources.items() if count} == {family: 60}


def test_beyond_the_timelines_reach_posts_are_looked_up(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    add_posts(store, clock, connect_account(), 3_350)
    (item,) = plan(settings, store, clock).accounts
    assert item.requests == 32 + 2 + 1
    assert item.cost_micros == 3_200 * 1_000 + 150 * 5_000 + 10_000


def test_a_page_takes_finder_statistics_and_profile(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    add_posts(store, clock, connect_account("linkedin"), 120)
    (item,) = plan(settings, store, clock).accounts
    assert (item.requests, item.cost_micros) == (2 + 3 + 2, 0)
    development = settings.model_copy(update={"linkedin_tier": "development"})
    (item,) = plan(development, store, clock).accounts
    assert item.requests == 2 + 120 + 2
    assert plan(development, store, clock).requests_left == {"linkedin": 100}


def test_a_member_takes_one_request_per_counter_and_post(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    add_posts(store, clock, connect_account("linkedin", kind="member"), 3)
    (item,) = plan(settings, store, clock).accounts
    assert item.requests == 7 * 3 + 1
    old = settings.model_copy(update={"linkedin_version": "202601"})
    (item,) = plan(old, store, clock).accounts
    assert item.requests == 5 * 3 + 1


def test_a_retry_of_few_posts_looks_them_up(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    ana = connect_account()
    add_posts(store, clock, ana, 5)
    with store.begin() as session:
        session.execute(
            update(Connection).values(
                last_discovery_slot=floor_to(clock.now(), YOUNG_SLOT),
                last_profile_slot=floor_to(clock.now(), OLD_SLOT),
            )
        )
    (item,) = plan(settings, store, clock).accounts
    assert (item.requests, item.cost_micros) == (1, 25_000)


def test_the_plan_says_what_rests_what_waits_and_what_is_blocked(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    ana, ben = connect_account(), connect_account(handle="ben", email="ben@example.com")
    gone = connect_account("linkedin", "gone")
    budgets = Budgets(settings, store, clock)
    until = clock.now() + timedelta(minutes=15)
    budgets.cool_down(f"connection:{ana.id}", "twitter", until, "throttled")
    budgets.close()
    with store.begin() as session:
        set_state(session, gone.id, EXPIRED, "over")
        session.execute(
            update(Connection).where(Connection.id == ben.id).values(queued_at=clock.now())
        )
    planned = plan(settings, store, clock)
    assert [item.name for item in planned.accounts] == ["twitter:ben", "twitter:ana"]
    assert planned.accounts[0].queued_at == clock.now()
    assert (planned.accounts[1].waits_until, planned.accounts[1].waits_for) == (until, "throttled")
    assert [item.name for item in planned.blocked] == ["linkedin:gone"]


def test_planning_asks_and_writes_nothing(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    add_posts(store, clock, connect_account(), 5)
    before = [plan(settings, store, clock) for _ in range(2)]
    assert before[0] == before[1]
    with store.begin() as session:
        assert session.query(ApiUsage).count() == 0


# --- before connecting


@pytest.mark.parametrize(
    ("posts", "dollars"),
    # each post of 30 days once a day by the timeline, the rest by lookup, and the profile
    [(0, 0.30), (30, 1.20), (500, 15.30), (10_000, 30 * (3.2 + 34 + 0.01))],
)
def test_x_costs_each_post_once_a_day(settings: Settings, posts: int, dollars: float) -> None:
    estimate = estimate_month(settings, "twitter", "profile", posts)
    assert estimate.cost_micros == round(dollars * 1_000_000)
    assert estimate.fits


def test_an_x_months_requests_follow_the_slots(settings: Settings) -> None:
    estimate = estimate_month(settings, "twitter", "profile", 10_000)
    assert estimate.requests_at_once == 32 + 68 + 1
    # 667 young posts: seven pages each two hours between
    assert estimate.requests_a_day == 4 * 101 + 8 * 7
    assert (estimate.requests_allowed, estimate.requests_allowed_a_day) == (900, 86_400)


def test_linkedin_is_free_but_bounded(settings: Settings) -> None:
    estimate = estimate_month(settings, "linkedin", "page", 1_000)
    assert (estimate.cost_micros, estimate.requests_at_once) == (0, 11 + 20 + 2)
    assert estimate.requests_a_day == 4 * 33 + 8 * (1 + 2)
    assert estimate.fits
    development = settings.model_copy(update={"linkedin_tier": "development"})
    assert not estimate_month(development, "linkedin", "page", 60).fits
    small = estimate_month(development, "linkedin", "page", 12)
    assert (small.requests_a_day, small.requests_allowed_a_day) == (4 * 15 + 8 * 2, 100)
    assert small.fits


def test_a_filled_slot_is_not_planned_again(
    settings: Settings, store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    ana = connect_account()
    add_posts(store, clock, ana, 2)
    with store.begin() as session:
        slot = floor_to(clock.now(), OLD_SLOT)
        post_id = identity.post_id(ana.account_id, "60.0")
        tracked.fill_slots(session, {post_id: slot})
    (item,) = plan(settings, store, clock).accounts
    assert item.posts == 1
