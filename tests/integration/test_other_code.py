"""A warehouse that an older version of the models built is brought to the present one."""

import shutil
from pathlib import Path

import duckdb
import pytest

from execution.analytics import aggregations
from execution.analytics.aggregations import PROJECT, Dbt
from tests.warehouse.histories import generate, land
from tests.warehouse.raw_warehouse import RawWarehouse

MODELS_ONLY = "resource_type:seed resource_type:model"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project that a test may edit."""
    copy = tmp_path / "project"
    for folder in ("models", "dbt_project"):
        shutil.copytree(PROJECT / folder, copy / folder)
    shutil.copy(PROJECT / "dbt_project.yml", copy)
    monkeypatch.setattr(aggregations, "PROJECT", copy)
    return copy


@pytest.mark.long
def test_what_other_code_built_is_built_anew(tmp_path: Path, project: Path) -> None:
    warehouse = RawWarehouse(tmp_path / "warehouse.duckdb")
    land(warehouse, generate(warehouse, seed=3, accounts=3).events)
    warehouse.land()
    dbt = Dbt(tmp_path)
    dbt.build()
    wanted = increments(warehouse)
    assert wanted
    warehouse.execute("alter table marts.post_increments drop column is_correction")
    dbt.build(MODELS_ONLY)
    assert increments(warehouse) != wanted, "the column came back empty"

    model = project / "models" / "marts" / "core" / "post_increments.sql"
    model.write_text(f"-- another version\n{model.read_text()}")
    dbt.build(MODELS_ONLY)
    assert increments(warehouse) == wanted


def increments(warehouse: RawWarehouse) -> list[tuple[object, ...]]:
    with duckdb.connect(warehouse.path, read_only=True) as connection:
        return connection.execute(
            "select id, is_correction, new_impressions from marts.post_increments order by id"
        ).fetchall()
