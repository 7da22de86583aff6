"""Archived readings: the marts that are kept for ever keep what they have, whatever comes after."""

from pathlib import Path

import pytest

from tests.soak.scale import SCALE

from .histories import Built, generate, land
from .raw_warehouse import RawWarehouse, at
from .test_incremental import assert_equal_to_a_full_refresh, contents

START, END = at("2025-11-01"), at("2026-04-07 13:37")
BEFORE = at("2026-01-07")
#: The mart that archived readings leave.
OF_HOT_READINGS = {"marts.analytics_snapshots"}


SEEDS = [8, 6, 7, 10] if SCALE >= 1 else [8]
CHANGES = {
    "an account's zone": "update raw.control_accounts set timezone = 'Asia/Kathmandu'",
    "deleted posts": "update raw.control_tracked_posts set state = 'deleted',"
    " deleted_at = published_at + interval 3 day"
    " where published_at < '2026-01-01' and state <> 'deleted'",
    "a reader's zone": "update raw.control_users set timezone = 'Pacific/Chatham'"
    " where user_key = 'user-0'",
    "an earlier start": "update raw.control_connections"
    " set connected_at = connected_at - interval 5 day",
    "new readers": "insert into raw.control_account_members (account_id, user_key, role)"
    " select account_id, 'user-1', 'viewer' from raw.control_accounts where account_id not in"
    " (select account_id from raw.control_account_members where user_key = 'user-1')",
}


@pytest.fixture(scope="module", params=SEEDS)
def archived_once(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    """A built warehouse of which readings were archived; a tenth of the rows is still to come."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("archived") / "warehouse.duckdb")
    histories = generate(warehouse, request.param, posts=14, start=START, end=END)
    histories.random.shuffle(histories.events)
    late = len(histories.events) // 10
    land(warehouse, histories.events[late:])
    histories.events = histories.events[:late]
    warehouse.run()
    assert warehouse.archive(BEFORE) > 100
    return Built(warehouse, histories)


@pytest.fixture
def archived(archived_once: Built, tmp_path: Path) -> Built:
    """A copy that a test may change."""
    return archived_once.copy(tmp_path / "archived")


def kept(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {name: rows for name, rows in contents(path).items() if name not in OF_HOT_READINGS}


@pytest.mark.long
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


def test_late_readings_of_archived_times_are_counted_as_if_nothing_were_archived(
    archived: Built,
) -> None:
    warehouse, events = archived.warehouse, archived.histories.events
    land(warehouse, events[: len(events) // 2])
    warehouse.run()
    land(warehouse, events[len(events) // 2 :])
    warehouse.build()
    assert_equal_to_a_full_refresh(warehouse)


@pytest.mark.long
@pytest.mark.parametrize("change", list(CHANGES) if SCALE >= 1 else list(CHANGES)[:1])
def test_what_changes_about_archived_posts_reaches_every_mart(archived: Built, change: str) -> None:
    archived.warehouse.execute(CHANGES[change])
    archived.warehouse.build()
    assert_equal_to_a_full_refresh(archived.warehouse)


@pytest.mark.long
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


@pytest.mark.long
def test_a_build_reads_archived_rows_only_where_they_count(archived: Built) -> None:
    warehouse = archived.warehouse
    recent = [
        event
        for event in archived.histories.events
        if event.reading.collected_at > at("2026-03-01") and event.file is None
    ]
    land(warehouse, recent)
    warehouse.run()
    touched = warehouse.rows("select distinct first_slot from intermediate.int_touched_posts")
    assert touched
    assert min(row["first_slot"] for row in touched) > at("2026-02-27")
    assert_equal_to_a_full_refresh(warehouse)
