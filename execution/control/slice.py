"""The token-free slice of the control store that dbt sees as `raw.control_*` (DESIGN.md section 1).

People appear only as pseudonyms. Each refresh replaces the slice as a whole.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.control.models import (
    Account,
    AccountMember,
    Budget,
    Connection,
    FlagReview,
    Import,
    TrackedPost,
    User,
)
from execution.control.vault import Vault
from ingest.load import CONTROL_SCHEMAS


def control_slice(session: Session, vault: Vault) -> dict[str, pa.Table]:
    """Raw table name -> its rows, for every `control_*` table, empty ones included."""
    return {
        name: pa.Table.from_pylist(list(_ROWS[name](session, vault)), schema=schema)
        for name, schema in CONTROL_SCHEMAS.items()
    }


def _users(session: Session, vault: Vault) -> Iterable[dict[str, Any]]:
    for user in session.scalars(select(User)):
        yield {
            "user_key": vault.user_key(user.id),
            "timezone": user.timezone,
            "created_at": user.created_at,
        }


def _accounts(session: Session, _vault: Vault) -> Iterable[dict[str, Any]]:
    for account in session.scalars(select(Account)):
        yield {
            "account_id": str(account.id),
            "platform": account.platform,
            "account_kind": account.kind,
            "platform_account_id": account.platform_account_id,
            "handle": account.handle,
            "display_name": account.display_name,
            "timezone": account.timezone,
            "is_proven": account.is_proven,
            "merged_into": account.merged_into and str(account.merged_into),
            "created_at": account.created_at,
        }


def _members(session: Session, vault: Vault) -> Iterable[dict[str, Any]]:
    for member in session.scalars(select(AccountMember)):
        yield {
            "account_id": str(member.account_id),
            "user_key": vault.user_key(member.user_id),
            "role": member.role,
        }


def _connections(session: Session, _vault: Vault) -> Iterable[dict[str, Any]]:
    cooldowns = _cooldowns(session)
    for connection in session.scalars(select(Connection)):
        scopes = {
            f"connection:{connection.id}",
            f"member:{connection.user_id}",
            f"app:{connection.platform}",
        }
        yield {
            "connection_id": str(connection.id),
            "account_id": str(connection.account_id),
            "platform": connection.platform,
            "state": connection.state,
            "connected_at": connection.connected_at,
            "expires_at": connection.expires_at,
            "scopes": " ".join(connection.scopes),
            "last_success_at": connection.last_success_at,
            "cooldown_until": max(
                (until for scope, until in cooldowns if scope in scopes), default=None
            ),
        }


def _cooldowns(session: Session) -> list[tuple[str, datetime]]:
    """Scope of a budget and until when its platform asked to wait; that may be over."""
    rows = session.execute(
        select(Budget.scope, Budget.cooldown_until).where(Budget.cooldown_until.is_not(None))
    )
    return [(scope, until) for scope, until in rows if until is not None]


def _tracked_posts(session: Session, _vault: Vault) -> Iterable[dict[str, Any]]:
    columns = [
        TrackedPost.__table__.c[name] for name in CONTROL_SCHEMAS["control_tracked_posts"].names
    ]
    for row in session.execute(select(*columns)).mappings():
        yield {**row, "post_id": str(row["post_id"]), "account_id": str(row["account_id"])}


def _imports(session: Session, _vault: Vault) -> Iterable[dict[str, Any]]:
    for item in session.scalars(select(Import)):
        yield {
            "import_id": str(item.id),
            "account_id": str(item.account_id),
            "file_sha256": item.file_sha256,
            "format": item.format,
            "file_name": item.file_name,
            "rows_read": item.rows_read,
            "rows_landed": item.rows_landed,
            "rows_rejected": item.rows_rejected,
            "period_start": item.period_start,
            "period_end": item.period_end,
            "imported_at": item.imported_at,
        }


def _flag_reviews(session: Session, vault: Vault) -> Iterable[dict[str, Any]]:
    for review in session.scalars(select(FlagReview)):
        yield {
            "snapshot_id": str(review.snapshot_id),
            "metric": review.metric,
            "status": review.status,
            "reviewed_by": vault.user_key(review.reviewed_by),
            "reviewed_at": review.reviewed_at,
        }


_ROWS: dict[str, Callable[[Session, Vault], Iterable[dict[str, Any]]]] = {
    "control_users": _users,
    "control_accounts": _accounts,
    "control_account_members": _members,
    "control_connections": _connections,
    "control_tracked_posts": _tracked_posts,
    "control_imports": _imports,
    "control_flag_reviews": _flag_reviews,
}
