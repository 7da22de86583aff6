"""Tables of the control store (DESIGN.md section 3). Tokens are only ever held encrypted."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC datetimes on every backend: SQLite forgets the zone, so it is put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[list[int]]: JSON,
    }


class User(Base):
    """A person who signs in; `timezone` is an IANA name."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(default="UTC")
    created_at: Mapped[datetime]


class Account(Base):
    """A profile or page on a platform. `is_proven`: a connection has shown that it exists."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    platform: Mapped[str]
    kind: Mapped[str]
    platform_account_id: Mapped[str | None]
    handle: Mapped[str | None]
    display_name: Mapped[str | None]
    timezone: Mapped[str] = mapped_column(default="UTC")
    is_proven: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    created_at: Mapped[datetime]


class AccountMember(Base):
    """Who may see an account. The first member owns it."""

    __tablename__ = "account_members"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[str]


class Connection(Base):
    """A consent to read one account. `tokens` is AES-256-GCM ciphertext (vault.py).

    `monthly_cap_micros`: what its calls may cost in a UTC month, in micro-dollars.
    `queued_at`: since when something due waits for a budget or a cooldown; None: nothing does.
    """

    __tablename__ = "connections"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    platform: Mapped[str]
    state: Mapped[str] = mapped_column(default="active")
    state_reason: Mapped[str | None]
    scopes: Mapped[list[str]]
    tokens: Mapped[bytes]
    expires_at: Mapped[datetime | None]
    refresh_expires_at: Mapped[datetime | None]
    connected_at: Mapped[datetime]
    last_discovery_slot: Mapped[datetime | None]
    last_profile_slot: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    monthly_cap_micros: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (UniqueConstraint("account_id", "user_id"),)


class TrackedPost(Base):
    """A post to poll. `last_slot`: start of the newest slot that holds a durable snapshot.

    `text_hash`: of a post that was registered before the platform gave it an id (posts.py).
    """

    __tablename__ = "tracked_posts"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    platform: Mapped[str]
    platform_post_id: Mapped[str | None]
    published_at: Mapped[datetime]
    post_type: Mapped[str]
    state: Mapped[str] = mapped_column(default="active")
    deleted_at: Mapped[datetime | None]
    registered_at: Mapped[datetime]
    last_slot: Mapped[datetime | None]
    content_hash: Mapped[str | None]
    text_hash: Mapped[str | None]

    __table_args__ = (Index("ix_tracked_posts_due", "account_id", "state", "published_at"),)


class PostAlias(Base):
    """Every platform id a post is known under: edit versions, share / ugcPost / activity URNs."""

    __tablename__ = "post_aliases"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    platform_post_id: Mapped[str] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("tracked_posts.post_id"), index=True)


class ErasedPost(Base):
    """A post that was erased, by a digest under the vault's key (erased.py)."""

    __tablename__ = "erased_posts"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)


class Import(Base):
    """One imported file. The same bytes keep their first `collected_at`."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    file_sha256: Mapped[str] = mapped_column(index=True)
    file_name: Mapped[str]
    format: Mapped[str]
    rows_read: Mapped[int]
    rows_landed: Mapped[int]
    rows_rejected: Mapped[int]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    collected_at: Mapped[datetime]
    collected_basis: Mapped[str]
    imported_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("account_id", "file_sha256"),)


class SkippedSlot(Base):
    """Why a slot holds no snapshot: of a post, or of an account that could not be collected.

    `subject`: post id or account id; an account's slots are those of two hours. `tries`: runs
    that asked for it in vain. A post's row goes when its slot is filled after all.
    """

    __tablename__ = "skipped_slots"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    slot_start: Mapped[datetime] = mapped_column(primary_key=True)
    tries: Mapped[int]
    reason: Mapped[str]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("ix_skipped_slots_slot_start", "slot_start"),)


class Budget(Base):
    """What was taken from a budget, and its cooldown (budgets.py).

    `scope`: `app:<platform>`, `member:<user id>` or `connection:<id>`; `family`: a platform, its
    day, or an endpoint family. `taken`: [[unix seconds, requests], …] within the last window.
    """

    __tablename__ = "budgets"

    scope: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str] = mapped_column(primary_key=True)
    taken: Mapped[list[list[int]]]
    cooldown_until: Mapped[datetime | None]
    cooldown_reason: Mapped[str | None]


class ApiUsage(Base):
    """Ledger of API calls per connection, endpoint family and UTC day; cost in micro-dollars."""

    __tablename__ = "api_usage"

    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id"), primary_key=True)
    family: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(default=0)
    posts_read: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)


class Notification(Base):
    """Something a person should know; one open notification per `key`."""

    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    key: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    message: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    connection_id: Mapped[UUID | None] = mapped_column(ForeignKey("connections.id"))
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]


class ApiKey(Base):
    """A bearer key, kept as SHA-256; `prefix` lets its owner recognise it."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class LoginLink(Base):
    """A one-time link into the dashboard, kept as SHA-256."""

    __tablename__ = "login_links"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UserSession(Base):
    """A browser that signed in; the cookie carries the id, the store its hash."""

    __tablename__ = "sessions"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FlagReview(Base):
    """What a person decided about a flagged change (METRICS.md section 8)."""

    __tablename__ = "flag_reviews"

    snapshot_id: Mapped[UUID] = mapped_column(primary_key=True)
    metric: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    reviewed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    reviewed_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what that leaves the system or changes who may see it; written before the effect."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    detail: Mapped[dict[str, Any]]


class Run(Base):
    """One run of a command that writes: what it did and how it ended."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None]
    summary: Mapped[dict[str, Any] | None]
