"""An app over a small publication, with a control store whose users may see parts of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from published_marts import AccountFact, Marts
from werkzeug.test import TestResponse

from api.app import create_app
from api.context import context_of
from execution.control import access
from execution.control.models import Account, AccountMember, User
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class House:
    """One installation: settings, control store, publications and the app that serves them."""

    settings: Settings
    store: ControlStore
    now: datetime = NOW
    static: Path = field(default=Path("/nonexistent"))
    apps: list[Flask] = field(default_factory=list)

    def app(self) -> Flask:
        app = create_app(self.settings, store=self.store, now=lambda: self.now, static=self.static)
        self.apps.append(app)
        return app

    def publish(self, marts: Marts, generation: int = 1) -> None:
        """Publishes, and waits until every app has moved over."""
        marts.publish(self.settings.published_dir, generation)
        for app in self.apps:
            context_of(app).publications.check()

    def user(self, email: str, accounts: list[AccountFact], timezone: str = "UTC") -> User:
        """A user that is a member of `accounts`."""
        with self.store.begin() as session:
            user = access.create_user(session, email, timezone, NOW)
            for fact in accounts:
                if session.get(Account, fact.account_id) is None:
                    session.add(
                        Account(
                            id=fact.account_id,
                            platform=fact.platform,
                            kind=fact.kind,
                            handle=fact.name,
                            timezone=fact.timezone,
                            created_at=NOW,
                        )
                    )
                    session.flush()
                session.add(
                    AccountMember(account_id=fact.account_id, user_id=user.id, role="owner")
                )
        return user

    def key(self, user: User, scopes: list[str] | None = None) -> str:
        with self.store.begin() as session:
            granted = [access.READ_SCOPE] if scopes is None else scopes
            return access.create_api_key(session, user, "test", granted, NOW)

    def link(self, user: User) -> str:
        with self.store.begin() as session:
            return access.create_login_link(session, user, self.now)

    def client(self, user: User, app: Flask | None = None) -> "Api":
        return Api((app or self.app()).test_client(), self.key(user))


@dataclass
class Api:
    """A client with a bearer key; `get` gives the JSON of a success."""

    client: FlaskClient
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def ask(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, query_string=query, headers=self.headers)

    def get(self, path: str, **query: Any) -> Any:
        response = self.ask(path, **query)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()

    def overview(self, **query: Any) -> Any:
        return self.get("/api/analytics/overview", **query)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A control store without rows, migrated once for all tests."""
    folder = tmp_path_factory.mktemp("store")
    open_store(Settings(_env_file=None, data_dir=folder)).close()  # type: ignore[call-arg]
    return folder / "control.sqlite3"


@pytest.fixture
def house(tmp_path: Path, empty_store: Path) -> Iterator[House]:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        vault_key_file=tmp_path / "keys" / "vault.json",
        api_requests_per_minute=100_000,
    )
    settings.data_dir.mkdir()
    shutil.copy(empty_store, settings.data_dir)
    store = open_store(settings)
    made = House(settings, store)
    yield made
    for app in made.apps:
        context_of(app).publications.close()
    store.close()
