"""`calculate_engagement_score` as directive 3.1 and METRICS.md section 4 give it."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.analytics.aggregations import calculate_engagement_score

WEIGHTS = {
    "linkedin": {"likes": 1, "comments": 5, "shares": 10, "clicks": 2},
    "twitter": {"likes": 1, "replies": 5, "retweets": 10, "quotes": 8, "bookmarks": 3},
}
counts = st.integers(-5, 2**31 - 1)


@pytest.mark.parametrize(
    ("platform", "metrics", "score"),
    [
        # (20 + 5*5 + 4*10 + 60*2) / 959 * 10,000 = 2137.6, capped
        ("linkedin", dict(impressions=959, likes=20, comments=5, shares=4, clicks=60), 1000.0),
        # (5 + 1*10) / 3,100 * 10,000 = 48.387
        ("twitter", dict(impressions=3100, likes=5, retweets=1), 48.39),
        # 1 / 16,000 * 10,000 = 0.625: half a hundredth goes up
        ("twitter", dict(impressions=16_000, likes=1), 0.63),
        ("twitter", dict(impressions=0, likes=0), 0.0),
        ("linkedin", dict(impressions=100, likes=-2), 0.0),
        ("twitter", dict(likes=1), 1000.0),  # absent impressions count as 1 (directive)
    ],
)
def test_the_directives_formula(platform: str, metrics: dict[str, int], score: float) -> None:
    assert calculate_engagement_score(metrics, platform) == score


def test_unknown_impressions_give_an_unknown_score() -> None:
    assert calculate_engagement_score({"impressions": None, "likes": 3}, "twitter") is None


def test_a_missing_engagement_counts_as_zero() -> None:
    known = calculate_engagement_score({"impressions": 500, "likes": 3}, "twitter")
    assert (
        calculate_engagement_score({"impressions": 500, "likes": 3, "bookmarks": None}, "twitter")
        == known
    )


def test_another_platforms_metrics_have_no_weight() -> None:
    assert calculate_engagement_score({"impressions": 500, "clicks": 9}, "twitter") == 0.0


def test_an_unknown_platform_is_an_error() -> None:
    with pytest.raises(ValueError, match="mastodon"):
        calculate_engagement_score({"impressions": 1}, "mastodon")


@pytest.mark.parametrize("platform", WEIGHTS)
@given(data=st.data())
def test_the_score_is_the_exact_quotient_rounded_half_up(
    platform: str, data: st.DataObject
) -> None:
    metrics = {name: data.draw(counts) for name in ("impressions", *WEIGHTS[platform])}
    weighted = sum(metrics[name] * weight for name, weight in WEIGHTS[platform].items())
    exact = Decimal(weighted) * 10_000 / max(metrics["impressions"], 1)
    expected = min(max(exact, Decimal(0)), Decimal(1000)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert calculate_engagement_score(metrics, platform) == float(expected)
