"""LinkedIn's versioned REST API: organisation pages and members.

Rules and shapes: platform-apis.md section 2. A page's posts come from the posts finder, their
counters from its share statistics; a post that the statistics leave out has true zeros only if the
finder still lists it. A member's posts cannot be listed, and each counter of each is one request.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal
from urllib.parse import quote, unquote

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
from ingest.slots import OLD_SLOT, POLLED_AGE, YOUNG_AGE

log = structlog.get_logger(__name__)

BASE_URL: Final = "https://api.linkedin.com"
#: What a member's own post analytics need, beside or instead of the page scopes.
MEMBER_SCOPES: Final = (
    "r_member_postAnalytics",
    "r_member_profileAnalytics",
    "r_basicprofile",
)


@dataclass(frozen=True)
class _Resource:
    """An endpoint: its family, as budgets and logs name it, and its path."""

    family: str
    path: str


POSTS: Final = _Resource("linkedin.posts", "/rest/posts")
STATISTICS: Final = _Resource("linkedin.statistics", "/rest/organizationalEntityShareStatistics")
NETWORK_SIZES: Final = _Resource("linkedin.followers", "/rest/networkSizes")
ORGANIZATIONS: Final = _Resource("linkedin.organizations", "/rest/organizations")
ACLS: Final = _Resource("linkedin.acls", "/rest/organizationAcls")
MEMBER_ANALYTICS: Final = _Resource("linkedin.member_analytics", "/rest/memberCreatorPostAnalytics")
MEMBER_FOLLOWERS: Final = _Resource("linkedin.member_followers", "/rest/memberFollowersCount")
ME: Final = _Resource("linkedin.me", "/v2/me")

FINDER_PAGE: Final = 100
#: A two-hourly look for new posts of an account with few young ones begins with a page so small.
SMALL_PAGE: Final = 25
FEW_POSTS: Final = 15
#: No cap is documented; 50 URNs as long as `_URN` allows stay under 4,000 characters (2.3).
BATCH: Final = 50
#: A page's name, and its followers.
PROFILE_CALLS: Final = 2
#: Pages of a finder that would never end.
MOST_PAGES: Final = 200
#: Posts whose existence is asked for one by one, where they cannot be asked for together.
MOST_SINGLE_CHECKS: Final = 20

PAGE_COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "impression_count": ("impressionCount",),
    "unique_impressions_count": ("uniqueImpressionsCount", "uniqueImpressionsCounts"),
    "click_count": ("clickCount",),
    "like_count": ("likeCount",),
    "comment_count": ("commentCount",),
    "share_count": ("shareCount",),
}
#: Query type of a member's analytics -> counter, and the first API version that knows it.
MEMBER_COUNTERS: Final[Mapping[str, tuple[str, int]]] = {
    "IMPRESSION": ("impression_count", 202506),
    "MEMBERS_REACHED": ("unique_impressions_count", 202506),
    "REACTION": ("like_count", 202506),
    "COMMENT": ("comment_count", 202506),
    "RESHARE": ("share_count", 202506),
    "LINK_CLICKS": ("click_count", 202604),
    "POST_SAVE": ("save_count", 202604),
}
#: A post whose first query types are all refused is refused itself; later ones cost no request.
REFUSALS_PER_POST: Final = 2
#: Calls spent in one collection on finding the URNs that make a statistics call fail.
MOST_ISOLATING_CALLS: Final = 60

_URN: Final = re.compile(r"urn:li:(share|ugcPost):([A-Za-z0-9_-]{1,40})", re.ASCII)
_ORGANIZATION: Final = re.compile(r"urn:li:organization:[0-9]{1,19}", re.ASCII)
_PERSON_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NAMED_ITEM: Final = re.compile(r"/(shares|ugcPosts)\[([0-9]{1,3})\]", re.ASCII)

#: "Little text": an escaped character, a hashtag template, or a mention.
_LITTLE_TEXT: Final = re.compile(
    r"\\(?P<escaped>[|{}@\[\]()<>#\\*_~])"
    r"|\{hashtag\|\\?#\|(?P<hashtag>[^{}|]*)\}"
    r"|@\[(?P<name>(?:\\.|[^\[\]\\])*)\]\(urn:li:[^()]*\)"
)
_ESCAPED: Final = re.compile(r"\\([|{}@\[\]()<>#\\*_~])")


class LinkedInPostRow(PostRow):
    """A post as LinkedIn describes it."""

    table = "linkedin_posts"


class LinkedInSnapshotRow(SnapshotRow):
    """Counters of a post; `save_count` is offered for members only."""

    table = "linkedin_snapshots"

    impression_count: MaybeCounter
    unique_impressions_count: MaybeCounter
    click_count: MaybeCounter
    like_count: MaybeCounter
    comment_count: MaybeCounter
    share_count: MaybeCounter
    save_count: MaybeCounter


class LinkedInAccountRow(AccountRow):
    """Name and followers of a page or a member."""

    table = "linkedin_accounts"


COUNTERS: Final = (*PAGE_COUNTERS, "save_count")


@dataclass(frozen=True)
class LinkedInSettings(PlatformSettings):
    """`version`: the LinkedIn-Version header, YYYYMM; each lives about a year.

    `tier`: "development" sends no BATCH_GET and one URN a call (DESIGN.md section 4);
    `batch_size` overrides how many URNs a statistics call asks for.
    """

    base_url: str = BASE_URL
    version: str = "202607"
    tier: Literal["standard", "development"] = "standard"
    batch_size: int | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"20[0-9]{2}(0[1-9]|1[0-2])", self.version, re.ASCII):
            raise ValueError(f"LinkedIn version {self.version!r} is not of the form YYYYMM")
        if self.batch_size is not None and not 1 <= self.batch_size <= BATCH:
            raise ValueError(f"batch_size must be 1 to {BATCH}")

    @property
    def urns_per_call(self) -> int:
        return self.batch_size or (1 if self.tier == "development" else BATCH)

    @property
    def daily_calls(self) -> tuple[int | None, int | None]:
        """Calls a UTC day for the app and for one member; None: not published (page 2.4)."""
        return (500, 100) if self.tier == "development" else (None, None)

    def reads(
        self, kind: AccountKind, *, due: int, listed: int, looks: bool, profile: bool
    ) -> Reads:
        """A page's posts are read together; of a member's each counter is a request."""
        if kind == "member":
            queries = sum(int(self.version) >= since for _, since in MEMBER_COUNTERS.values())
            return Reads(queries * due + profile)
        pages = -(-(listed + 1) // FINDER_PAGE) if looks else 0
        statistics = -(-due // self.urns_per_call)
        return Reads(pages + statistics + PROFILE_CALLS * profile)


# --- Rest.li --------------------------------------------------------------------------------


def urn(value: str) -> str:
    """A URN, or any other simple value, encoded for inside a Rest.li structure or a path."""
    return quote(value, safe="")


def urn_list(items: Iterable[str]) -> str:
    """`List(a,b)`: the items encoded, the structure's own characters raw."""
    return f"List({','.join(urn(item) for item in items)})"


def plain_text(commentary: str) -> str:
    """Little text as people read it: escapes undone, mentions and hashtags as their names."""
    return _LITTLE_TEXT.sub(_plain_part, commentary)


def _plain_part(match: re.Match[str]) -> str:
    if match["escaped"] is not None:
        return match["escaped"]
    if match["hashtag"] is not None:
        return "#" + _ESCAPED.sub(r"\1", match["hashtag"])
    return _ESCAPED.sub(r"\1", match["name"])


# --- reading answers ------------------------------------------------------------------------


@dataclass
class FinderPage:
    """A page of the posts finder: each element is in `posts`, `unpublished` or `rejected`.

    `oldest`: the earliest change of a post on it; pages come newest change first.
    """

    posts: list[Post] = field(default_factory=list)
    unpublished: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    elements: int = 0
    oldest: datetime | None = None


def post_of_link(link: str) -> str | None:
    """The URN in a post's link, or the URN itself; None where there is none that can be asked for.

    An activity's number is another than its post's, and finds no statistics.
    """
    plain = unquote(link)
    found = _URN.search(plain) or re.search(r"-(share|ugcPost)-([0-9]{1,40})", plain, re.ASCII)
    return f"urn:li:{found[1]}:{found[2]}" if found else None


def read_finder(body: Mapping[str, Any], received_at: datetime) -> FinderPage:
    """Parse a finder page. Raises ApiError where `elements` is no list at all."""
    elements = _elements(body)
    page = FinderPage(elements=len(elements))
    for element in elements:
        try:
            fields = values.mapping(element, "post")
            if fields.get("lifecycleState", "PUBLISHED") != "PUBLISHED":
                page.unpublished += 1
            else:
                changed = _changed_at(fields, received_at)
                page.posts.append(_read_post(fields, received_at))
                page.oldest = min(page.oldest or changed, changed)
        except Unusable as error:
            page.rejected.append(Rejected(values.subject(element, "id"), error.field, error.reason))
    return page


def _read_post(fields: Mapping[str, Any], now: datetime) -> Post:
    post_id = values.identifier(fields.get("id"), "id", _URN)
    name = "createdAt" if fields.get("publishedAt") is None else "publishedAt"
    commentary = values.text(fields.get("commentary"), "commentary")
    return Post(
        platform_post_id=post_id,
        published_at=values.ms_moment(fields.get(name), name, now),
        post_type=_post_type(fields),
        text=None if commentary is None else plain_text(commentary),
        url=f"https://www.linkedin.com/feed/update/{post_id}",
        versions=(post_id,),
    )


def _changed_at(fields: Mapping[str, Any], now: datetime) -> datetime:
    for name in ("lastModifiedAt", "publishedAt"):
        if fields.get(name) is not None:
            return values.ms_moment(fields[name], name, now)
    return values.ms_moment(fields.get("createdAt"), "createdAt", now)


def _post_type(fields: Mapping[str, Any]) -> str:
    """post | reshare | article | image | video | document | poll | carousel | celebration."""
    if fields.get("reshareContext"):
        return "reshare"
    content = fields.get("content")
    if not isinstance(content, dict):
        return "post"
    media = content.get("media")
    media_id = media.get("id") if isinstance(media, dict) else None
    if isinstance(media_id, str):
        kind = re.match(r"urn:li:(image|video|document):", media_id)
        return kind[1] if kind else "post"
    kinds = {"multiImage": "image", "article": "article", "poll": "poll"}
    kinds |= {"carousel": "carousel", "celebration": "celebration"}
    return next((kind for key, kind in kinds.items() if content.get(key)), "post")


@dataclass
class StatisticsPage:
    """An answer of the share statistics: each element is in `counters` or `rejected`."""

    counters: list[tuple[str, dict[str, int | None]]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_statistics(body: Mapping[str, Any]) -> StatisticsPage:
    """Parse share statistics by post. Raises ApiError where `elements` is no list at all."""
    page = StatisticsPage()
    for element in _elements(body):
        name = "ugcPost" if isinstance(element, dict) and element.get("ugcPost") else "share"
        try:
            fields = values.mapping(element, "element")
            post_id = values.identifier(fields.get(name), name, _URN)
            page.counters.append((post_id, _page_counters(fields)))
        except Unusable as error:
            page.rejected.append(Rejected(values.subject(element, name), error.field, error.reason))
    return page


def _page_counters(fields: Mapping[str, Any]) -> dict[str, int | None]:
    told = values.mapping(fields.get("totalShareStatistics"), "totalShareStatistics")
    counters: dict[str, int | None] = {}
    for name, spellings in PAGE_COUNTERS.items():
        sent = [values.counter(told, spelling) for spelling in spellings]
        counters[name] = next((value for value in sent if value is not None), None)
    return counters | {"save_count": None}


def read_member_count(body: Mapping[str, Any], query: str) -> int | None:
    """The total of one query type; None where the answer holds none. Raises Unusable."""
    for element in _elements(body):
        fields = values.mapping(element, "element")
        metric = fields.get("metricType")
        if isinstance(metric, dict):  # before 202605: {"com.linkedin…MetricTypeV1": "IMPRESSION"}
            metric = next(iter(metric.values()), None)
        if metric is None or metric == query:
            return values.counter(fields, "count")
    return None


def _elements(body: Mapping[str, Any]) -> list[Any]:
    try:
        return values.objects(body, "elements")
    except Unusable as error:
        raise ApiError(ErrorKind.BAD_RESPONSE, str(error)) from None


def _word(value: object) -> str:
    return values.storable(value)[:200] if isinstance(value, str) else ""


_401: Final[Mapping[object, tuple[ErrorKind, str]]] = {
    65600: (ErrorKind.TOKEN_EXPIRED, "the access token is invalid"),
    65601: (ErrorKind.TOKEN_REVOKED, "the member has withdrawn the consent"),
    65602: (ErrorKind.TOKEN_EXPIRED, "the access token has expired"),
}


def explain(refusal: Refusal, version: str) -> Explanation:
    """What LinkedIn means by a refusal (platform-apis.md 2.4)."""
    code = refusal.body.get("serviceErrorCode")
    message = _word(refusal.body.get("message"))
    told = f"LinkedIn answered {refusal.status}" + (f": {message}" if message else "")
    if refusal.status == 426:
        return Explanation(
            f"LinkedIn no longer serves API version {version}: set a newer LinkedIn version"
            " (YYYYMM) in the settings."
        )
    if refusal.status == 401 and isinstance(code, int) and code in _401:
        kind, reason = _401[code]
        return Explanation(f"LinkedIn answered 401: {reason}", kind)
    if refusal.status == 429 and re.search(r"\bDAY\b", message):
        midnight = refusal.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return Explanation(told, until=midnight + timedelta(days=1))
    return Explanation(told)


# --- collecting -----------------------------------------------------------------------------


class LinkedIn:
    """LinkedIn for one connection: the pages and the member its token may read."""

    name: ClassVar[str] = "linkedin"
    post_row: ClassVar[type[PostRow]] = LinkedInPostRow
    snapshot_row: ClassVar[type[SnapshotRow]] = LinkedInSnapshotRow
    account_row: ClassVar[type[AccountRow]] = LinkedInAccountRow
    settings: ClassVar[type[PlatformSettings]] = LinkedInSettings
    kinds: ClassVar[tuple[AccountKind, ...]] = ("page", "member")
    window: ClassVar[RequestWindow] = RequestWindow(timedelta(hours=1), "requests_per_hour")
    # A scope the app lacks fails the whole consent: ask for members' scopes where wanted.
    provider: ClassVar[Provider] = Provider(
        authorize_url="https://www.linkedin.com/oauth/v2/authorization",
        token_url="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 - an address
        scopes=("r_organization_social", "rw_organization_admin"),
        uses_pkce=False,
        secret_in_header=False,
    )

    def __init__(
        self,
        settings: LinkedInSettings,
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
            explain=lambda refusal: explain(refusal, settings.version),
            tokens=tokens,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            timeout=settings.timeout,
            transport=transport,
        )
        self._rest = _Rest(self._http, settings)

    def close(self) -> None:
        self._http.close()

    def accounts(self) -> list[Profile]:
        """The pages whose administrator the token's owner is, then the member itself."""
        return list(self._accounts())

    def whoami(self) -> Profile:
        """The first of `accounts`."""
        for profile in self._accounts():
            return profile
        raise ApiError(ErrorKind.FORBIDDEN, "the token may read no page and no member profile")

    def collect(self, request: CollectionRequest) -> Collection:
        """Collect a page (about 32 calls per 1,000 posts) or a member (one call per counter)."""
        if request.account.kind == "member":
            return _MemberRun(self._rest, self._settings, request).run()
        return _PageRun(self._rest, self._settings, self._clock, request).run()

    def _accounts(self) -> Iterator[Profile]:
        for organization in self._organizations():
            profile, errors = _page_profile(self._rest, organization, None)
            for error in errors:
                if error.kind is not ErrorKind.FORBIDDEN:
                    raise error
            yield profile
        member = self._member()
        if member is not None:
            yield member

    def _organizations(self) -> list[str]:
        query = "q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=100"
        try:
            answer = self._rest.find(ACLS, query)
        except ApiError as error:
            if error.kind is ErrorKind.FORBIDDEN:  # a token for member analytics alone
                return []
            raise
        named = [e.get("organization") for e in _elements(answer.body) if isinstance(e, dict)]
        return [o for o in named if isinstance(o, str) and _ORGANIZATION.fullmatch(o)]

    def _member(self) -> Profile | None:
        try:
            answer = self._http.get(Call(ME.family, ME.path))
            person = values.identifier(answer.body.get("id"), "id", _PERSON_ID)
            names = [
                values.text(answer.body.get(key), key)
                for key in ("localizedFirstName", "localizedLastName")
            ]
            handle = values.text(answer.body.get("vanityName"), "vanityName")
        except Unusable as error:
            raise ApiError(ErrorKind.BAD_RESPONSE, f"profile {error}", endpoint=ME.family) from None
        except ApiError as error:
            if error.kind is ErrorKind.FORBIDDEN:  # a token for pages alone
                return None
            raise
        name = " ".join(part for part in names if part) or None
        return Profile(f"urn:li:person:{person}", "member", handle, name, None)


class _Rest:
    """Calls of the versioned API, each query written out by hand (platform-apis.md 2.2)."""

    def __init__(self, http: HttpClient, settings: LinkedInSettings) -> None:
        self._http = http
        self._headers = {
            "linkedin-version": settings.version,
            "x-restli-protocol-version": "2.0.0",
        }

    def find(self, resource: _Resource, query: str) -> Answer:
        """A finder."""
        return self._get(resource, f"?{query}", "FINDER")

    def read(self, resource: _Resource, key: str, query: str = "") -> Answer:
        """One entity by its key."""
        return self._get(resource, f"/{urn(key)}{query}", "GET")

    def read_many(self, resource: _Resource, keys: Sequence[str]) -> Answer:
        """Several entities; the Development tier has no such call."""
        return self._get(resource, f"?ids={urn_list(keys)}", "BATCH_GET")

    def _get(self, resource: _Resource, rest: str, method: str) -> Answer:
        headers = {**self._headers, "x-restli-method": method}
        return self._http.get(Call(resource.family, resource.path + rest, headers))


def _ends(error: ApiError) -> bool:
    """Whether an error ends the collection; a 403 on LinkedIn refuses one thing, not all."""
    return error.stops and error.kind is not ErrorKind.FORBIDDEN


def _finished(collection: Collection) -> Collection:
    """The collection, unless nothing was received and an error says why."""
    if collection.is_empty:
        refusals = [error for error in collection.errors if error.stops]
        stopped = collection.stopped_by or next(iter(refusals), None)
        if stopped is not None:
            raise stopped
    return collection


def _page_profile(
    rest: _Rest, organization: str, handle: str | None
) -> tuple[Profile, list[ApiError]]:
    """Name and followers of a page; what is refused stays None and is told in the errors."""
    errors: list[ApiError] = []
    name: str | None = None
    followers: int | None = None
    try:
        body = rest.read(ORGANIZATIONS, organization.rsplit(":", 1)[-1]).body
        name = values.text(body.get("localizedName"), "localizedName")
        handle = values.text(body.get("vanityName"), "vanityName") or handle
    except Unusable as error:
        errors.append(ApiError(ErrorKind.BAD_RESPONSE, str(error), endpoint=ORGANIZATIONS.family))
    except ApiError as error:
        if _ends(error):
            raise
        errors.append(error)
    try:
        size = rest.read(NETWORK_SIZES, organization, "?edgeType=COMPANY_FOLLOWED_BY_MEMBER")
        followers = values.counter(size.body, "firstDegreeSize", least=0)
    except Unusable as error:
        errors.append(ApiError(ErrorKind.BAD_RESPONSE, str(error), endpoint=NETWORK_SIZES.family))
    except ApiError as error:
        if _ends(error):
            raise
        errors.append(error)
    return Profile(organization, "page", handle, name, followers), errors


class _PageRun:
    """One collection of one organisation page, step by step."""

    def __init__(
        self,
        rest: _Rest,
        settings: LinkedInSettings,
        clock: Clock,
        request: CollectionRequest,
    ) -> None:
        self._rest = rest
        self._settings = settings
        self._request = request
        self._now = clock.now()
        self._organization = _organization(request.account.platform_account_id)
        self._due = dict.fromkeys(i for i in request.due if _URN.fullmatch(i))
        self._listed: dict[str, Post] = {}
        self._pages_read = 0
        self._elements_read = 0
        self._listing_ended = False
        self._listing_failed = False
        self._listing_floor = self._now
        self._counters: dict[str, dict[str, int | None]] = {}
        self._asked_at: dict[str, datetime] = {}
        self._skipped = dict.fromkeys(
            (i for i in request.due if not _URN.fullmatch(i)), "not a share or ugcPost URN"
        )
        #: Asked for and neither counted nor told to be zero: refused, or hidden by an odd answer.
        self._unclear: set[str] = set()
        self._gone: list[str] = []
        self._isolating_calls = 0
        self._page_refused = False
        self._collection = Collection()

    def run(self) -> Collection:
        steps = (
            self._discover,
            self._read_statistics,
            self._list_omitted,
            self._check_unlisted,
            self._read_profile,
        )
        for step in steps:
            try:
                step()
            except ApiError as error:
                if _ends(error):
                    self._collection.stopped_by = error
                    break
                self._collection.errors.append(error)
        self._settle()
        return _finished(self._collection)

    def _read_profile(self) -> None:
        if self._request.with_profile:
            handle = self._request.account.handle
            profile, errors = _page_profile(self._rest, self._organization, handle)
            self._collection.errors += errors
            if len(errors) < 2:
                self._collection.profile = profile

    # The finder

    def _discover(self) -> None:
        since = self._request.discover_since
        if since is not None:
            self._list(lambda: self._listing_floor < since)
            self._collection.discovered = not self._listing_failed

    def _list_omitted(self) -> None:
        """List posts until each that the statistics left out is seen, or must be gone."""
        omitted = {i for i in self._due if self._is_omitted(i)}
        pages = -(-len(self._due) // FINDER_PAGE) + 1
        self._list(
            lambda: (
                omitted <= self._listed.keys()
                or (self._covers_polled_posts() and self._pages_read >= pages)
            )
        )

    def _is_omitted(self, post_id: str) -> bool:
        asked = post_id in self._asked_at and post_id not in self._counters
        return asked or post_id in self._unclear

    def _covers_polled_posts(self) -> bool:
        return self._listing_ended or self._listing_floor < self._now - POLLED_AGE - OLD_SLOT

    def _list(self, is_enough: Callable[[], bool]) -> None:
        while not self._listing_ended and not is_enough():
            count = self._page_size()
            query = (
                f"q=author&author={urn(self._organization)}&count={count}"
                f"&start={self._elements_read}&sortBy=LAST_MODIFIED"
            )
            answer = self._rest.find(POSTS, query)
            page = read_finder(answer.body, answer.received_at)
            new = [post for post in page.posts if post.platform_post_id not in self._listed]
            self._listed.update((post.platform_post_id, post) for post in new)
            self._collection.rejected += page.rejected
            self._pages_read += 1
            self._elements_read += count
            self._listing_floor = page.oldest or self._listing_floor
            circles = bool(page.posts) and not new
            self._listing_failed = circles or self._pages_read >= MOST_PAGES
            self._listing_ended = self._listing_failed or page.elements < count

    def _page_size(self) -> int:
        since = self._request.discover_since
        is_near = since is not None and since > self._now - YOUNG_AGE - OLD_SLOT
        is_small = is_near and len(self._due) <= FEW_POSTS and not self._pages_read
        return SMALL_PAGE if is_small else FINDER_PAGE

    # The statistics

    def _read_statistics(self) -> None:
        wanted = list(dict.fromkeys((*self._new_posts(), *self._due)))
        size = self._settings.urns_per_call
        for start in range(0, len(wanted), size):
            if self._page_refused:
                return
            self._read_batch(wanted[start : start + size])

    def _new_posts(self) -> list[str]:
        """Posts found and not yet tracked, youngest first."""
        new = [p for p in self._discovered() if p.platform_post_id not in self._request.known]
        new.sort(key=lambda post: post.published_at, reverse=True)
        return [post.platform_post_id for post in new if post.platform_post_id not in self._due]

    def _discovered(self) -> list[Post]:
        since = self._request.discover_since
        if since is None:
            return []
        return [post for post in self._listed.values() if post.published_at >= since]

    def _read_batch(self, ids: Sequence[str]) -> None:
        try:
            self._ask(ids)
        except ApiError as error:
            if error.kind is ErrorKind.FORBIDDEN:
                self._isolate(ids, error)
                return
            if _ends(error):
                raise
            self._collection.errors.append(error)
            self._skipped.update(dict.fromkeys(ids, error.message))

    def _isolate(self, ids: Sequence[str], error: ApiError) -> None:
        """One refused URN fails its whole call: split until it stands alone."""
        if not self._asked_at and self._isolating_calls == 0:
            self._probe()
        if len(ids) == 1 or self._page_refused:
            self._skipped.update(dict.fromkeys(ids, error.message))
            self._unclear.update(() if self._page_refused else ids)
            return
        if self._isolating_calls >= MOST_ISOLATING_CALLS:
            self._skipped.update(dict.fromkeys(ids, f"{error.message} (for one of {len(ids)})"))
            return
        for part in _split(ids, error.message):
            self._isolating_calls += 1
            self._read_batch(part)

    def _probe(self) -> None:
        """Ask for the page as a whole: where even that is refused, no post will be read."""
        self._isolating_calls += 1
        try:
            self._rest.find(STATISTICS, self._statistics_query(()))
        except ApiError as error:
            if _ends(error):
                raise
            self._collection.errors.append(error)
            self._page_refused = error.kind is ErrorKind.FORBIDDEN

    def _ask(self, ids: Sequence[str]) -> None:
        told: dict[str, dict[str, int | None]] = {}
        rejected: list[Rejected] = []
        start = 0
        while True:
            answer = self._statistics(ids, start)
            page = read_statistics(answer.body)
            new = {post_id for post_id, _ in page.counters} - told.keys()
            told.update(page.counters)
            rejected += page.rejected
            start += len(page.counters) + len(page.rejected)
            # An answer cut at its page size must not make zeros of what it left for the next.
            if not new or start >= len(ids) or not _is_cut(answer.body):
                break
        self._keep(ids, told, rejected, answer.received_at)

    def _statistics(self, ids: Sequence[str], start: int) -> Answer:
        query = self._statistics_query(ids)
        if start:
            return self._rest.find(STATISTICS, f"{query}&start={start}")
        answer = self._rest.find(STATISTICS, query)
        if len(ids) > 1 and not _elements(answer.body):
            # So many zeros at once are believed the second time only.
            answer = self._rest.find(STATISTICS, query)
        return answer

    def _keep(
        self,
        ids: Sequence[str],
        told: Mapping[str, dict[str, int | None]],
        rejected: Sequence[Rejected],
        received_at: datetime,
    ) -> None:
        self._collection.rejected += rejected
        unreadable = {r.subject for r in rejected}
        # An element that names none of the posts asked for may be about one of those left out.
        anonymous = bool((unreadable | told.keys()) - set(ids))
        for i in ids:
            if i in told:
                self._counters[i] = told[i]
                self._asked_at[i] = received_at
            elif anonymous:
                self._skipped[i] = "left out of statistics that name a post not asked for"
                self._unclear.add(i)
            elif i not in unreadable:
                self._asked_at[i] = received_at

    def _statistics_query(self, ids: Sequence[str]) -> str:
        query = f"q=organizationalEntity&organizationalEntity={urn(self._organization)}"
        for parameter, prefix in (("shares", "urn:li:share:"), ("ugcPosts", "urn:li:ugcPost:")):
            urns = [i for i in ids if i.startswith(prefix)]
            if urns:
                query += f"&{parameter}={urn_list(urns)}"
        return query

    # What is left out

    def _check_unlisted(self) -> None:
        """Ask for each due post that the finder does not list whether it exists."""
        if not self._pages_read:
            return
        covered = self._covers_polled_posts()
        unlisted = [
            i
            for i in self._due
            if i not in self._listed and (self._is_omitted(i) or (covered and i in self._counters))
        ]
        if self._settings.tier == "development":
            self._check_singly(unlisted)
            return
        for start in range(0, len(unlisted), BATCH):
            self._check_batch(unlisted[start : start + BATCH])

    def _check_batch(self, ids: Sequence[str]) -> None:
        try:
            answer = self._rest.read_many(POSTS, ids)
        except ApiError as error:
            if _ends(error):
                raise
            self._check_singly(ids)
            return
        for i in ids:
            if _batch_status(answer.body, i) == 404:
                self._gone.append(i)

    def _check_singly(self, ids: Sequence[str]) -> None:
        for i in ids[:MOST_SINGLE_CHECKS]:
            try:
                self._rest.read(POSTS, i)
            except ApiError as error:
                if _ends(error):
                    raise
                if error.kind is ErrorKind.NOT_FOUND:
                    self._gone.append(i)

    # The result

    def _settle(self) -> None:
        collection = self._collection
        collection.deleted += self._gone
        gone = set(self._gone)
        discovered = {post.platform_post_id: post for post in self._discovered()}
        collection.posts += [
            post for i, post in self._listed.items() if i in discovered or i in self._due
        ]
        for i, asked_at in self._asked_at.items():
            if i in gone:
                continue
            if i in self._counters:
                collection.readings.append(Reading(i, asked_at, self._counters[i]))
            elif i in self._listed:
                collection.readings.append(Reading(i, asked_at, dict(_NO_ACTIVITY)))
        read = {reading.platform_post_id for reading in collection.readings}
        collection.rejected = values.each_once(collection.rejected)
        settled = read | gone | {rejected.subject for rejected in collection.rejected}
        reason = "left out of the statistics, and not listed by the finder"
        if collection.stopped_by is not None:
            reason = collection.stopped_by.message
        for i in dict.fromkeys(self._request.due):
            if i not in settled:
                collection.skipped[i] = self._skipped.get(i, reason)


#: The statistics leave out posts without activity (platform-apis.md 2.3): zeros, if listed.
_NO_ACTIVITY: Final[Mapping[str, int | None]] = {
    **dict.fromkeys(PAGE_COUNTERS, 0),
    "save_count": None,
}


def _organization(platform_account_id: str) -> str:
    if _ORGANIZATION.fullmatch(platform_account_id):
        return platform_account_id
    raise ApiError(ErrorKind.BAD_REQUEST, "the account's id is not an organization URN")


def _split(ids: Sequence[str], message: str) -> tuple[Sequence[str], Sequence[str]]:
    """The refused URNs that the message names and the others; else two halves.

    LinkedIn names them by parameter and index: `[/shares[0]]` (platform-apis.md 2.4).
    """
    by_parameter = {
        "shares": [i for i in ids if i.startswith("urn:li:share:")],
        "ugcPosts": [i for i in ids if i.startswith("urn:li:ugcPost:")],
    }
    named = {
        by_parameter[parameter][int(index)]
        for parameter, index in _NAMED_ITEM.findall(message)
        if int(index) < len(by_parameter[parameter])
    }
    if 0 < len(named) < len(ids):
        return [i for i in ids if i in named], [i for i in ids if i not in named]
    return ids[: len(ids) // 2], ids[len(ids) // 2 :]


def _is_cut(body: Mapping[str, Any]) -> bool:
    """Whether an answer says or looks as if more follow: a next link, or a full page of 10."""
    paging = body.get("paging")
    if not isinstance(paging, dict):
        return False
    links = paging.get("links")
    told = isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )
    return told or (paging.get("count") == 10 and len(_elements(body)) == 10)


def _batch_status(body: Mapping[str, Any], key: str) -> int | None:
    """The status a BATCH_GET tells for one key: under `errors`, or under `statuses`."""
    errors, statuses = body.get("errors"), body.get("statuses")
    error = errors.get(key) if isinstance(errors, dict) else None
    status = error.get("status") if isinstance(error, dict) else None
    if status is None and isinstance(statuses, dict):
        status = statuses.get(key)
    return status if isinstance(status, int) else None


#: Errors about one query type of one post, as far as one can tell from one of them.
_REFUSALS: Final = frozenset({ErrorKind.FORBIDDEN, ErrorKind.BAD_REQUEST, ErrorKind.NOT_FOUND})


class _MemberRun:
    """One collection of one member: each counter of each post is a request."""

    def __init__(self, rest: _Rest, settings: LinkedInSettings, request: CollectionRequest) -> None:
        self._rest = rest
        self._request = request
        self._queries = {
            query: counter
            for query, (counter, since) in MEMBER_COUNTERS.items()
            if int(settings.version) >= since
        }
        self._collection = Collection()

    def run(self) -> Collection:
        try:
            self._read_profile()
            for post_id in dict.fromkeys(self._request.due):
                self._read_post(post_id)
        except ApiError as error:
            self._collection.stopped_by = error
            self._skip_rest(error)
        return _finished(self._collection)

    def _read_profile(self) -> None:
        if not self._request.with_profile:
            return
        account = self._request.account
        try:
            elements = _elements(self._rest.find(MEMBER_FOLLOWERS, "q=me").body)
            first = values.mapping(elements[0] if elements else {}, "elements")
            followers = values.counter(first, "memberFollowersCount", least=0)
        except Unusable as error:
            self._collection.rejected.append(
                Rejected(account.platform_account_id, error.field, error.reason)
            )
            return
        except ApiError as error:
            if _ends(error):
                raise
            self._collection.errors.append(error)
            return
        self._collection.profile = Profile(
            account.platform_account_id, "member", account.handle, None, followers
        )

    def _read_post(self, post_id: str) -> None:
        match = _URN.fullmatch(post_id)
        if match is None:
            self._collection.skipped[post_id] = "not a share or ugcPost URN"
            return
        key = "ugc" if match[1] == "ugcPost" else "share"
        try:
            self._keep(post_id, *self._counters(f"({key}:{urn(post_id)})"))
        except Unusable as error:
            self._collection.rejected.append(Rejected(post_id, error.field, error.reason))
        except ApiError as error:
            if _ends(error):
                raise
            if error.kind is ErrorKind.NOT_FOUND:
                self._collection.deleted.append(post_id)
                return
            self._collection.skipped[post_id] = error.message
            self._collection.errors.append(error)

    def _counters(self, entity: str) -> tuple[dict[str, int | None], datetime | None]:
        """The counters of one post, and when the last was told.

        Raises the ApiError of the first query types where these are all refused: so it takes two
        404s to call a post deleted, and two 403s to give it up.
        """
        counters: dict[str, int | None] = dict.fromkeys(COUNTERS)
        told_at: datetime | None = None
        refused: dict[str, ApiError] = {}
        for query, counter in self._queries.items():
            try:
                answer = self._rest.find(
                    MEMBER_ANALYTICS,
                    f"q=entity&entity={entity}&queryType={query}&aggregation=TOTAL",
                )
            except ApiError as error:
                if error.kind not in _REFUSALS:
                    raise
                refused[query] = error
                if told_at is None and len(refused) >= REFUSALS_PER_POST:
                    raise
                continue
            counters[counter] = read_member_count(answer.body, query)
            told_at = answer.received_at
        if told_at is not None:
            self._retire(q for q, e in refused.items() if e.kind is not ErrorKind.NOT_FOUND)
        return counters, told_at

    def _retire(self, queries: Iterable[str]) -> None:
        """A query type refused where another was answered is not offered to this token."""
        for query in queries:
            log.warning("metric_refused", platform="linkedin", query_type=query)
            self._queries.pop(query, None)

    def _keep(
        self, post_id: str, counters: dict[str, int | None], told_at: datetime | None
    ) -> None:
        if told_at is None or all(value is None for value in counters.values()):
            self._collection.skipped[post_id] = "LinkedIn reported no counter of it"
            return
        self._collection.readings.append(Reading(post_id, told_at, counters))

    def _skip_rest(self, error: ApiError) -> None:
        collection = self._collection
        settled = {reading.platform_post_id for reading in collection.readings}
        settled |= {rejected.subject for rejected in collection.rejected}
        settled |= {*collection.deleted, *collection.skipped}
        for post_id in self._request.due:
            if post_id not in settled:
                collection.skipped[post_id] = error.message
