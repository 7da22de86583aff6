"""A server for dashboard development and tests: the built dashboard over canned answers.

`python -m tests.browser.stand_in` serves it on http://127.0.0.1:8123/. With `world` the tests
choose what the API has to say: everything, no account, nothing collected, an error, no session.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from flask import Flask, Response, request, send_from_directory

from api import schemas as s
from tests.browser import canned

STATIC = Path(__file__).parents[2] / "api" / "static"
#: As strict as the product may ever be; a dashboard that breaks it breaks here first.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

World = Literal["full", "no account", "nothing collected", "error", "signed out"]


def _json(model: s.Model, status: int = 200, kind: str = "application/json") -> Response:
    return Response(model.model_dump_json(by_alias=True), status, mimetype=kind)


def _problem(status: int, title: str, detail: str) -> Response:
    problem = s.Problem(
        type=f"/problems/{title.lower().replace(' ', '-')}",
        title=title,
        status=status,
        detail=detail,
        instance=request.path,
        errors=[],
    )
    return _json(problem, status, "application/problem+json")


def _accounts() -> list[str]:
    return request.args.get("accounts", "").split(",") if "accounts" in request.args else []


def create_stand_in(world: Callable[[], World]) -> Flask:
    """The stand-in; `world` is asked at each request."""
    app = Flask(__name__, static_folder=STATIC, static_url_path="/static")

    @app.before_request
    def refuse() -> Response | None:
        if not request.path.startswith("/api/"):
            return None
        if world() == "signed out":
            return _problem(401, "Sign-in needed", "No session and no API key came along.")
        if world() == "error" and "analytics" in request.path:
            return _problem(503, "Nothing published", "No generation has been published yet.")
        return None

    @app.get("/api/session")
    def session() -> Response:
        return _json(canned.session([] if world() == "no account" else canned.ACCOUNTS))

    @app.delete("/api/session")
    def sign_out() -> tuple[str, int]:
        return "", 204

    @app.get("/api/analytics/overview")
    def overview() -> Response:
        answer = canned.overview(request.args.to_dict(), _accounts())
        if world() == "nothing collected":
            answer = answer.model_copy(update={"as_of": None, "is_empty": True})
        return _json(answer)

    @app.get("/api/analytics/posts")
    def posts() -> Response:
        return _json(canned.posts(request.args.to_dict(), _accounts()))

    @app.get("/")
    @app.get("/platform/<name>")
    @app.get("/posts/<name>")
    def page(name: str | None = None) -> Response:
        return send_from_directory(STATIC, "index.html")

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        return response

    return app


if __name__ == "__main__":
    create_stand_in(lambda: "full").run(port=8123)
