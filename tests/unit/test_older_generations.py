"""Older generations are removed, but not from under who is about to open one."""

from pathlib import Path

import pytest

from execution.analytics import publish


@pytest.fixture
def pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was there in each pause."""
    found: list[list[str]] = []
    monkeypatch.setattr(publish.time, "sleep", lambda _: found.append(names(tmp_path)))
    return found


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_the_link_named_until_now_stays_for_who_has_just_read_it(
    tmp_path: Path, pauses: list[list[str]]
) -> None:
    for number in (8, 9, 10):
        (tmp_path / f"nexus-{number}.duckdb").touch()
    assert publish.drop_generations(tmp_path, 9) == 2
    assert pauses == [["nexus-10.duckdb", "nexus-8.duckdb", "nexus-9.duckdb"]]
    assert names(tmp_path) == ["nexus-10.duckdb"]


def test_what_no_link_has_named_for_long_is_not_waited_for(
    tmp_path: Path, pauses: list[list[str]]
) -> None:
    for number in (7, 8, 9, 10):
        (tmp_path / f"nexus-{number}.duckdb").touch()
    assert publish.drop_generations(tmp_path, 7) == 1
    assert publish.drop_generations(tmp_path, 7) == 0
    assert not pauses
    assert names(tmp_path) == ["nexus-10.duckdb", "nexus-8.duckdb", "nexus-9.duckdb"]
