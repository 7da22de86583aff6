"""Connects an account: asks the platform whom a token belongs to, then stores the consent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from execution.app import App
from execution.control.accounts import prove_account
from execution.control.connections import Tokens, connect
from execution.control.platforms import platform_settings
from ingest.errors import NexusError
from ingest.http import ApiError, ErrorKind, NoPacing
from ingest.platforms import open_platform
from ingest.platforms.base import Profile


class ConnectError(NexusError):
    """The account was not connected; the message says why."""


@dataclass(frozen=True)
class Consent:
    """What an OAuth exchange, or a person with a token, brings."""

    tokens: Tokens
    scopes: list[str]
    expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True)
class Connected:
    """A stored connection. `merged`: file accounts that are now part of the proven one."""

    connection_id: UUID
    account_id: UUID
    profile: Profile
    merged: list[UUID]


@dataclass(frozen=True, repr=False)
class _FreshToken:
    """A token that was just given: there is nothing to refresh it with yet."""

    token: str

    def access_token(self) -> str:
        return self.token

    def refresh(self) -> str:
        raise ApiError(ErrorKind.TOKEN_EXPIRED, "the platform does not accept this token")


def connect_account(
    app: App, email: str, platform: str, consent: Consent, wanted: str | None = None
) -> Connected:
    """Store a consent for the account it may read.

    `wanted`: handle or platform id, needed where a token reads several accounts. Raises
    ConnectError if that leaves none or more than one, ApiError if the platform refuses.
    """
    client = open_platform(
        platform,
        platform_settings(app.settings, platform),
        _FreshToken(consent.tokens.access_token),
        NoPacing(),
        app.clock,
    )
    try:
        profile = _choose(client.accounts(), wanted)
    finally:
        client.close()
    now = app.clock.now()
    with app.store.begin() as session:
        user = app.user(session, email)
        account, merged = prove_account(session, user, platform, profile, now)
        connection = connect(
            session,
            app.vault,
            user=user,
            account=account,
            tokens=consent.tokens,
            scopes=consent.scopes,
            expires_at=consent.expires_at,
            refresh_expires_at=consent.refresh_expires_at,
            now=now,
        )
        return Connected(connection.id, account.id, profile, merged)


def _choose(profiles: list[Profile], wanted: str | None) -> Profile:
    matching = [
        profile
        for profile in profiles
        if wanted is None or wanted in {profile.platform_account_id, profile.handle}
    ]
    if len(matching) == 1:
        return matching[0]
    offered = ", ".join(profile.handle or profile.platform_account_id for profile in profiles)
    if not profiles:
        raise ConnectError("this token reads no account: does it have the scopes it needs?")
    raise ConnectError(f"this token reads several accounts, say --account with one of: {offered}")
