"""Post analytics and followers of members."""

from typing import Any

from ingest.sandbox.engine import Body, Call, RefusedError, Reply
from ingest.sandbox.linkedin.errors import bad_parameter, denied, error
from ingest.sandbox.linkedin.intervals import date_range, days, gain
from ingest.sandbox.linkedin.request import Query, member, page_of, paging, post_of, urn_kind
from ingest.sandbox.world import METRICS, Account, Post

_MEMBER = {name: index for index, name in enumerate(METRICS["member"])}

_TYPES_SINCE = {
    name: "202506" if index < 5 else "202604" for index, name in enumerate(METRICS["member"])
}
_TOTAL_ONLY = frozenset(
    {
        "MEMBERS_REACHED",
        "LINK_CLICKS",
        "FOLLOWER_GAINED_FROM_CONTENT",
        "PROFILE_VIEW_FROM_CONTENT",
    }
)
_METRIC_TYPE = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"


def member_analytics(call: Call) -> Reply:
    """GET /rest/memberCreatorPostAnalytics: one query type a call, of one post or all (q=me)."""
    query = Query.of(call, "q", "entity", "queryType", "aggregation", "dateRange", "start", "count")
    finder = query.finder("entity", "me")
    resource = f"memberCreatorPostAnalytics.FINDER-{finder}.{query.api_version}"
    account = member(call, "r_member_postAnalytics", resource)
    metric = query.choice(
        "queryType", "", *(name for name in _MEMBER if query.api_version >= _TYPES_SINCE[name])
    )
    aggregation = query.choice("aggregation", "TOTAL", "TOTAL", "DAILY")
    if aggregation == "DAILY" and (
        metric in _TOTAL_ONLY or (metric == "IMPRESSION" and finder == "entity")
    ):
        raise RefusedError(bad_parameter("aggregation"))
    posts, target = _analysed(call, query, account, finder, resource)
    name: Any = metric if query.api_version >= "202605" else {_METRIC_TYPE: metric}
    elements: list[Body] = []
    for start, end, shown in days(query, aggregation, call.now):
        element: Body = {
            "count": sum(
                gain(post, (start, end, True), call.now)[_MEMBER[metric]] for post in posts
            ),
            "metricType": name,
        }
        if target:
            element["targetEntity"] = target
        if shown:
            element["dateRange"] = date_range(start, end)
        elements.append(element)
    call.served = len(elements)
    first, count = paging(query)
    return Reply(page_of(elements, first, count, len(elements)))


def _analysed(
    call: Call, query: Query, account: Account, finder: str, resource: str
) -> tuple[list[Post], Body]:
    """The posts a member asked about, and how the answer names them."""
    if finder == "me":
        return list(account.newest_first(call.now)), {}
    entity = query.record("entity") or {}
    # The record's key for a ugcPost is `ugc`; `ugcPost` is refused.
    kinds = {"share": "share", "ugc": "ugcPost"}
    key = next(iter(entity), "")
    if len(entity) != 1 or key not in kinds:
        raise RefusedError(bad_parameter("entity"))
    urn = entity[key]
    if not isinstance(urn, str) or urn_kind(urn) != kinds[key]:
        raise RefusedError(bad_parameter("entity"))
    post = post_of(call, urn)
    if post is None or post.account is not account or post.published > call.now:
        raise RefusedError(denied(resource))
    if not post.exists(call.now):
        raise RefusedError(error(404, f"Entity {urn} not found"))
    return [post], {key: urn}


def member_followers(call: Call) -> Reply:
    """GET /rest/memberFollowersCount: today's number (q=me), or one per day (q=dateRange)."""
    query = Query.of(call, "q", "dateRange")
    finder = query.finder("me", "dateRange")
    account = member(
        call,
        "r_member_profileAnalytics",
        f"memberFollowersCount.FINDER-{finder}.{query.api_version}",
    )
    if finder == "me":
        elements: list[Body] = [{"memberFollowersCount": account.followers(call.now)}]
    else:
        elements = [
            {
                "dateRange": date_range(start, end),
                "memberFollowersCount": account.followers(min(end, call.now)),
            }
            for start, end, _ in days(query, "DAILY", call.now)
        ]
    return Reply({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements})
