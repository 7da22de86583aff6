"""What LinkedIn sends, as posts and counters; what cannot be used, with the reason."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.http import ApiError
from ingest.platforms.linkedin import (
    FinderPage,
    plain_text,
    post_of_link,
    read_finder,
    read_member_count,
    read_statistics,
    urn_list,
)
from ingest.platforms.values import Unusable

from .harness import NOW, fixture
from .mini_linkedin import statistics

POST = {"id": "urn:li:share:1", "commentary": "hi", "publishedAt": 1795100000000}


def finder(*elements: Any) -> FinderPage:
    return read_finder({"elements": list(elements)}, NOW)


def test_a_finder_page_has_published_posts_and_leaves_drafts_out() -> None:
    page = read_finder(fixture("linkedin_posts.json"), NOW)
    assert [(p.platform_post_id, p.post_type) for p in page.posts] == [
        ("urn:li:ugcPost:7101", "image"),
        ("urn:li:share:7102", "article"),
        ("urn:li:share:7103", "reshare"),
    ]
    assert (page.unpublished, page.elements, page.rejected) == (1, 4, [])


def test_a_posts_time_is_its_publication_else_its_creation() -> None:
    posts = read_finder(fixture("linkedin_posts.json"), NOW).posts
    assert posts[0].published_at == datetime(2026, 11, 20, 5, 0, 0, 123_000, tzinfo=UTC)
    assert posts[2].published_at == datetime(2026, 11, 16, 3, 33, 20, tzinfo=UTC)


def test_little_text_is_read_as_people_see_it() -> None:
    posts = read_finder(fixture("linkedin_posts.json"), NOW).posts
    assert posts[0].text == "Hi #dev (really), thanks Northwind [EU] #DataTeam a_b \\o/"


@pytest.mark.parametrize(
    ("little", "plain"),
    [
        ("", ""),
        ("plain", "plain"),
        (r"\\#", r"\#"),
        (r"\n stays", r"\n stays"),
        ("@[Bob](urn:li:person:1)", "Bob"),
        (r"\@[Bob\](urn:li:person:1)", "@[Bob](urn:li:person:1)"),
        ("@[Bob] (no mention)", "@[Bob] (no mention)"),
        ("{hashtag|#|Data}", "#Data"),
        ("{other|#|Data}", "{other|#|Data}"),
        ("ends with \\", "ends with \\"),
        ("@[", "@["),
    ],
)
def test_little_text_case(little: str, plain: str) -> None:
    assert plain_text(little) == plain


@given(st.text())
def test_escaping_and_reading_little_text_gives_the_text_back(text: str) -> None:
    reserved = set("|{}@[]()<>#\\*_~")
    assert plain_text("".join(f"\\{c}" if c in reserved else c for c in text)) == text


@pytest.mark.parametrize(
    "piece", ["@[", "{hashtag|", "@[a](urn:li:", "\\", "@[\\]", "{hashtag|\\#|"]
)
def test_no_text_makes_reading_slow(piece: str) -> None:
    started = time.perf_counter()
    plain_text(piece * 100_000)
    assert time.perf_counter() - started < 2


def test_a_finder_page_knows_its_earliest_change() -> None:
    page = read_finder(fixture("linkedin_posts.json"), NOW)
    assert page.oldest == datetime(2026, 11, 16, 3, 33, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "post_type"),
    [
        (None, "post"),
        ({}, "post"),
        ("x", "post"),
        ({"media": {"id": "urn:li:video:1"}}, "video"),
        ({"media": {"id": "urn:li:document:1"}}, "document"),
        ({"media": {"id": 5}}, "post"),
        ({"media": {"id": "urn:li:new:1"}}, "post"),
        ({"multiImage": {"images": []}}, "image"),
        ({"poll": {"question": "?"}}, "poll"),
    ],
)
def test_the_post_type_comes_from_the_content(content: Any, post_type: str) -> None:
    assert finder({**POST, "content": content}).posts[0].post_type == post_type


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", 7101),
        ("id", "urn:li:activity:1"),
        ("id", "urn:li:share:1),shares=List(x"),
        ("id", "urn:li:share:" + "1" * 65),
        ("publishedAt", "1795100000000"),
        ("publishedAt", 1795100000000.0),
        ("publishedAt", True),
        ("publishedAt", 10**30),
        ("publishedAt", -(10**30)),
        ("publishedAt", 0),
        ("publishedAt", 1895100000000),
        ("lastModifiedAt", "x"),
        ("commentary", 5),
    ],
)
def test_a_field_that_cannot_be_used_rejects_the_post_and_names_the_field(
    field: str, value: Any
) -> None:
    (rejected,) = finder({**POST, field: value}).rejected
    assert rejected.field == field
    assert rejected.reason


def test_a_post_without_any_time_is_rejected() -> None:
    assert finder({"id": "urn:li:share:1"}).rejected[0].field == "createdAt"


@pytest.mark.parametrize("element", [None, 1, "x", []])
def test_an_element_that_is_no_object_is_rejected(element: Any) -> None:
    assert finder(element).rejected[0].subject == "(no id)"
    assert read_statistics({"elements": [element]}).rejected[0].subject == "(no id)"


def test_statistics_of_both_urn_types_are_read() -> None:
    page = read_statistics(fixture("linkedin_statistics.json"))
    assert dict(page.counters)["urn:li:ugcPost:7101"] == {
        "impression_count": 959,
        "unique_impressions_count": 700,
        "click_count": 60,
        "like_count": -2,
        "comment_count": 5,
        "share_count": 4,
        "save_count": None,
    }
    assert page.rejected == []


def test_unique_impressions_are_read_in_both_spellings() -> None:
    page = read_statistics(fixture("linkedin_statistics.json"))
    assert dict(page.counters)["urn:li:share:7102"]["unique_impressions_count"] == 9


@pytest.mark.parametrize("value", [True, 1.0, "3", [], {}, 2**31, -(2**31) - 1])
@pytest.mark.parametrize("name", ["likeCount", "uniqueImpressionsCounts", "impressionCount"])
def test_a_counter_of_another_type_rejects_the_element(name: str, value: Any) -> None:
    page = read_statistics({"elements": [statistics("urn:li:share:1", **{name: value})]})
    assert [(r.subject, r.field) for r in page.rejected] == [("urn:li:share:1", name)]
    assert page.counters == []


def test_a_counter_that_was_not_sent_is_unknown() -> None:
    page = read_statistics({"elements": [statistics("urn:li:share:1", clickCount=None)]})
    assert dict(page.counters)["urn:li:share:1"]["click_count"] is None


def test_the_aggregate_of_the_page_is_no_post() -> None:
    element = statistics("urn:li:share:1")
    del element["share"]
    assert read_statistics({"elements": [element]}).rejected[0].field == "share"


@pytest.mark.parametrize(
    "name", ["linkedin_member_impression.json", "linkedin_member_impression_202604.json"]
)
def test_a_members_metric_type_is_read_in_both_shapes(name: str) -> None:
    assert read_member_count(fixture(name), "IMPRESSION") == 310
    assert read_member_count(fixture(name), "REACTION") is None


def test_a_member_answer_without_elements_tells_nothing() -> None:
    assert read_member_count({"elements": []}, "IMPRESSION") is None
    assert read_member_count({}, "IMPRESSION") is None


@pytest.mark.parametrize("count", ["310", 3.5, True, 2**31])
def test_a_member_count_of_another_type_is_unusable(count: Any) -> None:
    with pytest.raises(Unusable):
        read_member_count({"elements": [{"count": count}]}, "IMPRESSION")


@pytest.mark.parametrize("body", [{"elements": {}}, {"elements": "x"}])
def test_an_answer_of_another_shape_is_an_api_error(body: Any) -> None:
    for read in (
        lambda b: read_finder(b, NOW),
        read_statistics,
        lambda b: read_member_count(b, "IMPRESSION"),
    ):
        with pytest.raises(ApiError) as caught:
            read(body)
        assert caught.value.kind == "bad_response"


def test_lists_encode_their_items_and_not_themselves() -> None:
    assert urn_list(["urn:li:share:1", "urn:li:ugcPost:2"]) == (
        "List(urn%3Ali%3Ashare%3A1,urn%3Ali%3AugcPost%3A2)"
    )


@pytest.mark.parametrize(
    ("link", "urn"),
    [
        ("urn:li:share:7101", "urn:li:share:7101"),
        ("https://www.linkedin.com/feed/update/urn:li:ugcPost:7101/", "urn:li:ugcPost:7101"),
        ("https://www.linkedin.com/feed/update/urn%3Ali%3Ashare%3A7101?x=1", "urn:li:share:7101"),
        ("https://www.linkedin.com/posts/ana-b_words-share-7101-AbC_", "urn:li:share:7101"),
        ("https://www.linkedin.com/posts/ana_words-ugcPost-7101-AbC", "urn:li:ugcPost:7101"),
        ("https://www.linkedin.com/feed/update/urn:li:activity:7101/", None),
        ("https://www.linkedin.com/posts/ana_words-activity-7101-AbC", None),
        ("https://x.com/ana/status/1850", None),
        ("", None),
    ],
)
def test_a_link_names_the_post_that_can_be_asked_for(link: str, urn: str | None) -> None:
    assert post_of_link(link) == urn
