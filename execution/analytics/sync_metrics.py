"""Fetch and store platform metrics (directive 2 and 7).

`python execution/analytics/sync_metrics.py --help` works on its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import structlog
from sqlalchemy import update

from execution.analytics.landing import keep_aside, land_spool
from execution.control import posts as tracked
from execution.control.budgets import Budgets
from execution.control.models import Connection
from execution.control.notifications import notify
from execution.control.platforms import platform_settings
from execution.control.posts import KnownPost
from execution.control.schedule import DueAccount, due_accounts
from execution.control.settings import Settings
from execution.control.store import ControlStore
from execution.control.tokens import StoredTokens
from execution.control.vault import Vault
from ingest import identity
from ingest.clock import Clock
from ingest.http import ApiError, ErrorKind
from ingest.load import LandingReport, spool
from ingest.platforms import open_platform
from ingest.platforms.base import (
    AccountRow,
    Collection,
    CollectionRequest,
    Platform,
    Post,
    PostRow,
    Profile,
    Rejected,
    SnapshotRow,
)
from ingest.slots import OLD_SLOT, YOUNG_SLOT, floor_to, slot_start

log = structlog.get_logger()

#: Called with (accounts done, accounts in all, name of the account that ended).
OnProgress = Callable[[int, int, str], None]


#: Directive 2.1 for rate limits; a cap or empty credits are asked about a few times a day.
_COOLDOWNS = {
    ErrorKind.RATE_LIMITED: timedelta(minutes=15),
    ErrorKind.USAGE_CAPPED: timedelta(hours=6),
}
#: Errors that a person must know of. A token that ended is told where it is refreshed.
_TOLD = {ErrorKind.RATE_LIMITED, ErrorKind.USAGE_CAPPED, ErrorKind.VERSION_SUNSET}


@dataclass
class SyncReport:
    """What a collection did.

    `stopped`: accounts that could not be collected, or not to the end. `failures`: what was
    skipped, and why, a line each.
    """

    accounts: int = 0
    snapshots: int = 0
    posts: int = 0
    deleted: int = 0
    rejected: int = 0
    stopped: int = 0
    failures: list[str] = field(default_factory=list)


class Collector:
    """Collects what is due into the spool, and lands the spool. One at a time (run lock).

    Clients stay open between calls of `collect`, so that a history can be collected slot by slot.
    """

    def __init__(self, settings: Settings, store: ControlStore, vault: Vault, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._clock = clock
        self._clients: dict[UUID, Platform] = {}
        self._budgets = Budgets(settings, store, clock)

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

    def collect(self, progress: OnProgress | None = None) -> SyncReport:
        """Collect every due account. One that fails is reported and never stops the others."""
        report = SyncReport()
        with self._store.begin() as session:
            due = due_accounts(session, self._clock.now())
        for done, item in enumerate(due, start=1):
            name = f"{item.platform}:{item.account.handle or item.account.platform_account_id}"
            try:
                self._collect_account(item, name, report)
            except ApiError as error:
                self._stopped(item, name, error, report)
            if progress:
                progress(done, len(due), name)
        return report

    def land(self) -> LandingReport:
        """Land everything spooled, and the present slice of the control store."""
        return land_spool(self._settings, self._store, self._vault, self._clock)

    def _collect_account(self, due: DueAccount, name: str, report: SyncReport) -> None:
        account_id, now = due.account.account_id, self._clock.now()
        client = self._client(due)
        got = client.collect(
            CollectionRequest(
                account=due.account,
                due=[post.platform_post_id for post in due.posts],
                discover_since=due.discover_since,
                with_profile=due.with_profile,
                known=due.known,
            )
        )
        with self._store.begin() as session:
            registered = tracked.register_posts(session, account_id, due.platform, got.posts, now)
            changed, known = registered.changed, registered.known
            others = {reading.platform_post_id for reading in got.readings} | set(got.deleted)
            known |= tracked.known_posts(session, account_id, others - known.keys())
        snapshots = _snapshot_rows(client, due, got, known)
        # The spool file is the commit (DESIGN.md section 4): only then do its slots count.
        for rows in (
            _post_rows(client, due, changed, known, now),
            _account_rows(client, due, got.profile, now),
            snapshots,
        ):
            spool(rows, self._settings.data_dir / "spool", uuid4().hex)
        self._keep_aside(due, got.rejected, now)
        with self._store.begin() as session:
            tracked.content_landed(
                session, {known[post.platform_post_id].post_id: post for post in changed}
            )
            tracked.fill_slots(session, {row.post_id: row.slot_start for row in snapshots})
            gone = [known[post].post_id for post in got.deleted if post in known]
            tracked.mark_deleted(session, gone, now)
            if progress := _progress_of(got, now):
                session.execute(
                    update(Connection).where(Connection.id == due.connection_id).values(progress)
                )
            self._budgets.flush(session)
        report.accounts += 1
        report.snapshots += len(snapshots)
        report.posts += len(changed)
        report.deleted += len(gone)
        report.rejected += len(got.rejected)
        report.failures += [f"{due.platform}:{post}: {why}" for post, why in got.skipped.items()]
        report.failures += [f"{name}: {error}" for error in got.errors]
        if got.stopped_by:
            self._stopped(due, name, got.stopped_by, report)

    def _stopped(self, due: DueAccount, name: str, error: ApiError, report: SyncReport) -> None:
        """Remember why an account could not be collected (to the end), and until when."""
        report.stopped += 1
        report.failures.append(f"{name}: {error}")
        log.warning("account stopped", account=name, kind=error.kind.value, reason=str(error))
        now = self._clock.now()
        if error.kind in _COOLDOWNS:
            until = max(error.until or now, now + _COOLDOWNS[error.kind])
            scope = f"connection:{due.connection_id}"
            self._budgets.cool_down(scope, due.platform, until, str(error))
        with self._store.begin() as session:
            self._budgets.flush(session)
            if error.kind in _TOLD:
                notify(
                    session,
                    key=f"{error.kind.value}:{due.connection_id}",
                    kind=error.kind.value,
                    message=f"{name}: {error}",
                    connection_id=due.connection_id,
                    now=now,
                )

    def _client(self, due: DueAccount) -> Platform:
        if due.connection_id not in self._clients:
            self._clients[due.connection_id] = open_platform(
                due.platform,
                platform_settings(self._settings, due.platform),
                StoredTokens(
                    self._settings, self._store, self._vault, self._clock, due.connection_id
                ),
                self._budgets.pacer(due.platform, due.connection_id),
                self._clock,
            )
        return self._clients[due.connection_id]

    def _keep_aside(self, due: DueAccount, rejected: Sequence[Rejected], now: datetime) -> None:
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


def _snapshot_rows(
    client: Platform, due: DueAccount, got: Collection, known: Mapping[str, KnownPost]
) -> list[SnapshotRow]:
    rows = []
    for reading in got.readings:
        post = known[reading.platform_post_id]
        slot = slot_start(reading.collected_at, post.published_at)
        rows.append(
            client.snapshot_row(
                snapshot_id=identity.snapshot_id(post.post_id, slot),
                post_id=post.post_id,
                account_id=due.account.account_id,
                platform_post_id=reading.platform_post_id,
                published_at=post.published_at,
                slot_start=slot,
                collected_at=reading.collected_at,
                **reading.counters,
            )
        )
    return rows


def _post_rows(
    client: Platform,
    due: DueAccount,
    posts: Sequence[Post],
    known: Mapping[str, KnownPost],
    now: datetime,
) -> list[PostRow]:
    return [
        client.post_row(
            post_id=known[post.platform_post_id].post_id,
            account_id=due.account.account_id,
            platform_post_id=post.platform_post_id,
            published_at=post.published_at,
            post_type=post.post_type,
            text=post.text,
            url=post.url,
            fetched_at=now,
        )
        for post in posts
    ]


def _account_rows(
    client: Platform, due: DueAccount, profile: Profile | None, now: datetime
) -> list[AccountRow]:
    if profile is None:
        return []
    return [
        client.account_row(
            account_id=due.account.account_id,
            platform_account_id=profile.platform_account_id,
            account_kind=profile.kind,
            slot_start=floor_to(now, OLD_SLOT),
            collected_at=now,
            handle=profile.handle,
            display_name=profile.display_name,
            followers_count=profile.followers_count,
        )
    ]


def _progress_of(got: Collection, now: datetime) -> dict[str, datetime]:
    """What this collection settles about its connection."""
    progress = {} if got.stopped_by else {"last_success_at": now}
    if got.discovered:
        progress["last_discovery_slot"] = floor_to(now, YOUNG_SLOT)
    if got.profile:
        progress["last_profile_slot"] = floor_to(now, OLD_SLOT)
    return progress


if __name__ == "__main__":
    from execution.cli import sync

    sync()
