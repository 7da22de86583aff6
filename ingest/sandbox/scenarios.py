"""Faults of the stand-in, and the scenarios that say when they strike.

FAULTS is a table of small functions; a scenario is a list of rules that name one each, plus
switches (`Behaviour`). From a file:

    settings: {enforce_limits: false}
    rules:
      - {fault: server_error, endpoint: "GET /2/*", probability: 0.1, seed: 7}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingest.sandbox.engine import Behaviour, Fault, Rule, Sandbox


class ScenarioError(ValueError):
    """A scenario that cannot be read; the message says which part."""


FAULTS: Mapping[str, Fault] = {}


@dataclass(frozen=True)
class Scenario:
    """Rules and switches, ready to be applied."""

    rules: tuple[Rule, ...] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)

    def apply(self, sandbox: Sandbox) -> None:
        """Replace what the stand-in had before."""
        sandbox.rules = list(self.rules)
        sandbox.behaviour = self.behaviour
        sandbox.windows.clear()


def read_scenario(given: Mapping[str, Any]) -> Scenario:
    """Raises ScenarioError for an unknown part."""
    return Scenario((), Behaviour().changed(**given.get("settings", {})))


def load_scenario_file(path: Path) -> Scenario:
    return read_scenario(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
