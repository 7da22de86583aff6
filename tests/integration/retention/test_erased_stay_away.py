"""An erased post or account does not come back with the next sync (DESIGN.md section 5)."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from execution.analytics.erasure import control
from execution.control.models import Account, Connection, ErasedPost, PostAlias, TrackedPost
from execution.control.posts import register_posts
from ingest.platforms.base import Post
from tests.integration.collection.scene import Scene, playing


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with playing(tmp_path) as played:
        played.connect("profile")
        played.run()
        yield played


def aliases(scene: Scene) -> set[str]:
    with scene.app.store.begin() as session:
        return set(session.scalars(select(PostAlias.platform_post_id)))


def erase(scene: Scene, kind: str, given: str) -> None:
    """What `forget` does to the control store."""
    app = scene.app
    erasure = app.forgetting.find(kind, given)  # type: ignore[arg-type]
    with app.store.begin() as session:
        control.erase_known(session, app.vault, erasure)


def test_discovery_does_not_bring_back_an_erased_post(scene: Scene) -> None:
    before = aliases(scene)
    erased = sorted(before)[0]
    erase(scene, "post", erased)
    scene.later(hours=8)
    report = scene.run()
    assert report.snapshots > 0
    assert erased not in aliases(scene)
    assert aliases(scene) >= before - {erased}
    with scene.app.store.begin() as session:
        (kept,) = session.scalars(select(ErasedPost))
    assert erased not in kept.digest


def test_a_post_that_its_user_imports_again_is_collected_again(scene: Scene) -> None:
    erased = sorted(aliases(scene))[-1]
    with scene.app.store.begin() as session:
        post = session.scalars(
            select(TrackedPost).where(TrackedPost.platform_post_id == erased)
        ).one()
        again = Post(erased, post.published_at, post.post_type, "again", None)
        account = UUID(str(post.account_id))
    erase(scene, "post", erased)
    with scene.app.store.begin() as session:
        register_posts(session, account, "twitter", [again], scene.clock.now())
    scene.later(hours=8)
    scene.run()
    with scene.app.store.begin() as session:
        found = session.scalars(
            select(TrackedPost).where(TrackedPost.platform_post_id == erased)
        ).one()
    assert found.last_slot is not None


def test_a_post_goes_with_its_twin_of_a_merged_account(scene: Scene) -> None:
    app, now = scene.app, scene.clock.now()
    platform_id = sorted(aliases(scene))[0]
    with app.store.begin() as session:
        proven = session.scalars(
            select(TrackedPost).where(TrackedPost.platform_post_id == platform_id)
        ).one()
        merged = Account(
            id=UUID(int=9),
            platform="twitter",
            kind="profile",
            created_at=now,
            merged_into=proven.account_id,
        )
        session.add(merged)
        session.flush()
        post = Post(platform_id, proven.published_at, "post", "text", None)
        (twin,) = register_posts(session, merged.id, "twitter", [post], now).known.values()
    both = {str(proven.post_id), str(twin.post_id)}
    for given in (platform_id, *both):
        assert set(app.forgetting.find("post", given).posts) == both


def test_an_erased_account_is_not_collected(scene: Scene) -> None:
    erase(scene, "account", "twitter:ana_x")
    scene.later(hours=8)
    assert scene.run().snapshots == 0
    assert aliases(scene) == set()
    with scene.app.store.begin() as session:
        assert list(session.scalars(select(Connection))) == []


def test_an_account_that_is_connected_again_is_collected_again(scene: Scene) -> None:
    before = aliases(scene)
    erase(scene, "account", "twitter:ana_x")
    scene.connect("profile")
    scene.later(hours=8)
    scene.run()
    assert aliases(scene) >= before
