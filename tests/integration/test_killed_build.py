"""A build that is killed leaves the warehouse as it was, byte for byte."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from execution.analytics.aggregations import BuildError, Dbt
from tests.warehouse.histories import generate, land
from tests.warehouse.raw_warehouse import RawWarehouse


@pytest.mark.usefixtures("real_dbt")
def test_a_killed_build_leaves_the_warehouse_as_it_was(tmp_path: Path) -> None:
    warehouse = RawWarehouse(tmp_path / "warehouse.duckdb")
    land(warehouse, generate(warehouse, seed=5, accounts=2).events)
    warehouse.land()
    before = digest(warehouse.path)
    pids: list[int] = []
    totals: set[int] = set()

    def kill_dbt(done: int, total: int, _node: str) -> None:
        totals.add(total)
        if done == 20 and not pids:
            children = subprocess.run(
                ["pgrep", "--parent", str(os.getpid()), "--full", "dbt_program build"],
                capture_output=True,
                text=True,
                check=True,
            )
            pids.extend(map(int, children.stdout.split()))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(BuildError, match="dbt was killed: the warehouse is as it was"):
        Dbt(tmp_path).build(progress=kill_dbt)
    assert digest(warehouse.path) == before
    assert not list((tmp_path / "dbt").glob("copy*"))
    assert len(totals) == 1, "hooks are no part of the way"
    Dbt(tmp_path).build("stg_twitter__posts")
    assert digest(warehouse.path) != before


@pytest.mark.usefixtures("real_dbt")
def test_dbt_ends_when_nobody_follows_it_any_longer(tmp_path: Path) -> None:
    warehouse = RawWarehouse(tmp_path / "warehouse.duckdb")
    land(warehouse, generate(warehouse, seed=5, accounts=2).events)
    warehouse.land()

    def stop(_done: int, _total: int, _node: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dbt(tmp_path).build(progress=stop)
    assert not list((tmp_path / "dbt").glob("copy*"))


@pytest.mark.usefixtures("real_dbt")
def test_a_warehouse_that_cannot_be_copied_is_told_and_leaves_no_dbt(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_bytes(b"no warehouse" * 1000)
    with pytest.raises(duckdb.Error, match="not a valid DuckDB database"):
        Dbt(tmp_path).build()
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    assert not any(b"dbt_program" in command for command in commands)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
