"""Hands a connection's token to its client, and keeps it fresh (ingest.http.TokenSource)."""

from uuid import UUID

from execution.control.connections import Tokens
from execution.control.models import Connection
from execution.control.store import ControlStore
from execution.control.vault import Vault
from ingest.http import ApiError, ErrorKind


class StoredTokens:
    """Tokens of one connection, read from the vault."""

    def __init__(self, store: ControlStore, vault: Vault, connection_id: UUID) -> None:
        self._store = store
        self._vault = vault
        self._connection_id = connection_id
        self._tokens: Tokens | None = None

    def access_token(self) -> str:
        """Raises VaultError if the token cannot be decrypted."""
        if self._tokens is None:
            with self._store.begin() as session:
                connection = session.get_one(Connection, self._connection_id)
                self._tokens = Tokens.unsealed(self._vault, connection)
        return self._tokens.access_token

    def refresh(self) -> str:
        raise ApiError(
            ErrorKind.TOKEN_EXPIRED,
            "the platform no longer accepts this token: connect the account again",
        )
