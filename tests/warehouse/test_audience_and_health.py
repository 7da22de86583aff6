"""Followers day by day, and how well the collection of each account goes."""

from datetime import date, timedelta
from typing import Any

import pytest

from ingest import slots

from .raw_warehouse import Account, RawWarehouse, at
from .reference import next_slot

NOW = at("2026-03-20 12:30")


def read_every_slot(
    warehouse: RawWarehouse, account: Account, name: str, missing: frozenset[date] = frozenset()
) -> None:
    """A post of 8 March, read in each slot until now but for what is missing."""
    published_at = at("2026-03-08 00:00")
    post = warehouse.post(account, name, published_at)
    slot, number = slots.slot_start(published_at, published_at), 0
    while slot <= NOW:
        number += 1
        dropped = name == "dropping" and slot.date() == date(2026, 3, 19) and slot.hour != 6
        if slot.date() not in missing and not dropped:
            warehouse.snapshot(post, slot + timedelta(minutes=5), impressions=100 + number, likes=3)
        slot = next_slot(slot, published_at)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawWarehouse, dict[str, Account]]:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("health") / "warehouse.duckdb")
    warehouse.user()
    accounts = {
        name: warehouse.account(
            name,
            connected_at=at("2026-03-01"),
            last_success_at=NOW - timedelta(hours=7 if name == "stale" else 0),
            state="expired" if name == "stale" else "active",
            timezone="Asia/Kolkata" if name == "followed" else "UTC",
        )
        for name in ("whole", "gappy", "dropping", "stale", "followed")
    }
    read_every_slot(warehouse, accounts["whole"], "whole")
    read_every_slot(warehouse, accounts["dropping"], "dropping")
    missing = frozenset({date(2026, 3, 12), date(2026, 3, 16)})
    read_every_slot(warehouse, accounts["gappy"], "gappy", missing)
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
    warehouse.build()
    return warehouse, accounts


def test_followers_are_the_last_of_each_local_day_and_gains_need_the_day_before(
    built: tuple[RawWarehouse, dict[str, Account]],
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


def test_health_tells_whole_collections_from_missing_days_drops_and_silence(
    built: tuple[RawWarehouse, dict[str, Account]],
) -> None:
    warehouse, accounts = built
    names = {account.account_id: name for name, account in accounts.items()}
    columns = (
        "account_id, is_stale, connection_state, due_slots_7d, filled_slots_7d, gaps_7d,"
        " missing_days_30d, last_missing_day, has_unexplained_drop"
    )
    found: dict[str, tuple[Any, ...]] = {
        names[row.pop("account_id")]: tuple(row.values())
        for row in warehouse.rows(f"select {columns} from marts.collection_health")
    }
    # The 14th to the 20th: four slots a day, three on the 20th.
    assert found == {
        "whole": (False, "active", 27, 27, 0, 0, None, False),
        # The 12th lies before the seven days; both are within the thirty.
        "gappy": (False, "active", 27, 23, 1, 2, date(2026, 3, 16), False),
        # One of four slots on the 19th, all of those before.
        "dropping": (False, "active", 27, 24, 2, 0, None, True),
        "stale": (True, "expired", 0, 0, 0, 0, None, False),
        "followed": (False, "active", 0, 0, 0, 0, None, False),
    }


def test_missing_days_and_drops_warn_and_do_not_fail(
    built: tuple[RawWarehouse, dict[str, Account]],
) -> None:
    warehouse, _ = built
    run = warehouse.dbt("test", "--select", "collection_health", check=True)
    assert run.statuses()["no_whole_day_is_missing"] == "warn"
    assert run.statuses()["readings_do_not_drop_unexplained"] == "warn"
