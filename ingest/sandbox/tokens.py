"""Grants of the stand-in: bearer tokens, refresh tokens and authorization codes, in memory.

Every (user, account) pair of the world starts with a standing token that is the same for the
same seed and does not expire; tokens got through OAuth live as long as the platforms say
(platform-apis.md sections 1.6 and 2.5).
"""

import hashlib
import math
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from ingest.sandbox.world import DAY, Account, PlatformName, World

X_ACCESS_SECONDS = 7_200
X_CODE_SECONDS = 30
LINKEDIN_ACCESS_SECONDS = 60 * int(DAY)
LINKEDIN_REFRESH_SECONDS = 365 * int(DAY)
LINKEDIN_CODE_SECONDS = 30 * 60

SCOPES = {
    "profile": ("tweet.read", "users.read", "offline.access"),
    "page": (
        "r_organization_social",
        "rw_organization_admin",
        "r_organization_social_feed",
        "r_basicprofile",
    ),
    "member": ("r_member_postAnalytics", "r_member_profileAnalytics", "r_basicprofile"),
}


@dataclass
class Grant:
    """What one consent gave: to whom, for what, until when (`math.inf`: no end)."""

    platform: PlatformName
    user: str
    account: Account | None
    scopes: frozenset[str]
    access_token: str
    expires_at: float = math.inf
    refresh_token: str | None = None
    refresh_expires_at: float = math.inf
    revoked: bool = False

    @property
    def is_app(self) -> bool:
        """An app-only bearer token: no user stands behind it."""
        return self.account is None


@dataclass(frozen=True)
class Code:
    """An authorization code that waits to be exchanged, once."""

    account: Account
    user: str
    scopes: frozenset[str]
    redirect_uri: str
    client_id: str
    expires_at: float
    challenge: tuple[str, str] | None = None


@dataclass
class TokenStore:
    """All grants of one stand-in. Thread-safe where a second caller could win a race."""

    world: World
    app_token: str = "sandbox-app-bearer"  # noqa: S105
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"  # noqa: S105
    _grants: dict[str, Grant] = field(default_factory=dict)
    _refreshable: dict[str, Grant] = field(default_factory=dict)
    _codes: dict[str, Code] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._grants[self.app_token] = Grant("twitter", "", None, frozenset(), self.app_token)
        for account in self.world.accounts:
            for user in account.spec.users:
                self._keep(self._standing(account, user))

    def _standing(self, account: Account, user: str) -> Grant:
        name = f"{self.world.seed}/{account.kind}/{account.spec.handle}/{user}"
        digest = hashlib.sha256(name.encode()).hexdigest()
        return Grant(
            account.platform,
            user,
            account,
            frozenset(SCOPES[account.kind]),
            f"sandbox-access-{digest[:32]}",
            refresh_token=f"sandbox-refresh-{digest[32:]}",
        )

    def _keep(self, grant: Grant) -> Grant:
        self._grants[grant.access_token] = grant
        if grant.refresh_token is not None:
            self._refreshable[grant.refresh_token] = grant
        return grant

    def find(self, access_token: str) -> Grant | None:
        return self._grants.get(access_token)

    def __iter__(self) -> Iterator[Grant]:
        return iter(list(self._grants.values()))

    def of(self, account: Account, user: str | None = None) -> Grant:
        """The newest grant for an account (of one user). Raises KeyError when there is none."""
        for grant in reversed(list(self._grants.values())):
            if grant.account is account and user in (None, grant.user):
                return grant
        raise KeyError(account.spec.handle)

    def add_code(self, code: Code) -> str:
        value = secrets.token_urlsafe(24)
        self._codes[value] = code
        return value

    def take_code(self, value: str) -> Code | None:
        """The code, which then is spent."""
        with self._lock:
            return self._codes.pop(value, None)

    def issue(self, code: Code, now: float) -> Grant:
        """A grant for a code that was exchanged; X gives a refresh token for offline.access."""
        is_x = code.account.platform == "twitter"
        refreshable = "offline.access" in code.scopes or not is_x
        return self._keep(
            Grant(
                code.account.platform,
                code.user,
                code.account,
                code.scopes,
                f"sandbox-access-{secrets.token_hex(16)}",
                now + (X_ACCESS_SECONDS if is_x else LINKEDIN_ACCESS_SECONDS),
                f"sandbox-refresh-{secrets.token_hex(16)}" if refreshable else None,
                math.inf if is_x else now + LINKEDIN_REFRESH_SECONDS,
            )
        )

    def refresh(self, platform: PlatformName, refresh_token: str, now: float) -> Grant | None:
        """A new grant, or None where the refresh token is unknown, spent, revoked or over.

        X: single use, a new refresh token comes with the answer. LinkedIn: the same refresh
        token stays, and its end does not move.
        """
        with self._lock:
            old = self._refreshable.get(refresh_token)
            if old is None or old.platform != platform or old.revoked:
                return None
            if now >= old.refresh_expires_at:
                return None
            is_x = platform == "twitter"
            if is_x:
                del self._refreshable[refresh_token]
            seconds = X_ACCESS_SECONDS if is_x else LINKEDIN_ACCESS_SECONDS
            return self._keep(
                Grant(
                    platform,
                    old.user,
                    old.account,
                    old.scopes,
                    f"sandbox-access-{secrets.token_hex(16)}",
                    min(now + seconds, old.refresh_expires_at),
                    f"sandbox-refresh-{secrets.token_hex(16)}" if is_x else refresh_token,
                    old.refresh_expires_at,
                )
            )

    def revoke(self, token: str) -> bool:
        """Revoke the grant of an access or refresh token; whether there was one."""
        grant = self._grants.get(token) or self._refreshable.get(token)
        if grant is None:
            return False
        grant.revoked = True
        return True
