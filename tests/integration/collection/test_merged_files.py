"""Files of an account that is connected later count for it, once, through real builds."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from structlog.testing import capture_logs

from execution.analytics.imports import Importer, ImportOutcome
from execution.control.models import Account, Import
from execution.control.settings import Settings
from ingest import identity
from ingest.sandbox.world import PLAIN, AccountSpec
from tests.integration.collection.conftest import Play
from tests.integration.collection.scene import Scene
from tests.integration.nexus_command import EXPORT

ANA = "ana@example.com"
OWNER = AccountSpec("profile", "Nexus_Demo", ("ana",), posts_per_day=0.5, habits=PLAIN)
TOTALS = (
    "select count(*), sum(impressions), sum(likes), sum(engagements), count(distinct account_id)"
    " from analytics_snapshots where source = 'file'",
    "select count(*) from posts where has_file_snapshots",
    "select sum(new_impressions), sum(new_likes) from quarter_hour_metrics",
    "select sum(new_impressions), sum(new_likes) from daily_metrics",
    "select sum(total_impressions), sum(new_impressions) from daily_rollup",
)


@pytest.fixture
def owner(play: Play) -> Scene:
    """Somebody with an account that is not connected yet."""
    scene = play(specs=[OWNER])
    scene.connect(user="ana")
    return scene


def import_file(scene: Scene) -> ImportOutcome:
    app = scene.app
    with app.store.begin() as session:
        user = app.user(session, ANA)
    importer = Importer(app.settings, app.store, app.clock, user)
    return importer.run([EXPORT], None, None, lambda *_: None)


def published(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    path = (settings.published_dir / "current.duckdb").resolve()
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()


def refresh(scene: Scene) -> list[list[tuple[Any, ...]]]:
    """Land, build and publish; the totals afterwards."""
    scene.app.land()
    scene.app.build_and_publish()
    return [published(scene.app.settings, query) for query in TOTALS]


def proven(scene: Scene) -> Account:
    with scene.app.store.begin() as session:
        return session.query(Account).filter_by(is_proven=True).one()


@pytest.mark.long
def test_totals_stay_exact_when_the_account_of_a_file_is_connected(owner: Scene) -> None:
    assert import_file(owner).files == 1
    before = refresh(owner)
    assert before[0][0][0] > 0
    owner.connect("profile")
    assert refresh(owner) == before, "the same rows, under the proven account"
    account = proven(owner)
    tables = ("analytics_snapshots", "posts", "post_increments", "daily_metrics", "accounts")
    for table in tables:
        ids = published(owner.app.settings, f"select distinct account_id::varchar from {table}")
        assert ids == [(str(account.id),)], table
    posts = published(owner.app.settings, "select post_id::varchar, platform_post_id from posts")
    assert {post for post, _ in posts} == {
        str(identity.post_id(account.id, platform_post_id)) for _, platform_post_id in posts
    }
    assert import_file(owner).already == 1, "its files are known under the proven account"
    assert refresh(owner) == before


def test_a_merge_that_was_killed_midway_is_finished_by_the_next_landing(owner: Scene) -> None:
    import_file(owner)
    owner.app.land()
    owner.connect("profile")
    with owner.app.store.begin() as session:
        assert session.query(Import).count() == 1, "connected, and killed before anything else"
    for _ in range(2):
        owner.app.land()
        with owner.app.store.begin() as session:
            imports = session.query(Import).order_by(Import.id).all()
        assert len(imports) == 2
        assert (
            len({(one.collected_at, one.collected_basis, one.imported_at) for one in imports}) == 1
        )
    rows = owner.raw("select account_id, count(*) from raw.twitter_export_posts group by all")
    assert len({count for _, count in rows}) == 1
    assert str(proven(owner).id) in dict(rows)


def test_a_kept_file_that_is_gone_is_named_and_stops_nothing(owner: Scene) -> None:
    import_file(owner)
    for kept in Path(owner.app.settings.data_dir, "inbox").iterdir():
        kept.unlink()
    owner.connect("profile")
    with capture_logs() as logs:
        owner.app.land()
    assert [(log["event"], log["file"]) for log in logs if "file" in log] == [
        ("imported file is lost", EXPORT.name)
    ]
