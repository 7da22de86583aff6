"""Tracked posts: which id a post has, and which of its slots are filled, or why they are not."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from execution.control.models import Account, Base, PostAlias, SkippedSlot, TrackedPost
from execution.control.store import upsert
from ingest import identity
from ingest.errors import NexusError
from ingest.slots import OLD_SLOT, POLLED_AGE

if TYPE_CHECKING:  # importing a platform's types imports its client, too
    from ingest.platforms.base import Post

ACTIVE, DELETED = "active", "deleted"

_CHUNK = 500  # SQLite takes 32,766 bound values a statement at most
#: How far the platform's time of publication may lie from the one that the app registered.
_PUBLISHING_TAKES: Final = timedelta(minutes=30)
_LINK = re.compile(r"https?://\S+")
_NO_WORD = re.compile(r"\W+")


#: Each collection of each account runs these: they are built once, on the bare tables.
_POSTS: Final = Base.metadata.tables[TrackedPost.__tablename__]
_ALIASES: Final = Base.metadata.tables[PostAlias.__tablename__]
_SKIPS: Final = Base.metadata.tables[SkippedSlot.__tablename__]

_KNOWN: Final = (
    select(
        _ALIASES.c.platform_post_id,
        _POSTS.c.post_id,
        _POSTS.c.published_at,
        _POSTS.c.last_slot,
        _POSTS.c.state,
        _POSTS.c.content_hash,
    )
    .join_from(_POSTS, _ALIASES, _ALIASES.c.post_id == _POSTS.c.post_id)
    .where(_ALIASES.c.account_id == bindparam("account"))
)
_KNOWN_BY_ID: Final = _KNOWN.where(
    _ALIASES.c.platform_post_id.in_(bindparam("ids", expanding=True))
)
_POLLED: Final = _KNOWN.where(
    _POSTS.c.account_id == bindparam("account"),
    _POSTS.c.state.in_([ACTIVE, DELETED]),
    _POSTS.c.published_at > bindparam("since"),
)
_CONTENT_LANDED: Final = (
    update(_POSTS)
    .where(_POSTS.c.post_id == bindparam("id"))
    .values(content_hash=bindparam("hash"), platform_post_id=bindparam("latest"))
)
_FILL_SLOT: Final = (
    update(_POSTS)
    .where(
        _POSTS.c.post_id == bindparam("id"),
        _POSTS.c.last_slot.is_(None) | (_POSTS.c.last_slot < bindparam("slot")),
    )
    .values(last_slot=bindparam("slot"))
)
_DROP_SKIP: Final = delete(_SKIPS).where(
    _SKIPS.c.subject == bindparam("id"), _SKIPS.c.slot_start == bindparam("slot")
)


@dataclass(frozen=True, slots=True)
class KnownPost:
    """What a snapshot of a post needs to know of it. `last_slot`: the newest slot filled.

    `content_hash`: of the content that is landed.
    """

    post_id: UUID
    published_at: datetime
    last_slot: datetime | None = None
    is_deleted: bool = False
    content_hash: str | None = None


@dataclass(frozen=True)
class Registered:
    """`changed`: posts whose content is not landed yet; `known`: platform post id -> post."""

    changed: "list[Post]"
    known: dict[str, KnownPost]


def known_posts(
    session: Session, account_id: UUID, platform_post_ids: Iterable[str]
) -> dict[str, KnownPost]:
    """Platform post id -> post, for those ids that are registered under any of their aliases."""
    found: dict[str, KnownPost] = {}
    for part in _chunks(platform_post_ids):
        rows = session.connection().execute(_KNOWN_BY_ID, {"account": account_id, "ids": part})
        found |= _as_known(rows)
    return found


def polled_posts(session: Session, account_id: UUID, now: datetime) -> dict[str, KnownPost]:
    """The same for all posts of an account that are polled, or would be were they not deleted."""
    since = now - POLLED_AGE - 2 * OLD_SLOT
    return _as_known(session.connection().execute(_POLLED, {"account": account_id, "since": since}))


def _as_known(rows: Iterable[Any]) -> dict[str, KnownPost]:
    return {
        alias: KnownPost(post_id, published_at, last_slot, state == DELETED, content)
        for alias, post_id, published_at, last_slot, state, content in rows
    }


def _chunks(items: Iterable[str]) -> Iterator[list[str]]:
    whole = list(items)
    for start in range(0, len(whole), _CHUNK):
        yield whole[start : start + _CHUNK]


# --- registration ------------------------------------------------------------------------------


def register_posts(
    session: Session,
    account_id: UUID,
    platform: str,
    posts: "Sequence[Post]",
    now: datetime,
    *,
    known: Mapping[str, KnownPost] | None = None,
) -> Registered:
    """Make every post known under all its ids. `known`: those that were read already.

    A post keeps the id it got first: registering again, or with more versions, changes nothing
    but adds the new aliases. One that the app registered before it had a platform id
    (`register_own_post`) is found by author, time and text. Content counts as landed once
    `content_landed` says so.
    """
    aliases = dict(known or {})
    unknown = {v for p in posts for v in _versions(p)} - aliases.keys()
    aliases |= known_posts(session, account_id, unknown)
    changed: list[Post] = []
    new_posts: list[dict[str, object]] = []
    new_aliases: list[dict[str, object]] = []
    waiting: list[TrackedPost] | None = None
    for post in posts:
        found = next((aliases[v] for v in _versions(post) if v in aliases), None)
        if found is None:
            if waiting is None:
                waiting = _waiting(session, account_id)
            found = _match(session, waiting, post)
        if found is None:
            found = KnownPost(identity.post_id(account_id, _versions(post)[0]), post.published_at)
            new_posts.append(
                {
                    "post_id": found.post_id,
                    "account_id": account_id,
                    "platform": platform,
                    "platform_post_id": post.platform_post_id,
                    "published_at": post.published_at,
                    "post_type": post.post_type,
                    "state": ACTIVE,
                    "registered_at": now,
                }
            )
        for version in _versions(post):
            if version not in aliases:
                aliases[version] = found
                new_aliases.append(
                    {
                        "account_id": account_id,
                        "platform_post_id": version,
                        "post_id": found.post_id,
                    }
                )
        # of a deleted post, text and link were dropped
        if found.is_deleted or found.content_hash != content_hash(post):
            changed.append(post)
    if new_posts:
        session.execute(insert(TrackedPost), new_posts)
    if new_aliases:
        session.execute(insert(PostAlias), new_aliases)
    return Registered(changed, aliases)


def _versions(post: "Post") -> tuple[str, ...]:
    return post.versions or (post.platform_post_id,)


class UnknownLinkError(NexusError):
    """A link that names no post which can be polled."""


def register_own_post(
    session: Session, account: Account, text: str, published_at: datetime, now: datetime
) -> UUID:
    """Register a post that the Nexus app publishes, before the platform has given it an id.

    It is polled from the moment that discovery finds it on the platform, under the id returned.
    """
    post = TrackedPost(
        post_id=uuid4(),
        account_id=account.id,
        platform=account.platform,
        published_at=published_at,
        post_type="post",
        registered_at=now,
        text_hash=text_hash(text),
    )
    session.add(post)
    session.flush()
    return post.post_id


def register_linked_post(
    session: Session, account: Account, link: str, published_at: datetime, now: datetime
) -> UUID:
    """Register a LinkedIn post by its link or URN: a member's posts are listed to nobody.

    Raises UnknownLinkError.
    """
    from ingest.platforms.base import Post  # noqa: PLC0415  (its client is heavy)
    from ingest.platforms.linkedin import post_of_link  # noqa: PLC0415

    urn = post_of_link(link) if account.platform == "linkedin" else None
    if urn is None:
        raise UnknownLinkError(
            f"{link} names no post of LinkedIn: its link holds urn:li:share:… or urn:li:ugcPost:…"
        )
    post = Post(urn, published_at, "post", None, None)
    known = register_posts(session, account.id, account.platform, [post], now).known
    return known[urn].post_id


def text_hash(text: str | None) -> str:
    """Equal for texts of the same words: platforms rewrite links, spaces and escapes."""
    words = _NO_WORD.sub(" ", _LINK.sub(" ", unicodedata.normalize("NFKC", text or "")))
    return hashlib.sha256(words.casefold().strip().encode()).hexdigest()[:32]


def _waiting(session: Session, account_id: UUID) -> list[TrackedPost]:
    """Posts registered by the app that no platform post was found for yet."""
    return list(
        session.scalars(
            select(TrackedPost).where(
                TrackedPost.account_id == account_id,
                TrackedPost.state == ACTIVE,
                TrackedPost.platform_post_id.is_(None),
            )
        )
    )


def _match(session: Session, waiting: list[TrackedPost], post: "Post") -> KnownPost | None:
    """The waiting post that `post` is, which then waits no more."""

    def distance(candidate: TrackedPost) -> timedelta:
        return abs(candidate.published_at - post.published_at)

    words = text_hash(post.text)
    candidates = [
        candidate
        for candidate in waiting
        if candidate.text_hash == words and distance(candidate) <= _PUBLISHING_TAKES
    ]
    if not candidates:
        return None
    found = min(candidates, key=distance)
    waiting.remove(found)
    found.platform_post_id = post.platform_post_id
    found.published_at, found.post_type = post.published_at, post.post_type
    session.flush()
    return KnownPost(found.post_id, post.published_at)


# --- what is landed, filled, deleted -----------------------------------------------------------


def content_hash(post: "Post") -> str:
    """Changes when anything that `PostRow` lands of the post changes."""
    content = repr((post.platform_post_id, post.post_type, post.text, post.url, post.published_at))
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def content_landed(session: Session, landed: "Mapping[UUID, Post]") -> None:
    """Record that the present content of these posts is durable."""
    if landed:
        session.connection().execute(
            _CONTENT_LANDED,
            [
                {"id": post_id, "hash": content_hash(post), "latest": post.platform_post_id}
                for post_id, post in landed.items()
            ],
        )


def fill_slots(session: Session, slots: Mapping[UUID, datetime]) -> None:
    """Record that these posts have a durable snapshot in the slot that starts then.

    `last_slot` only grows, also when the clock was set back.
    """
    if slots:
        session.connection().execute(
            _FILL_SLOT, [{"id": post_id, "slot": slot} for post_id, slot in slots.items()]
        )


def mark_deleted(session: Session, post_ids: Iterable[UUID], now: datetime) -> None:
    """The platform says these are gone: they are no longer polled, their counters stay."""
    for post_id in post_ids:
        session.execute(
            update(TrackedPost)
            .where(TrackedPost.post_id == post_id, TrackedPost.deleted_at.is_(None))
            .values(state=DELETED, deleted_at=now)
        )


def mark_alive(session: Session, post_ids: Iterable[UUID]) -> None:
    """The platform shows these again: the 404 was wrong, or the author changed their mind."""
    for post_id in post_ids:
        session.execute(
            update(TrackedPost)
            .where(TrackedPost.post_id == post_id)
            .values(state=ACTIVE, deleted_at=None)
        )


# --- what is missing, and why ------------------------------------------------------------------


@dataclass(frozen=True)
class Skip:
    """A slot of a post or an account (`subject`) left empty. `is_try`: the platform was asked."""

    subject: UUID
    slot_start: datetime
    reason: str
    is_try: bool = True


def record_skips(session: Session, skips: Sequence[Skip], now: datetime) -> None:
    """Keep the reasons; a later one of the same slot replaces, and the tries add up."""
    rows = [
        {
            "subject": skip.subject,
            "slot_start": skip.slot_start,
            "tries": int(skip.is_try),
            "reason": skip.reason,
            "updated_at": now,
        }
        for skip in skips
    ]
    upsert(session, SkippedSlot, rows, added=("tries",))


def drop_skips(session: Session, slots: Mapping[UUID, datetime]) -> None:
    """These slots are filled after all."""
    if slots:
        session.connection().execute(
            _DROP_SKIP, [{"id": subject, "slot": slot} for subject, slot in slots.items()]
        )
