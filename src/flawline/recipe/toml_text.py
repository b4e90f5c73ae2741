"""TOML as text that people wrote: where an entry stands, and changing one without touching the rest.

Syntax: TOML 1.0.0. `tomllib` decides what is TOML; the scanner here only finds places in text that it accepted.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
_HEADER = re.compile(r"[ \t]*\[\[?([^\n#]*?)\]\]?[ \t]*(?:#[^\n]*)?\r?$", re.M)
_PART = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"[ \t]*({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=[ \t]*")
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|[\[{]|[\]}]|\n|[^\s\[\]{}\"'#]+|[^\S\n]+",
    re.S,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and where its line begins, its value begins and its value ends, as offsets; `path` is whole."""

    path: Path
    line: int
    begin: int
    start: int
    end: int


def toml_value(value: Any) -> str:
    """A value on one line of TOML; raises ValueError for one that TOML has no form for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    raise ValueError(f"{value!r} cannot be written as TOML")


def toml_key(name: str) -> str:
    """A key as TOML has it, quoted where it must be."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def edit_toml(text: str, changes: Mapping[Path, Any]) -> str:
    """Change single entries and leave every other character as it is, comments too.

    Args:
        text: TOML.
        changes: the new value by path, such as `{("threshold", "reject"): 3.2}`. None takes the entry out. An entry
            that is not there yet is put at the end of its section, in place of a line that shows it as a comment.

    Raises:
        ValueError: `text` is no TOML, a value has no form in TOML, or a path goes through an array of tables.
    """
    expected = tomllib.loads(text)
    for path, value in changes.items():
        as_read = None if value is None else tomllib.loads(f"x = {toml_value(value)}")["x"]
        _set(expected, path, as_read)
        text = _without(text, path) if value is None else _with(text, path, value)
    if tomllib.loads(text) != expected:
        raise ValueError(f"{', '.join(map('.'.join, changes))} cannot be changed in this text")
    return text


def line_of(text: str, path: Path) -> int | None:
    """The line, from 1, of an entry or section, or of what holds it; None where there is neither."""
    places = {place.path: place.line for place in (*_sections(text), *entries(text))}
    longest = (path[:length] for length in range(len(path), 0, -1))
    return next((places[part] for part in longest if part in places), None)


def entries(text: str) -> Iterator[Entry]:
    """Every entry of `text`, which is TOML, in the order of the lines."""
    return (place for place in _places(text) if place.start >= 0)


def _sections(text: str) -> list[Entry]:
    return [place for place in _places(text) if place.start < 0]


def _places(text: str) -> Iterator[Entry]:
    """Entries, and sections with -1 for the offsets of their value."""
    at, line = 0, 1
    section: Path = ()
    while at < len(text):
        begin, first = at, line
        if key := _KEY.match(text, at):
            end, at = _value_end(text, key.end())
            yield Entry((*section, *_path(key[1])), first, begin, key.end(), end)
        elif header := _HEADER.match(text, at):
            section, at = _path(header[1]), _line_end(text, header.end())
            yield Entry(section, first, begin, -1, -1)
        else:
            at = _line_end(text, at)
        line += text.count("\n", begin, at)


def _path(key: str) -> Path:
    table: Any = tomllib.loads(f"{key} = 0")
    path: list[str] = []
    while isinstance(table, dict):
        ((name, table),) = table.items()
        path.append(name)
    return tuple(path)


def _value_end(text: str, at: int) -> tuple[int, int]:
    """Where a value ends that starts at `at`, and where the line after it begins."""
    depth, end = 0, at
    while at < len(text) and (token := _TOKEN.match(text, at)):
        what, at = token[0], token.end()
        if what == "\n" and depth == 0:
            break
        if what[0] not in "#\n\r\t ":
            end = at
        depth += (what in "[{") - (what in "]}")
    return end, at


def _line_end(text: str, at: int) -> int:
    return text.find("\n", at) + 1 or len(text)


def _with(text: str, path: Path, value: Any) -> str:
    found = {entry.path: entry for entry in entries(text)}
    for length in range(len(path), 0, -1):
        if entry := found.get(path[:length]):
            whole = _inside(text[entry.start : entry.end], path[length:], value)
            return text[: entry.start] + toml_value(whole) + text[entry.end :]
    return _inserted(text, path, f"{toml_key(path[-1])} = {toml_value(value)}\n")


def _without(text: str, path: Path) -> str:
    found = {entry.path: entry for entry in entries(text)}
    if entry := found.get(path):
        return text[: entry.begin] + text[_line_end(text, entry.end) :]
    outer = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in found), None)
    return text if outer is None else _with(text, path, None)


def _inside(value: str, rest: Path, new: Any) -> Any:
    """The inline table `value` with the entry `rest` of it changed; `new` itself where `rest` is empty."""
    table = tomllib.loads(f"x = {value}")
    _set(table, ("x", *rest), new)
    return table["x"]


def _set(table: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        if value is None and name not in table:
            return
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ValueError(f"{name} is no section")
    if value is None:
        table.pop(path[-1], None)
    else:
        table[path[-1]] = value


def _inserted(text: str, path: Path, line: str) -> str:
    begin, end = _extent(text, path[:-1])
    if begin < 0:
        return f"{_ended(text)}\n[{'.'.join(map(toml_key, path[:-1]))}]\n{line}"
    example = re.compile(rf"^#[ \t]*{re.escape(path[-1])}[ \t]*=[^\n]*\n?", re.M)
    if shown := example.search(text, begin, end):
        return text[: shown.start()] + line + text[shown.end() :]
    last = max((e.end for e in entries(text) if begin <= e.begin < end), default=-1)
    at = _line_end(text, max(last, begin)) if path[:-1] or last >= 0 else 0
    return _ended(text[:at]) + line + text[at:]


def _extent(text: str, section: Path) -> tuple[int, int]:
    """Where a section begins and where the next one does; (-1, -1) where there is none."""
    headers = _sections(text)
    starts = [*(header.begin for header in headers), len(text)]
    if not section:
        return 0, starts[0]
    for header, end in zip(headers, starts[1:], strict=True):
        if header.path == section:
            return header.begin, end
    return -1, -1


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
