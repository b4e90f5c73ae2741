"""Read the columns that a chart needs from a table, and convert their cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.core.spc.chart_points import LARGEST
from flawline.data.count_words import counted
from flawline.data.names import did_you_mean
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.tables import read_table
from flawline.errors import SourceError

Columns = Mapping[str, Sequence[Any]]


def read_columns(
    path: Path,
    wanted: Sequence[str],
    numbers: Sequence[str],
    stated: TableFormat = UNSTATED,
    *,
    counts: str | None = None,
) -> tuple[dict[str, list[Any]], tuple[str, ...]]:
    """Read the wanted columns of a table, one value per row: text from CSV, stored types from other files.

    Args:
        path: the table.
        wanted: names of columns.
        numbers: those of them that hold numbers: these are written with a decimal point.
        stated: what is known of how the table is written.
        counts: a column of counts, in which words such as OK and NOK stand for 0 and 1.

    Returns:
        The columns, and notes of what was understood.

    Raises:
        SourceError: the file cannot be read as a table, or a column is not there.
    """
    table = read_table(path, stated)
    frame = table.frame
    for name in wanted:
        if name not in frame.columns:
            listed = ", ".join(frame.columns[:12])
            titles = "`table_format=header=ROW` says in which row the names are."
            raise SourceError(
                f"{path.name} has no column {name!r}",
                hint=f"{did_you_mean(name, frame.columns)} It has: {listed}. {titles}".strip(),
                code="table",
            )
    table = table.with_numbers(numbers)
    columns = {name: table.frame[name].to_list() for name in dict.fromkeys(wanted)}
    notes = table.notes
    if counts is not None:
        columns[counts], told = counted(columns[counts], counts)
        notes += told
    return columns, notes


def as_number(value: Any) -> float:
    """Convert a cell to a finite number.

    Raises:
        ValueError: it is empty or no number; the message says which.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("the cell is empty")
    try:
        number = float(value)
    except (TypeError, ValueError):
        hint = "; decimals take a point" if "," in str(value) else ""
        raise ValueError(f"{str(value)[:40]!r} is not a number{hint}") from None
    if not math.isfinite(number):
        raise ValueError(f"{value} is not a finite number")
    if abs(number) > LARGEST:
        raise ValueError(f"{number:g} lies beyond ±{LARGEST:g}")
    return number


def as_label(value: Any, row: int) -> str:
    """Convert a cell to the label of a point; an empty one gets the number of its row, from 1."""
    return as_text(value) or str(row)


def as_text(value: Any) -> str:
    """Convert a cell to text without blanks around it; "" for an empty one."""
    return "" if value is None else str(value).strip()
