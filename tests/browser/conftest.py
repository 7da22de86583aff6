"""A real Chromium, the built dashboard, and the real app over a small published world.

Without Chromium, or with a dashboard that was not built from this source, these tests skip and
say why; on CI (`CI=true`) they fail instead, so that nothing is skipped unseen.
"""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from api.app import STATIC
from api.auth import SESSION_COOKIE

# The API's tests know how to publish marts without a dbt run.
sys.path.insert(0, str(Path(__file__).parents[1] / "api"))

import world

DASHBOARD = Path(__file__).parents[2] / "api" / "dashboard"
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _skip_here_fail_on_ci(reason: str) -> None:
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _chromium() -> str | None:
    for candidate in (os.environ.get("CHROMIUM"), "/usr/bin/chromium"):
        if candidate and Path(candidate).exists():
            return candidate
    return shutil.which("chromium")


def _is_built() -> bool:
    built = STATIC / "index.html"
    if not built.exists():
        return False
    sources = [DASHBOARD / "index.html", *(DASHBOARD / "src").rglob("*")]
    return max(path.stat().st_mtime for path in sources) <= built.stat().st_mtime


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = _chromium()
    if executable is None:
        _skip_here_fail_on_ci("no Chromium: install the package `chromium` or set CHROMIUM")
    if not _is_built():
        _skip_here_fail_on_ci("api/static is missing or older than api/dashboard: build it first")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.Installation]:
    with world.installed(tmp_path_factory.mktemp("installation")) as installation:
        yield installation


@pytest.fixture(scope="session")
def site(installation: world.Installation) -> Iterator[str]:
    """Address of a running dashboard and its API."""
    server = make_server("127.0.0.1", 0, installation.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def stranger(browser: Browser, site: str) -> Iterator[BrowserContext]:
    """A browser window in which nobody is signed in."""
    context = browser.new_context(
        base_url=site,
        viewport={"width": 1440, "height": 900},
        locale="en-GB",
        timezone_id="Asia/Tokyo",  # never the user's zone: days come from the API, not from here
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    context.clock.set_fixed_time(world.NOW + timedelta(minutes=10))
    yield context
    context.close()


@pytest.fixture
def context(
    stranger: BrowserContext, installation: world.Installation, site: str
) -> BrowserContext:
    """The same, signed in."""
    stranger.add_cookies([{"name": SESSION_COOKIE, "value": installation.sign_in(), "url": site}])
    return stranger


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; a test that provokes failed loads adds world.PROVOKED."""
    return []


@pytest.fixture
def page(context: BrowserContext, site: str, complaints: list[str]) -> Iterator[Page]:
    """A page that must not log an error, break its content policy, or call another host."""
    page = context.new_page()

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"console {message.type}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    yield page
    page.unroute_all(behavior="ignoreErrors")  # answers still under way when the test ends
    # the browser tells of a failed load on its own, sooner or later: only its text can forgive it
    forgiven = ("Failed to load resource", world.PROVOKED) if world.PROVOKED in complaints else ()
    assert [told for told in complaints if not any(part in told for part in forgiven)] == []
    assert hosts <= {urlsplit(site).netloc}
