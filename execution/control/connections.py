"""Connections: consents to read an account, with their tokens sealed in the vault."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from execution.control.models import Account, Connection, User
from execution.control.notifications import CONSENT_KINDS, settle
from execution.control.vault import Vault

ACTIVE, EXPIRED, REVOKED, STOPPED = "active", "expired", "revoked", "stopped"
#: Only a new consent helps.
ENDED = frozenset({EXPIRED, REVOKED})


@dataclass(frozen=True, repr=False)
class Tokens:
    """What a consent gave: never printed, never logged."""

    access_token: str
    refresh_token: str | None = None

    def sealed(self, vault: Vault, connection_id: UUID) -> bytes:
        plaintext = json.dumps([self.access_token, self.refresh_token]).encode()
        return vault.encrypt(plaintext, connection_id)

    @classmethod
    def unsealed(cls, vault: Vault, connection: Connection) -> "Tokens":
        return cls(*json.loads(vault.decrypt(connection.tokens, connection.id)))


def connect(
    session: Session,
    vault: Vault,
    *,
    user: User,
    account: Account,
    tokens: Tokens,
    scopes: list[str],
    expires_at: datetime | None,
    refresh_expires_at: datetime | None = None,
    now: datetime,
) -> Connection:
    """Store a consent; a second one of the same user for the same account replaces the first.

    What was told of the first one's end is settled.
    """
    connection = session.scalar(
        select(Connection).where(Connection.account_id == account.id, Connection.user_id == user.id)
    )
    if connection is None:
        connection = Connection(
            id=uuid4(),
            account_id=account.id,
            user_id=user.id,
            platform=account.platform,
            connected_at=now,
        )
        session.add(connection)
    connection.tokens = tokens.sealed(vault, connection.id)
    connection.scopes = scopes
    connection.expires_at, connection.refresh_expires_at = expires_at, refresh_expires_at
    connection.state, connection.state_reason = ACTIVE, None
    session.flush()
    settle(session, [(kind, connection.id) for kind in CONSENT_KINDS], now)
    return connection


def set_state(session: Session, connection_id: UUID, state: str, reason: str | None) -> None:
    session.execute(
        update(Connection)
        .where(Connection.id == connection_id)
        .values(state=state, state_reason=reason)
    )


def encrypt_anew(session: Session, vault: Vault) -> int:
    """Seal every connection's tokens with the vault's newest key; returns how many."""
    connections = list(session.scalars(select(Connection)))
    for connection in connections:
        connection.tokens = Tokens.unsealed(vault, connection).sealed(vault, connection.id)
    return len(connections)


def set_monthly_cap(
    session: Session, user: User, platform: str, handle: str, micros: int | None
) -> bool:
    """Cap what a connection's calls may cost in a UTC month; whether there is such a one."""
    connection = session.scalar(
        select(Connection)
        .join(Account, Account.id == Connection.account_id)
        .where(
            Connection.user_id == user.id,
            Account.platform == platform,
            func.lower(Account.handle) == handle.lower(),
        )
    )
    if connection is None:
        return False
    connection.monthly_cap_micros = micros
    return True
