"""One test per row of the directive's error table (5.1).

Each asserts the action, the number of tries as the stand-in counted them, and what the control
store and the raw tables hold afterwards. "Max n" is n retries after the first request.
"""

from datetime import timedelta

import pytest

from tests.integration.collection.scene import (
    FINDER,
    LINKEDIN_TOKEN,
    LOOKUP,
    START,
    STATISTICS,
    TIMELINE,
    X_TOKEN,
    Play,
    Scene,
)

QUARTER = timedelta(minutes=15)


def raw_ids(scene: Scene, platform: str) -> list[str]:
    scene.land()
    rows = scene.raw(f"select platform_post_id from raw.{platform}_snapshots order by 1")
    return [row[0] for row in rows]


# --- 401 Unauthorized | Refresh token | Immediate


@pytest.mark.parametrize(
    ("kind", "platform", "endpoint", "token_endpoint"),
    [
        ("profile", "twitter", TIMELINE, X_TOKEN),
        ("page", "linkedin", FINDER, LINKEDIN_TOKEN),
    ],
)
def test_401_refreshes_the_token_and_retries_at_once(
    scene: Scene, kind: str, platform: str, endpoint: str, token_endpoint: str
) -> None:
    scene.connect(kind)
    before = scene.tokens(platform)
    scene.faults({"fault": "expire_token", "endpoint": endpoint, "nth": 1})
    report = scene.run()
    assert scene.asked(endpoint) == [401, 200]
    assert scene.asked(token_endpoint) == [200]
    assert sum(scene.slept) == 0
    assert report.failures == []
    assert scene.tokens(platform).access_token != before.access_token
    assert scene.connection(platform).state == "active"
    assert raw_ids(scene, platform) == sorted(scene.ids_of(kind))


def test_401_after_a_refresh_is_not_tried_a_third_time(scene: Scene) -> None:
    scene.connect("profile")
    scene.faults({"fault": "unauthorized", "endpoint": TIMELINE})
    report = scene.run()
    assert scene.asked(TIMELINE) == [401, 401]
    assert scene.asked(X_TOKEN) == [200]
    assert report.stopped == 1
    connection = scene.connection("twitter")
    assert connection.state == "active", "a token may not work at once"
    assert connection.last_success_at is None
    assert scene.read_ids("twitter") == []

    scene.faults()
    assert scene.run().accounts == 0
    assert len(scene.asked(TIMELINE)) == 2, "it rests"
    scene.later(minutes=15)
    assert scene.run().failures == []
    assert raw_ids(scene, "twitter") == sorted(scene.ids_of("profile"))


# --- 429 Rate Limited | Exponential backoff | Yes (max 3)


@pytest.mark.parametrize(
    ("kind", "platform", "endpoint", "fault"),
    [
        ("profile", "twitter", TIMELINE, {"fault": "rate_limited", "args": {"remaining": 7}}),
        ("page", "linkedin", FINDER, {"fault": "rate_limited"}),
    ],
)
def test_429_backs_off_three_times_then_rests_for_15_minutes(
    scene: Scene, kind: str, platform: str, endpoint: str, fault: dict[str, object]
) -> None:
    scene.connect(kind)
    scene.faults({**fault, "endpoint": endpoint})
    report = scene.run()
    assert scene.asked(endpoint) == [429] * 4
    first, second, third = scene.slept
    assert first >= 1
    assert second > first
    assert third > second
    assert (report.stopped, report.queued) == (1, 1)
    assert scene.connection(platform).queued_at is not None
    assert scene.news() == ["rate_limited"]
    assert scene.read_ids(platform) == []

    scene.faults()
    scene.forget()
    scene.later(minutes=14)
    assert scene.run().queued == 1
    assert scene.asked() == [], "a cooldown costs no request, in whatever process"
    scene.later(minutes=1, seconds=30)
    assert scene.run().failures == []
    assert scene.connection(platform).queued_at is None
    assert scene.news() == []
    assert raw_ids(scene, platform) == sorted(scene.ids_of(kind))


def test_429_that_passes_within_three_retries_loses_nothing(scene: Scene) -> None:
    scene.connect("profile")
    fault = {"fault": "rate_limited", "endpoint": TIMELINE, "nth": [1, 2, 3]}
    scene.faults({**fault, "args": {"remaining": 7}})
    assert scene.run().failures == []
    assert scene.asked(TIMELINE) == [429, 429, 429, 200]
    assert raw_ids(scene, "twitter") == sorted(scene.ids_of("profile"))


# --- 500 Server Error | Log and skip | Yes (max 2)


def test_500_is_logged_and_skipped_after_two_retries(scene: Scene) -> None:
    scene.connect("page")
    fault = {"fault": "server_error", "endpoint": STATISTICS, "args": {"status": 500}}
    scene.run()
    scene.later(hours=6)
    scene.forget()
    scene.faults(fault)
    before = scene.read_ids("linkedin")
    report = scene.run()
    assert scene.asked(STATISTICS) == [500] * 3
    assert len(scene.slept) == 2
    assert FINDER in {e["endpoint"] for e in scene.stand_in.sandbox.log.recent()}, "it went on"
    ids = scene.ids_of("page")
    assert sorted(entry["post"] for entry in scene.events("post skipped")) == sorted(ids)
    assert {entry["reason"] for entry in scene.events("post skipped")} == {
        "LinkedIn answered 500: Internal Server Error"
    }
    assert any("Internal Server Error" in line for line in report.failures)
    skipped = scene.skipped()
    assert all(scene.tracked()[id_].post_id in skipped for id_ in ids)
    assert scene.read_ids("linkedin") == before
    assert scene.connection("linkedin").last_success_at == START, "its numbers are not fresh"

    scene.faults()
    scene.later(minutes=15)
    assert scene.run().failures == []
    assert len(raw_ids(scene, "linkedin")) == len(before) + len(ids)
    assert not any(scene.tracked()[id_].post_id in scene.skipped() for id_ in ids)


def test_500_that_passes_within_two_retries_loses_nothing(scene: Scene) -> None:
    scene.connect("profile")
    scene.faults({"fault": "server_error", "endpoint": TIMELINE, "nth": [1, 2]})
    assert scene.run().failures == []
    assert scene.asked(TIMELINE) == [503, 503, 200]
    assert raw_ids(scene, "twitter") == sorted(scene.ids_of("profile"))


def test_500_of_one_account_stops_no_other(scene: Scene) -> None:
    scene.connect("profile", "page")
    scene.faults({"fault": "server_error", "platform": "twitter"})
    scene.run()
    assert scene.read_ids("twitter") == []
    assert scene.read_ids("linkedin") == sorted(scene.ids_of("page"))


# --- 404 Not Found | Mark post deleted | No


@pytest.mark.parametrize(("kind", "platform"), [("profile", "twitter"), ("page", "linkedin")])
def test_404_marks_the_post_deleted_without_a_retry(scene: Scene, kind: str, platform: str) -> None:
    scene.connect(kind)
    scene.run()
    victim = scene.posts_of(kind)[3]
    victim_id = scene.ids_of(kind)[3]
    before = len(scene.ids_of(kind))
    scene.later(hours=6)
    scene.forget()
    victim.deleted_at = scene.clock.now().timestamp()
    report = scene.run()
    assert (report.deleted, report.failures) == (1, [])
    if kind == "profile":
        assert scene.asked(LOOKUP) == [200], "asked once, by id"
    tracked = scene.tracked()[victim_id]
    assert (tracked.state, tracked.deleted_at) == ("deleted", scene.clock.now())
    ids = raw_ids(scene, platform)
    assert ids.count(victim_id) == 1, "its counters are kept"
    assert len(ids) == before + len(scene.ids_of(kind))

    scene.later(hours=6)
    scene.forget()
    scene.run()
    assert scene.asked(LOOKUP) == [], "and never again"


def test_a_members_post_that_is_gone_is_marked_deleted(scene: Scene) -> None:
    scene.connect("member")
    urns = scene.ids_of("member")
    track(scene, urns)
    scene.posts_of("member")[0].deleted_at = scene.clock.now().timestamp()
    report = scene.run()
    assert (report.deleted, report.failures) == (1, [])
    assert scene.tracked()[urns[0]].state == "deleted"
    assert scene.read_ids("linkedin") == sorted(urns[1:])


def track(scene: Scene, urns: list[str]) -> None:
    """As if a person had pasted the links of these posts."""
    from execution.control.posts import register_posts
    from ingest.platforms.base import Post

    published = {post.urn: post.published for post in scene.account("member").posts}
    with scene.app.store.begin() as session:
        account_id = scene.connection("linkedin").account_id
        posts = [
            Post(urn, START + timedelta(seconds=published[urn] - START.timestamp()), "post", "", "")
            for urn in urns
        ]
        register_posts(session, account_id, "linkedin", posts, scene.clock.now())


def test_a_post_that_is_shown_again_after_a_404_is_collected_again(scene: Scene) -> None:
    scene.connect("profile")
    scene.run()
    post, id_ = scene.posts_of("profile")[2], scene.ids_of("profile")[2]
    post.deleted_at = scene.clock.now().timestamp()
    scene.later(hours=6)
    scene.run()
    assert scene.tracked()[id_].state == "deleted"
    post.deleted_at = float("inf")
    scene.later(hours=6)
    assert scene.run().failures == []
    assert (scene.tracked()[id_].state, scene.tracked()[id_].deleted_at) == ("active", None)
    assert scene.read_ids("twitter").count(id_) == 2


# --- Network Error | Exponential backoff | Yes (max 5)


def test_a_network_error_backs_off_five_times(scene: Scene) -> None:
    scene.connect("profile", "page")
    scene.faults({"fault": "cut", "endpoint": TIMELINE})
    report = scene.run()
    assert scene.asked(TIMELINE) == [0] * 6
    for slept, least in zip(scene.slept, (0.5, 1, 2, 4, 8), strict=True):
        assert least <= slept <= least + 1, "doubled, and up to a second more by chance"
    assert (report.stopped, report.queued) == (1, 1)
    assert scene.connection("twitter").last_success_at is None
    assert scene.read_ids("twitter") == []
    assert scene.read_ids("linkedin") == sorted(scene.ids_of("page")), "the other went on"

    scene.faults()
    assert scene.run().failures == []
    assert raw_ids(scene, "twitter") == sorted(scene.ids_of("profile"))


def test_a_network_error_that_passes_within_five_retries_loses_nothing(scene: Scene) -> None:
    scene.connect("profile")
    scene.faults({"fault": "cut", "endpoint": TIMELINE, "nth": [1, 2, 3, 4, 5]})
    assert scene.run().failures == []
    assert scene.asked(TIMELINE) == [0, 0, 0, 0, 0, 200]
    assert scene.usage()["x.timeline"].requests == 6, "each try is in the ledger"


def test_a_platform_that_cannot_be_reached_is_given_up_for_this_run(play: Play) -> None:
    from ingest.sandbox.world import PLAIN, AccountSpec

    specs = [AccountSpec("profile", f"x{n}", ("ana",), habits=PLAIN) for n in range(5)]
    scene = play(specs=[*specs, AccountSpec("page", "page", ("ana",), habits=PLAIN)])
    scene.connect("profile", "page")
    scene.faults({"fault": "cut", "platform": "twitter"})
    report = scene.run()
    assert scene.asked(TIMELINE) == [0] * 6 * 3, "three accounts have tried, that is enough"
    assert report.queued == 5
    assert scene.read_ids("linkedin") == sorted(scene.ids_of("page"))
    scene.faults()
    assert scene.run().accounts == 5
