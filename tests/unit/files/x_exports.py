"""Writes X exports of the legacy layout, for tests to damage."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

FIXTURE = (
    Path(__file__).parents[2]
    / "fixtures/files/tweet_activity_metrics_nexus_demo_20260101_20260201_en.csv"
)
IMPORTED_AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)

_METRICS = (
    "impressions engagements engagement_rate retweets replies likes user_profile_clicks url_clicks"
    " hashtag_clicks detail_expands permalink_clicks app_opens app_installs follows email_tweet"
    " dial_phone media_views media_engagements"
)
_COUNTERS = [name.replace("_", " ") for name in _METRICS.split()]
HEADER = [
    *("Tweet id", "Tweet permalink", "Tweet text", "time"),
    *_COUNTERS,
    *(f"promoted {name}" for name in _COUNTERS),
]


def row(post_id: int | str = 1001, handle: str = "nexus_demo", **fields: str) -> list[str]:
    """A usable row, with the given fields (header names, `_` for a space) in place of its own."""
    values = dict.fromkeys(HEADER, "0.0") | {name: "-" for name in HEADER if "promoted" in name}
    values |= {
        "Tweet id": str(post_id),
        "Tweet permalink": f"https://twitter.com/{handle}/status/{post_id}",
        "Tweet text": "Hello",
        "time": "2026-01-05 10:00 +0000",
        "impressions": "100.0",
    }
    values |= {name.replace("_", " "): value for name, value in fields.items()}
    assert len(values) == len(HEADER), values.keys() - set(HEADER)
    return list(values.values())


def csv_text(
    rows: Sequence[Sequence[str]], *, header: Sequence[str] = HEADER, newline: str = "\n"
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=newline)
    writer.writerows([header, *rows])
    return out.getvalue()


def save(folder: Path, content: str | bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
