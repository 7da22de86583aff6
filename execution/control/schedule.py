"""What is due now (DESIGN.md section 4, METRICS.md section 2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.control.connections import ACTIVE
from execution.control.models import Account, Connection, TrackedPost
from ingest.platforms.base import AccountRef
from ingest.slots import OLD_SLOT, POLLED_AGE, YOUNG_AGE, YOUNG_SLOT, floor_to, is_polled
from ingest.slots import slot_start as slot_of


@dataclass(frozen=True)
class DuePost:
    """A post whose current slot holds no snapshot yet."""

    post_id: UUID
    platform_post_id: str
    published_at: datetime


@dataclass(frozen=True)
class DueAccount:
    """One account to collect, through one of its connections.

    `known`: platform ids of all posts still polled, due or not. `discover_since`: look for posts
    published since then; None: not due.
    """

    connection_id: UUID
    platform: str
    account: AccountRef
    posts: tuple[DuePost, ...]
    known: frozenset[str]
    discover_since: datetime | None
    with_profile: bool


def due_accounts(session: Session, now: datetime) -> list[DueAccount]:
    """Accounts with anything due, those with the youngest due post first.

    An account that several users connected is collected once, through its oldest connection.
    """
    found = []
    seen: set[UUID] = set()
    for connection, account in session.execute(
        select(Connection, Account)
        .join(Account, Account.id == Connection.account_id)
        .where(Connection.state == ACTIVE)
        .order_by(Connection.connected_at, Connection.id)
    ):
        if account.id not in seen:
            seen.add(account.id)
            due = _due(session, connection, account, now)
            if due.posts or due.discover_since or due.with_profile:
                found.append(due)
    return sorted(found, key=lambda due: _newest(due, now), reverse=True)


def _newest(due: DueAccount, now: datetime) -> datetime:
    return max((post.published_at for post in due.posts), default=now)


def _due(session: Session, connection: Connection, account: Account, now: datetime) -> DueAccount:
    tracked = _polled_posts(session, account.id, now)
    posts = tuple(post for post, last_slot in tracked if _is_due(post, last_slot, now))
    return DueAccount(
        connection_id=connection.id,
        platform=account.platform,
        account=AccountRef(
            account_id=account.id,
            platform_account_id=account.platform_account_id or "",
            kind=account.kind,  # type: ignore[arg-type]  # written from the same Literal
            handle=account.handle,
        ),
        posts=posts,
        known=frozenset(post.platform_post_id for post, _ in tracked),
        discover_since=_discover_since(connection, posts, now),
        with_profile=_is_empty(connection.last_profile_slot, now, OLD_SLOT),
    )


def _polled_posts(
    session: Session, account_id: UUID, now: datetime
) -> list[tuple[DuePost, datetime | None]]:
    """Posts that may still be due, youngest first, each with the last slot filled."""
    rows = session.execute(
        select(
            TrackedPost.post_id,
            TrackedPost.platform_post_id,
            TrackedPost.published_at,
            TrackedPost.last_slot,
        )
        .where(
            TrackedPost.account_id == account_id,
            TrackedPost.state == "active",
            TrackedPost.platform_post_id.is_not(None),
            # a slot may have begun up to its own length before now
            TrackedPost.published_at > now - POLLED_AGE - 2 * OLD_SLOT,
        )
        .order_by(TrackedPost.published_at.desc())
    )
    return [
        (DuePost(post_id, platform_post_id or "", published_at), last_slot)
        for post_id, platform_post_id, published_at, last_slot in rows
    ]


def _is_due(post: DuePost, last_slot: datetime | None, now: datetime) -> bool:
    slot = slot_of(now, post.published_at)
    return is_polled(slot, post.published_at) and (last_slot is None or last_slot < slot)


def _discover_since(
    connection: Connection, posts: tuple[DuePost, ...], now: datetime
) -> datetime | None:
    """Every two hours, as a new post's first slots are that short.

    The two-hourly look goes back as far as posts are young; the first of a six-hour slot goes
    back 30 days, as then all posts are due and one read of the timeline serves them all.
    """
    if not _is_empty(connection.last_discovery_slot, now, YOUNG_SLOT):
        return None
    if _is_empty(connection.last_discovery_slot, now, OLD_SLOT):
        return now - POLLED_AGE
    return min((post.published_at for post in posts), default=now - YOUNG_AGE)


def _is_empty(last_slot: datetime | None, now: datetime, length: timedelta) -> bool:
    return last_slot is None or last_slot < floor_to(now, length)
