"""An installation with half a year of two people's posts, some of them shared, landed as rows.

Ana and Ben both read `team_x`; `ana_x` and `ana-page` are Ana's alone, `ben_x` is Ben's. All rows
go the usual way (control store, spool, dlt); only the platforms are left out.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import duckdb

from execution.app import App
from execution.control import access
from execution.control.accounts import prove_account
from execution.control.connections import Tokens, connect
from execution.control.models import User
from execution.control.posts import register_posts
from execution.control.settings import Settings
from ingest import identity
from ingest.clock import ManualClock
from ingest.load import spool
from ingest.platforms import PLATFORMS
from ingest.platforms.base import Post, Profile, Row
from ingest.slots import OLD_SLOT, floor_to, slot_start

NOW = datetime(2026, 11, 22, 12, 7, tzinfo=UTC)
ANA, BEN = "ana@example.com", "ben@example.com"
#: handle -> platform, account kind, who reads it
ACCOUNTS = {
    "team_x": ("twitter", "profile", (ANA, BEN)),
    "ana_x": ("twitter", "profile", (ANA,)),
    "ben_x": ("twitter", "profile", (BEN,)),
    "ana-page": ("linkedin", "page", (ANA,)),
}
#: Ages at which a post was read, in hours.
READ_AT = (1, 5, 26, 50, 100, 200, 400, 700)
COUNTERS = {
    "twitter": (
        *("impression_count", "like_count", "reply_count", "retweet_count", "quote_count"),
        *("bookmark_count", "url_link_clicks", "user_profile_clicks"),
    ),
    "linkedin": (
        *("impression_count", "unique_impressions_count", "click_count", "like_count"),
        *("comment_count", "share_count", "save_count"),
    ),
}


@dataclass
class Household:
    """The installation, and what it holds: handle -> account id, handle -> its posts."""

    app: App
    clock: ManualClock
    accounts: dict[str, UUID] = field(default_factory=dict)
    posts: dict[str, list[Post]] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.app.settings.data_dir

    def twin(self, folder: Path) -> "Household":
        """A copy of it in `folder`, as it stands: for tests that change it."""
        self.app.store.close()
        settings = self.app.settings
        copied = settings.model_copy(
            update={
                "data_dir": folder / "data",
                "vault_key_file": folder / "keys" / "vault.json",
            }
        )
        shutil.copytree(settings.data_dir, copied.data_dir, symlinks=True)
        shutil.copytree(settings.vault_key_file.parent, copied.vault_key_file.parent)
        clock = ManualClock(self.clock.now())
        return Household(App(copied, clock), clock, dict(self.accounts), dict(self.posts))

    def post_id(self, handle: str, number: int = 0) -> UUID:
        post = self.posts[handle][number]
        return identity.post_id(self.accounts[handle], post.platform_post_id)

    def user(self, email: str) -> User:
        with self.app.store.begin() as session:
            return self.app.user(session, email)

    def move_in(self, posts: int = 8, every: timedelta = timedelta(days=25)) -> None:
        """Connect everybody, and land each account's posts: one `every` so often until now."""
        first = NOW - posts * every
        with self.app.store.begin() as session:
            users = {
                email: access.create_user(session, email, "Europe/Zurich", first)
                for email in (ANA, BEN)
            }
            for number, (handle, (platform, kind, readers)) in enumerate(ACCOUNTS.items()):
                profile = Profile(f"90000{number}", kind, handle, handle.title(), 100)  # type: ignore[arg-type]
                for email in readers:
                    account, _ = prove_account(session, users[email], platform, profile, first)
                    connection = connect(
                        session,
                        self.app.vault,
                        user=users[email],
                        account=account,
                        tokens=Tokens(f"token-of-{handle}"),
                        scopes=[],
                        expires_at=None,
                        now=first,
                    )
                    connection.last_success_at = NOW
                self.accounts[handle] = account.id
                self.posts[handle] = [
                    Post(
                        platform_post_id=f"7{number}{item:06d}",
                        published_at=first + item * every + timedelta(minutes=number),
                        post_type="post",
                        text=f"Words of {handle}, number {item}",
                        url=f"https://example.org/{handle}/{item}",
                    )
                    for item in range(posts)
                ]
                register_posts(session, account.id, platform, self.posts[handle], first)
        for handle in ACCOUNTS:
            self.spool(self.post_rows(handle))
            self.spool(self.account_rows(handle))
            self.spool(self.snapshot_rows(handle))
        self.app.land()

    def count_loads(self) -> None:
        """Say of all that has landed that a build has counted it, as a complete build does."""
        with duckdb.connect(self.app.settings.warehouse) as connection:
            connection.execute("create schema if not exists intermediate")
            connection.execute(
                "create or replace table intermediate.recorded_loads as"
                " select _dlt_load_id as load_id from raw.twitter_snapshots"
                " union select _dlt_load_id from raw.linkedin_snapshots"
            )

    def spool(self, rows: Sequence[Row]) -> None:
        spool(rows, self.data_dir / "spool", uuid4().hex)

    def post_rows(self, handle: str) -> list[Row]:
        platform = ACCOUNTS[handle][0]
        return [
            PLATFORMS[platform].post_row(
                post_id=identity.post_id(self.accounts[handle], post.platform_post_id),
                account_id=self.accounts[handle],
                platform_post_id=post.platform_post_id,
                published_at=post.published_at,
                post_type=post.post_type,
                text=post.text,
                url=post.url,
                fetched_at=post.published_at,
            )
            for post in self.posts[handle]
        ]

    def account_rows(self, handle: str) -> list[Row]:
        platform, kind, _ = ACCOUNTS[handle]
        return [
            PLATFORMS[platform].account_row(
                account_id=self.accounts[handle],
                platform_account_id="1",
                account_kind=kind,
                slot_start=floor_to(NOW - timedelta(days=day), OLD_SLOT),
                collected_at=NOW - timedelta(days=day),
                handle=handle,
                display_name=handle.title(),
                followers_count=1000 - day,
            )
            for day in (3, 2, 1)
        ]

    def snapshot_rows(self, handle: str) -> list[Row]:
        return [
            self.snapshot_row(handle, number, post.published_at + timedelta(hours=age))
            for number, post in enumerate(self.posts[handle])
            for age in READ_AT
            if post.published_at + timedelta(hours=age) <= NOW
        ]

    def snapshot_row(
        self, handle: str, number: int, collected_at: datetime, likes: int | None = None
    ) -> Row:
        """A reading of a post: its counters grow with its age."""
        platform, post = ACCOUNTS[handle][0], self.posts[handle][number]
        post_id = self.post_id(handle, number)
        slot = slot_start(collected_at, post.published_at)
        age = int((collected_at - post.published_at).total_seconds() // 3600)
        counters = {
            name: (1000 if place == 0 else 10) * (number + 1) + age
            for place, name in enumerate(COUNTERS[platform])
        }
        counters["like_count"] = counters["like_count"] if likes is None else likes
        return PLATFORMS[platform].snapshot_row(
            snapshot_id=identity.snapshot_id(post_id, slot),
            post_id=post_id,
            account_id=self.accounts[handle],
            platform_post_id=post.platform_post_id,
            published_at=post.published_at,
            slot_start=slot,
            collected_at=collected_at,
            **counters,
        )

    def rows(self, query: str, *values: object, file: str = "warehouse.duckdb") -> list[Any]:
        """Rows of a query on the warehouse, or on another file of the data folder."""
        path = (self.data_dir / file).resolve()
        with duckdb.connect(path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query, list(values)).fetchall()

    def count(self, query: str, *values: object) -> int:
        return int(self.rows(f"select count(*) from {query}", *values)[0][0])


@contextmanager
def household(folder: Path, **settings: Any) -> Iterator[Household]:
    """An empty installation in `folder`; `move_in` fills it."""
    clock = ManualClock(NOW)
    given = {
        "data_dir": folder / "data",
        "vault_key_file": folder / "keys" / "vault.json",
        **settings,
    }
    app = App(Settings(_env_file=None, **given), clock)
    try:
        yield Household(app, clock)
    finally:
        app.store.close()
