"""Requests made up from the OpenAPI document: none breaks the API, each answer is as described.

A short form; `NEXUS_FUZZ_EXAMPLES` sets how many requests are made up per operation and mode.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from conftest import NOW, Api, House
from hypothesis import HealthCheck, given, settings
from published_marts import AccountFact, IncrementFact, Marts, PostFact
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from api.openapi import describe

EXAMPLES = int(os.environ.get("NEXUS_FUZZ_EXAMPLES", "12"))
BIRD, PAGE = AccountFact("bird"), AccountFact("page", "linkedin", "page")
POSTS = [PostFact("a tweet", BIRD, NOW), PostFact("a share", PAGE, NOW)]
#: An operation without parameters leaves nothing to get wrong.
CASES = [
    pytest.param(path, method, mode, id=f"{mode.value} {method} {path}")
    for path, methods in describe()["paths"].items()
    for method, operation in methods.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or "parameters" in operation
]
#: Rules between parameters (`from` belongs to window=custom) cannot be said in a schema.
NOT_SAID = [positive_data_acceptance]


@pytest.fixture
def api(house: House) -> Iterator[Api]:
    increments = [IncrementFact(post, NOW, {"impressions": 200, "likes": 3}) for post in POSTS]
    house.publish(Marts([BIRD, PAGE], POSTS, increments))
    return house.client(house.user("ann@example.org", [BIRD, PAGE]))


@pytest.mark.parametrize(("path", "method", "mode"), CASES)
def test_any_request_is_answered_as_described(
    api: Api, path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", api.client.application)
    operation = schema[path][method]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(headers=api.headers, excluded_checks=NOT_SAID)

    ask()
