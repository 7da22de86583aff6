"""What a person types to keep and to forget, and the one line that comes back."""

import os
from collections.abc import Callable

import duckdb
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from execution.cli import main
from execution.control.settings import INTENT
from tests.integration.collection.scene import environment_of
from tests.integration.retention.household import ANA, Household

Nexus = Callable[..., Result]


@pytest.fixture
def nexus(home: Household, monkeypatch: pytest.MonkeyPatch) -> Nexus:
    for name, value in environment_of(home.app.settings).items():
        monkeypatch.setenv(name, value)
    home.count_loads()
    return lambda *arguments, **options: CliRunner().invoke(main, arguments, **options)


def test_archiving_says_what_moved_and_then_that_nothing_is_left(nexus: Nexus) -> None:
    done = nexus("archive")
    assert done.exit_code == 0, done.output
    assert "Archived 100 snapshots of 4 months." in done.output
    again = nexus("archive")
    assert again.exit_code == 0
    assert "Nothing to archive: all older than 90 days is cold already." in again.output


def test_restoring_says_what_came_back(nexus: Nexus) -> None:
    nexus("archive")
    one = nexus("restore", "--month", "2026-06")
    assert "Restored 32 snapshots of 1 month." in one.output
    assert "Restored 68 snapshots of 4 months." in nexus("restore").output


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("restore",), 1, "nothing is archived yet: there is nothing to restore"),
        (("restore", "--month", "June"), 2, "'June' is no month like 2026-01"),
        (("forget", "user", "nobody@example.com", "--yes"), 1, "there is no user nobody@"),
        (("forget", "account", "twitter:nobody", "--yes"), 1, "there is no account twitter:nobody"),
        (("forget", "post", "1", "--yes"), 1, "there is no post 1"),
        (("forget", "user", ANA), 2, "an erasure cannot be undone: confirm it with --yes"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    nexus: Nexus, home: Household, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    done = nexus(*arguments)
    assert done.exit_code == exit_code
    assert said in done.stderr
    assert not (home.data_dir / INTENT).exists()


@pytest.mark.parametrize("command", [("archive",), ("restore",), ("forget", "user", ANA, "--yes")])
def test_a_run_beside_another_does_nothing(
    nexus: Nexus, home: Household, command: tuple[str, ...]
) -> None:
    with FileLock(home.data_dir / "run.lock"):
        done = nexus(*command)
    assert done.exit_code == 75
    assert len(done.stderr.splitlines()) == 1


def test_an_archive_folder_that_cannot_be_written_is_one_line(
    nexus: Nexus, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXUS_ARCHIVE_URL", f"{os.devnull}/archive")
    done = nexus("archive")
    assert done.exit_code == 1
    assert f"the archive {os.devnull}/archive cannot be" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_warehouse_that_is_none_is_one_line(nexus: Nexus, home: Household) -> None:
    home.app.settings.warehouse.write_text("not a database, but long enough to look like one" * 99)
    done = nexus("archive")
    assert done.exit_code == 1
    assert "the warehouse cannot be opened" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_no_on_the_terminal_erases_nothing(
    nexus: Nexus, home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("execution.cli._is_asked", lambda: True)
    done = nexus("forget", "user", ANA, input="n\n")
    assert "1 user, 2 accounts, 16 posts; stays, because others read it: 1 account" in done.output
    assert done.exit_code == 1
    assert not (home.data_dir / INTENT).exists()
    assert home.user(ANA).email == ANA
    with duckdb.connect(home.app.settings.warehouse) as connection:
        assert connection.execute("select count(*) from raw.twitter_posts").fetchone() == (24,)
