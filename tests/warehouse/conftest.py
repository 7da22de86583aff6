"""Warehouses for the tests of the dbt project."""

from pathlib import Path

import pytest

from .raw_warehouse import RawWarehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> RawWarehouse:
    """An empty warehouse with the raw tables that landing makes."""
    return RawWarehouse(tmp_path / "warehouse.duckdb")
