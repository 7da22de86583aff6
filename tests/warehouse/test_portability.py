"""The models' SQL runs on another engine: what differs lies in the engine macros alone.

The models are compiled with every engine macro replaced by a call of its own name; what is left
must be SQL that DuckDB and Spark share (DESIGN.md section 5).
"""

import re
from pathlib import Path

import pytest

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
GRAMMAR = {"and", "as", "by", "case", "else", "exists", "from", "in", "not", "on", "or", "select"}
GRAMMAR |= {"then", "union", "values", "when", "where"}
RULED_OUT = (
    *("qualify", "::", "->", "exclude", "replace", "pivot", "unpivot", "lateral", "unnest"),
    *("asof", "positional", "group by all", "order by all", "by name", "ilike", "ignore nulls"),
    *("distinct on", "filter (", "grouping sets", "list_", "array_", "struct_", "map_", "[", "{"),
)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Model -> its SQL as compiled without engine words, comments and texts aside."""
    folder = tmp_path_factory.mktemp("portable")
    project = copied_project(folder)
    for path in (project / "dbt_project" / "macros" / "engine").glob("*.sql"):
        path.write_text(_without_words(path.read_text()))
    warehouse = RawWarehouse(folder / "warehouse.duckdb")
    warehouse.run()  # so that incremental models compile as such
    warehouse.dbt("compile", project=project)
    models = warehouse.path.parent / "target" / "compiled" / "nexus_analytics" / "models"
    return {path.stem: _words(path) for path in models.rglob("*.sql") if path.parent.suffix == ""}


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


def _words(path: Path) -> str:
    sql = re.sub(r"--.*", "", path.read_text())
    return re.sub(r"'[^']*'", "''", sql).lower()


def test_every_engine_macro_was_replaced() -> None:
    engine = PROJECT / "dbt_project" / "macros" / "engine"
    for path in engine.glob("*.sql"):
        text = path.read_text()
        assert text.count("default__") == _without_words(text).count(" %}engine_"), path.name


def test_models_use_functions_that_both_engines_have(compiled: dict[str, str]) -> None:
    assert len(compiled) > 40
    found = {
        (model, name)
        for model, sql in compiled.items()
        for name in re.findall(r"\b([a-z_][a-z_0-9]*)\s*\(", sql)
        if not name.startswith("engine_")
    }
    names = {name for _, name in found} - SHARED - GRAMMAR
    assert {pair for pair in found if pair[1] in names} == set()


@pytest.mark.parametrize("word", RULED_OUT)
def test_models_do_without_the_words_of_one_engine(compiled: dict[str, str], word: str) -> None:
    pattern = rf"\b{re.escape(word)}\b" if word.isalpha() else re.escape(word)
    assert [model for model, sql in compiled.items() if re.search(pattern, sql)] == []


def test_no_model_names_an_engine_macro_that_other_engines_lack() -> None:
    text = "".join(p.read_text() for p in (PROJECT / "dbt_project/macros/engine").glob("*.sql"))
    default = set(re.findall(r"macro default__(\w+)", text))
    assert default == set(re.findall(r"macro spark__(\w+)", text))
