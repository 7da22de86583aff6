"""Which posts are known under which id, and which of them are due when."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from consents import Connect
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from execution.control import posts as tracked
from execution.control.access import create_user
from execution.control.accounts import file_account, prove_account
from execution.control.connections import EXPIRED, REVOKED, STOPPED, Tokens, connect, set_state
from execution.control.models import Account, Connection, PostAlias, SkippedSlot, TrackedPost
from execution.control.posts import Skip
from execution.control.schedule import DueAccount, blocked_accounts, due_accounts
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store
from execution.control.vault import Vault, open_vault
from ingest import identity
from ingest.clock import ManualClock
from ingest.platforms.base import Post, Profile
from ingest.slots import YOUNG_SLOT, floor_to, is_polled, slot_start

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


# --- posts that the app registered before they had a platform id


def own_post(store: ControlStore, clock: ManualClock, text: str, published_at: datetime) -> UUID:
    with store.begin() as session:
        account = session.get_one(Account, ACCOUNT)
        return tracked.register_own_post(session, account, text, published_at, clock.now())


def known_as(store: ControlStore, platform_post_id: str) -> UUID:
    with store.begin() as session:
        return tracked.known_posts(session, ACCOUNT, [platform_post_id])[platform_post_id].post_id


def test_a_post_of_the_app_is_found_by_author_time_and_text(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    own = own_post(store, clock, "Hello  world! https://example.org/a", clock.now())
    found_at = clock.now() + timedelta(minutes=2)
    register(store, clock, Post("7", found_at, "post", "Hello world! https://t.co/x1", None))
    assert known_as(store, "7") == own
    with store.begin() as session:
        post = session.get_one(TrackedPost, own)
    assert (post.platform_post_id, post.published_at) == ("7", found_at)
    found = due(store, clock)
    assert found is not None
    assert [item.post_id for item in found.posts] == [own]


@pytest.mark.parametrize(("text", "minutes"), [("Hello world", 31), ("Hello word", 1), ("", 1)])
def test_another_text_or_time_is_another_post(
    store: ControlStore, connection_id: UUID, clock: ManualClock, text: str, minutes: int
) -> None:
    own = own_post(store, clock, "Hello world", clock.now())
    register(store, clock, Post("7", clock.now() + timedelta(minutes=minutes), "post", text, None))
    assert known_as(store, "7") != own


def test_two_posts_of_one_text_are_matched_by_time_and_once(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    early = own_post(store, clock, "Good morning", clock.now())
    late = own_post(store, clock, "Good morning", clock.now() + timedelta(minutes=20))
    at = clock.now()
    register(
        store,
        clock,
        *(
            Post(id_, at + timedelta(minutes=minutes), "post", "Good morning", None)
            for id_, minutes in (("8", 21), ("7", 1), ("9", 22))
        ),
    )
    assert (known_as(store, "7"), known_as(store, "8")) == (early, late)
    assert known_as(store, "9") not in {early, late}


def test_a_post_of_another_account_is_not_taken_for_it(
    store: ControlStore, connection_id: UUID, clock: ManualClock, connect_account: Connect
) -> None:
    own = own_post(store, clock, "Hello world", clock.now())
    other = connect_account(handle="other").account_id
    with store.begin() as session:
        post = Post("7", clock.now(), "post", "Hello world", None)
        registered = tracked.register_posts(session, other, "twitter", [post], clock.now())
    assert registered.known["7"].post_id != own


# --- deleted, and shown again


def test_a_post_that_is_shown_again_is_polled_again_and_its_content_landed_anew(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    post = a_post("1", clock.now())
    register(store, clock, post)
    post_id = identity.post_id(ACCOUNT, "1")
    with store.begin() as session:
        tracked.content_landed(session, {post_id: post})
        tracked.mark_deleted(session, [post_id], clock.now())
    with store.begin() as session:
        seen = tracked.register_posts(session, ACCOUNT, "twitter", [post], clock.now())
        assert seen.known["1"].is_deleted
        assert seen.changed == [post]
        tracked.mark_alive(session, [post_id])
    found = due(store, clock)
    assert found is not None
    assert [item.platform_post_id for item in found.posts] == ["1"]


def test_a_clock_that_was_set_back_does_not_empty_a_slot(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    register(store, clock, a_post("1", clock.now()))
    post_id = identity.post_id(ACCOUNT, "1")
    slots = [clock.now().replace(hour=hour, minute=0) for hour in (8, 6)]
    for slot in slots:
        with store.begin() as session:
            tracked.fill_slots(session, {post_id: slot})
    with store.begin() as session:
        assert session.get_one(TrackedPost, post_id).last_slot == slots[0]


# --- what was asked for in vain


def skip(store: ControlStore, clock: ManualClock, subject: UUID, *, is_try: bool = True) -> None:
    slot = floor_to(clock.now(), YOUNG_SLOT)
    with store.begin() as session:
        tracked.record_skips(session, [Skip(subject, slot, "refused", is_try)], clock.now())


def test_what_was_asked_for_in_vain_is_asked_for_ever_more_rarely_in_its_slot(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    clock.set(clock.now().replace(hour=8, minute=0))
    register(store, clock, a_post("1", clock.now() - timedelta(hours=1)))
    settle(store, connection_id, clock)
    asked = []
    for minute in range(0, 240, 15):  # a cron that fires 20 s early now and then
        clock.set(clock.now().replace(hour=8 + minute // 60, minute=minute % 60, second=0))
        clock.set(clock.now() - timedelta(seconds=20) * (minute % 2))
        settle(store, connection_id, clock)
        if due(store, clock):
            asked.append(minute)
            skip(store, clock, identity.post_id(ACCOUNT, "1"))
    assert asked == [0, 15, 45, 105, 120, 135, 165, 225], "and anew in the next slot"
    with store.begin() as session:
        rows = session.query(SkippedSlot).order_by(SkippedSlot.slot_start).all()
    assert [(row.tries, row.reason) for row in rows] == [(4, "refused"), (4, "refused")]


def test_a_slot_that_is_filled_after_all_is_no_longer_skipped(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    register(store, clock, a_post("1", clock.now()))
    post_id = identity.post_id(ACCOUNT, "1")
    skip(store, clock, post_id)
    clock.set(clock.now() + timedelta(minutes=15))
    found = due(store, clock)
    assert found is not None
    assert [post.tries for post in found.posts] == [1]
    with store.begin() as session:
        tracked.drop_skips(session, {post_id: clock.now().replace(hour=8, minute=0)})
    with store.begin() as session:
        assert session.query(SkippedSlot).count() == 0


def test_discovery_in_vain_is_tried_more_rarely_but_waiting_for_a_budget_is_no_try(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    skip(store, clock, ACCOUNT, is_try=False)
    assert due(store, clock) is not None
    skip(store, clock, ACCOUNT)
    assert due(store, clock) is None
    clock.set(clock.now() + timedelta(minutes=15))
    assert due(store, clock) is not None


# --- whose turn it is


def test_what_waits_goes_first_then_the_youngest_posts(
    store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    now = clock.now()
    for handle, hours in (("old", 300), ("young", 1), ("waits", 400), ("waited", 500)):
        connection = connect_account(handle=handle)
        waits = {"waits": now - timedelta(hours=1), "waited": now - timedelta(hours=2)}
        with store.begin() as session:
            post = a_post(handle, now - timedelta(hours=hours))
            tracked.register_posts(session, connection.account_id, "twitter", [post], now)
            session.execute(
                update(Connection)
                .where(Connection.id == connection.id)
                .values(queued_at=waits.get(handle))
            )
    with store.begin() as session:
        names = [item.account.handle for item in due_accounts(session, now)]
    assert names == ["waited", "waits", "young", "old"]


def test_posts_are_asked_for_youngest_first(
    store: ControlStore, connection_id: UUID, clock: ManualClock
) -> None:
    ages = {"a": 10, "b": 700, "c": 1, "d": 60}
    for id_, hours in ages.items():
        register(store, clock, a_post(id_, clock.now() - timedelta(hours=hours)))
    found = due(store, clock)
    assert found is not None
    assert [post.platform_post_id for post in found.posts] == ["c", "a", "d", "b"]


def test_what_another_users_consent_has_read_is_not_read_again(
    store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    first, second = connect_account(), connect_account(email="ben@example.com")
    settle(store, second.id, clock)
    with store.begin() as session:
        assert due_accounts(session, clock.now()) == []
        without = due_accounts(session, clock.now() + timedelta(hours=6), without=[first.id])
    assert [item.connection_id for item in without] == [second.id]


def test_a_members_posts_are_never_looked_for(
    store: ControlStore, clock: ManualClock, connect_account: Connect
) -> None:
    member = connect_account("linkedin", kind="member")
    with store.begin() as session:
        (found,) = due_accounts(session, clock.now())
        assert found.discover_since is None
        session.execute(
            update(Connection)
            .where(Connection.id == member.id)
            .values(last_profile_slot=clock.now())
        )
    with store.begin() as session:
        assert due_accounts(session, clock.now()) == []


@pytest.mark.parametrize(("state", "is_blocked"), [(EXPIRED, 1), (REVOKED, 1), (STOPPED, 0)])
def test_an_account_without_a_living_consent_is_told_once_a_slot(
    store: ControlStore, connection_id: UUID, clock: ManualClock, state: str, is_blocked: int
) -> None:
    with store.begin() as session:
        set_state(session, connection_id, state, "the consent is over")
    with store.begin() as session:
        blocked = blocked_accounts(session, clock.now())
    assert [item.reason for item in blocked] == ["the consent is over"] * is_blocked
    assert not any(item.is_told for item in blocked)
    skip(store, clock, ACCOUNT, is_try=False)
    with store.begin() as session:
        now = blocked_accounts(session, clock.now())
        later = blocked_accounts(session, clock.now() + timedelta(hours=2))
    assert [item.is_told for item in now] == [True] * is_blocked
    assert [item.is_told for item in later] == [False] * is_blocked


def test_an_account_with_one_living_consent_is_not_blocked(
    store: ControlStore, connection_id: UUID, clock: ManualClock, connect_account: Connect
) -> None:
    connect_account(handle="42", email="ben@example.com")
    with store.begin() as session:
        set_state(session, connection_id, EXPIRED, "over")
    with store.begin() as session:
        assert blocked_accounts(session, clock.now()) == []
        assert len(due_accounts(session, clock.now())) == 1


@given(
    hours=st.lists(st.integers(0, 800), min_size=1, max_size=12, unique=True),
    filled=st.lists(st.integers(0, 12), max_size=12),
    at=st.integers(0, 40),
)
def test_the_query_finds_exactly_the_posts_whose_slot_is_empty(
    due_posts_of: Callable[..., set[str]], hours: list[int], filled: list[int], at: int
) -> None:
    """Against the definition (METRICS.md 2), whatever was filled when."""
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=at, minutes=7)
    posts = {str(number): now - timedelta(hours=age) for number, age in enumerate(hours)}
    last = {
        id_: slot_start(max(now - timedelta(hours=back), published_at), published_at)
        for (id_, published_at), back in zip(posts.items(), filled, strict=False)
    }
    expected = {
        id_
        for id_, published_at in posts.items()
        if is_polled(slot_start(now, published_at), published_at)
        and last.get(id_) != slot_start(now, published_at)
    }
    assert due_posts_of(posts, last, now) == expected


@pytest.fixture(scope="module")
def due_posts_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., set[str]]]:
    """(posts, last slots, now) -> due posts, in one store that each example empties."""
    folder = tmp_path_factory.mktemp("due")
    settings = Settings(_env_file=None, data_dir=folder / "d", vault_key_file=folder / "k" / "v")
    store = open_store(settings)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with store.begin() as session:
        user = create_user(session, "ana@example.com", "UTC", start)
        account, _ = prove_account(session, user, "twitter", PROFILE, start)
        connect(
            session,
            open_vault(settings.vault_key_file, settings.data_dir),
            user=user,
            account=account,
            tokens=Tokens("secret"),
            scopes=[],
            expires_at=None,
            now=start,
        )

    def find(posts: dict[str, datetime], last: dict[str, datetime], now: datetime) -> set[str]:
        with store.begin() as session:
            session.execute(delete(PostAlias))
            session.execute(delete(TrackedPost))
            tracked.register_posts(
                session, ACCOUNT, "twitter", [a_post(*item) for item in posts.items()], now
            )
            tracked.fill_slots(
                session, {identity.post_id(ACCOUNT, id_): slot for id_, slot in last.items()}
            )
            (found,) = due_accounts(session, now)
        return {post.platform_post_id for post in found.posts}

    yield find
    store.close()
