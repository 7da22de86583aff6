"""What the platforms really answer beyond the directive's table (DESIGN section 4, platform-apis).

Tries are counted at the stand-in; afterwards the control store and the spool hold what they should.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from execution.analytics import sync_metrics
from execution.control.platforms import platform_settings
from ingest.slots import OLD_SLOT, floor_to
from tests.integration.collection.scene import (
    FINDER,
    LINKEDIN_TOKEN,
    LOOKUP,
    START,
    STATISTICS,
    TIMELINE,
    X_TOKEN,
    X_USER,
    Play,
    Scene,
)

CREDITS = {"fault": "credits_depleted", "endpoint": TIMELINE}
CAP = {"fault": "usage_cap", "endpoint": TIMELINE}


@pytest.fixture
def filled(scene: Scene) -> Scene:
    """Everything collected once, six hours ago; what follows is counted from here."""
    scene.connect("profile", "page")
    assert scene.run().failures == []
    scene.later(hours=6)
    scene.forget()
    return scene


def newly_read(scene: Scene, platform: str) -> list[str]:
    """Ids with a snapshot in the present six-hour slot."""
    rows = scene.spooled(f"{platform}_snapshots")
    slot = floor_to(scene.clock.now(), OLD_SLOT)
    return sorted(row["platform_post_id"] for row in rows if row["slot_start"] >= slot)


# --- money: 402, caps


@pytest.mark.parametrize(("fault", "status"), [(CREDITS, 402), (CAP, 429)])
def test_empty_credits_or_a_cap_stop_the_connection_for_hours_and_no_other(
    filled: Scene, fault: dict[str, Any], status: int
) -> None:
    filled.faults(fault)
    report = filled.run()
    assert filled.asked(TIMELINE) == [status], "asked once, although the headers show plenty left"
    assert (report.stopped, report.queued) == (1, 1)
    assert filled.news() == ["usage_capped"]
    assert newly_read(filled, "twitter") == []
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))

    filled.later(hours=5, minutes=50)
    filled.run()
    assert filled.asked(TIMELINE) == [status]
    filled.faults()
    filled.later(minutes=10)
    assert filled.run().failures == []
    assert newly_read(filled, "twitter") == sorted(filled.ids_of("profile"))
    assert filled.news() == [], "what has ended is settled"


def test_a_403_of_the_app_stops_the_connection_after_one_try(filled: Scene) -> None:
    filled.faults({"fault": "forbidden", "endpoint": TIMELINE})
    report = filled.run()
    assert filled.asked(TIMELINE) == [403]
    assert (report.stopped, report.queued) == (1, 0)
    assert "Client Forbidden" in report.failures[0]
    assert filled.connection("twitter").state == "active"


# --- rate limits: window, reset far or near, second limit, day


def test_a_window_whose_reset_is_far_is_not_retried_but_waited_for(filled: Scene) -> None:
    filled.faults({"fault": "rate_limited", "endpoint": TIMELINE, "args": {"reset_in": 2_400}})
    filled.run()
    assert filled.asked(TIMELINE) == [429]
    assert filled.slept == []
    filled.faults()
    filled.later(seconds=2_390)
    filled.run()
    assert filled.asked(TIMELINE) == [429]
    filled.later(seconds=10)
    assert filled.run().failures == []
    assert filled.asked(TIMELINE) == [429, 200]


def test_a_far_reset_within_15_minutes_still_cools_down_for_15(filled: Scene) -> None:
    filled.faults({"fault": "rate_limited", "endpoint": TIMELINE, "args": {"reset_in": 60}})
    filled.run()
    filled.faults()
    filled.later(minutes=14)
    filled.run()
    assert filled.asked(TIMELINE) == [429]
    filled.later(minutes=1)
    filled.run()
    assert filled.asked(TIMELINE) == [429, 200]


def test_a_window_whose_reset_is_near_is_waited_for_in_the_run(filled: Scene) -> None:
    fault = {"fault": "rate_limited", "endpoint": TIMELINE, "nth": 1}
    filled.faults({**fault, "args": {"reset_in": 20}})
    assert filled.run().failures == []
    assert filled.asked(TIMELINE) == [429, 200]
    assert 20 <= sum(filled.slept) <= 30


def test_the_last_call_of_a_window_is_the_last_that_is_sent(play: Play) -> None:
    scene = play()
    scene.connect("profile")
    scene.faults(limits={TIMELINE: 1})
    scene.run()
    assert scene.asked(TIMELINE) == [200]
    assert scene.run().failures == []
    scene.later(hours=2)
    scene.run()
    assert scene.asked(TIMELINE) == [200, 200], "never one beyond the window"


def test_linkedins_daily_limit_is_asked_about_again_after_midnight_utc(filled: Scene) -> None:
    filled.faults(linkedin_daily_calls=0)
    filled.later(hours=15)
    filled.run()
    assert filled.asked(FINDER) == [429], "no retry can help before midnight"
    assert filled.slept == []
    filled.later(hours=2)
    filled.run()
    assert filled.asked(FINDER) == [429]
    filled.faults()
    filled.clock.set(datetime(2026, 9, 2, 0, 7, tzinfo=UTC))
    assert filled.run().failures == []
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))


# --- LinkedIn: one URN fails all, versions


def test_one_urn_that_is_refused_costs_no_other_its_snapshot(filled: Scene) -> None:
    page = filled.account("page")
    stranger = filled.posts_of("page")[4]
    assert page.posts.count(stranger) == 1
    # a post that is no longer the page's own: every call with it in its list is refused
    stranger.account = filled.account("member")
    report = filled.run()
    ids = set(filled.ids_of("page")) - {stranger.urn}
    assert newly_read(filled, "linkedin") == sorted(ids)
    assert len(filled.asked(STATISTICS)) <= 6
    (event,) = filled.events("post skipped")
    assert event["post"] == stranger.urn
    assert "Unpermitted fields" in event["reason"]
    assert report.stopped == 0
    skip = filled.skipped()[filled.tracked()[stranger.urn].post_id]
    assert (skip.tries, skip.reason) == (1, event["reason"])
    assert filled.tracked()[stranger.urn].state == "active"


def test_a_post_that_is_refused_for_ever_costs_few_calls(filled: Scene) -> None:
    stranger = filled.posts_of("page")[4]
    stranger.account = filled.account("member")
    for _ in range(24):  # a cron of 15 minutes, over one six-hour slot
        filled.run()
        filled.later(minutes=15)
    tries = filled.skipped()[filled.tracked()[stranger.urn].post_id].tries
    assert tries == 5
    assert [e["post"] for e in filled.events("post skipped")] == [stranger.urn], "logged once"


def test_a_sunset_version_is_told_in_a_sentence_and_once_for_the_platform(play: Play) -> None:
    from ingest.sandbox.world import PLAIN, AccountSpec

    specs = [AccountSpec("page", f"page-{n}", ("ana",), habits=PLAIN) for n in range(2)]
    scene = play(specs=specs)
    scene.connect("page")
    scene.faults(linkedin_versions=["202609"])
    report = scene.run()
    assert scene.asked() == [426, 426], "one try each"
    assert report.stopped == 2
    assert "LinkedIn no longer serves API version 202606: set a newer" in report.failures[0]
    assert scene.news() == ["version_sunset"]
    scene.faults()
    scene.later(minutes=15)
    assert scene.run().failures == []
    assert scene.news() == []


# --- X: partial errors in a 200


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        ("not_found", "deleted", None),
        ("suspended", "active", "X refused it: Forbidden"),
        ("protected", "active", "X refused it: Authorization Error"),
    ],
)
def test_a_partial_error_is_about_its_post_alone(
    filled: Scene, kind: str, state: str, reason: str | None
) -> None:
    hidden = filled.posts_of("profile")[2]
    filled.faults(
        {"fault": "empty_page", "endpoint": TIMELINE},
        {"fault": "partial_errors", "endpoint": LOOKUP, "args": {"kind": kind, "share": 0.3}},
    )
    report = filled.run()
    assert filled.asked(LOOKUP) == [200]
    hidden_ids = set(filled.ids_of("profile")) - set(newly_read(filled, "twitter"))
    assert 0 < len(hidden_ids) < len(filled.ids_of("profile")), hidden
    tracked = filled.tracked()
    assert {tracked[id_].state for id_ in hidden_ids} == {state}
    if reason is not None:
        assert {e["reason"] for e in filled.events("post skipped")} == {reason}
        assert {e["post"] for e in filled.events("post skipped")} == hidden_ids
    assert report.deleted == (len(hidden_ids) if state == "deleted" else 0)


def test_all_ids_missing_is_an_answer_too(filled: Scene) -> None:
    """200 with only `errors`: no data, no meta."""
    filled.faults(
        {"fault": "empty_page", "endpoint": TIMELINE},
        {"fault": "partial_errors", "endpoint": LOOKUP},
    )
    report = filled.run()
    assert filled.asked(LOOKUP) == [200]
    assert report.deleted == len(filled.ids_of("profile"))
    filled.faults()
    filled.later(hours=6)
    assert filled.run().failures == []
    assert newly_read(filled, "twitter") == sorted(filled.ids_of("profile")), "alive after all"


def test_an_error_about_somebody_mentioned_says_nothing_of_the_post(filled: Scene) -> None:
    filled.faults({"fault": "partial_errors", "endpoint": TIMELINE, "args": {"kind": "mention"}})
    assert filled.run().failures == []
    assert newly_read(filled, "twitter") == sorted(filled.ids_of("profile"))


def test_refused_private_fields_leave_the_rest(filled: Scene) -> None:
    filled.faults({"fault": "refused_fields", "endpoint": TIMELINE})
    assert filled.run().failures == []
    rows = [r for r in filled.spooled("twitter_snapshots") if r["collected_at"] > START]
    assert len(rows) == len(filled.ids_of("profile"))
    assert {row["url_link_clicks"] for row in rows} == {None}, "unknown, not zero"
    assert None not in {row["impression_count"] for row in rows}


# --- pages


def test_a_token_that_repeats_ends_the_reading_and_discovery_is_not_done(play: Play) -> None:
    from ingest.sandbox.world import PLAIN, AccountSpec

    scene = play(specs=[AccountSpec("profile", "busy", ("ana",), posts_per_day=9, habits=PLAIN)])
    scene.connect("profile")
    scene.faults({"fault": "repeated_token", "endpoint": TIMELINE})
    report = scene.run()
    assert len(scene.asked(TIMELINE)) <= 5
    connection = scene.connection("twitter")
    assert connection.last_discovery_slot is None
    assert scene.skipped()[connection.account_id].reason == "not read to the end"
    assert report.snapshots > 0, "what was read is kept"
    for _ in range(7):
        scene.later(minutes=15)
        scene.run()
    assert len(scene.asked(TIMELINE)) <= 4 * 5, "and asked for ever more rarely"
    scene.faults()
    scene.later(minutes=15)
    assert scene.run().failures == []
    assert scene.connection("twitter").last_discovery_slot is not None
    assert set(scene.tracked()) >= set(scene.ids_of("profile"))


@pytest.mark.parametrize("fault", ["duplicated_page", "shuffled_page"])
def test_doubled_and_shuffled_pages_give_each_post_one_snapshot(filled: Scene, fault: str) -> None:
    filled.faults({"fault": fault})
    assert filled.run().failures == []
    assert newly_read(filled, "twitter") == sorted(filled.ids_of("profile"))
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))


# --- bodies and connections


@pytest.mark.parametrize(
    ("fault", "tries"),
    [("truncated", 6), ("broken_json", 3), ("not_json", 3), ("empty_body", 3), ("odd_json", 3)],
)
def test_a_body_that_cannot_be_read_is_tried_again_and_then_skipped(
    filled: Scene, fault: str, tries: int
) -> None:
    filled.faults({"fault": fault, "endpoint": STATISTICS})
    filled.run()
    assert len(filled.asked(STATISTICS)) == tries
    assert newly_read(filled, "linkedin") == []
    assert newly_read(filled, "twitter") == sorted(filled.ids_of("profile"))
    filled.faults()
    filled.later(minutes=15)
    assert filled.run().failures == []
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))


def test_values_of_another_type_are_rejected_with_their_reason(filled: Scene) -> None:
    ids = set(filled.ids_of("page"))
    filled.faults({"fault": "wrong_types", "endpoint": STATISTICS, "args": {"share": 0.08}})
    report = filled.run()
    read = set(newly_read(filled, "linkedin"))
    assert report.rejected > 0
    lines = (filled.app.settings.data_dir / "rejects" / "rejects.jsonl").read_text().splitlines()
    assert len(lines) == report.rejected
    assert ids - read == {event["post"] for event in filled.events("post skipped")}


def test_a_connection_that_hangs_is_cut_and_tried_again(
    filled: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(*args: Any) -> Any:
        return replace(platform_settings(*args), timeout=0.2)

    monkeypatch.setattr(sync_metrics, "platform_settings", impatient)
    filled.faults({"fault": "hang", "endpoint": TIMELINE, "args": {"seconds": 5}})
    report = filled.run()
    assert len(filled.asked(TIMELINE)) == 6
    assert (report.stopped, report.queued) == (1, 1)
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))


# --- tokens


def test_a_token_that_ends_in_mid_run_is_rotated_and_nothing_is_lost(play: Play) -> None:
    from ingest.sandbox.world import PLAIN, AccountSpec

    scene = play(specs=[AccountSpec("profile", "busy", ("ana",), posts_per_day=9, habits=PLAIN)])
    scene.connect("profile")
    before = scene.tokens("twitter")
    scene.faults({"fault": "expire_token", "endpoint": TIMELINE, "nth": 2})
    assert scene.run().failures == []
    assert scene.asked(TIMELINE)[:3] == [200, 401, 200]
    assert scene.asked(X_TOKEN) == [200]
    assert scene.read_ids("twitter") == sorted(scene.ids_of("profile"))
    after = scene.tokens("twitter")
    assert after.refresh_token not in {None, before.refresh_token}
    assert scene.connection("twitter").expires_at is not None
    scene.faults()
    scene.later(hours=6)
    assert scene.run().failures == [], "the rotated refresh token works"
    assert scene.asked(X_TOKEN) == [200, 200]


@pytest.mark.parametrize(
    ("kind", "platform", "token_endpoint"),
    [("profile", "twitter", X_TOKEN), ("page", "linkedin", LINKEDIN_TOKEN)],
)
def test_a_refused_refresh_is_logged_told_and_never_asked_again(
    filled: Scene, kind: str, platform: str, token_endpoint: str
) -> None:
    endpoint = TIMELINE if kind == "profile" else FINDER
    filled.faults(
        {"fault": "expire_token", "endpoint": endpoint},
        {"fault": "refuse_refresh", "endpoint": token_endpoint},
    )
    report = filled.run()
    connection = filled.connection(platform)
    line = f"Token expired for user {connection.user_id}, platform {platform}"
    assert len(filled.events(line)) == 1
    assert filled.asked(token_endpoint) == [400]
    assert (connection.state, report.stopped) == ("expired", 1)
    assert filled.news() == ["token_expired"]

    filled.later(hours=2)
    filled.forget()
    report = filled.run()
    assert filled.asked(endpoint) == filled.asked(token_endpoint) == []
    assert any(f"nexus connect {platform}" in failure for failure in report.failures)
    assert filled.run().failures == report.failures, "each run says what it leaves out"
    assert len(filled.events(line)) == 1, "the log says so once a slot"
    assert filled.news() == ["token_expired"], "and a person is told once"


@pytest.mark.parametrize(
    ("kind", "endpoint", "token_endpoint"),
    [("profile", TIMELINE, X_TOKEN), ("page", FINDER, LINKEDIN_TOKEN)],
)
def test_a_consent_that_is_given_again_is_used_at_once(
    filled: Scene, kind: str, endpoint: str, token_endpoint: str
) -> None:
    filled.faults(
        {"fault": "expire_token", "endpoint": endpoint},
        {"fault": "refuse_refresh", "endpoint": token_endpoint},
    )
    assert filled.run().stopped == 1
    filled.faults()
    tokens = filled.stand_in.sandbox.tokens
    tokens.of(filled.account(kind), "ana").expires_at = filled.clock.now().timestamp() + 7_200
    filled.connect(kind)
    assert filled.run().failures == []
    assert 200 in filled.asked(endpoint)


def test_a_withdrawn_consent_is_never_refreshed(filled: Scene) -> None:
    filled.faults({"fault": "revoke_token", "endpoint": FINDER})
    filled.run()
    connection = filled.connection("linkedin")
    assert connection.state == "revoked"
    assert filled.asked(FINDER) == [401]
    assert filled.asked(LINKEDIN_TOKEN) == []
    assert filled.events(f"Token expired for user {connection.user_id}, platform linkedin")
    assert filled.news() == ["token_expired"]
    filled.faults()
    filled.stand_in.sandbox.tokens.of(filled.account("page"), "ana").revoked = False
    filled.connect("page")
    assert filled.news() == []
    assert filled.run().failures == []


def test_a_wrong_app_secret_ends_no_consent(play: Play) -> None:
    scene = play(x_client_secret="wrong")
    scene.connect("profile")
    scene.faults({"fault": "expire_token", "endpoint": TIMELINE, "nth": 1})
    scene.run()
    assert scene.asked(X_TOKEN) == [401]
    assert scene.connection("twitter").state == "active"
    assert scene.news() == ["app_refused"]
    app = scene.app
    secret = scene.stand_in.sandbox.tokens.client_secret
    app.settings = app.settings.model_copy(
        update={"x_client_secret": type(app.settings.x_client_secret)(secret)}
    )
    scene.later(minutes=15)
    assert scene.run().failures == []
    assert scene.news() == []
    assert scene.read_ids("twitter") == sorted(scene.ids_of("profile"))


def test_where_one_users_consent_fails_the_other_users_is_used(scene: Scene) -> None:
    scene.connect("profile", user="ana")
    scene.later(minutes=1)
    scene.connect("profile", user="ben")
    revoke(scene, "ana")
    report = scene.run()
    assert scene.read_ids("twitter") == sorted(scene.ids_of("profile"))
    assert report.failures == []
    assert scene.connection("twitter", "ana").state == "expired"
    assert scene.connection("twitter", "ben").last_success_at == scene.clock.now()
    assert scene.news() == ["token_expired"], "ana is told all the same"
    scene.later(hours=2)
    assert scene.run().failures == [], "ben's is enough"


def test_a_consent_that_fails_half_way_is_followed_by_the_others_half(play: Play) -> None:
    from ingest.sandbox.world import PLAIN, AccountSpec

    spec = AccountSpec("profile", "busy", ("ana", "ben"), posts_per_day=9, habits=PLAIN)
    scene = play(specs=[spec])
    scene.connect("profile", user="ana")
    scene.later(minutes=1)
    scene.connect("profile", user="ben")
    scene.faults(
        {"fault": "revoke_token", "endpoint": TIMELINE, "nth": 2},
    )
    assert scene.run().failures == []
    assert scene.read_ids("twitter") == sorted(scene.ids_of("profile"))
    assert scene.connection("twitter", "ana").state == "expired"


def revoke(scene: Scene, user: str) -> None:
    scene.stand_in.sandbox.tokens.of(scene.account("profile"), user).revoked = True


# --- the store's own


def test_a_vault_that_lost_its_key_stops_its_connections_only(filled: Scene) -> None:
    from sqlalchemy import update

    from execution.control.models import Connection

    with filled.app.store.begin() as session:
        session.execute(
            update(Connection).where(Connection.platform == "twitter").values(tokens=b"x" * 60)
        )
    report = filled.run()
    assert report.stopped == 1
    assert "vault" in report.failures[0]
    assert newly_read(filled, "linkedin") == sorted(filled.ids_of("page"))


def test_the_profile_is_read_once_in_six_hours(filled: Scene) -> None:
    for _ in range(6):
        filled.run()
        filled.later(hours=1)
    assert filled.asked(X_USER) == [200]
    rows = filled.spooled("twitter_accounts")
    assert [row["slot_start"] for row in rows] == [
        START.replace(minute=0),
        START.replace(hour=6, minute=0),
    ]


def test_clocks_that_differ_move_no_snapshot(filled: Scene) -> None:
    filled.faults({"fault": "clock_skew", "args": {"seconds": 7_200}})
    assert filled.run().failures == []
    rows = filled.spooled("twitter_snapshots")
    assert max(row["collected_at"] for row in rows) == filled.clock.now()
    assert timedelta(0) <= filled.clock.now() - max(row["slot_start"] for row in rows)
