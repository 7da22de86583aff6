"""However cron fires, every slot that a run fell into is filled once."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ingest.sandbox.world import PLAIN, AccountSpec
from ingest.slots import YOUNG_SLOT, floor_to, is_polled, slot_start
from tests.integration.collection.scene import FINDER, START, TIMELINE, Play, Scene, at

LENGTH = timedelta(hours=30)
#: Some posts become six-hourly, some too old, some appear within that time.
SPECS = (
    AccountSpec("profile", "ana_x", ("ana",), posts_per_day=2, habits=PLAIN),
    AccountSpec("page", "ana-page", ("ana",), posts_per_day=1, habits=PLAIN),
)


def every(step: timedelta, offset: timedelta, jitter: float = 0) -> Iterator[datetime]:
    """Cron, `offset` after the full hour, up to `jitter` seconds early or late."""
    dice = random.Random(7)
    midnight = START.replace(minute=0)
    moment = midnight
    while moment < midnight + LENGTH:
        fired = moment + offset + timedelta(seconds=dice.uniform(-jitter, jitter))
        if fired >= START:
            yield fired
        moment += step


CADENCES = {
    "two-hourly, on the second": every(timedelta(hours=2), timedelta(0)),
    "two-hourly, 20 seconds early": every(timedelta(hours=2), timedelta(seconds=-20)),
    "two-hourly, 20 seconds early or late": every(timedelta(hours=2), timedelta(0), jitter=20),
    "two-hourly, up to 50 minutes late": every(timedelta(hours=2), timedelta(hours=1), 3_000),
    "every 15 minutes": every(timedelta(minutes=15), timedelta(0), jitter=20),
    "hourly": every(timedelta(hours=1), timedelta(minutes=7)),
    "six-hourly": every(timedelta(hours=6), timedelta(minutes=7)),
    "six-hourly, 20 seconds early or late": every(timedelta(hours=6), timedelta(0), jitter=20),
}


@pytest.mark.parametrize("cadence", CADENCES)
def test_every_slot_that_can_be_filled_is_filled_once(play: Play, cadence: str) -> None:
    scene = play(specs=SPECS)
    scene.connect("profile", "page")
    expected: set[tuple[str, datetime]] = set()
    moments = list(CADENCES[cadence])
    looked: dict[datetime, datetime] = {}  # two-hour slot -> when new posts were looked for
    for moment in moments:
        scene.clock.set(moment)
        assert scene.run().failures == []
        looked_at = looked.setdefault(floor_to(moment, YOUNG_SLOT), moment)
        expected |= due_slots(scene, moment, looked_at)
    found = [
        (row["platform_post_id"], row["slot_start"])
        for platform in ("twitter", "linkedin")
        for row in scene.spooled(f"{platform}_snapshots")
    ]
    assert sorted(found) == sorted(expected), "each once, none beyond"
    assert len(scene.asked(TIMELINE)) <= 2 * len(looked)
    assert len(scene.asked(FINDER)) <= 2 * len(looked)


def due_slots(scene: Scene, moment: datetime, looked_at: datetime) -> set[tuple[str, datetime]]:
    """The slots that hold this moment, by METRICS section 2, of the posts found until then."""
    return {
        (id_, slot_start(moment, at(post.published)))
        for kind in ("profile", "page")
        for post, id_ in zip(scene.posts_of(kind, 31), scene.ids_of(kind, 31), strict=True)
        if post.published <= looked_at.timestamp()
        and is_polled(slot_start(moment, at(post.published)), at(post.published))
        and post.published >= (START - timedelta(days=30)).timestamp()
    }


def test_a_reading_taken_after_a_slot_has_begun_is_in_that_slot(scene: Scene) -> None:
    """The run began at 01:59:55, its answers came after two."""
    scene.connect("profile")
    scene.clock.set(START.replace(hour=1, minute=59, second=55))
    scene.faults({"fault": "cut", "nth": [1, 2, 3, 4]})
    scene.run()
    assert scene.clock.now() > START.replace(hour=2, minute=0)
    slots = {row["slot_start"] for row in scene.spooled("twitter_snapshots")}
    young = START.replace(hour=2, minute=0)
    assert slots <= {young, START.replace(minute=0)}
    assert scene.run().accounts <= 1
    scene.forget()
    scene.later(minutes=5)
    scene.run()
    read = scene.read_ids("twitter")
    rows = {(r["platform_post_id"], r["slot_start"]) for r in scene.spooled("twitter_snapshots")}
    assert len(read) == len(rows), "no slot of a post is filled twice"


def test_a_six_hour_slot_that_ends_while_it_is_read_is_not_made_up(scene: Scene) -> None:
    scene.connect("page")
    scene.clock.set(START.replace(hour=5, minute=59, second=55))
    scene.faults({"fault": "cut", "nth": [1, 2, 3, 4]})
    scene.run()
    rows = scene.spooled("linkedin_snapshots")
    assert {row["slot_start"] for row in rows} == {START.replace(hour=6, minute=0)}
    assert all(row["collected_at"] >= row["slot_start"] for row in rows)
    scene.forget()
    scene.later(minutes=5)
    scene.run()
    assert len(scene.spooled("linkedin_snapshots")) == len(rows), "the new slot is filled already"
