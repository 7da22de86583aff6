"""METRICS.md over again in plain Python, by brute force: what the marts must hold.

Nothing here is shared with the SQL: increments are taken one by one, due slots walked one by one,
days asked of `zoneinfo` for each row, ratios computed in `Decimal`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ingest import identity, slots

from .raw_warehouse import Account, Post

COUNTERS = (
    "impressions",
    "likes",
    "comments",
    "shares",
    "clicks",
    "replies",
    "retweets",
    "quotes",
    "bookmarks",
)
METRICS = (*COUNTERS, "engagements", "engagements_core")

WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "linkedin": {"likes": 1, "comments": 5, "shares": 10, "clicks": 2},
    "twitter": {"likes": 1, "replies": 5, "retweets": 10, "quotes": 8, "bookmarks": 3},
}
ENGAGEMENTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("page", "engagements"): ("likes", "comments", "shares", "clicks"),
    ("page", "engagements_core"): ("likes", "comments", "shares"),
    ("member", "engagements"): ("likes", "comments", "shares"),
    ("member", "engagements_core"): ("likes", "comments", "shares"),
    ("profile", "engagements"): ("likes", "replies", "retweets", "quotes", "bookmarks"),
    ("profile", "engagements_core"): ("likes", "replies", "retweets", "quotes"),
}
#: Where a reading comes from -> the metrics of its account kind's list that are not offered there.
LACKING: Mapping[str, tuple[str, ...]] = {
    "api": (),
    "x_legacy": ("quotes", "bookmarks"),
    "x_content": ("quotes",),
}
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)

Counters = Mapping[str, int | None]


@dataclass(frozen=True)
class Reading:
    """Counters of a post at a moment, by the product's names; what is absent was not told."""

    post: Post
    collected_at: datetime
    counters: Counters
    layout: str = "api"

    @property
    def source(self) -> str:
        return "api" if self.layout == "api" else "file"

    @property
    def slot(self) -> datetime:
        return slots.slot_start(self.collected_at, self.post.published_at)

    @property
    def snapshot_id(self) -> UUID:
        return identity.snapshot_id(self.post.post_id, self.slot)


@dataclass(frozen=True)
class Connected:
    """What collection knows of an account."""

    account: Account
    connected_at: datetime | None
    last_success_at: datetime | None


@dataclass(frozen=True)
class Increment:
    """One row of post_increments."""

    id: UUID
    post: Post
    slot_start: datetime
    collected_at: datetime
    activity_at: datetime
    activity_slot: datetime
    basis: str
    is_gap: bool
    is_correction: bool
    new: Mapping[str, int | None]


def rate(numerator: int | None, denominator: int | None) -> Decimal | None:
    """Half up to four decimals, within 9.9999."""
    if numerator is None or not denominator:
        return None
    exact = Fraction(numerator, denominator)
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(
        Decimal("0.0001"), ROUND_HALF_UP
    )
    return max(Decimal("-9.9999"), min(Decimal("9.9999"), rounded))


def score(counters: Counters, platform: str) -> Decimal | None:
    """Directive 3.1 in decimals."""
    impressions = counters.get("impressions")
    if impressions is None:
        return None
    weighted = sum((counters.get(name) or 0) * weight for name, weight in WEIGHTS[platform].items())
    exact = Decimal(max(weighted, 0) * 10_000) / Decimal(max(impressions, 1))
    return min(exact.quantize(Decimal("0.01"), ROUND_HALF_UP), Decimal(1000))


def engagements(kind: str, name: str, reading: Reading) -> int | None:
    """Sum of the account kind's list; None where an offered part is unknown."""
    parts = [
        reading.counters.get(part)
        for part in ENGAGEMENTS[kind, name]
        if part not in LACKING[reading.layout]
    ]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def add(values: Iterable[int | None]) -> int | None:
    """Sum of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def snapshots(readings: Iterable[Reading]) -> dict[UUID, Reading]:
    """One reading per post and slot: the API's latest, else the newest file row of the post."""
    files: dict[UUID, Reading] = {}
    kept: dict[UUID, Reading] = {}
    for reading in readings:
        if reading.source == "file":
            best = files.get(reading.post.post_id)
            if best is None or _file_rank(reading) > _file_rank(best):
                files[reading.post.post_id] = reading
            continue
        other = kept.get(reading.snapshot_id)
        if other is None or reading.collected_at > other.collected_at:
            kept[reading.snapshot_id] = reading
    return {reading.snapshot_id: reading for reading in files.values()} | kept


def _file_rank(reading: Reading) -> tuple[datetime, int]:
    impressions = reading.counters.get("impressions")
    return reading.collected_at, -1 if impressions is None else impressions


def last_known(history: Iterable[Reading], kind: str) -> dict[str, int | None]:
    """The newest known value of each metric; a file leaves what it does not offer as it was."""
    known: dict[str, int | None] = dict.fromkeys((*METRICS, "unique_impressions"))
    for reading in history:
        known |= {name: value for name, value in reading.counters.items() if value is not None}
        for name in ("engagements", "engagements_core"):
            total = engagements(kind, name, reading)
            if total is not None:
                known[name] = total + _carried(kind, name, reading, known)
    return known


def _carried(kind: str, name: str, reading: Reading, known: Counters) -> int:
    lacking = LACKING[reading.layout]
    return sum(known.get(part) or 0 for part in ENGAGEMENTS[kind, name] if part in lacking)


@dataclass
class Expected:
    """All that the marts say of these accounts, posts and readings."""

    connected: list[Connected]
    readings: list[Reading]
    posts: list[Post]
    deleted: Mapping[UUID, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.snapshots = snapshots(self.readings)
        self.histories: dict[UUID, list[Reading]] = defaultdict(list)
        for reading in sorted(self.snapshots.values(), key=lambda reading: reading.slot):
            self.histories[reading.post.post_id].append(reading)
        self.accounts = {entry.account.account_id: entry for entry in self.connected}
        self.as_of = {key: self._as_of(entry) for key, entry in self.accounts.items()}
        self.data_as_of = max((moment for moment in self.as_of.values() if moment), default=None)
        self.due = {post.post_id: list(self._due_slots(post)) for post in self.posts}
        self.increments = [increment for post in self.posts for increment in self._increments(post)]

    def _as_of(self, entry: Connected) -> datetime | None:
        moments = [
            reading.collected_at
            for reading in self.readings
            if reading.post.account == entry.account
        ]
        if entry.last_success_at is not None:
            moments.append(entry.last_success_at)
        return max(moments, default=None)

    # --- slots --------------------------------------------------------------------------------

    def _due_slots(self, post: Post) -> Iterator[datetime]:
        connected_at = self.accounts[post.account.account_id].connected_at
        if connected_at is None or self.data_as_of is None:
            return
        start = max(connected_at, post.published_at)
        if start > self.data_as_of:
            return
        deleted_at = self.deleted.get(post.post_id)
        slot = slots.slot_start(start, post.published_at)
        while slot <= self.data_as_of and slots.is_polled(slot, post.published_at):
            if deleted_at and slot >= slots.slot_start(deleted_at, post.published_at):
                return
            yield slot
            slot = next_slot(slot, post.published_at)

    # --- increments ---------------------------------------------------------------------------

    def _increments(self, post: Post) -> Iterator[Increment]:
        history = self.histories[post.post_id]
        kind = post.account.kind
        before = last_known([], kind)
        previous: Reading | None = None
        for position, reading in enumerate(history):
            after = last_known(history[: position + 1], kind)
            told = dict(reading.counters)
            for name in ("engagements", "engagements_core"):
                total = engagements(kind, name, reading)
                told[name] = None if total is None else after[name]
            new = {name: _difference(told.get(name), before[name]) for name in METRICS}
            basis = _basis(reading, previous)
            lifetime = basis == "lifetime"
            yield Increment(
                id=reading.snapshot_id,
                post=post,
                slot_start=reading.slot,
                collected_at=reading.collected_at,
                activity_at=post.published_at if lifetime else reading.collected_at,
                activity_slot=slots.floor_to(post.published_at, slots.YOUNG_SLOT)
                if lifetime
                else reading.slot,
                basis=basis,
                is_gap=previous is not None
                and any(previous.slot < slot < reading.slot for slot in self.due[post.post_id]),
                is_correction=any((new[name] or 0) < 0 for name in COUNTERS),
                new=new,
            )
            before, previous = after, reading

    # --- sums ---------------------------------------------------------------------------------

    def sums(self, increments: Iterable[Increment]) -> dict[str, int | None]:
        """The measures of quarter hours, days and windows."""
        rows = list(increments)
        seen = [row for row in rows if row.basis == "observed"]
        both = [row for row in rows if _rated(row)]
        seen_both = [row for row in seen if _rated(row)]
        return (
            {f"new_{name}": add(row.new[name] for row in rows) for name in METRICS}
            | {f"observed_{name}": add(row.new[name] for row in seen) for name in METRICS}
            | {f"rated_{name}": add(row.new[name] for row in both) for name in _RATED}
            | {f"observed_rated_{name}": add(row.new[name] for row in seen_both) for name in _RATED}
            | {"active_posts": len({row.post.post_id for row in rows})}
        )

    def coverage(self, account_id: UUID, inside: Callable[[datetime], bool]) -> dict[str, int]:
        """Due and filled slots whose start is inside."""
        posts = [post for post in self.posts if post.account.account_id == account_id]
        due = [(post, slot) for post in posts for slot in self.due[post.post_id] if inside(slot)]
        filled = sum(
            1
            for post, slot in due
            if (found := self.snapshots.get(identity.snapshot_id(post.post_id, slot)))
            and found.source == "api"
        )
        return {"due_slots": len(due), "filled_slots": filled}

    def grouped(
        self, account_id: UUID, key: Callable[[datetime], Any]
    ) -> dict[Any, dict[str, int | None]]:
        """Measures of an account by a function of time: its quarter hours, or its days."""
        rows: dict[Any, list[Increment]] = defaultdict(list)
        for row in self.increments:
            if row.post.account.account_id == account_id:
                rows[key(row.activity_at)].append(row)
        starts: set[Any] = {
            key(slot)
            for post in self.posts
            if post.account.account_id == account_id
            for slot in self.due[post.post_id]
        }
        found = {}
        for group in starts | set(rows):
            slots_of_group = self.coverage(account_id, lambda slot: key(slot) == group)  # noqa: B023
            found[group] = {**self.sums(rows.get(group, [])), **slots_of_group}
        return found

    def window(self, account_id: UUID, name: str) -> dict[str, Any] | None:
        """The row of window_metrics."""
        as_of = self.as_of[account_id]
        if as_of is None:
            return None
        zone = ZoneInfo(self.accounts[account_id].account.timezone)
        bounds = window_bounds(as_of, zone, name)
        start, end, previous_start, previous_end = bounds
        rows = [row for row in self.increments if row.post.account.account_id == account_id]

        def moment(row: Increment) -> datetime:
            return row.activity_slot if name == "24h" else row.activity_at

        now = self.sums(row for row in rows if start <= moment(row) < end)
        before = self.sums(row for row in rows if previous_start <= moment(row) < previous_end)
        connected_at = self.accounts[account_id].connected_at
        if connected_at is not None and connected_at > previous_start:
            before = dict.fromkeys(before)  # not observed whole: unknown
        slots_now = self.coverage(account_id, lambda slot: start <= slot < end)
        slots_before = self.coverage(account_id, lambda slot: previous_start <= slot < previous_end)
        return {
            "window_start": start,
            "window_end": end,
            "previous_start": previous_start,
            "previous_end": previous_end,
            **{key: value for key, value in now.items() if "rated_" not in key},
            **{f"previous_observed_{name}": before[f"observed_{name}"] for name in METRICS},
            "posts_published": sum(
                1
                for post in self.posts
                if post.account.account_id == account_id and start <= post.published_at < end
            ),
            **slots_now,
            "coverage": rate(slots_now["filled_slots"], slots_now["due_slots"]),
            "previous_coverage": rate(slots_before["filled_slots"], slots_before["due_slots"]),
            "engagement_rate": rate(now["rated_engagements"], now["rated_impressions"]),
            "observed_engagement_rate": rate(
                now["observed_rated_engagements"], now["observed_rated_impressions"]
            ),
            "previous_engagement_rate": rate(
                before["observed_rated_engagements"], before["observed_rated_impressions"]
            ),
            **{
                f"change_{metric}_state": change_state(
                    now[f"observed_{metric}"],
                    before[f"observed_{metric}"],
                    [slots_now, slots_before],
                )
                for metric in ("impressions", "engagements")
            },
        }

    def published_window(self, account_id: UUID, name: str) -> dict[str, Any] | None:
        """The row of published_window_metrics."""
        as_of = self.as_of[account_id]
        if as_of is None:
            return None
        zone = ZoneInfo(self.accounts[account_id].account.timezone)
        start, end, previous_start, previous_end = window_bounds(as_of, zone, name)
        hours = WINDOW_AGES[name]
        slot = slots.YOUNG_SLOT if hours < 48 else slots.OLD_SLOT
        read_until = slots.floor_to(as_of, slot)
        read_until_before = previous_end - (end - read_until)
        posts = [post for post in self.posts if post.account.account_id == account_id]
        published = [post for post in posts if start <= post.published_at < end]
        before = [post for post in posts if previous_start <= post.published_at < previous_end]
        ripe = [post for post in published if _reaches(post, hours) <= read_until]
        ripe_before = [post for post in before if _reaches(post, hours) <= read_until_before]
        known, known_before = (
            [aged for post in group if (aged := at_age(self.histories[post.post_id], hours))]
            for group in (ripe, ripe_before)
        )
        now, then = (
            {metric: add(row[metric] for row in group) for metric in METRICS}
            for group in (known, known_before)
        )
        recorded = [
            {"filled_slots": len(filled), "due_slots": len(due)}
            for filled, due in ((known, ripe), (known_before, ripe_before))
        ]
        return {
            "window_start": start,
            "window_end": end,
            "previous_start": previous_start,
            "previous_end": previous_end,
            "age_hours": hours,
            "posts_published": len(published),
            "compared_posts": len(known),
            "too_young_posts": len(published) - len(ripe),
            "unrecorded_posts": len(ripe) - len(known),
            "previous_compared_posts": len(known_before),
            "previous_unrecorded_posts": len(ripe_before) - len(known_before),
            **now,
            **{f"previous_{metric}": value for metric, value in then.items()},
            "engagement_rate": _rate_of_known(known),
            "previous_engagement_rate": _rate_of_known(known_before),
            **{
                f"change_{metric}_state": change_state(now[metric], then[metric], recorded)
                for metric in _RATED
            },
        }

    def rollup(self, zone: ZoneInfo, accounts: set[UUID], platform: str) -> dict[date, Any]:
        """daily_rollup of a user in a zone who reads these accounts."""
        last: dict[tuple[UUID, date], Reading] = {}
        for history in self.histories.values():
            for reading in history:
                if self._is_read(reading.post, accounts, platform):
                    day = reading.collected_at.astimezone(zone).date()
                    last[reading.post.post_id, day] = reading
        gained: dict[date, list[Increment]] = defaultdict(list)
        for row in self.increments:
            if self._is_read(row.post, accounts, platform):
                gained[row.activity_at.astimezone(zone).date()].append(row)
        return {
            day: self._rolled_up(
                [reading for (_, other), reading in last.items() if other == day],
                gained.get(day, []),
            )
            for day in {day for _, day in last} | set(gained)
        }

    @staticmethod
    def _is_read(post: Post, accounts: set[UUID], platform: str) -> bool:
        return post.account.account_id in accounts and post.account.platform == platform

    @staticmethod
    def _rolled_up(readings: list[Reading], gained: list[Increment]) -> dict[str, Any]:
        rates = [
            known
            for reading in readings
            if (
                known := rate(
                    engagements(reading.post.account.kind, "engagements", reading),
                    reading.counters.get("impressions"),
                )
            )
            is not None
        ]
        scores = [
            known
            for reading in readings
            if (known := score(reading.counters, reading.post.account.platform)) is not None
        ]
        return {
            "total_impressions": add(reading.counters.get("impressions") for reading in readings),
            "total_likes": add(reading.counters.get("likes") for reading in readings),
            "avg_engagement_rate": (sum(rates, Decimal(0)) / len(rates)).quantize(
                Decimal("0.0001"), ROUND_HALF_UP
            )
            if rates
            else None,
            "peak_engagement_score": max(scores, default=None),
            "new_impressions": add(row.new["impressions"] for row in gained),
            "new_likes": add(row.new["likes"] for row in gained),
        }


_RATED = ("impressions", "engagements")


def _rated(row: Increment) -> bool:
    return all(row.new[name] is not None for name in _RATED)


def _reaches(post: Post, hours: int) -> datetime:
    return post.published_at + timedelta(hours=hours)


def _rate_of_known(rows: Iterable[Mapping[str, Any]]) -> Decimal | None:
    both = [row for row in rows if all(row[name] is not None for name in _RATED)]
    impressions, engaged = (add(row[name] for row in both) for name in _RATED)
    return rate(engaged, impressions)


def _difference(value: int | None, before: int | None) -> int | None:
    return None if value is None else value - (before or 0)


def _basis(reading: Reading, previous: Reading | None) -> str:
    if reading.source == "file":
        return "lifetime"
    if previous is None:
        age = reading.collected_at - reading.post.published_at
        return "observed" if age <= timedelta(hours=24) else "lifetime"
    recent = reading.collected_at - previous.collected_at <= timedelta(hours=48)
    return "observed" if previous.source == "api" and recent else "catch_up"


def next_slot(slot: datetime, published_at: datetime) -> datetime:
    """The slot of a post that follows another: the first grid point with another slot start."""
    moment = slot
    while slots.slot_start(moment, published_at) == slot:
        moment += timedelta(hours=2)
    return slots.slot_start(moment, published_at)


def quarter_hour(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def window_bounds(
    as_of: datetime, zone: ZoneInfo, name: str
) -> tuple[datetime, datetime, datetime, datetime]:
    """Start and end of a window and of the period before."""
    if name == "24h":
        end = slots.floor_to(as_of, timedelta(hours=2)) + timedelta(hours=2)
        return end - DAY, end, end - 2 * DAY, end - DAY
    days = int(name.removesuffix("d"))
    today = as_of.astimezone(zone).date()
    end = quarter_hour(as_of) + QUARTER
    clock = end.astimezone(zone).replace(tzinfo=None, fold=0) - days * DAY
    return (
        midnight(today - (days - 1) * DAY, zone),
        end,
        midnight(today - (2 * days - 1) * DAY, zone),
        clock.replace(tzinfo=zone).astimezone(UTC),
    )


def change_state(
    current: int | None, previous: int | None, coverages: Iterable[Mapping[str, int]]
) -> str:
    """METRICS.md section 5."""
    if current is None or previous is None:
        return "n/a"
    for part in coverages:  # where none was due, the coverage is unknown
        if not part["due_slots"] or part["filled_slots"] < Decimal("0.9") * part["due_slots"]:
            return "n/a"
    if current == previous:
        return "no change"
    return "new" if previous == 0 else "change"


# --- posts at an age, and against their account's own --------------------------------------------

AGES = (24, 72, 168)
#: The age at which posts published in a window are compared (METRICS.md section 3).
WINDOW_AGES = {"7d": 24, "30d": 72, "90d": 168}
BENCHMARKED = ("impressions", "engagements", "engagement_rate", "engagement_score")


def half_up(value: Fraction, step: str = "1") -> Decimal:
    """Rounded half away from zero to a decimal step."""
    exact = abs(value) / Fraction(step)
    whole = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return (whole if value >= 0 else -whole) * Decimal(step)


def at_age(history: Iterable[Reading], hours: int) -> dict[str, Any] | None:
    """Values of a post at an age, on the line between the API readings around it."""
    readings = [reading for reading in history if reading.source == "api"]
    for position, reading in enumerate(readings):
        post = reading.post
        target = post.published_at + timedelta(hours=hours)
        if reading.collected_at == target:
            return _aged(post, {name: _told(reading, name) for name in METRICS})
        following = readings[position + 1] if position + 1 < len(readings) else None
        if following is None or not reading.collected_at < target < following.collected_at:
            continue
        numbers = [slots.slot_index(each.slot, post.published_at) for each in (reading, following)]
        if numbers[1] - numbers[0] > 2:
            return None
        # Times count in whole milliseconds.
        elapsed, span = (
            (moment - reading.collected_at) // timedelta(milliseconds=1)
            for moment in (target, following.collected_at)
        )
        return _aged(
            post,
            {
                name: _between(_told(reading, name), _told(following, name), elapsed, span)
                for name in METRICS
            },
        )
    return None


def _told(reading: Reading, name: str) -> int | None:
    if name in COUNTERS:
        return reading.counters.get(name)
    return engagements(reading.post.account.kind, name, reading)


def _between(first: int | None, second: int | None, elapsed: int, span: int) -> int | None:
    if first is None or (second is None and elapsed):
        return None
    if second is None:
        return first
    return int(half_up(Fraction(first * (span - elapsed) + second * elapsed, span)))


def _aged(post: Post, values: dict[str, int | None]) -> dict[str, Any]:
    return values | {
        "engagement_rate": rate(values["engagements"], values["impressions"]),
        "engagement_score": score(values, post.account.platform),
    }


def quantile(values: list[Fraction], share: Fraction) -> Fraction:
    """Linear between neighbours (type 7)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def benchmark(own: Decimal | int | None, others: list[Decimal | int]) -> dict[str, Any]:
    """A value against those of earlier posts; nothing below ten of them."""
    if len(others) < 10:
        names = ("lower_quartile", "median", "upper_quartile", "mean", "percentile")
        return {"n": len(others), **dict.fromkeys(names)}
    values = [Fraction(other) for other in others]
    below = sum(other < own for other in others) if own is not None else 0
    equal = sum(other == own for other in others)
    return {
        "n": len(others),
        "lower_quartile": half_up(quantile(values, Fraction(1, 4)), "0.0001"),
        "median": half_up(quantile(values, Fraction(1, 2)), "0.0001"),
        "upper_quartile": half_up(quantile(values, Fraction(3, 4)), "0.0001"),
        "mean": half_up(sum(values, Fraction(0)) / len(values), "0.0001"),
        "percentile": None
        if own is None
        else half_up(Fraction(100 * (2 * below + equal), 2 * len(others)), "0.01"),
    }
