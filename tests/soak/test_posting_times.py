"""Best times are recommended where there are some, and almost never where there are none.

The proof of METRICS.md section 7 on simulated accounts, from age values to the mart: at most 5 % of
accounts without any effect get a recommendation, and a planted +60 % with 20 posts is found in at
least 80 %. In full (NEXUS_SOAK_SCALE=1) on 1,000 accounts each.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyarrow as pa
import pytest

from tests.soak.scale import FIGURES, scaled
from tests.warehouse.raw_warehouse import RawWarehouse, at

ACCOUNTS = scaled(1000)
#: Hours at which people post, and how much more often at some of them.
HOURS = [8, 9, 9, 9, 12, 12, 13, 17, 17, 18, 20]
WEEKDAYS = [0, 1, 1, 2, 2, 3, 3, 4, 5]
MONDAY = at("2026-01-05")
#: Thursday 15 h: at no other time of it does anybody post.
PLANTED = (4, 15)


@dataclass(frozen=True)
class Simulation:
    """What an account's posts are like: how many, how they scatter, and what Thursday 15 h does."""

    posts: int
    deviation: float
    planted: int = 0
    effect: float = 0.0

    def account(self, pick: random.Random) -> Iterable[tuple[datetime, int]]:
        """When each post was published and its impressions at 72 hours, around a median of 2,000.

        The account's level rises by half over the time, as audiences grow.
        """
        weeks = max(self.posts // 8, 4)
        for number in range(self.posts):
            when = timedelta(weeks=pick.randrange(weeks))
            minutes = timedelta(minutes=pick.randrange(60))
            level = math.log(2000) + math.log(1.5) * when / timedelta(weeks=weeks)
            if number < self.planted:
                when += timedelta(days=3, hours=15) + minutes
                level += math.log(1 + self.effect)
            else:
                when += timedelta(days=pick.choice(WEEKDAYS), hours=pick.choice(HOURS)) + minutes
            yield MONDAY + when, round(math.exp(level + pick.gauss(0, self.deviation)))


def recommended(
    warehouse: RawWarehouse, seed: int, simulation: Simulation
) -> list[tuple[int, int]]:
    """The weekday and hour that the mart recommends, of each account that gets one."""
    pick = random.Random(seed)
    columns: dict[str, list[object]] = {name: [] for name in ("account", "moment", "value")}
    for number in range(ACCOUNTS):
        for when, value in simulation.account(pick):
            columns["account"].append(str(UUID(int=number + 1)))
            columns["moment"].append(when)
            columns["value"].append(value)
    schema = [
        ("account", pa.string()),
        ("moment", pa.timestamp("us", "UTC")),
        ("value", pa.int64()),
    ]
    warehouse.execute("delete from marts.post_age_values")
    warehouse.insert(
        "insert into marts.post_age_values (post_id, age_hours, account_id, platform, published_at,"
        " reached_at, is_interpolated, impressions, engagement_score, metric_version)"
        " select uuid(), 72, account::uuid, 'twitter', moment, moment + interval 72 hour, false,"
        " value, 10, 1 from given",
        pa.table(columns, schema=pa.schema(schema)),
    )
    warehouse.dbt("run", "--full-refresh", "--select", "int_timing_units", "int_timing_posts+")
    return [
        (row["weekday"], row["hour"])
        for row in warehouse.rows(
            "select weekday, hour from marts.posting_times"
            " where is_recommended and measure = 'impressions'"
        )
    ]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> RawWarehouse:
    """A built warehouse of accounts that have posted nothing yet."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("times") / "warehouse.duckdb")
    warehouse.run()
    warehouse.execute(
        "insert into intermediate.int_accounts_live (account_id, platform, account_kind, timezone)"
        " select ('00000000-0000-0000-0000-' || lpad(printf('%x', n + 1), 12, '0'))::uuid,"
        f" 'twitter', 'profile', 'UTC' from range({ACCOUNTS}) as numbers(n)"
    )
    warehouse.execute(
        "insert into intermediate.int_timing_zones"
        " select account_id, timezone from intermediate.int_accounts_live"
    )
    return warehouse


def margin(share: float) -> float:
    """Three standard errors of a share of the simulated accounts."""
    return 3 * math.sqrt(share * (1 - share) / ACCOUNTS)


@pytest.mark.parametrize("deviation", [0.5, 0.9])
@pytest.mark.parametrize("posts", [40, 100, 200])
def test_chance_is_rarely_taken_for_an_effect(
    empty: RawWarehouse, posts: int, deviation: float
) -> None:
    found = recommended(empty, posts, Simulation(posts, deviation))
    share = len(found) / ACCOUNTS
    FIGURES.append(
        f"posting times: {share:.1%} of {ACCOUNTS} accounts of {posts} posts without effect"
        f" (log-sd {deviation}) got a recommendation"
    )
    assert share <= 0.05 + margin(0.05)


def test_a_planted_effect_is_found(empty: RawWarehouse) -> None:
    shares = {}
    for deviation in (0.5, 0.9):
        found = recommended(empty, 2, Simulation(200, deviation, planted=20, effect=0.6))
        shares[deviation] = sum(when == PLANTED for when in found) / ACCOUNTS
        FIGURES.append(
            f"posting times: +60 % with 20 of 200 posts found in {shares[deviation]:.1%} of"
            f" {ACCOUNTS} accounts (log-sd {deviation})"
        )
    assert shares[0.5] >= 0.8 - (margin(0.8) if ACCOUNTS < 1000 else 0)
