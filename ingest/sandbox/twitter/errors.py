"""X's error bodies: for whole requests, and partial ones in a 200 (platform-apis.md 1.4)."""

from ingest.sandbox.engine import Body, RefusedError, Reply

PROBLEMS = "https://api.twitter.com/2/problems/"


def unauthorized() -> Reply:
    body = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    return Reply(body, 401, {"Content-Type": "application/problem+json"})


def app_only_forbidden() -> Reply:
    body = {
        "title": "Unsupported Authentication",
        "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint."
        "  Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        "type": PROBLEMS + "unsupported-authentication",
        "status": 403,
    }
    return Reply(body, 403, {"Content-Type": "application/problem+json"})


def invalid(parameter: str, value: str, message: str) -> Reply:
    body = {
        "errors": [{"parameters": {parameter: [value]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return Reply(body, 400)


def too_many_requests() -> Reply:
    """A used-up window (unconfirmed body)."""
    body = {
        "title": "Too Many Requests",
        "detail": "Too Many Requests",
        "type": "about:blank",
        "status": 429,
    }
    return Reply(body, 429)


def not_found_error(resource: str, parameter: str, value: str) -> Body:
    """A partial error: something in the request does not exist."""
    noun = {"tweet": "tweet with ids", "user": "user with ids"}[resource]
    return {
        "value": value,
        "detail": f"Could not find {noun}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": PROBLEMS + "resource-not-found",
    }


def field_error(name: str, value: str) -> Body:
    """A partial error: a field that this token may not read on this post."""
    return {
        "resource_type": "tweet",
        "field": name,
        "parameter": "ids",
        "resource_id": value,
        "value": value,
        "title": "Field Authorization Error",
        "section": "data",
        "detail": f"Sorry, you are not authorized to access '{name}' on the Tweet with ids :"
        f" [{value}].",
        "type": PROBLEMS + "not-authorized-for-field",
    }


def refused(parameter: str, value: str, message: str) -> RefusedError:
    """To raise: X refuses the request as a whole."""
    return RefusedError(invalid(parameter, value, message))
