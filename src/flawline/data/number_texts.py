"""Read numbers as people and spreadsheets write them: decimal points or commas, thousands separators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flawline.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

Decimal = Literal["point", "comma"]
_SPACES = " \u00a0\u2009\u202f"
_NUMBER = (
    r"^\s*[+\-−]?(?:(?:\d+|[1-9]\d{0,2}(?:(?:%s\d{3})+|(?:'\d{3})+|(?:’\d{3})+|(?:["
    + _SPACES
    + r"]\d{3})+))"
    r"(?:%s\d*)?|%s\d+)(?:[eE][+\-]?\d+)?\s*$"
)
_FORMS: dict[Decimal, str] = {
    "point": _NUMBER % (",", r"\.", r"\."),
    "comma": _NUMBER % (r"\.", ",", ","),
}
_MARKS: dict[Decimal, tuple[str, str]] = {"point": (".", ","), "comma": (",", ".")}
_NO_VALUE = r"(?i)^\s*[+\-]?(?:nan|inf|infinity)\s*$"
_GROUPS = rf"['’{_SPACES}]"


@dataclass(frozen=True, slots=True)
class _Cells:
    """Which cells of a column are numbers in one notation alone."""

    point: pl.Series
    comma: pl.Series

    @property
    def states(self) -> set[Decimal]:
        only_point, only_comma = self.point & ~self.comma, self.comma & ~self.point
        found: set[Decimal] = {"point"} if only_point.any() else set()
        return found | ({"comma"} if only_comma.any() else set())


def decimal_of(
    cells: pl.Series, others: Callable[[], frozenset[Decimal]], *, semicolons: bool, table: str
) -> Decimal:
    """Tell how the numbers of a column of texts are written.

    Args:
        cells: the column.
        others: the notations that other columns of the table state; called where they are needed.
        semicolons: whether semicolons separate the table: a comma in it is then a decimal one.
        table: its name, for messages.

    Raises:
        SourceError: ("table") the cells can be read in both ways, or some in one and some in the other alone.
    """
    fits = _fits(cells)
    states = fits.states
    if len(states) == 2:
        point, comma = (_first(cells, one & ~other) for one, other in _both(fits))
        raise _ambiguous(cells, table, f"has {point} with a decimal point and {comma} with a comma")
    if states:
        return states.pop()
    numbers = cells.filter(fits.point)
    points, commas = (numbers.filter(numbers.str.contains(m, literal=True)) for m in ".,")
    if not len(points) and not len(commas):
        return "point"
    usual: Decimal = "comma" if len(commas) else "point"
    known = others() | (frozenset([usual]) if semicolons or not len(commas) else frozenset())
    if len(known) == 1 and not (len(points) and len(commas)):
        return next(iter(known))
    example = (commas if len(commas) else points)[0]
    raise _ambiguous(cells, table, f"has {example!r}, which can be a decimal or thousands")


def stated_decimals(columns: Iterable[pl.Series]) -> frozenset[Decimal]:
    """List the notations of which a cell of these columns is one alone, such as 10.5 or 1,234.5."""
    found: set[Decimal] = set()
    for cells in columns:
        found |= _fits(cells).states
    return frozenset(found)


def is_numbers(cells: pl.Series) -> bool:
    """Tell whether every cell of a column of texts that is not empty is a number, in any notation, or NaN."""
    filled = cells.drop_nulls().filter(cells.drop_nulls().str.strip_chars() != "")
    fits = _fits(filled)
    return len(filled) > 0 and bool(
        (fits.point | fits.comma | filled.str.contains(_NO_VALUE)).all()
    )


def first_other(cells: pl.Series) -> str:
    """Name the first cell of a column of texts that is no number although most are, with its row; else empty."""
    filled = cells.is_not_null() & (cells.str.strip_chars() != "")
    fits = _fits(cells)
    others = filled & ~(fits.point | fits.comma | cells.str.contains(_NO_VALUE).fill_null(False))
    return _first(cells, others) if 0 < 2 * others.sum() < filled.sum() else ""


def with_points(cells: pl.Series, decimal: Decimal) -> tuple[pl.Series, bool]:
    """Write numbers with a decimal point and without thousands separators; other texts stay.

    Returns the column, and whether there were thousands separators.
    """
    mark, group = _MARKS[decimal]
    numbers = cells.str.contains(_FORMS[decimal]).fill_null(False)
    bare = cells.str.strip_chars().str.replace_all("−", "-", literal=True)
    bare = bare.str.replace_all(_GROUPS, "").str.replace_all(group, "", literal=True)
    grouped = (numbers & cells.str.contains(rf"\d['’{_SPACES}\{group}]\d").fill_null(False)).any()
    bare = bare.str.replace_all(mark, ".", literal=True).str.strip_prefix("+")
    return bare.zip_with(numbers, cells), bool(grouped)


def _fits(cells: pl.Series) -> _Cells:
    point, comma = (cells.str.contains(form).fill_null(False) for form in _FORMS.values())
    return _Cells(point, comma)


def _both(fits: _Cells) -> list[tuple[pl.Series, pl.Series]]:
    return [(fits.point, fits.comma), (fits.comma, fits.point)]


def _first(cells: pl.Series, which: pl.Series) -> str:
    place = int(which.arg_true()[0])
    return f"{cells[place]!r} in row {place + 1}"


def _ambiguous(cells: pl.Series, table: str, told: str) -> SourceError:
    return SourceError(
        f"the column {cells.name!r} of {table} {told}",
        hint="state it: `table_format=decimal=comma` or `table_format=decimal=point`",
        code="table",
    )
