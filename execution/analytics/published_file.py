"""The inside of a published file: its tables, their descriptions, and the `publication` row."""

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from execution.analytics.aggregations import PROJECT, BuildResult
from execution.analytics.relations import (
    columns_of,
    fingerprint,
    literal,
    scratch_connection,
)

#: A model as dbt's manifest describes it.
Model = dict[str, Any]

#: What is read once is not worth keeping; what is sorted spills beside the draft. Memory that was
#: not used yet takes the system time to find: changes are written with half of it.
_MEMORY = "2GB"
_MEMORY_FOR_CHANGES = "1GB"
#: Above this share of changed posts, writing anew is cheaper.
_MOST_CHANGED = 0.2
#: Column of the table `publication` -> its type and its definition.
_PUBLICATION = {
    "generation": ("bigint", "Number of this generation; each publication's is a higher one."),
    "built_at": ("timestamptz", "When it was published (UTC)."),
    "data_as_of": ("timestamptz", "Newest reading in it (UTC); NULL: it holds none."),
    "git_revision": ("varchar", "Commit of the code that built it; NULL where it is not known."),
    "tests_passed": ("integer", "How many tests of its build passed."),
    "tests_warned": ("integer", "How many found something that a person should look at."),
    "row_counts": ("varchar", "Rows of each published table, as a JSON object."),
    "build_id": ("varchar", "The build whose state it holds, as dbt named it."),
}
#: The content table that holds texts and links, and which of its rows are to go.
_TEXTS = "post_content"
_IS_DELETED = "post_id in (select post_id from newest.posts where is_deleted)"
#: What the builds changed since one of them (macros/builds.sql): post_id, first_slot, last_slot.
_CHANGES = """
    create temp table changes as
    select post_id, min(first_slot) as first_slot, max(last_slot) as last_slot
    from warehouse.intermediate.recorded_spans
    where build > (
        select build from warehouse.intermediate.recorded_builds
        where invocation_id = (select build_id from draft.publication)
    )
    group by post_id
"""


def is_changed_in_place(model: Model) -> bool:
    """Whether a generation may take the mart over from the last one, by `meta.published_by`."""
    return "published_by" in model["config"].get("meta", {})


@dataclass(frozen=True)
class Signature:
    """What the file's `publication` row says beside what is found in the warehouse."""

    generation: int
    built: BuildResult
    now: datetime


def write(
    draft: Path, warehouse: Path, models: list[Model], signature: Signature, others: dict[str, int]
) -> dict[str, int]:
    """Bring `draft` (new, or a copy of the last generation) to the state of the warehouse.

    Returns rows a table; `others`: rows of the tables that the generation has in other files.
    """
    counts = {}
    memory = _MEMORY_FOR_CHANGES if draft.exists() else _MEMORY
    with scratch_connection(draft, memory_limit=memory) as connection:
        connection.execute(f"attach {literal(warehouse)} as warehouse (read_only)")
        connection.execute(f"attach {literal(draft)} as draft (row_group_size 16384)")
        taken_over = _take_over_changes(connection, models)
        _drop_all_but(connection, taken_over)
        for model in sorted(models, key=lambda model: str(model["name"])):
            name = model["name"]
            if name not in taken_over:
                _create(connection, model)
            columns = {c["name"]: c["description"] for c in model["columns"].values()}
            published = _published_columns(connection, model)
            _comment(connection, name, model["description"], {c: columns[c] for c in published})
            counts[name] = _one(connection, f"select count(*) from draft.{name}")
        _sign(connection, signature, others | counts)
        connection.execute("checkpoint draft")
        connection.execute("detach draft")
    return counts


def write_without_deleted(draft: Path, published: Path, newest: Path) -> bool:
    """Write `published`, a content file, anew as `draft` without posts that were deleted since.

    `newest`: the marts file that knows which. DuckDB would keep the bytes of rows deleted in place.
    Whether it held any: if not, nothing is written.
    """
    with scratch_connection(draft, memory_limit=_MEMORY) as connection:
        for file, name in ((newest, "newest"), (published, "published")):
            connection.execute(f"attach {literal(file)} as {name} (read_only)")
        if not _one(connection, f"select count(*) from published.{_TEXTS} where {_IS_DELETED}"):
            return False
        connection.execute(f"attach {literal(draft)} as draft (row_group_size 16384)")
        connection.execute("copy from database published to draft (schema)")
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'draft'"
        ).fetchall():
            kept = f" where not {_IS_DELETED}" if table == _TEXTS else ""
            connection.execute(f"insert into draft.{table} from published.{table}{kept}")
        connection.execute(
            "update draft.publication set row_counts = json_merge_patch(row_counts, json_object("
            f"'{_TEXTS}', (select count(*) from draft.{_TEXTS})))"
        )
        connection.execute("checkpoint draft")
        connection.execute("detach draft")
    return True


def _create(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    name, meta = model["name"], model["config"].get("meta", {})
    order = f" order by {', '.join(meta['read_order'])}" if "read_order" in meta else ""
    columns = ", ".join(_published_columns(connection, model))
    connection.execute(
        f"create table draft.{name} as select {columns} from {_in_warehouse(model)}{order}"
    )


def _in_warehouse(model: Model) -> str:
    return f"warehouse.{model['schema']}.{model['name']}"


def _published_columns(connection: duckdb.DuckDBPyConnection, model: Model) -> dict[str, str]:
    """Column -> type of what is published of a mart: not what its `meta.unpublished` names."""
    unpublished = model["config"].get("meta", {}).get("unpublished", ())
    found = columns_of(connection, _in_warehouse(model))
    return {name: kind for name, kind in found.items() if name not in unpublished}


def _take_over_changes(connection: duckdb.DuckDBPyConnection, models: list[Model]) -> set[str]:
    """Change the marts with `meta.published_by` that the draft holds already; which these were.

    None where it is not known what changed since, or too much did. A mart that afterwards is not
    the warehouse's, row for row, is written anew: so are rows that left for the archive.
    """
    candidates = [model for model in models if is_changed_in_place(model)]
    if not candidates or not _know_changes(connection):
        return set()
    taken_over = set()
    for model in candidates:
        name, source = model["name"], _in_warehouse(model)
        columns = _published_columns(connection, model)
        if not _has_columns(connection, f"draft.{name}", columns):
            continue
        post, slot = model["config"]["meta"]["published_by"]
        order = ", ".join(model["config"]["meta"]["read_order"])
        connection.execute(
            f"""
            delete from draft.{name} as old using changes
            where old.{post} = changes.post_id
                and old.{slot} between changes.first_slot and changes.last_slot
            """
        )
        connection.execute(
            f"""
            insert into draft.{name}
            select {", ".join(f"new.{column}" for column in columns)} from {source} as new
            inner join changes
                on new.{post} = changes.post_id
                and new.{slot} between changes.first_slot and changes.last_slot
            order by {order}
            """
        )
        if fingerprint(connection, f"draft.{name}") == fingerprint(connection, source, columns):
            taken_over.add(name)
    return taken_over


def _know_changes(connection: duckdb.DuckDBPyConnection) -> bool:
    """Make the temporary table `changes`; whether it can be used."""
    try:
        base = _one(
            connection,
            "select count(*) from warehouse.intermediate.recorded_builds "
            "where invocation_id = (select build_id from draft.publication)",
        )
    except duckdb.CatalogException:  # a new file, or one of a version that did not say
        return False
    if not base:
        return False
    connection.execute(_CHANGES)
    changed = _one(connection, "select count(*) from changes")
    return bool(changed <= _MOST_CHANGED * _one(connection, "select count(*) from draft.posts"))


def _has_columns(
    connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]
) -> bool:
    """Whether these, in this order, are all it has; False where there is no such table."""
    with suppress(duckdb.CatalogException):
        return list(columns_of(connection, table).items()) == list(columns.items())
    return False


def _drop_all_but(connection: duckdb.DuckDBPyConnection, kept: set[str]) -> None:
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'draft'"
    ).fetchall()
    for (name,) in tables:
        if name not in kept:
            connection.execute(f"drop table draft.{name}")


def _comment(
    connection: duckdb.DuckDBPyConnection, table: str, definition: str, columns: dict[str, str]
) -> None:
    """BI tools show these as the definitions."""
    connection.execute(f"comment on table draft.{table} is {literal(definition)}")
    for column, meaning in columns.items():
        connection.execute(f"comment on column draft.{table}.{column} is {literal(meaning)}")


def _sign(
    connection: duckdb.DuckDBPyConnection, signature: Signature, row_counts: dict[str, int]
) -> None:
    """Put the `publication` row into the file: what this generation is made of."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in _PUBLICATION.items())
    connection.execute(f"create table draft.publication ({columns})")
    connection.execute(
        """
        insert into draft.publication
        select $generation, $now, (select max(as_of) from warehouse.marts.accounts),
            $revision, $passed, $warned, $counts,
            (select max_by(invocation_id, build) from warehouse.intermediate.recorded_builds)
        """,
        {
            "generation": signature.generation,
            "now": signature.now,
            "revision": _git_revision(),
            "passed": signature.built.tests_passed,
            "warned": signature.built.tests_warned,
            "counts": json.dumps(row_counts),
        },
    )
    _comment(
        connection,
        "publication",
        "One row: which generation this file is, when it was built, how fresh its data is, and how "
        "many tests it passed.",
        {name: definition for name, (_, definition) in _PUBLICATION.items()},
    )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]


def _git_revision() -> str | None:
    with suppress(OSError):
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607  (found on PATH, as everywhere)
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or None
    return None
