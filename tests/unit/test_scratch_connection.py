"""What does not fit into memory is spilled beside the file that is worked on."""

from pathlib import Path

import pytest

from execution.analytics.relations import scratch_connection


def test_it_spills_beside_its_file_and_not_into_the_folder_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_hand = tmp_path / "at_hand"
    at_hand.mkdir()
    monkeypatch.chdir(at_hand)
    file = tmp_path / "data" / "some.duckdb"
    file.parent.mkdir()
    with scratch_connection(file, memory_limit="40MB") as connection:
        connection.execute(
            "create temp table wide as select n, md5(n::varchar) as text from range(1000000) t(n)"
        )
        spilled = [path.name for path in file.parent.rglob("duckdb_temp*")]
        assert connection.execute("select current_setting('TimeZone')").fetchone() == ("UTC",)
    assert spilled
    assert list(at_hand.iterdir()) == []
    assert list(file.parent.iterdir()) == []
