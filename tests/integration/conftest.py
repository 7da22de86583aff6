"""An installation whose platforms are the stand-in server, reached as in production: by URL."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from filelock import FileLock

from execution.app import App
from execution.connect import Consent, connect_account
from execution.control import access
from execution.control.connections import Tokens
from execution.control.settings import Settings
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.server import SandboxServer
from ingest.sandbox.world import named_world
from tests.integration.nexus_command import EXPORT, Nexus

START = datetime(2026, 9, 1, 0, 7, tzinfo=UTC)
ANA = "ana@example.com"
OWNED = ("profile", "page")


@dataclass
class Installation:
    """An app with its stand-in; both share one clock, which a test moves."""

    app: App
    stand_in: SandboxServer
    clock: SandboxClock

    def connect(self, *kinds: str) -> None:
        """Connect Ana's accounts of these kinds through the real clients."""
        with self.app.store.begin() as session:
            if access.find_user(session, ANA) is None:
                access.create_user(session, ANA, "Europe/Zurich", self.clock.now())
        answer = httpx.get(f"{self.stand_in.url}/_sandbox/accounts").json()
        for item in answer["accounts"]:
            if item["user"] == "ana" and item["kind"] in kinds:
                tokens = Tokens(item["access_token"], item["refresh_token"])
                consent = Consent(tokens, item["scopes"])
                connect_account(self.app, ANA, item["platform"], consent, item["handle"])


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    clock = SandboxClock(START)
    with SandboxServer(named_world("demo", START, 7), clock) as stand_in:
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            vault_key_file=tmp_path / "keys" / "vault.json",
            x_base_url=stand_in.url,
            linkedin_base_url=stand_in.url,
            linkedin_version="202606",
        )
        app = App(settings, clock)
        yield Installation(app, stand_in, clock)
        app.store.close()


@pytest.fixture(scope="session")
def imported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one export file was imported, built and published: once for all workers of a run."""
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if is_worker else base) / "imported_once"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            done = Nexus(folder)("import", str(EXPORT))
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="module")
def imported(imported_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Nexus:
    """An installation into which one export file was imported, built and published."""
    folder = tmp_path_factory.mktemp("imported") / "copy"
    shutil.copytree(imported_once, folder, symlinks=True)
    return Nexus(folder)
