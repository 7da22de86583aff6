"""What can go wrong at the stand-in: a table of small functions (platform-apis.md 1.4, 2.4).

Each takes the call and `proceed`, which gives the undisturbed reply, and returns what is sent
instead. Bodies marked unconfirmed rest on documentation and third-party reports.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from ingest.sandbox import oauth
from ingest.sandbox.engine import Body, Call, Fault, Reply
from ingest.sandbox.linkedin import errors as linkedin
from ingest.sandbox.twitter import errors as twitter

Proceed = Callable[[], Reply]

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_EDGE_PAGE = b"<html><head><title>503</title></head><body><h1>Over capacity</h1></body></html>"


def _is_x(call: Call) -> bool:
    return call.endpoint.platform == "twitter"


def _items(reply: Reply) -> list[Any]:
    """The list a reply carries: X's `data`, LinkedIn's `elements`; empty where there is none."""
    if isinstance(reply.body, bytes) or reply.status != 200:
        return []
    for name in ("data", "elements"):
        items = reply.body.get(name)
        if isinstance(items, list):
            return items
    return []


# ---- refusals -------------------------------------------------------------------------------


def server_error(call: Call, _proceed: Proceed, /, status: int = 503, html: bool = False) -> Reply:
    """A 5xx with a problem body (X, from memory), an error body (LinkedIn), or the CDN's page."""
    if html:
        return Reply(_EDGE_PAGE, status, dict(_HTML))
    title = {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}.get(
        status, "Service Unavailable"
    )
    if _is_x(call):
        body = {"title": title, "detail": title, "type": "about:blank", "status": status}
        return Reply(body, status)
    return linkedin.error(status, title, service_code=0)


def rate_limited(
    call: Call,
    _proceed: Proceed,
    /,
    reset_in: float = 900,
    remaining: int = 0,
    body: str = "problem",
) -> Reply:
    """A used-up window on X (`body`: problem | code88), a daily throttle on LinkedIn.

    `remaining` above 0 is X's per-second limit, which is not the window (unconfirmed bodies).
    """
    if not _is_x(call):
        return linkedin.throttled()
    reply = twitter.too_many_requests()
    if body == "code88":
        reply.body = {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}
    reply.headers["x-rate-limit-remaining"] = str(remaining)
    reply.headers["x-rate-limit-reset"] = str(int(call.now + reset_in))
    return reply


def usage_cap(_call: Call, _proceed: Proceed, /) -> Reply:
    """X's monthly cap: a 429 whose headers still show plenty."""
    body = {
        "account_id": 1,
        "product_name": "standard-basic",
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": twitter.PROBLEMS + "usage-capped",
    }
    return Reply(body, 429)


def credits_depleted(_call: Call, _proceed: Proceed, /) -> Reply:
    """X's 402 (unconfirmed: third-party reports)."""
    body = {
        "type": twitter.PROBLEMS + "credits",
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [1] does not have any credits to fulfill this request.",
    }
    return Reply(body, 402)


def forbidden(call: Call, _proceed: Proceed, /) -> Reply:
    """X: the app is not enrolled. LinkedIn: a permission is missing."""
    if not _is_x(call):
        return linkedin.denied(call.endpoint.name)
    body = {
        "client_id": "1",
        "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use keys"
        " and tokens from a Twitter developer App that is attached to a Project.",
        "registration_url": "https://developer.twitter.com/en/docs/projects/overview",
        "title": "Client Forbidden",
        "required_enrollment": "Appropriate Level of API Access",
        "reason": "client-not-enrolled",
        "type": twitter.PROBLEMS + "client-forbidden",
    }
    return Reply(body, 403)


def unpermitted_urn(
    _call: Call, _proceed: Proceed, /, parameter: str = "shares", index: int = 0
) -> Reply:
    """LinkedIn: one URN of the List is refused, and the whole call with it."""
    return linkedin.unpermitted(parameter, index)


def not_found(call: Call, _proceed: Proceed, /) -> Reply:
    """A 404 for the whole request."""
    if _is_x(call):
        title = "Not Found"
        return Reply({"title": title, "detail": title, "type": "about:blank", "status": 404}, 404)
    return linkedin.error(404, "Resource does not exist", service_code=0)


def sunset_version(call: Call, _proceed: Proceed, /) -> Reply:
    """LinkedIn: the version asked for is no longer active."""
    return linkedin.nonexistent_version(call.request.environ.get("HTTP_LINKEDIN_VERSION", "202401"))


# ---- tokens ---------------------------------------------------------------------------------


def unauthorized(call: Call, _proceed: Proceed, /) -> Reply:
    """A 401 although the token is good, as right after a refresh."""
    return twitter.unauthorized() if _is_x(call) else linkedin.invalid_token()


def expire_token(call: Call, proceed: Proceed, /) -> Reply:
    """The token ends with this request, and stays so until it is refreshed."""
    if call.grant is not None:
        call.grant.expires_at = call.now
    return proceed()


def revoke_token(call: Call, proceed: Proceed, /) -> Reply:
    """The user takes the consent back: this token is over, and so is its refresh token."""
    if call.grant is not None:
        call.grant.revoked = True
    return proceed()


def refuse_refresh(_call: Call, _proceed: Proceed, /) -> Reply:
    """For token endpoints: the refresh token is not (or no longer) good."""
    return oauth.spent_token()


# ---- connections ----------------------------------------------------------------------------


def cut(_call: Call, _proceed: Proceed, /) -> Reply:
    """The connection drops before a byte of the answer."""
    return Reply(b"", dropped=True)


def cut_after_answering(_call: Call, proceed: Proceed, /) -> Reply:
    """The request takes effect, the answer is lost: what a token refresh must survive."""
    proceed()
    return Reply(b"", dropped=True)


def hang(call: Call, _proceed: Proceed, /, seconds: float = 30) -> Reply:
    """No answer for `seconds` of real time, then the connection drops."""
    call.sandbox.closing.wait(seconds)
    return Reply(b"", dropped=True)


def slow(call: Call, proceed: Proceed, /, seconds: float = 1) -> Reply:
    """The right answer, late."""
    call.sandbox.closing.wait(seconds)
    return proceed()


def truncated(_call: Call, proceed: Proceed, /, keep: float = 0.5) -> Reply:
    """The connection drops after a share of the promised body."""
    reply = proceed()
    reply.cut_after = int(len(_bytes(reply)) * keep)
    return reply


# ---- bodies ---------------------------------------------------------------------------------


def _bytes(reply: Reply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)


def broken_json(_call: Call, proceed: Proceed, /, keep: float = 0.5) -> Reply:
    """A whole answer whose JSON ends in the middle."""
    reply = proceed()
    body = _bytes(reply)
    reply.body = body[: int(len(body) * keep)]
    return reply


def not_json(_call: Call, _proceed: Proceed, /, status: int = 200) -> Reply:
    """An HTML page where JSON was due."""
    return Reply(_EDGE_PAGE, status, dict(_HTML))


def empty_body(_call: Call, _proceed: Proceed, /) -> Reply:
    """Nothing, with status 200."""
    return Reply(b"")


def odd_json(_call: Call, _proceed: Proceed, /, value: object = None) -> Reply:
    """Valid JSON that is not an object: null, a list, a number."""
    return Reply(orjson.dumps(value))


_ODD_VALUES: tuple[object, ...] = (
    "12",
    "many",
    None,
    1.5,
    -1,
    True,
    [],
    {},
    ["x"],
    2**31,
    2**64 - 1,
    "",
)


def wrong_types(_call: Call, proceed: Proceed, /, share: float = 0.1, seed: int = 0) -> Reply:
    """Some values are of another type, or out of range."""
    reply = proceed()
    rng = random.Random(seed)  # noqa: S311
    for holder, name in list(_leaves(_items(reply))):
        if rng.random() < share:
            holder[name] = rng.choice(_ODD_VALUES)
    return reply


def missing_fields(_call: Call, proceed: Proceed, /, share: float = 0.1, seed: int = 0) -> Reply:
    """Some fields are not sent."""
    reply = proceed()
    rng = random.Random(seed)  # noqa: S311
    for holder, name in list(_leaves(_items(reply))):
        if isinstance(holder, dict) and rng.random() < share:
            holder.pop(name, None)
    return reply


def _leaves(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON tree whose value is neither list nor object."""
    stack: list[Any] = [items]
    while stack:
        holder = stack.pop()
        pairs = enumerate(holder) if isinstance(holder, list) else holder.items()
        for name, value in pairs:
            if isinstance(value, (list, dict)):
                stack.append(value)
            else:
                yield holder, name


#: Partial errors of X by what became of the post.
_X_PARTIAL: Mapping[str, Callable[[str], Body]] = {
    "not_found": lambda value: twitter.not_found_error("tweet", "ids", value),
    "suspended": lambda value: {
        "parameter": "ids",
        "resource_id": value,
        "value": value,
        "detail": f"User has been suspended: [{value}].",
        "title": "Forbidden",
        "resource_type": "tweet",
        "type": twitter.PROBLEMS + "resource-not-found",
    },
    "protected": lambda value: {
        "resource_id": value,
        "parameter": "ids",
        "resource_type": "tweet",
        "section": "data",
        "title": "Authorization Error",
        "value": value,
        "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{value}].",
        "type": twitter.PROBLEMS + "not-authorized-for-resource",
    },
    "mention": lambda value: {
        "parameter": "entities.mentions.username",
        "resource_id": "someone",
        "value": "someone",
        "detail": f"User has been suspended: [someone], mentioned in [{value}].",
        "title": "Forbidden",
        "section": "includes",
        "resource_type": "user",
        "type": twitter.PROBLEMS + "resource-not-found",
    },
}


def partial_errors(
    call: Call, proceed: Proceed, /, kind: str = "not_found", share: float = 1.0, seed: int = 0
) -> Reply:
    """X: some posts of a 200 come as errors; `mention` adds an error and keeps the post.

    With `share` 1 all are missing: only `errors`, no `data`, no `meta`.
    """
    reply = proceed()
    posts = _items(reply)
    if call.endpoint.platform != "twitter" or isinstance(reply.body, bytes) or not posts:
        return reply
    rng = random.Random(seed)  # noqa: S311
    struck = [post for post in posts if rng.random() < share]
    errors = [_X_PARTIAL[kind](post["id"]) for post in struck]
    if kind != "mention":
        posts[:] = [post for post in posts if post not in struck]
    if not posts:
        reply.body = {}
    reply.body.setdefault("errors", []).extend(errors)
    return reply


def refused_fields(call: Call, proceed: Proceed, /, share: float = 1.0, seed: int = 0) -> Reply:
    """X: private metrics are refused, one error a field and post; the rest of the post arrives."""
    reply = proceed()
    rng = random.Random(seed)  # noqa: S311
    for post in _items(reply) if call.endpoint.platform == "twitter" else ():
        for name in ("non_public_metrics", "organic_metrics"):
            if name in post and rng.random() < share:
                errors = [twitter.field_error(f"{name}.{part}", post["id"]) for part in post[name]]
                del post[name]
                reply.body.setdefault("errors", []).extend(errors)  # type: ignore[union-attr]
    return reply


# ---- pages ----------------------------------------------------------------------------------


def duplicated_page(_call: Call, proceed: Proceed, /) -> Reply:
    """Every element comes twice."""
    reply = proceed()
    items = _items(reply)
    items.extend(items[:])
    return reply


def shuffled_page(_call: Call, proceed: Proceed, /, seed: int = 0) -> Reply:
    """The elements come in another order."""
    reply = proceed()
    random.Random(seed).shuffle(_items(reply))  # noqa: S311
    return reply


def repeated_token(call: Call, proceed: Proceed, /) -> Reply:
    """X: the next page is this page again, for ever."""
    reply = proceed()
    if not isinstance(reply.body, bytes) and isinstance(meta := reply.body.get("meta"), dict):
        token = call.request.args.get("pagination_token") or meta.get("next_token")
        if token is not None:
            meta["next_token"] = token
    return reply


def empty_page(_call: Call, proceed: Proceed, /) -> Reply:
    """A page without elements that is not the last one."""
    reply = proceed()
    if isinstance(reply.body, bytes):
        return reply
    if "meta" in reply.body:
        reply.body.pop("data", None)
        token = reply.body["meta"].get("next_token")
        reply.body["meta"] = {"result_count": 0} | ({"next_token": token} if token else {})
    else:
        _items(reply).clear()
    return reply


def delete_posts(call: Call, proceed: Proceed, /, count: int = 1) -> Reply:
    """The author deletes the newest posts just before this request; they stay deleted."""
    account = call.grant.account if call.grant else None
    if account is not None:
        newest = account.newest_first(call.now)
        for post, _ in zip(list(newest), range(count), strict=False):
            post.deleted_at = call.now
    return proceed()


def clock_skew(call: Call, proceed: Proceed, /, seconds: float = 3600) -> Reply:
    """The platform's clock is `seconds` ahead: Date and x-rate-limit-reset say so."""
    reply = proceed()
    reply.headers["Date"] = call.http_date(seconds)
    if call.window is not None:
        reply.headers["x-rate-limit-reset"] = str(int(call.window.reset + seconds))
    return reply


def no_limit_headers(call: Call, proceed: Proceed, /) -> Reply:
    """X without its x-rate-limit-* headers."""
    reply = proceed()
    call.window = None
    return reply


#: Faults by the name scenarios use.
FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (
        server_error,
        rate_limited,
        usage_cap,
        credits_depleted,
        forbidden,
        unpermitted_urn,
        not_found,
        sunset_version,
        unauthorized,
        expire_token,
        revoke_token,
        refuse_refresh,
        cut,
        cut_after_answering,
        hang,
        slow,
        truncated,
        broken_json,
        not_json,
        empty_body,
        odd_json,
        wrong_types,
        missing_fields,
        partial_errors,
        refused_fields,
        duplicated_page,
        shuffled_page,
        repeated_token,
        empty_page,
        delete_posts,
        clock_skew,
        no_limit_headers,
    )
}
