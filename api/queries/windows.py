"""Time windows (METRICS.md sections 3 and 5): local days of any IANA zone as exact UTC bounds.

A window is computed from its end, the newest `as_of` among the accounts asked for. Bounds lie on
the quarter-hour grid, which every zone's offset keeps to, so that sums over
`quarter_hour_metrics` are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from api.schemas import Age, WindowName

QUARTER_HOUR = timedelta(minutes=15)
SLOT = timedelta(hours=2)
#: Of posts older than two days.
OLD_SLOT = timedelta(hours=6)
BAR = timedelta(hours=6)
DAY = timedelta(days=1)
ROLLING = timedelta(hours=24)
#: Days of the presets that are cut at local midnights, the open day included.
PRESET_DAYS: dict[WindowName, int] = {"7d": 7, "30d": 30, "90d": 90}
WEEK = 7
#: Ages in hours at which posts are compared, as the API names them (METRICS.md section 6).
AGES: dict[int, Age] = {24: "24h", 72: "72h", 168: "7d"}
#: Windows of so many days or more compare the posts published in them at so many hours.
_AGE_FROM_DAYS = ((90, 168), (30, 72), (0, 24))

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """[start, end) in UTC, and the local days it touches (both inclusive).

    `by_slot`: it holds what was gained in the slots that start in it (24h), else what was active.
    """

    start: datetime
    end: datetime
    first_day: date
    last_day: date
    by_slot: bool


@dataclass(frozen=True)
class TimeWindow(Span):
    """A window in a zone. `open_day`: the local day of the newest data, where it lies inside.

    That day (24h: the last bar) was still running, so the window ends with it.
    """

    name: WindowName
    zone: ZoneInfo
    open_day: date | None

    def reaching_back_to(self, before: Span) -> Span:
        """From the start of `before` to the end of this window."""
        return Span(before.start, self.end, before.first_day, self.last_day, self.by_slot)

    @property
    def days(self) -> int:
        """Local days from first to last."""
        return (self.last_day - self.first_day).days + 1

    @property
    def comparison_age(self) -> int:
        """Age in hours at which posts published in the window are compared (METRICS.md 3)."""
        return next(hours for days, hours in _AGE_FROM_DAYS if self.days >= days)

    @property
    def comparison_slot(self) -> timedelta:
        """How often posts of that age are read (METRICS.md 2)."""
        return SLOT if self.comparison_age < 48 else OLD_SLOT


@dataclass(frozen=True)
class BucketSpan:
    """One step of the time axis; `partial`: it was still running at the window's end."""

    day: date
    start: datetime
    end: datetime
    partial: bool


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC; where DST skips midnight, the moment the clock moves."""
    return _at(day, time(), zone)


def resolve(
    name: WindowName, zone: ZoneInfo, as_of: datetime, days: tuple[date, date] | None = None
) -> TimeWindow:
    """The window `name` that ends with the data at `as_of`.

    `days`: first and last local day, for `custom` only. A `custom` window that runs past the open
    day keeps its last day but ends with the data, so that its comparison is with an equal part.
    """
    if name == "24h":
        return _last_24_hours(zone, as_of)
    open_day = as_of.astimezone(zone).date()
    first, last = days or (open_day - DAY * (PRESET_DAYS[name] - 1), open_day)
    is_open = first <= open_day <= last
    return TimeWindow(
        name=name,
        zone=zone,
        start=midnight(first, zone),
        end=_closing(as_of, open_day, zone) if is_open else midnight(last + DAY, zone),
        first_day=first,
        last_day=last,
        by_slot=False,
        open_day=open_day if is_open else None,
    )


def previous(window: TimeWindow, *, match_weekday: bool = False) -> Span:
    """The period just before: same length, and the same elapsed part of an open day."""
    if window.name == "24h":
        back = ROLLING * (WEEK if match_weekday else 1)
        return _slots(window.start - back, window.end - back, window.zone)
    length = window.days
    shift = DAY * (-(-length // WEEK) * WEEK if match_weekday else length)
    first, last = window.first_day - shift, window.last_day - shift
    start = midnight(first, window.zone)
    if window.open_day is None:
        return Span(start, midnight(last + DAY, window.zone), first, last, by_slot=False)
    cut_day = window.open_day - shift
    end = _same_clock(window.end, window.open_day, cut_day, window.zone)
    return Span(start, end, first, cut_day, by_slot=False)


def buckets(window: TimeWindow) -> list[BucketSpan]:
    """The time axis: local days, or the four bars of a 24h window. They join without a gap."""
    if window.name == "24h":
        return list(_bars(window))
    return list(_days(window))


def _days(window: TimeWindow) -> Iterator[BucketSpan]:
    for number in range(window.days):
        day = window.first_day + DAY * number
        start, end = midnight(day, window.zone), midnight(day + DAY, window.zone)
        if start < end:  # a zone that crosses the date line drops a whole day
            yield BucketSpan(day, start, end, day == window.open_day)


def _bars(window: TimeWindow) -> Iterator[BucketSpan]:
    start = window.start
    while start < window.end:
        end = start + BAR
        yield BucketSpan(start.astimezone(window.zone).date(), start, end, end == window.end)
        start = end


def _last_24_hours(zone: ZoneInfo, as_of: datetime) -> TimeWindow:
    """The twelve two-hour slots up to and including the one that holds `as_of`."""
    end = _floor(as_of, SLOT) + SLOT
    span = _slots(end - ROLLING, end, zone)
    return TimeWindow(
        name="24h",
        zone=zone,
        start=span.start,
        end=span.end,
        first_day=span.first_day,
        last_day=span.last_day,
        by_slot=True,
        open_day=span.last_day,
    )


def _slots(start: datetime, end: datetime, zone: ZoneInfo) -> Span:
    last_moment = end - timedelta(microseconds=1)
    first_day, last_day = (moment.astimezone(zone).date() for moment in (start, last_moment))
    return Span(start, end, first_day, last_day, by_slot=True)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)


def _closing(as_of: datetime, open_day: date, zone: ZoneInfo) -> datetime:
    """End of the quarter-hour that holds `as_of`: what was collected then belongs to the window."""
    return min(_floor(as_of, QUARTER_HOUR) + QUARTER_HOUR, midnight(open_day + DAY, zone))


def _same_clock(moment: datetime, day: date, other: date, zone: ZoneInfo) -> datetime:
    """`moment` of local `day`, at the same wall clock of the day `other`.

    A wall clock that DST skips moves forward, but never past the end of its day.
    """
    local, end = moment.astimezone(zone), midnight(other + DAY, zone)
    return end if local.date() > day else min(end, _at(other, local.time(), zone))


def _floor(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // step * step
