"""The `nexus` command. Each command loads only what it needs: a run with nothing due is quick."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from execution.app import App
from execution.console import console, fail, print_table, progress_bar
from execution.control import access, audit
from execution.control.models import User
from execution.control.settings import PLATFORM_PREFIXES, Settings
from execution.logs import configure_logs
from execution.run import ExitCode, RunLockedError
from ingest.clock import SystemClock, as_utc
from ingest.errors import NexusError

DEFAULT_USER = "owner@localhost"
_MARKS = {"ok": "✓", "warning": "!", "error": "✗"}


class _OneLineErrors(click.Group):
    """Turns the errors a person can mend into one clear line and the right exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except RunLockedError as error:
            fail(str(error), ExitCode.LOCKED)
        except (NexusError, OSError) as error:
            fail(str(error), ExitCode.FAILED)
        except OperationalError as error:  # a full disk, a locked or foreign file
            fail(f"the control store cannot be used: {error.orig}", ExitCode.FAILED)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nexus-analytics", prog_name="nexus")
@click.pass_context
def main(context: click.Context) -> None:
    """Nexus Analytics: how your posts perform on LinkedIn and X, from data you own.

    Settings are environment variables named NEXUS_…; all state lies in NEXUS_DATA_DIR.
    """
    context.obj = app = open_app()
    context.call_on_close(app.close)


def open_app() -> App:
    """Settings and logs of this process. Ends with exit code 2 if a setting is wrong."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"NEXUS_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        fail("wrong setting: " + "; ".join(lines), 2)
    configure_logs(settings)
    return App(settings, SystemClock())


class _Timezone(click.ParamType[Any]):
    name = "zone"

    def convert(self, value: str, param: Any, context: Any) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return self.fail(f"{value!r} is no IANA time zone like Europe/Zurich", param, context)


class _Moment(click.ParamType[Any]):
    name = "time"

    def convert(self, value: Any, param: Any, context: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is no ISO time like 2026-11-22T09:00Z", param, context)
        return as_utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


class _AccountName(click.ParamType[Any]):
    name = "platform:handle"

    def convert(self, value: Any, param: Any, context: Any) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        platform, _, handle = value.partition(":")
        handle = handle.lstrip("@")
        if platform not in PLATFORM_PREFIXES or not handle:
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
@click.pass_obj
def add_user(app: App, email: str, timezone: str) -> None:
    """Add a user with its time zone."""
    with app.store.begin() as session:
        if access.find_user(session, email):
            raise click.UsageError(f"there is a user {email} already")
        access.create_user(session, email, timezone, app.clock.now())
    console.print(f"Added {email} ({timezone}).")


@main.command("api-key")
@click.argument("name")
@_user_option
@click.option("--export-content", is_flag=True, help="Let exports hold text, links, platform ids.")
@click.pass_obj
def api_key(app: App, name: str, email: str, export_content: bool) -> None:
    """Make an API key and print it: it is shown this once."""
    scopes = list(access.SCOPES) if export_content else [access.READ_SCOPE]
    with app.store.begin() as session:
        audit.record(session, app.clock, email, "api-key created", {"name": name, "scopes": scopes})
        key = access.create_api_key(
            session, app.user(session, email), name, scopes, app.clock.now()
        )
    click.echo(key)


@main.command()
@_user_option
@click.pass_obj
def link(app: App, email: str) -> None:
    """Print a link that opens the dashboard signed in: once, within 30 minutes."""
    click.echo(app.login_url(email, app.settings.port))


# --- connections -------------------------------------------------------------------------------


@main.command("connect")
@click.argument("platform", type=click.Choice(list(PLATFORM_PREFIXES)))
@click.option("--account", "wanted", help="Handle or platform id, if the token reads several.")
@click.option("--token-stdin", is_flag=True, help="Read an access token from standard input.")
@click.option("--scope", "scopes", multiple=True, help="Ask for these scopes (repeatable).")
@_user_option
@click.pass_obj
def connect_command(
    app: App,
    *,
    platform: str,
    wanted: str | None,
    token_stdin: bool,
    scopes: tuple[str, ...],
    email: str,
) -> None:
    """Connect an account: opens the platform's consent page and keeps the tokens encrypted."""
    from execution.connect import Consent, connect_account
    from execution.consent import give_consent
    from execution.control.connections import Tokens

    if token_stdin:
        token = click.get_text_stream("stdin").readline().strip()
        if not token:
            raise click.UsageError("standard input holds no token")
        consent = Consent(Tokens(token), list(scopes))
    else:
        consent = give_consent(
            app.settings,
            app.clock,
            platform,
            scopes=scopes or None,
            announce=lambda url: console.print(
                f"Give your consent here:\n{url}", markup=False, soft_wrap=True
            ),
        )
    done = connect_account(app, email, platform, consent, wanted)
    console.print(f"Connected {platform}:{done.profile.handle or done.profile.display_name}.")


@main.command()
@click.pass_obj
def connections(app: App) -> None:
    """List the connections: state, scopes, expiry."""
    from sqlalchemy import select

    from execution.control.models import Account, Connection, User

    with app.store.begin() as session:
        rows = session.execute(
            select(Connection, Account, User)
            .join(Account, Account.id == Connection.account_id)
            .join(User, User.id == Connection.user_id)
            .order_by(Connection.connected_at)
        ).all()
    print_table(
        ("account", "user", "state", "expires", "last collected", "scopes"),
        [
            (
                f"{account.platform}:{account.handle or account.platform_account_id}",
                member.email,
                connection.state_reason or connection.state,
                connection.expires_at,
                connection.last_success_at,
                " ".join(connection.scopes),
            )
            for connection, account, member in rows
        ],
        "No account is connected: nexus connect twitter",
    )


# --- posts of one's own ------------------------------------------------------------------------


@main.group()
def posts() -> None:
    """Posts that are known before a platform lists them."""


@posts.command("register")
@click.argument("account", type=_AccountName())
@click.argument("text", required=False)
@click.option("--link", help="Link or URN of a LinkedIn member's post, which LinkedIn never lists.")
@click.option("--published", type=_Moment(), help="When it was published; default: now.")
@_user_option
@click.pass_obj
def register_post(
    app: App,
    *,
    account: tuple[str, str],
    text: str | None,
    link: str | None,
    published: datetime | None,
    email: str,
) -> None:
    """Register a post of ACCOUNT by its TEXT ("-": standard input) or its --link; print its id.

    A TEXT is for a post that has no id yet: the next look at the account's posts finds the one
    of these words, published within half an hour of the time given.
    """
    from execution.control.accounts import proven_account
    from execution.control.posts import register_linked_post, register_own_post

    if (text is None) == (link is None):
        raise click.UsageError("say the post's TEXT, or its --link")
    now = app.clock.now()
    published = published or now
    with app.store.begin() as session:
        owner = proven_account(session, app.user(session, email), *account)
        if owner is None:
            raise click.UsageError(f"{email} has not connected {':'.join(account)}")
        if link is not None:
            post_id = register_linked_post(session, owner, link, published, now)
        else:
            words = click.get_text_stream("stdin").read() if text == "-" else text or ""
            post_id = register_own_post(session, owner, words, published, now)
    click.echo(post_id)


# --- data in -----------------------------------------------------------------------------------


@main.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--account", type=_AccountName(), help="Whose file it is; default: as it says.")
@click.option("--as-of", type=_Moment(), help="When it was downloaded; default: its period's end.")
@click.option("--build/--no-build", "with_build", default=True, help="Build and publish after it.")
@_user_option
@click.pass_obj
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

    with app.run("import") as run:
        with app.store.begin() as session:
            importer = Importer(app.settings, app.store, app.clock, _importing(app, session, email))
        with progress_bar("Importing") as advance:
            outcome = importer.run(paths, account, as_of, advance)
        for line in outcome.problems:
            console.print(line, markup=False, highlight=False)
        console.print(outcome.summary())
        run.summary = outcome.counts()
        if outcome.files and with_build:
            app.land()
            app.build_and_publish()
        if outcome.problems:
            run.exit_code = ExitCode.PARTLY if outcome.files else ExitCode.FAILED
    raise SystemExit(run.exit_code)


def _importing(app: App, session: Session, email: str) -> User:
    """Whose import it is: on a fresh installation the first import makes the default user."""
    if email == DEFAULT_USER and access.find_user(session, email) is None:
        return access.create_user(session, email, "UTC", app.clock.now())
    return app.user(session, email)


_wait_option = click.option(
    "--wait",
    "minutes",
    type=click.IntRange(0),
    is_flag=False,
    flag_value=60,
    default=0,
    help="Wait for budgets and cooldowns, so many minutes at most; 60 if none are given.",
)


@main.command()
@_wait_option
@click.pass_obj
def sync(app: App, minutes: int) -> None:
    """Collect what is due from LinkedIn and X, and land it."""

    with app.run("sync") as run:
        run.exit_code = app.sync(run.summary, timedelta(minutes=minutes))
    raise SystemExit(run.exit_code)


# --- build and publish -------------------------------------------------------------------------


@main.command()
@click.option("--select", help="What to build, in dbt's selection syntax: post_scores+")
@click.option("--full-refresh", is_flag=True, help="Rebuild incremental models from raw.")
@click.pass_obj
def build(app: App, select: str | None, full_refresh: bool) -> None:
    """Build and test the models. Readers see nothing of it until `refresh` publishes."""

    with app.run("build"):
        if not select or not app.settings.warehouse.exists():
            app.land()
        app.build(select, full_refresh)


@main.command("publish")
@click.option(
    "--account", type=_AccountName(), help="Cut a file of this account from what is published."
)
@click.option("--to", "target", type=click.Path(path_type=Path), help="Where that file goes.")
@_user_option
@click.pass_obj
def publish_command(
    app: App, account: tuple[str, str] | None, target: Path | None, email: str
) -> None:
    """Build, test and publish; with --account and --to: write a file of one account.

    Such a file holds what BI tools see of the account: no text, no names, nothing about people.
    """
    if (account is None) != (target is None):
        raise click.UsageError("--account and --to go together")
    if account is None or target is None:
        with app.run("publish"):
            app.land()
            app.build_and_publish()
        return
    from execution.analytics.account_file import write_account_file
    from execution.control.accounts import member_account

    with app.store.begin() as session:
        found = member_account(session, app.user(session, email), *account)
        if found is None:
            raise click.UsageError(f"{email} has no account {':'.join(account)}")
        account_id = found.id
        detail = {"account_id": str(account_id), "file": target.name}
        audit.record(session, app.clock, email, "account published", detail)
    counts = write_account_file(app.settings, account_id, target)
    console.print(f"Wrote {sum(counts.values()):,} rows to {target}.", markup=False)


@main.command()
@click.pass_obj
def verify(app: App) -> None:
    """Run every data test on all rows, and tell stale sources; builds nothing.

    A build tests what it touched.
    """

    with app.run("verify"):
        app.verify()


@main.command()
@click.argument("model")
@click.option("--limit", default=10, show_default=True, help="How many rows.")
@click.pass_obj
def preview(app: App, model: str, limit: int) -> None:
    """Show the first rows of a model as its SQL stands now."""
    from execution.analytics.aggregations import Dbt

    rows = Dbt(app.settings.data_dir).preview(model, limit)
    for row in rows:
        console.rule()
        print_table(("column", "value"), list(row.items()), "")
    if not rows:
        console.print(f"{model} has no rows.")


@main.command()
@click.pass_obj
def docs(app: App) -> None:
    """Write the models' documentation and lineage as one page that opens offline."""
    from execution.analytics.aggregations import Dbt

    page = app.settings.data_dir / "docs" / "index.html"
    with app.run("docs"):
        Dbt(app.settings.data_dir).docs(page)
    console.print(f"Open {page.resolve()}", markup=False, soft_wrap=True)


@main.command()
@_wait_option
@click.pass_obj
def refresh(app: App, minutes: int) -> None:
    """Collect what is due, build, test and publish: the one line for cron."""

    with app.run("refresh") as run:
        run.exit_code = app.sync(run.summary, timedelta(minutes=minutes))
        app.land()
        app.build_and_publish()
    raise SystemExit(run.exit_code)


# --- quality -----------------------------------------------------------------------------------


class _SnapshotId(click.ParamType[Any]):
    name = "snapshot id"

    def convert(self, value: Any, param: Any, context: Any) -> UUID:
        try:
            return value if isinstance(value, UUID) else UUID(value)
        except ValueError:
            return self.fail(f"{value!r} is no snapshot id, which is a UUID", param, context)


@main.group(invoke_without_command=True)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(["open", "expected", "reviewed", "dismissed"]),
    help="Only these (repeatable).",
)
@click.pass_context
def flags(context: click.Context, statuses: tuple[str, ...]) -> None:
    """List changes above 1000 %, as published, with what was decided about them."""
    if context.invoked_subcommand is not None:
        return
    from execution.analytics.flags import STATUSES
    from execution.analytics.flags import flags as find_flags

    app: App = context.obj
    with app.store.begin() as session:
        found = find_flags(app.settings, session, statuses or STATUSES)
    print_table(
        ("snapshot", "account", "metric", "collected", "from", "to", "change", "status", "by"),
        [
            (
                flag.snapshot_id,
                flag.account,
                flag.metric,
                flag.collected_at,
                flag.previous_value,
                flag.current_value,
                f"{flag.change_percent:+,} %",
                flag.status,
                flag.decided_by,
            )
            for flag in found
        ],
        "No change is flagged.",
    )


_metric_option = click.option("--metric", help="Only this metric of the snapshot; default: all.")


@flags.command("review")
@click.argument("snapshot_id", type=_SnapshotId())
@_metric_option
@_user_option
@click.pass_obj
def review_flag(app: App, snapshot_id: UUID, metric: str | None, email: str) -> None:
    """Say that a flagged change was looked at, and is right."""
    _decide(app, snapshot_id, metric, email, "reviewed")


@flags.command("dismiss")
@click.argument("snapshot_id", type=_SnapshotId())
@_metric_option
@_user_option
@click.pass_obj
def dismiss_flag(app: App, snapshot_id: UUID, metric: str | None, email: str) -> None:
    """Say that a flagged change needs no attention."""
    _decide(app, snapshot_id, metric, email, "dismissed")


def _decide(
    app: App,
    snapshot_id: UUID,
    metric: str | None,
    email: str,
    decision: Literal["reviewed", "dismissed"],
) -> None:
    from execution.analytics.flags import decide

    with app.store.begin() as session:
        user = app.user(session, email)
        done = decide(
            app.settings,
            session,
            app.clock,
            user=user,
            snapshot_id=snapshot_id,
            metric=metric,
            decision=decision,
        )
    named = ", ".join(flag.metric for flag in done)
    console.print(f"{named} of {snapshot_id}: {decision}; marts say so from the next build on.")


# --- keeping and forgetting ---------------------------------------------------------------------


class _Month(click.ParamType[Any]):
    name = "YYYY-MM"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        try:
            return f"{datetime.strptime(value, '%Y-%m').replace(tzinfo=UTC):%Y-%m}"
        except ValueError:
            return self.fail(f"{value!r} is no month like 2026-01", param, context)


@main.command()
@click.pass_obj
def archive(app: App) -> None:
    """Move snapshots older than 90 days to cold storage, verified first.

    Each post's last three stay hot. Marts do not change: they are kept for ever.
    """
    with app.run("archive") as run:
        run.summary["archived"] = app.archive()


@main.command()
@click.option("--month", "months", multiple=True, type=_Month(), help="Only this one (repeatable).")
@click.pass_obj
def restore(app: App, months: tuple[str, ...]) -> None:
    """Put archived snapshots back among the hot ones, until the next `archive`."""
    with app.run("restore") as run:
        run.summary["restored"] = app.restore(months)


@main.command()
@click.argument("kind", type=click.Choice(["user", "account", "post"]))
@click.argument("given", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def forget(app: App, kind: Literal["user", "account", "post"], given: str, yes: bool) -> None:
    """Erase a user, an account or a post everywhere, for ever, and publish without it.

    ID: a UUID, or a user's e-mail, an account's platform:handle, a post's platform id. What
    another member still owns stays. Backups are yours to erase.
    """
    with app.run("forget") as run:
        erasure = app.forgetting.find(kind, given)
        console.print(f"{given}: {erasure.summary()}.", markup=False)
        if not yes:
            if not _is_asked():
                raise click.UsageError("an erasure cannot be undone: confirm it with --yes")
            click.confirm("Erase all of it? This cannot be undone", abort=True)
        app.forgetting.begin(erasure)
        gone = app.forgetting.finish(erasure)
        run.summary["erased"] = sum(gone.values())
    app.show_erased(gone)


def _is_asked() -> bool:
    """Whether somebody sits there who can answer."""
    return sys.stdin.isatty()


# --- looking back ------------------------------------------------------------------------------


@main.command()
@click.option("--all", "with_closed", is_flag=True, help="Those that ended, too.")
@click.pass_obj
def notifications(app: App, with_closed: bool) -> None:
    """List what a person should know: ended tokens, caps, cooldowns."""
    from sqlalchemy import select

    from execution.control.models import Notification

    query = select(Notification).order_by(Notification.created_at)
    if not with_closed:
        query = query.where(Notification.closed_at.is_(None))
    with app.store.begin() as session:
        rows = list(session.scalars(query))
    print_table(
        ("since", "kind", "message"),
        [(row.created_at, row.kind, row.message) for row in rows],
        "Nothing to report.",
    )


@main.command()
@click.pass_obj
def costs(app: App) -> None:
    """Print the ledger of API calls: requests, posts read and estimated cost per month."""
    from sqlalchemy import func, select

    from execution.control.models import Account, ApiUsage, Connection

    month = func.substr(ApiUsage.day, 1, 7)
    query = (
        select(
            month,
            Account.platform,
            Account.handle,
            ApiUsage.family,
            func.sum(ApiUsage.requests),
            func.sum(ApiUsage.posts_read),
            func.sum(ApiUsage.cost_micros),
        )
        .join(Connection, Connection.id == ApiUsage.connection_id)
        .join(Account, Account.id == Connection.account_id)
        .group_by(month, Account.platform, Account.handle, ApiUsage.family)
        .order_by(month, Account.platform, Account.handle, ApiUsage.family)
    )
    with app.store.begin() as session:
        rows: Sequence[Any] = session.execute(query).all()
    print_table(
        ("month", "account", "endpoint", "requests", "posts read", "USD"),
        [
            (when, f"{platform}:{handle}", family, requests, posts, f"{micros / 1e6:.2f}")
            for when, platform, handle, family, requests, posts, micros in rows
        ],
        "No call was made yet.",
    )


@main.command("plan")
@click.option("--posts-per-month", type=click.IntRange(1), help="Estimate a month, unconnected.")
@click.pass_obj
def plan_command(app: App, posts_per_month: int | None) -> None:
    """Show what the next run would do, its requests and its cost; nothing is asked of anyone."""
    from execution.control.plan import estimate_months, plan

    if posts_per_month is not None:
        print_table(
            ("platform", "kind", "requests a day", "of", "USD a month", "fits the budget"),
            [
                (
                    month.platform,
                    month.kind,
                    month.requests_a_day,
                    month.requests_allowed_a_day,
                    f"{month.cost_micros / 1e6:.2f}",
                    "yes" if month.fits else "no",
                )
                for month in estimate_months(app.settings, posts_per_month)
            ],
            "",
        )
        return
    planned = plan(app.settings, app.store, app.clock)
    print_table(
        ("account", "posts", "young", "looks for posts", "requests", "USD at most", "waits"),
        [
            (
                item.name,
                item.posts,
                item.young_posts,
                "yes" if item.looks_for_posts else "no",
                item.requests,
                f"{item.cost_micros / 1e6:.3f}",
                f"until {item.waits_until:%H:%M}Z: {item.waits_for}" if item.waits_until else "no",
            )
            for item in planned.accounts
        ],
        "Nothing is due.",
    )
    for blocked in planned.blocked:
        console.print(f"not collected: {blocked.name}: {blocked.reason}", markup=False)
    for platform, left in planned.requests_left.items():
        console.print(f"{platform}: {planned.requests(platform)} requests of {left} left now")


@main.command("cap")
@click.argument("account", type=_AccountName())
@click.argument("dollars", type=click.FloatRange(0), required=False)
@_user_option
@click.pass_obj
def cap_command(app: App, account: tuple[str, str], dollars: float | None, email: str) -> None:
    """Cap what collecting ACCOUNT may cost in a calendar month; without DOLLARS: no cap."""
    from execution.control.connections import set_monthly_cap

    micros = None if dollars is None else round(dollars * 1_000_000)
    with app.store.begin() as session:
        found = set_monthly_cap(session, app.user(session, email), *account, micros)
    if not found:
        raise click.UsageError(f"{email} has no connection to {':'.join(account)}")
    console.print("No cap." if dollars is None else f"Capped at ${dollars:.2f} a month.")


@main.command()
@click.option("--last", default=20, show_default=True, help="How many runs.")
@click.pass_obj
def runs(app: App, last: int) -> None:
    """List the newest runs: what they did and how they ended."""
    from sqlalchemy import select

    from execution.control.models import Run

    with app.store.begin() as session:
        rows = list(session.scalars(select(Run).order_by(Run.id.desc()).limit(last)))
    print_table(
        ("started", "command", "seconds", "exit", "snapshots", "skipped"),
        [
            (
                row.started_at,
                row.command,
                f"{(row.ended_at - row.started_at).total_seconds():.1f}" if row.ended_at else None,
                "killed" if row.ended_at is None else row.exit_code,
                (row.summary or {}).get("snapshots"),
                len((row.summary or {}).get("failures", [])) or None,
            )
            for row in rows
        ],
        "Nothing ran yet.",
    )


@main.command()
@click.pass_obj
def doctor(app: App) -> None:
    """Look at settings, keys, disk, connections and runs, and say what to do."""
    from execution.doctor import examine

    findings = examine(app)
    print_table(
        ("", "what", "how it is", "what to do"),
        [(_MARKS[f.state], f.subject, f.message, f.advice) for f in findings],
        "",
    )
    if any(finding.state == "error" for finding in findings):
        raise SystemExit(ExitCode.FAILED)


@main.command()
@click.pass_obj
def schedule(app: App) -> None:
    """Print a crontab line and systemd units, ready to install."""
    from execution.cron import schedule as text

    click.echo(text(app.settings, Path(__file__).parents[1]))


@main.group()
def vault() -> None:
    """The keys that protect tokens."""


@vault.command("rotate")
@click.pass_obj
def rotate_vault(app: App) -> None:
    """Make a new key and encrypt every token with it. The old key stays readable."""
    from execution.control.connections import encrypt_anew
    from execution.control.vault import open_vault, rotate

    with app.run("vault rotate"):
        with app.store.begin() as session:
            audit.record(session, app.clock, "operator", "vault rotated", {})
        rotate(app.settings.vault_key_file)
        renewed = open_vault(app.settings.vault_key_file, app.settings.data_dir)
        with app.store.begin() as session:
            count = encrypt_anew(session, renewed)
    console.print(f"A new key encrypts; {count} tokens were encrypted anew.")


# --- serve -------------------------------------------------------------------------------------


@main.command()
@_user_option
@click.pass_obj
def serve(app: App, email: str) -> None:
    """Serve the API and the dashboard, and print a link that signs you in."""
    app.serve(email)


@main.command()
@click.option("--days", default=120, show_default=True, help="Days of history to collect.")
@click.pass_obj
def demo(app: App, days: int) -> None:
    """Collect a history from the stand-in server, build, publish and serve it."""
    from execution.demo import run_demo

    run_demo(app, days)
