"""Followers day by day, how well the collection of each account goes, and what a review changes."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from ingest import slots

from .cells import assert_cells, assert_every_cell
from .raw_warehouse import Account, RawWarehouse, Row, at
from .reference import next_slot

NOW = at("2026-03-20 12:30")
ALL = {"impressions": 100, "likes": 3, "replies": 0, "retweets": 0, "quotes": 0, "bookmarks": 0}

Built = tuple[RawWarehouse, dict[str, Account]]


def read_every_slot(
    warehouse: RawWarehouse,
    account: Account,
    name: str,
    published_at: datetime = at("2026-03-08 00:00"),  # noqa: B008
    *,
    is_missed: Callable[[datetime], bool] = lambda _: False,
    unsent_today: str = "",
) -> None:
    """A post that is read in each slot until now but for what is missed."""
    post = warehouse.post(account, name, published_at)
    slot = slots.slot_start(published_at, published_at)
    while slot <= NOW:
        if not is_missed(slot):
            sent = dict(ALL)
            if slot.date() == NOW.date():
                sent.pop(unsent_today, None)
            warehouse.snapshot(post, slot + timedelta(minutes=5), **sent)
        slot = next_slot(slot, published_at)


def yesterday(*hours: int) -> Callable[[datetime], bool]:
    return lambda slot: slot.date() == date(2026, 3, 19) and slot.hour in hours


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("health") / "warehouse.duckdb")
    warehouse.user()
    accounts = {
        name: warehouse.account(
            name,
            connected_at=at("2026-03-01"),
            last_success_at=NOW - timedelta(hours=7 if name == "stale" else 0),
            state="expired" if name == "stale" else "active",
            expires_at=at("2026-03-20 05:00") if name == "stale" else at("2026-05-01"),
            timezone="Asia/Kolkata" if name == "followed" else "UTC",
            members={"user-1": "owner"},
        )
        for name in ("whole", "gappy", "dropping", "short", "stale", "followed", "jumpy")
    }
    read_every_slot(warehouse, accounts["whole"], "whole")
    warehouse.connection(
        accounts["whole"],
        "an older consent",
        at("2026-02-01"),
        state="revoked",
        expires_at=at("2026-06-01"),
        cooldown_until=at("2026-03-20 12:45"),
    )
    warehouse.imported(accounts["whole"], at("2026-03-05"), 2)
    warehouse.imported(accounts["whole"], at("2026-03-18"), 3)
    missing = (date(2026, 3, 12), date(2026, 3, 16))
    read_every_slot(
        warehouse,
        accounts["gappy"],
        "gappy",
        is_missed=lambda slot: slot.date() in missing,
        unsent_today="likes",
    )
    read_every_slot(
        warehouse,
        accounts["dropping"],
        "dropping",
        is_missed=yesterday(0, 12, 18),
        unsent_today="impressions",
    )
    for name in ("one", "two"):
        read_every_slot(warehouse, accounts["short"], name)
    read_every_slot(
        warehouse, accounts["short"], "new", at("2026-03-19"), is_missed=yesterday(2, 4, 6)
    )
    # Thirty days before now is 18 February, 12:30.
    for name, deleted_at in (
        ("shown", None),
        ("gone", at("2026-02-18 12:30")),
        ("just gone", at("2026-02-18 12:31")),
    ):
        warehouse.post(accounts["stale"], name, at("2026-01-10"), deleted_at=deleted_at)
    # In Kolkata (UTC+5:30) a day ends at 18:30Z.
    for moment, followers in (
        ("2026-03-10 06:00", 100),
        ("2026-03-10 17:00", 104),  # still the 10th: the day's last reading
        ("2026-03-10 19:00", 110),  # the 11th
        ("2026-03-11 06:00", None),  # not told: no reading
        ("2026-03-12 06:00", 107),  # three fewer
        ("2026-03-14 06:00", 120),  # the 13th was not read
    ):
        warehouse.audience(accounts["followed"], at(moment), followers)
    jump = _jump(warehouse, accounts["jumpy"])
    warehouse.review(jump, "likes", "reviewed")
    warehouse.review(jump, "replies", "dismissed")
    warehouse.build()
    return warehouse, accounts


def _jump(warehouse: RawWarehouse, account: Account) -> UUID:
    """A post of 1 February, whose counters jump on 1 March."""
    post = warehouse.post(account, "jumpy", at("2026-02-01"))
    before = {"impressions": 1000, "likes": 100, "replies": 200, "retweets": 100, "quotes": 99}
    after = {"impressions": 9000, "likes": 2000, "replies": 3000, "retweets": 1101, "quotes": 1990}
    warehouse.snapshot(post, at("2026-03-01 06:05"), **before)
    return warehouse.snapshot(post, at("2026-03-01 12:05"), **after)


def test_followers_are_the_last_of_each_local_day_and_gains_need_the_day_before(
    built: Built,
) -> None:
    warehouse, accounts = built
    rows = warehouse.rows(
        "select day, followers, followers_gained from marts.audience_growth"
        " where account_id = ? order by day",
        accounts["followed"].account_id,
    )
    assert [tuple(row.values()) for row in rows] == [
        (date(2026, 3, 10), 104, None),
        (date(2026, 3, 11), 110, 6),
        (date(2026, 3, 12), 107, -3),
        (date(2026, 3, 14), 120, None),
    ]


#: Four slots a day from the 14th to the 19th, three on the 20th. The readings of seven days go back
#: to 12:30 on the 13th: that of 18:05 is one more.
WHOLE: Row = {
    "platform": "twitter",
    "as_of": NOW,
    "data_as_of": NOW,
    "is_stale": False,
    "connection_state": "active",
    "token_expires_at": at("2026-05-01"),
    "cooldown_until": None,
    "due_slots_7d": 27,
    "filled_slots_7d": 27,
    "coverage_7d": Decimal(1),
    "gaps_7d": 0,
    "impressions_completeness_7d": Decimal(1),
    "engagements_completeness_7d": Decimal(1),
    "missing_days_30d": 0,
    "last_missing_day": None,
    "has_unexplained_drop": False,
    "last_imported_at": None,
    "rejected_rows": 0,
    "posts": 1,
    "deleted_posts": 0,
    "deleted_posts_30d": 0,
    "open_flags": 0,
}
SILENT = {
    "due_slots_7d": 0,
    "filled_slots_7d": 0,
    "coverage_7d": None,
    "impressions_completeness_7d": None,
    "engagements_completeness_7d": None,
}
HEALTH: dict[str, Row] = {
    # Of two connections the better one tells the token, either one the wait; 2 + 3 rows rejected.
    "whole": {
        "cooldown_until": at("2026-03-20 12:45"),
        "last_imported_at": at("2026-03-18"),
        "rejected_rows": 5,
    },
    # The 12th lies before the seven days; both are within the thirty. 24 readings, three of them
    # without likes.
    "gappy": {
        "filled_slots_7d": 23,
        "coverage_7d": Decimal("0.8519"),  # 23 / 27
        "gaps_7d": 1,
        "engagements_completeness_7d": Decimal("0.8750"),  # 21 / 24
        "missing_days_30d": 2,
        "last_missing_day": date(2026, 3, 16),
    },
    # One of four slots on the 19th, all of those before. 25 readings, three without impressions.
    "dropping": {
        "filled_slots_7d": 24,
        "coverage_7d": Decimal("0.8889"),  # 24 / 27
        "gaps_7d": 2,
        "impressions_completeness_7d": Decimal("0.8800"),  # 22 / 25
        "has_unexplained_drop": True,
    },
    # 4 + 4 + 12 slots on the 19th, of which 17 are filled: just 15 % fewer, not more. The new post
    # has 12 + 7 slots.
    "short": {
        "due_slots_7d": 73,
        "filled_slots_7d": 70,
        "coverage_7d": Decimal("0.9589"),  # 70 / 73
        "gaps_7d": 1,
        "posts": 3,
    },
    "stale": SILENT
    | {
        "as_of": at("2026-03-20 05:30"),
        "is_stale": True,
        "connection_state": "expired",
        "token_expires_at": at("2026-03-20 05:00"),
        "posts": 3,
        "deleted_posts": 2,
        "deleted_posts_30d": 1,
    },
    "followed": SILENT | {"posts": 0},
    # Its post was due until it was 30 days old, at the end of 2 March, when it was not read.
    "jumpy": SILENT
    | {"missing_days_30d": 1, "last_missing_day": date(2026, 3, 2), "open_flags": 1},
}


def test_health_tells_whole_collections_from_missing_days_drops_and_silence(built: Built) -> None:
    warehouse, accounts = built
    names = {account.account_id: name for name, account in accounts.items()}
    found = [
        row | {"account_id": names[row["account_id"]]}
        for row in warehouse.rows("select * from marts.collection_health")
    ]
    expected = [{"account_id": name} | WHOLE | differs for name, differs in HEALTH.items()]
    assert_every_cell(found, expected, "account_id")


# Retweets rose by 1,001 on 100, which nobody has looked at; quotes by 1,891 on 99, a base below
# 100; impressions by 800 % only.
JUMPS = {
    "likes": (100, 2000, 1900, "reviewed", "user-1", at("2026-06-01")),
    "replies": (200, 3000, 1400, "dismissed", "user-1", at("2026-06-01")),
    "retweets": (100, 1101, 1001, "open", None, None),
    "quotes": (99, 1990, 1910, "expected", None, None),
}


def test_a_review_gives_a_jump_its_status_and_leaves_the_data_alone(built: Built) -> None:
    warehouse, accounts = built
    columns = (
        *("previous_value", "current_value", "change_percent"),
        *("status", "reviewed_by", "reviewed_at"),
    )
    expected = [
        {"metric": metric, **dict(zip(columns, jump, strict=True))}
        for metric, jump in JUMPS.items()
    ]
    assert_cells(warehouse.rows("select * from marts.metric_delta_flags"), expected, "metric")
    # Who reviewed is a key of the marts, not a user of the control store.
    keys = warehouse.rows("select distinct user_key from marts.account_members")
    assert keys == [{"user_key": "user-1"}]

    gained = {"likes": 1900, "replies": 2800, "retweets": 1001, "quotes": 1891}
    increment = warehouse.row(
        "select * from marts.post_increments where is_jump and account_id = ?",
        accounts["jumpy"].account_id,
    )
    assert {metric: increment[f"new_{metric}"] for metric in gained} == gained
    snapshot = warehouse.row(
        "select * from marts.analytics_snapshots where id = ?", increment["id"]
    )
    day = warehouse.row(
        "select * from marts.daily_metrics where account_id = ? and day = '2026-03-01'",
        accounts["jumpy"].account_id,
    )
    for metric, (_, current_value, *_) in JUMPS.items():
        assert snapshot[metric] == current_value
        assert day[f"observed_{metric}"] == gained[metric]


def test_missing_days_and_drops_warn_and_do_not_fail(
    built: Built,
) -> None:
    warehouse, _ = built
    run = warehouse.dbt("test", "--select", "collection_health", check=True)
    assert run.statuses()["no_whole_day_is_missing"] == "warn"
    assert run.statuses()["readings_do_not_drop_unexplained"] == "warn"
