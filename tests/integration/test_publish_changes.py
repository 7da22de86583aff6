"""A generation that began as a copy of the last one holds what the warehouse holds, row for row."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from execution.analytics import publish as publishing
from execution.analytics import published_file
from execution.analytics.aggregations import BuildResult, Dbt
from execution.analytics.publish import Publication, publish
from execution.analytics.relations import columns_of
from execution.control.settings import Settings
from ingest.clock import SystemClock
from tests.integration.retention.traces import traces
from tests.warehouse.histories import Event, Histories, generate, land
from tests.warehouse.raw_warehouse import RawWarehouse

TESTED = BuildResult(models=1, tests_passed=1, tests_warned=0)
LARGE = ("analytics_snapshots", "post_increments")


class Installation:
    """A warehouse of random histories that is built and published portion by portion."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            _env_file=None, data_dir=folder, vault_key_file=folder.parent / "keys.json"
        )
        self.dbt = Dbt(folder)
        self.warehouse = RawWarehouse(self.settings.warehouse)
        self.histories: Histories = generate(self.warehouse, seed=7, accounts=6)
        self.warehouse.land()

    def build(self, portion: list[Event]) -> BuildResult:
        land(self.warehouse, portion)
        self.warehouse.land()
        return self.dbt.build("resource_type:seed resource_type:model")

    def build_posts(self) -> BuildResult:
        return self.dbt.build("int_posts posts post_content")

    def publish(self, built: BuildResult, **options: bool) -> Publication:
        return publish(self.settings, self.dbt, built, SystemClock(), **options)

    def differences(self, publication: Publication) -> list[tuple[Any, ...]]:
        """Tables of which a row is in the file and not in the warehouse, or the other way round."""
        different = []
        with duckdb.connect() as connection:
            connection.execute(f"attach '{publication.path}' as file (read_only)")
            connection.execute(f"attach '{self.settings.warehouse}' as warehouse (read_only)")
            for table in publication.row_counts:
                schema = self.schema_of(connection, table)
                if schema != "marts":
                    continue
                columns = ", ".join(columns_of(connection, f"file.{table}"))
                sides = f"from file.{table}", f"from warehouse.marts.{table}"
                for one, other in (sides, sides[::-1]):
                    different += connection.execute(
                        f"select '{table}', {columns} {one}"
                        f" except all select '{table}', {columns} {other}"
                    ).fetchall()
        return different

    @staticmethod
    def schema_of(connection: duckdb.DuckDBPyConnection, table: str) -> str:
        (schema,) = connection.execute(
            "select schema_name from duckdb_tables() where database_name = 'warehouse' "
            "and table_name = ? and schema_name in ('marts', 'content')",
            [table],
        ).fetchone() or ("",)
        return str(schema)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which most of the histories were built and published as generation 1."""
    folder = tmp_path_factory.mktemp("changes") / "data"
    folder.mkdir()
    installation = Installation(folder)
    events = installation.histories.events
    installation.publish(installation.build(events[:-40]))
    return folder


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """What each publication took over from the one before; any share of changes is allowed."""
    seen: list[set[str]] = []
    original = published_file._take_over_changes

    def spy(*arguments: Any) -> set[str]:
        seen.append(original(*arguments))
        return seen[-1]

    monkeypatch.setattr(published_file, "_take_over_changes", spy)
    monkeypatch.setattr(published_file, "_MOST_CHANGED", 1.0)
    return seen


@pytest.mark.long
def test_late_and_new_rows_reach_a_generation_that_began_as_a_copy(
    built: Path, tmp_path: Path, taken_over: list[set[str]]
) -> None:
    installation = copy_of(built, tmp_path)
    events = installation.histories.events[-40:]
    random.Random(1).shuffle(events)
    first = installation.publish(installation.build(events[:25]))
    assert taken_over == [set(), set(LARGE)]
    assert not installation.differences(first)
    assert first.row_counts["post_increments"] > 100
    # two builds between two publications
    installation.build(events[25:32])
    second = installation.publish(installation.build(events[32:]))
    assert taken_over[2:] == [set(), set(LARGE)]
    assert not installation.differences(second)
    assert second.row_counts["post_increments"] > first.row_counts["post_increments"]


def test_rows_that_left_the_warehouse_otherwise_make_a_mart_be_written_anew(
    built: Path, tmp_path: Path, taken_over: list[set[str]]
) -> None:
    installation = copy_of(built, tmp_path)
    with duckdb.connect(installation.settings.warehouse) as connection:
        connection.execute("delete from marts.analytics_snapshots where hash(post_id) % 10 = 0")
    publication = installation.publish(TESTED)
    assert taken_over == [set(), {"post_increments"}]
    assert not installation.differences(publication)


@pytest.mark.parametrize("reason", ["asked for", "its turn", "much changed", "unknown base"])
def test_a_generation_is_written_whole_where_a_copy_would_not_do(
    built: Path,
    tmp_path: Path,
    taken_over: list[set[str]],
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
) -> None:
    installation = copy_of(built, tmp_path)
    if reason == "its turn":
        monkeypatch.setattr(publishing, "_WHOLE_EVERY", 2)
    if reason == "much changed":
        monkeypatch.setattr(published_file, "_MOST_CHANGED", -1.0)
    if reason == "unknown base":
        with duckdb.connect(installation.settings.warehouse) as connection:
            connection.execute("update intermediate.recorded_builds set invocation_id = 'other'")
    publication = installation.publish(TESTED, whole=reason == "asked for")
    assert taken_over == [set(), set()]
    assert not installation.differences(publication)


def test_no_published_generation_keeps_text_or_link_of_a_deleted_post(
    built: Path, tmp_path: Path
) -> None:
    installation = copy_of(built, tmp_path)
    warehouse, published = installation.warehouse, installation.settings.published_dir
    for platform in ("twitter", "linkedin"):
        warehouse.execute(
            f"update raw.{platform}_posts set text = 'Words of ' || platform_post_id,"
            " url = 'https://example.org/' || platform_post_id"
        )
    installation.publish(installation.build_posts())
    before = {number: content(published, number, "post_content") for number in (1, 2)}
    post, _, text, url = before[2][-1]
    assert {found.partition(":")[0] for found in traces(published, [text, url])} == {
        *("content-2.duckdb", "content-2.duckdb main.post_content")
    }

    warehouse.execute(
        "update raw.control_tracked_posts set state = 'deleted',"
        " deleted_at = published_at + interval 60 day where post_id = ?",
        str(post),
    )
    marts = installation.publish(installation.build_posts()).path

    assert traces(published, [text, url]) == []
    for generation, rows in {**before, 3: before[2]}.items():
        others = [row for row in rows if row[0] != post]
        assert content(published, generation, "post_content") == others
        ((counts,),) = content(published, generation, "publication", "row_counts")
        assert json.loads(counts)["post_content"] == len(others)
        assert (published / f"content-{generation}.duckdb").stat().st_mode & 0o777 == 0o600
    columns = "table_name, column_name, comment"
    described = [content(published, number, "duckdb_columns()", columns) for number in (1, 2, 3)]
    assert described[0] == described[1] == described[2]
    with duckdb.connect(marts, read_only=True) as connection:
        known = connection.execute("select is_deleted from posts where post_id = ?", [post])
        assert known.fetchall() == [(True,)]


def test_what_a_killed_publication_left_goes_with_the_next(built: Path, tmp_path: Path) -> None:
    installation = copy_of(built, tmp_path)
    published = installation.settings.published_dir
    (published / ".nexus-2.duckdb.draft").write_text("half a file")
    spilled = published / ".nexus-2.duckdb.draft.tmp"
    spilled.mkdir()
    (spilled / "duckdb_temp_block-1.block").write_text("rows")
    installation.publish(TESTED)
    assert not [path.name for path in published.iterdir() if "draft" in path.name]


def test_an_older_generation_that_cannot_be_read_goes_and_stops_nothing(
    built: Path, tmp_path: Path
) -> None:
    installation = copy_of(built, tmp_path)
    published = installation.settings.published_dir
    (published / "content-1.duckdb").write_bytes(b"not a database")
    assert installation.publish(TESTED).generation == 2
    assert (published / "content.duckdb").resolve().name == "content-2.duckdb"
    assert [path.name for path in published.glob("content-*")] == ["content-2.duckdb"]


def content(
    published: Path, generation: int, table: str, columns: str = "*"
) -> list[tuple[Any, ...]]:
    """Rows of a generation's content file."""
    path = published / f"content-{generation}.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(f"select {columns} from {table} order by all").fetchall()


def copy_of(built: Path, tmp_path: Path) -> Installation:
    """The same installation in a folder of its own, before the last forty readings."""
    folder = tmp_path / "data"
    folder.mkdir()
    installation = Installation(folder)
    installation.warehouse.land()  # load numbers go on after those of the copy
    for part in ("published", "dbt"):
        shutil.copytree(built / part, folder / part, symlinks=True)
    shutil.copy(built / "warehouse.duckdb", folder / "warehouse.duckdb")
    return installation
