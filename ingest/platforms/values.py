"""Total readers of platform JSON: each gives a checked value or raises `Unusable`.

A platform's answer is somebody else's data: any field may be missing, of another type, or out of
range. Module parsers catch `Unusable` per element and turn it into a `Rejected`.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ingest.platforms.base import LEAST_COUNT, MOST_COUNT, Rejected

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: No post is older than the older of the two platforms.
_EARLIEST: Final = datetime(2003, 1, 1, tzinfo=UTC)
#: Clocks differ; a post from beyond tomorrow is an error.
_CLOCK_SKEW: Final = timedelta(days=1)
#: What a rejected element without an id is called.
NO_ID: Final = "(no id)"
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Unusable(ValueError):  # noqa: N818 - says what the field is
    """A field of an element cannot be used. Never leaves a parser."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def objects(body: Mapping[str, Any], key: str) -> list[Any]:
    """The list under `key`; an absent one is empty. Its elements are unchecked."""
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unusable(key, "is not a list")
    return value


def mapping(value: object, field: str) -> Mapping[str, Any]:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise Unusable(field, "is not an object")
    return value


def counter(fields: Mapping[str, Any], key: str, least: int = LEAST_COUNT) -> int | None:
    """A counter; None where it was not sent (METRICS.md section 1).

    A float, a boolean or a string of digits is refused: a platform that changes a type may have
    changed the meaning. `least`: 0 where the platform is not known to send corrections.
    """
    value: object = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unusable(key, f"is a {type(value).__name__}, not an integer")
    if not least <= value <= MOST_COUNT:
        is_negative = LEAST_COUNT <= value < 0
        raise Unusable(key, "is negative" if is_negative else "is out of range for a counter")
    return value


def identifier(value: object, field: str, pattern: re.Pattern[str]) -> str:
    """An id of the platform's form, whole."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unusable(field, "is not an id of this platform")
    return value


def text(value: object, field: str) -> str | None:
    """A string that every store can hold: NUL and lone surrogates become U+FFFD."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unusable(field, f"is a {type(value).__name__}, not a string")
    return storable(value)


def storable(value: str) -> str:
    """The string with what UTF-8 or a database cannot hold replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", value)


def iso_moment(value: object, field: str, now: datetime) -> datetime:
    """The UTC instant of an ISO 8601 string with a zone."""
    if not isinstance(value, str):
        raise Unusable(field, "is not a time")
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise Unusable(field, "is a time without a zone")
        return _plausible(moment.astimezone(UTC), field, now)
    except OverflowError:
        raise Unusable(field, "is out of range") from None
    except Unusable:
        raise
    except ValueError:
        raise Unusable(field, "is not a time") from None


def ms_moment(value: object, field: str, now: datetime) -> datetime:
    """The UTC instant of epoch milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unusable(field, "is not a time in milliseconds")
    try:
        return _plausible(_EPOCH + timedelta(milliseconds=value), field, now)
    except OverflowError:
        raise Unusable(field, "is out of range") from None


def _plausible(moment: datetime, field: str, now: datetime) -> datetime:
    if not _EARLIEST <= moment <= now + _CLOCK_SKEW:
        raise Unusable(field, "is not a plausible time of publication")
    return moment


def subject(value: object, key: str) -> str:
    """What to call an element that cannot be used: its id if it has one."""
    name = value.get(key) if isinstance(value, dict) else None
    return storable(name)[:255] if isinstance(name, str) and name else NO_ID


def each_once(rejected: Iterable[Rejected]) -> list[Rejected]:
    """Without repetitions; what has no id cannot repeat, so it counts as often as it came."""
    seen: set[Rejected] = set()
    kept = []
    for one in rejected:
        if one.subject == NO_ID or one not in seen:
            seen.add(one)
            kept.append(one)
    return kept
