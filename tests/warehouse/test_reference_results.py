"""Ten posts and forty snapshots, worked out by hand: every cell of the marts that add up.

Ada (X, Paris) connected on 20 March 2026, Bea (a LinkedIn page, New York) on the 27th. Paris goes
from UTC+1 to UTC+2 on 29 March at 01:00Z, New York is at UTC-4 (UTC-5 before 8 March). The newest
success is Ada's at 12:00Z on 31 March, Bea's is at 11:00Z. Times are UTC.

Too many of their slots are empty for any change to be told. So Cleo (X, UTC, connected on 1 October
2025, newest success at 11:00Z on 31 March) stands beside them: five more posts, each deleted within
hours, whose seven snapshots fill all of her slots but one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ingest import identity

from .cells import assert_cells, assert_every_cell
from .raw_warehouse import RawWarehouse, Row, at

X = ("impressions", "likes", "replies", "retweets", "quotes", "bookmarks")
PAGE = ("impressions", "likes", "comments", "shares", "clicks", "unique_impressions")
COUNTERS = (
    *("impressions", "likes", "comments", "shares", "clicks"),
    *("replies", "retweets", "quotes", "bookmarks"),
)
GAINED = (*COUNTERS, "engagements", "engagements_core")

# Post, when published, when deleted; its readings: moment, cumulative counters in the order of X or
# PAGE (X tells no clicks, "-" was not sent) = rate and score of the snapshot.
#
# The rate is engagements / impressions: on X likes + replies + retweets + quotes + bookmarks (a3:
# 31 + 2 + 1 + 1 + 3 = 38 of 950), on the page likes + comments + shares + clicks (b1 at 02:30:
# 2 + 1 + 0 + 3 = 6 of 50). Without likes (a5) engagements are unknown.
# The score is 10,000 x the weighted sum / impressions, at most 1,000. X weighs likes 1, replies 5,
# retweets 10, quotes 8, bookmarks 3 (a3: 31 + 10 + 10 + 8 + 9 = 68 of 950), the page likes 1,
# comments 5, shares 10, clicks 2 (b4 at 04:10: 1 + 2 = 3 of 30, just 1,000). Likes that were not
# sent count as 0; without impressions there is no score (a5).
ADA = """
    a1 28T21:00
        28T21:30 100  4 0 0 0 0 = 0.0400  400.00
        28T23:30 160  6 0 0 0 0 = 0.0375  375.00
        29T01:30 200  5 0 0 0 0 = 0.0250  250.00
        29T21:59 300 10 0 0 0 0 = 0.0333  333.33
        29T22:10 330 11 0 0 0 0 = 0.0333  333.33
    a2 18T12:00
        20T06:10 500 20 0 0 0 0 = 0.0400  400.00
        20T08:10 520 21 0 0 0 0 = 0.0404  403.85
        22T08:11 600 25 0 0 0 0 = 0.0417  416.67
        22T12:10 600 25 0 0 0 0 = 0.0417  416.67
    a3 10T08:00
        21T06:05 950 31 2 1 1 3 = 0.0400  715.79
    a4 29T08:00 29T13:00
        29T08:30  10  1 0 0 0 0 = 0.1000 1000.00
        29T10:30  40  3 0 0 0 0 = 0.0750  750.00
    a5 30T06:00
        30T06:15  70  - 0 0 0 0 =      -    0.00
        30T08:15   -  5 0 0 0 0 =      -       -
        30T10:15  95  8 0 0 0 0 = 0.0842  842.11
    a6 30T20:00
        30T20:20  20  1 0 0 0 0 = 0.0500  500.00
        30T22:20 300 30 0 0 0 0 = 0.1000 1000.00
        31T06:20 350 33 0 0 0 0 = 0.0943  942.86
"""
BEA = """
    b1 28T02:00
        28T02:30   50  2  1 0  3  40 = 0.1200 1000.00
        28T04:30   80  3  1 1  5  60 = 0.1250 1000.00
        28T06:30  100  3  2 1  6  75 = 0.1200 1000.00
        28T08:30  110  4  2 1  6  80 = 0.1182 1000.00
        28T10:30  120  4  2 2  8   - = 0.1333 1000.00
        28T12:30  125  5  2 2  9  90 = 0.1440 1000.00
    b2 24T15:00
        27T00:20 1000 30 10 5 55 700 = 0.1000 1000.00
        27T06:20 1010 31 10 5 56 705 = 0.1010 1000.00
        27T12:20 1030 31 11 5 58 710 = 0.1019 1000.00
        27T18:20 1040 32 11 6 60 715 = 0.1048 1000.00
        28T00:20 1045 32 11 6 61 718 = 0.1053 1000.00
    b3 30T14:00
        30T14:10    0  0  0 0  0   0 =      -    0.00
        30T16:10   40  1  0 0  2  30 = 0.0750 1000.00
        30T18:10   90  3  1 0  4  70 = 0.0889 1000.00
        30T20:10  120  4  1 1  6  95 = 0.1000 1000.00
        30T22:10  140  5  2 1  7 110 = 0.1071 1000.00
        31T00:10  150  5  2 1  8 118 = 0.1067 1000.00
    b4 31T04:00
        31T04:10   30  1  0 0  1  25 = 0.0667 1000.00
        31T06:10   55  2  0 1  2  45 = 0.0909 1000.00
        31T08:10   70  2  1 1  3  58 = 0.1000 1000.00
        31T10:10   80  3  1 1  3  66 = 0.1000 1000.00
"""
CLEO = """
    c1 29T20:00 30T01:00
        29T20:30 100  4 0 0 0 0 = 0.0400  400.00
        29T22:30 150  6 0 0 0 0 = 0.0400  400.00
    c2 30T20:00 31T01:00
        30T20:30 120  4 0 0 0 0 = 0.0333  333.33
        30T22:30 180  6 0 0 0 0 = 0.0333  333.33
    c3 20T08:00 20T11:00
        20T08:30   0  0 0 0 0 0 =      -    0.00
    c4 02-10T08:00 02-10T10:30
        02-10T08:30 330  3 0 0 0 0 = 0.0091   90.91
    c5 2025-11-10T08:00 2025-11-10T13:00
        2025-11-10T08:30 200  2 0 0 0 0 = 0.0100  100.00
"""
#: a3 in a file that ends on the 19th: it knows no quotes and no bookmarks.
FILE: dict[str, Any] = {"impressions": 900, "likes": 30, "replies": 2, "retweets": 1, "clicks": 7}


def day(text: str) -> datetime:
    """`28T21:30` -> that moment of March 2026, UTC; a date may name its month, and its year."""
    date, _, time = text.partition("T")
    left_out = ("2026", "03")[: 2 - date.count("-")]
    return at(f"{'-'.join((*left_out, date))} {time}")


def number(text: str) -> int | None:
    return None if text == "-" else int(text)


def decimal(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


def lines(text: str) -> Iterator[list[str]]:
    """The words of each line of a table; what follows a # is arithmetic."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words


@dataclass(frozen=True)
class Author:
    """An account, who may read it, the table of its posts and the order of their counters."""

    platform: str
    timezone: str
    connected_at: str
    last_success_at: str
    members: dict[str, str]
    posts: str
    metrics: tuple[str, ...]


ACCOUNTS = {
    "ada": Author("twitter", "Europe/Paris", "20T00:00", "31T12:00", {"user-1": "owner"}, ADA, X),
    "bea": Author(
        "linkedin", "America/New_York", "27T00:00", "31T11:00", {"user-1": "viewer"}, BEA, PAGE
    ),
    "cleo": Author("twitter", "UTC", "2025-10-01T00:00", "31T11:00", {}, CLEO, X),
}


@dataclass(frozen=True)
class Told:
    """A post of the tables above; its readings: moment -> counters, =, rate and score."""

    account: str
    published_at: datetime
    deleted_at: datetime | None
    readings: dict[str, list[str]]

    @property
    def platform(self) -> str:
        return ACCOUNTS[self.account].platform

    def counters(self, moment: str) -> dict[str, int | None]:
        words = self.readings[moment]
        counters = map(number, words[: words.index("=")])
        return dict(zip(ACCOUNTS[self.account].metrics, counters, strict=True))


def _told_posts() -> Iterator[tuple[str, Told]]:
    for account, author in ACCOUNTS.items():
        readings: dict[str, list[str]] = {}
        for first, *others in lines(author.posts):
            if first[0].isdigit():
                readings[first] = others
            else:
                readings = {}
                published_at = day(others[0])
                deleted_at = day(others[1]) if others[1:] else None
                yield first, Told(account, published_at, deleted_at, readings)


POSTS = dict(_told_posts())

Built = tuple[RawWarehouse, dict[Any, str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The built warehouse, and the name of each account, post and snapshot."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("reference") / "warehouse.duckdb")
    warehouse.user("user-1", "Europe/Paris")
    accounts = {
        name: warehouse.account(
            name,
            platform=author.platform,
            timezone=author.timezone,
            connected_at=day(author.connected_at),
            last_success_at=day(author.last_success_at),
            members=author.members,
        )
        for name, author in ACCOUNTS.items()
    }
    posts = {
        name: warehouse.post(
            accounts[told.account], name, told.published_at, deleted_at=told.deleted_at
        )
        for name, told in POSTS.items()
    }
    for name, told in POSTS.items():
        for moment in told.readings:
            warehouse.snapshot(posts[name], day(moment), **told.counters(moment))
    ada = accounts["ada"]
    warehouse.export_row(ada, "a3", POSTS["a3"].published_at, day("19T00:00"), **FILE)
    warehouse.audience(ada, day("29T21:00"), 100)
    warehouse.audience(ada, day("30T10:00"), 110)
    warehouse.build()
    named: dict[Any, str] = {account.account_id: name for name, account in accounts.items()}
    named |= {post.post_id: name for name, post in posts.items()}
    for row in worked_out_increments():
        post_id = posts[row["post_id"]].post_id
        named[identity.snapshot_id(post_id, row["slot_start"])] = row["id"]
    return warehouse, named


def rows(built: Built, relation: str) -> list[Row]:
    """All rows; ids of accounts, posts and snapshots as their names."""
    warehouse, named = built
    return [
        {
            column: named.get(value, value) if column.endswith("id") else value
            for column, value in row.items()
        }
        for row in warehouse.rows(f"select * from {relation}")
    ]


#: Moment, the hour at which its slot starts, basis (o observed, l lifetime, c catch-up), flags
#: (g gap, f fall, j jump), then the gains.
INCREMENTS = """
    # X: impressions likes replies retweets quotes bookmarks clicks, engagements, core
    a1 28T21:30 20 o . 100  4 0 0 0 0 -   4  4  # published 21:00, read 21:30: its first half hour
    a1 28T23:30 22 o .  60  2 0 0 0 0 -   2  2  # 160 - 100, 6 - 4
    a1 29T01:30 00 o f  40 -1 0 0 0 0 -  -1 -1  # 200 - 160, 5 - 6
    a1 29T21:59 20 o g 100  5 0 0 0 0 -   5  5  # 300 - 200, 10 - 5; 2 to 18 h are empty
    a1 29T22:10 22 o .  30  1 0 0 0 0 -   1  1
    a2 20T06:10 06 l . 500 20 0 0 0 0 -  20 20  # first reading 42 h after 18T12:00
    a2 20T08:10 08 o .  20  1 0 0 0 0 -   1  1
    a2 22T08:11 06 c g  80  4 0 0 0 0 -   4  4  # 48 h and one minute after the last
    a2 22T12:10 12 o .   0  0 0 0 0 0 -   0  0
    a3 19T00:00 00 l . 900 30 2 1 - - 7  33 33  # the file: 30 + 2 + 1; counts at 10T08:00
    # After a file: 950 - 900, 31 - 30; quotes and bookmarks are known for the first time.
    # Engagements 31 + 2 + 1 + 1 + 3 = 38, less 33; core 35 - 33. Due since 20T00:00, five empty.
    a3 21T06:05 06 c g  50  1 0 0 1 3 -   5  2
    a4 29T08:30 08 o .  10  1 0 0 0 0 -   1  1
    a4 29T10:30 10 o .  30  2 0 0 0 0 -   2  2
    a5 30T06:15 06 o .  70  - 0 0 0 0 -   -  -  # no likes: engagements unknown
    a5 30T08:15 08 o .   -  5 0 0 0 0 -   5  5
    a5 30T10:15 10 o .  25  3 0 0 0 0 -   3  3  # 95 - 70 (last known), 8 - 5
    a6 30T20:20 20 o .  20  1 0 0 0 0 -   1  1
    a6 30T22:20 22 o j 280 29 0 0 0 0 -  29 29  # 280 is 1,400 % of 20, 29 is 2,900 % of 1
    a6 31T06:20 06 o g  50  3 0 0 0 0 -   3  3
"""
PAGE_INCREMENTS = """
    # impressions likes comments shares clicks, engagements (all four), core (no clicks), reach
    b1 28T02:30 02 o .   50  2  1 0  3    6  3  40
    b1 28T04:30 04 o .   30  1  0 1  2    4  2  60
    b1 28T06:30 06 o .   20  0  1 0  1    2  1  75
    b1 28T08:30 08 o .   10  1  0 0  0    1  1  80
    b1 28T10:30 10 o .   10  0  0 1  2    3  1  80  # reach not sent: last known
    b1 28T12:30 12 o .    5  1  0 0  1    2  1  90
    b2 27T00:20 00 l . 1000 30 10 5 55  100 45 700  # 57 h after 24T15:00
    b2 27T06:20 06 o .   10  1  0 0  1    2  1 705
    b2 27T12:20 12 o .   20  0  1 0  2    3  1 710
    b2 27T18:20 18 o .   10  1  0 1  2    4  2 715
    b2 28T00:20 00 o .    5  0  0 0  1    1  0 718
    b3 30T14:10 14 o .    0  0  0 0  0    0  0   0
    b3 30T16:10 16 o .   40  1  0 0  2    3  1  30
    b3 30T18:10 18 o .   50  2  1 0  2    5  3  70
    b3 30T20:10 20 o .   30  1  0 1  2    4  2  95
    b3 30T22:10 22 o .   20  1  1 0  1    3  2 110
    b3 31T00:10 00 o .   10  0  0 0  1    1  0 118
    b4 31T04:10 04 o .   30  1  0 0  1    2  1  25
    b4 31T06:10 06 o .   25  1  0 1  1    3  2  45
    b4 31T08:10 08 o .   15  0  1 0  1    2  1  58
    b4 31T10:10 10 o .   10  1  0 0  0    1  1  66
"""
CLEO_INCREMENTS = """
    c1 29T20:30 20 o . 100  4 0 0 0 0 -   4  4
    c1 29T22:30 22 o .  50  2 0 0 0 0 -   2  2
    c2 30T20:30 20 o . 120  4 0 0 0 0 -   4  4
    c2 30T22:30 22 o .  60  2 0 0 0 0 -   2  2
    c3 20T08:30 08 o .   0  0 0 0 0 0 -   0  0
    c4 02-10T08:30 08 o . 330 3 0 0 0 0 - 3  3
    c5 2025-11-10T08:30 08 o . 200 2 0 0 0 0 - 2 2
"""
BASES = {"o": "observed", "l": "lifetime", "c": "catch_up"}
#: Lifetimes count when the post was published: in the two hours that hold 12:00, 08:00 and 15:00.
LIFETIME_SLOTS = {"a2": "18T12:00", "a3": "10T08:00", "b2": "24T14:00"}

X_CELLS = (*X, "clicks", "engagements", "engagements_core")
PAGE_CELLS = (*PAGE[:-1], "engagements", "engagements_core")


def increments(table: str, names: tuple[str, ...]) -> Iterator[Row]:
    for post, moment, hour, basis, flags, *gains in lines(table):
        told = dict(zip(names, map(number, gains), strict=True))
        slot = day(f"{moment.partition('T')[0]}T{hour}:00")
        is_lifetime = basis == "l"
        yield {
            "id": f"{post} {moment}",
            "post_id": post,
            "account_id": POSTS[post].account,
            "platform": POSTS[post].platform,
            "slot_start": slot,
            "collected_at": day(moment),
            "activity_at": POSTS[post].published_at if is_lifetime else day(moment),
            "activity_slot": day(LIFETIME_SLOTS[post]) if is_lifetime else slot,
            "source": "file" if (post, moment) == ("a3", "19T00:00") else "api",
            "basis": BASES[basis],
            "is_gap": "g" in flags,
            "is_correction": "f" in flags,
            "is_jump": "j" in flags,
            **{f"new_{name}": told.get(name) for name in GAINED},
            "unique_impressions": told.get("unique_impressions"),
        }


def worked_out_increments() -> list[Row]:
    return [
        *increments(INCREMENTS, X_CELLS),
        *increments(PAGE_INCREMENTS, (*PAGE_CELLS, "unique_impressions")),
        *increments(CLEO_INCREMENTS, X_CELLS),
    ]


def test_increments(built: Built) -> None:
    expected = worked_out_increments()
    ten_posts = [row["post_id"] for row in expected if row["account_id"] != "cleo"]
    assert (len(set(ten_posts)), len(ten_posts)) == (10, 40)
    assert_every_cell(rows(built, "marts.post_increments"), expected, "id")


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
CLEO_DAYS = """
    2025-11-10 200 2 0 0 0 0 - 2 2  200 2  1 2 1  # c5: the slot of 10 h is empty
    02-10      330 3 0 0 0 0 - 3 3  330 3  1 1 1  # c4, deleted in the slot of 10 h
    20           0 0 0 0 0 0 - 0 0    0 0  1 1 1  # c3, likewise
    29         150 6 0 0 0 0 - 6 6  150 6  1 2 2  # c1 100 + 50, 4 + 2; deleted in the slot of 0 h
    30         180 6 0 0 0 0 - 6 6  180 6  1 2 2  # c2 120 + 60, 4 + 2; likewise
"""


def days(account: str, table: str, names: tuple[str, ...]) -> list[Row]:
    found: list[Row] = []
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
            found[-1] |= cells
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
        found.append(
            {
                "account_id": account,
                "platform": ACCOUNTS[account].platform,
                "day": day(f"{words[0]}T00:00").date(),
                "timezone": ACCOUNTS[account].timezone,
                **cells,
                **observed,
            }
        )
    return found


def test_daily_metrics(built: Built) -> None:
    expected = (
        days("ada", ADA_DAYS, X_CELLS)
        + days("bea", BEA_DAYS, PAGE_CELLS)
        + days("cleo", CLEO_DAYS, X_CELLS)
    )
    assert_every_cell(rows(built, "marts.daily_metrics"), expected, "account_id", "day")


#: Less than 90 % of the slots are filled, or a period is not known: nothing is compared.
NO_CHANGES = ("n/a", "n/a")


def window(
    account: str,
    name: str,
    bounds: str,
    gained: dict[str, str],
    slots: str,
    rates: str,
    changes: tuple[str, str] = NO_CHANGES,
) -> Row:
    """A row of window_metrics: bounds, gains by quality, posts and slots, coverage and rates,
    changes of impressions and of engagements."""
    names = PAGE_CELLS if account == "bea" else X_CELLS
    cells: Row = {
        "account_id": account,
        "platform": ACCOUNTS[account].platform,
        "window_name": name,
        "timezone": ACCOUNTS[account].timezone,
    }
    columns: tuple[str, ...] = ("window_start", "window_end", "previous_start", "previous_end")
    moments = (at(f"20{text.replace('T', ' ')}") for text in bounds.split())
    cells |= dict(zip(columns, moments, strict=True))
    for quality in ("new", "observed", "previous_observed"):
        told = dict(zip(names, map(number, gained[quality].split()), strict=True))
        cells |= {f"{quality}_{metric}": told.get(metric) for metric in GAINED}
    columns = ("active_posts", "posts_published", "due_slots", "filled_slots")
    cells |= dict(zip(columns, map(int, slots.split()), strict=True))
    ratios: tuple[str, ...] = ("coverage", "previous_coverage", "engagement_rate")
    ratios += ("observed_engagement_rate", "previous_engagement_rate")
    cells |= dict(zip(ratios, map(decimal, rates.split()), strict=True))
    states = ("change_impressions_state", "change_engagements_state")
    return cells | dict(zip(states, changes, strict=True))


NONE_X, NONE_PAGE = "- - - - - - - - -", "- - - - - - -"
ADA_WEEK = "815 55 0 0 0 0 - 55 55"  # 100 + 240 + 145 + 330; 4 + 9 + 10 + 32
# 900 + 500 + 20 + 50 + 80 + 815; 30 + 20 + 1 + 1 + 4 + 55; engagements 33 + 20 + 1 + 5 + 4 + 55
ADA_ALL = {
    "new": "2365 111 2 1 1 3 7 118 115",
    "observed": "835 56 0 0 0 0 - 56 56",  # 20 + 0 + 815, 1 + 0 + 55
    "previous_observed": NONE_X,
}
BEA_WEEK = "400 15 6 5 26 52 26"  # 95 + 75 + 150 + 80; 4 + 3 + 5 + 3; ...
CLEO_WEEK = "330 12 0 0 0 0 - 12 12"  # c1 and c2: 150 + 180, 6 + 6
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
    window(
        "cleo",
        "24h",
        # 11:00 lies in the slot of 10 h
        "26-03-30T12:00 26-03-31T12:00 26-03-29T12:00 26-03-30T12:00",
        {
            "new": "180 6 0 0 0 0 - 6 6",  # c2
            "observed": "180 6 0 0 0 0 - 6 6",
            "previous_observed": "150 6 0 0 0 0 - 6 6",  # c1
        },
        "1 1 2 2",
        "1.0000 1.0000 0.0333 0.0333 0.0400",  # 2 / 2 and 2 / 2; 6 / 180, 6 / 150
        ("change", "no change"),  # from 150 to 180, from 6 to 6
    ),
    window(
        "cleo",
        "7d",
        "26-03-25T00:00 26-03-31T11:15 26-03-18T00:00 26-03-24T11:15",
        {
            "new": CLEO_WEEK,
            "observed": CLEO_WEEK,
            "previous_observed": "0 0 0 0 0 0 - 0 0",  # c3
        },
        "2 2 4 4",
        "1.0000 1.0000 0.0364 0.0364 -",  # 12 / 330; of 0 impressions there is no rate
        ("new", "new"),  # from 0
    ),
    window(
        "cleo",
        "30d",
        "26-03-02T00:00 26-03-31T11:15 26-01-31T00:00 26-03-01T11:15",
        {
            "new": CLEO_WEEK,  # c3 adds nothing
            "observed": CLEO_WEEK,
            "previous_observed": "330 3 0 0 0 0 - 3 3",  # c4
        },
        "3 3 5 5",
        "1.0000 1.0000 0.0364 0.0364 0.0091",  # 12 / 330, 3 / 330
        ("no change", "change"),  # 330 and 330, from 3 to 12
    ),
    window(
        "cleo",
        "90d",
        "26-01-01T00:00 26-03-31T11:15 25-10-03T00:00 25-12-31T11:15",
        {
            "new": "660 15 0 0 0 0 - 15 15",  # and c4: 330 + 330, 12 + 3
            "observed": "660 15 0 0 0 0 - 15 15",
            "previous_observed": "200 2 0 0 0 0 - 2 2",  # c5
        },
        "4 4 6 6",
        "1.0000 0.5000 0.0227 0.0227 0.0100",  # before 1 / 2; 15 / 660, 2 / 200
        # Both are known, but half of the slots before are empty.
        ("n/a", "n/a"),
    ),
]


def test_window_metrics(built: Built) -> None:
    states = {row["change_impressions_state"] for row in WINDOWS}
    assert states == {"n/a", "new", "no change", "change"}
    found = rows(built, "marts.window_metrics")
    assert_every_cell(found, WINDOWS, "account_id", "window_name")


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
    c1  150  6  - - -  0 0 0 0   -   6  6 0.0400  400.00
    c2  180  6  - - -  0 0 0 0   -   6  6 0.0333  333.33
    c3    0  0  - - -  0 0 0 0   -   0  0      -    0.00  # no rate of nothing; max(impressions, 1)
    c4  330  3  - - -  0 0 0 0   -   3  3 0.0091   90.91
    c5  200  2  - - -  0 0 0 0   -   2  2 0.0100  100.00
"""


def test_post_scores(built: Built) -> None:
    columns = (*COUNTERS, "unique_impressions", "engagements", "engagements_core")
    expected = [
        {
            "post_id": post,
            "metric_version": 1,
            "is_current_version": True,
            "account_id": POSTS[post].account,
            "platform": POSTS[post].platform,
            "published_at": POSTS[post].published_at,
            "collected_at": day(max(POSTS[post].readings)),
            **dict(zip(columns, map(number, cells[:-2]), strict=True)),
            "engagement_rate": decimal(cells[-2]),
            "engagement_score": decimal(cells[-1]),
            "score_capped": cells[-1] == "1000.00",
        }
        for post, *cells in lines(SCORES)
    ]
    assert_every_cell(rows(built, "marts.post_scores"), expected, "post_id")


# Each post's last snapshot of a day in Paris: impressions, likes, mean rate, best score; gains.
# Nobody reads Cleo.
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


def test_daily_rollup(built: Built) -> None:
    expected = [
        {
            "user_key": "user-1",
            "platform": platform,
            "day": day(f"{local_day}T00:00").date(),
            "total_impressions": number(cells[0]),
            "total_likes": number(cells[1]),
            "avg_engagement_rate": decimal(cells[2]),
            "peak_engagement_score": decimal(cells[3]),
            "new_impressions": number(cells[4]),
            "new_likes": number(cells[5]),
        }
        for platform, local_day, *cells in lines(ROLLUP)
    ]
    assert_every_cell(rows(built, "marts.daily_rollup"), expected, "platform", "day")


# Directive 1.2, its columns in order.
DIRECTIVE_TABLE = """
    id UUID,
    post_id UUID,
    platform VARCHAR(20),
    platform_post_id VARCHAR(255),
    impressions INTEGER,
    likes INTEGER,
    comments INTEGER,
    shares INTEGER,
    clicks INTEGER,
    replies INTEGER,
    retweets INTEGER,
    quotes INTEGER,
    bookmarks INTEGER,
    engagement_rate DECIMAL(5,4),
    engagement_score DECIMAL(8,2),
    collected_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE
"""


def test_snapshots_begin_with_the_columns_of_the_directive(built: Built) -> None:
    warehouse, _ = built
    with duckdb.connect() as connection:
        connection.execute(f"create table directive ({DIRECTIVE_TABLE})")
        wanted = connection.execute("select column_name, column_type from (describe directive)")
        columns = wanted.fetchall()
    described = warehouse.rows(
        "select column_name, column_type from (describe marts.analytics_snapshots)"
    )
    assert len(columns) == 17
    assert [tuple(row.values()) for row in described][:17] == columns


def snapshots() -> Iterator[Row]:
    for post, told in POSTS.items():
        for moment, words in told.readings.items():
            yield snapshot(post, moment, told.counters(moment), *words[-2:])
    # (30 + 2 + 1) / 900; (30 + 5 x 2 + 10 x 1) / 900: what a file does not know counts as 0
    yield snapshot("a3", "19T00:00", FILE, "0.0367", "555.56") | {
        "source": "file",
        "collected_basis": "assumed",
    }


def snapshot(
    post: str, moment: str, counters: Mapping[str, int | None], rate: str, score: str
) -> Row:
    return {
        "id": f"{post} {moment}",
        "post_id": post,
        "platform": POSTS[post].platform,
        "platform_post_id": post,
        **{counter: counters.get(counter) for counter in COUNTERS},
        "engagement_rate": decimal(rate),
        "engagement_score": decimal(score),
        "collected_at": day(moment),
        "created_at": at("2026-01-01 00:00"),  # when the rows landed
        "score_capped": None if score == "-" else score == "1000.00",
        "source": "api",
        "collected_basis": "observed",
    }


def test_snapshots_hold_what_was_read_with_its_rate_and_score(built: Built) -> None:
    assert_cells(rows(built, "marts.analytics_snapshots"), snapshots(), "id")


# Each quarter hour of activity holds one increment here. A slot counts in that in which it starts:
# the due and the filled ones of the 31st, when all of Cleo's posts were deleted. a1, a2, a3, b1 and
# b2 are due at 0, 6 and 12 h; a5, a6, b3 and b4 every two hours.
SLOTS_OF_THE_31ST = """
    ada 00 5 0    bea 00 3 1  # b3
    ada 02 2 0    bea 02 1 0
    ada 04 2 0    bea 04 2 1  # b4, published at 04:00
    ada 06 5 1    bea 06 4 1  # a6; b4
    ada 08 2 0    bea 08 2 1
    ada 10 2 0    bea 10 2 1
    ada 12 5 0    bea 12 4 0
"""
#: Minute of an activity -> that of its quarter hour.
QUARTERS = {"00": 0, "05": 0, "10": 0, "11": 0, "15": 15, "20": 15, "30": 30, "59": 45}


def test_quarter_hours_hold_the_activity_of_a_post_and_the_slots_that_start(built: Built) -> None:
    gained = [
        {
            "account_id": row["account_id"],
            "quarter_hour": (moment := row["activity_at"]).replace(minute=QUARTERS[f"{moment:%M}"]),
            **{f"new_{name}": row[f"new_{name}"] for name in GAINED},
            **{
                f"observed_{name}": row[f"new_{name}"] if row["basis"] == "observed" else None
                for name in GAINED
            },
            "active_posts": 1,
        }
        for row in worked_out_increments()
    ]
    active = rows(built, "marts.quarter_hour_metrics where active_posts > 0")
    assert_cells(active, gained, "account_id", "quarter_hour")
    slots = [
        {
            "account_id": words[place],
            "quarter_hour": day(f"31T{words[place + 1]}:00"),
            "due_slots": int(words[place + 2]),
            "filled_slots": int(words[place + 3]),
        }
        for words in lines(SLOTS_OF_THE_31ST)
        for place in (0, 4)
    ]
    due = rows(
        built, "marts.quarter_hour_metrics where due_slots > 0 and quarter_hour >= '2026-03-31'"
    )
    assert_cells(due, slots, "account_id", "quarter_hour")


# What each account kind, and each layout of X's files, offers (o offered, s needs a scope, - not
# offered), and what counts as engagements (e) and as their core (c). A file's engagements lack what
# its layout does not offer.
#         impressions likes comments shares clicks replies retweets quotes bookmarks reach
AVAILABILITY = """
    linkedin page    api        o oec oec oec oe -   -   -   -  o
    linkedin member  api        o oec oec oec s  -   -   -   s  o
    twitter  profile api        o oec -   -   s  oec oec oec oe -
    twitter  profile x_legacy   o oec -   -   o  oec oec -ec -e -
    twitter  profile x_content  o oec -   -   o  oec oec -ec oe -
"""
OFFERS = {"o": "offered", "s": "needs_scope", "-": "not_offered"}


def test_what_each_platform_offers(built: Built) -> None:
    expected = [
        {
            "platform": platform,
            "account_kind": kind,
            "source": "api" if layout == "api" else "file",
            "layout": layout,
            "metric": metric,
            "availability": OFFERS[told[0]],
            "in_engagements": "e" in told,
            "in_engagements_core": "c" in told,
        }
        for platform, kind, layout, *cells in lines(AVAILABILITY)
        for metric, told in zip((*COUNTERS, "unique_impressions"), cells, strict=True)
    ]
    found = rows(built, "marts.metric_availability")
    assert_cells(found, expected, "platform", "account_kind", "layout", "metric")


# --- posts at one age -------------------------------------------------------------------------

# b2 reached 72 h at 27T15:00, after 160 of the 360 minutes between 12:20 and 18:20, or 4 / 9:
# impressions 1,030 + 10 x 4 / 9 = 1,034.4, likes 31 + 4 / 9, comments 11, shares 5 + 4 / 9,
# clicks 58 + 2 x 4 / 9 = 58.9, engagements 105 + 4 x 4 / 9 = 106.8, core 47 + 2 x 4 / 9 = 47.9.
# No other post was read around an age.
AT_72_HOURS: Row = dict.fromkeys(GAINED) | {
    "impressions": 1034,
    "likes": 31,
    "comments": 11,
    "shares": 5,
    "clicks": 59,
    "engagements": 107,
    "engagements_core": 48,
    "engagement_rate": Decimal("0.1035"),  # 107 / 1,034
}


def test_values_at_an_age(built: Built) -> None:
    b2 = {
        "post_id": "b2",
        "age_hours": 72,
        "account_id": "bea",
        "platform": "linkedin",
        "published_at": day("24T15:00"),
        "reached_at": day("27T15:00"),
        "is_interpolated": True,
        **AT_72_HOURS,
        "engagement_score": Decimal(1000),  # (31 + 55 + 50 + 118) / 1,034 is above a tenth
        "metric_version": 1,
    }
    assert_every_cell(rows(built, "marts.post_age_values"), [b2], "post_id", "age_hours")


def test_one_post_alone_is_compared_with_nothing(built: Built) -> None:
    hidden = ("lower_quartile", "median", "upper_quartile", "mean", "percentile")
    own_values = {
        "impressions": Decimal(1034),
        "engagements": Decimal(107),
        "engagement_rate": Decimal("0.1035"),
        "engagement_score": Decimal(1000),
    }
    expected = [
        {
            "post_id": "b2",
            "metric": metric,
            "account_id": "bea",
            "platform": "linkedin",
            "published_at": day("24T15:00"),
            "comparison": "same age",
            "age_hours": 72,
            "is_same_type": False,
            "own_value": own_value,
            "n": 0,
            **dict.fromkeys(hidden),
        }
        for metric, own_value in own_values.items()
    ]
    assert_every_cell(rows(built, "marts.post_benchmarks"), expected, "post_id", "metric")
    # A post counts for an hour once five before it tell the level: there is no hour to speak of.
    assert rows(built, "marts.posting_times") == []


# Account, window, age; posts published, compared, too young, not recorded; of the period before
# compared and not recorded. Too young: the age is reached after the account's newest success.
PUBLISHED = """
    ada  7d   24  4 0 1 3  0 1  # a1, a4, a5; a6 on the 31st at 20:00. Before: a2
    ada  30d  72  6 0 4 2  0 0  # a2, a3; a1 reaches it at 31T21:00, the others in April
    ada  90d 168  6 0 4 2  0 0
    bea  7d   24  3 0 2 1  0 0  # b1; b3 and b4 are of the 30th and 31st. b2 is of neither period
    bea  30d  72  4 1 2 1  0 0  # b2; b1 reached it at 31T02:00
    bea  90d 168  4 0 4 0  0 0  # b2 reaches it at 31T15:00
    cleo 7d   24  2 0 1 1  0 1  # c1; c2. Before: c3
    cleo 30d  72  3 0 2 1  0 1  # c3; before: c4
    cleo 90d 168  4 0 2 2  0 1  # c3, c4; before: c5
"""


def test_posts_published_in_a_window(built: Built) -> None:
    counts = (
        *("age_hours", "posts_published", "compared_posts", "too_young_posts"),
        *("unrecorded_posts", "previous_compared_posts", "previous_unrecorded_posts"),
    )
    bounds = {(row["account_id"], row["window_name"]): row for row in WINDOWS}
    shared = (
        *("account_id", "platform", "window_name", "timezone"),
        *("window_start", "window_end", "previous_start", "previous_end"),
    )
    unknown: Row = dict.fromkeys((*GAINED, "engagement_rate"))
    expected = [
        {
            **{name: bounds[account, window_name][name] for name in shared},
            **dict(zip(counts, map(int, numbers), strict=True)),
            **(AT_72_HOURS if (account, window_name) == ("bea", "30d") else unknown),
            **{f"previous_{name}": None for name in unknown},
            "change_impressions_state": "n/a",
            "change_engagements_state": "n/a",
        }
        for account, window_name, *numbers in lines(PUBLISHED)
    ]
    found = rows(built, "marts.published_window_metrics")
    assert_every_cell(found, expected, "account_id", "window_name")


def test_key_columns_of_the_other_marts(built: Built) -> None:
    # a6 rose from 20 to 300 impressions (280 / 20 = 1,400 %) and from 1 to 30 likes, two hours old.
    flags = [
        {
            "snapshot_id": "a6 30T22:20",
            "metric": metric,
            "change_percent": percent,
            "status": "expected",
        }
        for metric, percent in (("impressions", 1400), ("likes", 2900))
    ]
    assert_cells(rows(built, "marts.metric_delta_flags"), flags, "snapshot_id", "metric")
    # The last seven days of each; slots were due and none was filled on 23 to 27, and 29.
    health = [
        {"account_id": "ada", "due_slots_7d": 109, "filled_slots_7d": 13, "missing_days_30d": 5},
        {"account_id": "bea", "due_slots_7d": 66, "filled_slots_7d": 21, "missing_days_30d": 1},
        {"account_id": "cleo", "due_slots_7d": 4, "filled_slots_7d": 4, "missing_days_30d": 0},
    ]
    assert_cells(rows(built, "marts.collection_health"), health, "account_id")
    growth = [  # 23:00 on the 29th in Paris, 12:00 on the 30th
        {"day": day("29T00:00").date(), "followers": 100, "followers_gained": None},
        {"day": day("30T00:00").date(), "followers": 110, "followers_gained": 10},
    ]
    assert_cells(rows(built, "marts.audience_growth"), growth, "day")
    accounts = [
        {"account_id": "ada", "as_of": day("31T12:00"), "posts": 6},
        {"account_id": "bea", "as_of": day("31T11:00"), "posts": 4},
        {"account_id": "cleo", "as_of": day("31T11:00"), "posts": 5},
    ]
    assert_cells(rows(built, "marts.accounts"), accounts, "account_id")
    members = [
        {"account_id": "ada", "user_key": "user-1", "role": "owner"},
        {"account_id": "bea", "user_key": "user-1", "role": "viewer"},
    ]
    assert_cells(rows(built, "marts.account_members"), members, "account_id", "user_key")
    posts = [
        {
            "post_id": name,
            "published_at": told.published_at,
            "deleted_at": told.deleted_at,
            "is_deleted": name in ("a4", "c1", "c2", "c3", "c4", "c5"),
            "has_file_snapshots": name == "a3",
        }
        for name, told in POSTS.items()
    ]
    assert_cells(rows(built, "marts.posts"), posts, "post_id")
