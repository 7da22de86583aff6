"""How long somebody waits who edits one model: its lint, and its build with its tests.

Targets (in full, on two cores): 3 and 6 seconds. Each beside the time its tool takes to load.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from execution.analytics.aggregations import Dbt
from tests.benchmarks.warehouse.figures import FIGURES, IN_FULL
from tests.benchmarks.warehouse.history import Size, generate

PROJECT = Path(__file__).resolve().parents[3]
MODEL = "post_scores"


def seconds(command: Sequence[str | Path], data_dir: Path) -> float:
    """Of the second of two runs: one edits more than once."""
    environment = os.environ | {"NEXUS_DATA_DIR": str(data_dir)}
    for _ in range(2):
        began = time.perf_counter()
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began


@pytest.mark.long  # its builds take longest
def test_one_model_is_linted_and_built_while_one_waits(tmp_path: Path) -> None:
    size = Size(posts=200 if IN_FULL else 20, accounts=4, arriving=20)
    generate(tmp_path / "warehouse.duckdb", size)
    Dbt(tmp_path).build("resource_type:seed resource_type:model")
    program = Path(sys.executable)
    told = {}
    for what, command, tool in (
        ("lint", ["make", "lint", f"MODEL={MODEL}"], "sqlfluff.cli.commands"),
        ("build and tests", ["make", "build", f"SELECT={MODEL}"], "dbt.cli.main"),
    ):
        told[what] = seconds(command, tmp_path)
        alone = seconds([program, "-c", f"import {tool}"], tmp_path)
        FIGURES.append(f"{what} of {MODEL}: {told[what]:.1f} s; loading its tool {alone:.1f} s")
    if IN_FULL:
        assert told["lint"] <= 3
        assert told["build and tests"] <= 6
