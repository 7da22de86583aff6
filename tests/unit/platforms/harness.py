"""What the tests of the platform clients share: a scripted platform, and ends that keep count."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from ingest import identity
from ingest.clock import ManualClock
from ingest.http import ApiError, BudgetExhausted, ErrorKind
from ingest.platforms.base import AccountKind, AccountRef
from ingest.platforms.linkedin import LinkedIn, LinkedInSettings
from ingest.platforms.twitter import Twitter, TwitterSettings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "platforms"
NOW = datetime(2026, 11, 22, 15, 10, tzinfo=UTC)
PAGE = "urn:li:organization:59910322"

Handler = Callable[[httpx.Request], httpx.Response]


def fixture(name: str) -> dict[str, Any]:
    """A recorded-like body."""
    body: dict[str, Any] = json.loads((FIXTURES / name).read_text(encoding="utf-8"))
    return body


def snowflake(moment: datetime, number: int = 0) -> str:
    """An X id minted at that moment."""
    return str(((int(moment.timestamp() * 1000) - 1288834974657) << 22) + number)


class FakeTokens:
    """A token source with a list of tokens to go through."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens or ("token-1", "token-2"))
        self.refreshes = 0

    def access_token(self) -> str:
        return self.tokens[0]

    def refresh(self) -> str:
        self.refreshes += 1
        if len(self.tokens) == 1:
            raise ApiError(ErrorKind.TOKEN_EXPIRED, "connect the account again")
        del self.tokens[0]
        return self.tokens[0]


class CountingPacer:
    """A pacer with so many requests to give away; keeps what it was told."""

    def __init__(self, budget: int = 10_000) -> None:
        self.budget = budget
        self.before_calls: list[str] = []
        self.answers: list[tuple[str, int]] = []
        self.headers: list[Mapping[str, str]] = []

    def before(self, endpoint_family: str) -> None:
        if len(self.before_calls) >= self.budget:
            raise BudgetExhausted("the budget is used up", endpoint=endpoint_family, until=NOW)
        self.before_calls.append(endpoint_family)

    def after(self, endpoint_family: str, headers: Mapping[str, str], posts_read: int) -> None:
        self.answers.append((endpoint_family, posts_read))
        self.headers.append(headers)


@dataclass
class Scripted:
    """Answers requests in order, the last answer for ever; an exception is raised instead."""

    script: Sequence[httpx.Response | Exception | Mapping[str, Any]]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        answer = self.script[min(len(self.requests), len(self.script) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return httpx.Response(200, json=answer)


@dataclass
class Rig:
    """A client and everything around it."""

    platform: Any
    requests: list[httpx.Request]
    tokens: FakeTokens
    pacer: CountingPacer
    clock: ManualClock
    sleeps: list[float]

    @property
    def targets(self) -> list[str]:
        """Paths and queries as they were sent, byte for byte."""
        return [request.extensions["target"].decode("ascii") for request in self.requests]


def _rig(make: Callable[..., Any], settings: object, handler: Handler, **ends: Any) -> Rig:
    requests: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        # what goes over the wire, where a server looks for it
        request.url = request.url.copy_with(raw_path=request.extensions["target"])
        requests.append(request)
        return handler(request)

    tokens = ends.get("tokens") or FakeTokens()
    pacer = ends.get("pacer") or CountingPacer()
    clock = ends.get("clock") or ManualClock(NOW)
    sleeps: list[float] = []
    platform = make(
        settings,
        tokens,
        pacer,
        clock,
        transport=httpx.MockTransport(record),
        sleep=sleeps.append,
    )
    return Rig(platform, requests, tokens, pacer, clock, sleeps)


def twitter(handler: Handler, settings: TwitterSettings | None = None, **ends: Any) -> Rig:
    return _rig(Twitter, settings or TwitterSettings(), handler, **ends)


def linkedin(handler: Handler, settings: LinkedInSettings | None = None, **ends: Any) -> Rig:
    return _rig(LinkedIn, settings or LinkedInSettings(), handler, **ends)


def account(platform: str, platform_id: str, kind: AccountKind, handle: str = "ana") -> AccountRef:
    return AccountRef(identity.account_id(platform, platform_id), platform_id, kind, handle)


X_ACCOUNT = account("twitter", "42", "profile")
PAGE_ACCOUNT = account("linkedin", PAGE, "page")
MEMBER_ACCOUNT = account("linkedin", "urn:li:person:AbC_1", "member")


def x_post(post_id: str, **changes: Any) -> dict[str, Any]:
    """A post as X sends it, its time taken from its id."""
    created = datetime.fromtimestamp(((int(post_id) >> 22) + 1288834974657) / 1000, UTC)
    public = {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4}
    public |= {"bookmark_count": 5, "impression_count": 600}
    return {
        "id": post_id,
        "text": "hi",
        "created_at": f"{created:%Y-%m-%dT%H:%M:%S}.000Z",
        "edit_history_tweet_ids": [post_id],
        "public_metrics": public,
        "non_public_metrics": {"url_link_clicks": 7, "user_profile_clicks": 8},
    } | changes


def not_found(post_id: str) -> dict[str, Any]:
    return {
        "value": post_id,
        "detail": f"Could not find tweet with ids: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": post_id,
        "type": "https://api.x.com/2/problems/resource-not-found",
    }


def posts_page(posts: Iterable[Mapping[str, Any]], next_token: str | None = None) -> dict[str, Any]:
    data = list(posts)
    meta = {"result_count": len(data)} | ({"next_token": next_token} if next_token else {})
    return {"meta": meta} | ({"data": data} if data else {})
