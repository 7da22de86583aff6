"""A warehouse whose raw tables a test fills by hand, and dbt run on it in another process."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from ingest import identity, slots
from tests.warehouse.started_dbt import run_dbt

PROJECT = Path(__file__).resolve().parents[2]

#: A user of the control store, not the pseudonymous key of the marts.
USER = UUID("00000000-0000-4000-8000-000000000001")

_TIMES = ("published_at", "slot_start", "collected_at")
_TEXT, _TIME, _COUNT, _BOOL = "VARCHAR", "TIMESTAMPTZ", "BIGINT", "BOOLEAN"

_POST = {
    "post_id": _TEXT,
    "account_id": _TEXT,
    "platform_post_id": _TEXT,
    "published_at": _TIME,
    "post_type": _TEXT,
    "text": _TEXT,
    "url": _TEXT,
    "fetched_at": _TIME,
}
_SNAPSHOT = {
    "snapshot_id": _TEXT,
    "post_id": _TEXT,
    "account_id": _TEXT,
    "platform_post_id": _TEXT,
    **dict.fromkeys(_TIMES, _TIME),
}
_ACCOUNT = {
    "account_id": _TEXT,
    "platform_account_id": _TEXT,
    "account_kind": _TEXT,
    "slot_start": _TIME,
    "collected_at": _TIME,
    "handle": _TEXT,
    "display_name": _TEXT,
    "followers_count": _COUNT,
}
_TWITTER_COUNTERS = (
    "impression_count",
    "like_count",
    "reply_count",
    "retweet_count",
    "quote_count",
    "bookmark_count",
    "url_link_clicks",
    "user_profile_clicks",
)
_LINKEDIN_COUNTERS = (
    "impression_count",
    "unique_impressions_count",
    "click_count",
    "like_count",
    "comment_count",
    "share_count",
    "save_count",
)
_EXPORT_COUNTERS = (
    "impressions",
    "engagements",
    "retweets",
    "replies",
    "likes",
    "user_profile_clicks",
    "url_clicks",
    "hashtag_clicks",
    "detail_expands",
    "permalink_clicks",
    "app_opens",
    "app_installs",
    "follows",
    "email_tweet",
    "dial_phone",
    "media_views",
    "media_engagements",
)

#: Table -> column -> type: what landing makes, dlt's own columns aside.
TABLES: Mapping[str, Mapping[str, str]] = {
    "twitter_posts": _POST,
    "linkedin_posts": _POST,
    "twitter_snapshots": _SNAPSHOT | dict.fromkeys(_TWITTER_COUNTERS, _COUNT),
    "linkedin_snapshots": _SNAPSHOT | dict.fromkeys(_LINKEDIN_COUNTERS, _COUNT),
    "twitter_accounts": _ACCOUNT,
    "linkedin_accounts": _ACCOUNT,
    "twitter_export_posts": {
        **_SNAPSHOT,
        "collected_basis": _TEXT,
        "file_sha256": _TEXT,
        "row_number": _COUNT,
        "post_type": _TEXT,
        "text": _TEXT,
        "url": _TEXT,
        **dict.fromkeys(_EXPORT_COUNTERS, _COUNT),
        **{f"promoted_{counter}": _COUNT for counter in _EXPORT_COUNTERS},
        "bookmarks": _COUNT,
        "shares": _COUNT,
    },
    "control_users": {"user_key": _TEXT, "timezone": _TEXT, "created_at": _TIME},
    "control_accounts": {
        "account_id": _TEXT,
        "platform": _TEXT,
        "account_kind": _TEXT,
        "platform_account_id": _TEXT,
        "handle": _TEXT,
        "display_name": _TEXT,
        "timezone": _TEXT,
        "is_proven": _BOOL,
        "merged_into": _TEXT,
        "created_at": _TIME,
    },
    "control_account_members": {"account_id": _TEXT, "user_key": _TEXT, "role": _TEXT},
    "control_connections": {
        "connection_id": _TEXT,
        "account_id": _TEXT,
        "platform": _TEXT,
        "state": _TEXT,
        "connected_at": _TIME,
        "expires_at": _TIME,
        "scopes": _TEXT,
        "last_success_at": _TIME,
        "cooldown_until": _TIME,
    },
    "control_tracked_posts": {
        "post_id": _TEXT,
        "account_id": _TEXT,
        "platform": _TEXT,
        "platform_post_id": _TEXT,
        "published_at": _TIME,
        "state": _TEXT,
        "deleted_at": _TIME,
        "registered_at": _TIME,
    },
    "control_imports": {
        "import_id": _TEXT,
        "account_id": _TEXT,
        "file_sha256": _TEXT,
        "format": _TEXT,
        "file_name": _TEXT,
        "rows_read": _COUNT,
        "rows_landed": _COUNT,
        "rows_rejected": _COUNT,
        "period_start": _TIME,
        "period_end": _TIME,
        "imported_at": _TIME,
    },
    "control_flag_reviews": {
        "snapshot_id": _TEXT,
        "metric": _TEXT,
        "status": _TEXT,
        "reviewed_by": _TEXT,
        "reviewed_at": _TIME,
    },
}
_LANDED = {"first_landed_at": _TIME, "_dlt_load_id": _TEXT, "_dlt_id": _TEXT}
_KEYS = {
    "posts": ("platform_post_id",),
    "snapshots": ("platform_post_id", "slot_start"),
    "accounts": ("account_id", "slot_start"),
    "export_posts": ("account_id", "platform_post_id", "file_sha256"),
}
_ARROW = {
    _TEXT: pa.string(),
    _TIME: pa.timestamp("us", "UTC"),
    _COUNT: pa.int64(),
    _BOOL: pa.bool_(),
}
#: Row: column -> value. A raw row carries ids as text, as landing writes them.
Row = dict[str, Any]

#: The product's counter names -> the platform's own.
TWITTER_NAMES = {
    "impressions": "impression_count",
    "likes": "like_count",
    "replies": "reply_count",
    "retweets": "retweet_count",
    "quotes": "quote_count",
    "bookmarks": "bookmark_count",
    "clicks": "url_link_clicks",
}
LINKEDIN_NAMES = {
    "impressions": "impression_count",
    "unique_impressions": "unique_impressions_count",
    "likes": "like_count",
    "comments": "comment_count",
    "shares": "share_count",
    "clicks": "click_count",
    "bookmarks": "save_count",
}
FILE_NAMES = {
    "impressions": "impressions",
    "likes": "likes",
    "replies": "replies",
    "retweets": "retweets",
    "clicks": "url_clicks",
    "bookmarks": "bookmarks",
    "engagements": "engagements",
}


def at(text: str) -> datetime:
    """The UTC instant "2026-03-01 12:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Account:
    account_id: UUID
    platform: str
    kind: str
    timezone: str


@dataclass(frozen=True)
class Post:
    post_id: UUID
    account: Account
    platform_post_id: str
    published_at: datetime


@dataclass
class RawWarehouse:
    """The raw schema of a warehouse. Rows wait in memory until `land` writes them as one load."""

    path: Path
    landed_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    project: Path = PROJECT
    is_new: bool = True
    _waiting: dict[str, list[Row]] = field(default_factory=dict)
    _loads: int = 0

    @classmethod
    def at(cls, path: Path) -> "RawWarehouse":
        """The warehouse that is at `path` already."""
        return cls(path, is_new=False)

    def __post_init__(self) -> None:
        if not self.is_new:
            return
        with duckdb.connect(self.path) as connection:
            connection.execute("create schema raw")
            for table, columns in TABLES.items():
                listed = ", ".join(
                    f'"{name}" {kind}' for name, kind in {**columns, **_LANDED}.items()
                )
                connection.execute(f"create table raw.{table} ({listed})")
            connection.execute(
                "create table raw._dlt_loads (load_id varchar, schema_name varchar,"
                " status bigint, inserted_at timestamptz)"
            )

    # --- what users and connections are -------------------------------------------------------

    def user(self, user_key: str = "user-1", timezone: str = "UTC") -> str:
        self._add(
            "control_users",
            {"user_key": user_key, "timezone": timezone, "created_at": at("2025-01-01")},
        )
        return user_key

    def account(
        self,
        name: str = "ada",
        *,
        platform: str = "twitter",
        kind: str | None = None,
        timezone: str = "UTC",
        connected_at: datetime | None = None,
        last_success_at: datetime | None = None,
        members: Mapping[str, str] | None = None,
        merged_into: UUID | None = None,
        state: str = "active",
        expires_at: datetime | None = None,
    ) -> Account:
        """An account, connected where `connected_at` is given. `members`: user key -> role."""
        kind = kind or {"twitter": "profile", "linkedin": "page"}[platform]
        proven = connected_at is not None
        account_id = (
            identity.account_id(platform, name)
            if proven
            else identity.file_account_id(USER, platform, name)
        )
        self._add(
            "control_accounts",
            {
                "account_id": str(account_id),
                "platform": platform,
                "account_kind": kind,
                "platform_account_id": name if proven else None,
                "handle": name,
                "display_name": name.title(),
                "timezone": timezone,
                "is_proven": proven,
                "merged_into": None if merged_into is None else str(merged_into),
                "created_at": at("2025-01-01"),
            },
        )
        for user_key, role in (members or {}).items():
            self._add(
                "control_account_members",
                {"account_id": str(account_id), "user_key": user_key, "role": role},
            )
        account = Account(account_id, platform, kind, timezone)
        if connected_at is not None:
            self.connection(
                account,
                f"connection-{name}",
                connected_at,
                last_success_at=last_success_at,
                state=state,
                expires_at=expires_at,
            )
        return account

    def connection(
        self,
        account: Account,
        connection_id: str,
        connected_at: datetime,
        *,
        last_success_at: datetime | None = None,
        state: str = "active",
        expires_at: datetime | None = None,
        cooldown_until: datetime | None = None,
    ) -> None:
        """A consent to read an account."""
        self._add(
            "control_connections",
            {
                "connection_id": connection_id,
                "account_id": str(account.account_id),
                "platform": account.platform,
                "state": state,
                "connected_at": connected_at,
                "expires_at": expires_at,
                "scopes": "",
                "last_success_at": last_success_at,
                "cooldown_until": cooldown_until,
            },
        )

    def imported(self, account: Account, imported_at: datetime, rows_rejected: int) -> None:
        """A file of an account, as the control store books it."""
        self._add(
            "control_imports",
            {
                "import_id": f"import-{imported_at:%Y-%m-%d}",
                "account_id": str(account.account_id),
                "rows_rejected": rows_rejected,
                "imported_at": imported_at,
            },
        )

    def succeeded(self, account: Account, moment: datetime) -> None:
        """The latest successful collection of an account."""
        for row in self._waiting.get("control_connections", []):
            if row["account_id"] == str(account.account_id):
                row["last_success_at"] = moment

    # --- what platforms send ------------------------------------------------------------------

    def post(
        self,
        account: Account,
        platform_post_id: str,
        published_at: datetime,
        *,
        post_id: UUID | None = None,
        post_type: str = "post",
        text: str | None = "text",
        url: str | None = "https://example.org/",
        deleted_at: datetime | None = None,
        tracked: bool = True,
    ) -> Post:
        """A post as its platform describes it, and as the control store tracks it."""
        post_id = post_id or identity.post_id(account.account_id, platform_post_id)
        self._add(
            f"{account.platform}_posts",
            {
                "post_id": str(post_id),
                "account_id": str(account.account_id),
                "platform_post_id": platform_post_id,
                "published_at": published_at,
                "post_type": post_type,
                "text": text,
                "url": url,
                "fetched_at": published_at,
            },
        )
        if tracked:
            self._add(
                "control_tracked_posts",
                {
                    "post_id": str(post_id),
                    "account_id": str(account.account_id),
                    "platform": account.platform,
                    "platform_post_id": platform_post_id,
                    "published_at": published_at,
                    "state": "active" if deleted_at is None else "deleted",
                    "deleted_at": deleted_at,
                    "registered_at": published_at,
                },
            )
        return Post(post_id, account, platform_post_id, published_at)

    def snapshot(self, post: Post, collected_at: datetime, **counters: int | None) -> UUID:
        """Counters of a post by the product's names; what is not named was not sent."""
        names = TWITTER_NAMES if post.account.platform == "twitter" else LINKEDIN_NAMES
        row = self._reading(post, collected_at)
        row |= {names[name]: value for name, value in counters.items()}
        self._add(f"{post.account.platform}_snapshots", row)
        return UUID(row["snapshot_id"])

    def export_row(
        self,
        account: Account,
        platform_post_id: str,
        published_at: datetime,
        collected_at: datetime,
        *,
        file: str = "file-1",
        post_id: UUID | None = None,
        collected_basis: str = "assumed",
        **counters: int | None,
    ) -> Post:
        """A row of a downloaded X Analytics file."""
        post_id = post_id or identity.post_id(account.account_id, platform_post_id)
        post = Post(post_id, account, platform_post_id, published_at)
        row = self._reading(post, collected_at)
        row |= {FILE_NAMES[name]: value for name, value in counters.items()}
        row |= {
            "file_sha256": file,
            "row_number": 1,
            "collected_basis": collected_basis,
            "post_type": "post",
            "text": "text of the file",
            "url": "https://example.org/file",
        }
        self._add("twitter_export_posts", row)
        return post

    def audience(self, account: Account, collected_at: datetime, followers: int | None) -> None:
        """The account's followers at one reading."""
        self._add(
            f"{account.platform}_accounts",
            {
                "account_id": str(account.account_id),
                "platform_account_id": "1",
                "account_kind": account.kind,
                "slot_start": slots.floor_to(collected_at, timedelta(hours=6)),
                "collected_at": collected_at,
                "handle": "ada_new",
                "display_name": "Ada New",
                "followers_count": followers,
            },
        )

    def review(self, snapshot_id: UUID, metric: str, status: str) -> None:
        """What a person said of a flag."""
        self._add(
            "control_flag_reviews",
            {
                "snapshot_id": str(snapshot_id),
                "metric": metric,
                "status": status,
                "reviewed_by": "user-1",
                "reviewed_at": at("2026-06-01"),
            },
        )

    @staticmethod
    def _reading(post: Post, collected_at: datetime) -> Row:
        slot = slots.slot_start(collected_at, post.published_at)
        return {
            "snapshot_id": str(identity.snapshot_id(post.post_id, slot)),
            "post_id": str(post.post_id),
            "account_id": str(post.account.account_id),
            "platform_post_id": post.platform_post_id,
            "published_at": post.published_at,
            "slot_start": slot,
            "collected_at": collected_at,
        }

    # --- landing ------------------------------------------------------------------------------

    def _add(self, table: str, row: Row) -> None:
        self._waiting.setdefault(table, []).append(row)

    def land(self) -> str:
        """Write the waiting rows as one load and return its id.

        A row replaces an older one of its key; control tables get the new rows added.
        """
        self._loads += 1
        load_id = f"{1_700_000_000 + self._loads}.{self._loads:06d}"
        with duckdb.connect(self.path) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for table, rows in self._waiting.items():
                self._write(connection, table, rows, load_id)
            connection.execute(
                "insert into raw._dlt_loads values (?, 'nexus', 0, ?)", [load_id, self.landed_at]
            )
        self._waiting.clear()
        return load_id

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        rows: list[Row],
        load_id: str,
    ) -> None:
        columns = TABLES[table]
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
        landed = pa.Table.from_pylist(
            [{name: row.get(name) for name in columns} for row in rows], schema=schema
        )
        connection.register("landed", landed)
        platform, _, kind = table.partition("_")
        stamps = "?::timestamptz, ?, cast(uuid() as varchar)"
        values = [self.landed_at, load_id]
        if platform == "control":
            connection.execute(f"insert into raw.{table} select *, {stamps} from landed", values)
            return
        key = ", ".join(_KEYS[kind])
        taken_at = "collected_at" if "collected_at" in columns else "fetched_at"
        connection.execute(
            f"""
            create or replace temp table arriving as
            select landed.* from landed
            left join (select {key}, {taken_at} as known_at from raw.{table}) as known using ({key})
            where known_at is null or known_at <= {taken_at}
            qualify row_number() over (partition by {key} order by {taken_at} desc) = 1
            """
        )
        connection.execute(
            f"""
            create or replace temp table replaced as
            select {key}, min(first_landed_at) as first_landed_at from raw.{table}
            where ({key}) in (select ({key}) from arriving) group by {key}
            """
        )
        connection.execute(
            f"delete from raw.{table} where ({key}) in (select ({key}) from arriving)"
        )
        connection.execute(
            f"""
            insert into raw.{table}
            select arriving.*, coalesce(replaced.first_landed_at, ?::timestamptz), ?,
                cast(uuid() as varchar)
            from arriving left join replaced using ({key})
            """,
            values,
        )

    def clear_control(self, table: str) -> None:
        """Empty a control table, as its full replacement does before the new rows come."""
        with duckdb.connect(self.path) as connection:
            connection.execute(f"delete from raw.{table}")

    def execute(self, statement: str, *values: object) -> None:
        """Change the warehouse by hand."""
        with duckdb.connect(self.path) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(statement, list(values))

    def archive(self, before: datetime) -> int:
        """Move readings to cold storage, as the archive does: rows, and how many of them.

        What was collected before `before`, the last three of each post aside.
        """
        moved = 0
        with duckdb.connect(self.path) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for table in ("linkedin_snapshots", "twitter_snapshots"):
                cold = self.path.parent / f"{table}.parquet"
                connection.execute(
                    f"""
                    create or replace temp table leaving as
                    select hot.* from raw.{table} as hot
                    inner join (
                        select post_id, list_min(max(slot_start, 3)) as first_kept
                        from (select distinct post_id, slot_start from raw.{table})
                        group by post_id
                    ) as kept using (post_id)
                    where hot.collected_at < ? and hot.slot_start < kept.first_kept
                    """,
                    [before],
                )
                assert not cold.exists(), "one archive a warehouse is enough here"
                connection.execute(f"copy leaving to '{cold}' (format parquet)")
                connection.execute("create schema if not exists raw_cold")
                connection.execute(
                    f"create or replace view raw_cold.{table} as from read_parquet('{cold}')"
                )
                gone = "(post_id, slot_start) in (select (post_id::uuid, slot_start) from leaving)"
                connection.execute(
                    f"delete from marts.analytics_snapshots where source = 'api' and {gone}"
                )
                connection.execute(
                    f"delete from raw.{table} where _dlt_id in (select _dlt_id from leaving)"
                )
                (rows,) = connection.execute("select count(*) from leaving").fetchall()
                moved += rows[0]
        return moved

    def insert(self, statement: str, given: pa.Table) -> None:
        """Change the warehouse by a statement that reads the table `given`."""
        with duckdb.connect(self.path) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.register("given", given)
            connection.execute(statement)

    # --- dbt ----------------------------------------------------------------------------------

    def dbt(self, *arguments: str, check: bool = True, project: Path | None = None) -> "DbtRun":
        """Run dbt on this warehouse; with `check`, failing models and tests fail the test."""
        target = self.path.parent / "target"
        project = project or self.project
        folders = ("--project-dir", str(project), "--profiles-dir", str(project / "dbt_project"))
        # The same settings for every warehouse, so that one need not read all code anew for each.
        environment = os.environ | {
            "NEXUS_WAREHOUSE": self.path.name,
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(self.path.parent / "logs"),
            "DBT_LOG_LEVEL_FILE": "none",
        }
        returncode, output = run_dbt([*arguments, *folders], self.path.parent, environment)
        run = DbtRun(returncode, output, target)
        if check:
            assert returncode == 0, run.output
        return run

    def build(self, *arguments: str, check: bool = True) -> "DbtRun":
        """Land what waits, build everything and test the data."""
        if self._waiting:
            self.land()
        return self.dbt("build", "--exclude-resource-types", "unit_test", *arguments, check=check)

    def run(self, *arguments: str) -> "DbtRun":
        """Land what waits and build everything, without testing the data."""
        if self._waiting:
            self.land()
        return self.dbt("build", "--exclude-resource-types", "test", "unit_test", *arguments)

    def rows(self, query: str, *values: object) -> list[Row]:
        """Rows of a query on the warehouse, by column name, instants in UTC."""
        with duckdb.connect(self.path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            cursor = connection.execute(query, list(values))
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, query: str, *values: object) -> Row:
        """The only row of a query."""
        (row,) = self.rows(query, *values)
        return row


def copied_project(folder: Path) -> Path:
    """The dbt project apart from the repository, for a test that changes it."""
    project = folder / "project"
    for name in ("models", "dbt_project"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "dbt_project.yml", project)
    return project


@dataclass(frozen=True)
class DbtRun:
    """How a dbt command ended."""

    returncode: int
    output: str
    target: Path

    def statuses(self) -> dict[str, str]:
        """Name of each model and test that ran -> pass, success, warn, fail, error or skipped."""
        results = json.loads((self.target / "run_results.json").read_text())["results"]
        return {
            result["unique_id"].split(".")[2]
            if not result["unique_id"].startswith("unit_test")
            else result["unique_id"].split(".")[-1]: result["status"]
            for result in results
        }

    def freshness(self) -> dict[str, str]:
        """Name of each source table that was asked -> pass, warn, error or runtime error."""
        results = json.loads((self.target / "sources.json").read_text())["results"]
        return {result["unique_id"].split(".")[-1]: result["status"] for result in results}

    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.target / "manifest.json").read_text())
        return content
