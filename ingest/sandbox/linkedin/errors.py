"""LinkedIn's error bodies (platform-apis.md section 2.4)."""

import re

from ingest.sandbox.engine import Body, Reply


def error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    service_code: int | None = None,
    details: Body | None = None,
) -> Reply:
    """LinkedIn's error body; `code` and `serviceErrorCode` are each sometimes absent."""
    body: Body = {"status": status, "message": message}
    if service_code is not None:
        body["serviceErrorCode"] = service_code
    if code is not None:
        body["code"] = code
    if details is not None:
        body |= details
    return Reply(body, status)


def empty_token() -> Reply:
    return error(401, "Empty oauth2_access_token", service_code=401)


def invalid_token() -> Reply:
    return error(401, "Invalid access token", code="INVALID_ACCESS_TOKEN", service_code=65600)


def revoked_token() -> Reply:
    return error(
        401,
        "The token used in the request has been revoked by the user",
        code="REVOKED_ACCESS_TOKEN",
        service_code=65601,
    )


def expired_token() -> Reply:
    return error(
        401,
        "The token used in the request has expired",
        code="EXPIRED_ACCESS_TOKEN",
        service_code=65602,
    )


def denied(resource: str) -> Reply:
    return error(
        403, f"Not enough permissions to access: {resource}", code="ACCESS_DENIED", service_code=100
    )


def unpermitted(parameter: str, index: int) -> Reply:
    """One URN of a List is not the caller's: the whole call fails."""
    return error(
        403,
        "Unpermitted fields present in PARAMETER: Data Processing Exception while processing"
        f" fields [/{parameter}[{index}]]",
        code="ACCESS_DENIED",
        service_code=100,
    )


def throttled(level: str = "limit") -> Reply:
    message = f"Resource level throttle {level} for calls to this resource is reached."
    return error(429, message, service_code=101)


def nonexistent_version(version: str) -> Reply:
    """Note the day that LinkedIn adds to the month in its message."""
    shown = f"{version}01" if re.fullmatch(r"\d{6}", version) else version
    message = f"Requested version {shown} is not active"
    reply = error(426, message, code="NONEXISTENT_VERSION")
    reply.headers["X-Restli-Gateway-Error"] = "true"
    return reply


def missing_version() -> Reply:
    reply = error(
        400,
        "A version must be present. Please specify a version by adding the LinkedIn-Version"
        " header.",
        code="VERSION_MISSING",
    )
    reply.headers["X-Restli-Gateway-Error"] = "true"
    return reply


def bad_query() -> Reply:
    """The catch-all of a query LinkedIn cannot route."""
    return error(400, "Invalid query parameters passed to request", code="ILLEGAL_ARGUMENT")


def bad_parameter(name: str, code: str = "PARAM_INVALID") -> Reply:
    detail: Body = {"input": {"inputPath": {"fieldPath": name}}, "code": code}
    if code == "PARAM_INVALID":
        detail["description"] = "Invalid value for param; wrong type or other syntax error"
    return error(
        400,
        "Invalid param. Please see errorDetails for more information.",
        details={
            "errorDetailType": "com.linkedin.common.error.BadRequest",
            "errorDetails": {"inputErrors": [detail]},
        },
    )
