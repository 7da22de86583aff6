"""`nexus doctor`: what is well, what is not, and what to do about it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from execution.app import App
from execution.control.connections import ACTIVE
from execution.control.models import Account, Connection, Run
from execution.control.platforms import oauth_app, platform_settings
from execution.control.settings import variable
from execution.control.vault import open_vault
from ingest.errors import NexusError
from ingest.platforms import PLATFORMS

State = Literal["ok", "warning", "error"]

_LOW_DISK = 2_000_000_000
_LATE_RUN = timedelta(hours=12)
#: A LinkedIn version lives a year from its month (platform-apis.md 2.1); warn in its last month.
_VERSION_AGE = timedelta(days=335)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice`: what to do, if it is not well."""

    subject: str
    state: State
    message: str
    advice: str = ""


def examine(app: App) -> list[Finding]:
    """Look at everything; nothing is changed and no platform is asked."""
    return [finding for check in _CHECKS for finding in check(app)]


def _data_folder(app: App) -> Iterator[Finding]:
    folder = app.settings.data_dir
    free = shutil.disk_usage(folder if folder.exists() else folder.parent).free
    said = f"{folder}, {free / 1e9:.0f} GB free"
    if free < _LOW_DISK:
        yield Finding("data folder", "error", said, "free some space: runs stop on a full disk")
    else:
        yield Finding("data folder", "ok", said)


def _vault(app: App) -> Iterator[Finding]:
    path = app.settings.vault_key_file
    if not path.exists():
        yield Finding("vault", "warning", f"{path} does not exist", "it is made on first use")
        return
    try:
        open_vault(path, app.settings.data_dir)
    except NexusError as error:
        yield Finding("vault", "error", str(error))
    else:
        yield Finding("vault", "ok", f"{path}, back it up apart from the data folder")


def _platforms(app: App) -> Iterator[Finding]:
    for platform in PLATFORMS:
        base_url = platform_settings(app.settings, platform).base_url
        if oauth_app(app.settings, platform) is None:
            yield Finding(
                platform,
                "warning",
                f"{base_url}, no developer app",
                f"set {variable(platform, 'client_id')}: tokens cannot be refreshed without it",
            )
        else:
            yield Finding(platform, "ok", base_url)


def _linkedin_version(app: App) -> Iterator[Finding]:
    version = app.settings.linkedin_version
    born = datetime(int(version[:4]), int(version[4:]), 1, tzinfo=UTC)
    if app.clock.now() - born > _VERSION_AGE:
        yield Finding(
            "LinkedIn version", "warning", f"{version} ends soon", "set NEXUS_LINKEDIN_VERSION"
        )
    else:
        yield Finding("LinkedIn version", "ok", version)


def _connections(app: App) -> Iterator[Finding]:
    with app.store.begin() as session:
        rows = session.execute(
            select(Connection, Account).join(Account, Account.id == Connection.account_id)
        ).all()
    if not rows:
        yield Finding("connections", "warning", "none", "nexus connect twitter, or import files")
    for connection, account in rows:
        name = f"{account.platform}:{account.handle or account.platform_account_id}"
        if connection.state != ACTIVE:
            why = connection.state_reason or connection.state
            yield Finding(name, "error", why, f"nexus connect {account.platform}")
        else:
            last = connection.last_success_at
            yield Finding(name, "ok", f"last collected {last:%Y-%m-%d %H:%MZ}" if last else "new")


def _last_run(app: App) -> Iterator[Finding]:
    with app.store.begin() as session:
        run = session.scalar(select(Run).order_by(Run.id.desc()).limit(1))
    if run is None:
        yield Finding("last run", "warning", "nothing ran yet", "make refresh")
        return
    said = f"{run.command}, {run.started_at:%Y-%m-%d %H:%MZ}"
    if app.clock.now() - run.started_at > _LATE_RUN:
        yield Finding("last run", "warning", said, "is cron set up? nexus schedule prints it")
    elif run.exit_code == 1:
        yield Finding("last run", "error", f"{said}, failed", "its message is in the log")
    else:
        yield Finding("last run", "ok", said)


def _publication(app: App) -> Iterator[Finding]:
    link = app.settings.published_dir / "current.duckdb"
    if link.exists():
        yield Finding("published", "ok", link.resolve().name)
    else:
        yield Finding("published", "warning", "nothing yet", "make refresh, or make import")


def _dashboard(_app: App) -> Iterator[Finding]:
    built = Path(__file__).parents[1] / "api" / "static" / "index.html"
    if built.exists():
        yield Finding("dashboard", "ok", "built")
    else:
        yield Finding("dashboard", "warning", "not built", "make install")


_CHECKS: tuple[Callable[[App], Iterator[Finding]], ...] = (
    _data_folder,
    _vault,
    _platforms,
    _linkedin_version,
    _connections,
    _last_run,
    _publication,
    _dashboard,
)
