"""What is due now (DESIGN.md section 4, METRICS.md section 2)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.orm import Session

from execution.control.connections import ACTIVE, ENDED
from execution.control.models import Account, Base, Connection, SkippedSlot, TrackedPost
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


#: Every run asks these: they are built once, on the bare tables.
_ACCOUNTS: Final = Base.metadata.tables[Account.__tablename__]
_CONNECTIONS: Final = Base.metadata.tables[Connection.__tablename__]
_POSTS: Final = Base.metadata.tables[TrackedPost.__tablename__]
_SKIPS: Final = Base.metadata.tables[SkippedSlot.__tablename__]
_CONSENTS: Final = (
    select(
        _ACCOUNTS.c.id.label("account_id"),
        _ACCOUNTS.c.platform,
        _ACCOUNTS.c.kind,
        _ACCOUNTS.c.platform_account_id,
        _ACCOUNTS.c.handle,
        _CONNECTIONS.c.id.label("connection_id"),
        _CONNECTIONS.c.user_id,
        _CONNECTIONS.c.state,
        _CONNECTIONS.c.state_reason,
        _CONNECTIONS.c.last_discovery_slot,
        _CONNECTIONS.c.last_profile_slot,
        _CONNECTIONS.c.queued_at,
    )
    .join_from(_CONNECTIONS, _ACCOUNTS)
    .order_by(_CONNECTIONS.c.connected_at, _CONNECTIONS.c.id)
)
#: Leaves out nearly all that are not due.
_MAYBE_DUE: Final = (
    select(
        _POSTS.c.account_id,
        _POSTS.c.post_id,
        _POSTS.c.platform_post_id,
        _POSTS.c.published_at,
        _POSTS.c.last_slot,
    )
    .where(
        _POSTS.c.account_id.in_(
            select(_CONNECTIONS.c.account_id).where(_CONNECTIONS.c.state == ACTIVE)
        ),
        _POSTS.c.state == POLLED,
        _POSTS.c.platform_post_id.is_not(None),
        _POSTS.c.published_at > bindparam("since"),
        or_(
            _POSTS.c.last_slot.is_(None),
            _POSTS.c.last_slot < bindparam("old"),
            # the last young slot reaches to the first old one
            and_(
                _POSTS.c.last_slot < bindparam("young"),
                _POSTS.c.published_at > bindparam("young_since"),
            ),
        ),
    )
    .order_by(_POSTS.c.published_at.desc(), _POSTS.c.post_id)
)
_TRIES: Final = select(
    _SKIPS.c.subject, _SKIPS.c.slot_start, _SKIPS.c.tries, _SKIPS.c.reason, _SKIPS.c.updated_at
).where(_SKIPS.c.slot_start > bindparam("since"))

#: (post or account, slot) -> what was skipped there.
_Tries = Mapping[tuple[UUID, datetime], Any]


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

    `discover_since`: look for posts published since then; None: not due. `queued_at`: since when
    it waits for a budget or a cooldown. `stand_ins`: further connections of the account, for when
    the first fails. `stopped_by`: what this two-hour slot knows already of why the account is not
    collected.
    """

    connection_id: UUID
    user_id: UUID
    platform: str
    account: "AccountRef"
    posts: tuple[DuePost, ...]
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
    """An account that nothing can be collected of, as its owners' consents have ended.

    `is_told`: a run of this two-hour slot has recorded it.
    """

    account_id: UUID
    user_id: UUID
    platform: str
    name: str
    reason: str
    is_told: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}. Connect it again: nexus connect {self.platform}"


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
    tries = _tries(session, now)
    posts = _due_posts(session, tries, now)
    found = []
    for account_id, consents in _by_account(_consents(session)).items():
        usable = [c for c in consents if c.state == ACTIVE and c.connection_id not in without]
        if not usable or (only is not None and account_id not in only):
            continue
        tried = tries.get((account_id, floor_to(now, YOUNG_SLOT)))
        due = _due(
            usable,
            posts.get(account_id, ()),
            now,
            may_look=bool(without) or _may_try(tried, now),
            stopped_by=tried.reason if tried else None,
        )
        if due is not None:
            found.append(due)
    return sorted(found, key=lambda due: _urgency(due, now))


def blocked_accounts(session: Session, now: datetime) -> list[BlockedAccount]:
    """Accounts whose consents have all ended."""
    tries = _tries(session, now)
    blocked = []
    for account_id, consents in _by_account(_consents(session)).items():
        if all(consent.state in ENDED for consent in consents):
            oldest = consents[0]
            blocked.append(
                BlockedAccount(
                    account_id,
                    oldest.user_id,
                    oldest.platform,
                    f"{oldest.platform}:{oldest.handle or oldest.platform_account_id}",
                    oldest.state_reason or oldest.state,
                    is_told=(account_id, floor_to(now, YOUNG_SLOT)) in tries,
                )
            )
    return blocked


def _urgency(due: DueAccount, now: datetime) -> tuple[bool, datetime, timedelta]:
    youngest = max((post.published_at for post in due.posts), default=now)
    return (due.queued_at is None, due.queued_at or now, now - youngest)


def _consents(session: Session) -> Sequence[Any]:
    """All connections, each with its account; oldest first."""
    return session.connection().execute(_CONSENTS).all()


def _by_account(consents: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for consent in consents:
        found[consent.account_id].append(consent)
    return found


def _due(
    consents: Sequence[Any],
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
    first = consents[0]
    if may_look and first.kind != "member":  # whose posts LinkedIn lists to nobody
        discover_since = _discover_since(discovery, posts, now)
    with_profile = may_look and _is_empty(profile, now, OLD_SLOT)
    if not posts and discover_since is None and not with_profile:
        return None
    # a platform's types come with its client, which a run with nothing due does without
    from ingest.platforms.base import AccountRef  # noqa: PLC0415

    return DueAccount(
        connection_id=first.connection_id,
        user_id=first.user_id,
        platform=first.platform,
        account=AccountRef(
            account_id=first.account_id,
            platform_account_id=first.platform_account_id or "",
            kind=first.kind,
            handle=first.handle,
        ),
        posts=tuple(posts),
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
    """Account -> its due posts, youngest first."""
    rows: Iterable[Any] = session.connection().execute(
        _MAYBE_DUE,
        {
            # a slot may have begun up to its own length before now
            "since": now - POLLED_AGE - OLD_SLOT,
            "old": floor_to(now, OLD_SLOT),
            "young": floor_to(now, YOUNG_SLOT),
            "young_since": now - YOUNG_AGE - OLD_SLOT,
        },
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
    rows = session.connection().execute(_TRIES, {"since": now - OLD_SLOT - YOUNG_SLOT})
    return {(row.subject, row.slot_start): row for row in rows}


def _may_try(skip: Any, now: datetime) -> bool:
    """Whether what was skipped in this slot may be asked for again."""
    if skip is None or skip.tries == 0:
        return True
    wait: timedelta = RETRY_AFTER * 2 ** (skip.tries - 1)
    return bool(now >= skip.updated_at + wait - _JITTER)


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
