"""Who asks, and what they may see (DESIGN.md section 7): API keys, sessions, one-time links."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Literal

from flask import Request

from api.problems import ProblemError
from api.queries.scope import AccountScope
from execution.control import access
from execution.control.store import ControlStore

SESSION_COOKIE = "nexus_session"
#: Longer than any secret the control store makes; nothing longer is worth hashing.
_LONGEST_SECRET = 200

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Caller:
    """A signed-in caller. `scope`: the accounts it is a member of, at this moment."""

    identity: access.Identity
    authentication: Literal["api_key", "session"]
    scope: AccountScope


class Gate:
    """Lets callers in. Nothing is cached: what is revoked ends with the next request."""

    def __init__(self, store: ControlStore, now: Now) -> None:
        self._store = store
        self._now = now

    def caller(self, request: Request) -> Caller | None:
        """Who sends this request; None without valid credentials.

        A bearer key goes before a cookie, and a wrong key is not made up for by a cookie.
        """
        key = _bearer_key(request)
        session_id = _bounded(request.cookies.get(SESSION_COOKIE))
        if key is None and session_id is None:
            return None
        authentication: Literal["api_key", "session"] = "session" if key is None else "api_key"
        with self._store.begin() as session:
            if key is not None:
                identity = access.identity_of_api_key(session, key)
            else:
                identity = access.identity_of_session(session, session_id or "", self._now())
            if identity is None:
                return None
            accounts = access.account_ids(session, identity.user_id)
        return Caller(identity, authentication, AccountScope(accounts))

    def redeem(self, token: str) -> str | None:
        """A new session id for a one-time link; None if it was used, expired or never made."""
        if _bounded(token) is None:
            return None
        with self._store.begin() as session:
            return access.redeem_login_link(session, token, self._now())

    def sign_out(self, request: Request) -> None:
        """Ends the session of this browser."""
        session_id = _bounded(request.cookies.get(SESSION_COOKIE))
        if session_id is not None:
            with self._store.begin() as session:
                access.end_session(session, session_id)


def admit(caller: Caller | None, needed_scope: str) -> Caller:
    """The caller, if it may use what needs `needed_scope`. Raises ProblemError 401 or 403."""
    if caller is None:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "not-signed-in",
            "Sign in: send an API key as `Authorization: Bearer …` (`nexus api-key` makes one), or "
            "open a sign-in link (`nexus link` makes one) in this browser.",
            headers={"WWW-Authenticate": 'Bearer realm="nexus-analytics"'},
        )
    if needed_scope not in caller.identity.scopes:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "scope-missing",
            f"This API key has no scope `{needed_scope}`.",
        )
    return caller


def _bearer_key(request: Request) -> str | None:
    """The key of the Authorization header; an empty one if the header holds something else."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, key = header.partition(" ")
    return (_bounded(key.strip()) or "") if scheme.lower() == "bearer" else ""


def _bounded(secret: str | None) -> str | None:
    return secret if secret and len(secret) <= _LONGEST_SECRET else None
