"""Stable identifiers, minted here and nowhere else (METRICS.md section 2, "Identity").

All are UUIDv5 of their natural key, so that a replay, a second import or another machine gives
the same ids. SQL has no UUIDv5: rows carry their ids from landing on.
"""

from datetime import datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("6f1c2f5e-3f0b-5d8e-9c55-9a3d7d1d9b11")


def _mint(kind: str, *parts: str) -> UUID:
    return uuid5(NAMESPACE, "\x1f".join((kind, *parts)))


def account_id(platform: str, platform_account_id: str) -> UUID:
    """Id of an account that a connection has proven."""
    return _mint("account", platform, platform_account_id)


def file_account_id(user_id: UUID, platform: str, handle: str) -> UUID:
    """Id of an account known from one user's files alone; handles compare without case."""
    return _mint("file_account", str(user_id), platform, handle.casefold())


def post_id(account: UUID, platform_post_id: str) -> UUID:
    """Id of a post that was first known under `platform_post_id`."""
    return _mint("post", str(account), platform_post_id)


def snapshot_id(post: UUID, slot_start: datetime) -> UUID:
    """Id of a post's snapshot in the slot that starts at `slot_start` (aware UTC)."""
    return _mint("snapshot", str(post), slot_start.strftime("%Y-%m-%dT%H:%MZ"))
