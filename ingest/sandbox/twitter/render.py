"""Writing posts and users as X sends them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ingest.sandbox.engine import Body, Call
from ingest.sandbox.texts import as_x
from ingest.sandbox.twitter.errors import field_error, not_found_error
from ingest.sandbox.twitter.request import Query
from ingest.sandbox.world import DAY, METRICS, Account, Post

PRIVATE_AGE = 30 * DAY
LONG_TEXT = 280

_NAMES = METRICS["profile"]
COUNTER = {name: index for index, name in enumerate(_NAMES)}
_PUBLIC = ("reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")
PRIVATE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "non_public_metrics": (
        "impression_count",
        "url_link_clicks",
        "user_profile_clicks",
        "engagements",
    ),
    "organic_metrics": (
        "impression_count",
        "like_count",
        "reply_count",
        "retweet_count",
        "url_link_clicks",
        "user_profile_clicks",
    ),
}


@lru_cache(maxsize=1 << 16)
def iso(t: float) -> str:
    """`2021-02-23T18:07:07.000Z`."""
    milliseconds = round(t * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1 << 16)
def _text(text: str) -> tuple[str, str | None]:
    """Text as X sends it, and the whole of it where it is longer than a post may show."""
    whole = as_x(text)
    return (whole, None) if len(text) <= LONG_TEXT else (as_x(text[: LONG_TEXT - 1]) + "…", whole)


@dataclass
class Page:
    """What goes into one reply: posts, errors, and what the expansions name."""

    call: Call
    query: Query
    data: list[Body] = field(default_factory=list)
    errors: list[Body] = field(default_factory=list)
    authors: dict[str, Account] = field(default_factory=dict)
    media: list[Body] = field(default_factory=list)

    def add(self, post: Post, version: int) -> None:
        query, dialect, fields = self.query, self.query.dialect, self.query.fields
        shown = post.versions[version]
        post_id = str(shown.id)
        text, note = _text(post.text)
        body: Body = {"id": post_id, "text": text}
        self.data.append(body)
        body[dialect.history] = [str(v.id) for v in post.versions if v.since <= self.call.now]
        account = post.account
        for name in (fields & _POST_FIELDS.keys()) - dialect.foreign:
            value = _POST_FIELDS[name](post, shown.since)
            if value is not None:
                body[name] = value
        if dialect.note in fields and note is not None:
            body[dialect.note] = {"text": note}
        if "public_metrics" in fields or not fields.isdisjoint(PRIVATE_FIELDS):
            self._add_metrics(body, post, version, post_id)
        if "author_id" in query.expansions:
            body["author_id"] = account.id
            self.authors[account.id] = account
        if "attachments.media_keys" in query.expansions and post.has_media:
            body["attachments"] = _attachments(post)
            self.media.append({"media_key": f"3_{post.activity_id}", "type": "photo"})
        if f"{dialect.references}.id" in query.expansions and post.referenced is not None:
            # Other people's posts are not in this world: as with a post that is gone.
            self.errors.append(
                not_found_error("tweet", f"{dialect.references}.id", str(post.referenced[1]))
            )

    def _add_metrics(self, body: Body, post: Post, version: int, post_id: str) -> None:
        counts = post.version_counts(version, self.call.now)
        fields = self.query.fields
        if "public_metrics" in fields:
            public = {self.query.dialect.shares: counts[COUNTER["retweet_count"]]}
            public.update({name: counts[COUNTER[name]] for name in _PUBLIC})
            body["public_metrics"] = public
        for name, parts in PRIVATE_FIELDS.items():
            if name not in fields:
                continue
            if not may_read_private(self.call, post):
                self.errors.extend(field_error(f"{name}.{part}", post_id) for part in parts)
                continue
            metrics = {part: counts[COUNTER[part]] for part in parts if part != "engagements"}
            if "retweet_count" in metrics:
                metrics[self.query.dialect.shares] = metrics.pop("retweet_count")
            if "engagements" in parts:
                metrics["engagements"] = sum(counts) - counts[0]
            body[name] = metrics

    def body(self) -> Body:
        """`data` is absent when empty, `includes` and `errors` when there are none."""
        body: Body = {"data": self.data} if self.data else {}
        includes: Body = {}
        if self.authors:
            includes["users"] = [
                user_body(account, self.call.now, self.query) for account in self.authors.values()
            ]
        if self.media:
            includes["media"] = self.media
        if includes:
            body["includes"] = includes
        if self.errors:
            body["errors"] = self.errors
        self.call.served = len(self.data)
        return body


def may_read_private(call: Call, post: Post) -> bool:
    """Only the owner's token, and only posts of the last 30 days."""
    owner = call.grant is not None and call.grant.account is post.account
    return owner and call.now - post.published <= PRIVATE_AGE


#: How the fields of a post are written; None leaves the field out.
_POST_FIELDS: Mapping[str, Callable[[Post, float], Any]] = {
    "created_at": lambda _post, since: iso(since),
    "author_id": lambda post, _since: post.account.id,
    "attachments": lambda post, _since: _attachments(post),
    "referenced_tweets": lambda post, _since: _references(post),
    "referenced_posts": lambda post, _since: _references(post),
    "in_reply_to_user_id": lambda post, _since: _in_reply_to(post),
    "conversation_id": lambda post, _since: str(post.id),
    "lang": lambda _post, _since: "en",
}


def _attachments(post: Post) -> Body | None:
    return {"media_keys": [f"3_{post.activity_id}"]} if post.has_media else None


def _references(post: Post) -> list[Body] | None:
    if post.referenced is None:
        return None
    return [{"type": post.referenced[0], "id": str(post.referenced[1])}]


def _in_reply_to(post: Post) -> str | None:
    if post.type != "reply" or post.referenced is None:
        return None
    return str(post.referenced[2])


def user_body(account: Account, now: float, query: Query) -> Body:
    """A user; `public_metrics` is today's number, there is no history."""
    body: Body = {"id": account.id, "name": account.name, "username": account.spec.handle}
    if "created_at" in query.user_fields:
        body["created_at"] = iso(account.world.start - 900 * DAY)
    if "public_metrics" in query.user_fields:
        body["public_metrics"] = {
            "followers_count": account.followers(now),
            "following_count": 300 + account.number,
            query.dialect.post_count: sum(1 for _ in account.newest_first(now)),
            "listed_count": account.followers(now) // 90,
        }
    return body
