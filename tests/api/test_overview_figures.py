"""The figures of the overview, worked out by hand from a few increments."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import Api, House
from published_marts import AccountFact, IncrementFact, Marts, PostFact, age_row

AS_OF = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # a Tuesday
BIRD = AccountFact("bird", connected_at=datetime(2026, 2, 1, tzinfo=UTC))
PAGE = AccountFact("page", "linkedin", "page")


def tweet(impressions: int, likes: int = 0, **others: int) -> dict[str, int]:
    """All counters of an X post known."""
    rest = dict.fromkeys(("replies", "retweets", "quotes", "bookmarks"), 0)
    return {"impressions": impressions, "likes": likes, **rest, **others}


def share(impressions: int, likes: int = 0, **others: int) -> dict[str, int]:
    """All counters of a LinkedIn page's post known."""
    rest = dict.fromkeys(("comments", "shares", "clicks"), 0)
    return {"impressions": impressions, "likes": likes, **rest, **others}


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def serve(house: House, marts: Marts, timezone: str = "UTC") -> Api:
    house.publish(marts)
    return house.client(house.user("ann@example.org", list(marts.accounts), timezone))


POSTS = [PostFact(f"tweet {n}", BIRD, at(1, n)) for n in range(4)]


def test_cards_add_up_what_was_gained_in_the_window_and_compare_it_with_the_one_before(
    house: House,
) -> None:
    increments = [
        IncrementFact(POSTS[0], at(9), tweet(600, 30)),
        IncrementFact(POSTS[1], at(10), tweet(900, 60)),
        # The seven days before are 25 February to 3 March, cut at the same wall clock: 12:15.
        IncrementFact(POSTS[2], at(3, 11), tweet(1000, 40)),
        IncrementFact(POSTS[3], at(3, 13), tweet(5000, 500)),
    ]
    answer = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")

    assert (answer["window"]["from"], answer["window"]["to"]) == ("2026-03-04", "2026-03-10")
    assert answer["window"]["end"] == "2026-03-10T12:15:00Z"
    assert answer["previous"] == {
        "from": "2026-02-25",
        "to": "2026-03-03",
        "start": "2026-02-25T00:00:00Z",
        "end": "2026-03-03T12:15:00Z",
    }
    impressions = answer["cards"]["impressions"]
    assert (impressions["value"], impressions["previous_observed"]) == (1500, 1000)
    assert impressions["change"] == {
        "state": "change",
        "reason": None,
        "percent": 50.0,
        "points": None,
        "direction": "up",
        "greyed": False,
    }
    assert answer["cards"]["engagements"]["change"]["percent"] == 125.0
    rate = answer["cards"]["engagement_rate"]
    assert (rate["value"], rate["previous"]) == (0.06, 0.04)
    assert (rate["change"]["points"], rate["change"]["percent"]) == (2.0, None)


def test_history_stands_beside_what_was_observed_and_never_in_the_change(house: House) -> None:
    increments = [
        IncrementFact(POSTS[0], at(10), tweet(100, 5)),
        IncrementFact(POSTS[1], at(10), tweet(700, 9), basis="catch_up"),
        IncrementFact(POSTS[2], at(2), tweet(100, 40)),
    ]
    card = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["cards"][
        "impressions"
    ]
    assert (card["value"], card["observed"], card["from_history"]) == (800, 100, 700)
    assert card["change"]["state"] == "no change"
    assert card["change"]["percent"] == 0.0


def test_what_is_unknown_is_null_and_never_zero(house: House) -> None:
    increments = [IncrementFact(POSTS[0], at(10), {"impressions": 100, "likes": 7})]
    answer = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")

    assert answer["cards"]["engagements"]["value"] is None
    assert answer["cards"]["engagement_rate"]["value"] is None
    last = answer["trend"]["series"][0]["points"][-1]
    assert (last["impressions"], last["likes"], last["clicks"]) == (100, 7, None)
    assert answer["trend"]["series"][0]["points"][0]["impressions"] is None
    assert answer["metric_completeness"]["likes"] == 1.0
    assert answer["metric_completeness"]["clicks"] is None


def test_completeness_is_that_of_the_platforms_which_send_the_metric(house: House) -> None:
    post = PostFact("a share", PAGE, at(4))
    with_clicks, without = share(100, clicks=3), share(100)
    del without["clicks"]
    increments = [
        *(IncrementFact(POSTS[n], at(10), tweet(100)) for n in range(3)),
        IncrementFact(post, at(9), with_clicks),
        IncrementFact(post, at(10), without),
    ]
    answer = serve(house, Marts([BIRD, PAGE], [*POSTS, post], increments)).overview(window="7d")
    shares = answer["metric_completeness"]
    assert (shares["clicks"], shares["likes"], shares["retweets"]) == (0.5, 1.0, 1.0)


def test_engagements_without_impressions_are_left_out_of_the_rate(house: House) -> None:
    unknown_impressions = tweet(0, 50)
    del unknown_impressions["impressions"]
    increments = [
        IncrementFact(POSTS[0], at(10), tweet(1000, 10)),
        IncrementFact(POSTS[1], at(10), unknown_impressions),
    ]
    cards = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["cards"]
    assert cards["engagements"]["value"] == 60
    assert cards["engagement_rate"]["value"] == 0.01


@pytest.mark.parametrize(
    ("before", "state", "reason"),
    [
        ([], "n/a", "nothing collected"),
        ([IncrementFact(POSTS[2], at(2), tweet(0))], "new", None),
        ([IncrementFact(POSTS[2], at(2), tweet(90), basis="catch_up")], "n/a", "file totals only"),
    ],
    ids=["nothing before", "zero before", "only history before"],
)
def test_a_change_without_a_baseline_says_why(
    house: House, before: list[IncrementFact], state: str, reason: str | None
) -> None:
    increments = [IncrementFact(POSTS[0], at(10), tweet(100, 5)), *before]
    change = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["cards"][
        "impressions"
    ]["change"]
    assert (change["state"], change["reason"], change["percent"]) == (state, reason, None)


def test_a_period_before_the_account_was_connected_is_not_compared_with(house: House) -> None:
    young = AccountFact("young", connected_at=at(8))
    post = PostFact("first", young, at(9))
    marts = Marts([young], [post], [IncrementFact(post, at(10), tweet(100))])
    change = serve(house, marts).overview(window="7d")["cards"]["impressions"]["change"]
    assert (change["state"], change["reason"]) == ("n/a", "not connected yet")


def test_a_period_that_the_account_was_connected_in_the_middle_of_is_not_compared_with(
    house: House,
) -> None:
    # 90 impressions of two days against 10 of one would be a rise that nobody saw
    late = AccountFact("late", connected_at=at(1))
    post = PostFact("first", late, at(1))
    increments = [IncrementFact(post, at(2), tweet(10)), IncrementFact(post, at(9), tweet(90))]
    card = serve(house, Marts([late], [post], increments)).overview(window="7d")["cards"][
        "impressions"
    ]
    assert (card["value"], card["previous_observed"]) == (90, None)
    assert (card["change"]["state"], card["change"]["reason"]) == ("n/a", "not connected yet")


def test_a_period_with_less_than_nine_tenths_of_its_slots_is_not_compared(house: House) -> None:
    increments = [
        IncrementFact(POSTS[0], at(10), tweet(100)),
        IncrementFact(POSTS[1], at(2), tweet(100)),
    ]
    marts = Marts([BIRD], POSTS, increments, missed=[(BIRD, at(2, 14)), (BIRD, at(9, 14))])
    answer = serve(house, marts).overview(window="7d")
    assert answer["coverage"] == {
        "due_slots": 2,
        "filled_slots": 1,
        "coverage": 0.5,
        "previous_coverage": 0.5,
    }
    assert answer["cards"]["impressions"]["change"]["reason"] == "incomplete"


def test_a_change_on_fewer_than_thirty_engagements_is_greyed(house: House) -> None:
    def greyed(likes_before: int) -> bool:
        increments = [
            IncrementFact(POSTS[0], at(10), tweet(100, 5)),
            IncrementFact(POSTS[1], at(2), tweet(100, likes_before)),
        ]
        house.publish(Marts([BIRD], POSTS, increments), generation=likes_before)
        answer = api.overview(window="7d")
        assert answer["generation"] == likes_before
        return bool(answer["cards"]["impressions"]["change"]["greyed"])

    house.publish(Marts([BIRD]))
    api = house.client(house.user("ann@example.org", [BIRD]))
    assert greyed(29)
    assert not greyed(30)


def test_nothing_is_compared_when_the_caller_does_not_want_it(house: House) -> None:
    increments = [IncrementFact(POSTS[0], at(10), tweet(100))]
    answer = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d", compare="none")
    assert answer["previous"] is None
    assert answer["coverage"]["previous_coverage"] is None
    assert answer["cards"]["impressions"]["change"]["reason"] == "not compared"


def test_the_trend_has_a_bucket_for_each_local_day_and_marks_the_open_one(house: House) -> None:
    # In Kathmandu (+05:45) 18:14 UTC is still the 9th, 18:15 the 10th.
    increments = [
        IncrementFact(POSTS[0], at(9, 18, 14), tweet(1)),
        IncrementFact(POSTS[1], at(9, 18, 15), tweet(10)),
        IncrementFact(POSTS[2], at(10), tweet(100)),
    ]
    answer = serve(house, Marts([BIRD], POSTS, increments), "Asia/Kathmandu").overview(window="7d")
    trend = answer["trend"]
    assert answer["window"]["tz"] == "Asia/Kathmandu"
    assert [bucket["day"] for bucket in trend["buckets"]] == [
        f"2026-03-{day:02}" for day in range(4, 11)
    ]
    assert [bucket["partial"] for bucket in trend["buckets"]] == [False] * 6 + [True]
    assert [point["impressions"] for point in trend["series"][0]["points"]][-2:] == [1, 110]


def test_24_hours_go_by_slots_in_four_bars(house: House) -> None:
    increments = [
        # A six-hour slot that starts before the window, collected inside of it: left out.
        IncrementFact(POSTS[0], at(9, 15), tweet(1000), slot_start=at(9, 12)),
        IncrementFact(POSTS[1], at(9, 14, 5), tweet(1)),
        IncrementFact(POSTS[2], at(9, 21), tweet(10), slot_start=at(9, 18)),
        IncrementFact(POSTS[3], at(10, 13, 5), tweet(100)),
    ]
    answer = serve(house, Marts([BIRD], POSTS, increments)).overview(window="24h")
    assert answer["window"]["start"] == "2026-03-09T14:00:00Z"
    assert answer["window"]["end"] == "2026-03-10T14:00:00Z"
    assert answer["trend"]["bucket"] == "6h"
    points = answer["trend"]["series"][0]["points"]
    assert [point["impressions"] for point in points] == [11, None, None, 100]
    assert answer["cards"]["impressions"]["value"] == 111
    assert answer["cards"]["impressions"]["previous_observed"] == 1000


def test_the_best_platform_needs_enough_impressions_and_posts(house: House) -> None:
    shares = [PostFact(f"share {n}", PAGE, at(4, n)) for n in range(3)]
    increments = [
        *(IncrementFact(post, at(10), tweet(100, 1, bookmarks=50)) for post in POSTS),
        *(IncrementFact(post, at(10), share(40, 1, clicks=30)) for post in shares),
    ]
    api = serve(house, Marts([BIRD, PAGE], [*POSTS, *shares], increments))
    best = api.overview(window="7d")["cards"]["best_platform"]
    # Bookmarks and clicks are no core engagements: 1 % against 2.5 %.
    assert (best["platform"], best["state"]) == ("linkedin", "found")
    assert [row["rate"] for row in best["platforms"]] == [0.025, 0.01]

    without = [increment for increment in increments if increment.post != shares[0]]
    house.publish(Marts([BIRD, PAGE], [*POSTS, *shares], without), generation=2)
    best = api.overview(window="7d")["cards"]["best_platform"]
    assert [row["eligible"] for row in best["platforms"]] == [False, True]
    assert best["platform"] == "twitter"

    house.publish(Marts([BIRD, PAGE], [*POSTS, *shares], without[-2:]), generation=3)
    best = api.overview(window="7d")["cards"]["best_platform"]
    assert (best["platform"], best["state"]) == (None, "not enough data")


def test_top_posts_have_a_hundred_impressions_and_the_best_scores(house: House) -> None:
    increments = [
        IncrementFact(POSTS[0], at(10), tweet(99, 90)),
        IncrementFact(POSTS[1], at(10), tweet(1000, 5)),
        IncrementFact(POSTS[2], at(10), tweet(2000, 10)),
        IncrementFact(POSTS[3], at(10), tweet(100, 2)),
    ]
    top = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["top_posts"]
    # 200.00 first; 50.00 twice, where more impressions win.
    assert [row["platform_post_id"] for row in top] == ["tweet 3", "tweet 2", "tweet 1"]
    assert [row["engagement_score"] for row in top] == [200.0, 50.0, 50.0]
    assert top[0]["counters"]["impressions"] == top[0]["gained"]["impressions"] == 100
    assert top[0]["text_preview"] == "A post"


def test_a_posts_counters_are_lifetime_and_its_gains_are_the_windows(house: House) -> None:
    increments = [
        IncrementFact(POSTS[0], at(2), tweet(300, 3)),
        IncrementFact(POSTS[0], at(10), tweet(50, 1)),
    ]
    (row,) = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["top_posts"]
    assert (row["counters"]["impressions"], row["gained"]["impressions"]) == (350, 50)


def test_mean_and_median_stand_beside_the_groups_rate(house: House) -> None:
    increments = [
        IncrementFact(POSTS[0], at(10), tweet(100, 10)),
        IncrementFact(POSTS[1], at(10), tweet(100, 1)),
        IncrementFact(POSTS[2], at(10), tweet(800, 0)),
        IncrementFact(POSTS[3], at(10), tweet(0, 0)),
    ]
    card = serve(house, Marts([BIRD], POSTS, increments)).overview(window="7d")["cards"][
        "engagement_rate"
    ]
    assert (card["value"], card["avg_engagement_rate"], card["median"]) == (0.011, 0.0367, 0.01)


def test_an_empty_window_offers_the_newest_period_with_data(house: House) -> None:
    old = AccountFact("old", connected_at=None, as_of=AS_OF)
    post = PostFact("old post", old, datetime(2019, 10, 30, 23, tzinfo=UTC))
    lifetime = IncrementFact(post, AS_OF, tweet(500, 5), basis="lifetime")
    api = serve(house, Marts([old], [post], [lifetime]))

    answer = api.overview(window="30d")
    assert answer["is_empty"]
    assert answer["cards"]["impressions"]["value"] is None
    offered = answer["newest_period_with_data"]
    assert offered == {"from": "2019-10-01", "to": "2019-10-30"}

    answer = api.overview(window="custom", **offered)
    assert not answer["is_empty"]
    assert answer["newest_period_with_data"] is None
    assert answer["cards"]["impressions"]["value"] == 500
    assert answer["cards"]["impressions"]["observed"] is None
    assert answer["cards"]["impressions"]["from_history"] == 500


def test_each_account_says_how_fresh_it_is(house: House) -> None:
    late = AccountFact("late", as_of=AS_OF - timedelta(hours=6, minutes=1))
    fine = AccountFact("fine", as_of=AS_OF - timedelta(hours=6))
    newest = AccountFact("newest", as_of=AS_OF)
    answer = serve(house, Marts([late, fine, newest])).overview()
    assert answer["as_of"] == "2026-03-10T12:00:00Z"
    stale: dict[str, Any] = {row["handle"]: row["stale"] for row in answer["accounts"]}
    assert stale == {"late": True, "fine": False, "newest": False}


def test_posts_published_in_the_window_are_compared_at_one_age(house: House) -> None:
    posts = [PostFact(f"new {day}", BIRD, at(day)) for day in (4, 5, 6, 9)]
    before = [PostFact("old", BIRD, at(1)), PostFact("still young then", BIRD, at(2, 12, 1))]
    late = PostFact("late", BIRD, at(9, 12, 1))
    marts = Marts(
        [BIRD],
        [*posts, *before, late],
        # A gain in the window says nothing about the posts that were published in it.
        [IncrementFact(before[0], AS_OF, tweet(9000, 900))],
        age_values=[
            age_row(posts[0], 24, tweet(100, 5)),
            age_row(posts[0], 72, tweet(700, 70)),
            age_row(posts[1], 24, tweet(50, 1)),
            age_row(posts[3], 24, tweet(30, 0)),
            age_row(before[0], 24, tweet(120, 6)),
            age_row(before[1], 24, tweet(8000, 800)),
        ],
    )
    answer = serve(house, marts).overview(window="7d", lens="published")

    # Of five posts one was never read at 24 hours, and one is a minute too young.
    assert answer["maturity"] == {
        "age": "24h",
        "posts_published": 5,
        "counted": 3,
        "too_young": 1,
        "unknown": 1,
        "previous_counted": 1,
    }
    cards = answer["cards"]
    assert (cards["impressions"]["value"], cards["impressions"]["previous_observed"]) == (180, 120)
    assert cards["engagement_rate"]["value"] == 0.0333  # 6 / 180
    # Three of the four that are old enough: too few to compare with the week before.
    assert (cards["impressions"]["change"]["state"], cards["impressions"]["change"]["reason"]) == (
        "n/a",
        "incomplete",
    )
    points = answer["trend"]["series"][0]["points"]
    assert [point["impressions"] for point in points] == [100, 50, None, None, None, 30, None]


def test_a_closed_window_leaves_no_post_of_the_period_before_out(house: House) -> None:
    days = {"from": "2026-03-03", "to": "2026-03-04"}
    post, before = PostFact("post", BIRD, at(4, 23)), PostFact("before", BIRD, at(2, 23))
    marts = Marts(
        [BIRD],
        [post, before],
        [IncrementFact(post, AS_OF, tweet(900, 90))],
        age_values=[age_row(post, 24, tweet(150, 5)), age_row(before, 24, tweet(100, 5))],
    )
    answer = serve(house, marts).overview(window="custom", lens="published", **days)
    impressions = answer["cards"]["impressions"]
    assert (impressions["value"], impressions["previous_observed"]) == (150, 100)
    assert impressions["change"]["percent"] == 50.0
    assert answer["maturity"]["previous_counted"] == 1


def test_a_window_in_which_nothing_was_published_offers_the_one_of_the_newest_post(
    house: House,
) -> None:
    # The post gained to the last: of what was gained the window is not empty.
    gained = IncrementFact(POSTS[0], AS_OF, tweet(900, 90))
    api = serve(house, Marts([BIRD], POSTS, [gained]))
    assert not api.overview(window="7d")["is_empty"]
    answer = api.overview(window="7d", lens="published")
    assert answer["is_empty"]
    assert answer["newest_period_with_data"] == {"from": "2026-02-23", "to": "2026-03-01"}


def test_posts_of_an_account_that_was_never_collected_are_unknown_and_not_too_young(
    house: House,
) -> None:
    silent = AccountFact("silent", connected_at=None)
    posts = [PostFact("known by a link", silent, at(10, 11))]
    read = IncrementFact(POSTS[0], AS_OF, tweet(900, 90))
    answer = serve(house, Marts([BIRD, silent], [*POSTS, *posts], [read])).overview(
        window="7d", lens="published"
    )
    maturity = answer["maturity"]
    assert (maturity["posts_published"], maturity["too_young"], maturity["unknown"]) == (1, 0, 1)
