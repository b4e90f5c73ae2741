"""Say where in a specification an error is: the line, the clause and its field."""

from __future__ import annotations

import re
from typing import Any

from flawline.data.toml_file import TomlLines, read_toml
from flawline.errors import SpecError

_AT = re.compile(r"(?:^line |at line )(\d+)")
_FIELDS = (
    (r"^(max|min|review)\b", None),
    (r"unknown (class|zone)\b", None),
    (r"unknown column", "limit"),
    (r"what is limited|is not measured in", "limit"),
    (r"condition|text such as", "where"),
    (r"weight", "weights"),
    (r"expected min, max or review|expected one unit", "max"),
)


def spec_problem(error: SpecError, text: str) -> dict[str, Any]:
    """Describe an error: message, hint, `line` from 1, `clause` from 0 and `field`, None where it has none."""
    found = _AT.search(error.message)
    line = int(found[1]) if found else None
    words = re.sub(r"^line \d+: ", "", error.message)
    return {
        "message": error.message,
        "hint": error.hint,
        "line": line,
        "clause": None if line is None else _clause(text, line),
        "field": _field(words),
    }


def _field(words: str) -> str | None:
    for pattern, name in _FIELDS:
        found = re.search(pattern, words)
        if found:
            return name or found[1]
    return None


def _clause(text: str, line: int) -> int | None:
    """Find the clause that begins last at or before a line."""
    try:
        data = read_toml(text)
    except ValueError:
        return None
    table = data.get("spec", data)
    limits = table.get("limits", ()) if isinstance(table, dict) else ()
    place = ("spec",) if "spec" in data else ()
    lines = TomlLines(text)
    begun = [
        number
        for number in range(len(limits) if isinstance(limits, list) else 0)
        if (lines.of(*place, "limits", number) or 0) <= line
    ]
    return begun[-1] if begun and line >= (lines.of(*place, "limits") or 0) else None
