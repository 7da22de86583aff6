"""Changes that look wrong, and what people decided about them (METRICS.md section 8).

Flags are read from the published mart; decisions go to the control store, land with the next
build, and count here at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import duckdb
from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.control import audit
from execution.control.models import Account, FlagReview, User
from execution.control.settings import Settings
from execution.control.store import upsert
from ingest.clock import Clock
from ingest.errors import NexusError

Decision = Literal["reviewed", "dismissed"]
STATUSES: Final = ("open", "expected", "reviewed", "dismissed")

_QUERY: Final = """
    select snapshot_id, metric, account_id, collected_at, previous_value, current_value,
        change_percent, status
    from metric_delta_flags
    order by collected_at desc, snapshot_id, metric
"""


class NoSuchFlagError(NexusError):
    """What should be decided about is not flagged, or nothing is published yet."""


@dataclass(frozen=True)
class Flag:
    """A change above 1000 %. `account`: platform:handle; `decided_by`: an e-mail, or nobody yet."""

    snapshot_id: UUID
    metric: str
    account: str
    collected_at: datetime
    previous_value: int
    current_value: int
    change_percent: int
    status: str
    decided_by: str | None


def flags(settings: Settings, session: Session, statuses: Sequence[str] = STATUSES) -> list[Flag]:
    """The flags with one of these statuses, newest first. Raises NoSuchFlagError."""
    names = {
        account.id: f"{account.platform}:{account.handle or account.platform_account_id}"
        for account in session.scalars(select(Account))
    }
    decided = _decided(session)
    found = []
    for snapshot_id, metric, account_id, at, previous, current, percent, built in _published(
        settings
    ):
        status, by = decided.get((snapshot_id, metric), (built, None))
        if status in statuses:
            name = names.get(account_id, str(account_id))
            flag = Flag(snapshot_id, metric, name, at, previous, current, percent, status, by)
            found.append(flag)
    return found


def decide(
    settings: Settings,
    session: Session,
    clock: Clock,
    *,
    user: User,
    snapshot_id: UUID,
    metric: str | None,
    decision: Decision,
) -> list[Flag]:
    """Remember what `user` says of a snapshot's flags, of all its metrics or of one.

    Audited. Returns the flags it is about. Raises NoSuchFlagError if there are none.
    """
    of_snapshot = [flag for flag in flags(settings, session) if flag.snapshot_id == snapshot_id]
    if not of_snapshot:
        raise NoSuchFlagError(f"no change of snapshot {snapshot_id} is flagged: see nexus flags")
    wanted = [flag for flag in of_snapshot if metric in {None, flag.metric}]
    if not wanted:
        flagged = ", ".join(flag.metric for flag in of_snapshot)
        raise NoSuchFlagError(f"of snapshot {snapshot_id}, {metric} is not flagged, but {flagged}")
    detail = {"snapshot_id": str(snapshot_id), "metrics": [flag.metric for flag in wanted]}
    audit.record(session, clock, user.email, f"flag {decision}", detail)
    upsert(
        session,
        FlagReview,
        [
            {
                "snapshot_id": snapshot_id,
                "metric": flag.metric,
                "status": decision,
                "reviewed_by": user.id,
                "reviewed_at": clock.now(),
            }
            for flag in wanted
        ],
    )
    return wanted


def _decided(session: Session) -> Mapping[tuple[UUID, str], tuple[str, str]]:
    rows = session.execute(
        select(FlagReview, User.email).join(User, User.id == FlagReview.reviewed_by)
    )
    return {(row.snapshot_id, row.metric): (row.status, email) for row, email in rows}


def _published(settings: Settings) -> list[tuple[UUID, str, UUID, datetime, int, int, int, str]]:
    # Its versioned path: in one process, a second connection to a link shows the first one's file.
    file = (settings.published_dir / "current.duckdb").resolve()
    if not file.exists():
        raise NoSuchFlagError("nothing is published yet: make refresh")
    with duckdb.connect(file, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(_QUERY).fetchall()
