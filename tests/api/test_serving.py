"""`serve` as a process: its port, its threads, its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import NOW, House
from published_marts import AccountFact, IncrementFact, Marts, PostFact

from api.serve import PortBusyError, serve
from execution.control.settings import Settings

BIRD = AccountFact("bird")
POST = PostFact("a tweet", BIRD, NOW)
PROGRAM = """
from api.serve import serve
from execution.control.settings import Settings
serve(Settings(), lambda port: print(port, flush=True))
"""


@contextmanager
def served(
    settings: Settings, host: str = "127.0.0.1"
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The server as a child process; gives its port."""
    environment = {
        **os.environ,
        "NEXUS_DATA_DIR": str(settings.data_dir),
        "NEXUS_VAULT_KEY_FILE": str(settings.vault_key_file),
        "NEXUS_HOST": host,
        "NEXUS_PORT": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


def ask(port: int, path: str, key: str) -> dict[str, object]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        answer: dict[str, object] = json.load(response)
        return answer


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_zero_takes_a_free_port_and_tells_it(house: House, host: str) -> None:
    house.publish(Marts([BIRD], [POST], [IncrementFact(POST, NOW, {"impressions": 5})]))
    key = house.key(house.user("ann@example.org", [BIRD]))
    with served(house.settings, host) as (port, _):
        assert ask(port, "/api/analytics/overview", key)["generation"] == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_when_it_is_told_to_and_frees_its_port(
    house: House, end: signal.Signals
) -> None:
    with served(house.settings) as (port, process):
        process.send_signal(end)
        assert process.wait(10) in (0, -end)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))


def test_a_replaced_generation_is_let_go_of_while_nobody_asks(house: House) -> None:
    house.publish(Marts([BIRD], [POST]), 1)
    key = house.key(house.user("ann@example.org", [BIRD]))
    with served(house.settings) as (port, process):
        ask(port, "/api/analytics/overview", key)
        assert "nexus-1.duckdb" in opened(process.pid)
        house.publish(Marts([BIRD], [POST]), 2)
        for _ in range(100):
            if "nexus-1.duckdb" not in opened(process.pid):
                break
            time.sleep(0.1)
        assert {"nexus-2.duckdb", "content-2.duckdb"} <= opened(process.pid)
        assert "nexus-1.duckdb" not in opened(process.pid)


def opened(process_id: int) -> set[str]:
    """Names of the files that a process holds open."""
    found = set()
    for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            found.add(descriptor.readlink().name.removesuffix(" (deleted)"))
        except OSError:
            continue
    return found


def test_a_busy_port_is_one_clear_line(house: House) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        house.settings.port = other.getsockname()[1]
        with pytest.raises(PortBusyError) as caught:
            serve(house.settings, lambda _: pytest.fail("announced a port it does not have"))
    message = str(caught.value)
    assert "\n" not in message
    assert str(house.settings.port) in message
    assert "NEXUS_PORT" in message
