"""The answer of each analytics endpoint, put together from its panels."""

from uuid import UUID

from api.queries import posts, statements
from api.queries.panels import Panels
from api.queries.params import NoParams, OverviewParams, PlatformParams, PostsParams
from api.queries.reader import Reader
from api.queries.window_data import WindowData
from api.queries.windows import DAY, Span
from api.schemas import (
    OfferedPeriod,
    OverviewAnswer,
    OverviewCards,
    Period,
    Platform,
    PlatformAnswer,
    PostDetailAnswer,
    PostsAnswer,
    Window,
)


def overview(reader: Reader, params: OverviewParams) -> OverviewAnswer:
    """GET /api/analytics/overview"""
    data = WindowData(reader, params)
    panels = Panels(data, params.platform)
    return OverviewAnswer.model_validate(
        {
            **_common(panels),
            "cards": OverviewCards(**dict(panels.cards()), best_platform=panels.best_platform()),
            "trend": panels.trend(),
            "top_posts": posts.top_posts(data, params.platform),
        }
    )


def platform_view(reader: Reader, params: PlatformParams, platform: Platform) -> PlatformAnswer:
    """GET /api/analytics/platform/<platform>"""
    data = WindowData(reader, params)
    panels = Panels(data, platform)
    (known,) = reader.run(statements.ever_known(reader.scope, platform))
    return PlatformAnswer.model_validate(
        {
            **_common(panels),
            "platform": platform,
            "cards": panels.cards(),
            "metrics": panels.metric_rows(known),
            "comparison": panels.comparison(),
            "trend": panels.trend(),
            "top_posts": posts.top_posts(data, platform),
        }
    )


def post_list(reader: Reader, params: PostsParams) -> PostsAnswer:
    """GET /api/analytics/posts"""
    data = WindowData(reader, params)
    panels = Panels(data, params.platform)
    return PostsAnswer.model_validate({**_common(panels), **posts.page(data, params)})


def post_detail(reader: Reader, _params: NoParams, post_id: UUID) -> PostDetailAnswer:
    """GET /api/analytics/posts/<post_id>. Raises PostNotFoundError."""
    return posts.detail(reader, post_id)


def _common(panels: Panels) -> dict[str, object]:
    """What every answer about a window carries."""
    data, platform = panels.data, panels.platform
    # Empty: nothing was read in the window (nor of the posts compared), nothing published in it.
    is_empty = not data.activity(platform)["increments"] and not data.posts_published(platform)
    return {
        **data.reader.freshness(),
        "window": _window(data),
        "previous": None if data.previous is None else _period(data.previous),
        "is_empty": is_empty,
        "newest_period_with_data": _newest_period(data, platform) if is_empty else None,
        "coverage": panels.coverage(),
        "metric_completeness": panels.completeness(),
        "maturity": panels.maturity(),
    }


def _window(data: WindowData) -> Window:
    window = data.window
    return Window(
        name=window.name,
        tz=window.zone.key,
        lens=data.params.lens,
        from_=window.first_day,
        to=window.last_day,
        start=window.start,
        end=window.end,
        open_day=window.open_day is not None,
    )


def _period(span: Span) -> Period:
    return Period(from_=span.first_day, to=span.last_day, start=span.start, end=span.end)


def _newest_period(data: WindowData, platform: Platform | None) -> OfferedPeriod | None:
    """The newest stretch of the window's length that ends with activity, or with a post."""
    if data.params.lens == "published":
        found = data.reader.run(statements.newest_post(data.reader.scope, platform))
        moments = [row["published_at"] for row in found]
    else:
        moments = [row["last_activity_at"] for row in data.accounts(platform)]
    newest = max((moment for moment in moments if moment), default=None)
    if newest is None:
        return None
    last = newest.astimezone(data.window.zone).date()
    return OfferedPeriod(from_=last - DAY * (data.window.days - 1), to=last)
