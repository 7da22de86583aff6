"""Who may come in, and which accounts they see: API keys, one-time links, sessions, members.

Secrets are random 256-bit values kept as SHA-256: a copy of the store opens no door.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from execution.control.models import AccountMember, ApiKey, LoginLink, User, UserSession

LOGIN_LINK_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=30)
READ_SCOPE = "read"
EXPORT_CONTENT_SCOPE = "export:content"
SCOPES = (READ_SCOPE, EXPORT_CONTENT_SCOPE)


@dataclass(frozen=True)
class Identity:
    """Who a request comes from, and what it may do."""

    user_id: UUID
    email: str
    timezone: str
    scopes: frozenset[str]


def digest(secret: str) -> str:
    """How a key, link or session id is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create_user(session: Session, email: str, timezone: str, now: datetime) -> User:
    """A new user; the caller has checked `timezone`."""
    user = User(email=email, timezone=timezone, created_at=now)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email))


def create_api_key(session: Session, user: User, name: str, scopes: list[str], at: datetime) -> str:
    """The new key, shown once."""
    key = f"nxa_{secrets.token_urlsafe(32)}"
    session.add(
        ApiKey(
            user_id=user.id,
            name=name,
            prefix=key[:8],
            key_hash=digest(key),
            scopes=scopes,
            created_at=at,
        )
    )
    return key


def create_login_link(session: Session, user: User, now: datetime) -> str:
    """A token that signs `user` in once, within 30 minutes."""
    token = secrets.token_urlsafe(32)
    session.add(
        LoginLink(token_hash=digest(token), user_id=user.id, expires_at=now + LOGIN_LINK_LIFE)
    )
    return token


def redeem_login_link(session: Session, token: str, now: datetime) -> str | None:
    """A new session id for an unused, unexpired link; None for any other."""
    # One statement decides, so that of two browsers at once only one gets in.
    link = session.execute(
        update(LoginLink)
        .where(
            LoginLink.token_hash == digest(token),
            LoginLink.used_at.is_(None),
            LoginLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(LoginLink.user_id)
    ).one_or_none()
    if link is None:
        return None
    session_id = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            id_hash=digest(session_id),
            user_id=link.user_id,
            created_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    return session_id


def end_session(session: Session, session_id: str) -> None:
    session.execute(delete(UserSession).where(UserSession.id_hash == digest(session_id)))


def identity_of_session(session: Session, session_id: str, now: datetime) -> Identity | None:
    """A signed-in browser may do all that its user may."""
    user = session.scalar(
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id_hash == digest(session_id), UserSession.expires_at > now)
    )
    if user is None:
        return None
    return Identity(user.id, user.email, user.timezone, frozenset(SCOPES))


def identity_of_api_key(session: Session, key: str) -> Identity | None:
    found = session.execute(
        select(User, ApiKey.scopes)
        .join(ApiKey, ApiKey.user_id == User.id)
        .where(ApiKey.key_hash == digest(key), ApiKey.revoked_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    user, scopes = found
    return Identity(user.id, user.email, user.timezone, frozenset(scopes))


def account_ids(session: Session, user_id: UUID) -> frozenset[UUID]:
    """The accounts a user is a member of: the only ones it may ever see."""
    return frozenset(
        session.scalars(select(AccountMember.account_id).where(AccountMember.user_id == user_id))
    )
