"""Request and response models of the API: the one source of validation, JSON and OpenAPI.

Conventions of every answer:

- every key is always present; what is unknown is `null`, never 0 (METRICS.md section 1);
- counts are JSON integers; rates are JSON numbers with at most 4 decimals (0.0312 is 3.12 %),
  scores have at most 2, changes in percent 1, percentage points 2;
- moments are RFC 3339 in UTC (`...Z`), periods are half-open [start, end);
  `from` and `to` are local calendar days of the request's zone, both inclusive;
- names are those of METRICS.md, the same in SQL, API and dashboard.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, PlainSerializer
from pydantic_core.core_schema import literal_schema

from execution.control.settings import PLATFORM_PREFIXES


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(
        _rfc3339, return_type=Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    ),
]

#: One of the platforms there are: a `Literal` that is not spelled out a second time.
Platform = Annotated[
    str, GetPydanticSchema(lambda _type, _handler: literal_schema(list(PLATFORM_PREFIXES)))
]
WindowName = Literal["24h", "7d", "30d", "90d", "custom"]
Lens = Literal["gained", "published"]
Compare = Literal["previous", "none"]
Age = Literal["24h", "72h", "7d"]
BenchmarkAge = Literal["24h", "72h", "7d", "lifetime"]
SortKey = Literal[
    "engagement_score",
    "engagement_rate",
    "engagements",
    "impressions",
    "likes",
    "comments",
    "shares",
    "clicks",
    "replies",
    "retweets",
    "quotes",
    "bookmarks",
    "published_at",
    "gained_impressions",
    "gained_engagements",
]
Order = Literal["asc", "desc"]
Direction = Literal["up", "down", "flat"]
ChangeReason = Literal[
    "not compared", "not connected yet", "file totals only", "incomplete", "nothing collected"
]


class Model(BaseModel):
    """Base of all: unknown fields are refused, fields may be set by name or by alias."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        json_schema_serialization_defaults_required=True,
    )


# --- shared pieces --------------------------------------------------------------------------


class Counters(Model):
    """The counters in their fixed order; null: not offered, or not known."""

    impressions: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    clicks: int | None = None
    replies: int | None = None
    retweets: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None
    engagements: int | None = Field(None, description="METRICS.md section 4, by account kind")
    engagements_core: int | None = Field(
        None,
        description="reactions + comments/replies + shares/retweets + quotes: comparable",
    )


class Period(Model):
    """A stretch of time: local days inclusive, and the exact half-open bounds in UTC."""

    from_: date = Field(alias="from", description="first local day")
    to: date = Field(description="last local day, inclusive")
    start: Instant = Field(description="first moment, UTC")
    end: Instant = Field(description="first moment after, UTC")


class Window(Period):
    """The period asked for."""

    name: WindowName
    tz: str = Field(description="IANA zone in which the days are cut")
    lens: Lens
    open_day: bool = Field(description="the last day (24h: the last bar) is still running")


class OfferedPeriod(Model):
    """A period that does have data, for a window that is empty."""

    from_: date = Field(alias="from")
    to: date


class Change(Model):
    """Change against the previous period (METRICS.md section 5).

    `percent` is set for counts, `points` (percentage points) for rates, and only when
    `state` is `change` or `no change`. `greyed`: fewer than 30 engagements before.
    """

    state: Literal["change", "new", "n/a", "no change"]
    reason: ChangeReason | None = Field(description="why the state is n/a")
    percent: float | None
    points: float | None
    direction: Direction | None
    greyed: bool


class CountCard(Model):
    """A count of the window. value = observed + from_history; changes compare observed."""

    value: int | None
    observed: int | None = Field(description="seen to happen in the window")
    from_history: int | None = Field(description="catch-up and lifetime totals in `value`")
    previous_observed: int | None
    change: Change


class RateCard(Model):
    """Engagement rate of the window: sum of engagements / sum of impressions."""

    value: float | None
    avg_engagement_rate: float | None = Field(description="mean of the posts' rates (directive)")
    median: float | None = Field(description="the typical post's rate")
    previous: float | None
    change: Change


class PlatformRate(Model):
    """One platform's standing in the contest for best performing platform."""

    platform: Platform
    rate: float | None = Field(description="engagements_core / impressions gained")
    impressions: int | None
    engagements_core: int | None
    active_posts: int
    eligible: bool = Field(description="at least 100 impressions and 3 active posts")


class BestPlatform(Model):
    """Best performing platform (METRICS.md section 3)."""

    platform: Platform | None
    state: Literal["found", "not enough data"]
    platforms: list[PlatformRate]


class Cards(Model):
    """The cards of a single platform's view."""

    impressions: CountCard
    engagements: CountCard
    engagement_rate: RateCard


class OverviewCards(Cards):
    """The four cards of the overview (directive 4.1)."""

    best_platform: BestPlatform


class Bucket(Model):
    """One step of the time axis: a local day, or six hours of a 24h window."""

    day: date = Field(description="local day in which the bucket starts")
    start: Instant
    end: Instant
    partial: bool = Field(description="still running: do not read it as a fall")


class TrendPoint(Counters):
    """A platform's gains in one bucket; all null where nothing was read."""

    engagement_rate: float | None = None


class TrendSeries(Model):
    """One platform's points, one per bucket, in bucket order."""

    platform: Platform
    points: list[TrendPoint]


class Trend(Model):
    """Buckets of the window, and one series a platform over them."""

    bucket: Literal["day", "6h"]
    buckets: list[Bucket]
    series: list[TrendSeries]


class Account(Model):
    """An account the caller may see, and how fresh it is."""

    account_id: UUID
    platform: Platform
    account_kind: Literal["page", "member", "profile"]
    handle: str | None
    display_name: str | None
    timezone: str
    is_proven: bool = Field(description="false: known from files alone")
    posts: int
    as_of: Instant | None = Field(description="latest successful collection")
    stale: bool = Field(description="more than six hours behind the newest of these accounts")


class Coverage(Model):
    """Share of the due polling slots that were filled; null when none was due."""

    due_slots: int
    filled_slots: int
    coverage: float | None
    previous_coverage: float | None


class Maturity(Model):
    """lens=published: posts are compared at one age, younger ones are counted, not guessed."""

    age: Age
    posts_published: int
    counted: int
    too_young: int
    unknown: int = Field(description="old enough, but the value at that age was not recorded")
    previous_counted: int | None


class Post(Model):
    """A post with its last known lifetime counters."""

    post_id: UUID
    account_id: UUID
    platform: Platform
    platform_post_id: str
    post_type: str
    published_at: Instant
    is_deleted: bool
    text_preview: str | None = Field(description="first 280 characters; null: dropped or unknown")
    url: str | None
    as_of: Instant = Field(description="time of the last snapshot")
    counters: Counters = Field(description="lifetime, last known")
    unique_impressions: int | None
    engagement_rate: float | None
    engagement_score: float | None
    score_capped: bool


class PostRow(Post):
    """A post in a window."""

    gained: Counters = Field(description="gained in the window; all null: nothing was read in it")


class Freshness(Model):
    """Carried by every analytics answer."""

    as_of: Instant | None = Field(description="newest latest collection among the accounts")
    published_at: Instant = Field(description="when the generation served was built")
    generation: int
    accounts: list[Account]


class WindowAnswer(Freshness):
    """Carried by every answer about a window."""

    window: Window
    previous: Period | None = Field(description="the period compared with; null: compare=none")
    is_empty: bool = Field(description="no activity and no post in the window")
    newest_period_with_data: OfferedPeriod | None = Field(
        description="set when the window is empty and another period is not"
    )
    coverage: Coverage
    metric_completeness: dict[str, float | None] = Field(
        description="per metric: share of the window's rows in which it is known, over the "
        "platforms that send it; null: none does"
    )
    maturity: Maturity | None = Field(description="set for lens=published only")


# --- answers --------------------------------------------------------------------------------


class OverviewAnswer(WindowAnswer):
    """GET /api/analytics/overview"""

    cards: OverviewCards
    trend: Trend
    top_posts: list[PostRow] = Field(description="at most 10, by engagement score")


class MetricRow(CountCard):
    """One metric of a platform in the window."""

    metric: str
    offered: bool = Field(description="false: the platform does not offer it; value is null")


class PlatformComparison(Counters):
    """A platform's gains in the window, for comparison across platforms."""

    platform: Platform
    engagement_rate: float | None
    engagement_rate_core: float | None
    active_posts: int
    posts_published: int


class PlatformAnswer(WindowAnswer):
    """GET /api/analytics/platform/<platform>"""

    platform: Platform
    cards: Cards
    metrics: list[MetricRow]
    comparison: list[PlatformComparison]
    trend: Trend
    top_posts: list[PostRow]


class PostsAnswer(WindowAnswer):
    """GET /api/analytics/posts"""

    posts: list[PostRow]
    total: int = Field(description="posts that match, over all pages")
    limit: int
    offset: int
    next_offset: int | None
    sort: SortKey
    order: Order


class TimelinePoint(Counters):
    """One snapshot: cumulative counters, and what is new since the one before."""

    snapshot_id: UUID
    slot_start: Instant
    collected_at: Instant
    activity_at: Instant
    source: Literal["api", "file"] | None = Field(description="null: in cold storage by now")
    collected_basis: Literal["observed", "stated", "assumed"] | None
    basis: Literal["observed", "lifetime", "catch_up"]
    is_gap: bool
    is_correction: bool
    unique_impressions: int | None
    engagement_rate: float | None
    engagement_score: float | None
    new: Counters


class BreakdownPart(Model):
    """One part of a post's engagements; the parts add up to its last known `engagements`."""

    metric: str
    value: int | None
    share: float | None


class Benchmark(Model):
    """A post against the account's own posts at the same age (METRICS.md section 6)."""

    metric: str
    age: BenchmarkAge
    value: float | None
    median: float | None
    lower_quartile: float | None
    upper_quartile: float | None
    mean: float | None
    percentile: float | None
    posts: int


class PostDetailAnswer(Freshness):
    """GET /api/analytics/posts/<post_id>"""

    post: Post
    text: str | None
    timeline: list[TimelinePoint]
    breakdown: list[BreakdownPart]
    engagements_basis: str | None = Field(description="which counters make up `engagements`")
    metric_version: int
    benchmarks: list[Benchmark] = Field(description="empty: fewer than 10 posts to compare with")


class SessionUser(Model):
    """The caller."""

    name: str
    timezone: str


class SessionAnswer(Model):
    """GET /api/session"""

    user: SessionUser
    authentication: Literal["api_key", "session"]
    scopes: list[str]
    accounts: list[Account]
    generation: int | None = Field(description="null: nothing is published yet")
    published_at: Instant | None
    as_of: Instant | None


class HealthAnswer(Model):
    """GET /api/health (needs no sign-in)"""

    status: Literal["ok", "nothing published"]
    generation: int | None
    published_at: Instant | None
    data_as_of: Instant | None


class FieldError(Model):
    """One field that was refused."""

    field: str
    message: str


class Problem(Model):
    """RFC 9457 problem+json: the one shape of every error."""

    type: str = Field(description="stable identifier of the kind of problem")
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path asked for")
    errors: list[FieldError] = Field(description="the fields refused; empty for other problems")
