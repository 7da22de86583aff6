"""No budget is ever overspent, whatever dies when; no cost is lost or counted twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from consents import Connect
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from execution.control.budgets import Budgets, CapReached, Day, Window
from execution.control.models import ApiUsage, Connection
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest.clock import ManualClock
from ingest.http import BudgetExhausted
from ingest.platforms import twitter

START = datetime(2026, 3, 1, 0, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIMELINE, LOOKUP, USER = twitter.TIMELINE, twitter.LOOKUP, twitter.USER

Open = Callable[..., Budgets]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def open_budgets(settings: Settings, store: ControlStore, clock: ManualClock) -> Iterator[Open]:
    """Budgets as a new process would find them; nothing of the one before is handed over."""
    opened: list[Budgets] = []

    def make(**changes: object) -> Budgets:
        opened.append(Budgets(settings.model_copy(update=changes), store, clock))
        return opened[-1]

    yield make
    for budgets in opened:
        budgets.close()


def take(
    budgets: Budgets, connection: Connection, family: str | None = None, times: int = 1
) -> int:
    """How many of so many requests were allowed."""
    pacer = budgets.pacer(connection.platform, connection.id, connection.user_id)
    for number in range(times):
        try:
            pacer.before(
                family or {"twitter": TIMELINE, "linkedin": "linkedin.posts"}[pacer.platform]
            )
        except BudgetExhausted:
            return number
    return times


def answer(
    budgets: Budgets, connection: Connection, family: str, posts: int, **headers: str
) -> None:
    pacer = budgets.pacer(connection.platform, connection.id, connection.user_id)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    pacer.after(family, told, posts)


def ledger(store: ControlStore) -> dict[str, tuple[int, int, int]]:
    """Family -> requests, resources, micro-dollars."""
    with store.begin() as session:
        return {
            row.family: (row.requests, row.posts_read, row.cost_micros)
            for row in session.scalars(select(ApiUsage))
        }


# --- the shapes of a limit


moments = st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=60).map(sorted)


@given(requests=st.integers(1, 8), length=st.sampled_from([15, 60]), seconds=moments)
def test_no_stretch_of_a_window_ever_holds_more_than_its_requests(
    requests: int, length: int, seconds: list[int]
) -> None:
    window = Window(requests, timedelta(minutes=length))
    taken: dict[int, int] = {}
    granted: list[datetime] = []
    for second in seconds:
        now = START + timedelta(seconds=second)
        if window.left(taken, now) > 0:
            taken = window.kept(taken, now)
            taken[window.bin_of(now)] = taken.get(window.bin_of(now), 0) + 1
            granted.append(now)
    for first in granted:
        assert sum(first <= other < first + window.length for other in granted) <= requests


@given(requests=st.integers(1, 8), seconds=moments)
def test_a_used_up_window_tells_when_it_is_free_again(requests: int, seconds: list[int]) -> None:
    window = Window(requests, HOUR)
    taken = Counter(window.bin_of(START + timedelta(seconds=second)) for second in seconds)
    now = START + timedelta(seconds=seconds[-1])
    free_at = window.free_at(taken, now)
    assert window.left(taken, free_at) > 0
    assert free_at == now or window.left(taken, free_at - timedelta(seconds=1)) <= 0


@given(
    requests=st.integers(1, 500),
    minutes=st.lists(st.integers(0, 24 * 60 - 1), max_size=100).map(sorted),
)
def test_a_day_never_gives_more_than_its_requests(requests: int, minutes: list[int]) -> None:
    day = Day(requests)
    taken: dict[int, int] = {}
    for minute in minutes:
        now = START.replace(hour=0, minute=0) + timedelta(minutes=minute)
        left = day.left(taken, now)
        if left > 0:
            taken[day.bin_of(now)] = taken.get(day.bin_of(now), 0) + left
        assert day.left(taken, now) <= 0
        later = day.free_at(taken, now)
        assert later > now
        assert day.left(taken, later) > 0
    assert sum(taken.values()) <= requests


@pytest.mark.parametrize("hours", [2, 6])
def test_a_days_requests_are_handed_out_over_the_day_and_all_used(hours: int) -> None:
    day = Day(100)
    taken: dict[int, int] = {}
    given = []
    for hour in range(0, 24, hours):
        now = START.replace(hour=hour)
        given.append(day.left(taken, now))
        taken[day.bin_of(now)] = taken.get(day.bin_of(now), 0) + given[-1]
    assert sum(given) == 100
    assert max(given) == 25


def test_what_a_wrong_clock_dated_years_ahead_counts_as_of_now() -> None:
    window = Window(2, HOUR)
    ahead = {window.bin_of(START + timedelta(days=900)): 2}
    assert window.left(ahead, START) == 0
    assert window.left(window.kept(ahead, START), START + HOUR + timedelta(minutes=2)) == 2


# --- what is taken is durable before it is used


def test_a_killed_run_has_spent_what_it_took(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    ana = connect_account()
    assert take(open_budgets(x_requests_per_15_minutes=5), ana, times=3) == 3
    after_kill = open_budgets(x_requests_per_15_minutes=5)
    assert take(after_kill, ana, times=9) == 2
    assert ledger(store)[TIMELINE] == (5, 0, 0)


def test_a_call_takes_from_the_app_and_from_the_connection(
    open_budgets: Open, connect_account: Connect
) -> None:
    ana, ben = connect_account(), connect_account(handle="ben", email="ben@example.com")
    budgets = open_budgets(x_requests_per_15_minutes=5)
    assert take(budgets, ana, times=4) == 4
    assert take(budgets, ben, times=4) == 1, "the app's budget is shared"


def test_a_refused_call_takes_from_no_budget(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    ana, ben = connect_account(), connect_account(handle="ben", email="ben@example.com")
    budgets = open_budgets(x_requests_per_15_minutes=1)
    take(budgets, ana)
    assert take(budgets, ben) == 0
    pacer = budgets.pacer("twitter", ben.id, ben.user_id)
    assert [budgets.left({key: limit}) for key, limit in pacer.limits.items()] == [0, 1]
    assert ledger(store)[TIMELINE][0] == 1


def test_a_used_up_budget_says_until_when(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    page = connect_account("linkedin")
    budgets = open_budgets(linkedin_requests_per_hour=2)
    take(budgets, page, times=2)
    pacer = budgets.pacer("linkedin", page.id, page.user_id)
    with pytest.raises(BudgetExhausted, match="2 requests per 60 minutes is used up") as raised:
        pacer.before("linkedin.posts")
    assert raised.value.until is not None
    assert HOUR <= raised.value.until - clock.now() <= HOUR + timedelta(minutes=1)
    clock.set(raised.value.until)
    assert take(budgets, page, times=9) == 2


def test_the_development_tier_spreads_the_days_calls_of_app_and_member(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    pages = [connect_account("linkedin", handle) for handle in ("one", "two")]
    others = connect_account("linkedin", "three", "ben@example.com")
    budgets = open_budgets(linkedin_tier="development", linkedin_requests_per_hour=1000)
    assert take(budgets, pages[0], times=20) == 20
    assert take(budgets, pages[1], times=20) == 5, "a member's pages share the member's calls"
    assert take(budgets, others, times=40) == 25
    used = 50
    for hour in range(2, 24, 2):
        clock.set(START + timedelta(hours=hour))
        after_kill = open_budgets(linkedin_tier="development", linkedin_requests_per_hour=1000)
        used += take(after_kill, pages[0], times=999)
        used += take(after_kill, others, times=999)
    assert used == 200


def test_the_daily_calls_come_back_at_midnight_utc(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    page = connect_account("linkedin")
    clock.set(START.replace(hour=23, minute=59))
    budgets = open_budgets(linkedin_tier="development", linkedin_requests_per_hour=1000)
    assert take(budgets, page, times=999) == 100
    clock.set(START + timedelta(days=1))
    assert take(budgets, page, times=999) == 25


def test_writing_without_waiting_for_the_disk_stays_with_the_budgets(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    take(open_budgets(), connect_account())
    asked, synced = {
        "sqlite": ("PRAGMA synchronous", 2),
        "postgresql": ("SHOW synchronous_commit", "on"),
    }[store.engine.dialect.name]
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql(asked).scalar() == synced


# --- cooldowns


def test_a_cooldown_outlives_the_run_and_ends(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    ana, ben = connect_account(), connect_account(handle="ben", email="ben@example.com")
    until = clock.now() + timedelta(minutes=15)
    open_budgets().cool_down(f"connection:{ana.id}", "twitter", until, "throttled")
    budgets = open_budgets()
    pacer = budgets.pacer("twitter", ana.id, ana.user_id)
    with pytest.raises(BudgetExhausted, match="rests until 01 Mar 00:22 UTC: throttled") as raised:
        pacer.before(USER)
    assert raised.value.until == until
    assert take(budgets, ben) == 1
    clock.set(until)
    assert take(budgets, ana) == 1


def test_the_longer_cooldown_stays(open_budgets: Open, connect_account: Connect) -> None:
    ana = connect_account()
    budgets = open_budgets()
    for minutes in (30, 15):
        until = START + timedelta(minutes=minutes)
        budgets.cool_down(f"connection:{ana.id}", "twitter", until, "throttled")
    rest = budgets.rests_until([(f"connection:{ana.id}", "twitter")])
    assert rest == (START + timedelta(minutes=30), "throttled")


def test_a_cooldown_that_a_wrong_clock_has_set_lasts_a_day_at_most(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    open_budgets().cool_down(f"connection:{ana.id}", "twitter", START + timedelta(days=999), "odd")
    budgets = open_budgets()
    clock.set(START + timedelta(hours=26))
    assert take(budgets, ana) == 1


def test_a_window_that_x_calls_used_up_rests_for_that_endpoint_only(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    reset = str(int((clock.now() + timedelta(minutes=9)).timestamp()))
    budgets = open_budgets()
    answer(budgets, ana, TIMELINE, 100, x_rate_limit_remaining="0", x_rate_limit_reset=reset)
    after_kill = open_budgets()
    assert take(after_kill, ana, TIMELINE) == 0
    assert take(after_kill, ana, LOOKUP) == 1
    clock.set(clock.now() + timedelta(minutes=9))
    assert take(after_kill, ana, TIMELINE) == 1


def test_a_reset_is_told_by_the_platforms_clock(
    open_budgets: Open, connect_account: Connect, clock: ManualClock
) -> None:
    ana = connect_account()
    theirs = clock.now() + timedelta(hours=3)
    budgets = open_budgets()
    answer(
        budgets,
        ana,
        TIMELINE,
        100,
        x_rate_limit_remaining="0",
        x_rate_limit_reset=str(int((theirs + timedelta(minutes=9)).timestamp())),
        date=theirs.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    )
    rest = budgets.rests_until([(f"connection:{ana.id}", TIMELINE)])
    assert rest is not None
    assert rest[0] == clock.now() + timedelta(minutes=9)


@pytest.mark.parametrize("reset", ["", "soon", "9" * 11, "9" * 400, "-1", "0"])
def test_a_reset_that_cannot_be_is_not_believed(
    open_budgets: Open, connect_account: Connect, reset: str
) -> None:
    ana = connect_account()
    budgets = open_budgets()
    answer(budgets, ana, TIMELINE, 100, x_rate_limit_remaining="0", x_rate_limit_reset=reset)
    assert take(budgets, ana, TIMELINE) == 1


# --- what calls cost


def test_the_ledger_knows_each_request_and_what_was_read(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    ana = connect_account()
    budgets = open_budgets()
    for family, posts in ((TIMELINE, 100), (TIMELINE, 20), (LOOKUP, 3), (USER, 1), (LOOKUP, 0)):
        take(budgets, ana, family)
        answer(budgets, ana, family, posts)
    assert ledger(store) == {
        TIMELINE: (2, 120, 120_000),
        LOOKUP: (2, 3, 15_000),
        USER: (1, 1, 10_000),
    }


def test_a_profile_that_does_not_own_the_app_pays_for_its_timeline_as_for_any_post(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    answer(open_budgets(x_owned_reads=False), connect_account(), TIMELINE, 10)
    assert ledger(store)[TIMELINE] == (0, 10, 50_000)


def test_a_second_read_in_a_day_is_taken_back_from_the_ledger(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    ana = connect_account()
    budgets = open_budgets()
    answer(budgets, ana, TIMELINE, 100)
    answer(budgets, ana, LOOKUP, 10)
    answer(budgets, ana, USER, 1)
    budgets.settle(ana.id, new_posts=30, new_users=0)
    # which were new is not known: the ten dear ones, then twenty of the others
    assert ledger(store) == {
        TIMELINE: (0, 100, 20_000),
        LOOKUP: (0, 10, 50_000),
        USER: (0, 1, 0),
    }
    budgets.settle(ana.id, new_posts=0, new_users=0)
    assert ledger(store)[TIMELINE] == (0, 100, 20_000), "settled once"


def cap(store: ControlStore, connection: Connection, dollars: float) -> None:
    with store.begin() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection.id)
            .values(monthly_cap_micros=round(dollars * 1_000_000))
        )


def test_a_monthly_cap_is_never_passed_also_after_a_kill(
    open_budgets: Open, connect_account: Connect, store: ControlStore, clock: ManualClock
) -> None:
    ana = connect_account()
    cap(store, ana, 0.45)
    for _ in range(9):
        budgets = open_budgets()  # each call in a run that is killed after it
        if take(budgets, ana):
            answer(budgets, ana, TIMELINE, 100)
    assert ledger(store)[TIMELINE] == (4, 400, 400_000)
    with pytest.raises(CapReached, match=r"monthly cap of \$0.45") as raised:
        budgets.pacer("twitter", ana.id, ana.user_id).before(TIMELINE)
    assert raised.value.until == datetime(2026, 4, 1, tzinfo=UTC)
    assert take(budgets, ana, USER) == 1, "a user read is still within it"
    clock.set(datetime(2026, 4, 1, 0, 1, tzinfo=UTC))
    assert take(open_budgets(), ana) == 1


def test_what_is_free_does_not_count_against_the_cap(
    open_budgets: Open, connect_account: Connect, store: ControlStore
) -> None:
    ana = connect_account()
    cap(store, ana, 0.15)
    budgets = open_budgets()
    answer(budgets, ana, TIMELINE, 100)
    assert take(budgets, ana) == 0
    budgets.settle(ana.id, new_posts=0, new_users=0)
    assert take(budgets, ana) == 1
    assert take(open_budgets(), ana) == 1
