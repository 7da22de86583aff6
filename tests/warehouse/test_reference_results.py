"""Ten posts and forty snapshots, worked out by hand: every cell of the marts that add up.

Ada (X, Paris) connected on 20 March 2026, Bea (a LinkedIn page, New York) on the 27th. Paris goes
from UTC+1 to UTC+2 on 29 March at 01:00Z, New York is at UTC-4 (UTC-5 before 8 March). The newest
success is Ada's at 12:00Z on 31 March, Bea's is at 11:00Z. Times are UTC, all of March 2026.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from .raw_warehouse import Account, Post, RawWarehouse, at

X = ("impressions", "likes", "replies", "retweets", "quotes", "bookmarks")
PAGE = ("impressions", "likes", "comments", "shares", "clicks", "unique_impressions")
COUNTERS = (
    *("impressions", "likes", "comments", "shares", "clicks"),
    *("replies", "retweets", "quotes", "bookmarks"),
)
GAINED = (*COUNTERS, "engagements", "engagements_core")

# Post, when published, and its readings: moment and cumulative counters in the order of X or PAGE.
# X tells no clicks; "-" was not sent.
ADA = """
    a1 28T21:00
        28T21:30 100  4 0 0 0 0
        28T23:30 160  6 0 0 0 0
        29T01:30 200  5 0 0 0 0
        29T21:59 300 10 0 0 0 0
        29T22:10 330 11 0 0 0 0
    a2 18T12:00
        20T06:10 500 20 0 0 0 0
        20T08:10 520 21 0 0 0 0
        22T08:11 600 25 0 0 0 0
        22T12:10 600 25 0 0 0 0
    a3 10T08:00
        21T06:05 950 31 2 1 1 3
    a4 29T08:00
        29T08:30  10  1 0 0 0 0
        29T10:30  40  3 0 0 0 0
    a5 30T06:00
        30T06:15  70  - 0 0 0 0
        30T08:15   -  5 0 0 0 0
        30T10:15  95  8 0 0 0 0
    a6 30T20:00
        30T20:20  20  1 0 0 0 0
        30T22:20 300 30 0 0 0 0
        31T06:20 350 33 0 0 0 0
"""
BEA = """
    b1 28T02:00
        28T02:30   50  2  1 0  3  40
        28T04:30   80  3  1 1  5  60
        28T06:30  100  3  2 1  6  75
        28T08:30  110  4  2 1  6  80
        28T10:30  120  4  2 2  8   -
        28T12:30  125  5  2 2  9  90
    b2 24T15:00
        27T00:20 1000 30 10 5 55 700
        27T06:20 1010 31 10 5 56 705
        27T12:20 1030 31 11 5 58 710
        27T18:20 1040 32 11 6 60 715
        28T00:20 1045 32 11 6 61 718
    b3 30T14:00
        30T14:10    0  0  0 0  0   0
        30T16:10   40  1  0 0  2  30
        30T18:10   90  3  1 0  4  70
        30T20:10  120  4  1 1  6  95
        30T22:10  140  5  2 1  7 110
        31T00:10  150  5  2 1  8 118
    b4 31T04:00
        31T04:10   30  1  0 0  1  25
        31T06:10   55  2  0 1  2  45
        31T08:10   70  2  1 1  3  58
        31T10:10   80  3  1 1  3  66
"""


def day(text: str) -> Any:
    """`28T21:30` -> that moment of March 2026, UTC."""
    return at(f"2026-03-{text.replace('T', ' ')}")


def number(text: str) -> int | None:
    return None if text == "-" else int(text)


def lines(text: str) -> Iterator[list[str]]:
    """The words of each line of a table; what follows a # is arithmetic."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawWarehouse, dict[Any, str]]:
    """The built warehouse, and the name of each post and account."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("reference") / "warehouse.duckdb")
    warehouse.user("user-1", "Europe/Paris")
    ada = warehouse.account(
        "ada",
        timezone="Europe/Paris",
        connected_at=day("20T00:00"),
        last_success_at=day("31T12:00"),
        members={"user-1": "owner"},
    )
    bea = warehouse.account(
        "bea",
        platform="linkedin",
        timezone="America/New_York",
        connected_at=day("27T00:00"),
        last_success_at=day("31T11:00"),
        members={"user-1": "viewer"},
    )
    named: dict[Any, str] = {ada.account_id: "ada", bea.account_id: "bea"}
    for account, table, names in ((ada, ADA, X), (bea, BEA, PAGE)):
        for post in _read(warehouse, account, table, names):
            named[post.post_id] = post.platform_post_id
    warehouse.export_row(
        ada,
        "a3",
        day("10T08:00"),
        day("19T00:00"),
        impressions=900,
        likes=30,
        replies=2,
        retweets=1,
        clicks=7,
    )
    warehouse.audience(ada, day("29T21:00"), 100)
    warehouse.audience(ada, day("30T10:00"), 110)
    warehouse.build()
    return warehouse, named


def _read(
    warehouse: RawWarehouse, account: Account, table: str, names: tuple[str, ...]
) -> Iterator[Post]:
    for words in lines(table):
        if len(words) == 2:
            deleted_at = day("29T13:00") if words[0] == "a4" else None
            post = warehouse.post(account, words[0], day(words[1]), deleted_at=deleted_at)
            yield post
        else:
            told = dict(zip(names, map(number, words[1:]), strict=True))
            warehouse.snapshot(post, day(words[0]), **told)


def assert_rows(
    built: tuple[RawWarehouse, dict[Any, str]],
    relation: str,
    expected: Iterable[dict[str, Any]],
    *,
    key: tuple[str, ...],
) -> None:
    """Every row and every named cell, keys read as the names of posts and accounts."""
    warehouse, named = built
    wanted = {tuple(row[name] for name in key): row for row in expected}
    found = {}
    for row in warehouse.rows(f"select * from {relation}"):
        shown = {k: named.get(v, v) if k.endswith("_id") else v for k, v in row.items()}
        found[tuple(shown[name] for name in key)] = shown
    assert found.keys() == wanted.keys()
    for at_key, row in wanted.items():
        cells = {name: found[at_key][name] for name in row}
        assert cells == row, at_key


#: slot, basis (o observed, l lifetime, c catch-up), flags (g gap, f fall, j jump), then the gains.
INCREMENTS = """
    # X: impressions likes replies retweets quotes bookmarks clicks, engagements, core
    a1 28T20:00 o . 100  4 0 0 0 0 -   4  4  # published 21:00, read 21:30: its first half hour
    a1 28T22:00 o .  60  2 0 0 0 0 -   2  2  # 160 - 100, 6 - 4
    a1 29T00:00 o f  40 -1 0 0 0 0 -  -1 -1  # 200 - 160, 5 - 6
    a1 29T20:00 o g 100  5 0 0 0 0 -   5  5  # 300 - 200, 10 - 5; 2 to 18 h are empty
    a1 29T22:00 o .  30  1 0 0 0 0 -   1  1
    a2 20T06:00 l . 500 20 0 0 0 0 -  20 20  # first reading at an age of 42 h: counts at 18T12:00
    a2 20T08:00 o .  20  1 0 0 0 0 -   1  1
    a2 22T06:00 c g  80  4 0 0 0 0 -   4  4  # 48 h and one minute after the last
    a2 22T12:00 o .   0  0 0 0 0 0 -   0  0
    a3 19T00:00 l . 900 30 2 1 - - 7  33 33  # the file: 30 + 2 + 1; counts at 10T08:00
    # After a file: 950 - 900, 31 - 30; quotes and bookmarks are known for the first time.
    # Engagements 31 + 2 + 1 + 1 + 3 = 38, less 33; core 35 - 33. Due since 20T00:00, five empty.
    a3 21T06:00 c g  50  1 0 0 1 3 -   5  2
    a4 29T08:00 o .  10  1 0 0 0 0 -   1  1
    a4 29T10:00 o .  30  2 0 0 0 0 -   2  2
    a5 30T06:00 o .  70  - 0 0 0 0 -   -  -  # no likes: engagements unknown
    a5 30T08:00 o .   -  5 0 0 0 0 -   5  5
    a5 30T10:00 o .  25  3 0 0 0 0 -   3  3  # 95 - 70 (last known), 8 - 5
    a6 30T20:00 o .  20  1 0 0 0 0 -   1  1
    a6 30T22:00 o j 280 29 0 0 0 0 -  29 29  # 280 is 1,400 % of 20, 29 is 2,900 % of 1
    a6 31T06:00 o g  50  3 0 0 0 0 -   3  3
"""
PAGE_INCREMENTS = """
    # impressions likes comments shares clicks, engagements (all four), core (no clicks), reach
    b1 28T02:00 o .   50  2  1 0  3    6  3  40
    b1 28T04:00 o .   30  1  0 1  2    4  2  60
    b1 28T06:00 o .   20  0  1 0  1    2  1  75
    b1 28T08:00 o .   10  1  0 0  0    1  1  80
    b1 28T10:00 o .   10  0  0 1  2    3  1  80  # reach not sent: last known
    b1 28T12:00 o .    5  1  0 0  1    2  1  90
    b2 27T00:00 l . 1000 30 10 5 55  100 45 700  # age 57 h: counts at 24T15:00
    b2 27T06:00 o .   10  1  0 0  1    2  1 705
    b2 27T12:00 o .   20  0  1 0  2    3  1 710
    b2 27T18:00 o .   10  1  0 1  2    4  2 715
    b2 28T00:00 o .    5  0  0 0  1    1  0 718
    b3 30T14:00 o .    0  0  0 0  0    0  0   0
    b3 30T16:00 o .   40  1  0 0  2    3  1  30
    b3 30T18:00 o .   50  2  1 0  2    5  3  70
    b3 30T20:00 o .   30  1  0 1  2    4  2  95
    b3 30T22:00 o .   20  1  1 0  1    3  2 110
    b3 31T00:00 o .   10  0  0 0  1    1  0 118
    b4 31T04:00 o .   30  1  0 0  1    2  1  25
    b4 31T06:00 o .   25  1  0 1  1    3  2  45
    b4 31T08:00 o .   15  0  1 0  1    2  1  58
    b4 31T10:00 o .   10  1  0 0  0    1  1  66
"""
BASES = {"o": "observed", "l": "lifetime", "c": "catch_up"}
PUBLISHED = {
    words[0]: day(words[1]) for table in (ADA, BEA) for words in lines(table) if len(words) == 2
}


def increments() -> Iterator[dict[str, Any]]:
    x_cells = (*X, "clicks", "engagements", "engagements_core")
    page_cells = (*PAGE[:-1], "engagements", "engagements_core")
    for table, names in ((INCREMENTS, x_cells), (PAGE_INCREMENTS, page_cells)):
        for post, slot, basis, flags, *gains in lines(table):
            reach = number(gains.pop()) if table is PAGE_INCREMENTS else None
            told = dict(zip(names, map(number, gains), strict=True))
            yield {
                "post_id": post,
                "account_id": {"a": "ada", "b": "bea"}[post[0]],
                "platform": {"a": "twitter", "b": "linkedin"}[post[0]],
                "slot_start": day(slot),
                "source": "file" if (post, slot) == ("a3", "19T00:00") else "api",
                "basis": BASES[basis],
                "is_gap": "g" in flags,
                "is_correction": "f" in flags,
                "is_jump": "j" in flags,
                **{f"new_{name}": told.get(name) for name in GAINED},
                "unique_impressions": reach,
            }


def test_increments(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    expected = list(increments())
    assert len(expected) == 40
    assert_rows(built, "marts.post_increments", expected, key=("post_id", "slot_start"))


def test_increments_count_when_they_were_read_or_lifetimes_when_published(
    built: tuple[RawWarehouse, dict[Any, str]],
) -> None:
    readings = {(post, moment) for table in (ADA, BEA) for post, moment in _moments(table)} | {
        ("a3", day("19T00:00"))
    }
    lifetimes = {("a2", day("20T06:10")), ("a3", day("19T00:00")), ("b2", day("27T00:20"))}
    warehouse, named = built
    rows = warehouse.rows("select post_id, collected_at, activity_at from marts.post_increments")
    found = {(named[r["post_id"]], r["collected_at"]): r["activity_at"] for r in rows}
    assert found == {
        (post, moment): PUBLISHED[post] if (post, moment) in lifetimes else moment
        for post, moment in readings
    }


def _moments(table: str) -> Iterator[tuple[str, Any]]:
    for words in lines(table):
        if len(words) == 2:
            post = words[0]
        else:
            yield post, day(words[0])


# Local day; then gained impressions likes replies retweets quotes bookmarks clicks engagements
# core; rated impressions and engagements (of increments that know both); active posts, due and
# filled slots. A line that begins with = says what was observed, where it is not all of it.
#
# Due slots of Ada. a1: two-hour slots 28T20:00 to 30T20:00, then 31T00:00, 06:00, 12:00; in Paris
# 2 + 11 + 12 + 3 (29T22:00Z is 30 March, 0 h; the 29th has 23 hours). a2: 20T00:00 to 10:00 by two
# hours, then four a day, three on the 31st: 8 + 10 x 4 + 3. a3: 11 x 4 + 3. a4: 8 and 10 h; it was
# deleted in the slot of 12 h. a6 has 1 + 8, a5 30T06:00 to 20:00 on the 30th and 22:00Z to 31T12:00
# on the 31st, eight each.
ADA_DAYS = """
    10 900  30 2 1 - - 7  33 33  900 33  1  0 0   # the file
     = -     - - - - - -   -  -    -  -
    18 500  20 0 0 0 0 -  20 20  500 20  1  0 0   # what a2 had before it was connected
     = -     - - - - - -   -  -    -  -
    20  20   1 0 0 0 0 -   1  1   20  1  1 12 2   # due 8 + 4
    21  50   1 0 0 1 3 -   5  2   50  5  1  8 1
     = -     - - - - - -   -  -    -  -
    22  80   4 0 0 0 0 -   4  4   80  4  1  8 2   # catch-up 80, then 0
     = 0     0 0 0 0 0 -   0  0    0  0
    23   -   - - - - - -   -  -    -  -  0  8 0
    24   -   - - - - - -   -  -    -  -  0  8 0
    25   -   - - - - - -   -  -    -  -  0  8 0
    26   -   - - - - - -   -  -    -  -  0  8 0
    27   -   - - - - - -   -  -    -  -  0  8 0
    28 100   4 0 0 0 0 -   4  4  100  4  1 10 2   # 21:30Z is 22:30; due 8 + 2
    29 240   9 0 0 0 0 -   9  9  240  9  2 21 4   # a1 60 + 40 + 100, 2 - 1 + 5; a4 40, 3
    # the 29th: due 8 + 11 + 2. The 30th: a1 30, a5 70 + 25, a6 20; likes 1 + 5 + 3 + 1; rated
    # 30 + 25 + 20 and 1 + 3 + 1; due 8 + 12 + 8 + 1
    30 145  10 0 0 0 0 -  10 10   75  5  3 29 5
    31 330  32 0 0 0 0 -  32 32  330 32  1 25 2   # a6 280 + 50, 29 + 3; due 6 + 3 + 8 + 8
"""
# Gained impressions likes comments shares clicks engagements core, then as above.
# New York's day begins at 04:00Z. b1: 28T02:00Z is the 27th (1), 12 on the 28th, 29T04:00 to
# 30T00:00 (11) on the 29th, then 30T06, 12, 18 and 31T00 (4), 31T06 and 12 (2). b2: 27T00:00Z is
# the 26th (1), four a day, two on the 31st. b3: 30T14 to 31T02 (7), then 5. b4: 5.
BEA_DAYS = """
    24 1000 30 10 5 55 100 45 1000 100  1  0 0   # what b2 had before it was connected
     = -     -  - -  -   -  -    -   -
    26   -   -  - -  -   -  -    -   -  0  1 1
    27  95   4  2 1  9  16  7   95  16  2  5 5   # b2 10 + 20 + 10 + 5, b1 50
    28  75   3  1 2  6  12  6   75  12  1 16 5   # b1 30 + 20 + 10 + 10 + 5
    29   -   -  - -  -   -  -    -   -  0 15 0
    30 150   5  2 1  8  16  8  150  16  1 15 6   # b3; 31T00:10Z is 20:10 of the 30th
    31  80   3  1 1  3   8  5   80   8  1 14 4   # b4
"""


def days(account: str, table: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    size = len(names)
    for words in lines(table):
        told = [number(word) for word in words[1:]]
        quality = "observed" if words[0] == "=" else "new"
        gains = dict(zip(names, told[:size], strict=True))
        cells = {f"{quality}_{name}": gains.get(name) for name in GAINED}
        prefix = "observed_" if quality == "observed" else ""
        cells[f"{prefix}rated_impressions"], cells[f"{prefix}rated_engagements"] = told[
            size : size + 2
        ]
        if quality == "observed":
            rows[-1] |= cells
            continue
        cells |= dict(
            zip(("active_posts", "due_slots", "filled_slots"), told[size + 2 :], strict=True)
        )
        observed = {
            name.replace("new_", "observed_")
            if name.startswith("new_")
            else f"observed_{name}": value
            for name, value in cells.items()
            if name.startswith(("new_", "rated_"))
        }
        rows.append(
            {"account_id": account, "day": day(f"{words[0]}T00:00").date(), **cells, **observed}
        )
    return rows


X_CELLS = (*X, "clicks", "engagements", "engagements_core")
PAGE_CELLS = (*PAGE[:-1], "engagements", "engagements_core")


def test_daily_metrics(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    expected = days("ada", ADA_DAYS, X_CELLS) + days("bea", BEA_DAYS, PAGE_CELLS)
    for row in expected:
        is_ada = row["account_id"] == "ada"
        row["platform"] = "twitter" if is_ada else "linkedin"
        row["timezone"] = "Europe/Paris" if is_ada else "America/New_York"
    assert_rows(built, "marts.daily_metrics", expected, key=("account_id", "day"))


def window(
    account: str, name: str, bounds: str, gained: dict[str, str], slots: str, rates: str
) -> dict[str, Any]:
    """A row of window_metrics: bounds, gains by quality, slots and posts, coverage and rates."""
    names = X_CELLS if account == "ada" else PAGE_CELLS
    cells: dict[str, Any] = {"account_id": account, "window_name": name}
    for column, text in zip(
        ("window_start", "window_end", "previous_start", "previous_end"),
        bounds.split(),
        strict=True,
    ):
        cells[column] = at(f"20{text.replace('T', ' ')}")
    for quality in ("new", "observed", "previous_observed"):
        told = dict(zip(names, map(number, gained[quality].split()), strict=True))
        cells |= {f"{quality}_{metric}": told.get(metric) for metric in GAINED}
    columns = ("active_posts", "posts_published", "due_slots", "filled_slots")
    cells |= dict(zip(columns, map(int, slots.split()), strict=True))
    ratios: tuple[str, ...] = ("coverage", "previous_coverage", "engagement_rate")
    ratios += ("observed_engagement_rate", "previous_engagement_rate")
    for column, text in zip(ratios, rates.split(), strict=True):
        cells[column] = None if text == "-" else Decimal(text)
    # Less than 90 % of the slots are filled: nothing is compared.
    return cells | {"change_impressions_state": "n/a", "change_engagements_state": "n/a"}


NONE_X, NONE_PAGE = "- - - - - - - - -", "- - - - - - -"
ADA_WEEK = "815 55 0 0 0 0 - 55 55"  # 100 + 240 + 145 + 330; 4 + 9 + 10 + 32
# 900 + 500 + 20 + 50 + 80 + 815; 30 + 20 + 1 + 1 + 4 + 55; engagements 33 + 20 + 1 + 5 + 4 + 55
ADA_ALL = {
    "new": "2365 111 2 1 1 3 7 118 115",
    "observed": "835 56 0 0 0 0 - 56 56",  # 20 + 0 + 815, 1 + 0 + 55
    "previous_observed": NONE_X,
}
BEA_WEEK = "400 15 6 5 26 52 26"  # 95 + 75 + 150 + 80; 4 + 3 + 5 + 3; ...
BEA_ALL = {
    "new": "1400 45 16 10 81 152 71",  # and b2's 1,000
    "observed": BEA_WEEK,
    "previous_observed": NONE_PAGE,
}
WINDOWS = [
    window(
        "ada",
        "24h",
        "26-03-30T14:00 26-03-31T14:00 26-03-29T14:00 26-03-30T14:00",  # slot of 12:00 is the last
        {
            "new": "350 33 0 0 0 0 - 33 33",  # a6
            "observed": "350 33 0 0 0 0 - 33 33",
            # a1 in the slots of 20 and 22 h, a5: 100 + 30 + 70 + 25; 5 + 1 + 5 + 3
            "previous_observed": "225 14 0 0 0 0 - 14 14",
        },
        # due: a1 4 + 3, a2 4, a3 4, a5 12, a6 9; filled: a6
        "1 1 36 3",
        # coverage 3 / 36, before (2 + 3) / (12 + 4 + 4 + 4);
        # rate: 33 of 350, before 5 + 1 + 3 of 100 + 30 + 25
        "0.0833 0.2083 0.0943 0.0943 0.0581",
    ),
    window(
        "ada",
        "7d",
        # 25 March 0 h in Paris; 31 March 14:15 less seven days is 24 March 14:15 of winter time
        "26-03-24T23:00 26-03-31T12:15 26-03-17T23:00 26-03-24T13:15",
        # The period before began on 18 March, before Ada was connected.
        {"new": ADA_WEEK, "observed": ADA_WEEK, "previous_observed": NONE_X},
        "4 4 109 13",  # 3 x 8 + 10 + 21 + 29 + 25; 2 + 4 + 5 + 2
        # coverage 13 / 109, before 5 / (12 + 8 + 8 + 8 + 6);
        # rate: 4 + 9 + 5 + 32 of 100 + 240 + 75 + 330
        "0.1193 0.1190 0.0671 0.0671 -",
    ),
    window(
        "ada",
        "30d",
        "26-03-01T23:00 26-03-31T12:15 26-01-30T23:00 26-03-01T13:15",
        ADA_ALL,
        "6 6 153 18",  # 12 + 7 x 8 + 10 + 21 + 29 + 25; 2 + 1 + 2 + 2 + 4 + 5 + 2
        # coverage 18 / 153; rate (118 - 5) / (2365 - 70), observed (56 - 5) / (835 - 70)
        "0.1176 - 0.0492 0.0667 -",
    ),
    window(
        "ada",
        "90d",
        # 1 January; 90 days before it is 3 October, summer time
        "25-12-31T23:00 26-03-31T12:15 25-10-02T22:00 25-12-31T13:15",
        ADA_ALL,
        "6 6 153 18",
        "0.1176 - 0.0492 0.0667 -",
    ),
    window(
        "bea",
        "24h",
        # 11:00 lies in the slot of 10 h
        "26-03-30T12:00 26-03-31T12:00 26-03-29T12:00 26-03-30T12:00",
        {
            "new": "230 8 3 2 11 24 13",  # b3 150, b4 80
            "observed": "230 8 3 2 11 24 13",
            "previous_observed": NONE_PAGE,
        },
        "2 2 23 10",  # b1 4, b2 4, b3 11, b4 4; filled 6 + 4
        "0.4348 0.0000 0.1043 0.1043 -",  # 10 / 23; 0 / 12; 24 / 230
    ),
    window(
        "bea",
        "7d",
        "26-03-25T04:00 26-03-31T11:15 26-03-18T04:00 26-03-24T11:15",
        {"new": BEA_WEEK, "observed": BEA_WEEK, "previous_observed": NONE_PAGE},
        "4 3 62 21",  # 1 + 5 + 16 + 15 + 15 + 10 (until 11:15Z); 1 + 5 + 5 + 6 + 4
        "0.3387 - 0.1300 0.1300 -",  # 21 / 62; 52 / 400
    ),
    window(
        "bea",
        "30d",
        # 2 March 0 h is 05:00Z: winter time until the 8th
        "26-03-02T05:00 26-03-31T11:15 26-01-31T05:00 26-03-01T12:15",
        BEA_ALL,
        "4 4 62 21",
        "0.3387 - 0.1086 0.1300 -",  # 152 / 1400
    ),
    window(
        "bea",
        "90d",
        "26-01-01T05:00 26-03-31T11:15 25-10-03T04:00 25-12-31T12:15",
        BEA_ALL,
        "4 4 62 21",
        "0.3387 - 0.1086 0.1300 -",
    ),
]


def test_window_metrics(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    assert_rows(built, "marts.window_metrics", WINDOWS, key=("account_id", "window_name"))


# Impressions likes comments shares clicks replies retweets quotes bookmarks, reach, engagements,
# core, rate, score. X weighs likes 1, replies 5, retweets 10, quotes 8, bookmarks 3; LinkedIn
# likes 1, comments 5, shares 10, clicks 2.
SCORES = """
    a1  330 11  - - -  0 0 0 0   -  11 11 0.0333  333.33  # 10,000 x 11 / 330
    a2  600 25  - - -  0 0 0 0   -  25 25 0.0417  416.67
    # 31 + 5 x 2 + 10 x 1 + 8 x 1 + 3 x 3 = 68; the file's clicks are the last known
    a3  950 31  - - 7  2 1 1 3   -  38 35 0.0400  715.79
    a4   40  3  - - -  0 0 0 0   -   3  3 0.0750  750.00
    a5   95  8  - - -  0 0 0 0   -   8  8 0.0842  842.11
    a6  350 33  - - -  0 0 0 0   -  33 33 0.0943  942.86
    b1  125  5  2 2 9  - - - -  90  18  9 0.1440 1000.00  # 10,000 x (5 + 10 + 20 + 18) / 125
    b2 1045 32 11 6 61 - - - - 718 110 49 0.1053 1000.00
    b3  150  5  2 1 8  - - - - 118  16  8 0.1067 1000.00
    b4   80  3  1 1 3  - - - -  66   8  5 0.1000 1000.00
"""


def test_post_scores(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    columns = (*COUNTERS, "unique_impressions", "engagements", "engagements_core")
    expected = [
        {
            "post_id": post,
            "metric_version": 1,
            "is_current_version": True,
            **dict(zip(columns, map(number, cells[:-2]), strict=True)),
            "engagement_rate": Decimal(cells[-2]),
            "engagement_score": Decimal(cells[-1]),
            "score_capped": cells[-1] == "1000.00",
            "published_at": PUBLISHED[post],
        }
        for post, *cells in lines(SCORES)
    ]
    assert_rows(built, "marts.post_scores", expected, key=("post_id",))


# Each post's last snapshot of a day in Paris: impressions, likes, mean rate, best score; gains.
ROLLUP = """
    twitter 10    -  -      -       -  900 30
    twitter 18    -  -      -       -  500 20
    twitter 19  900 30 0.0367  555.56    -  -  # the file: 33 / 900; (30 + 10 + 10) / 900
    twitter 20  520 21 0.0404  403.85   20  1
    twitter 21  950 31 0.0400  715.79   50  1
    twitter 22  600 25 0.0417  416.67   80  4
    twitter 28  100  4 0.0400  400.00  100  4
    twitter 29  340 13 0.0542  750.00  240  9  # a1 300, a4 40; (0.0333 + 0.0750) / 2, half up
    twitter 30  445 20 0.0558  842.11  145 10  # a1, a5, a6: (0.0333 + 0.0842 + 0.0500) / 3
    twitter 31  350 33 0.0943  942.86  330 32
    linkedin 24    -  -      -       - 1000 30
    linkedin 27 1040 32 0.1048 1000.00   40  2  # b2: 109 / 1040
    linkedin 28 1170 37 0.1247 1000.00  130  5  # b2 1045, b1 125; (0.1053 + 0.1440) / 2, half up
    linkedin 30  120  4 0.1000 1000.00  120  4  # b3 until 20:10Z, 22:10 in Paris
    linkedin 31  230  8 0.1034 1000.00  110  4  # b3 150, b4 80; (0.1067 + 0.1000) / 2, half up
"""


def test_daily_rollup(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    expected = [
        {
            "user_key": "user-1",
            "platform": platform,
            "day": day(f"{local_day}T00:00").date(),
            "total_impressions": number(cells[0]),
            "total_likes": number(cells[1]),
            "avg_engagement_rate": None if cells[2] == "-" else Decimal(cells[2]),
            "peak_engagement_score": None if cells[3] == "-" else Decimal(cells[3]),
            "new_impressions": number(cells[4]),
            "new_likes": number(cells[5]),
        }
        for platform, local_day, *cells in lines(ROLLUP)
    ]
    assert_rows(built, "marts.daily_rollup", expected, key=("platform", "day"))


def test_key_columns_of_the_other_marts(built: tuple[RawWarehouse, dict[Any, str]]) -> None:
    # a6 rose from 20 to 300 impressions (280 / 20 = 1,400 %) and from 1 to 30 likes, two hours old.
    flags = [
        {"post_id": "a6", "metric": metric, "change_percent": percent, "status": "expected"}
        for metric, percent in (("impressions", 1400), ("likes", 2900))
    ]
    assert_rows(built, "marts.metric_delta_flags", flags, key=("post_id", "metric"))
    # b2 reached 72 h at 27T15:00, 160 of the 360 minutes between 12:20 and 18:20:
    # 1,030 + 10 x 4 / 9, 31 + 4 / 9, 58 + 2 x 4 / 9. No other post was read around an age.
    ages = [{"post_id": "b2", "age_hours": 72, "impressions": 1034, "likes": 31, "clicks": 59}]
    assert_rows(built, "marts.post_age_values", ages, key=("post_id", "age_hours"))
    # The last seven days of either; slots were due and none was filled on 23 to 27, and 29.
    health = [
        {"account_id": "ada", "due_slots_7d": 109, "filled_slots_7d": 13, "missing_days_30d": 5},
        {"account_id": "bea", "due_slots_7d": 66, "filled_slots_7d": 21, "missing_days_30d": 1},
    ]
    assert_rows(built, "marts.collection_health", health, key=("account_id",))
    growth = [  # 23:00 on the 29th in Paris, 12:00 on the 30th
        {"day": day("29T00:00").date(), "followers": 100, "followers_gained": None},
        {"day": day("30T00:00").date(), "followers": 110, "followers_gained": 10},
    ]
    assert_rows(built, "marts.audience_growth", growth, key=("day",))
    accounts = [
        {"account_id": "ada", "as_of": day("31T12:00"), "posts": 6},
        {"account_id": "bea", "as_of": day("31T11:00"), "posts": 4},
    ]
    assert_rows(built, "marts.accounts", accounts, key=("account_id",))
    posts = [
        {
            "post_id": post,
            "published_at": published_at,
            "is_deleted": post == "a4",
            "has_file_snapshots": post == "a3",
        }
        for post, published_at in PUBLISHED.items()
    ]
    assert_rows(built, "marts.posts", posts, key=("post_id",))
