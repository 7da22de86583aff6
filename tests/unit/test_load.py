"""The spool and the landing: what is durable when, and which row of a key counts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid5

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.extract.extract import Extract
from dlt.load.load import Load
from dlt.normalize import Normalize
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import load
from ingest.clock import ManualClock
from ingest.identity import NAMESPACE
from ingest.load import CONTROL_SCHEMAS, LandingError, LandingReport, arrow_schema, land, spool
from ingest.platforms.base import AccountRow, MaybeCounter, PostRow, Row, SnapshotRow

START = datetime(2026, 1, 1, tzinfo=UTC)


class ToySnapshot(SnapshotRow):
    table = "toy_snapshots"

    impression_count: MaybeCounter
    is_seen: bool | None = None


class ToyPost(PostRow):
    table = "toy_posts"


class ToyAccount(AccountRow):
    table = "toy_accounts"


MODELS: list[type[Row]] = [ToySnapshot, ToyPost, ToyAccount]


def snapshot(
    post: str = "1", *, hours: float = 0, impressions: int | None = 1, slot: int = 0
) -> ToySnapshot:
    """A snapshot of `post` read `hours` after the start."""
    return ToySnapshot(
        snapshot_id=uuid5(NAMESPACE, f"{post} {slot}"),
        post_id=uuid5(NAMESPACE, post),
        account_id=UUID(int=1),
        platform_post_id=post,
        published_at=START,
        slot_start=START + timedelta(hours=2 * slot),
        collected_at=START + timedelta(hours=hours),
        impression_count=impressions,
    )


def post(text: str | None, *, hours: float = 0) -> ToyPost:
    return ToyPost(
        post_id=UUID(int=2),
        account_id=UUID(int=1),
        platform_post_id="1",
        published_at=START,
        post_type="post",
        text=text,
        url=None,
        fetched_at=START + timedelta(hours=hours),
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    land(folder, MODELS, clock=ManualClock(START), control=None)
    return folder / "warehouse.duckdb"


@pytest.fixture
def data_dir(tmp_path: Path, empty_warehouse: Path) -> Path:
    """A data folder after a first landing without rows (making the tables takes longest)."""
    folder = tmp_path / "var"
    folder.mkdir()
    shutil.copy(empty_warehouse, folder)
    return folder


def land_toys(data_dir: Path, clock: ManualClock, **control: pa.Table) -> LandingReport:
    return land(data_dir, MODELS, clock=clock, control=control)


def spool_toys(data_dir: Path, name: str, *rows: Row) -> Path:
    path = spool(rows, data_dir / "spool", name)
    assert path is not None
    return path


def query(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        return warehouse.execute(sql).fetchall()


def impressions(data_dir: Path) -> list[tuple[Any, ...]]:
    return query(
        data_dir,
        "SELECT platform_post_id, slot_start, impression_count FROM raw.toy_snapshots ORDER BY ALL",
    )


# --- schema ----------------------------------------------------------------------------------


def test_a_row_model_gives_one_column_a_field_and_only_optional_fields_are_nullable() -> None:
    schema = arrow_schema(ToySnapshot)

    assert schema.names == list(ToySnapshot.model_fields)
    assert schema.field("snapshot_id").type == pa.string()
    assert schema.field("collected_at").type == pa.timestamp("us", "UTC")
    assert schema.field("impression_count").type == pa.int64()
    assert schema.field("is_seen").type == pa.bool_()
    assert {field.name for field in schema if field.nullable} == {"impression_count", "is_seen"}


def test_a_choice_of_words_is_a_text_column() -> None:
    assert arrow_schema(ToyAccount).field("account_kind") == pa.field(
        "account_kind", pa.string(), nullable=False
    )


@pytest.mark.parametrize("annotation", [float, list[str], int | str, Literal[1.5]])
def test_a_field_without_a_column_type_is_refused_by_name(annotation: Any) -> None:
    model = type(
        "Odd",
        (Row,),
        {"__annotations__": {"ratio": annotation}, "table": "odd", "key": ("ratio",)},
    )

    with pytest.raises(TypeError, match="column ratio"):
        arrow_schema(model)


# --- spool -----------------------------------------------------------------------------------


def test_no_rows_leave_no_file(tmp_path: Path) -> None:
    assert spool([], tmp_path / "spool", "run") is None
    assert not (tmp_path / "spool").exists()


def test_spooled_rows_read_back_as_they_were(tmp_path: Path) -> None:
    rows = [snapshot("1", impressions=None), snapshot("2", hours=1, impressions=-3)]

    path = spool(iter(rows), tmp_path / "spool", "run-1.a")

    assert path == tmp_path / "spool" / "toy_snapshots--run-1.a.parquet"
    table = pq.read_table(path)
    assert table.schema == arrow_schema(ToySnapshot)
    assert [ToySnapshot.model_validate(row) for row in table.to_pylist()] == rows


def test_more_rows_than_a_chunk_are_all_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_CHUNK", 3)

    path = spool((snapshot(str(number)) for number in range(8)), tmp_path, "run")

    assert pq.read_table(path)["platform_post_id"].to_pylist() == [str(n) for n in range(8)]


def test_the_file_is_on_disk_before_it_gets_its_name_and_the_name_before_spool_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def note_fsync(handle: int) -> None:
        steps.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    def note_rename(self: Path, target: Path) -> Path:
        steps.append(f"rename to {target.name}")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)

    spool([snapshot()], tmp_path / "spool", "run")

    name = "toy_snapshots--run.parquet"
    assert steps == [f"sync {name}.tmp", f"rename to {name}", "sync spool"]


def test_a_name_is_used_once_because_its_rows_may_not_have_landed(tmp_path: Path) -> None:
    spool([snapshot("1")], tmp_path, "run")

    with pytest.raises(FileExistsError, match="already spooled"):
        spool([snapshot("2")], tmp_path, "run")


@pytest.mark.parametrize("name", ["", "../run", "a b", ".hidden", "a/b"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a spool name"):
        spool([snapshot()], tmp_path, name)


def test_rows_of_two_tables_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ToySnapshot rows spooled with ToyPost"):
        spool([snapshot(), post("hello")], tmp_path / "spool", "run")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_source_of_rows_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_CHUNK", 1)

    def rows() -> Iterator[Row]:
        yield snapshot("1")
        yield snapshot("2")
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        spool(rows(), tmp_path / "spool", "run")
    assert list((tmp_path / "spool").iterdir()) == []


# --- landing ---------------------------------------------------------------------------------


def test_an_empty_first_landing_makes_every_table_with_its_columns_and_types(
    tmp_path: Path, clock: ManualClock
) -> None:
    data_dir = tmp_path / "new" / "var"

    report = land(data_dir, MODELS, clock=clock, control=None)

    assert report.rows == {}
    columns = query(
        data_dir,
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'raw' AND NOT starts_with(table_name, '_dlt')",
    )
    types = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.bool_(): "BOOLEAN"}
    schemas = {model.table: arrow_schema(model) for model in MODELS} | CONTROL_SCHEMAS
    expected = {
        (table, field.name, types.get(field.type, "TIMESTAMP WITH TIME ZONE"))
        for table, schema in schemas.items()
        for field in schema
    }
    for table in schemas:
        expected |= {
            (table, "_dlt_load_id", "VARCHAR"),
            (table, "_dlt_id", "VARCHAR"),
            (table, "first_landed_at", "TIMESTAMP WITH TIME ZONE"),
        }
    assert set(columns) == expected
    assert len(columns) == len(expected)


def test_a_landing_with_nothing_to_do_loads_nothing(data_dir: Path, clock: ManualClock) -> None:
    land_toys(data_dir, clock)

    assert land_toys(data_dir, clock) == LandingReport({}, {}, 0, {}, ())


def test_spooled_rows_land_and_their_files_go(data_dir: Path, clock: ManualClock) -> None:
    spool_toys(data_dir, "a", snapshot("1", impressions=None), snapshot("2", impressions=5))
    spool_toys(data_dir, "b", snapshot("3", impressions=7))
    spool_toys(data_dir, "b", post("hello"))

    report = land_toys(data_dir, clock)

    assert impressions(data_dir) == [("1", START, None), ("2", START, 5), ("3", START, 7)]
    assert query(data_dir, "SELECT text FROM raw.toy_posts") == [("hello",)]
    assert report.rows == {"toy_snapshots": 3, "toy_posts": 1}
    assert report.superseded == {"toy_snapshots": 0, "toy_posts": 0}
    assert (report.files, report.left) == (3, {})
    assert list((data_dir / "spool").iterdir()) == []


def test_rows_carry_the_load_id_that_dlt_booked(data_dir: Path, clock: ManualClock) -> None:
    spool_toys(data_dir, "a", snapshot())

    report = land_toys(data_dir, clock)

    booked = query(data_dir, "SELECT load_id FROM raw._dlt_loads WHERE status = 0")
    landed = query(data_dir, "SELECT _dlt_load_id FROM raw.toy_snapshots")
    assert landed == [(load_id,) for load_id in report.load_ids]
    assert landed[0] in booked


def test_of_several_spooled_rows_of_a_key_the_newest_counts_whatever_their_order(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "a", snapshot(hours=2, impressions=20), snapshot(hours=1, impressions=10))
    spool_toys(data_dir, "b", snapshot(hours=1.5, impressions=15))

    report = land_toys(data_dir, clock)

    assert impressions(data_dir) == [("1", START, 20)]
    assert (report.rows, report.superseded) == ({"toy_snapshots": 1}, {"toy_snapshots": 2})


def test_a_row_older_than_the_landed_one_does_not_replace_it(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "a", snapshot(hours=2, impressions=20))
    land_toys(data_dir, clock)
    spool_toys(data_dir, "b", snapshot(hours=1, impressions=10))

    report = land_toys(data_dir, clock)

    assert impressions(data_dir) == [("1", START, 20)]
    assert (report.rows, report.superseded) == ({"toy_snapshots": 0}, {"toy_snapshots": 1})
    assert list((data_dir / "spool").iterdir()) == []


def test_the_newest_description_of_a_post_counts(data_dir: Path, clock: ManualClock) -> None:
    spool_toys(data_dir, "a", post("first", hours=0))
    land_toys(data_dir, clock)
    spool_toys(data_dir, "b", post("edited", hours=3), post("older", hours=2))
    land_toys(data_dir, clock)

    assert query(data_dir, "SELECT text FROM raw.toy_posts") == [("edited",)]


def test_the_first_landing_stays_when_a_row_is_replaced(data_dir: Path, clock: ManualClock) -> None:
    spool_toys(data_dir, "a", snapshot("1", impressions=1))
    land_toys(data_dir, clock)
    clock.set(START + timedelta(days=1))
    spool_toys(data_dir, "b", snapshot("1", hours=1, impressions=2), snapshot("2"))
    land_toys(data_dir, clock)

    assert query(
        data_dir,
        "SELECT platform_post_id, impression_count, first_landed_at FROM raw.toy_snapshots"
        " ORDER BY platform_post_id",
    ) == [("1", 2, START), ("2", 1, START + timedelta(days=1))]


def test_landing_the_same_files_again_changes_no_row(data_dir: Path, clock: ManualClock) -> None:
    spool_toys(data_dir, "a", snapshot("1"), snapshot("2", hours=1), snapshot("2", impressions=9))
    spool_toys(data_dir, "b", snapshot("1", slot=1))
    shutil.copytree(data_dir / "spool", data_dir / "kept")
    everything = "SELECT * EXCLUDE (_dlt_id, _dlt_load_id) FROM raw.toy_snapshots ORDER BY ALL"
    land_toys(data_dir, clock)
    before = query(data_dir, everything)

    clock.set(START + timedelta(days=9))
    shutil.copytree(data_dir / "kept", data_dir / "spool", dirs_exist_ok=True)
    land_toys(data_dir, clock)

    assert query(data_dir, everything) == before
    assert len(before) == 3


readings = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 1), st.integers(0, 30)),
    min_size=1,
    max_size=12,
    unique=True,
)


@settings(max_examples=8)
@given(data=st.data(), order=readings)
def test_any_order_and_any_split_into_landings_gives_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory,
    empty_warehouse: Path,
    data: st.DataObject,
    order: list[tuple[str, int, int]],
) -> None:
    data_dir = tmp_path_factory.mktemp("order")
    shutil.copy(empty_warehouse, data_dir)
    cuts = data.draw(st.sets(st.integers(1, len(order)), max_size=2))
    for number, (key, slot, minute) in enumerate(order, start=1):
        row = snapshot(key, slot=slot, hours=2 * slot + minute / 60, impressions=minute)
        spool_toys(data_dir, str(number), row)
        if number in cuts:
            land_toys(data_dir, ManualClock(START))
    land_toys(data_dir, ManualClock(START))

    newest: dict[tuple[str, datetime], int] = {}
    for key, slot, minute in order:
        cell = (key, START + timedelta(hours=2 * slot))
        newest[cell] = max(newest.get(cell, -1), minute)
    assert impressions(data_dir) == sorted((*cell, minute) for cell, minute in newest.items())


def test_a_large_spool_lands_in_several_merges_with_the_same_result(
    data_dir: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_MERGE_ROWS", 3)
    for name in "abc":
        rows = [snapshot(str(n), hours=ord(name) - 97, impressions=ord(name)) for n in range(2)]
        spool_toys(data_dir, name, *rows, snapshot(name))
    spool_toys(data_dir, "last", *(snapshot(str(n), hours=9, impressions=9) for n in range(5)))

    report = land_toys(data_dir, clock, control_account_members=members("a"))

    assert len(report.load_ids) == 4
    assert report.rows["toy_snapshots"] + report.superseded["toy_snapshots"] == 14
    assert impressions(data_dir) == [
        *((str(n), START, 9) for n in range(5)),
        *((name, START, 1) for name in "abc"),
    ]
    assert query(data_dir, "SELECT count(*) FROM raw.control_account_members") == [(1,)]


# --- control tables --------------------------------------------------------------------------


def members(*users: str) -> pa.Table:
    rows = [{"role": "owner", "user_key": user, "account_id": "1"} for user in users]
    return pa.Table.from_pylist(rows, schema=CONTROL_SCHEMAS["control_account_members"])


def member_keys(data_dir: Path) -> list[tuple[Any, ...]]:
    return query(data_dir, "SELECT user_key FROM raw.control_account_members ORDER BY 1")


def test_a_control_table_is_replaced_whole_even_by_no_rows(
    data_dir: Path, clock: ManualClock
) -> None:
    land_toys(data_dir, clock, control_account_members=members("a", "b"))
    assert member_keys(data_dir) == [("a",), ("b",)]
    land_toys(data_dir, clock, control_account_members=members("b", "c", "d"))
    assert member_keys(data_dir) == [("b",), ("c",), ("d",)]
    land_toys(data_dir, clock, control_account_members=members())
    assert member_keys(data_dir) == []


def test_a_control_table_that_is_not_given_stays(data_dir: Path, clock: ManualClock) -> None:
    land_toys(data_dir, clock, control_account_members=members("a"))
    land_toys(data_dir, clock)
    land(data_dir, MODELS, clock=clock, control=None)

    assert member_keys(data_dir) == [("a",)]


@pytest.mark.parametrize(
    ("name", "columns"),
    [("control_tokens", {"token": ["x"]}), ("control_account_members", {"user_key": ["x"]})],
)
def test_a_control_table_of_another_shape_is_refused(
    data_dir: Path, clock: ManualClock, name: str, columns: dict[str, list[str]]
) -> None:
    with pytest.raises(ValueError, match=name):
        land_toys(data_dir, clock, **{name: pa.table(columns)})


# --- what is in the spool and cannot land ------------------------------------------------------


def test_unfinished_files_of_a_killed_run_are_ignored_and_go(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "a", snapshot())
    (data_dir / "spool" / "toy_snapshots--b.parquet.tmp").write_bytes(b"PAR1 half")

    report = land_toys(data_dir, clock)

    assert (report.files, report.left) == (1, {})
    assert list((data_dir / "spool").iterdir()) == []


def test_a_file_that_cannot_land_stays_with_its_reason_and_stops_no_other(
    data_dir: Path, clock: ManualClock
) -> None:
    path = spool_toys(data_dir, "a", snapshot())
    spool_folder = path.parent
    table = pq.read_table(path)
    pq.write_table(table.drop(["post_id"]), spool_folder / "toy_snapshots--short.parquet")
    text = table.set_column(8, "is_seen", pa.array(["yes"]))
    pq.write_table(text, spool_folder / "toy_snapshots--text.parquet")
    pq.write_table(table, spool_folder / "other--a.parquet")
    (spool_folder / "toy_posts--a.parquet").write_bytes(b"not parquet")

    report = land_toys(data_dir, clock)

    assert report.files == 1
    assert report.left.keys() == {path.name for path in spool_folder.iterdir()}
    assert report.left["toy_snapshots--short.parquet"] == "column post_id is missing"
    assert report.left["toy_snapshots--text.parquet"] == "column is_seen is not bool"
    assert report.left["other--a.parquet"] == "no such table"
    assert "\n" not in report.left["toy_posts--a.parquet"]


def test_a_file_of_an_earlier_version_lands_with_unknown_in_the_new_column(
    data_dir: Path, clock: ManualClock
) -> None:
    path = spool_toys(data_dir, "old", snapshot("1"))
    pq.write_table(pq.read_table(path).drop(["is_seen"]), path)
    spool_toys(data_dir, "new", snapshot("2").model_copy(update={"is_seen": True}))

    land_toys(data_dir, clock)

    seen = "SELECT platform_post_id, is_seen FROM raw.toy_snapshots ORDER BY 1"
    assert query(data_dir, seen) == [("1", None), ("2", True)]


class ToySnapshotNow(ToySnapshot):
    """The same table after an upgrade that reads one counter more."""

    bookmark_count: MaybeCounter


def test_a_new_column_reaches_a_table_that_has_rows_already(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "a", snapshot())
    land_toys(data_dir, clock)

    land(data_dir, [ToySnapshotNow], clock=clock, control=None)

    assert query(data_dir, "SELECT impression_count, bookmark_count FROM raw.toy_snapshots") == [
        (1, None)
    ]


# --- trouble ---------------------------------------------------------------------------------

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reader")
connection.execute("SELECT 1").fetchall()
print("held", flush=True)
sys.stdin.read()
"""


def test_what_landed_is_finished_before_anybody_sees_it_or_not_landed_at_all(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "one", snapshot("1"))

    def finish(draft: duckdb.DuckDBPyConnection) -> None:
        draft.execute("delete from raw.toy_snapshots")
        assert query(data_dir, "select count(*) from raw.toy_snapshots") == [(0,)]

    def fail(draft: duckdb.DuckDBPyConnection) -> None:
        draft.execute("drop table raw.toy_snapshots")
        raise duckdb.IOException("No space left on device")

    before = (data_dir / "warehouse.duckdb").read_bytes()
    with pytest.raises(LandingError, match="rows stay in the spool: No space left on device"):
        land(data_dir, MODELS, clock=clock, control=None, finish=fail)
    assert (data_dir / "warehouse.duckdb").read_bytes() == before
    land(data_dir, MODELS, clock=clock, control=None, finish=finish)
    assert query(data_dir, "select count(*) from raw.toy_snapshots") == [(0,)]
    assert not list((data_dir / "spool").iterdir())


@pytest.mark.parametrize("holder", ["reader", "writer"])
def test_a_held_warehouse_gives_one_line_and_keeps_the_spool(
    data_dir: Path, clock: ManualClock, holder: str
) -> None:
    land_toys(data_dir, clock)
    path = spool_toys(data_dir, "a", snapshot())
    command = [sys.executable, "-c", HOLD, str(data_dir / "warehouse.duckdb"), holder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(LandingError, match=r"warehouse\.duckdb.*lock") as refusal:
            land_toys(data_dir, clock)
        process.communicate()

    assert "\n" not in str(refusal.value)
    assert path.exists()
    assert land_toys(data_dir, clock).rows == {"toy_snapshots": 1}
    assert impressions(data_dir) == [("1", START, 1)]


LIMITED = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from test_load import MODELS, ManualClock, START, LandingError, land
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    land(Path(sys.argv[1]), MODELS, clock=ManualClock(START), control=None)
except LandingError as error:
    print(error)
"""


@pytest.mark.parametrize("kilobytes", [4, 100, 1500])
def test_a_full_disk_gives_one_line_and_keeps_the_spool(
    data_dir: Path, clock: ManualClock, kilobytes: int
) -> None:
    path = spool_toys(data_dir, "a", *(snapshot(str(n), impressions=n) for n in range(20_000)))
    command = [sys.executable, "-c", LIMITED, str(data_dir), str(kilobytes * 1024)]
    outcome = subprocess.run(
        [*command, str(Path(__file__).parent)], capture_output=True, text=True, check=True
    )

    assert outcome.stdout.count("\n") == 1, outcome.stdout
    assert outcome.stdout.startswith("rows stay in the spool: ")
    assert path.exists()
    assert land_toys(data_dir, clock).rows == {"toy_snapshots": 20_000}
    assert query(data_dir, "SELECT count(*), sum(impression_count) FROM raw.toy_snapshots") == [
        (20_000, sum(range(20_000)))
    ]


@pytest.mark.parametrize("step", ["extract", "normalize", "load"])
def test_ctrl_c_stays_ctrl_c_and_keeps_the_spool(
    data_dir: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = spool_toys(data_dir, "a", snapshot())

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    inner = {
        "extract": (Extract, "extract"),
        "normalize": (Normalize, "run"),
        "load": (Load, "run"),
    }
    with monkeypatch.context() as patched:
        patched.setattr(*inner[step], interrupt)
        with pytest.raises(KeyboardInterrupt):
            land_toys(data_dir, clock)

    assert path.exists()
    assert land_toys(data_dir, clock).rows == {"toy_snapshots": 1}


def test_a_lost_warehouse_is_made_anew(data_dir: Path, clock: ManualClock) -> None:
    land_toys(data_dir, clock)
    (data_dir / "warehouse.duckdb").unlink()
    spool_toys(data_dir, "a", snapshot())

    land_toys(data_dir, clock)

    assert impressions(data_dir) == [("1", START, 1)]
    assert member_keys(data_dir) == []


def test_dlt_settings_of_the_user_change_nothing_and_nothing_is_printed(
    data_dir: Path,
    clock: ManualClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("[load]\nworkers = 'many'\n")
    (tmp_path / ".dlt" / "secrets.toml").write_text("this is = not toml [")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("DATASET_NAME", "other")
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "false")
    monkeypatch.setenv("SCHEMA__NAMING", "sql_ci_v1")
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "DEBUG")
    spool_toys(data_dir, "a", snapshot())

    land_toys(Path("var"), clock)

    assert len(query(data_dir, "SELECT _dlt_load_id FROM raw.toy_snapshots")) == 1
    assert {path.name for path in tmp_path.iterdir()} == {".dlt", "var"}
    assert capfd.readouterr() == ("", "")


def test_two_data_folders_in_one_process_do_not_mix(tmp_path: Path, clock: ManualClock) -> None:
    for name in ("one", "two"):
        spool_toys(tmp_path / name, "a", snapshot(name))
    for name in ("one", "two"):
        land_toys(tmp_path / name, clock)

    assert impressions(tmp_path / "one") == [("one", START, 1)]
    assert impressions(tmp_path / "two") == [("two", START, 1)]


@pytest.mark.parametrize("name", ["two words", "größe", "{x}", 'say "hi"', "a;b--c"])
def test_almost_any_folder_name_will_do(tmp_path: Path, clock: ManualClock, name: str) -> None:
    spool_toys(tmp_path / name, "a", snapshot())
    land_toys(tmp_path / name, clock)
    spool_toys(tmp_path / name, "b", snapshot(hours=1, impressions=2))
    land_toys(tmp_path / name, clock)

    assert impressions(tmp_path / name) == [("1", START, 2)]


@pytest.mark.parametrize("name", ["it's", "50%", "a*", "a?", "[a]"])
def test_a_folder_name_that_dlt_cannot_handle_is_refused_in_one_line(
    tmp_path: Path, clock: ManualClock, name: str
) -> None:
    path = spool_toys(tmp_path / name, "a", snapshot())

    with pytest.raises(LandingError, match="a data folder cannot have") as refusal:
        land_toys(tmp_path / name, clock)
    assert "\n" not in str(refusal.value)
    assert path.exists()


def test_no_copy_of_a_row_stays_behind_but_in_the_next_copys_spare(
    data_dir: Path, clock: ManualClock
) -> None:
    spool_toys(data_dir, "a", post("a secret plan"))
    land_toys(data_dir, clock, control_account_members=members("u"))

    found = {path.name for path in data_dir.iterdir()}
    assert found == {"spool", "warehouse.duckdb", ".warehouse.duckdb.spare"}
    assert query(data_dir, "SELECT count(*) FROM raw_staging.toy_posts") == [(0,)]
    assert query(data_dir, "SELECT count(*) FROM raw_staging.control_account_members") == [(0,)]
