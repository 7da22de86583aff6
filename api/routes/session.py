"""Sign in by a one-time link, see who is signed in, sign out."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from api.auth import SESSION_COOKIE, admit
from api.context import caller, context
from api.publication import NothingPublishedError
from api.queries.params import NoParams
from api.queries.reader import Reader
from api.schemas import SessionAnswer, SessionUser
from execution.control.access import READ_SCOPE, SESSION_LIFE

_PRIVATE = {"Cache-Control": "no-store", "Vary": "Authorization, Cookie"}


def blueprint() -> Blueprint:
    """The sign-in routes."""
    routes = Blueprint("session", __name__)
    routes.add_url_rule("/login/<token>", "login", _login)
    routes.add_url_rule("/api/session", "session", _session)
    routes.add_url_rule("/api/session", "sign_out", _sign_out, methods=["DELETE"])
    return routes


def _login(token: str) -> BaseResponse:
    """Redeems a link and goes on to the dashboard, which says so if nobody is signed in."""
    # A link preview that only looks must not use the link up.
    session_id = None if request.method == "HEAD" else context().gate.redeem(token)
    if session_id is None:
        # Opening a used link again, still signed in, is no reason for a complaint.
        response = redirect("/" if caller() else "/?signin=expired", 303)
    else:
        response = redirect("/", 303)
        response.set_cookie(
            SESSION_COOKIE,
            session_id,
            max_age=SESSION_LIFE,
            httponly=True,
            samesite="Lax",
            secure=_is_https(),
        )
    response.headers.update(_PRIVATE)
    return response


def _session() -> Response:
    NoParams.parse(request.args.to_dict(flat=False))
    signed_in = admit(caller(), READ_SCOPE)
    identity = signed_in.identity
    known = {
        "user": SessionUser(name=identity.email, timezone=identity.timezone),
        "authentication": signed_in.authentication,
        "scopes": sorted(identity.scopes),
    }
    nothing: dict[str, object] = {
        "accounts": [],
        "generation": None,
        "published_at": None,
        "as_of": None,
    }
    try:
        with context().publications.lease() as (publication, cursor):
            reader = Reader(publication, cursor, signed_in.scope, ZoneInfo(identity.timezone))
            answer = SessionAnswer.model_validate({**known, **reader.freshness()})
    except NothingPublishedError:
        answer = SessionAnswer.model_validate({**known, **nothing})
    return Response(
        answer.model_dump_json(by_alias=True), content_type="application/json", headers=_PRIVATE
    )


def _sign_out() -> Response:
    NoParams.parse(request.args.to_dict(flat=False))
    context().gate.sign_out(request)
    response = Response(status=204, headers=_PRIVATE)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Lax", secure=_is_https())
    return response


def _is_https() -> bool:
    """Whether people reach this server by https, itself or through a proxy."""
    return request.is_secure or (context().settings.public_url or "").startswith("https:")
