"""Accounts and their members (METRICS.md section 2, "Identity")."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from execution.control.models import Account, AccountMember, User
from ingest import identity
from ingest.platforms.base import Profile


def add_member(session: Session, account: Account, user: User) -> None:
    """Let `user` see `account`; the first member owns it."""
    if session.get(AccountMember, (account.id, user.id)) is not None:
        return
    members = session.scalar(select(func.count()).where(AccountMember.account_id == account.id))
    session.add(
        AccountMember(account_id=account.id, user_id=user.id, role="viewer" if members else "owner")
    )
    session.flush()


def member_account(session: Session, user: User, platform: str, handle: str) -> Account | None:
    """The account of this handle that `user` may read; one that a connection has proven first."""
    return session.scalar(
        select(Account)
        .join(AccountMember, AccountMember.account_id == Account.id)
        .where(
            AccountMember.user_id == user.id,
            Account.platform == platform,
            Account.merged_into.is_(None),
            func.lower(Account.handle) == handle.lower(),
        )
        .order_by(Account.is_proven.desc())
        .limit(1)
    )


def proven_account(session: Session, user: User, platform: str, handle: str) -> Account | None:
    """The account of this handle that a connection has proven, if `user` is a member of it."""
    account = member_account(session, user, platform, handle)
    return account if account is not None and account.is_proven else None


def file_account(
    session: Session, *, user: User, platform: str, handle: str, kind: str, now: datetime
) -> Account:
    """The account that a file of `handle` belongs to for `user`.

    The proven account of that handle if the user is a member of it, else the user's own account
    known from files alone, made on first use.
    """
    proven = proven_account(session, user, platform, handle)
    if proven is not None:
        return proven
    account_id = identity.file_account_id(user.id, platform, handle)
    account = session.get(Account, account_id)
    if account is None:
        account = Account(
            id=account_id,
            platform=platform,
            kind=kind,
            handle=handle,
            timezone=user.timezone,
            created_at=now,
        )
        session.add(account)
        session.flush()
        add_member(session, account, user)
    return account


def prove_account(
    session: Session, user: User, platform: str, profile: Profile, now: datetime
) -> tuple[Account, list[UUID]]:
    """The account that a connection of `user` has proven, and the file accounts merged into it.

    The caller lands the merged accounts' files again under the proven account.
    """
    account_id = identity.account_id(platform, profile.platform_account_id)
    account = session.get(Account, account_id)
    if account is None:
        account = Account(
            id=account_id,
            platform=platform,
            kind=profile.kind,
            platform_account_id=profile.platform_account_id,
            timezone=user.timezone,
            is_proven=True,
            created_at=now,
        )
        session.add(account)
    account.handle, account.display_name = profile.handle, profile.display_name
    session.flush()
    add_member(session, account, user)
    return account, _merge_file_account(session, user, account)


def _merge_file_account(session: Session, user: User, proven: Account) -> list[UUID]:
    if proven.handle is None:
        return []
    file_id = identity.file_account_id(user.id, proven.platform, proven.handle)
    return list(
        session.scalars(
            update(Account)
            .where(Account.id == file_id, Account.merged_into.is_(None))
            .values(merged_into=proven.id)
            .returning(Account.id)
        )
    )
