"""Read sheets of Excel workbooks (.xlsx), with fastexcel."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flawline.data.csv_layout import unreadable
from flawline.data.header_row import header_row
from flawline.data.table_format import TableFormat
from flawline.errors import SourceError

if TYPE_CHECKING:
    import polars as pl

SPREADSHEETS = frozenset({".xlsx", ".xlsm"})
_HEAD_ROWS = 200
# The reader holds all text at once, and a whole rectangle of cells from the first to the last that is not empty.
_MAX_BYTES = 2**28
_MAX_CELLS = 10_000_000
_AT_ONCE = 1 << 20
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,3})(\d{1,9})["']""")


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
    """Refuse a workbook that unpacks to too much, or whose cells lie too far apart, whatever its headers state."""
    left = _MAX_BYTES
    try:
        with zipfile.ZipFile(path) as book:
            for member in book.infolist():
                member.file_size = left + 2 * _AT_ONCE  # a smaller one could be a lie
                left = _refuse_far_cells(path, book.open(member), left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise unreadable(path, f"it is no .xlsx workbook, or damaged: {error}") from error


def _refuse_far_cells(path: Path, member: IO[bytes], left: int) -> int:
    """Look at the places of the cells in a member; returns how many bytes the others may have."""
    columns: set[bytes] = set()
    rows: set[int] = set()
    tail = b""
    with member:
        while data := member.read(_AT_ONCE):
            left -= len(data)
            if left < 0:
                raise unreadable(path, f"it unpacks to more than {_MAX_BYTES >> 20} MiB")
            found = _PLACE.findall(tail + data)
            columns |= {letters for letters, _ in found if letters}
            numbers = {int(number) for number in {number for _, number in found}}
            rows = {*sorted(rows | numbers)[:1], *sorted(rows | numbers)[-1:]}
            tail = data[-64:]
    places = [_column_number(letters) for letters in columns]
    if places and (max(places) - min(places) + 1) * (max(rows) - min(rows) + 1) > _MAX_CELLS:
        raise unreadable(path, f"its cells span more than {_MAX_CELLS:,} places")
    return left


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
