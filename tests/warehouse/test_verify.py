"""A build tests the rows it touched, `verify` tests them all; sources say when they are stale."""

from datetime import UTC, datetime, timedelta

import pytest

from execution.analytics.aggregations import BuildError, Dbt, Finding

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
    found: list[Finding] = []
    with pytest.raises(BuildError, match=r"^falls_are_flagged: 2 rows fail$"):
        dbt.verify(tell=found.append)
    (finding,) = found
    assert finding.sentence.startswith("Where a counter is below the one known before it")
    assert finding.columns == ["id", "post_id", "slot_start", "is_correction", "falls"]
    assert {tuple(row[1:]) for row in finding.rows} == {
        (str(old.post_id), f"2026-03-10 {hour}:00:00+00:00", "True", "") for hour in ("00", "02")
    }
    assert finding.file.read_text().splitlines()[0] == "id,post_id,slot_start,is_correction,falls"
    warehouse.snapshot(old, at("2026-03-10 04:10"), impressions=20)
    run = warehouse.build(check=False)
    assert run.statuses()["falls_are_flagged"] == "fail"


def test_a_source_into_which_nothing_landed_for_too_long_is_told(warehouse: RawWarehouse) -> None:
    """Each by its own measure; one that never held a row is not used, not stale."""
    read_twice(warehouse)
    warehouse.run("--select", "stg_control__users")
    now = datetime.now(UTC)
    landed = {
        "twitter_snapshots": now - timedelta(hours=13),
        "twitter_posts": now - timedelta(days=29),
        "control_users": now - timedelta(hours=1),
        "control_accounts": now - timedelta(days=2),
        "control_account_members": now,
        "control_connections": now - timedelta(hours=11),
        "control_tracked_posts": now,
    }
    for table, moment in landed.items():
        warehouse.execute(f"update raw.{table} set first_landed_at = ?", moment)
    assert sorted(Dbt(warehouse.path.parent).stale_sources()) == [
        f"{source}: nothing landed since {landed[table]:%Y-%m-%d %H:%MZ}, longer ago than 12 hours"
        for source, table in (
            ("control.accounts", "control_accounts"),
            ("twitter_readings.snapshots", "twitter_snapshots"),
        )
    ]


def test_there_is_nothing_to_verify_or_preview_before_a_build(warehouse: RawWarehouse) -> None:
    dbt = Dbt(warehouse.path.parent)
    for ask in (dbt.verify, dbt.stale_sources, lambda: dbt.preview("posts", 1)):
        with pytest.raises(BuildError, match="nothing is built yet: nexus build"):
            ask()


def test_a_warehouse_that_cannot_be_opened_is_one_line(warehouse: RawWarehouse) -> None:
    warehouse.path.write_bytes(b"not a database")
    dbt = Dbt(warehouse.path.parent)
    for ask in (dbt.verify, dbt.stale_sources, lambda: dbt.preview("posts", 1)):
        with pytest.raises(BuildError, match=r"^the warehouse cannot be opened: [^\n]+$"):
            ask()
