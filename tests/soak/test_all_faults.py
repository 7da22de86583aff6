"""Weeks of a 15-minute cron with every fault of the stand-in on: nothing is missing unexplained.

Each poll is a run as a new process would do it. Afterwards every slot of every post that was
tracked and there to be read holds its snapshot, or the store says why not; what was read is what
the world had; and the log has named each skipped thing once.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from execution.control.connections import ENDED, Tokens, connect
from execution.control.models import Account as StoredAccount
from execution.control.models import Connection, PostAlias, SkippedSlot, TrackedPost, User
from ingest import sandbox
from ingest.sandbox.scenarios import load_scenario_file
from ingest.sandbox.tokens import SCOPES, Code
from ingest.sandbox.world import METRICS, Account, AccountSpec, Habits, Post
from ingest.slots import (
    OLD_SLOT,
    YOUNG_AGE,
    YOUNG_SLOT,
    floor_to,
    is_polled,
    slot_start,
)
from tests.integration.collection.scene import START, Scene, at, playing
from tests.soak.scale import FIGURES, scaled

POLLS = scaled(2_000)
CRON = timedelta(minutes=15)
#: How long a person takes to connect an account again.
PATIENCE = timedelta(hours=5)
SCENARIO = Path(sandbox.__file__).with_name("all_faults.yml")
FOREVER = datetime.max.replace(tzinfo=UTC)
SPECS = tuple(
    AccountSpec(kind, handle, ("ana",), posts_per_day=rate, habits=Habits(edited=0.0))
    for kind, handle, rate in (
        ("profile", "x1", 2.0),
        ("profile", "x2", 1.0),
        ("page", "p1", 1.0),
        ("page", "p2", 0.5),
    )
)

Slot = tuple[UUID, datetime]


@dataclass
class Record:
    """What the soak has seen, run by run."""

    #: (post, slot) that had to be filled, or its absence explained.
    due: set[Slot] = field(default_factory=set)
    skips: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    stops: Counter[tuple[str, str, datetime]] = field(default_factory=Counter)
    #: Post -> from when to when the platform called it deleted.
    gone: dict[UUID, list[tuple[datetime, datetime]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    consents: int = 0


def test_every_due_slot_is_filled_or_explained(tmp_path: Path) -> None:
    record = Record()
    days = POLLS * CRON // timedelta(days=1) + 2
    with playing(tmp_path, SPECS, days_after=days) as scene:
        scene.connect("profile", "page")
        load_scenario_file(SCENARIO).apply(scene.stand_in.sandbox)
        for number in range(POLLS):
            scene.clock.set(max(START + number * CRON, scene.clock.now()))
            _consent_again(scene, record)
            _poll(scene, record)
            if number % 200 == 199:
                scene.land()
        scene.land()
        filled = _filled(scene)
        missing = record.due - filled
        assert {slot for slot in missing if not _is_explained(scene, record, slot)} == set()
        assert len(filled & record.due) > 0.9 * len(record.due), "and nearly all are filled"
        _check_truth(scene)
        assert max(record.skips.values(), default=0) <= 1, "each skipped post is named once a slot"
        assert max(record.stops.values(), default=0) <= 4, "a rest is named once, a try each time"
        struck = Counter(
            {rule.name: rule.struck for rule in scene.stand_in.sandbox.rules if rule.struck}
        )
        assert len(struck) > 10
        FIGURES.append(
            f"faults: {POLLS} polls, {struck.total()} faults of {len(struck)} kinds,"
            f" {len(scene.asked())}+ requests; {len(record.due)} due slots,"
            f" {len(record.due & filled)} filled, {len(missing)} explained;"
            f" {len(record.gone)} posts called deleted, {record.consents} consents given again"
        )


def _poll(scene: Scene, record: Record) -> None:
    now = scene.clock.now()
    tracked = scene.tracked()
    record.due |= _due_now(scene, tracked, now)
    report = scene.run()
    assert len(report.failures) >= report.stopped
    for entry in scene.logs:
        _note(record, entry, tracked, now)
    scene.logs.clear()


def _note(
    record: Record, entry: Mapping[str, Any], tracked: Mapping[str, TrackedPost], now: datetime
) -> None:
    match entry["event"]:
        case "post skipped":
            slot = slot_start(now, tracked[entry["post"]].published_at)
            record.skips[entry["post"], slot] += 1
        case "account stopped" if entry["log_level"] == "warning":
            record.stops[entry["account"], entry["reason"], floor_to(now, YOUNG_SLOT)] += 1
        case "post deleted":
            record.gone[UUID(entry["post_id"])].append((now, FOREVER))
        case "post shown again":
            since, _ = record.gone[UUID(entry["post_id"])].pop()
            record.gone[UUID(entry["post_id"])].append((since, now))


def _world_posts(scene: Scene) -> dict[str, Post]:
    return {
        post.urn or str(post.id): post
        for account in scene.stand_in.sandbox.world.accounts
        for post in account.posts
    }


def _due_now(scene: Scene, tracked: Mapping[str, TrackedPost], now: datetime) -> set[Slot]:
    """(post, slot) of each tracked post that is there to be read now."""
    world = _world_posts(scene)
    return {
        (post.post_id, slot_start(now, post.published_at))
        for id_, post in tracked.items()
        if id_ in world
        and world[id_].exists(now.timestamp())
        and is_polled(slot_start(now, post.published_at), post.published_at)
    }


def _filled(scene: Scene) -> set[Slot]:
    rows = scene.raw(
        "select post_id, slot_start from raw.twitter_snapshots"
        " union all select post_id, slot_start from raw.linkedin_snapshots"
    )
    assert len(rows) == len(set(rows)), "one snapshot a post and slot"
    return {(UUID(post_id), slot) for post_id, slot in rows}


def _is_explained(scene: Scene, record: Record, slot: Slot) -> bool:
    """Whether the store, or the log of deletions, says why a slot is empty."""
    post_id, start = slot
    with scene.app.store.begin() as session:
        post = session.get_one(TrackedPost, post_id)
        end = start + (YOUNG_SLOT if start - post.published_at < YOUNG_AGE else OLD_SLOT)
        reasons = session.scalars(
            select(SkippedSlot).where(
                SkippedSlot.subject.in_([post_id, post.account_id]),
                SkippedSlot.slot_start >= start,
                SkippedSlot.slot_start < end,
            )
        ).all()
    return bool(reasons) or any(
        since < end and until > start for since, until in record.gone[post_id]
    )


def _check_truth(scene: Scene) -> None:
    """Every counter that was kept is the world's at that moment, or unknown.

    LinkedIn's -1 is one of the faults' odd values, which no reader could tell from a correction.
    Left out are posts that an odd id made one with another.
    """
    world = _world_posts(scene)
    with scene.app.store.begin() as session:
        odd = {
            alias.post_id
            for alias in session.scalars(select(PostAlias))
            if alias.platform_post_id not in world
        }
    assert len(odd) <= 2 + POLLS // 200
    names = {
        "twitter": ["impression_count", "like_count", "reply_count", "retweet_count"],
        "linkedin": ["impression_count", "unique_impressions_count", "click_count", "like_count"],
    }
    wrong = []
    for platform, columns in names.items():
        kind = "profile" if platform == "twitter" else "page"
        count = len(METRICS[kind])  # type: ignore[index]
        for id_, post_id, collected_at, *counters in scene.raw(
            f"select platform_post_id, post_id, collected_at, {', '.join(columns)}"
            f" from raw.{platform}_snapshots"
        ):
            if UUID(post_id) in odd:
                continue
            truth = world[id_].counts(collected_at.timestamp())[:count]
            for told, true in zip(counters, truth, strict=False):
                if told not in {None, true} and not (platform == "linkedin" and told in {-1, 0}):
                    wrong.append((id_, collected_at, counters, truth))
    assert wrong == []


def _consent_again(scene: Scene, record: Record) -> None:
    """Consents that have ended are given again, some hours later, as their owners would."""
    now, app = scene.clock.now(), scene.app
    with app.store.begin() as session:
        ended = session.execute(
            select(Connection, StoredAccount)
            .join(StoredAccount, StoredAccount.id == Connection.account_id)
            .where(Connection.state.in_(ENDED))
        ).all()
    accounts = {a.spec.handle: a for a in scene.stand_in.sandbox.world.accounts}
    for connection, stored in ended:
        if now - (connection.last_success_at or connection.connected_at) < PATIENCE:
            continue
        grant = _new_grant(scene, accounts[stored.handle or ""])
        with app.store.begin() as session:
            connect(
                session,
                app.vault,
                user=session.get_one(User, connection.user_id),
                account=session.get_one(StoredAccount, stored.id),
                tokens=Tokens(grant.access_token, grant.refresh_token),
                scopes=sorted(grant.scopes),
                expires_at=at(grant.expires_at),
                now=now,
            )
        record.consents += 1


def _new_grant(scene: Scene, account: Account) -> Any:
    tokens = scene.stand_in.sandbox.tokens
    scopes = frozenset(SCOPES[account.kind])
    code = Code(account, "ana", scopes, "", tokens.client_id, 0.0)
    return tokens.issue(code, scene.clock.now().timestamp())
