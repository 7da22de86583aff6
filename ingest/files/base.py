"""What every export format shares: what a file gives, and the row it lands.

A file is a list of posts with their lifetime counters, as they were when a person downloaded it
(METRICS.md section 2, "Files").
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime

from ingest import identity
from ingest.platforms.base import AccountKind, MaybeCounter, Row
from ingest.slots import slot_start

CollectedBasis = Literal["stated", "assumed"]


class FileError(Exception):
    """A file that cannot be imported at all; the message is one line and names the file."""

    def __init__(self, file_name: str, reason: str) -> None:
        super().__init__(f"{file_name}: {reason}")
        self.reason = reason


class ExportPostRow(Row):
    """One row of an X post export: the lifetime counters of one version of a post.

    An edited post has one row per version, all with the same `post_id` and `snapshot_id`.
    `row_number` is the row's place in the file, its header being row 1. Counters are those of all
    layouts under the names of the legacy one; a layout that lacks one leaves it unknown. The
    engagement rates of the file are not kept: they follow from the counters.
    """

    table = "twitter_export_posts"
    key = ("account_id", "platform_post_id", "file_sha256")

    snapshot_id: UUID
    post_id: UUID
    account_id: UUID
    platform_post_id: str
    published_at: AwareDatetime
    slot_start: AwareDatetime
    collected_at: AwareDatetime
    collected_basis: CollectedBasis
    file_sha256: str
    row_number: int
    post_type: str
    text: str | None
    url: str | None

    impressions: MaybeCounter = None
    engagements: MaybeCounter = None
    retweets: MaybeCounter = None
    replies: MaybeCounter = None
    likes: MaybeCounter = None
    user_profile_clicks: MaybeCounter = None
    url_clicks: MaybeCounter = None
    hashtag_clicks: MaybeCounter = None
    detail_expands: MaybeCounter = None
    permalink_clicks: MaybeCounter = None
    app_opens: MaybeCounter = None
    app_installs: MaybeCounter = None
    follows: MaybeCounter = None
    email_tweet: MaybeCounter = None
    dial_phone: MaybeCounter = None
    media_views: MaybeCounter = None
    media_engagements: MaybeCounter = None

    promoted_impressions: MaybeCounter = None
    promoted_engagements: MaybeCounter = None
    promoted_retweets: MaybeCounter = None
    promoted_replies: MaybeCounter = None
    promoted_likes: MaybeCounter = None
    promoted_user_profile_clicks: MaybeCounter = None
    promoted_url_clicks: MaybeCounter = None
    promoted_hashtag_clicks: MaybeCounter = None
    promoted_detail_expands: MaybeCounter = None
    promoted_permalink_clicks: MaybeCounter = None
    promoted_app_opens: MaybeCounter = None
    promoted_app_installs: MaybeCounter = None
    promoted_follows: MaybeCounter = None
    promoted_email_tweet: MaybeCounter = None
    promoted_dial_phone: MaybeCounter = None
    promoted_media_views: MaybeCounter = None
    promoted_media_engagements: MaybeCounter = None

    bookmarks: MaybeCounter = None
    shares: MaybeCounter = None


@dataclass(frozen=True)
class ExportPost:
    """One usable row of a file. `counters`: ExportPostRow's counter columns -> values."""

    row_number: int
    handle: str
    platform_post_id: str
    published_at: datetime
    post_type: str
    text: str | None
    url: str | None
    counters: Mapping[str, int | None]


@dataclass(frozen=True)
class RejectedRow:
    """A row of a file that cannot be used: where it is, which field, why, and as it stands."""

    row_number: int
    field: str
    reason: str
    raw: str


@dataclass(frozen=True)
class Export:
    """A file that was read: each of its rows is in `posts` or in `rejected`.

    `handle`: whose posts these are. `period_start`, `period_end`: [start, end) as the file's name
    states it, aware UTC, None where it does not. `collected_at`: when the counters held; `stated`
    by the user or `assumed`. The same bytes keep their first time: a caller who has imported this
    `sha256` before gives those two their old values (`dataclasses.replace`) before landing.
    """

    file_name: str
    format: str
    platform: str
    account_kind: AccountKind
    handle: str
    sha256: str
    period_start: datetime | None
    period_end: datetime | None
    collected_at: datetime
    collected_basis: CollectedBasis
    posts: tuple[ExportPost, ...]
    rejected: tuple[RejectedRow, ...]

    @property
    def rows_read(self) -> int:
        return len(self.posts) + len(self.rejected)

    def problems(self) -> Iterator[str]:
        """One line for each rejected row."""
        for row in self.rejected:
            yield f"{self.file_name}, row {row.row_number}, {row.field}: {row.reason}"

    def rows(self, account_id: UUID, identify: Callable[[str], UUID]) -> Iterator[ExportPostRow]:
        """The rows to land. `identify`: platform post id -> post id, the same for all versions."""
        identified = [(identify(post.platform_post_id), post) for post in self.posts]
        first_published: dict[UUID, datetime] = {}
        for post_id, post in identified:
            known = first_published.get(post_id, post.published_at)
            first_published[post_id] = min(known, post.published_at)
        for post_id, post in identified:
            slot = slot_start(self.collected_at, first_published[post_id])
            yield ExportPostRow(
                snapshot_id=identity.snapshot_id(post_id, slot),
                post_id=post_id,
                account_id=account_id,
                platform_post_id=post.platform_post_id,
                published_at=post.published_at,
                slot_start=slot,
                collected_at=self.collected_at,
                collected_basis=self.collected_basis,
                file_sha256=self.sha256,
                row_number=post.row_number,
                post_type=post.post_type,
                text=post.text,
                url=post.url,
                **post.counters,
            )


@dataclass(frozen=True)
class NameFacts:
    """What a file's name says: whose posts, and of which period [start, end)."""

    handle: str | None
    period: tuple[datetime, datetime] | None


@dataclass(frozen=True)
class CsvFormat:
    """A layout of comma-separated text.

    `columns`: our name of each column that must be there -> its spellings in headers, lower case.
    `row_start`: what the first line of a row looks like; after a row whose quotes do not balance,
    reading goes on there. `read_row`: row number and the named fields -> post, raising
    `ingest.platforms.values.Unusable`. `read_name`: what the file's name says.
    """

    name: str
    title: str
    platform: str
    account_kind: AccountKind
    columns: Mapping[str, frozenset[str]]
    row_start: re.Pattern[str]
    read_row: Callable[[int, Mapping[str, str]], ExportPost]
    read_name: Callable[[str], NameFacts]
