"""A new platform is one module, one folder and its lines in lists: what CONTRIBUTING.md says, done.

The module's row models land through the product's own landing; the copied dbt project gets a folder
in models/staging, lines in the seeds, and the platform's name in `vars`. No other file changes.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from ingest import identity, slots
from ingest.clock import ManualClock
from ingest.files import EXPORT_ROWS
from ingest.load import CONTROL_SCHEMAS, land, spool_tables
from ingest.platforms import PLATFORMS
from ingest.platforms.base import AccountRow, MaybeCounter, PostRow, SnapshotRow

from .raw_warehouse import PROJECT, RawWarehouse, at, copied_project

# --- ingest/platforms/toy.py: the rows of a platform that counts views, claps and echoes ----------


class ToyPostRow(PostRow):
    table = "toy_posts"


class ToySnapshotRow(SnapshotRow):
    table = "toy_snapshots"

    view_count: MaybeCounter
    clap_count: MaybeCounter
    echo_count: MaybeCounter


class ToyAccountRow(AccountRow):
    table = "toy_accounts"


# --- models/staging/toy/ --------------------------------------------------------------------------

COUNTERS = {
    "view_count as integer) as impressions": "impression_count as integer) as impressions",
    "clap_count as integer) as likes": "like_count as integer) as likes",
    "echo_count as integer) as retweets": "retweet_count as integer) as retweets",
    "null as integer) as replies": "reply_count as integer) as replies",
    "null as integer) as quotes": "quote_count as integer) as quotes",
    "null as integer) as bookmarks": "bookmark_count as integer) as bookmarks",
    "null as integer) as clicks": "url_link_clicks as integer) as clicks",
}
WEIGHTS = "1,toy,likes,1.0\n1,toy,retweets,4.0\n"
OFFERS = """\
toy,profile,api,api,impressions,offered,false,false,view_count,
toy,profile,api,api,likes,offered,true,true,clap_count,
toy,profile,api,api,retweets,offered,true,true,echo_count,
"""


def toy_project(folder: Path) -> Path:
    """The project with the toy platform added as a contributor would."""
    project = copied_project(folder)
    staging = project / "models" / "staging"
    (staging / "toy").mkdir()
    for path in (staging / "twitter").iterdir():
        if "export_posts" not in path.name:
            text = path.read_text().replace("twitter", "toy")
            for ours, theirs in COUNTERS.items():
                text = text.replace(theirs, ours)
            (staging / "toy" / path.name.replace("twitter", "toy")).write_text(text)
    seeds = project / "dbt_project" / "seeds"
    for name, lines in (("engagement_weights", WEIGHTS), ("metric_offers", OFFERS)):
        path = seeds / f"{name}.csv"
        path.write_text(path.read_text() + lines)
    settings = (PROJECT / "dbt_project.yml").read_text()
    listed = "platforms: [linkedin, twitter]"
    assert listed in settings
    (project / "dbt_project.yml").write_text(
        settings.replace(listed, "platforms: [linkedin, toy, twitter]")
    )
    return project


PUBLISHED, NOW = at("2026-03-02 08:00"), at("2026-03-02 14:30")


def toy_rows() -> list[list[Any]]:
    """One post, read four times: 100 views, a clap and no echo more each time."""
    account_id = identity.account_id("toy", "1")
    post_id = identity.post_id(account_id, "t1")
    shared = {
        "account_id": account_id,
        "platform_post_id": "t1",
        "post_id": post_id,
        "published_at": PUBLISHED,
    }
    post = ToyPostRow(
        **shared, post_type="post", text="hello", url="https://toy.example/1", fetched_at=PUBLISHED
    )
    readings = []
    for number in range(4):
        moment = PUBLISHED + timedelta(hours=2 * number, minutes=5)
        slot = slots.slot_start(moment, PUBLISHED)
        readings.append(
            ToySnapshotRow(
                **shared,
                snapshot_id=identity.snapshot_id(post_id, slot),
                slot_start=slot,
                collected_at=moment,
                view_count=100 * (number + 1),
                clap_count=number + 1,
                echo_count=2,
            )
        )
    return [[post], readings]


def control() -> dict[str, pa.Table]:
    """The control store's slice: one user with one connected account."""
    account_id = str(identity.account_id("toy", "1"))
    rows: dict[str, dict[str, Any]] = {
        "control_users": {"user_key": "user-1", "timezone": "UTC", "created_at": PUBLISHED},
        "control_accounts": {
            "account_id": account_id,
            "platform": "toy",
            "account_kind": "profile",
            "timezone": "UTC",
            "is_proven": True,
            "created_at": PUBLISHED,
        },
        "control_account_members": {
            "account_id": account_id,
            "user_key": "user-1",
            "role": "owner",
        },
        "control_connections": {
            "connection_id": "c1",
            "account_id": account_id,
            "platform": "toy",
            "state": "active",
            "connected_at": at("2026-03-01"),
            "last_success_at": NOW,
        },
    }
    return {
        name: pa.Table.from_pylist(
            [{field: rows[name].get(field) for field in schema.names}] if name in rows else [],
            schema=schema,
        )
        for name, schema in CONTROL_SCHEMAS.items()
    }


def test_a_toy_platform_reaches_every_mart(tmp_path: Path) -> None:
    platforms = PLATFORMS.values()
    models = [row for p in platforms for row in (p.post_row, p.snapshot_row, p.account_row)]
    spool_tables(toy_rows(), tmp_path / "spool", "toy-1")
    land(
        tmp_path,
        [*models, *EXPORT_ROWS, ToyPostRow, ToySnapshotRow, ToyAccountRow],
        clock=ManualClock(datetime(2026, 3, 2, 15, tzinfo=UTC)),
        control=control(),
    )
    warehouse = RawWarehouse.at(tmp_path / "warehouse.duckdb")
    warehouse.dbt("build", "--exclude-resource-types", "unit_test", project=toy_project(tmp_path))
    score = warehouse.row(
        "select platform, impressions, engagements, engagement_score from marts.post_scores"
    )
    # 4 claps + 2 echoes; 10,000 x (4 x 1 + 2 x 4) / 400
    assert score == {
        "platform": "toy",
        "impressions": 400,
        "engagements": 6,
        "engagement_score": Decimal("300.00"),
    }
    for mart in ("analytics_snapshots", "post_increments", "daily_metrics", "daily_rollup"):
        assert warehouse.rows(f"select distinct platform from marts.{mart}") == [
            {"platform": "toy"}
        ]
    assert warehouse.row("select text from content.post_content") == {"text": "hello"}
    window = warehouse.row(
        "select new_impressions, new_retweets, new_comments from marts.window_metrics"
        " where window_name = '24h'"
    )
    assert window == {"new_impressions": 400, "new_retweets": 2, "new_comments": None}
