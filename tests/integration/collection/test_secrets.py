"""No token, secret or key is found in logs, the process list, the data folder or a crash."""

import base64
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from execution.control.models import Connection
from tests.integration.collection.scene import (
    FINDER,
    TIMELINE,
    X_TOKEN,
    X_USER,
    Play,
    Scene,
    environment,
)

CRASH = """
import execution.analytics.sync_metrics as module

def crash(*args, **kwargs):
    raise RuntimeError("as a defect would")

module._Rows.snapshots = crash
"""
SYNC = "from execution.cli import main; main(['sync'])"


@pytest.fixture
def scene(play: Play) -> Scene:
    secret = "a-client-secret-nobody-else-has"
    scene = play(
        start=datetime.now(UTC), x_client_secret=secret, linkedin_client_secret=secret,
        log_level="DEBUG", log_format="json",
    )  # fmt: skip
    scene.stand_in.sandbox.tokens.client_secret = secret
    scene.connect("profile", "page")
    return scene


def secrets(scene: Scene) -> set[bytes]:
    """Every token the stand-in has ever given, the app's secret, and the vault's keys."""
    tokens = scene.stand_in.sandbox.tokens
    found = {tokens.client_secret}
    for grant in tokens:
        found |= {grant.access_token, grant.refresh_token or grant.access_token}
    vault = json.loads(scene.app.settings.vault_key_file.read_text())
    keys = [key["key"] for key in vault["keys"]]
    keys += [vault["pseudonym_key"], vault["session_key"]]
    raw = [base64.b64decode(key) for key in keys]
    hidden = {text.encode() for text in [*found, *keys, *(key.hex() for key in raw)]} | set(raw)
    return hidden | {base64.b64encode(text.encode()) for text in found}


def command_lines() -> bytes:
    """The command lines of all processes of this machine."""
    lines = b""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines += (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
    return lines


def run(scene: Scene, script: str) -> tuple[int, bytes]:
    """Exit code and output of a run in a process of its own, and what the process list showed."""
    seen = b""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(scene),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        ended = threading.Event()

        def watch() -> None:
            nonlocal seen
            while not ended.wait(0.1):
                seen += command_lines()

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert process.stdout is not None
        output = process.stdout.read()
        ended.set()
        watcher.join()
    assert script.encode() in seen, "the process list was looked at"
    return process.returncode, output + seen


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_no_secret_shows_anywhere_when_all_goes_wrong(scene: Scene) -> None:
    scene.faults(
        {"fault": "refuse_refresh", "endpoint": X_TOKEN, "nth": 2},
        {"fault": "expire_token", "endpoint": TIMELINE, "nth": 1},
        {"fault": "expire_token", "endpoint": X_USER},
        {"fault": "cut", "endpoint": FINDER, "nth": 1},
        {"fault": "expire_token", "endpoint": FINDER, "nth": 2},
    )
    code, shown = run(scene, SYNC)
    assert code == 3
    for line in (b"token refreshed", b"request_retried", b"Token expired for user"):
        assert line in shown
    scene.faults()
    with scene.app.store.begin() as session:
        session.execute(update(Connection).values(last_discovery_slot=None))
    code, crash = run(scene, CRASH + SYNC)
    assert code == 1
    assert b"RuntimeError: as a defect would" in crash
    kept = bytes_of(scene.app.settings.data_dir)
    assert b"SQLite format 3" in kept
    for secret in secrets(scene):
        for place, content in {"output": shown + crash, "data folder": kept}.items():
            assert secret not in content, f"{place} holds {secret[:16]!r}"


def test_the_search_would_find_a_secret(scene: Scene) -> None:
    folder = scene.app.settings.data_dir
    token = scene.tokens("twitter").access_token
    (folder / "left-behind.txt").write_text(f"token={token}")
    assert any(secret in bytes_of(folder) for secret in secrets(scene))
