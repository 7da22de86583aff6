"""The same number on every endpoint and in every mart: random histories through the real models."""

import importlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Api, House
from published_marts import METRICS, AccountFact

from execution.analytics.aggregations import Dbt
from execution.analytics.publish import publish
from execution.control.settings import Settings
from execution.control.store import open_store
from ingest.clock import SystemClock

WINDOWS = ["24h", "7d", "30d", "90d"]
#: Days of the histories, and the one among them on which a zone's clocks change: at midnight, by
#: half an hour, on a quarter of an hour; never in the zone of three quarters.
FIRST_DAY, LAST_DAY = date(2026, 2, 10), date(2026, 4, 7)
CHANGES_OF_CLOCK = {
    "America/Havana": date(2026, 3, 8),
    "America/St_Johns": date(2026, 3, 8),
    "Europe/Paris": date(2026, 3, 29),
    "Australia/Lord_Howe": date(2026, 4, 5),
    "Pacific/Chatham": date(2026, 4, 5),
    "Asia/Kathmandu": date(2026, 3, 15),
}


@dataclass
class Built:
    """Random histories, built by dbt, published, and served."""

    api: Api
    marts: duckdb.DuckDBPyConnection

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        found = self.marts.execute(query, list(values))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("built")
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=folder / "data",
        vault_key_file=folder / "keys.json",
        api_requests_per_minute=100_000,
    )
    settings.data_dir.mkdir()
    store = open_store(settings)
    _land_histories(settings.warehouse)
    dbt = Dbt(settings.data_dir)
    publication = publish(settings, dbt, dbt.build(), SystemClock())
    marts = duckdb.connect()
    marts.execute("set TimeZone = 'UTC'")
    marts.execute(f"attach '{publication.path}' as marts (read_only)")
    marts.execute("use marts")
    house = House(settings, store)
    accounts = [
        AccountFact(str(account_id), platform, kind, zone, known_id=account_id)
        for account_id, platform, kind, zone in marts.execute(
            "select account_id, platform, account_kind, timezone from accounts"
        ).fetchall()
    ]
    yield Built(house.client(house.user("ann@example.org", list(accounts))), marts)
    marts.close()
    store.close()


def _land_histories(path: Path) -> None:
    """The histories that the warehouse's own tests are made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1]))
        histories = importlib.import_module("warehouse.histories")
        raw_warehouse = importlib.import_module("warehouse.raw_warehouse")
    warehouse = raw_warehouse.RawWarehouse(path)
    made = histories.generate(warehouse, seed=20261122, accounts=12)
    histories.land(warehouse, made.events)
    warehouse.land()


def decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(repr(number))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def added(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def test_the_histories_are_worth_comparing(built: Built) -> None:
    (facts,) = built.rows(
        """
        select count(distinct timezone) as zones, count(distinct platform) as platforms,
            count(distinct change_impressions_state) as states
        from window_metrics
        """
    )
    assert facts["zones"] >= 4
    assert facts["platforms"] == 2
    assert facts["states"] >= 2


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_of_an_account_is_that_of_window_metrics(built: Built, name: str) -> None:
    rows = built.rows("select * from window_metrics where window_name = ?", name)
    assert rows
    for row in rows:
        query = {"window": name, "tz": row["timezone"], "accounts": str(row["account_id"])}
        answer = built.api.get(f"/api/analytics/platform/{row['platform']}", **query)

        assert instant(answer["window"]["start"]) == row["window_start"]
        assert instant(answer["window"]["end"]) == row["window_end"]
        assert instant(answer["previous"]["start"]) == row["previous_start"]
        assert instant(answer["previous"]["end"]) == row["previous_end"]

        shown = {metric["metric"]: metric for metric in answer["metrics"]}
        for metric in METRICS:
            assert shown[metric]["value"] == row[f"new_{metric}"], metric
            assert shown[metric]["observed"] == row[f"observed_{metric}"], metric
            assert shown[metric]["previous_observed"] == row[f"previous_observed_{metric}"], metric
        for metric in ("impressions", "engagements"):
            card = answer["cards"][metric]
            assert card["value"] == row[f"new_{metric}"]
            assert card["change"]["state"] == row[f"change_{metric}_state"]

        rate = answer["cards"]["engagement_rate"]
        assert decimal(rate["value"]) == row["engagement_rate"]
        assert decimal(rate["previous"]) == row["previous_engagement_rate"]

        coverage = answer["coverage"]
        assert (coverage["due_slots"], coverage["filled_slots"]) == (
            row["due_slots"],
            row["filled_slots"],
        )
        assert decimal(coverage["coverage"]) == row["coverage"]
        assert decimal(coverage["previous_coverage"]) == row["previous_coverage"]

        (compared,) = answer["comparison"]
        assert compared["active_posts"] == row["active_posts"]
        assert compared["posts_published"] == row["posts_published"]


@pytest.mark.parametrize("name", WINDOWS[1:])
def test_posts_published_in_a_window_are_those_of_published_window_metrics(
    built: Built, name: str
) -> None:
    rows = built.rows("select * from published_window_metrics where window_name = ?", name)
    assert any(row["compared_posts"] for row in rows)
    # The histories are shorter than the 90 days before 90 days.
    assert any(row["previous_compared_posts"] for row in rows) == (name != "90d")
    for row in rows:
        query = {"window": name, "tz": row["timezone"], "accounts": str(row["account_id"])}
        answer = built.api.get(
            f"/api/analytics/platform/{row['platform']}", lens="published", **query
        )
        assert answer["maturity"] == {
            "age": {24: "24h", 72: "72h", 168: "7d"}[row["age_hours"]],
            "posts_published": row["posts_published"],
            "counted": row["compared_posts"],
            "too_young": row["too_young_posts"],
            "unknown": row["unrecorded_posts"],
            "previous_counted": row["previous_compared_posts"],
        }
        shown = {metric["metric"]: metric for metric in answer["metrics"]}
        (line,) = answer["trend"]["series"]
        for metric in METRICS:
            assert shown[metric]["value"] == row[metric], metric
            assert shown[metric]["previous_observed"] == row[f"previous_{metric}"], metric
            assert added([point[metric] for point in line["points"]]) == row[metric], metric
        for metric in ("impressions", "engagements"):
            assert answer["cards"][metric]["change"]["state"] == row[f"change_{metric}_state"]
        rate = answer["cards"]["engagement_rate"]
        assert decimal(rate["value"]) == row["engagement_rate"]
        assert decimal(rate["previous"]) == row["previous_engagement_rate"]
        gained = built.api.get(f"/api/analytics/platform/{row['platform']}", **query)
        assert answer["coverage"] == gained["coverage"]
        assert gained["maturity"] is None


@pytest.mark.parametrize("name", WINDOWS)
def test_every_endpoint_shows_the_same_window(built: Built, name: str) -> None:
    # All accounts at once, which end at one moment, in a zone that is none of theirs.
    query = {"window": name, "tz": "Asia/Kathmandu"}
    overview = built.api.get("/api/analytics/overview", **query)
    series = {line["platform"]: line["points"] for line in overview["trend"]["series"]}
    assert set(series) == {"linkedin", "twitter"}
    for metric in ("impressions", "engagements", "likes"):
        whole = []
        for platform, points in series.items():
            answer = built.api.get(f"/api/analytics/platform/{platform}", **query)
            assert answer["window"] == overview["window"]
            (shown,) = [row for row in answer["metrics"] if row["metric"] == metric]
            assert shown["value"] == added([point[metric] for point in points])
            listed = built.api.get("/api/analytics/posts", **query, platform=platform, limit="200")
            assert listed["next_offset"] is None
            assert shown["value"] == added([post["gained"][metric] for post in listed["posts"]])
            whole.append(shown["value"])
        if metric != "likes":
            assert overview["cards"][metric]["value"] == added(whole)


def test_a_trend_of_an_accounts_own_days_is_daily_metrics(built: Built) -> None:
    first, last = date(2026, 2, 10), date(2026, 4, 8)
    query = {"window": "custom", "from": first.isoformat(), "to": last.isoformat()}
    for account in built.rows("select account_id, timezone from accounts"):
        days = {
            row["day"]: row
            for row in built.rows(
                "select * from daily_metrics where account_id = ?", account["account_id"]
            )
        }
        answer = built.api.overview(
            **query, tz=account["timezone"], accounts=str(account["account_id"])
        )
        (line,) = answer["trend"]["series"]
        for bucket, point in zip(answer["trend"]["buckets"], line["points"], strict=True):
            row = days.get(date.fromisoformat(bucket["day"]), {})
            for metric in METRICS:
                assert point[metric] == row.get(f"new_{metric}"), (bucket["day"], metric)


@pytest.mark.parametrize("zone", CHANGES_OF_CLOCK)
def test_random_custom_windows_are_the_sum_of_their_increments(built: Built, zone: str) -> None:
    pick = random.Random(zone)
    change = CHANGES_OF_CLOCK[zone]
    windows = [(change, change), (FIRST_DAY, change), (change, LAST_DAY)]
    for _ in range(3):
        windows.append((drawn_day(pick, FIRST_DAY, change), drawn_day(pick, change, LAST_DAY)))
    known: Counter[str] = Counter()
    for first, last in windows:
        query = {"window": "custom", "tz": zone, "from": first.isoformat(), "to": last.isoformat()}
        for platform in ("linkedin", "twitter"):
            answer = built.api.get(f"/api/analytics/platform/{platform}", **query)
            shown = {row["metric"]: row for row in answer["metrics"]}
            expected = sums_of_increments(built, platform, zone, first, last)
            for metric in METRICS:
                found = shown[metric]["value"], shown[metric]["observed"]
                assert found == expected[metric], (metric, platform, first, last)
                known[metric] += None not in found
    assert known["impressions"] > len(windows), "most windows compare numbers"
    assert all(known[metric] for metric in METRICS), known


def drawn_day(pick: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=pick.randrange((last - first).days + 1))


def sums_of_increments(
    built: Built, platform: str, zone: str, first: date, last: date
) -> dict[str, tuple[int | None, int | None]]:
    """Metric -> what was gained on these local days, and what of it was observed."""
    columns = ", ".join(
        f"sum(new_{metric})::bigint as {metric},"
        f" sum(new_{metric}) filter (basis = 'observed')::bigint as observed_{metric}"
        for metric in METRICS
    )
    (row,) = built.rows(
        f"select {columns} from post_increments"
        " where platform = ? and timezone(?, activity_at)::date between ? and ?",
        *(platform, zone, first, last),
    )
    return {metric: (row[metric], row[f"observed_{metric}"]) for metric in METRICS}


@pytest.mark.parametrize("sort", ["engagement_score", "impressions"])
def test_posts_show_the_scores_of_post_scores(built: Built, sort: str) -> None:
    answer = built.api.get("/api/analytics/posts", window="90d", sort=sort, limit="200")
    scores = {
        str(row["post_id"]): row
        for row in built.rows("select * from post_scores where is_current_version")
    }
    assert answer["posts"]
    for post in answer["posts"]:
        row = scores[post["post_id"]]
        assert decimal(post["engagement_score"]) == row["engagement_score"]
        assert decimal(post["engagement_rate"]) == row["engagement_rate"]
        for metric in METRICS:
            assert post["counters"][metric] == row[metric]


def test_a_posts_timeline_ends_at_its_last_known_counters(built: Built) -> None:
    listed = built.api.get("/api/analytics/posts", window="90d", limit="200")["posts"]
    for post in listed[:40]:
        answer = built.api.get(f"/api/analytics/posts/{post['post_id']}")
        for metric in METRICS:
            gained = added([point["new"][metric] for point in answer["timeline"]])
            assert gained == post["counters"][metric]
        parts = added([part["value"] for part in answer["breakdown"]])
        assert parts == post["counters"]["engagements"]


def test_what_the_models_publish_is_what_the_api_was_tested_on(built: Built) -> None:
    """The hand-made publications of the other tests have the columns of the real ones."""
    published_marts = importlib.import_module("published_marts")
    for table in ("post_increments", "quarter_hour_metrics", "post_scores", "posts", "accounts"):
        real = {row["column_name"] for row in built.rows(f"describe {table}")}
        assert real == set(published_marts.contracts()[table]), table


def test_the_publication_tells_its_newest_data(built: Built) -> None:
    (row,) = built.rows("select * from publication")
    answer = built.api.get("/api/health")
    assert answer["generation"] == row["generation"]
    assert instant(answer["data_as_of"]) == row["data_as_of"].astimezone(UTC)
