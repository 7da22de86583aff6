"""The demo: a realistic history, collected slot by slot through the real clients.

The stand-in server runs as a child process with a clock that this module moves on; everything
else is what production runs: clients, spool, dlt, dbt, publish, API. This is the only module of
the product that knows the stand-in.
"""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import func, select

from execution.analytics.sync_metrics import Collector
from execution.app import App
from execution.connect import Consent, connect_account
from execution.console import progress_bar
from execution.control import access
from execution.control.connections import Tokens
from execution.control.models import Connection
from execution.control.settings import Settings
from execution.logs import configure_logs
from ingest.clock import ManualClock
from ingest.errors import NexusError
from ingest.sandbox.server import SandboxProcess, sandbox_process
from ingest.slots import YOUNG_SLOT, floor_to

SEED = 7
#: user of the stand-in's world -> e-mail and zone of the demo's user
PEOPLE = {
    "ana": ("ana@example.com", "Europe/Zurich"),
    "ben": ("ben@example.com", "America/New_York"),
}
#: Each user has an X profile and a LinkedIn page.
CONNECTED_KINDS = ("profile", "page")
#: Alive at both ends of the history (platform-apis: a version lives about a year).
LINKEDIN_VERSION = "202606"
SIGNED_IN = "ana@example.com"
LANDED_EVERY = timedelta(days=7)
#: Cron fires a little after the slot begins.
LATENESS = timedelta(minutes=7)
_NEEDED_BYTES = 1_500_000_000


class DemoError(NexusError):
    """The demo cannot run; the message says why."""


@dataclass(frozen=True)
class DemoState:
    """What a second `make demo` must know: which world it lives in, and from when."""

    seed: int
    start: str

    @classmethod
    def load_or_make(cls, path: Path, days: int, now: datetime) -> "DemoState":
        if path.exists():
            return cls(**json.loads(path.read_text()))
        state = cls(SEED, floor_to(now - timedelta(days=days), YOUNG_SLOT).isoformat())
        path.write_text(json.dumps(asdict(state)))
        return state


def run_demo(app: App, days: int) -> None:
    """Collect `days` of history (or what is new since), build, publish, and serve until Ctrl-C.

    Raises DemoError if the disk is too full, the port is taken or the stand-in does not start.
    """
    settings = _settings(app.settings)
    configure_logs(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _check_disk(settings.data_dir)
    _check_port(settings)
    state = DemoState.load_or_make(settings.data_dir / "demo.json", days, app.clock.now())
    arguments = ("--seed", str(state.seed), "--start", state.start, "--accounts", "demo")
    with sandbox_process(*arguments) as stand_in:
        urls = {"x_base_url": stand_in.url, "linkedin_base_url": stand_in.url}
        demo = App(settings.model_copy(update=urls), app.clock)
        with demo.run("demo"):
            _connect_people(demo, stand_in.url, datetime.fromisoformat(state.start))
            if _collect_history(demo, stand_in) or not _is_published(settings):
                demo.build_and_publish()
        with httpx.Client(base_url=stand_in.url) as stand_in_control:
            _set_clock(stand_in_control, {"offset": 0})
        demo.serve(SIGNED_IN)


def _settings(settings: Settings) -> Settings:
    """The demo's state stays apart from real data, and its terminal is for its progress."""
    said = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
    return settings.model_copy(
        update={
            "data_dir": settings.data_dir / "demo",
            "linkedin_version": LINKEDIN_VERSION,
            "public_url": None,
            "log_level": said,
        }
    )


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise DemoError(
            f"{folder} has {free / 1e9:.1f} GB free; the demo needs {_NEEDED_BYTES / 1e9:.1f} GB"
        )


def _check_port(settings: Settings) -> None:
    """A busy port is said before minutes of work, not after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise DemoError(
                f"port {settings.port} cannot be used ({error.strerror}): "
                "say another, NEXUS_PORT=8011 make demo"
            ) from error


def _connect_people(demo: App, url: str, now: datetime) -> None:
    """Two users with both platforms each, as if they had given their consents at the start."""
    with demo.store.begin() as session:
        if session.scalar(select(func.count()).select_from(Connection)):
            return
        for email, zone in PEOPLE.values():
            access.create_user(session, email, zone, now)
    at_start = App(demo.settings, ManualClock(now))
    for item in httpx.get(f"{url}/_sandbox/accounts").raise_for_status().json()["accounts"]:
        if item["kind"] in CONNECTED_KINDS:
            tokens = Tokens(item["access_token"], item["refresh_token"])
            email, _ = PEOPLE[item["user"]]
            consent = Consent(tokens, item["scopes"])
            connect_account(at_start, email, item["platform"], consent, item["handle"])
    at_start.store.close()


def _collect_history(demo: App, stand_in: SandboxProcess) -> bool:
    """Poll every slot since the last collection; whether there was any."""
    with demo.store.begin() as session:
        done_until = session.scalar(select(func.max(Connection.last_success_at)))
        start = done_until or session.scalar(select(func.min(Connection.connected_at)))
    assert start is not None  # people were connected before
    moments = list(_cron(start, demo.clock.now()))
    clock = ManualClock(start)
    landed_at = start
    with (
        httpx.Client(base_url=stand_in.url) as stand_in_control,
        Collector(demo.settings, demo.store, demo.vault, clock) as collector,
        progress_bar("Collecting") as advance,
    ):
        for number, moment in enumerate(moments, start=1):
            _set_clock(stand_in_control, {"now": moment.isoformat()})
            clock.set(moment)
            report = collector.collect()
            if report.stopped:
                raise DemoError(f"the collection stopped: {report.failures[-1]}")
            if moment - landed_at >= LANDED_EVERY:
                collector.land()
                landed_at = moment
            advance(number, len(moments), f"{moment:%d %B %Y}")
        collector.land()
    return bool(moments)


def _set_clock(stand_in: httpx.Client, clock: dict[str, str | int]) -> None:
    stand_in.post("/_sandbox/clock", json=clock).raise_for_status()


def _cron(start: datetime, end: datetime) -> Iterator[datetime]:
    """The moments at which a two-hourly cron would have fired, `start` excluded."""
    slot = floor_to(start, YOUNG_SLOT)
    while (moment := slot + LATENESS) <= end:
        if moment > start:
            yield moment
        slot += YOUNG_SLOT


def _is_published(settings: Settings) -> bool:
    return (settings.published_dir / "current.duckdb").exists()
