"""LinkedIn as the stand-in answers it; each test is named for the rule of the other side."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sandbox_asker import START, Asker, encoded, listed

from ingest.sandbox.app import create_sandbox
from ingest.sandbox.linkedin.gate import active_versions
from ingest.sandbox.world import DAY, HOUR, METRICS, AccountSpec, Post, World


def finder(asker: Asker, start: int = 0, count: int = 100) -> list[dict]:
    query = f"q=author&author={encoded(asker.page.urn)}&start={start}&count={count}"
    answer = asker.linkedin(f"/rest/posts?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["elements"]


def split(posts: list[Post]) -> tuple[list[str], list[str]]:
    """URNs of shares and of ugcPosts."""
    urns = [post.urn for post in posts]
    return [u for u in urns if ":share:" in u], [u for u in urns if ":ugcPost:" in u]


def recent(asker: Asker) -> list[Post]:
    return list(asker.page.newest_first(asker.now))[:40]


def analytics(asker: Asker, query: str, version: str = "202606"):
    return asker.linkedin(
        f"/rest/memberCreatorPostAnalytics?{query}", asker.member, LinkedIn_Version=version
    )


# ---- headers --------------------------------------------------------------------------------


def test_no_token_an_unknown_an_expired_and_a_revoked_one_are_told_apart(fresh: Asker):
    grant = fresh.sandbox.tokens.of(fresh.page)
    path = "/rest/organizationAcls?q=roleAssignee"
    assert fresh.linkedin(path, Authorization=None).json["serviceErrorCode"] == 401
    assert fresh.linkedin(path, Authorization="Bearer x").json["serviceErrorCode"] == 65600
    grant.expires_at = fresh.now
    assert fresh.linkedin(path).json == {
        "status": 401,
        "serviceErrorCode": 65602,
        "code": "EXPIRED_ACCESS_TOKEN",
        "message": "The token used in the request has expired",
    }
    grant.revoked = True
    assert fresh.linkedin(path).json["serviceErrorCode"] == 65601


def test_a_version_is_required(shared: Asker):
    answer = shared.linkedin("/rest/organizationAcls?q=roleAssignee", LinkedIn_Version=None)
    assert answer.status_code == 400
    assert answer.json["code"] == "VERSION_MISSING"


@pytest.mark.parametrize("version", ["202412", "202512", "202612", "2026-06", "latest"])
def test_a_sunset_or_unknown_version_is_426(shared: Asker, version: str):
    answer = shared.linkedin("/rest/organizationAcls?q=roleAssignee", LinkedIn_Version=version)
    assert answer.status_code == 426
    assert answer.json["code"] == "NONEXISTENT_VERSION"
    assert answer.json["message"].startswith(f"Requested version {version}")


def test_active_versions_are_those_seen_live_on_a_known_day():
    months = [8, 9, 10, 11], [1, 2, 3, 4, 5, 6, 7]
    live = [f"2025{month:02}" for month in months[0]] + [f"2026{month:02}" for month in months[1]]
    assert active_versions(date(2026, 8, 13)) == live


@pytest.mark.parametrize(
    ("version", "last_day"), [("202511", date(2026, 11, 15)), ("202601", date(2027, 1, 14))]
)
def test_versions_end_on_the_announced_days(version: str, last_day: date):
    assert version in active_versions(last_day)
    assert version not in active_versions(last_day + timedelta(days=1))


def test_the_clock_decides_which_versions_are_active(fresh: Asker):
    path = "/rest/organizationAcls?q=roleAssignee"
    assert fresh.linkedin(path).status_code == 200
    fresh.sandbox.clock.set(START + timedelta(days=365))
    assert fresh.linkedin(path).status_code == 426
    fresh.scenario(linkedin_versions=["202606"])
    assert fresh.linkedin(path).status_code == 200


def test_the_protocol_header_is_required(shared: Asker):
    answer = shared.linkedin(
        "/rest/organizationAcls?q=roleAssignee", X_Restli_Protocol_Version=None
    )
    assert answer.status_code == 400


def test_there_are_no_rate_limit_headers(shared: Asker):
    headers = shared.linkedin("/rest/organizationAcls?q=roleAssignee").headers
    assert not [name for name, _ in headers if "rate" in name.lower() or "retry" in name.lower()]


# ---- encoding -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [
        "List%28urn%3Ali%3Ashare%3A1%29",
        "List(urn%253Ali%253Ashare%253A1)",
        "List(urn:li:share:1)",
        "urn%3Ali%3Ashare%3A1",
        "List(urn%3Ali%3Ashare%3A1",
        "List()",
        "List(urn%3Ali%3AugcPost%3A1)",
    ],
)
def test_a_wrongly_encoded_list_is_a_400_that_names_the_parameter(shared: Asker, spelled: str):
    answer = shared.statistics(f"shares={spelled}")
    assert answer.status_code == 400
    (problem,) = answer.json["errorDetails"]["inputErrors"]
    assert problem["code"] == "PARAM_INVALID"
    assert problem["input"]["inputPath"]["fieldPath"] == "shares"


def test_a_raw_urn_in_a_parameter_or_a_path_is_a_400(shared: Asker):
    assert shared.linkedin(f"/rest/posts?q=author&author={shared.page.urn}").status_code == 400
    path = f"/rest/networkSizes/{shared.page.urn}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
    answer = shared.linkedin(path)
    assert answer.status_code == 400
    assert answer.json["message"] == "Syntax exception in path variables"


def test_an_unknown_parameter_is_a_400(shared: Asker):
    answer = shared.statistics("shareIds=List(urn%3Ali%3Ashare%3A1)")
    assert answer.json["errorDetails"]["inputErrors"][0]["code"] == "QUERY_PARAM_NOT_ALLOWED"


def test_long_queries_are_refused_and_may_be_tunnelled(shared: Asker):
    shares, _ = split(list(shared.page.newest_first(shared.now)))
    many = (shares * 9)[:130]
    query = f"q=organizationalEntity&organizationalEntity={encoded(shared.page.urn)}"
    query += f"&shares={listed(many)}"
    path = "/rest/organizationalEntityShareStatistics"
    assert shared.linkedin(f"{path}?{query}").status_code == 414
    answer = shared.app.test_client().post(
        path,
        data=query,
        headers={
            **shared.bearer(shared.page),
            "LinkedIn-Version": "202606",
            "X-Restli-Protocol-Version": "2.0.0",
            "X-HTTP-Method-Override": "GET",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert answer.status_code == 200


# ---- posts ----------------------------------------------------------------------------------


def test_the_finder_pages_by_offset_and_has_no_metrics(shared: Asker):
    first, second = finder(shared, 0, 30), finder(shared, 30, 30)
    urns = [post["id"] for post in first + second]
    expected = [post.urn for post in shared.page.newest_first(shared.now)]
    assert urns == expected[:60]
    assert finder(shared, len(expected) - 3, 30) == finder(shared)[len(expected) - 3 :]
    assert not {"likes", "impressionCount", "totalShareStatistics"} & set(first[0])
    assert {post["id"].split(":")[2] for post in first} == {"share", "ugcPost"}


def test_posts_have_times_in_epoch_milliseconds_and_escaped_text(shared: Asker):
    for shown, post in zip(finder(shared), shared.page.newest_first(shared.now), strict=False):
        assert shown["createdAt"] == round(post.published * 1000)
        assert shown["author"] == shared.page.urn
        assert shown["commentary"].replace("\\", "") == post.text
        assert "#" not in shown["commentary"].replace("\\#", "")


def test_a_page_of_more_than_100_is_a_400(shared: Asker):
    query = f"q=author&author={encoded(shared.page.urn)}&count=101"
    assert shared.linkedin(f"/rest/posts?{query}").status_code == 400


def test_someone_elses_page_and_a_members_posts_cannot_be_listed(shared: Asker):
    for author in (shared.world.accounts[4].urn, shared.member.urn):
        answer = shared.linkedin(f"/rest/posts?q=author&author={encoded(author)}")
        assert answer.status_code == 403
        assert answer.json["code"] == "ACCESS_DENIED"


def test_batch_get_answers_200_with_results_statuses_and_errors(shared: Asker):
    own, foreign = recent(shared)[0].urn, shared.world.accounts[4].posts[0].urn
    answer = shared.linkedin(f"/rest/posts?ids={listed([own, foreign, 'urn:li:share:5'])}")
    assert answer.status_code == 200
    assert set(answer.json["results"]) == {own}
    assert answer.json["statuses"] == {own: 200, foreign: 403, "urn:li:share:5": 404}
    assert answer.json["errors"]["urn:li:share:5"]["status"] == 404


def test_one_post_can_be_read_by_its_urn(shared: Asker):
    post = recent(shared)[0]
    assert shared.linkedin(f"/rest/posts/{encoded(post.urn)}").json["id"] == post.urn
    assert shared.linkedin("/rest/posts/urn%3Ali%3Ashare%3A5").status_code == 404


# ---- share statistics -----------------------------------------------------------------------


def test_statistics_are_the_worlds_with_shares_and_ugc_posts_apart(shared: Asker):
    posts = recent(shared)
    shares, ugc_posts = split(posts)
    answer = shared.statistics(f"shares={listed(shares)}", f"ugcPosts={listed(ugc_posts)}")
    found = {
        e.get("share") or e.get("ugcPost"): e["totalShareStatistics"]
        for e in answer.json["elements"]
    }
    for post in posts:
        counts = post.counts(shared.now)
        if any(counts):
            shown = found[post.urn]
            assert [shown[name] for name in METRICS["page"]] == list(counts)
            interactions = sum(counts[2:])
            assert shown["engagement"] == pytest.approx(interactions / counts[0])
        else:
            assert post.urn not in found


def test_posts_without_activity_are_omitted(fresh: Asker):
    quiet = next(
        post
        for post in fresh.page.posts
        if post.published > fresh.now and not any(post.counts(post.published + 2 * HOUR))
    )
    fresh.sandbox.clock.set(datetime.fromtimestamp(quiet.published + HOUR, UTC))
    assert finder(fresh)[0]["id"] == quiet.urn
    parameter = "shares" if ":share:" in quiet.urn else "ugcPosts"
    answer = fresh.statistics(f"{parameter}={listed([quiet.urn])}")
    assert answer.status_code == 200
    assert answer.json["elements"] == []


def test_one_post_that_is_not_the_pages_fails_the_whole_call(shared: Asker):
    shares, _ = split(recent(shared))
    foreign, _ = split(list(shared.world.accounts[4].newest_first(shared.now)))
    answer = shared.statistics(f"shares={listed([shares[0], foreign[0], shares[1]])}")
    assert answer.status_code == 403
    assert answer.json["message"].endswith("fields [/shares[1]]")


def test_a_deleted_post_leaves_finder_and_statistics(fresh: Asker):
    shares, _ = split(recent(fresh))
    fresh.app.test_client().post("/_sandbox/posts", json={"delete": shares[0]})
    assert shares[0] not in {post["id"] for post in finder(fresh)}
    elements = fresh.statistics(f"shares={listed(shares[:2])}").json["elements"]
    assert [element["share"] for element in elements] == [shares[1]]


def test_statistics_of_deleted_posts_alone_are_empty_and_not_the_pages(fresh: Asker):
    shares, _ = split(recent(fresh))
    for share in shares[:2]:
        fresh.app.test_client().post("/_sandbox/posts", json={"delete": share})
    answer = fresh.statistics(f"shares={listed(shares[:2])}")
    assert (answer.status_code, answer.json["elements"]) == (200, [])


def test_without_posts_the_statistics_are_the_pages(shared: Asker):
    (element,) = shared.statistics().json["elements"]
    total = sum(post.counts(shared.now)[0] for post in shared.page.newest_first(shared.now))
    assert element["totalShareStatistics"]["impressionCount"] == total


def test_daily_statistics_add_up_to_the_lifetime_of_a_young_post(shared: Asker):
    post = next(p for p in recent(shared) if p.counts(shared.now)[0] > 100)
    start = int(post.published // DAY) * 86_400_000
    end = int(shared.now * 1000)
    intervals = f"timeIntervals=(timeRange:(start:{start},end:{end}),timeGranularityType:DAY)"
    parameter = "shares" if ":share:" in post.urn else "ugcPosts"
    elements = shared.statistics(f"{parameter}={listed([post.urn])}", intervals).json["elements"]
    assert all(element["timeRange"]["start"] % 86_400_000 == 0 for element in elements)
    total = sum(element["totalShareStatistics"]["impressionCount"] for element in elements)
    assert total == post.counts(shared.now)[0]


def test_counts_can_be_negative(shared: Asker):
    likes = METRICS["page"].index("likeCount")
    lowest = min(
        post.counts(post.published + 15 * DAY)[likes]
        for account in shared.world.accounts
        if account.kind == "page"
        for post in account.posts
    )
    assert lowest < 0


def test_page_followers_come_from_network_sizes(shared: Asker):
    path = f"/rest/networkSizes/{encoded(shared.page.urn)}?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
    assert shared.linkedin(path).json == {"firstDegreeSize": shared.page.followers(shared.now)}
    old = path.replace("COMPANY_FOLLOWED_BY_MEMBER", "CompanyFollowedByMember")
    assert shared.linkedin(old).status_code == 400


def test_follower_statistics_have_gains_by_day_and_no_total(shared: Asker):
    path = "/rest/organizationalEntityFollowerStatistics?q=organizationalEntity"
    path += f"&organizationalEntity={encoded(shared.page.urn)}"
    (lifetime,) = shared.linkedin(path).json["elements"]
    assert not any("Total" in name or "followerGains" in name for name in lifetime)
    end = int(shared.now // DAY) * 86_400_000
    bounds = f"(start:{end - 3 * 86_400_000},end:{end})"
    path += f"&timeIntervals=(timeRange:{bounds},timeGranularityType:DAY)"
    gains = [
        e["followerGains"]["organicFollowerGain"] for e in shared.linkedin(path).json["elements"]
    ]
    followers = shared.page.followers
    assert sum(gains) == followers(end / 1000) - followers(end / 1000 - 3 * DAY)
    assert len(gains) == 3


def test_social_metadata_and_actions_have_no_impressions(shared: Asker):
    post = next(p for p in recent(shared) if p.counts(shared.now)[3] > 20)
    metadata = shared.linkedin(f"/rest/socialMetadata/{encoded(post.urn)}").json
    reactions = sum(summary["count"] for summary in metadata["reactionSummaries"].values())
    assert reactions == post.counts(shared.now)[3]
    actions = shared.linkedin(f"/rest/socialActions/{encoded(post.urn)}").json
    assert actions["likesSummary"]["totalLikes"] == reactions
    assert "impression" not in str(metadata) + str(actions)


# ---- members --------------------------------------------------------------------------------


def member_post(asker: Asker, kind: str = "share") -> Post:
    posts = asker.member.newest_first(asker.now)
    return next(p for p in posts if f":{kind}:" in p.urn and p.counts(asker.now)[0] > 100)


@pytest.mark.parametrize("metric", METRICS["member"])
def test_a_members_post_gives_one_metric_a_call(shared: Asker, metric: str):
    post = member_post(shared)
    answer = analytics(shared, f"q=entity&entity=(share:{encoded(post.urn)})&queryType={metric}")
    assert answer.json == {
        "paging": {"start": 0, "count": 10, "links": [], "total": 1},
        "elements": [
            {
                "count": post.counts(shared.now)[METRICS["member"].index(metric)],
                "metricType": metric,
                "targetEntity": {"share": post.urn},
            }
        ],
    }


def test_a_ugc_post_is_named_ugc(shared: Asker):
    urn = encoded(member_post(shared, "ugcPost").urn)
    right = analytics(shared, f"q=entity&entity=(ugc:{urn})&queryType=IMPRESSION")
    wrong = analytics(shared, f"q=entity&entity=(ugcPost:{urn})&queryType=IMPRESSION")
    assert (right.status_code, wrong.status_code) == (200, 400)


def test_the_metric_type_was_an_object_before_202605(shared: Asker):
    query = f"q=entity&entity=(share:{encoded(member_post(shared).urn)})&queryType=IMPRESSION"
    (element,) = analytics(shared, query, "202604").json["elements"]
    assert list(element["metricType"].values()) == ["IMPRESSION"]


def test_link_clicks_came_with_202604(shared: Asker):
    query = f"q=entity&entity=(share:{encoded(member_post(shared).urn)})&queryType=LINK_CLICKS"
    assert analytics(shared, query, "202603").status_code == 400
    assert analytics(shared, query, "202604").status_code == 200


def test_daily_values_add_up_and_some_metrics_have_none(shared: Asker):
    days = "dateRange=(start:(day:20,month:7,year:2026),end:(day:1,month:8,year:2026))"
    answer = analytics(shared, f"q=me&queryType=REACTION&aggregation=DAILY&{days}").json
    start = datetime(2026, 7, 20, tzinfo=UTC).timestamp()
    gained = sum(
        post.counts(shared.now)[3] - post.counts(start)[3]
        for post in shared.member.newest_first(shared.now)
    )
    assert sum(element["count"] for element in answer["elements"]) == gained
    refused = analytics(shared, f"q=me&queryType=MEMBERS_REACHED&aggregation=DAILY&{days}")
    assert refused.status_code == 400


def test_a_page_token_may_not_read_a_members_posts(shared: Asker):
    query = f"q=entity&entity=(share:{encoded(member_post(shared).urn)})&queryType=IMPRESSION"
    assert shared.linkedin(f"/rest/memberCreatorPostAnalytics?{query}").status_code == 403


def test_a_members_followers_today_and_by_day(shared: Asker):
    today = shared.linkedin("/rest/memberFollowersCount?q=me", shared.member).json["elements"]
    assert today == [{"memberFollowersCount": shared.member.followers(shared.now)}]
    days = "(start:(day:1,month:7,year:2026),end:(day:4,month:7,year:2026))"
    path = f"/rest/memberFollowersCount?q=dateRange&dateRange={days}"
    elements = shared.linkedin(path, shared.member).json["elements"]
    assert [element["dateRange"]["start"]["day"] for element in elements] == [1, 2, 3]


# ---- who is asking, limits ------------------------------------------------------------------


def test_a_caller_finds_the_pages_it_administers(shared: Asker):
    answer = shared.linkedin(
        "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"
    )
    assert [acl["organization"] for acl in answer.json["elements"]] == [shared.page.urn]
    page = shared.linkedin(f"/rest/organizations/{shared.page.id}").json
    assert page["vanityName"] == "northwind-data"
    assert shared.linkedin("/rest/me").json["id"] == shared.member.id
    assert shared.linkedin("/v2/userinfo", LinkedIn_Version=None).json["sub"] == shared.member.id


def test_a_page_may_have_two_administrators_with_a_token_each():
    spec = AccountSpec("page", "shared-page", ("ana", "ben"))
    asker = Asker(create_sandbox(World([spec], START, days_before=5, days_after=0)))
    (page,) = asker.world.accounts
    tokens = [asker.sandbox.tokens.of(page, user).access_token for user in ("ana", "ben")]
    assert tokens[0] != tokens[1]
    for token in tokens:
        acls = asker.linkedin(
            "/rest/organizationAcls?q=roleAssignee", page, Authorization=f"Bearer {token}"
        )
        assert [acl["organization"] for acl in acls.json["elements"]] == [page.urn]


def test_the_development_tier_has_no_batch_get_and_100_calls_a_member_and_day(fresh: Asker):
    fresh.scenario(development_tier=True)
    urn = recent(fresh)[0].urn
    refused = fresh.linkedin(f"/rest/posts?ids={listed([urn])}")
    assert refused.status_code == 403
    path = f"/rest/posts/{encoded(urn)}"
    assert [fresh.linkedin(path).status_code for _ in range(100)] == [200] * 99 + [429]
    throttled = fresh.linkedin(path)
    assert throttled.json["serviceErrorCode"] == 101
    assert "Retry-After" not in throttled.headers
    fresh.sandbox.clock.set(datetime(2026, 8, 1, tzinfo=UTC))
    assert fresh.linkedin(path).status_code == 200


def test_a_daily_limit_per_endpoint_ends_at_midnight_utc(fresh: Asker):
    fresh.scenario(linkedin_daily_calls=2)
    path = "/rest/organizationAcls?q=roleAssignee"
    assert [fresh.linkedin(path).status_code for _ in range(3)] == [200, 200, 429]
    assert fresh.linkedin("/rest/me").status_code == 200
    fresh.sandbox.clock.set(datetime(2026, 8, 1, tzinfo=UTC))
    assert fresh.linkedin(path).status_code == 200
