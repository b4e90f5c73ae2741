"""Read sheets of spreadsheets: Excel and OpenDocument, with fastexcel."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.csv_layout import unreadable
from flawline.data.header_row import header_row
from flawline.data.table_format import TableFormat
from flawline.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

SPREADSHEETS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_HEAD_ROWS = 200
# A sheet of a million rows has about 400 MB of XML; what unpacks to more is no table.
_MAX_BYTES = 2**29


def read_sheet(
    path: Path, stated: TableFormat
) -> tuple[pl.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Read the one sheet with cells, or the stated one: the cells below the names, the names, and notes in words.

    Columns of one type have that type; those with numbers and texts are texts.

    Raises:
        SourceError: it is no spreadsheet, or several sheets have cells and none is stated.
        OSError: it cannot be read.
    """
    import fastexcel
    import polars as pl

    _refuse_huge(path)
    try:
        book = fastexcel.read_excel(path)
        sheets = [stated.sheet] if stated.sheet else book.sheet_names
        filled = {name: texts for name in sheets if len(texts := _texts(book, name))}
        name = _only(list(filled), path, book.sheet_names)
        texts = filled[name]
        head = [[cell or "" for cell in row] for row in texts.head(_HEAD_ROWS).rows()]
        header = header_row(head) if stated.header is None else stated.header - 1
        if len(head) <= header:
            raise unreadable(path, "it has no row of names")
        typed = book.load_sheet(
            name, header_row=None, skip_rows=header + 1, schema_sample_rows=None
        ).to_polars()
    except fastexcel.FastExcelError as error:
        raise unreadable(path, str(error).partition("\n")[0]) from error
    columns = [_column(*pair) for pair in zip(typed, texts.slice(header + 1), strict=False)]
    notes = [f"sheet {name!r}"] if len(book.sheet_names) > 1 else []
    titles = sum(any(row) for row in head[:header])
    if titles:
        notes.append(f"{titles} title row{'s' if titles > 1 else ''} passed over")
    told = (f"{path.name}: {', '.join(notes)}",) if notes else ()
    return pl.DataFrame(columns), tuple(map(str.strip, head[header])), told


def _texts(book: Any, name: str) -> pl.DataFrame:
    frame: pl.DataFrame = book.load_sheet(
        name, header_row=None, skip_rows=0, dtypes="string"
    ).to_polars()
    return frame


def _only(filled: list[str], path: Path, sheets: list[str]) -> str:
    if not filled:
        raise unreadable(path, "it has no cells")
    if len(filled) > 1:
        raise SourceError(
            f"{path.name} has several sheets with cells: {', '.join(filled)}",
            hint=f"say which: `table_format=sheet={filled[0]}`",
            code="table",
        )
    return filled[0]


def _column(typed: pl.Series, texts: pl.Series) -> pl.Series:
    """Take the numbers of a column with all their digits, and the texts among them."""
    import polars as pl

    if typed.dtype == pl.Float64 and (typed.drop_nulls() == typed.drop_nulls().round()).all():
        typed = typed.cast(pl.Int64, strict=False)
    lost = typed.is_null() & texts.is_not_null()
    if typed.dtype == pl.String or not lost.any():
        return typed.rename(texts.name)
    return texts.zip_with(lost, typed.cast(pl.String)).rename(texts.name)


def _refuse_huge(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > _MAX_BYTES:
        raise unreadable(
            path,
            f"it unpacks to {size / 2**20:.0f} MiB, and at most {_MAX_BYTES // 2**20} are read",
        )
