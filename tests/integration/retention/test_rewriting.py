"""The warehouse written anew is the same without the bytes of what was deleted."""

from uuid import uuid4

import duckdb

from execution.analytics.archive import archive
from execution.analytics.erasure.warehouse import rewrite
from tests.integration.retention.household import Household
from tests.integration.retention.traces import traces


def test_deleted_bytes_are_gone_and_tables_and_views_are_the_same(home: Household) -> None:
    home.count_loads()
    archive(home.app.settings, home.clock, lambda *_: None)
    secret = f"words that nobody shall read {uuid4()}"
    with duckdb.connect(home.app.settings.warehouse) as connection:
        connection.execute("create table raw.gone as select $secret as text", {"secret": secret})
        connection.execute("checkpoint")
        connection.execute("delete from raw.gone")
    assert traces(home.data_dir, [secret]) != []
    names = "select schema_name, table_name from duckdb_tables() union all select"
    names += " schema_name, view_name from duckdb_views() where not internal order by all"
    before = home.rows(names), home.rows("from raw_cold.twitter_snapshots order by all")
    mode = home.app.settings.warehouse.stat().st_mode

    rewrite(home.app.settings)

    assert traces(home.data_dir, [secret]) == []
    assert (home.rows(names), home.rows("from raw_cold.twitter_snapshots order by all")) == before
    assert home.app.settings.warehouse.stat().st_mode == mode


def test_what_a_killed_rewriting_left_is_not_taken_up(home: Household) -> None:
    before = home.rows("from raw.twitter_snapshots order by all")
    file = home.app.settings.warehouse
    with duckdb.connect(home.data_dir / ".warehouse.duckdb.draft") as connection:
        connection.execute("set checkpoint_threshold = '1GB'")
        connection.execute("create table stale as select 1")
        log = home.data_dir / ".warehouse.duckdb.draft.wal"
        left = log.read_bytes()
    log.write_bytes(left)
    rewrite(home.app.settings)
    assert home.rows("from raw.twitter_snapshots order by all") == before
    assert home.count("duckdb_tables() where table_name = 'stale'") == 0
    assert [path.name for path in home.data_dir.glob(f"*{file.name}*")] == [file.name]
