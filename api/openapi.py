"""OpenAPI 3.1, made from the very models that validate and answer."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from api.queries.params import Params
from api.routes.analytics import ENDPOINTS, Endpoint
from api.schemas import HealthAnswer, Model, Platform, Problem, SessionAnswer

_REF = "#/components/schemas/{model}"
_PATH_PART = re.compile(r"<(?:[^<>:]+:)?(\w+)>")
_PATH_TYPES: dict[str, TypeAdapter[Any]] = {
    "platform": TypeAdapter(Platform),
    "post_id": TypeAdapter(UUID),
}
#: Status -> what it means; which an operation can answer is listed there.
_PROBLEMS = {
    400: "A parameter is wrong; `errors` says which",
    401: "Not signed in",
    403: "The key lacks the scope, or an account is not among the caller's",
    404: "No such thing",
    429: "Too many requests; see Retry-After",
    503: "Nothing is published yet",
}
_ANALYTICS_PROBLEMS = (400, 401, 403, 404, 429, 503)
_SIGNED_IN: list[dict[str, list[str]]] = [{"apiKey": []}, {"session": []}]
_OPEN: list[dict[str, list[str]]] = []


def describe() -> dict[str, Any]:
    """The OpenAPI document of all routes under /api."""
    answers: list[type[Model]] = [
        *(endpoint.answer for endpoint in ENDPOINTS),
        SessionAnswer,
        HealthAnswer,
        Problem,
    ]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(answers)], ref_template=_REF
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nexus Analytics",
            "version": _version(),
            "summary": "How posts perform on LinkedIn and X, from data their owner keeps",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            **{_openapi_path(e.rule): {"get": _analytics(e)} for e in ENDPOINTS},
            "/api/session": {
                "get": _operation(
                    "getSession", "Who is signed in", SessionAnswer, (400, 401, 403, 429)
                ),
                "delete": {
                    "operationId": "deleteSession",
                    "summary": "Sign out",
                    "security": _OPEN,
                    "responses": {
                        "204": {"description": "Signed out"},
                        **_problem_responses((400, 429)),
                    },
                },
            },
            "/api/health": {
                "get": _operation(
                    "getHealth", "What is served", HealthAnswer, (400,), security=_OPEN
                )
            },
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "nexus_session"},
            },
        },
    }


def _analytics(endpoint: Endpoint) -> dict[str, Any]:
    operation = _operation(
        f"get{endpoint.name.capitalize()}", endpoint.summary, endpoint.answer, _ANALYTICS_PROBLEMS
    )
    operation["responses"]["304"] = {"description": "Unchanged since the ETag sent"}
    operation["parameters"] = [
        *_path_parameters(endpoint.rule),
        *_query_parameters(endpoint.params),
    ]
    return operation


def _operation(
    operation_id: str,
    summary: str,
    answer: type[Model],
    problems: Iterable[int],
    security: list[dict[str, list[str]]] = _SIGNED_IN,
) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "security": security,
        "responses": {
            "200": {
                "description": summary,
                "content": {"application/json": {"schema": _reference(answer)}},
            },
            **_problem_responses(problems),
        },
    }


def _problem_responses(problems: Iterable[int]) -> dict[str, Any]:
    return {
        str(status): {
            "description": _PROBLEMS[status],
            "content": {"application/problem+json": {"schema": _reference(Problem)}},
        }
        for status in problems
    }


def _reference(model: type[Model]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _openapi_path(rule: str) -> str:
    return _PATH_PART.sub(r"{\1}", rule)


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PATH_TYPES[name].json_schema(),
        }
        for name in _PATH_PART.findall(rule)
    ]


def _query_parameters(model: type[Params]) -> list[dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = model.model_json_schema().get("properties", {})
    return [_query_parameter(name, schema) for name, schema in properties.items()]


def _query_parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A query string has no null: leaving a parameter out is what `None` stands for."""
    described = dict(schema)
    description = described.pop("description", None)
    described.pop("title", None)
    options = [option for option in described.pop("anyOf", []) if option != {"type": "null"}]
    if options:
        described = {**options[0], **{k: v for k, v in described.items() if v is not None}}
        if described.get("default", "") is None:
            del described["default"]
    parameter: dict[str, Any] = {"name": name, "in": "query", "schema": described}
    if described.get("type") == "array":
        parameter |= {"style": "form", "explode": False}
    if description:
        parameter["description"] = description
    return parameter


def _version() -> str:
    try:
        return version("nexus-analytics")
    except PackageNotFoundError:
        return "0"
