"""Platforms are found by name; what they read fits the rows they land."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from ingest.clock import ManualClock
from ingest.http import NoPacing
from ingest.platforms import PLATFORMS, open_platform
from ingest.platforms.base import CollectionRequest, Reading, Row
from ingest.platforms.linkedin import LinkedInSettings
from ingest.platforms.twitter import TwitterSettings

from .harness import (
    MEMBER_ACCOUNT,
    NOW,
    PAGE_ACCOUNT,
    X_ACCOUNT,
    FakeTokens,
    Scripted,
    fixture,
    linkedin,
    twitter,
)
from .mini_linkedin import MiniLinkedIn, PagePost
from .test_linkedin_members import SHARE, Analytics

SETTINGS = {"twitter": TwitterSettings(), "linkedin": LinkedInSettings()}


def open_one(name: str, settings: Any) -> Any:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    return open_platform(
        name, settings, FakeTokens(), NoPacing(), ManualClock(NOW), transport=transport
    )


@pytest.mark.parametrize("name", PLATFORMS)
def test_each_platform_opens_by_its_name(name: str) -> None:
    platform = open_one(name, SETTINGS[name])
    assert platform.name == name
    platform.close()


def test_an_unknown_platform_is_named_beside_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown platform 'mastodon'; known: linkedin, twitter"):
        open_one("mastodon", TwitterSettings())


def test_settings_of_another_platform_are_refused() -> None:
    with pytest.raises(ValueError, match="twitter takes TwitterSettings"):
        open_one("twitter", LinkedInSettings())


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_base_url_over_plain_http_is_refused(name: str) -> None:
    settings = type(SETTINGS[name])(base_url="http://mirror.example")
    with pytest.raises(ValueError, match="https"):
        open_one(name, settings)


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_rows_are_tables_of_the_platform_with_keys_among_their_columns(name: str) -> None:
    rows: list[type[Row]] = [
        PLATFORMS[name].post_row,
        PLATFORMS[name].snapshot_row,
        PLATFORMS[name].account_row,
    ]
    assert [row.table for row in rows] == [
        f"{name}_{table}" for table in ("posts", "snapshots", "accounts")
    ]
    for row in rows:
        assert set(row.key) <= set(row.model_fields)


def collected() -> Iterator[tuple[Any, Reading]]:
    """A reading of each kind of account, with its client."""
    due = "2114900000000000004"
    for rig, request in (
        (twitter(Scripted([fixture("x_timeline.json")])), CollectionRequest(X_ACCOUNT, [due])),
        (
            linkedin(MiniLinkedIn([PagePost("urn:li:share:1", NOW)])),
            CollectionRequest(PAGE_ACCOUNT, ["urn:li:share:1"]),
        ),
        (linkedin(Analytics()), CollectionRequest(MEMBER_ACCOUNT, [SHARE])),
    ):
        (reading,) = rig.platform.collect(request).readings
        yield rig.platform, reading


def test_every_reading_fits_its_snapshot_row_exactly() -> None:
    for platform, reading in collected():
        head: dict[str, Any] = dict.fromkeys(
            ("snapshot_id", "post_id", "account_id"), X_ACCOUNT.account_id
        )
        head |= dict.fromkeys(("published_at", "slot_start", "collected_at"), NOW)
        platform.snapshot_row(**head, platform_post_id="1", **reading.counters)
        columns = set(platform.snapshot_row.model_fields)
        assert set(reading.counters) == columns - set(head) - {"platform_post_id"}


def test_a_row_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValidationError):
        PLATFORMS["twitter"].account_row(followers_count=2**31)


def test_no_parser_swallows_exceptions_it_does_not_know() -> None:
    folder = Path(open_platform.__code__.co_filename).parent
    for path in (*folder.glob("*.py"), folder.parent / "http.py", folder.parent / "oauth.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in ("Exception", "BaseException", "everything"), path.name
