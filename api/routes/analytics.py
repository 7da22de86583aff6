"""GET /api/analytics/…: validated question, own accounts, one generation, conditional answer."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from api.auth import Caller, admit
from api.caching import conditional, etag
from api.context import caller, context
from api.problems import ProblemError
from api.queries import answers
from api.queries.params import (
    NoParams,
    OverviewParams,
    Params,
    PlatformParams,
    PostsParams,
    WindowParams,
)
from api.queries.posts import PostNotFoundError
from api.queries.reader import Reader
from api.queries.scope import AccountScope, NotAMemberError
from api.schemas import (
    Model,
    OverviewAnswer,
    PlatformAnswer,
    PostDetailAnswer,
    PostsAnswer,
)
from execution.control.access import READ_SCOPE
from execution.control.settings import PLATFORM_PREFIXES

ROOT = "/api/analytics"
_PLATFORMS = ",".join(PLATFORM_PREFIXES)


@dataclass(frozen=True)
class Endpoint:
    """One address: what it takes, what it answers, and who works the answer out.

    `run` takes a Reader, the parameters and the parts of the path.
    """

    name: str
    rule: str
    summary: str
    params: type[Params]
    answer: type[Model]
    run: Callable[..., Model]


ENDPOINTS = (
    Endpoint(
        name="overview",
        rule=f"{ROOT}/overview",
        summary="Cards, trend and top posts of a window over all platforms",
        params=OverviewParams,
        answer=OverviewAnswer,
        run=answers.overview,
    ),
    Endpoint(
        name="platform",
        rule=f"{ROOT}/platform/<any({_PLATFORMS}):platform>",
        summary="Every metric of one platform in a window, and how platforms compare",
        params=PlatformParams,
        answer=PlatformAnswer,
        run=answers.platform_view,
    ),
    Endpoint(
        name="posts",
        rule=f"{ROOT}/posts",
        summary="Posts of a window, sorted and paged",
        params=PostsParams,
        answer=PostsAnswer,
        run=answers.post_list,
    ),
    Endpoint(
        name="post",
        rule=f"{ROOT}/posts/<uuid:post_id>",
        summary="One post: its counters over time and what its engagements are made of",
        params=NoParams,
        answer=PostDetailAnswer,
        run=answers.post_detail,
    ),
)


def blueprint() -> Blueprint:
    """The analytics routes."""
    routes = Blueprint("analytics", __name__)
    for endpoint in ENDPOINTS:
        routes.add_url_rule(endpoint.rule, endpoint.name, _view(endpoint))
    return routes


def _view(endpoint: Endpoint) -> Callable[..., Response]:
    def view(**path: Any) -> Response:
        signed_in = admit(caller(), READ_SCOPE)
        params = endpoint.params.parse(request.args.to_dict(flat=False))
        scope, zone = _scope(signed_in, params), _zone(signed_in, params)
        context().recent.saw(scope, zone)
        with context().publications.lease() as (publication, cursor):
            reader = Reader(publication, cursor, scope, zone)
            tag = etag(publication, signed_in, request.path, params.normalised())
            return conditional(tag, lambda: _answer(endpoint, reader, params, path))

    return view


def _answer(endpoint: Endpoint, reader: Reader, params: Params, path: dict[str, Any]) -> str:
    try:
        answer = endpoint.run(reader, params, **path)
    except PostNotFoundError:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-such-post", "None of your accounts has this post."
        ) from None
    return answer.model_dump_json(by_alias=True)


def _scope(signed_in: Caller, params: Params) -> AccountScope:
    wanted = params.accounts if isinstance(params, WindowParams) else None
    try:
        return signed_in.scope.restrict(wanted)
    except NotAMemberError:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "not-your-account",
            "`accounts` names an account that is not among yours.",
        ) from None


def _zone(signed_in: Caller, params: Params) -> ZoneInfo:
    """The zone asked for, else the caller's."""
    asked = params.tz if isinstance(params, WindowParams) else None
    return ZoneInfo(asked or signed_in.identity.timezone)
