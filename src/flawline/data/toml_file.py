"""Read TOML files within bounds, with the line of every entry for messages."""

from __future__ import annotations

import re
import tomllib
from typing import Any

TomlPath = tuple[str | int, ...]
_HEADER = re.compile(r"[ \t]*\[(\[?)([^\n#]*?)\]\]?[ \t]*(?:#[^\n]*)?\r?$", re.M)
_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=[ \t]*")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|[^\n,#\[\]{}]+",
    re.S,
)
_BETWEEN = re.compile(r"(?:[\s,]|#[^\n]*)*")

# Strings that are cut short end with their line or the text: every search goes on where the last one ended.
_OPEN_PART = r"""(?:"(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*'?|[A-Za-z0-9_-]+)"""
_TOKEN = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+(?:"{3,5}|\Z)'
    r"|'''.*?(?:'{3,5}|\Z)"
    r"|\#[^\n]*"
    rf"|(?P<words>{_OPEN_PART}(?:[ \t]*\.[ \t]*{_OPEN_PART})*)"
    r"|(?P<open>[\[{])|(?P<close>[\]}])",
    re.S,
)
_WORD = re.compile(_OPEN_PART, re.S)

MOST_CHARACTERS = 2_000_000
MOST_LEVELS = 32
_LONGEST_WORD = 1000


def read_toml(text: str) -> dict[str, Any]:
    """Read TOML as `tomllib` does, within bounds that no person reaches.

    `tomllib` squares the parts of a dotted key in time and memory, and reads hexadecimal numbers too long to print.

    Raises:
        ValueError: it is no TOML, longer than 2,000,000 characters, nested in more than 32 levels (the parts of dotted
            keys counted), or has a key or number of more than 1000 characters.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"it is longer than {MOST_CHARACTERS} characters")
    _check_bounds(text)
    return tomllib.loads(text)


def _check_bounds(text: str) -> None:
    """Raise ValueError where `text` is nested too deeply or has too long a word, before anything is built from it."""
    outer: list[int] = []
    level = parts = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            outer.append(max(parts, 1))
            level, parts = level + outer[-1], 0
        elif token["close"]:
            level, parts = level - (outer.pop() if outer else 0), 0
        elif words := token["words"]:
            parts = _parts(words, text, token.start())
        if level + parts > MOST_LEVELS:
            place = _place(text, token.start())
            raise ValueError(f"expected at most {MOST_LEVELS} levels of keys and lists {place}")


def _parts(words: str, text: str, at: int) -> int:
    """Count the parts of a key, or of what else words are."""
    parts = _WORD.findall(words)
    if len(words) > _LONGEST_WORD and any(
        len(part) > _LONGEST_WORD and part[0] not in "\"'" for part in parts
    ):
        raise ValueError(
            f"expected keys and numbers of at most {_LONGEST_WORD} characters {_place(text, at)}"
        )
    return len(parts)


def _place(text: str, at: int) -> str:
    """Name a place as `tomllib` does."""
    return f"(at line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)})"


class TomlLines:
    """Lines of the entries and sections of a text, by path.

    A path holds names, and places from 0 in arrays: `("spec", "limits", 2, "max")`. The text must be TOML that
    `read_toml` accepts; nothing is checked.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._begin: dict[TomlPath, int] = {}
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
        for length in range(len(outer) + 1, len(path) + 1):
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
