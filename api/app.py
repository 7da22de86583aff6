"""The application factory: plain Flask, every part handed in, nothing global."""

from datetime import UTC, datetime
from pathlib import Path

import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from api.auth import Gate, Now
from api.context import Context, caller
from api.problems import handle_problems
from api.publication import PublicationFollower
from api.routes import analytics, client, session, system
from api.warming import RecentCallers
from execution.control.settings import Settings
from execution.control.store import ControlStore, open_store

STATIC = Path(__file__).parent / "static"
#: Scripts come only from files of this server; charts set styles on the elements they draw.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Requests that cost nothing and that a page load or a probe makes many of.
_UNLIMITED = ("/static/", "/api/health")

_log = structlog.get_logger("api")


def create_app(
    settings: Settings,
    *,
    store: ControlStore | None = None,
    now: Now = lambda: datetime.now(UTC),
    static: Path = STATIC,
) -> Flask:
    """The API and the dashboard. `store`: an open control store, else the one of `settings`."""
    app = Flask("api", static_folder=None)
    recent = RecentCallers()
    Context(
        settings=settings,
        gate=Gate(store or open_store(settings), now),
        publications=PublicationFollower(settings.published_dir, recent.warm),
        recent=recent,
        static=static,
    ).attach(app)
    handle_problems(app)
    _limit(app, settings)
    for part in (analytics, session, system, client):
        app.register_blueprint(part.blueprint())
    app.after_request(_finish)
    return app


def _limit(app: Flask, settings: Settings) -> None:
    """Counts requests per user, or per address before sign-in.

    Counting in memory is exact because `serve` runs one process with threads.
    """
    limiter = Limiter(
        _who,
        app=app,
        application_limits=[f"{settings.api_requests_per_minute} per minute"],
        storage_uri="memory://",
        strategy="moving-window",
        headers_enabled=True,
    )
    limiter.request_filter(lambda: request.path.startswith(_UNLIMITED))


def _who() -> str:
    signed_in = caller()
    return f"user:{signed_in.identity.user_id}" if signed_in else f"from:{get_remote_address()}"


def _finish(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    signed_in = g.get("caller")
    _log.debug(
        "request",
        # The rule, not the path: a path may hold a sign-in token.
        route=request.url_rule.rule if request.url_rule else None,
        method=request.method,
        status=response.status_code,
        user=str(signed_in.identity.user_id) if signed_in else None,
    )
    return response
