"""X (Twitter) API v2: an account's own posts, their counters and its followers.

Rules and shapes: platform-apis.md section 1. The own timeline comes first: it is the cheap "owned
read" and shows new posts and counters alike; the lookup gives what the timeline did not. Two field
dialects exist: one is sent (`TwitterSettings.dialect`), both are parsed.
"""

import html
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote, urlencode

import httpx
import structlog

from ingest.addresses import check_base_url
from ingest.clock import Clock
from ingest.http import (
    Answer,
    ApiError,
    Call,
    ErrorKind,
    Explanation,
    HttpClient,
    Pacer,
    Refusal,
    TokenSource,
    reset_moment,
)
from ingest.oauth import Provider
from ingest.platforms import values
from ingest.platforms.base import (
    AccountKind,
    AccountRow,
    Collection,
    CollectionRequest,
    MaybeCounter,
    PlatformSettings,
    Post,
    PostRow,
    Profile,
    Reading,
    Reads,
    Rejected,
    RequestWindow,
    SnapshotRow,
)
from ingest.platforms.values import Unusable
from ingest.slots import OLD_SLOT

log = structlog.get_logger(__name__)

BASE_URL: Final = "https://api.x.com"
#: Endpoint families: /2/users/me and /2/users/:id, /2/users/:id/tweets, /2/tweets.
USER: Final = "x.user"
TIMELINE: Final = "x.timeline"
LOOKUP: Final = "x.lookup"
#: Dollars per resource read (platform-apis.md 1.5); the timeline's is for the app owner's account.
PRICES: Final[Mapping[str, float]] = {USER: 0.010, TIMELINE: 0.001, LOOKUP: 0.005}

BATCH: Final = 100
#: Non-public counters are given for posts up to this age (platform-apis.md 1.3).
PRIVATE_AGE: Final = timedelta(days=30)
#: Posts that a timeline reaches back to (platform-apis.md 1.2); its shortest page has five.
TIMELINE_REACH: Final = 3_200
MOST_PAGES: Final = 640
#: Pages in a row without a post that is new to us: then the timeline goes in circles.
MOST_BARREN_PAGES: Final = 3
#: Five edits make six versions; a history far longer is not one.
MOST_VERSIONS: Final = 20

PUBLIC_COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "impression_count": ("impression_count",),
    "like_count": ("like_count",),
    "reply_count": ("reply_count",),
    "retweet_count": ("retweet_count", "repost_count"),
    "quote_count": ("quote_count",),
    "bookmark_count": ("bookmark_count",),
}
PRIVATE_COUNTERS: Final = ("url_link_clicks", "user_profile_clicks")

#: created_at is told in whole seconds, the time in an id in milliseconds.
_SAME_TIME: Final = timedelta(seconds=10)
_ID: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_SNOWFLAKE_EPOCH: Final = datetime.fromtimestamp(1288834974.657, UTC)
#: `start_time` is refused below this.
_FIRST_SNOWFLAKE: Final = datetime(2010, 11, 7, tzinfo=UTC)


class TwitterPostRow(PostRow):
    """A post as X describes it."""

    table = "twitter_posts"


class TwitterSnapshotRow(SnapshotRow):
    """Counters of a post, summed over its edit versions (METRICS.md section 2, "Identity")."""

    table = "twitter_snapshots"

    impression_count: MaybeCounter
    like_count: MaybeCounter
    reply_count: MaybeCounter
    retweet_count: MaybeCounter
    quote_count: MaybeCounter
    bookmark_count: MaybeCounter
    url_link_clicks: MaybeCounter
    user_profile_clicks: MaybeCounter


class TwitterAccountRow(AccountRow):
    """Name and followers of an X account."""

    table = "twitter_accounts"


@dataclass(frozen=True)
class TwitterSettings(PlatformSettings):
    """`dialect`: the names sent and asked for. `private_metrics`: ask for clicks (needs the
    owner's token). `owned_reads`: the account also owns the app, so its timeline is the cheaper.
    """

    base_url: str = BASE_URL
    dialect: Literal["tweet", "post"] = "tweet"
    private_metrics: bool = True
    owned_reads: bool = True

    @property
    def prices(self) -> Mapping[str, float]:
        """As X bills them: a timeline that is no owned read costs what a lookup does."""
        return {**PRICES, TIMELINE: PRICES[TIMELINE if self.owned_reads else LOOKUP]}

    def reads(
        self,
        kind: AccountKind,  # noqa: ARG002 - X has one
        *,
        due: int,
        listed: int,
        looks: bool,
        profile: bool,
    ) -> Reads:
        """The timeline is read where posts are looked for; else only where lookups cost more."""
        shown = listed if looks else due if self.timeline_is_cheaper(due) else 0
        shown = min(shown, TIMELINE_REACH)
        looked_up = max(due - shown, 0)
        pages = max(_pages(shown), int(looks))
        return Reads(
            pages + _pages(looked_up) + profile,
            {TIMELINE: shown, LOOKUP: looked_up, USER: int(profile)},
        )

    def timeline_is_cheaper(self, due: int) -> bool:
        """Whether full pages of owned reads cost less than looking up the due posts alone."""
        timeline = PRICES[TIMELINE] * BATCH * _pages(due)
        return self.owned_reads and timeline < PRICES[LOOKUP] * due


def _pages(posts: int) -> int:
    return -(-posts // BATCH)


# --- reading answers ------------------------------------------------------------------------


@dataclass(frozen=True)
class SeenPost:
    """One version of a post in an answer. `versions`: oldest first, its own id among them."""

    id: str
    versions: tuple[str, ...]
    published_at: datetime
    post_type: str
    text: str | None
    counters: dict[str, int | None]
    received_at: datetime


@dataclass
class PostsPage:
    """An answer with posts: what was in `data` is in `seen`, `reposts` or `rejected`.

    `gone`: ids the platform says do not exist; `refused`: id -> why it may not be read;
    `ids`: every readable id of the page; `oldest`: time of its oldest post.
    """

    seen: list[SeenPost] = field(default_factory=list)
    reposts: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    refused_fields: set[str] = field(default_factory=set)
    next_token: str | None = None

    @property
    def ids(self) -> set[str]:
        return (
            {post.id for post in self.seen}
            | set(self.reposts)
            | {rejected.subject for rejected in self.rejected}
        )


def read_posts(body: Mapping[str, Any], received_at: datetime) -> PostsPage:
    """Parse a timeline page or a lookup. Raises ApiError where `data` is no list at all."""
    page = PostsPage()
    for element in _list(body, "data"):
        try:
            post = _read_post(element, received_at)
        except Unusable as error:
            page.rejected.append(Rejected(values.subject(element, "id"), error.field, error.reason))
            continue
        if post.post_type == "repost":
            page.reposts.append(post.id)
        else:
            page.seen.append(post)
    for problem in _list(body, "errors"):
        _read_problem(problem, page)
    meta = body.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    page.next_token = token if isinstance(token, str) and token else None
    return page


def _list(body: Mapping[str, Any], key: str) -> list[Any]:
    try:
        return values.objects(body, key)
    except Unusable as error:
        raise ApiError(ErrorKind.BAD_RESPONSE, str(error)) from None


def _read_post(element: object, received_at: datetime) -> SeenPost:
    fields = values.mapping(element, "post")
    post_id = values.identifier(fields.get("id"), "id", _ID)
    post_type = _post_type(fields)
    versions = _versions(fields, post_id)
    published_at = values.iso_moment(fields.get("created_at"), "created_at", received_at)
    _check_time(published_at, versions, received_at)
    return SeenPost(
        id=post_id,
        versions=versions,
        published_at=published_at,
        post_type=post_type,
        text=_text(fields),
        # A repost of somebody else's post shows that post's counters: they are not ours.
        counters={} if post_type == "repost" else _counters(fields),
        received_at=received_at,
    )


def _check_time(created_at: datetime, versions: Sequence[str], now: datetime) -> None:
    """An edited post may tell the time of any of its versions; an id that tells none proves none.

    Raises Unusable where every id tells another time than `created_at`.
    """
    told = [_posted_at(version, now) for version in versions]
    if all(moment is not None and abs(moment - created_at) > _SAME_TIME for moment in told):
        raise Unusable("created_at", "is not the time that the post's id tells")


def _counters(fields: Mapping[str, Any]) -> dict[str, int | None]:
    public = values.mapping(fields.get("public_metrics"), "public_metrics")
    private = values.mapping(fields.get("non_public_metrics") or {}, "non_public_metrics")
    counters = {
        name: _first([values.counter(public, spelling, least=0) for spelling in spellings])
        for name, spellings in PUBLIC_COUNTERS.items()
    }
    return counters | {name: values.counter(private, name, least=0) for name in PRIVATE_COUNTERS}


def _first(candidates: Sequence[int | None]) -> int | None:
    return next((value for value in candidates if value is not None), None)


def _either(fields: Mapping[str, Any], tweet: str, post: str) -> Any:
    """A field by its name in either dialect."""
    value = fields.get(tweet)
    return fields.get(post) if value is None else value


def _versions(fields: Mapping[str, Any], post_id: str) -> tuple[str, ...]:
    name = "edit_history_tweet_ids"
    history = _either(fields, name, "edit_history_post_ids")
    if history is None:
        return (post_id,)
    if not isinstance(history, list) or len(history) > MOST_VERSIONS:
        raise Unusable(name, "is not a short list")
    ids = {values.identifier(version, name, _ID) for version in history} | {post_id}
    return tuple(sorted(ids, key=int))


def _post_type(fields: Mapping[str, Any]) -> str:
    name = "referenced_tweets"
    references = _either(fields, name, "referenced_posts")
    if references is None:
        return "post"
    if not isinstance(references, list):
        raise Unusable(name, "is not a list")
    kinds = [values.mapping(reference, name).get("type") for reference in references if reference]
    for kind, post_type in (
        ("retweeted", "repost"),
        ("reposted", "repost"),
        ("replied_to", "reply"),
        ("quoted", "quote"),
    ):
        if kind in kinds:
            return post_type
    return "post"


def _text(fields: Mapping[str, Any]) -> str | None:
    note = _either(fields, "note_tweet", "note_post")
    whole = note.get("text") if isinstance(note, dict) else None
    text = values.text(fields.get("text") if whole is None else whole, "text")
    return None if text is None else html.unescape(text)


def _read_problem(problem: object, page: PostsPage) -> None:
    """Sort one partial error; only those about the ids asked for say anything about a post."""
    if not isinstance(problem, dict) or problem.get("parameter") != "ids":
        return
    post_id = _either(problem, "resource_id", "value")
    if not isinstance(post_id, str) or not _ID.fullmatch(post_id):
        return
    segment, title = _segment(problem), _word(problem.get("title"))
    if segment in ("not-authorized-for-field", "field-unauthorized"):
        page.refused_fields.add(_word(problem.get("field")))
    elif segment == "resource-not-found" and title != "Forbidden":
        page.gone.add(post_id)
    else:
        page.refused[post_id] = f"X refused it: {title or segment}"


def _word(value: object) -> str:
    return values.storable(value)[:100] if isinstance(value, str) else ""


def _segment(problem: Mapping[str, Any]) -> str:
    """Last path segment of a problem's `type`: the host before it differs (platform page 1.4)."""
    return _word(problem.get("type")).rsplit("/", 1)[-1]


def read_user(body: Mapping[str, Any]) -> Profile:
    """Parse a user lookup. Raises Unusable."""
    user = values.mapping(body.get("data"), "data")
    public = values.mapping(user.get("public_metrics") or {}, "public_metrics")
    return Profile(
        platform_account_id=values.identifier(user.get("id"), "id", _ID),
        kind="profile",
        handle=values.text(user.get("username"), "username"),
        display_name=values.text(user.get("name"), "name"),
        followers_count=values.counter(public, "followers_count", least=0),
    )


def explain(refusal: Refusal) -> Explanation:
    """What X means by a refusal (platform-apis.md 1.4, decision table)."""
    body, headers = refusal.body, refusal.headers
    listed = body.get("errors")
    first = listed[0] if isinstance(listed, list) and listed else None
    inner = _word(first.get("message")) if isinstance(first, dict) else ""
    title, detail = _word(body.get("title")), _word(body.get("detail"))
    message = ": ".join(part for part in (title, inner or detail) if part)
    message = f"X answered {refusal.status}" + (f": {message}" if message else "")
    # Caps and credits come as 402, 403 or 429; the window's headers then still show plenty.
    if title in ("UsageCapExceeded", "CreditsDepleted") or _segment(body) in (
        "usage-capped",
        "credits",
    ):
        return Explanation(message, ErrorKind.USAGE_CAPPED)
    # With calls remaining, a 429 is the per-second limit: the window's reset says nothing of it.
    if refusal.status == 429 and headers.get("x-rate-limit-remaining") == "0":
        reset = reset_moment(headers.get("x-rate-limit-reset", ""), headers, refusal.now)
        return Explanation(message, until=reset)
    return Explanation(message)


# --- collecting -----------------------------------------------------------------------------


class Twitter:
    """X for one connection."""

    name: ClassVar[str] = "twitter"
    post_row: ClassVar[type[PostRow]] = TwitterPostRow
    snapshot_row: ClassVar[type[SnapshotRow]] = TwitterSnapshotRow
    account_row: ClassVar[type[AccountRow]] = TwitterAccountRow
    settings: ClassVar[type[PlatformSettings]] = TwitterSettings
    kinds: ClassVar[tuple[AccountKind, ...]] = ("profile",)
    window: ClassVar[RequestWindow] = RequestWindow(
        timedelta(minutes=15), "requests_per_15_minutes"
    )
    provider: ClassVar[Provider] = Provider(
        authorize_url="https://x.com/i/oauth2/authorize",
        token_url="https://api.x.com/2/oauth2/token",  # noqa: S106 - an address
        scopes=("tweet.read", "users.read", "offline.access"),
        uses_pkce=True,
        secret_in_header=True,
    )

    def __init__(
        self,
        settings: TwitterSettings,
        tokens: TokenSource,
        pacer: Pacer,
        clock: Clock,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._http = HttpClient(
            check_base_url(settings.base_url),
            explain=explain,
            tokens=tokens,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            timeout=settings.timeout,
            transport=transport,
        )

    def close(self) -> None:
        self._http.close()

    def accounts(self) -> list[Profile]:
        """The one account an X token belongs to."""
        return [self.whoami()]

    def whoami(self) -> Profile:
        answer = self._http.get(_user_call("me"))
        try:
            return read_user(answer.body)
        except Unusable as error:
            raise ApiError(ErrorKind.BAD_RESPONSE, f"user {error}", endpoint=USER) from None

    def collect(self, request: CollectionRequest) -> Collection:
        """Collect one account: one timeline page per 100 posts, one lookup per 100 others."""
        return _Run(self._http, self._settings, self._clock, request).run()


def _user_call(user: str) -> Call:
    target = f"/2/users/{quote(user, safe='')}?user.fields=public_metrics"
    return Call(USER, target, count_posts=lambda body: int("data" in body))


def _count_posts(body: Mapping[str, Any]) -> int:
    data = body.get("data")
    return len(data) if isinstance(data, list) else 0


@dataclass(frozen=True)
class _Sweep:
    """A stretch of the timeline to read; non-public counters only where they are given."""

    start: datetime | None
    end: datetime | None
    private: bool


class _Run:
    """One collection of one account, step by step."""

    def __init__(
        self,
        http: HttpClient,
        settings: TwitterSettings,
        clock: Clock,
        request: CollectionRequest,
    ) -> None:
        self._http = http
        self._settings = settings
        self._request = request
        self._private = settings.private_metrics
        self._now = clock.now()
        self._due = dict.fromkeys(i for i in request.due if _ID.fullmatch(i))
        self._seen: dict[str, SeenPost] = {}
        self._reposts: set[str] = set()
        self._gone: set[str] = set()
        self._skipped = {i: "not an id of a post on X" for i in request.due if not _ID.fullmatch(i)}
        self._rejected: list[Rejected] = []
        self._rejected_ids: set[str] = set()
        self._errors: list[ApiError] = []
        self._refused_fields: set[str] = set()
        self._discovered = False
        self._profile: Profile | None = None

    def run(self) -> Collection:
        stopped: ApiError | None = None
        for step in (
            self._read_timeline,
            self._look_up_due,
            self._look_up_versions,
            self._read_profile,
        ):
            try:
                step()
            except ApiError as error:
                if error.stops:
                    stopped = error
                    break
                self._errors.append(error)
        if self._refused_fields:
            log.warning("fields_refused", platform="twitter", fields=sorted(self._refused_fields))
        collection = self._collection(stopped)
        if stopped is not None and collection.is_empty:
            raise stopped
        return collection

    def _read_profile(self) -> None:
        if not self._request.with_profile:
            return
        answer = self._http.get(_user_call(self._request.account.platform_account_id))
        try:
            self._profile = read_user(answer.body)
        except Unusable as error:
            account = self._request.account.platform_account_id
            self._rejected.append(Rejected(account, error.field, error.reason))

    # The timeline

    def _read_timeline(self) -> None:
        complete = [self._read_sweep(sweep) for sweep in self._sweeps()]
        self._discovered = self._request.discover_since is not None and all(complete)

    def _sweeps(self) -> list[_Sweep]:
        since = self._request.discover_since
        horizon = self._now - PRIVATE_AGE if self._private else None
        recent = [i for i in self._due if self._is_after(i, horizon)]
        if since is None and not self._settings.timeline_is_cheaper(len(recent)):
            return []
        start = self._earliest(recent, since)
        if horizon is None:
            return [_Sweep(start, None, private=False)]
        sweeps = [_Sweep(max(start or horizon, horizon), None, private=True)]
        # Posts beyond the horizon would be left out of an answer that asks for private counters.
        if since is not None and since < horizon - OLD_SLOT:
            sweeps.append(_Sweep(since, horizon, private=False))
        return sweeps

    def _is_after(self, post_id: str, moment: datetime | None) -> bool:
        """Whether a post may be as young as `moment`; an id that tells no time may be."""
        posted_at = _posted_at(post_id, self._now)
        return moment is None or posted_at is None or posted_at >= moment

    def _earliest(self, due: Sequence[str], since: datetime | None) -> datetime | None:
        """Where reading may begin so as to hold all that is wanted; None: not known."""
        moments = [since] if since is not None else []
        for i in due:
            posted_at = _posted_at(i, self._now)
            if posted_at is None:
                return None
            moments.append(posted_at)
        return min(moments)

    def _read_sweep(self, sweep: _Sweep) -> bool:
        """Whether the sweep came to its end, and not to a token or pages that repeat."""
        token: str | None = None
        tokens: set[str] = set()
        ids: set[str] = set()
        barren = 0
        for _ in range(MOST_PAGES):
            page = self._page(sweep, token)
            barren = 0 if page.ids - ids else barren + 1
            ids |= page.ids
            token = page.next_token
            if token is None or self._has_all(sweep, page):
                return True
            if token in tokens or barren >= MOST_BARREN_PAGES:
                return False
            tokens.add(token)
        return False

    def _has_all(self, sweep: _Sweep, page: PostsPage) -> bool:
        """Whether older pages can hold nothing that is wanted: pages come newest first."""
        if not page.seen:
            return False
        since = self._request.discover_since
        if since is not None:
            floor = since if sweep.start is None else max(since, sweep.start)
            if min(post.published_at for post in page.seen) >= floor:
                return False
        oldest = min(int(post.id) for post in page.seen)
        return not any(
            int(i) < oldest and i not in self._seen and self._is_after(i, sweep.start)
            for i in self._due
        )

    def _page(self, sweep: _Sweep, token: str | None) -> PostsPage:
        path = f"/2/users/{quote(self._request.account.platform_account_id, safe='')}/tweets"
        params = {"max_results": str(BATCH), "exclude": "retweets"}
        if sweep.start is not None and sweep.start >= _FIRST_SNOWFLAKE:
            params["start_time"] = f"{sweep.start:%Y-%m-%dT%H:%M:%SZ}"
        if sweep.end is not None:
            params["end_time"] = f"{sweep.end:%Y-%m-%dT%H:%M:%SZ}"
        if token is not None:
            params["pagination_token"] = token
        return self._get_posts(TIMELINE, path, params, private=sweep.private)

    # The lookup

    def _look_up_due(self) -> None:
        versions = {version for post in self._seen.values() for version in post.versions}
        known = versions | self._reposts | self._rejected_ids
        self._look_up(i for i in self._due if i not in known)

    def _look_up_versions(self) -> None:
        wanted = [seen for seen in self._wanted().values() if self._is_read(seen)]
        versions = {version for seen in wanted for version in seen[-1].versions}
        self._look_up(sorted(versions - self._seen.keys() - self._gone, key=int))

    def _look_up(self, ids: Iterable[str]) -> None:
        horizon = self._now - PRIVATE_AGE
        young: list[str] = []
        old: list[str] = []
        for i in ids:
            (young if self._is_after(i, horizon) else old).append(i)
        for group, private in ((young, True), (old, False)):
            for start in range(0, len(group), BATCH):
                self._look_up_batch(group[start : start + BATCH], private=private)

    def _look_up_batch(self, ids: Sequence[str], *, private: bool) -> None:
        params = {"ids": ",".join(ids)}
        try:
            page = self._get_posts(LOOKUP, "/2/tweets", params, private=private)
        except ApiError as error:
            if error.stops:
                raise
            self._errors.append(error)
            self._skipped.update(dict.fromkeys(ids, error.message))
            return
        missing = set(ids) - page.ids
        self._gone |= missing & page.gone
        for i in missing - page.gone:
            self._skipped[i] = page.refused.get(i, "not in X's answer")

    def _get_posts(
        self, family: str, path: str, params: Mapping[str, str], *, private: bool
    ) -> PostsPage:
        private = private and self._private
        try:
            answer = self._http.get(self._posts_call(family, path, params, private=private))
        except ApiError as error:
            if not private or error.kind is not ErrorKind.BAD_REQUEST:
                raise
            # An old app or token may not name these fields at all: go on without them.
            self._private = False
            answer = self._http.get(self._posts_call(family, path, params, private=False))
        return self._keep(answer)

    def _posts_call(
        self, family: str, path: str, params: Mapping[str, str], *, private: bool
    ) -> Call:
        name = self._settings.dialect
        fields = [
            "created_at",
            "public_metrics",
            *(["non_public_metrics"] if private else []),
            f"referenced_{name}s",
            f"edit_history_{name}_ids",
            f"note_{name}",
        ]
        query = urlencode(
            {**params, f"{name}.fields": ",".join(fields)}, safe=",:", quote_via=quote
        )
        return Call(family, f"{path}?{query}", count_posts=_count_posts)

    def _keep(self, answer: Answer) -> PostsPage:
        page = read_posts(answer.body, answer.received_at)
        for post in page.seen:
            self._seen[post.id] = post
            self._skipped.pop(post.id, None)
        self._reposts.update(page.reposts)
        self._rejected += page.rejected
        self._rejected_ids |= {r.subject for r in page.rejected} - {values.NO_ID}
        self._refused_fields |= page.refused_fields
        return page

    # The result

    def _wanted(self) -> dict[str, list[SeenPost]]:
        """The posts to report, each as its versions seen (oldest first), by the id to report."""
        posts: dict[str, list[SeenPost]] = {}
        for seen in sorted(self._seen.values(), key=lambda post: int(post.id)):
            posts.setdefault(seen.versions[0], []).append(seen)
        since = self._request.discover_since
        wanted: dict[str, list[SeenPost]] = {}
        for first, seen_versions in posts.items():
            due = [v for v in seen_versions[-1].versions if v in self._due]
            if due or (since is not None and seen_versions[0].published_at >= since):
                wanted[due[0] if due else first] = seen_versions
        return wanted

    def _collection(self, stopped: ApiError | None) -> Collection:
        wanted = self._wanted()
        collection = Collection(
            profile=self._profile,
            rejected=values.each_once(self._rejected),
            discovered=self._discovered,
            errors=self._errors,
            stopped_by=stopped,
        )
        for post_id, seen in wanted.items():
            collection.posts.append(self._post(post_id, seen))
            if self._is_read(seen):
                self._add_reading(collection, post_id, seen)
        self._settle(collection)
        return collection

    def _is_read(self, seen: Sequence[SeenPost]) -> bool:
        """Whether a post is to have a reading: it is due, or new."""
        versions = seen[-1].versions
        known = self._request.known
        return any(v in self._due for v in versions) or not any(v in known for v in versions)

    def _add_reading(self, collection: Collection, post_id: str, seen: Sequence[SeenPost]) -> None:
        versions = seen[-1].versions
        unread = [v for v in versions if v not in self._seen and v not in self._gone]
        try:
            if unread:
                self._skipped[post_id] = f"edit version {min(unread, key=int)} could not be read"
            else:
                collection.readings.append(_reading(post_id, seen))
        except Unusable as error:
            collection.rejected.append(Rejected(post_id, error.field, error.reason))
        for other in versions:
            if other != post_id:
                self._skipped[other] = f"an edit version of post {post_id}"

    def _post(self, post_id: str, seen: Sequence[SeenPost]) -> Post:
        newest = seen[-1]
        return Post(
            platform_post_id=post_id,
            published_at=min(version.published_at for version in seen),
            post_type=newest.post_type,
            text=newest.text,
            url=f"https://x.com/{self._request.account.handle or 'i'}/status/{newest.id}",
            versions=newest.versions,
        )

    def _settle(self, collection: Collection) -> None:
        """Put every due id that brought no reading where it belongs."""
        reason = "not in X's answer"
        if collection.stopped_by is not None:
            reason = collection.stopped_by.message
        settled = {reading.platform_post_id for reading in collection.readings}
        settled |= {rejected.subject for rejected in collection.rejected}
        for i in dict.fromkeys(self._request.due):
            if i in settled:
                continue
            if i in self._reposts:
                collection.skipped[i] = "a repost of somebody else's post"
            elif i in self._gone and i not in self._skipped:
                collection.deleted.append(i)
            else:
                collection.skipped[i] = self._skipped.get(i, reason)
        unsent = _never_sent(collection.readings)
        if unsent:
            log.warning("counters_not_sent", platform="twitter", counters=unsent)


def _reading(post_id: str, seen: Sequence[SeenPost]) -> Reading:
    """The sum of a post's versions; what one version does not tell, the sum does not know.

    Raises Unusable where a sum is out of range.
    """
    counters: dict[str, int | None] = {}
    for name in (*PUBLIC_COUNTERS, *PRIVATE_COUNTERS):
        told = [version.counters[name] for version in seen]
        known = [value for value in told if value is not None]
        total = {name: sum(known) if len(known) == len(told) else None}
        counters[name] = values.counter(total, name)
    return Reading(post_id, max(version.received_at for version in seen), counters)


def _never_sent(readings: Sequence[Reading]) -> list[str]:
    """Public counters that no post of an answer had: the sign of mixed field dialects."""
    if not readings:
        return []
    return [name for name in PUBLIC_COUNTERS if all(r.counters[name] is None for r in readings)]


def _posted_at(post_id: str, now: datetime) -> datetime | None:
    """The time in a post id (platform-apis.md 3); None where the id does not carry one."""
    moment = _SNOWFLAKE_EPOCH + timedelta(milliseconds=int(post_id) >> 22)
    return moment if _FIRST_SNOWFLAKE <= moment <= now + timedelta(days=1) else None
