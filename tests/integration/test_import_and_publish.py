"""From an export file to a published generation, through the command a person types."""

import json
import os
import threading
from pathlib import Path

import duckdb
import pytest

from execution.analytics import aggregations
from execution.analytics.aggregations import BuildError, BuildResult, Dbt
from execution.analytics.publish import PublishError, publish
from ingest.clock import SystemClock
from tests.integration.nexus_command import EXPORT, Nexus
from tests.warehouse.raw_warehouse import copied_project

REAL_EXPORTS = Path(__file__).parents[3] / "shared" / "data" / "x-analytics-exports"
TESTED = BuildResult(models=1, tests_passed=1, tests_warned=0)


def test_an_imported_file_is_published_row_for_row(imported: Nexus) -> None:
    (raw,) = imported.query(
        "select count(*), sum(impressions), sum(likes) from raw.twitter_export_posts",
        "warehouse.duckdb",
    )
    assert raw[0] > 0
    (published,) = imported.query(
        "select count(*), sum(impressions), sum(likes) from analytics_snapshots"
    )
    assert published == raw


def test_what_only_builds_need_to_know_of_a_snapshot_is_not_published(imported: Nexus) -> None:
    columns = "select column_name from duckdb_columns() where table_name = 'analytics_snapshots'"
    published = {name for (name,) in imported.query(columns)}
    built = {name for (name,) in imported.query(columns, "warehouse.duckdb")}
    assert built - published == {"layout", "load_id", "is_archived"}
    assert published <= built


def test_a_second_import_changes_nothing(imported: Nexus) -> None:
    before = imported.query("select * from analytics_snapshots order by id")
    again = imported("import", str(EXPORT))
    assert again.returncode == 0
    assert "1 imported before" in again.stdout
    assert imported.query("select * from analytics_snapshots order by id") == before


def test_a_bad_file_is_one_line_and_does_not_stop_a_good_one(
    imported: Nexus, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    done = imported("import", str(picture), str(EXPORT))
    assert done.returncode == 1, "no file was new, and one was bad"
    assert "picture.csv: is not a text file" in done.stdout.splitlines()


def test_the_publication_says_what_it_is_made_of(imported: Nexus) -> None:
    (row,) = imported.query(
        "select generation, tests_passed, tests_warned, row_counts, data_as_of from publication"
    )
    generation, passed, warned, counts, as_of = row
    assert generation >= 1
    assert passed > 50
    assert warned == 0
    (snapshots,) = imported.query("select count(*) from analytics_snapshots")
    assert json.loads(counts)["analytics_snapshots"] == snapshots[0]
    assert as_of.isoformat() == "2026-02-01T00:00:00+00:00", "the period's end in the file's name"


def test_definitions_travel_with_the_published_tables(imported: Nexus) -> None:
    undescribed = imported.query(
        "select table_name, column_name from duckdb_columns()"
        " where comment is null and not internal"
    )
    assert undescribed == []


def test_no_text_handle_or_link_is_in_the_marts(imported: Nexus) -> None:
    names = {name for (name,) in imported.query("select column_name from duckdb_columns()")}
    assert names.isdisjoint({"text", "url", "handle", "display_name", "email", "user_id"})
    marts = (imported.data_dir / "published" / "current.duckdb").resolve()
    content = (imported.data_dir / "published" / "content.duckdb").resolve()
    assert marts.stat().st_mode & 0o777 == 0o640
    assert content.stat().st_mode & 0o777 == 0o600


def test_a_failing_test_shows_its_rows_and_keeps_the_last_generation_serving(
    imported: Nexus,
) -> None:
    before = (imported.data_dir / "published" / "current.duckdb").resolve()
    with duckdb.connect(imported.data_dir / "warehouse.duckdb") as connection:
        connection.execute("create table raw.kept as from raw.twitter_export_posts")
        connection.execute("insert into raw.twitter_export_posts from raw.kept limit 1")
        (doubled,) = connection.execute(
            "select platform_post_id from raw.twitter_export_posts group by all having count(*) > 1"
        ).fetchall()
    try:
        done = imported("refresh")
        assert done.returncode == 1
        test = "stg_twitter__export_posts_primary_key"
        assert done.stderr.startswith(f"nexus: {test}: 1 row fails\n")
        told = done.stdout[done.stdout.index(f"✗ {test}: 1 row fails. ") :].splitlines()
        assert "together are never NULL and never twice." in told[0]
        headings, row = told[2], told[4]
        assert headings.split()[-1] == "rows_with_this_key"
        assert doubled[0] in row
        assert row.split()[-1] == "2"
        kept = f"dbt/target/failing/{test}.csv"
        assert told[6] == f"all of them: {imported.data_dir / kept}"
        assert doubled[0] in (imported.data_dir / kept).read_text()
        assert (imported.data_dir / "published" / "current.duckdb").resolve() == before
    finally:
        with duckdb.connect(imported.data_dir / "warehouse.duckdb") as connection:
            connection.execute("create or replace table raw.twitter_export_posts as from raw.kept")
            connection.execute("drop table raw.kept")


def test_readers_never_see_an_error_or_a_half_built_state(imported: Nexus) -> None:
    settings, dbt = imported.settings, Dbt(imported.data_dir)
    done, seen, troubles = threading.Event(), set(), []

    def read() -> None:
        while not done.is_set():
            try:
                (row,) = imported.query(
                    "select generation, (select count(*) from analytics_snapshots),"
                    " (select count(*) from posts) from publication"
                )
                seen.add(row)
            except duckdb.Error as error:
                troubles.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    first = int(imported.query("select generation from publication")[0][0])
    for _ in range(10):
        publish(settings, dbt, TESTED, SystemClock())
    done.set()
    reader.join()
    assert troubles == []
    assert len({rows[1:] for rows in seen}) == 1
    last = imported.query("select generation from publication")
    assert last == [(first + 10,)]
    kept = sorted(path.name for path in settings.published_dir.glob("nexus-*.duckdb"))
    assert len(kept) == settings.keep_generations


def test_a_full_disk_leaves_the_last_generation(
    imported: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (imported.data_dir / "published" / "current.duckdb").resolve()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PublishError, match="No space left"):
        publish(imported.settings, Dbt(imported.data_dir), TESTED, SystemClock())
    assert (imported.data_dir / "published" / "current.duckdb").resolve() == before
    assert list((imported.data_dir / "published").glob(".*draft*")) == []


def test_a_selection_of_nothing_is_an_error(imported: Nexus) -> None:
    with pytest.raises(BuildError, match="nothing in the project matches 'no_such_model'"):
        Dbt(imported.data_dir).build("no_such_model")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Nexus:
    if not REAL_EXPORTS.is_dir():
        pytest.skip("the real exports are not beside the project: ../shared/data")
    return Nexus(tmp_path_factory.mktemp("real"))


def test_the_real_exports_add_up_in_any_order_and_twice(real: Nexus) -> None:
    files = sorted(REAL_EXPORTS.glob("*.csv"), reverse=True)
    one_by_one = real("import", "--no-build", *map(str, files[:5]))
    assert one_by_one.returncode == 0
    assert real("import", str(REAL_EXPORTS)).returncode == 0
    totals = real.query(
        "select count(*), count(distinct post_id), sum(impressions), sum(likes)"
        " from analytics_snapshots"
    )
    assert totals == [(1129, 1129, 6_787_327, 17_186)]


def test_a_preview_shows_rows_of_a_model(imported: Nexus) -> None:
    done = imported("preview", "post_scores", "--limit", "1")
    assert "engagement_score" in done.stdout
    assert done.returncode == 0


def test_a_preview_and_a_build_share_what_dbt_has_read_of_the_code(imported: Nexus) -> None:
    log = imported.data_dir / "logs" / "dbt.log"
    log.write_text("")
    assert imported("preview", "post_scores").returncode == 0
    assert imported("build", "--select", "metric_availability").returncode == 0
    said = log.read_text()
    assert said.count("Running with dbt") == 2
    assert "partial parsing" not in said, "dbt says so when it has to read all code anew"


def test_a_preview_of_no_model_is_one_line(imported: Nexus) -> None:
    done = imported("preview", "no_such_model")
    assert done.stderr == "nexus: no model is called 'no_such_model'\n"
    assert done.returncode == 1


def test_a_preview_of_broken_sql_names_the_file_and_the_mistake(
    imported: Nexus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = copied_project(tmp_path)
    (project / "models" / "marts" / "core" / "accounts.sql").write_text("selct 1 as account_id")
    monkeypatch.setattr(aggregations, "PROJECT", project)
    with pytest.raises(BuildError) as raised:
        Dbt(imported.data_dir).preview("accounts", 1)
    assert "in model accounts (models/marts/core/accounts.sql)" in str(raised.value)
    assert 'syntax error at or near "selct"' in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_a_preview_of_what_reads_unbuilt_models_says_what_to_build(imported: Nexus) -> None:
    with duckdb.connect(imported.data_dir / "warehouse.duckdb") as connection:
        connection.execute("alter table intermediate.int_post_totals rename to elsewhere")
    try:
        with pytest.raises(BuildError, match=r"nexus build --select \+post_scores$"):
            Dbt(imported.data_dir).preview("post_scores", 1)
    finally:
        with duckdb.connect(imported.data_dir / "warehouse.duckdb") as connection:
            connection.execute("alter table intermediate.elsewhere rename to int_post_totals")
