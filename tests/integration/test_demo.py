"""`nexus demo` as a newcomer meets it: a link that opens the dashboard, and a clean end."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import structlog

from execution.app import App
from execution.control.settings import Settings
from execution.demo import DemoError, run_demo
from ingest.clock import SystemClock

NEXUS = Path(sys.executable).with_name("nexus")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/login/\S+")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("demo")
    return {
        **os.environ,
        "NEXUS_DATA_DIR": str(folder / "data"),
        "NEXUS_VAULT_KEY_FILE": str(folder / "keys" / "vault.json"),
        "NEXUS_PORT": "0",
    }


@contextmanager
def running_demo(environment: dict[str, str]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The demo of two days until its link is printed; ended by Ctrl-C."""
    with subprocess.Popen(
        [NEXUS, "demo", "--days", "2"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        try:
            said = []
            for line in demo.stdout:
                said.append(line)
                if link := LINK.search(line):
                    yield link[0], demo
                    break
            else:
                assert demo.stderr is not None
                pytest.fail("".join(said) + demo.stderr.read())
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(20)
            except subprocess.TimeoutExpired:
                demo.kill()
                raise
        assert demo.stderr is not None
        assert demo.stderr.read() == "", "the terminal is for the demo's progress, not for logs"


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_the_build_warns_of_nothing_and_the_link_opens_a_dashboard_with_numbers(
    environment: dict[str, str],
) -> None:
    with running_demo(environment) as (link, demo), httpx.Client(follow_redirects=True) as browser:
        page = browser.get(link)
        assert page.status_code == 200
        base = link.partition("/login/")[0]
        overview = browser.get(f"{base}/api/analytics/overview?window=7d").raise_for_status().json()
        assert overview["cards"]["impressions"]["value"] > 0
        assert {account["platform"] for account in overview["accounts"]} == {"linkedin", "twitter"}
        assert "set-cookie" not in httpx.get(link).headers, "a link works once"
        log = Path(environment["NEXUS_DATA_DIR"], "demo", "logs", "dbt.log").read_text()
        assert "WARN=0 ERROR=0 SKIP=0" in log
        assert "[WARNING]" not in log, "of deprecations neither"
        started = children(demo.pid)
        assert started, "the stand-in is a child of the demo"
    assert demo.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def test_a_second_demo_serves_what_is_there(environment: dict[str, str]) -> None:
    with running_demo(environment) as (link, _):
        assert httpx.get(link).status_code in {200, 302, 303}


def test_a_busy_port_is_said_before_any_work(environment: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [NEXUS, "demo"],
            env={**environment, "NEXUS_PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_demos_terminal_shows_its_progress_and_what_is_wrong_but_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: str) -> None:
        log = structlog.get_logger()
        log.info("post deleted")
        log.warning("counters_not_sent")
        raise DemoError("far enough")

    monkeypatch.setattr("execution.demo.sandbox_process", stop)
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", port=0)
    with pytest.raises(DemoError, match="far enough"):
        run_demo(App(settings, SystemClock()), days=1)
    said = capsys.readouterr().err
    assert "counters_not_sent" in said
    assert "post deleted" not in said
