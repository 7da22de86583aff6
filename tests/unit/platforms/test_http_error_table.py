"""The error table of directive 5.1 and what the platforms add: action, tries, result."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from ingest.clock import ManualClock
from ingest.http import RULES, Answer, ApiError, BudgetExhausted, Call, ErrorKind, HttpClient
from ingest.platforms.linkedin import explain as explain_linkedin
from ingest.platforms.twitter import explain as explain_x

from .harness import NOW, CountingPacer, FakeTokens, Scripted

OK = httpx.Response(200, json={"data": []})
CALL = Call("x.lookup", "/2/tweets?ids=1")
REFUSED = {"title": "Unauthorized", "type": "about:blank", "status": 401}


def status(code: int, body: Any = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, json=body or {}, headers=named)


class Client:
    """An HttpClient on a script, with what it did."""

    def __init__(self, *script: httpx.Response | Exception, tokens: FakeTokens | None = None,
                 pacer: CountingPacer | None = None, platform: str = "x") -> None:  # fmt: skip
        self.server = Scripted(script)
        self.tokens = tokens or FakeTokens()
        self.pacer = pacer or CountingPacer()
        self.clock = ManualClock(NOW)
        self.sleeps: list[float] = []
        explain = explain_x if platform == "x" else lambda r: explain_linkedin(r, "202607")
        self.http = HttpClient(
            "https://api.x.com",
            explain=explain,
            tokens=self.tokens,
            pacer=self.pacer,
            clock=self.clock,
            sleep=self.sleeps.append,
            transport=httpx.MockTransport(self.server),
        )

    @property
    def tries(self) -> int:
        return len(self.server.requests)

    def get(self) -> Answer:
        return self.http.get(CALL)

    def fail(self) -> ApiError:
        with pytest.raises(ApiError) as caught:
            self.get()
        return caught.value


def test_401_refreshes_the_token_once_and_retries_at_once() -> None:
    client = Client(status(401, REFUSED), OK)
    client.get()
    assert client.tries == 2
    assert client.tokens.refreshes == 1
    assert client.server.requests[1].headers["authorization"] == "Bearer token-2"
    assert client.sleeps == [0]


def test_a_second_401_after_the_refresh_is_reported_and_not_refreshed_again() -> None:
    client = Client(status(401, REFUSED))
    error = client.fail()
    assert (error.kind, error.status, error.endpoint) == ("token_expired", 401, "x.lookup")
    assert (client.tries, client.tokens.refreshes) == (2, 1)
    assert error.stops


def test_401_that_cannot_be_refreshed_says_what_the_token_source_says() -> None:
    client = Client(status(401, REFUSED), tokens=FakeTokens("only"))
    error = client.fail()
    assert (error.kind, error.message) == ("token_expired", "connect the account again")
    assert client.tries == 1


def test_429_backs_off_three_times_and_then_reports_a_cooldown_of_15_minutes() -> None:
    client = Client(status(429, {"title": "Too Many Requests"}, x_rate_limit_remaining="3"))
    error = client.fail()
    assert error.kind == "rate_limited"
    assert client.tries == 4
    assert len(client.sleeps) == 3
    assert client.sleeps == sorted(client.sleeps)
    assert client.sleeps[0] >= 2
    assert error.until == NOW + timedelta(minutes=15)
    assert error.stops


def test_429_that_passes_is_forgotten() -> None:
    client = Client(status(429), status(429), OK)
    client.get()
    assert client.tries == 3


def test_429_with_a_reset_far_away_is_not_retried() -> None:
    reset = str(int(NOW.timestamp()) + 20 * 60)
    client = Client(status(429, {}, x_rate_limit_remaining="0", x_rate_limit_reset=reset))
    error = client.fail()
    assert (client.tries, client.sleeps) == (1, [])
    assert error.until == NOW + timedelta(minutes=20)


def test_429_with_a_reset_nearer_than_the_cooldown_still_cools_down_15_minutes() -> None:
    reset = str(int(NOW.timestamp()) + 120)
    client = Client(status(429, {}, x_rate_limit_remaining="0", x_rate_limit_reset=reset))
    assert client.fail().until == NOW + timedelta(minutes=15)
    assert client.tries == 1


def test_429_with_a_reset_within_30_seconds_waits_for_it() -> None:
    reset = str(int(NOW.timestamp()) + 25)
    client = Client(status(429, {}, x_rate_limit_remaining="0", x_rate_limit_reset=reset), OK)
    client.get()
    assert client.sleeps == [25.0]


def test_429_with_calls_remaining_is_not_about_the_window_whose_reset_it_shows() -> None:
    reset = str(int(NOW.timestamp()) + 600)
    client = Client(status(429, {}, x_rate_limit_remaining="899", x_rate_limit_reset=reset), OK)
    client.get()
    assert client.tries == 2


def test_a_reset_is_read_by_the_platforms_clock_where_ours_is_wrong() -> None:
    server_now = NOW + timedelta(hours=1)
    client = Client(
        status(
            429,
            {},
            x_rate_limit_remaining="0",
            x_rate_limit_reset=str(int(server_now.timestamp()) + 20),
            date=f"{server_now:%a, %d %b %Y %H:%M:%S} GMT",
        ),
        OK,
    )
    client.get()
    assert client.sleeps == [20.0]


@pytest.mark.parametrize("reset", ["", "soon", "-5", "0", "9" * 40, "٣", "99999999999"])
def test_a_reset_that_makes_no_sense_is_as_good_as_none(reset: str) -> None:
    headers = {b"x-rate-limit-remaining": b"0", b"x-rate-limit-reset": reset.encode()}
    client = Client(httpx.Response(429, json={}, headers=headers))
    assert client.fail().until == NOW + timedelta(minutes=15)
    assert client.tries == 4


@pytest.mark.parametrize("value", ["600", "Sun, 22 Nov 2026 15:20:00 GMT"])
def test_retry_after_in_either_form_far_away_is_not_retried(value: str) -> None:
    client = Client(status(429, {}, retry_after=value))
    error = client.fail()
    assert client.tries == 1
    assert error.until == NOW + timedelta(minutes=15)


def test_retry_after_within_30_seconds_is_waited_for() -> None:
    client = Client(status(503, {}, retry_after="12"), OK)
    client.get()
    assert client.sleeps == [12.0]


def test_503_with_a_long_retry_after_is_a_cooldown_and_not_a_skip() -> None:
    client = Client(status(503, {}, retry_after="3600"))
    error = client.fail()
    assert client.tries == 1
    assert (error.kind, error.until) == ("server_error", NOW + timedelta(hours=1))
    assert error.stops


@pytest.mark.parametrize("code", [500, 502, 503, 504, 599])
def test_5xx_is_tried_twice_more_and_then_skipped(code: int) -> None:
    client = Client(httpx.Response(code, html="<h1>Oops</h1>"))
    error = client.fail()
    assert (client.tries, len(client.sleeps)) == (3, 2)
    assert (error.kind, error.status, error.stops) == ("server_error", code, False)


def test_404_is_not_retried() -> None:
    client = Client(status(404, {"title": "Not Found"}))
    error = client.fail()
    assert (client.tries, client.sleeps) == (1, [])
    assert (error.kind, error.stops) == ("not_found", False)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.PoolTimeout("full"),
    ],
)
def test_network_errors_and_timeouts_are_tried_five_times_more(fault: Exception) -> None:
    client = Client(fault)
    error = client.fail()
    assert (client.tries, len(client.sleeps)) == (6, 5)
    assert (error.kind, error.status, error.stops) == ("network", None, True)


def test_a_network_error_that_passes_is_forgotten() -> None:
    client = Client(*[httpx.ReadTimeout("slow")] * 5, OK)
    client.get()
    assert client.tries == 6


CREDITS = {
    "type": "https://api.twitter.com/2/problems/credits",
    "title": "CreditsDepleted",
    "detail": "Your enrolled account [2059] does not have any credits to fulfill this request.",
}
CAPPED = {
    "account_id": 1,
    "product_name": "standard-basic",
    "title": "UsageCapExceeded",
    "period": "Monthly",
    "scope": "Product",
    "detail": "Usage cap exceeded: Monthly product cap",
    "type": "https://api.twitter.com/2/problems/usage-capped",
}


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (402, CREDITS),
        (402, {}),
        (403, CREDITS),
        (429, CAPPED),
        (429, {"type": "https://api.x.com/2/problems/usage-capped"}),
        (429, {"title": "UsageCapExceeded"}),
    ],
)
def test_spent_credits_and_caps_stop_the_connection_at_once(code: int, body: Any) -> None:
    client = Client(status(code, body, x_rate_limit_remaining="880"))
    error = client.fail()
    assert client.tries == 1
    assert (error.kind, error.stops) == ("usage_capped", True)


def test_403_is_not_retried() -> None:
    client = Client(status(403, {"title": "Client Forbidden", "detail": "attach a Project"}))
    error = client.fail()
    assert (client.tries, error.kind, error.stops) == (1, "forbidden", True)
    assert error.message == "X answered 403: Client Forbidden: attach a Project"


def test_400_is_not_retried_and_says_what_x_says() -> None:
    body = {
        "errors": [{"message": "The `ids` query parameter value [abc] is not valid"}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
    }
    client = Client(status(400, body))
    error = client.fail()
    assert (client.tries, error.kind) == (1, "bad_request")
    assert "[abc] is not valid" in error.message


def test_426_says_in_one_sentence_what_to_set() -> None:
    body = {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version …"}
    client = Client(status(426, body), platform="linkedin")
    error = client.fail()
    assert (client.tries, error.kind, error.stops) == (1, "version_sunset", True)
    assert error.message == (
        "LinkedIn no longer serves API version 202607: "
        "set a newer LinkedIn version (YYYYMM) in the settings."
    )


@pytest.mark.parametrize(
    ("code", "kind", "tries", "refreshes"),
    [
        (65600, "token_expired", 2, 1),
        (65602, "token_expired", 2, 1),
        (401, "token_expired", 2, 1),
        (65601, "token_revoked", 1, 0),
    ],
)
def test_linkedins_401_codes_are_told_apart(
    code: int, kind: str, tries: int, refreshes: int
) -> None:
    body = {"status": 401, "serviceErrorCode": code, "message": "…"}
    client = Client(status(401, body), platform="linkedin")
    assert client.fail().kind == kind
    assert (client.tries, client.tokens.refreshes) == (tries, refreshes)


@pytest.mark.parametrize("level", ["APPLICATION DAY limit", "MEMBER DAY limit"])
def test_linkedins_daily_throttle_waits_for_midnight_utc(level: str) -> None:
    message = f"Resource level throttle {level} for calls to this resource is reached."
    client = Client(status(429, {"message": message}), platform="linkedin")
    error = client.fail()
    assert client.tries == 1
    assert error.until == NOW.replace(hour=0, minute=0) + timedelta(days=1)


def test_linkedins_other_throttle_is_backed_off_and_cooled_down() -> None:
    message = "Resource level throttle limit for calls to this resource is reached."
    client = Client(status(429, {"message": message}), platform="linkedin")
    assert client.fail().until == NOW + timedelta(minutes=15)
    assert client.tries == 4


@pytest.mark.parametrize(
    "content",
    [b"<html>hello</html>", b'{"data": [', b"", b"\xff\xfe", b"[1]", b"null", b'"text"',
     b"[" * 200_000, b"9" * 10_000],
)  # fmt: skip
def test_a_200_that_is_no_json_object_is_tried_twice_more_and_then_skipped(content: bytes) -> None:
    client = Client(httpx.Response(200, content=content))
    error = client.fail()
    assert client.tries == 3
    assert (error.kind, error.status, error.stops) == ("bad_response", 200, False)


def test_a_body_that_cannot_be_unpacked_is_a_bad_response() -> None:
    def packed(_: httpx.Request) -> httpx.Response:
        stream = _Stream(b"not gzip")
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=stream)

    client = Client(OK)
    client.http = _client_of(packed)
    assert client.fail().kind == "bad_response"


def test_a_huge_body_is_cut_off() -> None:
    pieces = 0

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            nonlocal pieces
            while True:
                pieces += 1
                yield b" " * 1_048_576

    client = Client(OK)
    client.http = _client_of(lambda _: httpx.Response(200, stream=Endless()))
    error = client.fail()
    assert error.kind == "bad_response"
    assert pieces <= 3 * 34


def test_an_answer_that_drips_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 100_000, 50))
    monkeypatch.setattr("ingest.http.time.monotonic", lambda: float(next(ticks)))
    client = Client(OK)
    client.http = _client_of(lambda _: httpx.Response(200, stream=_Stream(*[b" "] * 50)))
    assert client.fail().kind == "network"


class _Stream(httpx.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks

    def __iter__(self) -> Any:
        return iter(self.chunks)


def _client_of(handler: Any) -> HttpClient:
    return HttpClient(
        "https://api.x.com",
        explain=explain_x,
        tokens=FakeTokens(),
        pacer=CountingPacer(),
        clock=ManualClock(NOW),
        sleep=lambda _: None,
        transport=httpx.MockTransport(handler),
    )


@pytest.mark.parametrize("code", [201, 204, 301, 302, 405, 409, 410, 418, 451])
def test_any_other_status_is_reported_and_not_followed(code: int) -> None:
    client = Client(httpx.Response(code, headers={"location": "https://evil.example/"}))
    error = client.fail()
    assert (client.tries, error.kind, error.status) == (1, "bad_request", code)


def test_different_errors_are_counted_apart() -> None:
    client = Client(status(500), status(429), httpx.ReadTimeout("slow"), status(500), OK)
    client.get()
    assert client.tries == 5


def test_an_exhausted_budget_ends_the_call_before_a_request() -> None:
    client = Client(OK, pacer=CountingPacer(budget=0))
    error = client.fail()
    assert isinstance(error, BudgetExhausted)
    assert (error.kind, error.until, client.tries) == ("budget_exhausted", NOW, 0)


@pytest.mark.parametrize("token", [None, "two words"])
def test_a_call_without_a_usable_token_takes_nothing_from_the_budget(token: str | None) -> None:
    class Ended(FakeTokens):
        def access_token(self) -> str:
            raise ApiError(ErrorKind.TOKEN_EXPIRED, "connect the account again")

    client = Client(OK, tokens=Ended() if token is None else FakeTokens(token))
    assert client.fail().kind == "token_expired"
    assert (client.tries, client.pacer.before_calls) == (0, [])


def test_retries_take_from_the_budget_too() -> None:
    client = Client(status(500), pacer=CountingPacer(budget=2))
    assert client.fail().kind == "budget_exhausted"
    assert client.tries == 2


def test_the_pacer_hears_of_every_answer_and_of_the_posts_in_it() -> None:
    client = Client(
        status(500), httpx.Response(200, json={"n": 3}, headers={"x-rate-limit-remaining": "7"})
    )
    client.http.get(Call("x.lookup", "/2/tweets?ids=1", count_posts=lambda body: body["n"]))
    assert client.pacer.before_calls == ["x.lookup"] * 2
    assert client.pacer.answers == [("x.lookup", 0), ("x.lookup", 3)]
    assert client.pacer.headers[1]["X-Rate-Limit-Remaining"] == "7"


def test_the_pacer_hears_nothing_where_no_answer_came() -> None:
    client = Client(httpx.ReadTimeout("slow"), OK)
    client.get()
    assert len(client.pacer.before_calls) == 2
    assert len(client.pacer.answers) == 1


def test_every_kind_of_error_has_a_rule() -> None:
    assert set(RULES) == set(ErrorKind)
