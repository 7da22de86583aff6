"""How an X account is collected: which requests, in which order, and when they end."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.http import ApiError
from ingest.platforms.base import MOST_COUNT, Collection, CollectionRequest
from ingest.platforms.twitter import LOOKUP, PRICES, TIMELINE, USER, TwitterSettings

from .harness import (
    NOW,
    X_ACCOUNT,
    CountingPacer,
    Rig,
    Scripted,
    fixture,
    not_found,
    posts_page,
    snowflake,
    twitter,
    x_post,
)
from .mini_x import MiniX

DAY = timedelta(days=1)
MONTH = NOW - 30 * DAY
OK = httpx.Response(200, json={})


def ids_of(ages: Sequence[float]) -> list[str]:
    """Ids of posts published so many days ago."""
    return [snowflake(NOW - DAY * age, number) for number, age in enumerate(ages)]


def request(due: Sequence[str] = (), **fields: Any) -> CollectionRequest:
    return CollectionRequest(X_ACCOUNT, due=due, **fields)


def discovery(due: Sequence[str] = (), **fields: Any) -> CollectionRequest:
    return request(due, discover_since=MONTH, **fields)


def query_of(rig: Rig, number: int) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(rig.targets[number]).query).items()}


def settled(collection: Collection) -> Counter[str]:
    """How often each id was settled."""
    counted = Counter(reading.platform_post_id for reading in collection.readings)
    counted.update(collection.deleted)
    counted.update(list(collection.skipped))
    counted.update(rejected.subject for rejected in collection.rejected)
    return counted


# --- the timeline


def test_the_timeline_is_asked_for_own_posts_in_pages_of_100_without_reposts() -> None:
    rig = twitter(Scripted([posts_page([])]))
    rig.platform.collect(discovery())
    (target,) = rig.targets
    assert target == (
        "/2/users/42/tweets?max_results=100&exclude=retweets&start_time=2026-10-23T15:10:00Z"
        "&tweet.fields=created_at,public_metrics,non_public_metrics,referenced_tweets,"
        "edit_history_tweet_ids,note_tweet"
    )


def test_one_dialect_is_sent() -> None:
    rig = twitter(Scripted([posts_page([])]), TwitterSettings(dialect="post"))
    rig.platform.collect(discovery([snowflake(NOW - DAY)]))
    for number in range(len(rig.targets)):
        assert "tweet.fields" not in query_of(rig, number)
        assert query_of(rig, number)["post.fields"] == (
            "created_at,public_metrics,non_public_metrics,referenced_posts,"
            "edit_history_post_ids,note_post"
        )


def test_discovery_gives_posts_and_their_readings_from_the_same_pages() -> None:
    rig = twitter(Scripted([fixture("x_timeline.json")]))
    got = rig.platform.collect(discovery())
    assert [post.platform_post_id[-1] for post in got.posts] == ["1", "2", "4"]
    assert [reading.platform_post_id[-1] for reading in got.readings] == ["1", "2", "4"]
    assert got.posts[0].url == "https://x.com/ana/status/2114600000000000001"
    assert rig.pacer.answers == [(TIMELINE, 4)]


def test_every_page_is_read_until_there_is_no_next_token() -> None:
    posts = [x_post(i) for i in ids_of([n / 10 for n in range(250)])]
    rig = twitter(MiniX(posts))
    got = rig.platform.collect(discovery())
    assert len(got.readings) == 250
    assert len(rig.requests) == 3


def test_a_short_page_with_a_next_token_is_not_the_end() -> None:
    posts = [x_post(i) for i in ids_of(range(9))]
    rig = twitter(MiniX(posts, page=2))
    assert len(rig.platform.collect(discovery()).readings) == 9


def test_an_empty_page_with_a_next_token_is_not_the_end() -> None:
    post = x_post(snowflake(NOW - DAY))
    rig = twitter(Scripted([posts_page([], "a"), posts_page([], "b"), posts_page([post])]))
    assert len(rig.platform.collect(discovery()).readings) == 1


def test_a_token_that_repeats_is_the_end() -> None:
    page = posts_page([x_post(snowflake(NOW - DAY))], "same")
    rig = twitter(Scripted([page]))
    rig.platform.collect(discovery())
    assert len(rig.requests) == 2


def test_pages_that_bring_nothing_new_are_the_end() -> None:
    number = 0

    def circle(_: httpx.Request) -> httpx.Response:
        nonlocal number
        number += 1
        return httpx.Response(200, json=posts_page([x_post(snowflake(NOW - DAY))], f"t{number}"))

    rig = twitter(circle)
    assert len(rig.platform.collect(discovery()).readings) == 1
    assert len(rig.requests) == 4


def test_discovery_says_whether_it_read_all_it_had_to() -> None:
    page = [x_post(snowflake(NOW - DAY))]
    assert twitter(Scripted([posts_page(page)])).platform.collect(discovery()).discovered
    assert (
        not twitter(Scripted([posts_page(page, "same")])).platform.collect(discovery()).discovered
    )
    assert not twitter(Scripted([posts_page(page)])).platform.collect(request()).discovered
    assert not twitter(Scripted([httpx.Response(500)])).platform.collect(discovery()).discovered


def test_paging_stops_where_all_that_is_due_was_seen_and_discovery_is_complete() -> None:
    ages = [1, 2, 29, 31]
    posts = [x_post(i) for i in ids_of(ages)]
    rig = twitter(Scripted([posts_page(posts, "more"), posts_page([])]))
    rig.platform.collect(discovery(ids_of(ages)[:3]))
    assert len(rig.requests) == 1


def test_paging_goes_on_while_a_due_post_may_be_on_an_older_page() -> None:
    old = ids_of([25])
    pages = [posts_page([x_post(i) for i in ids_of([1, 2])], "more"), posts_page([x_post(old[0])])]
    rig = twitter(Scripted(pages))
    got = rig.platform.collect(request([*old, *ids_of([1 + n / 100 for n in range(1, 30)])]))
    assert old[0] in {reading.platform_post_id for reading in got.readings}


def test_a_due_post_that_the_timeline_has_passed_is_looked_up() -> None:
    alive = ids_of([n / 10 for n in range(40)])
    missing = snowflake(NOW - DAY * 2.05)
    rig = twitter(MiniX(x_post(i) for i in alive))
    got = rig.platform.collect(discovery([*alive, missing]))
    assert got.deleted == [missing]
    assert len(got.readings) == 40
    assert [urlsplit(t).path for t in rig.targets] == ["/2/users/42/tweets", "/2/tweets"]


def test_duplicated_and_shuffled_pages_lose_and_double_nothing() -> None:
    posts = [x_post(i) for i in ids_of([n / 10 for n in range(30)])]
    pages = [posts[10:20][::-1], posts[10:20], posts[20:] + posts[:5], posts[:10]]
    script = [posts_page(page, f"t{n}" if n < 3 else None) for n, page in enumerate(pages)]
    got = twitter(Scripted(script)).platform.collect(discovery([p["id"] for p in posts]))
    assert sorted(r.platform_post_id for r in got.readings) == sorted(p["id"] for p in posts)


def test_known_posts_that_are_not_due_are_told_without_a_reading() -> None:
    pair = sorted(ids_of([3, 3.01]), key=int)
    due, new, known = ids_of([1, 2, 4])
    rig = twitter(MiniX([*map(x_post, (due, new, known)), *edited(*pair, likes=1)]))
    got = rig.platform.collect(discovery([due], known={due, known, pair[0]}))
    assert {reading.platform_post_id for reading in got.readings} == {due, new}
    assert {post.platform_post_id for post in got.posts} == {due, new, known, pair[0]}
    assert len(rig.requests) == 1


def test_posts_older_than_asked_for_are_no_discovery() -> None:
    posts = [x_post(i) for i in ids_of([1, 10])]
    rig = twitter(Scripted([posts_page(posts)]))
    got = rig.platform.collect(request(discover_since=NOW - 5 * DAY))
    assert [post.platform_post_id for post in got.posts] == [posts[0]["id"]]


def test_a_discovery_deeper_than_30_days_reads_the_rest_without_private_counters() -> None:
    posts = [x_post(i) for i in ids_of([1, 40, 80])]
    rig = twitter(MiniX(posts))
    got = rig.platform.collect(request(discover_since=NOW - 90 * DAY))
    assert len(got.readings) == 3
    first, second = query_of(rig, 0), query_of(rig, 1)
    assert "non_public_metrics" in first["tweet.fields"]
    assert first["start_time"] == "2026-10-23T15:10:00Z"
    assert "non_public_metrics" not in second["tweet.fields"]
    assert (second["start_time"], second["end_time"]) == (
        "2026-08-24T15:10:00Z",
        "2026-10-23T15:10:00Z",
    )


# --- the lookup


def test_few_due_posts_without_discovery_are_looked_up_because_that_is_cheaper() -> None:
    due = ids_of([1, 2, 3])
    rig = twitter(MiniX(x_post(i) for i in due))
    assert len(rig.platform.collect(request(due)).readings) == 3
    assert rig.pacer.answers == [(LOOKUP, 3)]


def test_many_due_posts_without_discovery_are_read_from_the_timeline() -> None:
    due = ids_of([n / 10 for n in range(60)])
    rig = twitter(MiniX(x_post(i) for i in due))
    assert len(rig.platform.collect(request(due)).readings) == 60
    assert rig.pacer.answers == [(TIMELINE, 60)]


def test_where_the_timeline_is_no_owned_read_the_lookup_is_as_cheap() -> None:
    due = ids_of([n / 10 for n in range(60)])
    rig = twitter(MiniX(x_post(i) for i in due), TwitterSettings(owned_reads=False))
    rig.platform.collect(request(due))
    assert rig.pacer.answers == [(LOOKUP, 60)]


def test_an_owned_read_costs_a_fifth_of_a_lookup() -> None:
    assert PRICES[TIMELINE] * 5 == PRICES[LOOKUP]


def test_lookups_ask_for_100_posts_a_request() -> None:
    due = [str(n) for n in range(1000, 1250)]
    rig = twitter(MiniX([]), TwitterSettings(owned_reads=False, private_metrics=False))
    got = rig.platform.collect(request(due))
    assert [len(query_of(rig, n)["ids"].split(",")) for n in range(3)] == [100, 100, 50]
    assert got.deleted == due


def test_private_counters_are_asked_for_posts_up_to_30_days_and_not_for_older_ones() -> None:
    young, old = ids_of([29.9, 30.1])
    rig = twitter(MiniX([x_post(young), x_post(old)]))
    got = rig.platform.collect(request([old, young]))
    assert len(got.readings) == 2
    assert (query_of(rig, 0)["ids"], query_of(rig, 1)["ids"]) == (young, old)
    assert "non_public_metrics" in query_of(rig, 0)["tweet.fields"]
    assert "non_public_metrics" not in query_of(rig, 1)["tweet.fields"]


def test_an_app_that_may_not_name_private_counters_goes_on_without_them() -> None:
    def refuse(sent: httpx.Request) -> httpx.Response:
        if b"non_public_metrics" in sent.url.query:
            return httpx.Response(400, json={"title": "Invalid Request"})
        return httpx.Response(200, json=posts_page([x_post(i) for i in due]))

    due = ids_of([1, 2])
    rig = twitter(refuse)
    got = rig.platform.collect(discovery(due))
    assert len(got.readings) == 2
    assert len(rig.requests) == 2


def test_refused_fields_leave_the_rest_of_the_post() -> None:
    due = ids_of([1])
    post = x_post(due[0])
    del post["non_public_metrics"]
    refusal = not_found(due[0]) | {
        "field": "non_public_metrics.url_link_clicks",
        "title": "Field Authorization Error",
        "type": "https://api.twitter.com/2/problems/not-authorized-for-field",
    }
    rig = twitter(Scripted([posts_page([post]) | {"errors": [refusal]}]))
    with structlog.testing.capture_logs() as logs:
        got = rig.platform.collect(request(due))
    assert got.readings[0].counters["url_link_clicks"] is None
    assert got.readings[0].counters["impression_count"] == 600
    assert [entry["event"] for entry in logs] == ["fields_refused"]


def test_a_mixed_dialect_is_noticed() -> None:
    due = ids_of([1])
    rig = twitter(Scripted([posts_page([x_post(due[0], public_metrics={"likes": 1})])]))
    with structlog.testing.capture_logs() as logs:
        rig.platform.collect(request(due))
    assert [entry["event"] for entry in logs] == ["counters_not_sent"]
    assert "like_count" in logs[0]["counters"]


def test_partial_errors_sort_due_posts_into_deleted_and_skipped() -> None:
    rig = twitter(Scripted([fixture("x_lookup_partial.json")]))
    got = rig.platform.collect(request(["1850", "1851", "1852", "1853", "1854"]))
    assert [reading.platform_post_id for reading in got.readings] == ["1850"]
    assert got.deleted == ["1851"]
    assert got.skipped == {
        "1852": "X refused it: Authorization Error",
        "1853": "X refused it: Forbidden",
        "1854": "not in X's answer",
    }


def test_an_answer_with_only_errors_means_that_all_are_gone() -> None:
    rig = twitter(Scripted([fixture("x_lookup_all_missing.json")]))
    assert rig.platform.collect(request(["1851"])).deleted == ["1851"]


def test_ids_that_cannot_be_xs_are_never_sent() -> None:
    rig = twitter(Scripted([fixture("x_lookup_all_missing.json")]))
    got = rig.platform.collect(request(["abc", "1851", "1,2", "", "9" * 20]))
    assert query_of(rig, 0)["ids"] == "1851"
    assert set(got.skipped) == {"abc", "1,2", "", "9" * 20}
    assert got.deleted == ["1851"]


def test_a_due_id_given_twice_is_asked_for_and_settled_once() -> None:
    rig = twitter(Scripted([fixture("x_lookup_partial.json")]))
    got = rig.platform.collect(request(["1850", "1850"]))
    assert query_of(rig, 0)["ids"] == "1850"
    assert settled(got) == {"1850": 1}


def test_a_due_repost_is_skipped_with_the_reason() -> None:
    repost = x_post("1850", referenced_tweets=[{"type": "retweeted", "id": "1"}])
    rig = twitter(Scripted([posts_page([repost])]))
    assert rig.platform.collect(request(["1850"])).skipped == {
        "1850": "a repost of somebody else's post"
    }


def test_a_rejected_post_is_not_asked_for_again() -> None:
    (due,) = ids_of([1])
    rig = twitter(Scripted([posts_page([x_post(due, created_at="soon")])]))
    got = rig.platform.collect(discovery([due]))
    assert len(rig.requests) == 1
    assert [(r.subject, r.field) for r in got.rejected] == [(due, "created_at")]
    assert settled(got) == {due: 1}


# --- edits


def edited(first: str, second: str, likes: int) -> list[dict[str, Any]]:
    history = [first, second]
    return [
        x_post(first, edit_history_tweet_ids=history, text="befor"),
        x_post(
            second,
            edit_history_tweet_ids=history,
            text="before",
            public_metrics={"like_count": likes, "impression_count": 1000},
        ),
    ]


def test_an_edited_post_is_one_post_with_the_sum_of_its_versions() -> None:
    first, second = sorted(ids_of([1, 1.01]), key=int)
    rig = twitter(MiniX(edited(first, second, likes=40)))
    got = rig.platform.collect(discovery())
    (post,), (reading,) = got.posts, got.readings
    assert (post.platform_post_id, post.versions) == (first, (first, second))
    assert post.text == "before"
    assert post.published_at == min(p.published_at for p in got.posts)
    assert post.url == f"https://x.com/ana/status/{second}"
    assert reading.platform_post_id == first
    assert reading.counters["like_count"] == 43
    assert reading.counters["impression_count"] == 1600
    # The second version does not tell its quotes, so their sum is not known.
    assert reading.counters["quote_count"] is None


def test_the_versions_that_the_timeline_leaves_out_are_looked_up_together() -> None:
    pairs = [sorted(ids_of([n, n + 0.01]), key=int) for n in range(1, 20)]
    rig = twitter(MiniX(post for pair in pairs for post in edited(*pair, likes=1)))
    assert len(rig.platform.collect(discovery()).readings) == 19
    assert len(rig.requests) == 2


@pytest.mark.parametrize("which", [0, 1])
def test_an_edited_post_is_reported_under_the_id_that_was_due(which: int) -> None:
    pair = sorted(ids_of([1, 1.01]), key=int)
    rig = twitter(MiniX(edited(*pair, likes=40)))
    got = rig.platform.collect(request([pair[which]]))
    assert [r.platform_post_id for r in got.readings] == [pair[which]]
    assert got.readings[0].counters["like_count"] == 43


def test_two_due_versions_of_a_post_give_one_reading() -> None:
    pair = sorted(ids_of([1, 1.01]), key=int)
    got = twitter(MiniX(edited(*pair, likes=40))).platform.collect(request(pair))
    assert [r.platform_post_id for r in got.readings] == [pair[0]]
    assert got.skipped == {pair[1]: f"an edit version of post {pair[0]}"}


def test_a_version_that_is_gone_took_its_counters_along() -> None:
    pair = sorted(ids_of([1, 1.01]), key=int)
    rig = twitter(MiniX(edited(*pair, likes=40)[1:]))
    got = rig.platform.collect(request([pair[0]], discover_since=MONTH))
    assert got.deleted == []
    assert got.readings[0].platform_post_id == pair[0]
    assert got.readings[0].counters["like_count"] == 40


def test_a_sum_of_versions_that_is_out_of_range_is_rejected() -> None:
    pair = sorted(ids_of([1, 1.01]), key=int)
    rig = twitter(MiniX(edited(*pair, likes=MOST_COUNT)))
    got = rig.platform.collect(request([pair[0]]))
    assert [(r.subject, r.field) for r in got.rejected] == [(pair[0], "like_count")]
    assert got.readings == []


def test_a_version_that_could_not_be_read_makes_the_sum_unknown() -> None:
    pair = sorted(ids_of([1, 1.01]), key=int)
    newest = edited(*pair, likes=40)[1]
    rig = twitter(Scripted([posts_page([newest]), httpx.Response(503)]))
    got = rig.platform.collect(discovery([pair[0]]))
    assert got.readings == []
    assert got.skipped == {pair[0]: f"edit version {pair[0]} could not be read"}
    assert [post.platform_post_id for post in got.posts] == [pair[0]]


# --- errors


def test_5xx_of_one_batch_skips_that_batch_and_goes_on() -> None:
    due = [str(n) for n in range(1000, 1300)]

    def answer(sent: httpx.Request) -> httpx.Response:
        ids = sent.url.params["ids"].split(",")
        if "1150" in ids:
            return httpx.Response(503)
        return httpx.Response(200, json={"errors": [not_found(i) for i in ids]})

    rig = twitter(answer, TwitterSettings(owned_reads=False, private_metrics=False))
    got = rig.platform.collect(request(due))
    assert len(got.deleted) == 200
    assert set(got.skipped.values()) == {"X answered 503"}
    assert [(e.kind, e.endpoint) for e in got.errors] == [("server_error", LOOKUP)]
    assert got.stopped_by is None
    assert settled(got) == dict.fromkeys(due, 1)
    assert len(rig.requests) == 5


def test_a_timeline_that_fails_leaves_the_due_posts_to_the_lookup() -> None:
    due = ids_of([1, 2])

    def answer(sent: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if "users" in sent.url.path else MiniX(map(x_post, due))(sent)

    got = twitter(answer).platform.collect(discovery(due))
    assert len(got.readings) == 2
    assert [error.endpoint for error in got.errors] == [TIMELINE]


def test_what_was_received_before_a_cooldown_is_kept() -> None:
    due = [str(n) for n in range(1000, 1150)]
    first = {"errors": [not_found(i) for i in due[:100]]}
    script = [httpx.Response(200, json=first), httpx.Response(429, headers={"retry-after": "900"})]
    rig = twitter(Scripted(script), TwitterSettings(owned_reads=False, private_metrics=False))
    got = rig.platform.collect(request(due, with_profile=True))
    assert len(got.deleted) == 100
    assert got.stopped_by is not None
    assert got.stopped_by.kind == "rate_limited"
    assert set(got.skipped.values()) == {"X answered 429"}
    assert settled(got) == dict.fromkeys(due, 1)
    assert len(rig.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(402), "usage_capped"),
        (httpx.Response(403), "forbidden"),
        (httpx.ReadTimeout("slow"), "network"),
        (httpx.Response(401), "token_expired"),
        (httpx.Response(429), "rate_limited"),
    ],
)
def test_an_error_that_leaves_nothing_is_raised(answer: Any, kind: str) -> None:
    rig = twitter(Scripted([answer]))
    with pytest.raises(ApiError) as caught:
        rig.platform.collect(discovery(ids_of([1])))
    assert caught.value.kind == kind


def test_a_budget_that_ends_midway_keeps_what_was_read() -> None:
    due = [str(n) for n in range(1000, 1250)]
    rig = twitter(
        MiniX([]),
        TwitterSettings(owned_reads=False, private_metrics=False),
        pacer=CountingPacer(budget=2),
    )
    got = rig.platform.collect(request(due))
    assert len(got.deleted) == 200
    assert got.stopped_by is not None
    assert got.stopped_by.kind == "budget_exhausted"
    assert set(got.skipped.values()) == {"the budget is used up"}


# --- accounts


def test_followers_come_with_the_collection_where_asked_for() -> None:
    rig = twitter(Scripted([fixture("x_user.json")]))
    got = rig.platform.collect(request(with_profile=True))
    assert got.profile is not None
    assert got.profile.followers_count == 12448
    assert rig.targets == ["/2/users/42?user.fields=public_metrics"]
    assert rig.pacer.answers == [(USER, 1)]


def test_a_profile_that_cannot_be_used_is_rejected_with_its_field() -> None:
    rig = twitter(Scripted([{"data": {"id": "42", "public_metrics": {"followers_count": 1.5}}}]))
    got = rig.platform.collect(request(with_profile=True))
    assert got.profile is None
    assert [(r.subject, r.field) for r in got.rejected] == [("42", "followers_count")]


def test_whoami_asks_for_the_tokens_owner() -> None:
    rig = twitter(Scripted([fixture("x_user.json")]))
    assert rig.platform.accounts() == [rig.platform.whoami()]
    assert rig.targets[0] == "/2/users/me?user.fields=public_metrics"


def test_whoami_of_another_shape_is_an_api_error() -> None:
    with pytest.raises(ApiError, match="user data: is not an object"):
        twitter(Scripted([{"data": []}])).platform.whoami()


def test_an_account_id_cannot_lead_to_another_path() -> None:
    rig = twitter(Scripted([posts_page([])]))
    ref = CollectionRequest(X_ACCOUNT.__class__(X_ACCOUNT.account_id, "../me?x=", "profile"))
    rig.platform.collect(CollectionRequest(ref.account, discover_since=MONTH))
    assert rig.targets[0].startswith("/2/users/..%2Fme%3Fx%3D/tweets?")


def test_nothing_due_costs_nothing() -> None:
    rig = twitter(Scripted([OK]))
    assert rig.platform.collect(request()) == Collection()
    assert rig.requests == []


# --- economy and wholeness


@pytest.mark.parametrize("days", [25, 400])
def test_10_000_posts_take_at_most_105_requests(days: int) -> None:
    due = ids_of([n * days / 10_000 for n in range(10_000)])
    rig = twitter(MiniX(x_post(i) for i in due))
    got = rig.platform.collect(discovery(due, with_profile=True))
    assert len(got.readings) == 10_000
    assert len(rig.requests) <= 105


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(0, 45), st.sampled_from(["alive", "deleted"]), st.booleans()),
        max_size=150,
    ),
    st.integers(1, 100),
    st.booleans(),
)
def test_every_due_post_is_settled_exactly_once(
    plan: list[tuple[float, str, bool]], page: int, discover: bool
) -> None:
    posts = dict(zip(ids_of([p[0] for p in plan]), plan, strict=True))
    due = [i for i, (_, _, is_due) in posts.items() if is_due]
    rig = twitter(MiniX((x_post(i) for i, p in posts.items() if p[1] == "alive"), page))
    got = rig.platform.collect(discovery(due) if discover else request(due))
    counted = settled(got)
    assert all(counted[i] == 1 for i in due)
    assert set(got.deleted) == {i for i in due if posts[i][1] == "deleted"}
    read = {reading.platform_post_id for reading in got.readings}
    assert {i for i in due if posts[i][1] == "alive"} <= read
    if discover:
        assert {i for i, p in posts.items() if p[1] == "alive" and p[0] < 29.9} <= read
