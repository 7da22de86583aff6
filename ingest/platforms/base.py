"""What every platform module shares: the rows it lands and the protocol it answers to.

A row model is one raw table: its fields are the table's columns, its `table` and `key` say where
rows land and what makes them the same row. Counters keep the platform's own names; dbt staging
gives them the product's. A counter that was not sent is None (METRICS.md section 1).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.http import ApiError
from ingest.oauth import Provider

#: The marts keep counters as INTEGER (directive 1.2), and what one adds to another, too: any two of
#: these differ by less than 2**31. LinkedIn's corrections go below zero, by a million at most. What
#: does not fit is rejected, not wrapped: no build could go on with it.
LEAST_COUNT = -(2**20)
MOST_COUNT = 2**31 - 1 + LEAST_COUNT
Counter = Annotated[int, Field(ge=LEAST_COUNT, le=MOST_COUNT)]
MaybeCounter = Counter | None

AccountKind = Literal["page", "member", "profile"]


class Row(BaseModel):
    """A row of one raw table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]


class PostRow(Row):
    """What a post is: landed when first seen and whenever its content changes."""

    key = ("platform_post_id",)

    post_id: UUID
    account_id: UUID
    platform_post_id: str
    published_at: AwareDatetime
    post_type: str
    text: str | None
    url: str | None
    fetched_at: AwareDatetime


class SnapshotRow(Row):
    """Cumulative counters of one post in one slot; subclasses add the platform's counters."""

    key = ("platform_post_id", "slot_start")

    snapshot_id: UUID
    post_id: UUID
    account_id: UUID
    platform_post_id: str
    published_at: AwareDatetime
    slot_start: AwareDatetime
    collected_at: AwareDatetime


class AccountRow(Row):
    """Profile and audience of an account at one reading (six-hour slots)."""

    key = ("account_id", "slot_start")

    account_id: UUID
    platform_account_id: str
    account_kind: AccountKind
    slot_start: AwareDatetime
    collected_at: AwareDatetime
    handle: str | None
    display_name: str | None
    followers_count: MaybeCounter


@dataclass(frozen=True)
class AccountRef:
    """The account a connection reads, as the platform names it."""

    account_id: UUID
    platform_account_id: str
    kind: AccountKind
    handle: str | None = None


@dataclass(frozen=True)
class Profile:
    """Who a token belongs to, and how large the audience is now."""

    platform_account_id: str
    kind: AccountKind
    handle: str | None
    display_name: str | None
    followers_count: int | None


@dataclass(frozen=True)
class Post:
    """A post as the platform describes it, counters aside.

    `versions`: all platform ids of the post, oldest first (an edited X post has one per edit).
    `post_type`: post | reply | quote on X; post | article | ... on LinkedIn.
    """

    platform_post_id: str
    published_at: datetime
    post_type: str
    text: str | None
    url: str | None
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Counters of one post at one moment, by the platform's own names (None: not sent)."""

    platform_post_id: str
    collected_at: datetime
    counters: dict[str, int | None]


@dataclass(frozen=True)
class Rejected:
    """Something the platform sent that cannot be used: which thing, which field, why."""

    subject: str
    field: str
    reason: str


@dataclass
class Collection:
    """All that one collection of one account brought; nothing asked for is missing from it.

    Every due id is in one of `readings`, `deleted` and `skipped` (with the reason), or else in
    `rejected`; what was rejected is told beside a reading too, where another answer was usable.
    `readings` and `posts` may hold posts that were not due: those found by discovery.
    `discovered`: discovery was asked for and read all it had to.
    `errors`: requests that failed and were skipped; the collection went on without them.
    `stopped_by`: the error that ended the collection early, after something had been received.
    """

    profile: Profile | None = None
    posts: list[Post] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    discovered: bool = False
    errors: list[ApiError] = field(default_factory=list)
    stopped_by: ApiError | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was received."""
        return not (self.profile or self.posts or self.readings or self.deleted or self.rejected)


@dataclass(frozen=True)
class CollectionRequest:
    """What is due for one account: posts by platform id, and whether to look for new ones.

    `discover_since`: read the account's posts published since then; None: do not look.
    `known`: ids already tracked. Of what discovery finds, only posts that are not among them get
    a reading with their registration; on LinkedIn each 50 known ones left out save a request.
    """

    account: AccountRef
    due: Sequence[str] = ()
    discover_since: datetime | None = None
    with_profile: bool = False
    known: Set[str] = frozenset()


@dataclass(frozen=True)
class Reads:
    """What one collection of an account takes: requests, and resources read by billed families."""

    requests: int
    resources: Mapping[str, int] = field(default_factory=dict)

    def cost(self, prices: Mapping[str, int]) -> int:
        """In micro-dollars, if nothing of it was read before in the same UTC day."""
        return sum(prices.get(family, 0) * count for family, count in self.resources.items())


@dataclass(frozen=True)
class RequestWindow:
    """The stretch of time in which requests are counted, and the setting that says how many.

    The setting's name goes after the platform's prefix: x_requests_per_15_minutes.
    """

    length: timedelta
    setting: str


@dataclass(frozen=True)
class PlatformSettings(ABC):
    """What a client is told, and what follows from it for budgets and plans.

    Fields take the installation's settings of the same name behind the platform's prefix
    (`x_dialect`); one that has none keeps its default.
    """

    base_url: str
    timeout: float = 30.0

    @property
    def daily_calls(self) -> tuple[int | None, int | None]:
        """Calls a UTC day for the app and for one member; None: no such limit."""
        return None, None

    @property
    def prices(self) -> Mapping[str, float]:
        """Endpoint family -> dollars per resource read. What is not in it is free."""
        return {}

    @abstractmethod
    def reads(
        self, kind: AccountKind, *, due: int, listed: int, looks: bool, profile: bool
    ) -> Reads:
        """What one collection takes, told before anything is asked.

        `due`: posts to read; `listed`: posts in the stretch of time that discovery goes through,
        due ones included; `looks`: discovery is due; `profile`: name and followers are.
        """


class Platform(Protocol):
    """One platform, bound to one connection. Methods raise only `ingest.http.ApiError`.

    `kinds`: of its accounts, as people read them; `provider`: how it grants tokens.
    `accounts`: what the token may collect; `whoami`: the first of them. `collect` raises where
    nothing was received, else returns what it got with `Collection.stopped_by` set.
    """

    name: ClassVar[str]
    post_row: ClassVar[type[PostRow]]
    snapshot_row: ClassVar[type[SnapshotRow]]
    account_row: ClassVar[type[AccountRow]]
    settings: ClassVar[type[PlatformSettings]]
    kinds: ClassVar[tuple[AccountKind, ...]]
    window: ClassVar[RequestWindow]
    provider: ClassVar[Provider]

    def accounts(self) -> list[Profile]: ...

    def whoami(self) -> Profile: ...

    def collect(self, request: CollectionRequest) -> Collection: ...

    def close(self) -> None: ...
