"""The stand-in's own handles under /_sandbox: clock, accounts, counters, scenarios, tokens.

They answer on the loopback interface only, because they hand out tokens.
"""

import ipaddress
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from ingest.clock import as_utc
from ingest.sandbox.engine import Body, Sandbox
from ingest.sandbox.scenarios import ScenarioError, read_scenario
from ingest.sandbox.tokens import Grant
from ingest.sandbox.world import METRICS, Account, Post

control = Blueprint("sandbox", __name__, url_prefix="/_sandbox")


def _sandbox() -> Sandbox:
    sandbox: Sandbox = current_app.extensions["sandbox"]
    return sandbox


@control.before_request
def _only_loopback() -> None:
    address = request.remote_addr
    if address is None or not ipaddress.ip_address(address).is_loopback:
        abort(403)


def _refuse(message: str) -> ResponseReturnValue:
    return jsonify(error=message), 400


def _given() -> Mapping[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        abort(400, "the body is not a JSON object")
    return given


@control.get("/clock")
def read_clock() -> ResponseReturnValue:
    clock = _sandbox().clock
    offset = clock.offset
    return jsonify(
        now=clock.now().isoformat(),
        running=offset is not None,
        offset_seconds=None if offset is None else offset.total_seconds(),
    )


@control.post("/clock")
def set_clock() -> ResponseReturnValue:
    """{"now": ISO time} stands still there; {"offset": seconds} runs, that far from real time."""
    given = _given()
    clock = _sandbox().clock
    try:
        if "now" in given:
            clock.set(as_utc(datetime.fromisoformat(given["now"])))
        elif "offset" in given:
            clock.run(timedelta(seconds=float(given["offset"])))
        else:
            return _refuse("give now (ISO time with zone) or offset (seconds)")
    except (TypeError, ValueError, OverflowError) as problem:
        return _refuse(str(problem))
    return read_clock()


@control.get("/accounts")
def list_accounts() -> ResponseReturnValue:
    """Every (user, account) with its newest token; users in the world's order."""
    sandbox = _sandbox()
    return jsonify(
        client_id=sandbox.tokens.client_id,
        client_secret=sandbox.tokens.client_secret,
        app_token=sandbox.tokens.app_token,
        accounts=[
            _account_body(sandbox, account, user)
            for account in sandbox.world.accounts
            for user in account.spec.users
        ],
    )


def _account_body(sandbox: Sandbox, account: Account, user: str) -> Body:
    grant = sandbox.tokens.of(account, user)
    return {
        "user": user,
        "platform": account.platform,
        "kind": account.kind,
        "platform_account_id": account.id,
        "urn": account.urn if account.platform == "linkedin" else None,
        "handle": account.spec.handle,
        "display_name": account.name,
        "followers": account.followers(sandbox.now()),
        **_grant_body(grant),
    }


def _grant_body(grant: Grant) -> Body:
    ends = grant.expires_at
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "expires_at": None if ends == math.inf else datetime.fromtimestamp(ends, UTC).isoformat(),
        "scopes": sorted(grant.scopes),
    }


@control.get("/accounts/<kind>/<handle>/posts")
def list_posts(kind: str, handle: str) -> ResponseReturnValue:
    """The account's visible posts with their true counters, newest first.

    A member finds here the URNs that LinkedIn lists nowhere. `limit` (100 unless told).
    """
    sandbox = _sandbox()
    account = next(
        (a for a in sandbox.world.accounts if (a.kind, a.spec.handle) == (kind, handle)), None
    )
    if account is None:
        abort(404)
    now = sandbox.now()
    limit = request.args.get("limit", 100, type=int)
    posts = [
        _post_body(post, now)
        for post, _ in zip(account.newest_first(now), range(limit), strict=False)
    ]
    return jsonify(posts=posts)


def _post_body(post: Post, now: float) -> Body:
    return {
        "id": post.urn or str(post.versions[post.version(now)].id),
        "versions": [str(version.id) for version in post.versions if version.since <= now],
        "type": post.type,
        "published_at": datetime.fromtimestamp(post.published, UTC).isoformat(),
        "text": post.text,
        "counts": dict(zip(METRICS[post.account.kind], post.counts(now), strict=True)),
    }


@control.get("/requests")
def read_requests() -> ResponseReturnValue:
    """Counters per endpoint; with `?log=1` also the newest requests."""
    log = _sandbox().log
    body = log.summary()
    if request.args.get("log"):
        body["log"] = list(log.recent())
    return jsonify(body)


@control.delete("/requests")
def clear_requests() -> ResponseReturnValue:
    _sandbox().log.clear()
    return "", 204


@control.post("/scenario")
def load_scenario() -> ResponseReturnValue:
    """Replace rules and switches by those of a scenario (JSON, as the yml file would be)."""
    sandbox = _sandbox()
    try:
        scenario = read_scenario(_given())
    except ScenarioError as problem:
        return _refuse(str(problem))
    scenario.apply(sandbox)
    return read_scenario_state()


@control.get("/scenario")
def read_scenario_state() -> ResponseReturnValue:
    """Which rules are loaded, and how often each matched and struck."""
    rules = [
        {
            "fault": rule.name,
            "endpoint": rule.endpoint,
            "matched": rule.matched,
            "struck": rule.struck,
        }
        for rule in _sandbox().rules
    ]
    return jsonify(rules=rules)


@control.delete("/scenario")
def clear_scenario() -> ResponseReturnValue:
    """No rules, no meddling, fresh rate-limit windows."""
    read_scenario({}).apply(_sandbox())
    return "", 204


@control.post("/posts")
def delete_post() -> ResponseReturnValue:
    """{"delete": id or URN}: its author deletes that post now."""
    sandbox = _sandbox()
    digits = str(_given().get("delete", "")).rpartition(":")[2]
    found = sandbox.world.find(int(digits)) if digits.isdigit() else None
    if found is None:
        return _refuse("no such post")
    found[0].deleted_at = sandbox.now()
    return "", 204


@control.post("/tokens")
def change_token() -> ResponseReturnValue:
    """{"access_token": …, "state": "expired" | "revoked"}"""
    given = _given()
    sandbox = _sandbox()
    grant = sandbox.tokens.find(str(given.get("access_token")))
    if grant is None:
        return _refuse("no such access token")
    match given.get("state"):
        case "expired":
            grant.expires_at = sandbox.now()
        case "revoked":
            grant.revoked = True
        case _:
            return _refuse("state is expired or revoked")
    return "", 204
