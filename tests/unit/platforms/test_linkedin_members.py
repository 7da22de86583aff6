"""How a LinkedIn member is collected: one counter of one post a call."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from ingest.http import ApiError
from ingest.platforms.base import CollectionRequest
from ingest.platforms.linkedin import LinkedInSettings

from .harness import MEMBER_ACCOUNT, NOW, CountingPacer, Rig, Scripted, linkedin
from .mini_linkedin import refusal

SHARE, UGC = "urn:li:share:1", "urn:li:ugcPost:2"
ALL = [
    "IMPRESSION",
    "MEMBERS_REACHED",
    "REACTION",
    "COMMENT",
    "RESHARE",
    "LINK_CLICKS",
    "POST_SAVE",
]


class Analytics:
    """Answers each query type with a count, unless it is refused."""

    def __init__(self, refused: Sequence[str] = (), status: int = 400, **counts: Any) -> None:
        self.refused = refused
        self.status = status
        self.counts = {name: 10 * n for n, name in enumerate(ALL, start=1)} | counts

    def __call__(self, sent: httpx.Request) -> httpx.Response:
        if sent.url.path == "/rest/memberFollowersCount":
            return httpx.Response(200, json={"elements": [{"memberFollowersCount": 961}]})
        query = query_type(sent.url.query.decode())
        if query in self.refused:
            return refusal(self.status)
        element = {"count": self.counts[query], "metricType": query}
        return httpx.Response(200, json={"elements": [element]})


def query_type(query: str) -> str:
    return dict(part.split("=", 1) for part in query.split("&"))["queryType"]


def request(*due: str, **fields: Any) -> CollectionRequest:
    return CollectionRequest(MEMBER_ACCOUNT, due=due, **fields)


def asked(rig: Rig) -> list[str]:
    return [query_type(urlsplit(target).query) for target in rig.targets]


def test_each_counter_of_a_post_is_one_call() -> None:
    rig = linkedin(Analytics())
    (reading,) = rig.platform.collect(request(SHARE)).readings
    assert asked(rig) == ALL
    assert reading.counters == {
        "impression_count": 10,
        "unique_impressions_count": 20,
        "like_count": 30,
        "comment_count": 40,
        "share_count": 50,
        "click_count": 60,
        "save_count": 70,
    }


@pytest.mark.parametrize(
    ("post", "entity"),
    [(SHARE, "(share:urn%3Ali%3Ashare%3A1)"), (UGC, "(ugc:urn%3Ali%3AugcPost%3A2)")],
)
def test_the_entity_is_keyed_by_the_posts_kind(post: str, entity: str) -> None:
    rig = linkedin(Analytics())
    rig.platform.collect(request(post))
    assert rig.targets[0] == (
        "/rest/memberCreatorPostAnalytics"
        f"?q=entity&entity={entity}&queryType=IMPRESSION&aggregation=TOTAL"
    )


@pytest.mark.parametrize(("version", "types"), [("202603", 5), ("202604", 7), ("202505", 0)])
def test_only_query_types_that_the_version_knows_are_asked(version: str, types: int) -> None:
    rig = linkedin(Analytics(), LinkedInSettings(version=version))
    got = rig.platform.collect(request(SHARE))
    assert len(rig.requests) == types
    assert len(got.readings) == (1 if types else 0)
    assert list(got.skipped) == ([] if types else [SHARE])


def test_a_query_type_that_is_refused_leaves_the_others_and_is_not_asked_again() -> None:
    rig = linkedin(Analytics(refused=["POST_SAVE", "REACTION"]))
    with structlog.testing.capture_logs() as logs:
        got = rig.platform.collect(request(SHARE, UGC))
    assert [reading.counters["save_count"] for reading in got.readings] == [None, None]
    assert [reading.counters["comment_count"] for reading in got.readings] == [40, 40]
    assert asked(rig)[7:] == [name for name in ALL if name not in ("POST_SAVE", "REACTION")]
    assert {entry["query_type"] for entry in logs} == {"POST_SAVE", "REACTION"}


def test_even_the_first_query_type_may_be_refused() -> None:
    (reading,) = (
        linkedin(Analytics(refused=["IMPRESSION"])).platform.collect(request(SHARE)).readings
    )
    assert reading.counters["impression_count"] is None
    assert reading.counters["like_count"] == 30


def test_a_post_that_is_refused_costs_two_calls_and_is_skipped() -> None:
    def foreign(sent: httpx.Request) -> httpx.Response:
        return refusal(403) if b"share%3A1)" in sent.url.query else Analytics()(sent)

    rig = linkedin(foreign)
    got = rig.platform.collect(request(SHARE, UGC))
    assert list(got.skipped) == [SHARE]
    assert [reading.platform_post_id for reading in got.readings] == [UGC]
    assert len(rig.requests) == 2 + 7


def test_a_post_that_is_not_found_twice_is_deleted() -> None:
    rig = linkedin(lambda _: refusal(404))
    assert rig.platform.collect(request(SHARE)).deleted == [SHARE]
    assert asked(rig) == ["IMPRESSION", "MEMBERS_REACHED"]


def test_one_404_among_answers_makes_one_counter_unknown() -> None:
    rig = linkedin(Analytics(refused=["IMPRESSION"], status=404))
    got = rig.platform.collect(request(SHARE, UGC))
    assert got.deleted == []
    assert [reading.counters["impression_count"] for reading in got.readings] == [None, None]
    assert len(rig.requests) == 14


def test_a_post_of_which_nothing_is_told_is_skipped() -> None:
    got = linkedin(Scripted([{"elements": []}])).platform.collect(request(SHARE))
    assert got.skipped == {SHARE: "LinkedIn reported no counter of it"}


def test_a_count_of_another_type_rejects_the_post() -> None:
    got = linkedin(Analytics(REACTION="30")).platform.collect(request(SHARE, UGC))
    assert [(r.subject, r.field) for r in got.rejected] == [(SHARE, "count"), (UGC, "count")]
    assert got.readings == []


def test_5xx_skips_the_post_and_goes_on() -> None:
    def broken(sent: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if b"share%3A1)" in sent.url.query else Analytics()(sent)

    got = linkedin(broken).platform.collect(request(SHARE, UGC))
    assert got.skipped == {SHARE: "LinkedIn answered 500"}
    assert len(got.readings) == 1


def test_a_budget_that_ends_midway_keeps_whole_posts_and_no_half_ones() -> None:
    rig = linkedin(Analytics(), pacer=CountingPacer(budget=10))
    got = rig.platform.collect(request(SHARE, UGC))
    assert [reading.platform_post_id for reading in got.readings] == [SHARE]
    assert got.skipped == {UGC: "the budget is used up"}
    assert got.stopped_by is not None
    assert got.stopped_by.until == NOW


def test_a_revoked_consent_is_raised() -> None:
    answer = httpx.Response(401, json={"serviceErrorCode": 65601})
    with pytest.raises(ApiError) as caught:
        linkedin(lambda _: answer).platform.collect(request(SHARE))
    assert caught.value.kind == "token_revoked"


def test_a_members_posts_cannot_be_listed_and_are_not_asked_for() -> None:
    rig = linkedin(Analytics())
    got = rig.platform.collect(request(discover_since=NOW))
    assert (got.posts, rig.requests) == ([], [])


def test_followers_of_a_member_come_with_the_collection_where_asked_for() -> None:
    rig = linkedin(Analytics())
    profile = rig.platform.collect(request(with_profile=True)).profile
    assert profile is not None
    assert (profile.kind, profile.followers_count, profile.handle) == ("member", 961, "ana")
    assert rig.targets == ["/rest/memberFollowersCount?q=me"]


@pytest.mark.parametrize("body", [{"elements": [5]}, {"elements": [{"memberFollowersCount": "9"}]}])
def test_followers_of_another_type_are_rejected(body: Any) -> None:
    got = linkedin(Scripted([body])).platform.collect(request(with_profile=True))
    assert got.profile is None
    assert got.rejected[0].subject == MEMBER_ACCOUNT.platform_account_id


def test_refused_followers_do_not_stop_the_posts() -> None:
    def partly(sent: httpx.Request) -> httpx.Response:
        return refusal(403) if "Followers" in sent.url.path else Analytics()(sent)

    got = linkedin(partly).platform.collect(request(SHARE, with_profile=True))
    assert len(got.readings) == 1
    assert got.profile is None


def test_ids_that_are_no_post_are_never_sent() -> None:
    rig = linkedin(Analytics())
    got = rig.platform.collect(request("urn:li:activity:5", SHARE, SHARE))
    assert got.skipped == {"urn:li:activity:5": "not a share or ugcPost URN"}
    assert len(rig.requests) == 7
