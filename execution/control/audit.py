"""The audit log: written in the transaction before the effect it describes (directive 6)."""

from typing import Any

from sqlalchemy.orm import Session

from execution.control.models import AuditEntry
from ingest.clock import Clock


def record(session: Session, clock: Clock, actor: str, action: str, detail: dict[str, Any]) -> None:
    """Enter who does what; `detail` holds no secrets and no content."""
    session.add(AuditEntry(at=clock.now(), actor=actor, action=action, detail=detail))
