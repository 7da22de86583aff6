"""SQL of macros, to be evaluated on values that a property test picks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from .raw_warehouse import RawWarehouse


@dataclass(frozen=True)
class Macros:
    """Expressions over the columns of one row, compiled by dbt once."""

    connection: duckdb.DuckDBPyConnection
    compiled: Mapping[str, str]

    @classmethod
    def compile(cls, warehouse: RawWarehouse, expressions: Mapping[str, str]) -> "Macros":
        """`expressions`: name -> Jinja, as it would stand in a model."""
        mark = "\n-- next --\n"
        inline = mark.join(expressions.values())
        run = warehouse.dbt(
            "--quiet", "compile", "--inline", inline, "--output", "json", "--no-introspect"
        )
        compiled = json.loads(run.output[run.output.index("{") :])["compiled"]
        parts = [part.strip() for part in compiled.split(mark.strip())]
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        return cls(connection, dict(zip(expressions, parts, strict=True)))

    def evaluate(self, name: str, types: Mapping[str, str], row: Mapping[str, Any]) -> Any:
        """The expression on one row. `types`: column, or table.column, -> SQL type."""
        tables: dict[str, list[str]] = {}
        for column, kind in types.items():
            table, _, bare = column.rpartition(".")
            tables.setdefault(table or "given", []).append(f"cast(? as {kind}) as {bare}")
        sources = ", ".join(
            f"(select {', '.join(columns)}) as {table}" for table, columns in tables.items()
        )
        ordered = [
            row[column]
            for table in tables
            for column in types
            if (column.rpartition(".")[0] or "given") == table
        ]
        query = f"select {self.compiled[name]} from {sources}"
        found = self.connection.execute(query, ordered).fetchone()
        assert found is not None
        return found[0]
