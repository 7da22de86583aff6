"""Comma-separated text that anybody may have touched: records, whatever the bytes.

Every line of the text ends up in exactly one record, usable or not, so that rows can be counted.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Record:
    """One row. `number`: its place in the text, from 1. `fields` is None if `problem` says why."""

    number: int
    fields: list[str] | None
    raw: str
    problem: str = ""


def records(text: str, row_start: re.Pattern[str]) -> Iterator[Record]:
    """The records of `text`; empty lines are none, but count as a place.

    A record whose quotes do not balance would swallow what follows: it ends where the next line
    looks like `row_start`.
    """
    lines = list(io.StringIO(text, newline=""))
    position = number = 0
    while position < len(lines):
        number += 1
        reader = csv.reader((lines[at] for at in range(position, len(lines))), strict=True)
        problem = ""
        fields: list[str] | None = None
        try:
            fields = next(reader)
            end = position + reader.line_num
        except csv.Error as error:
            problem = _explain(error)
            end = _next_start(lines, position, row_start)
        raw = "".join(lines[position:end]).rstrip("\r\n")
        position = end
        if raw:
            yield Record(number, fields, raw, problem)


def _next_start(lines: list[str], position: int, row_start: re.Pattern[str]) -> int:
    following = range(position + 1, len(lines))
    return next((at for at in following if row_start.match(lines[at])), len(lines))


def _explain(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a field is longer than {csv.field_size_limit()} characters"
    return "its quotes do not balance"
