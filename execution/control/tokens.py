"""Hands a connection's token to its client and keeps it fresh (ingest.http.TokenSource).

Refreshing is serialised by a lock file per connection: of two processes at once one asks the
platform, the other finds the new token in the store. The rotated refresh token is durable before
the access token is used (DESIGN.md section 4).
"""

from datetime import timedelta
from uuid import UUID

import structlog
from filelock import FileLock

from execution.control.connections import EXPIRED, Tokens, set_state
from execution.control.models import Connection
from execution.control.notifications import notify
from execution.control.platforms import oauth_app, oauth_provider
from execution.control.settings import Settings
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.clock import Clock
from ingest.http import ApiError, ErrorKind
from ingest.oauth import Refused, Remedy, TokenEndpoint, TokenGrant

log = structlog.get_logger(__name__)

#: A token that ends sooner is refreshed before it is used.
_MARGIN = timedelta(minutes=2)
_LOCK_SECONDS = 120


class StoredTokens:
    """Tokens of one connection, kept in the vault."""

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

    def access_token(self) -> str:
        """Raises ApiError (token_expired) if the token has ended and cannot be refreshed."""
        ends = self._connection.expires_at
        if ends is not None and ends - _MARGIN <= self._clock.now():
            return self.refresh()
        return self._tokens.access_token

    def refresh(self) -> str:
        """A new access token, durable with its refresh token.

        Raises ApiError: token_expired if the consent is over (the connection is then marked and
        its user notified), network if the platform could not be asked.
        """
        folder = self._settings.data_dir / "locks"
        folder.mkdir(exist_ok=True)
        with FileLock(folder / f"{self._connection_id}.lock", timeout=_LOCK_SECONDS):
            used = self._tokens.access_token
            self._connection, self._tokens = self._read()
            if self._tokens.access_token == used:
                self._renew()
        return self._tokens.access_token

    def _renew(self) -> None:
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
            return Refused(Remedy.CONSENT_AGAIN, "no OAuth client is set to refresh it with")
        provider = oauth_provider(self._settings, self._connection.platform)
        with TokenEndpoint(provider, app, self._clock) as endpoint:
            return endpoint.refresh(self._tokens.refresh_token)

    def _keep(self, grant: TokenGrant) -> None:
        tokens = Tokens(grant.access_token, grant.refresh_token or self._tokens.refresh_token)
        with self._store.begin() as session:
            connection = session.get_one(Connection, self._connection_id)
            connection.tokens = tokens.sealed(self._vault, connection.id)
            connection.expires_at = grant.expires_at
            # LinkedIn counts from the first consent: a refresh never moves its end
            connection.refresh_expires_at = (
                connection.refresh_expires_at or grant.refresh_expires_at
            )
        self._connection, self._tokens = connection, tokens
        log.info("token refreshed", connection=str(self._connection_id))

    def _refused(self, refusal: Refused) -> None:
        connection = self._connection
        if refusal.remedy is Remedy.TRY_LATER:
            raise ApiError(ErrorKind.NETWORK, f"the token could not be refreshed: {refusal.reason}")
        message = f"Token expired for user {connection.user_id}, platform {connection.platform}"
        log.warning(message, reason=refusal.reason, remedy=refusal.remedy.value)
        with self._store.begin() as session:
            set_state(session, connection.id, EXPIRED, refusal.reason)
            notify(
                session,
                key=f"token:{connection.id}",
                kind="token_expired",
                message=f"{message}: {refusal.reason}. Connect the account again.",
                user_id=connection.user_id,
                connection_id=connection.id,
                now=self._clock.now(),
            )
        raise ApiError(ErrorKind.TOKEN_EXPIRED, f"the token has ended: {refusal.reason}")

    def _read(self) -> tuple[Connection, Tokens]:
        with self._store.begin() as session:
            connection = session.get_one(Connection, self._connection_id)
        return connection, Tokens.unsealed(self._vault, connection)
