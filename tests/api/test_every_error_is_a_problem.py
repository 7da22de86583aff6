"""Every error has one shape, whoever raised it and wherever it came from."""

from pathlib import Path
from typing import Any

import pytest
from conftest import NOW, Api, House
from flask import Flask
from flask.testing import FlaskClient
from published_marts import AccountFact, Marts, PostFact
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from api.queries.reader import Reader
from api.schemas import Problem

BIRD = AccountFact("bird")
POST = PostFact("a tweet", BIRD, NOW)


def every_rule(app: Flask) -> list[str]:
    return sorted({rule.rule for rule in app.url_map.iter_rules()})


def filled(rule: str) -> str:
    """An address that matches the rule."""
    for part, value in {
        "<any(linkedin,twitter):platform>": "twitter",
        "<uuid:post_id>": str(POST.post_id),
        "<token>": "no-such-token",
        "<path:_rest>": "somewhere",
        "<path:name>": "no-such-file.js",
    }.items():
        rule = rule.replace(part, value)
    assert "<" not in rule
    return rule


def assert_problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The one shape, validated by its model; returns the body."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = response.get_json()
    problem = Problem.model_validate(body)
    assert list(body) == ["type", "title", "status", "detail", "instance", "errors"]
    assert problem.status == status
    assert problem.type.startswith("urn:nexus-analytics:problem:")
    assert problem.detail
    assert "Traceback" not in response.get_data(as_text=True)
    return body


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app().test_client()


@pytest.fixture
def api(house: House) -> Api:
    house.publish(Marts([BIRD], [POST]))
    return house.client(house.user("ann@example.org", [BIRD]))


ANALYTICS = [
    "/api/analytics/overview",
    "/api/analytics/platform/twitter",
    "/api/analytics/posts",
    f"/api/analytics/posts/{POST.post_id}",
]


def test_all_routes_are_covered_here(house: House) -> None:
    rules = [rule for rule in every_rule(house.app()) if rule.startswith("/api/analytics")]
    assert sorted(map(filled, rules)) == sorted(ANALYTICS)


def test_a_method_that_an_address_does_not_take_is_405_on_every_address(house: House) -> None:
    app = house.app()
    for rule in every_rule(app):
        response = app.test_client().patch(filled(rule))
        assert_problem(response, 405)
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", [*ANALYTICS, "/api/session"])
def test_not_signed_in_is_401(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 401)


@pytest.mark.parametrize("path", [*ANALYTICS, "/api/session", "/api/health", "/api/openapi.json"])
def test_a_parameter_that_is_not_known_is_400_and_named(api: Api, path: str) -> None:
    body = assert_problem(api.ask(path, windw="7d"), 400)
    assert [error["field"] for error in body["errors"]] == ["windw"]


@pytest.mark.parametrize("path", ANALYTICS)
def test_nothing_published_is_503(house: House, path: str) -> None:
    assert_problem(house.client(house.user("ann@example.org", [BIRD])).ask(path), 503)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/nowhere",
        "/api/analytics/platform/myspace",
        "/api/analytics/posts/not-a-uuid",
        "/api/analytics/posts/00000000-0000-4000-8000-000000000000",
        "/static/no-such-file.js",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/",
    ],
)
def test_what_is_not_there_is_404(api: Api, path: str) -> None:
    body = assert_problem(api.ask(path), 404)
    assert body["instance"].startswith("/")


def test_a_defect_is_500_that_tells_the_log_and_not_the_caller(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Reader, "freshness", fail)
    with capture_logs() as logs:
        body = assert_problem(api.ask("/api/analytics/overview"), 500)
    assert "secret detail" not in str(body)
    (entry,) = [entry for entry in logs if entry["event"] == "request_failed"]
    assert "secret detail" in repr(entry["exc_info"])


def test_too_many_requests_are_429_with_the_standard_headers(house: House) -> None:
    house.settings.api_requests_per_minute = 3
    house.publish(Marts([BIRD]))
    app = house.app()
    user = house.user("ann@example.org", [BIRD])
    ann = house.client(user, app)
    bob = house.client(house.user("bob@example.org", [BIRD]), app)

    left = [
        ann.ask(path).headers["X-RateLimit-Remaining"]
        for path in ("/api/analytics/overview", "/api/analytics/posts", "/api/session")
    ]
    assert left == ["2", "1", "0"]
    refused = ann.ask("/api/analytics/overview")
    assert_problem(refused, 429)
    assert refused.headers["X-RateLimit-Limit"] == "3"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    # Another user, another key of the same user, and what is not counted.
    assert bob.ask("/api/analytics/overview").status_code == 200
    assert house.client(user, app).ask("/api/analytics/overview").status_code == 429
    assert [ann.ask("/api/health").status_code for _ in range(5)] == [200] * 5


def test_guesses_without_a_key_are_counted_by_address(house: House) -> None:
    house.settings.api_requests_per_minute = 2
    client = house.app().test_client()
    statuses = [client.get(f"/login/guess-{n}").status_code for n in range(3)]
    assert statuses == [303, 303, 429]


WRONG: dict[str, dict[str, str]] = {
    "window": {"window": "8d"},
    "from": {"window": "custom", "from": "2026-02-30", "to": "2026-03-01"},
    "to": {"window": "custom", "from": "2026-03-01", "to": "2999-01-01"},
    "tz": {"tz": "Mars/Olympus"},
    "compare": {"compare": "last year"},
    "match_weekday": {"match_weekday": "perhaps"},
    "lens": {"lens": "magnifying"},
    "accounts.0": {"accounts": "not-an-id"},
    "platform": {"platform": "myspace"},
}


@pytest.mark.parametrize(("field", "query"), WRONG.items(), ids=WRONG)
def test_a_wrong_parameter_is_400_and_named(api: Api, field: str, query: dict[str, str]) -> None:
    body = assert_problem(api.ask("/api/analytics/overview", **query), 400)
    assert field in [error["field"] for error in body["errors"]]


TOGETHER = {
    "custom without days": {"window": "custom"},
    "custom with one day": {"window": "custom", "from": "2026-03-01"},
    "days without custom": {"window": "7d", "from": "2026-03-01", "to": "2026-03-02"},
    "days the wrong way round": {"window": "custom", "from": "2026-03-02", "to": "2026-03-01"},
    "too long": {"window": "custom", "from": "2010-01-01", "to": "2026-03-01"},
    "published in 24 hours": {"window": "24h", "lens": "published"},
    "no accounts": {"accounts": ""},
}


@pytest.mark.parametrize("query", TOGETHER.values(), ids=TOGETHER)
def test_parameters_that_do_not_fit_together_are_400(api: Api, query: dict[str, str]) -> None:
    assert assert_problem(api.ask("/api/analytics/overview", **query), 400)["errors"]


@pytest.mark.parametrize(
    "query", ["window=7d&window=30d", "accounts=a&accounts=b", "tz=UTC&tz=UTC", "from_=2026-01-01"]
)
def test_a_parameter_given_twice_or_by_an_inner_name_is_400(api: Api, query: str) -> None:
    response = api.client.get(f"/api/analytics/overview?{query}", headers=api.headers)
    assert_problem(response, 400)


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "text; drop table posts"},
        {"sort": "nothing"},
        {"order": "up"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "ten"},
        {"offset": "-1"},
    ],
)
def test_a_wrong_page_is_400(api: Api, query: dict[str, str]) -> None:
    assert_problem(api.ask("/api/analytics/posts", **query), 400)


def test_a_dashboard_that_is_not_built_says_so(api: Api) -> None:
    assert "make install" in assert_problem(api.ask("/"), 404)["detail"]


def test_the_sign_in_token_is_not_told_again(house: House, tmp_path: Path) -> None:
    body = assert_problem(house.app().test_client().patch("/login/a-token"), 405)
    assert "a-token" not in str(body)
