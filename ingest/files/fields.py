"""Readers of single fields of X exports: each gives a checked value or raises `Unusable`."""

import html
import re
from datetime import UTC, datetime
from typing import Final

from ingest.platforms.values import Unusable

#: The marts keep counters as INTEGER (directive 1.2).
_LARGEST: Final = 2**31 - 1
_NUMBER: Final = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]*))?")
_POST_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_PERMALINK: Final = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/([A-Za-z0-9_]{1,20})/status(?:es)?/([0-9]+)/?"
)
_LEADING_MENTION: Final = re.compile(r"@[A-Za-z0-9_]")
#: How X writes "unknown"; spreadsheets leave nothing.
_UNKNOWN: Final = frozenset({"-", ""})
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
    if len(whole.lstrip("0")) > len(str(_LARGEST)) or int(whole) > _LARGEST:
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


def moment(value: str, layout: str, field: str) -> datetime:
    """The UTC instant of a time with its zone, or of a day, as `strptime` knows `layout`."""
    try:
        found = datetime.strptime(value, layout)  # noqa: DTZ007 - the zone is in the layout
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable(field, f"{_shown(value)} is not a time") from None
    if found < _FIRST_POST:
        raise Unusable(field, f"{_shown(value)} is before the first post on X")
    return found


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
