"""X Analytics content exports (17 columns): days become moments, columns the legacy names."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from x_exports import IMPORTED_AT, save

from ingest.files import Export, FileError, read_export

FIXTURE = (
    Path(__file__).parents[2] / "fixtures/files/account_analytics_content_2026-02-01_2026-02-27.csv"
)
HEADER = FIXTURE.read_text().splitlines()[0]
LAST_ROW = FIXTURE.read_text().splitlines()[-1]


def read(folder: Path, text: str) -> Export:
    return read_export(save(folder, text), imported_at=IMPORTED_AT)


def test_an_export_is_read_as_it_was_written() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert (export.format, export.handle) == ("x_content", "nexus_demo")
    assert (export.rows_read, export.rejected) == (3, ())
    first, second, _ = export.posts
    assert first.text == (
        "One file, every number & where it comes from.\n\nhttps://t.co/f6g7h8i9j0"
    )
    assert first.url == f"https://x.com/nexus_demo/status/{first.platform_post_id}"
    assert first.counters == {
        "impressions": 5120,
        "likes": 64,
        "engagements": 188,
        "bookmarks": 21,
        "shares": 3,
        "follows": 2,
        "replies": 6,
        "retweets": 11,
        "user_profile_clicks": 25,
        "detail_expands": 70,
        "url_clicks": 9,
        "hashtag_clicks": 1,
        "permalink_clicks": 0,
    }
    assert (first.post_type, second.post_type) == ("post", "reply")


def test_the_moment_of_publication_is_read_from_the_id() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert [post.published_at for post in export.posts] == [
        datetime(2026, 2, 27, 9, 30, 15, 250_000, tzinfo=UTC),
        # The row says Feb 15: the author's day, east of Greenwich.
        datetime(2026, 2, 14, 23, 45, 1, tzinfo=UTC),
        datetime(2026, 2, 1, 0, 0, 3, tzinfo=UTC),
    ]


def test_the_last_day_in_the_name_belongs_to_the_period() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert export.period_start == datetime(2026, 2, 1, tzinfo=UTC)
    assert export.period_end == export.collected_at == datetime(2026, 2, 28, tzinfo=UTC)


@pytest.mark.parametrize("period", ["2026-02-30_2026-03-01", "2026-03-01_2026-02-01", "2026"])
def test_a_name_without_a_sensible_period_tells_nothing(tmp_path: Path, period: str) -> None:
    path = save(tmp_path, FIXTURE.read_bytes(), f"account_analytics_content_{period}.csv")

    assert read_export(path, imported_at=IMPORTED_AT).period_end is None


def test_the_layout_of_early_2025_is_read(tmp_path: Path) -> None:
    header = HEADER
    for new, old in {
        "Post Link": "Link",
        "Shares": "Share",
        "Detail Expands": "Detail expands",
        "URL Clicks": "Url clicks",
    }.items():
        header = header.replace(new, old)
    row = LAST_ROW.replace('"Sun, Feb 1, 2026"', "Sun Feb 1 2026").replace(",77,", ",78,")

    export = read(tmp_path, f"{header}\r\n{row}\r\n")

    (post,) = export.posts
    assert (post.counters["impressions"], post.counters["shares"]) == (78, 0)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2026-02-01", "'2026-02-01' is not a day"),
        ("Sun, Feb 31, 2026", "'Sun, Feb 31, 2026' is not a day"),
        ("dom, fev 1, 2026", "'dom, fev 1, 2026' is not a day"),
    ],
)
def test_a_day_that_is_none_is_rejected(tmp_path: Path, written: str, reason: str) -> None:
    export = read(tmp_path, f"{HEADER}\n{LAST_ROW.replace('Sun, Feb 1, 2026', written)}\n")

    assert list(export.problems()) == [f"export.csv, row 2, Date: {reason}"]


def test_a_day_that_is_not_the_posts_is_rejected(tmp_path: Path) -> None:
    export = read(tmp_path, f"{HEADER}\n{LAST_ROW.replace('Feb 1,', 'Feb 4,')}\n")

    (line,) = export.problems()
    assert line.startswith("export.csv, row 2, Date: 'Sun, Feb 4, 2026' is not the day of post ")


def test_a_header_in_another_language_is_refused(tmp_path: Path) -> None:
    header = "ID do post,Data,Texto,Link,Impressões,Curtidas,Engajamentos"

    with pytest.raises(FileError, match="is not an export file that this version reads"):
        read(tmp_path, f"{header}\n1,2,3,4,5,6,7\n")
