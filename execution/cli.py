"""The `nexus` command. Each command loads only what it needs: a run with nothing due is quick."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from pydantic import ValidationError

from execution.console import console, fail, progress_bar
from execution.control.settings import Settings
from execution.logs import configure_logs
from execution.run import ExitCode, RunLockedError, exclusive_run
from ingest.clock import Clock, SystemClock, as_utc
from ingest.errors import NexusError

if TYPE_CHECKING:
    from execution.control.models import User
    from execution.control.store import ControlStore
    from execution.control.vault import Vault

DEFAULT_USER = "owner@localhost"


@dataclass
class App:
    """What commands share; opened when first used."""

    settings: Settings
    clock: Clock

    @cached_property
    def store(self) -> "ControlStore":
        from execution.control.store import open_store

        return open_store(self.settings)

    @cached_property
    def vault(self) -> "Vault":
        from execution.control.vault import open_vault

        return open_vault(self.settings.vault_key_file, self.settings.data_dir)


class _OneLineErrors(click.Group):
    """Turns the errors a person can mend into one clear line and the right exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except RunLockedError as error:
            fail(str(error), ExitCode.LOCKED)
        except (NexusError, OSError) as error:
            fail(str(error), ExitCode.FAILED)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nexus-analytics", prog_name="nexus")
@click.pass_context
def main(context: click.Context) -> None:
    """Nexus Analytics: how your posts perform on LinkedIn and X, from data you own.

    Settings are environment variables named NEXUS_…; all state lies in NEXUS_DATA_DIR.
    """
    context.obj = open_app()


def open_app() -> App:
    """Settings and logs of this process. Ends with exit code 2 if a setting is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"NEXUS_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        fail("wrong setting: " + "; ".join(lines), 2)
    configure_logs(settings)
    return App(settings, SystemClock())


def app_command(command: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a command run alone, as the scripts in execution/analytics do."""

    def invoke(context: click.Context, *arguments: Any, **options: Any) -> Any:
        if context.obj is None:
            context.obj = open_app()
        return command(context.obj, *arguments, **options)

    invoke.__doc__ = command.__doc__
    invoke.__name__ = command.__name__
    return click.pass_context(invoke)


class _Timezone(click.ParamType):
    name = "zone"

    def convert(self, value: str, param: Any, context: Any) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self.fail(f"{value!r} is no IANA time zone like Europe/Zurich", param, context)


class _Moment(click.ParamType):
    name = "time"

    def convert(self, value: Any, param: Any, context: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is no ISO time like 2026-11-22T09:00Z", param, context)
        return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


class _AccountName(click.ParamType):
    name = "platform:handle"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        platform, _, handle = value.partition(":")
        handle = handle.lstrip("@")
        if platform not in {"twitter", "linkedin"} or not handle:
            return self.fail(f"{value!r} is not like twitter:rOpenSci", param, context)
        return platform, handle


_user_option = click.option(
    "--user", "email", default=DEFAULT_USER, show_default=True, help="E-mail of the user."
)


# --- people ------------------------------------------------------------------------------------


@main.group()
def user() -> None:
    """People who sign in."""


@user.command("add")
@click.argument("email")
@click.option("--timezone", type=_Timezone(), default="UTC", show_default=True)
@app_command
def add_user(app: App, email: str, timezone: str) -> None:
    """Add a user with its time zone."""
    from execution.control.access import create_user, find_user

    with app.store.begin() as session:
        if find_user(session, email):
            raise click.UsageError(f"there is a user {email} already")
        create_user(session, email, timezone, app.clock.now())
    console.print(f"Added {email} ({timezone}).")


@main.command("api-key")
@click.argument("name")
@_user_option
@click.option("--export-content", is_flag=True, help="Let exports hold text, links, platform ids.")
@app_command
def api_key(app: App, name: str, email: str, export_content: bool) -> None:
    """Make an API key and print it: it is shown this once."""
    from execution.control.access import EXPORT_CONTENT_SCOPE, READ_SCOPE, create_api_key
    from execution.control.audit import record

    scopes = [READ_SCOPE, EXPORT_CONTENT_SCOPE] if export_content else [READ_SCOPE]
    with app.store.begin() as session:
        record(session, app.clock, email, "api-key created", {"name": name, "scopes": scopes})
        key = create_api_key(session, _existing(session, email), name, scopes, app.clock.now())
    click.echo(key)


@main.command()
@_user_option
@app_command
def link(app: App, email: str) -> None:
    """Print a link that opens the dashboard signed in: once, within 30 minutes."""
    click.echo(login_url(app, email, app.settings.port))


def login_url(app: App, email: str, port: int) -> str:
    """A one-time link into the dashboard of the server on `port`."""
    from execution.control.access import create_login_link

    with app.store.begin() as session:
        token = create_login_link(session, _existing(session, email), app.clock.now())
    base = app.settings.public_url or f"http://{app.settings.host}:{port}"
    return f"{base.rstrip('/')}/login/{token}"


def _existing(session: Any, email: str) -> "User":
    from execution.control.access import find_user

    found = find_user(session, email)
    if found is None:
        raise click.UsageError(f"there is no user {email}: nexus user add {email}")
    return found


# --- data in -----------------------------------------------------------------------------------


@main.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--account", type=_AccountName(), help="Whose file it is; default: as it says.")
@click.option("--as-of", type=_Moment(), help="When it was downloaded; default: its period's end.")
@click.option("--build/--no-build", "with_build", default=True, help="Build and publish after it.")
@_user_option
@app_command
def import_files(
    app: App,
    *,
    paths: tuple[Path, ...],
    account: tuple[str, str] | None,
    as_of: datetime | None,
    with_build: bool,
    email: str,
) -> None:
    """Import export files, or folders of them, that X users downloaded by hand.

    The same file twice changes nothing. A row that cannot be used is named and kept aside.
    """
    from execution.analytics.imports import Importer

    with exclusive_run(app.settings, app.store, app.clock, "import") as run:
        importer = Importer(app.settings, app.store, app.clock, email)
        with progress_bar("Importing") as advance:
            outcome = importer.run(paths, account, as_of, advance)
        for line in outcome.problems:
            console.print(line, markup=False, highlight=False)
        console.print(outcome.summary())
        run.summary = outcome.counts()
        if outcome.files and with_build:
            _land(app)
            _build_and_publish(app)
        if outcome.problems:
            run.exit_code = ExitCode.PARTLY if outcome.files else ExitCode.FAILED
    raise SystemExit(run.exit_code)


@main.command()
@app_command
def sync(app: App) -> None:
    """Collect what is due from LinkedIn and X, and land it."""

    with exclusive_run(app.settings, app.store, app.clock, "sync") as run:
        run.exit_code = _sync(app, run.summary)
    raise SystemExit(run.exit_code)


def _sync(app: App, summary: dict[str, Any]) -> int:
    """Collect and land; nothing due and nothing spooled costs no heavy import."""
    from execution.control.schedule import due_accounts

    with app.store.begin() as session:
        due = due_accounts(session, app.clock.now())
    spooled = any((app.settings.data_dir / "spool").glob("*.parquet"))
    if not due and not spooled:
        console.print("Nothing is due.")
        return ExitCode.DONE
    from dataclasses import asdict

    from execution.analytics.sync_metrics import Collector

    with Collector(app.settings, app.store, app.vault, app.clock) as collector:
        with progress_bar("Collecting") as advance:
            report = collector.collect(advance)
        collector.land()
    summary.update(asdict(report))
    console.print(
        f"Collected {report.snapshots} snapshots of {report.accounts} accounts: "
        f"{report.posts} new or changed posts, {report.deleted} deleted, "
        f"{report.rejected} rejected, {len(report.failures)} skipped."
    )
    for line in report.failures:
        console.print(f"  skipped {line}", markup=False, highlight=False)
    return ExitCode.PARTLY if report.failures or report.rejected else ExitCode.DONE


# --- build and publish -------------------------------------------------------------------------


@main.command()
@click.option("--select", help="What to build, in dbt's selection syntax: post_scores+")
@click.option("--full-refresh", is_flag=True, help="Rebuild incremental models from raw.")
@app_command
def build(app: App, select: str | None, full_refresh: bool) -> None:
    """Build and test the models. Readers see nothing of it until `refresh` publishes."""

    with exclusive_run(app.settings, app.store, app.clock, "build"):
        _land(app)
        _build(app, select, full_refresh)


@main.command()
@app_command
def refresh(app: App) -> None:
    """Collect what is due, build, test and publish: the one line for cron."""

    with exclusive_run(app.settings, app.store, app.clock, "refresh") as run:
        run.exit_code = _sync(app, run.summary)
        _land(app)
        _build_and_publish(app)
    raise SystemExit(run.exit_code)


def _land(app: App) -> None:
    from execution.analytics.landing import land_spool

    land_spool(app.settings, app.store, app.vault, app.clock)


def _build(app: App, select: str | None = None, full_refresh: bool = False) -> Any:
    from execution.analytics.aggregations import Dbt

    with progress_bar("Building") as advance:
        built = Dbt(app.settings.data_dir).build(select, full_refresh, advance)
    console.print(
        f"Built {built.models} models; {built.tests_passed} tests passed, "
        f"{built.tests_warned} warned."
    )
    return built


def _build_and_publish(app: App) -> None:
    from execution.analytics.aggregations import Dbt
    from execution.analytics.publish import publish

    built = _build(app)
    done = publish(app.settings, Dbt(app.settings.data_dir), built, app.clock)
    rows = sum(done.row_counts.values())
    console.print(f"Published generation {done.generation}: {rows:,} rows in {done.path.name}.")


# --- serve -------------------------------------------------------------------------------------


@main.command()
@_user_option
@app_command
def serve(app: App, email: str) -> None:
    """Serve the API and the dashboard, and print a link that signs you in."""
    from api.serve import serve as run_server

    def announce(port: int) -> None:
        console.print("Dashboard (signs you in once):")
        console.print(login_url(app, email, port), markup=False, highlight=False, soft_wrap=True)

    run_server(app.settings, announce)


@main.command()
@click.option("--days", default=120, show_default=True, help="Days of history to collect.")
@app_command
def demo(app: App, days: int) -> None:
    """Collect a history from the stand-in server, build, publish and serve it."""
    from execution.demo import run_demo

    run_demo(app, days)
