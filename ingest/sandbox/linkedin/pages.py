"""Statistics and followers of organisation pages."""

from collections.abc import Iterable, Iterator, Sequence

from ingest.sandbox.engine import Body, Call, RefusedError, Reply
from ingest.sandbox.linkedin.errors import error, unpermitted
from ingest.sandbox.linkedin.intervals import STATISTICS_AGE, Interval, gain, intervals
from ingest.sandbox.linkedin.request import Query, administered, page_of, paging, post_of, urn_kind
from ingest.sandbox.world import METRICS, Account, Post

_PAGE = METRICS["page"]


def share_statistics(call: Call) -> Reply:
    """GET /rest/organizationalEntityShareStatistics.

    Lifetime or by time interval; of the posts in `shares` and `ugcPosts`, or without them of
    the page as a whole. Posts with no activity are omitted. Organic, the last 12 months.
    """
    query = Query.of(
        call, "q", "organizationalEntity", "shares", "ugcPosts", "timeIntervals", "start", "count"
    )
    query.finder("organizationalEntity")
    resource = (
        f"organizationalEntityShareStatistics.FINDER-organizationalEntity.{query.api_version}"
    )
    entity = query.urn("organizationalEntity", "organization", "organizationBrand")
    account = administered(call, entity, "rw_organization_admin", resource)
    urns = {
        parameter: query.urns(parameter, kind)
        for parameter, kind in (("shares", "share"), ("ugcPosts", "ugcPost"))
    }
    spans = intervals(query, call.now)
    if any(urns.values()):
        elements = [
            element
            for parameter, asked in urns.items()
            for post in _own_posts(call, account, parameter, asked)
            for element in _post_statistics(call, entity, post, spans)
        ]
    else:
        elements = list(_page_statistics(call, entity, account, spans))
    call.served = len(elements)
    start, count = paging(query)
    return Reply(page_of(elements, start, count))


def _own_posts(call: Call, account: Account, parameter: str, urns: Iterable[str]) -> Iterator[Post]:
    """The posts asked for; one that is not the page's fails the call, a deleted one is dropped."""
    for index, urn in enumerate(urns):
        post = post_of(call, urn)
        if post is None or post.account is not account or post.published > call.now:
            raise RefusedError(unpermitted(parameter, index))
        if post.exists(call.now):
            yield post


def _post_statistics(
    call: Call, entity: str, post: Post, spans: Iterable[Interval]
) -> Iterator[Body]:
    if call.now - post.published > STATISTICS_AGE:
        return
    kind = urn_kind(post.urn) or "share"
    for interval in spans:
        counts = gain(post, interval, call.now)
        if any(counts):
            element = _statistics(entity, counts, interval)
            element[kind] = post.urn
            yield element


def _page_statistics(
    call: Call, entity: str, account: Account, spans: Iterable[Interval]
) -> Iterator[Body]:
    posts = list(account.newest_first(call.now, since=call.now - STATISTICS_AGE))
    for interval in spans:
        gains = [gain(post, interval, call.now) for post in posts]
        sums = [sum(column) for column in zip(*gains, strict=True)] or [0] * len(_PAGE)
        yield _statistics(entity, sums, interval)


def _statistics(entity: str, counts: Sequence[int], interval: Interval) -> Body:
    totals: Body = dict(zip(_PAGE, counts, strict=True))
    interactions = sum(counts[2:])
    totals["engagement"] = interactions / counts[0] if counts[0] else 0.0
    element: Body = {"organizationalEntity": entity, "totalShareStatistics": totals}
    if interval[2]:
        element["timeRange"] = {
            "start": round(interval[0] * 1000),
            "end": round(interval[1] * 1000),
        }
    return element


def network_size(call: Call) -> Reply:
    """GET /rest/networkSizes/{urn}?edgeType=COMPANY_FOLLOWED_BY_MEMBER: a page's followers."""
    query = Query.of(call, "edgeType")
    query.choice("edgeType", "", "COMPANY_FOLLOWED_BY_MEMBER")
    urn = call.path["urn"]
    account = call.sandbox.world.account("page", urn.rpartition(":")[2])
    if account is None or urn_kind(urn) != "organization":
        return error(404, f"Resource {urn} does not exist", service_code=0)
    return Reply({"firstDegreeSize": account.followers(call.now)})


def follower_statistics(call: Call) -> Reply:
    """GET /rest/organizationalEntityFollowerStatistics: gains by day; lifetime has no total."""
    query = Query.of(call, "q", "organizationalEntity", "timeIntervals", "start", "count")
    query.finder("organizationalEntity")
    entity = query.urn("organizationalEntity", "organization")
    account = administered(
        call,
        entity,
        "rw_organization_admin",
        f"organizationalEntityFollowerStatistics.FINDER-organizationalEntity.{query.api_version}",
    )
    start, count = paging(query)
    if query.record("timeIntervals") is None:
        facets = (
            "Seniority",
            "Industry",
            "Function",
            "StaffCountRange",
            "GeoCountry",
            "Geo",
            "AssociationType",
        )
        element: Body = {"organizationalEntity": entity}
        element |= {f"followerCountsBy{facet}": [] for facet in facets}
        return Reply(page_of([element], start, count))
    elements = [
        {
            "organizationalEntity": entity,
            "timeRange": {"start": round(begin * 1000), "end": round(end * 1000)},
            "followerGains": {
                "organicFollowerGain": account.followers(end) - account.followers(begin),
                "paidFollowerGain": 0,
            },
        }
        for begin, end, _ in intervals(query, call.now)
        if end <= call.now
    ]
    return Reply(page_of(elements, start, count))
