"""Consent and refresh at the platforms: the protocol, no storage.

Rules and shapes: platform-apis.md 1.6 (X: PKCE S256, rotating refresh tokens) and 2.5 (LinkedIn:
secret in the body, refresh tokens for approved partners only). Every outcome is a typed result:
a `TokenGrant`, or a `Refused` that says what helps. Whoever stores tokens serialises refreshes and
makes the rotated refresh token durable before the access token is used (DESIGN.md section 4).
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx

from ingest.addresses import check_base_url
from ingest.clock import Clock
from ingest.http import ApiError, RawAnswer, Request, open_transport, send

#: No token lives longer; a larger `expires_in` is a defect.
_LONGEST_LIFE: Final = 10 * 366 * 86_400


@dataclass(frozen=True)
class Provider:
    """How one platform grants tokens; its module says it.

    `uses_pkce`: send an S256 challenge. `secret_in_header`: a confidential client proves itself
    by HTTP Basic and sends no client_id in the body; otherwise both go into the body.
    """

    authorize_url: str
    token_url: str
    scopes: tuple[str, ...]
    uses_pkce: bool
    secret_in_header: bool

    def moved_to(self, base_url: str) -> "Provider":
        """The same provider at another address. Raises ValueError unless https or loopback."""
        base = check_base_url(base_url)
        return replace(
            self,
            authorize_url=base + urlsplit(self.authorize_url).path,
            token_url=base + urlsplit(self.token_url).path,
        )


@dataclass(frozen=True)
class App:
    """The developer app at the platform. `client_secret` None: a public client (X only)."""

    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Consent:
    """A consent under way: the page to open, and what its callback must match."""

    url: str = field(repr=False)
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)


@dataclass(frozen=True)
class TokenGrant:
    """Tokens and their lives (aware UTC; None: not told).

    LinkedIn's `refresh_expires_at` counts from the first consent and never moves.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    refresh_expires_at: datetime | None
    scopes: tuple[str, ...]


class Remedy(StrEnum):
    """What helps after a refusal."""

    CONSENT_AGAIN = "consent_again"
    FIX_APP = "fix_app"
    TRY_LATER = "try_later"


@dataclass(frozen=True)
class Refused:
    """No tokens: why, in one sentence, and what helps."""

    remedy: Remedy
    reason: str


def begin_consent(
    provider: Provider,
    app: App,
    *,
    scopes: tuple[str, ...] | None = None,
    make_secret: Callable[[int], str] = secrets.token_urlsafe,
) -> Consent:
    """The consent page's address, with a fresh state and, for X, a fresh PKCE verifier."""
    state = make_secret(32)
    verifier = make_secret(64) if provider.uses_pkce else None
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "scope": " ".join(provider.scopes if scopes is None else scopes),
        "state": state,
    }
    if verifier is not None:
        query |= {"code_challenge": s256(verifier), "code_challenge_method": "S256"}
    return Consent(f"{provider.authorize_url}?{urlencode(query, quote_via=quote)}", state, verifier)


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def read_callback(query: str, consent: Consent) -> str | Refused:
    """The code in the query of a callback, if it answers this consent."""
    given = {key: parts[0] for key, parts in parse_qs(query, keep_blank_values=True).items()}
    state = given.get("state", "").encode("utf-8", "replace")
    if not hmac.compare_digest(state, consent.state.encode()):
        return Refused(Remedy.CONSENT_AGAIN, "the callback does not belong to this consent")
    if "error" in given:
        told = given.get("error_description") or given["error"]
        remedy = Remedy.CONSENT_AGAIN
        if given["error"] in ("unauthorized_scope_error", "invalid_scope", "unauthorized_client"):
            remedy = Remedy.FIX_APP
        return Refused(remedy, f"the consent was not given: {_plain(told)}")
    if not given.get("code"):
        return Refused(Remedy.CONSENT_AGAIN, "the callback holds no code")
    return given["code"]


class TokenEndpoint:
    """Exchanges codes and refreshes tokens of one app at one platform. Nothing is retried:

    a refresh token may be spent although its answer got lost.
    """

    def __init__(
        self,
        provider: Provider,
        app: App,
        clock: Clock,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._provider = provider
        self._app = app
        self._clock = clock
        self._timeout = timeout
        self._transport = transport or open_transport(provider.token_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    def exchange(self, code: str, consent: Consent) -> TokenGrant | Refused:
        """Tokens for a code; X's codes live 30 seconds."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._app.redirect_uri,
        }
        if consent.code_verifier is not None:
            form["code_verifier"] = consent.code_verifier
        return self._ask(form, None)

    def refresh(self, refresh_token: str) -> TokenGrant | Refused:
        """New tokens. X gives a new refresh token and ends the old one."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self._ask(form, refresh_token)

    def _ask(self, form: dict[str, str], previous: str | None) -> TokenGrant | Refused:
        headers = {}
        app = self._app
        if self._provider.secret_in_header and app.client_secret is not None:
            pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = app.client_id
            if app.client_secret is not None:
                form["client_secret"] = app.client_secret
        request = Request("POST", httpx.URL(self._provider.token_url), headers, form=form)
        answer = send(self._transport, request, family="oauth", timeout=self._timeout)
        if isinstance(answer, ApiError):
            return Refused(Remedy.TRY_LATER, answer.message)
        if answer.status != 200:
            sent = ("refresh_token", "code", "code_verifier", "client_secret")
            answer = answer.without(*(form[name] for name in sent if form.get(name)))
        return read_token_answer(answer, previous, self._clock.now())


def read_token_answer(
    answer: RawAnswer, previous_refresh_token: str | None, now: datetime
) -> TokenGrant | Refused:
    """What a token endpoint's answer means. Any 400 means that the consent is over."""
    body = answer.json_object() or {}
    if answer.status == 200:
        return _grant(body, previous_refresh_token, now)
    told = next(
        (body[k] for k in ("error_description", "error") if isinstance(body.get(k), str)), ""
    )
    reason = f"the platform answered {answer.status}" + (f": {_plain(told)}" if told else "")
    if answer.status == 400:
        return Refused(Remedy.CONSENT_AGAIN, reason)
    if answer.status in (401, 403):
        return Refused(Remedy.FIX_APP, reason)
    return Refused(Remedy.TRY_LATER, reason)


def _grant(
    body: Mapping[str, Any], previous_refresh_token: str | None, now: datetime
) -> TokenGrant | Refused:
    access, refresh = body.get("access_token"), body.get("refresh_token")
    if not _is_token(access):
        return Refused(Remedy.TRY_LATER, "the platform's answer holds no usable access token")
    scope = body.get("scope")
    return TokenGrant(
        access_token=str(access),
        refresh_token=str(refresh) if _is_token(refresh) else previous_refresh_token,
        expires_at=_end(body.get("expires_in"), now),
        refresh_expires_at=_end(body.get("refresh_token_expires_in"), now),
        # LinkedIn separates with commas, X with spaces.
        scopes=tuple(re.findall(r"[^,\s]+", scope)) if isinstance(scope, str) else (),
    )


def _is_token(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= 10_000
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def _end(seconds: object, now: datetime) -> datetime | None:
    if isinstance(seconds, str) and re.fullmatch(r"[0-9]{1,9}", seconds, re.ASCII):
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    return now + timedelta(seconds=seconds) if 0 < seconds <= _LONGEST_LIFE else None


def _plain(told: str) -> str:
    return "".join(c if c.isprintable() else " " for c in told)[:200]
