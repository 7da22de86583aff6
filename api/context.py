"""What the routes of one app share."""

from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app, g, request

from api.auth import Caller, Gate
from api.publication import PublicationFollower
from api.warming import RecentCallers
from execution.control.settings import Settings

_EXTENSION = "nexus"


@dataclass(frozen=True)
class Context:
    """The parts of one app. Nothing of it is global: two apps in a process do not meet."""

    settings: Settings
    gate: Gate
    publications: PublicationFollower
    recent: RecentCallers
    static: Path

    def attach(self, app: Flask) -> None:
        """Makes this the context of `app`."""
        app.extensions[_EXTENSION] = self


def context_of(app: Flask) -> Context:
    """The context attached to `app`."""
    found: Context = app.extensions[_EXTENSION]
    return found


def context() -> Context:
    """The context of the app that answers the present request."""
    return context_of(current_app)


def caller() -> Caller | None:
    """Who sent the present request; looked up once a request, and only when asked for."""
    if "caller" not in g:
        g.caller = context().gate.caller(request)
    found: Caller | None = g.caller
    return found
