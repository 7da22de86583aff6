"""The `nexus` command on a data folder of its own, as a person types it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from execution.control.settings import Settings

EXPORT = next((Path(__file__).parents[1] / "fixtures" / "files").glob("tweet_activity_*.csv"))


class Nexus:
    """One installation below `folder`: its data, its keys, its command."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.environment = {
            **os.environ,
            "NEXUS_DATA_DIR": str(self.data_dir),
            "NEXUS_VAULT_KEY_FILE": str(folder / "keys" / "vault.json"),
        }

    @property
    def settings(self) -> Settings:
        return Settings(
            _env_file=None,
            data_dir=self.data_dir,
            vault_key_file=self.data_dir.parent / "keys" / "vault.json",
        )

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(Path(sys.executable).with_name("nexus")), *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )

    def query(self, sql: str, file: str = "published/current.duckdb") -> list[tuple[Any, ...]]:
        with duckdb.connect((self.data_dir / file).resolve(), read_only=True) as connection:
            return connection.execute(sql).fetchall()
