"""What a build asks of dbt: as little as the code that has changed since the last one allows."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from execution.analytics import aggregations
from execution.analytics.aggregations import BuildError, Dbt, OnFinding, OnProgress

WITHOUT_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
asked: list[list[str]] = []


class Told(Dbt):
    """dbt that is told what to do, and says that it did."""

    def _follow_run(
        self,
        arguments: list[str],
        target: Path,
        progress: OnProgress | None,
        tell: OnFinding | None,
    ) -> list[dict[str, Any]]:
        (self.data_dir / "dbt").mkdir(exist_ok=True)
        asked.append(arguments[1:])
        return [{"unique_id": "model.nexus.posts", "status": "success"}]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A dbt project of one model with its definitions."""
    models = tmp_path / "project" / "models"
    models.mkdir(parents=True)
    (models / "posts.sql").write_text("select 1 as n")
    (models / "posts.yml").write_text("models: []")
    monkeypatch.setattr(aggregations, "PROJECT", models.parent)
    yield models
    asked.clear()


def test_the_same_code_is_not_proven_twice(tmp_path: Path, project: Path) -> None:
    Told(tmp_path).build()
    Told(tmp_path).build()
    assert asked == [["--full-refresh"], WITHOUT_UNIT_TESTS]


def test_other_definitions_are_proven_and_build_nothing_anew(tmp_path: Path, project: Path) -> None:
    Told(tmp_path).build()
    (project / "posts.yml").write_text("models: []  # and a unit test")
    Told(tmp_path).build()
    assert asked[1:] == [[]]


def test_other_code_builds_all_anew(tmp_path: Path, project: Path) -> None:
    Told(tmp_path).build()
    (project / "posts.sql").write_text("select 2 as n")
    Told(tmp_path).build()
    assert asked[1:] == [["--full-refresh"]]


def test_a_selection_runs_all_its_tests_and_proves_nothing_for_the_rest(
    tmp_path: Path, project: Path
) -> None:
    Told(tmp_path).build()
    (project / "posts.sql").write_text("select 2 as n")
    Told(tmp_path).build("posts")
    Told(tmp_path).build()
    assert asked[1:] == [["--select", "posts", "--full-refresh"], ["--full-refresh"]]


def test_what_is_asked_for_whole_is_built_whole(tmp_path: Path, project: Path) -> None:
    Told(tmp_path).build()
    Told(tmp_path).build(full_refresh=True)
    assert asked[1:] == [["--full-refresh", *WITHOUT_UNIT_TESTS]]


class Ended(Dbt):
    """dbt that no longer listens when the warehouse is copied."""

    def command(self, *_arguments: str) -> list[str]:
        deaf = self.data_dir / "deaf"
        program = f"import os, sys; os.close(0); open({str(deaf)!r}, 'w'); sys.exit('no project')"
        return [sys.executable, "-c", program]

    @contextmanager
    def _copy(self) -> Iterator[Path]:
        while not (self.data_dir / "deaf").exists():
            time.sleep(0.01)
        yield self.warehouse


def test_a_dbt_that_ended_before_the_warehouse_was_copied_says_why(
    tmp_path: Path, project: Path
) -> None:
    with pytest.raises(BuildError, match="no project"):
        Ended(tmp_path).build()
