"""The list of posts, one post, one platform."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from conftest import Api, House
from published_marts import (
    METRICS,
    AccountFact,
    IncrementFact,
    Marts,
    PostFact,
    benchmark_row,
)

AS_OF = datetime(2026, 3, 10, 12, tzinfo=UTC)
BIRD = AccountFact("bird")
PAGE = AccountFact("page", "linkedin", "page")
NAMES = ("impressions", "likes", "replies", "retweets", "quotes", "bookmarks")


def tweet(impressions: int, likes: int = 0, **others: int) -> dict[str, int]:
    return {**dict.fromkeys(NAMES, 0), "impressions": impressions, "likes": likes, **others}


def tweets(number: int) -> list[PostFact]:
    return [PostFact(f"tweet {n:02}", BIRD, AS_OF - timedelta(hours=n + 1)) for n in range(number)]


@pytest.fixture
def page_of_posts(house: House) -> Api:
    """Eleven posts: impressions 0, 100 … 900, and one whose impressions are not known."""
    posts = tweets(11)
    increments = [
        IncrementFact(post, AS_OF, tweet(100 * n, n % 3)) for n, post in enumerate(posts[:10])
    ]
    increments.append(IncrementFact(posts[10], AS_OF, {"likes": 1}))
    house.publish(Marts([BIRD], posts, increments))
    return house.client(house.user("ann@example.org", [BIRD]))


def names(answer: Any) -> list[str]:
    return [row["platform_post_id"] for row in answer["posts"]]


@pytest.mark.parametrize(("order", "first"), [("asc", "tweet 00"), ("desc", "tweet 09")])
def test_posts_sort_either_way_with_unknown_values_last(
    page_of_posts: Api, order: str, first: str
) -> None:
    answer = page_of_posts.get("/api/analytics/posts", sort="impressions", order=order)
    assert names(answer)[0] == first
    assert names(answer)[-1] == "tweet 10"
    assert answer["total"] == 11


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["likes", "engagement_score", "published_at", "clicks"])
def test_pages_hold_each_post_once_whatever_the_ties(
    page_of_posts: Api, sort: str, order: str
) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        answer = page_of_posts.get(
            "/api/analytics/posts", sort=sort, order=order, limit=4, offset=offset
        )
        assert answer["total"] == 11
        seen += names(answer)
        offset = answer["next_offset"]
    whole = page_of_posts.get("/api/analytics/posts", sort=sort, order=order)
    assert seen == names(whole)
    assert len(set(seen)) == 11


def test_a_page_past_the_end_is_empty_and_still_knows_the_total(page_of_posts: Api) -> None:
    answer = page_of_posts.get("/api/analytics/posts", offset=50)
    assert (answer["posts"], answer["total"], answer["next_offset"]) == ([], 11, None)


def test_posts_are_those_active_in_the_window(house: House) -> None:
    active, silent = tweets(2)
    increments = [
        IncrementFact(active, AS_OF, tweet(10)),
        IncrementFact(silent, AS_OF - timedelta(days=20), tweet(500)),
    ]
    house.publish(Marts([BIRD], [active, silent], increments))
    api = house.client(house.user("ann@example.org", [BIRD]))
    assert names(api.get("/api/analytics/posts", window="7d")) == ["tweet 00"]
    assert len(names(api.get("/api/analytics/posts", window="30d"))) == 2


def test_a_long_text_is_cut_in_lists_and_whole_in_the_post(house: House) -> None:
    post = PostFact("long", BIRD, AS_OF - timedelta(hours=1), text="é🎉" * 1500)
    house.publish(Marts([BIRD], [post], [IncrementFact(post, AS_OF, tweet(10))]))
    api = house.client(house.user("ann@example.org", [BIRD]))
    (row,) = api.get("/api/analytics/posts")["posts"]
    assert row["text_preview"] == "é🎉" * 140
    assert api.get(f"/api/analytics/posts/{post.post_id}")["text"] == "é🎉" * 1500


def test_a_deleted_post_is_shown_without_its_text(house: House) -> None:
    post = PostFact("gone", BIRD, AS_OF - timedelta(hours=1), text=None, is_deleted=True)
    house.publish(Marts([BIRD], [post], [IncrementFact(post, AS_OF, tweet(10))]))
    (row,) = house.client(house.user("ann@example.org", [BIRD])).get("/api/analytics/posts")[
        "posts"
    ]
    assert (row["is_deleted"], row["text_preview"]) == (True, None)
    assert row["counters"]["impressions"] == 10


def test_a_posts_timeline_holds_each_snapshot_and_what_it_added(house: House) -> None:
    post = PostFact("a tweet", BIRD, AS_OF - timedelta(hours=5))
    increments = [
        IncrementFact(post, AS_OF - timedelta(hours=4), tweet(100, 5, bookmarks=1)),
        IncrementFact(post, AS_OF - timedelta(hours=2), tweet(50, 2)),
        IncrementFact(post, AS_OF, tweet(25, -1)),
    ]
    house.publish(Marts([BIRD], [post], increments))
    api = house.client(house.user("ann@example.org", [BIRD]))
    answer = api.get(f"/api/analytics/posts/{post.post_id}")

    assert [point["impressions"] for point in answer["timeline"]] == [100, 150, 175]
    assert [point["new"]["likes"] for point in answer["timeline"]] == [5, 2, -1]
    assert [point["is_correction"] for point in answer["timeline"]] == [False, False, True]
    assert [point["engagement_rate"] for point in answer["timeline"]] == [0.06, 0.0533, 0.04]
    assert answer["post"]["counters"]["likes"] == 6
    assert answer["metric_version"] == 1


def test_the_parts_of_a_posts_engagements_add_up(house: House) -> None:
    post = PostFact("a tweet", BIRD, AS_OF - timedelta(hours=5))
    gains = tweet(1000, 5, replies=4, retweets=3, quotes=2, bookmarks=1)
    house.publish(Marts([BIRD], [post], [IncrementFact(post, AS_OF, gains)]))
    api = house.client(house.user("ann@example.org", [BIRD]))
    answer = api.get(f"/api/analytics/posts/{post.post_id}")
    parts = {part["metric"]: part["value"] for part in answer["breakdown"]}
    assert parts == {"likes": 5, "replies": 4, "retweets": 3, "quotes": 2, "bookmarks": 1}
    assert sum(parts.values()) == answer["post"]["counters"]["engagements"]
    assert sum(part["share"] for part in answer["breakdown"]) == pytest.approx(1)


def test_parts_are_those_of_the_snapshot_that_gave_the_sum(house: House) -> None:
    post = PostFact("a tweet", BIRD, AS_OF - timedelta(hours=5))
    later = {"impressions": 10, "likes": 90}  # replies and the rest were not sent this time
    increments = [
        IncrementFact(post, AS_OF - timedelta(hours=2), tweet(1000, 5, replies=4)),
        IncrementFact(post, AS_OF, later),
    ]
    house.publish(Marts([BIRD], [post], increments))
    api = house.client(house.user("ann@example.org", [BIRD]))
    answer = api.get(f"/api/analytics/posts/{post.post_id}")
    assert answer["post"]["counters"]["likes"] == 95
    assert answer["post"]["counters"]["engagements"] == 9
    assert sum(part["value"] for part in answer["breakdown"]) == 9


def test_snapshots_in_cold_storage_are_told_by_their_increments(house: House) -> None:
    post = PostFact("a tweet", BIRD, AS_OF - timedelta(hours=5))
    increments = [
        IncrementFact(post, AS_OF - timedelta(hours=4), tweet(100, 5)),
        IncrementFact(post, AS_OF, tweet(50, 2)),
    ]

    class WithoutOldSnapshots(Marts):
        def _snapshot_rows(self) -> Any:
            return [row for row in super()._snapshot_rows() if row["collected_at"] == AS_OF]

    house.publish(WithoutOldSnapshots([BIRD], [post], increments))
    api = house.client(house.user("ann@example.org", [BIRD]))
    cold, hot = api.get(f"/api/analytics/posts/{post.post_id}")["timeline"]
    assert (cold["source"], cold["impressions"], cold["engagement_rate"]) == (None, 100, 0.05)
    assert (hot["source"], hot["impressions"], hot["engagement_rate"]) == ("api", 150, 0.0467)


def test_a_post_is_compared_metric_by_metric_where_there_is_enough_to_compare(house: House) -> None:
    post = PostFact("a tweet", BIRD, AS_OF - timedelta(hours=100))
    rows = [
        benchmark_row(post, "engagement_rate", Decimal("0.0150"), Decimal("0.0200")),
        benchmark_row(post, "impressions", Decimal(5200), Decimal(4000)),
        benchmark_row(post, "engagements", Decimal(78), None),
    ]
    increments = [IncrementFact(post, AS_OF, tweet(5200, 78))]
    house.publish(Marts([BIRD], [post], increments, benchmarks=rows))
    api = house.client(house.user("ann@example.org", [BIRD]))
    first, second = api.get(f"/api/analytics/posts/{post.post_id}")["benchmarks"]
    assert first == {
        "metric": "impressions",
        "age": "72h",
        "value": 5200.0,
        "median": 4000.0,
        "lower_quartile": 2000.0,
        "upper_quartile": 8000.0,
        "mean": 4000.0,
        "percentile": 62.5,
        "posts": 10,
    }
    assert (second["metric"], second["value"], second["median"]) == ("engagement_rate", 0.015, 0.02)


@pytest.fixture
def both_platforms(house: House) -> Api:
    share = PostFact("share", PAGE, AS_OF - timedelta(hours=3))
    (post,) = tweets(1)
    on_page = {"impressions": 200, "likes": 4, "comments": 3, "shares": 2, "clicks": 11}
    increments = [
        IncrementFact(post, AS_OF, tweet(100, 10, bookmarks=5)),
        IncrementFact(share, AS_OF - timedelta(minutes=40), on_page),
    ]
    house.publish(Marts([BIRD, PAGE], [post, share], increments))
    return house.client(house.user("ann@example.org", [BIRD, PAGE]))


def test_a_platform_shows_each_metric_and_says_which_it_does_not_offer(both_platforms: Api) -> None:
    answer = both_platforms.get("/api/analytics/platform/linkedin", window="7d")
    assert [row["metric"] for row in answer["metrics"]] == list(METRICS)
    shown = {row["metric"]: (row["value"], row["offered"]) for row in answer["metrics"]}
    assert shown["clicks"] == (11, True)
    assert shown["retweets"] == (None, False)
    assert shown["engagements"] == (20, True)
    assert shown["engagements_core"] == (9, True)


def test_platforms_are_compared_by_what_they_have_in_common(both_platforms: Api) -> None:
    answer = both_platforms.get("/api/analytics/platform/twitter", window="7d")
    compared = {row["platform"]: row for row in answer["comparison"]}
    assert compared["linkedin"]["engagement_rate_core"] == 0.045
    assert compared["twitter"]["engagement_rate_core"] == 0.1
    assert compared["twitter"]["engagement_rate"] == 0.15
    assert (compared["linkedin"]["active_posts"], compared["linkedin"]["posts_published"]) == (1, 1)
    assert compared["twitter"]["clicks"] is None


@pytest.mark.parametrize("platform", ["twitter", "linkedin"])
@pytest.mark.parametrize("window", ["24h", "7d", "30d", "90d"])
def test_a_platform_has_the_same_figures_wherever_they_are_shown(
    both_platforms: Api, platform: str, window: str
) -> None:
    own = both_platforms.get(f"/api/analytics/platform/{platform}", window=window)
    filtered = both_platforms.overview(window=window, platform=platform)
    whole = both_platforms.overview(window=window)
    assert own["cards"] == {
        name: card for name, card in filtered["cards"].items() if name != "best_platform"
    }
    assert own["window"] == filtered["window"] == whole["window"]
    assert own["trend"] == filtered["trend"]
    assert own["trend"]["series"][0] in whole["trend"]["series"]
    (standing,) = filtered["cards"]["best_platform"]["platforms"]
    assert standing in whole["cards"]["best_platform"]["platforms"]
    values = {row["metric"]: row["value"] for row in own["metrics"]}
    assert values["impressions"] == own["cards"]["impressions"]["value"]
    listed = both_platforms.get("/api/analytics/posts", window=window, platform=platform)
    gained = sum(row["gained"]["impressions"] for row in listed["posts"])
    assert gained == values["impressions"]
