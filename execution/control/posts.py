"""Tracked posts: which id a post has, and which of its slots are filled."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from execution.control.models import PostAlias, TrackedPost
from ingest import identity
from ingest.platforms.base import Post

_CHUNK = 500  # SQLite takes 32,766 bound values a statement at most


@dataclass(frozen=True)
class KnownPost:
    """What a snapshot of a post needs to know of it."""

    post_id: UUID
    published_at: datetime


@dataclass(frozen=True)
class Registered:
    """`changed`: posts whose content is not landed yet; `known`: platform post id -> post."""

    changed: list[Post]
    known: dict[str, KnownPost]


def known_posts(
    session: Session, account_id: UUID, platform_post_ids: Iterable[str]
) -> dict[str, KnownPost]:
    """Platform post id -> post, for those ids that are registered under any of their aliases."""
    ids = list(platform_post_ids)
    query = (
        select(PostAlias.platform_post_id, TrackedPost.post_id, TrackedPost.published_at)
        .join(TrackedPost, TrackedPost.post_id == PostAlias.post_id)
        .where(PostAlias.account_id == account_id)
    )
    found: dict[str, KnownPost] = {}
    for start in range(0, len(ids), _CHUNK):
        part = query.where(PostAlias.platform_post_id.in_(ids[start : start + _CHUNK]))
        for platform_post_id, post_id, published_at in session.execute(part):
            found[platform_post_id] = KnownPost(post_id, published_at)
    return found


def register_posts(
    session: Session, account_id: UUID, platform: str, posts: Sequence[Post], now: datetime
) -> Registered:
    """Make every post known under all its ids.

    A post keeps the id it got first: registering again, or with more versions, changes nothing
    but adds the new aliases. Content counts as landed once `content_landed` says so.
    """
    aliases = known_posts(session, account_id, (v for p in posts for v in _versions(p)))
    landed = _content_hashes(session, {known.post_id for known in aliases.values()})
    changed: list[Post] = []
    new_posts: list[dict[str, object]] = []
    new_aliases: list[dict[str, object]] = []
    for post in posts:
        known = next((aliases[v] for v in _versions(post) if v in aliases), None)
        if known is None:
            known = KnownPost(identity.post_id(account_id, _versions(post)[0]), post.published_at)
            new_posts.append(
                {
                    "post_id": known.post_id,
                    "account_id": account_id,
                    "platform": platform,
                    "platform_post_id": post.platform_post_id,
                    "published_at": post.published_at,
                    "post_type": post.post_type,
                    "state": "active",
                    "registered_at": now,
                }
            )
        for version in _versions(post):
            if version not in aliases:
                aliases[version] = known
                new_aliases.append(
                    {
                        "account_id": account_id,
                        "platform_post_id": version,
                        "post_id": known.post_id,
                    }
                )
        if landed.get(known.post_id) != content_hash(post):
            changed.append(post)
    if new_posts:
        session.execute(insert(TrackedPost), new_posts)
    if new_aliases:
        session.execute(insert(PostAlias), new_aliases)
    return Registered(changed, aliases)


def _versions(post: Post) -> tuple[str, ...]:
    return post.versions or (post.platform_post_id,)


def content_hash(post: Post) -> str:
    """Changes when anything that `PostRow` lands of the post changes."""
    content = repr((post.platform_post_id, post.post_type, post.text, post.url, post.published_at))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _content_hashes(session: Session, post_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    ids = list(post_ids)
    found: dict[UUID, str | None] = {}
    for start in range(0, len(ids), _CHUNK):
        rows = session.execute(
            select(TrackedPost.post_id, TrackedPost.content_hash).where(
                TrackedPost.post_id.in_(ids[start : start + _CHUNK])
            )
        )
        found.update((post_id, content) for post_id, content in rows)
    return found


def content_landed(session: Session, landed: Mapping[UUID, Post]) -> None:
    """Record that the present content of these posts is durable."""
    if landed:
        session.connection().execute(
            update(TrackedPost)
            .where(TrackedPost.post_id == bindparam("id"))
            .values(content_hash=bindparam("hash"), platform_post_id=bindparam("latest")),
            [
                {"id": post_id, "hash": content_hash(post), "latest": post.platform_post_id}
                for post_id, post in landed.items()
            ],
        )


def fill_slots(session: Session, slots: Mapping[UUID, datetime]) -> None:
    """Record that these posts have a durable snapshot in the slot that starts then."""
    if slots:
        session.connection().execute(
            update(TrackedPost)
            .where(TrackedPost.post_id == bindparam("id"))
            .values(last_slot=bindparam("slot")),
            [{"id": post_id, "slot": slot} for post_id, slot in slots.items()],
        )


def mark_deleted(session: Session, post_ids: Iterable[UUID], now: datetime) -> None:
    """The platform says these are gone: they are no longer polled, their counters stay."""
    for post_id in post_ids:
        session.execute(
            update(TrackedPost)
            .where(TrackedPost.post_id == post_id, TrackedPost.deleted_at.is_(None))
            .values(state="deleted", deleted_at=now)
        )
