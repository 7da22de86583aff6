"""Polling slots (METRICS.md section 2): which slot a moment lies in, and how many were due.

A post has two-hour slots on the UTC grid while it is younger than 48 hours at the slot's start,
six-hour slots from then on, and none that start at an age of 30 days or more. Where a six-hour
slot began while the post was still young, its rest belongs to the last two-hour slot, so that
slots never overlap and their starts only grow. The SQL twin is the macro `slot_index`.
"""

from datetime import UTC, datetime, timedelta

YOUNG_SLOT = timedelta(hours=2)
OLD_SLOT = timedelta(hours=6)
YOUNG_AGE = timedelta(hours=48)
POLLED_AGE = timedelta(days=30)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def floor_to(moment: datetime, step: timedelta) -> datetime:
    """The last point of the UTC grid of `step` that is not after `moment`."""
    return _EPOCH + (moment - _EPOCH) // step * step


def _first_old_slot(published_at: datetime) -> datetime:
    return -(-(published_at + YOUNG_AGE - _EPOCH) // OLD_SLOT) * OLD_SLOT + _EPOCH


def _last_young_slot(published_at: datetime) -> datetime:
    return floor_to(published_at + YOUNG_AGE - timedelta(microseconds=1), YOUNG_SLOT)


def slot_start(moment: datetime, published_at: datetime) -> datetime:
    """Start of the slot of a post published at `published_at` that holds `moment`."""
    young_slot = floor_to(moment, YOUNG_SLOT)
    if young_slot < published_at + YOUNG_AGE:
        return young_slot
    if moment < _first_old_slot(published_at):
        return _last_young_slot(published_at)
    return floor_to(moment, OLD_SLOT)


def slot_index(slot: datetime, published_at: datetime) -> int:
    """Number of the slot that starts at `slot`, counted from 0 for the slot of publication.

    Consecutive due slots differ by one, whatever their lengths: a larger difference is a gap.
    """
    first = floor_to(published_at, YOUNG_SLOT)
    if slot < published_at + YOUNG_AGE:
        return (slot - first) // YOUNG_SLOT
    young_slots = (_last_young_slot(published_at) - first) // YOUNG_SLOT + 1
    return young_slots + (slot - _first_old_slot(published_at)) // OLD_SLOT


def is_polled(slot: datetime, published_at: datetime) -> bool:
    """Whether a slot that starts at `slot` is still due: the post is younger than 30 days then."""
    return slot - published_at < POLLED_AGE
