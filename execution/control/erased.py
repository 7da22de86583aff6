"""Posts that were erased, and that discovery must not bring back (DESIGN.md section 5).

Only a keyed digest is kept: who has the store alone cannot tell which posts they were. What a user
imports of their own will counts as known again, and is collected like any other post.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.control.models import ErasedPost, PostAlias
from execution.control.vault import Vault


def remember_erased(session: Session, vault: Vault, post_ids: Iterable[UUID]) -> None:
    """Keep a digest of every platform id these posts have now; call it before they go."""
    aliases = session.scalars(select(PostAlias).where(PostAlias.post_id.in_(list(post_ids))))
    for alias in list(aliases):
        digest = _digest(vault, alias.account_id, alias.platform_post_id)
        session.merge(ErasedPost(account_id=alias.account_id, digest=digest))
    session.flush()


def erased_among(
    session: Session, vault: Vault, account_id: UUID, platform_post_ids: Collection[str]
) -> set[str]:
    """Those of an account's posts that were erased and are not known again."""
    digests = set(
        session.scalars(select(ErasedPost.digest).where(ErasedPost.account_id == account_id))
    )
    if not digests:
        return set()
    erased = {id_ for id_ in platform_post_ids if _digest(vault, account_id, id_) in digests}
    known = select(PostAlias.platform_post_id).where(
        PostAlias.account_id == account_id, PostAlias.platform_post_id.in_(erased)
    )
    return erased - set(session.scalars(known))


def _digest(vault: Vault, account_id: UUID, platform_post_id: str) -> str:
    message = f"erased post\x1f{account_id}\x1f{platform_post_id}".encode()
    return hmac.new(vault.pseudonym_key, message, hashlib.sha256).hexdigest()
