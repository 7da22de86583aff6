"""What a person should know: stored, told once while it lasts, delivered to a webhook if set."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from execution.control.models import Account, Base, Connection, Notification
from execution.control.store import ControlStore
from ingest.clock import Clock
from ingest.slots import OLD_SLOT

log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What is told. Its subject: a connection, an account (NOTHING_COLLECTED) or a platform."""

    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a kind of news, not a secret
    CONSENT_ENDING = "consent_ending"
    APP_REFUSED = "app_refused"
    RATE_LIMITED = "rate_limited"
    USAGE_CAPPED = "usage_capped"
    MONTHLY_CAP = "monthly_cap"
    VERSION_SUNSET = "version_sunset"
    NOTHING_COLLECTED = "nothing_collected"


#: What a new consent settles.
CONSENT_KINDS: Final = (Kind.TOKEN_EXPIRED, Kind.CONSENT_ENDING)
#: Platforms whose consents end on a known day, and what people call them. X's have no end: each
#: refresh gives a new refresh token.
_ENDING_CONSENTS: Final = {"linkedin": "LinkedIn"}
#: Days before the end of a consent on which its giver is told.
CONSENT_WARNINGS: Final = (14, 3)
#: Twice the longest polling interval.
NOTHING_FOR: Final = 2 * OLD_SLOT

_WEBHOOK_TIMEOUT: Final = 10.0

#: Each collection of each account runs it: built once, on the bare table.
_NEWS_TABLE: Final = Base.metadata.tables[Notification.__tablename__]
_CLOSE: Final = (
    update(_NEWS_TABLE)
    .where(
        _NEWS_TABLE.c.key.in_(bindparam("keys", expanding=True)), _NEWS_TABLE.c.closed_at.is_(None)
    )
    .values(closed_at=bindparam("now"))
)


def notify(
    session: Session,
    kind: Kind,
    subject: UUID | str,
    message: str,
    now: datetime,
    *,
    stage: int | None = None,
    user_id: UUID | None = None,
    connection_id: UUID | None = None,
) -> None:
    """Store a notification unless one of the same kind, subject and stage is still open."""
    key = _key(kind, subject, stage)
    is_open = select(Notification.id).where(
        Notification.key == key, Notification.closed_at.is_(None)
    )
    if session.scalar(is_open) is None:
        session.add(
            Notification(
                key=key,
                kind=kind.value,
                message=message,
                user_id=user_id,
                connection_id=connection_id,
                created_at=now,
            )
        )


def settle(session: Session, ended: Iterable[tuple[Kind, UUID | str]], now: datetime) -> None:
    """Close open notifications of these kinds and subjects, whatever their stage."""
    keys = [
        _key(kind, subject, stage)
        for kind, subject in ended
        for stage in (None, *(CONSENT_WARNINGS if kind is Kind.CONSENT_ENDING else ()))
    ]
    session.connection().execute(_CLOSE, {"keys": keys, "now": now})


def _key(kind: Kind, subject: UUID | str, stage: int | None = None) -> str:
    return f"{kind.value}:{subject}" + ("" if stage is None else f":{stage}")


# --- what time brings --------------------------------------------------------------------------


@dataclass(frozen=True)
class _News:
    kind: Kind
    subject: UUID
    message: str
    user_id: UUID
    connection_id: UUID
    stage: int | None = None


def watch(session: Session, now: datetime) -> None:
    """Tell of what time alone brings, and settle what it took away. Cheap: call it in every run.

    LinkedIn consents that end in 14 and in 3 days (they last from the first consent, whatever is
    refreshed), and accounts of which nothing was collected for twice the polling interval.
    """
    present = {_key(news.kind, news.subject, news.stage): news for news in _news(session, now)}
    watched = (f"{Kind.CONSENT_ENDING.value}:", f"{Kind.NOTHING_COLLECTED.value}:")
    known = session.scalars(
        select(Notification).where(
            Notification.closed_at.is_(None),
            or_(*(Notification.key.startswith(prefix) for prefix in watched)),
        )
    )
    for notification in known:
        if present.pop(notification.key, None) is None:
            notification.closed_at = now
    for news in present.values():
        notify(
            session,
            news.kind,
            news.subject,
            news.message,
            now,
            stage=news.stage,
            user_id=news.user_id,
            connection_id=news.connection_id,
        )


def _news(session: Session, now: datetime) -> Iterator[_News]:
    collected: dict[UUID, datetime] = {}
    connections: dict[UUID, tuple[Connection, str]] = {}
    for connection, account in session.execute(
        select(Connection, Account)
        .join(Account, Account.id == Connection.account_id)
        .where(Connection.state == "active")
        .order_by(Connection.connected_at.desc(), Connection.id)
    ):
        name = f"{account.platform}:{account.handle or account.platform_account_id}"
        yield from _ending(connection, name, now)
        connections[account.id] = connection, name
        last = connection.last_success_at or connection.connected_at
        collected[account.id] = max(collected.get(account.id, last), last)
    for account_id, last in collected.items():
        if now - last > NOTHING_FOR:
            connection, name = connections[account_id]
            yield _News(
                Kind.NOTHING_COLLECTED,
                account_id,
                f"{name}: nothing was collected since {last:%d %b %H:%M} UTC",
                connection.user_id,
                connection.id,
            )


def _ending(connection: Connection, name: str, now: datetime) -> Iterator[_News]:
    platform = _ENDING_CONSENTS.get(connection.platform)
    ends = connection.refresh_expires_at or connection.expires_at
    if platform is None or ends is None:
        return
    reached = [days for days in CONSENT_WARNINGS if ends - now <= timedelta(days=days)]
    if reached:
        yield _News(
            Kind.CONSENT_ENDING,
            connection.id,
            f"{name}: {platform}'s consent ends on {ends:%d %B %Y, %H:%M} UTC. "
            "Connect the account again before.",
            connection.user_id,
            connection.id,
            stage=min(reached),
        )


# --- webhook -----------------------------------------------------------------------------------


def deliver(store: ControlStore, webhook_url: str | None, clock: Clock) -> None:
    """Post undelivered notifications as JSON. What fails is tried again after the next run."""
    if webhook_url is None:
        return
    import httpx  # noqa: PLC0415  (slow import, and most installations have no webhook)

    with store.begin() as session:
        waiting = list(
            session.scalars(
                select(Notification)
                .where(Notification.delivered_at.is_(None))
                .order_by(Notification.created_at)
            )
        )
    for notification in waiting:
        body = {
            "id": str(notification.id),
            "kind": notification.kind,
            "message": notification.message,
            "created_at": notification.created_at.isoformat(),
        }
        try:
            httpx.post(webhook_url, json=body, timeout=_WEBHOOK_TIMEOUT).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.warning("webhook failed", reason=type(error).__name__)
            return
        with store.begin() as session:
            session.get_one(Notification, notification.id).delivered_at = clock.now()
