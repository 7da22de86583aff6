"""Keys and what they protect: tokens (AES-256-GCM), pseudonyms and session signatures.

The key file lies outside the data folder, so that a copy of the data reveals no token
(DESIGN.md section 4). It is JSON: `keys` (newest first; all can decrypt, the first encrypts),
`pseudonym_key` (stable for ever: it names users in the marts) and `session_key`.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest.errors import NexusError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4


class VaultError(NexusError):
    """The vault cannot be used; the message says why and what to do."""


@dataclass(frozen=True, repr=False)
class Vault:
    """Encrypts tokens bound to their connection, and derives pseudonyms."""

    keys: dict[bytes, bytes]  # key id -> AES key, the encrypting one first
    pseudonym_key: bytes
    session_key: bytes

    def encrypt(self, plaintext: bytes, connection_id: UUID) -> bytes:
        """Ciphertext: key id (4 bytes), nonce (12), AES-256-GCM with the connection id as data."""
        key_id, key = next(iter(self.keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        return key_id + nonce + AESGCM(key).encrypt(nonce, plaintext, connection_id.bytes)

    def decrypt(self, ciphertext: bytes, connection_id: UUID) -> bytes:
        """Raises VaultError if the key is gone, or the bytes were altered or moved."""
        key_id, rest = ciphertext[:_KEY_ID_BYTES], ciphertext[_KEY_ID_BYTES:]
        if key_id not in self.keys:
            raise VaultError(
                f"a token was encrypted with key {key_id.hex()}, which the vault file lacks: "
                "restore that file, or connect the account again"
            )
        try:
            nonce, sealed = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
            return AESGCM(self.keys[key_id]).decrypt(nonce, sealed, connection_id.bytes)
        except InvalidTag:
            raise VaultError(
                f"the token of connection {connection_id} was altered: connect the account again"
            ) from None

    def user_key(self, user_id: UUID) -> str:
        """The pseudonym under which a user appears in the marts (32 hex digits)."""
        return hmac.new(self.pseudonym_key, user_id.bytes, hashlib.sha256).hexdigest()[:32]


def open_vault(path: Path, data_dir: Path) -> Vault:
    """The vault in `path`, made on first use with mode 0600.

    Raises VaultError if the file lies in the data folder, can be read by others, or is damaged.
    """
    if path.is_relative_to(data_dir):
        raise VaultError(f"the vault file {path} lies in the data folder it protects: move it out")
    if not path.exists():
        _write_new(path, _fresh())
    if path.stat().st_mode & 0o077:
        raise VaultError(f"others can read the vault file {path}: chmod 600 it")
    try:
        return _parse(json.loads(path.read_text()))
    except (KeyError, TypeError, ValueError):
        raise VaultError(f"the vault file {path} is damaged: restore it from a backup") from None


def rotate(path: Path) -> None:
    """Put a new encrypting key first; tokens are re-encrypted by `nexus vault rotate`."""
    content = json.loads(path.read_text())
    content["keys"].insert(0, _new_key())
    _replace(path, content)


def _parse(content: dict[str, object]) -> Vault:
    keys = content["keys"]
    if not isinstance(keys, list) or not keys:
        raise ValueError
    return Vault(
        keys={bytes.fromhex(key["id"]): _decode(key["key"]) for key in keys},
        pseudonym_key=_decode(content["pseudonym_key"]),
        session_key=_decode(content["session_key"]),
    )


def _decode(value: object) -> bytes:
    raw = base64.b64decode(str(value), validate=True)
    if len(raw) != _KEY_BYTES:
        raise ValueError
    return raw


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _new_key() -> dict[str, str]:
    key = {"id": secrets.token_hex(_KEY_ID_BYTES)}
    return key | {"key": _encode(AESGCM.generate_key(bit_length=_KEY_BYTES * 8))}


def _fresh() -> dict[str, object]:
    return {
        "keys": [_new_key()],
        "pseudonym_key": _encode(os.urandom(_KEY_BYTES)),
        "session_key": _encode(os.urandom(_KEY_BYTES)),
    }


def _write_new(path: Path, content: dict[str, object]) -> None:
    """Durable and whole or not at all; of two processes at once, one wins and both use its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, content)
    try:
        os.link(draft, path)  # fails if another process was first: then its file is the vault
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _replace(path: Path, content: dict[str, object]) -> None:
    _draft(path, content).replace(path)


def _draft(path: Path, content: dict[str, object]) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return draft
