"""X as the stand-in answers it; each test is named for the rule of the other side."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sandbox_asker import START, Asker

from ingest.sandbox.app import create_sandbox
from ingest.sandbox.world import DAY, PLAIN, AccountSpec, Post, World

ALL_FIELDS = "created_at,author_id,public_metrics,attachments,referenced_tweets,in_reply_to_user_id"


def visible(asker: Asker, **bounds: float) -> list[Post]:
    return list(asker.profile.newest_first(asker.now, **bounds))


def timeline(asker: Asker, query: str = "") -> dict:
    return asker.x(f"/2/users/{asker.profile.id}/tweets?{query}").json


def walk(asker: Asker, query: str) -> list[dict]:
    """All pages of a timeline."""
    pages, token = [], ""
    while True:
        page = timeline(asker, query + token)
        pages.append(page)
        if "next_token" not in page["meta"]:
            return pages
        token = f"&pagination_token={page['meta']['next_token']}"


# ---- who may ask ----------------------------------------------------------------------------


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nonsense"}])
def test_without_a_good_token_the_answer_is_401(shared: Asker, header: dict[str, str]):
    answer = shared.x("/2/users/me", header)
    assert answer.status_code == 401
    assert answer.json == {
        "title": "Unauthorized",
        "type": "about:blank",
        "status": 401,
        "detail": "Unauthorized",
    }


def test_a_linkedin_token_is_no_token_of_x(shared: Asker):
    assert shared.x("/2/users/me", shared.bearer(shared.page)).status_code == 401


def test_an_app_token_may_look_up_posts_but_has_no_me(shared: Asker):
    app = {"Authorization": f"Bearer {shared.sandbox.tokens.app_token}"}
    post = visible(shared)[0]
    assert shared.x(f"/2/tweets?ids={post.versions[-1].id}", app).status_code == 200
    answer = shared.x("/2/users/me", app)
    assert answer.status_code == 403
    assert answer.json["type"].endswith("/unsupported-authentication")


# ---- posts ----------------------------------------------------------------------------------


def test_without_fields_only_id_text_and_edit_history_come_back(shared: Asker):
    post = timeline(shared)["data"][0]
    assert set(post) == {"id", "text", "edit_history_tweet_ids"}


def test_counters_are_those_of_the_world(shared: Asker):
    post = next(p for p in visible(shared) if p.type == "post" and len(p.versions) == 1)
    answer = shared.x(f"/2/tweets?ids={post.id}&tweet.fields=public_metrics,created_at").json
    counts = post.counts(shared.now)
    assert answer["data"][0]["public_metrics"] == {
        "retweet_count": counts[3],
        "reply_count": counts[2],
        "like_count": counts[1],
        "quote_count": counts[4],
        "bookmark_count": counts[5],
        "impression_count": counts[0],
    }
    created = datetime.fromisoformat(answer["data"][0]["created_at"])
    assert created.timestamp() == pytest.approx(post.published, abs=0.001)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["data"][0]["created_at"])


def test_the_post_dialect_renames_keys_and_mixing_loses_the_tweet_fields(shared: Asker):
    post = next(p for p in visible(shared) if p.type == "reply")
    new = shared.x(
        f"/2/tweets?ids={post.id}&post.fields=public_metrics,referenced_posts,referenced_tweets"
    ).json["data"][0]
    assert "repost_count" in new["public_metrics"]
    assert "retweet_count" not in new["public_metrics"]
    assert new["edit_history_post_ids"] == [str(post.id)]
    assert "referenced_posts" in new
    assert "referenced_tweets" not in new
    mixed = shared.x(f"/2/tweets?ids={post.id}&post.fields=lang&tweet.fields=public_metrics").json
    assert set(mixed["data"][0]) == {"id", "text", "edit_history_post_ids", "lang"}


def test_an_unknown_field_is_dropped_with_200(shared: Asker):
    post = timeline(shared, "tweet.fields=public_metrics,moon_phase")["data"][0]
    assert set(post) == {"id", "text", "edit_history_tweet_ids", "public_metrics"}


def test_text_has_html_entities_and_line_breaks(shared: Asker):
    texts = [post["text"] for page in walk(shared, "max_results=100") for post in page["data"]]
    assert any("&amp;" in text for text in texts)
    assert any("&lt;" in text for text in texts)
    assert any("\n" in text for text in texts)
    assert any(not text.isascii() for text in texts)
    assert not any(re.search(r"&(?!amp;|lt;|gt;)", text) for text in texts)


def test_replies_retweets_and_quotes_name_the_post_they_refer_to(shared: Asker):
    posts = [
        post
        for page in walk(shared, f"max_results=100&tweet.fields={ALL_FIELDS}")
        for post in page["data"]
    ]
    by_type = {
        post["referenced_tweets"][0]["type"]: post for post in posts if "referenced_tweets" in post
    }
    assert set(by_type) == {"replied_to", "retweeted", "quoted"}
    assert "in_reply_to_user_id" in by_type["replied_to"]
    retweet = by_type["retweeted"]["public_metrics"]
    assert retweet["retweet_count"] > 0
    assert retweet["impression_count"] == retweet["like_count"] == 0


def test_expansions_bring_authors_and_media_and_errors_for_posts_that_are_gone(shared: Asker):
    page = timeline(
        shared,
        "max_results=100&expansions=author_id,attachments.media_keys,referenced_tweets.id",
    )
    assert [user["id"] for user in page["includes"]["users"]] == [shared.profile.id]
    keys = {
        key for post in page["data"] for key in post.get("attachments", {}).get("media_keys", [])
    }
    assert {media["media_key"] for media in page["includes"]["media"]} == keys
    assert {error["parameter"] for error in page["errors"]} == {"referenced_tweets.id"}


# ---- lookup ---------------------------------------------------------------------------------


def test_missing_posts_are_partial_errors_in_a_200(shared: Asker):
    post = visible(shared)[0].versions[-1].id
    answer = shared.x(f"/2/tweets?ids={post},1850")
    assert answer.status_code == 200
    assert [found["id"] for found in answer.json["data"]] == [str(post)]
    assert answer.json["errors"] == [
        {
            "value": "1850",
            "detail": "Could not find tweet with ids: [1850].",
            "title": "Not Found Error",
            "resource_type": "tweet",
            "parameter": "ids",
            "resource_id": "1850",
            "type": "https://api.twitter.com/2/problems/resource-not-found",
        }
    ]


def test_all_ids_missing_is_a_200_with_only_errors(shared: Asker):
    answer = shared.x("/2/tweets?ids=1850,1851")
    assert answer.status_code == 200
    assert set(answer.json) == {"errors"}


def test_a_deleted_post_is_gone_from_lookup_and_timeline(fresh: Asker):
    post = next(p for p in visible(fresh) if p.type == "post" and len(p.versions) == 1)
    fresh.app.test_client().post("/_sandbox/posts", json={"delete": str(post.id)})
    assert "data" not in fresh.x(f"/2/tweets?ids={post.id}").json
    ids = {p["id"] for page in walk(fresh, "max_results=100") for p in page["data"]}
    assert str(post.id) not in ids


def test_posts_of_other_people_can_be_looked_up_but_not_their_private_metrics(shared: Asker):
    other = next(shared.world.accounts[3].newest_first(shared.now))
    shown = other.versions[other.version(shared.now)].id
    answer = shared.x(f"/2/tweets?ids={shown}&tweet.fields=public_metrics,non_public_metrics").json
    assert "public_metrics" in answer["data"][0]
    assert "non_public_metrics" not in answer["data"][0]
    assert {error["field"] for error in answer["errors"]} == {
        "non_public_metrics.impression_count",
        "non_public_metrics.url_link_clicks",
        "non_public_metrics.user_profile_clicks",
        "non_public_metrics.engagements",
    }
    assert all(error["section"] == "data" for error in answer["errors"])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "can not be empty"),
        ("ids=abc", r"\[abc\] is not valid"),
        ("ids=" + ",".join(map(str, range(101))), "between 1 and 100"),
        ("ids=1&pages=2", r"The query parameter \[pages\] is not one of"),
    ],
)
def test_a_wrong_lookup_is_a_400_that_names_the_parameter(shared: Asker, query: str, message: str):
    answer = shared.x(f"/2/tweets?{query}")
    assert answer.status_code == 400
    assert answer.json["title"] == "Invalid Request"
    assert answer.json["type"].endswith("/invalid-request")
    assert re.search(message, answer.json["errors"][0]["message"])


# ---- timeline -------------------------------------------------------------------------------


def test_paging_gives_every_post_once_newest_first(shared: Asker):
    pages = walk(shared, "max_results=7")
    ids = [int(post["id"]) for page in pages for post in page["data"]]
    assert ids == [post.versions[post.version(shared.now)].id for post in visible(shared)]
    assert all(page["meta"]["result_count"] == len(page["data"]) for page in pages)
    assert pages[0]["meta"]["newest_id"] == str(ids[0])
    assert pages[0]["meta"]["oldest_id"] == str(ids[6])


def test_a_new_post_between_two_pages_is_neither_a_gap_nor_a_repetition(fresh: Asker):
    first = timeline(fresh, "max_results=5")
    seen = {post["id"] for post in first["data"]}
    rest = list(fresh.profile.newest_first(fresh.now))[5:10]
    fresh.sandbox.clock.set(START + timedelta(days=3))
    second = timeline(fresh, f"max_results=5&pagination_token={first['meta']['next_token']}")
    assert seen.isdisjoint(post["id"] for post in second["data"])
    assert [post["id"] for post in second["data"]] == [str(p.versions[-1].id) for p in rest]


def test_excluding_retweets_makes_pages_short_that_still_have_a_next_token(shared: Asker):
    pages = walk(shared, "max_results=10&exclude=retweets")
    ids = [post["id"] for page in pages for post in page.get("data", [])]
    assert len(ids) == sum(post.type != "retweet" for post in visible(shared))
    assert any(len(page["data"]) < 10 for page in pages[:-1])


def test_a_start_time_ends_the_timeline(shared: Asker):
    since = shared.now - 10 * DAY
    start = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    pages = walk(shared, f"max_results=100&start_time={start}")
    assert sum(len(page["data"]) for page in pages) == len(visible(shared, since=since))


def test_since_id_is_exclusive(shared: Asker):
    newest = [post.versions[post.version(shared.now)].id for post in visible(shared)[:4]]
    page = timeline(shared, f"since_id={newest[3]}")
    assert [post["id"] for post in page["data"]] == [str(i) for i in newest[:3]]


def test_an_empty_page_has_no_data_key(shared: Asker):
    page = timeline(shared, f"since_id={2**62}")
    assert page == {"meta": {"result_count": 0}}


def test_private_metrics_in_a_timeline_leave_older_posts_out_but_not_their_pages(shared: Asker):
    fields = "max_results=20&tweet.fields=non_public_metrics&exclude=retweets"
    pages = walk(shared, fields)
    posts = [post for page in pages for post in page.get("data", [])]
    recent = visible(shared, since=shared.now - 30 * DAY)
    assert len(posts) == sum(post.type != "retweet" for post in recent)
    assert all("engagements" in post["non_public_metrics"] for post in posts)
    assert any(page["meta"]["result_count"] == 0 and "next_token" in page["meta"] for page in pages)


@pytest.mark.parametrize(
    "query",
    [
        "max_results=4",
        "max_results=101",
        "max_results=ten",
        "pagination_token=%20",
        "pagination_token=zz",
        "exclude=likes",
        "start_time=2026-07-01",
        "until_id=x",
    ],
)
def test_a_wrong_timeline_request_is_a_400(shared: Asker, query: str):
    answer = shared.x(f"/2/users/{shared.profile.id}/tweets?{query}")
    assert answer.status_code == 400
    assert list(answer.json["errors"][0]["parameters"]) == [query.partition("=")[0]]


def test_nobodys_timeline_is_a_partial_error(shared: Asker):
    answer = shared.x("/2/users/1/tweets")
    assert answer.status_code == 200
    assert answer.json["errors"][0]["resource_type"] == "user"


def test_the_timeline_reaches_back_3200_posts_and_800_without_replies():
    spec = AccountSpec("profile", "chatty", ("ana",), posts_per_day=200, habits=PLAIN)
    asker = Asker(create_sandbox(World([spec], START, days_before=18, days_after=0)))
    assert len(visible(asker)) > 3200
    assert sum(page["meta"]["result_count"] for page in walk(asker, "max_results=100")) == 3200
    pages = walk(asker, "max_results=100&exclude=replies")
    assert sum(page["meta"]["result_count"] for page in pages) == 800


def test_posts_of_the_future_are_never_visible(fresh: Asker):
    future = next(post for post in fresh.profile.posts if post.published > fresh.now)
    assert "data" not in fresh.x(f"/2/tweets?ids={future.id}").json
    fresh.sandbox.clock.set(datetime.fromtimestamp(future.published + 1, UTC))
    assert fresh.x(f"/2/tweets?ids={future.id}").json["data"][0]["id"] == str(future.id)


def test_an_edit_gives_a_new_id_and_the_timeline_shows_only_the_newest(fresh: Asker):
    post = next(p for p in fresh.profile.posts if len(p.versions) == 2 and p.exists(p.published))
    first, second = post.versions
    fresh.sandbox.clock.set(datetime.fromtimestamp(second.since - 1, UTC))
    assert timeline(fresh)["data"][0] == {
        "id": str(first.id),
        "text": timeline(fresh)["data"][0]["text"],
        "edit_history_tweet_ids": [str(first.id)],
    }
    assert "data" not in fresh.x(f"/2/tweets?ids={second.id}").json
    fresh.sandbox.clock.set(datetime.fromtimestamp(second.since + 1, UTC))
    shown = timeline(fresh)["data"][0]
    assert shown["id"] == str(second.id)
    assert shown["edit_history_tweet_ids"] == [str(first.id), str(second.id)]
    both = fresh.x(f"/2/tweets?ids={first.id},{second.id}&tweet.fields=public_metrics").json
    total = sum(found["public_metrics"]["impression_count"] for found in both["data"])
    assert total == post.counts(fresh.now)[0]


# ---- users, analytics, usage ----------------------------------------------------------------


def test_me_is_the_owner_of_the_token_with_todays_followers(shared: Asker):
    user = shared.x("/2/users/me?user.fields=public_metrics,created_at").json["data"]
    assert user["id"] == shared.profile.id
    assert user["username"] == "ana_builds"
    assert user["public_metrics"]["followers_count"] == shared.profile.followers(shared.now)
    assert user["public_metrics"]["tweet_count"] == len(visible(shared))


def test_users_can_be_read_one_or_many(shared: Asker):
    one = shared.x(f"/2/users/{shared.profile.id}").json
    assert one["data"]["name"] == "Ana Builds"
    many = shared.x(f"/2/users?ids={shared.profile.id},77").json
    assert [user["id"] for user in many["data"]] == [shared.profile.id]
    assert many["errors"][0]["value"] == "77"


def test_analytics_gives_gains_by_day_under_names_of_its_own(shared: Asker):
    post = next(p for p in visible(shared, since=shared.now - 9 * DAY) if p.type == "post")
    day = int(post.published // DAY) * DAY
    bounds = [
        datetime.fromtimestamp(day + n * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (0, 3)
    ]
    answer = shared.x(
        f"/2/tweets/analytics?ids={post.id}&start_time={bounds[0]}&end_time={bounds[1]}"
        "&granularity=daily"
    ).json
    points = answer["data"][0]["timestamped_metrics"]
    end = min(day + 3 * DAY, shared.now)
    assert sum(point["metrics"]["impressions"] for point in points) == post.counts(end)[0]


def test_usage_counts_the_posts_that_were_read(fresh: Asker):
    timeline(fresh, "max_results=10")
    assert fresh.x("/2/usage/tweets").json["data"]["project_usage"] == "10"


# ---- limits ---------------------------------------------------------------------------------


def test_every_answer_tells_its_window(shared: Asker):
    headers = shared.x(f"/2/users/{shared.profile.id}/tweets").headers
    assert headers["x-rate-limit-limit"] == "900"
    assert int(headers["x-rate-limit-reset"]) - shared.now == pytest.approx(900, abs=1)
    assert "Retry-After" not in headers


def test_a_used_up_window_is_a_429_until_it_opens_again(fresh: Asker):
    remaining = [fresh.x("/2/users/me").headers["x-rate-limit-remaining"] for _ in range(75)]
    assert remaining[0] == "74"
    assert remaining[-1] == "0"
    refused = fresh.x("/2/users/me")
    assert refused.status_code == 429
    assert refused.json["title"] == "Too Many Requests"
    assert fresh.x("/2/users/1/tweets").status_code == 200
    reset = int(refused.headers["x-rate-limit-reset"])
    fresh.sandbox.clock.set(datetime.fromtimestamp(reset, UTC))
    assert fresh.x("/2/users/me").status_code == 200


def test_windows_are_per_user(fresh: Asker):
    for _ in range(76):
        refused = fresh.x("/2/users/me")
    assert refused.status_code == 429
    assert fresh.x("/2/users/me", fresh.bearer(fresh.world.accounts[3])).status_code == 200


def test_limits_can_be_lowered_or_not_enforced(fresh: Asker):
    fresh.scenario(limits={"GET /2/users/me": 2})
    assert [fresh.x("/2/users/me").status_code for _ in range(3)] == [200, 200, 429]
    fresh.scenario(limits={"GET /2/users/me": 2}, enforce_limits=False)
    assert [fresh.x("/2/users/me").status_code for _ in range(3)] == [200, 200, 200]
