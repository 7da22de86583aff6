"""The stand-in's world: accounts, posts and counters, all pure functions of (seed, post, time).

Nothing here remembers anything: two servers with one seed give the same numbers for the same
moment, in any order of asking, and a test can ask the world directly what the truth is. Times
are seconds since 1970 in UTC (`float`), which keeps the hot path free of datetime arithmetic.

Impressions come in waves `size * (1 - exp(-x / tau))`, where x is not clock time but the
audience's activity since publication: hours weighted by weekday and hour of day. All other
counters follow impressions at the post's own rates.
"""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Literal

from ingest.clock import as_utc
from ingest.platforms.base import AccountKind
from ingest.sandbox.texts import TOPICS, compose, compose_reply

PlatformName = Literal["twitter", "linkedin"]

DAY = 86_400.0
HOUR = 3_600.0
#: X snowflake ids count milliseconds from here (platform-apis.md section 3).
X_EPOCH_MS = 1_288_834_974_657
#: Low 22 bits of an id: 12 bits number of the account in the world, 10 bits of noise.
MAX_ACCOUNTS = 1 << 12

#: Counter names in the order of `Post.counts`; the first is impressions for every kind.
METRICS: Mapping[AccountKind, tuple[str, ...]] = {
    "profile": (
        "impression_count",
        "like_count",
        "reply_count",
        "retweet_count",
        "quote_count",
        "bookmark_count",
        "url_link_clicks",
        "user_profile_clicks",
        "detail_expands",
    ),
    "page": (
        "impressionCount",
        "uniqueImpressionsCount",
        "clickCount",
        "likeCount",
        "commentCount",
        "shareCount",
    ),
    "member": (
        "IMPRESSION",
        "MEMBERS_REACHED",
        "RESHARE",
        "REACTION",
        "COMMENT",
        "POST_SAVE",
        "POST_SEND",
        "LINK_CLICKS",
        "PREMIUM_CTA_CLICKS",
        "FOLLOWER_GAINED_FROM_CONTENT",
        "PROFILE_VIEW_FROM_CONTENT",
    ),
}
#: Typical count per impression, in the order of METRICS.
_RATES: Mapping[AccountKind, tuple[float, ...]] = {
    "profile": (1.0, 0.010, 0.0010, 0.0010, 0.0003, 0.0012, 0.005, 0.004, 0.02),
    "page": (1.0, 0.70, 0.010, 0.009, 0.0010, 0.0007),
    "member": (1.0, 0.62, 0.0020, 0.025, 0.0040, 0.0020, 0.001, 0.008, 0.0, 0.0008, 0.003),
}
#: Typical lifetime impressions per follower.
_REACH: Mapping[AccountKind, float] = {"profile": 0.12, "page": 0.30, "member": 0.55}
_PLATFORM: Mapping[AccountKind, PlatformName] = {
    "profile": "twitter",
    "page": "linkedin",
    "member": "linkedin",
}

# Weights by hour of day (local to the audience) and by weekday (Monday first).
_AUDIENCE_HOURS = (
    0.30, 0.20, 0.15, 0.12, 0.15, 0.30, 0.60, 1.00, 1.45, 1.60, 1.50, 1.35,
    1.40, 1.45, 1.35, 1.25, 1.20, 1.30, 1.40, 1.45, 1.35, 1.10, 0.80, 0.50,
)  # fmt: skip
_AUDIENCE_DAYS = (1.05, 1.15, 1.15, 1.10, 1.00, 0.75, 0.80)
_POSTING_HOURS = (*[0] * 5, 1, 3, 6, 10, 11, 9, 6, 7, 8, 7, 6, 6, 6, 4, 3, 3, 2, 1, 1)
_POSTING_DAYS = (1.15, 1.2, 1.2, 1.15, 1.05, 0.6, 0.65)
_MONDAY_OFFSET_HOURS = 72  # 1970-01-01 was a Thursday


def _weekly_activity() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Activity of each hour of the week (mean 1) and the sums before each hour."""
    raw = [day * hour for day in _AUDIENCE_DAYS for hour in _AUDIENCE_HOURS]
    mean = sum(raw) / len(raw)
    weights = tuple(weight / mean for weight in raw)
    sums = tuple(math.fsum(weights[:hour]) for hour in range(len(weights)))
    return weights, sums


_WEIGHTS, _SUMS = _weekly_activity()


def audience_activity(t: float) -> float:
    """Audience hours from 1970 to `t`: grows by 168 a week, fast by day, slowly at night."""
    weeks, hour = divmod(t / HOUR + _MONDAY_OFFSET_HOURS, 168.0)
    index = int(hour)
    return weeks * 168.0 + _SUMS[index] + (hour - index) * _WEIGHTS[index]


@dataclass(frozen=True)
class Habits:
    """How often an account's posts are out of the ordinary (shares of its posts)."""

    replies: float = 0.12
    retweets: float = 0.08
    quotes: float = 0.05
    edited: float = 0.03
    deleted: float = 0.02
    dead: float = 0.08
    viral: float = 0.03
    quiet_start: float = 0.15
    corrected: float = 0.15


#: Nothing but ordinary posts: for benchmarks that count requests and rows.
PLAIN = Habits(replies=0, retweets=0, quotes=0, edited=0, deleted=0, dead=0, quiet_start=0)


@dataclass(frozen=True)
class AccountSpec:
    """One account of a world. `users` are the people of Nexus who may connect it."""

    kind: AccountKind
    handle: str
    users: tuple[str, ...]
    name: str = ""
    topic: str = "data"
    posts_per_day: float = 1.5
    followers: int = 8_000
    followers_per_day: float = 9.0
    utc_offset_hours: float = 0.0
    habits: Habits = field(default_factory=Habits)

    def __post_init__(self) -> None:
        if self.topic not in TOPICS:
            raise ValueError(f"topic {self.topic!r} is not one of {', '.join(TOPICS)}")
        if self.kind == "member" and len(self.users) != 1:
            raise ValueError("a LinkedIn member belongs to exactly one user")


@dataclass(frozen=True)
class Version:
    """One id of a post: an edit on X gives a post a new id from `since` on."""

    id: int
    since: float


class Post:
    """One post. `counts(t)` is everything that changes; the rest is fixed at birth."""

    __slots__ = (
        "_text",
        "account",
        "activity_id",
        "born",
        "corrections",
        "deleted_at",
        "has_media",
        "phases",
        "published",
        "rates",
        "referenced",
        "type",
        "urn",
        "versions",
        "waves",
    )

    def __init__(self, account: "Account", rng: random.Random, published: float) -> None:
        spec = account.spec
        habits = spec.habits
        self.account = account
        self.published = published
        self.born = account.activity(published)
        self.versions: tuple[Version, ...] = (Version(account.mint_id(published, rng), published),)
        self.activity_id = account.mint_id(published + 0.25, rng)
        self.type, self.has_media = _draw_type(rng, spec)
        self.urn = _urn(self)
        self.referenced: tuple[str, int, int] | None = _draw_reference(rng, self.type, published)
        self._text: str | None = None
        self.deleted_at = math.inf
        if rng.random() < habits.deleted:
            self.deleted_at = published + rng.uniform(1 * HOUR, 20 * DAY)
        self.waves = _draw_waves(rng, account, self)
        mood = rng.lognormvariate(0.0, 0.45)
        rates = _RATES[spec.kind]
        self.rates = (
            rates[1] * rng.uniform(0.88, 1.15),
            *(rate * mood * rng.lognormvariate(0.0, 0.3) for rate in rates[2:]),
        )
        self.phases = tuple(rng.random() for _ in self.rates)
        self.corrections: tuple[tuple[int, float, int], ...] = ()
        if spec.kind == "page" and rng.random() < habits.corrected:
            likes = METRICS["page"].index("likeCount") - 1
            self.corrections = (
                (likes, published + rng.uniform(0.5, 12) * DAY, rng.choice((1, 1, 2, 3))),
            )

    @property
    def id(self) -> int:
        """The first id; an edited post has more (`versions`)."""
        return self.versions[0].id

    @property
    def text(self) -> str:
        """The plain text, made when first read."""
        if self._text is None:
            self._text = _draw_text(random.Random(self.id), self)  # noqa: S311
        return self._text

    def exists(self, t: float) -> bool:
        return self.published <= t < self.deleted_at

    def version(self, t: float) -> int:
        """Index of the newest version at `t`."""
        index = len(self.versions) - 1
        while index and self.versions[index].since > t:
            index -= 1
        return index

    def impressions(self, t: float) -> float:
        elapsed = self.account.activity(t) - self.born
        reach = 0.0
        for start, size, tau in self.waves:
            if elapsed > start:
                reach += size * (1.0 - math.exp((start - elapsed) / tau))
        return reach

    def counts(self, t: float) -> tuple[int, ...]:
        """All counters at `t`, cumulative, in the order of METRICS[kind]; all versions together."""
        if self.type == "retweet":
            return self._counts_of_retweet(t)
        reach = self.impressions(t)
        if reach <= 0.0:
            return (0,) * (len(self.rates) + 1)
        counted = [
            int(rate * reach + phase) for rate, phase in zip(self.rates, self.phases, strict=True)
        ]
        for metric, since, amount in self.corrections:
            if t >= since:
                counted[metric] -= amount
        return (int(reach), *counted)

    def version_counts(self, index: int, t: float) -> tuple[int, ...]:
        """Counters of one version: what came while it was the newest."""
        if len(self.versions) == 1:
            return self.counts(t)
        end = self.versions[index + 1].since if index + 1 < len(self.versions) else t
        before = self.counts(self.versions[index].since)
        return tuple(now - then for now, then in zip(self.counts(min(t, end)), before, strict=True))

    def _counts_of_retweet(self, t: float) -> tuple[int, ...]:
        """X shows a retweet with the retweets of the original and zero of everything else."""
        names = METRICS[self.account.spec.kind]
        shared = 20 + self.versions[0].id % 400 + int(self.impressions(t) / 40)
        return tuple(shared if name == "retweet_count" else 0 for name in names)


def _draw_type(rng: random.Random, spec: AccountSpec) -> tuple[str, bool]:
    """Type of a post and whether it carries media."""
    draw = rng.random()
    if spec.kind == "profile":
        habits = spec.habits
        for share, name in (
            (habits.replies, "reply"),
            (habits.retweets, "retweet"),
            (habits.quotes, "quote"),
        ):
            if draw < share:
                return name, False
            draw -= share
        return "post", rng.random() < 0.25
    for share, name in ((0.45, "post"), (0.20, "article"), (0.20, "image"), (0.10, "video")):
        if draw < share:
            return name, name in ("image", "video")
        draw -= share
    return "document", True


def _urn(post: Post) -> str:
    """LinkedIn's URN: media posts are ugcPosts, the rest shares; X posts have none."""
    if post.account.platform == "twitter":
        return ""
    kind = "ugcPost" if post.type in ("video", "document", "image") else "share"
    return f"urn:li:{kind}:{post.versions[0].id}"


def _draw_reference(
    rng: random.Random, post_type: str, published: float
) -> tuple[str, int, int] | None:
    """(relation, post id, author id) of the foreign post that a reply, retweet or quote names."""
    relation = {"reply": "replied_to", "retweet": "retweeted", "quote": "quoted"}.get(post_type)
    if relation is None:
        return None
    age = rng.uniform(0.1, 30) * HOUR
    foreign = snowflake(published - age, MAX_ACCOUNTS - 1, rng)
    return relation, foreign, rng.randrange(10**8, 10**9)


def _draw_text(rng: random.Random, post: Post) -> str:
    spec = post.account.spec
    if post.type == "reply":
        return compose_reply(rng, f"reader{rng.randrange(1000)}")
    text = compose(rng, spec.topic, long=spec.kind != "profile")
    if post.type == "retweet":
        return f"RT @someone{rng.randrange(1000)}: {text}"[:140]
    if rng.random() < 0.35:
        slug = "".join(rng.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=10))
        text += f"\nhttps://t.co/{slug}" if spec.kind == "profile" else f"\nhttps://lnkd.in/{slug}"
    return text


def _draw_waves(
    rng: random.Random, account: "Account", post: Post
) -> tuple[tuple[float, float, float], ...]:
    """Waves (start, size, time constant) in audience hours from publication."""
    spec = account.spec
    start = 0.0
    if spec.kind != "profile" and rng.random() < spec.habits.quiet_start:
        start = rng.uniform(3.0, 12.0)
    draw = rng.random()
    if draw < spec.habits.dead:
        return ((start + 2.0, rng.choice((0.0, 0.0, 3.0, 9.0, 20.0)), 30.0),)
    size = spec.followers * _REACH[spec.kind] * rng.lognormvariate(0.0, 0.7)
    size *= account.timing_effect(post.published) * (0.25 if post.type == "reply" else 1.0)
    fast, slow = rng.uniform(10, 30), rng.uniform(60, 160)
    waves = [(start, 0.7 * size, fast), (start, 0.3 * size, slow)]
    if draw > 1.0 - spec.habits.viral:
        waves.append((start + rng.uniform(6, 72), size * rng.uniform(6, 30), rng.uniform(14, 40)))
    return tuple(waves)


def snowflake(t: float, number: int, rng: random.Random, epoch_ms: int = X_EPOCH_MS) -> int:
    """An id that holds its own time of creation (milliseconds) and the number of its account."""
    return ((round(t * 1000) - epoch_ms) << 22) | (number << 10) | rng.randrange(1 << 10)


class Account:
    """One account of the world; its posts are made when first asked for, then kept."""

    def __init__(self, world: "World", number: int, spec: AccountSpec) -> None:
        self.world = world
        self.number = number
        self.spec = spec
        self.platform = _PLATFORM[spec.kind]
        self.kind = spec.kind
        self.name = spec.name or spec.handle.replace("_", " ").title()
        rng = random.Random(f"{world.seed}/{spec.kind}/{spec.handle}")  # noqa: S311
        self.id = self._draw_id(rng)
        self._sway = (rng.uniform(0, math.tau), rng.uniform(0, math.tau))
        self._best_hours = frozenset(rng.sample((8, 9, 10, 12, 13, 17, 18, 19), 3))
        self._activity: tuple[float, float] = (math.nan, math.nan)

    def _draw_id(self, rng: random.Random) -> str:
        if self.kind == "member":
            return self.world.person_id(self.spec.users[0])
        low, high = (10**8, 10**9) if self.kind == "profile" else (10**7, 10**8)
        return str(rng.randrange(low, high))

    @property
    def urn(self) -> str:
        """LinkedIn's name of the account."""
        kind = "organization" if self.kind == "page" else "person"
        return f"urn:li:{kind}:{self.id}"

    def activity(self, t: float) -> float:
        """Audience activity at `t`; the last answer is kept, a request asks for one moment."""
        known = self._activity
        if known[0] != t:
            local = t + self.spec.utc_offset_hours * HOUR
            self._activity = known = (t, audience_activity(local))
        return known[1]

    def mint_id(self, t: float, rng: random.Random) -> int:
        epoch = X_EPOCH_MS if self.platform == "twitter" else 0
        return snowflake(t, self.number, rng, epoch)

    def timing_effect(self, published: float) -> float:
        """How much this account's posts gain from the hour and weekday of publication."""
        local = published + self.spec.utc_offset_hours * HOUR
        hours = int(local // HOUR)
        weekday = (hours + _MONDAY_OFFSET_HOURS) // 24 % 7
        return (1.6 if hours % 24 in self._best_hours else 1.0) * (0.7 if weekday >= 5 else 1.0)

    def followers(self, t: float) -> int:
        """Followers at `t`: a trend with a weekly and a monthly sway, so that some days fall."""
        days = (t - self.world.start) / DAY
        sway = self.spec.followers_per_day * (
            1.2 * math.sin(math.tau * days / 7 + self._sway[0])
            + 3.0 * math.sin(math.tau * days / 31 + self._sway[1])
        )
        return max(0, int(self.spec.followers + self.spec.followers_per_day * days + sway))

    @cached_property
    def posts(self) -> list[Post]:
        """All posts of the horizon, oldest first, whether visible yet or not."""
        first = int(self.world.start // DAY) - self.world.days_before
        days = range(first, first + self.world.days_before + self.world.days_after + 1)
        posts = [post for day in days for post in self._posts_of_day(day)]
        posts.sort(key=lambda post: post.published)
        self._draw_edits(posts)
        return posts

    def _posts_of_day(self, day: int) -> Iterator[Post]:
        rng = random.Random(f"{self.world.seed}/{self.kind}/{self.spec.handle}/{day}")  # noqa: S311
        weekday = (day + 3) % 7
        expected = self.spec.posts_per_day * _POSTING_DAYS[weekday]
        for _ in range(_draw_count(rng, expected)):
            hour = rng.choices(range(24), _POSTING_HOURS)[0]
            local = day * DAY + hour * HOUR + rng.uniform(0, HOUR)
            published = round(local - self.spec.utc_offset_hours * HOUR, 3)
            yield Post(self, rng, published)

    def _draw_edits(self, posts: Sequence[Post]) -> None:
        """Edit some X posts, each before the account's next post, so that ids stay in order."""
        if self.platform != "twitter" or not self.spec.habits.edited:
            return
        for post, following in pairwise(posts):
            rng = random.Random(post.id)  # noqa: S311
            quiet = following.published - post.published > HOUR
            if quiet and post.type != "retweet" and rng.random() < self.spec.habits.edited:
                moments = sorted(rng.uniform(60, 0.9 * HOUR) for _ in range(rng.choice((1, 1, 2))))
                edited = [round(post.published + after, 3) for after in moments]
                edits = (Version(self.mint_id(moment, rng), moment) for moment in edited)
                post.versions = (*post.versions, *edits)

    @cached_property
    def _published(self) -> list[float]:
        return [post.published for post in self.posts]

    @cached_property
    def _by_id(self) -> dict[int, tuple[Post, int]]:
        return {
            version.id: (post, index)
            for post in self.posts
            for index, version in enumerate(post.versions)
        }

    @cached_property
    def by_urn(self) -> dict[str, Post]:
        return {post.urn: post for post in self.posts}

    def find(self, post_id: int) -> tuple[Post, int] | None:
        """The post with that id and the index of the version, visible or not."""
        return self._by_id.get(post_id)

    def newest_first(
        self, t: float, before: float = math.inf, since: float = -math.inf
    ) -> Iterator[Post]:
        """Posts that exist at `t`, published in [since, before), newest first."""
        end = bisect_right(self._published, t)
        if before <= t:
            end = bisect_left(self._published, before)
        for index in range(end - 1, -1, -1):
            post = self.posts[index]
            if post.published < since:
                return
            if post.deleted_at > t:
                yield post


def _draw_count(rng: random.Random, expected: float) -> int:
    """A Poisson number for small means, the rounded mean for large ones."""
    if expected > 30:
        return round(expected)
    limit, product, count = math.exp(-expected), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


class World:
    """Accounts and users of one stand-in.

    `start` is the moment the history is built around: posts cover `days_before` days before it
    and `days_after` days after it. Raises ValueError for two accounts of one kind and handle.
    """

    def __init__(
        self,
        accounts: Sequence[AccountSpec],
        start: datetime,
        seed: int = 1,
        days_before: int = 220,
        days_after: int = 220,
    ) -> None:
        if len(accounts) >= MAX_ACCOUNTS:
            raise ValueError(f"a world holds fewer than {MAX_ACCOUNTS} accounts")
        if len({(spec.kind, spec.handle) for spec in accounts}) < len(accounts):
            raise ValueError("two accounts have the same kind and handle")
        self.seed = seed
        self.start_at = as_utc(start)
        self.start = self.start_at.timestamp()
        self.days_before = days_before
        self.days_after = days_after
        self.accounts = [Account(self, number, spec) for number, spec in enumerate(accounts)]
        self.users = sorted({user for spec in accounts for user in spec.users})
        self._by_key = {(account.kind, account.id): account for account in self.accounts}
        self._by_handle = {
            (account.kind, account.spec.handle.casefold()): account for account in self.accounts
        }

    @property
    def horizon(self) -> tuple[datetime, datetime]:
        """The time in which the world has posts."""
        return (
            self.start_at - timedelta(days=self.days_before),
            self.start_at + timedelta(days=self.days_after),
        )

    def person_id(self, user: str) -> str:
        """The LinkedIn member id of a user of Nexus."""
        rng = random.Random(f"{self.seed}/person/{user}")  # noqa: S311
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
        return "".join(rng.choices(letters, k=10))

    def account(self, kind: AccountKind, account_id: str) -> Account | None:
        return self._by_key.get((kind, account_id))

    def account_by_handle(self, kind: AccountKind, handle: str) -> Account | None:
        return self._by_handle.get((kind, handle.casefold()))

    def warm(self) -> None:
        """Make all posts now, so that a benchmark does not pay for it."""
        for account in self.accounts:
            account.find(0)

    def find(self, post_id: int) -> tuple[Post, int] | None:
        """The post with that id and the index of the version, from the account the id names."""
        number = (post_id >> 10) & (MAX_ACCOUNTS - 1)
        if number >= len(self.accounts):
            return None
        return self.accounts[number].find(post_id)


def demo_accounts() -> list[AccountSpec]:
    """Two users with both platforms each; the first is also a LinkedIn member with posts."""
    return [
        AccountSpec("profile", "ana_builds", ("ana",), "Ana Builds", "data", 1.8, 12_400, 14.0),
        AccountSpec(
            "page", "northwind-data", ("ana",), "Northwind Data", "product", 1.1, 23_000, 22.0
        ),
        AccountSpec(
            "member", "ana-lindqvist", ("ana",), "Ana Lindqvist", "hiring", 0.5, 4_100, 5.0
        ),
        AccountSpec(
            "profile",
            "green_ben",
            ("ben",),
            "Green Ben",
            "garden",
            1.4,
            5_200,
            6.0,
            utc_offset_hours=-5,
        ),
        AccountSpec(
            "page",
            "green-acre-collective",
            ("ben",),
            "Green Acre Collective",
            "garden",
            0.9,
            9_800,
            11.0,
            utc_offset_hours=-5,
        ),
    ]


def large_accounts() -> list[AccountSpec]:
    """One X profile with 10,000 and one page with 1,000 posts in any 30 days."""
    return [
        AccountSpec("profile", "firehose", ("ana",), posts_per_day=335, habits=PLAIN),
        AccountSpec("page", "busy-page", ("ana",), posts_per_day=33.5, habits=PLAIN),
    ]


def wide_accounts() -> list[AccountSpec]:
    """500 accounts, X profiles and pages in turn, with about 100 posts in any 30 days each."""
    return [
        AccountSpec(
            "profile" if number % 2 else "page",
            f"account-{number:03}",
            (f"user-{number // 2:03}",),
            posts_per_day=3.4,
            habits=PLAIN,
        )
        for number in range(500)
    ]


#: Named worlds: accounts, days before and after the start.
WORLDS = {
    "demo": (demo_accounts, 220, 220),
    "large": (large_accounts, 32, 10),
    "wide": (wide_accounts, 32, 10),
}


def named_world(name: str, start: datetime, seed: int = 1) -> World:
    """One of WORLDS. Raises KeyError for an unknown name."""
    accounts, before, after = WORLDS[name]
    return World(accounts(), start, seed, before, after)
