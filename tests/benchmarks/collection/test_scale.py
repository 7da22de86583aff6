"""Many connections in one run: time, memory, and the same rows landed by the shortest way.

Targets (in full, NEXUS_BENCH_SCALE=1, on two cores): 50,000 posts of 500 connections collected and
landed within 60 seconds and 500 MB, and no more memory for twice the posts.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.sandbox.server import sandbox_process
from tests.benchmarks.collection.figures import FIGURES, IN_FULL, SCALE

NOW = datetime(2026, 9, 20, 12, 7, tzinfo=UTC)
CONNECTIONS = max(round(500 * SCALE), 4)
WORKER = (sys.executable, "-m", "tests.benchmarks.collection.worker")


@contextmanager
def stand_in(posts_a_day: float) -> Iterator[str]:
    """Address of a stand-in in a process of its own."""
    arguments = ("serve", str(CONNECTIONS), str(posts_a_day), NOW.isoformat())
    with subprocess.Popen(
        [*WORKER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.kill()


def run(folder: Path, url: str, *arguments: str) -> dict[str, Any]:
    """What a worker says."""
    environment = {
        **os.environ,
        "NEXUS_DATA_DIR": str(folder / "data"),
        "NEXUS_VAULT_KEY_FILE": str(folder / "keys" / "vault.json"),
        "NEXUS_X_BASE_URL": url,
        "NEXUS_LINKEDIN_BASE_URL": url,
        "NEXUS_LINKEDIN_VERSION": "202606",
        "NEXUS_X_REQUESTS_PER_15_MINUTES": "1000000",
        "NEXUS_LINKEDIN_REQUESTS_PER_HOUR": "1000000",
    }
    done = subprocess.run(
        [*WORKER, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_fifty_thousand_posts_of_five_hundred_connections(tmp_path: Path) -> None:
    measured = {}
    for name, posts_a_day in (("once", 3.4), ("twice", 6.8)):
        folder = tmp_path / name
        with stand_in(posts_a_day) as url:
            got = run(folder, url, "collect", url, NOW.isoformat())
        base = run(folder, url, "baseline")
        assert got["failures"] == []
        assert got["snapshots"] == got["posts"] > CONNECTIONS * posts_a_day * 25
        seconds = got["import_seconds"] + got["collect_seconds"] + got["land_seconds"]
        measured[name] = (seconds, got["peak_mb"])
        FIGURES.append(
            f"{got['snapshots']:>7,} posts of {CONNECTIONS} connections, {got['requests']:,}"
            f" requests: {seconds:.1f} s (import {got['import_seconds']:.1f}, collect"
            f" {got['collect_seconds']:.1f}, land {got['land_seconds']:.1f}; cpu"
            f" {got['cpu_seconds']:.1f} to the landing), peak {got['peak_mb']:.0f} MB"
            f" ({got['collect_mb']:.0f} before landing)"
        )
        FIGURES.append(
            f"{base['rows']:>7,} rows of the same landed from Arrow: {base['seconds']:.1f} s,"
            f" peak {base['peak_mb']:.0f} MB; ours took {got['land_seconds'] / base['seconds']:.1f}"
            f" times as long to land, {seconds / base['seconds']:.1f} times in all,"
            f" {got['peak_mb'] / base['peak_mb']:.2f} times the memory"
        )
    if IN_FULL:
        seconds, peak = measured["once"]
        assert seconds <= 60
        assert peak < 500
        assert measured["twice"][1] <= peak * 1.15, "memory does not grow with the posts"


def test_an_account_slot_of_the_demo(tmp_path: Path) -> None:
    """The demo polls 5,800 of them: each must cost little more than its requests."""
    from tests.benchmarks.collection.demo_slots import poll_demo

    days = 10 if IN_FULL else 1
    start = NOW.replace(hour=0, minute=0)
    arguments = ("--seed", "7", "--start", start.isoformat(), "--accounts", "demo")
    with sandbox_process(*arguments) as stand_in_process:
        polled = poll_demo(tmp_path, stand_in_process.url, start, days)
    FIGURES.append(
        f"{polled.accounts:>7,} account-slots of the demo: {polled.cpu_ms:.1f} ms of processor and"
        f" {polled.wall_ms:.1f} ms each, {polled.snapshots:,} snapshots"
    )
    if IN_FULL:
        assert polled.cpu_ms < 15


def test_a_run_with_nothing_due(tmp_path: Path) -> None:
    """Under a second, so that cron may fire as often as it likes."""
    from tests.integration.collection.scene import environment, playing
    from tests.integration.collection.test_request_economy import SPECS, fill_everything

    with playing(tmp_path, SPECS, start=datetime.now(UTC)) as scene:
        fill_everything(scene)
        seconds = []
        for _ in range(5 if IN_FULL else 2):
            started = time.perf_counter()
            command = [str(Path(sys.executable).with_name("nexus")), "sync"]
            done = subprocess.run(
                command, env=environment(scene), capture_output=True, text=True, check=False
            )
            seconds.append(time.perf_counter() - started)
            assert done.stdout == "Nothing is due.\n"
        assert scene.asked() == []
    FIGURES.append(f"nothing due, 11,000 posts: {min(seconds):.2f} s, the whole process")
    if IN_FULL:
        assert min(seconds) < 1
