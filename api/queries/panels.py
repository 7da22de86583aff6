"""The panels of a window: cards, trend, comparison (directive 4, METRICS.md sections 3 to 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from api.queries.comparisons import Footing, Slots, compare_counts, compare_rates
from api.queries.metrics import METRICS, Totals, number, rate
from api.queries.scope import Row
from api.queries.window_data import WindowData
from api.queries.windows import AGES
from api.schemas import (
    BestPlatform,
    Bucket,
    Cards,
    CountCard,
    Coverage,
    Maturity,
    MetricRow,
    Platform,
    PlatformComparison,
    PlatformRate,
    RateCard,
    Trend,
    TrendPoint,
    TrendSeries,
)

#: Best platform: fewer impressions or posts make a rate of chance (METRICS.md section 3).
MINIMUM_IMPRESSIONS = 100
MINIMUM_ACTIVE_POSTS = 3

_RATE = Decimal("0.0001")
_SLOTS = ("due_slots", "filled_slots")


@dataclass(frozen=True)
class Panels:
    """Panels of one window, of one platform or of all."""

    data: WindowData
    platform: Platform | None

    @cached_property
    def _gains(self) -> Row:
        return self.data.gains(self.platform)

    @cached_property
    def _gains_before(self) -> Row:
        """Unknown where an account was connected later: that period was not observed whole."""
        gains = self.data.gains_before(self.platform)
        if self._is_of_posts:  # those of before the connection count as not recorded
            return gains
        start = self.data.previous.start if self.data.previous else None
        if start is not None and any(moment > start for moment in self._connected_at):
            return {key: value if key in _SLOTS else None for key, value in gains.items()}
        return gains

    @property
    def _is_of_posts(self) -> bool:
        return self.data.params.lens == "published"

    @cached_property
    def _connected_at(self) -> list[datetime]:
        return [
            row["connected_at"]
            for row in self.data.accounts(self.platform)
            if row["connected_at"] is not None
        ]

    @cached_property
    def _footing(self) -> Footing:
        before = self.data.previous
        recorded = _posts if self._is_of_posts else _slots
        return Footing(
            compared=before is not None,
            slots=recorded(self._gains),
            previous_slots=recorded(self._gains_before),
            previous_engagements=self._gains_before["observed_engagements"],
            connected_before=before is not None
            and bool(self._connected_at)
            and max(self._connected_at) <= before.start,
        )

    def cards(self) -> Cards:
        """Impressions, engagements, engagement rate."""
        return Cards(
            impressions=self.count_card("impressions"),
            engagements=self.count_card("engagements"),
            engagement_rate=self.rate_card(),
        )

    def count_card(self, metric: str) -> CountCard:
        """A metric of the window against the previous period."""
        value, observed = self._gains[f"new_{metric}"], self._gains[f"observed_{metric}"]
        before = self._gains_before[f"observed_{metric}"]
        has_history = self._gains_before[f"new_{metric}"] is not None
        return CountCard(
            value=value,
            observed=observed,
            from_history=None if value is None else value - (observed or 0),
            previous_observed=before,
            change=compare_counts(observed, before, self._footing, has_history=has_history),
        )

    def rate_card(self) -> RateCard:
        """Engagement rate of the window: sum / sum; the posts' mean and median beside it."""
        observed = _rate_of(self._gains, "observed_rated")
        before = _rate_of(self._gains_before, "observed_rated")
        has_history = _rate_of(self._gains_before, "rated") is not None
        mean, median = _typical_rates(self.data.activity(self.platform))
        return RateCard(
            value=number(_rate_of(self._gains, "rated")),
            avg_engagement_rate=number(mean),
            median=number(median),
            previous=number(before),
            change=compare_rates(observed, before, self._footing, has_history=has_history),
        )

    def metric_rows(self, known: Mapping[str, int]) -> list[MetricRow]:
        """Every metric; `known`: in how many posts each of them is."""
        return [
            MetricRow(metric=metric, offered=known[metric] > 0, **dict(self.count_card(metric)))
            for metric in METRICS
        ]

    def best_platform(self) -> BestPlatform:
        """Highest engagements_core / impressions among platforms with enough of both."""
        standings = [self._standing(platform) for platform in self.data.platforms(self.platform)]
        best = max(
            (row for row in standings if row.eligible and row.rate is not None),
            # Compared unrounded, so that the fourth decimal never decides.
            key=lambda row: Decimal(row.engagements_core or 0) / (row.impressions or 1),
            default=None,
        )
        return BestPlatform(
            platform=best.platform if best else None,
            state="found" if best else "not enough data",
            platforms=standings,
        )

    def _standing(self, platform: Platform) -> PlatformRate:
        gains = self.data.gains(platform)
        impressions, core = gains["new_impressions"], gains["new_engagements_core"]
        active_posts = self.data.activity(platform)["active_posts"]
        return PlatformRate(
            platform=platform,
            rate=number(rate(core, impressions)),
            impressions=impressions,
            engagements_core=core,
            active_posts=active_posts,
            eligible=(impressions or 0) >= MINIMUM_IMPRESSIONS
            and active_posts >= MINIMUM_ACTIVE_POSTS,
        )

    def comparison(self) -> list[PlatformComparison]:
        """What each platform gained in the window."""
        return [self._compared(platform) for platform in self.data.platforms(None)]

    def _compared(self, platform: Platform) -> PlatformComparison:
        gains = self.data.gains(platform)
        return PlatformComparison(
            **_gained(gains),
            platform=platform,
            engagement_rate=number(_rate_of(gains, "rated")),
            engagement_rate_core=number(
                rate(gains["new_engagements_core"], gains["new_impressions"])
            ),
            active_posts=self.data.activity(platform)["active_posts"],
            posts_published=self.data.posts_published(platform),
        )

    def trend(self) -> Trend:
        """The window's buckets, one series a platform."""
        return Trend(
            bucket="6h" if self.data.window.name == "24h" else "day",
            buckets=[
                Bucket(day=step.day, start=step.start, end=step.end, partial=step.partial)
                for step in self.data.buckets
            ],
            series=[
                TrendSeries(
                    platform=platform,
                    points=[_point(row) for row in self.data.bucket_gains(platform)],
                )
                for platform in self.data.platforms(self.platform)
            ],
        )

    def coverage(self) -> Coverage:
        """Filled and due slots of the window, and their share in both periods."""
        slots, before = _slots(self._gains), _slots(self._gains_before)
        return Coverage(
            due_slots=slots.due,
            filled_slots=slots.filled,
            coverage=number(rate(slots.filled, slots.due)),
            previous_coverage=number(rate(before.filled, before.due)),
        )

    def maturity(self) -> Maturity | None:
        """How many posts of the window are compared, and why the others are not; of one lens."""
        if not self._is_of_posts:
            return None
        ripe, counted = (self._gains[name] or 0 for name in ("ripe_posts", "compared_posts"))
        published = self.data.posts_published(self.platform)
        before = self._gains_before["compared_posts"] or 0
        return Maturity(
            age=AGES[self.data.window.comparison_age],
            posts_published=published,
            counted=counted,
            too_young=published - ripe,
            unknown=ripe - counted,
            previous_counted=before if self.data.previous else None,
        )

    def completeness(self) -> dict[str, float | None]:
        """Per metric: share of the window's increments (of its posts) in which it is known.

        A platform that never sends a metric does not lower its share: None if none sends it.
        """
        platforms = [self.data.activity(name) for name in self.data.platforms(self.platform)]
        return {metric: _known_share(metric, platforms) for metric in METRICS}


def _point(row: Row) -> TrendPoint:
    return TrendPoint(**_gained(row), engagement_rate=number(_rate_of(row, "rated")))


def _gained(row: Row) -> Totals:
    return {metric: row[f"new_{metric}"] for metric in METRICS}


def _rate_of(gains: Row, pair: str) -> Decimal | None:
    return rate(gains[f"{pair}_engagements"], gains[f"{pair}_impressions"])


def _known_share(metric: str, platforms: list[Row]) -> float | None:
    sending = [row for row in platforms if row[f"known_{metric}"]]
    known = sum(row[f"known_{metric}"] for row in sending)
    return number(rate(known, sum(row["increments"] for row in sending)))


def _slots(gains: Row) -> Slots:
    return Slots(due=gains["due_slots"] or 0, filled=gains["filled_slots"] or 0)


def _posts(gains: Row) -> Slots:
    """Posts at one age: those that had reached it, and those of them that are recorded."""
    return Slots(due=gains["ripe_posts"] or 0, filled=gains["compared_posts"] or 0)


def _typical_rates(activity: Row) -> tuple[Decimal | None, Decimal | None]:
    """Mean and median of the active posts' rates, which come in ten-thousandths."""
    if not activity["rates"]:
        return None, None
    mean = Decimal(activity["rate_sum"]) / (activity["rates"] * 10000)
    median = Decimal(activity["rate_median"]) / 10000
    return mean.quantize(_RATE, ROUND_HALF_UP), median.quantize(_RATE, ROUND_HALF_UP)
