"""What a person should know: stored, told once while it lasts, delivered to a webhook if set."""

from datetime import datetime
from typing import Final
from uuid import UUID

import httpx
import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from execution.control.models import Notification
from execution.control.store import ControlStore
from ingest.clock import Clock

log = structlog.get_logger(__name__)

_WEBHOOK_TIMEOUT: Final = 10.0


def notify(
    session: Session,
    *,
    key: str,
    kind: str,
    message: str,
    now: datetime,
    user_id: UUID | None = None,
    connection_id: UUID | None = None,
) -> None:
    """Store a notification unless one of the same key is still open."""
    is_open = select(Notification.id).where(
        Notification.key == key, Notification.closed_at.is_(None)
    )
    if session.scalar(is_open) is None:
        session.add(
            Notification(
                key=key,
                kind=kind,
                message=message,
                user_id=user_id,
                connection_id=connection_id,
                created_at=now,
            )
        )


def settle(session: Session, key_prefix: str, now: datetime) -> None:
    """Close what has ended: open notifications whose key starts so."""
    session.execute(
        update(Notification)
        .where(Notification.key.startswith(key_prefix), Notification.closed_at.is_(None))
        .values(closed_at=now)
    )


def deliver(store: ControlStore, webhook_url: str | None, clock: Clock) -> None:
    """Post undelivered notifications as JSON. What fails is tried again after the next run."""
    if webhook_url is None:
        return
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
        except httpx.HTTPError as error:
            log.warning("webhook failed", reason=type(error).__name__)
            return
        with store.begin() as session:
            session.get_one(Notification, notification.id).delivered_at = clock.now()
