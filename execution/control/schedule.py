"""What is due now (DESIGN.md section 4, METRICS.md section 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from execution.control.connections import ACTIVE, ENDED
from execution.control.models import Account, Connection, SkippedSlot, TrackedPost
from execution.control.posts import ACTIVE as POLLED
from ingest.slots import OLD_SLOT, POLLED_AGE, YOUNG_AGE, YOUNG_SLOT, floor_to, is_polled
from ingest.slots import slot_start as slot_of

if TYPE_CHECKING:
    from ingest.platforms.base import AccountRef

#: What was asked for in vain is asked for again this much later, then after twice as long, and
#: so on within its slot: a cron that fires every 15 minutes would spend 24 calls on a dead post.
RETRY_AFTER: Final = timedelta(minutes=15)
#: Cron does not fire on the second.
_JITTER: Final = timedelta(minutes=1)


#: (post or account, slot) -> what was skipped there.
_Tries = Mapping[tuple[UUID, datetime], SkippedSlot]


@dataclass(frozen=True)
class DuePost:
    """A post whose current slot holds no snapshot yet. `tries`: runs that asked for it in vain."""

    post_id: UUID
    platform_post_id: str
    published_at: datetime
    tries: int = 0


@dataclass(frozen=True)
class DueAccount:
    """One account to collect, through one of its connections.

    `known`: platform ids of all posts still polled, due or not. `discover_since`: look for posts
    published since then; None: not due. `queued_at`: since when it waits for a budget or a
    cooldown. `stand_ins`: further connections of the account, for when the first fails.
    `stopped_by`: what this two-hour slot knows already of why the account is not collected.
    """

    connection_id: UUID
    user_id: UUID
    platform: str
    account: "AccountRef"
    posts: tuple[DuePost, ...]
    known: frozenset[str]
    discover_since: datetime | None
    with_profile: bool
    last_profile_slot: datetime | None = None
    queued_at: datetime | None = None
    stand_ins: int = 0
    stopped_by: str | None = None

    @property
    def name(self) -> str:
        """How people call the account."""
        return f"{self.platform}:{self.account.handle or self.account.platform_account_id}"


@dataclass(frozen=True)
class BlockedAccount:
    """An account that nothing can be collected of, as its owners' consents have ended."""

    account_id: UUID
    user_id: UUID
    platform: str
    name: str
    reason: str


def due_accounts(
    session: Session,
    now: datetime,
    *,
    only: Collection[UUID] | None = None,
    without: Collection[UUID] = frozenset(),
) -> list[DueAccount]:
    """Accounts with anything due: those that wait first, then those with the youngest due post.

    An account that several users connected is collected once, through its oldest connection.
    `only`: of these accounts; `without`: not through these connections, whose failures then do not
    count as tries.
    """
    connections = _connections(session, only, without)
    tries = _tries(session, now)
    posts = _due_posts(session, tries, now)
    found = []
    for account, consents in connections:
        tried = tries.get((account.id, floor_to(now, YOUNG_SLOT)))
        due = _due(
            session,
            account,
            consents,
            posts.get(account.id, ()),
            now,
            may_look=bool(without) or _may_try(tried, now),
            stopped_by=tried.reason if tried else None,
        )
        if due is not None:
            found.append(due)
    return sorted(found, key=lambda due: _urgency(due, now))


def blocked_accounts(session: Session, now: datetime) -> list[BlockedAccount]:
    """Accounts whose consents have all ended, where this two-hour slot does not tell it yet."""
    tries = _tries(session, now)
    blocked: dict[UUID, BlockedAccount | None] = {}
    for connection, account in session.execute(
        select(Connection, Account)
        .join(Account, Account.id == Connection.account_id)
        .order_by(Connection.connected_at, Connection.id)
    ):
        is_told = (account.id, floor_to(now, YOUNG_SLOT)) in tries
        if is_told or connection.state not in ENDED:
            blocked[account.id] = None
        blocked.setdefault(
            account.id,
            BlockedAccount(
                account.id,
                connection.user_id,
                account.platform,
                f"{account.platform}:{account.handle or account.platform_account_id}",
                connection.state_reason or connection.state,
            ),
        )
    return [found for found in blocked.values() if found is not None]


def _urgency(due: DueAccount, now: datetime) -> tuple[bool, datetime, timedelta]:
    youngest = max((post.published_at for post in due.posts), default=now)
    return (due.queued_at is None, due.queued_at or now, now - youngest)


def _connections(
    session: Session, only: Collection[UUID] | None, without: Collection[UUID]
) -> list[tuple[Account, list[Connection]]]:
    """Accounts with their active connections, oldest first."""
    query = (
        select(Connection, Account)
        .join(Account, Account.id == Connection.account_id)
        .where(Connection.state == ACTIVE)
        .order_by(Connection.connected_at, Connection.id)
    )
    if only is not None:
        query = query.where(Account.id.in_(only))
    found: dict[UUID, tuple[Account, list[Connection]]] = {}
    for connection, account in session.execute(query):
        if connection.id not in without:
            found.setdefault(account.id, (account, []))[1].append(connection)
    return list(found.values())


def _due(
    session: Session,
    account: Account,
    consents: Sequence[Connection],
    posts: Sequence[DuePost],
    now: datetime,
    *,
    may_look: bool,
    stopped_by: str | None,
) -> DueAccount | None:
    """What is due of an account, if anything is.

    `may_look`: whether discovery and profile may be tried now, where they are due.
    """
    # whoever's consent it went through: the account was read
    discovery = _newest(consent.last_discovery_slot for consent in consents)
    profile = _newest(consent.last_profile_slot for consent in consents)
    discover_since = None
    if may_look and account.kind != "member":  # whose posts LinkedIn lists to nobody
        discover_since = _discover_since(discovery, posts, now)
    with_profile = may_look and _is_empty(profile, now, OLD_SLOT)
    if not posts and discover_since is None and not with_profile:
        return None
    # a platform's types come with its client, which a run with nothing due does without
    from ingest.platforms.base import AccountRef  # noqa: PLC0415

    return DueAccount(
        connection_id=consents[0].id,
        user_id=consents[0].user_id,
        platform=account.platform,
        account=AccountRef(
            account_id=account.id,
            platform_account_id=account.platform_account_id or "",
            kind=account.kind,  # type: ignore[arg-type]  # written from the same Literal
            handle=account.handle,
        ),
        posts=tuple(posts),
        known=frozenset() if discover_since is None else _known(session, account.id, now),
        discover_since=discover_since,
        with_profile=with_profile,
        last_profile_slot=profile,
        queued_at=_newest(consent.queued_at for consent in consents),
        stand_ins=len(consents) - 1,
        stopped_by=stopped_by,
    )


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _due_posts(session: Session, tries: _Tries, now: datetime) -> dict[UUID, list[DuePost]]:
    """Account -> its due posts, youngest first. The query leaves out nearly all that are not."""
    young, old = floor_to(now, YOUNG_SLOT), floor_to(now, OLD_SLOT)
    last = TrackedPost.last_slot
    connected = select(Connection.account_id).where(Connection.state == ACTIVE)
    rows = session.execute(
        select(
            TrackedPost.account_id,
            TrackedPost.post_id,
            TrackedPost.platform_post_id,
            TrackedPost.published_at,
            last,
        )
        .where(
            TrackedPost.account_id.in_(connected),
            TrackedPost.state == POLLED,
            TrackedPost.platform_post_id.is_not(None),
            # a slot may have begun up to its own length before now
            TrackedPost.published_at > now - POLLED_AGE - OLD_SLOT,
            or_(
                last.is_(None),
                last < old,
                # the last young slot reaches to the first old one
                and_(last < young, TrackedPost.published_at > now - YOUNG_AGE - OLD_SLOT),
            ),
        )
        .order_by(TrackedPost.published_at.desc(), TrackedPost.post_id)
    )
    found: dict[UUID, list[DuePost]] = defaultdict(list)
    for account_id, post_id, platform_post_id, published_at, last_slot in rows:
        slot = slot_of(now, published_at)
        tried = tries.get((post_id, slot))
        is_empty = last_slot is None or last_slot < slot
        if is_empty and is_polled(slot, published_at) and _may_try(tried, now):
            count = tried.tries if tried else 0
            found[account_id].append(DuePost(post_id, platform_post_id or "", published_at, count))
    return found


def _tries(session: Session, now: datetime) -> _Tries:
    """What was skipped in slots that may be the present one."""
    skipped = session.scalars(
        select(SkippedSlot).where(SkippedSlot.slot_start > now - OLD_SLOT - YOUNG_SLOT)
    )
    return {(skip.subject, skip.slot_start): skip for skip in skipped}


def _may_try(skip: SkippedSlot | None, now: datetime) -> bool:
    """Whether what was skipped in this slot may be asked for again."""
    if skip is None or skip.tries == 0:
        return True
    wait: timedelta = RETRY_AFTER * 2 ** (skip.tries - 1)
    return now >= skip.updated_at + wait - _JITTER


def _known(session: Session, account_id: UUID, now: datetime) -> frozenset[str]:
    return frozenset(
        known
        for known in session.scalars(
            select(TrackedPost.platform_post_id).where(
                TrackedPost.account_id == account_id,
                TrackedPost.state == POLLED,
                TrackedPost.platform_post_id.is_not(None),
                TrackedPost.published_at > now - POLLED_AGE - 2 * OLD_SLOT,
            )
        )
        if known is not None
    )


def _discover_since(
    last_slot: datetime | None, posts: Sequence[DuePost], now: datetime
) -> datetime | None:
    """Every two hours, as a new post's first slots are that short.

    The two-hourly look goes back as far as posts are young; the first of a six-hour slot goes
    back 30 days, as then all posts are due and one read of the timeline serves them all.
    """
    if not _is_empty(last_slot, now, YOUNG_SLOT):
        return None
    if _is_empty(last_slot, now, OLD_SLOT):
        return now - POLLED_AGE
    return min((post.published_at for post in posts), default=now - YOUNG_AGE)


def _is_empty(last_slot: datetime | None, now: datetime, length: timedelta) -> bool:
    return last_slot is None or last_slot < floor_to(now, length)
