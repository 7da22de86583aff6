"""X Analytics content export, layout of 17 columns (platform-apis.md section 3).

`account_analytics_content_{YYYY-MM-DD}_{YYYY-MM-DD}.csv`: UTF-8, whole numbers, days without a
time, no handle in the name. The time of publication is read from the post's id. The early 2025
variant spells some columns and the days otherwise. Headers of other languages are not read.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from ingest.files import fields
from ingest.files.base import CsvFormat, ExportPost, NameFacts
from ingest.platforms.values import Unusable

#: Column of the row model -> the layout's names for it.
_COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "impressions": ("Impressions",),
    "likes": ("Likes",),
    "engagements": ("Engagements",),
    "bookmarks": ("Bookmarks",),
    "shares": ("Shares", "Share"),
    "follows": ("New follows",),
    "replies": ("Replies",),
    "retweets": ("Reposts",),
    "user_profile_clicks": ("Profile visits",),
    "detail_expands": ("Detail Expands",),
    "url_clicks": ("URL Clicks",),
    "hashtag_clicks": ("Hashtag Clicks",),
    "permalink_clicks": ("Permalink Clicks",),
}
_NOT_COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "post_id": ("Post id",),
    "date": ("Date",),
    "post_text": ("Post text",),
    "post_link": ("Post Link", "Link"),
}
_FILE_NAME: Final = re.compile(r"_([0-9]{4}-[0-9]{2}-[0-9]{2})_([0-9]{4}-[0-9]{2}-[0-9]{2})")
_DAY: Final = timedelta(days=1)
_EASTERNMOST: Final = timedelta(hours=14)
_WESTERNMOST: Final = timedelta(hours=12)


def _read_row(row_number: int, row: Mapping[str, str]) -> ExportPost:
    post_id = fields.post_id(row["post_id"], "Post id")
    text = fields.text(row["post_text"])
    return ExportPost(
        row_number=row_number,
        handle=fields.author(row["post_link"], post_id, "Post Link"),
        platform_post_id=post_id,
        published_at=_published_at(post_id, row["date"]),
        post_type=fields.post_type(text),
        text=text,
        url=row["post_link"],
        counters={
            column: fields.counter(row[column], names[0]) for column, names in _COUNTERS.items()
        },
    )


def _published_at(post_id: str, date: str) -> datetime:
    """The moment in the id, which must lie on the day that the row states, in some time zone."""
    day = fields.day(date, "Date")
    moment = fields.moment_of_id(post_id)
    if not day - _EASTERNMOST <= moment < day + _DAY + _WESTERNMOST:
        raise Unusable("Date", f"{date!r} is not the day of post {post_id}")
    return moment


def _read_name(file_name: str) -> NameFacts:
    found = _FILE_NAME.search(file_name)
    if found is None:
        return NameFacts(None, None)
    try:
        first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in found.groups())
    except ValueError:
        return NameFacts(None, None)
    # Both days were chosen in a calendar: the last belongs to the period.
    return NameFacts(None, (first, last + _DAY) if first <= last else None)


FORMAT: Final = CsvFormat(
    name="x_content",
    title="an X content export of the 17-column layout",
    platform="twitter",
    account_kind="profile",
    columns={
        column: frozenset(name.casefold() for name in names)
        for column, names in {**_NOT_COUNTERS, **_COUNTERS}.items()
    },
    row_start=re.compile(r'"?[1-9][0-9]{0,18}"?,"?[A-Z][a-z]{2},? '),
    read_row=_read_row,
    read_name=_read_name,
)
