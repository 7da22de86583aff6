"""Whatever is asked, the stand-in answers or drops the connection on purpose; it never fails."""

import contextlib
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_asker import EVERY_FAULT, VERSION, Asker

from ingest.sandbox.app import ENDPOINTS
from ingest.sandbox.scenarios import load_scenario_file

VALUES = (
    "author", "entity", "me", "organizationalEntity", "dateRange", "roleAssignee", "IMPRESSION",
    "DAILY", "10", "-1", "9" * 19, "9" * 30, "²", "abc", "%00", "%FF", "replies",
    "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "hourly", "List(a)", "(a:b)", "(", "http://[",
    "COMPANY_FOLLOWED_BY_MEMBER", "public_metrics,non_public_metrics,created_at",
    "(start:(day:31,month:2,year:2026))",
    "(start:(day:1,month:1,year:1),end:(day:1,month:1,year:9999))",
    "(timeRange:(start:1,end:99999999999999999999),timeGranularityType:DAY)",
)  # fmt: skip
NAMES = (
    "q", "ids", "author", "organizationalEntity", "shares", "ugcPosts", "entity", "queryType",
    "aggregation", "dateRange", "timeIntervals", "start", "count", "edgeType", "max_results",
    "pagination_token", "since_id", "start_time", "end_time", "granularity", "exclude",
    "tweet.fields", "post.fields", "expansions", "redirect_uri", "state", "scope",
)  # fmt: skip


def own_values(asker: Asker) -> list[str]:
    """Values that name something that exists."""
    post = next(asker.page.newest_first(asker.now))
    written = [quote(urn, safe="") for urn in (asker.page.urn, asker.member.urn, post.urn)]
    lists = [f"List({urn})" for urn in written]
    return [*written, *lists, f"(share:{written[2]})", str(asker.profile.posts[0].id)]


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_makes_the_stand_in_fail(shared: Asker, data: st.DataObject):
    values = st.sampled_from([*VALUES, *own_values(shared)])
    endpoint = data.draw(st.sampled_from(ENDPOINTS))
    path = "/".join(
        data.draw(values) if part.startswith("<") else part for part in endpoint.rule.split("/")
    )
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=5))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = {
        **shared.bearer(data.draw(st.sampled_from(shared.world.accounts))),
        "LinkedIn-Version": VERSION,
        "X-Restli-Protocol-Version": "2.0.0",
    }
    client = shared.app.test_client()
    answer = client.open(f"{path}?{query}", method=endpoint.methods[0], headers=headers)
    assert answer.status_code < 500


def test_faults_strike_any_endpoint_without_a_failure_of_their_own(fresh: Asker):
    rules = load_scenario_file(EVERY_FAULT).rules
    client = fresh.app.test_client()
    for rule in rules:
        rule.probability, rule.args = 1.0, {**rule.args, **_brief(rule.name)}
        fresh.sandbox.rules = [rule]
        for endpoint in ENDPOINTS:
            path = (
                endpoint.rule.replace("<user_id>", fresh.profile.id)
                .replace("<", "1")
                .replace(">", "")
            )
            with contextlib.suppress(ConnectionResetError):
                client.open(path, method=endpoint.methods[0], headers=fresh.bearer(fresh.profile))


def _brief(fault: str) -> dict[str, float]:
    return {"seconds": 0} if fault in ("hang", "slow") else {}
