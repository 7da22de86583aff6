"""Spools export files, lands the spool with the control slice, and keeps rejected rows aside."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb
import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from execution.control import posts as tracked
from execution.control.models import Account, Import
from execution.control.settings import Settings
from execution.control.slice import control_slice
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import Clock
from ingest.files import EXPORT_ROWS, Export, FileError, read_export
from ingest.load import LandingReport, land, spool
from ingest.platforms import PLATFORMS
from ingest.platforms.base import Post

log = structlog.get_logger(__name__)


def land_spool(
    settings: Settings, store: ControlStore, vault: Vault, clock: Clock
) -> LandingReport:
    """Land everything spooled, and the present slice of the control store.

    Files of accounts that were merged into a proven one are spooled for that one first.
    Raises LandingError if the warehouse cannot be written; the spool is then untouched.
    """
    _spool_merged(settings, store)
    rows = [row for p in PLATFORMS.values() for row in (p.post_row, p.snapshot_row, p.account_row)]
    with store.begin() as session:
        control = control_slice(session, vault)
    has_deleted = tracked.DELETED in control["control_tracked_posts"]["state"].to_pylist()
    return land(
        settings.data_dir,
        [*rows, *EXPORT_ROWS],
        clock=clock,
        control=control,
        finish=_drop_deleted_content if has_deleted else None,
    )


def _drop_deleted_content(warehouse: duckdb.DuckDBPyConnection) -> None:
    """Of a post that its platform deleted, text and link go; its counters stay (METRICS.md 8).

    They come back with the post, should the platform show it again: then it is landed anew.
    """
    for row in (*(platform.post_row for platform in PLATFORMS.values()), *EXPORT_ROWS):
        warehouse.execute(
            f"update raw.{row.table} set text = null, url = null"
            " where (text is not null or url is not null) and post_id in"
            " (select post_id from raw.control_tracked_posts where state = $deleted)",
            {"deleted": tracked.DELETED},
        )


def inbox_file(data_dir: Path, sha256: str) -> Path:
    """Where an imported file is kept as it came."""
    return data_dir / "inbox" / f"{sha256}.csv"


def spool_export(
    settings: Settings,
    store: ControlStore,
    export: Export,
    *,
    account_id: UUID,
    user_id: UUID,
    imported_at: datetime,
) -> None:
    """Spool an export's rows for an account, then remember the import: in this order (kill -9)."""
    posts = [
        Post(post.platform_post_id, post.published_at, post.post_type, post.text, post.url)
        for post in export.posts
    ]
    with store.begin() as session:
        known = tracked.register_posts(
            session, account_id, export.platform, posts, imported_at
        ).known
    rows = export.rows(account_id, lambda post: known[post].post_id)
    spool(rows, settings.data_dir / "spool", uuid4().hex)
    with store.begin() as session:
        session.add(
            Import(
                account_id=account_id,
                user_id=user_id,
                file_sha256=export.sha256,
                file_name=export.file_name,
                format=export.format,
                rows_read=export.rows_read,
                rows_landed=len(export.posts),
                rows_rejected=len(export.rejected),
                period_start=export.period_start,
                period_end=export.period_end,
                collected_at=export.collected_at,
                collected_basis=export.collected_basis,
                imported_at=imported_at,
            )
        )


def _spool_merged(settings: Settings, store: ControlStore) -> None:
    """Spool what was imported for an account that a connection has since shown to be another.

    The rows under the merged account count no longer (staging ignores them). Read from the kept
    files, as they were imported then: so a kill at any point costs nothing but doing it again.
    """
    again = aliased(Import)
    with store.begin() as session:
        waiting: Sequence[Any] = session.execute(
            select(Import, Account.merged_into, Account.handle)
            .join(Account, Account.id == Import.account_id)
            .where(
                Account.merged_into.is_not(None),
                ~exists().where(
                    again.account_id == Account.merged_into,
                    again.file_sha256 == Import.file_sha256,
                ),
            )
            .order_by(Import.imported_at, Import.id)
        ).all()
    for imported, account_id, handle in waiting:
        try:
            export = read_export(
                inbox_file(settings.data_dir, imported.file_sha256),
                name=imported.file_name,
                imported_at=imported.imported_at,
                handle=handle,
                as_of=imported.collected_at if imported.collected_basis == "stated" else None,
            )
        except FileError as error:
            log.error("imported file is lost", file=imported.file_name, reason=str(error))
            continue
        spool_export(
            settings,
            store,
            # an erasure may have taken rows from the file: it is the same import
            replace(export, sha256=imported.file_sha256),
            account_id=account_id,
            user_id=imported.user_id,
            imported_at=imported.imported_at,
        )


def keep_aside(data_dir: Path, rejected: Sequence[Mapping[str, Any]]) -> None:
    """Append rejected rows, with their reasons, to `rejects/rejects.jsonl`; durable on return."""
    if not rejected:
        return
    folder = data_dir / "rejects"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rejects.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rejected)
        file.flush()
        os.fsync(file.fileno())
