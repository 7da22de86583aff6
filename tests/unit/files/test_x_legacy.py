"""X Analytics exports of the legacy layout: what each row becomes, and how bad files end."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from x_exports import FIXTURE, HEADER, IMPORTED_AT, csv_text, row, save

from ingest import identity
from ingest.files import EXPORT_ROWS, Export, ExportPostRow, FileError, read_export
from ingest.files import __name__ as files_module
from ingest.platforms.base import MOST_COUNT
from ingest.slots import slot_start

REAL_FILES = Path(__file__).parents[4] / "shared" / "data" / "x-analytics-exports"
ACCOUNT = UUID(int=7)


def read(folder: Path, *rows: list[str], name: str = "export.csv") -> Export:
    return read_export(save(folder, csv_text(rows), name), imported_at=IMPORTED_AT)


def refusal(path: Path, *, handle: str | None = None) -> str:
    with pytest.raises(FileError) as refused:
        read_export(path, imported_at=IMPORTED_AT, handle=handle)
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith(f"{path.name}: ")
    return message


def mint(platform_post_id: str) -> UUID:
    return identity.post_id(ACCOUNT, platform_post_id)


# --- a good file -----------------------------------------------------------------------------


def test_an_export_is_read_as_it_was_written() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert (export.format, export.platform, export.account_kind) == (
        "x_legacy",
        "twitter",
        "profile",
    )
    assert export.handle == "nexus_demo"
    assert export.sha256 == hashlib.sha256(FIXTURE.read_bytes()).hexdigest()
    assert (export.rows_read, export.rejected) == (4, ())
    first, second, third, last = export.posts
    assert first.platform_post_id == "2017164631864246279"
    assert first.url == "https://twitter.com/nexus_demo/status/2017164631864246279"
    assert first.published_at == datetime(2026, 1, 30, 9, 15, tzinfo=UTC)
    assert first.text == "We shipped it. Notes & thanks:\n\nhttps://t.co/a1b2c3d4e5"
    assert second.text == '@ada_example 5 > 3, and "quotes" survive, too'
    assert third.text == "Größe, 数字, 🚀 #data"
    assert [post.row_number for post in export.posts] == [2, 3, 4, 5]
    assert {name: value for name, value in first.counters.items() if value} == {
        "impressions": 3423,
        "engagements": 120,
        "retweets": 31,
        "replies": 4,
        "likes": 57,
        "user_profile_clicks": 12,
        "url_clicks": 14,
        "hashtag_clicks": 2,
        "detail_expands": 20,
        "follows": 1,
    }
    assert (third.counters["media_views"], third.counters["media_engagements"]) == (212, 9)
    assert last.counters["likes"] == 0
    assert last.counters["promoted_likes"] is None
    assert len(first.counters) == 34


def test_a_text_that_begins_with_a_mention_is_a_reply() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert [post.post_type for post in export.posts] == ["post", "reply", "post", "post"]


@pytest.mark.parametrize("text", [".@ada hello", "@ noon", "mail me@example.org", ""])
def test_a_mention_elsewhere_makes_no_reply(tmp_path: Path, text: str) -> None:
    (post,) = read(tmp_path, row(Tweet_text=text)).posts

    assert post.post_type == "post"
    assert post.text == (text or None)


@pytest.mark.parametrize(
    ("written", "counter"),
    [
        ("3423.0", 3423),
        ("7", 7),
        ("-", None),
        ("", None),
        (" 5 ", 5),
        ("0012", 12),
        ("1.", 1),
        ("-0.0", 0),
        ("+3", 3),
        ("2146435071.00", MOST_COUNT),
    ],
)
def test_a_counter_is_a_whole_number_however_written_or_unknown(
    tmp_path: Path, written: str, counter: int | None
) -> None:
    (post,) = read(tmp_path, row(likes=written)).posts

    assert post.counters["likes"] == counter


def test_engagement_rates_of_the_file_are_not_read(tmp_path: Path) -> None:
    (post,) = read(tmp_path, row(engagement_rate="NaN", promoted_engagement_rate="?")).posts

    assert not any("rate" in name for name in post.counters)


def test_old_files_say_favorites_for_likes(tmp_path: Path) -> None:
    header = [name.replace("likes", "favorites") for name in HEADER]
    text = csv_text([row(likes="12.0", promoted_likes="3.0")], header=header)

    (post,) = read_export(save(tmp_path, text), imported_at=IMPORTED_AT).posts

    assert (post.counters["likes"], post.counters["promoted_likes"]) == (12, 3)


def test_columns_are_found_by_name_in_any_case_and_order(tmp_path: Path) -> None:
    header = [f" {name.upper()} " for name in reversed(HEADER)]
    rows = [list(reversed(row(likes="12.0", url_clicks="5.0")))]

    export = read_export(save(tmp_path, csv_text(rows, header=header)), imported_at=IMPORTED_AT)

    assert export.posts[0].counters["likes"] == 12
    assert export.posts[0].counters["url_clicks"] == 5


def test_a_column_more_changes_nothing(tmp_path: Path) -> None:
    text = csv_text([[*row(), "x"]], header=[*HEADER, "mood"])

    assert len(read_export(save(tmp_path, text), imported_at=IMPORTED_AT).posts) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_mark_and_line_ends_do_not_matter(
    tmp_path: Path, newline: str, mark: str
) -> None:
    rows = [row(1, Tweet_text=f"one{newline}two"), row(2)]
    text = mark + csv_text(rows, newline=newline) + newline * 2

    export = read_export(save(tmp_path, text), imported_at=IMPORTED_AT)

    assert [post.text for post in export.posts] == ["one\ntwo", "Hello"]
    assert export.rejected == ()


def test_a_file_that_a_spreadsheet_saved_without_quotes_is_read(tmp_path: Path) -> None:
    text = csv_text([row(), row(2)]).replace('"', "")

    assert len(read_export(save(tmp_path, text), imported_at=IMPORTED_AT).posts) == 2


def test_times_in_another_zone_become_utc(tmp_path: Path) -> None:
    (post,) = read(tmp_path, row(time="2026-01-05 01:30 +0545")).posts

    assert post.published_at == datetime(2026, 1, 4, 19, 45, tzinfo=UTC)


# --- whose and when --------------------------------------------------------------------------


def test_the_period_in_the_name_ends_before_its_second_date_and_dates_the_counters() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    assert export.period_start == datetime(2026, 1, 1, tzinfo=UTC)
    assert export.period_end == export.collected_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert export.collected_basis == "assumed"


def test_a_period_that_is_not_over_dates_the_counters_to_the_import() -> None:
    imported_at = datetime(2026, 1, 30, 20, tzinfo=UTC)

    export = read_export(FIXTURE, imported_at=imported_at)

    assert (export.collected_at, export.collected_basis) == (imported_at, "assumed")
    assert export.period_end == datetime(2026, 2, 1, tzinfo=UTC)


def test_the_stated_time_of_the_download_wins() -> None:
    as_of = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)

    export = read_export(FIXTURE, imported_at=IMPORTED_AT, as_of=as_of)

    assert (export.collected_at, export.collected_basis) == (as_of, "stated")


def test_a_download_in_the_future_is_refused() -> None:
    with pytest.raises(FileError, match="in the future"):
        read_export(FIXTURE, imported_at=IMPORTED_AT, as_of=IMPORTED_AT + timedelta(minutes=1))


def test_a_name_without_a_period_dates_the_counters_to_the_import(tmp_path: Path) -> None:
    export = read(tmp_path, row(), name="renamed.csv")

    assert (export.period_start, export.period_end) == (None, None)
    assert (export.collected_at, export.collected_basis) == (IMPORTED_AT, "assumed")


@pytest.mark.parametrize(
    ("name", "handle", "period"),
    [
        ("tweet_activity_metrics_a_b_1_20260101_20260201_de.csv", "a_b_1", (1, 2)),
        ("tweet_activity_metrics_nexus_20260101_20260201_en (2).csv", "nexus", (1, 2)),
        ("mine_20260101_20260201_en.csv", None, (1, 2)),
        ("tweet_activity_metrics_nexus_20260201_20260101_en.csv", "nexus", None),
        ("tweet_activity_metrics_nexus_20261301_20269999_en.csv", "nexus", None),
    ],
)
def test_the_name_tells_handle_and_period_as_far_as_it_makes_sense(
    tmp_path: Path, name: str, handle: str | None, period: tuple[int, int] | None
) -> None:
    export = read(tmp_path, row(handle=handle or "somebody"), name=name)

    assert export.handle == (handle or "somebody")
    months = period and tuple(datetime(2026, month, 1, tzinfo=UTC) for month in period)
    assert (export.period_start, export.period_end) == (months or (None, None))


def test_a_post_after_the_end_of_the_period_moves_the_assumed_time(tmp_path: Path) -> None:
    late = row(time="2026-02-01 06:00 +0000")

    export = read(
        tmp_path, row(1), [*row(2)[:3], *late[3:]], name="tweet_x_20260101_20260201_en.csv"
    )

    assert export.collected_at == datetime(2026, 2, 1, 6, tzinfo=UTC)


def test_without_a_handle_the_most_frequent_author_owns_the_file(tmp_path: Path) -> None:
    export = read(tmp_path, row(1, "other"), row(2, "Mine"), row(3, "mine"), row(4, "Mine"))

    assert export.handle == "Mine"
    assert list(export.problems()) == [
        "export.csv, row 2, row: is a post of another account, @other, not of @Mine"
    ]


def test_a_row_of_another_account_is_rejected_and_named(tmp_path: Path) -> None:
    path = save(tmp_path, csv_text([row(1, "Nexus_Demo"), row(2, "other")]))

    export = read_export(path, imported_at=IMPORTED_AT, handle="nexus_demo")

    assert [post.platform_post_id for post in export.posts] == ["1"]
    assert list(export.problems()) == [
        "export.csv, row 3, row: is a post of another account, @other, not of @nexus_demo"
    ]


def test_a_file_of_another_account_is_refused_whole() -> None:
    assert refusal(FIXTURE, handle="other") == (
        f"{FIXTURE.name}: holds posts of @nexus_demo, not of @other"
    )


def test_a_file_whose_name_and_rows_disagree_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, csv_text([row()]), "tweet_activity_metrics_eve_20260101_20260201_en.csv")

    assert refusal(path).endswith("holds posts of @nexus_demo, not of @eve")


# --- rows to land ----------------------------------------------------------------------------


def test_rows_carry_ids_slot_and_origin() -> None:
    export = read_export(FIXTURE, imported_at=IMPORTED_AT)

    rows = list(export.rows(ACCOUNT, mint))

    assert {type(landed) for landed in rows} == set(EXPORT_ROWS) == {ExportPostRow}
    first, post = rows[0], export.posts[0]
    slot = slot_start(export.collected_at, post.published_at)
    assert first.post_id == mint(post.platform_post_id)
    assert first.snapshot_id == identity.snapshot_id(first.post_id, slot)
    assert (first.account_id, first.slot_start) == (ACCOUNT, slot)
    assert (first.collected_at, first.collected_basis) == (export.collected_at, "assumed")
    assert (first.file_sha256, first.row_number) == (export.sha256, 2)
    assert first.model_dump(include=set(post.counters)) == post.counters


def test_versions_of_an_edited_post_share_one_snapshot(tmp_path: Path) -> None:
    # 47:50 and 48:10 hours old at the download: alone they would lie in slots of other lengths.
    early, late = row(1, time="2026-01-05 10:00 +0000"), row(2, time="2026-01-05 10:20 +0000")
    as_of = datetime(2026, 1, 7, 10, 10, tzinfo=UTC)
    path = save(tmp_path, csv_text([late, early]))
    export = read_export(path, imported_at=IMPORTED_AT, as_of=as_of)

    rows = list(export.rows(ACCOUNT, lambda _: UUID(int=5)))

    assert {landed.platform_post_id for landed in rows} == {"1", "2"}
    assert len({landed.snapshot_id for landed in rows}) == 1
    assert len({landed.slot_start for landed in rows}) == 1


# --- rows that cannot be used ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"likes": "1.5"}, "likes: '1.5' is not a whole number"),
        ({"likes": "-3.0"}, "likes: '-3.0' is negative"),
        ({"impressions": "2147483648"}, "impressions: '2147483648' is too large"),
        ({"impressions": "9" * 99}, f"impressions: '{'9' * 29}…' is too large"),
        ({"replies": "NaN"}, "replies: 'NaN' is not a number"),
        ({"replies": "inf"}, "replies: 'inf' is not a number"),
        ({"replies": "1e3"}, "replies: '1e3' is not a number"),
        ({"replies": "٣"}, "replies: '٣' is not a number"),
        ({"url_clicks": "1,234.0"}, "url clicks: '1,234.0' is not a number"),
        ({"promoted_likes": "many"}, "promoted likes: 'many' is not a number"),
        ({"Tweet_id": "8.12369747765362E+17"}, "Tweet id: '8.12369747765362E+17' is not a post id"),
        ({"Tweet_id": ""}, "Tweet id: '' is not a post id"),
        ({"Tweet_id": "1002"}, "Tweet permalink: leads to post 1001, not to 1002"),
        ({"Tweet_permalink": "-"}, "Tweet permalink: '-' is not the link of a post"),
        ({"time": "yesterday"}, "time: 'yesterday' is not a time"),
        ({"time": "2026-01-05 10:00"}, "time: '2026-01-05 10:00' is not a time"),
        ({"time": "2026-02-30 10:00 +0000"}, "time: '2026-02-30 10:00 +0000' is not a time"),
        (
            {"time": "1926-01-05 10:00 +0000"},
            "time: '1926-01-05 10:00 +0000' is before the first post on X",
        ),
        (
            {"time": "2026-11-22 12:31 +0000"},
            "time: is after the file was downloaded, by 2026-11-22 12:30 UTC",
        ),
        ({"Tweet_text": "nul \0 inside"}, "row: is not text in UTF-8"),
    ],
)
def test_a_row_that_cannot_be_used_is_kept_aside_with_field_and_reason(
    tmp_path: Path, fields: dict[str, str], line: str
) -> None:
    export = read(tmp_path, *(row(n) for n in range(1, 20)), row(**fields), row(2000))

    assert list(export.problems()) == [f"export.csv, row 21, {line}"]
    assert len(export.posts) == 20
    assert export.rejected[0].raw == csv_text([row(**fields)]).splitlines()[1]


def test_a_row_before_the_stated_download_only_counts(tmp_path: Path) -> None:
    path = save(tmp_path, csv_text([row(1), row(2, time="2026-01-06 00:00 +0000")]))

    export = read_export(path, imported_at=IMPORTED_AT, as_of=datetime(2026, 1, 5, 12, tzinfo=UTC))

    assert list(export.problems()) == [
        "export.csv, row 3, time: is after the file was downloaded, by 2026-01-05 12:00 UTC"
    ]


def test_of_a_post_that_stands_twice_in_a_file_the_first_row_counts(tmp_path: Path) -> None:
    export = read(tmp_path, row(1, likes="1"), row(2), row(1, likes="2"))

    assert [post.counters["likes"] for post in export.posts] == [1, 0]
    assert list(export.problems()) == ["export.csv, row 4, row: repeats post 1 of row 2"]


@pytest.mark.parametrize(("width", "columns"), [(39, 39), (41, 41), (1, 1)])
def test_a_row_of_another_width_is_rejected(tmp_path: Path, width: int, columns: int) -> None:
    odd = [*row(2), "0"][:width]

    export = read(tmp_path, row(1), odd, row(3))

    assert list(export.problems()) == [f"export.csv, row 3, row: has {columns} columns, not 40"]
    assert len(export.posts) == 2


def test_a_row_that_is_not_utf8_spoils_no_other(tmp_path: Path) -> None:
    rows = [row(1), row(2, Tweet_text="caf\u00e9"), row(3)]
    path = save(
        tmp_path, csv_text(rows).replace("\u00e9", "\udce9").encode(errors="surrogateescape")
    )

    export = read_export(path, imported_at=IMPORTED_AT)

    assert list(export.problems()) == ["export.csv, row 3, row: is not text in UTF-8"]
    assert len(export.posts) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace('"Hello"', '"Hello'),
        lambda line: line.replace('"Hello"', '"He"llo"'),
        lambda line: line.replace('"Hello"', '"one\n\ntwo'),
        lambda line: line + '"',
        lambda line: line[:-1],
    ],
)
def test_a_row_whose_quotes_do_not_balance_ends_where_the_next_row_begins(
    tmp_path: Path, damage: Callable[[str], str]
) -> None:
    lines = csv_text([row(n) for n in range(1, 6)]).splitlines()
    lines[3] = damage(lines[3])

    export = read_export(save(tmp_path, "\n".join(lines)), imported_at=IMPORTED_AT)

    assert [post.platform_post_id for post in export.posts] == ["1", "2", "4", "5"]
    assert list(export.problems()) == ["export.csv, row 4, row: its quotes do not balance"]
    assert export.rejected[0].raw == lines[3]


def test_a_file_cut_in_its_last_row_loses_that_row_alone(tmp_path: Path) -> None:
    text = csv_text([row(1), row(2), row(3)])

    export = read_export(save(tmp_path, text[:-60]), imported_at=IMPORTED_AT)

    assert (len(export.posts), len(export.rejected)) == (2, 1)


def test_an_endless_field_is_rejected(tmp_path: Path) -> None:
    export = read(tmp_path, row(1), row(2, Tweet_text="x" * 200_000), row(3))

    assert list(export.problems()) == [
        "export.csv, row 3, row: a field is longer than 131072 characters"
    ]
    assert len(export.posts) == 2


# --- files that cannot be used ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (csv_text([]).encode(), "has a header and no rows"),
        (b"PK\x03\x04\x14\0\x06\0 a workbook", "is not a text file"),
        (csv_text([row()]).encode("utf-16"), "is not a text file"),
        (b"\x89\xff\xfe no text at all", "is not a CSV file in UTF-8"),
        (b'"no end', "is not a CSV file in UTF-8"),
        (
            b"Date,Impressions,Likes\n2026-01-01,1,2\n",
            "is not an export file that this version reads",
        ),
        (b"%PDF-1.7 and so on", "is not an export file that this version reads"),
        (
            csv_text([row()]).replace('","', '";"').encode(),
            "is not separated by commas: import it as it was downloaded",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_export_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert refusal(save(tmp_path, content)) == f"export.csv: {reason}"


def test_an_export_without_one_of_its_columns_is_refused_by_its_name(tmp_path: Path) -> None:
    header = [name for name in HEADER if name not in {"likes", "time"}]

    path = save(tmp_path, csv_text([["x"] * len(header)], header=header))

    assert refusal(path) == (
        "export.csv: looks like an X post export of the 40-column layout, but lacks 'time', 'likes'"
    )


def test_an_export_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, csv_text([[*row(), "0"]], header=[*HEADER, "Favorites"]))

    assert refusal(path) == "export.csv: has the column 'favorites' twice"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.csv").endswith("does not exist")
    assert refusal(tmp_path).endswith("is not a file")


def test_a_file_too_large_to_be_an_export_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{files_module}._LARGEST_FILE", 2**20)
    path = save(tmp_path, b"x" * (2**20 + 1))

    assert refusal(path).endswith("is larger than 1 MB")


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = save(tmp_path, csv_text([row()]))
    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert refusal(path).endswith("cannot be read: Permission denied")


def test_a_file_name_that_is_no_text_can_still_be_shown(tmp_path: Path) -> None:
    path = save(tmp_path, b"", "caf\udce9\n\u2028.csv")

    with pytest.raises(FileError) as refused:
        read_export(path, imported_at=IMPORTED_AT)
    assert str(refused.value) == "caf\ufffd\ufffd\ufffd.csv: is empty"


# --- properties ------------------------------------------------------------------------------

odd_values = st.one_of(
    st.sampled_from(["-", "", "0.0", "5", "-1", "1.5", "NaN", "1e9", "99999999999", "=1+1", '"']),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
odd_rows = st.builds(
    lambda number, handle, changes, width: [
        changes.get(at, value) for at, value in enumerate(row(number, handle))
    ][:width],
    st.integers(1, 6),
    st.sampled_from(["nexus_demo", "NEXUS_demo", "other"]),
    st.dictionaries(st.integers(0, len(HEADER) - 1), odd_values, max_size=2),
    st.sampled_from([len(HEADER)] * 9 + [3]),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(odd_rows, min_size=1, max_size=12),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_rows_read_are_posts_and_rejected_rows_whatever_the_values(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], newline: str, mark: str
) -> None:
    path = save(tmp_path_factory.getbasetemp(), mark + csv_text(rows, newline=newline))

    export = read_export(path, imported_at=IMPORTED_AT)

    assert export.rows_read == len(rows)
    assert len(list(export.rows(ACCOUNT, mint))) == len(export.posts)
    assert all(len(line.splitlines()) == 1 for line in export.problems())
    ids = Counter(post.platform_post_id for post in export.posts)
    assert not ids or max(ids.values()) == 1


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 40),
            st.one_of(st.binary(max_size=6), st.sampled_from([b'"', b"\n", b",", b'""', b"\r"])),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_damaged_bytes_end_in_rows_or_in_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[float, int, bytes]]
) -> None:
    data = FIXTURE.read_bytes()
    for place, length, bytes_in in edits:
        at = int(place * len(data))
        data = data[:at] + bytes_in + data[at + length :]
    path = save(tmp_path_factory.getbasetemp(), data)

    try:
        export = read_export(path, imported_at=IMPORTED_AT)
    except FileError as refused:
        lines = [str(refused)]
    else:
        lines = list(export.problems())
        for landed in export.rows(ACCOUNT, mint):
            landed.model_dump_json().encode()
    for line in lines:
        assert len(line.splitlines()) == 1
        line.encode()


# --- the real files --------------------------------------------------------------------------


@pytest.mark.skipif(
    not REAL_FILES.is_dir(), reason="the real exports (../shared/data) are not on this machine"
)
def test_the_37_real_exports_give_every_post_with_its_counters() -> None:
    exports = [
        read_export(path, imported_at=IMPORTED_AT) for path in sorted(REAL_FILES.glob("*.csv"))
    ]

    posts = [post for export in exports for post in export.posts]
    assert len(exports) == 37
    assert [line for export in exports for line in export.problems()] == []
    assert {export.handle for export in exports} == {"rOpenSci"}
    assert all(export.collected_at == export.period_end for export in exports)
    assert len({post.platform_post_id for post in posts}) == len(posts) == 1129
    assert sum(post.counters["impressions"] or 0 for post in posts) == 6_787_327
    assert sum(post.counters["likes"] or 0 for post in posts) == 17_186
    assert not any(re.search("&(amp|gt|lt);", post.text or "") for post in posts)
    assert any("\n" in (post.text or "") for post in posts)
