"""Doors open once, for the right person, and only while they should."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from execution.control import access
from execution.control.models import User
from execution.control.store import ControlStore
from ingest.clock import ManualClock

Make = Callable[[str], User]


@pytest.fixture
def make_user(store: ControlStore, clock: ManualClock) -> Make:
    def make(email: str) -> User:
        with store.begin() as session:
            return access.create_user(session, email, "UTC", clock.now())

    return make


def test_a_link_signs_in_once(store: ControlStore, clock: ManualClock, make_user: Make) -> None:
    user = make_user("ana@example.com")
    with store.begin() as session:
        token = access.create_login_link(session, user, clock.now())
    with store.begin() as session:
        first = access.redeem_login_link(session, token, clock.now())
        second = access.redeem_login_link(session, token, clock.now())
    assert second is None
    assert first is not None
    with store.begin() as session:
        identity = access.identity_of_session(session, first, clock.now())
    assert identity is not None
    assert identity.user_id == user.id


def test_a_link_expires(store: ControlStore, clock: ManualClock, make_user: Make) -> None:
    user = make_user("ana@example.com")
    with store.begin() as session:
        token = access.create_login_link(session, user, clock.now())
        late = clock.now() + access.LOGIN_LINK_LIFE
        assert access.redeem_login_link(session, token, late) is None


def test_a_session_ends_when_told_and_when_old(
    store: ControlStore, clock: ManualClock, make_user: Make
) -> None:
    user = make_user("ana@example.com")
    with store.begin() as session:
        link = access.create_login_link(session, user, clock.now())
        session_id = access.redeem_login_link(session, link, clock.now())
        assert session_id is not None
        late = clock.now() + access.SESSION_LIFE + timedelta(seconds=1)
        assert access.identity_of_session(session, session_id, late) is None
        access.end_session(session, session_id)
        assert access.identity_of_session(session, session_id, clock.now()) is None


def test_an_api_key_has_only_the_scopes_it_was_given(
    store: ControlStore, clock: ManualClock, make_user: Make
) -> None:
    user = make_user("ana@example.com")
    with store.begin() as session:
        key = access.create_api_key(session, user, "metabase", ["read"], clock.now())
        identity = access.identity_of_api_key(session, key)
        assert access.identity_of_api_key(session, key + "x") is None
    assert identity is not None
    assert identity.scopes == {"read"}


def test_no_secret_is_kept_as_it_is(
    store: ControlStore, clock: ManualClock, make_user: Make
) -> None:
    user = make_user("ana@example.com")
    with store.begin() as session:
        key = access.create_api_key(session, user, "metabase", ["read"], clock.now())
        link = access.create_login_link(session, user, clock.now())
    with store.engine.connect() as connection:
        for table in ("api_keys", "login_links"):
            kept = str(connection.execute(text(f"select * from {table}")).all())
            assert key not in kept
            assert link not in kept
