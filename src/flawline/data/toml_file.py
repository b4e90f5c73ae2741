"""Read TOML files within bounds, with the line of every entry for messages."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from typing import Any

TomlPath = tuple[str | int, ...]
_HEADER = re.compile(r"[ \t]*\[(\[?)([^\n#]*?)\]\]?[ \t]*(?:#[^\n]*)?\r?$", re.M)
_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=[ \t]*")
_LONG_KEY = re.compile(rf"^[ \t]*\[{{0,2}}[ \t]*{_PART}(?:[ \t]*\.[ \t]*{_PART}){{100}}", re.M)
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^\n,#\[\]{}]+",
    re.S,
)
# More parts of one key than a person writes.
_MOST_PARTS = 16
_BETWEEN = re.compile(r"(?:[\s,]|#[^\n]*)*")


def read_toml(text: str) -> dict[str, Any]:
    """Read TOML as `tomllib` does.

    Raises:
        ValueError: it is no TOML, is nested too deeply, or has a key of more than 100 parts, whose number `tomllib`
            squares in time and memory.
    """
    if long := _LONG_KEY.search(text):
        line = text.count("\n", 0, long.start()) + 1
        raise ValueError(f"expected a key of at most 100 parts (at line {line}, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class TomlLines:
    """Lines of the entries and sections of a text, by path.

    A path holds names, and places from 0 in arrays: `("spec", "limits", 2, "max")`. The text must be TOML that
    `tomllib` accepts; nothing is checked.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._begin: dict[TomlPath, int] = {}
        # Nested about as deeply as `tomllib` allows: the lines found until then are known.
        with suppress(RecursionError):
            self._scan()

    def of(self, *path: str | int) -> int | None:
        """Find the line, from 1, of an entry or section, else of what holds it; None where there is neither."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._begin:
                return self._text.count("\n", 0, self._begin[path[:length]]) + 1
        return None

    def paths(self) -> list[TomlPath]:
        """List all paths, in the order of the text."""
        return list(self._begin)

    def _scan(self) -> None:
        at = 0
        section: TomlPath = ()
        counts: dict[TomlPath, int] = {}
        while at < len(self._text):
            if key := _KEY.match(self._text, at):
                at = self._entry(section, key, at)
            elif header := _HEADER.match(self._text, at):
                section = _section(_names(header[2]), counts, many=bool(header[1]))
                self._put(section, at, ())
                at = header.end()
            at = self._text.find("\n", at) + 1 or len(self._text)

    def _entry(self, outer: TomlPath, key: re.Match[str], at: int) -> int:
        """Add a key and its value; returns where the value ends."""
        path = (*outer, *_names(key[1]))
        self._put(path, at, outer)
        return self._value(path, key.end())

    def _value(self, path: TomlPath, at: int) -> int:
        opening = self._text[at : at + 1]
        if opening not in ("[", "{"):
            scalar = _SCALAR.match(self._text, at)
            return scalar.end() if scalar else at + 1
        number, at = 0, _end(_BETWEEN, self._text, at + 1)
        while at < len(self._text) and self._text[at] not in "]}":
            if opening == "[":
                self._put((*path, number), at, path)
                at, number = self._value((*path, number), at), number + 1
            elif key := _KEY.match(self._text, at):
                at = self._entry(path, key, at)
            else:
                at += 1
            at = _end(_BETWEEN, self._text, at)
        return at + 1

    def _put(self, path: TomlPath, at: int, outer: TomlPath) -> None:
        """Note where a path inside `outer` begins, and the paths between the two that have no line of their own."""
        least = max(len(outer) + 1, len(path) - _MOST_PARTS)
        for length in range(least, len(path) + 1):
            self._begin.setdefault(path[:length], at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _names(key: str) -> tuple[str, ...]:
    table: Any = tomllib.loads(f"{key} = 0")
    path: list[str] = []
    while isinstance(table, dict):
        ((name, table),) = table.items()
        path.append(name)
    return tuple(path)


def _section(names: tuple[str, ...], counts: dict[TomlPath, int], *, many: bool) -> TomlPath:
    """Return the path of a header; `counts`, the tables of each array so far, is updated."""
    path: TomlPath = ()
    for place, name in enumerate(names, 1):
        path = (*path, name)
        if many and place == len(names):
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path
