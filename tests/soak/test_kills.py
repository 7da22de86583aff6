"""kill -9 at random moments of collecting, landing and refreshing costs nothing.

Two installations play the same two-hourly history against stand-ins of the same world. In one of
them processes are killed and started again; afterwards both warehouses hold the same rows.

Run as a program this file is the process that gets killed: it forks a child for each run, so that
what is slow in a process (its imports) is not all that gets killed.
"""

import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import structlog

from execution.analytics.sync_metrics import Collector
from execution.app import App
from execution.control.connections import Tokens
from execution.control.models import ApiUsage, Connection
from execution.control.settings import Settings
from ingest.clock import ManualClock
from ingest.sandbox.world import AccountSpec
from tests.integration.collection.scene import START, Scene, environment, playing
from tests.soak.scale import FIGURES, scaled

KILLS = scaled(60)
KILLS_A_RUN = 2
SPECS = (
    *(AccountSpec("profile", f"x{n}", ("ana",), posts_per_day=1.0) for n in range(3)),
    *(AccountSpec("page", f"page{n}", ("ana",), posts_per_day=0.6) for n in range(3)),
)
#: Tables whose rows do not depend on ids that an installation draws.
TABLES = (
    "twitter_posts",
    "twitter_snapshots",
    "twitter_accounts",
    "linkedin_posts",
    "linkedin_snapshots",
    "linkedin_accounts",
    "control_tracked_posts",
)
POLLS = ("GET /2/users/:id/tweets", "GET /rest/organizationalEntityShareStatistics")


# --- the process that is killed


def work(moment: datetime) -> None:
    """One run: collect and land, as `nexus sync` does."""
    app = App(Settings(_env_file=None), ManualClock(moment))
    with Collector(app.settings, app.store, app.vault, app.clock) as collector:
        collector.collect()
        collector.land()


def nursery() -> None:
    """For each line (a moment, seconds) a child that does the run, killed after those seconds.

    Answers each with the child's exit code. A child that has ended is not waited for before it is
    killed, so that no other process can have got its id.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        moment, seconds = line.split()
        child = os.fork()
        if child == 0:
            work(datetime.fromisoformat(moment))
            os._exit(0)
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


# --- the one that kills


@dataclass
class Installation:
    """A scene whose runs are processes."""

    scene: Scene
    nursery: subprocess.Popen[str]
    dice: random.Random = field(default_factory=lambda: random.Random(20261122))
    kills: int = 0
    lost_consents: int = 0
    usual: float = 1.5

    def run(self, kill_after: float = 0.0) -> bool:
        """One run of the present moment; whether it came to its end."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        began = time.monotonic()
        self.nursery.stdin.write(f"{self.scene.clock.now().isoformat()} {kill_after}\n")
        self.nursery.stdin.flush()
        code = int(self.nursery.stdout.readline())
        if code == 0:
            if not kill_after:
                self.usual = (self.usual + time.monotonic() - began) / 2
            return True
        assert code == -signal.SIGKILL, f"a run ended with {code}"
        self.kills += 1
        return False

    def expire_tokens(self) -> None:
        """Let every connection's next call find its token ended, so that each run refreshes."""
        tokens = self.scene.stand_in.sandbox.tokens
        for account in self.scene.stand_in.sandbox.world.accounts:
            tokens.of(account).expires_at = self.scene.clock.now().timestamp()

    def give_lost_consents_again(self) -> None:
        """X's refresh tokens work once: a process that dies between the answer and its commit (a
        few milliseconds) takes the new one with it, and its user has to connect again.
        """
        tokens = self.scene.stand_in.sandbox.tokens
        accounts = {a.spec.handle: a for a in self.scene.stand_in.sandbox.world.accounts}
        app = self.scene.app
        with app.store.begin() as session:
            for connection, handle in session.execute(_connections()):
                if connection.state == "active":
                    continue
                self.lost_consents += 1
                grant = tokens.of(accounts[handle])
                given = Tokens(grant.access_token, grant.refresh_token)
                connection.tokens = given.sealed(app.vault, connection.id)
                connection.state, connection.expires_at = "active", None


def _connections() -> Any:
    from sqlalchemy import select

    from execution.control.models import Account

    return select(Connection, Account.handle).join(Account, Account.id == Connection.account_id)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    with playing(folder, SPECS) as scene:
        scene.connect("profile", "page")
        command = [sys.executable, "-m", "tests.soak.test_kills"]
        with subprocess.Popen(
            command,
            env=environment(scene),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Installation(scene, process)
            assert process.stdin is not None
            process.stdin.close()


def moments() -> Iterator[datetime]:
    return (START + number * timedelta(hours=2) for number in count())


def contents(scene: Scene) -> dict[str, list[tuple[Any, ...]]]:
    hidden = "_dlt_id, _dlt_load_id, first_landed_at"
    return {
        table: scene.raw(f"SELECT * EXCLUDE ({hidden}) FROM raw.{table} ORDER BY ALL")
        for table in TABLES
    }


def test_killed_runs_leave_the_rows_of_undisturbed_ones(tmp_path: Path) -> None:
    played: list[datetime] = []
    with installed(tmp_path / "disturbed") as storm:
        for moment in moments():
            played.append(moment)
            _play_through_kills(storm, moment)
            if storm.kills >= KILLS:
                break
        found = contents(storm.scene)
        assert storm.lost_consents <= max(1, KILLS // 20)
        _check_ledger(storm)
        assert list((storm.scene.app.settings.data_dir / "spool").iterdir()) == []

    with installed(tmp_path / "undisturbed") as calm:
        for moment in played:
            calm.scene.clock.set(moment)
            calm.expire_tokens()
            assert calm.run()
        expected = contents(calm.scene)
    assert all(expected.values())
    for table in TABLES:
        assert found[table] == expected[table], table
    FIGURES.append(
        f"kills: {storm.kills} over {len(played)} runs of six accounts;"
        f" {sum(map(len, expected.values()))} rows in {len(TABLES)} tables equal;"
        f" {storm.lost_consents} consents lost between answer and commit"
    )


def _play_through_kills(storm: Installation, moment: datetime) -> None:
    """Kill the run of a moment some times, and then let it come to its end."""
    scene = storm.scene
    scene.clock.set(moment)
    storm.expire_tokens()
    before, kills = polls(scene), storm.kills
    for _ in range(KILLS_A_RUN):
        ended = storm.run(kill_after=storm.dice.uniform(0.01, storm.usual))
        storm.give_lost_consents_again()
        if ended or storm.kills >= KILLS:
            break
    while not storm.run():
        storm.give_lost_consents_again()
    extra = sum(number - 1 for number in (polls(scene) - before).values())
    assert extra <= storm.kills - kills, "nothing is polled twice but what was in flight"


def polls(scene: Scene) -> Counter[str]:
    """Account -> answered polls: one for each page of 100 posts, and none here has more."""
    entries = scene.stand_in.sandbox.log.recent()
    return Counter(e["account"] for e in entries if e["endpoint"] in POLLS and e["status"] == 200)


def _check_ledger(storm: Installation) -> None:
    """What was asked is in the ledger, also what was asked by those that died."""
    entries = storm.scene.stand_in.sandbox.log.recent()
    asked = sum(e["endpoint"].startswith("GET ") for e in entries)
    with storm.scene.app.store.begin() as session:
        booked = sum(row.requests for row in session.query(ApiUsage))
    assert asked <= booked <= asked + storm.kills, "written before it is sent"


if __name__ == "__main__":
    nursery()
