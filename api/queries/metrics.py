"""The one list of metrics (METRICS.md section 1), in the order used everywhere."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

#: Counters of the directive, then the two sums of METRICS.md section 4.
METRICS = (
    "impressions",
    "likes",
    "comments",
    "shares",
    "clicks",
    "replies",
    "retweets",
    "quotes",
    "bookmarks",
    "engagements",
    "engagements_core",
)

_RATE = Decimal("0.0001")
_RATE_LIMIT = Decimal("9.9999")

Totals = dict[str, int | None]


def add(values: Iterable[int | None]) -> int | None:
    """Sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def rate(engagements: int | None, impressions: int | None) -> Decimal | None:
    """engagements / impressions, 4 decimals, half away from zero, within ±9.9999.

    None when either is unknown or there were no impressions (METRICS.md section 4).
    """
    if engagements is None or not impressions:
        return None
    exact = (Decimal(engagements) / Decimal(impressions)).quantize(_RATE, ROUND_HALF_UP)
    return max(-_RATE_LIMIT, min(_RATE_LIMIT, exact))


def number(value: Decimal | None) -> float | None:
    """A decimal as a JSON number: at these lengths a float prints the same digits."""
    return None if value is None else float(value)
