"""What X does around every endpoint: bearer tokens and rate-limit windows."""

from ingest.sandbox.engine import Call, RefusedError, Reply
from ingest.sandbox.twitter.errors import app_only_forbidden, too_many_requests, unauthorized


class Gate:
    """Bearer tokens and rate-limit windows of X."""

    def count(self, call: Call) -> None:
        app_limit, user_limit = call.endpoint.limits
        limit = app_limit if call.grant is None or call.grant.is_app else user_limit
        limit = call.sandbox.behaviour.limits.get(call.endpoint.name, limit)
        if limit:
            call.window = call.sandbox.windows.take(
                call.endpoint.name, call.subject, limit, call.now
            )

    def admit(self, call: Call) -> None:
        """Raises RefusedError: 401, 403 or 429."""
        if call.endpoint.needs == "none":
            return
        grant = call.grant
        if grant is None or grant.revoked or grant.platform != "twitter":
            raise RefusedError(unauthorized())
        if call.now >= grant.expires_at:
            raise RefusedError(unauthorized())
        if grant.is_app and call.endpoint.needs == "user":
            raise RefusedError(app_only_forbidden())
        if call.window and call.window.exceeded and call.sandbox.behaviour.enforce_limits:
            raise RefusedError(too_many_requests())

    def finish(self, call: Call, reply: Reply) -> None:
        """X tells its window on every answer, and never a Retry-After."""
        headers = reply.headers
        headers.setdefault("api-version", "2.168")
        if call.window is not None:
            headers.setdefault("x-rate-limit-limit", str(call.window.limit))
            headers.setdefault("x-rate-limit-remaining", str(call.window.remaining))
            headers.setdefault("x-rate-limit-reset", str(call.window.reset))
            headers.setdefault("x-access-level", "read")
