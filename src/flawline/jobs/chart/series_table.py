"""Read the columns that a chart needs from a table, and convert their cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.core.spc.chart_points import LARGEST
from flawline.data.names import did_you_mean
from flawline.data.tables import read_table
from flawline.errors import SourceError

Columns = Mapping[str, Sequence[Any]]


def read_columns(path: Path, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """Read the wanted columns of a table, one value per row: text from CSV, stored types from Parquet.

    Raises:
        SourceError: the file cannot be read as a table, or a column is not there.
    """
    frame = read_table(path)
    for name in wanted:
        if name not in frame.columns:
            listed = ", ".join(frame.columns[:12])
            raise SourceError(
                f"{path.name} has no column {name!r}",
                hint=f"{did_you_mean(name, frame.columns)} It has: {listed}".strip(),
                code="table",
            )
    return {name: frame[name].to_list() for name in dict.fromkeys(wanted)}


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
