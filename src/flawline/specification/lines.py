"""In which line of a TOML text a value stands: an error that names the line is mended at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

_STRINGS = re.compile(
    r'"""(?:.|\n)*?"""|\'\'\'(?:.|\n)*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*'
)


def line_of_key(text: str, key: str, after: int = 1) -> int:
    """The first line from `after` on that defines `key`, else `after`."""
    pattern = re.compile(rf"""(?<![\w-])["']?{re.escape(key)}["']?\s*[=.\]]""")
    for number, line in enumerate(text.splitlines(), 1):
        if number >= after and pattern.search(line.split("#", 1)[0]):
            return number
    return after


def lines_of_tables(text: str, name: str) -> list[int]:
    """The line of each table of the array `name`, written as [[name]] or as name = [{...}, {...}]."""
    blank = _without_strings(text)
    headers = [
        _line(text, m.start()) for m in re.finditer(rf"^[ \t]*\[\[\s*{name}\s*\]\]", blank, re.M)
    ]
    if headers:
        return headers
    opening = re.search(rf"^[ \t]*{name}\s*=\s*\[", blank, re.M)
    return [_line(text, at) for at in _outer_braces(blank, opening.end())] if opening else []


def _outer_braces(text: str, start: int) -> Iterator[int]:
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "{[":
            if depth == 0 and text[at] == "{":
                yield at
            depth += 1
        elif text[at] in "}]":
            depth -= 1
            if depth < 0:
                return


def _without_strings(text: str) -> str:
    """The text with strings and comments blanked, each character in its place."""
    return _STRINGS.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
