"""Reads files that users download from the platforms by hand: one module an export format."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ingest.clock import as_utc
from ingest.files import x_content, x_legacy
from ingest.files.base import (
    CsvFormat,
    Export,
    ExportPost,
    ExportPostRow,
    FileError,
    RejectedRow,
)
from ingest.files.csv_text import Record, records
from ingest.platforms.base import Row
from ingest.platforms.values import Unusable, storable

__all__ = [
    "EXPORT_ROWS",
    "FORMATS",
    "Export",
    "ExportPost",
    "ExportPostRow",
    "FileError",
    "RejectedRow",
    "read_export",
]

#: Every export format the product reads; a new one is a module and a line here.
FORMATS: Final[Sequence[CsvFormat]] = (x_legacy.FORMAT, x_content.FORMAT)
#: The row models that files land.
EXPORT_ROWS: Final[tuple[type[Row], ...]] = (ExportPostRow,)

#: A file is read whole; at some 500 bytes a post, no export comes near this.
_LARGEST_FILE: Final = 32 * 2**20
_NO_ROW: Final = re.compile(r"(?!)")


def read_export(
    path: Path,
    *,
    imported_at: datetime,
    name: str | None = None,
    handle: str | None = None,
    as_of: datetime | None = None,
) -> Export:
    """Reads one file, of whichever format its header shows; lands nothing.

    `name`: what it was downloaded as, where it is kept under another. `handle`: whose posts they
    must be; without it the file's name says, else its rows. `as_of`: when it was downloaded
    (`stated`); without it the end of the period in its name, never later than `imported_at`
    (`assumed`; METRICS.md section 2, "Files"). Times are aware.

    Raises FileError, and nothing else, for a file that cannot be used at all. A row that cannot
    be used is in `rejected`: rows read = posts + rejected, always.
    """
    name = "".join(letter if letter.isprintable() else "\ufffd" for letter in name or path.name)
    imported_at, as_of = as_utc(imported_at), as_of and as_utc(as_of)
    if as_of and as_of > imported_at:
        raise FileError(name, f"cannot have been downloaded in the future ({as_of:%Y-%m-%d %H:%M})")
    data = _bytes(path, name)
    layout, rows = _rows(_text(data, name), name)
    if not rows:
        raise FileError(name, "has a header and no rows")
    facts = layout.read_name(name)
    owner = handle or facts.handle or _most_frequent_author(row for _, row in rows)
    posts, rejected = _sort_out(rows, owner, as_of or imported_at)
    authors = {row.handle for _, row in rows if isinstance(row, ExportPost)}
    if authors and owner.casefold() not in {author.casefold() for author in authors}:
        raise FileError(name, f"holds posts of @{', @'.join(sorted(authors)[:3])}, not of @{owner}")
    start, end = facts.period or (None, None)
    newest = max((post.published_at for post in posts), default=imported_at)
    return Export(
        file_name=name,
        format=layout.name,
        platform=layout.platform,
        account_kind=layout.account_kind,
        handle=owner,
        sha256=hashlib.sha256(data).hexdigest(),
        period_start=start,
        period_end=end,
        # A period in another zone than UTC may end after its last posts.
        collected_at=as_of or min(imported_at, max(end or imported_at, newest)),
        collected_basis="stated" if as_of else "assumed",
        posts=tuple(posts),
        rejected=tuple(rejected),
    )


# --- the file --------------------------------------------------------------------------------


def _bytes(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():
            raise FileError(name, "is not a file" if path.exists() else "does not exist")
        if path.stat().st_size > _LARGEST_FILE:
            raise FileError(name, f"is larger than {_LARGEST_FILE // 2**20} MB")
        return path.read_bytes()
    except OSError as error:
        raise FileError(name, f"cannot be read: {error.strerror}") from error


def _text(data: bytes, name: str) -> str:
    """The file's text. Bytes that are not UTF-8 stay marked, and spoil only their rows."""
    if b"\0" in data[:4096]:
        raise FileError(name, "is not a text file")
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if not text.strip():
        raise FileError(name, "is empty")
    return text


# --- its layout ------------------------------------------------------------------------------


def _rows(text: str, name: str) -> tuple[CsvFormat, list[tuple[Record, ExportPost | RejectedRow]]]:
    """The format that the header shows, and each row as far as it can be judged alone."""
    header = next(records(text, _NO_ROW))
    if "," not in header.raw and re.search("[;\t]", header.raw):
        raise FileError(name, "is not separated by commas: import it as it was downloaded")
    if header.fields is None or header.raw != storable(header.raw):
        raise FileError(name, "is not a CSV file in UTF-8")
    layout = _format_of(header.fields, name)
    places = _places(layout, header.fields, name)
    body = records(text, layout.row_start)
    next(body)
    return layout, [(record, _read(record, layout, places, len(header.fields))) for record in body]


def _format_of(header: Sequence[str], name: str) -> CsvFormat:
    """The format with the most columns in `header`. Raises FileError if they are too few."""
    present = {_spelling(column) for column in header}
    missing = {
        layout.name: [column for column, names in layout.columns.items() if not names & present]
        for layout in FORMATS
    }
    layout = min(FORMATS, key=lambda layout: len(missing[layout.name]) / len(layout.columns))
    lacks = missing[layout.name]
    if not lacks:
        return layout
    if len(lacks) <= len(layout.columns) / 2:
        columns = ", ".join(f"'{column.replace('_', ' ')}'" for column in lacks[:3])
        raise FileError(name, f"looks like {layout.title}, but lacks {columns}")
    raise FileError(name, "is not an export file that this version reads")


def _places(layout: CsvFormat, header: Sequence[str], name: str) -> dict[str, int]:
    """Our column name -> its place in a row."""
    places: dict[str, int] = {}
    for column, names in layout.columns.items():
        found = [place for place, title in enumerate(header) if _spelling(title) in names]
        if len(found) > 1:
            raise FileError(name, f"has the column '{_spelling(header[found[1]])}' twice")
        places[column] = found[0]
    return places


def _spelling(column: str) -> str:
    return " ".join(column.split()).casefold()


# --- its rows --------------------------------------------------------------------------------


def _read(
    record: Record, layout: CsvFormat, places: Mapping[str, int], width: int
) -> ExportPost | RejectedRow:
    if record.fields is None:
        return _reject(record, "row", record.problem)
    if record.raw != storable(record.raw):
        return _reject(record, "row", "is not text in UTF-8")
    if len(record.fields) != width:
        return _reject(record, "row", f"has {len(record.fields)} columns, not {width}")
    try:
        named = {column: record.fields[place] for column, place in places.items()}
        return layout.read_row(record.number, named)
    except Unusable as unusable:
        return _reject(record, unusable.field, unusable.reason)


def _reject(record: Record, field: str, reason: str) -> RejectedRow:
    return RejectedRow(record.number, field, reason, record.raw)


def _most_frequent_author(rows: Iterable[ExportPost | RejectedRow]) -> str:
    authors = Counter(row.handle for row in rows if isinstance(row, ExportPost))
    return max(authors, key=lambda author: authors[author], default="")


def _sort_out(
    rows: Iterable[tuple[Record, ExportPost | RejectedRow]], owner: str, downloaded_by: datetime
) -> tuple[list[ExportPost], list[RejectedRow]]:
    """The posts that also agree with the file as a whole, and all the rest."""
    posts: dict[str, ExportPost] = {}
    rejected: list[RejectedRow] = []
    for record, row in rows:
        if isinstance(row, RejectedRow):
            rejected.append(row)
        elif row.handle.casefold() != owner.casefold():
            reason = f"is a post of another account, @{row.handle}, not of @{owner}"
            rejected.append(_reject(record, "row", reason))
        elif row.published_at > downloaded_by:
            reason = f"is after the file was downloaded, by {downloaded_by:%Y-%m-%d %H:%M} UTC"
            rejected.append(_reject(record, "time", reason))
        elif first := posts.get(row.platform_post_id):
            reason = f"repeats post {row.platform_post_id} of row {first.row_number}"
            rejected.append(_reject(record, "row", reason))
        else:
            posts[row.platform_post_id] = row
    return list(posts.values()), rejected
