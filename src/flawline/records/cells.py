"""Tables of strangers: their rows, and what a cell of them says."""

from __future__ import annotations

from datetime import datetime, tzinfo
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.errors import SourceError
from flawline.records.record import parse_time

if TYPE_CHECKING:
    import polars as pl


def read_table(path: Path) -> pl.DataFrame:
    """A CSV as text, or a Parquet file as it is.

    Raises:
        SourceError: it cannot be read.
    """
    import polars as pl

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path, glob=False)
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        return pl.read_csv(path, separator=max(",;\t", key=head.count), infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SourceError(
            f"cannot read {path.name} as a table: {reason}",
            hint="give a CSV in UTF-8 with a header, or a Parquet file",
            code="table",
        ) from error


def is_numeric(cells: pl.Series) -> bool:
    """Whether a column holds numbers, or texts that all are some."""
    import polars as pl

    if cells.dtype.is_numeric():
        return True
    if cells.dtype != pl.String:
        return False
    filled = cells.drop_nulls().filter(cells.drop_nulls() != "")
    return len(filled) > 0 and filled.cast(pl.Float64, strict=False).null_count() == 0


def time_of(value: Any, zone: tzinfo | None) -> datetime:
    """A time with its zone, or else in `zone`; raises UsageError where it has neither or is none."""
    if isinstance(value, datetime):
        time = value
    else:
        try:
            time = datetime.fromisoformat(str(value).strip())
        except ValueError:
            return parse_time(str(value))
    if time.tzinfo is None and zone is not None:
        return time.replace(tzinfo=zone)
    return parse_time(time.isoformat())


def number_of(value: Any) -> float | None:
    """A finite number, None for an empty cell; raises ValueError for a text that is none."""
    if value is None or value == "":
        return None
    number = float(value)
    return number if isfinite(number) else None


def text_of(value: Any) -> str:
    """A cell as text; the mark that keeps a spreadsheet from running it is taken off."""
    text = str(value)
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "\t", "\r") else text
