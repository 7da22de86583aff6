"""Imports export files: read, keep the file, spool its rows, remember the import.

In this order, so that a kill at any point leaves a file that can be imported again to the same
rows (METRICS.md section 2, "Files").
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from execution.analytics.landing import inbox_file, keep_aside, spool_export
from execution.console import OnProgress
from execution.control.accounts import file_account
from execution.control.models import Account, Import, User
from execution.control.settings import Settings
from execution.control.store import ControlStore
from ingest.clock import Clock
from ingest.durable import fsync
from ingest.files import Export, FileError, read_export


@dataclass
class ImportOutcome:
    """What an import did. `problems`: a line for each file or row that could not be used."""

    files: int = 0
    already: int = 0
    rows_read: int = 0
    rows_landed: int = 0
    rows_rejected: int = 0
    problems: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """One line for the person who ran it."""
        again = f", {self.already} imported before" if self.already else ""
        return (
            f"Imported {self.files} files{again}: {self.rows_read:,} rows read = "
            f"{self.rows_landed:,} landed + {self.rows_rejected:,} rejected."
        )

    def counts(self) -> dict[str, int]:
        return {name: n for name, n in asdict(self).items() if isinstance(n, int)}


class Importer:
    """Imports files for one user. One at a time (run lock)."""

    def __init__(self, settings: Settings, store: ControlStore, clock: Clock, user: User) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._user = user

    def run(
        self,
        paths: Sequence[Path],
        account: tuple[str, str] | None,
        as_of: datetime | None,
        progress: OnProgress,
    ) -> ImportOutcome:
        """Import files, and the CSV files of folders.

        `account`: platform and handle they must belong to; None: as each file says. A file that
        cannot be used is a problem in the outcome and never stops the others.
        """
        outcome = ImportOutcome()
        files = list(_files(paths))
        for done, path in enumerate(files, start=1):
            try:
                self._import(path, account, as_of, outcome)
            except FileError as error:
                outcome.problems.append(str(error))
            progress(done, len(files), path.name)
        return outcome

    def _import(
        self,
        path: Path,
        account_name: tuple[str, str] | None,
        as_of: datetime | None,
        outcome: ImportOutcome,
    ) -> None:
        platform, handle = account_name or (None, None)
        export = read_export(path, imported_at=self._clock.now(), handle=handle, as_of=as_of)
        if platform not in {None, export.platform}:
            raise FileError(path.name, f"is a file of {export.platform}, not of {platform}")
        with self._store.begin() as session:
            account = file_account(
                session,
                user=self._user,
                platform=export.platform,
                handle=export.handle,
                kind=export.account_kind,
                now=self._clock.now(),
            )
            if _is_imported(session, account, export):
                outcome.already += 1
                return
        self._keep(path, export)
        self._land(export, account)
        outcome.files += 1
        outcome.rows_read += export.rows_read
        outcome.rows_landed += len(export.posts)
        outcome.rows_rejected += len(export.rejected)
        outcome.problems += export.problems()

    def _keep(self, path: Path, export: Export) -> None:
        """Keep the file as it came: an account that is proven later lands its files again."""
        kept = inbox_file(self._settings.data_dir, export.sha256)
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_name(f".{export.sha256}.draft")
        shutil.copyfile(path, draft)
        fsync(draft)
        draft.replace(kept)
        fsync(kept.parent)

    def _land(self, export: Export, account: Account) -> None:
        now = self._clock.now()
        keep_aside(
            self._settings.data_dir,
            [
                {"at": now.isoformat(), "source": export.file_name, **asdict(row)}
                for row in export.rejected
            ],
        )
        spool_export(
            self._settings,
            self._store,
            export,
            account_id=account.id,
            user_id=self._user.id,
            imported_at=now,
        )


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from sorted(path.glob("*.csv")) if path.is_dir() else [path]


def _is_imported(session: Session, account: Account, export: Export) -> bool:
    found = select(Import.id).where(
        Import.account_id == account.id, Import.file_sha256 == export.sha256
    )
    return session.scalar(found) is not None
