"""Columns of a CSV or Parquet table, as text or numbers, in the order of its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flawline.data.names import did_you_mean
from flawline.errors import SourceError

SUFFIXES = (".csv", ".tsv", ".parquet")
Columns = Mapping[str, Sequence[Any]]


def read_columns(path: Path, wanted: Sequence[str]) -> dict[str, list[Any]]:
    """The wanted columns of a table, one value per row: text from CSV, what the file holds from Parquet.

    Raises:
        SourceError: the file cannot be read as a table, or a column is not there.
    """
    frame = _read(path)
    frame = frame.rename({name: name.strip() for name in frame.columns})
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
    """A cell as a finite number.

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
    return number


def as_label(value: Any, row: int) -> str:
    """A cell as the name of a point; the number of its row, from 1, where it is empty."""
    text = "" if value is None else str(value).strip()
    return text or str(row)


def _read(path: Path) -> Any:
    import polars as pl

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise SourceError(
            f"expected a table that ends in {', '.join(SUFFIXES)}, got {path.name!r}", code="table"
        )
    try:
        if suffix == ".parquet":
            return pl.read_parquet(path, glob=False)
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        separator = max(",;\t", key=head.count)
        return pl.read_csv(path, separator=separator, infer_schema=False, glob=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SourceError(
            f"cannot read {path.name} as a table: {reason}",
            hint="give a CSV in UTF-8 with a header, or a Parquet file",
            code="table",
        ) from error
