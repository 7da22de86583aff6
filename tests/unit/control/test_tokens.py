"""Tokens are refreshed once, durable before use, and only a consent that is over is called so."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from consents import Connect
from sqlalchemy import select

from execution.control import tokens as tokens_module
from execution.control.connections import EXPIRED, REVOKED, Tokens, connect, set_state
from execution.control.models import Account, Connection, Notification, User
from execution.control.settings import Settings
from execution.control.store import ControlStore
from execution.control.tokens import StoredTokens
from execution.control.vault import Vault, open_vault, rotate
from ingest.clock import ManualClock
from ingest.http import ApiError, ErrorKind
from ingest.oauth import Refused, Remedy, TokenGrant

HOUR = timedelta(hours=1)
Open = Callable[[Connection], StoredTokens]


class Platform:
    """A token endpoint: rotates, or refuses, and counts."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[str] = []
        self.refusal: Refused | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.ends_refresh = None

    def __call__(self, *_: Any) -> "Platform":
        return self

    def __enter__(self) -> "Platform":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def refresh(self, refresh_token: str) -> TokenGrant | Refused:
        self.asked.append(refresh_token)
        self.meanwhile()
        if self.refusal is not None:
            return self.refusal
        number = len(self.asked)
        ends = self.clock.now() + 2 * HOUR
        return TokenGrant(f"access-{number}", f"refresh-{number}", ends, self.ends_refresh, ())


@pytest.fixture
def platform(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Platform:
    endpoint = Platform(clock)
    monkeypatch.setattr(tokens_module, "TokenEndpoint", endpoint)
    return endpoint


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"x_client_id": "app", "linkedin_client_id": "app"})


@pytest.fixture
def open_tokens(settings: Settings, store: ControlStore, vault: Vault, clock: ManualClock) -> Open:
    return lambda connection: StoredTokens(settings, store, vault, clock, connection.id)


@pytest.fixture
def ana(connect_account: Connect, clock: ManualClock) -> Connection:
    """A connection whose access token ends in an hour."""
    return connect_account(tokens=Tokens("access-0", "refresh-0"), expires_at=clock.now() + HOUR)


def stored(store: ControlStore, connection: Connection) -> Connection:
    with store.begin() as session:
        return session.get_one(Connection, connection.id)


def told(store: ControlStore) -> list[str]:
    with store.begin() as session:
        query = select(Notification.kind).where(Notification.closed_at.is_(None))
        return list(session.scalars(query))


def test_a_good_token_is_used_as_it_is(
    open_tokens: Open, ana: Connection, platform: Platform
) -> None:
    assert open_tokens(ana).access_token() == "access-0"
    assert platform.asked == []


def test_a_token_about_to_end_is_refreshed_and_durable_before_use(
    open_tokens: Open,
    ana: Connection,
    platform: Platform,
    clock: ManualClock,
    vault: Vault,
    store: ControlStore,
) -> None:
    tokens = open_tokens(ana)
    clock.set(clock.now() + HOUR - timedelta(minutes=1))
    assert tokens.access_token() == "access-1"
    # as another process would find it, were this one killed now
    assert Tokens.unsealed(vault, stored(store, ana)) == Tokens("access-1", "refresh-1")
    assert open_tokens(ana).access_token() == "access-1"
    clock.set(clock.now() + 2 * HOUR)
    assert tokens.access_token() == "access-2"
    assert platform.asked == ["refresh-0", "refresh-1"], "each refresh token is used once"


def test_of_two_at_once_one_asks_and_both_get_the_new_token(
    open_tokens: Open, ana: Connection, platform: Platform
) -> None:
    both = [open_tokens(ana), open_tokens(ana)]
    got: list[str] = []
    threads = [threading.Thread(target=lambda t=t: got.append(t.refresh())) for t in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-1", "access-1"]
    assert platform.asked == ["refresh-0"]


def test_a_lock_that_is_never_released_is_an_error_of_this_connection(
    open_tokens: Open, ana: Connection, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_LOCK_SECONDS", 0.05)
    first, second = open_tokens(ana), open_tokens(ana)
    caught: list[ApiError] = []

    def ask_too() -> None:
        with pytest.raises(ApiError) as raised:
            second.refresh()
        caught.append(raised.value)

    platform.meanwhile = ask_too
    assert first.refresh() == "access-1"
    assert [error.kind for error in caught] == [ErrorKind.NETWORK]


def test_a_consent_that_is_over_is_marked_logged_and_told_once(
    open_tokens: Open, ana: Connection, platform: Platform, store: ControlStore
) -> None:
    platform.refusal = Refused(Remedy.CONSENT_AGAIN, "the platform answered 400")
    tokens = open_tokens(ana)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(ApiError) as raised:
                tokens.refresh()
            assert raised.value.kind is ErrorKind.TOKEN_EXPIRED
    lines = [entry["event"] for entry in logs]
    assert lines == [f"Token expired for user {ana.user_id}, platform twitter"]
    assert platform.asked == ["refresh-0"], "a token that is refused is not offered again"
    assert stored(store, ana).state == EXPIRED
    assert told(store) == ["token_expired"]


def test_a_new_consent_settles_what_was_told(
    open_tokens: Open,
    ana: Connection,
    platform: Platform,
    store: ControlStore,
    connect_account: Connect,
) -> None:
    platform.refusal = Refused(Remedy.CONSENT_AGAIN, "over")
    with pytest.raises(ApiError):
        open_tokens(ana).refresh()
    again = connect_account(tokens=Tokens("new", "new-refresh"))
    assert again.id == ana.id
    assert told(store) == []
    assert open_tokens(again).access_token() == "new"


def test_a_consent_without_a_refresh_token_is_over_when_its_token_ends(
    open_tokens: Open, connect_account: Connect, platform: Platform, store: ControlStore
) -> None:
    ana = connect_account(tokens=Tokens("access-0"))
    with pytest.raises(ApiError, match="there is no refresh token"):
        open_tokens(ana).refresh()
    assert stored(store, ana).state == EXPIRED
    assert platform.asked == []


@pytest.mark.parametrize("has_app", [True, False])
def test_an_app_that_is_not_set_or_refused_costs_no_consent(
    has_app: bool,
    settings: Settings,
    store: ControlStore,
    vault: Vault,
    clock: ManualClock,
    ana: Connection,
    platform: Platform,
) -> None:
    settings = settings.model_copy(update={"x_client_id": "app" if has_app else None})
    tokens = StoredTokens(settings, store, vault, clock, ana.id)
    platform.refusal = Refused(Remedy.FIX_APP, "the platform answered 401")
    with structlog.testing.capture_logs() as logs, pytest.raises(ApiError) as raised:
        tokens.refresh()
    assert raised.value.kind is ErrorKind.TOKEN_EXPIRED
    assert logs[0]["event"].startswith("Token expired for user")
    assert stored(store, ana).state == "active"
    assert told(store) == ["app_refused"]

    platform.refusal = None
    mended = StoredTokens(
        settings.model_copy(update={"x_client_id": "app"}), store, vault, clock, ana.id
    )
    assert mended.refresh().startswith("access-")
    assert told(store) == []


def test_a_platform_that_cannot_be_asked_costs_no_consent(
    open_tokens: Open, ana: Connection, platform: Platform, store: ControlStore, clock: ManualClock
) -> None:
    platform.refusal = Refused(Remedy.TRY_LATER, "no usable answer")
    tokens = open_tokens(ana)
    clock.set(clock.now() + HOUR - timedelta(minutes=1))
    assert tokens.access_token() == "access-0", "it still lives a minute"
    clock.set(clock.now() + HOUR)
    with pytest.raises(ApiError) as raised:
        tokens.access_token()
    assert raised.value.kind is ErrorKind.NETWORK
    assert stored(store, ana).state == "active"
    assert told(store) == []


def test_a_consent_given_meanwhile_is_neither_overwritten_nor_ended(
    open_tokens: Open,
    ana: Connection,
    platform: Platform,
    store: ControlStore,
    vault: Vault,
    clock: ManualClock,
) -> None:
    def consent_again() -> None:
        with store.begin() as session:
            connect(
                session,
                vault,
                user=session.get_one(User, ana.user_id),
                account=session.get_one(Account, ana.account_id),
                tokens=Tokens("newer", "newer-refresh"),
                scopes=[],
                expires_at=None,
                now=clock.now(),
            )

    platform.meanwhile = consent_again
    assert open_tokens(ana).refresh() == "newer"
    platform.refusal = Refused(Remedy.CONSENT_AGAIN, "over")
    platform.meanwhile = lambda: consent_again_with("newest")

    def consent_again_with(token: str) -> None:
        with store.begin() as session:
            connection = session.get_one(Connection, ana.id)
            connection.tokens = Tokens(token).sealed(vault, ana.id)

    with pytest.raises(ApiError):
        open_tokens(ana).refresh()
    assert stored(store, ana).state == "active"
    assert Tokens.unsealed(vault, stored(store, ana)) == Tokens("newest")


def test_a_key_rotated_meanwhile_loses_no_token(
    settings: Settings,
    store: ControlStore,
    vault: Vault,
    clock: ManualClock,
    ana: Connection,
    platform: Platform,
) -> None:
    """Encrypting anew changes the bytes in the store, not the consent."""

    def encrypt_anew() -> None:
        with store.begin() as session:
            connection = session.get_one(Connection, ana.id)
            connection.tokens = Tokens.unsealed(vault, connection).sealed(vault, ana.id)

    platform.meanwhile = encrypt_anew
    assert StoredTokens(settings, store, vault, clock, ana.id).refresh() == "access-1"
    assert Tokens.unsealed(vault, stored(store, ana)) == Tokens("access-1", "refresh-1")
    rotate(settings.vault_key_file)
    rotated = open_vault(settings.vault_key_file, settings.data_dir)
    assert StoredTokens(settings, store, rotated, clock, ana.id).access_token() == "access-1"


def test_the_end_of_linkedins_consent_never_moves(
    open_tokens: Open,
    connect_account: Connect,
    platform: Platform,
    store: ControlStore,
    clock: ManualClock,
) -> None:
    ends = clock.now() + timedelta(days=5)
    page = connect_account(
        "linkedin", tokens=Tokens("access-0", "refresh-0"), refresh_expires_at=ends
    )
    platform.ends_refresh = clock.now() + timedelta(days=365)
    open_tokens(page).refresh()
    assert stored(store, page).refresh_expires_at == ends


def test_a_consent_that_has_ended_is_not_refreshed(
    open_tokens: Open, ana: Connection, platform: Platform, store: ControlStore
) -> None:
    tokens = open_tokens(ana)
    with store.begin() as session:
        set_state(session, ana.id, REVOKED, "withdrawn")
    with pytest.raises(ApiError, match="the connection is revoked"):
        tokens.refresh()
    assert platform.asked == []


def test_no_lock_file_tells_a_token(
    open_tokens: Open, ana: Connection, platform: Platform, settings: Settings
) -> None:
    open_tokens(ana).refresh()
    locks = list(Path(settings.data_dir / "locks").iterdir())
    assert [path.read_bytes() for path in locks] == [b""]
