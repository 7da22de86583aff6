"""Rest.li query strings: structure raw, values percent-encoded exactly once."""

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sandbox.restli import RestliSyntaxError, Value, parse_query

LEAVES = st.text(min_size=1, max_size=20).filter(lambda text: "%" not in text)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(LEAVES, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def spelled(value: Value) -> str:
    """A value as Rest.li 2.0 writes it."""
    if isinstance(value, str):
        return quote(value, safe="")
    if isinstance(value, list):
        return f"List({','.join(map(spelled, value))})"
    return f"({','.join(f'{spelled(k)}:{spelled(v)}' for k, v in value.items())})"


@given(st.dictionaries(st.from_regex(r"[a-zA-Z]{1,9}", fullmatch=True), VALUES, max_size=4))
def test_what_is_written_by_the_rules_is_read_back(parameters: dict[str, Value]):
    raw = "&".join(f"{name}={spelled(value)}" for name, value in parameters.items())
    assert parse_query(raw) == parameters


def test_the_documented_examples_are_read():
    raw = (
        "q=organizationalEntity&organizationalEntity=urn%3Ali%3Aorganization%3A1"
        "&shares=List(urn%3Ali%3Ashare%3A1,urn%3Ali%3Ashare%3A2)"
        "&timeIntervals=(timeRange:(start:1,end:2),timeGranularityType:DAY)"
    )
    assert parse_query(raw) == {
        "q": "organizationalEntity",
        "organizationalEntity": "urn:li:organization:1",
        "shares": ["urn:li:share:1", "urn:li:share:2"],
        "timeIntervals": {"timeRange": {"start": "1", "end": "2"}, "timeGranularityType": "DAY"},
    }


@pytest.mark.parametrize(
    "raw",
    [
        "a=urn:li:share:1",
        "a=List(urn%3Ali",
        "a=List(x,y))",
        "a=(k:v",
        "a=(k)",
        "a=x%2",
        "a=x%253A",
        "a=sp ace",
        "a=%FF",
        "a",
        "a=1&a=2",
        "a%3D=1",
        "a=List(x)y",
        "a='x'",
    ],
)
def test_broken_spelling_is_refused(raw: str):
    with pytest.raises(RestliSyntaxError):
        parse_query(raw)


@given(st.text(alphabet="aList(),:%3A&=é'", max_size=30))
def test_nothing_but_the_syntax_error_is_ever_raised(raw: str):
    with contextlib.suppress(RestliSyntaxError):
        parse_query(raw)
