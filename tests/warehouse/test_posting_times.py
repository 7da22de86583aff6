"""Best times are recommended where there are some, and almost never where there are none.

The proof of METRICS.md section 7 on simulated accounts: at most 5 % of accounts without any effect
get a recommendation, and a planted +60 % with 20 posts is found in at least 80 % of them.
"""

import math
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import pyarrow as pa
import pytest

from .raw_warehouse import RawWarehouse, at

#: Hours at which people post, and how much more often at some of them.
HOURS = [8, 9, 9, 9, 12, 12, 13, 17, 17, 18, 20]
WEEKDAYS = [0, 1, 1, 2, 2, 3, 3, 4, 5]
MONDAY = at("2026-01-05")


def account_id(number: int) -> UUID:
    return UUID(int=number + 1)


def simulate(
    pick: random.Random, posts: int, deviation: float, effect: float, planted: int
) -> Iterable[tuple[datetime, float]]:
    """When an account posted and how each post did, `planted` of them on Thursdays at 15 h."""
    for number in range(posts):
        week = timedelta(weeks=pick.randrange(26))
        if number < planted:
            when = week + timedelta(days=3, hours=15, minutes=pick.randrange(60))
            shift = math.log(1 + effect)
        else:
            day, hour = pick.choice(WEEKDAYS), pick.choice(HOURS)
            when = week + timedelta(days=day, hours=hour, minutes=pick.randrange(60))
            shift = 0.0
        yield MONDAY + when, shift + pick.gauss(0, deviation)


def recommended(
    warehouse: RawWarehouse, seed: int, accounts: int, posts: int, **effect: float
) -> dict[UUID, tuple[int, int]]:
    """The hours that the mart recommends: account -> weekday, hour."""
    pick = random.Random(seed)
    planted = int(effect.pop("planted", 0))
    columns: dict[str, list[object]] = {name: [] for name in ("account", "moment", "unit")}
    for number in range(accounts):
        for when, unit in simulate(pick, posts, planted=planted, **effect):
            columns["account"].append(str(account_id(number)))
            columns["moment"].append(when)
            columns["unit"].append(round(unit * 1_000_000))
    units = pa.table(
        columns,
        schema=pa.schema(
            [("account", pa.string()), ("moment", pa.timestamp("us", "UTC")), ("unit", pa.int64())]
        ),
    )
    warehouse.execute("delete from intermediate.int_timing_units")
    warehouse.insert(
        "insert into intermediate.int_timing_units"
        " select uuid(), account::uuid, moment, unit, unit from given",
        units,
    )
    warehouse.dbt("run", "--select", "int_timing_posts+")
    return {
        row["account_id"]: (row["weekday"], row["hour"])
        for row in warehouse.rows(
            "select account_id, weekday, hour from marts.posting_times"
            " where is_recommended and measure = 'impressions'"
        )
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> RawWarehouse:
    """A built warehouse of accounts that have posted nothing yet."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("times") / "warehouse.duckdb")
    warehouse.run()
    warehouse.execute(
        "insert into intermediate.int_accounts_live (account_id, platform, account_kind, timezone)"
        " select ('00000000-0000-0000-0000-' || lpad(printf('%x', n + 1), 12, '0'))::uuid,"
        " 'twitter', 'profile', 'UTC' from range(1000) as numbers(n)"
    )
    warehouse.execute(
        "insert into intermediate.int_timing_zones"
        " select account_id, timezone from intermediate.int_accounts_live"
    )
    return warehouse


@pytest.mark.parametrize("deviation", [0.5, 0.9])
@pytest.mark.parametrize("posts", [60, 200])
def test_chance_is_rarely_taken_for_an_effect(
    empty: RawWarehouse, posts: int, deviation: float, accounts: int
) -> None:
    found = recommended(empty, 1, accounts, posts, deviation=deviation, effect=0.0)
    margin = 3 * math.sqrt(0.05 * 0.95 / accounts)
    assert len(found) / accounts <= 0.05 + margin


def test_a_planted_effect_is_found(empty: RawWarehouse, accounts: int) -> None:
    found = recommended(empty, 2, accounts, 200, deviation=0.5, effect=0.6, planted=20)
    right = [account for account, when in found.items() if when == (4, 15)]
    assert len(right) / accounts >= 0.8
