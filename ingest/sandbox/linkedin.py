"""The versioned LinkedIn REST API of the stand-in (platform-apis.md section 2).

Unconfirmed, because no public recording shows it: non-zero per-post share statistics (from
Microsoft's pages), BATCH_GET's answer when some ids fail, "little text" escapes, what a deleted
post's statistics say (here: omitted), and the bodies of 400s beyond the code names seen in other
clients' notes. Times are epoch milliseconds. No rate-limit header and no Retry-After, ever.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from ingest.sandbox.engine import Body, Call, Endpoint, Reply
from ingest.sandbox.restli import RestliSyntaxError, Value, decode_leaf, parse_query
from ingest.sandbox.texts import as_little_text
from ingest.sandbox.world import DAY, METRICS, Account, Post

MAX_QUERY = 4_000
STATISTICS_AGE = 365 * DAY
SKIPPED_VERSIONS = frozenset({"202512"})
RELEASE_DAY, SUNSET_DAY = 20, 15
DEVELOPMENT_APP_CALLS, DEVELOPMENT_MEMBER_CALLS = 500, 100

_URN = re.compile(r"urn:li:([A-Za-z]+):([A-Za-z0-9_-]+)")
_PAGE = METRICS["page"]
_MEMBER = {name: index for index, name in enumerate(METRICS["member"])}


# ---- errors ---------------------------------------------------------------------------------


def error(status: int, message: str, *, code: str | None = None,
          service_code: int | None = None, details: Body | None = None) -> Reply:  # fmt: skip
    """LinkedIn's error body; `code` and `serviceErrorCode` are each sometimes absent."""
    body: Body = {"status": status, "message": message}
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    if code is not None:
        body["code"] = code
    if details is not None:
        body |= details
    return Reply(body, status)


def empty_token() -> Reply:
    return error(401, "Empty oauth2_access_token", service_code=401)


def invalid_token() -> Reply:
    return error(401, "Invalid access token", code="INVALID_ACCESS_TOKEN", service_code=65600)


def revoked_token() -> Reply:
    return error(401, "The token used in the request has been revoked by the user",
                 code="REVOKED_ACCESS_TOKEN", service_code=65601)  # fmt: skip


def expired_token() -> Reply:
    return error(401, "The token used in the request has expired",
                 code="EXPIRED_ACCESS_TOKEN", service_code=65602)  # fmt: skip


def denied(resource: str) -> Reply:
    return error(403, f"Not enough permissions to access: {resource}", code="ACCESS_DENIED",
                 service_code=100)  # fmt: skip


def unpermitted(parameter: str, index: int) -> Reply:
    """One URN of a List is not the caller's: the whole call fails."""
    return error(
        403,
        "Unpermitted fields present in PARAMETER: Data Processing Exception while processing"
        f" fields [/{parameter}[{index}]]",
        code="ACCESS_DENIED",
        service_code=100,
    )


def throttled(level: str = "limit") -> Reply:
    message = f"Resource level throttle {level} for calls to this resource is reached."
    return error(429, message, service_code=101)


def nonexistent_version(version: str) -> Reply:
    """Note the day that LinkedIn adds to the month in its message."""
    shown = f"{version}01" if re.fullmatch(r"\d{6}", version) else version
    message = f"Requested version {shown} is not active"
    reply = error(426, message, code="NONEXISTENT_VERSION")
    reply.headers["X-Restli-Gateway-Error"] = "true"
    return reply


def missing_version() -> Reply:
    reply = error(
        400,
        "A version must be present. Please specify a version by adding the LinkedIn-Version"
        " header.",
        code="VERSION_MISSING",
    )
    reply.headers["X-Restli-Gateway-Error"] = "true"
    return reply


def bad_query() -> Reply:
    """The catch-all of a query LinkedIn cannot route."""
    return error(400, "Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")


def bad_parameter(name: str, code: str = "PARAM_INVALID") -> Reply:
    detail: Body = {"input": {"inputPath": {"fieldPath": name}}, "code": code}
    if code == "PARAM_INVALID":
        detail["description"] = "Invalid value for param; wrong type or other syntax error"
    return error(
        400,
        "Invalid param. Please see errorDetails for more information.",
        details={
            "errorDetailType": "com.linkedin.common.error.BadRequest",
            "errorDetails": {"inputErrors": [detail]},
        },
    )


class Refused(Exception):
    """Ends a request early; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


# ---- the gate -------------------------------------------------------------------------------


def active_versions(day: date) -> list[str]:
    """Versions that live on `day`: from the 20th of their month to the 15th one year on.

    A sunset on a weekend waits for Monday. Fitted to the list seen on 2026-08-13 and the
    announced sunsets (platform-apis.md section 2.1); the day of release is a guess.
    """
    months = [day.year * 12 + day.month - 1 - back for back in range(14)]
    versions = []
    for month in reversed(months):
        year, index = divmod(month, 12)
        sunset = date(year + 1, index + 1, SUNSET_DAY)
        sunset += timedelta(days=max(0, 7 - sunset.weekday()) if sunset.weekday() > 4 else 0)
        version = f"{year}{index + 1:02}"
        if date(year, index + 1, RELEASE_DAY) <= day < sunset and version not in SKIPPED_VERSIONS:
            versions.append(version)
    return versions


@lru_cache(maxsize=512)
def _active_on(day: int) -> frozenset[str]:
    return frozenset(active_versions(date(1970, 1, 1) + timedelta(days=day)))


class Gate:
    """Tokens, version and protocol headers, raw query encoding, Development-tier budgets."""

    def count(self, call: Call) -> None:
        """LinkedIn counts in days; only the Development tier has known numbers."""

    def admit(self, call: Call) -> Reply | None:
        refusal = self._check_token(call)
        if refusal is None and call.request.path.startswith("/rest/"):
            refusal = self._check_headers(call) or self._check_path(call)
        if refusal is None and call.sandbox.behaviour.development_tier:
            refusal = self._check_budget(call)
        return refusal

    def _check_token(self, call: Call) -> Reply | None:
        if call.endpoint.needs == "none":
            return None
        grant = call.grant
        if grant is None:
            given = call.request.environ.get("HTTP_AUTHORIZATION", "")
            return invalid_token() if given else empty_token()
        if grant.platform != "linkedin":
            return invalid_token()
        if grant.revoked:
            return revoked_token()
        return expired_token() if call.now >= grant.expires_at else None

    def _check_headers(self, call: Call) -> Reply | None:
        version = call.request.environ.get("HTTP_LINKEDIN_VERSION")
        if not version:
            return missing_version()
        active = call.sandbox.behaviour.linkedin_versions
        if version not in (active if active is not None else _active_on(int(call.now // DAY))):
            return nonexistent_version(version)
        if call.request.environ.get("HTTP_X_RESTLI_PROTOCOL_VERSION") != "2.0.0":
            # Without it LinkedIn speaks Rest.li 1.0, which does not know List(...).
            return bad_query()
        return None

    def _check_path(self, call: Call) -> Reply | None:
        raw = call.request.environ.get("REQUEST_URI", "").partition("?")[0]
        if not call.path or not raw:
            return None
        try:
            decode_leaf("path", raw.rpartition("/")[2])
        except RestliSyntaxError:
            return error(400, "Syntax exception in path variables", code="ILLEGAL_ARGUMENT")
        return None

    def _check_budget(self, call: Call) -> Reply | None:
        day = f"{call.endpoint.platform}/{int(call.now // DAY)}"
        user = call.grant.user if call.grant else ""
        windows = call.sandbox.windows
        end = (call.now // DAY + 1) * DAY - call.now
        if windows.take(day, "app", DEVELOPMENT_APP_CALLS, call.now, end).exceeded:
            return throttled("APPLICATION DAY limit")
        if windows.take(day, user, DEVELOPMENT_MEMBER_CALLS, call.now, end).exceeded:
            return throttled("MEMBER DAY limit")
        return None

    def finish(self, call: Call, reply: Reply) -> None:
        reply.headers.setdefault("X-Li-Fabric", "prod-sandbox")
        reply.headers.setdefault("X-Li-Pop", "sandbox")


# ---- reading a request ----------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """The parameters of a request, decoded by the Rest.li rules."""

    values: Mapping[str, Value]
    api_version: str

    @classmethod
    def of(cls, call: Call, *known: str) -> "Query":
        """Raises Refused for broken encoding and for a parameter the endpoint does not have."""
        try:
            values = parse_query(raw_query(call))
        except (RestliSyntaxError, UnicodeDecodeError) as problem:
            raise Refused(bad_parameter(getattr(problem, "parameter", ""))) from problem
        for name in values:
            if name not in known and name not in ("fields", "projection"):
                raise Refused(bad_parameter(name, "QUERY_PARAM_NOT_ALLOWED"))
        return cls(values, call.request.environ.get("HTTP_LINKEDIN_VERSION", ""))

    def finder(self, *names: str) -> str:
        name = self.values.get("q")
        if not isinstance(name, str) or name not in names:
            raise Refused(bad_query())
        return name

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise Refused(bad_parameter(name))
        return value

    def choice(self, name: str, default: str, *allowed: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise Refused(bad_parameter(name))
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise Refused(bad_parameter(name))
        return int(value)

    def urn(self, name: str, *kinds: str) -> str:
        """The URN of one of `kinds` in a parameter. Raises Refused when it is another thing."""
        value = self.text(name)
        if value is None or urn_kind(value) not in kinds:
            raise Refused(bad_parameter(name))
        return value

    def urns(self, name: str, *kinds: str) -> list[str]:
        """The URNs of a List(...), empty when the parameter is absent."""
        value = self.values.get(name, [])
        if not isinstance(value, list):
            raise Refused(bad_parameter(name))
        urns = [item for item in value if isinstance(item, str) and urn_kind(item) in kinds]
        if len(urns) != len(value):
            raise Refused(bad_parameter(name))
        return urns

    def record(self, name: str) -> Mapping[str, Value] | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise Refused(bad_parameter(name))
        return value


def raw_query(call: Call) -> str:
    """The query as it was sent, or the body of a tunnelled GET (more than 4,000 characters)."""
    if call.request.method == "POST":
        return call.request.get_data(as_text=True)
    return call.request.query_string.decode("ascii")


def urn_kind(value: str) -> str | None:
    """`share` of `urn:li:share:1`; None when it is no URN."""
    match = _URN.fullmatch(value)
    return match[1] if match else None


def _answering(handle: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """Turn a Refused into its reply, and refuse what should have been tunnelled."""

    def answering(call: Call) -> Reply:
        request = call.request
        tunnelled = request.environ.get("HTTP_X_HTTP_METHOD_OVERRIDE") == "GET"
        if request.method == "POST" and not tunnelled:
            return error(405, "Method not allowed")
        if len(request.query_string) > MAX_QUERY:
            return error(414, "Request-URI Too Long")
        try:
            return handle(call)
        except Refused as refusal:
            return refusal.reply

    return answering


def _post_of(call: Call, urn: str) -> Post | None:
    """The post a share or ugcPost URN names, if the world has it under exactly that URN."""
    digits = urn.rpartition(":")[2]
    if not digits.isascii() or not digits.isdigit():
        return None
    found = call.sandbox.world.find(int(digits))
    return found[0] if found is not None and found[0].urn == urn else None


def _administered(call: Call, urn: str, scope: str, resource: str) -> Account:
    """The organisation of `urn`, if the caller administers it and consented to `scope`."""
    account = call.sandbox.world.account("page", urn.rpartition(":")[2])
    grant = call.grant
    if grant is None or account is None or grant.user not in account.spec.users:
        raise Refused(denied(resource))
    if scope not in grant.scopes:
        raise Refused(denied(resource))
    return account


def _member(call: Call, scope: str, resource: str) -> Account:
    """The caller as a member with posts."""
    grant = call.grant
    world = call.sandbox.world
    account = None if grant is None else world.account("member", world.person_id(grant.user))
    if grant is None or account is None or scope not in grant.scopes:
        raise Refused(denied(resource))
    return account


def _paging(query: Query) -> tuple[int, int]:
    return query.number("start", 0, 0, 10**9), query.number("count", 10, 0, 100)


def _page_of(elements: Sequence[Any], start: int, count: int, total: int | None = None) -> Body:
    paging: Body = {"start": start, "count": count, "links": []}
    if total is not None:
        paging["total"] = total
    return {"paging": paging, "elements": elements}


# ---- posts ----------------------------------------------------------------------------------


@_answering
def posts(call: Call) -> Reply:
    """GET /rest/posts: the finder by author, or BATCH_GET with ids=List(...)."""
    query = Query.of(call, "q", "author", "start", "count", "sortBy", "ids", "viewContext",
                     "isDsc")  # fmt: skip
    if "ids" in query.values:
        return _posts_batch(call, query)
    query.finder("author")
    author = query.urn("author", "organization", "person")
    if urn_kind(author) == "person":
        # r_member_social is closed to new apps: nobody can list a member's posts.
        return denied("partnerApiPostsExternal.FINDER-author." + query.api_version)
    account = _administered(
        call, author, "r_organization_social",
        "partnerApiPostsExternal.FINDER-author." + query.api_version,
    )  # fmt: skip
    start, count = _paging(query)
    query.choice("sortBy", "LAST_MODIFIED", "LAST_MODIFIED", "CREATED")
    elements = []
    for index, post in enumerate(account.newest_first(call.now)):
        if index >= start + count:
            break
        if index >= start:
            elements.append(post_body(post))
    call.served = len(elements)
    return Reply(_page_of(elements, start, count))


def _posts_batch(call: Call, query: Query) -> Reply:
    resource = "partnerApiPostsExternal.BATCH_GET." + query.api_version
    if call.sandbox.behaviour.development_tier:
        return denied(resource)
    return Reply(_batch(call, query.urns("ids", "share", "ugcPost"), resource, post_body))


def _batch(
    call: Call, urns: Iterable[str], resource: str, write: Callable[[Post], Body]
) -> Body:
    """BATCH_GET: results, statuses and errors by URN, always with HTTP 200 (unconfirmed)."""
    results: Body = {}
    statuses: Body = {}
    errors: Body = {}
    for urn in urns:
        post = _post_of(call, urn)
        if post is None or not post.exists(call.now):
            statuses[urn] = 404
            errors[urn] = {"status": 404, "message": f"Post {urn} could not be found"}
        elif not _owns(call, post):
            statuses[urn] = 403
            errors[urn] = denied(resource).body
        else:
            statuses[urn] = 200
            results[urn] = write(post)
    call.served = len(results)
    return {"results": results, "statuses": statuses, "errors": errors}


def _owns(call: Call, post: Post) -> bool:
    return call.grant is not None and call.grant.user in post.account.spec.users


def _existing(call: Call, resource: str) -> Post:
    """The post of a path, if it is there and the caller's."""
    urn = call.path["urn"]
    post = _post_of(call, urn)
    if post is None or not post.exists(call.now):
        raise Refused(error(404, f"Resource {urn} does not exist", service_code=0))
    if not _owns(call, post):
        raise Refused(denied(resource))
    return post


@_answering
def post_by_urn(call: Call) -> Reply:
    """GET /rest/posts/{urn}"""
    query = Query.of(call, "viewContext")
    call.served = 1
    return Reply(post_body(_existing(call, "partnerApiPostsExternal.GET." + query.api_version)))


def post_body(post: Post) -> Body:
    """A post, without any metric: the posts API has none."""
    at = round(post.published * 1000)
    body: Body = {
        "id": post.urn,
        "author": post.account.urn,
        "commentary": as_little_text(post.text),
        "visibility": "PUBLIC",
        "lifecycleState": "PUBLISHED",
        "lifecycleStateInfo": {"isEditedByAuthor": False},
        "createdAt": at,
        "publishedAt": at,
        "lastModifiedAt": at,
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "thirdPartyDistributionChannels": [],
            "targetEntities": [],
        },
        "isReshareDisabledByAuthor": False,
    }
    content = _CONTENT.get(post.type)
    if content is not None:
        body["content"] = content(post)
    return body


def _media(kind: str) -> Callable[[Post], Body]:
    def write(post: Post) -> Body:
        return {"media": {"id": f"urn:li:{kind}:{post.activity_id}", "altText": "", "title": ""}}

    return write


def _article(post: Post) -> Body:
    return {
        "article": {
            "source": f"https://example.org/{post.id}",
            "title": post.text.partition("\n")[0],
            "description": "",
        }
    }


_CONTENT: Mapping[str, Callable[[Post], Body]] = {
    "image": _media("image"),
    "video": _media("video"),
    "document": _media("document"),
    "article": _article,
}


# ---- statistics of pages --------------------------------------------------------------------


@_answering
def share_statistics(call: Call) -> Reply:
    """GET /rest/organizationalEntityShareStatistics.

    Lifetime or by time interval; of the posts in `shares` and `ugcPosts`, or without them of
    the page as a whole. Posts with no activity are omitted. Organic, the last 12 months.
    """
    query = Query.of(call, "q", "organizationalEntity", "shares", "ugcPosts", "timeIntervals",
                     "start", "count")  # fmt: skip
    query.finder("organizationalEntity")
    resource = f"organizationalEntityShareStatistics.FINDER-organizationalEntity.{query.api_version}"
    entity = query.urn("organizationalEntity", "organization", "organizationBrand")
    account = _administered(call, entity, "rw_organization_admin", resource)
    asked = [
        post
        for parameter, kind in (("shares", "share"), ("ugcPosts", "ugcPost"))
        for post in _own_posts(call, account, parameter, query.urns(parameter, kind))
    ]
    intervals = _intervals(query, call.now)
    if asked:
        elements = [
            element for post in asked for element in _post_statistics(call, entity, post, intervals)
        ]
    else:
        elements = list(_page_statistics(call, entity, account, intervals))
    call.served = len(elements)
    start, count = _paging(query)
    return Reply(_page_of(elements, start, count))


def _own_posts(
    call: Call, account: Account, parameter: str, urns: Iterable[str]
) -> Iterator[Post]:
    """The posts asked for; one that is not the page's fails the call, a deleted one is dropped."""
    for index, urn in enumerate(urns):
        post = _post_of(call, urn)
        if post is None or post.account is not account or post.published > call.now:
            raise Refused(unpermitted(parameter, index))
        if post.exists(call.now):
            yield post


Interval = tuple[float, float, bool]


def _intervals(query: Query, now: float) -> list[Interval]:
    """(start, end, shown) of the time intervals asked for; lifetime is one that is not shown."""
    record = query.record("timeIntervals")
    if record is None:
        return [(now - STATISTICS_AGE, now, False)]
    bounds = record.get("timeRange")
    granularity = record.get("timeGranularityType")
    if not isinstance(bounds, dict) or granularity not in ("DAY", "MONTH"):
        raise Refused(bad_parameter("timeIntervals"))
    start, end = (_milliseconds(bounds.get(name)) for name in ("start", "end"))
    start, end = max(start, now - STATISTICS_AGE), min(end, now)
    step = DAY if granularity == "DAY" else 30 * DAY
    intervals = []
    at = start // DAY * DAY
    while at < end:
        intervals.append((at, at + step, True))
        at += step
    return intervals


def _milliseconds(value: Value | None) -> float:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise Refused(bad_parameter("timeIntervals"))
    return int(value) / 1000


def _gain(post: Post, interval: Interval, now: float) -> tuple[int, ...]:
    start, end, _ = interval
    end = min(end, now)
    if start <= post.published:
        return post.counts(end)
    return tuple(b - a for a, b in zip(post.counts(start), post.counts(end), strict=True))


def _post_statistics(
    call: Call, entity: str, post: Post, intervals: Iterable[Interval]
) -> Iterator[Body]:
    if call.now - post.published > STATISTICS_AGE:
        return
    kind = urn_kind(post.urn) or "share"
    for interval in intervals:
        counts = _gain(post, interval, call.now)
        if any(counts):
            element = _statistics(entity, counts, interval)
            element[kind] = post.urn
            yield element


def _page_statistics(
    call: Call, entity: str, account: Account, intervals: Iterable[Interval]
) -> Iterator[Body]:
    posts = list(account.newest_first(call.now, since=call.now - STATISTICS_AGE))
    for interval in intervals:
        gains = [_gain(post, interval, call.now) for post in posts]
        sums = [sum(column) for column in zip(*gains, strict=True)] or [0] * len(_PAGE)
        yield _statistics(entity, sums, interval)


def _statistics(entity: str, counts: Sequence[int], interval: Interval) -> Body:
    totals: Body = dict(zip(_PAGE, counts, strict=True))
    interactions = sum(counts[2:])
    totals["engagement"] = interactions / counts[0] if counts[0] else 0.0
    element: Body = {"organizationalEntity": entity, "totalShareStatistics": totals}
    if interval[2]:
        element["timeRange"] = {"start": round(interval[0] * 1000), "end": round(interval[1] * 1000)}
    return element


@_answering
def network_size(call: Call) -> Reply:
    """GET /rest/networkSizes/{urn}?edgeType=COMPANY_FOLLOWED_BY_MEMBER: a page's followers."""
    query = Query.of(call, "edgeType")
    query.choice("edgeType", "", "COMPANY_FOLLOWED_BY_MEMBER")
    urn = call.path["urn"]
    account = call.sandbox.world.account("page", urn.rpartition(":")[2])
    if account is None or urn_kind(urn) != "organization":
        return error(404, f"Resource {urn} does not exist", service_code=0)
    return Reply({"firstDegreeSize": account.followers(call.now)})


@_answering
def follower_statistics(call: Call) -> Reply:
    """GET /rest/organizationalEntityFollowerStatistics: gains by day; lifetime has no total."""
    query = Query.of(call, "q", "organizationalEntity", "timeIntervals", "start", "count")
    query.finder("organizationalEntity")
    entity = query.urn("organizationalEntity", "organization")
    account = _administered(
        call, entity, "rw_organization_admin",
        f"organizationalEntityFollowerStatistics.FINDER-organizationalEntity.{query.api_version}",
    )  # fmt: skip
    start, count = _paging(query)
    if query.record("timeIntervals") is None:
        facets = ("Seniority", "Industry", "Function", "StaffCountRange", "GeoCountry", "Geo",
                  "AssociationType")  # fmt: skip
        element: Body = {"organizationalEntity": entity}
        element |= {f"followerCountsBy{facet}": [] for facet in facets}
        return Reply(_page_of([element], start, count))
    elements = [
        {
            "organizationalEntity": entity,
            "timeRange": {"start": round(begin * 1000), "end": round(end * 1000)},
            "followerGains": {
                "organicFollowerGain": account.followers(end) - account.followers(begin),
                "paidFollowerGain": 0,
            },
        }
        for begin, end, _ in _intervals(query, call.now)
        if end <= call.now
    ]
    return Reply(_page_of(elements, start, count))


# ---- social summaries (no impressions) ------------------------------------------------------


@_answering
def social_metadata(call: Call) -> Reply:
    """GET /rest/socialMetadata?ids=List(...): BATCH_GET of reactions and comments."""
    query = Query.of(call, "ids")
    resource = "socialMetadata.BATCH_GET." + query.api_version
    if call.sandbox.behaviour.development_tier:
        return denied(resource)
    urns = query.urns("ids", "share", "ugcPost")
    return Reply(_batch(call, urns, resource, lambda post: _metadata(post, call.now)))


@_answering
def social_metadata_of(call: Call) -> Reply:
    """GET /rest/socialMetadata/{urn}"""
    query = Query.of(call)
    return Reply(_metadata(_existing(call, "socialMetadata.GET." + query.api_version), call.now))


def _metadata(post: Post, now: float) -> Body:
    likes, comments = _likes_and_comments(post, now)
    summaries: Body = {}
    for kind, share in (("PRAISE", 7), ("EMPATHY", 11), ("INTEREST", 17)):
        if count := likes // share:
            summaries[kind] = {"reactionType": kind, "count": count}
            likes -= count
    if likes > 0:
        summaries["LIKE"] = {"reactionType": "LIKE", "count": likes}
    return {
        "entity": post.urn,
        "commentsState": "OPEN",
        "commentSummary": {"count": comments, "topLevelCount": comments - comments // 3},
        "reactionSummaries": summaries,
    }


def _likes_and_comments(post: Post, now: float) -> tuple[int, int]:
    counts = dict(zip(METRICS[post.account.kind], post.counts(now), strict=True))
    if post.account.kind == "page":
        return counts["likeCount"], counts["commentCount"]
    return counts["REACTION"], counts["COMMENT"]


@_answering
def social_actions(call: Call) -> Reply:
    """GET /rest/socialActions/{urn}: likes and comments; a post without any is a 404."""
    query = Query.of(call)
    post = _existing(call, "socialActions.GET." + query.api_version)
    likes, comments = _likes_and_comments(post, call.now)
    if not likes and not comments:
        return error(404, f"Resource {post.urn} does not exist", service_code=0)
    return Reply(
        {
            "likesSummary": {
                "totalLikes": likes,
                "aggregatedTotalLikes": likes,
                "likedByCurrentUser": False,
                "selectedLikes": [],
            },
            "commentsSummary": {
                "totalFirstLevelComments": comments - comments // 3,
                "aggregatedTotalComments": comments,
                "commentsState": "OPEN",
                "selectedComments": [],
            },
            "target": post.urn,
            "$URN": post.urn,
        }
    )


# ---- members --------------------------------------------------------------------------------

_TYPES_SINCE = {
    name: "202506" if index < 5 else "202604" for index, name in enumerate(METRICS["member"])
}
_TOTAL_ONLY = frozenset({
    "MEMBERS_REACHED", "LINK_CLICKS", "FOLLOWER_GAINED_FROM_CONTENT", "PROFILE_VIEW_FROM_CONTENT",
})  # fmt: skip
_METRIC_TYPE = "com.linkedin.adsexternalapi.memberanalytics.v1.CreatorPostAnalyticsMetricTypeV1"


@_answering
def member_analytics(call: Call) -> Reply:
    """GET /rest/memberCreatorPostAnalytics: one query type a call, of one post or all (q=me)."""
    query = Query.of(call, "q", "entity", "queryType", "aggregation", "dateRange", "start",
                     "count")  # fmt: skip
    finder = query.finder("entity", "me")
    resource = f"memberCreatorPostAnalytics.FINDER-{finder}.{query.api_version}"
    account = _member(call, "r_member_postAnalytics", resource)
    metric = query.choice(
        "queryType", "", *(name for name in _MEMBER if query.api_version >= _TYPES_SINCE[name])
    )
    aggregation = query.choice("aggregation", "TOTAL", "TOTAL", "DAILY")
    if aggregation == "DAILY" and (
        metric in _TOTAL_ONLY or (metric == "IMPRESSION" and finder == "entity")
    ):
        raise Refused(bad_parameter("aggregation"))
    posts, target = _analysed(call, query, account, finder, resource)
    name: Any = metric if query.api_version >= "202605" else {_METRIC_TYPE: metric}
    elements: list[Body] = []
    for start, end, shown in _days(query, aggregation, call.now):
        element: Body = {
            "count": sum(_gain(post, (start, end, True), call.now)[_MEMBER[metric]]
                         for post in posts),
            "metricType": name,
        }  # fmt: skip
        if target:
            element["targetEntity"] = target
        if shown:
            element["dateRange"] = _date_range(start, end)
        elements.append(element)
    call.served = len(elements)
    first, count = _paging(query)
    return Reply(_page_of(elements, first, count, len(elements)))


def _analysed(
    call: Call, query: Query, account: Account, finder: str, resource: str
) -> tuple[list[Post], Body]:
    """The posts a member asked about, and how the answer names them."""
    if finder == "me":
        return list(account.newest_first(call.now)), {}
    entity = query.record("entity") or {}
    # The record's key for a ugcPost is `ugc`; `ugcPost` is refused.
    kinds = {"share": "share", "ugc": "ugcPost"}
    if len(entity) != 1 or not (key := next(iter(entity))) in kinds:
        raise Refused(bad_parameter("entity"))
    urn = entity[key]
    if not isinstance(urn, str) or urn_kind(urn) != kinds[key]:
        raise Refused(bad_parameter("entity"))
    post = _post_of(call, urn)
    if post is None or post.account is not account or post.published > call.now:
        raise Refused(denied(resource))
    if not post.exists(call.now):
        raise Refused(error(404, f"Entity {urn} not found"))
    return [post], {key: urn}


def _days(query: Query, aggregation: str, now: float) -> list[Interval]:
    """(start, end, shown) asked for; the end date is exclusive; no dateRange is lifetime."""
    record = query.record("dateRange")
    if record is None:
        if aggregation == "DAILY":
            raise Refused(bad_parameter("dateRange"))
        return [(0.0, now, False)]
    start, end = (_midnight(record.get(name)) for name in ("start", "end"))
    if aggregation == "TOTAL":
        return [(start, end, False)]
    days = int((min(end, now) - start) // DAY) + 1
    every = ((start + day * DAY, start + (day + 1) * DAY, True) for day in range(days))
    return [interval for interval in every if interval[0] < min(end, now)]


def _midnight(value: Value | None) -> float:
    try:
        parts = value if isinstance(value, dict) else {}
        year, month, day = (int(str(parts[name])) for name in ("year", "month", "day"))
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except (KeyError, ValueError):
        raise Refused(bad_parameter("dateRange")) from None


def _date_range(start: float, end: float) -> Body:
    return {"start": _date(start), "end": _date(end)}


def _date(t: float) -> Body:
    day = datetime.fromtimestamp(t, UTC)
    return {"year": day.year, "month": day.month, "day": day.day}


@_answering
def member_followers(call: Call) -> Reply:
    """GET /rest/memberFollowersCount: today's number (q=me), or one per day (q=dateRange)."""
    query = Query.of(call, "q", "dateRange")
    finder = query.finder("me", "dateRange")
    account = _member(
        call, "r_member_profileAnalytics",
        f"memberFollowersCount.FINDER-{finder}.{query.api_version}",
    )  # fmt: skip
    if finder == "me":
        elements: list[Body] = [{"memberFollowersCount": account.followers(call.now)}]
    else:
        elements = [
            {
                "dateRange": _date_range(start, end),
                "memberFollowersCount": account.followers(min(end, call.now)),
            }
            for start, end, _ in _days(query, "DAILY", call.now)
        ]
    return Reply({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements})


# ---- who is asking --------------------------------------------------------------------------


@_answering
def organization_acls(call: Call) -> Reply:
    """GET /rest/organizationAcls?q=roleAssignee: the pages the caller administers."""
    query = Query.of(call, "q", "role", "state", "start", "count")
    query.finder("roleAssignee")
    role = query.choice("role", "ADMINISTRATOR", "ADMINISTRATOR", "ANALYST", "CONTENT_ADMINISTRATOR")
    state = query.choice("state", "APPROVED", "APPROVED", "REQUESTED", "REJECTED", "REVOKED")
    start, count = _paging(query)
    world, user = call.sandbox.world, call.grant.user if call.grant else ""
    pages = [
        account for account in world.accounts if account.kind == "page" and user in account.spec.users
    ]
    if (role, state) != ("ADMINISTRATOR", "APPROVED"):
        pages = []
    elements = [
        {
            "roleAssignee": f"urn:li:person:{world.person_id(user)}",
            "role": role,
            "state": state,
            "organization": account.urn,
        }
        for account in pages[start : start + count]
    ]
    return Reply(_page_of(elements, start, count, len(pages)))


@_answering
def organization(call: Call) -> Reply:
    """GET /rest/organizations/{id}: a page's names."""
    Query.of(call)
    account = call.sandbox.world.account("page", call.path["organization_id"])
    if account is None:
        return error(404, "Could not find entity", service_code=0)
    return Reply(
        {
            "id": int(account.id),
            "$URN": account.urn,
            "vanityName": account.spec.handle,
            "localizedName": account.name,
            "primaryOrganizationType": "NONE",
        }
    )


def _own_name(call: Call) -> tuple[str, str, Account | None]:
    """(person id, name, member account) of the caller."""
    world, user = call.sandbox.world, call.grant.user if call.grant else ""
    account = world.account("member", world.person_id(user))
    return world.person_id(user), account.name if account else user.title(), account


@_answering
def own_profile(call: Call) -> Reply:
    """GET /rest/me and /v2/me."""
    person, name, account = _own_name(call)
    first, _, last = name.partition(" ")
    return Reply(
        {
            "id": person,
            "localizedFirstName": first,
            "localizedLastName": last,
            "vanityName": account.spec.handle if account else name.lower(),
        }
    )


def userinfo(call: Call) -> Reply:
    """GET /v2/userinfo (OpenID Connect)."""
    person, name, _ = _own_name(call)
    return Reply({"sub": person, "name": name, "locale": {"country": "US", "language": "en"}})


def _get(rule: str, name: str, handle: Callable[[Call], Reply]) -> Endpoint:
    return Endpoint("linkedin", rule, f"GET {name}", handle, "user", methods=("GET", "POST"))


ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/rest/posts", "/rest/posts", posts),
    _get("/rest/posts/<urn>", "/rest/posts/{urn}", post_by_urn),
    _get("/rest/organizationalEntityShareStatistics",
         "/rest/organizationalEntityShareStatistics", share_statistics),
    _get("/rest/organizationalEntityFollowerStatistics",
         "/rest/organizationalEntityFollowerStatistics", follower_statistics),
    _get("/rest/networkSizes/<urn>", "/rest/networkSizes/{urn}", network_size),
    _get("/rest/socialMetadata", "/rest/socialMetadata", social_metadata),
    _get("/rest/socialMetadata/<urn>", "/rest/socialMetadata/{urn}", social_metadata_of),
    _get("/rest/socialActions/<urn>", "/rest/socialActions/{urn}", social_actions),
    _get("/rest/memberCreatorPostAnalytics", "/rest/memberCreatorPostAnalytics",
         member_analytics),
    _get("/rest/memberFollowersCount", "/rest/memberFollowersCount", member_followers),
    _get("/rest/organizationAcls", "/rest/organizationAcls", organization_acls),
    _get("/rest/organizations/<organization_id>", "/rest/organizations/{id}", organization),
    _get("/rest/me", "/rest/me", own_profile),
    _get("/v2/me", "/v2/me", own_profile),
    _get("/v2/userinfo", "/v2/userinfo", userinfo),
)  # fmt: skip
