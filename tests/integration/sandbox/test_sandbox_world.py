"""The world's posts and counters: reproducible, believable, consistent with their ids."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.sandbox.world import (
    DAY,
    HOUR,
    METRICS,
    X_EPOCH_MS,
    AccountSpec,
    Habits,
    Post,
    World,
    audience_activity,
    demo_accounts,
    named_world,
)

START = datetime(2026, 7, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return World(demo_accounts(), START, seed=1)


def posts_of(world: World, kind: str) -> list[Post]:
    return [post for account in world.accounts if account.kind == kind for post in account.posts]


def test_the_same_seed_gives_the_same_posts_and_counters_in_any_order_of_asking(world: World):
    other = World(demo_accounts(), START, seed=1)
    moments = [world.start - 5 * DAY, world.start]
    for account, twin in reversed(list(zip(world.accounts, other.accounts, strict=True))):
        late_first = [post.counts(t) for post in twin.posts[::7] for t in reversed(moments)]
        early_first = [post.counts(t) for post in account.posts[::7] for t in moments]
        assert sorted(late_first) == sorted(early_first)
        assert [post.text for post in account.posts[:9]] == [post.text for post in twin.posts[:9]]


def test_another_seed_gives_another_world(world: World):
    other = World(demo_accounts(), START, seed=2)
    assert {a.id for a in world.accounts}.isdisjoint(a.id for a in other.accounts)


def test_posts_do_not_depend_on_how_far_the_horizon_reaches(world: World):
    short = World(demo_accounts(), START, seed=1, days_before=30, days_after=5)
    known = {post.id for post in world.accounts[0].posts}
    assert len(short.accounts[0].posts) > 30
    assert all(post.id in known for post in short.accounts[0].posts)


def test_the_horizon_covers_two_hundred_days_on_both_sides_of_the_start(world: World):
    published = [post.published for post in world.accounts[0].posts]
    assert min(published) < world.start - 200 * DAY
    assert max(published) > world.start + 200 * DAY


def test_accounts_post_about_as_often_as_they_say(world: World):
    for account in world.accounts:
        per_day = len(account.posts) / 441
        assert per_day == pytest.approx(account.spec.posts_per_day, rel=0.25)


def test_ids_tell_the_moment_of_publication(world: World):
    for post in posts_of(world, "profile"):
        for version in post.versions:
            milliseconds = (version.id >> 22) + X_EPOCH_MS
            assert milliseconds == round(version.since * 1000)
    ids = [post.id for post in world.accounts[0].posts]
    assert ids == sorted(ids)
    assert all(i < 2**63 for i in ids)


def test_linkedin_posts_have_share_and_ugc_post_urns_that_hold_their_id(world: World):
    urns = [post.urn for post in posts_of(world, "page")]
    kinds = {urn.split(":")[2] for urn in urns}
    assert kinds == {"share", "ugcPost"}
    assert all(
        urn.endswith(str(post.id)) for urn, post in zip(urns, posts_of(world, "page"), strict=True)
    )
    assert {len(urn.rpartition(":")[2]) for urn in urns} == {19}


def test_nothing_is_counted_before_publication(world: World):
    for account in world.accounts:
        for post in account.posts[::11]:
            if post.type != "retweet":
                assert not any(post.counts(post.published - 1))


def test_counters_of_x_never_fall(world: World):
    for post in posts_of(world, "profile")[::9]:
        series = [post.counts(post.published + hours * HOUR) for hours in range(0, 400, 5)]
        for earlier, later in pairwise(series):
            assert all(b >= a for a, b in zip(earlier, later, strict=True))


def test_half_of_the_impressions_come_in_the_first_two_days_and_nearly_all_in_thirty(world: World):
    posts = [p for p in posts_of(world, "profile") if p.counts(p.published + 60 * DAY)[0] > 500]
    early = mean(
        p.counts(p.published + 2 * DAY)[0] / p.counts(p.published + 60 * DAY)[0] for p in posts
    )
    month = mean(
        p.counts(p.published + 30 * DAY)[0] / p.counts(p.published + 60 * DAY)[0] for p in posts
    )
    assert 0.5 < early < 0.95
    assert month > 0.98


def test_the_audience_is_awake_by_day_and_on_weekdays(world: World):
    tuesday = datetime(2026, 7, 28, tzinfo=UTC).timestamp()
    night = audience_activity(tuesday + 4 * HOUR) - audience_activity(tuesday + 3 * HOUR)
    noon = audience_activity(tuesday + 13 * HOUR) - audience_activity(tuesday + 12 * HOUR)
    saturday = audience_activity(tuesday + 5 * DAY) - audience_activity(tuesday + 4 * DAY)
    weekday = audience_activity(tuesday + DAY) - audience_activity(tuesday)
    assert noon > 5 * night
    assert weekday > 1.2 * saturday
    assert audience_activity(tuesday + 7 * DAY) - audience_activity(tuesday) == pytest.approx(168)


@given(st.floats(0, 4e9), st.floats(0, 1e6))
@settings(max_examples=100)
def test_audience_activity_never_runs_backwards(t: float, later: float):
    assert audience_activity(t + later) >= audience_activity(t) - 1e-6


def test_some_posts_are_viral_some_dead_some_deleted_some_edited_and_some_not_own(world: World):
    posts = posts_of(world, "profile")
    totals = sorted(post.counts(post.published + 60 * DAY)[0] for post in posts)
    assert totals[-1] > 15 * totals[len(totals) // 2]
    assert sum(total < 30 for total in totals) > len(totals) * 0.03
    assert sum(post.deleted_at < float("inf") for post in posts) >= 3
    assert sum(len(post.versions) > 1 for post in posts) >= 5
    assert {post.type for post in posts} == {"post", "reply", "retweet", "quote"}


def test_some_linkedin_counts_fall_a_little(world: World):
    fell = 0
    for post in posts_of(world, "page"):
        series = [post.counts(post.published + hours * HOUR) for hours in range(0, 24 * 30, 4)]
        likes = [counts[METRICS["page"].index("likeCount")] for counts in series]
        drops = [b - a for a, b in pairwise(likes) if b < a]
        assert all(drop >= -3 for drop in drops)
        fell += bool(drops)
    assert fell > 8


def test_some_linkedin_posts_have_no_activity_in_their_first_hours(world: World):
    alive = [p for p in posts_of(world, "page") if any(p.counts(p.published + 9 * DAY))]
    quiet = [post for post in alive if not any(post.counts(post.published + 3 * HOUR))]
    assert 10 < len(quiet) < len(alive) / 2


def test_counters_of_an_edited_post_belong_to_its_versions_and_add_up(world: World):
    edited = [post for post in posts_of(world, "profile") if len(post.versions) > 1]
    for post in edited:
        t = post.published + 3 * DAY
        parts = [post.version_counts(index, t) for index in range(len(post.versions))]
        assert tuple(map(sum, zip(*parts, strict=True))) == post.counts(t)
        assert all(version.since - post.published < HOUR for version in post.versions)


def test_followers_grow_over_months_with_days_on_which_they_fall(world: World):
    for account in world.accounts:
        days = [account.followers(world.start + day * DAY) for day in range(200)]
        assert days[-1] > days[0]
        assert any(b < a for a, b in pairwise(days))


def test_posts_in_an_accounts_best_hours_reach_more_people():
    habits = Habits(replies=0, retweets=0, dead=0, viral=0, deleted=0, edited=0)
    spec = AccountSpec("profile", "steady", ("ana",), posts_per_day=8, habits=habits)
    account = World([spec], START).accounts[0]
    weekday = [p for p in account.posts if datetime.fromtimestamp(p.published, UTC).weekday() < 5]
    best = [p for p in weekday if account.timing_effect(p.published) > 1]
    rest = [p for p in weekday if account.timing_effect(p.published) == 1]
    reach = [mean(p.counts(p.published + 60 * DAY)[0] for p in group) for group in (best, rest)]
    assert reach[0] > 1.3 * reach[1]


def test_an_unknown_id_is_nobodys_post(world: World):
    assert world.find(1) is None
    assert world.find(2**63 - 1) is None


def test_a_world_refuses_what_it_cannot_hold():
    spec = AccountSpec("page", "twice", ("ana",))
    with pytest.raises(ValueError, match="same kind and handle"):
        World([spec, spec], START)
    with pytest.raises(ValueError, match="topic"):
        AccountSpec("page", "x", ("ana",), topic="nothing")
    with pytest.raises(ValueError, match="exactly one user"):
        AccountSpec("member", "x", ("ana", "ben"))


def test_the_large_world_has_ten_thousand_posts_of_one_account_in_thirty_days():
    world = named_world("large", START)
    since = (START - timedelta(days=30)).timestamp()
    profile, page = world.accounts
    assert 9_800 < sum(1 for _ in profile.newest_first(world.start, since=since)) < 10_300
    assert 950 < sum(1 for _ in page.newest_first(world.start, since=since)) < 1_050


def test_the_wide_world_makes_posts_only_of_accounts_that_are_asked_for():
    world = named_world("wide", START)
    assert len(world.accounts) == 500
    posts = list(world.accounts[7].newest_first(world.start, since=world.start - 30 * DAY))
    assert 70 < len(posts) < 140
    assert "posts" not in vars(world.accounts[8])
