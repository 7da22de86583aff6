"""Whatever a platform or a file may tell, a build ends and its tests pass."""

import random
from datetime import timedelta
from pathlib import Path

from ingest.platforms.base import LEAST_COUNT, MOST_COUNT

from .raw_warehouse import FILE_NAMES, LINKEDIN_NAMES, TWITTER_NAMES, Post, RawWarehouse, at

#: What landing lets through, and a counter that was not sent.
LIMITS = (LEAST_COUNT, -1, 0, 1, 214_749, MOST_COUNT, None)
#: Around each age at which posts are compared, and long after.
READ_AT = tuple(timedelta(hours=hours) for hours in (1, 23, 25, 67, 77, 163, 173, 700))
START = at("2026-01-01")
#: Posts of one hour, one older than X, and one of a clock that goes wrong.
PUBLISHED = (
    *(START + timedelta(days=day, hours=9) for day in range(25)),
    at("2003-01-01 00:00"),
    START + timedelta(days=365),
)


def test_counters_at_their_limits_and_odd_times_stop_no_build(tmp_path: Path) -> None:
    warehouse = RawWarehouse(tmp_path / "warehouse.duckdb")
    warehouse.user(timezone="Pacific/Apia")
    accounts = [
        warehouse.account(
            f"{platform}-{kind}",
            platform=platform,
            kind=kind,
            timezone=timezone,
            connected_at=START,
            members={"user-1": "owner"},
        )
        for platform, kind, timezone in (
            ("twitter", "profile", "Pacific/Kiritimati"),
            ("linkedin", "page", "Pacific/Pago_Pago"),
            ("linkedin", "member", "UTC"),
        )
    ]
    posts = [
        warehouse.post(account, f"{account.account_id}-{number}", published_at)
        for account in accounts
        for number, published_at in enumerate(PUBLISHED)
    ]
    pick = random.Random(1)
    for number, post in enumerate(posts):
        read(warehouse, post, pick)
        if post.account.platform == "twitter" and number % 5 == 0:
            download(warehouse, post, pick)
    for account in accounts:
        for day, followers in enumerate((0, MOST_COUNT, None, 0)):
            warehouse.audience(account, START + timedelta(days=day), followers)
    warehouse.build()
    assert warehouse.rows("select 1 from marts.posting_times limit 1")
    assert warehouse.rows("select 1 from marts.post_benchmarks where median is not null limit 1")


def test_sums_of_a_files_versions_have_the_limit_of_any_counter() -> None:
    macros = Path(__file__).parents[2] / "dbt_project" / "macros" / "metrics.sql"
    assert f"sum({{{{ measure }}}}) <= {MOST_COUNT} then" in macros.read_text()


def read(warehouse: RawWarehouse, post: Post, pick: random.Random) -> None:
    names = TWITTER_NAMES if post.account.platform == "twitter" else LINKEDIN_NAMES
    for age in READ_AT:
        counters = {name: pick.choice(LIMITS) for name in names}
        warehouse.snapshot(post, max(post.published_at, START) + age, **counters)


def download(warehouse: RawWarehouse, post: Post, pick: random.Random) -> None:
    """The rows of a file in which a post stands in two versions."""
    for version in ("", "-edited"):
        warehouse.export_row(
            post.account,
            post.platform_post_id + version,
            post.published_at,
            START + timedelta(days=30),
            post_id=post.post_id,
            **{name: pick.choice((0, MOST_COUNT, MOST_COUNT, None)) for name in FILE_NAMES},
        )
