"""Conditional requests (DESIGN.md section 7): an unchanged answer is not made again."""

import hashlib
import json
from collections.abc import Callable, Mapping

from flask import Response, request

from api.auth import Caller
from api.publication import Publication

#: Of the form of the answers; raised when the same data is told in another way.
FORM = 1
_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}


def etag(
    publication: Publication, caller: Caller, path: str, question: Mapping[str, object]
) -> str:
    """Tag of the answer to a normalised question: generation, user, its accounts and zone."""
    made_of = [
        FORM,
        publication.generation,
        publication.built_at.isoformat(),
        str(caller.identity.user_id),
        caller.identity.timezone,
        sorted(map(str, caller.scope.account_ids)),
        path,
        question,
    ]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]


def conditional(tag: str, answer: Callable[[], str]) -> Response:
    """The JSON that `answer` makes, or 304 without making it if the caller has it already.

    `no-cache` lets it be kept but asks each time: a new generation shows at once.
    """
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = Response(answer(), content_type="application/json")
    response.headers.update(_HEADERS)
    response.set_etag(tag)
    return response
