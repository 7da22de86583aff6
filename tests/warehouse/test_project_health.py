"""The project's rules, by its manifest: those of dbt-project-evaluator, and a few more.

All of the evaluator's rules, with its thresholds and without exceptions. Marts have the names that
the directive and the design give them, without `fct_` and `dim_`.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.queries.scope import RELATIONS
from api.routes.analytics import ENDPOINTS, ROOT
from execution.analytics import flags
from ingest import slots

from .raw_warehouse import PROJECT, TABLES, RawWarehouse, at
from .reference import next_slot

Node = dict[str, Any]
#: From so many parents, and from so many children that nobody reads: the evaluator's defaults.
TOO_MANY_PARENTS, TOO_MANY_LEAVES = 7, 3
LANDED = {"first_landed_at", "_dlt_load_id", "_dlt_id"}


@dataclass(frozen=True)
class Project:
    """What dbt knows of the project, and the warehouse it built."""

    manifest: dict[str, Any]
    warehouse: RawWarehouse
    output: str

    def of_type(self, kind: str) -> list[Node]:
        return [n for n in self.manifest["nodes"].values() if n["resource_type"] == kind]

    @cached_property
    def models(self) -> dict[str, Node]:
        return {node["unique_id"]: node for node in self.of_type("model")}

    @cached_property
    def sources(self) -> dict[str, Node]:
        return dict(self.manifest["sources"])

    @cached_property
    def children(self) -> dict[str, set[str]]:
        """Node -> the models that read it."""
        found: dict[str, set[str]] = defaultdict(set)
        for unique_id, node in self.models.items():
            for parent in node["depends_on"]["nodes"]:
                found[parent].add(unique_id)
        return found

    @cached_property
    def exposed(self) -> set[str]:
        """What exposures read."""
        exposures = self.manifest["exposures"].values()
        return {parent for exposure in exposures for parent in exposure["depends_on"]["nodes"]}

    def marts(self) -> list[Node]:
        return [node for node in self.models.values() if layer(node) in ("marts", "content")]


def layer(node: Node) -> str:
    return str(Path(node["path"]).parts[0])


def names(nodes: list[Node]) -> list[str]:
    return sorted(node["name"] for node in nodes)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project built on data without any gap."""
    warehouse = RawWarehouse(tmp_path_factory.mktemp("health") / "warehouse.duckdb")
    warehouse.user("user-1", "Europe/Paris")
    for platform in ("twitter", "linkedin"):
        account = warehouse.account(
            platform,
            platform=platform,
            connected_at=at("2026-03-01"),
            last_success_at=at("2026-03-12 00:05"),
            members={"user-1": "owner"},
        )
        for number in range(3):
            published_at = at("2026-03-02 09:00") + timedelta(days=number)
            post = warehouse.post(account, f"{platform}-{number}", published_at)
            slot = slots.slot_start(published_at, published_at)
            while slot < at("2026-03-12 00:01"):
                reading = max(slot, published_at) + timedelta(minutes=5)
                warehouse.snapshot(post, reading, impressions=100, likes=2)
                slot = next_slot(slot, published_at)
        warehouse.audience(account, at("2026-03-11 12:00"), 100)
    warehouse.land()
    run = warehouse.dbt("build")
    return Project(run.manifest(), warehouse, run.output)


def test_a_build_of_whole_data_warns_of_nothing(project: Project) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in project.output
    assert "Warning" not in project.output
    assert "deprecat" not in project.output.lower()


# --- the graph ---------------------------------------------------------------------------------


def test_only_staging_reads_sources_and_each_source_once(project: Project) -> None:
    for unique_id, node in project.models.items():
        read = [p for p in node["depends_on"]["nodes"] if p.startswith("source.")]
        assert len(read) == (1 if layer(node) == "staging" else 0), unique_id
    for source in project.sources:
        assert len(project.children[source]) == 1, source


def test_staging_models_read_nothing_but_their_source(project: Project) -> None:
    for node in project.models.values():
        if layer(node) == "staging":
            assert len(node["depends_on"]["nodes"]) == 1, node["name"]


def test_no_table_is_two_sources(project: Project) -> None:
    places = [(source["schema"], source["identifier"]) for source in project.sources.values()]
    assert len(places) == len(set(places))


def test_no_model_is_a_root(project: Project) -> None:
    for node in project.models.values():
        assert node["depends_on"]["nodes"], node["name"]


def test_intermediate_models_read_of_the_marts_only_what_is_kept_for_ever(project: Project) -> None:
    for node in project.models.values():
        if layer(node) == "intermediate":
            for parent in node["depends_on"]["nodes"]:
                read = project.models.get(parent)
                if read and layer(read) != "staging":
                    kept = read["config"]["materialized"] == "incremental"
                    assert kept or layer(read) == "intermediate", (node["name"], read["name"])


def test_nothing_is_unused(project: Project) -> None:
    for unique_id, node in project.models.items():
        assert project.children[unique_id] or unique_id in project.exposed, node["name"]
    for seed in project.of_type("seed"):
        assert project.children[seed["unique_id"]], seed["name"]


def test_no_model_joins_too_much(project: Project) -> None:
    for node in project.models.values():
        assert len(set(node["depends_on"]["nodes"])) < TOO_MANY_PARENTS, node["name"]


def test_no_model_fans_out(project: Project) -> None:
    leaves = {u for u in project.models if not project.children[u]} - project.exposed
    for parent, children in project.children.items():
        assert len(children & leaves) < TOO_MANY_LEAVES, parent


def test_no_parent_is_joined_again_by_the_only_child_of_its_child(project: Project) -> None:
    found = {
        (project.models[between]["name"], project.models[child]["name"])
        for siblings in project.children.values()
        for between in siblings
        for child in project.children.get(between, ())
        if child in siblings and len(project.children[between]) == 1
    }
    assert found == set()


def test_views_are_not_chained(project: Project) -> None:
    views = {u for u, node in project.models.items() if node["config"]["materialized"] == "view"}

    def chained(unique_id: str) -> int:
        read = views & set(project.models[unique_id]["depends_on"]["nodes"])
        return 1 + max(map(chained, read), default=0)

    for unique_id in views:
        assert chained(unique_id) < 3, unique_id


# --- names and places --------------------------------------------------------------------------


def test_models_are_named_and_placed_by_their_layer(project: Project) -> None:
    for node in project.models.values():
        path, name = Path(node["path"]), node["name"]
        if layer(node) == "staging":
            (source,) = (project.sources[p] for p in node["depends_on"]["nodes"])
            folder = path.parts[1]
            assert source["source_name"] in (folder, f"{folder}_readings"), name
            assert Path(source["original_file_path"]).parent.name == folder, name
            assert name == f"stg_{folder}__{source['name']}", name
        elif layer(node) == "intermediate":
            assert name.startswith("int_"), name
        else:
            assert not name.startswith(("stg_", "int_")), name
        assert path.stem == name
        assert (PROJECT / "models" / path).with_suffix(".yml").exists(), name


def test_tests_stand_beside_their_model(project: Project) -> None:
    beside = {
        unique_id: str(Path(node["original_file_path"]).with_suffix(".yml"))
        for unique_id, node in project.models.items()
    }
    for test in project.of_type("test"):
        model = test.get("attached_node")  # none, if it is a file of its own
        assert model not in beside or test["original_file_path"] == beside[model], test["name"]
    for test in project.manifest["unit_tests"].values():
        assert test["original_file_path"] == beside[test["depends_on"]["nodes"][0]], test["name"]


def test_no_reference_is_hard_coded(project: Project) -> None:
    for node in project.models.values():
        found = re.findall(
            r"(?<!distinct )\b(?:from|join)\s+\"?\w+\"?\.\"?\w+", node["raw_code"], re.IGNORECASE
        )
        assert not found, node["name"]


# --- documentation -----------------------------------------------------------------------------


def test_everything_is_described(project: Project) -> None:
    nodes = [*project.models.values(), *project.sources.values(), *project.of_type("seed")]
    assert [node["name"] for node in nodes if not node["description"]] == []
    assert [n["name"] for n in project.sources.values() if not n["source_description"]] == []


def test_every_column_is_described_and_none_that_does_not_exist(project: Project) -> None:
    built: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in project.warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns"
    ):
        built[row["table_schema"], row["table_name"]].add(row["column_name"])
    for node in [*project.models.values(), *project.of_type("seed")]:
        described = {name for name, column in node["columns"].items() if column["description"]}
        assert described == built[node["schema"], node["name"]], node["name"]
    for node in project.sources.values():
        described = {name for name, column in node["columns"].items() if column["description"]}
        landed = set(TABLES[node["identifier"]]) | LANDED
        archived = {"is_archived"} if node["schema"] == "raw_all" else set()
        assert described == landed | archived, node["name"]


def _written_columns() -> Iterator[tuple[str, str]]:
    """Name and description of each column as the yml files write it."""
    for path in sorted((PROJECT / "models").rglob("*.yml")):
        content = yaml.safe_load(path.read_text())
        tables = [table for source in content.get("sources", ()) for table in source["tables"]]
        for node in [*content.get("models", ()), *tables]:
            for column in node.get("columns", ()):
                yield column["name"], column["description"]


def test_shared_descriptions_are_written_once() -> None:
    written = [pair for pair in _written_columns() if "doc(" not in pair[1]]
    assert sorted({pair for pair in written if written.count(pair) > 2}) == []


def test_every_docs_block_is_used() -> None:
    text = (PROJECT / "dbt_project" / "docs" / "columns.md").read_text()
    blocks = re.findall(r"{% docs (\w+) %}", text)
    assert len(blocks) == len(set(blocks))
    files = [*(PROJECT / "models").rglob("*.yml"), *(PROJECT / "dbt_project").rglob("*.yml")]
    used = set(re.findall(r"doc\('(\w+)'\)", "".join(path.read_text() for path in files)))
    assert set(blocks) == used


def test_a_mart_says_its_grain_and_three_questions_it_answers(project: Project) -> None:
    for node in project.marts():
        first, *rest = node["description"].strip().splitlines()
        assert first.startswith("One row per "), node["name"]
        questions = [line for line in rest if line.startswith("- ") and line.endswith("?")]
        assert len(questions) == 3, node["name"]


def test_exposures_name_exactly_the_marts_that_are_read(project: Project) -> None:
    exposures = project.manifest["exposures"].values()
    exposed = {exposure["name"]: set(exposure["depends_on"]["nodes"]) for exposure in exposures}
    marts = {f"{node['schema']}.{node['name']}": node for node in project.marts()}
    served = {marts[relation]["unique_id"] for relation in RELATIONS.values()}
    listed = {f"marts.{name}" for name in re.findall(r"from (\w+)", flags._QUERY)}
    assert exposed == {
        "api": served,
        "dashboard": served,
        "flag_reviews": {marts[relation]["unique_id"] for relation in listed},
        "bi_tools": {node["unique_id"] for node in marts.values() if layer(node) == "marts"},
    }
    assert set().union(*exposed.values()) == {node["unique_id"] for node in marts.values()}
    for exposure in exposures:
        assert exposure["description"]
        assert exposure["owner"]["email"]


def test_the_dashboard_asks_every_analytics_route_of_the_api() -> None:
    asked = re.findall(rf"{ROOT}/[^?`]*", (PROJECT / "api/dashboard/src/api.ts").read_text())
    routes = {re.sub(r"<[^>]*>", "*", endpoint.rule) for endpoint in ENDPOINTS}
    assert {re.sub(r"\${[^}]*}", "*", address) for address in asked} == routes


# --- tests and contracts -----------------------------------------------------------------------


def test_every_mart_is_under_contract_with_typed_columns(project: Project) -> None:
    for node in project.marts():
        assert node["config"]["contract"]["enforced"], node["name"]
        assert all(column["data_type"] for column in node["columns"].values()), node["name"]


def test_marts_are_public_and_nothing_else_is_exposed(project: Project) -> None:
    public = {u for u, node in project.models.items() if node["config"]["access"] == "public"}
    assert public == {node["unique_id"] for node in project.marts()}
    assert project.exposed <= public


def test_what_is_exposed_is_a_table(project: Project) -> None:
    for unique_id in project.exposed:
        node = project.models[unique_id]
        assert node["config"]["materialized"] in ("table", "incremental"), node["name"]


def test_every_model_and_seed_has_a_tested_primary_key(project: Project) -> None:
    keyed = {
        test["attached_node"]
        for test in project.of_type("test")
        if (test.get("test_metadata") or {}).get("name") == "primary_key"
    }
    nodes = [*project.models.values(), *project.of_type("seed")]
    assert [node["name"] for node in nodes if node["unique_id"] not in keyed] == []


def test_every_test_has_a_name_and_a_sentence(project: Project) -> None:
    tests = [*project.of_type("test"), *project.manifest["unit_tests"].values()]
    for test in tests:
        assert test["description"].rstrip().endswith("."), test["name"]
        assert re.fullmatch(r"[a-z][a-z0-9_]*", test["name"]), test["name"]
        kind = (test.get("test_metadata") or {}).get("name", "")
        assert not kind or not test["name"].startswith(f"{kind}_"), test["name"]


def test_every_source_says_when_it_is_stale(project: Project) -> None:
    for source in project.sources.values():
        assert source["loaded_at_field"], source["name"]
        assert source["freshness"], source["name"]
        assert source["freshness"]["warn_after"]["count"], source["name"]


def test_every_macro_is_used(project: Project) -> None:
    own = {
        u: m
        for u, m in project.manifest["macros"].items()
        if m["package_name"] == "nexus_analytics"
    }
    used = {
        macro
        for node in [*project.manifest["nodes"].values(), *own.values()]
        for macro in node["depends_on"]["macros"]
    }
    for unique_id, macro in own.items():
        name = macro["name"]
        called_by_dbt = name.startswith(
            ("spark__", "test_", "generate_", "get_where", "materialization_")
        )
        dispatched = name.startswith("default__")
        hook = name in ("record_build", "show_all_readings", "limit_memory")
        in_hooks = f"{name}()" in "".join(
            str(node["config"].get("pre-hook")) for node in project.models.values()
        )
        assert unique_id in used or called_by_dbt or dispatched or hook or in_hooks, name
