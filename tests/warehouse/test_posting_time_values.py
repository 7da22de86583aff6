"""Posting times and comparisons of accounts with enough posts for them, landed in several loads.

METRICS.md sections 6 and 7 over again in plain Python, and a full refresh to compare with.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from statistics import fmean
from typing import Any

import pytest

from ingest import identity

from .cells import assert_same
from .raw_warehouse import Account, Post, RawWarehouse, Row, at
from .reference import BENCHMARKED, Counters, benchmark
from .reference_times import Heatmap, before
from .test_incremental import RAW_OF_POSTS, assert_equal_to_a_full_refresh

MONDAY = at("2026-01-05")
#: Ages at which a post is read: its values at 72 hours lie between.
READ_AT = (timedelta(hours=67), timedelta(hours=77))
MEASURES = ("impressions", "engagement_score")
EFFECTS = ("mean_effect", "shrunk_effect", "effect_low", "effect_high")
#: Draws after which dealing stopped -> at most so many did as well where it goes on.
OPEN = {20: 4, 100: 12, 300: 24}
#: Whether there are enough posts -> the verdict without a recommendation.
UNRECOMMENDED = {False: "too few posts", True: "no timing effect visible"}


@dataclass(frozen=True)
class Plan:
    """A post to come, and what its readings tell."""

    post: Post
    counters: Counters
    post_type: str = "post"


def planned(
    account: Account, moment: timedelta, counters: Counters, post_type: str = "post"
) -> Plan:
    published_at = MONDAY + moment
    name = f"{account.account_id.hex[:6]}{moment // timedelta(minutes=1):08d}"
    post = Post(identity.post_id(account.account_id, name), account, name, published_at)
    return Plan(post, counters, post_type)


def moment(week: int, day: int, hour: int, minute: int = 30) -> timedelta:
    return timedelta(weeks=week, days=day, hours=hour, minutes=minute)


def counted(pick: random.Random, level: float) -> Counters:
    """Impressions around a level, and likes that have nothing to do with the hour."""
    impressions = round(level * math.exp(pick.gauss(0, 0.4)))
    return {
        "impressions": impressions,
        "likes": round(impressions * 0.01 * math.exp(pick.gauss(0, 0.4))),
    }


def three_a_week(account: Account, pick: random.Random, *, effect: float) -> Iterator[Plan]:
    """66 posts, a third of them on Thursday at 15 h UTC; every fifth is a reply."""
    for number in range(66):
        week, turn = divmod(number, 3)
        post_type = "reply" if number % 5 == 0 else "post"
        if turn == 2:
            thursday = moment(week, 3, 15, pick.randrange(1, 59))
            yield planned(account, thursday, counted(pick, 2000 * effect), post_type)
        else:
            other = moment(week, 2 * turn, pick.choice((9, 12)), pick.randrange(1, 59))
            yield planned(account, other, counted(pick, 2000), post_type)


def steady(account: Account, pick: random.Random) -> Iterator[Plan]:
    """30 posts, and no news after the first load."""
    for number in range(30):
        when = moment(number // 3, number % 3, pick.choice((8, 17)), pick.randrange(1, 59))
        yield planned(account, when, counted(pick, 500))


def page(account: Account, pick: random.Random) -> Iterator[Plan]:
    """Too few posts at first. Some tell no impressions, one tells a correction below zero."""
    for number in range(36):
        when = moment(15 + number // 4, number % 4, pick.choice((9, 10)), pick.randrange(1, 59))
        impressions = {1: None, 2: None, 3: None, 12: -1}.get(number, pick.randrange(200, 900))
        yield planned(account, when, {"impressions": impressions})


def viral(account: Account, _: random.Random) -> Iterator[Plan]:
    """Nobody sees its posts but those of Thursday, half a million each time."""
    for week in range(24):
        for hour in (9, 10, 11):
            yield planned(account, moment(week, 0, hour), {"impressions": 0})
        yield planned(account, moment(week, 3, 9), {"impressions": 500_000})


def even(account: Account, _: random.Random) -> Iterator[Plan]:
    """All posts do the same but for two."""
    for number in range(30):
        when = moment(number // 3, number % 3, 9 + number % 2)
        impressions = {14: 300, 19: 200}.get(number, 100)
        yield planned(account, when, {"impressions": impressions, "likes": 1})


def clockwork(account: Account, pick: random.Random) -> Iterator[Plan]:
    """Always the same hour: there is nothing to compare it with."""
    for week in range(23):
        yield planned(account, moment(week, 0, 9), counted(pick, 700))
        yield planned(account, moment(week, 0, 9, 45), counted(pick, 700))


def rare(account: Account, pick: random.Random) -> Iterator[Plan]:
    """Never the same hour twice."""
    for number in range(9):
        yield planned(account, moment(number, number % 7, 8 + number), counted(pick, 900))


#: Name -> its time zone and its posts.
ACCOUNTS: Mapping[str, tuple[str, Callable[[Account, random.Random], Iterator[Plan]]]] = {
    "planted": ("Europe/Paris", partial(three_a_week, effect=3)),
    "chance": ("America/New_York", partial(three_a_week, effect=1)),
    "steady": ("UTC", steady),
    "page": ("Australia/Lord_Howe", page),
    "viral": ("UTC", viral),
    "even": ("Asia/Kolkata", even),
    "clockwork": ("UTC", clockwork),
    "rare": ("UTC", rare),
}
#: The accounts that somebody reads, and the reader's zone in the end.
READ = ("planted", "even")
READERS_ZONE = "America/Havana"

Plans = Mapping[str, list[Plan]]


def land(warehouse: RawWarehouse, plans: Plans, since: datetime, until: datetime) -> None:
    """Posts published and readings taken in (since, until]."""
    for plan in chain.from_iterable(plans.values()):
        post = plan.post
        if since < post.published_at <= until:
            warehouse.post(
                post.account, post.platform_post_id, post.published_at, post_type=plan.post_type
            )
        for age in READ_AT:
            if since < post.published_at + age <= until:
                warehouse.snapshot(post, post.published_at + age, **plan.counters)


def read_late(warehouse: RawWarehouse, plan: Plan, **values: int) -> None:
    """A later reading of the slot after 72 hours, which puts these values half way before it."""
    moment = plan.post.published_at + READ_AT[1] + timedelta(minutes=1)
    counters = {name: 2 * value - (plan.counters[name] or 0) for name, value in values.items()}
    warehouse.snapshot(plan.post, moment, **{**plan.counters, **counters})


def values_change(warehouse: RawWarehouse, plans: Plans) -> None:
    """One account's units change, those of another of as many posts do not."""
    read_late(warehouse, plans["chance"][12], impressions=9000)


def all_else_changes(warehouse: RawWarehouse, plans: Plans) -> None:
    """One measure and not the other, two values that change places, a post that goes, a zone."""
    likes = plans["planted"][31].counters["likes"] or 0
    read_late(warehouse, plans["planted"][31], likes=likes + 20)
    read_late(warehouse, plans["even"][14], impressions=200)
    read_late(warehouse, plans["even"][19], impressions=300)
    erased = plans["chance"][40].post.post_id
    for table in RAW_OF_POSTS:
        warehouse.execute(f"delete from raw.{table} where post_id = ?", str(erased))
    warehouse.execute("update raw.control_users set timezone = ?", READERS_ZONE)


#: What a load lands happened until then; and what else it brings.
LOADS = (
    (MONDAY + timedelta(weeks=20), lambda *_: None),
    (MONDAY + timedelta(weeks=23), values_change),
    (MONDAY + timedelta(weeks=26), all_else_changes),
)


@dataclass(frozen=True)
class Built:
    """The warehouse that was built load by load, and its accounts by name."""

    warehouse: RawWarehouse
    accounts: Mapping[str, Account]

    def values(self, account: Account) -> list[Row]:
        """What its posts had reached at 72 hours."""
        return self.warehouse.rows(
            "select * from marts.post_age_values where account_id = ? and age_hours = 72",
            account.account_id,
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("posting_times") / "warehouse.duckdb")
    pick = random.Random(3)
    warehouse.user("user-1", "Asia/Kathmandu")
    accounts, plans = {}, {}
    for name, (timezone, posts) in ACCOUNTS.items():
        accounts[name] = warehouse.account(
            name,
            platform="linkedin" if name == "page" else "twitter",
            timezone=timezone,
            connected_at=MONDAY,
            members={"user-1": "owner"} if name in READ else None,
        )
        plans[name] = list(posts(accounts[name], pick))
    since = MONDAY
    for until, what_else_happens in LOADS:
        land(warehouse, plans, since, until)
        what_else_happens(warehouse, plans)
        warehouse.run()
        since = until
    return Built(warehouse, accounts)


@dataclass(frozen=True)
class Compared:
    """What Python makes of an account, zone and measure, and what the mart says."""

    heatmap: Heatmap
    rows: list[Row]

    @property
    def row(self) -> Row:
        """Any row: what is said of the account stands in each."""
        return self.rows[0]


ByZoneAndMeasure = dict[tuple[str, str, str], Compared]


@pytest.fixture(scope="module")
def compared(built: Built) -> ByZoneAndMeasure:
    rows: dict[Any, list[Row]] = defaultdict(list)
    for row in built.warehouse.rows("select * from marts.posting_times"):
        rows[row["account_id"], row["timezone"], row["measure"]].append(row)
    found = {
        (name, timezone, measure): Compared(
            Heatmap.of(built.values(account), timezone, measure),
            rows.pop((account.account_id, timezone, measure)),
        )
        for name, account in built.accounts.items()
        for timezone in (account.timezone, READERS_ZONE)[: 2 if name in READ else 1]
        for measure in MEASURES
    }
    assert not rows
    return found


def test_an_hours_effect_is_its_mean_drawn_towards_the_accounts(compared: ByZoneAndMeasure) -> None:
    maps = [each.heatmap for each in compared.values()]
    assert any(heatmap.k for heatmap in maps)
    assert any(heatmap.k is None and heatmap.within is not None for heatmap in maps)
    assert any(heatmap.within is None for heatmap in maps)
    for key, each in compared.items():
        assert {(row["weekday"], row["hour"]) for row in each.rows} == set(each.heatmap.cells)
        for row in each.rows:
            cell = row["weekday"], row["hour"]
            of = each.heatmap.cells[cell]
            wanted = [fmean(of), each.heatmap.shrunk(cell), *(each.heatmap.interval(cell) or ())]
            found = [float(row[name]) for name in EFFECTS if row[name] is not None]
            assert found == pytest.approx(wanted, abs=1e-4), (key, cell)
            assert (row["n"], row["posts"]) == (len(of), len(each.heatmap.posts))


def test_the_top_hour_is_the_most_standard_errors_above_the_mean(
    compared: ByZoneAndMeasure,
) -> None:
    for key, each in compared.items():
        top = [(row["weekday"], row["hour"]) for row in each.rows if row["is_top"]]
        assert top == ([each.heatmap.top] if each.heatmap.is_tested else []), key


def test_an_hour_is_recommended_where_random_dealings_rarely_do_as_well(
    compared: ByZoneAndMeasure,
) -> None:
    pick = random.Random(5)
    verdicts = set()
    for key, each in compared.items():
        row, verdict = each.row, each.row["verdict"]
        verdicts.add((verdict, row["draws"]))
        if not each.heatmap.is_tested:
            assert row["draws"] is None, key
            assert verdict == UNRECOMMENDED[each.heatmap.has_enough], key
            continue
        share, draws = each.heatmap.chance(pick), row["draws"]
        margin = 4 * math.sqrt(max(share, 0.001) * (1 - share) * (1 / draws + 1 / 1000))
        assert row["larger_draws"] / draws == pytest.approx(share, abs=margin), key
        assert draws == 1000 or row["larger_draws"] > OPEN[draws], key
        assert not 0.03 < share < 0.07, "choose other posts: chance decides about these"
        assert verdict == ("recommended" if share < 0.05 else UNRECOMMENDED[True]), key
        assert any(row["is_recommended"] for row in each.rows) == (verdict == "recommended")
    assert verdicts == {
        ("recommended", 1000),
        (UNRECOMMENDED[True], 1000),
        (UNRECOMMENDED[True], 20),
        (UNRECOMMENDED[True], None),
        (UNRECOMMENDED[False], None),
    }


def test_loads_give_the_posting_times_and_comparisons_of_a_full_refresh(built: Built) -> None:
    assert_equal_to_a_full_refresh(built.warehouse)


def test_a_post_stands_against_those_of_its_type_where_there_are_twenty(built: Built) -> None:
    types = {row["post_id"]: row["post_type"] for row in built.warehouse.rows("from marts.posts")}
    wanted = {}
    for account in built.accounts.values():
        values = built.values(account)
        for row in values:
            peers = before(row, values)
            same = [peer for peer in peers if types[peer["post_id"]] == types[row["post_id"]]]
            is_same_type = len(same) >= 20
            for metric in BENCHMARKED:
                others = [peer[metric] for peer in (same if is_same_type else peers)]
                known = [other for other in others if other is not None]
                compared = benchmark(row[metric], known) | {"is_same_type": is_same_type}
                wanted[row["post_id"], metric] = compared
    sides = {(row["is_same_type"], row["n"] >= 10) for row in wanted.values()}
    assert sides >= {(True, True), (False, True), (False, False)}
    found = built.warehouse.rows("select * from marts.post_benchmarks")
    assert_same(found, wanted, "post_id", "metric")
