"""Archived readings: the marts that are kept for ever keep what they have, whatever comes after."""

from pathlib import Path

import pytest

from .histories import Histories, generate, land
from .raw_warehouse import RawWarehouse, at
from .test_incremental import assert_equal_to_a_full_refresh, contents

START, END = at("2025-11-01"), at("2026-04-07 13:37")
BEFORE = at("2026-01-07")
#: The marts and tables of which archived readings leave.
OF_HOT_READINGS = {"marts.analytics_snapshots", "intermediate.int_snapshots"}


def archived(warehouse: RawWarehouse, seed: int) -> Histories:
    """A built warehouse of which readings were archived; a tenth of the rows is still to come."""
    histories = generate(warehouse, seed, posts=14, start=START, end=END)
    histories.random.shuffle(histories.events)
    late = len(histories.events) // 10
    land(warehouse, histories.events[late:])
    histories.events = histories.events[:late]
    warehouse.run()
    assert warehouse.archive(BEFORE) > 100
    return histories


def kept(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {name: rows for name, rows in contents(path).items() if name not in OF_HOT_READINGS}


@pytest.mark.slow
def test_an_archive_takes_snapshots_and_nothing_else_out_of_the_marts(
    warehouse: RawWarehouse,
) -> None:
    generate_and_land = generate(warehouse, 5, posts=14, start=START, end=END)
    land(warehouse, generate_and_land.events)
    warehouse.run()
    before = contents(warehouse.path)
    moved = warehouse.archive(BEFORE)
    warehouse.run()
    after = contents(warehouse.path)
    assert kept(warehouse.path) == {
        name: rows for name, rows in before.items() if name not in OF_HOT_READINGS
    }
    lost = set(before["marts.analytics_snapshots"]) - set(after["marts.analytics_snapshots"])
    assert 0 < len(lost) <= moved
    warehouse.dbt("test", "--select", "test_type:data")
    assert_equal_to_a_full_refresh(warehouse)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [6, 7])
def test_late_readings_of_archived_times_are_counted_as_if_nothing_were_archived(
    warehouse: RawWarehouse, seed: int
) -> None:
    histories = archived(warehouse, seed)
    half = len(histories.events) // 2
    land(warehouse, histories.events[:half])
    warehouse.run()
    land(warehouse, histories.events[half:])
    warehouse.build()
    assert_equal_to_a_full_refresh(warehouse)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "update raw.control_users set timezone = 'Pacific/Chatham' where user_key = 'user-0'",
        "update raw.control_accounts set timezone = 'Asia/Kathmandu'",
        "update raw.control_connections set connected_at = connected_at - interval 5 day",
        "insert into raw.control_account_members (account_id, user_key, role)"
        " select account_id, 'user-1', 'viewer' from raw.control_accounts where account_id not in"
        " (select account_id from raw.control_account_members where user_key = 'user-1')",
        "update raw.control_tracked_posts set state = 'deleted',"
        " deleted_at = published_at + interval 3 day"
        " where published_at < '2026-01-01' and state <> 'deleted'",
    ],
)
def test_what_changes_about_archived_posts_reaches_every_mart(
    warehouse: RawWarehouse, change: str
) -> None:
    archived(warehouse, 8)
    warehouse.execute(change)
    warehouse.build()
    assert_equal_to_a_full_refresh(warehouse)


def test_a_row_found_hot_and_cold_counts_once(warehouse: RawWarehouse) -> None:
    generated = generate(warehouse, 9, posts=14, start=START, end=END)
    land(warehouse, generated.events)
    warehouse.run()
    warehouse.execute("create table hot as from raw.twitter_snapshots")
    before = contents(warehouse.path)
    warehouse.archive(BEFORE)
    warehouse.execute("delete from raw.twitter_snapshots")
    warehouse.execute("insert into raw.twitter_snapshots from hot")  # a kill before the delete
    warehouse.run("--full-refresh")
    after = contents(warehouse.path)
    assert after["marts.post_increments"] == before["marts.post_increments"]
    assert set(after["marts.analytics_snapshots"]) <= set(before["marts.analytics_snapshots"])
    warehouse.dbt("test", "--select", "test_type:data")


def test_a_build_reads_archived_rows_only_where_they_count(warehouse: RawWarehouse) -> None:
    histories = archived(warehouse, 10)
    recent = [event for event in histories.events if event.reading.collected_at > at("2026-03-01")]
    land(warehouse, [event for event in recent if event.file is None])
    warehouse.run()
    touched = warehouse.rows("select distinct first_slot from intermediate.int_touched_posts")
    assert touched
    assert min(row["first_slot"] for row in touched) > at("2026-02-27")
    assert_equal_to_a_full_refresh(warehouse)
