"""Change against the previous period (METRICS.md section 5): the one place that decides it."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from api.queries.metrics import number
from api.schemas import Change, ChangeReason, Direction

GREYED_BELOW = 30

_PERCENT = Decimal("0.1")
_POINTS = Decimal("0.01")


@dataclass(frozen=True)
class Slots:
    """Polling slots of a period, or its posts old enough to be compared: how many were due, and
    how many of them were filled (recorded)."""

    due: int
    filled: int

    @property
    def are_complete(self) -> bool:
        """Whether a comparison bears what is missing: at least 90 % are filled."""
        return self.due > 0 and self.filled * 10 >= self.due * 9


@dataclass(frozen=True)
class Footing:
    """What both periods rest on: the same for every number that is compared.

    `connected_before`: all connected accounts were so through the whole previous period.
    """

    compared: bool
    slots: Slots
    previous_slots: Slots
    previous_engagements: int | None
    connected_before: bool

    @property
    def greyed(self) -> bool:
        """Whether the previous period is too small for its change to mean much."""
        return self.previous_engagements is None or self.previous_engagements < GREYED_BELOW


def compare_counts(
    current: int | None, before: int | None, footing: Footing, *, has_history: bool = False
) -> Change:
    """Change of an observed count, in percent of the baseline with one decimal.

    `has_history`: the previous period holds lifetime or catch-up totals of it.
    """
    reason = _why_not(current, before, footing, has_history=has_history)
    if reason is not None or current is None or before is None:
        return _not_available(reason, footing)
    moved = current - before
    percent = Decimal(moved * 100) / abs(before) if before else None
    if not moved:
        percent = Decimal(0)
    return _change(moved, is_new=percent is None, footing=footing, percent=percent)


def compare_rates(
    current: Decimal | None, before: Decimal | None, footing: Footing, *, has_history: bool = False
) -> Change:
    """Change of a rate, in percentage points with two decimals.

    `has_history`: the previous period holds lifetime or catch-up totals of it.
    """
    reason = _why_not(current, before, footing, has_history=has_history)
    if reason is not None or current is None or before is None:
        return _not_available(reason, footing)
    moved = current - before
    is_new = bool(moved) and not before
    return _change(moved, is_new=is_new, footing=footing, points=None if is_new else moved * 100)


def _why_not(
    current: int | Decimal | None,
    before: int | Decimal | None,
    footing: Footing,
    *,
    has_history: bool,
) -> ChangeReason | None:
    if not footing.compared:
        return "not compared"
    if before is None:
        if has_history:
            return "file totals only"
        return "nothing collected" if footing.connected_before else "not connected yet"
    if current is None:
        return "nothing collected"
    if not (footing.slots.are_complete and footing.previous_slots.are_complete):
        return "incomplete"
    return None


def _not_available(reason: ChangeReason | None, footing: Footing) -> Change:
    return Change(
        state="n/a",
        reason=reason,
        percent=None,
        points=None,
        direction=None,
        greyed=footing.greyed,
    )


def _change(
    moved: int | Decimal,
    *,
    is_new: bool,
    footing: Footing,
    percent: Decimal | None = None,
    points: Decimal | None = None,
) -> Change:
    direction: Direction = "up" if moved > 0 else "down" if moved < 0 else "flat"
    return Change(
        state="new" if is_new else "change" if moved else "no change",
        reason=None,
        percent=_rounded(percent, _PERCENT),
        points=_rounded(points, _POINTS),
        direction=direction,
        greyed=footing.greyed,
    )


def _rounded(value: Decimal | None, step: Decimal) -> float | None:
    return None if value is None else number(value.quantize(step, ROUND_HALF_UP))
