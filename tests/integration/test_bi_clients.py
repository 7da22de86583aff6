"""BI tools open the published file with clients of their own: the README's recipes, run.

Two that are not Python's: the DuckDB CLI, and Node's client, which Evidence builds on.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from execution.analytics.aggregations import BuildResult, Dbt
from execution.analytics.publish import publish
from ingest.clock import SystemClock
from tests.integration.nexus_command import Nexus

NODE_CLIENT = Path(__file__).parent / "bi"
README = (Path(__file__).parents[2] / "README.md").read_text()

Row = dict[str, Any]
Client = Callable[[Path, str], list[Row]]


def duckdb_cli(file: Path, sql: str) -> list[Row]:
    found = find_spec("duckdb_cli")
    assert found is not None
    binary = Path(str(found.origin)).with_name("duckdb")
    return run([str(binary), "-readonly", "-json", str(file), sql])


def node(file: Path, sql: str) -> list[Row]:
    binary = Path(sys.executable).with_name("node")
    return run([str(binary), str(NODE_CLIENT / "query.mjs"), str(file), sql])


def run(command: list[str]) -> list[Row]:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": "UTC"}
    )
    assert done.returncode == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout or "[]")
    return rows


@pytest.fixture(params=[duckdb_cli, node], ids=lambda client: client.__name__)
def client(request: pytest.FixtureRequest) -> Client:
    return request.param  # type: ignore[no-any-return]


def link(nexus: Nexus) -> Path:
    return nexus.data_dir / "published" / "current.duckdb"


def test_a_client_reads_the_readmes_query_as_python_does(imported: Nexus, client: Client) -> None:
    (query,) = re.findall(r"```sql\n(.*?);\n```", README, re.DOTALL)
    rows = [list(map(str, row.values())) for row in client(link(imported), query)]
    assert rows == [list(map(str, row)) for row in imported.query(query)]
    assert rows


def test_a_client_sees_which_generation_it_reads(imported: Nexus, client: Client) -> None:
    (row,) = client(link(imported), "select generation, tests_passed from publication")
    assert str(row["generation"]) == str(imported.query("select generation from publication")[0][0])
    assert int(row["tests_passed"]) > 0


def test_a_client_shows_the_definition_of_every_table_and_column(
    imported: Nexus, client: Client
) -> None:
    uncommented = client(
        link(imported),
        "select table_name as name from duckdb_tables() where comment is null "
        "union all select table_name || '.' || column_name from duckdb_columns() "
        "where comment is null and not internal",
    )
    assert uncommented == []


def test_a_client_cannot_write(imported: Nexus) -> None:
    with pytest.raises(AssertionError, match="read-only"):
        duckdb_cli(link(imported), "delete from posts")


def test_a_client_that_reconnects_moves_on_with_the_publication(
    imported: Nexus, client: Client
) -> None:
    query = "select generation from publication"
    before = int(client(link(imported), query)[0]["generation"])
    tested = BuildResult(models=1, tests_passed=1, tests_warned=0)
    publish(imported.settings, Dbt(imported.data_dir), tested, SystemClock())
    assert int(client(link(imported), query)[0]["generation"]) == before + 1
