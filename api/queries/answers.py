"""Run and answer: one request's questions to one generation, put into the API's models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb

from api.publication import Publication
from api.queries import statements
from api.queries.comparisons import Footing, Slots, compare_counts, compare_rates
from api.queries.metrics import METRICS, Totals, add, number, rate
from api.queries.params import OverviewParams, PlatformParams, PostsParams, WindowParams
from api.queries.scope import AccountScope, Query, Row
from api.queries.windows import DAY, Span, TimeWindow, buckets, previous, resolve
from api.schemas import (
    Account,
    BestPlatform,
    BreakdownPart,
    Bucket,
    Cards,
    CountCard,
    Counters,
    Coverage,
    MetricRow,
    OfferedPeriod,
    OverviewAnswer,
    OverviewCards,
    Period,
    Platform,
    PlatformAnswer,
    PlatformComparison,
    PlatformRate,
    Post,
    PostDetailAnswer,
    PostRow,
    PostsAnswer,
    RateCard,
    TimelinePoint,
    Trend,
    TrendPoint,
    TrendSeries,
    Window,
)

#: An account this far behind the newest one missed at least a six-hour poll.
STALE_AFTER = timedelta(hours=6)
TOP_POSTS = 10
#: Best platform and top posts: fewer impressions make a rate of chance (METRICS.md section 3).
MINIMUM_IMPRESSIONS = 100
MINIMUM_ACTIVE_POSTS = 3

_RATE = Decimal("0.0001")
_NO_GAINS: Row = dict.fromkeys(statements.SUMS)


class PostNotFoundError(Exception):
    """No such post among the accounts of the caller."""


@dataclass(frozen=True)
class Reader:
    """One request's view of one generation: whose accounts, in which zone."""

    publication: Publication
    cursor: duckdb.DuckDBPyConnection
    scope: AccountScope
    zone: ZoneInfo

    def run(self, query: Query) -> list[Row]:
        return query.run(self.cursor)

    @cached_property
    def account_rows(self) -> list[Row]:
        return self.run(statements.accounts(self.scope))

    @cached_property
    def as_of(self) -> datetime | None:
        """Newest latest collection among the accounts."""
        return max((row["as_of"] for row in self.account_rows if row["as_of"]), default=None)

    @property
    def end(self) -> datetime:
        """Where windows end: with the data, or where there is none, with the publication."""
        return self.as_of or self.publication.data_as_of or self.publication.built_at

    def accounts(self) -> list[Account]:
        """The accounts as the API shows them."""
        return [_account(row, self.as_of) for row in self.account_rows]

    def freshness(self) -> dict[str, object]:
        """What every analytics answer carries."""
        return {
            "as_of": self.as_of,
            "published_at": self.publication.built_at,
            "generation": self.publication.generation,
            "accounts": self.accounts(),
        }


class WindowReader:
    """Everything that is asked of one window; each question is put to the marts once."""

    def __init__(self, reader: Reader, params: WindowParams, platform: Platform | None) -> None:
        self.reader = reader
        self.params = params
        self.platform = platform
        self.window: TimeWindow = resolve(params.window, reader.zone, reader.end, params.days)
        self.previous: Span | None = None
        if params.compare == "previous":
            self.previous = previous(self.window, match_weekday=params.match_weekday == "true")
        self.buckets = buckets(self.window)

    @property
    def platforms(self) -> list[Platform]:
        """Platforms of the accounts asked for, in a fixed order."""
        found = {row["platform"] for row in self.reader.account_rows}
        return sorted(found if self.platform is None else found & {self.platform})

    @cached_property
    def bucket_gains(self) -> list[Row]:
        """Gains per platform and bucket."""
        starts = [bucket.start for bucket in self.buckets]
        return self._run(statements.gains(self._scope, self.window, starts, self.platform))

    @cached_property
    def gains(self) -> Row:
        """Gains of the window: the sum of its buckets."""
        return _sum_rows(self.bucket_gains)

    @cached_property
    def gains_before(self) -> Row:
        """Gains of the previous period."""
        if self.previous is None:
            return _NO_GAINS
        span = self.previous
        return _sum_rows(
            self._run(statements.gains(self._scope, span, [span.start], self.platform))
        )

    def gains_of(self, platform: Platform) -> Row:
        """Gains of the window on one platform."""
        return _sum_rows(row for row in self.bucket_gains if row["platform"] == platform)

    @cached_property
    def activity(self) -> dict[Platform, Row]:
        """Active posts and known rows, per platform that had any."""
        rows = self._run(statements.activity(self._scope, self.window, self.platform))
        return {row["platform"]: row for row in rows}

    @cached_property
    def posts_published(self) -> dict[Platform, int]:
        """Posts published in the window, per platform that had any."""
        rows = self._run(statements.published(self._scope, self.window, self.platform))
        return {row["platform"]: row["posts_published"] for row in rows}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read in the window and nothing was published in it."""
        return not self.activity and not self.posts_published

    @cached_property
    def footing(self) -> Footing:
        """What comparisons of this window rest on."""
        return Footing(
            compared=self.previous is not None,
            slots=_slots(self.gains),
            previous_slots=_slots(self.gains_before),
            previous_engagements=self.gains_before["observed_engagements"],
            connected_before=self._connected_before(),
        )

    def _connected_before(self) -> bool:
        return self.previous is not None and any(
            row["connected_at"] is not None and row["connected_at"] < self.previous.end
            for row in self.reader.account_rows
            if self.platform in (None, row["platform"])
        )

    def count_card(self, metric: str) -> CountCard:
        """A metric of the window against the previous period."""
        value, observed = self.gains[f"new_{metric}"], self.gains[f"observed_{metric}"]
        before = self.gains_before[f"observed_{metric}"]
        return CountCard(
            value=value,
            observed=observed,
            from_history=None if value is None else value - (observed or 0),
            previous_observed=before,
            change=compare_counts(
                observed,
                before,
                self.footing,
                has_history=self.gains_before[f"new_{metric}"] is not None,
            ),
        )

    def rate_card(self) -> RateCard:
        """Engagement rate of the window: sum / sum; the posts' mean and median beside it."""
        before = _rate_of(self.gains_before, "observed_rated")
        mean, median = self._typical_rates()
        return RateCard(
            value=number(_rate_of(self.gains, "rated")),
            avg_engagement_rate=number(mean),
            median=number(median),
            previous=number(before),
            change=compare_rates(
                _rate_of(self.gains, "observed_rated"),
                before,
                self.footing,
                has_history=_rate_of(self.gains_before, "rated") is not None,
            ),
        )

    def cards(self) -> Cards:
        """The cards of any window."""
        return Cards(
            impressions=self.count_card("impressions"),
            engagements=self.count_card("engagements"),
            engagement_rate=self.rate_card(),
        )

    def trend(self) -> Trend:
        """The window's buckets, one series a platform."""
        return Trend(
            bucket="6h" if self.window.name == "24h" else "day",
            buckets=[
                Bucket(day=step.day, start=step.start, end=step.end, partial=step.partial)
                for step in self.buckets
            ],
            series=[self._series(platform) for platform in self.platforms],
        )

    def top_posts(self) -> list[PostRow]:
        """The posts with the best engagement scores."""
        rows = self._run(
            statements.posts(
                self._scope,
                self.window,
                lens=self.params.lens,
                platform=self.platform,
                sort="engagement_score",
                order="desc",
                limit=TOP_POSTS,
                minimum_impressions=MINIMUM_IMPRESSIONS,
            )
        )
        return [_post_row(row) for row in rows]

    def common(self) -> dict[str, object]:
        """What every answer about a window carries."""
        return {
            **self.reader.freshness(),
            "window": self._window(),
            "previous": None if self.previous is None else _period(self.previous),
            "is_empty": self.is_empty,
            "newest_period_with_data": self._offered_period(),
            "coverage": self._coverage(),
            "metric_completeness": self._completeness(),
            "maturity": None,
        }

    @property
    def _scope(self) -> AccountScope:
        return self.reader.scope

    def _run(self, query: Query) -> list[Row]:
        return self.reader.run(query)

    def _window(self) -> Window:
        window = self.window
        return Window(
            name=window.name,
            tz=window.zone.key,
            lens=self.params.lens,
            from_=window.first_day,
            to=window.last_day,
            start=window.start,
            end=window.end,
            open_day=window.open_day is not None,
        )

    def _offered_period(self) -> OfferedPeriod | None:
        """The newest stretch of the window's length that holds activity, for an empty window."""
        if not self.is_empty:
            return None
        newest = max(
            (
                row["last_activity_at"]
                for row in self.reader.account_rows
                if row["last_activity_at"] and self.platform in (None, row["platform"])
            ),
            default=None,
        )
        if newest is None:
            return None
        last = newest.astimezone(self.window.zone).date()
        return OfferedPeriod(from_=last - DAY * (self.window.days - 1), to=last)

    def _coverage(self) -> Coverage:
        slots, before = _slots(self.gains), _slots(self.gains_before)
        return Coverage(
            due_slots=slots.due,
            filled_slots=slots.filled,
            coverage=number(rate(slots.filled, slots.due)),
            previous_coverage=number(rate(before.filled, before.due)),
        )

    def _completeness(self) -> dict[str, float | None]:
        rows = sum(row["increments"] for row in self.activity.values())
        known = {
            metric: sum(row[f"known_{metric}"] for row in self.activity.values())
            for metric in METRICS
        }
        return {metric: number(rate(known[metric], rows)) for metric in METRICS}

    def _typical_rates(self) -> tuple[Decimal | None, Decimal | None]:
        """Mean and median of the active posts' rates."""
        (row,) = self._run(statements.typical_rates(self._scope, self.window, self.platform))
        if not row["posts"]:
            return None, None
        mean = Decimal(row["total"]) / (row["posts"] * 10000)
        median = Decimal(row["middle"]) / 10000
        return mean.quantize(_RATE, ROUND_HALF_UP), median.quantize(_RATE, ROUND_HALF_UP)

    def _series(self, platform: Platform) -> TrendSeries:
        by_bucket = {row["bucket"]: row for row in self.bucket_gains if row["platform"] == platform}
        return TrendSeries(
            platform=platform,
            points=[
                TrendPoint(
                    **_gained(by_bucket.get(step, _NO_GAINS)),
                    engagement_rate=number(_rate_of(by_bucket.get(step, _NO_GAINS), "rated")),
                )
                for step in range(len(self.buckets))
            ],
        )


def overview(reader: Reader, params: OverviewParams) -> OverviewAnswer:
    """GET /api/analytics/overview"""
    window = WindowReader(reader, params, params.platform)
    return OverviewAnswer.model_validate(
        {
            **window.common(),
            "cards": OverviewCards(**dict(window.cards()), best_platform=_best_platform(window)),
            "trend": window.trend(),
            "top_posts": window.top_posts(),
        }
    )


def platform_view(reader: Reader, params: PlatformParams, platform: Platform) -> PlatformAnswer:
    """GET /api/analytics/platform/<platform>"""
    window = WindowReader(reader, params, platform)
    every_platform = WindowReader(reader, params, None)
    (known,) = reader.run(statements.ever_known(reader.scope, platform))
    return PlatformAnswer.model_validate(
        {
            **window.common(),
            "platform": platform,
            "cards": window.cards(),
            "metrics": [_metric_row(window, metric, known) for metric in METRICS],
            "comparison": [_comparison(every_platform, name) for name in every_platform.platforms],
            "trend": window.trend(),
            "top_posts": window.top_posts(),
        }
    )


def posts(reader: Reader, params: PostsParams) -> PostsAnswer:
    """GET /api/analytics/posts"""
    window = WindowReader(reader, params, params.platform)
    rows = _page(window, params, params.limit, params.offset)
    # A page past the end has no row to carry the number of posts.
    first = rows or (_page(window, params, 1, 0) if params.offset else [])
    total = first[0]["total"] if first else 0
    seen = params.offset + len(rows)
    return PostsAnswer.model_validate(
        {
            **window.common(),
            "posts": [_post_row(row) for row in rows],
            "total": total,
            "limit": params.limit,
            "offset": params.offset,
            "next_offset": seen if rows and seen < total else None,
            "sort": params.sort,
            "order": params.order,
        }
    )


def post_detail(reader: Reader, post_id: UUID) -> PostDetailAnswer:
    """GET /api/analytics/posts/<post_id>. Raises PostNotFoundError."""
    found = reader.run(statements.post(reader.scope, post_id))
    if not found:
        raise PostNotFoundError
    (row,) = found
    points = reader.run(statements.timeline(reader.scope, post_id))
    # Parts add up only where they were read together: in the snapshot that gave the newest sum.
    newest = next((point for point in reversed(points) if point["new_engagements"] is not None), {})
    basis = newest.get("engagements_basis")
    return PostDetailAnswer.model_validate(
        {
            **reader.freshness(),
            "post": Post(**_post_fields(row)),
            "text": row["text"],
            "timeline": [_timeline_point(point) for point in points],
            "breakdown": _breakdown(newest, basis),
            "engagements_basis": basis,
            "metric_version": row["metric_version"],
            "benchmarks": [],
        }
    )


def _page(window: WindowReader, params: PostsParams, limit: int, offset: int) -> list[Row]:
    return window.reader.run(
        statements.posts(
            window.reader.scope,
            window.window,
            lens=params.lens,
            platform=params.platform,
            sort=params.sort,
            order=params.order,
            limit=limit,
            offset=offset,
        )
    )


def _best_platform(window: WindowReader) -> BestPlatform:
    """Highest engagements_core / impressions among platforms with enough of both."""
    standings = [_standing(window, platform) for platform in window.platforms]
    contenders = [row for row in standings if row.eligible and row.rate is not None]
    # Compared unrounded, so that 4 decimals never decide.
    best = max(
        contenders,
        key=lambda row: Decimal(row.engagements_core or 0) / (row.impressions or 1),
        default=None,
    )
    return BestPlatform(
        platform=best.platform if best else None,
        state="found" if best else "not enough data",
        platforms=standings,
    )


def _standing(window: WindowReader, platform: Platform) -> PlatformRate:
    gains = window.gains_of(platform)
    impressions, core = gains["new_impressions"], gains["new_engagements_core"]
    active = _active_posts(window, platform)
    return PlatformRate(
        platform=platform,
        rate=number(rate(core, impressions)),
        impressions=impressions,
        engagements_core=core,
        active_posts=active,
        eligible=(impressions or 0) >= MINIMUM_IMPRESSIONS and active >= MINIMUM_ACTIVE_POSTS,
    )


def _active_posts(window: WindowReader, platform: Platform) -> int:
    row = window.activity.get(platform)
    return row["active_posts"] if row else 0


def _metric_row(window: WindowReader, metric: str, known: Mapping[str, int]) -> MetricRow:
    return MetricRow(metric=metric, offered=known[metric] > 0, **dict(window.count_card(metric)))


def _comparison(window: WindowReader, platform: Platform) -> PlatformComparison:
    gains = window.gains_of(platform)
    return PlatformComparison(
        **_gained(gains),
        platform=platform,
        engagement_rate=number(_rate_of(gains, "rated")),
        engagement_rate_core=number(rate(gains["new_engagements_core"], gains["new_impressions"])),
        active_posts=_active_posts(window, platform),
        posts_published=window.posts_published.get(platform, 0),
    )


def _account(row: Row, newest: datetime | None) -> Account:
    as_of = row["as_of"]
    return Account(
        account_id=row["account_id"],
        platform=row["platform"],
        account_kind=row["account_kind"],
        handle=row["handle"],
        display_name=row["display_name"],
        timezone=row["timezone"],
        is_proven=row["is_proven"],
        posts=row["posts"],
        as_of=as_of,
        stale=as_of is None or (newest is not None and newest - as_of > STALE_AFTER),
    )


def _period(span: Span) -> Period:
    return Period(from_=span.first_day, to=span.last_day, start=span.start, end=span.end)


def _post_fields(row: Row) -> dict[str, object]:
    return {
        "post_id": row["post_id"],
        "account_id": row["account_id"],
        "platform": row["platform"],
        "platform_post_id": row["platform_post_id"],
        "post_type": row["post_type"],
        "published_at": row["published_at"],
        "is_deleted": row["is_deleted"],
        "text_preview": row["text_preview"],
        "url": row["url"],
        "as_of": row["collected_at"],
        "counters": _counters(row, ""),
        "unique_impressions": row["unique_impressions"],
        "engagement_rate": number(row["engagement_rate"]),
        "engagement_score": number(row["engagement_score"]),
        "score_capped": bool(row["score_capped"]),
    }


def _post_row(row: Row) -> PostRow:
    return PostRow.model_validate({**_post_fields(row), "gained": _counters(row, "new_")})


def _timeline_point(row: Row) -> TimelinePoint:
    own_rate = row["engagement_rate"]
    in_cold_storage = row["source"] is None
    if in_cold_storage:
        own_rate = rate(row["engagements"], row["impressions"])
    return TimelinePoint.model_validate(
        {
            **{metric: row[metric] for metric in METRICS},
            "snapshot_id": row["snapshot_id"],
            "slot_start": row["slot_start"],
            "collected_at": row["collected_at"],
            "activity_at": row["activity_at"],
            "source": row["source"],
            "collected_basis": row["collected_basis"],
            "basis": row["basis"],
            "is_gap": row["is_gap"],
            "is_correction": row["is_correction"],
            "unique_impressions": row["unique_impressions"],
            "engagement_rate": number(own_rate),
            "engagement_score": number(row["engagement_score"]),
            "new": _counters(row, "new_"),
        }
    )


def _breakdown(row: Row, basis: str | None) -> list[BreakdownPart]:
    """The counters that `engagements_basis` names, such as "likes + replies (without quotes)"."""
    if basis is None:
        return []
    parts = basis.partition(" (")[0].split(" + ")
    total = row["engagements"]
    return [
        BreakdownPart(metric=part, value=row[part], share=number(rate(row[part], total)))
        for part in parts
    ]


def _counters(row: Row, prefix: str) -> Counters:
    return Counters(**{metric: row[f"{prefix}{metric}"] for metric in METRICS})


def _gained(row: Row) -> Totals:
    return {metric: row[f"new_{metric}"] for metric in METRICS}


def _sum_rows(rows: Iterable[Row]) -> Row:
    kept: Sequence[Row] = list(rows)
    return {column: add(row[column] for row in kept) for column in statements.SUMS}


def _rate_of(gains: Row, pair: str) -> Decimal | None:
    return rate(gains[f"{pair}_engagements"], gains[f"{pair}_impressions"])


def _slots(gains: Row) -> Slots:
    return Slots(due=gains["due_slots"] or 0, filled=gains["filled_slots"] or 0)
