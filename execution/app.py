"""What every command shares: settings, clock, store, vault, and the steps of a refresh.

Heavy modules (dlt, dbt, pyarrow, duckdb) load in the step that needs them, so that a run with
nothing due is quick.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from execution.console import console, print_table, progress_bar
from execution.control import access
from execution.control.notifications import deliver, watch
from execution.control.schedule import BlockedAccount, blocked_accounts, due_accounts
from execution.control.settings import INTENT, Settings
from execution.control.store import ControlStore, open_store
from execution.control.vault import Vault, open_vault
from execution.run import ExitCode, RunRecord, exclusive_run
from ingest.clock import Clock
from ingest.errors import NexusError

if TYPE_CHECKING:
    from execution.analytics.aggregations import BuildResult, Finding
    from execution.analytics.forget import Forgetting
    from execution.analytics.publish import Publication
    from execution.control.models import User


class NoSuchUserError(NexusError):
    """A command named a user that does not exist."""


def _print_skipped(lines: Sequence[str]) -> None:
    for line in lines:
        console.print(f"  skipped {line}", markup=False, soft_wrap=True)


def show_finding(finding: "Finding") -> None:
    """Say what a data test found, with its first rows and where they all are."""
    mark = "!" if finding.is_warning else "✗"
    console.print(f"{mark} {finding.summary()}", markup=False, soft_wrap=True)
    print_table(finding.columns, finding.rows[:5], "")
    kept = len(finding.rows)
    which = "all of them" if kept == finding.count else f"the first {kept:,}"
    console.print(f"{which}: {finding.file}\n", markup=False, soft_wrap=True)


@dataclass
class App:
    """One installation. The store and the vault are opened when first used."""

    settings: Settings
    clock: Clock
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def store(self) -> ControlStore:
        return open_store(self.settings)

    @cached_property
    def vault(self) -> Vault:
        return open_vault(self.settings.vault_key_file, self.settings.data_dir)

    def close(self) -> None:
        """Close what was opened."""
        if "store" in self.__dict__:
            self.store.close()

    def user(self, session: Any, email: str) -> "User":
        """Raises NoSuchUserError."""
        found = access.find_user(session, email)
        if found is None:
            raise NoSuchUserError(f"there is no user {email}: nexus user add {email}")
        return found

    def login_url(self, email: str, port: int) -> str:
        """A one-time link into the dashboard of the server on `port`."""
        with self.store.begin() as session:
            user = self.user(session, email)
            token = access.create_login_link(session, user, self.clock.now())
        base = self.settings.public_url or f"http://{self.settings.host}:{port}"
        return f"{base.rstrip('/')}/login/{token}"

    def sync(self, summary: dict[str, Any], longest_wait: timedelta = timedelta(0)) -> ExitCode:
        """Collect what is due and land it; with nothing due or spooled no heavy module loads.

        `longest_wait`: for budgets and cooldowns; by default what waits goes first next time.
        """
        with self.store.begin() as session:
            due = due_accounts(session, self.clock.now())
            blocked = blocked_accounts(session, self.clock.now())
            watch(session, self.clock.now())
        is_news = any(not item.is_told for item in blocked)
        if due or is_news or any((self.settings.data_dir / "spool").glob("*.parquet")):
            exit_code = self._collect(summary, longest_wait)
        else:
            exit_code = self._rest(summary, blocked)
        deliver(self.store, self.settings.webhook_url, self.clock)
        return exit_code

    @staticmethod
    def _rest(summary: dict[str, Any], blocked: Sequence[BlockedAccount]) -> ExitCode:
        """Nothing can be collected now; what waits for a person is said each time."""
        console.print("Nothing else is due." if blocked else "Nothing is due.")
        failures = [str(item) for item in blocked]
        summary.update(stopped=len(blocked), failures=failures)
        _print_skipped(failures)
        return ExitCode.PARTLY if blocked else ExitCode.DONE

    def _collect(self, summary: dict[str, Any], longest_wait: timedelta) -> ExitCode:
        from execution.analytics.sync_metrics import Collector  # noqa: PLC0415

        with Collector(self.settings, self.store, self.vault, self.clock, self.sleep) as collector:
            with progress_bar("Collecting") as advance:
                report = collector.collect(advance, longest_wait)
            collector.land()
        summary.update(asdict(report))
        console.print(
            f"Collected {report.snapshots} snapshots of {report.accounts} accounts: "
            f"{report.posts} new or changed posts, {report.deleted} deleted, "
            f"{report.rejected} rejected, {len(report.failures)} skipped."
        )
        _print_skipped(report.failures)
        return ExitCode.PARTLY if report.failures or report.rejected else ExitCode.DONE

    def land(self) -> None:
        """Land the spool and the present slice of the control store."""
        from execution.analytics.landing import land_spool  # noqa: PLC0415

        land_spool(self.settings, self.store, self.vault, self.clock)

    def build(self, select: str | None = None, full_refresh: bool = False) -> "BuildResult":
        """Build and test the models. Raises BuildError."""
        from execution.analytics.aggregations import Dbt  # noqa: PLC0415
        from execution.analytics.cold_store import show_cold_rows  # noqa: PLC0415

        show_cold_rows(self.settings)
        with progress_bar("Building") as advance:
            dbt = Dbt(self.settings.data_dir)
            built = dbt.build(select, full_refresh, advance, show_finding)
        console.print(
            f"Built {built.models} models; {built.tests_passed} tests passed, "
            f"{built.tests_warned} warned."
        )
        return built

    def verify(self) -> None:
        """Say which sources are stale, and run every data test on all rows. Raises BuildError."""
        from execution.analytics.aggregations import Dbt  # noqa: PLC0415

        dbt = Dbt(self.settings.data_dir)
        for source in dbt.stale_sources():
            console.print(f"! {source}", markup=False, soft_wrap=True)
        with progress_bar("Verifying") as advance:
            done = dbt.verify(advance, show_finding)
        console.print(f"{done.tests_passed} tests passed on all rows, {done.tests_warned} warned.")

    def build_and_publish(self) -> None:
        """Build, test, and only then publish. Raises BuildError or PublishError."""
        self.publish(self.build())

    def publish(self, built: "BuildResult", *, whole: bool = False) -> "Publication":
        """Publish what a build has made; `whole`: not as changes. Raises PublishError."""
        from execution.analytics.aggregations import Dbt  # noqa: PLC0415
        from execution.analytics.publish import publish  # noqa: PLC0415

        with console.status("Publishing"):
            dbt = Dbt(self.settings.data_dir)
            done = publish(self.settings, dbt, built, self.clock, whole=whole)
        rows = sum(done.row_counts.values())
        console.print(f"Published generation {done.generation}: {rows:,} rows in {done.path.name}.")
        return done

    def archive(self) -> int:
        """Move what is no longer hot to cold storage; returns rows. Raises ArchiveError."""
        from execution.analytics.archive import HOT_FOR, archive  # noqa: PLC0415

        with progress_bar("Archiving") as advance:
            moved = archive(self.settings, self.clock, advance)
        console.print(
            f"Archived {moved.total:,} snapshots of {moved.span}."
            if moved.total
            else f"Nothing to archive: all older than {HOT_FOR.days} days is cold already."
        )
        return moved.total

    def restore(self, months: Sequence[str]) -> int:
        """Put cold rows back among the hot ones; returns rows. Raises ArchiveError."""
        from execution.analytics.archive import restore  # noqa: PLC0415

        with progress_bar("Restoring") as advance:
            moved = restore(self.settings, months, advance)
        console.print(f"Restored {moved.total:,} snapshots of {moved.span}.")
        return moved.total

    @contextmanager
    def run(self, command: str) -> Iterator[RunRecord]:
        """A run that holds the lock. An erasure that was begun before is finished first.

        Raises RunLockedError.
        """
        with exclusive_run(self.settings, self.store, self.clock, command) as record:
            if (self.settings.data_dir / INTENT).exists():
                self._finish_forgetting()
            yield record

    def _finish_forgetting(self) -> None:
        from execution.analytics.erasure.subject import begun  # noqa: PLC0415

        erasure = begun(self.settings)
        if erasure is not None:
            console.print("Finishing an erasure that was begun before.")
            try:
                self.show_erased(self.forgetting.finish(erasure))
            except NexusError as error:  # it waits; what else is due does not
                console.print(f"The erasure is not finished yet: {error}", markup=False)

    @cached_property
    def forgetting(self) -> "Forgetting":
        """How to erase from this installation."""
        from execution.analytics.forget import Forgetting  # noqa: PLC0415

        return Forgetting(
            self.settings,
            self.store,
            self.vault,
            self.clock,
            land=self.land,
            build=self.build,
            publish=partial(self.publish, whole=True),
        )

    @staticmethod
    def show_erased(gone: Mapping[str, int]) -> None:
        """Say what an erasure removed."""
        print_table(
            ("place", "removed"), sorted(gone.items()), "There was nothing of it left to remove."
        )

    def serve(self, email: str) -> None:
        """Serve the API and the dashboard until Ctrl-C, with a link that signs `email` in."""
        # Found by its entry point: execution never imports api.
        (server,) = entry_points(group="nexus.server")

        def announce(port: int) -> None:
            console.print("Dashboard, signed in (the link works once, Ctrl-C ends the server):")
            console.print(self.login_url(email, port), markup=False, soft_wrap=True)

        server.load()(self.settings, announce)
