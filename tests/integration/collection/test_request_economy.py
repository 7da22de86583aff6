"""What a collection costs in requests, counted at the stand-in."""

import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from execution.control.models import ApiUsage, Connection, TrackedPost
from execution.control.posts import register_posts
from ingest.platforms.base import Post
from ingest.sandbox.world import PLAIN, AccountSpec
from tests.integration.collection.scene import FINDER, STATISTICS, Play, Scene, at, environment


def track_all(scene: Scene, kind: str) -> int:
    """Register every post of 30 days, as if each had been discovered when it was young."""
    connection = scene.connection("twitter" if kind == "profile" else "linkedin")
    posts = [
        Post(post.urn or str(post.id), at(post.published), "post", "", "")
        for post in scene.posts_of(kind)
    ]
    with scene.app.store.begin() as session:
        account_id, platform = connection.account_id, connection.platform
        register_posts(session, account_id, platform, posts, scene.clock.now())
    return len(posts)


def test_ten_thousand_x_posts_take_at_most_105_requests(play: Play) -> None:
    scene = play(specs=[AccountSpec("profile", "busy", ("ana",), posts_per_day=340, habits=PLAIN)])
    scene.connect("profile")
    posts = track_all(scene, "profile")
    assert posts >= 10_000
    report = scene.run()
    assert report.failures == []
    assert report.snapshots == posts
    assert len(scene.asked()) <= 105 * posts / 10_000
    usage = scene.usage()
    assert sum(row.requests for row in usage.values()) == len(scene.asked())
    assert usage["x.timeline"].cost_micros == 3_200 * 1_000
    assert usage["x.lookup"].cost_micros == (posts - 3_200) * 5_000


def test_a_thousand_linkedin_posts_take_at_most_35_requests(play: Play) -> None:
    specs = [AccountSpec("page", "busy", ("ana",), posts_per_day=33.5, habits=PLAIN)]
    scene = play(specs=specs)
    scene.connect("page")
    posts = track_all(scene, "page")
    assert posts >= 1_000
    # ten that nobody has seen: left out of the statistics, true zeros only if they are listed
    for post in scene.posts_of("page")[100:1000:90]:
        post.waves = ()
    report = scene.run()
    assert report.failures == []
    assert report.snapshots == posts
    assert len(scene.asked()) <= 35 * posts / 1_000
    assert len(scene.asked(STATISTICS)) == -(-posts // 50)
    assert len(scene.asked(FINDER)) == posts // 100 + 1
    zeros = [row for row in scene.spooled("linkedin_snapshots") if row["impression_count"] == 0]
    assert len(zeros) == 10


def test_a_second_read_of_the_day_is_not_in_the_ledger_twice(scene: Scene) -> None:
    scene.connect("profile")
    scene.run()
    costs = {family: row.cost_micros for family, row in scene.usage().items()}
    posts = len(scene.ids_of("profile"))
    assert costs == {"x.timeline": posts * 1_000, "x.user": 10_000}
    for _ in range(11):
        scene.later(hours=2)
        scene.run()
    new = len(scene.ids_of("profile", days=1))
    costs = {family: row.cost_micros for family, row in scene.usage().items()}
    assert costs == {"x.timeline": (posts + new) * 1_000, "x.user": 10_000}
    scene.later(hours=2)
    scene.run()  # the next UTC day
    tomorrow = len(scene.ids_of("profile"))
    usage = [row for row in _all_usage(scene) if row.day == "2026-09-02"]
    assert {row.family: row.cost_micros for row in usage} == {
        "x.timeline": tomorrow * 1_000,
        "x.user": 10_000,
    }


def _all_usage(scene: Scene) -> list[ApiUsage]:
    with scene.app.store.begin() as session:
        return list(session.query(ApiUsage))


def test_posts_that_were_read_in_this_slot_are_not_looked_up_again(scene: Scene) -> None:
    scene.connect("profile", "page", "member")
    scene.run()
    scene.forget()
    for _ in range(7):
        scene.later(minutes=15)
        assert scene.run().accounts == 0
    assert scene.asked() == []


# --- nothing due


LOADED = """
import sys
from execution.cli import main
try:
    main(["sync"])
finally:
    heavy = {"dlt", "dbt", "pyarrow", "duckdb", "alembic", "flask", "httpx"} & set(sys.modules)
    print("heavy modules:", sorted(heavy))
"""


SPECS = (
    AccountSpec("profile", "busy", ("ana",), posts_per_day=335, habits=PLAIN),
    AccountSpec("page", "page", ("ana",), posts_per_day=33.5, habits=PLAIN),
)


def fill_everything(scene: Scene) -> None:
    """Connect, and let all slots be filled, also one that begins while a test runs."""
    scene.connect("profile", "page")
    for kind in ("profile", "page"):
        track_all(scene, kind)
    ahead = scene.clock.now() + timedelta(hours=6)
    with scene.app.store.begin() as session:
        session.execute(update(TrackedPost).values(last_slot=ahead))
        session.execute(
            update(Connection).values(last_discovery_slot=ahead, last_profile_slot=ahead)
        )
    scene.forget()


@pytest.fixture
def idle(play: Play) -> Scene:
    """An installation of 11,000 posts, all of whose slots are filled, in real time."""
    scene = play(specs=SPECS, start=datetime.now(UTC))
    fill_everything(scene)
    return scene


def test_a_run_with_nothing_due_asks_nothing_and_loads_nothing_heavy(idle: Scene) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=environment(idle),
        capture_output=True,
        text=True,
        check=False,
        cwd=idle.app.settings.data_dir,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Nothing is due.", "heavy modules: []"]
    assert idle.asked() == []
    seconds = used.ru_utime - before.ru_utime + used.ru_stime - before.ru_stime
    # the promise of one second is kept by a benchmark: here other tests share the processor
    assert seconds < (3 if os.environ.get("CI") else 2)
