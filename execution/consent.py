"""The consent page and its way back: opens a browser, catches the callback on loopback."""

import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

from execution.connect import ConnectError, Consent
from execution.control.connections import Tokens
from execution.control.platforms import oauth_app, oauth_provider
from execution.control.settings import Settings, variable
from ingest import oauth
from ingest.addresses import is_loopback
from ingest.clock import Clock

_PAGE = """<!doctype html><meta charset="utf-8"><title>Nexus Analytics</title>
<p style="font: 1.1rem system-ui; margin: 4rem">{}</p>"""
_POLL_SECONDS = 1.0


def give_consent(
    settings: Settings,
    clock: Clock,
    platform: str,
    *,
    scopes: tuple[str, ...] | None,
    announce: Callable[[str], None],
    patience: float = 300.0,
    open_browser: Callable[[str], object] = webbrowser.open,
) -> Consent:
    """Tokens from the platform's consent page. `announce` is told the page's address.

    Raises ConnectError if no app is set, the consent is refused, or nobody answers for
    `patience` seconds.
    """
    app = oauth_app(settings, platform)
    if app is None:
        raise ConnectError(
            f"set {variable(platform, 'client_id')} (and _CLIENT_SECRET) of your developer app "
            "first, or give a token: --token-stdin"
        )
    provider = oauth_provider(settings, platform)
    consent = oauth.begin_consent(provider, app, scopes=scopes)
    with _Callback(app.redirect_uri) as callback:
        announce(consent.url)
        open_browser(consent.url)
        query = callback.wait(patience)
        code = oauth.read_callback(query, consent)
        # X's codes live 30 seconds: exchange before anything else
        granted = (
            code
            if isinstance(code, oauth.Refused)
            else _exchange(provider, app, clock, code, consent)
        )
    if isinstance(granted, oauth.Refused):
        raise ConnectError(f"not connected: {granted.reason}")
    return Consent(
        Tokens(granted.access_token, granted.refresh_token),
        list(granted.scopes),
        granted.expires_at,
        granted.refresh_expires_at,
    )


def _exchange(
    provider: oauth.Provider, app: oauth.App, clock: Clock, code: str, consent: oauth.Consent
) -> oauth.TokenGrant | oauth.Refused:
    with oauth.TokenEndpoint(provider, app, clock) as endpoint:
        return endpoint.exchange(code, consent)


class _Callback(HTTPServer):
    """Waits on loopback for the one request that the consent page sends back."""

    def __init__(self, redirect_uri: str) -> None:
        address = urlsplit(redirect_uri)
        if not is_loopback(redirect_uri) or not address.port:
            raise ConnectError(f"NEXUS_OAUTH_REDIRECT_URL {redirect_uri!r} is not a loopback port")
        self.path = address.path
        self.query: str | None = None
        try:
            super().__init__((address.hostname or "", address.port), _CallbackHandler)
        except OSError as error:
            raise ConnectError(
                f"port {address.port} of NEXUS_OAUTH_REDIRECT_URL cannot be used: {error.strerror}"
            ) from error

    def wait(self, patience: float) -> str:
        """The query of the callback. Raises ConnectError after `patience` seconds without one."""
        self.timeout = _POLL_SECONDS
        waited = 0.0
        while self.query is None:
            if waited >= patience:
                raise ConnectError("nobody answered the consent page: try again")
            self.handle_request()
            waited += _POLL_SECONDS
        return self.query


class _CallbackHandler(BaseHTTPRequestHandler):
    server: _Callback

    def do_GET(self) -> None:
        """Take the callback's query; anything else (a favicon) is not found."""
        address = urlsplit(self.path)
        if address.path != self.server.path:
            self.send_error(404)
            return
        self.server.query = address.query
        page = _PAGE.format("Thank you. You can close this page and go back to the terminal.")
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its own name)
        """The callback's address holds the code: nothing of it is logged."""
