"""Warehouses for the tests of the dbt project."""

from pathlib import Path

import pytest

from .raw_warehouse import RawWarehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> RawWarehouse:
    """An empty warehouse with the raw tables that landing makes."""
    return RawWarehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture(scope="session")
def accounts() -> int:
    """How many accounts the proofs simulate."""
    return 300
