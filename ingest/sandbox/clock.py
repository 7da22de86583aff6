"""The stand-in's clock: stands still until it is moved, or runs at a distance from real time."""

from datetime import datetime, timedelta

from ingest.clock import Clock, ManualClock, SystemClock


class SandboxClock(ManualClock):
    """A settable clock; being a `Clock`, the same one can be handed to the clients of a test.

    `set` makes it stand still at a moment; `run` lets it go on with real time, `offset` away.
    """

    def __init__(self, start: datetime, real: Clock | None = None) -> None:
        super().__init__(start)
        self._real = real or SystemClock()
        self._offset: timedelta | None = None

    @property
    def offset(self) -> timedelta | None:
        """Distance to real time while running, None while standing still."""
        return self._offset

    def now(self) -> datetime:
        if self._offset is None:
            return super().now()
        return self._real.now() + self._offset

    def set(self, moment: datetime) -> None:
        super().set(moment)
        self._offset = None

    def run(self, offset: timedelta = timedelta(0)) -> None:
        """Run with real time from now on, `offset` later (negative: earlier)."""
        self._offset = offset
