"""A control store of its own for each test: SQLite, or PostgreSQL at NEXUS_TEST_DATABASE_URL."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from consents import Connect
from sqlalchemy import create_engine, text

from execution.control.access import create_user, find_user
from execution.control.accounts import prove_account
from execution.control.connections import Tokens, connect
from execution.control.models import Connection
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store
from execution.control.vault import Vault, open_vault
from ingest.clock import ManualClock
from ingest.platforms.base import Profile

#: An empty database that these tests may wipe (needs a driver: pip install "psycopg[binary]").
DATABASE_URL = os.environ.get("NEXUS_TEST_DATABASE_URL")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    if DATABASE_URL is not None:
        engine = create_engine(DATABASE_URL)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        vault_key_file=tmp_path / "keys" / "vault.json",
        database_url=DATABASE_URL,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[ControlStore]:
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return open_vault(settings.vault_key_file, settings.data_dir)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 1, 9, 10, tzinfo=UTC))


@pytest.fixture
def connect_account(store: ControlStore, vault: Vault, clock: ManualClock) -> Connect:
    kinds = {"twitter": "profile", "linkedin": "page"}

    def make(
        platform: str = "twitter",
        handle: str = "ana",
        email: str = "ana@example.com",
        kind: str | None = None,
        **consent: Any,
    ) -> Connection:
        with store.begin() as session:
            user = find_user(session, email) or create_user(session, email, "UTC", clock.now())
            profile = Profile(handle, kind or kinds[platform], handle, handle.title(), 100)
            account, _ = prove_account(session, user, platform, profile, clock.now())
            given = {"tokens": Tokens("access"), "scopes": [], "expires_at": None}
            return connect(
                session, vault, user=user, account=account, now=clock.now(), **given | consent
            )

    return make
