"""Posts: the best of a window, a page of them, and one in detail."""

from uuid import UUID

from api.queries import statements
from api.queries.metrics import METRICS, number, rate
from api.queries.panels import MINIMUM_IMPRESSIONS
from api.queries.params import PostsParams
from api.queries.reader import Reader
from api.queries.scope import Row
from api.queries.window_data import WindowData
from api.queries.windows import AGES
from api.schemas import (
    Benchmark,
    BenchmarkAge,
    BreakdownPart,
    Counters,
    Platform,
    Post,
    PostDetailAnswer,
    PostRow,
    TimelinePoint,
)

TOP_POSTS = 10


class PostNotFoundError(Exception):
    """No such post among the accounts of the caller."""


def top_posts(data: WindowData, platform: Platform | None) -> list[PostRow]:
    """The posts with the best engagement scores (METRICS.md section 3)."""
    rows = data.reader.run(
        statements.posts(
            data.reader.scope,
            data.window,
            lens=data.params.lens,
            platform=platform,
            sort="engagement_score",
            order="desc",
            limit=TOP_POSTS,
            minimum_impressions=MINIMUM_IMPRESSIONS,
        )
    )
    return [_post_row(row) for row in rows]


def page(data: WindowData, params: PostsParams) -> dict[str, object]:
    """One page of the window's posts, and where the next one starts."""
    rows = _page(data, params, params.limit, params.offset)
    # A page past the end has no row to carry the number of posts.
    first = rows or (_page(data, params, 1, 0) if params.offset else [])
    total = first[0]["total"] if first else 0
    seen = params.offset + len(rows)
    return {
        "posts": [_post_row(row) for row in rows],
        "total": total,
        "limit": params.limit,
        "offset": params.offset,
        "next_offset": seen if rows and seen < total else None,
        "sort": params.sort,
        "order": params.order,
    }


def _page(data: WindowData, params: PostsParams, limit: int, offset: int) -> list[Row]:
    return data.reader.run(
        statements.posts(
            data.reader.scope,
            data.window,
            lens=params.lens,
            platform=params.platform,
            sort=params.sort,
            order=params.order,
            limit=limit,
            offset=offset,
        )
    )


def detail(reader: Reader, post_id: UUID) -> PostDetailAnswer:
    """One post with its timeline. Raises PostNotFoundError."""
    scope = reader.scope
    found = reader.run(statements.post(scope, post_id))
    if not found:
        raise PostNotFoundError
    (row,) = found
    points = reader.run(statements.timeline(scope, post_id))
    # Parts add up only where they were read together: in the snapshot that gave the newest sum.
    newest = next((point for point in reversed(points) if point["new_engagements"] is not None), {})
    basis = newest.get("engagements_basis")
    return PostDetailAnswer.model_validate(
        {
            **reader.freshness(),
            "post": Post.model_validate(_post(row)),
            "text": row["text"],
            "timeline": [_timeline_point(point) for point in points],
            "breakdown": _breakdown(newest, basis),
            "engagements_basis": basis,
            "metric_version": row["metric_version"],
            "benchmarks": [
                _benchmark(found) for found in reader.run(statements.benchmarks(scope, post_id))
            ],
        }
    )


def _post(row: Row) -> dict[str, object]:
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
    return PostRow.model_validate({**_post(row), "gained": _counters(row, "new_")})


def _timeline_point(row: Row) -> TimelinePoint:
    in_cold_storage = row["source"] is None
    known_rate = (
        rate(row["engagements"], row["impressions"]) if in_cold_storage else row["engagement_rate"]
    )
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
            "engagement_rate": number(known_rate),
            "engagement_score": number(row["engagement_score"]),
            "new": _counters(row, "new_"),
        }
    )


def _breakdown(row: Row, basis: str | None) -> list[BreakdownPart]:
    """The counters that `engagements_basis` names, such as "likes + replies (without quotes)"."""
    if basis is None:
        return []
    parts = basis.partition(" (")[0].split(" + ")
    return [
        BreakdownPart(
            metric=part, value=row[part], share=number(rate(row[part], row["engagements"]))
        )
        for part in parts
    ]


def _benchmark(row: Row) -> Benchmark:
    age: BenchmarkAge = "lifetime" if row["age_hours"] is None else AGES[row["age_hours"]]
    return Benchmark(
        metric=row["metric"],
        age=age,
        value=number(row["own_value"]),
        median=number(row["median"]),
        lower_quartile=number(row["lower_quartile"]),
        upper_quartile=number(row["upper_quartile"]),
        mean=number(row["mean"]),
        percentile=number(row["percentile"]),
        posts=row["n"],
    )


def _counters(row: Row, prefix: str) -> Counters:
    return Counters(**{metric: row[f"{prefix}{metric}"] for metric in METRICS})
