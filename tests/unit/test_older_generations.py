"""An erasure removes older generations, but not from under who is about to open one."""

from pathlib import Path

import pytest

from execution.analytics.erasure import files
from execution.control.settings import Settings


def test_an_older_generation_stays_for_who_has_just_read_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path, vault_key_file=tmp_path / "vault.json")
    settings.published_dir.mkdir(parents=True)
    older, newest = (settings.published_dir / f"nexus-{number}.duckdb" for number in (9, 10))
    for path in (older, newest):
        path.write_bytes(b"a generation")
    there: list[tuple[float, bool]] = []
    monkeypatch.setattr(
        files.time, "sleep", lambda seconds: there.append((seconds, older.exists()))
    )
    assert files.erase_generations(settings, 10) == {"published (files)": 1}
    assert there == [(0.5, True)]
    assert not older.exists()
    assert newest.exists()
    assert files.erase_generations(settings, 10) == {}
    assert len(there) == 1, "nothing to remove, nothing to wait for"
