"""What `nexus flags` lists, and how a decision about a flag is kept (METRICS.md section 8)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from execution.cli import main
from execution.control.models import Account, AuditEntry, FlagReview
from execution.control.settings import Settings
from execution.control.slice import control_slice
from execution.control.store import ControlStore, open_store
from execution.control.vault import open_vault

ANA = "ana@example.com"
ACCOUNT, STRANGE = UUID(int=1), UUID(int=2)
JUMP, YOUNG, NONE = UUID(int=11), UUID(int=12), UUID(int=13)
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)

Nexus = Callable[..., Result]


@pytest.fixture
def nexus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nexus:
    monkeypatch.setenv("NEXUS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NEXUS_VAULT_KEY_FILE", str(tmp_path / "keys" / "vault.json"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    assert run("user", "add", ANA).exit_code == 0
    return run


@pytest.fixture
def store(nexus: Nexus) -> Iterator[ControlStore]:
    opened = open_store(Settings())
    yield opened
    opened.close()


@pytest.fixture
def published(store: ControlStore, tmp_path: Path) -> None:
    with store.begin() as session:
        session.add(
            Account(id=ACCOUNT, platform="twitter", kind="profile", handle="ana_x", created_at=AT)
        )
    folder = tmp_path / "data" / "published"
    folder.mkdir()
    with duckdb.connect(folder / "nexus-1.duckdb") as connection:
        connection.execute(
            "create table metric_delta_flags (snapshot_id uuid, metric varchar, account_id uuid,"
            " collected_at timestamptz, previous_value integer, current_value integer,"
            " change_percent bigint, status varchar)"
        )
        connection.executemany(
            "insert into metric_delta_flags values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                [JUMP, "impressions", ACCOUNT, AT, 200, 9000, 4400, "open"],
                [JUMP, "likes", ACCOUNT, AT, 100, 2000, 1900, "open"],
                [YOUNG, "likes", STRANGE, AT - timedelta(days=1), 1, 20, 1900, "expected"],
            ],
        )
    (folder / "current.duckdb").symlink_to("nexus-1.duckdb")


@pytest.mark.usefixtures("published")
def test_flags_are_listed_newest_first_with_their_status(nexus: Nexus) -> None:
    lines = nexus("flags").output.splitlines()
    rows = [line.split() for line in lines if str(JUMP) in line or str(YOUNG) in line]
    assert [row[2] for row in rows] == ["impressions", "likes", "likes"]
    assert [row[1] for row in rows] == ["twitter:ana_x", "twitter:ana_x", str(STRANGE)]
    assert "+4,400 %" in lines[-4] + lines[-3] + lines[-5]
    assert nexus("flags", "--status", "expected").output.count(str(JUMP)) == 0
    assert nexus("flags", "--status", "dismissed").output == "No change is flagged.\n"


@pytest.mark.usefixtures("published")
def test_a_decision_counts_at_once_is_audited_and_lands(nexus: Nexus, store: ControlStore) -> None:
    done = nexus("flags", "review", str(JUMP), "--metric", "likes", "--user", ANA)
    assert done.output == f"likes of {JUMP}: reviewed; marts say so from the next build on.\n"
    assert nexus("flags", "--status", "open").output.count(str(JUMP)) == 1
    assert ANA in nexus("flags", "--status", "reviewed").output
    settings = Settings()
    with store.begin() as session:
        (entry,) = session.scalars(select(AuditEntry))
        landed = control_slice(session, open_vault(settings.vault_key_file, settings.data_dir))
    assert (entry.actor, entry.action) == (ANA, "flag reviewed")
    assert entry.detail == {"snapshot_id": str(JUMP), "metrics": ["likes"]}
    (row,) = landed["control_flag_reviews"].to_pylist()
    assert (row["snapshot_id"], row["metric"], row["status"]) == (str(JUMP), "likes", "reviewed")
    assert ANA not in str(row)


@pytest.mark.usefixtures("published")
def test_without_a_metric_all_of_a_snapshot_are_decided_and_a_later_word_counts(
    nexus: Nexus, store: ControlStore
) -> None:
    nexus("flags", "review", str(JUMP), "--user", ANA)
    nexus("flags", "dismiss", str(JUMP), "--user", ANA)
    with store.begin() as session:
        found = {(row.metric, row.status) for row in session.scalars(select(FlagReview))}
    assert found == {("impressions", "dismissed"), ("likes", "dismissed")}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        ((str(NONE),), 1, f"no change of snapshot {NONE} is flagged: see nexus flags"),
        ((str(JUMP), "--metric", "clicks"), 1, "clicks is not flagged, but impressions, likes"),
        (("7",), 2, "'7' is no snapshot id, which is a UUID"),
        ((str(JUMP), "--user", "nobody@example.com"), 1, "there is no user nobody@example.com"),
    ],
)
def test_what_is_not_flagged_is_said(
    nexus: Nexus, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    done = nexus("flags", "review", "--user", ANA, *arguments)
    assert done.exit_code == exit_code
    assert said in done.stderr


def test_before_the_first_publication_it_says_what_to_do(nexus: Nexus) -> None:
    done = nexus("flags")
    assert done.exit_code == 1
    assert done.stderr == "nexus: nothing is published yet: make refresh\n"
