"""X Analytics post export, legacy layout of 40 columns (platform-apis.md section 3).

`tweet_activity_metrics_{handle}_{YYYYMMDD}_{YYYYMMDD}_{language}.csv`: UTF-8, all fields quoted,
multi-line text with HTML entities, numbers as `"3423.0"`, `-` for unknown, UTC times to the
minute. The period ends before the second date (37 real files: no post on it or after it).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from ingest.files import fields
from ingest.files.base import CsvFormat, ExportPost, NameFacts

_ORGANIC: Final = (
    "impressions",
    "engagements",
    "retweets",
    "replies",
    "likes",
    "user_profile_clicks",
    "url_clicks",
    "hashtag_clicks",
    "detail_expands",
    "permalink_clicks",
    "app_opens",
    "app_installs",
    "follows",
    "email_tweet",
    "dial_phone",
    "media_views",
    "media_engagements",
)
_COUNTERS: Final = (*_ORGANIC, *(f"promoted_{name}" for name in _ORGANIC))
_NOT_COUNTERS: Final = (
    "tweet_id",
    "tweet_permalink",
    "tweet_text",
    "time",
    "engagement_rate",
    "promoted_engagement_rate",
)
_OLD_NAMES: Final = {"likes": "favorites", "promoted_likes": "promoted favorites"}
_FILE_NAME: Final = re.compile(
    r"(?:tweet_activity_metrics_([A-Za-z0-9_]{1,20}))?_([0-9]{8})_([0-9]{8})_"
)


def _spellings(column: str) -> frozenset[str]:
    return frozenset({column.replace("_", " "), _OLD_NAMES.get(column, column)})


def _read_row(row_number: int, row: Mapping[str, str]) -> ExportPost:
    post_id = fields.post_id(row["tweet_id"], "Tweet id")
    text = fields.text(row["tweet_text"])
    return ExportPost(
        row_number=row_number,
        handle=fields.author(row["tweet_permalink"], post_id, "Tweet permalink"),
        platform_post_id=post_id,
        published_at=fields.minute(row["time"], "time"),
        post_type=fields.post_type(text),
        text=text,
        url=row["tweet_permalink"],
        counters={name: fields.counter(row[name], name.replace("_", " ")) for name in _COUNTERS},
    )


def _read_name(file_name: str) -> NameFacts:
    found = _FILE_NAME.search(file_name)
    if found is None:
        return NameFacts(None, None)
    try:
        start, end = (datetime.strptime(f"{day} +0000", "%Y%m%d %z") for day in found.groups()[1:])
    except ValueError:
        return NameFacts(found[1], None)
    return NameFacts(
        found[1], (start.astimezone(UTC), end.astimezone(UTC)) if start < end else None
    )


FORMAT: Final = CsvFormat(
    name="x_legacy",
    title="an X post export of the 40-column layout",
    platform="twitter",
    account_kind="profile",
    columns={column: _spellings(column) for column in (*_NOT_COUNTERS, *_COUNTERS)},
    row_start=re.compile(r'"?[1-9][0-9]{0,18}"?,"?https?://'),
    read_row=_read_row,
    read_name=_read_name,
)
