"""The stand-in over real sockets: keep-alive, broken connections, threads, a child process."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from click.testing import CliRunner

from ingest.sandbox.__main__ import main
from ingest.sandbox.server import PortInUseError, SandboxServer, sandbox_process
from ingest.sandbox.world import World, demo_accounts

START = datetime(2026, 7, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(World(demo_accounts(), START, days_before=40, days_after=1)) as server:
        yield server


@pytest.fixture
def client(server: SandboxServer) -> Iterator[httpx.Client]:
    token = server.sandbox.tokens.of(server.sandbox.world.accounts[0]).access_token
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=5) as client:
        yield client
        httpx.delete(f"{server.url}/_sandbox/scenario")


def load(server: SandboxServer, fault: str, **args: object) -> None:
    rule = {"fault": fault, "nth": [1], "args": args}
    httpx.post(f"{server.url}/_sandbox/scenario", json={"rules": [rule]}).raise_for_status()


def test_connections_are_kept_open(server: SandboxServer, client: httpx.Client):
    with socket.create_connection(("127.0.0.1", server.port)) as plain:
        for _ in range(3):
            plain.sendall(b"GET /_sandbox/clock HTTP/1.1\r\nHost: x\r\n\r\n")
            assert plain.recv(65_536).startswith(b"HTTP/1.1 200 OK")


def test_a_body_that_nobody_reads_does_not_spoil_the_next_request(client: httpx.Client):
    assert client.post("/no/such/path", content=b"GET / HTTP/1.1\r\n\r\n").status_code == 404
    assert client.get("/2/users/me").status_code == 200


def test_a_raw_query_reaches_the_stand_in_as_it_was_sent(server: SandboxServer):
    page = server.sandbox.world.accounts[1]
    headers = {
        "Authorization": f"Bearer {server.sandbox.tokens.of(page).access_token}",
        "LinkedIn-Version": "202606",
        "X-Restli-Protocol-Version": "2.0.0",
    }
    urn = page.urn.replace(":", "%3A")
    base = f"{server.url}/rest/posts?q=author&author="
    assert httpx.get(base + urn, headers=headers).status_code == 200
    assert httpx.get(base + page.urn, headers=headers).status_code == 400
    assert httpx.get(base + urn.replace("%", "%25"), headers=headers).status_code == 400
    # What httpx makes of `params`: the query in the URL is lost, the value is encoded twice.
    wrong = httpx.get(base + urn, params={"author": urn}, headers=headers)
    assert wrong.status_code == 400


def test_a_cut_connection_is_a_protocol_error_and_the_next_request_works(
    server: SandboxServer, client: httpx.Client
):
    load(server, "cut")
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/2/users/me")
    assert client.get("/2/users/me").status_code == 200


def test_a_truncated_body_is_a_protocol_error(server: SandboxServer, client: httpx.Client):
    load(server, "truncated")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        client.get("/2/users/me")
    assert client.get("/2/users/me").status_code == 200


def test_a_hanging_answer_runs_into_the_clients_timeout(
    server: SandboxServer, client: httpx.Client
):
    load(server, "hang", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/2/users/me", timeout=0.1)
    # A request left hanging counts at once.
    assert server.sandbox.log.recent()[-1]["fault"] == "hang"
    assert client.get("/2/users/me").status_code == 200


def test_many_clients_are_served_at_once(server: SandboxServer):
    before = server.sandbox.log.count("GET /2/users/:id")
    path = f"{server.url}/2/users/{server.sandbox.world.accounts[0].id}"
    token = server.sandbox.tokens.app_token

    def ask() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            for _ in range(10):
                assert client.get(path).status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.sandbox.log.count("GET /2/users/:id") - before == 80


def test_a_server_with_open_connections_and_a_hanging_answer_ends_at_once():
    world = World(demo_accounts(), START, days_before=1, days_after=1)
    with SandboxServer(world) as server, httpx.Client(base_url=server.url) as client:
        client.post("/_sandbox/scenario", json={"rules": [{"fault": "hang"}]})
        with pytest.raises(httpx.ReadTimeout):
            client.get("/2/users/me", timeout=0.05)
        client.get("/_sandbox/clock")
        began = time.monotonic()
    assert time.monotonic() - began < 2


def test_a_busy_port_is_one_clear_line(server: SandboxServer):
    with pytest.raises(PortInUseError, match=f"port {server.port}"):
        SandboxServer(World(demo_accounts(), START), port=server.port)
    result = CliRunner().invoke(main, ["--port", str(server.port)])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"Error: port {server.port} cannot be used: Address already in use"
    ]


def test_the_command_explains_itself_and_refuses_what_it_does_not_know(tmp_path):
    text = CliRunner().invoke(main, ["--help"]).output
    for option in ("--port", "--seed", "--start", "--accounts", "--scenario", "--run"):
        assert option in text
    assert CliRunner().invoke(main, ["--start", "soon"]).exit_code == 2
    assert CliRunner().invoke(main, ["--accounts", "all"]).exit_code == 2
    broken = tmp_path / "broken.yml"
    broken.write_text("rules: [{fault: gremlins}]")
    result = CliRunner().invoke(main, ["--scenario", str(broken)])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "broken.yml: rule 1: unknown fault" in result.output


def test_a_child_process_gives_the_same_world_and_takes_a_clock():
    world = World(demo_accounts(), START, seed=5)
    profile = world.accounts[0]
    with sandbox_process("--seed", "5", "--start", "2026-07-31") as child:
        child.set_clock(START)
        accounts = httpx.get(f"{child.url}/_sandbox/accounts").json()["accounts"]
        assert accounts[0]["platform_account_id"] == profile.id
        bearer = {"Authorization": f"Bearer {accounts[0]['access_token']}"}
        answer = httpx.get(f"{child.url}/2/users/{profile.id}/tweets", headers=bearer).json()
        newest = next(profile.newest_first(world.start))
        assert answer["data"][0]["id"] == str(newest.versions[-1].id)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{child.url}/_sandbox/clock")


def test_a_child_that_cannot_start_says_why():
    with pytest.raises(RuntimeError, match="is not one of"), sandbox_process("--accounts", "x"):
        pass


def test_a_child_ends_when_its_parent_dies():
    script = (
        "import os\n"
        "from ingest.sandbox.server import sandbox_process\n"
        "with sandbox_process() as child:\n"
        "    print(child.url, flush=True)\n"
        "    os._exit(9)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    url = parent.stdout.split()[-1]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/_sandbox/clock")
        except httpx.HTTPError:
            return
        time.sleep(0.05)
    pytest.fail("the stand-in outlived its parent")
