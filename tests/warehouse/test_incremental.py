"""Whatever comes in whatever order and portions: the marts are those of a build from nothing."""

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from execution.analytics.aggregations import Dbt
from tests.soak.scale import scaled

from .histories import Built, Event, Histories, generate, land
from .raw_warehouse import RawWarehouse, at, copied_project

SCHEMAS = ("marts", "content")
#: Internal tables that later builds start from, so that a lasting error in them shows as well.
KEPT = (
    "int_post_totals",
    "int_account_days",
    "int_slot_coverage",
    "int_timing_units",
    "int_timing_evidence",
    "int_metric_jumps",
    "int_local_days",
    "int_touched_before",
)
#: Of these a build keeps what it needs no more.
GROWING = {"intermediate.int_local_days"}
#: 2 + seed % 6 cuts: the first one's are three, and an odd number shuffles all readings.
SEEDS = range(13, 13 + scaled(20))

#: Where a post and its readings land.
RAW_OF_POSTS = (
    "control_tracked_posts",
    "twitter_posts",
    "twitter_snapshots",
    "linkedin_posts",
    "linkedin_snapshots",
)


def contents(path: Path, *, but: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all published tables, and of the internal ones that are kept, in one order.

    `but`: a column that is left out.
    """
    with duckdb.connect(path, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('marts', 'content')"
            " or (table_schema = 'intermediate' and list_contains(?, table_name)) order by all",
            [list(KEPT)],
        ).fetchall()
        return {
            f"{schema}.{table}": connection.execute(
                f"select columns(name -> name <> ?)::varchar from {schema}.{table} order by all",
                [but],
            ).fetchall()
            for schema, table in tables
        }


def assert_equal_to_a_full_refresh(warehouse: RawWarehouse) -> None:
    found = contents(warehouse.path)
    other = warehouse.path.parent / "full"
    shutil.rmtree(other, ignore_errors=True)
    other.mkdir()
    shutil.copy(warehouse.path, other / "warehouse.duckdb")
    refreshed = RawWarehouse.at(other / "warehouse.duckdb")
    refreshed.run("--full-refresh")
    wanted = contents(refreshed.path)
    assert set(found) == set(wanted)
    for table, rows in wanted.items():
        extra, missing = set(found[table]) - set(rows), set(rows) - set(found[table])
        if table not in GROWING:
            assert not extra, f"{table} has rows that a full refresh has not: {sorted(extra)[:2]}"
        assert not missing, f"{table} lacks rows: {sorted(missing)[:2]}"
        assert len(found[table]) == len(set(found[table])), f"{table} holds rows twice"


def portions(histories: Histories, number: int) -> list[list[Event]]:
    """The readings in a random order and in portions of random sizes, now and then an empty one."""
    events = histories.events[:]
    if number % 2:
        histories.random.shuffle(events)
    else:  # mostly in order, a tenth of them late
        late = [event for event in events if histories.random.random() < 0.1]
        events = sorted(
            (event for event in events if event not in late),
            key=lambda event: event.reading.collected_at,
        )
        events += late
    cuts = sorted(histories.random.randrange(len(events) + 1) for _ in range(number))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Built:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("built_once") / "warehouse.duckdb")
    histories = generate(warehouse, 21)
    land(warehouse, histories.events)
    warehouse.run()
    return Built(warehouse, histories)


@pytest.fixture
def built(built_once: Built, tmp_path: Path) -> Built:
    """A copy that a test may change."""
    return built_once.copy(tmp_path / "built")


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_and_portions_of_loads_give_what_a_full_refresh_gives(
    warehouse: RawWarehouse, seed: int
) -> None:
    histories = generate(warehouse, seed)
    for portion in [[], *portions(histories, 2 + seed % 6)]:
        land(warehouse, portion)
        warehouse.run()
    warehouse.dbt("test", "--select", "test_type:data")
    assert_equal_to_a_full_refresh(warehouse)


def test_what_changes_about_accounts_and_posts_reaches_every_mart(built: Built) -> None:
    pick = random.Random(21)
    warehouse, histories = built.warehouse, built.histories
    post = pick.choice([post for post in histories.posts if post.post_id not in histories.deleted])
    account = next(entry.account for entry in histories.connected if entry.connected_at)
    changes = [
        (
            "update raw.control_accounts set timezone = 'Asia/Kathmandu' where account_id = ?",
            account,
        ),
        ("update raw.control_connections set connected_at = connected_at - interval 5 day", None),
        (
            "update raw.control_users set timezone = 'Pacific/Chatham' where user_key = 'user-0'",
            None,
        ),
        ("delete from raw.control_account_members where user_key = 'user-1'", None),
        (
            "insert into raw.control_account_members (account_id, user_key, role)"
            " select account_id, 'user-1', 'owner' from raw.control_accounts",
            None,
        ),
        (
            f"update raw.control_tracked_posts set state = 'deleted', deleted_at = published_at"
            f" + interval 3 day where post_id = '{post.post_id}'",
            None,
        ),
    ]
    for statement, subject in changes:
        warehouse.execute(statement, *([str(subject.account_id)] if subject else []))
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_a_merged_account_takes_its_rows_along(built: Built) -> None:
    warehouse = built.warehouse
    gone, kept = (entry.account.account_id for entry in built.histories.connected[:2])
    warehouse.execute(
        "update raw.control_accounts set merged_into = ? where account_id = ?", str(kept), str(gone)
    )
    warehouse.run()
    for mart in ("analytics_snapshots", "post_increments", "daily_metrics", "posts", "accounts"):
        left = warehouse.row(f"select count(*) as n from marts.{mart} where account_id = ?", gone)
        assert left["n"] == 0
    assert_equal_to_a_full_refresh(warehouse)


@pytest.mark.long
def test_a_build_that_failed_half_way_is_made_good_by_the_next(warehouse: RawWarehouse) -> None:
    histories = generate(warehouse, 41)
    half = len(histories.events) // 2
    land(warehouse, histories.events[:half])
    warehouse.run()
    land(warehouse, histories.events[half:])
    warehouse.land()
    warehouse.dbt("run", "--select", "+post_increments")  # then the power went
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_a_post_first_seen_by_a_failed_build_and_erased_since_leaves_nothing(built: Built) -> None:
    warehouse = built.warehouse
    account = next(entry.account for entry in built.histories.connected if entry.connected_at)
    published = built.histories.posts[0].published_at
    post = warehouse.post(account, "seen-once", published)
    for hours in (1, 3, 30):
        warehouse.snapshot(post, published + timedelta(hours=hours), impressions=100 * hours)
    warehouse.land()
    warehouse.dbt("run", "--select", "+quarter_hour_metrics")  # then the power went
    for table in RAW_OF_POSTS:
        warehouse.execute(f"delete from raw.{table} where post_id = ?", str(post.post_id))
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_readings_that_landed_before_their_post_was_known_come_with_it(
    warehouse: RawWarehouse,
) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01 00:00"), members={"user-1": "owner"})
    first = warehouse.post(account, "1", at("2026-03-10 00:00"))
    warehouse.snapshot(first, at("2026-03-10 02:05"), impressions=1)
    warehouse.run()
    second = warehouse.post(account, "2", at("2026-03-10 00:00"))
    for hour in (2, 4, 6):
        warehouse.snapshot(second, at(f"2026-03-10 0{hour}:05"), impressions=hour)
    warehouse.land()
    warehouse.execute(
        "update raw.twitter_snapshots set _dlt_load_id = (select min(_dlt_load_id) from"
        " raw.twitter_snapshots) where post_id = ? and slot_start < '2026-03-10 04:00:00+00'",
        str(second.post_id),
    )
    warehouse.dbt("run")
    found = warehouse.row(
        "select count(*) as n from marts.post_increments where post_id = ?", second.post_id
    )
    assert found == {"n": 3}
    assert_equal_to_a_full_refresh(warehouse)


def test_a_file_that_landed_before_its_account_is_live_again_comes_with_it(
    warehouse: RawWarehouse,
) -> None:
    warehouse.user()
    kept = warehouse.account("bob", connected_at=at("2026-03-01"), members={"user-1": "owner"})
    post = warehouse.post(kept, "7", at("2026-03-10 00:00"))
    warehouse.snapshot(post, at("2026-03-10 02:05"), impressions=5)
    account = warehouse.account(members={"user-1": "owner"})
    warehouse.export_row(account, "1", at("2026-03-10"), at("2026-03-12"), impressions=10, likes=1)
    warehouse.land()
    warehouse.execute(
        "update raw.control_accounts set merged_into = ? where account_id = ?",
        str(kept.account_id),
        str(account.account_id),
    )
    warehouse.run()
    assert warehouse.row("select count(*) as n from marts.posts") == {"n": 1}
    warehouse.execute("update raw.control_accounts set merged_into = null")
    warehouse.dbt("run")
    assert warehouse.row("select count(*) as n from marts.analytics_snapshots") == {"n": 2}
    assert_equal_to_a_full_refresh(warehouse)


def test_slots_that_became_due_reach_the_days_after_a_failed_build(
    warehouse: RawWarehouse,
) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-10"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    warehouse.snapshot(post, at("2026-03-10 00:05"), impressions=1)
    warehouse.run()
    warehouse.snapshot(post, at("2026-03-12 04:05"), impressions=2)
    warehouse.land()
    warehouse.dbt("run", "--select", "+quarter_hour_metrics")  # then the power went
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_an_api_reading_takes_the_slot_of_a_posts_only_file_row(warehouse: RawWarehouse) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"), members={"user-1": "owner"})
    posts = []
    for number in range(12):
        published = at("2026-02-10 00:00") + timedelta(days=number)
        posts.append(warehouse.post(account, str(number), published))
        warehouse.export_row(
            account,
            str(number),
            published,
            at("2026-03-05 00:10"),
            post_id=posts[-1].post_id,
            impressions=100 + number,
            likes=number,
        )
    warehouse.run()
    warehouse.snapshot(posts[3], at("2026-03-05 01:10"), impressions=500, likes=1)
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_a_part_built_again_keeps_what_archived_readings_gave(warehouse: RawWarehouse) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2025-11-01"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2025-11-10 00:00"))
    for hours in (1, 23, 25, 30, 40, 71, 80, 100, 200):
        moment = post.published_at + timedelta(hours=hours)
        warehouse.snapshot(post, moment, impressions=hours, likes=1)
    warehouse.run()
    assert warehouse.archive(at("2026-01-01"))
    warehouse.snapshot(post, at("2025-11-12 15:10"), impressions=63, likes=1)  # late
    warehouse.run()
    before = contents(warehouse.path)
    assert before["marts.post_age_values"]
    for part in (
        "analytics_snapshots",
        "post_increments",
        "post_age_values",
        "int_account_days",
        "int_slot_coverage+",
        "int_touched_days+",
    ):
        warehouse.dbt("run", "--select", part)
        assert contents(warehouse.path) == before


def test_an_id_in_capitals_of_a_later_load_is_found(warehouse: RawWarehouse) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    warehouse.snapshot(post, at("2026-03-10 02:05"), impressions=1)
    warehouse.run()
    warehouse.snapshot(post, at("2026-03-10 04:05"), impressions=2)
    warehouse.land()
    warehouse.execute(
        "update raw.twitter_snapshots set post_id = upper(post_id)"
        " where slot_start = '2026-03-10 04:00:00+00'"
    )
    run = warehouse.dbt("build", "--exclude-resource-types", "unit_test", check=False)
    assert run.statuses()["stg_twitter__snapshots_ids_are_plain_text"] == "fail"


def test_posts_that_become_due_as_time_goes_on_have_their_readings_counted(
    warehouse: RawWarehouse,
) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-10 13:00"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    warehouse.snapshot(post, at("2026-03-10 12:05"), impressions=1)  # by who was connected before
    warehouse.run()
    warehouse.snapshot(post, at("2026-03-10 14:05"), impressions=2)
    warehouse.build()
    assert_equal_to_a_full_refresh(warehouse)


@pytest.mark.usefixtures("real_dbt")
def test_a_build_may_follow_a_full_refresh(tmp_path: Path) -> None:
    RawWarehouse(tmp_path / "warehouse.duckdb")
    dbt = Dbt(tmp_path)
    assert dbt.build().models  # parsed as a full refresh, and remembered so
    assert dbt.build().tests_passed


@pytest.mark.long
def test_a_build_of_one_part_leaves_the_rest_to_the_next(warehouse: RawWarehouse) -> None:
    histories = generate(warehouse, 51)
    half = len(histories.events) // 2
    land(warehouse, histories.events[:half])
    warehouse.run()
    land(warehouse, histories.events[half:])
    warehouse.land()
    warehouse.dbt("run", "--select", "post_scores+")
    warehouse.dbt("run", "--select", "quarter_hour_metrics+")
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_a_replay_of_the_same_rows_changes_nothing(built: Built) -> None:
    before = contents(built.warehouse.path, but="load_id")
    land(built.warehouse, built.histories.events)
    built.warehouse.run()
    assert contents(built.warehouse.path, but="load_id") == before


def test_a_part_may_be_built_again_whether_its_posts_go_on_or_not(warehouse: RawWarehouse) -> None:
    histories = generate(warehouse, 52)
    half = len(histories.events) // 2
    land(warehouse, histories.events[:half])
    warehouse.run()
    land(warehouse, histories.events[half:])
    warehouse.run()
    touched = warehouse.row(
        "select count(*) filter (goes_on) > 0 as some, count(*) filter (not goes_on) > 0 as others"
        " from intermediate.int_touched_posts"
    )
    assert touched == {"some": True, "others": True}
    before = contents(warehouse.path)
    for part in (
        "analytics_snapshots",
        "post_increments",
        "int_post_totals",
        "int_loads analytics_snapshots",
    ):
        warehouse.dbt("run", "--select", *part.split())
        assert contents(warehouse.path) == before


def test_nothing_new_touches_nothing(built: Built) -> None:
    warehouse = built.warehouse
    warehouse.run()
    for table in ("int_touched_posts", "int_touched_quarters", "int_touched_days"):
        assert warehouse.row(f"select count(*) as n from intermediate.{table}") == {"n": 0}


def test_new_readings_touch_only_what_comes_after_them(warehouse: RawWarehouse) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    other = warehouse.post(account, "2", at("2026-03-10 00:00"))
    for hour in range(0, 24, 2):
        warehouse.snapshot(post, at(f"2026-03-10 {hour:02}:10"), impressions=hour)
        warehouse.snapshot(other, at(f"2026-03-10 {hour:02}:10"), impressions=hour)
    warehouse.run()
    warehouse.snapshot(post, at("2026-03-10 20:40"), impressions=21)
    warehouse.run()
    assert warehouse.rows("select post_id, first_slot from intermediate.int_touched_posts") == [
        {"post_id": post.post_id, "first_slot": at("2026-03-10 20:00")}
    ]
    quarters = warehouse.rows(
        "select quarter_hour from intermediate.int_touched_quarters order by all"
    )
    assert [row["quarter_hour"] for row in quarters] == [
        at("2026-03-10 20:00"),  # where it was
        at("2026-03-10 20:30"),  # where it is
        at("2026-03-10 22:00"),  # the one after it
    ]
    assert_equal_to_a_full_refresh(warehouse)


def test_a_late_reading_touches_what_follows_up_to_where_all_is_known_again(
    warehouse: RawWarehouse,
) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"), members={"user-1": "owner"})
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    for hour, counters in {
        0: {"impressions": 10, "likes": 1},
        8: {"impressions": 30},  # says nothing of likes
        12: {"impressions": 40, "likes": 4},
        16: {"impressions": 50, "likes": 5},
    }.items():
        warehouse.snapshot(post, at(f"2026-03-10 {hour:02}:10"), **counters)
    warehouse.run()
    warehouse.snapshot(post, at("2026-03-10 04:10"), impressions=20, likes=2)
    warehouse.run()
    span = warehouse.row("select first_slot, last_slot from intermediate.int_touched_posts")
    assert span == {"first_slot": at("2026-03-10 04:00"), "last_slot": at("2026-03-10 12:00")}
    warehouse.snapshot(post, at("2026-03-10 20:10"), impressions=60, likes=6)
    warehouse.run()
    span = warehouse.row("select first_slot, last_slot from intermediate.int_touched_posts")
    assert span == {"first_slot": at("2026-03-10 20:00"), "last_slot": at("9999-01-01")}
    assert_equal_to_a_full_refresh(warehouse)


def test_a_post_whose_type_becomes_known_is_compared_anew(warehouse: RawWarehouse) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-01-01"), members={"user-1": "owner"})
    posts = [
        warehouse.post(account, str(number), at("2026-03-01") + timedelta(days=number))
        for number in range(24)
    ]
    for number, post in enumerate(posts):
        for hours in (23, 25):
            moment = post.published_at + timedelta(hours=hours)
            warehouse.snapshot(post, moment, impressions=100 + number, likes=number)
    warehouse.run()
    warehouse.execute(
        f"update raw.{account.platform}_posts set post_type = 'reply' where platform_post_id <> '3'"
    )
    warehouse.run()
    assert_equal_to_a_full_refresh(warehouse)


def test_new_code_rebuilds_what_old_code_made(warehouse: RawWarehouse, tmp_path: Path) -> None:
    warehouse.user()
    account = warehouse.account(connected_at=at("2026-03-01"))
    post = warehouse.post(account, "1", at("2026-03-10 00:00"))
    warehouse.snapshot(post, at("2026-03-10 02:00"), impressions=100, likes=1)
    warehouse.run()
    project = copied_project(tmp_path)
    weights = project / "dbt_project" / "seeds" / "engagement_weights.csv"
    weights.write_text(weights.read_text() + "2,linkedin,likes,1.0\n2,twitter,likes,2.0\n")
    assert _score(warehouse) == 100
    warehouse.dbt("build", "--exclude-resource-types", "test", "unit_test", project=project)
    assert _score(warehouse) == 200
    versions = warehouse.rows(
        "select metric_version, is_current_version, engagement_score"
        " from marts.post_scores order by metric_version"
    )
    assert [tuple(row.values()) for row in versions] == [(1, False, 100), (2, True, 200)]
    rates = project / "dbt_project" / "macros" / "rates.sql"
    rates.write_text(rates.read_text().replace("* 20000 + abs(", "* 40000 + abs("))
    warehouse.dbt("build", "--exclude-resource-types", "test", "unit_test", project=project)
    row = warehouse.row("select engagement_rate, likes from marts.analytics_snapshots")
    assert row["engagement_rate"] is None  # replies, retweets ... were not sent
    assert warehouse.row("select count(*) as n from intermediate.int_touched_posts") == {"n": 1}


def test_a_model_that_fails_stays_as_it_was_built(warehouse: RawWarehouse, tmp_path: Path) -> None:
    warehouse.user()
    warehouse.account(connected_at=at("2026-03-01"))
    warehouse.run()
    project = copied_project(tmp_path)
    models = {
        "metric_availability": "marts",
        "int_metric_formulas": "intermediate",
        "stg_control__accounts": "staging",
    }
    held = [warehouse.rows(f"from {models[name]}.{name} order by all") for name in models]
    assert all(held)
    for name, schema in models.items():
        (path,) = (project / "models").rglob(f"{name}.sql")
        wrong = " where cast(concat('no', platform) as integer) = 1"
        if schema == "staging":  # a view's rows fail only who reads them
            wrong = " where no_such_column = 1"
        path.write_text(path.read_text() + wrong)
    run = warehouse.dbt("run", "--select", *models, project=project, check=False)
    assert {run.statuses()[name] for name in models} == {"error"}
    assert [warehouse.rows(f"from {models[name]}.{name} order by all") for name in models] == held


def _score(warehouse: RawWarehouse) -> object:
    return warehouse.row("select engagement_score from marts.analytics_snapshots")[
        "engagement_score"
    ]
