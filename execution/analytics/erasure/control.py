"""Erasure in the control store: rows go, names in what stays are hidden, freed pages are wiped."""

import time
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from execution.analytics.erasure.subject import Erasure, Terms
from execution.control.erased import remember_erased
from execution.control.models import (
    Account,
    AccountMember,
    ApiKey,
    ApiUsage,
    AuditEntry,
    Base,
    Budget,
    Connection,
    ErasedPost,
    FlagReview,
    Import,
    LoginLink,
    Notification,
    PostAlias,
    Run,
    SkippedSlot,
    TrackedPost,
    User,
    UserSession,
)
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.errors import NexusError

_CHUNK: Final = 500
#: Rows go by these columns, in this order: what refers to a row goes before it.
_MARKS: Final[tuple[tuple[InstrumentedAttribute[Any], str], ...]] = (
    (FlagReview.snapshot_id, "snapshots"),
    (FlagReview.reviewed_by, "users"),
    (SkippedSlot.subject, "posts"),
    (SkippedSlot.subject, "accounts"),
    (PostAlias.post_id, "posts"),
    (PostAlias.account_id, "accounts"),
    (TrackedPost.post_id, "posts"),
    (TrackedPost.account_id, "accounts"),
    (ErasedPost.account_id, "accounts"),
    (Import.account_id, "accounts"),
    (Notification.connection_id, "connections"),
    (Notification.user_id, "users"),
    (ApiUsage.connection_id, "connections"),
    (Connection.id, "connections"),
    (AccountMember.account_id, "accounts"),
    (AccountMember.user_id, "users"),
    (Account.merged_into, "accounts"),
    (Account.id, "accounts"),
    (ApiKey.user_id, "users"),
    (UserSession.user_id, "users"),
    (LoginLink.user_id, "users"),
    (User.id, "users"),
)
#: Text that stays, in which ids and names are hidden.
_TEXTS: Final[tuple[InstrumentedAttribute[Any], ...]] = (
    SkippedSlot.reason,
    Connection.state_reason,
    Budget.cooldown_reason,
    Notification.message,
    AuditEntry.actor,
    AuditEntry.detail,
    Run.summary,
)


def erase_known(session: Session, vault: Vault, erasure: Erasure) -> Counter[str]:
    """Delete all of it in one transaction; place -> rows that went, or were changed.

    An account that others read stays: its next owner is who connected it first.
    """
    if erasure.kind == "post":
        remember_erased(session, vault, map(UUID, erasure.posts))
    gone: Counter[str] = Counter()
    for account in map(UUID, erasure.accounts_left):
        _hand_over(session, account, {UUID(user) for user in erasure.users})
    for column, marked in _MARKS:
        gone[_place(column)] += _delete(session, column, map(UUID, getattr(erasure, marked)))
    scopes = [f"member:{user}" for user in erasure.users]
    scopes += [f"connection:{item}" for item in erasure.connections]
    gone["control budgets"] += _delete(session, Budget.scope, scopes)
    gone["control notifications"] += _delete(
        session,
        Notification.id,
        [
            found.id
            for found in session.scalars(select(Notification))
            if erasure.terms.found_in(found.key)
        ],
    )
    for text in _TEXTS:
        gone[f"{_place(text)} (hidden)"] += _hide(session, text, erasure.terms)
    return +gone


def compact(store: ControlStore) -> None:
    """Wipe the bytes of deleted rows: SQLite is written anew and its log cut to nothing.

    A PostgreSQL server does it in its own time (autovacuum). Raises NexusError if another process
    reads all the while.
    """
    if store.engine.dialect.name != "sqlite":
        return
    for _ in range(3):
        if _is_compacted(store.engine):
            return
        time.sleep(1)
    raise NexusError("the control store is in use: its file could not be written anew")


def _is_compacted(engine: Engine) -> bool:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _place(column: InstrumentedAttribute[Any]) -> str:
    return f"control {column.class_.__tablename__}"


def _delete(session: Session, column: InstrumentedAttribute[Any], values: Iterable[object]) -> int:
    whole, rows = list(values), 0
    table = Base.metadata.tables[column.class_.__tablename__]
    for start in range(0, len(whole), _CHUNK):
        part = whole[start : start + _CHUNK]
        done = session.connection().execute(delete(table).where(table.c[column.key].in_(part)))
        rows += done.rowcount
    return rows


def _hand_over(session: Session, account: UUID, leaving: Collection[UUID]) -> None:
    """Let somebody who stays own the account, and what was imported into it."""
    heirs = session.execute(
        select(AccountMember)
        .outerjoin(
            Connection,
            (Connection.account_id == AccountMember.account_id)
            & (Connection.user_id == AccountMember.user_id),
        )
        .where(AccountMember.account_id == account, AccountMember.user_id.not_in(leaving))
        .order_by(
            AccountMember.role,  # an owner goes before a viewer
            Connection.connected_at.is_(None),
            Connection.connected_at,
            AccountMember.user_id,
        )
    ).scalars()
    heir = next(iter(heirs), None)
    if heir is not None:
        heir.role = "owner"
        session.execute(
            update(Import)
            .where(Import.account_id == account, Import.user_id.in_(leaving))
            .values(user_id=heir.user_id)
        )
        session.flush()


def _hide(session: Session, column: InstrumentedAttribute[Any], terms: Terms) -> int:
    changed = 0
    rows: Iterable[Any] = session.scalars(select(column.class_).where(column.is_not(None)))
    for row in rows:
        value = getattr(row, column.key)
        hidden = terms.hide_in(value)
        if hidden != value:
            setattr(row, column.key, hidden)
            changed += 1
    session.flush()
    return changed
