"""The states of a change (METRICS.md section 5), for every pair of numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.queries.comparisons import Footing, Slots, compare_counts, compare_rates
from api.queries.metrics import rate
from api.schemas import Change

FULL = Slots(due=10, filled=9)
SOUND = Footing(
    compared=True,
    slots=FULL,
    previous_slots=FULL,
    previous_engagements=30,
    connected_before=True,
)
counts = st.integers(-(10**6), 10**12)
maybe_counts = st.none() | counts


@given(maybe_counts, maybe_counts)
def test_a_count_changes_in_percent_of_what_it_was(now: int | None, before: int | None) -> None:
    change = compare_counts(now, before, SOUND)
    assert change.points is None
    if now is None or before is None:
        assert (change.state, change.percent, change.direction) == ("n/a", None, None)
    elif now == before:
        assert (change.state, change.percent, change.direction) == ("no change", 0.0, "flat")
    elif before == 0:
        assert (change.state, change.percent) == ("new", None)
    else:
        assert change.state == "change"
        assert change.direction == ("up" if now > before else "down")
        exact = Fraction(now - before, abs(before)) * 100
        assert change.percent is not None
        assert abs(Fraction(change.percent) - exact) <= Fraction(51, 1000) + abs(exact) / 10**15


@given(st.decimals(-1, 1, places=4), st.decimals(-1, 1, places=4))
def test_a_rate_changes_in_percentage_points_and_never_in_percent(
    now: Decimal, before: Decimal
) -> None:
    change = compare_rates(now, before, SOUND)
    assert change.percent is None
    if now == before:
        assert (change.state, change.points) == ("no change", 0.0)
    elif before == 0:
        assert (change.state, change.points) == ("new", None)
    else:
        assert (change.state, change.points) == ("change", float((now - before) * 100))


@pytest.mark.parametrize(
    ("due", "filled", "is_sound"), [(10, 9, True), (100, 89, False), (0, 0, False), (1, 1, True)]
)
@pytest.mark.parametrize("which", ["slots", "previous_slots"])
def test_nine_tenths_of_the_slots_of_both_periods_must_be_filled(
    which: str, due: int, filled: int, is_sound: bool
) -> None:
    periods = {"slots": FULL, "previous_slots": FULL, which: Slots(due, filled)}
    footing = Footing(compared=True, previous_engagements=30, connected_before=True, **periods)
    change = compare_counts(2, 1, footing)
    assert (change.state, change.reason) == (
        ("change", None) if is_sound else ("n/a", "incomplete")
    )


@given(counts, st.integers(1, 10**12))
def test_a_rate_is_rounded_half_away_from_zero_and_bounded(
    engagements: int, impressions: int
) -> None:
    exact = Fraction(engagements, impressions)
    found = rate(engagements, impressions)
    assert found is not None
    if abs(exact) >= Fraction("9.99995"):
        assert abs(found) == Decimal("9.9999")
    else:
        error = abs(Fraction(found)) - abs(exact)
        assert -Fraction(1, 20000) < error <= Fraction(1, 20000)


@pytest.mark.parametrize(("engagements", "impressions"), [(None, 10), (1, None), (1, 0)])
def test_a_rate_without_both_numbers_is_unknown(
    engagements: int | None, impressions: int | None
) -> None:
    assert rate(engagements, impressions) is None


def test_the_shape_of_a_change_is_one() -> None:
    assert compare_counts(1, 2, SOUND) == Change(
        state="change", reason=None, percent=-50.0, points=None, direction="down", greyed=False
    )
