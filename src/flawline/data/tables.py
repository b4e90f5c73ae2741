"""Read third-party tables and write tables: CSV, Parquet or sheets of spreadsheets in, CSV or Parquet out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.data.csv_file import spreadsheet_safe
from flawline.data.csv_layout import CsvLayout, csv_layout, csv_rows, refuse_twice, unreadable
from flawline.data.day_texts import day_or_month, iso_text
from flawline.data.number_texts import Decimal, decimal_of, is_numbers, stated_decimals, with_points
from flawline.data.sniff import HEAD_BYTES
from flawline.data.spreadsheet import SPREADSHEETS, read_sheet
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.whole_file import replacing
from flawline.errors import SourceError, UsageError

if TYPE_CHECKING:
    import polars as pl

_WRITTEN = (".parquet", ".csv")
_AT_ONCE = 50_000
_BOOLEANS = {
    "true": True,
    "wahr": True,
    "vrai": True,
    "false": False,
    "falsch": False,
    "faux": False,
}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table of another program: cells of a CSV are texts, those of other files have their types; empty ones are None.

    `notes` say in words what was understood of it. `semicolons` is whether semicolons separate its cells.
    """

    name: str
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
    stated: TableFormat = UNSTATED
    semicolons: bool = False

    def with_numbers(self, names: Sequence[str]) -> Table:
        """Write the numbers of these columns with a decimal point, without thousands separators; other texts stay.

        Raises:
            SourceError: ("table") they can be read in two ways.
        """
        texts = [name for name in dict.fromkeys(names) if name in self._texts()]
        frame, commas, grouped = self.frame, [], []
        for name in texts:
            decimal = self.stated.decimal or self._decimal(name)
            cells, has_groups = with_points(self.frame[name], decimal)
            changed = self.frame[name].filter(cells.ne_missing(self.frame[name]))
            has_commas = decimal == "comma" and changed.str.contains(",", literal=True).any()
            commas += [name] if has_commas else []
            grouped += [name] if has_groups else []
            frame = frame.with_columns(cells)
        told = [f"{self.name}: decimal commas in {', '.join(commas)}"] if commas else []
        told += [f"{self.name}: thousands separators in {', '.join(grouped)}"] if grouped else []
        return replace(self, frame=frame, notes=(*self.notes, *told))

    def with_times(self, names: Sequence[str]) -> Table:
        """Write dates such as 01.03.2026 in these columns in ISO 8601; other texts stay.

        Raises:
            SourceError: ("table") day and month cannot be told apart.
        """
        import polars as pl

        frame = self.frame
        for name in (name for name in names if name in self._texts()):
            cells = frame[name].to_list()
            first = self.stated.dates or day_or_month(cell for cell in cells if cell)
            try:
                written = [cell and iso_text(cell, first) for cell in cells]
            except UsageError as error:
                told = f"the column {name!r} of {self.name}: {error.message}"
                raise SourceError(told, hint=error.hint, code="table") from error
            frame = frame.with_columns(pl.Series(name, written, dtype=pl.String))
        return replace(self, frame=frame)

    def is_numeric(self, name: str) -> bool:
        """Tell whether a column holds numbers, or texts that are all numbers; empty cells do not count."""
        cells = self.frame[name]
        return cells.dtype.is_numeric() or (name in self._texts() and is_numbers(cells))

    def is_truth(self, name: str) -> bool:
        """Tell whether a column holds truth values, not texts of them."""
        import polars as pl

        return self.frame[name].dtype == pl.Boolean

    def typed(self, texts: Sequence[str] = ()) -> Table:
        """Give each column of texts, but for those named, the type of its cells: whole number, number or truth."""
        import polars as pl

        numbers = [n for n in self._texts() if n not in texts and self.is_numeric(n)]
        table = self.with_numbers(numbers)
        frame = table.frame.with_columns(pl.col(numbers).cast(pl.Float64))
        for name in numbers:
            cells = table.frame[name].drop_nulls()
            if cells.str.contains(r"^[+-]?[0-9]{1,18}$").all():
                frame = frame.with_columns(table.frame[name].cast(pl.Int64))
        for name in (n for n in self._texts() if n not in texts and n not in numbers):
            words = frame[name].str.strip_chars().str.to_lowercase()
            if len(words.drop_nulls()) and words.drop_nulls().is_in(list(_BOOLEANS)).all():
                truths = words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)
                frame = frame.with_columns(truths)
        return replace(table, frame=frame)

    def _texts(self) -> list[str]:
        import polars as pl

        return [name for name, kind in self.frame.schema.items() if kind == pl.String]

    def _decimal(self, name: str) -> Decimal:
        others = (self.frame[other] for other in self._texts() if other != name)
        return decimal_of(
            self.frame[name],
            lambda: stated_decimals(others),
            semicolons=self.semicolons,
            table=self.name,
        )


def read_table(path: Path, stated: TableFormat = UNSTATED) -> Table:
    """Read a CSV, a Parquet file or a sheet of a spreadsheet.

    Separator, encoding and the row of the names of a CSV are found from its content, unless `stated`. Brackets and
    stars in the name of the file are no pattern. Names of columns are stripped of spaces; a column with cells and no
    name is called by its place, such as "column 3". Parquet is recognised by its content or extension, a spreadsheet
    by its extension, any other file is read as CSV.

    Raises:
        SourceError: it cannot be read as a table, or a name stands over two columns.
    """
    import polars as pl

    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(b"PAR1") or path.suffix.lower() == ".parquet":
            frame = pl.read_parquet(path, glob=False)
            refuse_twice(path, [name.strip() for name in frame.columns])
            return Table(path.name, frame.rename(str.strip), (), stated)
        if path.suffix.lower() in SPREADSHEETS:
            frame, names, notes = read_sheet(path, stated)
            refuse_twice(path, names)
            return _named(Table(path.name, frame, notes, stated), names)
        layout = csv_layout(path, stated)
        table = Table(
            path.name, _frame(path, layout), layout.notes, stated, layout.separator == ";"
        )
        return _named(table, layout.names)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        lines = str(error).splitlines()
        reason = getattr(error, "strerror", None) or (lines[0] if lines else type(error).__name__)
        raise unreadable(path, reason) from error


def _frame(path: Path, layout: CsvLayout) -> pl.DataFrame:
    import polars as pl

    names = [str(place) for place in range(len(layout.names))]
    rows = _even_rows(path, layout, len(names))
    pieces = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
    while some := list(islice(rows, _AT_ONCE)):
        columns = zip(names, zip(*some, strict=True), strict=True)
        pieces.append(pl.DataFrame([pl.Series(name, cells) for name, cells in columns]))
    return pl.concat(pieces).with_columns(pl.all().replace("", None))


def _even_rows(path: Path, layout: CsvLayout, count: int) -> Iterator[list[str]]:
    for number, row in enumerate(csv_rows(path, layout), start=1):
        if len(row) == count:
            yield row
        elif any(cell.strip() for cell in row[count:]):
            raise SourceError(
                f"cannot read the table {path.name!r}: row {number} has {len(row)} cells for {count} names",
                hint="give a CSV in UTF-8 with a name over each column; decimal commas need quotes, or another "
                "separator",
                code="table",
            )
        else:
            yield [*row[:count], *[""] * (count - len(row))]


def _named(table: Table, names: Sequence[str]) -> Table:
    """Name the columns; those without a name are left out where they are empty."""
    frame = table.frame
    kept = [
        (column, names[n] if n < len(names) and names[n] else f"column {n + 1}")
        for n, column in enumerate(frame.columns)
        if (n < len(names) and names[n]) or frame[column].null_count() < len(frame)
    ]
    nameless = [name for _, name in kept if name not in names]
    told = [f"{table.name}: without a name: {', '.join(nameless)}"] if nameless else []
    frame = frame.select(column for column, _ in kept).rename(dict(kept))
    return replace(table, frame=frame, notes=(*table.notes, *told))


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
