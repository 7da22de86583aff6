"""A year of readings, made in the warehouse by SQL: raw tables as landing would leave them."""

import math
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.warehouse import working_copy
from tests.warehouse.raw_warehouse import TABLES, RawWarehouse

END = "timestamptz '2026-09-20 12:00:00+00'"
ZONES = "['UTC', 'Europe/Paris', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe']"
#: Readings of a post in its first three weeks: 24 two-hour slots, then six-hour slots.
READINGS = 104
LATE = "late"


@dataclass(frozen=True)
class Size:
    """Posts in all, accounts, and readings of the second load, a tenth of them late."""

    posts: int
    accounts: int
    arriving: int

    @property
    def hours_ahead(self) -> int:
        """How far after END readings go, so that there are as many newest ones as shall arrive.

        Posts of the last 24 of 365 days are read, most of them every six hours; a few grow too old.
        """
        return 6 * math.ceil(self.arriving / (self.posts * 20 / 365))


def generate(path: Path, size: Size) -> None:
    """A warehouse whose raw tables hold the history; the second load waits in schema `waiting`."""
    RawWarehouse(path)
    with duckdb.connect(path) as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        _control(connection, size)
        _posts(connection, size)
        for platform in ("linkedin", "twitter"):
            _readings(connection, platform, size.hours_ahead)
        _hold_back(connection, size.arriving)
        connection.execute("drop table posts")


def land_the_rest(path: Path) -> int:
    """Land what waits, as one load of its own, as landing writes; how many readings it is.

    Some are of posts that are new themselves.
    """
    rows = 0
    with working_copy(path, path.with_name("landing")) as copy, duckdb.connect(copy) as connection:
        for platform in ("linkedin", "twitter"):
            table = f"{platform}_snapshots"
            connection.execute(
                f"insert into raw.{table} by name"
                f" select * replace ('1800000000.0' as _dlt_load_id) from waiting.{table}"
            )
            (found,) = connection.execute(f"select count(*) from waiting.{table}").fetchall()
            rows += found[0]
            connection.execute(
                f"insert into raw.{platform}_posts"
                f" select * replace ('1800000000.0' as _dlt_load_id) from waiting.{platform}_posts"
            )
        connection.execute("insert into raw.control_tracked_posts from waiting.tracked_posts")
        connection.execute("drop schema waiting cascade")
    return rows


def _control(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    landed = "timestamptz '2025-01-01' as first_landed_at, '1' as _dlt_load_id, uuid()::varchar"
    connection.execute(
        f"create temp table chosen as select n, md5('account' || n)::uuid::varchar as account_id,"
        f" ['linkedin', 'twitter'][1 + n % 2] as platform, ['page', 'profile'][1 + n % 2] as kind,"
        f" {ZONES}[1 + n % 5] as timezone from range({size.accounts}) as t(n)"
    )
    for statement in (
        "insert into raw.control_accounts by name select account_id, platform,"
        " kind as account_kind, 'id' || n as platform_account_id, 'h' || n as handle,"
        f" 'h' || n as display_name, timezone, true as is_proven, {landed} as _dlt_id from chosen",
        f"insert into raw.control_users by name select 'user-' || n as user_key,"
        f" {ZONES}[1 + n % 5] as timezone, {landed} as _dlt_id from chosen where n < 50",
        "insert into raw.control_account_members by name select account_id,"
        f" 'user-' || n % 50 as user_key, 'owner' as role, {landed} as _dlt_id from chosen",
        "insert into raw.control_connections by name select 'c' || n as connection_id, account_id,"
        " platform, 'active' as state, timestamptz '2025-09-01' as connected_at,"
        f" {END} as last_success_at, '' as scopes, {landed} as _dlt_id from chosen",
    ):
        connection.execute(statement)


def _posts(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    connection.execute(
        f"""
        create table posts as
        select
            t.n, md5('post' || t.n)::uuid::varchar as post_id, account_id, platform,
            'p' || t.n as platform_post_id,
            {END} - (hash(t.n) % (365 * 86400))::integer * interval 1 second as published_at
        from range({size.posts}) as t(n)
        inner join chosen on chosen.n = t.n % {size.accounts}
        """
    )
    for platform in ("linkedin", "twitter"):
        connection.execute(
            f"insert into raw.{platform}_posts by name select post_id, account_id,"
            " platform_post_id, published_at, 'post' as post_type, 'text' as text,"
            " 'https://example.org' as url, published_at as fetched_at,"
            " published_at as first_landed_at, '1' as _dlt_load_id, platform_post_id as _dlt_id"
            f" from posts where platform = '{platform}'"
        )
    connection.execute(
        "insert into raw.control_tracked_posts by name select post_id, account_id, platform,"
        " platform_post_id, published_at, 'active' as state, published_at as registered_at,"
        " published_at as first_landed_at, '1' as _dlt_load_id, post_id as _dlt_id from posts"
    )


def _readings(connection: duckdb.DuckDBPyConnection, platform: str, hours_ahead: int) -> None:
    names = [
        name
        for name, kind in TABLES[f"{platform}_snapshots"].items()
        if kind == "BIGINT" and name != "impression_count"
    ]
    counters = ", ".join(
        f"(reading * (1 + hash(post_id) % {number + 7})) // {number + 2} as {name}"
        for number, name in enumerate(names)
    )
    connection.execute(
        f"""
        insert into raw.{platform}_snapshots by name
        with slots as (
            select *, unnest(list_concat(
                generate_series(
                    time_bucket(interval 2 hour, published_at),
                    published_at + interval 48 hour - interval 1 second, interval 2 hour
                ),
                generate_series(
                    time_bucket(interval 6 hour, published_at + interval 194399 second),
                    published_at + interval 24 day, interval 6 hour
                )
            )[1:{READINGS}]) as slot_start
            from posts
            where platform = '{platform}'
        ),
        readings as (
            select *, row_number() over (partition by post_id order by slot_start) as reading
            from slots
            where slot_start < {END} + interval {hours_ahead} hour
        )
        select
            md5(post_id || slot_start)::uuid::varchar as snapshot_id, post_id, account_id,
            platform_post_id, published_at, slot_start,
            greatest(slot_start, published_at) + interval 5 minute as collected_at,
            reading * (20 + hash(post_id) % 400) as impression_count, {counters},
            slot_start + interval 10 minute as first_landed_at,
            strftime(slot_start, '17%y%m%d00.0') as _dlt_load_id,
            platform_post_id || '-' || reading as _dlt_id
        from readings
        """
    )


def _hold_back(connection: duckdb.DuckDBPyConnection, arriving: int) -> None:
    """The newest posts and readings, and some scattered ones, wait for the second load."""
    connection.execute("create schema waiting")
    new = f"post_id in (select post_id from posts where published_at >= {END} - interval 6 hour)"
    for table, waiting in (
        ("control_tracked_posts", "tracked_posts"),
        ("linkedin_posts", "linkedin_posts"),
        ("twitter_posts", "twitter_posts"),
    ):
        connection.execute(f"create table waiting.{waiting} as from raw.{table} where {new}")
        connection.execute(f"delete from raw.{table} where {new}")
    for platform in ("linkedin", "twitter"):
        table = f"raw.{platform}_snapshots"
        for name, condition, rows in (
            ("newest", f"(slot_start >= {END} or {new})", arriving * 9 // 20),
            (
                "late",
                f"slot_start < {END} and not {new} and hash(_dlt_id) % 7 = 0",
                arriving // 20,
            ),
        ):
            connection.execute(
                f"create table waiting.{platform}_{name} as select * from {table}"
                f" where {condition} order by not {new}, hash(_dlt_id) limit {rows}"
            )
        connection.execute(f"delete from {table} where slot_start >= {END} or {new}")
        connection.execute(
            f"delete from {table} where _dlt_id in (select _dlt_id from waiting.{platform}_late)"
        )
        connection.execute(
            f"create table waiting.{platform}_snapshots as"
            f" from waiting.{platform}_newest union all from waiting.{platform}_late"
        )
