"""Errors as RFC 9457 problem+json: one shape for every one of them, raised or met."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, TooManyRequests

from api.publication import NothingPublishedError
from api.schemas import FieldError
from api.schemas import Problem as ProblemModel

CONTENT_TYPE = "application/problem+json"
_ROOT = "urn:nexus-analytics:problem:"
_log = structlog.get_logger("api")

#: What a caller can do about a status that Flask or Werkzeug raises.
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The request is too large.",
}


class ProblemError(Exception):
    """An error with all that the answer says; `slug` names its kind for programs."""

    def __init__(
        self,
        status: HTTPStatus,
        slug: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def respond(error: ProblemError) -> Response:
    """The answer to a problem."""
    body = ProblemModel(
        type=f"{_ROOT}{error.slug}",
        title=error.status.phrase,
        status=error.status,
        detail=error.detail,
        instance=_instance(),
        errors=list(error.errors),
    )
    response = Response(body.model_dump_json(), status=error.status, content_type=CONTENT_TYPE)
    response.headers.update({"Cache-Control": "no-store", **error.headers})
    return response


def handle_problems(app: Flask) -> None:
    """Makes every error of the app a problem."""
    app.register_error_handler(ProblemError, respond)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(ValidationError, _from_validation)
    app.register_error_handler(NothingPublishedError, _from_nothing_published)
    app.register_error_handler(Exception, _from_defect)


def _from_http(error: HTTPException) -> Response:
    """A status of Flask's own; its headers (Allow, Retry-After) are kept."""
    status = HTTPStatus(error.code or 500)
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    detail = _DETAILS.get(status, error.description or status.description)
    if isinstance(error, TooManyRequests):
        detail = "Too many requests: the header Retry-After says how many seconds to wait."
    slug = status.phrase.lower().replace(" ", "-")
    return respond(ProblemError(status, slug, detail, headers=headers))


def _from_validation(error: ValidationError) -> Response:
    errors = [
        FieldError(field=".".join(map(str, found["loc"])) or "query", message=found["msg"])
        for found in error.errors(include_url=False, include_input=False)
    ]
    detail = "; ".join(f"{found.field}: {found.message}" for found in errors)
    return respond(
        ProblemError(HTTPStatus.BAD_REQUEST, "invalid-parameters", detail, errors=errors)
    )


def _from_nothing_published(_error: NothingPublishedError) -> Response:
    return respond(
        ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "nothing-published",
            "Nothing is published yet. Run `make refresh` to collect, build and publish, or "
            "`make import FILE=…` to start from an export file.",
            headers={"Retry-After": "30"},
        )
    )


def _from_defect(error: Exception) -> Response:
    _log.error("request_failed", route=_route(), exc_info=error)
    return respond(
        ProblemError(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "Something is wrong on the server; its log says what.",
        )
    )


def _route() -> str | None:
    """The rule, not the path: a path may hold a sign-in token."""
    return request.url_rule.rule if request.url_rule else None


def _instance() -> str:
    return "/login/…" if request.path.startswith("/login/") else request.path
