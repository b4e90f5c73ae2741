"""Write recipe.toml with comments, and read it with errors that name the line, the key and the way out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from flawline.data.toml_file import TomlLines, read_toml
from flawline.errors import ModelError
from flawline.recipe.entries import Problem, entries_of, first_problem
from flawline.recipe.settings import (
    HOMES,
    SCHEMA,
    SECTIONS,
    TASKS,
    RecipeSettings,
    as_table,
    plain,
)
from flawline.recipe.toml_text import Path, edit_toml, toml_key, toml_value
from flawline.recipe.upgrade import upgrade_settings

_AT = re.compile(r"^(.*) \(at line (\d+), column (\d+)\)$", re.S)
_MOST_SHOWN = 80
_HEAD = """\
# A recipe of Flawline: how pictures of one kind of part are inspected. Edit it with any text editor.
# What training fixed says so; a change to it is refused. Every other change gives the recipe another hash.
"""
_EXAMPLES = {
    "mm_per_px": "0.05",
    "mm_per_px_u": "0.0001",
    "merge": "3",
    "min_defect": '"3 px"',
    "mask": '"region.png"',
    "size": "[1024, 1280]",
}


def settings_text(settings: RecipeSettings) -> str:
    """Format recipe.toml with a comment for every entry; the same settings give the same text."""
    table = as_table(settings)
    lines = [_HEAD, *_written(RecipeSettings, table)]
    for section, kind in SECTIONS.items():
        if section in table:
            about = (kind.__doc__ or "").splitlines()[0].partition(": ")[2]
            lines += ["", f"# {about[0].upper()}{about[1:]}", f"[{section}]"]
            lines += _written(kind, table[section])
    if settings.spec is not None:
        lines += ["", "# Limits on measured defects", "[spec]", spec_text(settings.spec)]
        return "\n".join(lines)
    return "\n".join(lines) + "\n"


def spec_text(spec: Mapping[str, Any]) -> str:
    """Format the entries of a specification as TOML, one clause to a line; raises ValueError for what TOML has not."""
    return "".join(f"{toml_key(key)} = {_rows(value)}\n" for key, value in spec.items())


def read_settings(text: str, where: str) -> RecipeSettings:
    """Parse recipe.toml; `where` names the file in errors.

    Raises:
        ModelError: ("recipe-settings") it is no TOML, or an entry is misspelt, missing or out of range;
            ("recipe-schema") it is of a newer schema.
    """
    try:
        table = read_toml(text)
    except ValueError as error:
        raise _not_toml(where, error) from error
    table = upgrade_settings(table, where)
    _check_sections(table, text, where)
    inner: dict[str, Any] = {
        section: kind(**table[section]) for section, kind in SECTIONS.items() if section in table
    }
    if table.get("task", TASKS[0]) != TASKS[0]:
        inner.setdefault("detector", None)
    return RecipeSettings(**{**table, **inner})


def upgraded_text(text: str, settings: RecipeSettings) -> str:
    """Rewrite recipe.toml of any schema, which states `settings`, in the present schema; comments stay."""
    old = read_toml(text)
    if old["schema"] == SCHEMA:
        return text
    return _edited(text, old, upgrade_settings(old, "recipe.toml"), settings)


def edited_settings(text: str, old: RecipeSettings, new: RecipeSettings) -> str:
    """Change `text`, which states `old`, to state `new`; comments and spacing stay where that is possible."""
    if text == settings_text(old):
        return settings_text(new)
    return _edited(text, as_table(old), as_table(new), new)


def _edited(
    text: str, before: Mapping[str, Any], after: Mapping[str, Any], settings: RecipeSettings
) -> str:
    """Change the entries of `text` that differ between two tables, or write it anew where that is impossible."""
    old, new = _flat(before), _flat(after)
    differ = [path for path in {**old, **new} if old.get(path) != new.get(path)]
    try:
        edited = edit_toml(text, {path: new.get(path) for path in differ})
        if read_settings(edited, "recipe.toml") == settings:
            return edited
    except (ValueError, ModelError):
        pass
    return settings_text(settings)


def settings_error(problem: Problem, section: str, text: str, where: str) -> ModelError:
    """Make the error for an entry of `section` ("" at the top), with its line in `text` where it has one."""
    path = (section, problem.key) if section else (problem.key,)
    line = TomlLines(text).of(*path)
    place = where if line is None else f"{where}, line {line}"
    key = toml_key(problem.key)[:_MOST_SHOWN]
    name = f"[{section}] {key}" if section else key
    return _refused(f"{place}: {name}: {problem.message}", problem.hint)


def _check_sections(table: Mapping[str, Any], text: str, where: str) -> None:
    for section, kind in SECTIONS.items():
        values = table.get(section, {})
        if not isinstance(values, Mapping):
            problem: Problem | None = Problem(section, "expected a section", f"Write [{section}].")
            section = ""
        elif section not in table:
            continue
        else:
            problem = first_problem(kind, values, HOMES)
        if problem is not None:
            raise settings_error(problem, section, text, where)
    misspelt = next((name for name in table if name not in _tops()), None)
    if misspelt is not None and isinstance(table[misspelt], Mapping):
        raise settings_error(_unknown_section(misspelt), "", text, where)
    problem = first_problem(RecipeSettings, table, HOMES)
    if problem is not None:
        raise settings_error(problem, "", text, where)


def _tops() -> list[str]:
    return [*entries_of(RecipeSettings), *SECTIONS]


def _unknown_section(name: str) -> Problem:
    near = get_close_matches(name, SECTIONS, n=1, cutoff=0.6)
    nearest = f"Did you mean [{near[0]}]? " if near else ""
    sections = ", ".join(f"[{section}]" for section in SECTIONS)
    return Problem(name, "there is no such section", f"{nearest}Sections are {sections}.")


def _written(kind: Any, values: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, entry in entries_of(kind).items():
        if key == "spec":
            continue
        facts = entry.metadata
        more = "; fixed by training." if facts["fixed"] else f" ({facts['check'].expected})."
        lines.append(f"# {facts['about']}{more}")
        value = values[key]
        lines.append(
            f"# {key} = {_EXAMPLES[key]}" if value is None else f"{key} = {_value(key, value)}"
        )
    return lines


def _value(key: str, value: Any) -> str:
    return _rows(value) if key == "polygons" else toml_value(value)


def _rows(value: Any) -> str:
    """Format a list with one item to a line."""
    if not isinstance(value, list) or not value:
        return toml_value(value)
    return "\n".join(["[", *(f"  {toml_value(item)}," for item in value), "]"])


def _flat(table: Mapping[str, Any]) -> dict[Path, Any]:
    flat: dict[Path, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat.update({(name, key): plain(item) for key, item in value.items()})
        else:
            flat[(name,)] = plain(value)
    return flat


def _not_toml(where: str, error: Exception) -> ModelError:
    found = _AT.match(str(error))
    place = f"{where}, line {found[2]}, column {found[3]}" if found else where
    why = found[1] if found else str(error)
    return _refused(
        f"{place}: it is no TOML: {why}", 'Text needs quotes; a number takes "." for fractions.'
    )


def _refused(message: str, hint: str) -> ModelError:
    return ModelError(message, hint=hint, code="recipe-settings")
