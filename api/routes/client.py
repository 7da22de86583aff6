"""The dashboard: a static client of the API, built by Vite into api/static."""

from http import HTTPStatus

from flask import Blueprint, Response, send_from_directory

from api.context import context
from api.problems import ProblemError

#: Addresses that the client itself routes: each gets the same page.
CLIENT_ROUTES = ("/", "/platform/<path:_rest>", "/posts/<path:_rest>")
_A_YEAR = 365 * 24 * 3600


def blueprint() -> Blueprint:
    """The dashboard's page and files."""
    routes = Blueprint("client", __name__)
    for number, rule in enumerate(CLIENT_ROUTES):
        routes.add_url_rule(rule, f"page_{number}", _page)
    routes.add_url_rule("/static/<path:name>", "file", _file)
    return routes


def _page(_rest: str = "") -> Response:
    folder = context().static
    if not (folder / "index.html").is_file():
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "dashboard-not-built",
            "The dashboard is not built: run `make install`. The API works without it.",
        )
    response = send_from_directory(folder, "index.html", max_age=0)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _file(name: str) -> Response:
    response = send_from_directory(context().static, name)
    # Vite names what lies in assets/ by its content; the rest keeps its name and is asked for anew.
    unchanging = name.startswith("assets/")
    response.headers["Cache-Control"] = (
        f"public, max-age={_A_YEAR}, immutable" if unchanging else "no-cache"
    )
    return response
