"""Bodies gone wrong in every way: nothing but ApiError comes out, and nothing is lost uncounted.

NEXUS_FUZZ_CASES says how many bodies are tried per platform (the full proof: 100,000). A case is
reproduced by its number alone.
"""

import contextlib
import copy
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

import httpx
import pytest
import structlog

from ingest.http import ApiError
from ingest.platforms.base import Collection, CollectionRequest
from ingest.platforms.linkedin import read_finder, read_member_count, read_statistics
from ingest.platforms.twitter import read_posts
from ingest.platforms.values import Unusable

from .harness import (
    MEMBER_ACCOUNT,
    NOW,
    PAGE_ACCOUNT,
    X_ACCOUNT,
    Rig,
    fixture,
    linkedin,
    twitter,
    x_post,
)
from .mini_linkedin import statistics

CASES = int(os.environ.get("NEXUS_FUZZ_CASES", "500"))

JUNK: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, 3.0, -0.0, float("nan"), float("inf"), 1e300,
    2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30, -(10**30), 1795100000000,
    "", " ", "x", "12", "-3", "1.5", "true", "\x00", "\ud800", "\u202e", "٣", "a" * 3_000,
    "2026-11-21T09:00:00.000Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "urn:li:share:1", "urn:li:ugcPost:7101", "urn:li:share:", "2114900000000000004",
    [], {}, [None], [[]], [{}], {"": None}, {"id": {}}, {"type": []}, [1, "a", {}],
    [[[[[[[[[[]]]]]]]]]], {"count": 10, "links": [{"rel": "next"}, 5]},
)  # fmt: skip

X_DUE = ["2114900000000000004", "2114700000000000002", "2114800000000000003", "1850", "1851"]
PAGE_DUE = ["urn:li:ugcPost:7101", "urn:li:share:7102", "urn:li:share:7103", "urn:li:share:1"]

X_BODIES = [
    fixture(name)
    for name in (
        "x_timeline.json",
        "x_timeline_post_dialect.json",
        "x_lookup_partial.json",
        "x_lookup_all_missing.json",
        "x_user.json",
    )
]
PAGE_BODIES = [
    fixture("linkedin_posts.json"),
    fixture("linkedin_statistics.json"),
    fixture("linkedin_member_impression.json"),
    fixture("linkedin_member_impression_202604.json"),
    {"firstDegreeSize": 42, "localizedName": "Northwind", "vanityName": "n"},
    {"elements": [{"memberFollowersCount": 961}]},
    {"results": {PAGE_DUE[0]: {}}, "statuses": {PAGE_DUE[3]: 404}, "errors": {}},
]


def places(body: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a body."""
    queue = [body]
    while queue:
        node = queue.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            yield node, key
            if isinstance(value, dict | list):
                queue.append(value)


def mutated(body: Any, rng: random.Random) -> Any:
    """The body with up to four things changed."""
    body = copy.deepcopy(body)
    for _ in range(rng.randint(1, 4)):
        found = list(places(body))
        if not found:
            return rng.choice(JUNK)
        node, key = rng.choice(found)
        match rng.randrange(8):
            case 0:
                del node[key]
            case 1 if isinstance(node, list):
                node.insert(key, copy.deepcopy(node[key]))
            case 2:
                other, place = rng.choice(found)
                if isinstance(other, dict) or place < len(other):
                    node[key] = copy.deepcopy(other[place])
            case 3 if isinstance(node, dict):
                node[rng.choice(["id", "data", "elements", "share", "meta", "x"])] = node.pop(key)
            case _:
                node[key] = copy.deepcopy(rng.choice(JUNK))
    return body


def as_bytes(body: Any, rng: random.Random) -> bytes:
    """The body on the wire, sometimes cut or garbled there."""
    content = bytearray(json.dumps(body).encode("ascii"))
    match rng.randrange(12):
        case 0:
            del content[rng.randrange(len(content) + 1) :]
        case 1 if content:
            content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def check_collection(got: Collection, due: list[str]) -> None:
    settled = Counter(reading.platform_post_id for reading in got.readings)
    settled.update([*got.deleted, *got.skipped])
    rejected = {rejected.subject for rejected in got.rejected}
    assert all(settled[i] <= 1 and (settled[i] or i in rejected) for i in due), settled
    for reading in got.readings:
        for value in reading.counters.values():
            assert value is None or (type(value) is int and -(2**31) <= value < 2**31)
    for post in got.posts:
        assert post.published_at.tzinfo is UTC
        for text in (post.text, post.url, post.platform_post_id, *post.versions):
            (text or "").encode("utf-8")
    for rejected in got.rejected:
        assert rejected.reason
        f"{rejected.subject}{rejected.field}{rejected.reason}".encode()


def fuzzed(open_rig: Callable[..., Rig], bodies: list[Any], rng: random.Random) -> Rig:
    def answer(_: httpx.Request) -> httpx.Response:
        body = rng.choice(bodies)
        if rng.random() < 0.7:
            body = mutated(body, rng)
        status = rng.choices((200, 404, 403, 500, 429, 401), (90, 3, 3, 1, 1, 1))[0]
        return httpx.Response(status, content=as_bytes(body, rng))

    return open_rig(answer)


def collected(rig: Rig, request: CollectionRequest) -> Collection:
    """The collection; where nothing was received, one that skips all for the error raised."""
    with structlog.testing.capture_logs():  # printing thousands of retries takes most of the time
        try:
            return rig.platform.collect(request)
        except ApiError as error:
            return Collection(skipped=dict.fromkeys(request.due, error.message))


def test_x_collections_survive_any_body() -> None:
    for case in range(CASES):
        rng = random.Random(f"x/{case}")
        rig = fuzzed(twitter, X_BODIES, rng)
        request = CollectionRequest(
            X_ACCOUNT,
            due=X_DUE,
            discover_since=NOW if rng.random() < 0.5 else None,
            with_profile=rng.random() < 0.3,
        )
        with case_number(case):
            check_collection(collected(rig, request), X_DUE)


def test_linkedin_collections_survive_any_body() -> None:
    for case in range(CASES):
        rng = random.Random(f"linkedin/{case}")
        rig = fuzzed(linkedin, PAGE_BODIES, rng)
        member = rng.random() < 0.3
        request = CollectionRequest(
            MEMBER_ACCOUNT if member else PAGE_ACCOUNT,
            due=PAGE_DUE,
            discover_since=NOW.replace(day=1) if rng.random() < 0.5 else None,
            with_profile=rng.random() < 0.3,
        )
        with case_number(case):
            check_collection(collected(rig, request), PAGE_DUE)


def test_every_post_in_is_a_reading_or_a_rejection_out() -> None:
    x = [*X_BODIES, {"data": [x_post(str(n)) for n in range(5)]}]
    pages = [*PAGE_BODIES, {"elements": [statistics(urn) for urn in PAGE_DUE]}]
    for case in range(CASES):
        rng = random.Random(f"parser/{case}")
        with case_number(case):
            body = mutated(rng.choice(x), rng)
            if isinstance(body, dict) and isinstance(body.get("data"), list):
                check_count(body["data"], lambda b=body: count_x(b))
            body = mutated(rng.choice(pages), rng)
            if isinstance(body, dict) and isinstance(body.get("elements"), list):
                check_count(body["elements"], lambda b=body: count_finder(b))
                check_count(body["elements"], lambda b=body: count_statistics(b))
                check_member(body)


def check_count(elements: list[Any], count: Callable[[], int]) -> None:
    with contextlib.suppress(ApiError):  # another part of the answer may spoil the whole
        assert count() == len(elements)


def count_x(body: Any) -> int:
    page = read_posts(body, NOW)
    return len(page.seen) + len(page.reposts) + len(page.rejected)


def count_finder(body: Any) -> int:
    page = read_finder(body, NOW)
    return len(page.posts) + page.unpublished + len(page.rejected)


def count_statistics(body: Any) -> int:
    page = read_statistics(body)
    return len(page.counters) + len(page.rejected)


def check_member(body: Any) -> None:
    try:
        count = read_member_count(body, "IMPRESSION")
    except (ApiError, Unusable):  # Unusable becomes a Rejected where a post is at hand
        return
    assert count is None or type(count) is int


class case_number:  # noqa: N801 - reads as a clause
    """Adds the number of the case to whatever fails in it."""

    def __init__(self, case: int) -> None:
        self.case = case

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if error is not None:
            error.add_note(f"case {self.case}")


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 100, b'{"data":' * 10_000, b"NaN"])
@pytest.mark.parametrize("open_rig", [twitter, linkedin])
def test_no_bytes_make_a_client_raise_anything_else(open_rig: Any, content: bytes) -> None:
    rig = open_rig(lambda _: httpx.Response(200, content=content))
    with pytest.raises(ApiError):
        rig.platform.whoami()
