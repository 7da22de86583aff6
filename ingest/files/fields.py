"""Readers of single fields of X exports: each gives a checked value or raises `Unusable`."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ingest.platforms.base import MOST_COUNT
from ingest.platforms.values import Unusable

_NUMBER: Final = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]*))?")
_POST_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_PERMALINK: Final = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/([A-Za-z0-9_]{1,20})/status(?:es)?/([0-9]+)/?"
)
_LEADING_MENTION: Final = re.compile(r"@[A-Za-z0-9_]")
#: How X writes "unknown"; spreadsheets leave nothing.
_UNKNOWN: Final = frozenset({"-", ""})
_DAY: Final = re.compile(r"[A-Z][a-z]{2},? ([A-Z][a-z]{2}) ([0-9]{1,2}),? ([0-9]{4})")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_ID_MS: Final = 1_288_834_974_657
_FIRST_POST: Final = datetime(2006, 3, 21, tzinfo=UTC)


def counter(value: str, field: str) -> int | None:
    """A count, also where it is written `"3423.0"`; None for `-` (METRICS.md section 1)."""
    value = value.strip()
    if value in _UNKNOWN:
        return None
    number = _NUMBER.fullmatch(value)
    if number is None:
        raise Unusable(field, f"{_shown(value)} is not a number")
    sign, whole, fraction = number.groups()
    if (fraction or "").strip("0"):
        raise Unusable(field, f"{_shown(value)} is not a whole number")
    if len(whole.lstrip("0")) > len(str(MOST_COUNT)) or int(whole) > MOST_COUNT:
        raise Unusable(field, f"{_shown(value)} is too large")
    if sign == "-" and int(whole):
        raise Unusable(field, f"{_shown(value)} is negative")
    return int(whole)


def post_id(value: str, field: str) -> str:
    """A post's id. A spreadsheet that saved the file has rounded it: `8.12E+17`."""
    if not _POST_ID.fullmatch(value):
        raise Unusable(field, f"{_shown(value)} is not a post id")
    return value


def author(permalink: str, platform_post_id: str, field: str) -> str:
    """The handle in a post's link, which must be the link of this very post."""
    link = _PERMALINK.fullmatch(permalink)
    if link is None:
        raise Unusable(field, f"{_shown(permalink)} is not the link of a post")
    if link[2] != platform_post_id:
        raise Unusable(field, f"leads to post {link[2][:20]}, not to {platform_post_id}")
    return link[1]


def minute(value: str, field: str) -> datetime:
    """The UTC instant of a time like `2019-05-01 10:00 +0000`."""
    try:
        found = datetime.strptime(value, "%Y-%m-%d %H:%M %z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable(field, f"{_shown(value)} is not a time") from None
    if found < _FIRST_POST:
        raise Unusable(field, f"{_shown(value)} is before the first post on X")
    return found


def day(value: str, field: str) -> datetime:
    """Midnight UTC of a day like `Fri, Feb 27, 2026` or `Thu Mar 20 2025`."""
    parts = _DAY.fullmatch(value)
    try:
        if parts is None:
            raise ValueError(value)
        return datetime(int(parts[3]), _MONTHS.index(parts[1]) + 1, int(parts[2]), tzinfo=UTC)
    except ValueError:
        raise Unusable(field, f"{_shown(value)} is not a day") from None


def moment_of_id(post_id: str) -> datetime:
    """When a post was published: X counts milliseconds in the upper bits of its ids."""
    return _EPOCH + timedelta(milliseconds=(int(post_id) >> 22) + _FIRST_ID_MS)


def text(value: str) -> str | None:
    """A post's text as its author wrote it: entities resolved, lines ended by LF."""
    plain = html.unescape(value).replace("\r\n", "\n").replace("\r", "\n")
    return plain or None


def post_type(value: str | None) -> str:
    """`reply` for a text that begins with a mention, else `post`.

    The exports do not say which posts are replies. X puts the mention of the answered person in
    front of a reply's text, and treats other posts that begin so like replies; a quote cannot be
    told from a post.
    """
    return "reply" if _LEADING_MENTION.match(value or "") else "post"


def _shown(value: str) -> str:
    return repr(value if len(value) <= 30 else value[:29] + "…")
