"""Fetch and store platform metrics (directive 2 and 7).

`python execution/analytics/sync_metrics.py --help` works on its own.
"""

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID, uuid4

import httpx
import structlog
from pydantic import ValidationError
from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from execution.analytics.landing import keep_aside, land_spool
from execution.control import posts as tracked
from execution.control.budgets import Budgets, CapReached
from execution.control.connections import REVOKED
from execution.control.erased import erased_among
from execution.control.models import Base, Connection
from execution.control.notifications import Kind, notify, settle, watch
from execution.control.platforms import platform_settings
from execution.control.posts import KnownPost, Skip
from execution.control.schedule import (
    BlockedAccount,
    DueAccount,
    DuePost,
    blocked_accounts,
    due_accounts,
)
from execution.control.settings import Settings
from execution.control.store import ControlStore
from execution.control.tokens import StoredTokens, log_expired
from execution.control.vault import Vault, VaultError
from ingest import identity
from ingest.clock import Clock
from ingest.http import COOLDOWN, ApiError, ErrorKind, open_transport
from ingest.load import LandingReport, spool_tables
from ingest.platforms import open_platform
from ingest.platforms.base import (
    AccountRow,
    Collection,
    CollectionRequest,
    Platform,
    Post,
    PostRow,
    Profile,
    Reading,
    Rejected,
    SnapshotRow,
)
from ingest.slots import OLD_SLOT, YOUNG_SLOT, floor_to, slot_start

log = structlog.get_logger()

#: Called with (accounts done, accounts in all, name of the account that ended).
OnProgress = Callable[[int, int, str], None]

#: How long a connection rests after these. A cap or empty credits are asked about a few times a
#: day; a token that was just refreshed may need a while before it works (platform-apis.md 2.5).
_COOLDOWNS: Final = {
    ErrorKind.RATE_LIMITED: COOLDOWN,
    ErrorKind.TOKEN_EXPIRED: COOLDOWN,
    ErrorKind.USAGE_CAPPED: timedelta(hours=6),
}
#: Errors of one connection that another one of the same account may not have.
_OF_THE_CONSENT: Final = frozenset(
    {ErrorKind.TOKEN_EXPIRED, ErrorKind.TOKEN_REVOKED, ErrorKind.FORBIDDEN}
)
#: Nothing was asked, or nothing was answered but "later": not a try that was in vain, and the
#: account goes first next time.
_LATER: Final = frozenset(
    {
        ErrorKind.BUDGET_EXHAUSTED,
        ErrorKind.RATE_LIMITED,
        ErrorKind.USAGE_CAPPED,
        ErrorKind.NETWORK,
    }
)
#: What is told of an error that stops a connection, or its platform.
_NEWS: Final = {
    ErrorKind.RATE_LIMITED: Kind.RATE_LIMITED,
    ErrorKind.USAGE_CAPPED: Kind.USAGE_CAPPED,
    ErrorKind.VERSION_SUNSET: Kind.VERSION_SUNSET,
}
#: What is settled once a collection was not stopped.
_ENDED_BY_SUCCESS: Final = (Kind.RATE_LIMITED, Kind.USAGE_CAPPED, Kind.MONTHLY_CAP)
#: Accounts in a row that found their platform unreachable; then the others wait for the next run.
_UNREACHABLE_AFTER: Final = 3
#: Sets what its parameters name beside `mine`.
_CONNECTIONS: Final = Base.metadata.tables[Connection.__tablename__]
_SET_CONNECTION: Final = update(_CONNECTIONS).where(_CONNECTIONS.c.id == bindparam("mine"))
#: Posts named in a line of the report; the log names each.
_NAMED: Final = 3


@dataclass
class SyncReport:
    """What a collection did.

    `stopped`: accounts that could not be collected, or not to the end; `queued`: those of them
    that wait for a budget, a cooldown or the network, and go first next time. `failures`: what
    was skipped, and why, a line each.
    """

    accounts: int = 0
    snapshots: int = 0
    posts: int = 0
    deleted: int = 0
    rejected: int = 0
    stopped: int = 0
    queued: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Stop:
    """Why an account was not collected (to the end)."""

    name: str
    error: ApiError


@dataclass(frozen=True)
class _Missing:
    """A due post that was asked for and brought neither a snapshot nor its end."""

    post: DuePost
    skip: Skip


class Collector:
    """Collects what is due into the spool, and lands the spool. One at a time (run lock).

    Clients stay open between calls of `collect`, so that a history can be collected slot by slot.
    """

    def __init__(
        self,
        settings: Settings,
        store: ControlStore,
        vault: Vault,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._clock = clock
        self._sleep = sleep
        self._started_at = clock.now()
        self._clients: dict[UUID, Platform] = {}
        self._tokens: dict[UUID, StoredTokens] = {}
        self._budgets = Budgets(settings, store, clock)
        self._transports: dict[str, httpx.BaseTransport] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()
        for transport in self._transports.values():
            transport.close()
        self._budgets.close()

    def collect(
        self, progress: OnProgress | None = None, longest_wait: timedelta = timedelta(0)
    ) -> SyncReport:
        """Collect every due account. One that fails is reported and never stops the others.

        `longest_wait`: sleep this long at most for budgets and cooldowns; by default the run ends
        and what waits goes first in the next one.
        """
        report = SyncReport()
        self._started_at = self._clock.now()
        deadline = self._started_at + longest_wait
        with self._store.begin() as session:
            due = due_accounts(session, self._clock.now())
            blocked = blocked_accounts(session, self._clock.now())
        self._tell_blocked(blocked, report)
        stops = self._collect_all(due, report, progress)
        while resumed := self._wait_for(stops, deadline):
            with self._store.begin() as session:
                due = due_accounts(session, self._clock.now(), only=resumed)
            for account_id in resumed:
                del stops[account_id]
            stops |= self._collect_all(due, report, progress)
        for stop in stops.values():
            report.failures.append(f"{stop.name}: {stop.error}")
            report.stopped += 1
            report.queued += stop.error.kind in _LATER
        with self._store.begin() as session:
            watch(session, self._clock.now())
        return report

    def land(self) -> LandingReport:
        """Land everything spooled, and the present slice of the control store."""
        return land_spool(self._settings, self._store, self._vault, self._clock)

    # --- which account, through which connection ---

    def _collect_all(
        self, due: Sequence[DueAccount], report: SyncReport, progress: OnProgress | None
    ) -> dict[UUID, _Stop]:
        """Account -> why it was not collected (to the end)."""
        stops: dict[UUID, _Stop] = {}
        error: ApiError | None
        unreachable: Counter[str] = Counter()
        for done, item in enumerate(due, start=1):
            if unreachable[item.platform] >= _UNREACHABLE_AFTER:
                error = ApiError(ErrorKind.NETWORK, f"{item.platform} cannot be reached")
                self._stopped(item, error)
            else:
                error = self._collect_account(item, report)
            if error is not None and error.kind is ErrorKind.NETWORK:
                unreachable[item.platform] += 1
            else:
                unreachable[item.platform] = 0
            if error is not None:
                stops[item.account.account_id] = _Stop(item.name, error)
            if progress:
                progress(done, len(due), item.name)
        return stops

    def _collect_account(self, due: DueAccount, report: SyncReport) -> ApiError | None:
        """Collect one account, through another connection where the first one's consent fails."""
        tried: set[UUID] = set()
        while True:
            error = self._collect_through(due, report)
            if error is None or error.kind not in _OF_THE_CONSENT or not due.stand_ins:
                return error
            tried.add(due.connection_id)
            with self._store.begin() as session:
                found = due_accounts(
                    session, self._clock.now(), only=[due.account.account_id], without=tried
                )
            if not found:
                return error
            due = found[0]

    def _collect_through(self, due: DueAccount, report: SyncReport) -> ApiError | None:
        """Collect one account through its connection; the error that stopped it, if one did."""
        now = self._clock.now()
        with self._store.begin() as session:
            known = tracked.polled_posts(session, due.account.account_id, now)
        polled = frozenset(id_ for id_, post in known.items() if not post.is_deleted)
        try:
            client = self._client(due)
            got = client.collect(
                CollectionRequest(
                    account=due.account,
                    due=[post.platform_post_id for post in due.posts],
                    discover_since=due.discover_since,
                    with_profile=due.with_profile,
                    known=polled,
                )
            )
        except VaultError as error:
            unreadable = ApiError(ErrorKind.FORBIDDEN, str(error))
            self._stopped(due, unreadable)
            return unreadable
        except ApiError as error:
            self._stopped(due, error)
            return error
        self._drop_erased(due, got)
        self._keep(due, got, known, now, report)
        if got.stopped_by is not None:
            self._stopped(due, got.stopped_by, was_served=True)
        return got.stopped_by

    def _client(self, due: DueAccount) -> Platform:
        if due.connection_id not in self._clients:
            settings = platform_settings(self._settings, due.platform)
            if due.platform not in self._transports:
                self._transports[due.platform] = open_transport(settings.base_url)
            tokens = StoredTokens(
                self._settings, self._store, self._vault, self._clock, due.connection_id
            )
            self._tokens[due.connection_id] = tokens
            self._clients[due.connection_id] = open_platform(
                due.platform,
                settings,
                tokens,
                self._budgets.pacer(due.platform, due.connection_id, due.user_id),
                self._clock,
                transport=self._transports[due.platform],
                sleep=self._sleep,
            )
        return self._clients[due.connection_id]

    def _wait_for(self, stops: Mapping[UUID, _Stop], deadline: datetime) -> list[UUID]:
        """Sleep until the first of the stopped accounts may go on; which may, then."""
        moments = {
            account_id: stop.error.until
            for account_id, stop in stops.items()
            if stop.error.until is not None and stop.error.until <= deadline
        }
        if not moments:
            return []
        first, now = min(moments.values()), self._clock.now()
        if first > now:
            log.info("waiting", until=first.isoformat(), accounts=len(moments))
            self._sleep((first - now).total_seconds())
        return list(moments)

    # --- what was collected ---

    def _drop_erased(self, due: DueAccount, got: Collection) -> None:
        """Let discovery not bring back what was erased."""
        shown = {version for post in got.posts for version in _versions(post)}
        shown |= {reading.platform_post_id for reading in got.readings}
        with self._store.begin() as session:
            erased = erased_among(session, self._vault, due.account.account_id, shown)
        if erased:
            gone = {p.platform_post_id for p in got.posts if erased & _versions(p)} | erased
            got.posts = [p for p in got.posts if p.platform_post_id not in gone]
            got.readings = [r for r in got.readings if r.platform_post_id not in gone]

    def _keep(
        self,
        due: DueAccount,
        got: Collection,
        polled: Mapping[str, KnownPost],
        now: datetime,
        report: SyncReport,
    ) -> None:
        """Make everything that was collected durable, then let its slots count."""
        account_id = due.account.account_id
        with self._store.begin() as session:
            registered = tracked.register_posts(
                session, account_id, due.platform, got.posts, now, known=polled
            )
            known = {p.platform_post_id: _known(p) for p in due.posts} | registered.known
            others = {reading.platform_post_id for reading in got.readings} - known.keys()
            known |= tracked.known_posts(session, account_id, others)
        rows = _Rows(self._clients[due.connection_id], due, known)
        snapshots = rows.snapshots(got.readings)
        posts = rows.posts(registered.changed, now)
        accounts = rows.account(got.profile, now)
        rejected = [*got.rejected, *rows.rejected]
        # The spool file is the commit (DESIGN.md section 4): only then do its slots count.
        tables = (posts, accounts, snapshots)
        spool_tables(tables, self._settings.data_dir / "spool", uuid4().hex)
        self._keep_aside(due, rejected, now)
        slots = {row.post_id: row.slot_start for row in snapshots}
        gone = {known[post].post_id for post in got.deleted if post in known} - slots.keys()
        revived = _revived(known, got)
        missing = _missing(due, got, rejected, slots=slots, gone=gone, now=now)
        with self._store.begin() as session:
            landed = {row.platform_post_id for row in posts}
            tracked.content_landed(
                session,
                {
                    known[post.platform_post_id].post_id: post
                    for post in registered.changed
                    if post.platform_post_id in landed
                },
            )
            tracked.fill_slots(session, slots)
            tracked.mark_deleted(session, gone, now)
            tracked.mark_alive(session, revived)
            tracked.record_skips(session, [item.skip for item in missing], now)
            filled = {p.post_id: slots[p.post_id] for p in due.posts if p.post_id in slots}
            retried = {p.post_id for p in due.posts if p.tries}
            tracked.drop_skips(session, {id_: filled[id_] for id_ in retried & filled.keys()})
            self._settle(session, due, got, len(snapshots), now)
        self._settle_ledger(due, got, known)
        for post_id in gone:
            log.info("post deleted", account=due.name, post_id=str(post_id))
        for post_id in revived:
            log.info("post shown again", account=due.name, post_id=str(post_id))
        report.accounts += 1
        report.snapshots += len(snapshots)
        report.posts += len(posts)
        report.deleted += len(gone)
        report.rejected += len(rejected)
        report.failures += _tell(due, missing)
        report.failures += [f"{due.name}: {error}" for error in got.errors]

    def _settle(
        self, session: Session, due: DueAccount, got: Collection, read: int, now: datetime
    ) -> None:
        """What this collection settles about its connection and what was told of it."""
        values: dict[str, Any] = {}
        if got.discovered:
            values["last_discovery_slot"] = floor_to(now, YOUNG_SLOT)
        if got.profile:
            values["last_profile_slot"] = floor_to(now, OLD_SLOT)
        if _is_success(got, read):
            values["last_success_at"] = now
        if got.stopped_by is None:
            values["queued_at"] = None
            account_id, slot = due.account.account_id, floor_to(now, YOUNG_SLOT)
            if _has_done_all(due, got):
                if due.stopped_by is not None:
                    tracked.drop_skips(session, {account_id: slot})
            else:
                reason = "; ".join(str(error) for error in got.errors) or "not read to the end"
                tracked.record_skips(session, [Skip(account_id, slot, reason)], now)
            ended = [(kind, due.connection_id) for kind in _ENDED_BY_SUCCESS]
            settle(session, [*ended, (Kind.VERSION_SUNSET, due.platform)], now)
        if values:
            session.connection().execute(_SET_CONNECTION, {"mine": due.connection_id, **values})

    def _settle_ledger(
        self, due: DueAccount, got: Collection, known: Mapping[str, KnownPost]
    ) -> None:
        """Tell the ledger what was read for the first time in this UTC day."""
        midnight = floor_to(self._clock.now(), timedelta(days=1))
        new_posts = len(got.rejected)
        for post in got.posts:
            last_slot = known[post.platform_post_id].last_slot
            if last_slot is None or last_slot < midnight:
                new_posts += max(len(post.versions), 1)
        profile = due.last_profile_slot
        self._budgets.settle(
            due.connection_id,
            new_posts=new_posts,
            new_users=int(profile is None or profile < midnight),
        )

    def _keep_aside(self, due: DueAccount, rejected: Sequence[Rejected], now: datetime) -> None:
        for item in rejected:
            log.warning("rejected", account=due.name, **asdict(item))
        keep_aside(
            self._settings.data_dir,
            [
                {
                    "at": now.isoformat(),
                    "source": f"{due.platform} api",
                    "account_id": str(due.account.account_id),
                    **asdict(item),
                }
                for item in rejected
            ],
        )

    # --- what was not ---

    def _tell_blocked(self, blocked: Sequence[BlockedAccount], report: SyncReport) -> None:
        report.failures += [str(item) for item in blocked]
        report.stopped += len(blocked)
        now = self._clock.now()
        untold = [item for item in blocked if not item.is_told]
        for item in untold:
            log_expired(item.user_id, item.platform, item.reason)
        slot = floor_to(now, YOUNG_SLOT)
        skips = [Skip(item.account_id, slot, item.reason, is_try=False) for item in untold]
        with self._store.begin() as session:
            tracked.record_skips(session, skips, now)

    def _stopped(self, due: DueAccount, error: ApiError, *, was_served: bool = False) -> None:
        """Remember why an account could not be collected (to the end), and until when."""
        # a rest that lasts is told once a slot, however often a run finds it
        tell = log.debug if str(error) == due.stopped_by else log.warning
        tell("account stopped", account=due.name, kind=error.kind.value, reason=str(error))
        now = self._clock.now()
        if error.kind is ErrorKind.TOKEN_REVOKED:
            self._tokens[due.connection_id].ended(REVOKED, str(error))
        tokens = self._tokens.get(due.connection_id)
        # a consent that is given again must not wait for what the old one did
        is_over = tokens is not None and tokens.is_over
        if error.kind in _COOLDOWNS and not is_over:
            error.until = max(error.until or now, now + _COOLDOWNS[error.kind])
            scope = f"connection:{due.connection_id}"
            self._budgets.cool_down(scope, due.platform, error.until, str(error))
        is_later = error.kind in _LATER
        slot = floor_to(now, YOUNG_SLOT)
        with self._store.begin() as session:
            skip = Skip(due.account.account_id, slot, str(error), is_try=not (is_later or is_over))
            tracked.record_skips(session, [skip], now)
            if is_later:
                # who got something goes behind those who got nothing
                queued_at = now if was_served else due.queued_at or self._started_at
                queued = {"mine": due.connection_id, "queued_at": queued_at}
                session.connection().execute(_SET_CONNECTION, queued)
            kind = Kind.MONTHLY_CAP if isinstance(error, CapReached) else _NEWS.get(error.kind)
            if kind is Kind.VERSION_SUNSET:
                notify(session, kind, due.platform, str(error), now)
            elif kind is not None:
                notify(
                    session,
                    kind,
                    due.connection_id,
                    f"{due.name}: {error}",
                    now,
                    user_id=due.user_id,
                    connection_id=due.connection_id,
                )


class _Rows:
    """Builds the raw rows of a collection. What a row cannot hold is kept in `rejected`."""

    def __init__(self, client: Platform, due: DueAccount, known: Mapping[str, KnownPost]) -> None:
        self._client = client
        self._account_id = due.account.account_id
        self._known = known
        self.rejected: list[Rejected] = []

    def snapshots(self, readings: Iterable[Reading]) -> list[SnapshotRow]:
        rows = []
        for reading in readings:
            post = self._known[reading.platform_post_id]
            # the slot it was read in, which may have begun after the run did
            slot = slot_start(reading.collected_at, post.published_at)
            with self._rejecting(reading.platform_post_id):
                rows.append(
                    self._client.snapshot_row(
                        snapshot_id=identity.snapshot_id(post.post_id, slot),
                        post_id=post.post_id,
                        account_id=self._account_id,
                        platform_post_id=reading.platform_post_id,
                        published_at=post.published_at,
                        slot_start=slot,
                        collected_at=reading.collected_at,
                        **reading.counters,
                    )
                )
        return rows

    def posts(self, posts: Iterable[Post], now: datetime) -> list[PostRow]:
        rows = []
        for post in posts:
            with self._rejecting(post.platform_post_id):
                rows.append(
                    self._client.post_row(
                        post_id=self._known[post.platform_post_id].post_id,
                        account_id=self._account_id,
                        platform_post_id=post.platform_post_id,
                        published_at=post.published_at,
                        post_type=post.post_type,
                        text=post.text,
                        url=post.url,
                        fetched_at=now,
                    )
                )
        return rows

    def account(self, profile: Profile | None, now: datetime) -> list[AccountRow]:
        rows: list[AccountRow] = []
        if profile is not None:
            with self._rejecting(profile.platform_account_id):
                rows.append(
                    self._client.account_row(
                        account_id=self._account_id,
                        platform_account_id=profile.platform_account_id,
                        account_kind=profile.kind,
                        slot_start=floor_to(now, OLD_SLOT),
                        collected_at=now,
                        handle=profile.handle,
                        display_name=profile.display_name,
                        followers_count=profile.followers_count,
                    )
                )
        return rows

    @contextmanager
    def _rejecting(self, subject: str) -> Iterator[None]:
        try:
            yield
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            name = ".".join(str(part) for part in first["loc"])
            self.rejected.append(Rejected(subject, name, first["msg"]))


def _versions(post: Post) -> set[str]:
    return {post.platform_post_id, *post.versions}


def _known(post: DuePost) -> KnownPost:
    return KnownPost(post.post_id, post.published_at)


def _revived(known: Mapping[str, KnownPost], got: Collection) -> set[UUID]:
    """Posts that were marked as deleted, and that the platform shows."""
    shown = {post.platform_post_id for post in got.posts}
    shown |= {reading.platform_post_id for reading in got.readings}
    return {known[post].post_id for post in shown if known[post].is_deleted}


def _missing(
    due: DueAccount,
    got: Collection,
    rejected: Iterable[Rejected],
    *,
    slots: Mapping[UUID, datetime],
    gone: Set[UUID],
    now: datetime,
) -> list[_Missing]:
    """The due posts whose slot was not filled, with the reason; not those never asked for."""
    unusable = {item.subject: f"{item.field}: {item.reason}" for item in rejected}
    unasked = got.stopped_by.message if got.stopped_by is not None else None
    missing = []
    for post in due.posts:
        id_, slot = post.platform_post_id, slot_start(now, post.published_at)
        if post.post_id in gone or slots.get(post.post_id) == slot:
            continue
        if post.post_id in slots:
            skip = Skip(post.post_id, slot, "the slot ended before it was read", is_try=False)
        else:
            reason = unusable.get(id_) or got.skipped.get(id_, "brought nothing")
            if reason == unasked:
                continue
            skip = Skip(post.post_id, slot, reason)
        missing.append(_Missing(post, skip))
    return missing


def _tell(due: DueAccount, missing: Iterable[_Missing]) -> list[str]:
    """Log each missing post once a slot; a line for each reason."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for item in missing:
        id_, reason = item.post.platform_post_id, item.skip.reason
        by_reason[reason].append(id_)
        if item.post.tries == 0:
            log.warning("post skipped", account=due.name, post=id_, reason=reason)
    lines = []
    for reason, ids in by_reason.items():
        named = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" * (len(ids) > _NAMED))
        lines.append(f"{due.name}: {named}: {reason}")
    return lines


def _has_done_all(due: DueAccount, got: Collection) -> bool:
    """Whether discovery and profile, where due, were read to the end."""
    discovered = got.discovered or due.discover_since is None
    return discovered and (got.profile is not None or not due.with_profile)


def _is_success(got: Collection, read: int) -> bool:
    """Whether the account's numbers are as of now (METRICS.md section 3, `as_of`)."""
    is_whole = got.stopped_by is None and not got.errors
    return is_whole and (read > 0 or not got.rejected)


if __name__ == "__main__":
    from execution.cli import main

    main(["sync", *sys.argv[1:]], prog_name="nexus")
