"""Which posts are known under which id, and which of them are due when."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from execution.control import posts as tracked
from execution.control.access import create_user
from execution.control.accounts import file_account, prove_account
from execution.control.connections import EXPIRED, Tokens, connect, set_state
from execution.control.models import Connection, TrackedPost
from execution.control.schedule import DueAccount, due_accounts
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest import identity
from ingest.clock import ManualClock
from ingest.platforms.base import Post, Profile

PROFILE = Profile("42", "profile", "ana", "Ana", 100)
ACCOUNT = identity.account_id("twitter", "42")


@pytest.fixture
def connection_id(store: ControlStore, vault: Vault, clock: ManualClock) -> UUID:
    with store.begin() as session:
        user = create_user(session, "ana@example.com", "Europe/Zurich", clock.now())
        account, _ = prove_account(session, user, "twitter", PROFILE, clock.now())
        return connect(
            session,
            vault,
            user=user,
            account=account,
            tokens=Tokens("secret"),
            scopes=["tweet.read"],
            expires_at=None,
            now=clock.now(),
        ).id


def a_post(platform_post_id: str, published_at: datetime) -> Post:
    return Post(platform_post_id, published_at, "post", f"text {platform_post_id}", None)


def register(store: ControlStore, clock: ManualClock, *posts: Post) -> list[Post]:
    with store.begin() as session:
        return tracked.register_posts(session, ACCOUNT, "twitter", posts, clock.now()).changed


def due(store: ControlStore, clock: ManualClock) -> DueAccount | None:
    with store.begin() as session:
        found = due_accounts(session, clock.now())
    return found[0] if found else None


def settle(store: ControlStore, connection_id: UUID, clock: ManualClock) -> None:
    """As if discovery and profile of this slot were done."""
    with store.begin() as session:
        session.execute(
            update(Connection)
            .where(Connection.id == connection_id)
            .values(last_discovery_slot=clock.now(), last_profile_slot=clock.now())
        )


def test_an_edited_post_keeps_its_id_and_gets_the_new_alias(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    post = a_post("1", clock.now())
    register(store, clock, post)
    register(store, clock, replace(post, platform_post_id="2", versions=("1", "2")))
    with store.begin() as session:
        known = tracked.known_posts(session, ACCOUNT, ["1", "2"])
    assert known["1"].post_id == known["2"].post_id == identity.post_id(ACCOUNT, "1")


def test_two_versions_seen_in_one_answer_are_one_post(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    post = a_post("1", clock.now())
    register(store, clock, replace(post, platform_post_id="2", versions=("1", "2")), post)
    with store.begin() as session:
        assert session.query(TrackedPost).count() == 1


def test_content_counts_as_landed_only_when_said_so(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    post = a_post("1", clock.now())
    assert register(store, clock, post) == [post]
    assert register(store, clock, post) == [post], "killed before it was durable: land it again"
    with store.begin() as session:
        tracked.content_landed(session, {identity.post_id(ACCOUNT, "1"): post})
    assert register(store, clock, post) == []
    edited = replace(post, text="edited")
    assert register(store, clock, edited) == [edited]


def test_a_post_is_due_until_its_slot_is_filled(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    settle(store, connection_id, clock)
    register(store, clock, a_post("1", clock.now()))
    found = due(store, clock)
    assert found is not None
    assert [post.platform_post_id for post in found.posts] == ["1"]
    with store.begin() as session:
        slot = clock.now().replace(hour=8, minute=0)
        tracked.fill_slots(session, {identity.post_id(ACCOUNT, "1"): slot})
    assert due(store, clock) is None


def test_a_post_of_thirty_days_is_no_longer_due(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    register(store, clock, a_post("1", clock.now() - timedelta(days=30, hours=7)))
    found = due(store, clock)
    assert found is not None
    assert found.posts == ()


def test_a_deleted_post_is_no_longer_due(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    register(store, clock, a_post("1", clock.now()))
    with store.begin() as session:
        tracked.mark_deleted(session, [identity.post_id(ACCOUNT, "1")], clock.now())
    found = due(store, clock)
    assert found is not None
    assert found.posts == ()


def test_an_expired_connection_is_not_collected(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    with store.begin() as session:
        set_state(session, connection_id, EXPIRED, "the token expired")
    assert due(store, clock) is None


def test_an_account_of_two_users_is_collected_once(
    store: ControlStore, vault: Vault, connection_id: UUID, clock: ManualClock
) -> None:
    with store.begin() as session:
        ben = create_user(session, "ben@example.com", "UTC", clock.now())
        account, _ = prove_account(session, ben, "twitter", PROFILE, clock.now())
        connect(
            session,
            vault,
            user=ben,
            account=account,
            tokens=Tokens("other"),
            scopes=[],
            expires_at=None,
            now=clock.now() + timedelta(hours=1),
        )
    with store.begin() as session:
        found = due_accounts(session, clock.now())
    assert [item.connection_id for item in found] == [connection_id]


def test_discovery_goes_back_thirty_days_once_per_six_hours(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    first = due(store, clock)
    assert first is not None
    assert first.discover_since == clock.now() - timedelta(days=30)
    settle(store, connection_id, clock)
    clock.set(clock.now() + timedelta(hours=2))
    second = due(store, clock)
    assert second is not None
    assert second.discover_since == clock.now() - timedelta(hours=48)


def test_a_file_account_merges_into_the_proven_one(store: ControlStore, clock: ManualClock) -> None:
    with store.begin() as session:
        user = create_user(session, "ana@example.com", "UTC", clock.now())
        known_from_file = file_account(
            session, user=user, platform="twitter", handle="Ana", kind="profile", now=clock.now()
        )
        proven, merged = prove_account(session, user, "twitter", PROFILE, clock.now())
        assert merged == [known_from_file.id]
        again = file_account(
            session, user=user, platform="twitter", handle="ANA", kind="profile", now=clock.now()
        )
    assert again.id == proven.id
