"""A build tests the rows it touched, `verify` tests them all; sources say when they are stale."""

from datetime import UTC, datetime, timedelta

import pytest

from execution.analytics.aggregations import BuildError, Dbt

from .raw_warehouse import Post, RawWarehouse, at


def read_twice(warehouse: RawWarehouse) -> tuple[Post, Post]:
    """Two posts with two readings each, not yet built."""
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"), members={"user-1": "owner"})
    first, second = (warehouse.post(account, name, at("2026-03-10 00:00")) for name in ("1", "2"))
    for post in (first, second):
        for hour in (0, 2):
            warehouse.snapshot(post, at(f"2026-03-10 {hour:02}:10"), impressions=10 + hour)
    return first, second


def test_a_mistake_in_rows_that_no_build_touched_is_found_by_verify(
    warehouse: RawWarehouse,
) -> None:
    old, new = read_twice(warehouse)
    warehouse.build()
    dbt = Dbt(warehouse.path.parent)
    passed = dbt.verify()
    assert passed.tests_passed > 100
    assert passed.models == 0
    warehouse.execute(
        "update marts.post_increments set is_correction = true where post_id = ?", old.post_id
    )
    warehouse.snapshot(new, at("2026-03-10 04:10"), impressions=20)
    warehouse.build()
    with pytest.raises(BuildError, match="falls_are_flagged: Got 2 results"):
        dbt.verify()
    warehouse.snapshot(old, at("2026-03-10 04:10"), impressions=20)
    run = warehouse.build(check=False)
    assert run.statuses()["falls_are_flagged"] == "fail"


def test_a_source_that_nothing_landed_in_says_so(warehouse: RawWarehouse) -> None:
    read_twice(warehouse)
    warehouse.run()
    said = {}
    for hours in (1, 13, 72):
        warehouse.execute(
            "update raw.twitter_snapshots set first_landed_at = ?",
            datetime.now(UTC) - timedelta(hours=hours),
        )
        run = warehouse.dbt(
            "source", "freshness", "--select", "source:twitter_readings", check=False
        )
        said[hours] = run.freshness()["snapshots"]
    assert said == {1: "pass", 13: "warn", 72: "error"}
