"""Write, audit, publish (DESIGN.md section 6): marts that passed their tests become a generation.

Readers never open the warehouse. Each generation is two new files, fsynced, and only then named by
the links `content.duckdb` and `current.duckdb`, the content one first. Files are never changed in
place: an older one that is to lose a text is replaced. Most generations begin as a
copy of the one before: the two large marts take over what the builds since then changed, everything
else is written anew. Now and then all of it is, in read order.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from execution.analytics.aggregations import BuildResult, Dbt
from execution.analytics.published_file import (
    Model,
    Signature,
    is_changed_in_place,
    write,
    write_without_deleted,
)
from execution.control.settings import Settings
from ingest.clock import Clock
from ingest.durable import fsync
from ingest.errors import NexusError

#: The link to the newest generation's marts.
CURRENT = "current.duckdb"
#: dbt schema -> (file stem, link, mode): marts for BI tools, content for the owner alone.
_PARTS = {
    "content": ("content", "content.duckdb", 0o600),
    "marts": ("nexus", CURRENT, 0o640),
}


#: Seconds: ample for opening a file.
_WHILE_READERS_OPEN = 0.5
#: Every so many generations all is written anew: changes lie at a table's end, out of read order.
_WHOLE_EVERY = 20


class PublishError(NexusError):
    """Nothing was published; the message says why. The last generation keeps serving."""


@dataclass(frozen=True)
class Publication:
    """A published generation."""

    generation: int
    path: Path
    row_counts: dict[str, int]


def publish(
    settings: Settings, dbt: Dbt, built: BuildResult, clock: Clock, *, whole: bool = False
) -> Publication:
    """Publish the marts of a build that passed, and drop generations beyond those kept.

    `whole`: nothing is taken over from the last generation (after an erasure).
    Raises PublishError.
    """
    folder = settings.published_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    _remove_drafts(folder)
    generation = current_generation(folder) + 1
    models = _published_models(dbt.manifest())
    row_counts: dict[str, int] = {}
    signature = Signature(generation, built, clock.now())
    try:
        for schema, (stem, _, mode) in _PARTS.items():
            draft = folder / f".{stem}-{generation}.duckdb.draft"
            last = folder / f"{stem}-{generation - 1}.duckdb"
            in_place = any(map(is_changed_in_place, models[schema]))
            if in_place and last.exists() and not whole and generation % _WHOLE_EVERY:
                shutil.copyfile(last, draft)
            row_counts |= write(draft, settings.warehouse, models[schema], signature, row_counts)
            draft.chmod(mode)
            fsync(draft)
            draft.rename(folder / f"{stem}-{generation}.duckdb")
        for stem, link, _ in _PARTS.values():
            _swap(folder / link, f"{stem}-{generation}.duckdb")
    except (duckdb.Error, OSError) as error:
        _remove_drafts(folder)
        raise PublishError(f"nothing was published: {error}") from error
    drop_generations(folder, generation - settings.keep_generations)
    _rewrite_older_content(folder, generation)
    return Publication(generation, folder / f"nexus-{generation}.duckdb", row_counts)


def current_generation(folder: Path) -> int:
    """The newest generation written, whether its links were swapped or not; 0 if there is none."""
    return max((_generation(path) for path in folder.glob("*-*.duckdb")), default=0)


def drop_generations(folder: Path, newest_to_drop: int) -> int:
    """Remove this generation and all older ones; how many files went.

    DuckDB reads a link and opens what it names, one after the other: what the links named until
    now goes half a second later.
    """
    dropped = [path for path in folder.glob("*-*.duckdb") if _generation(path) <= newest_to_drop]
    if newest_to_drop >= current_generation(folder) - 1 and dropped:
        time.sleep(_WHILE_READERS_OPEN)
    for path in dropped:
        path.unlink()
    if dropped:
        fsync(folder)
    return len(dropped)


def _rewrite_older_content(folder: Path, generation: int) -> None:
    """What this generation holds no more of deleted posts, those before it shall not keep.

    One that cannot be read or written anew goes: the newest serves already.
    """
    stem, _, mode = _PARTS["content"]
    newest = folder / f"{_PARTS['marts'][0]}-{generation}.duckdb"
    for path in sorted(folder.glob(f"{stem}-*.duckdb")):
        draft = path.with_name(f".{path.name}.draft")
        if _generation(path) >= generation:
            continue
        try:
            if write_without_deleted(draft, path, newest):
                draft.chmod(mode)
                fsync(draft)
                draft.replace(path)
        except (duckdb.Error, OSError):
            path.unlink()
            _remove_drafts(folder)
        fsync(folder)


def _generation(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _published_models(manifest: dict[str, Any]) -> dict[str, list[Model]]:
    """Schema -> models in it. A model's `meta.read_order` says how its rows lie on disk."""
    found: dict[str, list[Model]] = {schema: [] for schema in _PARTS}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] in found:
            found[node["schema"]].append(node)
    return found


def _swap(link: Path, target: str) -> None:
    """Point `link` at `target` in one step that readers see whole."""
    draft = link.with_name(f".{link.name}.draft")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)
    fsync(link.parent)


def _remove_drafts(folder: Path) -> None:
    for draft in folder.glob(".*.draft*"):
        if draft.is_dir():  # what was spilled
            shutil.rmtree(draft)
        else:
            draft.unlink()
