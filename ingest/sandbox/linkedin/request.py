"""Reading a LinkedIn request: parameters, URNs, whose post it is, pages and batches."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ingest.sandbox.engine import Body, Call, RefusedError
from ingest.sandbox.linkedin.errors import bad_parameter, bad_query, denied, error
from ingest.sandbox.restli import RestliSyntaxError, Value, parse_query
from ingest.sandbox.world import Account, Post

_URN = re.compile(r"urn:li:([A-Za-z]+):([A-Za-z0-9_-]+)")


@dataclass(frozen=True)
class Query:
    """The parameters of a request, decoded by the Rest.li rules."""

    values: Mapping[str, Value]
    api_version: str

    @classmethod
    def of(cls, call: Call, *known: str) -> "Query":
        """Raises RefusedError for broken encoding and for parameters the endpoint lacks."""
        try:
            values = parse_query(raw_query(call))
        except RestliSyntaxError as problem:
            raise RefusedError(bad_parameter(problem.parameter)) from problem
        for name in values:
            if name not in known and name not in ("fields", "projection"):
                raise RefusedError(bad_parameter(name, "QUERY_PARAM_NOT_ALLOWED"))
        return cls(values, call.request.environ.get("HTTP_LINKEDIN_VERSION", ""))

    def finder(self, *names: str) -> str:
        name = self.values.get("q")
        if not isinstance(name, str) or name not in names:
            raise RefusedError(bad_query())
        return name

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise RefusedError(bad_parameter(name))
        return value

    def choice(self, name: str, default: str, *allowed: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            raise RefusedError(bad_parameter(name))
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise RefusedError(bad_parameter(name))
        return int(value)

    def urn(self, name: str, *kinds: str) -> str:
        """The URN of one of `kinds` in a parameter. Raises RefusedError for another thing."""
        value = self.text(name)
        if value is None or urn_kind(value) not in kinds:
            raise RefusedError(bad_parameter(name))
        return value

    def urns(self, name: str, *kinds: str) -> list[str]:
        """The URNs of a List(...), which may not be empty; none when the parameter is absent."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not value:
            raise RefusedError(bad_parameter(name))
        urns = [item for item in value if isinstance(item, str) and urn_kind(item) in kinds]
        if len(urns) != len(value):
            raise RefusedError(bad_parameter(name))
        return urns

    def record(self, name: str) -> Mapping[str, Value] | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise RefusedError(bad_parameter(name))
        return value


def raw_query(call: Call) -> str:
    """The query as it was sent, or the body of a tunnelled GET (more than 4,000 characters)."""
    if call.request.method == "POST":
        return call.request.get_data(as_text=True)
    return call.request.query_string.decode("latin-1")


@lru_cache(maxsize=1 << 16)
def urn_kind(value: str) -> str | None:
    """`share` of `urn:li:share:1`; None when it is no URN."""
    match = _URN.fullmatch(value)
    return match[1] if match else None


def post_of(call: Call, urn: str) -> Post | None:
    """The post a share or ugcPost URN names, if the world has it under exactly that URN."""
    digits = urn.rpartition(":")[2]
    if not digits.isascii() or not digits.isdigit():
        return None
    found = call.sandbox.world.find(int(digits))
    return found[0] if found is not None and found[0].urn == urn else None


def administered(call: Call, urn: str, scope: str, resource: str) -> Account:
    """The organisation of `urn`, if the caller administers it and consented to `scope`."""
    account = call.sandbox.world.account("page", urn.rpartition(":")[2])
    grant = call.grant
    if grant is None or account is None or grant.user not in account.spec.users:
        raise RefusedError(denied(resource))
    if scope not in grant.scopes:
        raise RefusedError(denied(resource))
    return account


def member(call: Call, scope: str, resource: str) -> Account:
    """The caller as a member with posts."""
    grant = call.grant
    world = call.sandbox.world
    account = None if grant is None else world.account("member", world.person_id(grant.user))
    if grant is None or account is None or scope not in grant.scopes:
        raise RefusedError(denied(resource))
    return account


def paging(query: Query) -> tuple[int, int]:
    return query.number("start", 0, 0, 10**9), query.number("count", 10, 0, 100)


def page_of(elements: Sequence[Any], start: int, count: int, total: int | None = None) -> Body:
    paging: Body = {"start": start, "count": count, "links": []}
    if total is not None:
        paging["total"] = total
    return {"paging": paging, "elements": elements}


def batch(call: Call, urns: Iterable[str], resource: str, write: Callable[[Post], Body]) -> Body:
    """BATCH_GET: results, statuses and errors by URN, always with HTTP 200 (unconfirmed)."""
    results: Body = {}
    statuses: Body = {}
    errors: Body = {}
    for urn in urns:
        post = post_of(call, urn)
        if post is None or not post.exists(call.now):
            statuses[urn] = 404
            errors[urn] = {"status": 404, "message": f"Post {urn} could not be found"}
        elif not owns(call, post):
            statuses[urn] = 403
            errors[urn] = denied(resource).body
        else:
            statuses[urn] = 200
            results[urn] = write(post)
    call.served = len(results)
    return {"results": results, "statuses": statuses, "errors": errors}


def owns(call: Call, post: Post) -> bool:
    return call.grant is not None and call.grant.user in post.account.spec.users


def existing(call: Call, resource: str) -> Post:
    """The post of a path, if it is there and the caller's."""
    urn = call.path["urn"]
    post = post_of(call, urn)
    if post is None or not post.exists(call.now):
        raise RefusedError(error(404, f"Resource {urn} does not exist", service_code=0))
    if not owns(call, post):
        raise RefusedError(denied(resource))
    return post
