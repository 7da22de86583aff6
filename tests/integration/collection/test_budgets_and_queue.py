"""Budgets hold over runs, what waits goes first, and a run sleeps only where it was told to."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from execution.control.models import Connection
from ingest.sandbox.world import PLAIN, AccountSpec
from ingest.slots import YOUNG_AGE, YOUNG_SLOT, floor_to
from tests.integration.collection.scene import START, Play, Scene, at

QUARTER = timedelta(minutes=15)


def profiles(*names: str) -> list[AccountSpec]:
    """X accounts of about 230 posts, three pages each."""
    return [AccountSpec("profile", n, ("ana",), posts_per_day=7.7, habits=PLAIN) for n in names]


def most_in_any(length: timedelta, moments: Iterable[float]) -> int:
    """The largest number of requests in any stretch of this length."""
    asked = sorted(moments)
    return max(
        sum(m < first + length.total_seconds() for m in asked if m >= first) for first in asked
    )


def asked_at(scene: Scene) -> list[float]:
    return [entry["at"] for entry in scene.stand_in.sandbox.log.recent()]


def test_what_a_budget_forbids_goes_first_in_the_next_run(play: Play) -> None:
    scene = play(specs=profiles("one", "two"), x_requests_per_15_minutes=5)
    scene.connect("profile")
    first = scene.run()
    assert len(scene.asked()) == 5
    assert (first.stopped, first.queued) == (1, 1)
    assert any("budget of 5 requests per 15 minutes is used up" in f for f in first.failures)
    assert scene.slept == [], "a run never sleeps for a window: it ends"
    assert scene.run().queued == 1
    assert len(scene.asked()) == 5, "a new process finds the budget as it was"
    (waiting,) = {f.split(":")[1] for f in first.failures}
    scene.forget()
    scene.later(hours=2)  # both have young posts to poll
    assert scene.run().failures == []
    accounts = [entry["account"].split("/")[0] for entry in scene.stand_in.sandbox.log.recent()]
    assert (accounts[0], len(set(accounts))) == (waiting, 2)
    ids = [id_ for handle in ("one", "two") for id_ in _ids(scene, handle)]
    assert set(scene.read_ids("twitter")) == set(ids)


def _ids(scene: Scene, handle: str) -> list[str]:
    now = scene.clock.now().timestamp()
    account = next(a for a in scene.stand_in.sandbox.world.accounts if a.spec.handle == handle)
    return [str(post.id) for post in account.newest_first(now, since=now - 30 * 86_400)]


def test_who_got_nothing_goes_before_who_got_something(play: Play) -> None:
    scene = play(specs=profiles("one", "two", "three"), x_requests_per_15_minutes=2)
    scene.connect("profile")
    scene.clock.tick = timedelta(milliseconds=1)
    order = []
    for _ in range(3):
        scene.run()
        order.append(scene.stand_in.sandbox.log.recent()[-1]["account"].split("/")[0])
        scene.later(minutes=16)
    assert sorted(order) == ["one", "three", "two"], "no account starves behind another"


def test_no_window_is_ever_overspent_however_often_cron_fires(play: Play) -> None:
    scene = play(specs=profiles("one", "two"), x_requests_per_15_minutes=4)
    scene.connect("profile")
    for _ in range(26):
        scene.run()
        scene.later(minutes=5)
    assert most_in_any(QUARTER, asked_at(scene)) == 4
    ids = [id_ for handle in ("one", "two") for id_ in _ids(scene, handle)]
    assert set(scene.read_ids("twitter")) >= set(ids)


def test_a_run_that_may_wait_does_it_all(play: Play) -> None:
    scene = play(specs=profiles("one", "two"), x_requests_per_15_minutes=3)
    scene.connect("profile")
    report = scene.run(longest_wait=timedelta(hours=1))
    assert report.failures == []
    assert (report.stopped, report.queued) == (0, 0)
    assert most_in_any(QUARTER, asked_at(scene)) == 3
    assert QUARTER.total_seconds() <= sum(scene.slept) <= 3_600
    ids = [id_ for handle in ("one", "two") for id_ in _ids(scene, handle)]
    assert scene.read_ids("twitter") == sorted(ids)


def test_a_run_waits_no_longer_than_it_may(play: Play) -> None:
    scene = play(specs=profiles("one"), x_requests_per_15_minutes=2)
    scene.connect("profile")
    report = scene.run(longest_wait=timedelta(minutes=10))
    assert scene.slept == []
    assert report.queued == 1


def test_waiting_also_ends_cooldowns(play: Play) -> None:
    scene = play(specs=profiles("one"))
    scene.connect("profile")
    rule = {"fault": "rate_limited", "endpoint": "GET /2/users/:id/tweets", "nth": [2]}
    scene.faults({**rule, "args": {"reset_in": 600}})
    assert scene.run(longest_wait=timedelta(hours=1)).failures == []
    assert scene.read_ids("twitter") == sorted(_ids(scene, "one"))
    assert sum(scene.slept) == pytest.approx(900, abs=1)
    assert scene.news() == []


def test_a_monthly_cap_stops_the_run_before_it_is_passed(play: Play) -> None:
    scene = play(specs=profiles("one"))
    scene.connect("profile")
    with scene.app.store.begin() as session:
        session.execute(update(Connection).values(monthly_cap_micros=250_000))
    report = scene.run()
    spent = sum(row.cost_micros for row in scene.usage().values())
    assert 150_000 < spent <= 250_000
    assert (report.stopped, report.queued) == (1, 1)
    assert "monthly cap of $0.25" in report.failures[-1]
    assert scene.news() == ["monthly_cap"]
    assert len(scene.read_ids("twitter")) == 200, "what was paid for is kept"
    asked = len(scene.asked())
    scene.later(hours=6)
    scene.run()
    assert len(scene.asked()) == asked
    with scene.app.store.begin() as session:
        session.execute(update(Connection).values(monthly_cap_micros=5_000_000))
    assert scene.run().failures == []
    assert scene.news() == []


def test_the_development_tier_never_meets_its_limit_and_polls_young_posts_in_every_slot(
    play: Play,
) -> None:
    """100 calls a day and member, one URN a call: not enough for all, enough for the young."""
    specs = [AccountSpec("page", "page", ("ana",), posts_per_day=0.7, habits=PLAIN)]
    scene = play(specs=specs, linkedin_tier="development")
    scene.faults(development_tier=True)
    scene.connect("page")
    young: set[tuple[str, datetime]] = set()
    for slot in range(24):
        scene.clock.set(START + slot * YOUNG_SLOT)
        scene.run()
        now = scene.clock.now()
        young |= {
            (post.urn, floor_to(now, YOUNG_SLOT))
            for post in scene.posts_of("page", 2)
            if floor_to(now, YOUNG_SLOT) - at(post.published) < YOUNG_AGE
        }
    assert 429 not in scene.asked()
    by_day = [
        sum(at(moment).date() == day for moment in asked_at(scene))
        for day in (START.date(), START.date() + timedelta(days=1))
    ]
    assert all(80 <= count <= 100 for count in by_day), by_day
    filled = {
        (row["platform_post_id"], row["slot_start"]) for row in scene.spooled("linkedin_snapshots")
    }
    assert young <= filled
