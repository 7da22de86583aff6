"""A server for dashboard development and tests: the built dashboard over canned answers.

`python -m tests.browser.stand_in` serves it on http://127.0.0.1:8123/.
"""

from pathlib import Path

from flask import Flask, Response, request, send_from_directory

from api import schemas as s
from . import canned

STATIC = Path(__file__).parents[2] / "api" / "static"
#: As strict as the product may ever be; a dashboard that breaks it breaks here first.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

def _json(model: s.Model) -> Response:
    return Response(model.model_dump_json(by_alias=True), mimetype="application/json")


def _accounts() -> list[str]:
    return request.args.get("accounts", "").split(",") if "accounts" in request.args else []


def create_stand_in() -> Flask:
    """The built dashboard at every client route, canned answers below /api/."""
    app = Flask(__name__, static_folder=STATIC, static_url_path="/static")

    @app.get("/api/session")
    def session() -> Response:
        return _json(canned.session(canned.ACCOUNTS))

    @app.delete("/api/session")
    def sign_out() -> tuple[str, int]:
        return "", 204

    @app.get("/api/analytics/overview")
    def overview() -> Response:
        return _json(canned.overview(request.args.to_dict(), _accounts()))

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
    create_stand_in().run(port=8123)
