"""A household in which much has happened: every place that can hold data of a person does."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from execution.analytics.archive import archive
from execution.analytics.imports import Importer
from execution.analytics.landing import keep_aside
from execution.control import access, audit
from execution.control.models import (
    Account,
    ApiUsage,
    Budget,
    Connection,
    FlagReview,
    Import,
    Notification,
    Run,
    User,
)
from execution.control.posts import Skip, record_skips
from ingest import identity
from ingest.load import spool
from tests.integration.retention.household import ANA, BEN, NOW, Household
from tests.unit.files.x_exports import csv_text, row

FILE_HANDLE = "Ana_Files"
FILE_POSTS = ("8800001", "8800002", "8800003")


def live_in(home: Household, folder: Path) -> None:
    """Build, archive, import, review, fail, log, and spool what is not landed yet."""
    home.app.build_and_publish()
    assert archive(home.app.settings, home.clock, lambda *_: None).total == 100
    _import_files(home, folder)
    _use_the_store(home)
    home.app.land()
    home.app.build_and_publish()
    _leave_traces(home)


def _import_files(home: Household, folder: Path) -> None:
    """Ana imports two files of hers, and Ben one of them."""
    rows = [row(id_, FILE_HANDLE, Tweet_text=f"Filed words {id_}") for id_ in FILE_POSTS]
    both = folder / f"tweet_activity_metrics_{FILE_HANDLE}_20260101_20260201_en.csv"
    both.write_text(csv_text([*rows, ["8800009", "broken by Ana_Files"]]))
    alone = folder / f"tweet_activity_metrics_{FILE_HANDLE}_20260101_20260202_en.csv"
    alone.write_text(csv_text([*rows, row("8800004", FILE_HANDLE, Tweet_text="Hers alone")]))
    for email, files in ((ANA, [both, alone]), (BEN, [both])):
        importer = Importer(home.app.settings, home.app.store, home.clock, home.user(email))
        outcome = importer.run(files, None, None, lambda *_: None)
        assert outcome.files == len(files), outcome.problems


def _use_the_store(home: Household) -> None:
    now = home.clock.now()
    with home.app.store.begin() as session:
        for email in (ANA, BEN):
            user = home.app.user(session, email)
            audit.record(session, home.clock, email, "api-key created", {"for": email})
            access.create_api_key(session, user, "key", ["read"], now)
            token = access.create_login_link(session, user, now)
            access.redeem_login_link(session, token, now)
            session.add(Budget(scope=f"member:{user.id}", family="twitter", taken=[]))
        for consent in session.scalars(select(Connection)):
            account = session.get_one(Account, consent.account_id)
            session.add(
                ApiUsage(connection_id=consent.id, family="posts", day="2026-11-01", requests=3)
            )
            session.add(
                Notification(
                    key=f"rate_limited:{consent.id}",
                    kind="rate_limited",
                    message=f"{account.platform}:{account.handle}: too many requests",
                    user_id=consent.user_id,
                    connection_id=consent.id,
                    created_at=now,
                )
            )
            session.add(
                Notification(
                    key=f"nothing_collected:{account.id}",
                    kind="nothing_collected",
                    message=f"{account.handle}: nothing collected",
                    created_at=now,
                )
            )
            session.add(Budget(scope=f"connection:{consent.id}", family="posts", taken=[]))
            skip = Skip(account.id, now, f"{account.handle} could not be reached")
            record_skips(session, [skip], now)
        for handle, account_id in home.accounts.items():
            post = home.posts[handle][3]
            post_id = identity.post_id(account_id, post.platform_post_id)
            record_skips(session, [Skip(post_id, now, "brought nothing")], now)
            failures = [f"twitter:{handle}: {post.platform_post_id}: brought nothing"]
            session.add(
                Run(command="sync", started_at=now, ended_at=now, summary={"failures": failures})
            )
            session.add(
                FlagReview(
                    snapshot_id=UUID(_a_snapshot(home, handle)),
                    metric="likes",
                    status="reviewed",
                    reviewed_by=home.user(BEN if handle == "ben_x" else ANA).id,
                    reviewed_at=now,
                )
            )


def _a_snapshot(home: Household, handle: str) -> str:
    found = home.rows(
        "select snapshot_id from raw.twitter_snapshots where account_id = ? union all"
        " select snapshot_id from raw.linkedin_snapshots where account_id = ? limit 1",
        *[str(home.accounts[handle])] * 2,
    )
    return str(found[0][0])


def _leave_traces(home: Household) -> None:
    """What runs leave behind, and what the last one could not land."""
    lines = []
    for handle, account_id in home.accounts.items():
        post = home.posts[handle][2]
        lines.append(f"12:00:00 failing row: {account_id} {post.platform_post_id} of {handle}\n")
        keep_aside(
            home.data_dir,
            [
                {
                    "at": NOW.isoformat(),
                    "source": "twitter api",
                    "account_id": str(account_id),
                    "subject": post.platform_post_id,
                    "field": "like_count",
                    "reason": "is no number",
                }
            ],
        )
        late = post.published_at + timedelta(hours=13)
        rows = [home.snapshot_row(handle, 2, late), home.snapshot_row(handle, 3, late)]
        home.spool(rows)
    (home.data_dir / "logs").mkdir(exist_ok=True)
    (home.data_dir / "logs" / "dbt.log.1").write_text("12:00 a line of nobody\n" + "".join(lines))
    compiled = home.data_dir / "dbt" / "target" / "compiled" / "failing.sql"
    compiled.parent.mkdir(parents=True, exist_ok=True)
    compiled.write_text("".join(lines))
    # Rows that a test of all rows found: ids of snapshots, none of which is named elsewhere.
    found = home.data_dir / "dbt" / "verify" / "failing" / "post_increments_primary_key.csv"
    found.parent.mkdir(parents=True)
    last = [home.snapshot_rows(handle)[-1].snapshot_id for handle in home.accounts]  # type: ignore[attr-defined]
    found.write_text("id\n" + "".join(f"{snapshot}\n" for snapshot in last))
    rejected = [*home.post_rows("ana_x")[:1], *home.post_rows("ben_x")[:1]]
    spool(rejected, home.data_dir / "spool", "two-accounts-in-one-file")
    (home.data_dir / "demo.json").write_text(json.dumps({"seed": 7}))


def file_account(home: Household, email: str) -> UUID:
    return identity.file_account_id(home.user(email).id, "twitter", FILE_HANDLE)


def consents(home: Household, *handles: str, email: str | None = None) -> list[UUID]:
    """Connections of these accounts, of one user or of all."""
    with home.app.store.begin() as session:
        query = select(Connection.id).where(
            Connection.account_id.in_([home.accounts[handle] for handle in handles])
        )
        if email is not None:
            query = query.join(User, User.id == Connection.user_id).where(User.email == email)
        return list(session.scalars(query))


def imports(home: Household, email: str) -> list[Import]:
    with home.app.store.begin() as session:
        return list(
            session.scalars(
                select(Import).join(User, User.id == Import.user_id).where(User.email == email)
            )
        )
