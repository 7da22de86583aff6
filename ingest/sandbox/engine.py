"""How the stand-in answers a request: authenticate, count, limit, handle, and let faults meddle.

A platform module gives a table of `Endpoint`s and a `Gate`; everything else is common.
"""

import contextlib
import math
import random
import re
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from threading import Event, Lock
from typing import Any, Protocol

import orjson
from flask import Request, Response, request

from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.tokens import Grant, TokenStore
from ingest.sandbox.world import World

JSON = "application/json; charset=utf-8"

#: Parsed JSON of a reply: a dict for everything the platforms send.
Body = dict[str, Any]


@dataclass(slots=True)
class Reply:
    """An answer before it is written: a JSON body, or bytes as they are.

    `cut_after`: send only so many bytes of the body, then drop the connection (None: all).
    `dropped`: drop the connection without an answer.
    """

    body: Body | bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    dropped: bool = False


class RefusedError(Exception):
    """Ends a request early; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.status))
        self.reply = reply


@dataclass(frozen=True)
class Behaviour:
    """Switches of the stand-in that are not faults.

    enforce_limits: answer 429 when a rate-limit window of X is used up.
    limits: requests per window by endpoint name, instead of X's documented numbers.
    linkedin_daily_calls: LinkedIn requests a day, per member and endpoint, before a 429.
    development_tier: LinkedIn's Development tier (no BATCH_GET, 500 calls a day and app,
    100 a day and member). linkedin_versions: active versions instead of those of the clock.
    auto_consent: user whose consent is given without a page to click on.
    linkedin_app_scopes: scopes LinkedIn grants the app; asking for another fails the consent.
    """

    enforce_limits: bool = True
    limits: Mapping[str, int] = field(default_factory=dict)
    linkedin_daily_calls: int | None = None
    development_tier: bool = False
    linkedin_versions: tuple[str, ...] | None = None
    auto_consent: str | None = None
    linkedin_app_scopes: tuple[str, ...] = (
        "r_organization_social",
        "rw_organization_admin",
        "r_organization_social_feed",
        "r_member_social_feed",
        "r_member_postAnalytics",
        "r_member_profileAnalytics",
        "r_basicprofile",
        "openid",
        "profile",
        "email",
    )

    def changed(self, **changes: object) -> "Behaviour":
        """A copy with other switches. Raises TypeError for a switch that does not exist."""
        fixed = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
        return replace(self, **fixed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Window:
    """State of one rate-limit window after a request was counted in it."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool


class RateWindows:
    """Fixed windows per subject, opened by the first request in them."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._lock = Lock()

    def take(
        self, family: str, subject: str, limit: int, now: float, seconds: float = 900
    ) -> Window:
        """Count one request of `subject` in `family`."""
        key = (family, subject)
        with self._lock:
            opened, used = self._windows.get(key, (now, 0))
            if not opened <= now < opened + seconds:
                opened, used = now, 0
            used += 1
            self._windows[key] = (opened, used)
        return Window(limit, max(0, limit - used), math.ceil(opened + seconds), used > limit)

    def clear(self) -> None:
        with self._lock:
            self._windows.clear()


@dataclass
class Call:
    """One request on its way through the stand-in."""

    sandbox: "Sandbox"
    endpoint: "Endpoint"
    request: Request
    path: Mapping[str, str]
    now: float
    grant: Grant | None
    window: Window | None = None
    served: int = 0

    @property
    def subject(self) -> str:
        """Who the request counts against: the account of the token, or the app."""
        if self.grant is None or self.grant.account is None:
            return "app"
        return f"{self.grant.account.spec.handle}/{self.grant.user}"

    def http_date(self, ahead: float = 0.0) -> str:
        """The stand-in's time, `ahead` seconds on, as the Date header writes it."""
        return format_datetime(datetime.fromtimestamp(self.now + ahead, UTC), usegmt=True)


Handler = Callable[[Call], Reply]


class Gate(Protocol):
    """What a platform does around every endpoint."""

    def admit(self, call: Call) -> None:
        """Raises RefusedError (401, 426, 429, ...)."""

    def count(self, call: Call) -> None:
        """Count the request against the platform's limits."""

    def finish(self, call: Call, reply: Reply) -> None:
        """Add the headers every answer carries."""


@dataclass(frozen=True)
class Endpoint:
    """A route of a platform. `name` is what counters and scenarios call it.

    `needs`: "user" (a user's token), "any" (an app-only token will do) or "none".
    `limits`: requests per 15 minutes for (app, user); 0 where there is no such window.
    """

    platform: str
    rule: str
    name: str
    handle: Handler
    needs: str = "any"
    limits: tuple[int, int] = (0, 0)
    methods: tuple[str, ...] = ("GET",)


#: Meddles with a call: `fault(call, proceed, **args)` may answer itself, or go on and change
#: what comes back.
Fault = Callable[..., Reply]


@dataclass
class Rule:
    """When a fault strikes.

    `endpoint`: a name as in `Endpoint.name`, `*` standing for anything; `platform` and `account`
    (a handle) narrow it. Matching requests are counted from 1: struck are those in `nth`, or
    without `nth` every `every`-th after the first `after`. `probability` then draws (by `seed`),
    and `times` ends it.
    """

    fault: Fault
    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    platform: str | None = None
    endpoint: str = "*"
    account: str | None = None
    nth: tuple[int, ...] = ()
    after: int = 0
    every: int = 1
    times: float = math.inf
    probability: float = 1.0
    seed: int = 0
    matched: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        self._pattern = re.compile(re.escape(self.endpoint).replace(r"\*", ".*"))
        self._rng = random.Random(self.seed)  # noqa: S311
        self._lock = Lock()

    def strikes(self, call: Call) -> bool:
        """Whether the fault strikes this call; counts it."""
        if self.platform not in (None, call.endpoint.platform):
            return False
        if self._pattern.fullmatch(call.endpoint.name) is None:
            return False
        if self.account is not None and call.subject.partition("/")[0] != self.account:
            return False
        with self._lock:
            self.matched += 1
            chosen = (
                self.matched in self.nth
                if self.nth
                else self.matched > self.after and (self.matched - self.after) % self.every == 0
            )
            if not chosen or self.struck >= self.times:
                return False
            if self.probability < 1.0 and self._rng.random() >= self.probability:
                return False
            self.struck += 1
        return True


class RequestLog:
    """Counters per endpoint, and the newest requests.

    A request counts from its arrival, so that one left hanging is there, too. Status 0 stands
    for no answer.
    """

    def __init__(self, keep: int = 5_000) -> None:
        self._lock = Lock()
        self._by_endpoint: dict[str, dict[str, Any]] = {}
        self._recent: deque[dict[str, Any]] = deque(maxlen=keep)

    def arrived(self, call: Call, fault: str | None) -> dict[str, Any]:
        """Count a request; the entry to hand to `answered`."""
        name = call.endpoint.name
        entry = {
            "endpoint": name,
            "status": None,
            "account": call.subject,
            "served": 0,
            "fault": fault,
            "path": call.request.path,
            "query": call.request.query_string.decode("ascii", "replace"),
            "at": call.now,
        }
        with self._lock:
            counters = self._by_endpoint.get(name)
            if counters is None:
                counters = {"requests": 0, "served": 0, "faults": 0, "statuses": {}}
                self._by_endpoint[name] = counters
            counters["requests"] += 1
            counters["faults"] += fault is not None
            self._recent.append(entry)
        return entry

    def answered(self, entry: dict[str, Any], call: Call, status: int) -> None:
        with self._lock:
            entry |= {"status": status, "served": call.served}
            counters = self._by_endpoint.get(call.endpoint.name)
            if counters is None:  # cleared in between
                return
            counters["served"] += call.served
            statuses = counters["statuses"]
            statuses[str(status)] = statuses.get(str(status), 0) + 1

    def summary(self) -> Body:
        with self._lock:
            endpoints = {
                name: {**entry, "statuses": dict(entry["statuses"])}
                for name, entry in sorted(self._by_endpoint.items())
            }
        total = sum(entry["requests"] for entry in endpoints.values())
        return {"total": total, "endpoints": endpoints}

    def count(self, name: str) -> int:
        """Requests to one endpoint so far."""
        entry = self._by_endpoint.get(name)
        return entry["requests"] if entry else 0

    def recent(self) -> Sequence[Mapping[str, Any]]:
        with self._lock:
            return list(self._recent)

    def clear(self) -> None:
        with self._lock:
            self._by_endpoint.clear()
            self._recent.clear()


@dataclass
class Sandbox:
    """Everything one stand-in knows; found at `app.extensions["sandbox"]`."""

    world: World
    clock: SandboxClock
    tokens: TokenStore
    behaviour: Behaviour = field(default_factory=Behaviour)
    rules: list[Rule] = field(default_factory=list)
    log: RequestLog = field(default_factory=RequestLog)
    windows: RateWindows = field(default_factory=RateWindows)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    closing: Event = field(default_factory=Event)

    def now(self) -> float:
        return self.clock.now().timestamp()

    def answer(self, endpoint: Endpoint, **path: str) -> Response:
        """Answer the request at hand."""
        call = Call(self, endpoint, request, path, self.now(), self._grant(request))
        gate = self.gates[endpoint.platform]
        gate.count(call)

        def proceed() -> Reply:
            try:
                gate.admit(call)
                return endpoint.handle(call)
            except RefusedError as refusal:
                return refusal.reply

        rule = next((rule for rule in self.rules if rule.strikes(call)), None)
        entry = self.log.arrived(call, rule.name if rule else None)
        reply = proceed() if rule is None else rule.fault(call, proceed, **rule.args)
        gate.finish(call, reply)
        reply.headers.setdefault("Date", call.http_date())
        self.log.answered(entry, call, 0 if reply.dropped else reply.status)
        if reply.dropped:
            drop_connection(request)
        return write(reply)

    def _grant(self, req: Request) -> Grant | None:
        scheme, _, value = req.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return self.tokens.find(value.strip())


def write(reply: Reply) -> Response:
    """The HTTP response of a reply."""
    body = reply.body if isinstance(reply.body, bytes) else orjson.dumps(reply.body)
    headers = {"Content-Type": JSON, **reply.headers}
    if reply.dropped:
        headers["Connection"] = "close"
    if reply.cut_after is None:
        return Response(body, reply.status, headers)
    # Promise the whole body and send only its beginning.
    headers |= {"Content-Length": str(len(body)), "Connection": "close"}
    return Response([body[: reply.cut_after]], reply.status, headers)


def drop_connection(req: Request) -> None:
    """Close the client's socket.

    Raises ConnectionResetError where there is no socket (a test client).
    """
    connection = req.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionResetError("the stand-in dropped the connection")
    with contextlib.suppress(OSError):  # the client has gone first
        connection.shutdown(socket.SHUT_RDWR)
