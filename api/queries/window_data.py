"""The rows that a window's figures are made of, each asked for once and kept per platform."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from api.queries import statements
from api.queries.metrics import METRICS, add
from api.queries.params import WindowParams
from api.queries.reader import Reader
from api.queries.scope import Row
from api.queries.windows import BucketSpan, Span, TimeWindow, buckets, previous, resolve
from api.schemas import Platform

_COLUMNS = (*statements.SUMS, *statements.RIPENESS)
_NO_GAINS: Row = dict.fromkeys(_COLUMNS)
_NO_ACTIVITY: Row = {
    "active_posts": 0,
    "increments": 0,
    **{f"known_{metric}": 0 for metric in METRICS},
    "rate_sum": None,
    "rates": 0,
    "rate_median": None,
}


@dataclass(frozen=True)
class WindowData:
    """All platforms of one window and of the period before it. `platform` None: all of them.

    Of the lens `published` gains are what posts had at one age, in the bucket they were published.
    """

    reader: Reader
    params: WindowParams

    @cached_property
    def window(self) -> TimeWindow:
        """The window asked for; it ends with the newest data of the accounts asked for."""
        return resolve(self.params.window, self.reader.zone, self.reader.end, self.params.days)

    @cached_property
    def previous(self) -> Span | None:
        """The period to compare with, if any."""
        if self.params.compare == "none":
            return None
        return previous(self.window, match_weekday=self.params.match_weekday == "true")

    @cached_property
    def buckets(self) -> list[BucketSpan]:
        """The window's time axis."""
        return buckets(self.window)

    def platforms(self, platform: Platform | None) -> list[Platform]:
        """Platforms of the accounts, in a fixed order."""
        found = {row["platform"] for row in self.accounts(platform)}
        return sorted(found)

    def accounts(self, platform: Platform | None) -> list[Row]:
        """The accounts on a platform."""
        return [row for row in self.reader.account_rows if platform in (None, row["platform"])]

    def gains(self, platform: Platform | None) -> Row:
        """Gains of the window: the sum of its buckets."""
        return _total(row for row in self._gains if row["bucket"] >= 0 and _on(row, platform))

    def gains_before(self, platform: Platform | None) -> Row:
        """Gains of the previous period; all unknown if nothing is compared."""
        return _total(
            row for row in self._gains if row["bucket"] == _PREVIOUS and _on(row, platform)
        )

    def bucket_gains(self, platform: Platform) -> list[Row]:
        """Gains of each bucket in order; all unknown where nothing was read."""
        by_bucket = {row["bucket"]: row for row in self._gains if _on(row, platform)}
        return [by_bucket.get(number, _NO_GAINS) for number in range(len(self.buckets))]

    def activity(self, platform: Platform | None) -> Row:
        """Active posts, known rows and the posts' rates (`statements.activity`)."""
        return self._activity.get(platform, _NO_ACTIVITY)

    def posts_published(self, platform: Platform | None) -> int:
        """Posts published in the window."""
        return sum(row["posts_published"] for row in self._published if _on(row, platform))

    @cached_property
    def _gains(self) -> list[Row]:
        """Per platform and bucket: 0 and up in the window, `_PREVIOUS` in the period before.

        Both periods are read at once; what lies between them is left out.
        """
        steps = [(number, step.start) for number, step in enumerate(self.buckets)]
        whole: Span = self.window
        if self.previous is not None:
            before = [(_PREVIOUS, self.previous.start)]
            if self.previous.end < self.window.start:
                before.append((_BETWEEN, self.previous.end))
            steps = before + steps
            whole = self.window.reaching_back_to(self.previous)
        rows = self._in_buckets(whole, [start for _, start in steps])
        numbered = [{**_NO_GAINS, **row, "bucket": steps[row["bucket"]][0]} for row in rows]
        return [row for row in numbered if row["bucket"] != _BETWEEN]

    def _in_buckets(self, whole: Span, starts: list[datetime]) -> list[Row]:
        scope = self.reader.scope
        gained = self.reader.run(statements.gains(scope, whole, starts))
        if self.params.lens == "gained":
            return gained
        rows: dict[tuple[Platform, int], Row] = {
            (row["platform"], row["bucket"]): {name: row[name] for name in _SLOT_COLUMNS}
            for row in gained
        }
        aged = statements.values_at_one_age(scope, self.window, self.previous, starts)
        for row in self.reader.run(aged):
            rows.setdefault((row["platform"], row["bucket"]), {}).update(row)
        return list(rows.values())

    @cached_property
    def _activity(self) -> dict[Platform | None, Row]:
        ask = (
            statements.activity if self.params.lens == "gained" else statements.activity_at_one_age
        )
        rows = self.reader.run(ask(self.reader.scope, self.window))
        return {row["platform"]: row for row in rows}

    @cached_property
    def _published(self) -> list[Row]:
        return self.reader.run(statements.published(self.reader.scope, self.window))


_SLOT_COLUMNS = ("platform", "bucket", "due_slots", "filled_slots")
_PREVIOUS = -1
_BETWEEN = -2


def _on(row: Row, platform: Platform | None) -> bool:
    return platform in (None, row["platform"])


def _total(rows: Iterable[Row]) -> Row:
    kept = list(rows)
    return {column: add(row[column] for row in kept) for column in _COLUMNS}
