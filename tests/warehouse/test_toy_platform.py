"""A new platform is one module, one folder and its lines in lists: what CONTRIBUTING.md says, done.

`toy_platform.py` is the module. The copied dbt project gets a folder in models/staging, lines in
the seeds, and the platform's name in `vars`. No other file changes: an account is connected, its
token refreshed and its posts collected from a small server by the product's own code.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from execution.analytics.sync_metrics import Collector
from execution.app import App
from execution.connect import Consent, connect_account
from execution.control import access
from execution.control.connections import Tokens
from execution.control.plan import plan
from execution.control.settings import PLATFORM_PREFIXES, Settings
from ingest.clock import ManualClock
from ingest.platforms import PLATFORMS

from .raw_warehouse import PROJECT, RawWarehouse, at, copied_project
from .toy_platform import Toy

PUBLISHED = at("2026-03-02 08:00")
ANA = "ana@example.com"

# --- execution/control/settings.py ----------------------------------------------------------------


class SettingsWithToy(Settings):
    toy_base_url: str = "https://api.toy.example"
    toy_client_id: str | None = None
    toy_client_secret: str | None = None
    toy_requests_per_day: int = 100


# --- models/staging/toy/ --------------------------------------------------------------------------

COUNTERS = {
    "view_count as integer) as impressions": "impression_count as integer) as impressions",
    "clap_count as integer) as likes": "like_count as integer) as likes",
    "echo_count as integer) as retweets": "retweet_count as integer) as retweets",
    "null as integer) as replies": "reply_count as integer) as replies",
    "null as integer) as quotes": "quote_count as integer) as quotes",
    "null as integer) as bookmarks": "bookmark_count as integer) as bookmarks",
    "null as integer) as clicks": "url_link_clicks as integer) as clicks",
}
WEIGHTS = "1,toy,likes,1.0\n1,toy,retweets,4.0\n"
OFFERS = """\
toy,profile,api,api,impressions,offered,false,false,view_count,
toy,profile,api,api,likes,offered,true,true,clap_count,
toy,profile,api,api,retweets,offered,true,true,echo_count,
"""


def toy_project(folder: Path) -> Path:
    """The project with the toy platform added as a contributor would."""
    project = copied_project(folder)
    staging = project / "models" / "staging"
    (staging / "toy").mkdir()
    for path in (staging / "twitter").iterdir():
        if "export_posts" not in path.name:
            text = path.read_text().replace("twitter", "toy")
            for ours, theirs in COUNTERS.items():
                text = text.replace(theirs, ours)
            (staging / "toy" / path.name.replace("twitter", "toy")).write_text(text)
    seeds = project / "dbt_project" / "seeds"
    for name, lines in (("engagement_weights", WEIGHTS), ("metric_offers", OFFERS)):
        path = seeds / f"{name}.csv"
        path.write_text(path.read_text() + lines)
    settings = (PROJECT / "dbt_project.yml").read_text()
    listed = "platforms: [linkedin, twitter]"
    assert listed in settings
    (project / "dbt_project.yml").write_text(
        settings.replace(listed, "platforms: [linkedin, toy, twitter]")
    )
    return project


# --- the platform itself --------------------------------------------------------------------------


class ToyServer(HTTPServer):
    """One account with one post: each two hours bring 100 views and a clap, echoes stay two."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.clock = clock
        self.token = "first"
        self.refreshed_with: list[dict[str, list[str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def told(self, path: str) -> dict[str, Any]:
        if path == "/me":
            return {"id": "1", "handle": "ana", "name": "Ana", "followers": 7}
        times = (self.clock.now() - PUBLISHED) // timedelta(hours=2) + 1
        post = {"id": "t1", "at": PUBLISHED.isoformat(), "text": "hello", "url": "https://toy/1"}
        return {"posts": [{**post, "views": 100 * times, "claps": times, "echoes": 2}]}


class _Answers(BaseHTTPRequestHandler):
    server: ToyServer

    def do_GET(self) -> None:
        is_known = self.headers["authorization"] == f"Bearer {self.server.token}"
        self._send(200 if is_known else 401, self.server.told(self.path) if is_known else {})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        self.server.refreshed_with.append(form)
        self.server.token = "second"
        self._send(200, {"access_token": "second", "expires_in": 86_400})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Tests are quiet."""


@contextmanager
def toy_server(clock: ManualClock) -> Iterator[ToyServer]:
    with ToyServer(clock) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def connect_ana(app: App) -> None:
    """Her token ends within two hours: only a refresh lets the collection go on."""
    now = app.clock.now()
    with app.store.begin() as session:
        access.create_user(session, ANA, "UTC", now)
    consent = Consent(Tokens("first", "again"), ["read"], expires_at=now + timedelta(hours=1))
    connect_account(app, ANA, "toy", consent)


def collect_four_times(app: App, clock: ManualClock) -> None:
    """A reading in each of the post's first four slots, spooled, then landed."""
    with Collector(app.settings, app.store, app.vault, clock) as collector:
        for number in range(4):
            clock.set(PUBLISHED + timedelta(hours=2 * number, minutes=5))
            report = collector.collect()
            assert (report.snapshots, report.failures) == (1, [])
        collector.land()


def test_a_toy_platform_is_connected_collected_and_reaches_every_mart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PLATFORMS, Toy.name, Toy)
    monkeypatch.setitem(PLATFORM_PREFIXES, Toy.name, "toy")
    clock = ManualClock(PUBLISHED + timedelta(minutes=1))
    with toy_server(clock) as server:
        settings = SettingsWithToy(
            _env_file=None,
            data_dir=tmp_path / "data",
            vault_key_file=tmp_path / "keys" / "vault.json",
            toy_base_url=server.url,
            toy_client_id="our-app",
        )
        app = App(settings, clock)
        connect_ana(app)
        collect_four_times(app, clock)
        assert [form["client_id"] for form in server.refreshed_with] == [["our-app"]]
        clock.set(clock.now() + timedelta(hours=2))
        # asked four times for posts, and in each of two six-hour slots for the profile
        assert plan(settings, app.store, clock).requests_left == {"toy": 100 - 6}
        app.close()

    warehouse = RawWarehouse.at(settings.warehouse)
    warehouse.dbt("build", "--exclude-resource-types", "unit_test", project=toy_project(tmp_path))
    score = warehouse.row(
        "select platform, impressions, engagements, engagement_score from marts.post_scores"
    )
    # 4 claps + 2 echoes; 10,000 x (4 x 1 + 2 x 4) / 400
    assert score == {
        "platform": "toy",
        "impressions": 400,
        "engagements": 6,
        "engagement_score": Decimal("300.00"),
    }
    for mart in ("analytics_snapshots", "post_increments", "daily_metrics", "daily_rollup"):
        assert warehouse.rows(f"select distinct platform from marts.{mart}") == [
            {"platform": "toy"}
        ]
    assert warehouse.row("select text from content.post_content") == {"text": "hello"}
    assert warehouse.row("select distinct followers from marts.audience_growth") == {"followers": 7}
    window = warehouse.row(
        "select new_impressions, new_retweets, new_comments from marts.window_metrics"
        " where window_name = '24h'"
    )
    assert window == {"new_impressions": 400, "new_retweets": 2, "new_comments": None}
