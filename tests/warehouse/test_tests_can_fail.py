"""Tests of the tests: each one of our own is seen red on data or on a model that deserves it.

The data tests run as the SQL that dbt compiled, on a good warehouse that one statement makes bad;
what that statement breaks, and nothing else, must turn red. The unit tests run on models with a
planted mistake.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from .histories import generate, land
from .raw_warehouse import RawWarehouse, copied_project

#: Of dbt itself; the rest is ours and must be proven here.
BUILT_IN = {"relationships", "accepted_values", "not_null", "unique"}


@dataclass(frozen=True)
class Bad:
    """A statement that breaks a promise, and the tests that must say so."""

    statement: str
    red: frozenset[str]


def bad(statement: str, *red: str) -> Bad:
    return Bad(statement, frozenset(red))


_ONE_INCREMENT = "id = (select min(id) from marts.post_increments where new_impressions > 0)"
_BUSY_DAY = """
    (account_id, day) = (
        select (account_id, day) from marts.daily_metrics where new_likes > 0
        order by account_id, day limit 1
    )
"""
_BUSY_QUARTER = """
    (account_id, quarter_hour) = (
        select (account_id, quarter_hour) from marts.quarter_hour_metrics
        where observed_likes > 0 and active_posts > 0 and due_slots > 0 and filled_slots < due_slots
        order by account_id, quarter_hour limit 1
    )
"""
_LIVE_READING = """
    rowid = (
        select min(snapshots.rowid) from raw.twitter_snapshots as snapshots
        inner join marts.analytics_snapshots as marted
            on marted.id = cast(snapshots.snapshot_id as uuid)
            and marted.collected_at = snapshots.collected_at
        where like_count > 0
    )
"""

BADS = {
    "an X reading whose post's id is in capitals": bad(
        f"update raw.twitter_snapshots set post_id = upper(post_id) where {_LIVE_READING}",
        "stg_twitter__snapshots_ids_are_plain_text",
        "landed_readings_reach_the_snapshots",
    ),
    "a LinkedIn reading whose post's id is in capitals": bad(
        "update raw.linkedin_snapshots set post_id = upper(post_id)"
        " where rowid = (select min(rowid) from raw.linkedin_snapshots)",
        "stg_linkedin__snapshots_ids_are_plain_text",
        "landed_readings_reach_the_snapshots",
    ),
    "a score above its ceiling": bad(
        "update intermediate.int_snapshots set engagement_score = 1000.01"
        " where snapshot_id = (select min(id) from marts.analytics_snapshots)",
        "snapshot_scores_are_within_bounds",
    ),
    "a rate without impressions": bad(
        "update intermediate.int_snapshots set engagement_rate = 0.1"
        " where impressions is null or impressions = 0",
        "snapshots_without_impressions_have_no_rate",
    ),
    "a snapshot of unknown formula": bad(
        "update intermediate.int_snapshots set engagements_basis = null"
        " where snapshot_id = (select min(id) from marts.analytics_snapshots)",
        "snapshots_know_their_formula",
    ),
    "a snapshot that lost its post's id on the platform": bad(
        "update intermediate.int_snapshots set platform_post_id = null"
        " where snapshot_id = (select min(id) from marts.analytics_snapshots)",
        "snapshots_say_what_they_are_of",
    ),
    "a post's score below zero": bad(
        "update marts.post_scores set engagement_score = -0.01"
        " where post_id = (select min(post_id) from marts.post_scores)",
        "post_scores_are_within_bounds",
    ),
    "a snapshot that lost its increment": bad(
        f"update marts.post_increments set id = uuid() where {_ONE_INCREMENT}",
        "every_snapshot_has_one_increment",
    ),
    "an increment on the wrong post": bad(
        "update marts.post_increments set slot_start = slot_start + interval 2 hour"
        f" where {_ONE_INCREMENT}",
        "every_snapshot_has_one_increment",
    ),
    "an increment one too high": bad(
        f"update marts.post_increments set new_bookmarks = coalesce(new_bookmarks, 0) + 1"
        f" where {_ONE_INCREMENT}",
        "increments_add_up_to_last_known_values",
        "quarter_hours_add_up_to_the_increments",
    ),
    "engagements that do not add up": bad(
        "update marts.post_scores set engagements = engagements + 1"
        " where post_id = (select min(post_id) from marts.post_scores where engagements > 0)",
        "increments_add_up_to_last_known_values",
    ),
    "a fall that nobody flagged": bad(
        "update marts.post_increments set is_correction = false where id ="
        " (select min(id) from marts.post_increments where is_correction)",
        "falls_are_flagged",
    ),
    "a flag without a fall": bad(
        f"update marts.post_increments set is_correction = true where {_ONE_INCREMENT}"
        " and not is_correction",
        "falls_are_flagged",
    ),
    "a landed reading that never reached the mart": bad(
        "delete from intermediate.int_snapshots where snapshot_id = ("
        " select min(snapshots.id) from marts.analytics_snapshots as snapshots"
        " inner join marts.post_increments as increments on increments.id = snapshots.id"
        " where snapshots.source = 'api' and snapshots.slot_start > ("
        "  select min(first_due_slot) from intermediate.int_posts)"
        " and snapshots.likes is null and snapshots.impressions is null)",
        "landed_readings_reach_the_snapshots",
        "every_snapshot_has_one_increment",
    ),
    "a reading that differs from what landed": bad(
        f"update raw.twitter_snapshots set like_count = like_count + 1 where {_LIVE_READING}",
        "landed_readings_reach_the_snapshots",
    ),
    "a file row that never reached the mart": bad(
        "delete from intermediate.int_snapshots where snapshot_id = ("
        " select min(files.id) from marts.analytics_snapshots as files"
        " inner join marts.analytics_snapshots as later on later.post_id = files.post_id"
        "  and later.slot_start > files.slot_start"
        " where files.source = 'file' and later.impressions + later.likes + later.replies"
        "  + later.retweets + later.clicks is not null)",
        "file_posts_reach_the_snapshots",
        "every_snapshot_has_one_increment",
    ),
    "a post with two snapshots from files": bad(
        "update intermediate.int_snapshots set source = 'file' where post_id = ("
        " select min(post_id) from marts.posts where has_file_snapshots and has_api_snapshots"
        " and snapshots > 3 and not is_deleted)",
        "landed_readings_reach_the_snapshots",
        "file_posts_reach_the_snapshots",
    ),
    "a quarter hour that lost a like": bad(
        "update marts.quarter_hour_metrics set new_likes = new_likes - 1,"
        f" observed_likes = observed_likes - 1 where {_BUSY_QUARTER}",
        "quarter_hours_add_up_to_the_increments",
        "rollup_gains_agree_with_quarter_hours",
        "days_add_up_to_the_quarter_hours",
    ),
    "more slots filled than due": bad(
        f"update marts.quarter_hour_metrics set filled_slots = due_slots + 1 where {_BUSY_QUARTER}",
        "quarter_hours_are_never_overfilled",
        "days_add_up_to_the_quarter_hours",
        "due_slots_agree_with_slot_numbers",
        "windows_are_sums_of_their_days",
    ),
    "a due slot that nobody counted": bad(
        f"update marts.quarter_hour_metrics set due_slots = due_slots - 1 where {_BUSY_QUARTER}",
        "days_add_up_to_the_quarter_hours",
        "due_slots_agree_with_slot_numbers",
        "windows_are_sums_of_their_days",
    ),
    "a day that holds a like too many": bad(
        f"update marts.daily_metrics set new_likes = new_likes + 1 where {_BUSY_DAY}",
        "days_add_up_to_the_quarter_hours",
        "windows_are_sums_of_their_days",
    ),
    "a day whose unknown became zero": bad(
        "update marts.daily_metrics set new_comments = 0 where platform = 'twitter'",
        "days_add_up_to_the_quarter_hours",
        "windows_are_sums_of_their_days",
    ),
    "a window that is not the sum of its days": bad(
        "update marts.window_metrics set observed_engagements = observed_engagements + 1"
        " where window_name = '30d'",
        "windows_are_sums_of_their_days",
    ),
    "a period before that reaches into the window": bad(
        "update marts.window_metrics set previous_end = window_start + interval 1 minute"
        " where window_name = '24h'",
        "windows_are_in_order",
    ),
    "a post published that no count holds": bad(
        "update marts.published_window_metrics set posts_published = posts_published + 1"
        " where window_name = '7d'",
        "published_posts_are_counted_once",
    ),
    "a percentile above 100": bad(
        "update marts.post_benchmarks set percentile = 100.01"
        " where metric = 'impressions'"
        " and post_id = (select min(post_id) from marts.post_benchmarks)",
        "percentiles_are_within_bounds",
    ),
    "a recommendation that nothing supports": bad(
        "insert into marts.posting_times by name"
        " select account_id, platform, timezone, 'impressions' as measure, 1 as weekday,"
        " 9 as hour, 2 as n, 0 as mean_effect, true as is_top, true as is_recommended,"
        " 20 as posts, 'recommended' as verdict"
        " from marts.accounts limit 1",
        "only_the_top_hour_is_recommended",
    ),
    "a whole day without readings": bad(
        "update marts.collection_health set missing_days_30d = 1 where missing_days_30d = 0",
        "no_whole_day_is_missing",
    ),
    "readings that dropped": bad(
        "update marts.collection_health set has_unexplained_drop = true"
        " where not has_unexplained_drop",
        "readings_do_not_drop_unexplained",
    ),
    "a rollup that counts a reader's account twice": bad(
        "update marts.daily_rollup set new_impressions = 2 * new_impressions"
        " where new_impressions > 0",
        "rollup_gains_agree_with_quarter_hours",
    ),
}


@dataclass(frozen=True)
class DataTest:
    """A data test as dbt compiled it."""

    name: str
    kind: str
    model: str
    sql: str

    def failing(self, connection: duckdb.DuckDBPyConnection) -> int:
        """How many rows it finds."""
        row = connection.execute(f"select count(*) from ({self.sql})").fetchone()
        assert row is not None
        return int(row[0])


@dataclass(frozen=True)
class Proof:
    """A good warehouse, its tests, and where landing put what each staging model reads."""

    connection: duckdb.DuckDBPyConnection
    tests: dict[str, DataTest]
    tables: dict[str, str]
    #: What the tests that only warn found from the start: readings are missing in random histories.
    warnings: dict[str, int]

    def red(self) -> set[str]:
        """Names of the tests that find more now than from the start."""
        return {
            test.name
            for test in self.tests.values()
            if test.failing(self.connection) > self.warnings.get(test.name, 0)
        }

    def red_after(self, statement: str) -> set[str]:
        """The same after a statement, which is taken back."""
        self.connection.execute("begin")
        try:
            self.connection.execute(statement)
            return self.red()
        finally:
            self.connection.execute("rollback")


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proof]:
    warehouse = RawWarehouse(tmp_path_factory.mktemp("tested") / "warehouse.duckdb")
    land(warehouse, generate(warehouse, 1, accounts=16).events)
    manifest = warehouse.build().manifest()
    connection = duckdb.connect(warehouse.path)
    connection.execute("set TimeZone = 'UTC'")
    tests, warnings = {}, {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            model = node.get("attached_node") or ""
            kind = (node.get("test_metadata") or {}).get("name", "singular")
            sql = _compiled(warehouse, node)
            test = DataTest(node["name"], kind, model.rpartition(".")[2], sql)
            tests[test.name] = test
            if node["config"]["severity"].lower() == "warn":
                warnings[test.name] = test.failing(connection)
    yield Proof(connection, tests, _tables(manifest), warnings)
    connection.close()


def _compiled(warehouse: RawWarehouse, node: dict[str, Any]) -> str:
    folder = warehouse.path.parent / "target" / "compiled" / "nexus_analytics"
    path = str(node["original_file_path"])
    if path.endswith(".yml"):
        path = f"{path}/{node['path']}"
    return (folder / path).read_text()


def _tables(manifest: dict[str, Any]) -> dict[str, str]:
    """Model or seed -> the table to insert into; a view's is the one it reads."""
    tables = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] in {"model", "seed"}:
            table = f"{node['schema']}.{node['name']}"
            if node["config"]["materialized"] == "view":
                (read,) = node["depends_on"]["nodes"]
                source, model = manifest["sources"].get(read), manifest["nodes"].get(read)
                table = (
                    f"raw.{source['identifier']}"
                    if source
                    else f"{model['schema']}.{model['name']}"
                )
            tables[node["name"]] = table
    return tables


def test_a_good_warehouse_is_green(proof: Proof) -> None:
    assert not proof.red()


@pytest.mark.parametrize("name", BADS)
def test_bad_data_turns_its_tests_red_and_no_other(proof: Proof, name: str) -> None:
    assert proof.red_after(BADS[name].statement) == BADS[name].red


def test_every_primary_key_test_finds_a_doubled_row(proof: Proof) -> None:
    for test in proof.tests.values():
        if test.kind == "primary_key":
            table = proof.tables[test.model]
            if proof.connection.execute(f"select count(*) from {table}").fetchone() == (0,):
                continue
            doubled = f"insert into {table} select * from {table} limit 1"
            assert test.name in proof.red_after(doubled)


def test_every_test_of_our_own_is_proven_here(proof: Proof) -> None:
    proven = set().union(*(case.red for case in BADS.values()))
    own = {test.name for test in proof.tests.values() if test.kind not in BUILT_IN}
    keys = {test.name for test in proof.tests.values() if test.kind == "primary_key"}
    assert own - keys - proven == set()


def test_a_test_with_unusable_arguments_says_what_it_needs(tmp_path: Path) -> None:
    project = copied_project(tmp_path)
    path = project / "models" / "marts" / "core" / "accounts.yml"
    path.write_text(path.read_text().replace("columns: [account_id]", "columns: account_id"))
    run = RawWarehouse(tmp_path / "warehouse.duckdb").dbt(
        "compile", "--select", "accounts_primary_key", check=False, project=project
    )
    assert run.returncode != 0
    assert "primary_key needs columns: a list of the columns that name a row" in run.output


#: File -> (what stands there, the mistake): each breaks the unit tests of a model, and all at once.
MISTAKES = {
    "dbt_project/macros/rates.sql": (
        ("* 20000 + abs(", "* 20000 + 0 * abs("),  # rates are cut, not rounded
        ("', 0) * 20000 + ' ~ base", "', 0) * 20000 + 0 * ' ~ base"),  # scores likewise
    ),
    "models/intermediate/int_snapshots.sql": (
        ("then unioned.{{ counter }} else 0", "then coalesce(unioned.{{ counter }}, 0) else 0"),
        ("files.collected_at desc", "files.collected_at asc"),
    ),
    "models/intermediate/int_metric_formulas.sql": (("' (without '", "' (with '"),),
    "dbt_project/macros/engine/windows.sql": (
        ("{{ expression }} ignore nulls", "{{ expression }} respect nulls"),
    ),
    "models/marts/core/post_increments.sql": (
        ("interval '48' hour", "interval '47' hour"),
        ("coalesce(before_{{ metric }}, 0)", "before_{{ metric }}"),
        ("formulas.lacks_{{ counter }} *", "-1 * formulas.lacks_{{ counter }} *"),
        ("first_due_index - 1 else", "first_due_index - 9 else"),
    ),
    "models/intermediate/int_day_spans.sql": (("interval '15' minute", "interval '16' minute"),),
    "models/intermediate/int_window_bounds.sql": (
        ("end_clock - interval", "start_clock - interval"),
    ),
    "models/marts/windows/published_window_metrics.sql": (
        ("previous_end - (window_end - as_of)", "window_end"),
    ),
}


def test_every_unit_test_finds_a_mistake_in_its_model(tmp_path: Path) -> None:
    project = copied_project(tmp_path)
    warehouse = RawWarehouse(tmp_path / "warehouse.duckdb")
    warehouse.dbt("build", "--empty", "--exclude-resource-type", "test", "--threads", "1")
    for name, mistakes in MISTAKES.items():
        text = (project / name).read_text()
        for right, wrong in mistakes:
            assert right in text, f"{name} no longer holds {right!r}"
            text = text.replace(right, wrong)
        (project / name).write_text(text)
    run = warehouse.dbt("test", "--select", "test_type:unit", check=False, project=project)
    statuses = run.statuses()
    assert statuses
    assert {name for name, status in statuses.items() if status == "pass"} == set()
