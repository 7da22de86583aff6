"""Consent and tokens of both platforms (platform-apis.md sections 1.6 and 2.5).

The consent page is the stand-in's own: a person clicks on an account, a test adds
`sandbox_account=<kind>:<handle>` (and `sandbox_user=<user>`) to the address, or the setting
`auto_consent` names a user. `sandbox_deny=1` is the click on "Cancel".
"""

import base64
import hashlib
import hmac
import html
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from werkzeug.datastructures import MultiDict

from ingest.sandbox.engine import Body, Call, Endpoint, Reply
from ingest.sandbox.tokens import (
    LINKEDIN_ACCESS_SECONDS,
    LINKEDIN_CODE_SECONDS,
    X_ACCESS_SECONDS,
    X_CODE_SECONDS,
    Code,
    Grant,
)
from ingest.sandbox.world import Account, PlatformName

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def oauth_error(status: int, error: str, description: str) -> Reply:
    return Reply({"error": error, "error_description": description}, status)


def spent_token() -> Reply:
    """X's answer to a refresh token or code that is used, unknown or over."""
    return oauth_error(400, "invalid_request", "Value passed for the token was invalid.")


# ---- consent --------------------------------------------------------------------------------


def x_authorize(call: Call) -> Reply:
    """GET /i/oauth2/authorize: code flow with PKCE; the code lives 30 seconds."""
    args = call.request.args
    method = args.get("code_challenge_method", "plain")
    if not args.get("code_challenge") or method not in ("S256", "plain"):
        return _broken_consent("code_challenge is missing or its method is neither S256 nor plain")
    if not args.get("state") or len(args["state"]) > 500:
        return _broken_consent("state is missing or longer than 500 characters")
    challenge = (method, args["code_challenge"])
    return _authorize(call, "twitter", X_CODE_SECONDS, challenge)


def linkedin_authorize(call: Call) -> Reply:
    """GET /oauth/v2/authorization; a scope the app lacks fails the whole consent."""
    asked = call.request.args.get("scope", "").split()
    allowed = call.sandbox.behaviour.linkedin_app_scopes
    lacking = [scope for scope in asked if scope not in allowed]
    if lacking and _is_loopback(call.request.args.get("redirect_uri", "")):
        description = f'Scope "{lacking[0]}" is not authorized for your application'
        return _redirect(call, error="unauthorized_scope_error", error_description=description)
    return _authorize(call, "linkedin", LINKEDIN_CODE_SECONDS, None)


def _authorize(
    call: Call, platform: PlatformName, code_seconds: int, challenge: tuple[str, str] | None
) -> Reply:
    args = call.request.args
    if (
        args.get("response_type") != "code"
        or args.get("client_id") != call.sandbox.tokens.client_id
    ):
        return _broken_consent("response_type is not code, or the client_id is unknown")
    if not _is_loopback(args.get("redirect_uri", "")):
        return _broken_consent("redirect_uri is not on the loopback interface")
    if "sandbox_deny" in args:
        denial = "access_denied" if platform == "twitter" else "user_cancelled_authorize"
        return _redirect(call, error=denial)
    chosen = _chosen(call, platform)
    if chosen is None:
        return _consent_page(call, platform)
    account, user = chosen
    code = Code(
        account,
        user,
        frozenset(args.get("scope", "").split()),
        args["redirect_uri"],
        args["client_id"],
        call.now + code_seconds,
        challenge,
    )
    return _redirect(call, code=call.sandbox.tokens.add_code(code))


def _is_loopback(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK


def _redirect(call: Call, **answer: str) -> Reply:
    args = call.request.args
    answer["state"] = args.get("state", "")
    joint = "&" if "?" in args["redirect_uri"] else "?"
    location = f"{args['redirect_uri']}{joint}{urlencode(answer)}"
    return Reply(b"", 302, {"Location": location})


def _offers(call: Call, platform: PlatformName) -> list[tuple[Account, str]]:
    return [
        (account, user)
        for account in call.sandbox.world.accounts
        if account.platform == platform
        for user in account.spec.users
    ]


def _chosen(call: Call, platform: PlatformName) -> tuple[Account, str] | None:
    """Who consents: as the address says, else the first account of `auto_consent`."""
    args = call.request.args
    wanted = args.get("sandbox_account")
    user = args.get("sandbox_user") or (None if wanted else call.sandbox.behaviour.auto_consent)
    if wanted is None and user is None:
        return None
    for account, owner in _offers(call, platform):
        named = wanted in (None, f"{account.kind}:{account.spec.handle}", account.spec.handle)
        if named and user in (None, owner):
            return account, owner
    return None


def _consent_page(call: Call, platform: PlatformName) -> Reply:
    query = call.request.query_string.decode("ascii", "replace")
    links = "".join(
        f'<li><a href="?{html.escape(query)}&amp;'
        + html.escape(
            urlencode(
                {"sandbox_account": f"{account.kind}:{account.spec.handle}", "sandbox_user": user}
            )
        )
        + f'">{html.escape(account.name)} ({account.kind}), as {html.escape(user)}</a></li>'
        for account, user in _offers(call, platform)
    )
    page = (
        f"<!doctype html><title>Sandbox consent</title><h1>Connect a {platform} account</h1>"
        f'<ul>{links}</ul><p><a href="?{html.escape(query)}&amp;sandbox_deny=1">Cancel</a></p>'
    )
    return Reply(page.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def _broken_consent(reason: str) -> Reply:
    """Shown to the person, never redirected."""
    page = f"<!doctype html><title>Something went wrong</title><p>{html.escape(reason)}</p>"
    return Reply(page.encode(), 400, {"Content-Type": "text/html; charset=utf-8"})


# ---- tokens ---------------------------------------------------------------------------------


def x_token(call: Call) -> Reply:
    """POST /2/oauth2/token. Refresh tokens are single use: the answer holds the next one."""
    form = call.request.form
    refusal = _check_x_client(call, form)
    if refusal is not None:
        return refusal
    match form.get("grant_type"):
        case "authorization_code":
            grant = _exchange(call, "twitter", form)
        case "refresh_token":
            token = form.get("refresh_token", "")
            grant = call.sandbox.tokens.refresh("twitter", token, call.now)
        case _:
            return oauth_error(400, "unsupported_grant_type", "Grant type is not supported.")
    if grant is None:
        return spent_token()
    body: Body = {
        "token_type": "bearer",
        "expires_in": X_ACCESS_SECONDS,
        "access_token": grant.access_token,
        "scope": " ".join(sorted(grant.scopes, reverse=True)),
    }
    if grant.refresh_token is not None:
        body["refresh_token"] = grant.refresh_token
    return Reply(body)


def _check_x_client(call: Call, form: MultiDict[str, str]) -> Reply | None:
    """Confidential clients use Basic and no client_id in the body, public ones the reverse."""
    tokens = call.sandbox.tokens
    given = call.request.authorization
    if given is None or given.type != "basic":
        if form.get("client_id") == tokens.client_id:
            return None
        return oauth_error(401, "unauthorized_client", "Missing valid authorization header")
    if (given.username, given.password) == (tokens.client_id, tokens.client_secret):
        return None
    return oauth_error(401, "unauthorized_client", "Missing valid authorization header")


def linkedin_token(call: Call) -> Reply:
    """POST /oauth/v2/accessToken: client id and secret in the body, never Basic."""
    form = call.request.form
    tokens = call.sandbox.tokens
    known = form.get("client_id") == tokens.client_id
    if not known or form.get("client_secret") != tokens.client_secret:
        return oauth_error(401, "invalid_client", "Client authentication failed")
    match form.get("grant_type"):
        case "authorization_code":
            grant = _exchange(call, "linkedin", form)
            problem = (
                "Unable to retrieve access token: appid/redirect uri/code verifier does not"
                " match authorization code. Or authorization code expired."
            )
        case "refresh_token":
            grant = tokens.refresh("linkedin", form.get("refresh_token", ""), call.now)
            problem = (
                "The provided authorization grant or refresh token is invalid, expired or revoked."
            )
        case _:
            return oauth_error(400, "unsupported_grant_type", "grant_type is not supported")
    if grant is None:
        return oauth_error(400, "invalid_request", problem)
    return Reply(_linkedin_grant(grant, call.now))


def _linkedin_grant(grant: Grant, now: float) -> Body:
    """Both ends count from the first consent: refreshing moves neither past it."""
    seconds = min(grant.expires_at - now, LINKEDIN_ACCESS_SECONDS)
    body: Body = {"access_token": grant.access_token, "expires_in": int(seconds)}
    if grant.refresh_token is not None:
        body["refresh_token"] = grant.refresh_token
        left = min(grant.refresh_expires_at - now, 365 * 86_400)
        body["refresh_token_expires_in"] = int(left)
    body["scope"] = ",".join(sorted(grant.scopes))
    return body


def _exchange(call: Call, platform: PlatformName, form: Mapping[str, str]) -> Grant | None:
    code = call.sandbox.tokens.take_code(form.get("code", ""))
    if code is None or code.account.platform != platform or call.now > code.expires_at:
        return None
    if form.get("redirect_uri") != code.redirect_uri or not _verified(code, form):
        return None
    return call.sandbox.tokens.issue(code, call.now)


def _verified(code: Code, form: Mapping[str, str]) -> bool:
    """PKCE: the verifier hashes to the challenge (or is it, for `plain`)."""
    if code.challenge is None:
        return True
    method, challenge = code.challenge
    verifier = form.get("code_verifier", "")
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(verifier, challenge)


def x_revoke(call: Call) -> Reply:
    """POST /2/oauth2/revoke"""
    refusal = _check_x_client(call, call.request.form)
    if refusal is not None:
        return refusal
    return Reply({"revoked": call.sandbox.tokens.revoke(call.request.form.get("token", ""))})


def linkedin_introspect(call: Call) -> Reply:
    """POST /oauth/v2/introspectToken"""
    form, tokens = call.request.form, call.sandbox.tokens
    if (form.get("client_id"), form.get("client_secret")) != (
        tokens.client_id,
        tokens.client_secret,
    ):
        return oauth_error(401, "invalid_client", "Client authentication failed")
    grant = tokens.find(form.get("token", ""))
    if grant is None or grant.platform != "linkedin":
        return Reply({"active": False})
    expired = call.now >= grant.expires_at
    status = "revoked" if grant.revoked else "expired" if expired else "active"
    body: Body = {
        "active": status == "active",
        "status": status,
        "client_id": tokens.client_id,
        "scope": ",".join(sorted(grant.scopes)),
        "auth_type": "3L",
    }
    if grant.expires_at < float("inf"):
        body["expires_at"] = int(grant.expires_at)
    return Reply(body)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("twitter", "/i/oauth2/authorize", "GET /i/oauth2/authorize", x_authorize, "none"),
    Endpoint(
        "twitter", "/2/oauth2/token", "POST /2/oauth2/token", x_token, "none", methods=("POST",)
    ),
    Endpoint(
        "twitter", "/2/oauth2/revoke", "POST /2/oauth2/revoke", x_revoke, "none", methods=("POST",)
    ),
    Endpoint(
        "linkedin",
        "/oauth/v2/authorization",
        "GET /oauth/v2/authorization",
        linkedin_authorize,
        "none",
    ),
    Endpoint(
        "linkedin",
        "/oauth/v2/accessToken",
        "POST /oauth/v2/accessToken",
        linkedin_token,
        "none",
        methods=("POST",),
    ),
    Endpoint(
        "linkedin",
        "/oauth/v2/introspectToken",
        "POST /oauth/v2/introspectToken",
        linkedin_introspect,
        "none",
        methods=("POST",),
    ),
)
