"""Polls the demo's accounts slot by slot, as `nexus demo` does, and measures this process."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from execution.analytics.sync_metrics import Collector
from execution.app import App
from execution.connect import Consent, connect_account
from execution.control import access
from execution.control.connections import Tokens
from execution.control.settings import Settings
from ingest.clock import ManualClock


@dataclass(frozen=True)
class Polled:
    """What was polled, and what each account-slot took."""

    accounts: int
    snapshots: int
    cpu_ms: float
    wall_ms: float


def poll_demo(folder: Path, url: str, start: datetime, days: int) -> Polled:
    settings = Settings(
        _env_file=None,
        data_dir=folder / "data",
        vault_key_file=folder / "keys" / "vault.json",
        x_base_url=url,
        linkedin_base_url=url,
        linkedin_version="202606",
    )
    clock = ManualClock(start)
    app = App(settings, clock)
    with app.store.begin() as session:
        for user in ("ana", "ben"):
            access.create_user(session, f"{user}@example.com", "UTC", start)
    for item in httpx.get(f"{url}/_sandbox/accounts").json()["accounts"]:
        if item["kind"] in ("profile", "page"):
            consent = Consent(Tokens(item["access_token"], item["refresh_token"]), item["scopes"])
            email = f"{item['user']}@example.com"
            connect_account(app, email, item["platform"], consent, item["handle"])
    accounts = snapshots = 0
    cpu, wall = time.process_time(), time.perf_counter()
    with (
        httpx.Client(base_url=url) as control,
        Collector(settings, app.store, app.vault, clock) as collector,
    ):
        for slot in range(12 * days):
            clock.set(start + slot * timedelta(hours=2) + timedelta(minutes=7))
            control.post("/_sandbox/clock", json={"now": clock.now().isoformat()})
            report = collector.collect()
            assert report.failures == []
            accounts, snapshots = accounts + report.accounts, snapshots + report.snapshots
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    app.store.close()
    return Polled(accounts, snapshots, cpu * 1000 / accounts, wall * 1000 / accounts)
