"""BI tools read `current.duckdb` while the pipeline runs: no error, no half state, always on.

One refresh by default, ten with NEXUS_SOAK_SCALE=1 (`make soak`).
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from execution.cli import main
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.server import SandboxServer
from ingest.sandbox.world import named_world
from tests.integration.conftest import OWNED

REFRESHES = max(1, round(10 * float(os.environ.get("NEXUS_SOAK_SCALE", "0.1"))))

READER = """
import sys, duckdb
QUERY = '''
    select generation, row_counts::json ->> '$.posts', row_counts::json ->> '$.post_increments',
        (select count(*) from posts)::varchar, (select count(*) from post_increments)::varchar
    from publication
'''
last = None
while True:
    connection = duckdb.connect(sys.argv[1], read_only=True)
    generation, *counts = connection.execute(QUERY).fetchone()
    connection.close()
    assert counts[:2] == counts[2:], counts
    if generation != last:
        last = generation
        print(generation, flush=True)
"""


def test_a_reader_never_meets_an_error_and_always_moves_on(tmp_path: Path) -> None:
    clock = SandboxClock(datetime.now(UTC))
    clock.run()
    with SandboxServer(named_world("demo", datetime.now(UTC), 7), clock) as stand_in:
        environment = {
            **os.environ,
            "NEXUS_DATA_DIR": str(tmp_path / "data"),
            "NEXUS_VAULT_KEY_FILE": str(tmp_path / "keys" / "vault.json"),
            "NEXUS_X_BASE_URL": stand_in.url,
            "NEXUS_LINKEDIN_BASE_URL": stand_in.url,
        }
        connect(environment, stand_in)
        nexus(environment, "refresh")
        link = tmp_path / "data" / "published" / "current.duckdb"
        with subprocess.Popen(
            [sys.executable, "-c", READER, str(link)], stdout=subprocess.PIPE, text=True
        ) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "1\n"
            for generation in range(2, REFRESHES + 2):
                nexus(environment, "refresh")
                assert reader.stdout.readline() == f"{generation}\n", "the reader moved on"
            time.sleep(0.5)
            assert reader.poll() is None, "no error met"
            reader.kill()


def connect(environment: dict[str, str], stand_in: SandboxServer) -> None:
    run = CliRunner(env=environment).invoke
    assert run(main, ["user", "add", "ana@example.com"]).exit_code == 0
    tokens = stand_in.sandbox.tokens
    for account in stand_in.sandbox.world.accounts:
        if account.kind in OWNED and "ana" in account.spec.users:
            done = run(
                main,
                [
                    *("connect", account.platform, "--token-stdin"),
                    *("--user", "ana@example.com", "--account", account.spec.handle),
                ],
                input=tokens.of(account, "ana").access_token,
            )
            assert done.exit_code == 0, done.output


def nexus(environment: dict[str, str], *arguments: str) -> None:
    command = [Path(sys.executable).with_name("nexus"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 3}, done.stdout + done.stderr
