"""The endpoints of X, and their limits."""

import base64
import binascii
import math
from collections.abc import Callable, Iterable

from ingest.sandbox.engine import Body, Call, Endpoint, Reply
from ingest.sandbox.twitter.errors import not_found_error, refused
from ingest.sandbox.twitter.render import (
    COUNTER,
    PRIVATE_FIELDS,
    Page,
    iso,
    may_read_private,
    user_body,
)
from ingest.sandbox.twitter.request import POST_ID, Query, split
from ingest.sandbox.world import DAY, HOUR, Account, Post

TIMELINE_REACH = 3_200
TIMELINE_REACH_WITHOUT_REPLIES = 800


def lookup(call: Call) -> Reply:
    """GET /2/tweets?ids="""
    query = Query.of(call, "ids")
    page = Page(call, query)
    for value in query.ids():
        _add_by_id(page, value, "ids")
    return Reply(page.body())


def lookup_one(call: Call) -> Reply:
    """GET /2/tweets/:id"""
    page = Page(call, Query.of(call))
    value = call.path["post_id"]
    if POST_ID.fullmatch(value) is None:
        message = f"The `id` query parameter value [{value}] is not valid"
        raise refused("id", value, message)
    _add_by_id(page, value, "id")
    body = page.body()
    if "data" in body:
        body["data"] = body["data"][0]
    return Reply(body)


def _add_by_id(page: Page, value: str, parameter: str) -> None:
    now = page.call.now
    found = page.call.sandbox.world.find(int(value))
    if found is None or not _readable(found[0], found[1], now):
        page.errors.append(not_found_error("tweet", parameter, value))
    else:
        page.add(*found)


def _readable(post: Post, version: int, now: float) -> bool:
    is_x = post.account.platform == "twitter"
    return is_x and post.exists(now) and post.versions[version].since <= now


def timeline(call: Call) -> Reply:
    """GET /2/users/:id/tweets, newest first.

    A page holds `max_results` posts of the timeline less those that `exclude` or a private
    field leaves out, so it may be short, even empty, and still have a next_token.
    """
    query = Query.of(
        call,
        "max_results",
        "pagination_token",
        "start_time",
        "end_time",
        "since_id",
        "until_id",
        "exclude",
    )
    size = query.number("max_results", 10, 5, 100)
    exclude = split(query.values.get("exclude"))
    if unknown := exclude - {"replies", "retweets"}:
        value = min(unknown)
        message = f"The `exclude` query parameter value [{value}] is not one of [replies,retweets]"
        raise refused("exclude", value, message)
    account = call.sandbox.world.account("profile", call.path["user_id"])
    if account is None:
        return Reply({"errors": [not_found_error("user", "id", call.path["user_id"])]})
    page = Page(call, query)
    next_token = _fill(page, account, size, exclude)
    meta: Body = {"result_count": len(page.data)}
    if page.data:
        meta |= {"newest_id": page.data[0]["id"], "oldest_id": page.data[-1]["id"]}
    if next_token is not None:
        meta["next_token"] = next_token
    return Reply({**page.body(), "meta": meta})


def _fill(page: Page, account: Account, size: int, exclude: frozenset[str]) -> str | None:
    """Put one page of the timeline into `page`; the token of the next page, None at the end."""
    call, query = page.call, page.query
    before, seen = _cursor(query.values.get("pagination_token"))
    until_id, since_id = query.post_id("until_id"), query.post_id("since_id")
    start, end = query.time("start_time"), query.time("end_time")
    reach = TIMELINE_REACH_WITHOUT_REPLIES if "replies" in exclude else TIMELINE_REACH
    wants_private = not query.fields.isdisjoint(PRIVATE_FIELDS)
    taken = 0
    last = before
    posts = account.newest_first(
        call.now, min(before, math.inf if end is None else end), start or -math.inf
    )
    for post in posts:
        version = post.version(call.now)
        shown = post.versions[version]
        if until_id is not None and shown.id >= until_id:
            continue
        if since_id is not None and shown.id <= since_id:
            return None
        if seen >= reach:
            return None
        if taken == size:
            return _token(last, seen)
        taken, seen, last = taken + 1, seen + 1, post.published
        if _left_out(post, exclude):
            continue
        if wants_private and not may_read_private(call, post):
            continue
        page.add(post, version)
    return None


def _left_out(post: Post, exclude: frozenset[str]) -> bool:
    return (post.type == "reply" and "replies" in exclude) or (
        post.type == "retweet" and "retweets" in exclude
    )


def _token(before: float, seen: int) -> str:
    raw = f"{round(before * 1000)}.{seen}".encode()
    return base64.b32hexencode(raw).decode().rstrip("=").lower()


def _cursor(token: str | None) -> tuple[float, int]:
    """(published before, posts seen) of a pagination token."""
    if token is None:
        return math.inf, 0
    try:
        raw = base64.b32hexdecode(token.upper() + "=" * (-len(token) % 8)).decode("ascii")
        before, _, seen = raw.partition(".")
        return int(before) / 1000, int(seen)
    except (binascii.Error, ValueError):
        message = f"The `pagination_token` query parameter value [{token}] is not valid"
        raise refused("pagination_token", token, message) from None


def me(call: Call) -> Reply:
    """GET /2/users/me"""
    query = Query.of(call)
    assert call.grant is not None and call.grant.account is not None  # noqa: PT018
    return Reply({"data": user_body(call.grant.account, call.now, query)})


def user(call: Call) -> Reply:
    """GET /2/users/:id"""
    query = Query.of(call)
    account = call.sandbox.world.account("profile", call.path["user_id"])
    if account is None:
        return Reply({"errors": [not_found_error("user", "id", call.path["user_id"])]})
    return Reply({"data": user_body(account, call.now, query)})


def users(call: Call) -> Reply:
    """GET /2/users?ids="""
    query = Query.of(call, "ids")
    found, errors = [], []
    for value in query.ids():
        account = call.sandbox.world.account("profile", value)
        if account is None:
            errors.append(not_found_error("user", "ids", value))
        else:
            found.append(user_body(account, call.now, query))
    call.served = len(found)
    body: Body = {"data": found} if found else {}
    if errors:
        body["errors"] = errors
    return Reply(body)


#: Names of /2/tweets/analytics for the world's counters.
_ANALYTICS = {
    "impressions": "impression_count",
    "likes": "like_count",
    "replies": "reply_count",
    "retweets": "retweet_count",
    "quote_tweets": "quote_count",
    "bookmarks": "bookmark_count",
    "url_clicks": "url_link_clicks",
    "user_profile_clicks": "user_profile_clicks",
    "detail_expands": "detail_expands",
}
_STEPS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY}


def analytics(call: Call) -> Reply:
    """GET /2/tweets/analytics: a time series per post of the token's owner (unconfirmed)."""
    query = Query.of(call, "ids", "start_time", "end_time", "granularity", "analytics.fields")
    start, end = query.time("start_time"), query.time("end_time")
    if start is None or end is None:
        name = "start_time" if start is None else "end_time"
        raise refused(name, "", f"The `{name}` query parameter can not be empty")
    granularity = query.values.get("granularity", "total")
    if granularity != "total" and granularity not in _STEPS:
        message = f"The `granularity` query parameter value [{granularity}] is not valid"
        raise refused("granularity", granularity, message)
    step = _STEPS.get(granularity, end - start)
    data, errors = [], []
    for value in query.ids():
        found = call.sandbox.world.find(int(value))
        if found is None or not _readable(*found, call.now):
            errors.append(not_found_error("tweet", "ids", value))
        elif call.grant is not None and found[0].account is call.grant.account:
            points = list(_series(found[0], start, min(end, call.now), step))
            data.append({"id": value, "timestamped_metrics": points})
    body: Body = {"data": data} if data else {}
    return Reply(body | ({"errors": errors} if errors else {}))


def _series(post: Post, start: float, end: float, step: float) -> Iterable[Body]:
    start += max(0.0, (post.published - start) // step) * step
    while start < end:
        until = min(start + step, end)
        gains = [b - a for a, b in zip(post.counts(start), post.counts(until), strict=True)]
        metrics: Body = {name: gains[COUNTER[source]] for name, source in _ANALYTICS.items()}
        metrics["engagements"] = sum(gains[1:])
        yield {"timestamp": iso(start), "metrics": metrics}
        start += step


def usage(call: Call) -> Reply:
    """GET /2/usage/tweets: the app's monthly cap."""
    used = sum(
        entry["served"]
        for name, entry in call.sandbox.log.summary()["endpoints"].items()
        if name.startswith("GET /2/")
    )
    data = {
        "cap_reset_day": 1,
        "project_cap": "3000000",
        "project_id": "1",
        "project_usage": str(used),
    }
    return Reply({"data": data})


def _get(
    rule: str, name: str, handle: Callable[[Call], Reply], needs: str, limits: tuple[int, int]
) -> Endpoint:
    return Endpoint("twitter", rule, f"GET {name}", handle, needs, limits)


#: Limits per 15 minutes as platform-apis.md section 1.5 gives them, (app, user).
ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/2/tweets", "/2/tweets", lookup, "any", (3500, 5000)),
    _get("/2/tweets/analytics", "/2/tweets/analytics", analytics, "user", (300, 300)),
    _get("/2/tweets/<post_id>", "/2/tweets/:id", lookup_one, "any", (450, 900)),
    _get("/2/users/<user_id>/tweets", "/2/users/:id/tweets", timeline, "any", (10_000, 900)),
    _get("/2/users/me", "/2/users/me", me, "user", (0, 75)),
    _get("/2/users/<user_id>", "/2/users/:id", user, "any", (300, 900)),
    _get("/2/users", "/2/users", users, "any", (300, 900)),
    _get("/2/usage/tweets", "/2/usage/tweets", usage, "any", (50, 50)),
)
