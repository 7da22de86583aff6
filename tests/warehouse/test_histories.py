"""Random histories: every mart equals what plain Python makes of the same readings."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .cells import assert_same
from .histories import Histories, generate, land
from .raw_warehouse import RawWarehouse
from .reference import (
    AGES,
    BENCHMARKED,
    COUNTERS,
    METRICS,
    WINDOW_AGES,
    Expected,
    at_age,
    benchmark,
    engagements,
    last_known,
    quarter_hour,
    rate,
    score,
)

WINDOWS = ("24h", "7d", "30d", "90d")


@pytest.fixture(scope="module", params=[1, 2], ids=lambda seed: f"seed-{seed}")
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RawWarehouse, Histories, Expected]:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("histories") / "warehouse.duckdb")
    histories = generate(warehouse, request.param, posts=25)
    land(warehouse, histories.events)
    warehouse.build()
    return warehouse, histories, histories.expected()


Built = tuple[RawWarehouse, Histories, Expected]


def test_snapshots_hold_each_slot_once_with_its_rate_and_score(built: Built) -> None:
    warehouse, _, expected = built
    assert_same(
        warehouse.rows("select * from marts.analytics_snapshots"),
        {
            (key,): {name: reading.counters.get(name) for name in COUNTERS}
            | {
                "post_id": reading.post.post_id,
                "collected_at": reading.collected_at,
                "slot_start": reading.slot,
                "source": reading.source,
                "engagement_score": score(reading.counters, reading.post.account.platform),
                "engagement_rate": rate(
                    engagements(reading.post.account.kind, "engagements", reading),
                    reading.counters.get("impressions"),
                ),
            }
            for key, reading in expected.snapshots.items()
        },
        "id",
    )


def test_increments_follow_the_table_of_bases(built: Built) -> None:
    warehouse, _, expected = built
    assert {row.basis for row in expected.increments} == {"observed", "lifetime", "catch_up"}
    assert any(row.is_gap for row in expected.increments)
    assert any(row.is_correction for row in expected.increments)
    assert_same(
        warehouse.rows("select * from marts.post_increments"),
        {
            (row.id,): {
                "slot_start": row.slot_start,
                "collected_at": row.collected_at,
                "activity_at": row.activity_at,
                "activity_slot": row.activity_slot,
                "basis": row.basis,
                "is_gap": row.is_gap,
                "is_correction": row.is_correction,
            }
            | {f"new_{name}": row.new[name] for name in METRICS}
            for row in expected.increments
        },
        "id",
    )


def test_scores_hold_the_last_known_values(built: Built) -> None:
    warehouse, _, expected = built
    wanted: dict[Any, dict[str, Any]] = {}
    for post in expected.posts:
        if history := expected.histories[post.post_id]:
            known = last_known(history, post.account.kind)
            wanted[(post.post_id,)] = known | {
                "collected_at": history[-1].collected_at,
                "engagement_rate": rate(known["engagements"], known["impressions"]),
                "engagement_score": score(known, post.account.platform),
            }
    assert_same(warehouse.rows("select * from marts.post_scores"), wanted, "post_id")


def test_quarter_hours_hold_the_increments_and_slots_of_each(built: Built) -> None:
    warehouse, _, expected = built
    assert_same(
        warehouse.rows("select * from marts.quarter_hour_metrics"),
        {
            (account, start): measures
            for account in expected.accounts
            for start, measures in expected.grouped(account, quarter_hour).items()
        },
        "account_id",
        "quarter_hour",
    )


def test_days_are_cut_at_the_midnights_of_the_account(built: Built) -> None:
    warehouse, _, expected = built
    wanted: dict[Any, dict[str, Any]] = {}
    for account, entry in expected.accounts.items():
        zone = ZoneInfo(entry.account.timezone)
        days = expected.grouped(account, lambda moment: moment.astimezone(zone).date())  # noqa: B023
        wanted |= {(account, day): measures for day, measures in days.items()}
    assert_same(warehouse.rows("select * from marts.daily_metrics"), wanted, "account_id", "day")


def test_windows_and_the_periods_before_are_sums_of_increments(built: Built) -> None:
    warehouse, _, expected = built
    wanted = {
        (account, name): row
        for account in expected.accounts
        for name in WINDOWS
        if (row := expected.window(account, name))
    }
    found = warehouse.rows("select * from marts.window_metrics")
    assert_same(found, wanted, "account_id", "window_name")


def test_posts_published_in_a_window_are_compared_at_one_age(built: Built) -> None:
    warehouse, _, expected = built
    wanted = {
        (account, name): row
        for account in expected.accounts
        for name in WINDOW_AGES
        if (row := expected.published_window(account, name))
    }
    rows = wanted.values()
    for count in ("compared_posts", "too_young_posts", "unrecorded_posts"):
        assert any(row[count] for row in rows), count
    assert any(row["previous_impressions"] for row in rows)
    found = warehouse.rows("select * from marts.published_window_metrics")
    assert_same(found, wanted, "account_id", "window_name")


def test_the_rollup_takes_each_posts_last_snapshot_of_the_readers_day(built: Built) -> None:
    warehouse, histories, expected = built
    wanted: dict[Any, dict[str, Any]] = {}
    for user, accounts in histories.members.items():
        readable = {account.account_id for account in accounts}
        for platform in ("twitter", "linkedin"):
            zone = ZoneInfo(histories.zones[user])
            for day, row in expected.rollup(zone, readable, platform).items():
                wanted[user, day, platform] = row
    found = warehouse.rows("select * from marts.daily_rollup")
    assert_same(found, wanted, "user_key", "day", "platform")


def test_accounts_know_how_fresh_they_are(built: Built) -> None:
    warehouse, _, expected = built
    wanted = {
        (account,): {
            "as_of": expected.as_of[account],
            "posts": sum(post.account.account_id == account for post in expected.posts),
        }
        for account in expected.accounts
    }
    assert_same(warehouse.rows("select * from marts.accounts"), wanted, "account_id")


def test_values_at_an_age_lie_between_the_readings_around_it(built: Built) -> None:
    warehouse, _, expected = built
    wanted = {
        (post.post_id, hours): values
        for post in expected.posts
        for hours in AGES
        if (values := at_age(expected.histories[post.post_id], hours))
    }
    assert wanted
    found = warehouse.rows("select * from marts.post_age_values")
    assert_same(found, wanted, "post_id", "age_hours")


def test_a_post_stands_against_its_accounts_posts_of_the_90_days_before(built: Built) -> None:
    warehouse, _, expected = built
    values: dict[tuple[Any, int], dict[str, Any]] = {}
    oldest: dict[Any, int] = {}
    for post in expected.posts:
        history = expected.histories[post.post_id]
        for hours in AGES:
            if aged := at_age(history, hours):
                values[post.post_id, hours] = aged
                oldest[post.post_id] = hours
        if history and all(reading.source == "file" for reading in history):
            known = last_known(history, post.account.kind)
            oldest[post.post_id] = 0
            values[post.post_id, 0] = known | {
                "engagement_rate": rate(known["engagements"], known["impressions"]),
                "engagement_score": score(known, post.account.platform),
            }
    wanted = {}
    for post in expected.posts:
        if (age := oldest.get(post.post_id)) is None:
            continue
        peers = [
            values[other.post_id, age]
            for other in expected.posts
            if other.account == post.account
            and (other.post_id, age) in values
            and timedelta(0) < post.published_at - other.published_at <= timedelta(days=90)
        ]
        for metric in BENCHMARKED:
            own = values[post.post_id, age][metric]
            others = [peer[metric] for peer in peers if peer[metric] is not None]
            wanted[post.post_id, metric] = benchmark(own, others) | {
                "own_value": own,
                "age_hours": age or None,
            }
    found = warehouse.rows("select * from marts.post_benchmarks")
    assert_same(found, wanted, "post_id", "metric")


def test_every_rise_above_1000_percent_is_flagged(built: Built) -> None:
    warehouse, _, expected = built
    wanted = {}
    for post in expected.posts:
        before: dict[str, int | None] = {}
        for reading in expected.histories[post.post_id]:
            for name in COUNTERS:
                value, base = reading.counters.get(name), before.get(name)
                if value is not None and base is not None and base > 0 and value > 11 * base:
                    young = reading.collected_at - post.published_at < timedelta(hours=48)
                    wanted[reading.snapshot_id, name] = {
                        "previous_value": base,
                        "current_value": value,
                        "status": "expected" if young or base < 100 else "open",
                    }
                if value is not None:
                    before[name] = value
    found = warehouse.rows("select * from marts.metric_delta_flags")
    assert_same(found, wanted, "snapshot_id", "metric")
