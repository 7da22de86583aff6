"""Rows of a mart against rows that were worked out: keys first, then cell by cell."""

from collections.abc import Iterable, Mapping
from typing import Any

from .raw_warehouse import Row


def assert_same(found: Iterable[Row], wanted: Mapping[Any, Row], *key: str) -> None:
    """Rows by key, and each cell that is wanted; the message names the first cells that differ."""
    by_key = {tuple(row[name] for name in key): row for row in found}
    assert set(by_key) == set(wanted)
    wrong = {
        (where, name): (by_key[where][name], value)
        for where, row in wanted.items()
        for name, value in row.items()
        if by_key[where][name] != value
    }
    assert not wrong, f"{len(wrong)} cells differ (found, wanted): {list(wrong.items())[:5]}"


def assert_cells(found: Iterable[Row], wanted: Iterable[Row], *key: str) -> None:
    """The same of wanted rows that hold their keys."""
    assert_same(found, {tuple(row[name] for name in key): row for row in wanted}, *key)


def assert_every_cell(found: list[Row], wanted: list[Row], *key: str) -> None:
    """The same, and no column is left out: a new one has to be worked out too."""
    columns = {name for row in found for name in row}
    left_out = {name for row in wanted for name in columns - row.keys()}
    assert not left_out, f"the wanted rows say nothing of: {', '.join(sorted(left_out))}"
    assert_cells(found, wanted, *key)
