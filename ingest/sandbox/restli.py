"""Rest.li 2.0 query strings, read raw and strictly (platform-apis.md section 2.2).

Structure (`List(a,b)`, `(k:v)`) must be raw, values must be percent-encoded once. Frameworks
decode before they look, so they take a wrongly encoded request for a right one; this does not.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

#: A value of a parameter: text, a list or a record.
Value = str | list["Value"] | dict[str, "Value"]

_UNSTRUCTURED = re.compile(r"[^(),:]*")
_LEAF = re.compile(r"(?:[A-Za-z0-9_.~*!$;@/?\-]|%[0-9A-Fa-f]{2})*")
_ESCAPE_LEFT = re.compile(r"%[0-9A-Fa-f]{2}")


class RestliSyntaxError(ValueError):
    """A query string that breaks the encoding rules; `parameter` names where."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter = parameter


def parse_query(raw: str) -> dict[str, Value]:
    """The parameters of a raw query string. Raises RestliSyntaxError."""
    parameters: dict[str, Value] = {}
    for pair in filter(None, raw.split("&")):
        name, equals, value = pair.partition("=")
        if not equals or not name.isascii() or not name.replace("_", "").isalnum():
            raise RestliSyntaxError(name, "not a name=value pair")
        if name in parameters:
            raise RestliSyntaxError(name, "given twice")
        parameters[name] = _Reader(name, value).whole()
    return parameters


@lru_cache(maxsize=1 << 16)
def decode_leaf(parameter: str, raw: str) -> str:
    """A percent-encoded value; what is still encoded afterwards was encoded twice."""
    if _LEAF.fullmatch(raw) is None:
        raise RestliSyntaxError(parameter, f"{raw!r} is not percent-encoded")
    try:
        value = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise RestliSyntaxError(parameter, f"{raw!r} is not UTF-8") from None
    if _ESCAPE_LEFT.search(value):
        raise RestliSyntaxError(parameter, f"{raw!r} is encoded twice")
    return value


@dataclass
class _Reader:
    """Reads one parameter's value from left to right."""

    parameter: str
    raw: str
    at: int = 0

    def whole(self) -> Value:
        value = self._value()
        if self.at != len(self.raw):
            raise self._error("text after the end of the value")
        return value

    def _value(self) -> Value:
        if self.raw.startswith("List(", self.at):
            self.at += 5
            return self._items()
        if self.raw.startswith("(", self.at):
            self.at += 1
            return self._record()
        return self._leaf()

    def _items(self) -> list[Value]:
        items: list[Value] = []
        if self._take(")"):
            return items
        while True:
            items.append(self._value())
            if self._take(")"):
                return items
            self._expect(",")

    def _record(self) -> dict[str, Value]:
        record: dict[str, Value] = {}
        while True:
            key = self._leaf()
            self._expect(":")
            record[key] = self._value()
            if self._take(")"):
                return record
            self._expect(",")

    def _leaf(self) -> str:
        match = _UNSTRUCTURED.match(self.raw, self.at)
        assert match is not None  # it matches nothing, too
        self.at = match.end()
        return decode_leaf(self.parameter, match[0])

    def _take(self, sign: str) -> bool:
        if self.raw.startswith(sign, self.at):
            self.at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error(f"expected {sign!r} at {self.at}")

    def _error(self, reason: str) -> RestliSyntaxError:
        return RestliSyntaxError(self.parameter, reason)
