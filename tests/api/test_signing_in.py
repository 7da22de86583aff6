"""Who gets in, by which door, and what each may see."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW, Api, House
from flask.testing import FlaskClient
from published_marts import AccountFact, Marts, PostFact
from structlog.testing import capture_logs

from execution.control import access
from execution.control.models import AccountMember, ApiKey

ANNS, BOBS = AccountFact("anns"), AccountFact("bobs", "linkedin", "page")
SHARED = AccountFact("shared")
BOBS_POST = PostFact("bobs post", BOBS, NOW)


@pytest.fixture
def published(house: House) -> House:
    house.publish(Marts([ANNS, BOBS, SHARED], [BOBS_POST]))
    return house


def open_link(client: FlaskClient, token: str) -> Any:
    return client.get(f"/login/{token}")


def test_a_one_time_link_signs_a_browser_in(published: House) -> None:
    user = published.user("ann@example.org", [ANNS], "Europe/Berlin")
    browser = published.app().test_client()
    assert browser.get("/api/session").status_code == 401

    response = open_link(browser, published.link(user))
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert response.headers["Cache-Control"] == "no-store"

    answer = browser.get("/api/session").get_json()
    assert answer["user"] == {"name": "ann@example.org", "timezone": "Europe/Berlin"}
    assert answer["authentication"] == "session"
    assert [account["handle"] for account in answer["accounts"]] == ["anns"]
    assert browser.get("/api/analytics/overview").status_code == 200


@pytest.mark.parametrize("public_url", ["https://nexus.example.org", None])
def test_the_cookie_is_secure_where_people_come_by_https(
    published: House, public_url: str | None
) -> None:
    published.settings.public_url = public_url
    link = published.link(published.user("ann@example.org", [ANNS]))
    base = None if public_url else "https://localhost"
    response = published.app().test_client().get(f"/login/{link}", base_url=base)
    assert "Secure" in response.headers["Set-Cookie"]


def test_a_link_works_once(published: House) -> None:
    app = published.app()
    link = published.link(published.user("ann@example.org", [ANNS]))
    assert open_link(app.test_client(), link).headers["Location"] == "/"
    second = app.test_client()
    assert open_link(second, link).headers["Location"] == "/?signin=expired"
    assert second.get("/api/session").status_code == 401


def test_a_used_link_does_not_bother_who_is_signed_in_already(published: House) -> None:
    browser = published.app().test_client()
    link = published.link(published.user("ann@example.org", [ANNS]))
    open_link(browser, link)
    assert open_link(browser, link).headers["Location"] == "/"


def test_a_link_preview_does_not_use_the_link_up(published: House) -> None:
    app = published.app()
    link = published.link(published.user("ann@example.org", [ANNS]))
    preview = app.test_client().head(f"/login/{link}")
    assert "Set-Cookie" not in preview.headers
    assert open_link(app.test_client(), link).headers["Location"] == "/"


def test_a_link_expires(published: House) -> None:
    link = published.link(published.user("ann@example.org", [ANNS]))
    published.now = NOW + access.LOGIN_LINK_LIFE
    response = open_link(published.app().test_client(), link)
    assert "Set-Cookie" not in response.headers


def test_a_session_expires(published: House) -> None:
    browser = published.app().test_client()
    open_link(browser, published.link(published.user("ann@example.org", [ANNS])))
    published.now = NOW + access.SESSION_LIFE - timedelta(seconds=1)
    assert browser.get("/api/session").status_code == 200
    published.now = NOW + access.SESSION_LIFE
    assert browser.get("/api/session").status_code == 401


def test_signing_out_ends_the_session_on_the_server(published: House) -> None:
    app = published.app()
    browser = app.test_client()
    open_link(browser, published.link(published.user("ann@example.org", [ANNS])))
    stolen = browser.get_cookie("nexus_session")
    assert stolen is not None
    assert browser.delete("/api/session").status_code == 204
    assert browser.get("/api/session").status_code == 401
    thief = app.test_client()
    thief.set_cookie("nexus_session", stolen.value)
    assert thief.get("/api/session").status_code == 401


def test_an_api_key_is_shown_to_be_one(published: House) -> None:
    answer = published.client(published.user("ann@example.org", [ANNS])).get("/api/session")
    assert (answer["authentication"], answer["scopes"]) == ("api_key", ["read"])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + "x" * 10_000, "Basic YTpi", "nxa_key"],
)
def test_a_wrong_authorization_is_401_with_how_to_sign_in(published: House, header: str) -> None:
    response = (
        published.app()
        .test_client()
        .get("/api/analytics/overview", headers={"Authorization": header})
    )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "nexus api-key" in response.get_json()["detail"]


def test_a_wrong_key_is_not_made_up_for_by_a_cookie(published: House) -> None:
    browser = published.app().test_client()
    open_link(browser, published.link(published.user("ann@example.org", [ANNS])))
    wrong = {"Authorization": "Bearer wrong"}
    assert browser.get("/api/analytics/overview", headers=wrong).status_code == 401


def test_a_revoked_key_ends_with_the_next_request(published: House) -> None:
    api = published.client(published.user("ann@example.org", [ANNS]))
    api.overview()
    with published.store.begin() as session:
        for key in session.query(ApiKey):
            key.revoked_at = NOW
    assert api.ask("/api/analytics/overview").status_code == 401


def test_a_key_without_the_scope_is_403(published: House) -> None:
    user = published.user("ann@example.org", [ANNS])
    api = Api(published.app().test_client(), published.key(user, scopes=["export:content"]))
    response = api.ask("/api/analytics/overview")
    assert response.status_code == 403
    assert "`read`" in response.get_json()["detail"]


def test_each_user_sees_only_the_accounts_it_is_a_member_of(published: House) -> None:
    app = published.app()
    ann = published.client(published.user("ann@example.org", [ANNS, SHARED]), app)
    bob = published.client(published.user("bob@example.org", [BOBS, SHARED]), app)
    carl = published.client(published.user("carl@example.org", []), app)

    def handles(api: Api) -> list[str]:
        return [account["handle"] for account in api.overview()["accounts"]]

    assert handles(ann) == ["anns", "shared"]
    assert handles(bob) == ["bobs", "shared"]
    assert handles(carl) == []


def test_an_account_of_others_and_one_that_does_not_exist_look_the_same(published: House) -> None:
    ann = published.client(published.user("ann@example.org", [ANNS]))
    answers = [
        ann.ask("/api/analytics/overview", accounts=str(account.account_id))
        for account in (BOBS, AccountFact("no such"))
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].get_data() == answers[1].get_data()


def test_a_post_of_others_and_one_that_does_not_exist_look_the_same(published: House) -> None:
    ann = published.client(published.user("ann@example.org", [ANNS]))
    answers = [
        ann.ask(f"/api/analytics/posts/{post.post_id}").get_json()
        for post in (BOBS_POST, PostFact("no such", ANNS, NOW))
    ]
    assert [answer.pop("instance").startswith("/api/") for answer in answers] == [True, True]
    assert answers[0] == answers[1]
    assert answers[0]["status"] == 404


def test_a_membership_that_ends_ends_with_the_next_request(published: House) -> None:
    api = published.client(published.user("ann@example.org", [ANNS, SHARED]))
    tag = api.ask("/api/analytics/overview").headers["ETag"]
    with published.store.begin() as session:
        for member in session.query(AccountMember).where(
            AccountMember.account_id == SHARED.account_id
        ):
            session.delete(member)
    response = api.client.get(
        "/api/analytics/overview", headers={**api.headers, "If-None-Match": tag}
    )
    assert response.status_code == 200
    assert [account["handle"] for account in response.get_json()["accounts"]] == ["anns"]


def test_no_secret_and_no_sign_in_path_is_logged(published: House) -> None:
    user = published.user("ann@example.org", [ANNS])
    link, key = published.link(user), published.key(user)
    with capture_logs() as logs:
        browser = published.app().test_client()
        open_link(browser, link)
        open_link(browser, link + "x")
        cookie = browser.get_cookie("nexus_session")
        browser.get("/api/session", headers={"Authorization": f"Bearer {key}"})
        browser.get("/api/nowhere", headers={"Authorization": f"Bearer {key}"})
    assert cookie is not None
    assert len(logs) >= 4
    for secret in (link, key, cookie.value):
        assert secret not in str(logs)
