"""Scenarios: which faults strike when, and the switches beside them, from a file or by API.

    settings: {enforce_limits: false}
    rules:
      - {fault: server_error, endpoint: "GET /2/*", probability: 0.1, seed: 7}
      - {fault: rate_limited, platform: linkedin, nth: [3], args: {reset_in: 60}}

Settings are the fields of `Behaviour`; the fields of a rule are those of `Rule`, and `args` are
the keyword arguments of the fault (faults.py). The first rule that strikes a request wins.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from ingest.sandbox.engine import Behaviour, Rule, Sandbox
from ingest.sandbox.faults import FAULTS

_RULE_FIELDS = frozenset(
    entry.name for entry in fields(Rule) if entry.name not in ("name", "matched", "struck")
)


class ScenarioError(ValueError):
    """A scenario that cannot be read; the message says which part and why."""


@dataclass(frozen=True)
class Scenario:
    """Rules and switches, ready to be applied."""

    rules: tuple[Rule, ...] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)

    def apply(self, sandbox: Sandbox) -> None:
        """Replace what the stand-in had before; rate-limit windows start afresh."""
        sandbox.rules = list(self.rules)
        sandbox.behaviour = self.behaviour
        sandbox.windows.clear()


def read_scenario(given: Mapping[str, Any]) -> Scenario:
    """The scenario in a mapping. Raises ScenarioError for anything it does not know."""
    if unknown := given.keys() - {"rules", "settings"}:
        raise ScenarioError(f"unknown part {min(unknown)!r}; there are rules and settings")
    rules = given.get("rules") or []
    settings = given.get("settings") or {}
    if not isinstance(rules, list) or not isinstance(settings, dict):
        raise ScenarioError("rules is a list, settings a mapping")
    try:
        behaviour = Behaviour().changed(**settings)
    except TypeError:
        known = ", ".join(entry.name for entry in fields(Behaviour))
        raise ScenarioError(f"a setting is unknown; there are {known}") from None
    return Scenario(tuple(_rule(number, rule) for number, rule in enumerate(rules, 1)), behaviour)


def _rule(number: int, given: object) -> Rule:
    if not isinstance(given, dict):
        raise ScenarioError(f"rule {number} is not a mapping")
    fault = FAULTS.get(given.get("fault", ""))
    if fault is None:
        raise ScenarioError(
            f"rule {number}: unknown fault {given.get('fault')!r}; there are {', '.join(FAULTS)}"
        )
    if unknown := given.keys() - _RULE_FIELDS:
        raise ScenarioError(f"rule {number}: unknown key {min(unknown)!r}")
    args = given.get("args", {})
    try:
        inspect.signature(fault).bind(None, None, **args)
    except TypeError as problem:
        raise ScenarioError(f"rule {number}, {given['fault']}: {problem}") from None
    nth = given.get("nth", ())
    rest = {key: value for key, value in given.items() if key not in ("fault", "nth")}
    return Rule(fault, given["fault"], nth=(nth,) if isinstance(nth, int) else tuple(nth), **rest)


def load_scenario_file(path: Path) -> Scenario:
    """The scenario in a yml file. Raises ScenarioError, with the file's name, when it is none."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        if not isinstance(given, dict):
            raise ScenarioError("the file holds no mapping")
        return read_scenario(given)
    except (OSError, yaml.YAMLError, ScenarioError) as problem:
        raise ScenarioError(f"{path.name}: {problem}") from problem
