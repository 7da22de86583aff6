"""Consent, codes and tokens of both platforms."""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sandbox_asker import START, Asker
from werkzeug.test import TestResponse

CALLBACK = "http://127.0.0.1:8765/callback"
VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


def consent(asker: Asker, platform: str, **changed: str) -> TestResponse:
    query = {
        "response_type": "code",
        "client_id": "sandbox-client",
        "redirect_uri": CALLBACK,
        "state": "s1",
        "sandbox_user": "ana",
    }
    if platform == "twitter":
        query |= {
            "scope": "tweet.read users.read offline.access",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        path = "/i/oauth2/authorize"
    else:
        query |= {"scope": "r_organization_social rw_organization_admin"}
        path = "/oauth/v2/authorization"
    return asker.app.test_client().get(f"{path}?{urlencode(query | changed)}")


def answered(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def x_token(asker: Asker, basic: bool = True, **form: str) -> TestResponse:
    auth = ("sandbox-client", "sandbox-secret") if basic else None
    return asker.app.test_client().post("/2/oauth2/token", data=form, auth=auth)


def x_exchange(asker: Asker, code: str, **changed: str) -> TestResponse:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return x_token(asker, **(form | changed))


def linkedin_token(asker: Asker, **form: str) -> TestResponse:
    client = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    return asker.app.test_client().post("/oauth/v2/accessToken", data=client | form)


def linkedin_exchange(asker: Asker) -> TestResponse:
    code = answered(consent(asker, "linkedin"))["code"]
    return linkedin_token(asker, grant_type="authorization_code", code=code, redirect_uri=CALLBACK)


def later(asker: Asker, **span: float) -> None:
    asker.sandbox.clock.set(START + timedelta(**span))


# ---- X --------------------------------------------------------------------------------------


def test_a_consent_on_x_gives_a_token_that_reads_for_two_hours(fresh: Asker):
    back = answered(consent(fresh, "twitter"))
    assert back["state"] == "s1"
    token = x_exchange(fresh, back["code"]).json
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 7200
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert fresh.x("/2/users/me", bearer).json["data"]["id"] == fresh.profile.id
    later(fresh, hours=2)
    assert fresh.x("/2/users/me", bearer).status_code == 401


def test_a_refresh_token_of_x_works_once_and_the_next_one_comes_with_the_answer(fresh: Asker):
    first = x_exchange(fresh, answered(consent(fresh, "twitter"))["code"]).json["refresh_token"]
    renewed = x_token(fresh, grant_type="refresh_token", refresh_token=first).json
    assert renewed["refresh_token"] != first
    reused = x_token(fresh, grant_type="refresh_token", refresh_token=first)
    assert reused.status_code == 400
    assert reused.json == {
        "error": "invalid_request",
        "error_description": "Value passed for the token was invalid.",
    }
    again = x_token(fresh, grant_type="refresh_token", refresh_token=renewed["refresh_token"])
    assert again.status_code == 200


def test_without_offline_access_there_is_no_refresh_token(fresh: Asker):
    code = answered(consent(fresh, "twitter", scope="tweet.read users.read"))["code"]
    assert "refresh_token" not in x_exchange(fresh, code).json


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "another-verifier"},
        {"redirect_uri": "http://127.0.0.1:1/other"},
    ],
)
def test_a_code_needs_its_verifier_and_redirect_uri(fresh: Asker, changed: dict[str, str]):
    code = answered(consent(fresh, "twitter"))["code"]
    assert x_exchange(fresh, code, **changed).status_code == 400


def test_an_unknown_code_is_refused(fresh: Asker):
    assert x_exchange(fresh, "unknown").status_code == 400


def test_a_code_of_x_lives_thirty_seconds_and_works_once(fresh: Asker):
    code = answered(consent(fresh, "twitter"))["code"]
    assert x_exchange(fresh, code).status_code == 200
    assert x_exchange(fresh, code).status_code == 400
    code = answered(consent(fresh, "twitter"))["code"]
    later(fresh, seconds=31)
    assert x_exchange(fresh, code).status_code == 400


def test_a_confidential_client_of_x_needs_basic_and_a_public_one_its_id(fresh: Asker):
    refused = x_token(fresh, basic=False, grant_type="refresh_token", refresh_token="x")
    assert refused.status_code == 401
    assert refused.json["error_description"] == "Missing valid authorization header"
    refresh = fresh.sandbox.tokens.of(fresh.profile).refresh_token or ""
    public = x_token(
        fresh,
        basic=False,
        grant_type="refresh_token",
        refresh_token=refresh,
        client_id="sandbox-client",
    )
    assert public.status_code == 200


def test_a_revoked_token_of_x_is_401_and_cannot_be_refreshed(fresh: Asker):
    token = x_exchange(fresh, answered(consent(fresh, "twitter"))["code"]).json
    auth = ("sandbox-client", "sandbox-secret")
    fresh.app.test_client().post(
        "/2/oauth2/revoke", data={"token": token["access_token"]}, auth=auth
    )
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert fresh.x("/2/users/me", bearer).status_code == 401
    refresh = x_token(fresh, grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert refresh.status_code == 400


# ---- LinkedIn -------------------------------------------------------------------------------


def test_a_consent_on_linkedin_gives_sixty_days_and_a_refresh_token(fresh: Asker):
    token = linkedin_exchange(fresh).json
    assert token["expires_in"] == 60 * 86_400
    assert token["refresh_token_expires_in"] == 365 * 86_400
    bearer = f"Bearer {token['access_token']}"
    path = "/rest/organizationAcls?q=roleAssignee"
    assert fresh.linkedin(path, Authorization=bearer).status_code == 200
    later(fresh, days=60)
    assert fresh.linkedin(path, Authorization=bearer).json["serviceErrorCode"] == 65602


def test_refreshing_on_day_360_gives_five_days(fresh: Asker):
    refresh = linkedin_exchange(fresh).json["refresh_token"]
    later(fresh, days=360)
    renewed = linkedin_token(fresh, grant_type="refresh_token", refresh_token=refresh).json
    assert renewed["refresh_token"] == refresh
    assert renewed["expires_in"] == renewed["refresh_token_expires_in"] == 5 * 86_400
    later(fresh, days=365)
    over = linkedin_token(fresh, grant_type="refresh_token", refresh_token=refresh)
    assert over.status_code == 400


def test_linkedin_wants_client_id_and_secret_in_the_body(fresh: Asker):
    answer = fresh.app.test_client().post(
        "/oauth/v2/accessToken",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=("sandbox-client", "sandbox-secret"),
    )
    assert answer.status_code == 401
    assert answer.json["error"] == "invalid_client"


def test_a_scope_the_app_lacks_fails_the_whole_consent(fresh: Asker):
    back = answered(consent(fresh, "linkedin", scope="r_organization_social r_member_social"))
    assert back["error"] == "unauthorized_scope_error"
    assert "code" not in back


def test_scopes_decide_what_a_linkedin_token_may_read(fresh: Asker):
    code = answered(consent(fresh, "linkedin", scope="r_basicprofile"))["code"]
    token = linkedin_token(
        fresh, grant_type="authorization_code", code=code, redirect_uri=CALLBACK
    ).json["access_token"]
    path = f"/rest/posts?q=author&author={fresh.page.urn.replace(':', '%3A')}"
    assert fresh.linkedin(path, Authorization=f"Bearer {token}").status_code == 403


def test_introspection_tells_active_expired_and_revoked(fresh: Asker):
    token = linkedin_exchange(fresh).json["access_token"]

    def state() -> str:
        form = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "token": token}
        return fresh.app.test_client().post("/oauth/v2/introspectToken", data=form).json["status"]

    assert state() == "active"
    later(fresh, days=61)
    assert state() == "expired"
    fresh.sandbox.tokens.revoke(token)
    assert state() == "revoked"


# ---- the consent page -----------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["twitter", "linkedin"])
def test_without_a_choice_a_page_offers_the_accounts(fresh: Asker, platform: str):
    page = consent(fresh, platform, sandbox_user="")
    assert page.status_code == 200
    assert page.text.count("<li>") == {"twitter": 2, "linkedin": 3}[platform]


@pytest.mark.parametrize("platform", ["twitter", "linkedin"])
def test_cancelling_comes_back_with_an_error_and_the_state(fresh: Asker, platform: str):
    back = answered(consent(fresh, platform, sandbox_deny="1"))
    assert back["state"] == "s1"
    assert back["error"] in ("access_denied", "user_cancelled_authorize")


def test_a_member_account_can_be_chosen(fresh: Asker):
    back = answered(consent(fresh, "linkedin", sandbox_account="member:ana-lindqvist"))
    grant = fresh.sandbox.tokens.issue(fresh.sandbox.tokens.take_code(back["code"]), fresh.now)
    assert grant.account is fresh.member


def test_consent_without_a_click_is_a_setting(fresh: Asker):
    fresh.scenario(auto_consent="ben")
    back = answered(consent(fresh, "twitter", sandbox_user=""))
    token = x_exchange(fresh, back["code"]).json["access_token"]
    me = fresh.x("/2/users/me", {"Authorization": f"Bearer {token}"}).json
    assert me["data"]["username"] == "green_ben"


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://example.org/callback"},
        {"client_id": "someone-else"},
        {"code_challenge": ""},
        {"state": ""},
        {"response_type": "token"},
    ],
)
def test_a_broken_consent_request_is_shown_and_never_redirected(
    fresh: Asker, changed: dict[str, str]
):
    assert consent(fresh, "twitter", **changed).status_code == 400
