"""A file of one account, cut from what is published."""

import json
from pathlib import Path

import duckdb
import pytest

from execution.analytics.account_file import write_account_file
from execution.control.settings import Settings
from tests.integration.nexus_command import Nexus


@pytest.fixture
def handle(imported: Nexus) -> str:
    ((name,),) = imported.query("select handle from account_profile", "published/content.duckdb")
    return f"twitter:{name}"


def test_a_file_of_one_account_holds_its_marts_with_their_definitions(
    imported: Nexus, handle: str, tmp_path: Path
) -> None:
    target = tmp_path / "one.duckdb"
    done = imported("publish", "--account", handle, "--to", str(target))
    assert done.returncode == 0, done.stderr
    with duckdb.connect(target, read_only=True) as file:
        found = file.execute("select table_name, comment from duckdb_tables()").fetchall()
        tables = dict(found)
        counts = {
            name: file.execute(f"select count(*) from {name}").fetchone()[0]  # type: ignore[index]
            for name in tables
            if name != "publication"
        }
        ((told,),) = file.execute("select row_counts from publication").fetchall()
        uncommented = file.execute(
            "select count(*) from duckdb_columns() where comment is null and not internal"
            " and table_name <> 'publication'"
        ).fetchone()
    assert json.loads(told) == counts
    ((snapshots,),) = imported.query("select count(*) from analytics_snapshots")
    assert counts["analytics_snapshots"] == snapshots > 0
    assert "One row per post" in tables["posts"]
    assert uncommented == (0,)
    assert not {"account_members", "daily_rollup"} & counts.keys()


def test_nothing_is_written_over_or_written_of_an_account_of_nobody(
    imported: Nexus, handle: str, tmp_path: Path
) -> None:
    target = tmp_path / "one.duckdb"
    target.write_text("mine")
    done = imported("publish", "--account", handle, "--to", str(target))
    assert (done.returncode, target.read_text()) == (1, "mine")
    assert "exists: it is not written over" in done.stderr
    done = imported("publish", "--account", "twitter:nobody", "--to", str(tmp_path / "two.duckdb"))
    assert done.returncode == 2
    assert "has no account twitter:nobody" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["one.duckdb"]


def test_rows_of_other_accounts_stay_out(imported: Nexus, tmp_path: Path) -> None:
    source = (imported.data_dir / "published" / "current.duckdb").resolve()
    copy = tmp_path / "data" / "published" / "nexus-1.duckdb"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(source.read_bytes())
    copy.with_name("current.duckdb").symlink_to(copy.name)
    with duckdb.connect(copy) as file:
        ((account_id, rows),) = file.execute(
            "select any_value(account_id), count(*) from posts"
        ).fetchall()
        file.execute("insert into posts select * replace (uuid() as account_id) from posts")
    settings = Settings(
        _env_file=None, data_dir=tmp_path / "data", vault_key_file=tmp_path / "keys.json"
    )
    assert write_account_file(settings, account_id, tmp_path / "own.duckdb")["posts"] == rows
