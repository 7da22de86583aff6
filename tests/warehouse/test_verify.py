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


@pytest.mark.parametrize(
    ("age", "status"),
    [(timedelta(hours=1), "pass"), (timedelta(hours=13), "warn"), (timedelta(days=3), "error")],
)
def test_a_source_that_nothing_landed_in_says_so(
    warehouse: RawWarehouse, age: timedelta, status: str
) -> None:
    warehouse.landed_at = datetime.now(UTC) - age
    read_twice(warehouse)
    warehouse.run()
    run = warehouse.dbt("source", "freshness", "--select", "source:twitter_readings", check=False)
    assert run.freshness() == {"snapshots": status}
