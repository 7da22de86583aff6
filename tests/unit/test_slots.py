"""Slots tile a post's life: no overlap, no hole, and an index that counts them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.slots import OLD_SLOT, POLLED_AGE, YOUNG_AGE, is_polled, slot_index, slot_start

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
ages = st.timedeltas(timedelta(0), timedelta(days=40))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_young_post_has_two_hour_slots_on_the_utc_grid() -> None:
    published = at("2026-03-01T09:30")
    assert slot_start(at("2026-03-01T09:31"), published) == at("2026-03-01T08:00")
    assert slot_start(at("2026-03-01T10:00"), published) == at("2026-03-01T10:00")
    assert slot_start(at("2026-03-01T11:59"), published) == at("2026-03-01T10:00")


def test_an_older_post_has_six_hour_slots() -> None:
    published = at("2026-03-01T09:30")
    assert slot_start(at("2026-03-04T17:59"), published) == at("2026-03-04T12:00")


def test_the_last_young_slot_reaches_to_the_next_six_hour_slot() -> None:
    # Published 07:00, young until 07:00 two days on: the two-hour slot of 06:00 is the last.
    published = at("2026-03-01T07:00")
    assert slot_start(at("2026-03-03T06:30"), published) == at("2026-03-03T06:00")
    assert slot_start(at("2026-03-03T11:59"), published) == at("2026-03-03T06:00")
    assert slot_start(at("2026-03-03T12:00"), published) == at("2026-03-03T12:00")


def test_a_six_hour_slot_that_begins_exactly_at_48_hours_is_an_old_one() -> None:
    published = at("2026-03-01T12:00")
    assert slot_start(at("2026-03-03T13:00"), published) == at("2026-03-03T12:00")
    assert slot_index(at("2026-03-03T12:00"), published) == 24


def test_polling_ends_thirty_days_after_publication() -> None:
    published = at("2026-03-01T12:00")
    assert is_polled(at("2026-03-31T06:00"), published)
    assert not is_polled(at("2026-03-31T12:00"), published)


@given(moments, ages)
def test_a_moment_lies_in_exactly_one_slot(published: datetime, age: timedelta) -> None:
    moment = published + age
    start = slot_start(moment, published)
    assert start <= moment < start + timedelta(hours=12)
    assert slot_start(start, published) == start or start < published


@given(moments)
def test_indexes_of_a_life_count_up_by_one(published: datetime) -> None:
    step, starts = timedelta(minutes=30), []
    moment = published
    while moment < published + YOUNG_AGE + 3 * OLD_SLOT:
        start = slot_start(moment, published)
        if not starts or start != starts[-1]:
            starts.append(start)
        moment += step
    assert starts == sorted(starts)
    assert [slot_index(start, published) for start in starts] == list(range(len(starts)))


@given(moments)
def test_a_post_is_polled_at_most_137_times(published: datetime) -> None:
    last = slot_start(published + POLLED_AGE - timedelta(seconds=1), published)
    assert slot_index(last, published) + 1 <= 25 + 113
