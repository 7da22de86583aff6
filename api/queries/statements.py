"""Build: the SQL of every question, each as a Query that sees only the accounts of its scope."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from api.queries.metrics import METRICS
from api.queries.scope import AccountScope, Query
from api.queries.windows import Span, TimeWindow
from api.schemas import Lens, Order, Platform, SortKey

_GAINS = (
    *(f"new_{metric}" for metric in METRICS),
    *(f"observed_{metric}" for metric in METRICS),
)
#: Where engagements and impressions are both known, so that a rate divides what belongs together.
_RATED = {
    "rated_impressions": ("new_impressions", "new_engagements", ""),
    "rated_engagements": ("new_engagements", "new_impressions", ""),
    "observed_rated_impressions": ("new_impressions", "new_engagements", "basis = 'observed' and "),
    "observed_rated_engagements": ("new_engagements", "new_impressions", "basis = 'observed' and "),
}
_SLOTS = ("due_slots", "filled_slots")
#: The columns of quarter_hour_metrics that add up.
SUMS = (*_GAINS, *_RATED, *_SLOTS)

#: The same of posts at one age, where all is known by observation.
_AGED = {
    **{f"{quality}_{metric}": metric for quality in ("new", "observed") for metric in METRICS},
    **{
        f"{quality}_{metric}": f"case when {other} is not null then {metric} end"
        for quality in ("rated", "observed_rated")
        for metric, other in (("impressions", "engagements"), ("engagements", "impressions"))
    },
}
#: How many posts had reached the age, and were read around it.
RIPENESS = ("ripe_posts", "compared_posts")

#: What each sort key orders by. A closed list: nothing a caller sends becomes SQL.
_SORT_COLUMNS: dict[SortKey, str] = {
    "engagement_score": "scores.engagement_score",
    "engagement_rate": "scores.engagement_rate",
    "engagements": "scores.engagements",
    "impressions": "scores.impressions",
    "likes": "scores.likes",
    "comments": "scores.comments",
    "shares": "scores.shares",
    "clicks": "scores.clicks",
    "replies": "scores.replies",
    "retweets": "scores.retweets",
    "quotes": "scores.quotes",
    "bookmarks": "scores.bookmarks",
    "published_at": "scores.published_at",
    "gained_impressions": "gained.new_impressions",
    "gained_engagements": "gained.new_engagements",
}
PREVIEW_LENGTH = 280
#: In the order of the panel.
_BENCHMARKED = ("impressions", "engagements", "engagement_rate", "engagement_score")


#: The time axis whose buckets begin at `$starts`, counted from 0.
_BUCKETS = """
    starts as (select $starts::timestamptz[] as list),
    buckets as (
        select unnest(list) as bucket_start, unnest(range(len(list))) as bucket from starts
    )
"""


def _in_span(column: str) -> str:
    return f"{column} >= $start and {column} < $end"


def _active_in(span: Span) -> str:
    return _in_span("activity_slot" if span.by_slot else "activity_at")


def _bounds(span: Span) -> dict[str, object]:
    return {"start": span.start, "end": span.end}


def accounts(scope: AccountScope) -> Query:
    """One row per account, with its handle."""
    return Query(
        scope,
        """
        select accounts.*, account_profile.handle, account_profile.display_name
        from accounts
        left join account_profile on account_profile.account_id = accounts.account_id
        order by accounts.platform, account_profile.handle, accounts.account_id
        """,
    )


def gains(scope: AccountScope, span: Span, starts: Sequence[datetime]) -> Query:
    """One row per platform and bucket that holds any reading or due slot; `bucket` counts from 0.

    `starts`: where the buckets start, ascending; the first is the span's own start.
    """
    sums = ", ".join(f"sum({column})::bigint as {column}" for column in SUMS)
    return Query(
        scope,
        f"""
        with {_BUCKETS},
        readings as ({_BY_SLOT if span.by_slot else _BY_QUARTER_HOUR})
        select platform, bucket, {sums}
        from readings
        asof join buckets on moment >= bucket_start
        where {_in_span("moment")}
        group by platform, bucket
        """,
        {**_bounds(span), "starts": _listed(starts)},
    )


def _listed(starts: Sequence[datetime]) -> str:
    """As one text: each bound value, so each element of a list, costs DuckDB's client a look for
    pandas."""
    return f"[{','.join(start.isoformat() for start in starts)}]"


_OBSERVED_BY_SLOT = ", ".join(
    f"case when basis = 'observed' then new_{metric} end as observed_{metric}" for metric in METRICS
)
_RATED_BY_SLOT = ", ".join(
    f"case when {condition}{other} is not null then {column} end as {name}"
    for name, (column, other, condition) in _RATED.items()
)
_BY_QUARTER_HOUR = f"""
    select platform, quarter_hour as moment, {", ".join(SUMS)} from quarter_hour_metrics
"""
_BY_SLOT = f"""
    select platform, activity_slot as moment, {", ".join(f"new_{metric}" for metric in METRICS)},
        {_OBSERVED_BY_SLOT}, {_RATED_BY_SLOT}, {", ".join(f"null as {name}" for name in _SLOTS)}
    from post_increments
    union all
    select platform, quarter_hour, {", ".join("null" for _ in (*_GAINS, *_RATED))},
        {", ".join(_SLOTS)}
    from quarter_hour_metrics
"""


def activity(scope: AccountScope, span: Span) -> Query:
    """One row per platform with activity, and one for all of them (`platform` null).

    Active posts; in how many increments a metric is known; rates of the active posts in
    ten-thousandths: their sum, number and median.
    """
    known = [f"known_{metric}" for metric in METRICS]
    counted = ", ".join(f"count(new_{metric}) as known_{metric}" for metric in METRICS)
    return Query(
        scope,
        f"""
        with active as (
            select post_id, platform, count(*) as increments, {counted}
            from post_increments
            where {_active_in(span)}
            group by post_id, platform
        ),
        rated as (
            select active.*, cast(post_scores.engagement_rate * 10000 as bigint) as rate
            from active
            left join post_scores
                on post_scores.post_id = active.post_id and post_scores.is_current_version
        )
        select platform, count(*) as active_posts, sum(increments)::bigint as increments,
            {", ".join(f"sum({column})::bigint as {column}" for column in known)},
            sum(rate)::bigint as rate_sum, count(rate) as rates, median(rate) as rate_median
        from rated
        group by grouping sets ((platform), ())
        """,
        _bounds(span),
    )


#: Posts with their counters at one age. `is_ripe`: it had reached the age when the newest slot
#: began in which its account's posts of that age are read; of the period before, at that time
#: shifted back with it. Of an account never collected all are: what is missing is not recorded.
_AT_ONE_AGE = """
    select posts.platform, posts.published_at as moment,
        post_age_values.* exclude (platform, account_id, published_at),
        coalesce(
            posts.published_at + to_hours($age)
            <= time_bucket($slot::interval, accounts.as_of) - case
                when posts.published_at >= $window_start then interval 0 hour
                else $window_end::timestamptz - $previous_end::timestamptz
            end,
            true
        ) as is_ripe
    from posts
    inner join accounts on accounts.account_id = posts.account_id
    left join post_age_values
        on post_age_values.post_id = posts.post_id and post_age_values.age_hours = $age
"""


def values_at_one_age(
    scope: AccountScope,
    window: TimeWindow,
    before: Span | None,
    starts: Sequence[datetime],
) -> Query:
    """One row per platform and bucket in which a post was published; buckets as in `gains`.

    What the ripe posts had at the window's comparison age, under the names of `gains`, and how
    many there are: `ripe_posts`, and of them `compared_posts`, which were read around the age.
    """
    sums = ", ".join(
        f"(sum({value}) filter (where is_ripe))::bigint as {column}"
        for column, value in _AGED.items()
    )
    return Query(
        scope,
        f"""
        with {_BUCKETS},
        published as ({_AT_ONE_AGE})
        select platform, bucket, {sums},
            count(*) filter (where is_ripe) as ripe_posts,
            count(post_id) filter (where is_ripe) as compared_posts
        from published
        asof join buckets on moment >= bucket_start
        where {_in_span("moment")}
        group by platform, bucket
        """,
        {
            **_ages(window, before),
            "start": before.start if before else window.start,
            "starts": _listed(starts),
        },
    )


def activity_at_one_age(scope: AccountScope, window: TimeWindow) -> Query:
    """The rows of `activity` over the ripe posts published in the window, at one age."""
    counted = ", ".join(f"count({metric}) as known_{metric}" for metric in METRICS)
    rate = "cast(engagement_rate * 10000 as bigint)"
    return Query(
        scope,
        f"""
        with published as ({_AT_ONE_AGE})
        select platform, count(*) as active_posts, count(*) as increments, {counted},
            sum({rate})::bigint as rate_sum, count({rate}) as rates, median({rate}) as rate_median
        from published
        where {_in_span("moment")} and is_ripe and post_id is not null
        group by grouping sets ((platform), ())
        """,
        _ages(window, None),
    )


def _ages(window: TimeWindow, before: Span | None) -> dict[str, object]:
    return {
        **_bounds(window),
        "age": window.comparison_age,
        "slot": window.comparison_slot,
        "window_start": window.start,
        "window_end": window.end,
        "previous_end": before.end if before else window.end,
    }


def published(scope: AccountScope, span: Span) -> Query:
    """Posts published in the span, per platform."""
    return Query(
        scope,
        f"""
        select platform, count(*) as posts_published
        from posts
        where {_in_span("published_at")}
        group by platform
        """,
        _bounds(span),
    )


def newest_post(scope: AccountScope, platform: Platform | None) -> Query:
    """One row: when the newest post was published; NULL if there is none."""
    return Query(
        scope,
        """
        select max(published_at) as published_at from posts
        where $platform::varchar is null or platform = $platform
        """,
        {"platform": platform},
    )


def ever_known(scope: AccountScope, platform: Platform) -> Query:
    """One row: in how many posts of the platform each metric is known."""
    known = ", ".join(f"count({metric}) as {metric}" for metric in METRICS)
    return Query(
        scope,
        f"select {known} from post_scores where is_current_version and platform = $platform",
        {"platform": platform},
    )


def posts(
    scope: AccountScope,
    span: Span,
    *,
    lens: Lens,
    platform: Platform | None,
    sort: SortKey,
    order: Order,
    limit: int,
    offset: int = 0,
    minimum_impressions: int | None = None,
) -> Query:
    """One page of the posts active (lens gained) or published (lens published) in the span.

    Ties go by impressions, then id; unknown values come last in either order. `total`: all pages.
    """
    gained = ", ".join(f"sum(new_{metric})::bigint as new_{metric}" for metric in METRICS)
    direction = "asc" if order == "asc" else "desc"
    ordered = f"sort_key {direction} nulls last, tie_break desc nulls last, matching_id"
    return Query(
        scope,
        f"""
        with gained as (
            select post_id, {gained}
            from post_increments
            where {_active_in(span)}
            group by post_id
        ),
        matching as (
            select scores.post_id as matching_id, scores.impressions as tie_break,
                {_SORT_COLUMNS[sort]} as sort_key
            from post_scores as scores
            left join gained on gained.post_id = scores.post_id
            where scores.is_current_version
                and {"gained.post_id is not null" if lens == "gained" else _in_span("published_at")}
                and ($platform::varchar is null or scores.platform = $platform)
                and ($minimum::integer is null or scores.impressions >= $minimum)
        ),
        page as (select * from matching order by {ordered} limit $limit offset $offset)
        select post_scores.*, gained.* exclude (post_id),
            posts.platform_post_id, posts.post_type, posts.is_deleted,
            left(post_content.text, {PREVIEW_LENGTH}) as text_preview, post_content.url,
            (select count(*) from matching) as total
        from page
        inner join post_scores on post_scores.post_id = matching_id
            and post_scores.is_current_version
        inner join posts on posts.post_id = matching_id
        left join gained on gained.post_id = matching_id
        left join post_content on post_content.post_id = matching_id
        order by {ordered}
        """,
        {
            **_bounds(span),
            "platform": platform,
            "minimum": minimum_impressions,
            "limit": limit,
            "offset": offset,
        },
    )


def post(scope: AccountScope, post_id: UUID) -> Query:
    """One row: a post with its scores and its text; none if it is not in the scope."""
    return Query(
        scope,
        f"""
        select post_scores.*, posts.platform_post_id, posts.post_type, posts.is_deleted,
            post_content.text, post_content.url,
            left(post_content.text, {PREVIEW_LENGTH}) as text_preview
        from post_scores
        inner join posts on posts.post_id = post_scores.post_id
        left join post_content on post_content.post_id = post_scores.post_id
        where post_scores.is_current_version and post_scores.post_id = $post_id
        """,
        {"post_id": post_id},
    )


def timeline(scope: AccountScope, post_id: UUID) -> Query:
    """One row per snapshot, oldest first. Increments are kept for ever; where a snapshot has gone
    to cold storage, their running sum is the last known value."""
    counters = ", ".join(
        f"case when snapshots.id is null then sum(increments.new_{metric}) over so_far"
        f" else snapshots.{metric} end::bigint as {metric}"
        for metric in METRICS
    )
    new = ", ".join(f"increments.new_{metric}" for metric in METRICS)
    return Query(
        scope,
        f"""
        with increments as (select * from post_increments where post_id = $post_id),
        snapshots as (select * from analytics_snapshots where post_id = $post_id)
        select increments.id as snapshot_id, increments.slot_start, increments.collected_at,
            increments.activity_at, increments.basis, increments.is_gap, increments.is_correction,
            {new}, {counters},
            snapshots.source, snapshots.collected_basis, snapshots.unique_impressions,
            snapshots.engagement_rate, snapshots.engagement_score, snapshots.engagements_basis
        from increments
        left join snapshots on snapshots.id = increments.id
        window so_far as (order by increments.slot_start, increments.collected_at)
        order by increments.slot_start, increments.collected_at
        """,
        {"post_id": post_id},
    )


def benchmarks(scope: AccountScope, post_id: UUID) -> Query:
    """One row per metric that the post is compared by; none below ten posts to compare with."""
    ranked = ", ".join(f"'{metric}'" for metric in _BENCHMARKED)
    return Query(
        scope,
        f"""
        select * from post_benchmarks
        where post_id = $post_id and median is not null
        order by list_position([{ranked}], metric)
        """,
        {"post_id": post_id},
    )
