"""Posting times in plain Python, by brute force (METRICS.md section 7)."""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from statistics import NormalDist, fmean, median, stdev
from zoneinfo import ZoneInfo

from .raw_warehouse import Row

NINETY_DAYS = timedelta(days=90)

#: Weekday, 1 to 7, and hour.
Cell = tuple[int, int]


def before(row: Row, values: list[Row]) -> list[Row]:
    """What the account published in the 90 days before a post."""
    return [
        other
        for other in values
        if timedelta(0) < row["published_at"] - other["published_at"] <= NINETY_DAYS
    ]


def units(values: list[Row], measure: str) -> Iterator[tuple[datetime, float]]:
    """When each post was published, and how it did against the median of those before it."""
    known = [row for row in values if row["impressions"] is not None]
    for row in known:
        value, *others = (max(float(each[measure]), 0) for each in (row, *before(row, known)))
        if len(others) >= 5:
            yield row["published_at"], math.log((1 + value) / (1 + median(others)))


@dataclass(frozen=True)
class Heatmap:
    """Units of an account by weekday and hour of a zone."""

    cells: Mapping[Cell, list[float]]

    @classmethod
    def of(cls, values: list[Row], timezone: str, measure: str) -> "Heatmap":
        cells: dict[Cell, list[float]] = defaultdict(list)
        zone = ZoneInfo(timezone)
        for published_at, unit in sorted(units(values, measure)):
            local = published_at.astimezone(zone)
            cells[local.isoweekday(), local.hour].append(unit)
        return cls(cells)

    @cached_property
    def posts(self) -> list[float]:
        return [unit for of in self.cells.values() for unit in of]

    @cached_property
    def parent(self) -> float:
        return fmean(self.posts)

    @cached_property
    def within(self) -> float | None:
        """Variance within cells: mean square, with as many degrees as posts without a cell."""
        degrees = len(self.posts) - len(self.cells)
        if not degrees:
            return None
        return sum((unit - fmean(of)) ** 2 for of in self.cells.values() for unit in of) / degrees

    @cached_property
    def k(self) -> float | None:
        """Within / between by the method of moments (one-way, cells of unequal size)."""
        degrees = len(self.cells) - 1
        if not degrees or self.within is None:
            return None
        sizes = [len(of) for of in self.cells.values()]
        square = sum(len(of) * (fmean(of) - self.parent) ** 2 for of in self.cells.values())
        typical = (sum(sizes) - sum(size**2 for size in sizes) / sum(sizes)) / degrees
        between = (square / degrees - self.within) / typical
        return self.within / between if between > 0 else None

    def shrunk(self, cell: Cell) -> float:
        """Its mean drawn towards the account's; the account's own where hours do not differ."""
        of = self.cells[cell]
        if self.k is None:
            return self.parent
        return (len(of) * fmean(of) + self.k * self.parent) / (len(of) + self.k)

    def interval(self, cell: Cell) -> tuple[float, float] | None:
        """The 80 % interval of the shrunk mean; none where no hour has two posts."""
        if self.within is None:
            return None
        behind = len(self.posts) if self.k is None else len(self.cells[cell]) + self.k
        half = NormalDist().inv_cdf(0.9) * math.sqrt(self.within / behind)
        return self.shrunk(cell) - half, self.shrunk(cell) + half

    @cached_property
    def has_enough(self) -> bool:
        return len(self.posts) >= 20 and any(len(of) >= 3 for of in self.cells.values())

    @cached_property
    def is_tested(self) -> bool:
        """Enough posts, in more than one hour, that do not all do the same."""
        return self.has_enough and len(self.cells) > 1 and max(self.posts) > min(self.posts)

    @cached_property
    def deviation(self) -> float:
        return stdev(self.posts)

    def z(self, of: list[float]) -> float:
        """Their mean in standard errors of a mean of as many posts, drawn without return."""
        error = self.deviation * math.sqrt(1 / len(of) - 1 / len(self.posts))
        return (sum(of) / len(of) - self.parent) / error

    @cached_property
    def top(self) -> Cell:
        """Where z is largest among cells with three posts or more, the first of equal ones."""
        return max(
            (cell for cell, of in self.cells.items() if len(of) >= 3),
            key=lambda cell: (round(self.z(self.cells[cell]), 9), -cell[0], -cell[1]),
        )

    def chance(self, pick: random.Random) -> float:
        """The share of 1,000 random dealings in which some hour does as well as the top one."""
        dealt, top = self.posts[:], self.z(self.cells[self.top])
        sizes = [len(of) for of in self.cells.values()]
        larger = 0
        for _ in range(1000):
            pick.shuffle(dealt)
            rest = iter(dealt)
            hands = [list(islice(rest, size)) for size in sizes]
            larger += max(self.z(hand) for hand in hands if len(hand) >= 3) >= top - 1e-9
        return larger / 1000
