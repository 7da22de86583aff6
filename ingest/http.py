"""The HTTP side every platform shares: one client, one error table, one exception.

The table of directive section 5.1 is data here (`RULES`), extended as DESIGN.md section 4 says.
"max n" means n retries after the first request. What a status means on one platform is told by
that platform's `Explain` function; how often it is tried again is never its business.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from urllib.request import getproxies, proxy_bypass

import httpx
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.wait import wait_base, wait_exponential_jitter, wait_none

from ingest.addresses import is_loopback
from ingest.clock import Clock

log = structlog.get_logger(__name__)

#: A longer wait than this is not slept through: the run ends and the cooldown is kept.
LONGEST_WAIT: Final = timedelta(seconds=30)
#: Directive 2.1, "rate limit buffer": no cooldown is shorter.
COOLDOWN: Final = timedelta(minutes=15)
#: Windows last 15 minutes or a day (platform-apis.md 1.5, 2.4); a later reset is not believed.
LONGEST_WINDOW: Final = timedelta(hours=25)
MAX_BODY_BYTES: Final = 32 * 1024 * 1024
#: What every request says, beside what it asks for.
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
    "user-agent": "nexus-analytics",
}
#: A whole answer may take this many seconds, however steadily its bytes drip in.
MAX_ANSWER_SECONDS: Final = 120.0


class ErrorKind(StrEnum):
    """What went wrong, as far as the caller must act differently on it."""

    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a kind of error, not a secret
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    RATE_LIMITED = "rate_limited"
    BUDGET_EXHAUSTED = "budget_exhausted"
    USAGE_CAPPED = "usage_capped"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    VERSION_SUNSET = "version_sunset"
    SERVER_ERROR = "server_error"
    BAD_RESPONSE = "bad_response"
    NETWORK = "network"


@dataclass(frozen=True)
class Rule:
    """One row of the error table.

    `retries` after the first request; `stops`: the rest of this collection would fail the same
    way, so it ends; otherwise only the step that failed is skipped.
    """

    retries: int = 0
    wait: wait_base = field(default_factory=wait_none)
    stops: bool = True


#: Directive 5.1, then what platform-apis.md adds.
RULES: Final[Mapping[ErrorKind, Rule]] = {
    ErrorKind.TOKEN_EXPIRED: Rule(retries=1),  # refreshed in between, retried at once
    ErrorKind.RATE_LIMITED: Rule(retries=3, wait=wait_exponential_jitter(multiplier=2, max=30)),
    ErrorKind.SERVER_ERROR: Rule(
        retries=2, wait=wait_exponential_jitter(multiplier=1, max=10), stops=False
    ),
    ErrorKind.NOT_FOUND: Rule(stops=False),
    ErrorKind.NETWORK: Rule(retries=5, wait=wait_exponential_jitter(multiplier=0.5, max=20)),
    # A truncated or HTML answer is a server error that came with status 200.
    ErrorKind.BAD_RESPONSE: Rule(
        retries=2, wait=wait_exponential_jitter(multiplier=1, max=10), stops=False
    ),
    ErrorKind.BAD_REQUEST: Rule(stops=False),
    ErrorKind.TOKEN_REVOKED: Rule(),
    ErrorKind.USAGE_CAPPED: Rule(),
    ErrorKind.BUDGET_EXHAUSTED: Rule(),
    ErrorKind.FORBIDDEN: Rule(),
    ErrorKind.VERSION_SUNSET: Rule(),
}

STATUS_KINDS: Final[Mapping[int, ErrorKind]] = {
    401: ErrorKind.TOKEN_EXPIRED,
    402: ErrorKind.USAGE_CAPPED,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    426: ErrorKind.VERSION_SUNSET,
    429: ErrorKind.RATE_LIMITED,
}


class ApiError(Exception):
    """The one exception of the platform modules.

    `endpoint`: the endpoint family; `until`: when trying again makes sense (None: not known).
    The message never holds a token, a header or a body of unknown shape.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        endpoint: str | None = None,
        until: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.endpoint = endpoint
        self.until = until

    @property
    def stops(self) -> bool:
        """Whether the rest of the collection is pointless for now."""
        return RULES[self.kind].stops or self.until is not None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.kind.value!r}, {self.message!r}, status={self.status},"
            f" endpoint={self.endpoint!r}, until={self.until})"
        )


class BudgetExhausted(ApiError):  # noqa: N818 - says what happened
    """Our own budget forbids the next request; `until` says when it refills, if known."""

    def __init__(
        self, message: str, *, endpoint: str | None = None, until: datetime | None = None
    ) -> None:
        super().__init__(ErrorKind.BUDGET_EXHAUSTED, message, endpoint=endpoint, until=until)


class TokenSource(Protocol):
    """Where the bearer token comes from; bound to one connection.

    Both raise ApiError(token_expired or token_revoked) when there is none to be had. `refresh`
    returns only when the rotated tokens are durable.
    """

    def access_token(self) -> str: ...

    def refresh(self) -> str: ...


class Pacer(Protocol):
    """Is asked before every request, retries too, and told of every answer.

    `before` may raise BudgetExhausted. `after` is not called when no answer came.
    `posts_read`: resources in the answer as X bills them, posts or the user of `x.user`; 0 for
    LinkedIn, which bills none, and for refusals.
    """

    def before(self, endpoint_family: str) -> None: ...

    def after(self, endpoint_family: str, headers: Mapping[str, str], posts_read: int) -> None: ...


class NoPacing:
    """A pacer without a budget."""

    def before(self, endpoint_family: str) -> None:
        pass

    def after(self, endpoint_family: str, headers: Mapping[str, str], posts_read: int) -> None:
        pass


@dataclass(frozen=True)
class Refusal:
    """An answer other than 200, for a platform to explain. `body`: its JSON object, or {}."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True)
class Explanation:
    """What a refusal means; `kind` None leaves the meaning of the status."""

    message: str
    kind: ErrorKind | None = None
    until: datetime | None = None


Explain = Callable[[Refusal], Explanation]


@dataclass(frozen=True)
class Call:
    """One GET. `target`: path and query, already encoded, sent byte for byte.

    `family` names the endpoint for budgets, logs and errors; `count_posts` says how many billed
    resources an answer holds.
    """

    family: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    count_posts: Callable[[Mapping[str, Any]], int] = lambda _body: 0


@dataclass(frozen=True)
class Answer:
    """A 200 with a JSON object in it, and when it came."""

    body: Mapping[str, Any]
    received_at: datetime


def open_transport(base_url: str) -> httpx.BaseTransport:
    """The way to `base_url`: through the proxy that the environment names for it, if it does.

    Making one costs a TLS context: many connections share it. Close it after use.
    """
    url, proxies = httpx.URL(base_url), getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy is None or is_loopback(base_url) or proxy_bypass(url.host):
        return httpx.HTTPTransport()
    return httpx.HTTPTransport(proxy=proxy if "://" in proxy else f"http://{proxy}")


class HttpClient:
    """Sends the calls of one connection. Raises ApiError and nothing else.

    `transport`: shared by many connections, closed by its owner; by default one of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        explain: Explain,
        tokens: TokenSource,
        pacer: Pacer,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base_url = httpx.URL(base_url)
        self._base_path = self._base_url.raw_path.rstrip(b"/")
        self._explain = explain
        self._tokens = tokens
        self._pacer = pacer
        self._clock = clock
        self._sleep = sleep
        self._timeout = timeout
        self._owns_transport = transport is None
        self._transport = transport or open_transport(base_url)

    def close(self) -> None:
        """Close the connections, unless the transport is someone else's."""
        if self._owns_transport:
            self._transport.close()

    def get(self, call: Call) -> Answer:
        """The answer to a call, after as many tries as the error table allows."""
        tries = _Tries(self._clock)
        retrying = Retrying(
            retry=retry_if_exception(tries.is_retried),
            wait=tries.wait,
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            return retrying(self._once, call, tries)
        except ApiError as error:
            error.until = self._cooldown(error)
            raise

    def _cooldown(self, error: ApiError) -> datetime | None:
        """Until when the call is given up: a platform's wait is never taken as under COOLDOWN."""
        waits = error.kind is ErrorKind.RATE_LIMITED or (
            error.until is not None and error.kind is ErrorKind.SERVER_ERROR
        )
        if not waits:
            return error.until
        shortest = self._clock.now() + COOLDOWN
        return max(error.until or shortest, shortest)

    def _once(self, call: Call, tries: "_Tries") -> Answer:
        token = self._tokens.refresh() if tries.must_refresh else self._tokens.access_token()
        headers = {**call.headers, "authorization": f"Bearer {_checked_token(token, call.family)}"}
        # last: a call without a token is not sent, and takes nothing from the budgets
        self._pacer.before(call.family)
        outcome = send(
            self._transport,
            Request("GET", self._base_url, headers, self._base_path + call.target.encode("ascii")),
            family=call.family,
            timeout=self._timeout,
        )
        # Raised here and not where httpx failed, so that no request with its headers hangs on it.
        if isinstance(outcome, ApiError):
            raise outcome
        body = outcome.json_object()
        if outcome.status == 200 and body is not None:
            self._pacer.after(call.family, outcome.headers, call.count_posts(body))
            return Answer(body, self._clock.now())
        self._pacer.after(call.family, outcome.headers, 0)
        raise self._refusal(call, outcome.without(token))

    def _refusal(self, call: Call, raw: "RawAnswer") -> ApiError:
        if raw.status == 200:
            return ApiError(
                ErrorKind.BAD_RESPONSE,
                "the answer is not a JSON object",
                status=200,
                endpoint=call.family,
            )
        now = self._clock.now()
        body = raw.json_object() or {}
        told = self._explain(Refusal(raw.status, raw.headers, body, now))
        kind = told.kind or _kind_of(raw.status)
        return ApiError(
            kind,
            _plain(told.message),
            status=raw.status,
            endpoint=call.family,
            until=_until(kind, told.until or _retry_after(raw.headers, now), now),
        )


@dataclass(frozen=True)
class RawAnswer:
    """Any answer, whole, with its body within MAX_BODY_BYTES."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def without(self, *secrets: str) -> "RawAnswer":
        """The same answer, should the platform have echoed a secret in it."""
        content = self.content
        for secret in secrets:
            content = content.replace(secret.encode(), b"[secret]")
        return replace(self, content=content)

    def json_object(self) -> dict[str, Any] | None:
        """The body as a JSON object; None where it is anything else."""
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):  # not JSON, not UTF-8, an endless number, too deep
            return None
        return body if isinstance(body, dict) else None


@dataclass(frozen=True)
class Request:
    """What to send where. `target`: path and query, sent byte for byte; None: those of the URL."""

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    target: bytes | None = None
    form: Mapping[str, str] | None = field(default=None, repr=False)


def send(
    transport: httpx.BaseTransport, request: Request, *, family: str, timeout: float
) -> RawAnswer | ApiError:
    """One request, tried once: no redirect, no cookie. What goes wrong is returned, not raised.

    So whoever raises it does so away from httpx, whose exceptions hold the request's headers.
    `timeout`: seconds for connecting, and for each part of the answer.
    """
    started = time.monotonic()
    content = bytearray()
    extensions: dict[str, Any] = {"timeout": httpx.Timeout(timeout).as_dict()}
    if request.target is not None:
        # the URL of a long query would be parsed and quoted again and again
        extensions["target"] = request.target
    try:
        sent = httpx.Request(
            request.method,
            request.url,
            headers={**_HEADERS, **request.headers},
            data=request.form,
            extensions=extensions,
        )
        with closing(transport.handle_request(sent)) as response:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_BODY_BYTES:
                    return ApiError(
                        ErrorKind.BAD_RESPONSE,
                        f"the answer is larger than {MAX_BODY_BYTES} bytes",
                        status=response.status_code,
                        endpoint=family,
                    )
                if time.monotonic() - started > MAX_ANSWER_SECONDS:
                    return ApiError(
                        ErrorKind.NETWORK,
                        f"the answer took longer than {MAX_ANSWER_SECONDS:.0f} s",
                        endpoint=family,
                    )
            return RawAnswer(response.status_code, response.headers, bytes(content))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _transport_error(error, family)


class _Tries:
    """What has been tried for one call: the error table's counting."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: Counter[ErrorKind] = Counter()
        self.must_refresh = False

    def is_retried(self, error: BaseException) -> bool:
        if not isinstance(error, ApiError):
            return False
        self._failures[error.kind] += 1
        if self._failures[error.kind] > RULES[error.kind].retries:
            return False
        # Without a status the token source itself gave up: there is nothing left to refresh.
        self.must_refresh = error.kind is ErrorKind.TOKEN_EXPIRED and error.status is not None
        if error.kind is ErrorKind.TOKEN_EXPIRED:
            return self.must_refresh
        return error.until is None or error.until - self._clock.now() <= LONGEST_WAIT

    def wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, ApiError):
            return 0.0
        backoff = RULES[error.kind].wait(state)
        if error.until is None:
            return backoff
        return max(backoff, (error.until - self._clock.now()).total_seconds())


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, ApiError):
        log.info(
            "request_retried",
            kind=error.kind.value,
            status=error.status,
            endpoint=error.endpoint,
            attempt=state.attempt_number,
            wait_seconds=round(state.upcoming_sleep, 1),
        )


def _kind_of(status: int) -> ErrorKind:
    if status >= 500:
        return ErrorKind.SERVER_ERROR
    return STATUS_KINDS.get(status, ErrorKind.BAD_REQUEST)


def _transport_error(error: httpx.HTTPError | httpx.InvalidURL, family: str) -> ApiError:
    # Only the type is told: httpx puts header values into some of its messages.
    kind = ErrorKind.NETWORK if isinstance(error, httpx.TransportError) else ErrorKind.BAD_RESPONSE
    if isinstance(error, httpx.InvalidURL):
        kind = ErrorKind.BAD_REQUEST
    return ApiError(kind, f"no usable answer: {type(error).__name__}", endpoint=family)


def _checked_token(token: str, family: str) -> str:
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise ApiError(
        ErrorKind.TOKEN_EXPIRED, "the stored token is not a bearer token", endpoint=family
    )


def _plain(message: str) -> str:
    """A platform's sentence, made fit for a log line."""
    return "".join(c if c.isprintable() else " " for c in message)[:300]


def reset_moment(epoch_seconds: str, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The moment of a reset told in Unix seconds, on our clock.

    The platform's Date header tells its clock: ours may be wrong by more than the wait.
    """
    if not (epoch_seconds.isascii() and epoch_seconds.isdigit() and len(epoch_seconds) <= 11):
        return None
    told_at = _http_date(headers.get("date", "")) or now
    return now + (datetime.fromtimestamp(int(epoch_seconds), UTC) - told_at)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The moment a Retry-After header names, in either of its two forms."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 9:
        return now + timedelta(seconds=int(value))
    return _http_date(value)


#: Kinds for which the platform's own time of recovery is believed.
_TIMED: Final = frozenset({ErrorKind.RATE_LIMITED, ErrorKind.SERVER_ERROR, ErrorKind.USAGE_CAPPED})


def _until(kind: ErrorKind, told: datetime | None, now: datetime) -> datetime | None:
    if told is None or kind not in _TIMED or not now < told <= now + LONGEST_WINDOW:
        return None
    return told
