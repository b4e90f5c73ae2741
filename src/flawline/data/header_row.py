"""Find the row of the names in a table that may have titles above it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_MOST_TITLES = 50
# A number with any separators, a date or a time.
_VALUE = re.compile(
    r"[+\-−]?[\d.,:;/'’ \u00a0\u202fT-]*\d[\d.,:;/'’ \u00a0\u202fTZ%-]*(?:[eE][+-]?\d+)?"
)


def header_row(rows: Sequence[Sequence[str]], start: int = 0) -> int:
    """Return the place of the row of names: the first that is not blank, unless that is a title.

    A title is a row with fewer cells than the table has columns, above a row in which every column has a name; or a row
    with a value, or apart from the table by a blank row, where only the table's names stand over numbers.
    """
    places = [n for n in range(start, len(rows)) if not is_blank(rows[n])]
    if not places:
        return start
    first = places[0]
    width = _width([rows[n] for n in places])
    named = [n for n in places[1:_MOST_TITLES] if _has_names(rows[n], width)]
    if not is_full(rows[first]) or filled_width(rows[first]) < width:
        few = bool(rows[first][0].strip()) and 2 * _filled(rows[first]) <= width
        return next((n for n in named if few or _over_numbers(rows, n)), first)
    values = any(map(_is_value, rows[first]))
    apart = (n for n in named if (values or is_blank(rows[n - 1])) and _over_numbers(rows, n))
    return next(apart, first)


def is_blank(row: Sequence[str]) -> bool:
    """Tell whether a row has no cell with content."""
    return not any(cell.strip() for cell in row)


def is_full(row: Sequence[str]) -> bool:
    """Tell whether every cell up to the last one with content has some."""
    return all(cell.strip() for cell in row[: filled_width(row)])


def filled_width(row: Sequence[str]) -> int:
    """Count the cells up to the last one with content."""
    return next((n for n in range(len(row), 0, -1) if row[n - 1].strip()), 0)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Return the most frequent width of rows."""
    widths = Counter(map(filled_width, rows))
    return max(widths, key=lambda width: (widths[width], width))


def _has_names(row: Sequence[str], width: int) -> bool:
    return filled_width(row) >= width and is_full(row) and not any(map(_is_value, row))


def _over_numbers(rows: Sequence[Sequence[str]], place: int) -> bool:
    """Tell whether a column has nothing but numbers below a row, and there are some."""
    below = [row for row in rows[place + 1 :] if not is_blank(row)]
    columns = range(len(rows[place]))
    return any(
        cells and all(map(_is_value, cells))
        for cells in ([r[n] for r in below if n < len(r) and r[n].strip()] for n in columns)
    )


def _is_value(cell: str) -> bool:
    return _VALUE.fullmatch(cell.strip()) is not None
