"""The project's SQL runs on another engine: what differs lies in the engine macros alone.

Models and data tests are compiled with every engine macro replaced by a call of its own name, as a
build of what is new runs them and as a full refresh does; of hooks, the macros they call are read.
What is left must be SQL that DuckDB and Spark share (DESIGN.md section 5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from jinja2 import Environment

from .raw_warehouse import PROJECT, RawWarehouse, copied_project

#: Functions that DuckDB and Spark 3.5 have under the same name and with the same meaning.
SHARED = {
    *(
        "abs",
        "avg",
        "bool_and",
        "bool_or",
        "cast",
        "coalesce",
        "concat",
        "concat_ws",
        "count",
        "decimal",
        "extract",
    ),
    *(
        "greatest",
        "lag",
        "lead",
        "least",
        "ln",
        "max",
        "max_by",
        "min",
        "over",
        "dense_rank",
        "row_number",
        "round",
        "sqrt",
        "substr",
    ),
    *("sum",),
}
#: Words before a bracket that are no functions.
GRAMMAR = {
    "and",
    "as",
    "by",
    "case",
    "else",
    "exists",
    "from",
    "in",
    "join",
    "not",
    "on",
    "or",
    "select",
}
GRAMMAR |= {"then", "union", "values", "when", "where"}
RULED_OUT = (
    *("qualify", "::", "->", "exclude", "replace (", "pivot", "unpivot", "lateral", "unnest"),
    *("asof", "positional", "group by all", "order by all", "by name", "ilike", "ignore nulls"),
    *("distinct on", "filter (", "grouping sets", "list_", "array_", "struct_", "map_", "[", "{"),
    # Types that Spark has not: text is `string` on both.
    *("varchar", "uuid", "timestamptz", "with time zone", "hugeint"),
)
ENGINE = PROJECT / "dbt_project" / "macros" / "engine"


@dataclass(frozen=True)
class Portable:
    """What dbt knows of the project, and its SQL without engine words, comments and texts."""

    manifest: dict[str, Any]
    sql: dict[str, str]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [n for n in self.manifest["nodes"].values() if n["resource_type"] == kind]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Portable:
    folder = tmp_path_factory.mktemp("portable")
    copied = copied_project(folder)
    for path in (copied / "dbt_project" / "macros" / "engine").glob("*.sql"):
        path.write_text(_without_words(path.read_text()))
    warehouse = RawWarehouse(folder / "warehouse.duckdb")
    warehouse.run()  # so that incremental models compile as such
    sql = {}
    for mode, flags in (("of what is new", ()), ("full refresh", ("--full-refresh",))):
        run = warehouse.dbt("compile", *flags, project=copied)
        compiled = run.target / "compiled" / "nexus_analytics"
        for part in ("models", "dbt_project"):
            for path in (compiled / part).rglob("*.sql"):
                sql[f"{path.stem}, {mode}"] = _words(path.read_text())
    for path in (PROJECT / "dbt_project" / "macros").rglob("*.sql"):
        if path.parent != ENGINE:
            sql[path.name] = _words(" ~ ".join(_texts(path.read_text())))
    return Portable(run.manifest(), sql)


def _texts(template: str) -> Iterator[str]:
    """All that a template may write, whichever way it goes: what stands outside of Jinja's
    brackets, and the texts within."""
    for _, kind, text in Environment(autoescape=True).lex(template):
        if kind == "data":
            yield text
        elif kind == "string":
            yield text[1:-1]


def _without_words(macros: str) -> str:
    """Each macro of the default engine answers with a call of its own name."""
    return re.sub(
        r"{% macro default__(\w+)\((.*?)\) -?%}.*?{%-? endmacro %}",
        lambda found: (
            f"{{% macro default__{found[1]}({found[2]}) %}}"
            f"engine_{found[1]}({', '.join(f'{{{{ {a} }}}}' for a in found[2].split(', ') if a)})"
            "{% endmacro %}"
        ),
        macros,
        flags=re.DOTALL,
    )


def _words(sql: str) -> str:
    sql = re.sub(r"--.*", "", sql)
    return re.sub(r"'[^']*'", "''", sql).lower()


def test_every_engine_macro_was_replaced() -> None:
    for path in ENGINE.glob("*.sql"):
        text = path.read_text()
        assert text.count("default__") == _without_words(text).count(" %}engine_"), path.name


def test_the_sql_of_every_model_and_test_in_both_modes_and_of_macros_is_looked_at(
    project: Portable,
) -> None:
    for node in [*project.of_type("model"), *project.of_type("test")]:
        for mode in ("of what is new", "full refresh"):
            assert f"{node['name']}, {mode}" in project.sql
    assert "delete from" in project.sql["builds.sql"]


def test_hooks_are_calls_of_macros(project: Portable) -> None:
    of_models = [
        hook["sql"]
        for node in project.of_type("model")
        for when in ("pre-hook", "post-hook")
        for hook in node["config"][when]
    ]
    of_runs = [node["raw_code"] for node in project.of_type("operation")]
    assert len(of_models) > 10
    assert len(of_runs) == 4
    for hook in [*of_models, *of_runs]:
        assert re.fullmatch(r"{{ \w+\([^{}]*\) }}", hook)


def test_unit_tests_give_rows_not_sql(project: Portable) -> None:
    """So dbt writes their SQL, for the engine it runs on, around that of the model."""
    for test in project.manifest["unit_tests"].values():
        for rows in [*test["given"], test["expect"]]:
            assert rows["format"] == "dict", test["name"]


def test_functions_are_those_that_both_engines_have(project: Portable) -> None:
    found = {
        (name, function)
        for name, sql in project.sql.items()
        for function in re.findall(r"\b([a-z_][a-z_0-9]*)\s*\(", sql)
        if not function.startswith("engine_")
    }
    assert {pair for pair in found if pair[1] not in SHARED | GRAMMAR} == set()


@pytest.mark.parametrize("word", RULED_OUT)
def test_no_sql_has_a_word_that_one_engine_lacks(project: Portable, word: str) -> None:
    pattern = rf"\b{re.escape(word)}\b" if word.isalpha() else re.escape(word)
    assert [name for name, sql in project.sql.items() if re.search(pattern, sql)] == []


def test_each_engine_macro_has_its_form_for_the_other_engine() -> None:
    text = "".join(path.read_text() for path in ENGINE.glob("*.sql"))
    default = set(re.findall(r"macro default__(\w+)", text))
    assert default == set(re.findall(r"macro spark__(\w+)", text))
