"""The X API v2 of the stand-in (platform-apis.md section 1).

Unconfirmed, because no public recording shows it: the reply's key names in the post.* dialect
(from the OpenAPI spec), what mixing dialects loses, `/2/tweets/analytics`, the exact body of a
429 window and of refused parameters, and that each version of an edited post has its own
counters. Text, users and counters are the world's.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from ingest.sandbox.engine import Body, Call, Endpoint, Reply
from ingest.sandbox.texts import as_x
from ingest.sandbox.world import DAY, HOUR, METRICS, Account, Post

PROBLEMS = "https://api.twitter.com/2/problems/"
PRIVATE_AGE = 30 * DAY
TIMELINE_REACH = 3_200
TIMELINE_REACH_WITHOUT_REPLIES = 800
LONG_TEXT = 280

_NAMES = METRICS["profile"]
_COUNTER = {name: index for index, name in enumerate(_NAMES)}
_PUBLIC = ("reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")
_PRIVATE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "non_public_metrics": (
        "impression_count", "url_link_clicks", "user_profile_clicks", "engagements",
    ),
    "organic_metrics": (
        "impression_count", "like_count", "reply_count", "retweet_count", "url_link_clicks",
        "user_profile_clicks",
    ),
}  # fmt: skip
_ID = re.compile(r"[0-9]{1,19}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@dataclass(frozen=True)
class Dialect:
    """Key names of one of the two field dialects (platform-apis.md section 1.1)."""

    fields: str
    shares: str
    history: str
    references: str
    note: str
    post_count: str


TWEET = Dialect(
    "tweet.fields", "retweet_count", "edit_history_tweet_ids", "referenced_tweets", "note_tweet",
    "tweet_count",
)  # fmt: skip
POST = Dialect(
    "post.fields", "repost_count", "edit_history_post_ids", "referenced_posts", "note_post",
    "post_count",
)  # fmt: skip


# ---- errors ---------------------------------------------------------------------------------


def unauthorized() -> Reply:
    body = {"title": "Unauthorized", "type": "about:blank", "status": 401,
            "detail": "Unauthorized"}  # fmt: skip
    return Reply(body, 401, {"Content-Type": "application/problem+json"})


def app_only_forbidden() -> Reply:
    body = {
        "title": "Unsupported Authentication",
        "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint."
        "  Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "type": PROBLEMS + "unsupported-authentication",
        "status": 403,
    }
    return Reply(body, 403, {"Content-Type": "application/problem+json"})


def invalid(parameter: str, value: str, message: str) -> Reply:
    body = {
        "errors": [{"parameters": {parameter: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return Reply(body, 400)


def too_many_requests() -> Reply:
    """A used-up window (unconfirmed body)."""
    body = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank",
            "status": 429}  # fmt: skip
    return Reply(body, 429)


def not_found_error(resource: str, parameter: str, value: str) -> Body:
    """A partial error: something in the request does not exist."""
    noun = {"tweet": "tweet with ids", "user": "user with ids"}[resource]
    return {
        "value": value,
        "detail": f"Could not find {noun}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }


def field_error(name: str, value: str) -> Body:
    """A partial error: a field that this token may not read on this post."""
    return {
        "resource_type": "tweet",
        "field": name,
        "parameter": "ids",
        "resource_id": value,
        "value": value,
        "title": "Field Authorization Error",
        "section": "data",
        "detail": f"Sorry, you are not authorized to access '{name}' on the Tweet with ids :"
        f" [{value}].",
        "type": PROBLEMS + "not-authorized-for-field",
    }


class BadRequest(Exception):
    """A request that X refuses as a whole; carries the refusal."""

    def __init__(self, parameter: str, value: str, message: str) -> None:
        super().__init__(message)
        self.reply = invalid(parameter, value, message)


# ---- the gate -------------------------------------------------------------------------------


class Gate:
    """Bearer tokens and rate-limit windows of X."""

    def count(self, call: Call) -> None:
        app_limit, user_limit = call.endpoint.limits
        limit = app_limit if call.grant is None or call.grant.is_app else user_limit
        if limit:
            call.window = call.sandbox.windows.take(
                call.endpoint.name, call.subject, limit, call.now
            )

    def admit(self, call: Call) -> Reply | None:
        if call.endpoint.needs == "none":
            return None
        grant = call.grant
        if grant is None or grant.revoked or grant.platform != "twitter":
            return unauthorized()
        if call.now >= grant.expires_at:
            return unauthorized()
        if grant.is_app and call.endpoint.needs == "user":
            return app_only_forbidden()
        if call.window and call.window.exceeded and call.sandbox.behaviour.enforce_limits:
            return too_many_requests()
        return None

    def finish(self, call: Call, reply: Reply) -> None:
        """X tells its window on every answer, and never a Retry-After."""
        headers = reply.headers
        headers.setdefault("api-version", "2.168")
        if call.window is not None:
            headers.setdefault("x-rate-limit-limit", str(call.window.limit))
            headers.setdefault("x-rate-limit-remaining", str(call.window.remaining))
            headers.setdefault("x-rate-limit-reset", str(call.window.reset))
            headers.setdefault("x-access-level", "read")


# ---- reading a request ----------------------------------------------------------------------

_FIELDS = frozenset({
    "tweet.fields", "post.fields", "user.fields", "media.fields", "expansions", "poll.fields",
    "place.fields",
})  # fmt: skip


@dataclass(frozen=True)
class Query:
    """The parameters of a request, each known by its name and given at most once."""

    values: Mapping[str, str]
    dialect: Dialect
    fields: frozenset[str]
    user_fields: frozenset[str]
    expansions: frozenset[str]

    @classmethod
    def of(cls, call: Call, *known: str) -> "Query":
        """Raises BadRequest for a parameter that the endpoint does not have."""
        values = call.request.args.to_dict()
        for name in values:
            if name not in known and name not in _FIELDS:
                names = ",".join(sorted({*known, *_FIELDS}))
                raise BadRequest(
                    name, values[name], f"The query parameter [{name}] is not one of [{names}]"
                )
        dialect = POST if "post.fields" in values else TWEET
        return cls(
            values,
            dialect,
            _split(values.get(dialect.fields)),
            _split(values.get("user.fields")),
            _split(values.get("expansions")),
        )

    def number(self, name: str, default: int, low: int, high: int) -> int:
        raw = self.values.get(name)
        if raw is None:
            return default
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise BadRequest(
                name, raw, f"The `{name}` query parameter value [{raw}] is not between {low} and"
                f" {high}",
            )  # fmt: skip
        return int(raw)

    def ids(self) -> list[str]:
        raw = self.values.get("ids", "")
        if not raw:
            raise BadRequest("ids", raw, "The `ids` query parameter can not be empty")
        ids = list(dict.fromkeys(raw.split(",")))
        if len(ids) > 100:
            raise BadRequest(
                "ids", raw, "The number of values in the `ids` query parameter list"
                f" [{len(ids)}] is not between 1 and 100",
            )  # fmt: skip
        for value in ids:
            self._check_id("ids", value)
        return ids

    def post_id(self, name: str) -> int | None:
        raw = self.values.get(name)
        if raw is None:
            return None
        self._check_id(name, raw)
        return int(raw)

    def _check_id(self, name: str, value: str) -> None:
        if _ID.fullmatch(value) is None:
            raise BadRequest(
                name, value, f"The `{name}` query parameter value [{value}] is not valid"
            )

    def time(self, name: str) -> float | None:
        raw = self.values.get(name)
        if raw is None:
            return None
        if _TIME.fullmatch(raw) is None:
            raise BadRequest(
                name, raw, f"The `{name}` query parameter value [{raw}] is not valid"
            )
        return datetime.fromisoformat(raw).timestamp()


def _split(value: str | None) -> frozenset[str]:
    return frozenset(value.split(",")) if value else frozenset()


def _checked(handle: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """Turn a BadRequest into its reply."""

    def checked(call: Call) -> Reply:
        try:
            return handle(call)
        except BadRequest as refusal:
            return refusal.reply

    return checked


# ---- writing posts and users ----------------------------------------------------------------


@lru_cache(maxsize=1 << 16)
def iso(t: float) -> str:
    """`2021-02-23T18:07:07.000Z`."""
    return datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{round(t % 1 * 1000):03}Z"


@lru_cache(maxsize=1 << 16)
def _text(text: str) -> tuple[str, str | None]:
    """Text as X sends it, and the whole of it where it is longer than a post may show."""
    whole = as_x(text)
    return (whole, None) if len(text) <= LONG_TEXT else (as_x(text[: LONG_TEXT - 1]) + "…", whole)


@dataclass
class Page:
    """What goes into one reply: posts, errors, and what the expansions name."""

    call: Call
    query: Query
    data: list[Body] = field(default_factory=list)
    errors: list[Body] = field(default_factory=list)
    authors: dict[str, Account] = field(default_factory=dict)
    media: list[Body] = field(default_factory=list)

    def add(self, post: Post, version: int) -> None:
        query, dialect, fields = self.query, self.query.dialect, self.query.fields
        shown = post.versions[version]
        post_id = str(shown.id)
        text, note = _text(post.text)
        body: Body = {"id": post_id, "text": text}
        self.data.append(body)
        body[dialect.history] = [str(v.id) for v in post.versions if v.since <= self.call.now]
        account = post.account
        for name in fields:
            write = _POST_FIELDS.get(name)
            if write is not None:
                write(body, post, shown.since, dialect)
        if dialect.note in fields and note is not None:
            body[dialect.note] = {"text": note}
        if "public_metrics" in fields or not fields.isdisjoint(_PRIVATE_FIELDS):
            self._add_metrics(body, post, version, post_id)
        if "author_id" in query.expansions:
            body["author_id"] = account.id
            self.authors[account.id] = account
        if "attachments.media_keys" in query.expansions and post.has_media:
            _attachments(body, post, shown.since, dialect)
            self.media.append({"media_key": f"3_{post.activity_id}", "type": "photo"})
        if f"{dialect.references}.id" in query.expansions and post.referenced is not None:
            # Other people's posts are not in this world: as with a post that is gone.
            self.errors.append(
                not_found_error("tweet", f"{dialect.references}.id", str(post.referenced[1]))
            )

    def _add_metrics(self, body: Body, post: Post, version: int, post_id: str) -> None:
        counts = post.version_counts(version, self.call.now)
        fields = self.query.fields
        if "public_metrics" in fields:
            public = {self.query.dialect.shares: counts[_COUNTER["retweet_count"]]}
            public.update({name: counts[_COUNTER[name]] for name in _PUBLIC})
            body["public_metrics"] = public
        for name, parts in _PRIVATE_FIELDS.items():
            if name not in fields:
                continue
            if not may_read_private(self.call, post):
                self.errors.extend(field_error(f"{name}.{part}", post_id) for part in parts)
                continue
            metrics = {part: counts[_COUNTER[part]] for part in parts if part != "engagements"}
            if "retweet_count" in metrics:
                metrics[self.query.dialect.shares] = metrics.pop("retweet_count")
            if "engagements" in parts:
                metrics["engagements"] = sum(counts) - counts[0]
            body[name] = metrics

    def body(self) -> Body:
        """`data` is absent when empty, `includes` and `errors` when there are none."""
        body: Body = {"data": self.data} if self.data else {}
        includes: Body = {}
        if self.authors:
            includes["users"] = [
                user_body(account, self.call.now, self.query) for account in self.authors.values()
            ]
        if self.media:
            includes["media"] = self.media
        if includes:
            body["includes"] = includes
        if self.errors:
            body["errors"] = self.errors
        self.call.served = len(self.data)
        return body


def may_read_private(call: Call, post: Post) -> bool:
    """Only the owner's token, and only posts of the last 30 days."""
    owner = call.grant is not None and call.grant.account is post.account
    return owner and call.now - post.published <= PRIVATE_AGE


def _created_at(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    body["created_at"] = iso(since)


def _author_id(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    body["author_id"] = post.account.id


def _attachments(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    if post.has_media:
        body["attachments"] = {"media_keys": [f"3_{post.activity_id}"]}


def _references(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    if post.referenced is not None:
        body[dialect.references] = [{"type": post.referenced[0], "id": str(post.referenced[1])}]


def _in_reply_to(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    if post.type == "reply" and post.referenced is not None:
        body["in_reply_to_user_id"] = str(post.referenced[2])


def _conversation(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    body["conversation_id"] = str(post.id)


def _lang(body: Body, post: Post, since: float, dialect: Dialect) -> None:
    body["lang"] = "en"


_POST_FIELDS: Mapping[str, Callable[[Body, Post, float, Dialect], None]] = {
    "created_at": _created_at,
    "author_id": _author_id,
    "attachments": _attachments,
    "referenced_tweets": _references,
    "referenced_posts": _references,
    "in_reply_to_user_id": _in_reply_to,
    "conversation_id": _conversation,
    "lang": _lang,
}


def user_body(account: Account, now: float, query: Query) -> Body:
    """A user; `public_metrics` is today's number, there is no history."""
    body: Body = {"id": account.id, "name": account.name, "username": account.spec.handle}
    if "created_at" in query.user_fields:
        body["created_at"] = iso(account.world.start - 900 * DAY)
    if "public_metrics" in query.user_fields:
        body["public_metrics"] = {
            "followers_count": account.followers(now),
            "following_count": 300 + account.number,
            query.dialect.post_count: sum(1 for _ in account.newest_first(now)),
            "listed_count": account.followers(now) // 90,
        }
    return body


# ---- endpoints ------------------------------------------------------------------------------


@_checked
def lookup(call: Call) -> Reply:
    """GET /2/tweets?ids="""
    query = Query.of(call, "ids")
    page = Page(call, query)
    for value in query.ids():
        _add_by_id(page, value, "ids")
    return Reply(page.body())


@_checked
def lookup_one(call: Call) -> Reply:
    """GET /2/tweets/:id"""
    page = Page(call, Query.of(call))
    value = call.path["post_id"]
    if _ID.fullmatch(value) is None:
        message = f"The `id` query parameter value [{value}] is not valid"
        raise BadRequest("id", value, message)
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


@_checked
def timeline(call: Call) -> Reply:
    """GET /2/users/:id/tweets, newest first.

    A page holds `max_results` posts of the timeline less those that `exclude` or a private
    field leaves out, so it may be short, even empty, and still have a next_token.
    """
    query = Query.of(
        call, "max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id",
        "exclude",
    )  # fmt: skip
    size = query.number("max_results", 10, 5, 100)
    exclude = _split(query.values.get("exclude"))
    if unknown := exclude - {"replies", "retweets"}:
        value = min(unknown)
        message = f"The `exclude` query parameter value [{value}] is not one of [replies,retweets]"
        raise BadRequest("exclude", value, message)
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
    wants_private = not query.fields.isdisjoint(_PRIVATE_FIELDS)
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
        raise BadRequest("pagination_token", token, message) from None


@_checked
def me(call: Call) -> Reply:
    """GET /2/users/me"""
    query = Query.of(call)
    assert call.grant is not None and call.grant.account is not None  # noqa: PT018
    return Reply({"data": user_body(call.grant.account, call.now, query)})


@_checked
def user(call: Call) -> Reply:
    """GET /2/users/:id"""
    query = Query.of(call)
    account = call.sandbox.world.account("profile", call.path["user_id"])
    if account is None:
        return Reply({"errors": [not_found_error("user", "id", call.path["user_id"])]})
    return Reply({"data": user_body(account, call.now, query)})


@_checked
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
    "impressions": "impression_count", "likes": "like_count", "replies": "reply_count",
    "retweets": "retweet_count", "quote_tweets": "quote_count", "bookmarks": "bookmark_count",
    "url_clicks": "url_link_clicks", "user_profile_clicks": "user_profile_clicks",
    "detail_expands": "detail_expands",
}  # fmt: skip
_STEPS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY}


@_checked
def analytics(call: Call) -> Reply:
    """GET /2/tweets/analytics: a time series per post of the token's owner (unconfirmed)."""
    query = Query.of(
        call, "ids", "start_time", "end_time", "granularity", "analytics.fields"
    )
    start, end = query.time("start_time"), query.time("end_time")
    if start is None or end is None:
        name = "start_time" if start is None else "end_time"
        raise BadRequest(name, "", f"The `{name}` query parameter can not be empty")
    granularity = query.values.get("granularity", "total")
    if granularity != "total" and granularity not in _STEPS:
        message = f"The `granularity` query parameter value [{granularity}] is not valid"
        raise BadRequest("granularity", granularity, message)
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
    while start < end:
        until = min(start + step, end)
        gains = [b - a for a, b in zip(post.counts(start), post.counts(until), strict=True)]
        metrics: Body = {name: gains[_COUNTER[source]] for name, source in _ANALYTICS.items()}
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
    data = {"cap_reset_day": 1, "project_cap": "3000000", "project_id": "1",
            "project_usage": str(used)}  # fmt: skip
    return Reply({"data": data})


def _get(rule: str, name: str, handle: Callable[[Call], Reply], needs: str,
         limits: tuple[int, int]) -> Endpoint:  # fmt: skip
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
