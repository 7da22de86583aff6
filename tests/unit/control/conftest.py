"""A control store of its own for each test."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store
from execution.control.vault import Vault, open_vault
from ingest.clock import ManualClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None, data_dir=tmp_path / "data", vault_key_file=tmp_path / "keys" / "vault.json"
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
