"""Time intervals of LinkedIn's statistics: epoch milliseconds for pages, dates for members."""

from datetime import UTC, datetime

from ingest.sandbox.engine import Body, RefusedError
from ingest.sandbox.linkedin.errors import bad_parameter
from ingest.sandbox.linkedin.request import Query
from ingest.sandbox.restli import Value
from ingest.sandbox.world import DAY, Post

STATISTICS_AGE = 365 * DAY
#: (start, end, shown): whether the answer names the interval; lifetime is not named.
Interval = tuple[float, float, bool]


def intervals(query: Query, now: float) -> list[Interval]:
    """(start, end, shown) of the time intervals asked for; lifetime is one that is not shown."""
    record = query.record("timeIntervals")
    if record is None:
        return [(now - STATISTICS_AGE, now, False)]
    bounds = record.get("timeRange")
    granularity = record.get("timeGranularityType")
    if not isinstance(bounds, dict) or granularity not in ("DAY", "MONTH"):
        raise RefusedError(bad_parameter("timeIntervals"))
    start, end = (_milliseconds(bounds.get(name)) for name in ("start", "end"))
    start, end = max(start, now - STATISTICS_AGE), min(end, now)
    step = DAY if granularity == "DAY" else 30 * DAY
    intervals = []
    at = start // DAY * DAY
    while at < end:
        intervals.append((at, at + step, True))
        at += step
    return intervals


def _milliseconds(value: Value | None) -> float:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise RefusedError(bad_parameter("timeIntervals"))
    return int(value) / 1000


def gain(post: Post, interval: Interval, now: float) -> tuple[int, ...]:
    start, end, _ = interval
    end = min(end, now)
    if start <= post.published:
        return post.counts(end)
    return tuple(b - a for a, b in zip(post.counts(start), post.counts(end), strict=True))


def days(query: Query, aggregation: str, now: float) -> list[Interval]:
    """(start, end, shown) asked for; the end date is exclusive; no dateRange is lifetime."""
    record = query.record("dateRange")
    if record is None:
        if aggregation == "DAILY":
            raise RefusedError(bad_parameter("dateRange"))
        return [(0.0, now, False)]
    start, end = (_midnight(record.get(name)) for name in ("start", "end"))
    if aggregation == "TOTAL":
        return [(start, end, False)]
    every = []
    at = max(start, (now - STATISTICS_AGE) // DAY * DAY)
    while at < min(end, now):
        every.append((at, at + DAY, True))
        at += DAY
    return every


def _midnight(value: Value | None) -> float:
    try:
        parts = value if isinstance(value, dict) else {}
        year, month, day = (int(str(parts[name])) for name in ("year", "month", "day"))
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except (KeyError, ValueError):
        raise RefusedError(bad_parameter("dateRange")) from None


def date_range(start: float, end: float) -> Body:
    return {"start": _date(start), "end": _date(end)}


def _date(t: float) -> Body:
    day = datetime.fromtimestamp(t, UTC)
    return {"year": day.year, "month": day.month, "day": day.day}
