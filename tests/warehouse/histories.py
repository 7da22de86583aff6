"""Random histories of accounts, and what the marts must hold of them."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from ingest import identity, slots

from .raw_warehouse import Account, Post, RawWarehouse, at
from .reference import Connected, Expected, Reading, next_slot

#: Zones an hour, half an hour, a quarter off; with and without summer time; both hemispheres.
ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/Havana",
    "Pacific/Chatham",
)
_NAMES = {
    "twitter": ("impressions", "likes", "replies", "retweets", "quotes", "bookmarks", "clicks"),
    "linkedin": ("impressions", "likes", "comments", "shares", "clicks", "unique_impressions"),
}
START, END = at("2026-02-20"), at("2026-04-07 13:37")
_FILE_NAMES = ("impressions", "likes", "replies", "retweets", "clicks")


@dataclass(frozen=True)
class Event:
    """A raw row that is still to be landed."""

    reading: Reading
    file: str | None = None
    basis: str = "assumed"


@dataclass
class Histories:
    """Random accounts, posts and readings between two moments."""

    start: datetime
    end: datetime
    random: random.Random
    connected: list[Connected] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    deleted: dict[UUID, datetime] = field(default_factory=dict)
    members: dict[str, set[Account]] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)

    def expected(self) -> Expected:
        return Expected(
            self.connected,
            [event.reading for event in self.events],
            self.posts,
            self.deleted,
        )


@dataclass(frozen=True)
class Built:
    """Histories, and the warehouse in which they landed and were built."""

    warehouse: RawWarehouse
    histories: Histories

    def copy(self, folder: Path) -> "Built":
        """The same in a new folder, for a test that changes it."""
        shutil.copytree(self.warehouse.path.parent, folder)
        path = folder / self.warehouse.path.name
        return replace(self, warehouse=replace(self.warehouse, path=path, is_new=False))


def generate(
    warehouse: RawWarehouse,
    seed: int,
    *,
    accounts: int = 8,
    posts: int = 9,
    start: datetime = START,
    end: datetime = END,
) -> Histories:
    """Accounts and posts go to the warehouse at once, readings wait as events."""
    made = Histories(start, end, random.Random(seed))
    for number in range(2):
        made.zones[f"user-{number}"] = made.random.choice(ZONES)
        warehouse.user(f"user-{number}", made.zones[f"user-{number}"])
    for number in range(accounts):
        _account(warehouse, made, number, posts)
    return made


def _account(warehouse: RawWarehouse, made: Histories, number: int, posts: int) -> None:
    pick = made.random
    platform = pick.choice(("twitter", "linkedin"))
    kind = {"twitter": "profile", "linkedin": pick.choice(("page", "member"))}[platform]
    from_files_alone = platform == "twitter" and pick.random() < 0.2
    connected_at = (
        None
        if from_files_alone
        else _moment(pick, made.start, made.start + (made.end - made.start) / 3)
    )
    last_success_at = (
        None if from_files_alone else _moment(pick, made.end - timedelta(days=3), made.end)
    )
    readers = [user for user in made.zones if pick.random() < 0.7]
    account = warehouse.account(
        f"account-{number}",
        platform=platform,
        kind=kind,
        timezone=pick.choice(ZONES),
        connected_at=connected_at,
        last_success_at=last_success_at,
        members=dict.fromkeys(readers, "viewer"),
    )
    for user in readers:
        made.members.setdefault(user, set()).add(account)
    made.connected.append(Connected(account, connected_at, last_success_at))
    for index in range(pick.randrange(posts + 1)):
        published_at = _moment(pick, made.start - timedelta(days=10), made.end - timedelta(hours=1))
        deleted_at = (
            _moment(pick, published_at, made.end) if connected_at and pick.random() < 0.15 else None
        )
        name = f"{number:04d}{index:06d}"
        if from_files_alone:
            post = Post(identity.post_id(account.account_id, name), account, name, published_at)
        else:
            post = warehouse.post(account, name, published_at, deleted_at=deleted_at)
        if deleted_at:
            made.deleted[post.post_id] = deleted_at
        made.posts.append(post)
        made.events += _events(made, post, connected_at, deleted_at, from_files_alone)


def _events(
    made: Histories,
    post: Post,
    connected_at: datetime | None,
    deleted_at: datetime | None,
    from_files_alone: bool,
) -> Iterator[Event]:
    pick = made.random
    counters: dict[str, int] = dict.fromkeys(_NAMES[post.account.platform], 0)
    missed = pick.choice((0.0, 0.05, 0.5, 0.95))
    silent_until = made.start
    if connected_at is not None:
        slot = slots.slot_start(max(connected_at, post.published_at), post.published_at)
        while slots.is_polled(slot, post.published_at):
            following = next_slot(slot, post.published_at)
            moment = _moment(pick, max(slot, post.published_at, connected_at), following)
            if moment >= min(deleted_at or made.end, made.end):
                break
            if moment >= silent_until and pick.random() >= missed:
                _grow(pick, counters)
                yield Event(Reading(post, moment, _told(pick, counters)))
                if pick.random() < 0.05:  # a later reading of the same slot
                    _grow(pick, counters)
                    later = _moment(pick, moment, following)
                    if moment < later < min(deleted_at or made.end, made.end):
                        yield Event(Reading(post, later, _told(pick, counters)))
                if pick.random() < 0.02:
                    silent_until = moment + timedelta(hours=pick.randrange(100))
            slot = following
    if post.account.platform == "twitter":
        yield from _file_events(made, post, from_files_alone)


def _file_events(made: Histories, post: Post, from_files_alone: bool) -> Iterator[Event]:
    pick = made.random
    for number in range(pick.choice((0, 0, 1, 3)) or int(from_files_alone)):
        moment = _moment(pick, post.published_at, made.end).replace(microsecond=0)
        told = {name: pick.randrange(200) for name in _FILE_NAMES if pick.random() < 0.95}
        layout = pick.choice(("x_legacy", "x_content"))
        if layout == "x_content":
            told["bookmarks"] = pick.randrange(20)
        basis = pick.choice(("stated", "assumed"))
        yield Event(Reading(post, moment, told, layout), file=f"file-{number}", basis=basis)


def _moment(pick: random.Random, first: datetime, last: datetime) -> datetime:
    """A moment in [first, last), to the microsecond, often on the grid or just beside it."""
    length = last - first
    microseconds = max(length // timedelta(microseconds=1), 1)
    moment = first + timedelta(microseconds=pick.randrange(microseconds))
    if pick.random() < 0.3:
        on_grid = slots.floor_to(moment, timedelta(hours=pick.choice((1, 2, 6))))
        moment = on_grid if first <= on_grid < last else moment
    return moment


def _grow(pick: random.Random, counters: dict[str, int]) -> None:
    for name in counters:
        if pick.random() < 0.7:
            counters[name] += pick.randrange(50 if name == "impressions" else 5)
        elif pick.random() < 0.05:
            counters[name] -= pick.randrange(4)


def _told(pick: random.Random, counters: dict[str, int]) -> dict[str, int | None]:
    return {name: value for name, value in counters.items() if pick.random() < 0.93}


def land(warehouse: RawWarehouse, events: list[Event]) -> None:
    """Hand readings to the warehouse as raw rows of the next load."""
    for event in events:
        reading = event.reading
        if event.file is None:
            warehouse.snapshot(reading.post, reading.collected_at, **reading.counters)
        else:
            post = reading.post
            warehouse.export_row(
                post.account,
                post.platform_post_id,
                post.published_at,
                reading.collected_at,
                file=event.file,
                post_id=post.post_id,
                collected_basis=event.basis,
                **reading.counters,
            )
