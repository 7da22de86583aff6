"""What a person types, and what the command says back."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from execution.cli import main
from execution.control.connections import Tokens
from execution.control.models import AuditEntry, Connection
from execution.control.settings import Settings
from execution.control.store import open_store
from execution.control.vault import open_vault
from tests.integration.conftest import OWNED, Installation

Nexus = Callable[..., Result]


@pytest.fixture
def nexus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nexus:
    monkeypatch.setenv("NEXUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEXUS_VAULT_KEY_FILE", str(tmp_path / "keys" / "vault.json"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, **options: str) -> Result:
        return CliRunner().invoke(main, arguments, **options)

    return run


def test_a_wrong_setting_is_named_in_one_line(
    nexus: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_PORT", "many")
    done = nexus("doctor")
    assert done.exit_code == 2
    assert "NEXUS_PORT" in done.output
    assert len(done.output.splitlines()) == 1


def test_an_unknown_user_is_said_with_what_to_do(nexus: Nexus) -> None:
    done = nexus("link", "--user", "nobody@example.com")
    assert done.exit_code == 1
    assert done.stderr == (
        "nexus: there is no user nobody@example.com: nexus user add nobody@example.com\n"
    )


def test_a_time_zone_that_does_not_exist_is_refused(nexus: Nexus) -> None:
    done = nexus("user", "add", "ana@example.com", "--timezone", "Europe/Atlantis")
    assert done.exit_code == 2
    assert "Europe/Atlantis" in done.output


def test_a_login_link_is_printed_for_a_user(nexus: Nexus) -> None:
    nexus("user", "add", "ana@example.com", "--timezone", "Europe/Zurich")
    done = nexus("link", "--user", "ana@example.com")
    assert done.output.startswith("http://127.0.0.1:8010/login/")


def test_an_api_key_is_in_the_audit_log_but_not_its_text(nexus: Nexus, tmp_path: Path) -> None:
    nexus("user", "add", "ana@example.com")
    key = nexus("api-key", "metabase", "--user", "ana@example.com").output.strip()
    assert key.startswith("nxa_")
    store = open_store(Settings())
    with store.begin() as session:
        (entry,) = session.scalars(select(AuditEntry))
    assert entry.action == "api-key created"
    assert key not in str(entry.detail)
    store.close()


def test_with_nothing_connected_nothing_is_due(nexus: Nexus) -> None:
    done = nexus("sync")
    assert (done.exit_code, done.output) == (0, "Nothing is due.\n")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("connections", "No account is connected"),
        ("costs", "No call was made yet."),
        ("notifications", "Nothing to report."),
        ("runs", "Nothing ran yet."),
    ],
)
def test_an_empty_list_says_so(nexus: Nexus, command: str, said: str) -> None:
    assert said in nexus(command).output


def test_doctor_says_what_to_do_on_a_fresh_installation(nexus: Nexus) -> None:
    done = nexus("doctor")
    assert done.exit_code == 0
    for advice in ("nexus connect twitter", "make refresh", "NEXUS_X_CLIENT_ID"):
        assert advice in done.output


def test_the_schedule_holds_a_crontab_line_and_units(nexus: Nexus) -> None:
    text = nexus("schedule").output
    assert "*/15 * * * * NEXUS_DATA_DIR=" in text
    assert "SuccessExitStatus=3 75" in text
    assert "OnCalendar=*:0/15" in text


def test_a_rotated_vault_still_reads_every_token(installation: Installation, nexus: Nexus) -> None:
    installation.connect(*OWNED)
    with installation.app.store.begin() as session:
        before = {c.id: c.tokens for c in session.scalars(select(Connection))}
    done = nexus("vault", "rotate")
    assert done.output == "A new key encrypts; 2 tokens were encrypted anew.\n"
    settings = installation.app.settings
    vault = open_vault(settings.vault_key_file, settings.data_dir)
    with installation.app.store.begin() as session:
        for connection in session.scalars(select(Connection)):
            assert connection.tokens != before[connection.id]
            assert Tokens.unsealed(vault, connection).access_token.startswith("sandbox-access-")


def test_a_token_from_standard_input_connects_its_account(
    installation: Installation, nexus: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = installation.stand_in.sandbox
    profile = next(account for account in sandbox.world.accounts if account.kind == "profile")
    monkeypatch.setenv("NEXUS_X_BASE_URL", installation.stand_in.url)
    nexus("user", "add", "ana@example.com")
    token = sandbox.tokens.of(profile, "ana").access_token
    done = nexus(
        "connect", "twitter", "--token-stdin", "--user", "ana@example.com", input=f"{token}\n"
    )
    assert done.output == "Connected twitter:ana_builds.\n"
    assert "twitter:ana_builds" in nexus("connections").output


def test_a_base_url_that_is_neither_https_nor_loopback_gets_no_token(
    nexus: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_X_BASE_URL", "http://example.com")
    done = nexus("doctor")
    assert done.exit_code == 2
    assert "must be https" in done.output


def test_a_busy_port_is_one_line(nexus: Nexus, monkeypatch: pytest.MonkeyPatch) -> None:
    nexus("user", "add", "owner@localhost")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setenv("NEXUS_PORT", str(other.getsockname()[1]))
        done = nexus("serve")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is in use" in done.stderr


def test_a_data_folder_that_cannot_be_written_is_one_line(
    nexus: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_DATA_DIR", os.devnull)
    done = nexus("runs")
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1


def test_a_plan_tells_requests_and_cost_before_a_run(
    installation: Installation, nexus: Nexus, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.connect(*OWNED)
    before = installation.stand_in.sandbox.log.summary()["total"]
    said = nexus("plan").output
    assert "twitter:ana_builds" in said
    assert "requests of" in said
    assert installation.stand_in.sandbox.log.summary()["total"] == before


def test_a_month_is_estimated_before_connecting(nexus: Nexus) -> None:
    said = nexus("plan", "--posts-per-month", "500").output
    assert "15.30" in said, "500 owned posts read once a day: 500 x 30 x $0.001, and profiles"


def test_a_cap_needs_a_connection_of_ones_own(installation: Installation, nexus: Nexus) -> None:
    installation.connect(*OWNED)
    ana = ("--user", "ana@example.com")
    assert nexus("cap", "twitter:ana_builds", "5", *ana).output == "Capped at $5.00 a month.\n"
    assert nexus("cap", "twitter:nobody", "5", *ana).exit_code == 2
    with installation.app.store.begin() as session:
        caps = {c.platform: c.monthly_cap_micros for c in session.scalars(select(Connection))}
    assert caps == {"twitter": 5_000_000, "linkedin": None}


def test_registering_a_post_needs_an_account_of_ones_own(
    installation: Installation, nexus: Nexus
) -> None:
    installation.connect(*OWNED)
    ana = ("--user", "ana@example.com")
    assert nexus("posts", "register", "twitter:nobody", "Hello", *ana).exit_code == 2
    assert nexus("posts", "register", "twitter:ana_builds", *ana).exit_code == 2
    done = nexus("posts", "register", "twitter:ana_builds", "--link", "https://x.com/1", *ana)
    assert done.exit_code == 1
    assert "names no post of LinkedIn" in done.stderr
