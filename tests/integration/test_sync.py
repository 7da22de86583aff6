"""A run collects what is due, once per slot, and loses nothing on the way to raw."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from execution.analytics.sync_metrics import Collector, SyncReport
from tests.integration.conftest import OWNED, Installation


def collect(installation: Installation) -> SyncReport:
    app = installation.app
    with Collector(app.settings, app.store, app.vault, app.clock) as collector:
        report = collector.collect()
        collector.land()
    return report


def rows(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(installation.app.settings.warehouse, read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def connected(installation: Installation) -> Installation:
    installation.connect(*OWNED)
    return installation


def test_every_post_of_thirty_days_gets_a_snapshot(connected: Installation) -> None:
    report = collect(connected)
    assert report.failures == []
    assert report.snapshots > 50
    landed = rows(
        connected,
        "select count(*) from (select snapshot_id from raw.twitter_snapshots"
        " union all select snapshot_id from raw.linkedin_snapshots)",
    )
    assert landed == [(report.snapshots,)]


def test_a_second_run_in_the_same_slots_asks_for_nothing(connected: Installation) -> None:
    collect(connected)
    connected.clock.set(connected.clock.now() + timedelta(minutes=20))
    before = connected.stand_in.sandbox.log.summary()["total"]
    assert collect(connected).accounts == 0
    assert connected.stand_in.sandbox.log.summary()["total"] == before


def test_the_next_slot_brings_one_more_snapshot_of_each_due_post(connected: Installation) -> None:
    collect(connected)
    connected.clock.set(connected.clock.now() + timedelta(hours=2))
    report = collect(connected)
    assert 0 < report.snapshots < 30, "only young posts are due after two hours"
    twice = rows(
        connected,
        "select platform_post_id, slot_start from raw.twitter_snapshots"
        " group by all having count(*) > 1",
    )
    assert twice == []


def test_counters_land_as_the_platform_has_them(connected: Installation) -> None:
    collect(connected)
    profile = next(a for a in connected.stand_in.sandbox.world.accounts if a.kind == "profile")
    truth = {
        str(post.versions[-1].id): post.counts(connected.clock.now().timestamp())
        for post in profile.newest_first(connected.clock.now().timestamp())
        if len(post.versions) == 1
    }
    landed = rows(
        connected,
        "select platform_post_id, impression_count, like_count from raw.twitter_snapshots",
    )
    assert len(landed) > 20
    for post, impressions, likes in landed:
        if post in truth:
            assert (impressions, likes) == tuple(truth[post][:2])


def test_a_token_that_is_refused_stops_its_account_only(connected: Installation) -> None:
    tokens = connected.stand_in.sandbox.tokens
    account = next(a for a in connected.stand_in.sandbox.world.accounts if a.kind == "profile")
    tokens.of(account, "ana").revoked = True
    report = collect(connected)
    assert report.stopped == 1
    assert report.accounts == 1
