"""GET /api/health and /api/openapi.json: open to all, since neither tells anything of anyone."""

import json

from flask import Blueprint, Response, request

from api.context import context
from api.openapi import describe
from api.publication import NothingPublishedError
from api.queries.params import NoParams
from api.schemas import HealthAnswer


def blueprint() -> Blueprint:
    """The routes about the system itself."""
    routes = Blueprint("system", __name__)
    document = json.dumps(describe())

    def openapi() -> Response:
        NoParams.parse(request.args.to_dict(flat=False))
        return Response(
            document, content_type="application/json", headers={"Cache-Control": "no-cache"}
        )

    routes.add_url_rule("/api/openapi.json", "openapi", openapi)
    routes.add_url_rule("/api/health", "health", _health)
    return routes


def _health() -> Response:
    NoParams.parse(request.args.to_dict(flat=False))
    try:
        with context().publications.lease() as (publication, _cursor):
            answer = HealthAnswer(
                status="ok",
                generation=publication.generation,
                published_at=publication.built_at,
                data_as_of=publication.data_as_of,
            )
    except NothingPublishedError:
        answer = HealthAnswer(
            status="nothing published", generation=None, published_at=None, data_as_of=None
        )
    return Response(
        answer.model_dump_json(),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
