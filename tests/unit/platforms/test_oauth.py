"""Consent and refresh, as each platform wants them, with a typed result for every answer."""

import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clock import ManualClock
from ingest.http import RawAnswer
from ingest.oauth import (
    App,
    Consent,
    Refused,
    Remedy,
    TokenEndpoint,
    TokenGrant,
    begin_consent,
    read_callback,
    read_token_answer,
    s256,
)
from ingest.platforms.linkedin import MEMBER_SCOPES, LinkedIn
from ingest.platforms.twitter import Twitter

from .harness import NOW

X, LINKEDIN = Twitter.provider, LinkedIn.provider
APP = App("client-1", "app-secret", "http://127.0.0.1:8477/callback")
PUBLIC_APP = App("client-1", None, "http://127.0.0.1:8477/callback")
X_ANSWER = {
    "token_type": "bearer",
    "expires_in": 7200,
    "access_token": "access-2",
    "scope": "users.read tweet.read offline.access",
    "refresh_token": "refresh-2",
}
LINKEDIN_ANSWER = {
    "access_token": "access-2",
    "expires_in": 5184000,
    "refresh_token": "refresh-1",
    "refresh_token_expires_in": 31536000,
    "scope": "r_organization_social,rw_organization_admin",
}


class Server:
    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def form(self) -> dict[str, str]:
        (request,) = self.requests
        return {key: value[0] for key, value in parse_qs(request.content.decode()).items()}


def endpoint(provider: Any, server: Server, app: App = APP) -> TokenEndpoint:
    return TokenEndpoint(provider, app, ManualClock(NOW), transport=httpx.MockTransport(server))


def answer(status: int, body: Any) -> Server:
    return Server(httpx.Response(status, json=body))


def query_of(consent: Consent) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(consent.url).query).items()}


# --- consent


def test_xs_consent_page_gets_a_pkce_challenge() -> None:
    consent = begin_consent(X, APP)
    assert consent.url.startswith("https://x.com/i/oauth2/authorize?response_type=code&")
    assert consent.code_verifier is not None
    assert query_of(consent) == {
        "response_type": "code",
        "client_id": "client-1",
        "redirect_uri": APP.redirect_uri,
        "scope": "tweet.read users.read offline.access",
        "state": consent.state,
        "code_challenge": s256(consent.code_verifier),
        "code_challenge_method": "S256",
    }
    assert "scope=tweet.read%20users.read%20offline.access" in consent.url


def test_linkedins_consent_page_gets_none() -> None:
    consent = begin_consent(LINKEDIN, APP, scopes=MEMBER_SCOPES)
    assert consent.url.startswith("https://www.linkedin.com/oauth/v2/authorization?")
    assert consent.code_verifier is None
    assert query_of(consent)["scope"] == " ".join(MEMBER_SCOPES)
    assert "code_challenge" not in consent.url


def test_the_challenge_is_the_one_of_the_standard() -> None:
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert s256(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_states_and_verifiers_are_fresh_and_of_the_length_allowed() -> None:
    consents = [begin_consent(X, APP) for _ in range(20)]
    assert len({consent.state for consent in consents}) == 20
    for consent in consents:
        assert consent.code_verifier is not None
        assert re.fullmatch(r"[A-Za-z0-9_-]{43,128}", consent.code_verifier)
        assert len(consent.state) <= 500


CONSENT = Consent("https://…", "state-1", "verifier-1")


def test_a_callback_with_the_right_state_gives_its_code() -> None:
    assert read_callback("state=state-1&code=abc", CONSENT) == "abc"


@pytest.mark.parametrize("query", ["code=abc", "state=&code=abc", "state=other&code=abc", "",
                                   "state=st%C3%A4te&code=abc", "state=%ff&code=abc"])  # fmt: skip
def test_a_callback_of_another_consent_is_refused(query: str) -> None:
    refused = read_callback(query, CONSENT)
    assert isinstance(refused, Refused)
    assert "does not belong" in refused.reason


@pytest.mark.parametrize("error", ["access_denied", "user_cancelled_login"])
def test_a_person_may_say_no(error: str) -> None:
    refused = read_callback(f"state=state-1&error={error}", CONSENT)
    assert refused == Refused(Remedy.CONSENT_AGAIN, f"the consent was not given: {error}")


def test_a_scope_that_the_app_lacks_is_the_apps_matter() -> None:
    query = "state=state-1&error=unauthorized_scope_error&error_description=Scope%20%22x%22"
    refused = read_callback(query, CONSENT)
    assert refused == Refused(Remedy.FIX_APP, 'the consent was not given: Scope "x"')


def test_a_callback_without_a_code_is_refused() -> None:
    assert isinstance(read_callback("state=state-1", CONSENT), Refused)
    assert isinstance(read_callback("state=state-1&code=", CONSENT), Refused)


# --- tokens


def test_x_gets_the_verifier_and_proof_of_the_app_in_the_header() -> None:
    server = answer(200, X_ANSWER)
    grant = endpoint(X, server).exchange("abc", CONSENT)
    (request,) = server.requests
    assert str(request.url) == "https://api.x.com/2/oauth2/token"
    assert request.method == "POST"
    basic = base64.b64encode(b"client-1:app-secret").decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    assert server.form == {
        "grant_type": "authorization_code",
        "code": "abc",
        "redirect_uri": APP.redirect_uri,
        "code_verifier": "verifier-1",
    }
    assert grant == TokenGrant(
        "access-2",
        "refresh-2",
        NOW + timedelta(hours=2),
        None,
        ("users.read", "tweet.read", "offline.access"),
    )


def test_a_public_client_names_itself_in_the_body() -> None:
    server = answer(200, X_ANSWER)
    endpoint(X, server, PUBLIC_APP).refresh("refresh-1")
    assert "authorization" not in server.requests[0].headers
    assert server.form["client_id"] == "client-1"
    assert "client_secret" not in server.form


def test_linkedin_gets_id_and_secret_in_the_body_and_never_basic() -> None:
    server = answer(200, LINKEDIN_ANSWER)
    consent = Consent("https://…", "state-1", None)
    grant = endpoint(LINKEDIN, server).exchange("abc", consent)
    assert "authorization" not in server.requests[0].headers
    assert str(server.requests[0].url) == "https://www.linkedin.com/oauth/v2/accessToken"
    assert server.form == {
        "grant_type": "authorization_code",
        "code": "abc",
        "redirect_uri": APP.redirect_uri,
        "client_id": "client-1",
        "client_secret": "app-secret",
    }
    assert isinstance(grant, TokenGrant)
    assert grant.expires_at == NOW + timedelta(days=60)
    assert grant.refresh_expires_at == NOW + timedelta(days=365)
    assert grant.scopes == ("r_organization_social", "rw_organization_admin")


def test_a_refresh_rotates_the_refresh_token() -> None:
    server = answer(200, X_ANSWER)
    grant = endpoint(X, server).refresh("refresh-1")
    assert server.form == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert isinstance(grant, TokenGrant)
    assert grant.refresh_token == "refresh-2"


def test_a_refresh_that_sends_no_new_refresh_token_leaves_the_old_one_valid() -> None:
    body = {key: value for key, value in X_ANSWER.items() if key != "refresh_token"}
    grant = endpoint(X, answer(200, body)).refresh("refresh-1")
    assert isinstance(grant, TokenGrant)
    assert grant.refresh_token == "refresh-1"


def test_a_grant_without_offline_access_has_no_refresh_token() -> None:
    body = {key: value for key, value in X_ANSWER.items() if key != "refresh_token"}
    grant = endpoint(X, answer(200, body)).exchange("abc", CONSENT)
    assert isinstance(grant, TokenGrant)
    assert grant.refresh_token is None


@pytest.mark.parametrize("error", ["invalid_request", "invalid_grant", "unauthorized_client", 5])
def test_any_400_on_a_refresh_means_to_consent_again(error: Any) -> None:
    body = {"error": error, "error_description": "Value passed for the token was invalid."}
    refused = endpoint(X, answer(400, body)).refresh("refresh-1")
    assert refused == Refused(
        Remedy.CONSENT_AGAIN,
        "the platform answered 400: Value passed for the token was invalid.",
    )


def test_a_wrong_app_secret_is_the_apps_matter() -> None:
    body = {"error": "unauthorized_client"}
    refused = endpoint(X, answer(401, body)).refresh("refresh-1")
    assert refused == Refused(Remedy.FIX_APP, "the platform answered 401: unauthorized_client")


@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(500),
        httpx.Response(503, html="<h1>"),
        httpx.Response(429),
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.Response(200, text="not json"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"access_token": 5}),
        httpx.Response(200, json={"access_token": "two words"}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
    ],
)
def test_everything_else_is_tried_later_and_only_once_now(fault: Any) -> None:
    server = Server(fault)
    refused = endpoint(X, server).refresh("refresh-1")
    assert isinstance(refused, Refused)
    assert refused.remedy == Remedy.TRY_LATER
    # A refresh token may be spent although its answer was lost: nothing is sent twice.
    assert len(server.requests) == 1


def test_no_reason_holds_a_secret_that_the_platform_echoes() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error_description": "x" * 150 + request.content.decode()})

    with TokenEndpoint(
        LINKEDIN, APP, ManualClock(NOW), transport=httpx.MockTransport(echo)
    ) as tokens:
        refused = tokens.refresh("refresh-secret-1")
    assert isinstance(refused, Refused)
    assert "refresh-s" not in refused.reason
    assert "app-s" not in refused.reason


@pytest.mark.parametrize("seconds", [None, 0, -5, True, 1.5, "soon", 10**15, [], "9" * 12])
def test_a_life_that_makes_no_sense_is_not_known(seconds: Any) -> None:
    raw = httpx.Response(200, json=X_ANSWER | {"expires_in": seconds})
    grant = read_token_answer(RawAnswer(200, {}, raw.content), None, NOW)
    assert isinstance(grant, TokenGrant)
    assert grant.expires_at is None


def test_a_life_told_as_text_is_read() -> None:
    raw = httpx.Response(200, json=X_ANSWER | {"expires_in": "7200"})
    grant = read_token_answer(RawAnswer(200, {}, raw.content), None, NOW)
    assert isinstance(grant, TokenGrant)
    assert grant.expires_at == NOW + timedelta(hours=2)


@given(st.integers(100, 599), st.binary(max_size=300))
def test_every_answer_has_a_typed_result(status: int, content: bytes) -> None:
    result = read_token_answer(RawAnswer(status, {}, content), "old", NOW)
    assert isinstance(result, TokenGrant | Refused)


def test_a_provider_may_be_moved_to_this_machine_and_not_to_plain_http() -> None:
    moved = X.moved_to("http://127.0.0.1:8020/")
    assert moved.authorize_url == "http://127.0.0.1:8020/i/oauth2/authorize"
    assert moved.token_url == "http://127.0.0.1:8020/2/oauth2/token"
    with pytest.raises(ValueError, match="https"):
        LINKEDIN.moved_to("http://linkedin.example")
