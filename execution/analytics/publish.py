"""Write, audit, publish (DESIGN.md section 6): marts that passed their tests become a generation.

Readers never open the warehouse. Each generation is two new files, written whole, fsynced, and
only then named by the links `content.duckdb` and `current.duckdb`, the content one first.
"""

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from execution.analytics.aggregations import PROJECT, BuildResult, Dbt
from execution.control.settings import Settings
from ingest.clock import Clock
from ingest.errors import NexusError

#: dbt schema -> (file stem, link, mode): marts for BI tools, content for the owner alone.
_PARTS = {
    "content": ("content", "content.duckdb", 0o600),
    "marts": ("nexus", "current.duckdb", 0o640),
}


class PublishError(NexusError):
    """Nothing was published; the message says why. The last generation keeps serving."""


@dataclass(frozen=True)
class Publication:
    """A published generation."""

    generation: int
    path: Path
    row_counts: dict[str, int]


def publish(settings: Settings, dbt: Dbt, built: BuildResult, clock: Clock) -> Publication:
    """Publish the marts of a build that passed, and drop generations beyond those kept."""
    folder = settings.published_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    _remove_drafts(folder)
    generation = current_generation(folder) + 1
    models = _published_models(dbt.manifest())
    row_counts: dict[str, int] = {}
    try:
        for schema, (stem, _, mode) in _PARTS.items():
            draft = folder / f".{stem}-{generation}.duckdb.draft"
            row_counts |= _write(draft, settings.warehouse, models[schema])
            _sign(
                draft,
                generation=generation,
                built=built,
                row_counts=row_counts,
                warehouse=settings.warehouse,
                now=clock.now(),
            )
            draft.chmod(mode)
            _fsync(draft)
            draft.rename(folder / f"{stem}-{generation}.duckdb")
        for stem, link, _ in _PARTS.values():
            _swap(folder / link, f"{stem}-{generation}.duckdb")
    except (duckdb.Error, OSError) as error:
        _remove_drafts(folder)
        raise PublishError(f"nothing was published: {error}") from error
    _prune(folder, generation - settings.keep_generations)
    return Publication(generation, folder / f"nexus-{generation}.duckdb", row_counts)


def current_generation(folder: Path) -> int:
    """The newest generation written, whether its links were swapped or not; 0 if there is none."""
    return max((_generation(path) for path in folder.glob("*-*.duckdb")), default=0)


def _generation(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _published_models(manifest: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Schema -> models in it. A model's `meta.read_order` says how its rows lie on disk."""
    found: dict[str, list[dict[str, Any]]] = {schema: [] for schema in _PARTS}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] in found:
            found[node["schema"]].append(node)
    return found


def _write(draft: Path, warehouse: Path, models: list[dict[str, Any]]) -> dict[str, int]:
    """Copy the models' tables with their descriptions; returns rows a table."""
    counts = {}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {_literal(warehouse)} as warehouse (read_only)")
        connection.execute(f"attach {_literal(draft)} as draft (row_group_size 16384)")
        for model in sorted(models, key=lambda model: str(model["name"])):
            name, meta = model["name"], model["config"].get("meta", {})
            order = f" order by {', '.join(meta['read_order'])}" if "read_order" in meta else ""
            source = f"warehouse.{model['schema']}.{name}"
            connection.execute(f"create table draft.{name} as select * from {source}{order}")
            _comment(connection, model)
            counts[name] = _one(connection, f"select count(*) from draft.{name}")
        connection.execute("checkpoint draft")
        connection.execute("detach draft")
    return counts


def _comment(connection: duckdb.DuckDBPyConnection, model: dict[str, Any]) -> None:
    """BI tools show these as the definitions."""
    name = model["name"]
    connection.execute(f"comment on table draft.{name} is {_literal(model['description'])}")
    for column in model["columns"].values():
        target = f"draft.{name}.{column['name']}"
        connection.execute(f"comment on column {target} is {_literal(column['description'])}")


def _sign(
    draft: Path,
    *,
    generation: int,
    built: BuildResult,
    row_counts: dict[str, int],
    warehouse: Path,
    now: datetime,
) -> None:
    """Put the `publication` row into the file: what this generation is made of."""
    with duckdb.connect(warehouse, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        data_as_of = _one(connection, "select max(as_of) from marts.accounts")
    with duckdb.connect(draft) as connection:
        connection.execute(
            """
            create table publication (
                generation bigint, built_at timestamptz, data_as_of timestamptz,
                git_revision varchar, tests_passed integer, tests_warned integer,
                row_counts varchar
            )
            """
        )
        connection.execute(
            "insert into publication values (?, ?, ?, ?, ?, ?, ?)",
            [
                generation,
                now,
                data_as_of,
                _git_revision(),
                built.tests_passed,
                built.tests_warned,
                json.dumps(row_counts),
            ],
        )
        connection.execute(
            "comment on table publication is 'One row: which generation this file is, when it was "
            "built, how fresh its data is, and which tests it passed.'"
        )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]


def _literal(value: object) -> str:
    """An SQL text literal: ATTACH and COMMENT take no bound parameters."""
    return "'" + str(value).replace("'", "''") + "'"


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


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(link: Path, target: str) -> None:
    """Point `link` at `target` in one step that readers see whole."""
    draft = link.with_name(f".{link.name}.draft")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)
    _fsync(link.parent)


def _remove_drafts(folder: Path) -> None:
    for draft in folder.glob(".*.draft*"):
        draft.unlink()


def _prune(folder: Path, newest_to_drop: int) -> None:
    for path in folder.glob("*-*.duckdb"):
        if _generation(path) <= newest_to_drop:
            path.unlink()
