"""Posts at one age against the earlier ones of their account, by hand: where a comparison begins to
be shown, and where it keeps to posts of one type.

Ada replied on a Sunday and posted once a minute on the Monday after it, from 09:01 on: p1 to p21.
At the very age of 72 hours the reply had 1,000 impressions and no likes, post i had 10 x i
impressions and i likes. Bert is known from a file alone.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from math import log
from typing import Any

import pytest

from .cells import assert_cells, assert_every_cell
from .raw_warehouse import RawWarehouse, Row, at

REPLY_AT = at("2026-03-01 08:00")
MONDAY_AT_NINE = at("2026-03-02 09:00")
MINUTE = timedelta(minutes=1)
NOTHING_ELSE = {"replies": 0, "retweets": 0, "quotes": 0, "bookmarks": 0}

#: Moment -> impressions of the reply.
REPLY = {
    at("2026-03-02 07:00"): 900,  # the slots of 8 and 10 h are empty: too far apart for 24 hours
    at("2026-03-02 13:00"): 950,
    at("2026-03-04 08:00"): 1000,  # 72 hours
    at("2026-03-08 07:00"): 1000,  # the slot of 12 h is empty: 168 hours are a twelfth of the way
    at("2026-03-08 19:00"): 1012,
}

Built = tuple[RawWarehouse, dict[Any, str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The built warehouse, and the name of each post."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("comparisons") / "warehouse.duckdb")
    ada = warehouse.account("ada", connected_at=at("2026-03-01"))
    reply = warehouse.post(ada, "reply", REPLY_AT, post_type="reply")
    for moment, impressions in REPLY.items():
        warehouse.snapshot(reply, moment, impressions=impressions, likes=0, **NOTHING_ELSE)
    posts = [reply]
    for number in range(1, 22):
        post = warehouse.post(ada, f"p{number}", MONDAY_AT_NINE + number * MINUTE)
        read_at = post.published_at + timedelta(hours=72)
        counters = {"impressions": 10 * number, "likes": number}
        warehouse.snapshot(post, read_at, **counters, **NOTHING_ELSE)
        posts.append(post)
    bert = warehouse.account("bert")
    for name, impressions, likes in (("f1", 500, 5), ("f2", 400, 8)):
        posts.append(
            warehouse.export_row(
                bert,
                name,
                at(f"2026-02-0{name[1]} 12:00"),
                at("2026-03-01"),
                impressions=impressions,
                likes=likes,
                replies=0,
                retweets=0,
            )
        )
    warehouse.run("--select", "+post_benchmarks", "+posting_times")
    return warehouse, {post.post_id: post.platform_post_id for post in posts}


def rows(built: Built, relation: str) -> list[Row]:
    """All rows, posts by their names, without what they say of their account."""
    warehouse, named = built
    found = warehouse.rows(f"select * exclude (account_id, platform) from {relation}")
    return [row | {"post_id": named[row["post_id"]]} for row in found]


def test_values_at_an_age_are_read_at_it_or_lie_between_readings_not_too_far_apart(
    built: Built,
) -> None:
    expected = [
        aged("reply", REPLY_AT, 72, at("2026-03-04 08:00"), 1000, False),
        # 1,000 + 12 x 1 / 12
        aged("reply", REPLY_AT, 168, at("2026-03-08 08:00"), 1001, True),
    ] + [
        aged(
            f"p{number}",
            MONDAY_AT_NINE + number * MINUTE,
            72,
            at("2026-03-05 09:00") + number * MINUTE,
            10 * number,
            False,
        )
        for number in range(1, 22)
    ]
    assert_cells(rows(built, "marts.post_age_values"), expected, "post_id", "age_hours")


def aged(
    name: str,
    published_at: datetime,
    age_hours: int,
    reached_at: datetime,
    impressions: int,
    is_interpolated: bool,
) -> Row:
    return {
        "post_id": name,
        "age_hours": age_hours,
        "published_at": published_at,
        "reached_at": reached_at,
        "is_interpolated": is_interpolated,
        "impressions": impressions,
    }


# Own value and n; lower quartile, median, upper quartile, mean, percentile. Quartiles lie on a line
# between neighbours: of n sorted values the lower one is at place (n - 1) / 4, counted from 0.
COMPARED = """
    # Nine are too few: the reply and p1 to p8.
    p9  impressions       90 9  - - - - -
    p9  engagements        9 9  - - - - -
    p9  engagement_rate  0.1 9  - - - - -
    p9  engagement_score 1000 9 - - - - -
    # With ten: 10 to 90 and 1,000. Places 2.25, 4.5 and 6.75; (450 + 1,000) / 10; above 9 of 10.
    p10 impressions      100 10  32.5 55 77.5 145 90
    p10 engagements       10 10  2.25 4.5 6.75 4.5 100  # 0 to 9
    p10 engagement_rate  0.1 10  0.1 0.1 0.1 0.09 55  # nine of 0.1, half of which count, and 0
    p10 engagement_score 1000 10  1000 1000 1000 900 55
    # 19 of its type are too few for that: with the reply they are 20. Places 4.75, 9.5 and 14.25.
    p20 impressions      200 20  57.5 105 152.5 145 95  # 10 to 190 and 1,000; 2,900 / 20
    p20 engagements       20 20  4.75 9.5 14.25 9.5 100  # 0 to 19
    p20 engagement_rate  0.1 20  0.1 0.1 0.1 0.095 52.5  # (1 + 19 / 2) / 20
    p20 engagement_score 1000 20  1000 1000 1000 950 52.5
    # 20 of its type, p1 to p20, and so without the reply.
    p21 impressions      210 20  57.5 105 152.5 105 100  # 10 to 200; 2,100 / 20
    p21 engagements       21 20  5.75 10.5 15.25 10.5 100  # 1 to 20
    p21 engagement_rate  0.1 20  0.1 0.1 0.1 0.1 50
    p21 engagement_score 1000 20  1000 1000 1000 1000 50
    # At 168 hours, the oldest age it has, there is no other post.
    reply impressions   1001 0  - - - - -
    reply engagements      0 0  - - - - -
    reply engagement_rate  0 0  - - - - -
    reply engagement_score 0 0  - - - - -
    # What files alone know stands against what files alone know.
    f1  impressions      500 0  - - - - -
    f1  engagements        5 0  - - - - -
    f1  engagement_rate 0.01 0  - - - - -
    f1  engagement_score 100 0  - - - - -
    f2  impressions      400 1  - - - - -
    f2  engagements        8 1  - - - - -
    f2  engagement_rate 0.02 1  - - - - -
    f2  engagement_score 200 1  - - - - -
"""
SUBJECTS: dict[str, Row] = {
    name: {"published_at": published_at, "comparison": comparison, "age_hours": age_hours}
    for name, published_at, comparison, age_hours in (
        ("p9", at("2026-03-02 09:09"), "same age", 72),
        ("p10", at("2026-03-02 09:10"), "same age", 72),
        ("p20", at("2026-03-02 09:20"), "same age", 72),
        ("p21", at("2026-03-02 09:21"), "same age", 72),
        ("reply", REPLY_AT, "same age", 168),
        ("f1", at("2026-02-01 12:00"), "lifetime", None),
        ("f2", at("2026-02-02 12:00"), "lifetime", None),
    )
}


def test_comparisons_are_shown_from_ten_posts_on_and_keep_to_one_type_from_twenty(
    built: Built,
) -> None:
    statistics = ("lower_quartile", "median", "upper_quartile", "mean", "percentile")
    expected = []
    for line in COMPARED.splitlines():
        if words := line.partition("#")[0].split():
            name, metric, own_value, n, *told = words
            numbers = (None if word == "-" else Decimal(word) for word in told)
            expected.append(
                {
                    "post_id": name,
                    "metric": metric,
                    **SUBJECTS[name],
                    "is_same_type": name == "p21",
                    "own_value": Decimal(own_value),
                    "n": int(n),
                    **dict(zip(statistics, numbers, strict=True)),
                }
            )
    found = rows(built, "marts.post_benchmarks")
    subjects = [row for row in found if row["post_id"] in SUBJECTS]
    assert_every_cell(subjects, expected, "post_id", "metric")


def test_posting_times_of_fewer_than_twenty_posts_recommend_nothing(built: Built) -> None:
    # p5 is the first with five posts before it: 17 count, all of one hour. Before post i lie the
    # reply and 10 to 10 x (i - 1): their median is 5 x (i + 1). The scores and medians are 1,000.
    effects = [log((1 + 10 * number) / (1 + 5 * (number + 1))) for number in range(5, 22)]
    mean = Decimal(sum(effects) / 17).quantize(Decimal("0.0001"))
    expected = [
        {
            "measure": measure,
            "timezone": "UTC",
            "weekday": 1,
            "hour": 9,
            "n": 17,
            "mean_effect": effect,
            "shrunk_effect": effect,
            "is_top": False,
            "is_recommended": False,
            "posts": 17,
            "draws": None,
            "larger_draws": None,
            "verdict": "too few posts",
        }
        for measure, effect in (("impressions", mean), ("engagement_score", Decimal(0)))
    ]
    warehouse, _ = built
    assert_cells(warehouse.rows("select * from marts.posting_times"), expected, "measure")
