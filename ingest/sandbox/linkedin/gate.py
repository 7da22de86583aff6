"""What LinkedIn checks before any endpoint: token, version, protocol, encoding, budgets."""

from datetime import date, timedelta
from functools import lru_cache

from ingest.sandbox.engine import Call, RefusedError, Reply
from ingest.sandbox.linkedin.errors import (
    bad_query,
    empty_token,
    error,
    expired_token,
    invalid_token,
    missing_version,
    nonexistent_version,
    revoked_token,
    throttled,
)
from ingest.sandbox.restli import RestliSyntaxError, decode_leaf
from ingest.sandbox.world import DAY

SKIPPED_VERSIONS = frozenset({"202512"})
RELEASE_DAY, SUNSET_DAY = 20, 15
DEVELOPMENT_APP_CALLS, DEVELOPMENT_MEMBER_CALLS = 500, 100
MAX_QUERY = 4_000


def active_versions(day: date) -> list[str]:
    """Versions that live on `day`: from the 20th of their month to the 15th one year on.

    A sunset on a weekend waits for Monday. Fitted to the list seen on 2026-08-13 and the
    announced sunsets (platform-apis.md section 2.1); the day of release is a guess.
    """
    months = [day.year * 12 + day.month - 1 - back for back in range(14)]
    versions = []
    for month in reversed(months):
        year, index = divmod(month, 12)
        sunset = date(year + 1, index + 1, SUNSET_DAY)
        sunset += timedelta(days=max(0, 7 - sunset.weekday()) if sunset.weekday() > 4 else 0)
        version = f"{year}{index + 1:02}"
        if date(year, index + 1, RELEASE_DAY) <= day < sunset and version not in SKIPPED_VERSIONS:
            versions.append(version)
    return versions


@lru_cache(maxsize=512)
def _active_on(day: int) -> frozenset[str]:
    return frozenset(active_versions(date(1970, 1, 1) + timedelta(days=day)))


class Gate:
    """Tokens, version and protocol headers, raw query encoding, daily limits."""

    def count(self, call: Call) -> None:
        """LinkedIn counts in days, and only requests that it lets in (see `admit`)."""

    def admit(self, call: Call) -> None:
        """Raises RefusedError: 400, 401, 405, 414, 426 or 429."""
        if call.endpoint.needs == "none":
            return
        _check_token(call)
        if call.request.path.startswith("/rest/"):
            _check_version(call)
            _check_form(call)
        _check_day(call)

    def finish(self, _call: Call, reply: Reply) -> None:
        """No limit header and no Retry-After, ever."""
        reply.headers.setdefault("X-Li-Fabric", "prod-sandbox")
        reply.headers.setdefault("X-Li-Pop", "sandbox")


def _check_token(call: Call) -> None:
    grant = call.grant
    if grant is None or grant.platform != "linkedin":
        given = call.request.environ.get("HTTP_AUTHORIZATION", "")
        raise RefusedError(invalid_token() if given else empty_token())
    if grant.revoked:
        raise RefusedError(revoked_token())
    if call.now >= grant.expires_at:
        raise RefusedError(expired_token())


def _check_version(call: Call) -> None:
    version = call.request.environ.get("HTTP_LINKEDIN_VERSION")
    if not version:
        raise RefusedError(missing_version())
    active = call.sandbox.behaviour.linkedin_versions
    if version not in (active if active is not None else _active_on(int(call.now // DAY))):
        raise RefusedError(nonexistent_version(version))


def _check_form(call: Call) -> None:
    """Protocol header, method, length of the query, and the encoding of a URN in the path."""
    environ = call.request.environ
    if environ.get("HTTP_X_RESTLI_PROTOCOL_VERSION") != "2.0.0":
        # Without it LinkedIn speaks Rest.li 1.0, which does not know List(...).
        raise RefusedError(bad_query())
    if call.request.method == "POST" and environ.get("HTTP_X_HTTP_METHOD_OVERRIDE") != "GET":
        raise RefusedError(error(405, "Method not allowed"))
    if len(call.request.query_string) > MAX_QUERY:
        raise RefusedError(error(414, "Request-URI Too Long"))
    raw_path = environ.get("REQUEST_URI", "").partition("?")[0]
    if call.path and raw_path:
        try:
            decode_leaf("path", raw_path.rpartition("/")[2])
        except RestliSyntaxError:
            raise RefusedError(
                error(400, "Syntax exception in path variables", code="ILLEGAL_ARGUMENT")
            ) from None


def _check_day(call: Call) -> None:
    """Daily limits, reset at 00:00 UTC: the Development tier's, and the one of the setting."""
    behaviour, user = call.sandbox.behaviour, call.grant.user if call.grant else ""
    if behaviour.development_tier:
        if _used_up(call, "linkedin", "app", DEVELOPMENT_APP_CALLS):
            raise RefusedError(throttled("APPLICATION DAY limit"))
        if _used_up(call, "linkedin", user, DEVELOPMENT_MEMBER_CALLS):
            raise RefusedError(throttled("MEMBER DAY limit"))
    limit = behaviour.linkedin_daily_calls
    if limit is not None and _used_up(call, call.endpoint.name, user, limit):
        raise RefusedError(throttled("MEMBER DAY limit"))


def _used_up(call: Call, family: str, subject: str, limit: int) -> bool:
    """Count the request against today's limit."""
    today = f"{family} {int(call.now // DAY)}"
    return call.sandbox.windows.take(today, subject, limit, call.now, DAY).exceeded
