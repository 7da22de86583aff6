"""The stand-in as a Flask application: X at /2, LinkedIn at /rest, its handles at /_sandbox."""

from collections.abc import Callable
from functools import partial

from flask import Flask, Response

from ingest.sandbox import linkedin, oauth, twitter
from ingest.sandbox.clock import SandboxClock
from ingest.sandbox.control import control
from ingest.sandbox.engine import Behaviour, Endpoint, Reply, Sandbox, write
from ingest.sandbox.tokens import TokenStore
from ingest.sandbox.world import World

ENDPOINTS: tuple[Endpoint, ...] = (*twitter.ENDPOINTS, *linkedin.ENDPOINTS, *oauth.ENDPOINTS)


def create_sandbox(
    world: World, clock: SandboxClock | None = None, behaviour: Behaviour | None = None
) -> Flask:
    """The application. Its `Sandbox` is `app.extensions["sandbox"]`.

    `clock`: stands still at the world's start unless given; the test's clients may share it.
    """
    app = Flask("nexus-sandbox", static_folder=None)
    # A cut connection must reach the tester as one, not as an error page.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    sandbox = Sandbox(
        world,
        clock or SandboxClock(world.start_at),
        TokenStore(world),
        behaviour or Behaviour(),
        gates={"twitter": twitter.Gate(), "linkedin": linkedin.Gate()},
    )
    app.extensions["sandbox"] = sandbox
    app.register_blueprint(control)
    for endpoint in ENDPOINTS:
        view: Callable[..., Response] = partial(sandbox.answer, endpoint)
        app.add_url_rule(endpoint.rule, endpoint.name, view, methods=list(endpoint.methods))
    app.register_error_handler(404, _no_such_path)
    return app


def _no_such_path(_error: Exception) -> Response:
    """A path neither platform has (unconfirmed body)."""
    return write(Reply({"status": 404, "title": "Not Found", "message": "Not Found"}, 404))
