"""What X sends, as readings and posts; what cannot be used, with the reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.http import ApiError
from ingest.platforms.base import LEAST_COUNT, MOST_COUNT, Rejected
from ingest.platforms.twitter import PostsPage, SeenPost, read_posts, read_user
from ingest.platforms.values import Unusable

from .harness import NOW, fixture, posts_page, x_post

POST_ID = "2114900000000000004"


def read(*posts: Any) -> PostsPage:
    return read_posts({"data": list(posts)}, NOW)


def only(page: PostsPage) -> SeenPost:
    assert page.rejected == []
    (seen,) = page.seen
    return seen


def test_a_timeline_page_tells_replies_quotes_and_posts_apart() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert [(post.id[-1], post.post_type) for post in page.seen] == [
        ("4", "reply"),
        ("2", "quote"),
        ("1", "post"),
    ]
    assert page.rejected == []


def test_reposts_of_others_are_left_out() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert page.reposts == ["2114800000000000003"]


def test_html_entities_in_texts_are_undone_once() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert page.seen[0].text == "@bob thanks & see <docs> &copy;"


def test_a_long_post_has_its_whole_text() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert page.seen[2].text == "A long story, told to its very end."


def told_at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


POSTED_AT = datetime.fromisoformat(x_post(POST_ID)["created_at"])


@pytest.mark.parametrize("seconds", [-86_400, -11, 12, 3_600])
def test_a_time_that_contradicts_the_time_in_the_posts_id_is_rejected(seconds: int) -> None:
    page = read(x_post(POST_ID, created_at=told_at(POSTED_AT + timedelta(seconds=seconds))))
    assert page.rejected == [
        Rejected(POST_ID, "created_at", "is not the time that the post's id tells")
    ]


@pytest.mark.parametrize("seconds", [-9, -1, 0, 1, 9])
def test_a_few_seconds_are_no_contradiction(seconds: int) -> None:
    told = POSTED_AT + timedelta(seconds=seconds)
    assert only(read(x_post(POST_ID, created_at=told_at(told)))).published_at == told


def test_an_edited_post_may_tell_the_time_of_its_first_version() -> None:
    first = str(int(POST_ID) - (1_800_000 << 22))
    edited = x_post(POST_ID, edit_history_tweet_ids=[first, POST_ID])
    told = POSTED_AT - timedelta(minutes=30)
    assert only(read(edited | {"created_at": told_at(told)})).published_at == told
    assert read(edited | {"created_at": told_at(told - timedelta(hours=1))}).rejected


@pytest.mark.parametrize("post_id", ["1850", "29000000000", str(2**62)])
def test_an_id_that_tells_no_time_contradicts_none(post_id: str) -> None:
    told = "2010-11-05T12:00:00.000Z"
    assert only(read(x_post(POST_ID, id=post_id, created_at=told, edit_history_tweet_ids=None)))


def test_counters_keep_the_platforms_names() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert page.seen[1].counters == {
        "impression_count": 980,
        "like_count": 25,
        "reply_count": 4,
        "retweet_count": 3,
        "quote_count": 1,
        "bookmark_count": 2,
        "url_link_clicks": 12,
        "user_profile_clicks": 5,
    }


def test_times_are_utc_with_milliseconds() -> None:
    page = read_posts(fixture("x_timeline.json"), NOW)
    assert page.seen[1].published_at == datetime(2026, 10, 26, 12, 45, 43, 883_000, tzinfo=UTC)


def test_the_newer_dialect_gives_the_same_fields() -> None:
    post = only(read_posts(fixture("x_timeline_post_dialect.json"), NOW))
    assert post.counters["retweet_count"] == 6
    assert post.versions == ("2114900000000000003", "2114900000000000004")
    assert (post.post_type, post.text) == ("reply", "@bob thanks a lot")


def test_a_counter_that_was_not_sent_is_unknown_and_not_zero() -> None:
    old = {"retweet_count": 1, "reply_count": 2, "like_count": 3, "quote_count": 4}
    post = only(read(x_post(POST_ID, public_metrics=old, non_public_metrics=None)))
    assert post.counters["bookmark_count"] is None
    assert post.counters["impression_count"] is None
    assert post.counters["url_link_clicks"] is None
    assert post.counters["quote_count"] == 4


def test_zero_is_zero_in_either_dialect() -> None:
    post = only(read(x_post(POST_ID, public_metrics={"retweet_count": 0, "repost_count": 9})))
    assert post.counters["retweet_count"] == 0


@pytest.mark.parametrize(
    "value", [True, False, 1.0, "12", "", [], {}, -1, MOST_COUNT + 1, LEAST_COUNT - 1, 1e300]
)
@pytest.mark.parametrize("name", ["like_count", "repost_count", "impression_count"])
def test_a_counter_of_another_type_rejects_the_post_with_the_reason(name: str, value: Any) -> None:
    page = read(x_post(POST_ID, public_metrics={name: value}), x_post("2114900000000000005"))
    (rejected,) = page.rejected
    assert (rejected.subject, rejected.field) == (POST_ID, name)
    assert rejected.reason
    assert [post.id for post in page.seen] == ["2114900000000000005"]


@pytest.mark.parametrize("value", [MOST_COUNT, 0])
def test_every_count_that_fits_is_kept(value: int) -> None:
    post = only(read(x_post(POST_ID, public_metrics={"like_count": value})))
    assert post.counters["like_count"] == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", 1850),
        ("id", "18x"),
        ("id", "1" * 20),
        ("id", "١٢"),
        ("created_at", None),
        ("created_at", 1767600000),
        ("created_at", "yesterday"),
        ("created_at", "2026-11-21T09:00:00"),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("created_at", "9999-12-31T23:59:59-14:00"),
        ("created_at", "1970-01-01T00:00:00Z"),
        ("created_at", "2026-11-24T09:00:00Z"),
        ("public_metrics", None),
        ("public_metrics", []),
        ("public_metrics", 3),
        ("non_public_metrics", [1]),
        ("text", 5),
        ("text", ["a"]),
        ("edit_history_tweet_ids", "1850"),
        ("edit_history_tweet_ids", [1850]),
        ("edit_history_tweet_ids", [str(n) for n in range(40)]),
        ("referenced_tweets", {"type": "quoted"}),
        ("referenced_tweets", ["quoted"]),
    ],
)
def test_a_field_that_cannot_be_used_rejects_the_post_and_names_the_field(
    field: str, value: Any
) -> None:
    page = read(x_post(POST_ID, **{field: value}))
    (rejected,) = page.rejected
    assert rejected.field == field
    assert page.seen == []


@pytest.mark.parametrize("element", [None, 1, "post", [], True])
def test_an_element_that_is_no_object_is_rejected_without_an_id(element: Any) -> None:
    assert read(element).rejected == [Rejected("(no id)", "post", "is not an object")]


def test_text_that_no_store_can_hold_is_mended() -> None:
    post = only(read(x_post(POST_ID, text="a\x00b\ud800c")))
    assert post.text == "a\ufffdb\ufffdc"


def test_references_may_hold_nulls_and_unknown_kinds() -> None:
    post = only(read(x_post(POST_ID, referenced_tweets=[None, {"type": "liked"}, {"id": "1"}])))
    assert post.post_type == "post"


def test_a_reply_that_quotes_is_a_reply() -> None:
    references = [{"type": "quoted", "id": "1"}, {"type": "replied_to", "id": "2"}]
    assert only(read(x_post(POST_ID, referenced_tweets=references))).post_type == "reply"


def test_a_repost_needs_no_counters() -> None:
    references = [{"type": "retweeted", "id": "1"}]
    page = read(x_post(POST_ID, referenced_tweets=references, public_metrics={"like_count": "x"}))
    assert page.reposts == [POST_ID]


def test_only_errors_about_the_ids_asked_for_say_anything_about_a_post() -> None:
    page = read_posts(fixture("x_lookup_partial.json"), NOW)
    assert page.gone == {"1851"}
    assert page.refused == {
        "1852": "X refused it: Authorization Error",
        "1853": "X refused it: Forbidden",
    }
    assert page.refused_fields == {"non_public_metrics.url_link_clicks"}
    assert only(page).id == "1850"


def test_the_host_of_a_problems_type_does_not_matter() -> None:
    for host in ("api.twitter.com", "api.x.com", "example.org"):
        problem = {"parameter": "ids", "resource_id": "1", "title": "Not Found Error"}
        problem["type"] = f"https://{host}/2/problems/resource-not-found"
        assert read_posts({"errors": [problem]}, NOW).gone == {"1"}


@pytest.mark.parametrize("problem", [None, 1, [], {}, {"parameter": "ids"}, {"parameter": ["ids"]},
                                     {"parameter": "ids", "resource_id": 5},
                                     {"parameter": "ids", "value": "abc"}])  # fmt: skip
def test_an_error_of_no_known_shape_is_passed_over(problem: Any) -> None:
    page = read_posts({"errors": [problem]}, NOW)
    assert (page.gone, page.refused) == (set(), {})


def test_an_answer_with_nothing_in_it_is_empty() -> None:
    for body in ({}, {"meta": {"result_count": 0}}, {"data": None, "errors": None, "meta": None}):
        assert read_posts(body, NOW) == PostsPage()


@pytest.mark.parametrize("body", [{"data": {}}, {"data": "x"}, {"data": 1}, {"errors": {}}])
def test_an_answer_of_another_shape_is_an_api_error(body: Any) -> None:
    with pytest.raises(ApiError) as caught:
        read_posts(body, NOW)
    assert caught.value.kind == "bad_response"


@pytest.mark.parametrize("token", [None, "", 5, ["x"], {}])
def test_a_next_token_that_is_none_ends_the_timeline(token: Any) -> None:
    assert read_posts({"meta": {"next_token": token}}, NOW).next_token is None
    assert read_posts(posts_page([], "abc"), NOW).next_token == "abc"


def test_a_user_has_a_name_a_handle_and_followers() -> None:
    profile = read_user(fixture("x_user.json"))
    assert profile.platform_account_id == "42"
    assert (profile.kind, profile.handle, profile.display_name) == (
        "profile",
        "ana_builds",
        "Ana Builds",
    )
    assert profile.followers_count == 12448


def test_a_user_without_metrics_has_unknown_followers() -> None:
    assert read_user({"data": {"id": "42"}}).followers_count is None


@pytest.mark.parametrize(
    "user", [None, [], {"id": 42}, {"id": "42", "public_metrics": {"followers_count": "9"}}]
)
def test_a_user_of_another_shape_is_unusable(user: Any) -> None:
    with pytest.raises(Unusable):
        read_user({"data": user})
