"""Two processes at once, and processes that die: one refresh, one run, no token lost."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from execution.control.connections import Tokens
from tests.integration.collection.scene import (
    LINKEDIN_TOKEN,
    TIMELINE,
    X_TOKEN,
    Play,
    Scene,
    environment,
)

REFRESH = """
import hashlib, sys
from uuid import UUID
from execution.control import tokens as module
from execution.control.settings import Settings
from execution.control.store import open_store
from execution.control.vault import open_vault
from ingest.clock import SystemClock

settings = Settings()
vault = open_vault(settings.vault_key_file, settings.data_dir)
store, connection_id = open_store(settings), UUID(sys.argv[1])
tokens = module.StoredTokens(settings, store, vault, SystemClock(), connection_id)
if sys.argv[2:] == ["die once durable"]:
    import os
    keep = module.StoredTokens._keep

    def last_act(self, grant):
        keep(self, grant)
        os.kill(os.getpid(), 9)

    module.StoredTokens._keep = last_act
print("ready", flush=True)
sys.stdin.readline()
print("got", hashlib.sha256(tokens.refresh().encode()).hexdigest())
"""


@pytest.fixture
def scene(play: Play) -> Scene:
    """A scene in real time: the other processes have the machine's clock."""
    return play(start=datetime.now(UTC))


def start(scene: Scene, script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=environment(scene),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def go(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Let them do their work at the same moment; the last line of each."""
    with ExitStack() as stack:
        for process in processes:
            stack.enter_context(process)
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [(process.communicate()[0].splitlines() or [""])[-1] for process in processes]


@pytest.mark.parametrize(
    ("kind", "platform", "endpoint"),
    [("profile", "twitter", X_TOKEN), ("page", "linkedin", LINKEDIN_TOKEN)],
)
def test_two_processes_refresh_one_token_once(
    scene: Scene, kind: str, platform: str, endpoint: str
) -> None:
    scene.connect(kind)
    before = scene.tokens(platform)
    scene.faults({"fault": "slow", "endpoint": endpoint, "args": {"seconds": 0.4}})
    connection_id = str(scene.connection(platform).id)
    said = go([start(scene, REFRESH, connection_id) for _ in range(2)])
    assert scene.asked(endpoint) == [200]
    assert said[0] == said[1]
    assert said[0].startswith("got ")
    after = scene.tokens(platform)
    assert after.access_token != before.access_token
    assert (after.refresh_token == before.refresh_token) is (platform == "linkedin")


def test_a_rotated_token_outlives_the_process_that_received_it(scene: Scene) -> None:
    scene.connect("profile")
    before = scene.tokens("twitter")
    process = start(scene, REFRESH, str(scene.connection("twitter").id), "die once durable")
    assert "got" not in go([process])[0]
    assert process.returncode == -signal.SIGKILL
    after = scene.tokens("twitter")
    assert after != before
    assert scene.run().failures == []
    assert scene.asked(X_TOKEN) == [200], "the new one is good: nothing is refreshed again"
    # and so is its refresh token
    scene.faults({"fault": "expire_token", "endpoint": TIMELINE, "nth": 1})
    with scene.app.store.begin() as session:
        from sqlalchemy import update

        from execution.control.models import Connection

        session.execute(update(Connection).values(last_discovery_slot=None))
    assert scene.run().failures == []
    assert scene.asked(X_TOKEN) == [200, 200]
    assert isinstance(scene.tokens("twitter"), Tokens)


SYNC = """
import sys
from execution.cli import main
print("ready", flush=True)
sys.stdin.readline()
main(["sync"])
"""


def test_of_two_runs_at_once_only_one_works(scene: Scene) -> None:
    scene.connect("profile", "page")
    scene.faults({"fault": "slow", "endpoint": TIMELINE, "args": {"seconds": 1.5}})
    processes = [start(scene, SYNC) for _ in range(2)]
    go(processes)
    assert sorted(process.returncode for process in processes) == [0, 75]
    assert scene.asked(TIMELINE) == [200]
    ids = scene.raw("select platform_post_id from raw.twitter_snapshots order by 1")
    assert [row[0] for row in ids] == sorted(scene.ids_of("profile"))
