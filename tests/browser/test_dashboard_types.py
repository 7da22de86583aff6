"""The dashboard's TypeScript interfaces name the same fields as the API's response models."""

import re
from pathlib import Path

import pytest

from api import schemas

SOURCE = (Path(__file__).parents[2] / "api/dashboard/src/api.ts").read_text()
INTERFACE = re.compile(r"export interface (\w+)(?: extends (\w+))? \{(.*?)\n\}", re.DOTALL)
FIELD = re.compile(r"^  readonly (\w+)\??:", re.MULTILINE)

INTERFACES = {
    name: (parent, set(FIELD.findall(body))) for name, parent, body in INTERFACE.findall(SOURCE)
}


def fields_in_typescript(name: str) -> set[str]:
    """The fields of an interface, inherited ones too."""
    parent, fields = INTERFACES[name]
    return fields | (fields_in_typescript(parent) if parent else set())


@pytest.mark.parametrize("name", sorted(INTERFACES))
def test_an_interface_has_the_fields_of_its_model(name: str) -> None:
    model = getattr(schemas, name)
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields_in_typescript(name) == fields
