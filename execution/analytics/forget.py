"""Erasure of a user, an account or a post from every place that holds data (DESIGN.md section 5).

Audited, then written down as an intent, then done place by place; each step can be repeated, and
the next run finishes what a kill or a failing build has left (`finish`). Published last: until
then readers have the last generation, and afterwards there is no older one.
"""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from execution.analytics import publish
from execution.analytics.erasure import control, files, subject, warehouse
from execution.analytics.erasure.subject import Erasure, Kind
from execution.control import audit
from execution.control.settings import Settings
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import Clock
from ingest.errors import NexusError, first_line

if TYPE_CHECKING:
    from execution.analytics.aggregations import BuildResult
    from execution.analytics.publish import Publication


class NotForgottenError(NexusError):
    """An erasure was begun and could not be finished; the message says why."""


class Forgetting:
    """Erases from one installation. The caller holds the run lock.

    `land`, `build`, `publish`: the steps of a refresh; the last one takes nothing over from the
    generation before.
    """

    def __init__(
        self,
        settings: Settings,
        store: ControlStore,
        vault: Vault,
        clock: Clock,
        *,
        land: Callable[[], None],
        build: "Callable[[], BuildResult]",
        publish: "Callable[[BuildResult], Publication]",
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._clock = clock
        self._land = land
        self._build = build
        self._publish = publish

    def find(self, kind: Kind, given: str) -> Erasure:
        """What erasing it takes. Raises NothingToForgetError."""
        with self._store.begin() as session:
            return subject.find(self._settings, session, self._vault, kind, given)

    def begin(self, erasure: Erasure) -> None:
        """Audit it and decide it: from now on it will be finished."""
        with self._store.begin() as session:
            detail = {"kind": erasure.kind, **erasure.counts()}
            audit.record(session, self._clock, "operator", "erased", detail)
        subject.begin(self._settings, erasure)

    def finish(self, erasure: Erasure) -> Counter[str]:
        """Do all of it that is not done yet; place -> rows or files that went.

        Raises NotForgottenError if it cannot be finished now: the next run goes on with it.
        """
        try:
            return self._finish(erasure)
        except (NexusError, duckdb.Error, OSError, SQLAlchemyError) as error:
            raise NotForgottenError(
                f"the erasure is not finished, the next run goes on with it: {first_line(error)}"
            ) from error

    def _finish(self, erasure: Erasure) -> Counter[str]:
        settings, now = self._settings, self._clock.now()
        gone = files.erase_spooled(settings, erasure)
        with self._store.begin() as session:
            gone += control.erase_known(session, self._vault, erasure)
        with self._store.begin() as session:
            gone += files.erase_inbox(settings, session, erasure, now)
        gone += files.erase_rejects(settings, erasure)
        gone += files.erase_traces(settings, erasure)
        self._land()
        gone += warehouse.erase_cold(settings, erasure.columns)
        gone += warehouse.erase_landed(settings, erasure.columns)
        built = self._build()
        gone += warehouse.erase_built(settings, erasure.columns)
        publication = self._publish(built)
        older = publish.drop_generations(settings.published_dir, publication.generation - 1)
        gone += Counter({"published (files)": older})
        gone += files.erase_traces(settings, erasure)
        warehouse.rewrite(settings)
        control.compact(self._store)
        subject.end(settings)
        return gone
