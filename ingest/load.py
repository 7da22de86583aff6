"""Lands rows: validated rows -> Parquet in the spool (durable) -> one dlt merge into `raw`.

The spool is the truth until its rows are in the warehouse: a spool file goes only after the load
that holds it is booked, and each step before that can be repeated (DESIGN.md section 4, "Landing";
STACK.md, "dlt -> DuckDB"). So dlt's own folder is scratch: what a killed run left in it is
discarded and landed again from the spool. (Resuming a pending package instead would double the
rows of a replaced table, and a power cut can leave it unreadable: dlt syncs nothing to disk.)
"""

import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.exceptions import DltException
from dlt.common.runtime.run_context import RunContext
from pydantic import AwareDatetime

from ingest.clock import Clock
from ingest.durable import fsync
from ingest.errors import NexusError, first_line
from ingest.platforms.base import Row
from ingest.warehouse import WAREHOUSE, working_copy

#: DuckDB schema of all landed tables.
RAW = "raw"

_TEXT, _BOOL, _COUNT = pa.string(), pa.bool_(), pa.int64()
_TIME = pa.timestamp("us", "UTC")
_ARROW_TYPES: dict[Any, pa.DataType] = {
    UUID: _TEXT,
    str: _TEXT,
    bool: _BOOL,
    int: _COUNT,
    datetime: _TIME,
    AwareDatetime: _TIME,
}


def _control_schema(columns: Mapping[str, pa.DataType], nullable: Sequence[str] = ()) -> pa.Schema:
    return pa.schema([pa.field(name, kind, name in nullable) for name, kind in columns.items()])


#: The token-free slice of the control store, replaced whole in each landing (DESIGN.md section 1).
CONTROL_SCHEMAS: dict[str, pa.Schema] = {
    "control_users": _control_schema({"user_key": _TEXT, "timezone": _TEXT, "created_at": _TIME}),
    "control_accounts": _control_schema(
        {
            "account_id": _TEXT,
            "platform": _TEXT,
            "account_kind": _TEXT,
            "platform_account_id": _TEXT,
            "handle": _TEXT,
            "display_name": _TEXT,
            "timezone": _TEXT,
            "is_proven": _BOOL,
            "merged_into": _TEXT,
            "created_at": _TIME,
        },
        nullable=("platform_account_id", "handle", "display_name", "merged_into"),
    ),
    "control_account_members": _control_schema(
        {"account_id": _TEXT, "user_key": _TEXT, "role": _TEXT}
    ),
    "control_connections": _control_schema(
        {
            "connection_id": _TEXT,
            "account_id": _TEXT,
            "platform": _TEXT,
            "state": _TEXT,
            "connected_at": _TIME,
            "expires_at": _TIME,
            "scopes": _TEXT,
            "last_success_at": _TIME,
            "cooldown_until": _TIME,
        },
        nullable=("expires_at", "scopes", "last_success_at", "cooldown_until"),
    ),
    "control_tracked_posts": _control_schema(
        {
            "post_id": _TEXT,
            "account_id": _TEXT,
            "platform": _TEXT,
            "platform_post_id": _TEXT,
            "published_at": _TIME,
            "state": _TEXT,
            "deleted_at": _TIME,
            "registered_at": _TIME,
        },
        nullable=("platform_post_id", "published_at", "deleted_at"),
    ),
    "control_imports": _control_schema(
        {
            "import_id": _TEXT,
            "account_id": _TEXT,
            "file_sha256": _TEXT,
            "format": _TEXT,
            "file_name": _TEXT,
            "rows_read": _COUNT,
            "rows_landed": _COUNT,
            "rows_rejected": _COUNT,
            "period_start": _TIME,
            "period_end": _TIME,
            "imported_at": _TIME,
        },
        nullable=("period_start", "period_end"),
    ),
    "control_flag_reviews": _control_schema(
        {
            "snapshot_id": _TEXT,
            "metric": _TEXT,
            "status": _TEXT,
            "reviewed_by": _TEXT,
            "reviewed_at": _TIME,
        }
    ),
}

_FIRST_LANDED = "first_landed_at"
#: What tells the newer of two rows of one key.
_READING_TIMES = ("collected_at", "fetched_at")

_SPOOL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATOR = "--"
_FINISHED, _UNFINISHED = ".parquet", ".parquet.tmp"
_CHUNK = 20_000
#: dlt formats paths into SQL and patterns without escaping, DuckDB takes some for wildcards.
_UNFIT_IN_PATHS = set("'%*?[]")
_MERGE_ROWS = 100_000
_READ_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "256MB",
    "preserve_insertion_order": False,
}

#: All that dlt is told; it reads neither the working folder's settings nor the environment.
_DLT_SETTINGS: dict[str, Any] = {
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL", "intercept_signals": False},
    "providers": {"enable_airflow_secrets": False},
    "restore_from_destination": False,
    "enable_runtime_trace": False,
    "normalize": {"parquet_normalizer": {"add_dlt_load_id": True, "add_dlt_id": True}},
    # The copies in the staging schema hold personal data: they end with the load.
    "load": {"delete_completed_jobs": True, "truncate_staging_dataset": True, "workers": 1},
    # A killed replace must not leave an empty table: swap it in one transaction.
    "destination": {"replace_strategy": "insert-from-staging"},
}


class LandingError(NexusError):
    """Rows could not be landed, and stay in the spool; the message is one line."""


@dataclass(frozen=True)
class LandingReport:
    """What one landing did.

    `rows`: rows written per row table. `superseded`: spooled rows per table that a newer row of
    the same key replaced; spooled = rows + superseded. `files`: spool files landed and removed.
    `left`: spool files not landed, by name, with the reason. `load_ids`: dlt's, oldest first.
    """

    rows: dict[str, int]
    superseded: dict[str, int]
    files: int
    left: dict[str, str]
    load_ids: tuple[str, ...]


# --- schema ----------------------------------------------------------------------------------


@cache
def arrow_schema(row_model: type[Row]) -> pa.Schema:
    """The Arrow schema of a row model: one column a field, in the model's order.

    Raises TypeError for a field of a type that has no column type.
    """
    return pa.schema(
        [_arrow_field(name, info.annotation) for name, info in row_model.model_fields.items()]
    )


def _arrow_field(name: str, annotation: Any) -> pa.Field:
    nullable = False
    if get_origin(annotation) in (Union, UnionType):
        parts = [part for part in get_args(annotation) if part is not NoneType]
        nullable = len(parts) < len(get_args(annotation))
        annotation = parts[0] if len(parts) == 1 else annotation
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        annotation = type(get_args(annotation)[0])
    if annotation not in _ARROW_TYPES:
        raise TypeError(f"column {name}: no Arrow type for {annotation}")
    return pa.field(name, _ARROW_TYPES[annotation], nullable)


# --- spool -----------------------------------------------------------------------------------


def spool(rows: Iterable[Row], folder: Path, name: str) -> Path | None:
    """`spool_tables` for the rows of one table; None if there are no rows."""
    return next(iter(spool_tables([rows], folder, name)), None)


def spool_tables(tables: Iterable[Iterable[Row]], folder: Path, name: str) -> list[Path]:
    """Makes rows durable as one file `<table>--<name>.parquet` in `folder` for each table.

    Once this returns, the rows survive a kill and a power cut. `name` (letters, digits, `._-`)
    must be new for each call: FileExistsError otherwise, because the file there may not have
    landed yet. Raises ValueError for rows of different tables in one of `tables`.
    """
    if not _SPOOL_NAME.fullmatch(name):
        raise ValueError(f"not a spool name: {name!r}")
    written = [path for rows in tables if (path := _write(rows, folder, name)) is not None]
    # the first of these waits for the disk, the others find most of their work done
    for unfinished in written:
        fsync(unfinished)
    for unfinished in written:
        unfinished.rename(unfinished.with_suffix(""))
    if written:
        fsync(folder)
    return [unfinished.with_suffix("") for unfinished in written]


def _write(rows: Iterable[Row], folder: Path, name: str) -> Path | None:
    """The rows of one table in a file that nobody counts on yet."""
    rows = iter(rows)
    chunk = list(islice(rows, _CHUNK))
    if not chunk:
        return None
    model = type(chunk[0])
    target = folder / f"{model.table}{_SEPARATOR}{name}{_FINISHED}"
    if target.exists():
        raise FileExistsError(f"{target.name} is already spooled")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(_UNFINISHED)
    try:
        _write_parquet(unfinished, model, chunk, rows)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def _write_parquet(path: Path, model: type[Row], chunk: list[Row], rest: Iterator[Row]) -> None:
    schema = arrow_schema(model)
    # read once and whole, soon: dictionaries and statistics would cost more than they save
    with pq.ParquetWriter(path, schema, use_dictionary=False, write_statistics=False) as writer:
        while chunk:
            if strangers := {type(row).__name__ for row in chunk if type(row) is not model}:
                raise ValueError(f"{model.__name__} rows spooled with {', '.join(strangers)}")
            writer.write_table(_as_table(chunk, schema))
            chunk = list(islice(rest, _CHUNK))


def _as_table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    columns = []
    for column in schema:
        values = [getattr(row, column.name) for row in rows]
        if column.type == _TEXT:
            values = [None if value is None else str(value) for value in values]
        columns.append(pa.array(values, column.type))
    return pa.Table.from_arrays(columns, schema=schema)


@dataclass(frozen=True)
class _SpoolFile:
    path: Path
    model: type[Row]
    rows: int


def _read_spool(
    folder: Path, models: Iterable[type[Row]]
) -> tuple[list[_SpoolFile], dict[str, str]]:
    """The finished files, by name, and those that cannot be landed, with the reason.

    Unfinished files are leftovers of a killed run: nobody counts on them, they go.
    """
    for unfinished in folder.glob(f"*{_UNFINISHED}"):
        unfinished.unlink()
    by_table = {model.table: model for model in models}
    files, left = [], {}
    for path in sorted(folder.glob(f"*{_FINISHED}")):
        model = by_table.get(path.name.partition(_SEPARATOR)[0])
        if model is None:
            left[path.name] = "no such table"
            continue
        try:
            with pq.ParquetFile(path) as file:
                _check_columns(file.schema_arrow, arrow_schema(model))
                files.append(_SpoolFile(path, model, file.metadata.num_rows))
        except (pa.ArrowInvalid, OSError) as error:
            left[path.name] = first_line(error)
    return files, left


def _groups(files: Iterable[_SpoolFile]) -> Iterator[list[_SpoolFile]]:
    """The files in groups of at most _MERGE_ROWS rows (a larger file stands alone).

    A merge is one transaction, which DuckDB holds in memory: its size bounds ours.
    """
    group: list[_SpoolFile] = []
    rows = 0
    for file in files:
        if group and rows + file.rows > _MERGE_ROWS:
            yield group
            group, rows = [], 0
        group.append(file)
        rows += file.rows
    yield group


def _check_columns(written: pa.Schema, wanted: pa.Schema) -> None:
    """Rows of an earlier version may lack a column that can be unknown, and nothing else."""
    for column in wanted:
        if column.name in written.names:
            if written.field(column.name).type != column.type:
                raise pa.ArrowInvalid(f"column {column.name} is not {column.type}")
        elif not column.nullable:
            raise pa.ArrowInvalid(f"column {column.name} is missing")


# --- landing ---------------------------------------------------------------------------------


def land(
    data_dir: Path,
    row_models: Iterable[type[Row]],
    *,
    clock: Clock,
    control: Mapping[str, pa.Table] | None,
    finish: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
) -> LandingReport:
    """Lands all spooled rows (at most _MERGE_ROWS a merge), and replaces the control tables given.

    A row replaces the landed row of its key unless that one is newer, and keeps its
    `first_landed_at`; of several spooled rows of a key the newest counts. Every table of
    `row_models` and of CONTROL_SCHEMAS exists afterwards. `control`: table -> rows with the
    columns of its CONTROL_SCHEMAS entry; tables not given stay as they are. `finish` changes what
    landed, before anybody sees it.

    The caller holds the run lock: there is one landing at a time, and nobody spools meanwhile.
    Raises LandingError, and then all that has not landed is still in the spool; ValueError for
    control tables of another shape.
    """
    data_dir = data_dir.resolve()
    if odd := _UNFIT_IN_PATHS & set(str(data_dir)):
        raise LandingError(
            f"{data_dir}: a data folder cannot have {' '.join(sorted(odd))} in its path"
        )
    models = list(row_models)
    replaced = {name: _control_table(name, rows) for name, rows in (control or {}).items()}
    rows: Counter[str] = Counter()
    load_ids: list[str] = []
    with _one_line_errors(), _scratch(data_dir / "dlt") as scratch, _own_settings(scratch):
        files, left = _read_spool(data_dir / "spool", models)
        with working_copy(data_dir / WAREHOUSE, scratch / "copy") as draft:
            pipeline = _pipeline(scratch, draft)
            for group in _groups(files):
                with _read_only(draft, scratch) as warehouse:
                    resources = _resources(warehouse, models, group, replaced, clock.now())
                    _extract(pipeline, resources)
                rows.update(pipeline.normalize().row_counts)
                load_ids += pipeline.load().loads_ids
                replaced = {}
            if finish:
                with duckdb.connect(str(draft)) as connection:
                    finish(connection)
        for file in files:
            file.path.unlink()
    spooled: Counter[str] = Counter()
    for file in files:
        spooled[file.model.table] += file.rows
    return LandingReport(
        rows={table: rows[table] for table in spooled},
        superseded={table: spooled[table] - rows[table] for table in spooled},
        files=len(files),
        left=left,
        load_ids=tuple(load_ids),
    )


def _control_table(name: str, rows: pa.Table) -> pa.Table:
    schema = CONTROL_SCHEMAS.get(name)
    if schema is None or set(rows.column_names) != set(schema.names):
        raise ValueError(f"{name} is not a control table, or not with these columns")
    return rows.select(schema.names).cast(schema)


# --- dlt -------------------------------------------------------------------------------------


class _Settings(RunContext):  # type: ignore[misc]  # dlt is not type-checked
    """dlt's surroundings: one folder, no settings files, no environment."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))

    global_dir = run_dir = local_dir = data_dir = property(lambda self: self._init_run_dir)

    def initial_providers(self) -> list[Any]:
        return [CustomLoaderDocProvider("nexus", lambda: _DLT_SETTINGS)]


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards, and after a kill by the next landing."""
    if folder.exists():
        shutil.rmtree(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _own_settings(folder: Path) -> Iterator[None]:
    with Container().injectable_context(PluggableRunContext(_Settings(folder))):
        yield


def _pipeline(scratch: Path, draft: Path) -> Any:
    return dlt.pipeline(
        "nexus",
        pipelines_dir=str(scratch),
        destination=dlt.destinations.duckdb(str(draft)),
        dataset_name=RAW,
    )


def _extract(pipeline: Any, resources: list[Any]) -> None:
    source = dlt.source(lambda: resources, name="nexus")()
    pipeline.extract(source, loader_file_format="parquet")


def _resources(
    warehouse: duckdb.DuckDBPyConnection,
    models: Iterable[type[Row]],
    spooled: Sequence[_SpoolFile],
    control: Mapping[str, pa.Table],
    landed_at: datetime,
) -> list[Any]:
    """One dlt resource per table that has rows to land, or that lacks columns in the warehouse."""
    existing = _raw_columns(warehouse)
    resources = []
    for model in models:
        schema = _landed_schema(arrow_schema(model))
        if files := [str(file.path) for file in spooled if file.model is model]:
            known = model.table in existing
            data = _newest_rows(warehouse, model, files, landed_at, known=known)
        elif not set(schema.names) <= existing[model.table]:
            data = iter([schema.empty_table()])
        else:
            continue
        merge = {"disposition": "merge", "strategy": "delete-insert"}
        resources.append(
            dlt.resource(
                data, name=model.table, primary_key=list(model.key), write_disposition=merge
            )
        )
    for name, columns in CONTROL_SCHEMAS.items():
        schema = _landed_schema(columns)
        if name in control:
            landed = pa.array([landed_at] * control[name].num_rows, _TIME)
            table = control[name].append_column(schema.field(_FIRST_LANDED), landed)
        elif not set(schema.names) <= existing[name]:
            table = schema.empty_table()
        else:
            continue
        resources.append(dlt.resource(iter([table]), name=name, write_disposition="replace"))
    return resources


def _landed_schema(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field(_FIRST_LANDED, _TIME, nullable=False))


# --- the spool against the warehouse -----------------------------------------------------------


@contextmanager
def _read_only(file: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A scratch database with the warehouse attached as `warehouse`, where there is one."""
    with duckdb.connect(":memory:", config=_READ_SETTINGS) as connection:
        connection.execute(f"SET temp_directory = {_quoted(scratch / 'spill')}")
        if file.exists():
            connection.execute(f"ATTACH {_quoted(file)} AS warehouse (READ_ONLY)")
        yield connection


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _raw_columns(warehouse: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    columns = warehouse.execute(
        "SELECT table_name, column_name FROM duckdb_columns()"
        " WHERE database_name = 'warehouse' AND schema_name = $raw",
        {"raw": RAW},
    )
    found = defaultdict(set)
    for table, column in columns.fetchall():
        found[table].add(column)
    return found


def _newest_rows(
    warehouse: duckdb.DuckDBPyConnection,
    model: type[Row],
    files: Sequence[str],
    landed_at: datetime,
    *,
    known: bool,
) -> Iterator[pa.Table]:
    """The newest spooled row of each key that no landed row outdates, in chunks.

    Each carries the first landing of its key. Of rows read at the same time the last spooled
    counts, so that a replay gives the same rows. `known`: the warehouse has the table.
    """
    schema = arrow_schema(model)
    taken_at = next(name for name in _READING_TIMES if name in schema.names)
    key = ", ".join(model.key)
    columns = ", ".join(f"spooled.{name}" for name in schema.names)
    landed = f"warehouse.{RAW}.{model.table}" if known else "no_rows"
    cursor = warehouse.cursor()
    cursor.register("no_rows", _landed_schema(schema).empty_table())
    cursor.execute(
        f"""
        WITH spooled AS (
            SELECT * EXCLUDE ({_FIRST_LANDED}) FROM no_rows
            UNION ALL BY NAME
            SELECT * FROM read_parquet(
                $files, union_by_name = true, filename = true, file_row_number = true
            )
        ),
        ranked AS (
            SELECT *, row_number() OVER (
                PARTITION BY {key} ORDER BY {taken_at} DESC, filename DESC, file_row_number DESC
            ) AS place
            FROM spooled
        )
        SELECT {columns}, coalesce(landed.{_FIRST_LANDED}, $landed_at) AS {_FIRST_LANDED}
        FROM ranked AS spooled
        LEFT JOIN {landed} AS landed USING ({key})
        WHERE place = 1 AND (landed.{taken_at} IS NULL OR landed.{taken_at} <= spooled.{taken_at})
        """,  # names come from the row model, values are parameters
        {"files": files, "landed_at": landed_at},
    )
    for batch in cursor.to_arrow_reader(_CHUNK):
        yield pa.Table.from_batches([batch]).cast(_landed_schema(schema))


# --- errors ----------------------------------------------------------------------------------


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except (DltException, duckdb.Error, pa.ArrowException, OSError) as error:
        root = _root(error)
        if isinstance(root, KeyboardInterrupt):  # dlt makes a failure of Ctrl-C
            raise root from error
        raise LandingError(f"rows stay in the spool: {first_line(root)}") from error


def _root(error: BaseException) -> BaseException:
    while inner := getattr(error, "exception", None) or error.__cause__:
        error = inner
    return error
