"""Tokens are sealed to their connection; the key file is private and never beside the data."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from execution.control.settings import Settings
from execution.control.vault import Vault, VaultError, open_vault, rotate

CONNECTION = uuid4()


def test_a_token_comes_back_as_it_went_in(vault: Vault) -> None:
    assert vault.decrypt(vault.encrypt(b"token", CONNECTION), CONNECTION) == b"token"


def test_the_same_token_never_gives_the_same_bytes(vault: Vault) -> None:
    assert vault.encrypt(b"token", CONNECTION) != vault.encrypt(b"token", CONNECTION)


def test_a_token_moved_to_another_connection_is_refused(vault: Vault) -> None:
    with pytest.raises(VaultError, match="was altered"):
        vault.decrypt(vault.encrypt(b"token", CONNECTION), uuid4())


def test_an_altered_token_is_refused(vault: Vault) -> None:
    sealed = bytearray(vault.encrypt(b"token", CONNECTION))
    sealed[-1] ^= 1
    with pytest.raises(VaultError, match="was altered"):
        vault.decrypt(bytes(sealed), CONNECTION)


def test_a_rotated_vault_reads_old_tokens_and_writes_with_the_new_key(
    settings: Settings, vault: Vault
) -> None:
    old = vault.encrypt(b"token", CONNECTION)
    rotate(settings.vault_key_file)
    rotated = open_vault(settings.vault_key_file, settings.data_dir)
    assert rotated.decrypt(old, CONNECTION) == b"token"
    with pytest.raises(VaultError, match="restore that file"):
        vault.decrypt(rotated.encrypt(b"token", CONNECTION), CONNECTION)


def test_pseudonyms_outlive_a_rotation(settings: Settings, vault: Vault) -> None:
    rotate(settings.vault_key_file)
    rotated = open_vault(settings.vault_key_file, settings.data_dir)
    assert rotated.user_key(CONNECTION) == vault.user_key(CONNECTION)


def test_the_key_file_is_made_for_its_owner_alone(settings: Settings, vault: Vault) -> None:
    assert settings.vault_key_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.vault_key_file.parent.iterdir()] == ["vault.json"]


def test_a_key_file_that_others_can_read_is_refused(settings: Settings, vault: Vault) -> None:
    settings.vault_key_file.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        open_vault(settings.vault_key_file, settings.data_dir)


def test_a_key_file_in_the_data_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="lies in the data folder"):
        open_vault(tmp_path / "data" / "vault.json", tmp_path / "data")


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"keys": []})])
def test_a_damaged_key_file_is_named_and_left_as_it_is(
    settings: Settings, vault: Vault, content: str
) -> None:
    settings.vault_key_file.write_text(content)
    with pytest.raises(VaultError, match="is damaged"):
        open_vault(settings.vault_key_file, settings.data_dir)
    assert settings.vault_key_file.read_text() == content


def test_nothing_of_a_key_shows_in_its_repr(vault: Vault) -> None:
    assert "pseudonym_key" not in repr(vault)
