"""Canned answers of the API, built from its own response models and therefore valid.

A small world with a fixed clock: one LinkedIn page and one X profile, 120 days of numbers that
anyone can recompute, one deleted post, one gap in the readings.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from api import schemas as s

NAMESPACE = UUID("6f0c6a1e-5a43-4f0e-9d0e-0c5c2f6d7a10")
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 22, 16, 5, tzinfo=UTC)
TODAY = date(2026, 11, 22)
FIRST_DAY = TODAY - timedelta(days=119)
#: No reading succeeded on this day: the chart shows a gap.
GAP = date(2026, 11, 9)
LENGTHS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
PLATFORMS: tuple[s.Platform, ...] = ("linkedin", "twitter")

ACCOUNTS = [
    s.Account(
        account_id=uuid5(NAMESPACE, "linkedin"),
        platform="linkedin",
        account_kind="page",
        handle="harbour-robotics",
        display_name="Harbour Robotics",
        timezone="Europe/Berlin",
        is_proven=True,
        posts=48,
        as_of=NOW,
        stale=False,
    ),
    s.Account(
        account_id=uuid5(NAMESPACE, "twitter"),
        platform="twitter",
        account_kind="profile",
        handle="harbour_bots",
        display_name="Harbour Robotics",
        timezone="Europe/Berlin",
        is_proven=True,
        posts=120,
        as_of=NOW - timedelta(hours=1),
        stale=False,
    ),
]

TEXTS = [
    "We measured our new gripper on 10,000 parcels. The failure rate fell from 3.1% to 0.4%.",
    "Hiring: a controls engineer in Hamburg who likes salt water, forklifts and unit tests.",
    "Five things that broke in production last month, and what we changed so they cannot again",
    "A short thread on why warehouse robots queue like people do, and why that is bad 🧵",
    "Our open dataset of 40 hours of crane camera footage is now downloadable by everyone.",
    "Thank you, everyone who came to the harbour open day!",
    "How do you test a robot arm that must never touch anything? Slowly. Here is our rig.",
    None,
    "New paper: predicting pallet wobble from one accelerometer (code included)",
    "Ask us anything about running ROS 2 on boats. We have made every mistake already.",
    "The best bug report we ever got came from a seagull.",
    "Version 2.4 is out: half the calibration time, twice the patience.",
]


def _start_of(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC)


def impressions_on(platform: s.Platform, day: date) -> int | None:
    """A number for each day: LinkedIn with a dip at weekends, X noisier and larger."""
    if day == GAP or not FIRST_DAY <= day <= TODAY:
        return None
    n = (day - FIRST_DAY).days
    if platform == "linkedin":
        base = 620 + 4 * n + (n * 37) % 190
        value = base // 3 if day.weekday() >= 5 else base
    else:
        value = 900 + 2 * n + (n * 71) % 520 + (2600 if n % 29 == 11 else 0)
    return value * 2 // 3 if day == TODAY else value


def _counters(platform: s.Platform, impressions: int | None) -> s.Counters:
    if impressions is None:
        return s.Counters()
    likes = impressions // 50
    if platform == "linkedin":
        comments, shares, clicks = impressions // 300, impressions // 450, impressions // 90
        return s.Counters(
            impressions=impressions,
            likes=likes,
            comments=comments,
            shares=shares,
            clicks=clicks,
            engagements=likes + comments + shares + clicks,
            engagements_core=likes + comments + shares,
        )
    replies, retweets = impressions // 400, impressions // 260
    quotes, bookmarks = impressions // 1500, impressions // 500
    return s.Counters(
        impressions=impressions,
        likes=likes,
        clicks=impressions // 120,
        replies=replies,
        retweets=retweets,
        quotes=quotes,
        bookmarks=bookmarks,
        engagements=likes + replies + retweets + quotes + bookmarks,
        engagements_core=likes + replies + retweets + quotes,
    )


def _rate(engagements: int | None, impressions: int | None) -> float | None:
    if not impressions or engagements is None:
        return None
    return round(engagements / impressions, 4)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _bounds(query: dict[str, str]) -> tuple[s.WindowName, date, date]:
    name = query.get("window", "30d")
    if name == "custom":
        return "custom", date.fromisoformat(query["from"]), date.fromisoformat(query["to"])
    last = TODAY
    return name, last - timedelta(days=LENGTHS[name] - 1), last  # type: ignore[return-value]


def _period(first: date, last: date) -> dict[str, object]:
    return {
        "from_": first,
        "to": last,
        "start": _start_of(first),
        "end": min(_start_of(last + timedelta(days=1)), NOW) if last == TODAY else _start_of(
            last + timedelta(days=1)
        ),
    }


def _sum(platforms: list[s.Platform], days: list[date], metric: str) -> int | None:
    values = [
        getattr(_counters(platform, impressions_on(platform, day)), metric)
        for platform in platforms
        for day in days
    ]
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _change(now: int | None, before: int | None, *, compared: bool) -> s.Change:
    unknown = {"percent": None, "points": None, "direction": None, "greyed": False}
    if not compared:
        return s.Change(state="n/a", reason="not compared", **unknown)
    if now is None or before is None:
        return s.Change(state="n/a", reason="not connected yet", **unknown)
    percent = round((now - before) / before * 100, 1)
    return s.Change(
        state="change",
        reason=None,
        percent=percent,
        points=None,
        direction="up" if percent > 0 else "down",
        greyed=before < 30,
    )


def _rate_change(now: float | None, before: float | None, *, compared: bool) -> s.Change:
    change = _change(1, 1, compared=compared)
    if now is None or before is None or not compared:
        return _change(None, None, compared=compared)
    points = round((now - before) * 100, 2)
    state = "no change" if points == 0 else "change"
    direction = "flat" if points == 0 else "up" if points > 0 else "down"
    return change.model_copy(
        update={"state": state, "percent": None, "points": points, "direction": direction}
    )


def _chosen(accounts: list[str]) -> list[s.Platform]:
    return [
        account.platform
        for account in ACCOUNTS
        if not accounts or str(account.account_id) in accounts
    ]


def _trend(name: str, platforms: list[s.Platform], days: list[date]) -> s.Trend:
    if name == "24h":
        starts = [NOW.replace(hour=16, minute=0) - timedelta(hours=6 * n) for n in (4, 3, 2, 1)]
        buckets = [
            s.Bucket(
                day=start.astimezone(ZONE).date(),
                start=start,
                end=start + timedelta(hours=6),
                partial=n == 3,
            )
            for n, start in enumerate(starts)
        ]
        amounts = [(210, 340), (95, 260), (180, 330), (120, 190)]
        points = {
            platform: [_counters(platform, pair[n]) for pair in amounts]
            for n, platform in enumerate(PLATFORMS)
        }
    else:
        buckets = [
            s.Bucket(
                day=day,
                start=_start_of(day),
                end=_start_of(day + timedelta(days=1)),
                partial=day == TODAY,
            )
            for day in days
        ]
        points = {
            platform: [_counters(platform, impressions_on(platform, day)) for day in days]
            for platform in PLATFORMS
        }
    return s.Trend(
        bucket="6h" if name == "24h" else "day",
        buckets=buckets,
        series=[
            s.TrendSeries(
                platform=platform,
                points=[
                    s.TrendPoint(
                        **counters.model_dump(),
                        engagement_rate=_rate(counters.engagements, counters.impressions),
                    )
                    for counters in points[platform]
                ],
            )
            for platform in platforms
        ],
    )


def _post(n: int, text: str | None) -> s.PostRow:
    platform = PLATFORMS[n % 2]
    counters = _counters(platform, 1200 + (n * 7919) % 23000)
    deleted = n == 5
    published = NOW - timedelta(days=2 * n + 1, hours=3 * n)
    return s.PostRow(
        post_id=uuid5(NAMESPACE, f"post {n}"),
        account_id=ACCOUNTS[n % 2].account_id,
        platform=platform,
        platform_post_id=f"{1_790_000_000_000_000_000 + n}",
        post_type="article" if n == 8 else "post",
        published_at=published,
        is_deleted=deleted,
        text_preview=None if deleted else text,
        url=None if deleted else f"https://example.com/{platform}/{n}",
        as_of=NOW,
        counters=counters,
        unique_impressions=None,
        engagement_rate=_rate(counters.engagements, counters.impressions),
        engagement_score=1000.0 if n == 0 else round(880 - 61.37 * n, 2),
        score_capped=n == 0,
        gained=_counters(platform, (counters.impressions or 0) // (3 + n)),
    )


POSTS = [_post(n, text) for n, text in enumerate(TEXTS)]


def _sorted_posts(platforms: list[s.Platform], sort: str, order: str) -> list[s.PostRow]:
    def value(post: s.PostRow) -> float:
        found = getattr(post, sort) if hasattr(post, sort) else getattr(post.counters, sort)
        return found.timestamp() if isinstance(found, datetime) else found

    posts = [post for post in POSTS if post.platform in platforms]
    return sorted(posts, key=value, reverse=order == "desc")


def _window_answer(query: dict[str, str], accounts: list[str]) -> dict[str, object]:
    name, first, last = _bounds(query)
    length = (last - first).days + 1
    compared = query.get("compare", "previous") == "previous"
    platforms = _chosen(accounts)
    empty = last < FIRST_DAY or first > TODAY
    before = _period(first - timedelta(days=length), first - timedelta(days=1))
    return {
        "as_of": NOW,
        "published_at": NOW + timedelta(minutes=4),
        "generation": 42,
        "accounts": [account for account in ACCOUNTS if account.platform in platforms],
        "window": s.Window(
            name=name,
            tz=str(ZONE),
            lens="gained",
            open_day=last == TODAY,
            **_period(first, last),  # type: ignore[arg-type]
        ),
        "previous": s.Period(**before) if compared else None,  # type: ignore[arg-type]
        "is_empty": empty,
        "newest_period_with_data": (
            s.OfferedPeriod(from_=TODAY - timedelta(days=29), to=TODAY) if empty else None
        ),
        "coverage": s.Coverage(
            due_slots=1000, filled_slots=990, coverage=0.99, previous_coverage=0.985
        ),
        "metric_completeness": {"impressions": 1.0},
        "maturity": None,
    }


def _count_card(
    platforms: list[s.Platform], days: list[date], metric: str, history: int, *, compared: bool
) -> s.CountCard:
    observed = _sum(platforms, days, metric)
    previous = _sum(platforms, [day - timedelta(days=len(days)) for day in days], metric)
    return s.CountCard(
        value=None if observed is None else observed + history,
        observed=observed,
        from_history=history,
        previous_observed=previous,
        change=_change(observed, previous, compared=compared),
    )


def overview(query: dict[str, str], accounts: list[str]) -> s.OverviewAnswer:
    """GET /api/analytics/overview of this world."""
    name, first, last = _bounds(query)
    days = _days(first, last)
    platforms = _chosen(accounts)
    compared = query.get("compare", "previous") == "previous"
    history = 12_840 if last == TODAY and len(days) >= 30 else 0
    impressions = _count_card(platforms, days, "impressions", history, compared=compared)
    engagements = _count_card(platforms, days, "engagements", history // 40, compared=compared)
    rate = _rate(engagements.observed, impressions.observed)
    previous = _rate(engagements.previous_observed, impressions.previous_observed)
    standing = []
    for platform in platforms:
        shown = _sum([platform], days, "impressions")
        core = _sum([platform], days, "engagements_core")
        standing.append(
            s.PlatformRate(
                platform=platform,
                rate=_rate(core, shown),
                impressions=shown,
                engagements_core=core,
                active_posts=12,
                eligible=bool(shown),
            )
        )
    standing.sort(key=lambda entry: entry.rate or 0, reverse=True)
    found = bool(standing) and standing[0].eligible
    return s.OverviewAnswer(
        **_window_answer(query, accounts),  # type: ignore[arg-type]
        cards=s.OverviewCards(
            impressions=impressions,
            engagements=engagements,
            engagement_rate=s.RateCard(
                value=rate,
                avg_engagement_rate=None if rate is None else round(rate * 1.1, 4),
                median=None if rate is None else round(rate * 0.8, 4),
                previous=previous,
                change=_rate_change(rate, previous, compared=compared),
            ),
            best_platform=s.BestPlatform(
                platform=standing[0].platform if found else None,
                state="found" if found else "not enough data",
                platforms=standing,
            ),
        ),
        trend=_trend(name, platforms, days),
        top_posts=_sorted_posts(platforms, "engagement_score", "desc")[:10],
    )


def posts(query: dict[str, str], accounts: list[str]) -> s.PostsAnswer:
    """GET /api/analytics/posts of this world."""
    sort, order = query.get("sort", "engagement_score"), query.get("order", "desc")
    matching = _sorted_posts(_chosen(accounts), sort, order)
    return s.PostsAnswer(
        **_window_answer(query, accounts),  # type: ignore[arg-type]
        posts=matching[:10],
        total=len(matching),
        limit=10,
        offset=0,
        next_offset=None,
        sort=sort,  # type: ignore[arg-type]
        order=order,  # type: ignore[arg-type]
    )


def session(accounts: list[s.Account]) -> s.SessionAnswer:
    """GET /api/session of this world's only user."""
    return s.SessionAnswer(
        user=s.SessionUser(name="mira", timezone=str(ZONE)),
        authentication="session",
        scopes=["read"],
        accounts=accounts,
        generation=42,
        published_at=NOW,
        as_of=NOW,
    )
