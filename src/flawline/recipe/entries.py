"""Sections of recipe.toml as frozen dataclasses that check themselves.

Every entry is declared once, with its check, its explanation and whether training fixed it; reading, writing, the
comments in the file and the page of the format all follow from that. Plain dataclasses rather than pydantic: its
import alone takes longer than a whole recipe may take to load.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from typing import Any

from flawline.errors import ModelError
from flawline.recipe.checks import Check, optional, shown


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the entry `key` (of a section, or at the top)."""

    key: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of recipe.toml that checks its values when it is made."""

    def __post_init__(self) -> None:
        """Convert every value to its one form; raises ModelError ("recipe-settings") for a wrong one."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        problem = first_problem(type(self), values)
        if problem is not None:
            raise ModelError(
                f"{problem.key}: {problem.message}", hint=problem.hint, code="recipe-settings"
            )
        for key, entry in entries_of(type(self)).items():
            object.__setattr__(self, key, entry.metadata["check"].read(values[key]))

    @staticmethod
    def conflict(values: Mapping[str, Any]) -> Problem | None:
        """Find a conflict among entries that are right each for itself."""
        return None


def entry(check: Check, about: str, default: Any = MISSING, *, fixed: bool = False) -> Any:
    """Declare a field of a section; `fixed` means that training decided it and that an edit is refused."""
    facts = {
        "check": optional(check) if default is None else check,
        "about": about,
        "fixed": fixed,
    }
    return field(default=default, metadata=facts)


def entries_of(kind: type[Section]) -> dict[str, Field[Any]]:
    """List the entries of a section by key, in the order of the file, without the sections inside it."""
    return {entry.name: entry for entry in fields(kind) if "check" in entry.metadata}


def first_problem(
    kind: type[Section], values: Mapping[str, Any], homes: Mapping[str, str] | None = None
) -> Problem | None:
    """Find the first entry that is misspelt, missing, of the wrong kind or out of range.

    `homes` names the section that an entry belongs to, for one that stands in another.
    """
    entries, names = entries_of(kind), [entry.name for entry in fields(kind)]
    for key, value in values.items():
        if key in entries and (problem := _wrong_value(entries[key], value)):
            return problem
        if key not in names:
            return _unknown_key(key, names, homes or {})
    for key, entry in entries.items():
        if key not in values and entry.default is MISSING:
            return Problem(key, f"expected {entry.metadata['check'].expected}, it is missing")
    return kind.conflict({key: values.get(key, entry.default) for key, entry in entries.items()})


def _wrong_value(entry: Field[Any], value: Any) -> Problem | None:
    check = entry.metadata["check"]
    try:
        check.read(value)
    except ValueError:
        message = f"expected {check.expected}, got {shown(value)}"
        return Problem(entry.name, message, f"{entry.metadata['about']}.")
    return None


def _unknown_key(key: str, names: list[str], homes: Mapping[str, str]) -> Problem:
    near = get_close_matches(key[:100], names, n=1, cutoff=0.6)
    if not near and key in homes:
        return Problem(key, "there is no such entry here", f"It belongs to [{homes[key]}].")
    nearest = f"Did you mean {near[0]!r}? " if near else ""
    return Problem(key, "there is no such entry here", f"{nearest}Entries are {', '.join(names)}.")
