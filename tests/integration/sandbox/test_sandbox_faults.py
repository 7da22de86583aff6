"""Every fault of the stand-in, and the rules that say when it strikes."""

import json
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from sandbox_asker import EVERY_FAULT, Asker, encoded, listed
from werkzeug.test import TestResponse

from ingest.sandbox.faults import FAULTS
from ingest.sandbox.scenarios import ScenarioError, load_scenario_file, read_scenario


def timeline(asker: Asker, query: str = "max_results=10") -> TestResponse:
    fields = "tweet.fields=public_metrics,created_at"
    return asker.x(f"/2/users/{asker.profile.id}/tweets?{query}&{fields}")


def finder(asker: Asker) -> TestResponse:
    return asker.linkedin(f"/rest/posts?q=author&author={encoded(asker.page.urn)}&count=20")


# ---- rules ----------------------------------------------------------------------------------


def statuses(asker: Asker, count: int) -> list[int]:
    return [timeline(asker).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"nth": [2, 4]}, [200, 503, 200, 503, 200]),
        ({"nth": 1}, [503, 200, 200, 200, 200]),
        ({"after": 2}, [200, 200, 503, 503, 503]),
        ({"every": 2}, [200, 503, 200, 503, 200]),
        ({"times": 3}, [503, 503, 503, 200, 200]),
        ({"after": 1, "times": 1}, [200, 503, 200, 200, 200]),
        ({"endpoint": "GET /2/users/me"}, [200] * 5),
        ({"endpoint": "GET /2/users/*"}, [503] * 5),
        ({"platform": "linkedin"}, [200] * 5),
        ({"account": "green_ben"}, [200] * 5),
        ({"account": "ana_builds"}, [503] * 5),
        ({"probability": 0.0}, [200] * 5),
    ],
)
def test_a_rule_strikes_the_requests_it_names(fresh: Asker, when: dict, expected: list[int]):
    fresh.scenario({"fault": "server_error", **when})
    assert statuses(fresh, 5) == expected


def test_probability_is_reproducible_by_seed(fresh: Asker):
    rule = {"fault": "server_error", "probability": 0.5, "seed": 3}
    fresh.scenario(rule)
    first = statuses(fresh, 30)
    fresh.scenario(rule)
    assert statuses(fresh, 30) == first
    assert 5 < first.count(503) < 25


def test_a_scenario_tells_how_often_it_struck_and_can_be_cleared(fresh: Asker):
    fresh.scenario({"fault": "server_error", "nth": [1]})
    statuses(fresh, 3)
    client = fresh.app.test_client()
    assert client.get("/_sandbox/scenario").json["rules"] == [
        {"fault": "server_error", "endpoint": "*", "matched": 3, "struck": 1}
    ]
    client.delete("/_sandbox/scenario")
    assert client.get("/_sandbox/scenario").json["rules"] == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rules": [{"fault": "gremlins"}]}, "unknown fault 'gremlins'"),
        ({"rules": [{"fault": "cut", "when": 3}]}, "unknown key 'when'"),
        ({"rules": [{"fault": "hang", "args": {"minutes": 3}}]}, "minutes"),
        ({"rules": ["cut"]}, "not a mapping"),
        ({"rules": {"fault": "cut"}}, "rules is a list"),
        ({"settings": {"mood": "mean"}}, "a setting is unknown"),
        ({"faults": []}, "unknown part 'faults'"),
    ],
)
def test_a_scenario_that_cannot_be_read_says_which_part(given: dict, message: str):
    with pytest.raises(ScenarioError, match=message):
        read_scenario(given)


def test_a_scenario_file_loads_and_a_broken_one_names_itself(tmp_path: Path):
    good = tmp_path / "storm.yml"
    good.write_text("settings: {development_tier: true}\nrules:\n  - {fault: cut, nth: 2}\n")
    scenario = load_scenario_file(good)
    assert scenario.behaviour.development_tier
    assert scenario.rules[0].nth == (2,)
    bad = tmp_path / "bad.yml"
    for text in ("- a list", "rules: [", "rules: [{fault: x}]"):
        bad.write_text(text)
        with pytest.raises(ScenarioError, match=r"^bad\.yml: "):
            load_scenario_file(bad)


def test_the_file_with_every_fault_names_every_fault():
    named = {rule.name for rule in load_scenario_file(EVERY_FAULT).rules}
    assert named == set(FAULTS)


# ---- refusals -------------------------------------------------------------------------------


def test_server_errors_come_as_problem_or_as_html(fresh: Asker):
    fresh.scenario({"fault": "server_error", "args": {"status": 500}})
    assert timeline(fresh).json["title"] == "Internal Server Error"
    assert finder(fresh).json["status"] == 500
    fresh.scenario({"fault": "server_error", "args": {"html": True}})
    assert timeline(fresh).content_type.startswith("text/html")


def test_a_429_storm_tells_its_reset_on_x_and_nothing_on_linkedin(fresh: Asker):
    fresh.scenario({"fault": "rate_limited", "args": {"reset_in": 60}})
    answer = timeline(fresh)
    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-remaining"] == "0"
    assert int(answer.headers["x-rate-limit-reset"]) == int(fresh.now) + 60
    answer = finder(fresh)
    assert answer.json["serviceErrorCode"] == 101
    assert not [name for name, _ in answer.headers if "rate" in name.lower()]
    fresh.scenario({"fault": "rate_limited", "args": {"body": "code88", "remaining": 5}})
    assert timeline(fresh).json == {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}


def test_cap_and_credits_come_with_headers_that_show_plenty(fresh: Asker):
    fresh.scenario({"fault": "usage_cap"})
    cap = timeline(fresh)
    assert (cap.status_code, cap.json["title"]) == (429, "UsageCapExceeded")
    assert int(cap.headers["x-rate-limit-remaining"]) > 0
    fresh.scenario({"fault": "credits_depleted"})
    empty = timeline(fresh)
    assert (empty.status_code, empty.json["title"]) == (402, "CreditsDepleted")


def test_further_refusals_carry_their_platforms_codes(fresh: Asker):
    fresh.scenario({"fault": "forbidden"})
    assert timeline(fresh).json["reason"] == "client-not-enrolled"
    assert finder(fresh).json["code"] == "ACCESS_DENIED"
    fresh.scenario({"fault": "unpermitted_urn", "args": {"index": 2}})
    assert "[/shares[2]]" in finder(fresh).json["message"]
    fresh.scenario({"fault": "not_found"})
    assert (timeline(fresh).status_code, finder(fresh).status_code) == (404, 404)
    fresh.scenario({"fault": "sunset_version"})
    assert finder(fresh).status_code == 426


# ---- tokens ---------------------------------------------------------------------------------


def test_a_token_that_expires_mid_run_stays_expired_until_it_is_refreshed(fresh: Asker):
    fresh.scenario({"fault": "expire_token", "nth": 2})
    assert statuses(fresh, 3) == [200, 401, 401]
    refresh = fresh.sandbox.tokens.of(fresh.profile).refresh_token
    fresh.app.test_client().post(
        "/2/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh},
        auth=("sandbox-client", "sandbox-secret"),
    )
    assert timeline(fresh).status_code == 200


def test_a_single_401_passes_by(fresh: Asker):
    fresh.scenario({"fault": "unauthorized", "nth": 1})
    assert statuses(fresh, 2) == [401, 200]


def test_a_revoked_consent_and_a_refused_refresh(fresh: Asker):
    fresh.scenario({"fault": "revoke_token", "nth": 1, "platform": "linkedin"})
    assert finder(fresh).json["serviceErrorCode"] == 65601
    assert finder(fresh).status_code == 401
    fresh.scenario({"fault": "refuse_refresh", "endpoint": "POST /2/oauth2/token"})
    answer = fresh.app.test_client().post("/2/oauth2/token", data={})
    assert answer.status_code == 400


# ---- bodies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["broken_json", "not_json", "empty_body"])
def test_bodies_that_are_not_json(fresh: Asker, fault: str):
    fresh.scenario({"fault": fault})
    for answer in (timeline(fresh), finder(fresh)):
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.data)


def test_json_that_is_no_object(fresh: Asker):
    for value in (None, [], 3, "text"):
        fresh.scenario({"fault": "odd_json", "args": {"value": value}})
        assert json.loads(timeline(fresh).data) == value


def test_wrong_types_and_missing_fields_spare_the_rest(fresh: Asker):
    whole = timeline(fresh).json["data"]
    fresh.scenario({"fault": "wrong_types", "args": {"share": 0.3, "seed": 1}})
    odd = timeline(fresh).json["data"]
    assert odd != whole
    assert len(odd) == len(whole)
    fresh.scenario({"fault": "missing_fields", "args": {"share": 0.3, "seed": 1}})
    thin = timeline(fresh).json["data"]
    assert 0 < len(str(thin)) < len(str(whole))


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("not_found", "Not Found Error"),
        ("suspended", "Forbidden"),
        ("protected", "Authorization Error"),
    ],
)
def test_partial_errors_take_posts_out_of_a_200(fresh: Asker, kind: str, title: str):
    ids = [post["id"] for post in timeline(fresh).json["data"]]
    fresh.scenario({"fault": "partial_errors", "args": {"kind": kind, "share": 0.4}})
    answer = fresh.x(f"/2/tweets?ids={','.join(ids)}")
    assert answer.status_code == 200
    found = [post["id"] for post in answer.json["data"]]
    lost = [error["value"] for error in answer.json["errors"]]
    assert sorted(found + lost) == sorted(ids)
    assert found
    assert {error["title"] for error in answer.json["errors"]} == {title}


def test_partial_errors_can_take_all_posts_and_can_be_about_something_else(fresh: Asker):
    ids = ",".join(post["id"] for post in timeline(fresh).json["data"])
    fresh.scenario({"fault": "partial_errors"})
    assert set(fresh.x(f"/2/tweets?ids={ids}").json) == {"errors"}
    fresh.scenario({"fault": "partial_errors", "args": {"kind": "mention"}})
    answer = fresh.x(f"/2/tweets?ids={ids}").json
    assert len(answer["data"]) == 10
    assert {error["parameter"] for error in answer["errors"]} == {"entities.mentions.username"}


@pytest.mark.parametrize("fault", ["partial_errors", "refused_fields"])
def test_faults_of_x_leave_linkedins_answers_alone(fresh: Asker, fault: str):
    urns = [post.urn for post in fresh.page.newest_first(fresh.now) if ":share:" in post.urn][:5]
    whole = fresh.statistics(f"shares={listed(urns)}").json
    fresh.scenario({"fault": fault})
    answer = fresh.statistics(f"shares={listed(urns)}")
    assert (answer.status_code, answer.json) == (200, whole)


def test_private_fields_can_be_refused_while_the_posts_arrive(fresh: Asker):
    query = "max_results=10&exclude=retweets&tweet.fields=public_metrics,non_public_metrics"
    path = f"/2/users/{fresh.profile.id}/tweets?{query}"
    whole = fresh.x(path).json["data"]
    fresh.scenario({"fault": "refused_fields"})
    answer = fresh.x(path).json
    assert [post["id"] for post in answer["data"]] == [post["id"] for post in whole]
    assert all("public_metrics" in post for post in answer["data"])
    assert not any("non_public_metrics" in post for post in answer["data"])
    assert len(answer["errors"]) == 4 * len(whole)
    assert {error["title"] for error in answer["errors"]} == {"Field Authorization Error"}


# ---- pages ----------------------------------------------------------------------------------


def test_pages_come_doubled_or_in_another_order(fresh: Asker):
    for ask, key in ((timeline, "data"), (finder, "elements")):
        fresh.scenario()
        ids = [post["id"] for post in ask(fresh).json[key]]
        fresh.scenario({"fault": "duplicated_page"})
        assert [post["id"] for post in ask(fresh).json[key]] == ids * 2
        fresh.scenario({"fault": "shuffled_page"})
        shuffled = [post["id"] for post in ask(fresh).json[key]]
        assert shuffled != ids
        assert sorted(shuffled) == sorted(ids)


def test_a_next_token_can_repeat_for_ever(fresh: Asker):
    fresh.scenario({"fault": "repeated_token"})
    token = timeline(fresh).json["meta"]["next_token"]
    for _ in range(2):
        page = timeline(fresh, f"max_results=10&pagination_token={token}").json
        assert page["meta"]["next_token"] == token


def test_a_page_can_be_empty_and_not_the_last(fresh: Asker):
    fresh.scenario({"fault": "empty_page"})
    page = timeline(fresh).json
    assert page["meta"]["result_count"] == 0
    assert page["meta"]["next_token"]
    assert "data" not in page
    assert finder(fresh).json["elements"] == []


def test_posts_can_be_deleted_mid_run_and_stay_deleted(fresh: Asker):
    newest = [post["id"] for post in timeline(fresh).json["data"][:2]]
    fresh.scenario({"fault": "delete_posts", "nth": 1, "args": {"count": 2}})
    assert timeline(fresh).json["data"][0]["id"] not in newest
    assert {
        error["value"] for error in fresh.x(f"/2/tweets?ids={','.join(newest)}").json["errors"]
    } == set(newest)


# ---- headers and connections ----------------------------------------------------------------


def test_the_platforms_clock_can_be_wrong(fresh: Asker):
    assert parsedate_to_datetime(timeline(fresh).headers["Date"]).timestamp() == fresh.now
    fresh.scenario({"fault": "clock_skew", "args": {"seconds": -600}})
    answer = timeline(fresh)
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == fresh.now - 600
    assert int(answer.headers["x-rate-limit-reset"]) == pytest.approx(fresh.now + 300, abs=1)


def test_limit_headers_can_be_missing(fresh: Asker):
    fresh.scenario({"fault": "no_limit_headers"})
    assert "x-rate-limit-remaining" not in timeline(fresh).headers


@pytest.mark.parametrize("fault", ["cut", "cut_after_answering"])
def test_a_cut_connection_reaches_the_tester_as_one(fresh: Asker, fault: str):
    fresh.scenario({"fault": fault})
    with pytest.raises(ConnectionResetError):
        timeline(fresh)
    (counters,) = fresh.sandbox.log.summary()["endpoints"].values()
    assert counters["statuses"] == {"0": 1}


def test_a_hanging_answer_ends_with_a_cut_connection(fresh: Asker):
    fresh.scenario({"fault": "hang", "args": {"seconds": 0.01}})
    with pytest.raises(ConnectionResetError):
        timeline(fresh)
    fresh.scenario({"fault": "slow", "args": {"seconds": 0.01}})
    assert timeline(fresh).status_code == 200


def test_a_truncated_answer_promises_more_than_it_brings(fresh: Asker):
    fresh.scenario({"fault": "truncated"})
    answer = timeline(fresh)
    assert len(answer.data) == int(answer.headers["Content-Length"]) // 2


# ---- the log --------------------------------------------------------------------------------


def test_requests_are_counted_per_endpoint_with_status_and_posts_served(fresh: Asker):
    fresh.scenario({"fault": "server_error", "nth": 2})
    for _ in range(3):
        timeline(fresh)
    fresh.linkedin(f"/rest/posts?ids={listed([fresh.page.posts[0].urn])}")
    client = fresh.app.test_client()
    answer = client.get("/_sandbox/requests?log=1").json
    assert answer["total"] == 4
    assert answer["endpoints"]["GET /2/users/:id/tweets"] == {
        "requests": 3,
        "served": 20,
        "faults": 1,
        "statuses": {"200": 2, "503": 1},
    }
    assert [entry["fault"] for entry in answer["log"]] == [None, "server_error", None, None]
    assert not [entry for entry in answer["log"] if "sandbox-access" in str(entry)]
    client.delete("/_sandbox/requests")
    assert client.get("/_sandbox/requests").json["total"] == 0


def test_the_clock_stands_where_it_is_set_and_can_run(fresh: Asker):
    client = fresh.app.test_client()
    moved = client.post("/_sandbox/clock", json={"now": "2026-08-01T02:00:00+02:00"}).json
    assert moved == {"now": "2026-08-01T00:00:00+00:00", "running": False, "offset_seconds": None}
    running = client.post("/_sandbox/clock", json={"offset": -3600}).json
    assert running["running"]
    now = datetime.fromisoformat(running["now"])
    assert (fresh.sandbox.clock.now() - now).total_seconds() >= 0
    for wrong in ({"now": "2026-08-01T00:00:00"}, {"now": 3}, {"offset": "x"}, {}):
        assert client.post("/_sandbox/clock", json=wrong).status_code == 400
    assert client.post("/_sandbox/clock", data="x").status_code == 400


def test_accounts_come_with_their_tokens_on_loopback_only(fresh: Asker):
    client = fresh.app.test_client()
    accounts = client.get("/_sandbox/accounts").json["accounts"]
    assert [(a["user"], a["platform"], a["kind"]) for a in accounts] == [
        ("ana", "twitter", "profile"),
        ("ana", "linkedin", "page"),
        ("ana", "linkedin", "member"),
        ("ben", "twitter", "profile"),
        ("ben", "linkedin", "page"),
    ]
    bearer = {"Authorization": f"Bearer {accounts[0]['access_token']}"}
    assert fresh.x("/2/users/me", bearer).json["data"]["id"] == accounts[0]["platform_account_id"]
    outside = client.get("/_sandbox/accounts", environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert outside.status_code == 403


def test_a_members_urns_can_be_read_from_the_stand_in_itself(fresh: Asker):
    client = fresh.app.test_client()
    posts = client.get("/_sandbox/accounts/member/ana-lindqvist/posts?limit=3").json["posts"]
    expected = list(fresh.member.newest_first(fresh.now))[:3]
    assert [post["id"] for post in posts] == [post.urn for post in expected]
    assert posts[0]["counts"]["IMPRESSION"] == expected[0].counts(fresh.now)[0]
    assert client.get("/_sandbox/accounts/member/nobody/posts").status_code == 404


def test_a_token_can_be_ended_by_hand(fresh: Asker):
    token = fresh.sandbox.tokens.of(fresh.profile).access_token
    client = fresh.app.test_client()
    given = {"access_token": token, "state": "expired"}
    assert client.post("/_sandbox/tokens", json=given).status_code == 204
    assert timeline(fresh).status_code == 401
    assert client.post("/_sandbox/tokens", json={"access_token": "x"}).status_code == 400
