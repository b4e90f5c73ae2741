"""Read third-party tables and write tables: CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.csv_file import spreadsheet_safe
from flawline.data.sniff import HEAD_BYTES, describe, picture_format
from flawline.data.whole_file import replacing
from flawline.errors import SourceError, UsageError

if TYPE_CHECKING:
    import polars as pl

_WRITTEN = (".parquet", ".csv")


def read_table(path: Path, *, infer: bool = False) -> pl.DataFrame:
    """Read a CSV in UTF-8 with a header (separated by comma, semicolon or tab) or a Parquet file.

    Brackets and stars in the name of the file are no pattern. Names of columns are stripped of spaces.

    Args:
        path: the file; Parquet is recognised by its content or extension, any other file is read as CSV.
        infer: whether columns of a CSV get a type from their cells; otherwise they are text. Parquet has its own types.

    Raises:
        SourceError: it cannot be read as a table.
    """
    import polars as pl

    head = b""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            if _is_parquet(path, head):
                frame = pl.read_parquet(path, glob=False)
            else:
                header = file.readline().decode("utf-8-sig")
                frame = pl.read_csv(
                    path,
                    separator=separator_of(header),
                    infer_schema=infer,
                    infer_schema_length=None,
                    glob=False,
                )
        return frame.rename(str.strip)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        raise SourceError(
            f"cannot read the table {path.name!r}: {_reason(error, path, head)}",
            hint="give a CSV in UTF-8 with a header, or a Parquet file",
            code="table",
        ) from error


def separator_of(header: str) -> str:
    """Find which of comma, semicolon and tab separates the names in the first line of a CSV."""
    return max(",;\t", key=header.count)


def check_output(path: Path) -> Path:
    """Return the path of a table to write; raises UsageError unless it ends in .parquet or .csv."""
    if path.suffix.lower() not in _WRITTEN:
        raise UsageError(
            f"expected an output that ends in {' or '.join(_WRITTEN)}, got {path.name!r}",
            hint="Parquet is smaller and keeps the types of the columns and lists such as contours",
        )
    return path


def write_frame(frame: pl.DataFrame, path: Path) -> Path:
    """Write a table, whole or not at all; the same table gives the same bytes.

    A CSV quotes text that a spreadsheet would run as a formula.

    Raises:
        UsageError: the path ends neither in .parquet nor in .csv.
    """
    with replacing(check_output(path)) as part:
        if path.suffix.lower() == ".parquet":
            frame.write_parquet(part, compression="zstd")
        else:
            _quoted(frame).write_csv(part)
    return path


def _quoted(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    def quoted(cells: pl.Series) -> pl.Series:
        safe = [None if cell is None else str(spreadsheet_safe(cell)) for cell in cells]
        return pl.Series(cells.name, safe, dtype=pl.String)

    return frame.with_columns(quoted(cells) for cells in frame if cells.dtype == pl.String)


def _is_parquet(path: Path, head: bytes) -> bool:
    return head.startswith(b"PAR1") or path.suffix.lower() == ".parquet"


def _reason(error: Exception, path: Path, head: bytes) -> Any:
    """Return the kind of the file where it is no text, otherwise the error of its reader."""
    content = picture_format(head) or describe(head)
    if head and content != "plain text" and not _is_parquet(path, head):
        return f"it is {content}"
    lines = str(error).splitlines()
    return getattr(error, "strerror", None) or (lines[0] if lines else type(error).__name__)
