"""A small installation whose every request, sleep, log line and stored row a test can look at."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import httpx
import structlog
from pydantic import SecretStr
from sqlalchemy import select

from execution.analytics.sync_metrics import Collector, SyncReport
from execution.app import App
from execution.connect import Consent, connect_account
from execution.control import access
from execution.control.connections import Tokens
from execution.control.models import (
    ApiUsage,
    Connection,
    Notification,
    SkippedSlot,
    TrackedPost,
)
from execution.control.settings import Settings
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.scenarios import read_scenario
from ingest.sandbox.server import SandboxServer
from ingest.sandbox.world import PLAIN, Account, AccountSpec, Post, World

START = datetime(2026, 9, 1, 0, 7, tzinfo=UTC)

TIMELINE = "GET /2/users/:id/tweets"
LOOKUP = "GET /2/tweets"
X_USER = "GET /2/users/:id"
X_TOKEN = "POST /2/oauth2/token"
FINDER = "GET /rest/posts"
STATISTICS = "GET /rest/organizationalEntityShareStatistics"
LINKEDIN_TOKEN = "POST /oauth/v2/accessToken"

SMALL = (
    AccountSpec("profile", "ana_x", ("ana", "ben"), posts_per_day=0.6, habits=PLAIN),
    AccountSpec("page", "ana-page", ("ana", "ben"), posts_per_day=0.6, habits=PLAIN),
    AccountSpec("member", "ana", ("ana",), posts_per_day=0.2, habits=PLAIN),
)


class SceneClock(SandboxClock):
    """Stands still unless it is moved, or moves on by `tick` whenever somebody looks at it."""

    tick = timedelta(0)

    def now(self) -> datetime:
        moment = super().now()
        if self.tick:
            self.set(moment + self.tick)
        return moment


@dataclass
class Scene:
    """An app with its stand-in; both share one clock, which sleeping moves."""

    app: App
    stand_in: SandboxServer
    clock: SceneClock
    slept: list[float] = field(default_factory=list)
    logs: list[Mapping[str, Any]] = field(default_factory=list)

    # --- acting ---

    def connect(self, *kinds: str, user: str = "ana", handles: Sequence[str] = ()) -> None:
        """Connect a user's accounts of these kinds with their standing tokens."""
        email = f"{user}@example.com"
        with self.app.store.begin() as session:
            if access.find_user(session, email) is None:
                access.create_user(session, email, "Europe/Zurich", self.clock.now())
        answer = httpx.get(f"{self.stand_in.url}/_sandbox/accounts").json()
        for item in answer["accounts"]:
            is_meant = item["kind"] in kinds and (not handles or item["handle"] in handles)
            if item["user"] == user and is_meant:
                tokens = Tokens(item["access_token"], item["refresh_token"])
                consent = Consent(tokens, item["scopes"])
                connect_account(self.app, email, item["platform"], consent, item["handle"])
        self.forget()

    def run(self, **options: Any) -> SyncReport:
        """One run of the collector, as a new process would do it."""
        app = self.app
        with (
            structlog.testing.capture_logs() as logs,
            Collector(app.settings, app.store, app.vault, app.clock, self.sleep) as collector,
        ):
            report = collector.collect(**options)
        self.logs += logs
        return report

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.later(seconds=seconds)

    def later(self, **length: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**length))

    def faults(self, *rules: Mapping[str, Any], **settings: Any) -> None:
        """Let these faults strike from now on; none: a platform in good health."""
        read_scenario({"rules": list(rules), "settings": settings}).apply(self.stand_in.sandbox)

    def forget(self) -> None:
        """Forget requests, sleeps and log lines so far."""
        self.stand_in.sandbox.log.clear()
        self.slept.clear()
        self.logs.clear()

    # --- looking ---

    def asked(self, endpoint: str | None = None) -> list[int | None]:
        """Statuses of the requests to an endpoint, in order; 0: no answer."""
        entries = self.stand_in.sandbox.log.recent()
        return [e["status"] for e in entries if endpoint in (None, e["endpoint"])]

    def account(self, kind: str) -> Account:
        return next(a for a in self.stand_in.sandbox.world.accounts if a.kind == kind)

    def posts_of(self, kind: str, days: float = 30) -> list[Post]:
        """Visible posts of the last days, newest first."""
        now = self.clock.now().timestamp()
        return list(self.account(kind).newest_first(now, since=now - days * 86_400))

    def ids_of(self, kind: str, days: float = 30) -> list[str]:
        return [post.urn or str(post.id) for post in self.posts_of(kind, days)]

    def connection(self, platform: str, user: str = "ana") -> Connection:
        email = f"{user}@example.com"
        with self.app.store.begin() as session:
            owner = access.find_user(session, email)
            assert owner is not None
            query = select(Connection).where(
                Connection.platform == platform, Connection.user_id == owner.id
            )
            return session.scalars(query).one()

    def tokens(self, platform: str) -> Tokens:
        return Tokens.unsealed(self.app.vault, self.connection(platform))

    def tracked(self) -> dict[str, TrackedPost]:
        with self.app.store.begin() as session:
            return {
                post.platform_post_id: post
                for post in session.scalars(select(TrackedPost))
                if post.platform_post_id
            }

    def waiting(self) -> list[TrackedPost]:
        """Posts that were registered and that no platform post was found for yet."""
        with self.app.store.begin() as session:
            query = select(TrackedPost).where(TrackedPost.platform_post_id.is_(None))
            return list(session.scalars(query))

    def skipped(self) -> dict[UUID, SkippedSlot]:
        """Subject -> its newest skipped slot."""
        with self.app.store.begin() as session:
            rows = session.scalars(select(SkippedSlot).order_by(SkippedSlot.slot_start))
            return {row.subject: row for row in rows}

    def news(self) -> list[str]:
        """Kinds of the open notifications, oldest first."""
        with self.app.store.begin() as session:
            query = select(Notification.kind).where(Notification.closed_at.is_(None))
            return list(session.scalars(query.order_by(Notification.created_at)))

    def usage(self) -> dict[str, ApiUsage]:
        with self.app.store.begin() as session:
            return {row.family: row for row in session.scalars(select(ApiUsage))}

    def events(self, name: str) -> list[Mapping[str, Any]]:
        return [entry for entry in self.logs if entry["event"] == name]

    def spooled(self, table: str) -> list[dict[str, Any]]:
        """Rows that wait to be landed."""
        files = str(self.app.settings.data_dir / "spool" / f"{table}--*.parquet")
        if not list(Path(files).parent.glob(Path(files).name)):
            return []
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            rows = connection.execute(f"FROM read_parquet('{files}') ORDER BY ALL")
            names = [column[0] for column in rows.description]
            return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]

    def read_ids(self, platform: str) -> list[str]:
        """Platform ids with a spooled snapshot, sorted."""
        return sorted(row["platform_post_id"] for row in self.spooled(f"{platform}_snapshots"))

    def land(self) -> None:
        app = self.app
        with Collector(app.settings, app.store, app.vault, app.clock) as collector:
            collector.land()

    def raw(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.app.settings.warehouse), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(query).fetchall()


def at(moment: float) -> datetime:
    """A moment of the stand-in's world."""
    return datetime.fromtimestamp(moment, UTC)


def environment(scene: Scene) -> dict[str, str]:
    """What a process needs to find the scene."""
    return environment_of(scene.app.settings)


def environment_of(settings: Settings) -> dict[str, str]:
    """This process's environment, and these settings."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    shown = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }
    return {**os.environ, **{f"NEXUS_{name.upper()}": value for name, value in shown.items()}}


@contextmanager
def playing(
    folder: Path,
    specs: Sequence[AccountSpec] = SMALL,
    start: datetime | None = None,
    days_after: int = 10,
    **settings: Any,
) -> Iterator[Scene]:
    """A scene with these accounts; `settings` as of `Settings`.

    `days_after`: how long its accounts go on posting. `start`: when it begins (START, and its clock
    stands still); where it is given, the clock runs with real time, for scenes that other processes
    play in.
    """
    clock = SceneClock(start or START)
    if start is not None:
        clock.run(start - datetime.now(UTC))
    world = World(specs, start or START, seed=3, days_before=32, days_after=days_after)
    with SandboxServer(world, clock) as stand_in:
        tokens = stand_in.sandbox.tokens
        given: dict[str, Any] = {
            "data_dir": folder / "data",
            "vault_key_file": folder / "keys" / "vault.json",
            "x_base_url": stand_in.url,
            "linkedin_base_url": stand_in.url,
            "linkedin_version": "202606",
            "x_client_id": tokens.client_id,
            "x_client_secret": tokens.client_secret,
            "linkedin_client_id": tokens.client_id,
            "linkedin_client_secret": tokens.client_secret,
        }
        app = App(Settings(_env_file=None, **given | settings), clock)
        yield Scene(app, stand_in, clock)
        app.store.close()


Play = Callable[..., Scene]
