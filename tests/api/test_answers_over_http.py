"""Conditional requests, headers, the dashboard's files."""

import json
from pathlib import Path

import pytest
from conftest import NOW, Api, House
from published_marts import AccountFact, IncrementFact, Marts, PostFact

BIRD, OTHER = AccountFact("bird"), AccountFact("other")
POST = PostFact("a tweet", BIRD, NOW)
MARTS = Marts([BIRD, OTHER], [POST], [IncrementFact(POST, NOW, {"impressions": 5})])
ROUTES = [
    "/api/analytics/overview",
    "/api/analytics/platform/twitter",
    "/api/analytics/posts",
    f"/api/analytics/posts/{POST.post_id}",
]


@pytest.fixture
def api(house: House) -> Api:
    house.publish(MARTS)
    return house.client(house.user("ann@example.org", [BIRD, OTHER]))


def tag_of(api: Api, path: str = ROUTES[0], **query: str) -> str:
    return api.ask(path, **query).headers["ETag"]


@pytest.mark.parametrize("path", ROUTES)
def test_an_answer_that_the_caller_has_is_304_without_a_body(api: Api, path: str) -> None:
    headers = {**api.headers, "If-None-Match": tag_of(api, path)}
    again = api.client.get(path, headers=headers)
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == headers["If-None-Match"]
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Vary"] == "Authorization, Cookie"


@pytest.mark.parametrize("path", ROUTES)
def test_the_same_question_gives_the_same_bytes(api: Api, path: str) -> None:
    first, second = api.ask(path), api.ask(path)
    assert first.get_data() == second.get_data()
    assert first.headers["ETag"] == second.headers["ETag"]


def test_a_question_told_in_another_order_is_the_same_question(api: Api) -> None:
    one = api.client.get(f"{ROUTES[0]}?window=7d&compare=none", headers=api.headers)
    two = api.client.get(f"{ROUTES[0]}?compare=none&window=7d", headers=api.headers)
    assert one.headers["ETag"] == two.headers["ETag"]
    assert tag_of(api) == tag_of(api, window="30d")


@pytest.mark.parametrize(
    "query",
    [
        {"window": "7d"},
        {"tz": "Asia/Tokyo"},
        {"compare": "none"},
        {"match_weekday": "true"},
        {"platform": "twitter"},
        {"lens": "gained", "accounts": str(BIRD.account_id)},
    ],
)
def test_another_question_has_another_tag(api: Api, query: dict[str, str]) -> None:
    assert tag_of(api, **query) != tag_of(api)


def test_another_generation_user_or_membership_has_another_tag(house: House, api: Api) -> None:
    tags = {tag_of(api)}
    tags.add(tag_of(house.client(house.user("bob@example.org", [BIRD, OTHER]))))
    tags.add(tag_of(house.client(house.user("carl@example.org", [BIRD]))))
    house.publish(MARTS, generation=2)
    tags.add(tag_of(api))
    assert len(tags) == 4


@pytest.mark.parametrize("path", [*ROUTES, "/api/session", "/api/health", "/api/nowhere", "/"])
def test_every_answer_carries_the_security_headers(api: Api, path: str) -> None:
    headers = api.ask(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers


def test_health_tells_what_is_served_to_anyone(house: House) -> None:
    client = house.app().test_client()
    assert client.get("/api/health").get_json() == {
        "status": "nothing published",
        "generation": None,
        "published_at": None,
        "data_as_of": None,
    }
    house.publish(MARTS, generation=4)
    answer = client.get("/api/health").get_json()
    assert (answer["status"], answer["generation"]) == ("ok", 4)
    assert answer["data_as_of"] == "2026-03-10T12:00:00Z"


def test_the_session_is_told_before_anything_is_published(house: House) -> None:
    answer = house.client(house.user("ann@example.org", [BIRD])).get("/api/session")
    assert (answer["generation"], answer["accounts"]) == (None, [])


@pytest.fixture
def dashboard(house: House, tmp_path: Path) -> Api:
    house.static = tmp_path / "static"
    (house.static / "assets").mkdir(parents=True)
    (house.static / "index.html").write_text("<!doctype html><title>Nexus</title>")
    (house.static / "icon.svg").write_text("<svg/>")
    (house.static / "assets" / "index-abc123.js").write_text("let a")
    (tmp_path / "secret.txt").write_text("not for you")
    return house.client(house.user("ann@example.org", []))


@pytest.mark.parametrize("path", ["/", "/platform/twitter", "/posts/5c1e", "/?window=7d"])
def test_the_dashboards_page_is_at_each_of_its_addresses(dashboard: Api, path: str) -> None:
    response = dashboard.client.get(path, buffered=True)
    assert (response.status_code, response.mimetype) == (200, "text/html")
    assert response.headers["Cache-Control"] == "no-cache"


def test_files_named_by_their_content_are_kept_and_others_asked_for_anew(dashboard: Api) -> None:
    kept = dashboard.client.get("/static/assets/index-abc123.js", buffered=True)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert kept.mimetype == "text/javascript"
    assert dashboard.client.get("/static/icon.svg", buffered=True).headers["Cache-Control"] == (
        "no-cache"
    )


@pytest.mark.parametrize("name", ["../secret.txt", "%2e%2e/secret.txt", "assets/../../secret.txt"])
def test_nothing_outside_of_the_build_is_served(dashboard: Api, name: str) -> None:
    assert dashboard.client.get(f"/static/{name}").status_code == 404


def test_answers_are_strict_json(api: Api) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    for path in ROUTES:
        json.loads(api.ask(path).get_data(), parse_constant=refuse)
