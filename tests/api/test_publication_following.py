"""The API follows the published link: no restart, no failed request, no file left open."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from conftest import House
from published_marts import AccountFact, IncrementFact, Marts, PostFact

from api.context import context_of
from api.publication import NothingPublishedError, Publication, PublicationFollower
from api.queries.reader import Reader
from api.queries.scope import AccountScope

BIRD = AccountFact("bird")
POST = PostFact("a tweet", BIRD, datetime(2026, 3, 9, tzinfo=UTC))


def marts_of(generation: int) -> Marts:
    """A generation whose one figure is its own number."""
    gains = {"impressions": generation}
    read_at = datetime(2026, 3, 10, tzinfo=UTC)
    return Marts([BIRD], [POST], [IncrementFact(POST, read_at, gains)])


def prune(folder: Path, generation: int) -> None:
    for stem in ("nexus", "content"):
        (folder / f"{stem}-{generation}.duckdb").unlink(missing_ok=True)


def pair(generation: int) -> set[str]:
    return {f"nexus-{generation}.duckdb", f"content-{generation}.duckdb"}


def open_files(folder: Path) -> set[str]:
    """Names of the files below `folder` that this process holds open, deleted ones too."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = descriptor.readlink()
        except OSError:
            continue
        if target.is_relative_to(folder):
            found.add(target.name.removesuffix(" (deleted)"))
    return found


@pytest.fixture
def folder(house: House) -> Path:
    return house.settings.published_dir


def test_nothing_published_is_said_with_what_to_run(house: House) -> None:
    response = house.client(house.user("ann@example.org", [BIRD])).ask("/api/analytics/overview")
    assert response.status_code == 503
    assert "make refresh" in response.get_json()["detail"]
    assert int(response.headers["Retry-After"]) > 0


def test_the_first_publication_is_served_without_a_restart(house: House) -> None:
    api = house.client(house.user("ann@example.org", [BIRD]))
    assert api.ask("/api/analytics/overview").status_code == 503
    house.publish(marts_of(1))
    assert api.overview()["cards"]["impressions"]["value"] == 1


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_requests_after_a_publication_soon_see_it(house: House, folder: Path) -> None:
    api = house.client(house.user("ann@example.org", [BIRD]))
    house.publish(marts_of(1), 1)
    for generation in (2, 5, 3):  # the last one is a rollback
        marts_of(generation).publish(folder, generation)
        eventually(lambda: api.overview()["generation"] == generation)  # noqa: B023
        assert api.overview()["cards"]["impressions"]["value"] == generation


def test_requests_in_a_loop_never_fail_while_generations_are_swapped(
    house: House, folder: Path
) -> None:
    generations = 15
    house.publish(marts_of(1), 1)
    app = house.app()
    user = house.user("ann@example.org", [BIRD])
    done = threading.Event()

    def ask_on(_: int) -> list[tuple[int, int, int]]:
        api = house.client(user, app)
        seen = []
        while not done.is_set():
            response = api.ask("/api/analytics/overview")
            body = response.get_json()
            assert response.status_code == 200, body
            figure = body["cards"]["impressions"]["value"]
            seen.append((response.status_code, body["generation"], figure))
        return seen

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask_on, n) for n in range(4)]
        try:
            for generation in range(2, generations + 1):
                marts_of(generation).publish(folder, generation)
                prune(folder, generation - 3)
                time.sleep(0.02)
        finally:
            done.set()
        answers = [future.result() for future in asked]

    # Every figure is of the generation that the answer names, and none goes back.
    for seen in answers:
        assert all(generation == figure for _, generation, figure in seen)
        assert [generation for _, generation, _ in seen] == sorted(g for _, g, _ in seen)
    api = house.client(user, app)
    eventually(lambda: api.overview()["generation"] == generations)
    assert len({generation for _, generation, _ in answers[0]}) > 3
    eventually(lambda: open_files(folder) == pair(generations))


def test_an_old_generation_stays_open_for_its_last_request_and_no_longer(
    house: House, folder: Path
) -> None:
    house.publish(marts_of(1), 1)
    follower = PublicationFollower(folder)
    with follower.lease() as (first, old):
        house.publish(marts_of(2), 2)
        follower.check()
        prune(folder, 1)
        with follower.lease() as (second, new):
            assert (first.generation, second.generation) == (1, 2)
            assert impressions(old) == 1
            assert impressions(new) == 2
        assert "nexus-1.duckdb" in open_files(folder)
    assert open_files(folder) == pair(2)
    follower.close()
    assert open_files(folder) == set()


def impressions(cursor: duckdb.DuckDBPyConnection) -> int:
    row = cursor.execute("select sum(impressions) from marts.post_scores").fetchone()
    assert row is not None
    return int(row[0])


def test_a_file_written_anew_under_its_old_name_is_read_anew(house: House, folder: Path) -> None:
    house.publish(marts_of(7), 1)
    follower = PublicationFollower(folder)
    with follower.lease() as (_, cursor):
        assert impressions(cursor) == 7
        house.publish(marts_of(8), 1)
        follower.check()
        with follower.lease() as (_, fresh):
            assert impressions(fresh) == 8
    follower.close()


def test_two_apps_in_one_process_read_the_same_files(house: House) -> None:
    house.publish(marts_of(3), 3)
    user = house.user("ann@example.org", [BIRD])
    for api in (house.client(user), house.client(user)):
        assert api.overview()["generation"] == 3


def test_a_generation_that_cannot_be_opened_leaves_the_last_good_one_serving(
    house: House, folder: Path
) -> None:
    house.publish(marts_of(1), 1)
    follower = PublicationFollower(folder)
    with follower.lease():
        pass
    (folder / "nexus-2.duckdb").write_bytes(b"half a file")
    (folder / ".draft").symlink_to("nexus-2.duckdb")
    (folder / ".draft").replace(folder / "current.duckdb")
    follower.check()
    with follower.lease() as (publication, _):
        assert publication.generation == 1
    house.publish(marts_of(3), 3)
    follower.check()
    with follower.lease() as (publication, _):
        assert publication.generation == 3
    follower.close()


def test_a_lost_link_leaves_the_last_generation_serving(house: House, folder: Path) -> None:
    house.publish(marts_of(1), 1)
    follower = PublicationFollower(folder)
    with follower.lease():
        pass
    (folder / "current.duckdb").unlink()
    with follower.lease() as (publication, _):
        assert publication.generation == 1
    follower.close()
    with pytest.raises(NothingPublishedError), follower.lease():
        pass


LOCKED = {
    "reading another file": "select * from read_csv('/etc/hostname')",
    "attaching another database": "attach '/tmp/other.duckdb' as other",
    "writing a file": "copy marts.posts to '/tmp/posts.csv'",
    "writing to the marts": "delete from marts.posts",
    "writing to the content": "drop table content.post_content",
    "changing a setting": "set enable_external_access = true",
    "changing the zone": "set TimeZone = 'Asia/Tokyo'",
    "loading an extension": "install httpfs",
}


@pytest.mark.parametrize("sql", LOCKED.values(), ids=LOCKED.keys())
def test_a_published_connection_is_locked_down(house: House, folder: Path, sql: str) -> None:
    house.publish(marts_of(1), 1)
    follower = PublicationFollower(folder)
    with follower.lease() as (_, cursor), pytest.raises(duckdb.Error):
        cursor.execute(sql)
    follower.close()


def test_each_cursor_tells_time_in_utc(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        house.publish(marts_of(1), 1)
        follower = PublicationFollower(folder)
        with follower.lease() as (_, cursor):
            row = cursor.execute("select current_setting('TimeZone')").fetchone()
        follower.close()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert row == ("UTC",)


def test_requests_go_on_with_the_old_generation_until_the_new_one_is_warm(
    house: House, folder: Path
) -> None:
    warming, may_go_on = threading.Event(), threading.Event()

    def warm(publication: Publication, _: object) -> None:
        if publication.generation == 2:
            warming.set()
            assert may_go_on.wait(10)

    house.publish(marts_of(1), 1)
    follower = PublicationFollower(folder, warm)
    follower.check()
    house.publish(marts_of(2), 2)
    with follower.lease() as (publication, _):  # notices the new one
        assert publication.generation == 1
    assert warming.wait(10)
    with follower.lease() as (publication, _):
        assert publication.generation == 1
    may_go_on.set()
    follower.check()
    with follower.lease() as (publication, _):
        assert publication.generation == 2
    follower.close()


def test_a_generation_that_cannot_answer_is_not_served(house: House, folder: Path) -> None:
    api = house.client(house.user("ann@example.org", [BIRD]))
    house.publish(marts_of(1), 1)
    with duckdb.connect(str(marts_of(2).publish(folder / "elsewhere", 2))) as connection:
        connection.execute("alter table quarter_hour_metrics drop column new_likes")
    for stem in ("nexus", "content"):
        (folder / "elsewhere" / f"{stem}-2.duckdb").rename(folder / f"{stem}-2.duckdb")
    (folder / ".draft").symlink_to("nexus-2.duckdb")
    (folder / ".draft").replace(folder / "current.duckdb")
    context_of(house.apps[0]).publications.check()
    assert api.overview()["generation"] == 1


def test_a_new_generation_is_warmed_with_what_was_asked_recently(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, str]] = []

    def note(reader: Reader, _params: object) -> None:
        asked.append((reader.scope, reader.zone.key))

    monkeypatch.setattr("api.warming.overview", note)
    house.publish(marts_of(1), 1)
    app = house.app()
    house.client(house.user("ann@example.org", [BIRD]), app).overview(tz="Asia/Tokyo")
    house.client(house.user("bob@example.org", []), app).overview()
    asked.clear()
    house.publish(marts_of(2), 2)
    mine = AccountScope(frozenset({BIRD.account_id}))
    assert asked == [(AccountScope(frozenset()), "UTC"), (mine, "Asia/Tokyo")]
