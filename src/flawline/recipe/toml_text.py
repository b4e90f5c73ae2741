"""Write TOML values on one line, and change entries in text that people wrote."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flawline.data.toml_file import read_toml

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Path = tuple[str, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
# What tomlkit edits within two seconds.
_MOST_EDITED = 200_000


def toml_value(value: Any) -> str:
    """Format a value on one line of TOML; raises ValueError for one that TOML cannot express."""
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
    """Format a key of TOML, quoted where it must be."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def edit_toml(text: str, changes: Mapping[Path, Any]) -> str:
    """Change single entries and leave every other character as it is, comments too.

    Args:
        text: TOML.
        changes: the new value by path, such as `{("threshold", "reject"): 3.2}`. None takes the entry out. An entry
            that is not there yet is put at the end of its section, in place of a line that shows it as a comment.

    Raises:
        ValueError: `text` is no TOML or longer than 200,000 characters, a value has no form in TOML, or a path goes
            through an array of tables.
    """
    from tomlkit.exceptions import TOMLKitError

    expected = read_toml(text)
    for path, value in changes.items():
        as_read = None if value is None else tomllib.loads(f"x = {toml_value(value)}")["x"]
        _set(expected, path, as_read)
    try:
        edited = _edited(text, changes)
        same = tomllib.loads(edited) == expected
    except TOMLKitError as error:
        raise ValueError(f"this text cannot be changed: {error}") from error
    if not same:
        raise ValueError(f"{', '.join(map('.'.join, changes))} cannot be changed in this text")
    return edited


def _edited(text: str, changes: Mapping[Path, Any]) -> str:
    import tomlkit

    if len(text) > _MOST_EDITED:
        raise ValueError(f"expected at most {_MOST_EDITED} characters to edit, got {len(text)}")
    document = tomlkit.parse(text)
    if tomlkit.dumps(document) != text:
        raise ValueError("this text cannot be changed without changing the rest")
    fresh: dict[Path, Any] = {}
    for path, value in changes.items():
        holder = _holder(document, path)
        if holder is None or path[-1] not in holder:
            fresh[path] = value
        elif value is None:
            del holder[path[-1]]
        else:
            holder[path[-1]] = tomlkit.value(toml_value(value))
    sections: dict[Path, str] = {}
    begin = ""
    for path, value in fresh.items():
        if value is None:
            continue
        line = f"{toml_key(path[-1])} = {toml_value(value)}\n"
        if _holder(document, path) is None:
            sections[path[:-1]] = sections.get(path[:-1], "") + line
        elif not _inserted(document, path, line):
            begin += line
    edited = begin + tomlkit.dumps(document)
    for section, lines in sections.items():
        edited = f"{_ended(edited)}\n[{'.'.join(map(toml_key, section))}]\n{lines}"
    return edited


def _holder(document: TOMLDocument, path: Path) -> Any:
    """Find the section or inline table that holds an entry; None where there is none."""
    holder: Any = document
    for name in path[:-1]:
        if not isinstance(holder, Mapping) or name not in holder:
            return None
        holder = holder[name]
    return holder if isinstance(holder, Mapping) else None


def _inserted(document: TOMLDocument, path: Path, line: str) -> bool:
    """Insert a new entry where its section shows it as a comment, or after the last entry; False for an empty top."""
    from tomlkit import TOMLDocument as Document
    from tomlkit.items import AoT, Comment, Table

    holder = _holder(document, path)
    if not isinstance(holder, Table | Document):
        raise ValueError(f"{'.'.join(path)} can have no line of its own")
    body = holder.value.body if isinstance(holder, Table) else holder.body
    example = re.compile(rf"#[ \t]*{re.escape(path[-1])}[ \t]*=")
    for _, item in body:
        if isinstance(item, Comment) and example.match(item.trivia.comment):
            item.trivia.comment = line.removesuffix("\n")
            return True
    own = [item for key, item in body if key is not None and not isinstance(item, Table | AoT)]
    last = own[-1] if own else holder if isinstance(holder, Table) else None
    if last is None:
        return False
    last.trivia.trail = _ended(last.trivia.trail or "\n") + line
    return True


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


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
