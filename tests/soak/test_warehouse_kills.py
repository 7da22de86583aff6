"""kill -9 at random moments of building, publishing, archiving and erasing costs nothing.

Two copies of one installation live through the same rounds. In one of them each step is killed some
times, with all its children, and started again; afterwards both publish the same rows and hold
the same readings, and a reader who looked all the while never met an error or half a state.

Run as a program this file is the process that gets killed: it forks a child for each run, so that
what is slow in a process (its imports) is not all that gets killed.
"""

import json
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
from pathlib import Path
from typing import Any

import duckdb
import pytest
import structlog

from execution.analytics.erasure.subject import Kind, NothingToForgetError
from execution.app import App
from execution.control.posts import mark_deleted
from execution.control.settings import INTENT, Settings
from ingest.clock import ManualClock
from tests.integration.collection.scene import environment_of
from tests.integration.retention.household import ACCOUNTS, ANA, NOW, Household, household
from tests.integration.retention.traces import traces
from tests.soak.scale import FIGURES, SCALE, scaled

#: How often each step is killed, or as often as that hits it before it ends.
KILLS = scaled(10)
#: What each round erases, in its turn.
ERASED: tuple[tuple[Kind, str], ...] = (
    ("post", "70000001"),
    ("account", "linkedin:ana-page"),
    ("post", "72000002"),
    ("user", ANA),
    ("post", "70000004"),
)
ROUNDS = len(ERASED) if SCALE >= 1 else 1
#: The steps of each command that are aimed at; an erasure builds and publishes, too.
COMMANDS = {"refresh": ("build", "publish"), "archive": ("archive",), "forget": ("forget",)}
LINKS = ("current.duckdb", "content.duckdb")
#: Of this post the platform tells in the first round that it was deleted.
DELETED = ("ben_x", 5)

READER = """
import json, sys, time, duckdb

def look(path):
    with duckdb.connect(path, read_only=True) as connection:
        query = "select generation, row_counts from publication"
        generation, counts = connection.execute(query).fetchone()
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            if table != "publication":
                (rows,) = connection.execute(f"select count(*) from {table}").fetchone()
                assert rows == json.loads(counts)[table], table
    return generation

while True:
    time.sleep(0.05)
    marts, content = map(look, sys.argv[1:])
    assert content >= marts, "the link to the content moves first"
    print("looked", flush=True)
"""


# --- the process that is killed


def work(command: str, moment: datetime, kind: Kind, given: str, steps: int) -> None:
    """One run, as the command of that name does it; what it begins goes to a file descriptor."""

    def tell(step: str) -> None:
        os.write(steps, f"{step}\n".encode())

    app = App(Settings(_env_file=None), ManualClock(moment))
    tell(command)
    with app.run(command):
        if command == "archive":
            app.archive()
        elif command == "refresh":
            app.land()
            tell("build")
            built = app.build()
            tell("publish")
            app.publish(built)
        else:
            try:
                erasure = app.forgetting.find(kind, given)
            except NothingToForgetError:  # a killed run had begun it, and this one finished it
                return
            app.forgetting.begin(erasure)
            app.forgetting.finish(erasure)


def nursery() -> None:
    """For each line (command, moment, kind, id, step, seconds) a child, killed so long into a step.

    Answers each with the child's exit code and the seconds of each step that it began. The child
    leads a group, so that dbt dies with it; it is not waited for before it is killed, so that no
    other process can have got its id.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        command, moment, kind, given, step, seconds = line.split()
        told, telling = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            work(command, datetime.fromisoformat(moment), kind, given, telling)  # type: ignore[arg-type]
            os._exit(0)
        os.close(telling)
        began = {}
        with os.fdopen(told) as steps:
            for begun in map(str.strip, steps):
                began[begun] = time.monotonic()
                if begun == step:
                    time.sleep(float(seconds))
                    os.killpg(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ends = [*list(began.values())[1:], time.monotonic()]
        took = {name: end - start for (name, start), end in zip(began.items(), ends, strict=True)}
        print(json.dumps([os.waitstatus_to_exitcode(status), took]), flush=True)  # noqa: T201


# --- the one that kills


@dataclass
class Installation:
    """A household whose runs are processes. `took`: seconds of each step's last whole run."""

    home: Household
    nursery: subprocess.Popen[str]
    took: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def run(self, command: str, turn: int, step: str = "-", kill_after: float = 0.0) -> bool:
        """One run, killed so long into a step of it; whether it came to its end."""
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        kind, given = ERASED[turn]
        moment = self.home.clock.now().isoformat()
        self.nursery.stdin.write(f"{command} {moment} {kind} {given} {step} {kill_after}\n")
        self.nursery.stdin.flush()
        code, took = json.loads(self.nursery.stdout.readline())
        if code == 0:
            self.took |= took
            return True
        assert kill_after, f"{command} ended with {code}"
        assert code == -signal.SIGKILL, f"{command} ended with {code}"
        self.kills[[*took][-1]] += 1
        return False

    def begin_round(self, turn: int) -> None:
        """Two weeks later: each account's posts were read again, some of them late."""
        home = self.home
        home.clock.set(NOW + timedelta(days=14 * (turn + 1)))
        for handle in ACCOUNTS:
            rows = []
            for number, post in enumerate(home.posts[handle]):
                for hours in (9 + turn, 30 + turn, 24 * (9 + turn)):
                    at = post.published_at + timedelta(hours=hours)
                    if at <= home.clock.now() and not self._is_erased(handle, number, turn):
                        rows.append(home.snapshot_row(handle, number, at))
            home.spool(rows)
        if turn == 0:
            with home.app.store.begin() as session:
                mark_deleted(session, [home.post_id(*DELETED)], home.clock.now())

    def _is_erased(self, handle: str, number: int, turn: int) -> bool:
        """Whether an earlier round erased it: nobody reads it any more."""
        gone = {given for _, given in ERASED[:turn]}
        platform, _, readers = ACCOUNTS[handle]
        post = self.home.posts[handle][number].platform_post_id
        return bool(gone & {post, f"{platform}:{handle}"}) or (readers == (ANA,) and ANA in gone)


@contextmanager
def installed(home: Household) -> Iterator[Installation]:
    command = [sys.executable, "-m", "tests.soak.test_warehouse_kills"]
    with subprocess.Popen(
        command,
        env=environment_of(home.app.settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Installation(home, process)
        assert process.stdin is not None
        process.stdin.close()
        home.app.store.close()


@contextmanager
def looked_at(home: Household, looks: list[int]) -> Iterator[None]:
    """A reader of both links all the while; how often it looked goes into `looks`."""
    links = [str(home.data_dir / "published" / link) for link in LINKS]
    with subprocess.Popen(
        [sys.executable, "-c", READER, *links], stdout=subprocess.PIPE, text=True
    ) as reader:
        yield
        assert reader.poll() is None, "the reader met an error or half a state"
        reader.kill()
        assert reader.stdout is not None
        looks.append(len(reader.stdout.readlines()))


def published(home: Household) -> dict[str, list[Any]]:
    """Every published row, marts and content."""
    found = {}
    for link in LINKS:
        path = (home.data_dir / "published" / link).resolve()
        with duckdb.connect(path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            tables = connection.execute("select table_name from duckdb_tables()").fetchall()
            for (table,) in tables:
                if table != "publication":
                    found[table] = connection.execute(f"from {table} order by all").fetchall()
    return found


def readings(home: Household) -> dict[str, list[Any]]:
    """Every reading and where it lies: hot or cold."""
    hidden = "exclude (_dlt_id, _dlt_load_id)"
    return {
        f"{schema}.{platform}": home.rows(
            f"select * {hidden} from {schema}.{platform}_snapshots order by all"
        )
        for schema in ("raw", "raw_cold")
        for platform in ("twitter", "linkedin")
    }


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path / "base") as home:
        home.move_in()
        home.app.build_and_publish()
        yield home


def test_killed_runs_leave_what_undisturbed_ones_leave(base: Household, tmp_path: Path) -> None:
    dice = random.Random(20261122)
    with installed(base.twin(tmp_path / "undisturbed")) as calm:
        for turn in range(ROUNDS):
            calm.begin_round(turn)
            for command in COMMANDS:
                assert calm.run(command, turn)
            if turn == 0:  # later rounds erase all that one of the platforms has
                assert all(readings(calm.home).values())
        expected, kept = published(calm.home), readings(calm.home)

    looks: list[int] = []
    with installed(base.twin(tmp_path / "disturbed")) as storm, looked_at(storm.home, looks):
        for turn in range(ROUNDS):
            storm.begin_round(turn)
            for command, steps in COMMANDS.items():
                for step in steps:
                    wanted = KILLS * (turn + 1) // ROUNDS
                    for _ in range(2 * KILLS):
                        if storm.kills[step] < wanted:
                            storm.run(command, turn, step, dice.uniform(0, 0.9) * calm.took[step])
                while not storm.run(command, turn):
                    pass
        found, held = published(storm.home), readings(storm.home)
        rest = [p for p in storm.home.data_dir.rglob("*") if "draft" in p.name or p.name == INTENT]
        handle, number = DELETED
        text = storm.home.posts[handle][number].text or ""
        assert traces(storm.home.data_dir / "published", [text]) == []

    for table in expected:
        assert found[table] == expected[table], table
    assert held == kept
    assert rest == []
    assert all(storm.kills[step] >= KILLS / 2 for steps in COMMANDS.values() for step in steps)
    FIGURES.append(
        f"warehouse kills: {dict(storm.kills)} over {ROUNDS} rounds; {len(expected)} published"
        f" tables with {sum(map(len, expected.values())):,} rows equal; a reader looked"
        f" {looks[0]:,} times"
    )


if __name__ == "__main__":
    nursery()
