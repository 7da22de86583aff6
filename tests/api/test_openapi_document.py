"""The OpenAPI document says what the API does, and the API does what it says."""

import re
from typing import Any

import pytest
from conftest import NOW, House
from flask import Flask
from published_marts import AccountFact, IncrementFact, Marts, PostFact

from api import schemas
from api.openapi import describe
from api.queries.params import OverviewParams, PostsParams
from api.schemas import Problem

BIRD = AccountFact("bird")
POST = PostFact("a tweet", BIRD, NOW)


@pytest.fixture
def document() -> dict[str, Any]:
    return describe()


def test_every_route_below_api_is_described(house: House, document: dict[str, Any]) -> None:
    app: Flask = house.app()
    served = {
        (re.sub(r"<(?:.*:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.rule != "/api/openapi.json"
        for method in rule.methods or ()
        if method not in {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method) for path, methods in document["paths"].items() for method in methods
    }
    assert described == served


def test_the_document_is_served_to_anyone(house: House, document: dict[str, Any]) -> None:
    assert house.app().test_client().get("/api/openapi.json").get_json() == document


def test_every_parameter_is_described_with_its_default(document: dict[str, Any]) -> None:
    for path, model in (("overview", OverviewParams), ("posts", PostsParams)):
        parameters = document["paths"][f"/api/analytics/{path}"]["get"]["parameters"]
        by_name = {parameter["name"]: parameter for parameter in parameters}
        names = {field.alias or name for name, field in model.model_fields.items()}
        assert set(by_name) == names
        assert by_name["window"]["schema"]["default"] == "30d"
        assert by_name["window"]["schema"]["enum"] == ["24h", "7d", "30d", "90d", "custom"]
        assert by_name["from"]["schema"]["format"] == "date"
        assert "null" not in str(by_name)


def test_every_key_of_every_answer_is_always_there(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if "properties" in schema:
            assert set(schema["required"]) == set(schema["properties"]), name


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    found = references(document)
    assert found
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_every_error_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/api/analytics/overview", schemas.OverviewAnswer),
        ("/api/analytics/platform/twitter", schemas.PlatformAnswer),
        ("/api/analytics/posts", schemas.PostsAnswer),
        (f"/api/analytics/posts/{POST.post_id}", schemas.PostDetailAnswer),
        ("/api/session", schemas.SessionAnswer),
        ("/api/health", schemas.HealthAnswer),
    ],
)
def test_an_answer_is_of_its_model(house: House, path: str, model: type[schemas.Model]) -> None:
    house.publish(Marts([BIRD], [POST], [IncrementFact(POST, NOW, {"impressions": 5})]))
    response = house.client(house.user("ann@example.org", [BIRD])).ask(path)
    assert model.model_validate_json(response.get_data())
    assert Problem.model_fields.keys().isdisjoint({"trace", "exception"})
