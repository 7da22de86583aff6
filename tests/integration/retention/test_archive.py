"""Old snapshots move to cold storage and back; none is ever lost or doubled (DESIGN.md 5)."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from execution.analytics import archive as archiving
from execution.analytics import cold_store
from execution.analytics.archive import archive, restore
from execution.analytics.cold_store import ArchiveError, ColdStore, show_cold_rows
from execution.analytics.dbt_connection import Plugin
from tests.integration.collection.scene import environment_of
from tests.integration.retention.household import NOW, Household, household

TABLES = ("twitter_snapshots", "linkedin_snapshots")


def quiet(*_: object) -> None:
    """No progress to show."""


def hot(home: Household) -> dict[str, list[Any]]:
    return {t: home.rows(f"from raw.{t} order by all") for t in TABLES}


def cold(home: Household) -> dict[str, list[Any]]:
    return {t: home.rows(f"from raw_cold.{t} order by all") for t in TABLES}


def together(home: Household) -> dict[str, list[Any]]:
    """Each row once, wherever it is."""
    return {t: home.rows(f"from raw.{t} union from raw_cold.{t} order by all") for t in TABLES}


def move(home: Household) -> int:
    """As after a build."""
    home.count_loads()
    return archive(home.app.settings, home.clock, quiet).total


def test_what_is_older_than_90_days_moves_but_a_posts_last_three(home: Household) -> None:
    before = hot(home)
    moved = move(home)
    assert moved == sum(map(len, cold(home).values())) == 100
    assert together(home) == before
    old = NOW - timedelta(days=90)
    for table in TABLES:
        rows = home.rows(
            f"select post_id, collected_at, place from (select *, row_number() over"
            f" (partition by post_id order by slot_start desc) as place"
            f" from (from raw.{table} union all from raw_cold.{table}))"
        )
        expected = {(post, at) for post, at, place in rows if at >= old or place <= 3}
        assert set(home.rows(f"select post_id, collected_at from raw.{table}")) == expected


def test_what_no_build_has_counted_stays_hot(home: Household) -> None:
    before = hot(home)
    assert archive(home.app.settings, home.clock, quiet).total == 0
    home.count_loads()
    late = home.snapshot_row("ana_x", 1, home.posts["ana_x"][1].published_at + timedelta(hours=12))
    home.spool([late])
    home.app.land()
    assert archive(home.app.settings, home.clock, quiet).total == 100
    assert len(before["twitter_snapshots"]) + 1 == len(together(home)["twitter_snapshots"])
    assert home.count("raw.twitter_snapshots where snapshot_id = ?", str(late.snapshot_id)) == 1  # type: ignore[attr-defined]


def test_a_second_run_has_nothing_to_move(home: Household) -> None:
    move(home)
    files = sorted((home.data_dir / "archive").rglob("*"))
    state = [hot(home), cold(home)]
    assert move(home) == 0
    assert [hot(home), cold(home)] == state
    assert sorted((home.data_dir / "archive").rglob("*")) == files


def test_files_are_zstd_parquet_one_a_table_and_month(home: Household) -> None:
    move(home)
    files = list((home.data_dir / "archive").glob("*/*/*.parquet"))
    months = {(file.parent.parent.name, file.parent.name) for file in files}
    assert len(months) == len(files)
    with duckdb.connect() as connection:
        listed = ", ".join(f"'{file}'" for file in files)
        found = connection.execute(
            f"select distinct compression from parquet_metadata([{listed}])"
        ).fetchall()
    assert found == [("ZSTD",)]


def test_a_late_row_of_an_archived_month_joins_it(home: Household) -> None:
    move(home)
    rows = sum(map(len, cold(home).values()))
    late = home.snapshot_row("ana_x", 1, home.posts["ana_x"][1].published_at + timedelta(hours=12))
    home.spool([late])
    home.app.land()
    assert move(home) == 1
    assert sum(map(len, cold(home).values())) == rows + 1
    assert len(list((home.data_dir / "archive").glob("*/*/*.parquet"))) == len(
        ColdStore(str(home.data_dir / "archive")).files
    ), "the file it replaced is gone"


def test_of_two_readings_of_a_slot_the_newer_counts_and_keeps_its_first_landing(
    home: Household,
) -> None:
    move(home)
    at = home.posts["ana_x"][1].published_at + timedelta(hours=50)
    home.clock.set(NOW + timedelta(hours=1))
    home.spool([home.snapshot_row("ana_x", 1, at + timedelta(minutes=20), likes=7777)])
    home.app.land()
    before = together(home)["twitter_snapshots"]
    move(home)
    after = together(home)["twitter_snapshots"]
    assert len(after) == len(before) - 1
    query = "select first_landed_at from raw_cold.twitter_snapshots where like_count = 7777"
    assert home.rows(query) == [(NOW,)]


def test_an_older_reading_never_replaces_a_cold_one(home: Household) -> None:
    move(home)
    before = cold(home)
    at = home.posts["ana_x"][1].published_at + timedelta(hours=50)
    home.spool([home.snapshot_row("ana_x", 1, at - timedelta(minutes=20), likes=1)])
    home.app.land()
    move(home)
    assert cold(home) == before
    assert home.count("raw.twitter_snapshots where like_count = 1") == 0


def test_restored_rows_are_the_same_rows_and_move_again(home: Household) -> None:
    before = hot(home)
    moved = move(home)
    assert restore(home.app.settings, [], quiet).total == moved
    assert hot(home) == before
    assert restore(home.app.settings, [], quiet).total == 0, "a second time changes nothing"
    assert hot(home) == before
    files = list((home.data_dir / "archive").glob("*/*/*.parquet"))
    assert move(home) == moved
    assert list((home.data_dir / "archive").glob("*/*/*.parquet")) == files, "nothing was rewritten"
    assert together(home) == before


def test_a_month_is_restored_alone(home: Household) -> None:
    move(home)
    month = sorted(f.month for f in ColdStore(str(home.data_dir / "archive")).files)[0]
    before = sum(map(len, hot(home).values()))
    restored = restore(home.app.settings, [month], quiet).total
    assert 0 < restored == sum(map(len, hot(home).values())) - before


def test_a_month_of_which_nothing_is_archived_is_named(home: Household) -> None:
    with pytest.raises(ArchiveError, match="nothing is archived yet"):
        restore(home.app.settings, [], quiet)
    move(home)
    with pytest.raises(ArchiveError, match=r"nothing is archived of 2001-01: archived are 2026-"):
        restore(home.app.settings, ["2001-01"], quiet)


def test_a_damaged_or_missing_file_stops_everything_that_reads_it(home: Household) -> None:
    move(home)
    (file, *_) = sorted((home.data_dir / "archive").glob("*/*/*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-40] + bytes(40))
    with pytest.raises(ArchiveError, match="is not as it was written"):
        restore(home.app.settings, [], quiet)
    file.unlink()
    with pytest.raises(ArchiveError, match="is missing"):
        restore(home.app.settings, [file.parent.name], quiet)
    with pytest.raises(ArchiveError, match="cannot be read"):
        show_cold_rows(home.app.settings)


def test_a_damaged_manifest_is_one_line(home: Household) -> None:
    move(home)
    (home.data_dir / "archive" / "manifest.json").write_text("{")
    with pytest.raises(ArchiveError, match=r"manifest\.json is damaged"):
        move(home)


def test_a_folder_that_cannot_be_written_is_one_line_and_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("")
    with household(tmp_path, archive_url=str(tmp_path / "occupied" / "archive")) as home:
        home.move_in(posts=6)
        before = hot(home)
        with pytest.raises(ArchiveError, match=r"the archive .*occupied/archive cannot be") as told:
            move(home)
        assert len(str(told.value).splitlines()) == 1
        assert hot(home) == before


def test_an_archive_url_of_no_kind_is_one_line(tmp_path: Path) -> None:
    with household(tmp_path, archive_url="floppy://a") as home:
        home.move_in(posts=1)
        with pytest.raises(ArchiveError, match="floppy"):
            move(home)


def test_a_full_disk_moves_nothing(home: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hot(home)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArchiveError, match="No space left"):
        move(home)
    monkeypatch.undo()
    assert hot(home) == before
    assert move(home) > 0
    assert together(home) == before


def test_any_url_of_fsspec_holds_the_archive(tmp_path: Path) -> None:
    with household(tmp_path, archive_url="memory://cold") as home:
        home.move_in(posts=6)
        before = hot(home)
        moved = move(home)
        assert moved > 0
        assert move(home) == 0
        assert restore(home.app.settings, [], quiet).total == moved
        assert hot(home) == before
        assert list((home.data_dir / "archive").iterdir()) == [], "no draft is left"
        store = ColdStore("memory://cold")
        store.commit([], store.files)
        store.sweep()
        assert store._fs.find("/cold") == ["/cold/manifest.json"]


def test_a_column_that_came_later_is_unknown_in_older_files(home: Household) -> None:
    move(home)
    with duckdb.connect(home.app.settings.warehouse) as connection:
        connection.execute("alter table raw.twitter_snapshots add column poll_votes bigint")
    show_cold_rows(home.app.settings)
    assert home.count("raw_cold.twitter_snapshots where poll_votes is not null") == 0
    home.clock.set(NOW + timedelta(days=60))
    assert move(home) > 0, "a month with files of both kinds is written anew"


def test_nothing_landed_is_nothing_to_archive(tmp_path: Path) -> None:
    with household(tmp_path) as home:
        assert archive(home.app.settings, home.clock, quiet).total == 0


def test_dbts_connection_reads_an_archive_that_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with household(tmp_path, archive_url="memory://for-dbt") as home:
        home.move_in(posts=6)
        moved = move(home)
        for name, value in environment_of(home.app.settings).items():
            monkeypatch.setenv(name, value)
        with duckdb.connect(home.app.settings.warehouse) as connection:
            Plugin("archive", {}).configure_connection(connection)
            found = connection.execute(
                "select (select count(*) from raw_cold.twitter_snapshots)"
                " + (select count(*) from raw_cold.linkedin_snapshots)"
            ).fetchone()
        assert found == (moved,)


# --- kills: at each step that leaves something behind ------------------------------------------


class Killed(BaseException):
    """Ends a run like kill -9: nobody catches it, nothing is tidied."""


def after(owner: object, name: str, calls: int = 1) -> Callable[[pytest.MonkeyPatch], None]:
    def arm(monkeypatch: pytest.MonkeyPatch) -> None:
        original = getattr(owner, name)
        seen = 0

        def last_act(*args: Any, **kwargs: Any) -> Any:
            nonlocal seen
            result = original(*args, **kwargs)
            seen += 1
            if seen == calls:
                raise Killed
            return result

        monkeypatch.setattr(owner, name, last_act)

    return arm


STEPS = {
    "what leaves is found": after(archiving, "_find_leaving"),
    "the first draft is durable": after(cold_store, "_digest"),
    "the first file has its name": after(ColdStore, "_store"),
    "the first file is verified": after(ColdStore, "write"),
    "the last file is verified": after(ColdStore, "write", 8),
    "the manifest names them": after(ColdStore, "commit"),
    "the views show them": after(ColdStore, "show"),
    "the first table's rows are deleted": after(archiving, "_delete_left"),
    "all rows are deleted": after(archiving, "_delete_left", 2),
    "the rest is swept": after(ColdStore, "sweep"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_costs_nothing(
    step: str, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = hot(home)
    with monkeypatch.context() as patched:
        STEPS[step](patched)
        with pytest.raises(Killed):
            move(home)
    show_cold_rows(home.app.settings)
    assert together(home) == before, "a build in between sees every row"
    move(home)
    assert together(home) == before
    assert sum(map(len, hot(home).values())) + sum(map(len, cold(home).values())) == sum(
        map(len, before.values())
    )
    names = json.loads((home.data_dir / "archive" / "manifest.json").read_text())["files"]
    kept = {str(p.relative_to(home.data_dir / "archive")) for p in find(home)}
    assert kept == {file["name"] for file in names}


def find(home: Household) -> list[Path]:
    return [p for p in (home.data_dir / "archive").rglob("*") if p.name.endswith((".parquet", "t"))]
