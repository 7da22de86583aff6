"""The clients against the stand-in over real sockets: what is read is what the world holds."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from ingest import identity
from ingest.http import ApiError, ErrorKind, NoPacing
from ingest.oauth import (
    App,
    Refused,
    Remedy,
    TokenEndpoint,
    TokenGrant,
    begin_consent,
    read_callback,
)
from ingest.platforms import PLATFORMS, open_platform
from ingest.platforms.base import AccountRef, Collection, CollectionRequest, Platform
from ingest.platforms.linkedin import MEMBER_SCOPES, LinkedInSettings
from ingest.platforms.twitter import TwitterSettings
from ingest.sandbox.scenarios import read_scenario
from ingest.sandbox.server import SandboxServer
from ingest.sandbox.world import Account, Post, World, demo_accounts, large_accounts

START = datetime(2026, 9, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ZEROS = {"impression_count", "like_count", "comment_count", "share_count", "click_count"}


class Tokens:
    """The token that the stand-in gave an account; refreshing asks the stand-in."""

    def __init__(self, stand_in: SandboxServer, account: Account) -> None:
        grant = stand_in.sandbox.tokens.of(account)
        self.stand_in = stand_in
        self.platform = account.platform
        self.token = grant.access_token
        self.refresh_token = grant.refresh_token or ""

    def access_token(self) -> str:
        return self.token

    def refresh(self) -> str:
        provider = PLATFORMS[self.platform].provider.moved_to(self.stand_in.url)
        with TokenEndpoint(provider, app_of(self.stand_in), self.stand_in.clock) as endpoint:
            granted = endpoint.refresh(self.refresh_token)
        if isinstance(granted, Refused):
            raise ApiError(ErrorKind.TOKEN_EXPIRED, granted.reason)
        self.token, self.refresh_token = granted.access_token, granted.refresh_token or ""
        return self.token


def app_of(stand_in: SandboxServer) -> App:
    tokens = stand_in.sandbox.tokens
    return App(tokens.client_id, tokens.client_secret, "http://127.0.0.1:8477/callback")


class Collector:
    """Opens the clients of one stand-in and asks them."""

    def __init__(self, stand_in: SandboxServer) -> None:
        self.stand_in = stand_in
        self.opened: list[Platform] = []

    def account(self, kind: str) -> Account:
        return next(a for a in self.stand_in.sandbox.world.accounts if a.kind == kind)

    def open(self, account: Account, **settings: Any) -> Platform:
        given: Any = (
            TwitterSettings(base_url=self.stand_in.url, **settings)
            if account.platform == "twitter"
            else LinkedInSettings(base_url=self.stand_in.url, **{"version": "202606", **settings})
        )
        platform = open_platform(
            account.platform,
            given,
            Tokens(self.stand_in, account),
            NoPacing(),
            self.stand_in.clock,
            sleep=lambda _: None,
        )
        self.opened.append(platform)
        return platform

    def collect(
        self, account: Account, due: Sequence[str] = (), settings: Any = None, **fields: Any
    ) -> Collection:
        platform_id = account.id if account.platform == "twitter" else account.urn
        ref = AccountRef(
            identity.account_id(account.platform, platform_id),
            platform_id,
            account.kind,
            account.spec.handle,
        )
        platform = self.open(account, **(settings or {}))
        return platform.collect(CollectionRequest(ref, due=due, **fields))

    @property
    def requests(self) -> int:
        return int(self.stand_in.sandbox.log.summary()["total"])

    def scenario(self, *rules: Any, **settings: Any) -> None:
        read_scenario({"rules": list(rules), "settings": settings}).apply(self.stand_in.sandbox)


@pytest.fixture
def demo() -> Iterator[Collector]:
    yield from serving(World(demo_accounts(), START, days_before=60, days_after=20))


@pytest.fixture(scope="module")
def large() -> Iterator[Collector]:
    yield from serving(World(large_accounts(), START, days_before=31, days_after=0))


def serving(world: World) -> Iterator[Collector]:
    with SandboxServer(world) as stand_in:
        collector = Collector(stand_in)
        yield collector
        for platform in collector.opened:
            platform.close()


def ids_of(posts: Sequence[Post]) -> list[str]:
    return [post.urn if post.account.platform == "linkedin" else str(post.id) for post in posts]


def posts_of(collector: Collector, account: Account, days: float = 30) -> list[Post]:
    """Own posts of the last days that exist now."""
    now = collector.stand_in.clock.now().timestamp()
    posts = account.newest_first(now, since=now - days * 86_400)
    return [post for post in posts if post.type != "retweet"]


def month(collector: Collector) -> datetime:
    return collector.stand_in.clock.now() - 30 * DAY


# --- what is read is what the world holds


def test_an_x_account_is_read_as_the_world_has_it(demo: Collector) -> None:
    account = demo.account("profile")
    got = demo.collect(account, discover_since=month(demo), with_profile=True)
    now = demo.stand_in.clock.now().timestamp()
    posts = {str(post.versions[0].id): post for post in posts_of(demo, account)}
    assert {post.platform_post_id for post in got.posts} == set(posts)
    for reading in got.readings:
        post = posts[reading.platform_post_id]
        shown = [v for v in range(len(post.versions)) if post.versions[v].since <= now]
        likes = sum(post.version_counts(v, now)[1] for v in shown)
        assert reading.counters["like_count"] == likes
        assert None not in reading.counters.values()
    assert len(got.readings) == len(posts)
    assert got.profile is not None
    assert got.profile.followers_count == account.followers(now)
    assert (got.errors, got.rejected, got.stopped_by, got.discovered) == ([], [], None, True)


def test_both_dialects_read_the_same(demo: Collector) -> None:
    account = demo.account("profile")
    tweet, post = (
        demo.collect(account, discover_since=month(demo), settings={"dialect": dialect})
        for dialect in ("tweet", "post")
    )
    assert tweet.readings == post.readings
    assert tweet.posts == post.posts


def test_a_page_is_read_as_the_world_has_it(demo: Collector) -> None:
    account = demo.account("page")
    got = demo.collect(account, discover_since=month(demo), with_profile=True)
    now = demo.stand_in.clock.now().timestamp()
    posts = {post.urn: post for post in posts_of(demo, account)}
    assert {post.platform_post_id for post in got.posts} == set(posts)
    for reading in got.readings:
        told = [reading.counters[name] for name in ("impression_count", "like_count")]
        counts = posts[reading.platform_post_id].counts(now)
        assert told == [counts[0], counts[3]]
    assert len(got.readings) == len(posts)
    assert any(reading.counters["impression_count"] == 0 for reading in got.readings) or posts
    assert got.profile is not None
    assert got.profile.display_name == account.name


def test_texts_come_back_as_they_were_written(demo: Collector) -> None:
    for kind in ("profile", "page"):
        account = demo.account(kind)
        got = demo.collect(account, discover_since=month(demo))
        texts = {post.platform_post_id: post.text for post in got.posts}
        now = demo.stand_in.clock.now().timestamp()
        for post in posts_of(demo, account):
            key = post.urn if kind == "page" else str(post.versions[0].id)
            if post.version(now) == 0:
                assert texts[key] == post.text


def test_a_members_posts_are_read_counter_by_counter(demo: Collector) -> None:
    account = demo.account("member")
    due = ids_of(posts_of(demo, account))[:3]
    got = demo.collect(account, due, with_profile=True)
    assert [reading.platform_post_id for reading in got.readings] == due
    assert demo.requests == 3 * 7 + 1
    assert got.profile is not None
    assert got.profile.followers_count is not None


def test_a_page_token_sees_its_page_and_its_member(demo: Collector) -> None:
    account = demo.account("page")
    page, member = demo.open(account).accounts()
    assert (page.platform_account_id, page.kind) == (account.urn, "page")
    assert (member.kind, member.platform_account_id) == ("member", demo.account("member").urn)


def test_deleted_posts_are_told_from_unread_ones(demo: Collector) -> None:
    for kind in ("profile", "page"):
        account = demo.account(kind)
        posts = posts_of(demo, account)
        gone = posts[3]
        gone.deleted_at = demo.stand_in.clock.now().timestamp() - 1
        got = demo.collect(account, ids_of(posts))
        assert got.deleted == ids_of([gone])
        assert len(got.readings) == len(posts) - 1


def test_posts_older_than_30_days_are_still_read(demo: Collector) -> None:
    account = demo.account("profile")
    posts = posts_of(demo, account, days=45)
    got = demo.collect(account, [str(post.versions[0].id) for post in posts])
    assert len(got.readings) == len(posts)


# --- economy


def test_10_000_x_posts_take_at_most_105_requests(large: Collector) -> None:
    account = large.account("profile")
    due = [str(post.versions[0].id) for post in posts_of(large, account)]
    assert len(due) > 9_900
    before = large.requests
    got = large.collect(account, due, discover_since=month(large), with_profile=True)
    assert large.requests - before <= 105
    assert {reading.platform_post_id for reading in got.readings} == set(due)


def test_1_000_page_posts_take_at_most_35_requests(large: Collector) -> None:
    account = large.account("page")
    due = ids_of(posts_of(large, account))
    assert len(due) > 990
    before = large.requests
    got = large.collect(account, due, discover_since=month(large), with_profile=True)
    assert large.requests - before <= 35
    assert {reading.platform_post_id for reading in got.readings} == set(due)


def test_nothing_due_takes_no_request(demo: Collector) -> None:
    for kind in ("profile", "page", "member"):
        assert demo.collect(demo.account(kind)) == Collection()
    assert demo.requests == 0


# --- the Development tier, versions, foreign posts


def test_the_development_tier_is_served_without_batches(demo: Collector) -> None:
    demo.scenario(development_tier=True)
    account = demo.account("page")
    posts = posts_of(demo, account)[:12]
    posts[4].deleted_at = demo.stand_in.clock.now().timestamp() - 1
    got = demo.collect(account, ids_of(posts), settings={"tier": "development"})
    assert len(got.readings) == 11
    assert got.deleted == ids_of([posts[4]])


def test_the_development_tiers_member_limit_waits_for_midnight(demo: Collector) -> None:
    demo.scenario(development_tier=True)
    account = demo.account("member")
    due = ids_of(posts_of(demo, account, days=59))[:20]
    got = demo.collect(account, due, settings={"tier": "development"})
    assert len(got.readings) == 14
    assert got.stopped_by is not None
    assert got.stopped_by.until == START.replace(hour=0, minute=0) + DAY


def test_a_version_that_is_over_is_explained(demo: Collector) -> None:
    account = demo.account("page")
    with pytest.raises(ApiError, match="no longer serves API version 202401"):
        demo.collect(account, discover_since=START, settings={"version": "202401"})


def test_a_foreign_urn_among_fifty_is_isolated(demo: Collector) -> None:
    mine, other = [a for a in demo.stand_in.sandbox.world.accounts if a.kind == "page"]
    foreign = posts_of(demo, other)[0].urn
    due = [*ids_of(posts_of(demo, mine)), foreign]
    got = demo.collect(mine, due)
    assert len(got.readings) == len(due) - 1
    assert list(got.skipped) == [foreign]


# --- faults


@pytest.mark.parametrize("kind", ["profile", "page"])
@pytest.mark.parametrize(
    "fault",
    ["truncated", "broken_json", "not_json", "empty_body", "odd_json", "cut", "server_error"],
)
def test_a_fault_that_passes_costs_nothing_but_time(demo: Collector, kind: str, fault: str) -> None:
    demo.scenario({"fault": fault, "nth": [1]})
    account = demo.account(kind)
    got = demo.collect(account, discover_since=month(demo))
    assert len(got.readings) == len(posts_of(demo, account))
    assert got.errors == []


@pytest.mark.parametrize("kind", ["profile", "page"])
def test_a_token_that_expires_midway_is_refreshed(demo: Collector, kind: str) -> None:
    demo.scenario({"fault": "expire_token", "nth": [2]})
    account = demo.account(kind)
    got = demo.collect(account, discover_since=month(demo), with_profile=True)
    assert len(got.readings) == len(posts_of(demo, account))
    assert got.profile is not None


def test_a_revoked_consent_is_told_from_an_expired_token(demo: Collector) -> None:
    demo.scenario({"fault": "revoke_token", "nth": [1]})
    with pytest.raises(ApiError) as caught:
        demo.collect(demo.account("page"), discover_since=month(demo))
    assert caught.value.kind == "token_revoked"


def test_clocks_that_differ_by_an_hour_do_not_lengthen_the_wait(demo: Collector) -> None:
    demo.scenario(
        {"fault": "rate_limited", "nth": [1], "args": {"reset_in": 20}, "platform": "twitter"}
    )
    account = demo.account("profile")
    assert demo.collect(account, discover_since=month(demo)).readings


@pytest.mark.parametrize("fault", ["duplicated_page", "shuffled_page", "repeated_token"])
@pytest.mark.parametrize("kind", ["profile", "page"])
def test_odd_pages_lose_nothing_that_is_due(demo: Collector, kind: str, fault: str) -> None:
    demo.scenario({"fault": fault})
    account = demo.account(kind)
    posts = posts_of(demo, account)
    due = ids_of(posts) if kind == "page" else [str(p.versions[0].id) for p in posts]
    got = demo.collect(account, due, discover_since=month(demo))
    assert {reading.platform_post_id for reading in got.readings} >= set(due)


@pytest.mark.parametrize("fault", ["wrong_types", "missing_fields", "partial_errors"])
@pytest.mark.parametrize("kind", ["profile", "page", "member"])
@pytest.mark.parametrize("seed", range(4))
def test_odd_bodies_lead_to_reasons_and_never_to_wrong_numbers(
    demo: Collector, kind: str, fault: str, seed: int
) -> None:
    demo.scenario({"fault": fault, "args": {"seed": seed, "share": 0.05}})
    account = demo.account(kind)
    posts = posts_of(demo, account)
    names = {str(p.versions[0].id) if kind == "profile" else p.urn: p for p in posts}
    got = demo.collect(account, list(names), discover_since=month(demo))
    now = demo.stand_in.clock.now().timestamp()
    settled = {r.platform_post_id for r in got.readings} | set(got.deleted) | set(got.skipped)
    assert set(names) <= settled | {rejected.subject for rejected in got.rejected}
    for reading in got.readings:
        post = names.get(reading.platform_post_id)
        value = reading.counters["impression_count"]
        if post is None or value is None or len(post.versions) > 1:
            continue
        # -1 is an integer: only LinkedIn, which corrects its counts, may send one.
        assert value == post.counts(now)[0] or (value == -1 and kind != "profile")


# --- consent


@pytest.mark.parametrize(
    ("platform", "kind", "scopes"),
    [
        ("twitter", "profile", None),
        ("linkedin", "page", None),
        ("linkedin", "member", MEMBER_SCOPES),
    ],
)
def test_a_consent_gives_tokens_that_work_and_refresh_once(
    demo: Collector, platform: str, kind: str, scopes: Any
) -> None:
    stand_in = demo.stand_in
    provider, app = PLATFORMS[platform].provider.moved_to(stand_in.url), app_of(stand_in)
    account = demo.account(kind)
    consent = begin_consent(provider, app, scopes=scopes)
    choice = f"&sandbox_account={kind}:{account.spec.handle}&sandbox_user=ana"
    location = httpx.get(consent.url + choice).headers["location"]
    code = read_callback(urlsplit(location).query, consent)
    assert isinstance(code, str)
    with TokenEndpoint(provider, app, stand_in.clock) as endpoint:
        grant = endpoint.exchange(code, consent)
        assert isinstance(grant, TokenGrant)
        assert grant.expires_at is not None
        assert grant.expires_at > stand_in.clock.now()
        assert set(grant.scopes) == set(provider.scopes if scopes is None else scopes)
        # A code is good once.
        again = endpoint.exchange(code, consent)
        assert isinstance(again, Refused)
        assert again.remedy == Remedy.CONSENT_AGAIN
        assert grant.refresh_token is not None
        rotated = endpoint.refresh(grant.refresh_token)
        assert isinstance(rotated, TokenGrant)
        assert rotated.access_token != grant.access_token
        if platform == "twitter":
            assert rotated.refresh_token != grant.refresh_token
            assert isinstance(endpoint.refresh(grant.refresh_token), Refused)


def test_a_person_who_says_no_is_understood(demo: Collector) -> None:
    for platform in PLATFORMS.values():
        provider = platform.provider.moved_to(demo.stand_in.url)
        consent = begin_consent(provider, app_of(demo.stand_in))
        location = httpx.get(consent.url + "&sandbox_deny=1").headers["location"]
        refused = read_callback(urlsplit(location).query, consent)
        assert isinstance(refused, Refused)
        assert refused.remedy == Remedy.CONSENT_AGAIN
