"""Tests of the tests: each one is seen red on data or on a model that deserves it.

The data tests run as the SQL that dbt compiled, on a good warehouse that one statement makes bad;
what that statement breaks, and nothing else, must turn red. The unit tests run on models with a
planted mistake.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from .histories import generate, land
from .raw_warehouse import RawWarehouse, copied_project


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
        "update marts.analytics_snapshots set engagement_score = 1000.01"
        " where id = (select min(id) from marts.analytics_snapshots)",
        "snapshot_scores_are_within_bounds",
    ),
    "a rate without impressions": bad(
        "update marts.analytics_snapshots set engagement_rate = 0.1"
        " where impressions is null or impressions = 0",
        "snapshots_without_impressions_have_no_rate",
    ),
    "a snapshot of unknown formula": bad(
        "update marts.analytics_snapshots set engagements_basis = null"
        " where id = (select min(id) from marts.analytics_snapshots)",
        "snapshots_know_their_formula",
    ),
    "a snapshot of a platform without weights": bad(
        "update marts.analytics_snapshots set metric_version = null"
        " where id = (select min(id) from marts.analytics_snapshots)",
        "snapshots_know_their_formula",
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
        "delete from marts.analytics_snapshots where id = ("
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
    "a reading whose bookmarks differ from what landed": bad(
        "update raw.linkedin_snapshots set save_count = coalesce(save_count, 0) + 1"
        " where rowid = (select min(snapshots.rowid) from raw.linkedin_snapshots as snapshots"
        "  inner join marts.analytics_snapshots as marted"
        "  on marted.id = cast(snapshots.snapshot_id as uuid)"
        "  and marted.collected_at = snapshots.collected_at)",
        "landed_readings_reach_the_snapshots",
    ),
    "a file row with a like too many": bad(
        "update raw.twitter_export_posts set likes = likes + 1 where rowid = ("
        " select min(files.rowid) from raw.twitter_export_posts as files"
        " inner join marts.analytics_snapshots as marted"
        "  on marted.id = cast(files.snapshot_id as uuid)"
        "  and marted.source = 'file' and marted.likes = files.likes)",
        "file_posts_reach_the_snapshots",
    ),
    "a file row that never reached the mart": bad(
        "delete from marts.analytics_snapshots where id = ("
        " select min(files.id) from marts.analytics_snapshots as files"
        " inner join marts.analytics_snapshots as later on later.post_id = files.post_id"
        "  and later.slot_start > files.slot_start"
        " where files.source = 'file' and later.impressions + later.likes + later.replies"
        "  + later.retweets + later.clicks is not null)",
        "file_posts_reach_the_snapshots",
        "every_snapshot_has_one_increment",
    ),
    "a post with two snapshots from files": bad(
        "update marts.analytics_snapshots set source = 'file' where post_id = ("
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


_AN_ID = "'00000000-0000-4000-8000-000000000000'"
#: Type of a column -> a value; of numbers 1. Ids are text where they landed.
_MADE_UP = {
    "UUID": _AN_ID,
    "VARCHAR": _AN_ID,
    "BOOLEAN": "true",
    "DATE": "'2026-01-01'",
    "TIMESTAMP WITH TIME ZONE": "'2026-01-01'",
}


@dataclass(frozen=True)
class DataTest:
    """A data test as dbt compiled it."""

    name: str
    kind: str
    model: str
    #: What a test of dbt's own looks at, and the model that its values must be in.
    column: str
    parent: str
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

    @contextmanager
    def after(self, statement: str) -> Iterator[None]:
        """The warehouse after a statement, which is taken back."""
        self.connection.execute("begin")
        try:
            self.connection.execute(statement)
            yield
        finally:
            self.connection.execute("rollback")

    def of_kind(self, *kinds: str) -> list[DataTest]:
        return [test for test in self.tests.values() if test.kind in kinds]

    def row_added(self, table: str) -> str:
        """A statement that adds a row to the table: one that it has, or one made up."""
        row = f"select * from {table} limit 1"
        if not self.connection.execute(row).fetchall():
            columns = self.connection.execute(f"describe {table}").fetchall()
            row = "select " + ", ".join(_MADE_UP.get(kind, "1") for _, kind, *_ in columns)
        return f"insert into {table} {row}"


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
            test = _data_test(node, _compiled(warehouse, node))
            tests[test.name] = test
            if node["config"]["severity"].lower() == "warn":
                warnings[test.name] = test.failing(connection)
    yield Proof(connection, tests, _tables(manifest), warnings)
    connection.close()


def _data_test(node: dict[str, Any], sql: str) -> DataTest:
    attached = node.get("attached_node") or ""
    return DataTest(
        name=node["name"],
        kind=(node.get("test_metadata") or {}).get("name", "singular"),
        model=attached.rpartition(".")[2],
        column=node.get("column_name") or "",
        parent=node["depends_on"]["nodes"][0].rpartition(".")[2],
        sql=sql,
    )


def _compiled(warehouse: RawWarehouse, node: dict[str, Any]) -> str:
    folder = warehouse.path.parent / "target" / "compiled" / "nexus_analytics"
    path = str(node["original_file_path"])
    if path.endswith(".yml"):
        path = f"{path}/{node['path']}"
    return (folder / path).read_text()


def _tables(manifest: dict[str, Any]) -> dict[str, str]:
    """Model or seed -> the table to insert into."""
    nodes = manifest["nodes"].values()
    kept = [node for node in nodes if node["resource_type"] in {"model", "seed"}]
    return {node["name"]: _table(manifest, node) for node in kept}


def _table(manifest: dict[str, Any], node: dict[str, Any]) -> str:
    """The table of a node; a view's is the one it reads, the first where it reads several."""
    if node["resource_type"] == "source":
        return f"raw.{node['identifier']}"
    if node["config"]["materialized"] != "view":
        return f"{node['schema']}.{node['name']}"
    read = node["depends_on"]["nodes"][0]
    return _table(manifest, (manifest["sources"] | manifest["nodes"])[read])


def test_a_good_warehouse_is_green(proof: Proof) -> None:
    assert not proof.red()


@pytest.mark.parametrize("name", BADS)
def test_bad_data_turns_its_tests_red_and_no_other(proof: Proof, name: str) -> None:
    with proof.after(BADS[name].statement):
        assert proof.red() == BADS[name].red


def test_every_primary_key_test_finds_a_doubled_row(proof: Proof) -> None:
    for test in proof.of_kind("primary_key"):
        added = proof.row_added(proof.tables[test.model])
        with proof.after(f"{added}; {added}"):
            assert test.failing(proof.connection), test.name


def test_every_row_that_belongs_to_none_is_found(proof: Proof) -> None:
    for test in proof.of_kind("relationships"):
        added = proof.row_added(proof.tables[test.model])
        with proof.after(f"{added}; delete from {proof.tables[test.parent]}"):
            assert test.failing(proof.connection), test.name


def test_every_value_that_is_not_allowed_is_found(proof: Proof) -> None:
    for test in proof.of_kind("accepted_values"):
        table = proof.tables[test.model]
        with proof.after(f"{proof.row_added(table)}; update {table} set {test.column} = '-1'"):
            assert test.failing(proof.connection), test.name


def test_rows_that_fail_fit_a_page_and_hold_nothing_that_people_wrote(proof: Proof) -> None:
    for test in proof.tests.values():
        shown = {name for name, *_ in proof.connection.execute(f"describe {test.sql}").fetchall()}
        assert len(shown) <= 12, test.name
        assert shown.isdisjoint({"text", "post_text", "url", "post_url"}), test.name
        assert shown.isdisjoint({"handle", "display_name", "file_name"}), test.name


#: A mistake -> its statement, the test that finds it, and all figures that this one then names.
DIFFERENCES = {
    "what a window observed": (
        "update marts.window_metrics set observed_likes = observed_likes + 1"
        " where window_name = '7d' and observed_likes > 0",
        "windows_are_sums_of_their_days",
        {"observed_likes"},
    ),
    "the account of an increment": (
        f"update marts.post_increments set account_id = uuid() where {_ONE_INCREMENT}",
        "every_snapshot_has_one_increment",
        {"account_id"},
    ),
    "two counters of a post": (
        f"update marts.post_increments set new_likes = coalesce(new_likes, 0) + 1, new_replies = 7"
        f" where {_ONE_INCREMENT}",
        "increments_add_up_to_last_known_values",
        {"likes", "replies"},
    ),
    "a day's due slots": (
        f"update marts.daily_metrics set due_slots = due_slots + 1 where {_BUSY_DAY}",
        "days_add_up_to_the_quarter_hours",
        {"due_slots"},
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_is_shown_as_found_and_as_expected_and_nothing_else(
    proof: Proof, name: str
) -> None:
    statement, test, figures = DIFFERENCES[name]
    shown = f"select figure, found, expected from ({proof.tests[test].sql})"
    with proof.after(statement):
        rows = proof.connection.execute(shown).fetchall()
    assert {figure for figure, _, _ in rows} == figures
    assert all(found != expected for _, found, expected in rows)


def test_every_other_test_is_proven_here(proof: Proof) -> None:
    proven = set().union(*(case.red for case in BADS.values()))
    by_kind = {"primary_key", "relationships", "accepted_values"}
    others = {test.name for test in proof.tests.values() if test.kind not in by_kind}
    assert others - proven == set()


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
    "models/marts/core/analytics_snapshots.sql": (
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
        ("previous_end - (window_end - read_until)", "window_end"),
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
    statuses = {name: s for name, s in run.statuses().items() if "-on-run-" not in name}
    assert statuses
    assert {name: status for name, status in statuses.items() if status != "fail"} == {}
