"""Erasure in the files of the data folder: spool, inbox, rejects, logs, dbt's and dlt's own."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.analytics.erasure.subject import Erasure
from execution.control.models import Account, Import
from execution.control.settings import Settings
from ingest.durable import fsync, remove_durably, replace_durably
from ingest.files import FORMATS, FileError, read_export
from ingest.files.csv_text import records

#: Written beside a spool file; the next landing removes what a kill has left of it.
_UNFINISHED: Final = ".parquet.tmp"


def erase_spooled(settings: Settings, erasure: Erasure) -> Counter[str]:
    """Take the marked rows out of what waits to be landed; place -> rows that went.

    A file that cannot be read can neither be landed nor searched: it goes whole.
    """
    gone: Counter[str] = Counter()
    folder = settings.data_dir / "spool"
    for draft in folder.glob(f"*{_UNFINISHED}"):
        draft.unlink()
    for path in sorted(folder.glob("*.parquet")):
        try:
            rows = pq.read_table(path)
        except (pa.ArrowException, OSError):
            remove_durably(path)
            gone["spool (unreadable files)"] += 1
            continue
        rest = rows.filter(_unmarked(rows, erasure))
        if rest.num_rows == rows.num_rows:
            continue
        gone["spool"] += rows.num_rows - rest.num_rows
        if rest.num_rows == 0:
            remove_durably(path)
            continue
        draft = path.with_suffix(_UNFINISHED)
        pq.write_table(rest, draft)
        fsync(draft)
        draft.replace(path)
        fsync(folder)
    return gone


def _unmarked(rows: pa.Table, erasure: Erasure) -> Any:
    keep = pa.array([True] * rows.num_rows)
    for column, values in erasure.columns.items():
        if column in rows.column_names:
            text = rows[column].cast(pa.string())
            marked = pc.is_in(text, value_set=pa.array(sorted(values), pa.string()))
            keep = pc.and_(keep, pc.invert(marked))
    return keep


def erase_inbox(
    settings: Settings, session: Session, erasure: Erasure, now: datetime
) -> Counter[str]:
    """Remove files that nobody's import needs, and erased posts from those that stay.

    Call it once the control store knows nothing of the erased. A file that stays keeps its name,
    which is that of its import, and its other rows, byte for byte. One that another account
    imported, too, stays whole: its rows are that account's posts.
    """
    gone: Counter[str] = Counter()
    folder = settings.data_dir / "inbox"
    for draft in folder.glob(".*.draft"):
        draft.unlink()
    imports = session.execute(
        select(Import.file_sha256, Import.account_id, Account.handle).join(
            Account, Account.id == Import.account_id
        )
    )
    importers: dict[str, dict[str, str | None]] = {}
    for sha256, account_id, handle in imports:
        importers.setdefault(sha256, {})[str(account_id)] = handle
    for path in sorted(folder.glob("*.csv")):
        of_file = importers.get(path.stem, {})
        if not of_file:
            remove_durably(path)
            gone["inbox (files)"] += 1
        elif of_file.keys() <= set(erasure.accounts_cut):
            (handle, *_) = of_file.values()
            gone["inbox"] += _erase_rows(path, handle, erasure, now)
    return +gone


def _erase_rows(path: Path, handle: str | None, erasure: Erasure, now: datetime) -> int:
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    if not any(post in text for post in erasure.platform_posts):
        return 0
    try:
        export = read_export(path, imported_at=now, handle=handle)
    except FileError:  # its last usable row went before
        return 0
    numbers = {
        post.row_number for post in export.posts if post.platform_post_id in erasure.platform_posts
    }
    numbers |= {row.row_number for row in export.rejected if erasure.terms.found_in(row.raw)}
    if numbers:
        rest = _without_rows(text, export.format, numbers)
        replace_durably(path, rest.encode("utf-8", errors="surrogateescape"))
    return len(numbers)


def _without_rows(text: str, layout: str, numbers: set[int]) -> str:
    """An empty line stands for each row that went, so that the others keep their numbers."""
    (row_start,) = {known.row_start for known in FORMATS if known.name == layout}
    kept, position = [], 0
    for record in records(text, row_start):
        if record.number in numbers:
            start = text.index(record.raw, position)
            kept.append(text[position:start])
            position = start + len(record.raw)
    return "".join([*kept, text[position:]])


def erase_rejects(settings: Settings, erasure: Erasure) -> Counter[str]:
    """Drop rejected rows of erased accounts and their files, and whatever names the erased."""
    path = settings.data_dir / "rejects" / "rejects.jsonl"

    def is_marked(line: str) -> bool:
        try:
            row = json.loads(line)
        except ValueError:  # a kill cut it
            return True
        theirs = row.get("account_id") in erasure.accounts or row.get("source") in erasure.files
        return theirs or erasure.terms.found_in(" ".join(map(str, row.values())))

    return Counter({"rejects": _drop_lines(path, is_marked)})


def erase_traces(settings: Settings, erasure: Erasure) -> Counter[str]:
    """Drop lines of logs that name the erased, and what dbt and dlt keep for themselves."""
    gone: Counter[str] = Counter()
    for path in sorted((settings.data_dir / "logs").rglob("*")):
        if path.is_file():
            gone["logs"] += _drop_lines(path, erasure.terms.found_in)
    for path in sorted((settings.data_dir / "dbt").rglob("*")):
        if path.is_file() and erasure.terms.found_in(path.read_bytes().decode("latin-1")):
            path.unlink()
            gone["dbt (files)"] += 1
    # Rows that tests found may tell of the erased by ids of snapshots alone.
    found = ("dbt/target/failing", "dbt/verify/failing")
    for folder in ("dlt", "dbt/copy", *found, f"{settings.warehouse.name}.tmp"):
        shutil.rmtree(settings.data_dir / folder, ignore_errors=True)
    return +gone


def _drop_lines(path: Path, is_marked: Callable[[str], bool]) -> int:
    if not path.exists():
        return 0
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not is_marked(line)]
    if len(kept) < len(lines):
        content = "".join(kept).encode("utf-8", errors="surrogateescape")
        replace_durably(path, content, path.stat().st_mode & 0o777)
    return len(lines) - len(kept)
