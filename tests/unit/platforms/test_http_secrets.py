"""Tokens go to the platform and nowhere else: not into errors, not into logs, not over http."""

import pickle
import traceback
from typing import Any

import httpx
import pytest
import structlog

from ingest.addresses import check_base_url, is_loopback
from ingest.clock import ManualClock
from ingest.http import (
    ApiError,
    Call,
    HttpClient,
    NoPacing,
    open_transport,
)
from ingest.oauth import App, Consent, TokenGrant
from ingest.platforms.twitter import explain

from .harness import NOW, FakeTokens

SECRET = "s3cret-bearer-0123456789"


def client(handler: Any, *tokens: str) -> HttpClient:
    return HttpClient(
        "https://api.x.com",
        explain=explain,
        tokens=FakeTokens(*(tokens or (SECRET,))),
        pacer=NoPacing(),
        clock=ManualClock(NOW),
        sleep=lambda _: None,
        transport=httpx.MockTransport(handler),
    )


def all_of(error: BaseException) -> str:
    """Everything a crash report could show of an exception, its causes and their attributes."""
    seen, parts, queue = set(), [], [error]
    while queue:
        one = queue.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        parts += ["".join(traceback.format_exception(one)), repr(one), repr(vars(one))]
        request = getattr(one, "_request", None)
        parts.append(repr(request and dict(request.headers)))
        queue += [e for e in (one.__cause__, one.__context__) if e is not None]
    return "\n".join(parts)


def echo(request: httpx.Request) -> httpx.Response:
    told = request.headers["authorization"]
    return httpx.Response(403, json={"title": "Forbidden", "detail": "x" * 70 + told})


def cut(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError(f"cut with {request.headers['authorization']}", request=request)


@pytest.mark.parametrize("handler", [echo, cut])
def test_no_error_holds_the_token(handler: Any) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(ApiError) as caught:
        client(handler).get(Call("x.lookup", "/2/tweets?ids=1"))
    # A token may be cut where a message is; eight characters of it are already too many.
    for piece in (SECRET[:8], SECRET[-8:]):
        assert piece not in all_of(caught.value)
        assert piece not in repr(logs)


@pytest.mark.parametrize("token", ["", "two words", "line\nfeed", "ünïcode", "tab\there", "\x00"])
def test_a_token_that_is_none_is_refused_before_it_reaches_a_header(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        client(echo, token).get(Call("x.lookup", "/2/tweets?ids=1"))
    assert caught.value.kind == "token_expired"
    assert not token.strip() or token not in all_of(caught.value)


def test_messages_of_a_platform_are_fit_for_one_log_line() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"title": "a\nb\x1b[31m\u202e", "detail": "y" * 5_000})

    with pytest.raises(ApiError) as caught:
        client(answer).get(Call("x.lookup", "/"))
    assert caught.value.message.isprintable()
    assert len(caught.value.message) <= 300


def test_an_error_shows_what_it_is() -> None:
    with pytest.raises(ApiError) as caught:
        client(lambda _: httpx.Response(404, json={})).get(Call("x.lookup", "/"))
    shown = repr(caught.value)
    assert "not_found" in shown
    assert "x.lookup" in shown
    assert str(caught.value) == "X answered 404"


def test_tokens_do_not_show_in_what_holds_them() -> None:
    holders = [
        TokenGrant(SECRET, SECRET, None, None, ()),
        App("id", SECRET, "http://127.0.0.1/"),
        Consent(SECRET, SECRET, SECRET),
    ]
    assert SECRET not in repr(holders)
    assert SECRET in str(pickle.dumps(holders))  # they do hold it


@pytest.mark.parametrize(
    "url",
    [
        "https://api.x.com",
        "https://mirror.example/x/",
        "http://127.0.0.1:8020",
        "http://127.8.0.1",
        "http://localhost:9",
        "http://[::1]:9",
    ],
)
def test_https_and_this_machine_may_get_tokens(url: str) -> None:
    assert check_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.x.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://192.168.1.5",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "api.x.com",
        "",
        "https://",
        "https://user:secret@api.x.com",
        "https://api.x.com?token=1",
        "https://api.x.com/#x",
        "http://[::1",
        "https://api.x.com:notaport",
        "https://api.x.com:99999",
        "https://[.]",
        "http://127.0.0.1\\@api.x.com",
        "http://127.0.0.1%2eexample.com",
        "https://api.x.com/\n",
    ],
)
def test_any_other_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        check_base_url(url)


def test_loopback_is_told_by_address_and_by_name() -> None:
    assert is_loopback("http://localhost/")
    assert not is_loopback("https://api.x.com")


class Transport(httpx.MockTransport):
    """Knows whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_shared_transport_is_left_open(is_shared: bool, monkeypatch: Any) -> None:
    transport = Transport(lambda _: httpx.Response(200, json={}))
    monkeypatch.setattr("ingest.http.open_transport", lambda _: transport)
    HttpClient(
        "https://api.x.com",
        explain=explain,
        tokens=FakeTokens(),
        pacer=NoPacing(),
        clock=ManualClock(NOW),
        transport=transport if is_shared else None,
    ).close()
    assert transport.closed is not is_shared


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("https://api.x.com", {"https_proxy": "http://proxy.example:3128"}, "proxy.example"),
        ("https://api.x.com", {"all_proxy": "proxy.example:3128"}, "proxy.example"),
        ("https://api.x.com", {"http_proxy": "http://proxy.example:3128"}, None),
        ("https://api.x.com", {"https_proxy": "http://p.example", "no_proxy": "x.com"}, None),
        ("http://127.0.0.1:8020", {"http_proxy": "http://proxy.example:3128"}, None),
    ],
)
def test_the_environments_proxy_is_used_but_never_for_this_machine(
    url: str, environment: dict[str, str], expected: str | None, monkeypatch: Any
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[httpx.Proxy | str | None] = []
    monkeypatch.setattr("httpx.HTTPTransport", lambda proxy=None: asked.append(proxy))
    open_transport(url)
    assert [proxy and httpx.URL(str(proxy)).host for proxy in asked] == [expected]
