"""Windows hold whole local days of any zone, exactly once, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.queries.windows import (
    BAR,
    QUARTER_HOUR,
    SLOT,
    Span,
    TimeWindow,
    buckets,
    midnight,
    previous,
    resolve,
)

#: Half-hour and 45-minute offsets, DST at midnight (Beirut, Asuncion, Nuuk), half-hour DST (Lord
#: Howe), zones far ahead and behind, one that dropped a day (Apia, 30 December 2011).
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham",
    "Australia/Eucla", "Australia/Lord_Howe", "Asia/Beirut", "America/Asuncion", "America/Nuuk",
    "Africa/Cairo", "America/Sao_Paulo", "Pacific/Kiritimati", "Pacific/Niue", "Pacific/Apia",
    "America/Havana", "America/St_Johns", "Africa/Casablanca",
]  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2006, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
days = st.dates(date(2006, 1, 1), date(2037, 12, 31))
presets = st.sampled_from(["24h", "7d", "30d", "90d"])


@st.composite
def windows(draw: st.DrawFn) -> TimeWindow:
    """Any window: a preset, or a custom one before, around or after the newest data."""
    as_of, zone = draw(moments), draw(zones)
    if draw(st.booleans()):
        return resolve(draw(presets), zone, as_of)
    first = as_of.date() + timedelta(days=draw(st.integers(-400, 40)))
    last = first + timedelta(days=draw(st.integers(0, 120)))
    return resolve("custom", zone, as_of, (first, last))


@given(windows())
def test_buckets_cover_the_window_without_gap_or_overlap(window: TimeWindow) -> None:
    steps = buckets(window)
    assert steps[0].start == window.start
    assert all(left.end == right.start for left, right in pairwise(steps))
    assert all(step.start < step.end for step in steps)
    assert steps[-1].end >= window.end
    if window.open_day is None:
        assert steps[-1].end == window.end


@given(windows())
def test_every_bound_lies_on_a_quarter_hour(window: TimeWindow) -> None:
    bounds = [window.start, window.end, *(step.start for step in buckets(window))]
    before = previous(window)
    for bound in [*bounds, before.start, before.end]:
        assert (bound - datetime(1970, 1, 1, tzinfo=UTC)) % QUARTER_HOUR == timedelta(0)


@given(windows(), st.integers(0, 10**9))
def test_a_moment_lies_in_the_bucket_of_its_local_day(window: TimeWindow, offset: int) -> None:
    if window.name == "24h":
        return
    length = (window.end - window.start) // timedelta(seconds=1)
    moment = window.start + timedelta(seconds=offset % length)
    (step,) = [step for step in buckets(window) if step.start <= moment < step.end]
    assert step.day == moment.astimezone(window.zone).date()


@given(zones, days)
def test_a_day_begins_when_its_first_moment_does(zone: ZoneInfo, day: date) -> None:
    start = midnight(day, zone)
    assert (start - timedelta(microseconds=1)).astimezone(zone).date() < day
    assert start.astimezone(zone).date() >= day


@given(windows())
def test_what_was_just_collected_lies_in_every_preset(window: TimeWindow) -> None:
    assert window.start < window.end


@given(moments, zones, presets)
def test_a_preset_ends_with_the_newest_data_and_holds_it(
    as_of: datetime, zone: ZoneInfo, name: str
) -> None:
    window = resolve(name, zone, as_of)  # type: ignore[arg-type]
    assert window.start <= as_of < window.end <= as_of + SLOT
    if name != "24h":
        assert window.days == int(name.removesuffix("d"))
        assert window.last_day == as_of.astimezone(zone).date()


@given(moments, zones)
def test_24_hours_are_twelve_slots_in_four_bars(as_of: datetime, zone: ZoneInfo) -> None:
    window = resolve("24h", zone, as_of)
    assert window.end - window.start == timedelta(hours=24)
    assert [step.end - step.start for step in buckets(window)] == [BAR] * 4
    assert previous(window).end == window.start


@given(windows())
@example(resolve("7d", ZoneInfo("America/Nuuk"), datetime(2024, 4, 7, 0, 40, tzinfo=UTC)))
def test_the_previous_period_ends_where_the_window_begins_or_is_cut_there(
    window: TimeWindow,
) -> None:
    before = previous(window)
    assert before.start <= before.end <= window.start
    if window.open_day is None:
        assert before.end == window.start or window.name == "24h"


@given(windows())
def test_the_previous_period_has_as_many_days(window: TimeWindow) -> None:
    if window.name == "24h" or window.open_day not in (None, window.last_day):
        return
    before = previous(window)
    assert (before.last_day - before.first_day).days + 1 == window.days
    assert before.last_day + timedelta(days=1) == window.first_day


@given(windows())
def test_matched_weekdays_shift_by_the_fewest_weeks_that_do_not_overlap(
    window: TimeWindow,
) -> None:
    before = previous(window, match_weekday=True)
    shift = window.first_day - before.first_day
    if window.name == "24h":
        assert window.start - before.start == timedelta(days=7)
        return
    assert shift.days % 7 == 0
    assert window.days <= shift.days < window.days + 7
    assert before.end <= window.start


@given(windows())
def test_an_open_day_is_cut_at_the_same_wall_clock(window: TimeWindow) -> None:
    if window.name == "24h" or window.open_day is None:
        return
    cut = window.end.astimezone(window.zone)
    before = previous(window)
    expected = before.end.astimezone(window.zone)
    same_clock = cut.replace(tzinfo=None) - timedelta(days=window.days)
    skipped = same_clock.replace(tzinfo=window.zone).astimezone(UTC).astimezone(window.zone)
    if cut.date() == window.open_day and skipped.replace(tzinfo=None) == same_clock:
        assert expected.replace(tzinfo=None) == same_clock


def span(window: Span) -> tuple[str, str]:
    return window.start.isoformat(), window.end.isoformat()


def test_a_day_with_23_hours_and_one_with_25_are_days() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    as_of = datetime(2026, 12, 1, tzinfo=UTC)
    short = resolve("custom", berlin, as_of, (date(2026, 3, 29), date(2026, 3, 29)))
    long = resolve("custom", berlin, as_of, (date(2026, 10, 25), date(2026, 10, 25)))
    assert short.end - short.start == timedelta(hours=23)
    assert long.end - long.start == timedelta(hours=25)


def test_a_wall_clock_that_dst_skips_moves_forward() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    # 02:30 on 5 April; a week before, on 29 March, clocks went from 02:00 to 03:00.
    window = resolve("7d", berlin, datetime(2026, 4, 5, 0, 20, tzinfo=UTC))
    assert previous(window).end.astimezone(berlin).isoformat() == "2026-03-29T03:30:00+02:00"


def test_a_skipped_evening_does_not_reach_into_the_next_day() -> None:
    nuuk = ZoneInfo("America/Nuuk")
    # 23:45 on 6 April 2024; a week before clocks went from 23:00 straight to midnight.
    window = resolve("7d", nuuk, datetime(2024, 4, 7, 0, 40, tzinfo=UTC))
    before = previous(window)
    assert window.end.astimezone(nuuk).time().isoformat() == "23:45:00"
    assert before.end == midnight(date(2024, 3, 31), nuuk)


def test_a_day_that_a_zone_dropped_has_no_bucket() -> None:
    window = resolve(
        "custom",
        ZoneInfo("Pacific/Apia"),
        datetime(2012, 3, 1, tzinfo=UTC),
        (date(2011, 12, 29), date(2011, 12, 31)),
    )
    assert [step.day for step in buckets(window)] == [date(2011, 12, 29), date(2011, 12, 31)]


@pytest.mark.parametrize(
    ("first", "last", "open_day", "end"),
    [
        (date(2026, 3, 1), date(2026, 3, 9), None, "2026-03-10T00:00:00+00:00"),
        (date(2026, 3, 1), date(2026, 3, 10), date(2026, 3, 10), "2026-03-10T12:15:00+00:00"),
        (date(2026, 3, 1), date(2026, 3, 20), date(2026, 3, 10), "2026-03-10T12:15:00+00:00"),
        (date(2026, 3, 11), date(2026, 3, 12), None, "2026-03-13T00:00:00+00:00"),
    ],
    ids=["past", "up to the open day", "beyond it", "all of it to come"],
)
def test_a_custom_window_ends_with_its_days_or_with_the_data(
    first: date, last: date, open_day: date | None, end: str
) -> None:
    as_of = datetime(2026, 3, 10, 12, 3, tzinfo=UTC)
    window = resolve("custom", ZoneInfo("UTC"), as_of, (first, last))
    assert (window.first_day, window.last_day, window.open_day) == (first, last, open_day)
    assert window.end.isoformat() == end


def test_a_window_beyond_the_data_is_compared_with_an_equal_part() -> None:
    as_of = datetime(2026, 3, 10, 12, 3, tzinfo=UTC)
    days = (date(2026, 3, 9), date(2026, 3, 12))
    before = previous(resolve("custom", ZoneInfo("UTC"), as_of, days))
    assert span(before) == ("2026-03-05T00:00:00+00:00", "2026-03-06T12:15:00+00:00")
    assert (before.first_day, before.last_day) == (date(2026, 3, 5), date(2026, 3, 6))


@pytest.mark.parametrize(
    ("days", "hours"), [(1, 24), (7, 24), (29, 24), (30, 72), (89, 72), (90, 168), (3660, 168)]
)
def test_the_longer_a_window_the_older_its_posts_are_compared(days: int, hours: int) -> None:
    as_of, last = datetime(2026, 3, 10, 12, 3, tzinfo=UTC), date(2026, 3, 10)
    window = resolve("custom", ZoneInfo("UTC"), as_of, (last - timedelta(days=days - 1), last))
    assert window.comparison_age == hours
