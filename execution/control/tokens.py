"""Hands a connection's token to its client and keeps it fresh (ingest.http.TokenSource).

Refreshing is serialised by a lock file per connection: of two processes at once one asks the
platform, the other finds the new token in the store. The rotated refresh token is durable before
the access token is used (DESIGN.md section 4).
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from filelock import FileLock, Timeout
from sqlalchemy import update
from sqlalchemy.orm import Session

from execution.control.connections import ACTIVE, ENDED, EXPIRED, Tokens
from execution.control.models import Connection
from execution.control.notifications import Kind, notify, settle
from execution.control.platforms import oauth_app, oauth_provider
from execution.control.settings import Settings, variable
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import Clock
from ingest.http import ApiError, ErrorKind
from ingest.oauth import Refused, Remedy, TokenEndpoint, TokenGrant

log = structlog.get_logger(__name__)

#: A token that ends sooner is refreshed before it is used.
_MARGIN: Final = timedelta(minutes=2)
#: Longer than the token endpoint's own timeout.
_LOCK_SECONDS: Final = 60


class StoredTokens:
    """Tokens of one connection, kept in the vault. Raises VaultError where they cannot be read."""

    def __init__(
        self,
        settings: Settings,
        store: ControlStore,
        vault: Vault,
        clock: Clock,
        connection_id: UUID,
    ) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._clock = clock
        self._connection_id = connection_id
        self._connection, self._tokens = self._read()

    @property
    def is_over(self) -> bool:
        """Whether only a new consent helps."""
        return self._connection.state in ENDED

    def access_token(self) -> str:
        """Raises ApiError (token_expired) if the token has ended and cannot be refreshed."""
        ends, now = self._connection.expires_at, self._clock.now()
        if ends is None or now < ends - _MARGIN:
            return self._tokens.access_token
        try:
            return self.refresh()
        except ApiError as error:
            if error.kind is ErrorKind.TOKEN_EXPIRED or now >= ends:
                raise
            return self._tokens.access_token  # it lives a little longer

    def refresh(self) -> str:
        """A new access token, durable with its refresh token.

        Raises ApiError: token_expired if there is none to be had (where the consent is over, the
        connection is marked and its user told), network if the platform could not be asked.
        """
        folder = self._settings.data_dir / "locks"
        folder.mkdir(exist_ok=True)
        try:
            with FileLock(folder / f"{self._connection_id}.lock", timeout=_LOCK_SECONDS):
                used = self._tokens
                self._connection, self._tokens = self._read()
                if self._tokens.access_token == used.access_token:
                    self._renew()
        except Timeout:
            raise ApiError(
                ErrorKind.NETWORK, "another process refreshes the token and does not end"
            ) from None
        return self._tokens.access_token

    def _renew(self) -> None:
        if self._connection.state != ACTIVE:
            raise ApiError(ErrorKind.TOKEN_EXPIRED, f"the connection is {self._connection.state}")
        answer = self._ask()
        if isinstance(answer, Refused):
            self._refused(answer)
        else:
            self._keep(answer)

    def _ask(self) -> TokenGrant | Refused:
        app = oauth_app(self._settings, self._connection.platform)
        if self._tokens.refresh_token is None:
            return Refused(Remedy.CONSENT_AGAIN, "there is no refresh token")
        if app is None:
            return Refused(Remedy.FIX_APP, "no OAuth client is set to refresh it with")
        provider = oauth_provider(self._settings, self._connection.platform)
        with TokenEndpoint(provider, app, self._clock) as endpoint:
            return endpoint.refresh(self._tokens.refresh_token)

    def _keep(self, grant: TokenGrant) -> None:
        """Make the grant durable, unless a new consent has replaced what was refreshed."""
        tokens = Tokens(grant.access_token, grant.refresh_token or self._tokens.refresh_token)
        with self._store.begin() as session:
            connection = self._locked(session)
            stored = Tokens.unsealed(self._vault, connection)
            if stored == self._tokens:
                stored = tokens
                connection.tokens = tokens.sealed(self._vault, connection.id)
                connection.expires_at = grant.expires_at
                # LinkedIn counts from the first consent: a refresh never moves its end
                connection.refresh_expires_at = (
                    connection.refresh_expires_at or grant.refresh_expires_at
                )
            settle(session, [(Kind.APP_REFUSED, connection.platform)], self._clock.now())
        self._connection, self._tokens = connection, stored
        log.info("token refreshed", connection=str(self._connection_id))

    def _refused(self, refusal: Refused) -> None:
        if refusal.remedy is Remedy.TRY_LATER:
            raise ApiError(ErrorKind.NETWORK, f"the token could not be refreshed: {refusal.reason}")
        if refusal.remedy is Remedy.FIX_APP:
            self._tell_of_app(refusal.reason)
        else:
            self.ended(EXPIRED, refusal.reason)
        raise ApiError(ErrorKind.TOKEN_EXPIRED, f"the token has ended: {refusal.reason}")

    def _tell_of_app(self, reason: str) -> None:
        """The consent is still good, the settings are not: once they are, the next run goes on."""
        connection = self._connection
        log_expired(connection.user_id, connection.platform, reason)
        named = [variable(connection.platform, name) for name in ("client_id", "client_secret")]
        with self._store.begin() as session:
            notify(
                session,
                Kind.APP_REFUSED,
                connection.platform,
                f"Tokens of {connection.platform} cannot be refreshed: {reason}. "
                f"Check {' and '.join(named)}.",
                self._clock.now(),
            )

    def ended(self, state: str, reason: str) -> None:
        """Mark the consent as over (`EXPIRED` or `REVOKED`), and tell its user.

        A consent that was given anew meanwhile is left alone.
        """
        with self._store.begin() as session:
            connection = self._locked(session)
            if Tokens.unsealed(self._vault, connection) != self._tokens:
                return
            connection.state, connection.state_reason = state, reason
            notify(
                session,
                Kind.TOKEN_EXPIRED,
                connection.id,
                f"Token expired for user {connection.user_id}, platform {connection.platform}: "
                f"{reason}. Connect the account again.",
                self._clock.now(),
                user_id=connection.user_id,
                connection_id=connection.id,
            )
        self._connection = connection
        log_expired(connection.user_id, connection.platform, reason)

    def _locked(self, session: Session) -> Connection:
        """The connection as it is now, which nobody else changes before this transaction ends."""
        mine = Connection.id == self._connection_id
        session.execute(update(Connection).where(mine).values(id=self._connection_id))
        return session.get_one(Connection, self._connection_id)

    def _read(self) -> tuple[Connection, Tokens]:
        with self._store.begin() as session:
            connection = session.get_one(Connection, self._connection_id)
        return connection, Tokens.unsealed(self._vault, connection)


def log_expired(user_id: UUID, platform: str, reason: str) -> None:
    """The line of directive 2.2, for each account that is not collected because of it."""
    log.warning(f"Token expired for user {user_id}, platform {platform}", reason=reason)
