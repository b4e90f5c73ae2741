"""Read the rows of a manifest: CSV and Parquet piece by piece, a sheet of a spreadsheet whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.data.csv_layout import CsvLayout, csv_layout, csv_rows, refuse_twice
from flawline.data.names import Findings, did_you_mean
from flawline.data.spreadsheet import SPREADSHEETS
from flawline.data.tables import Table, read_table
from flawline.errors import ManifestError, SourceError

_FIELDS = ("image", "label", "mask", "group", "split")
_BATCH = 20_000
_COLUMNS_HINT = (
    "Columns are image, and where known label, mask, group and split; any other is kept."
)


@dataclass(frozen=True, slots=True)
class ParquetColumns:
    """The columns of a Parquet table."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


Opened = CsvLayout | ParquetColumns | Table


def open_manifest(path: Path) -> Opened:
    """Find out how a manifest is written; raises ManifestError where it is no table."""
    kind = path.suffix.lower()
    try:
        if kind == ".parquet":
            names = tuple(map(str.strip, _parquet_columns(path)))
            refuse_twice(path, names)
            return ParquetColumns(names)
        return read_table(path) if kind in SPREADSHEETS else csv_layout(path)
    except SourceError as error:
        raise _refused(error) from error
    except OSError as error:
        raise ManifestError(
            f"cannot read {path.name}: {error.strerror}", hint="Check that the file may be read."
        ) from error


def manifest_columns(path: Path, opened: Opened) -> dict[str, str]:
    """Find the column of each field of a sample; raises ManifestError where `image` is missing or stands twice."""
    names = opened.frame.columns if isinstance(opened, Table) else list(filter(None, opened.names))
    folded = [name.casefold() for name in names]
    twice = [field for field in _FIELDS if folded.count(field) > 1]
    if twice:
        raise ManifestError(
            f"the column {twice[0]!r} of {path.name} appears twice", hint="Rename one of them."
        )
    if "image" not in folded:
        raise ManifestError(
            f"expected a column 'image' in {path.name}, found "
            + (", ".join(map(repr, names[:30])) or "no columns"),
            hint=" ".join(filter(None, (_nearest(names), _COLUMNS_HINT))),
        )
    return {field: names[folded.index(field)] for field in _FIELDS if field in folded}


def manifest_rows(
    path: Path, opened: Opened, findings: Findings
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows with their numbers, by the names of the columns; those of another length are passed over."""
    if isinstance(opened, ParquetColumns):
        return _parquet_rows(path)
    if isinstance(opened, Table):
        return enumerate(opened.frame.iter_rows(named=True), start=2)
    return _csv_rows(path, opened, findings)


def _nearest(names: list[str]) -> str:
    aliases = ("image", "images", "image_path", "filename", "file", "path", "picture", "img")
    found = next((name for alias in aliases for name in names if name.casefold() == alias), None)
    if found:
        return f"Rename the column {found!r} to 'image'."
    return did_you_mean("image", names)


def _csv_rows(
    path: Path, layout: CsvLayout, findings: Findings
) -> Iterator[tuple[int, dict[str, Any]]]:
    names = _with_places(layout.names)
    width, named = len(names), _named_width(layout.names)
    try:
        for number, row in enumerate(csv_rows(path, layout), start=layout.header + 2):
            if not row:
                continue
            if len(row) < named or any(map(str.strip, row[width:])):
                findings.passed_over["wrong number of columns"] += 1
                findings.problem(f"row {number}: expected {named} columns, found {len(row)}")
                continue
            cells = zip(layout.names, names, row, strict=False)
            yield number, {called: cell for name, called, cell in cells if name or cell.strip()}
    except SourceError as error:
        raise _refused(error) from error


def _refused(error: SourceError) -> ManifestError:
    """Make the error of a manifest, for which nothing can be stated."""
    stated = "table_format" in error.hint
    return ManifestError(error.message, hint="Save it as CSV UTF-8." if stated else error.hint)


def _with_places(names: Sequence[str]) -> list[str]:
    return [name or f"column {place}" for place, name in enumerate(names, start=1)]


def _named_width(names: Sequence[str]) -> int:
    """Count the columns up to the last one with a name."""
    return max((place for place, name in enumerate(names, start=1) if name), default=0)


def _parquet_columns(path: Path) -> list[str]:
    import polars as pl

    try:
        return pl.scan_parquet(path, glob=False).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ManifestError(
            f"cannot read {path.name} as Parquet: {error}", hint="Write the table again."
        ) from error


def _parquet_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    import polars as pl

    start = 0
    while True:
        try:
            batch = pl.scan_parquet(path, glob=False).slice(start, _BATCH).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ManifestError(
                f"cannot read {path.name} as Parquet: {error}", hint="Write the table again."
            ) from error
        for number, row in enumerate(batch.iter_rows(named=True), start=start + 1):
            yield number, {key.strip(): value for key, value in row.items()}
        start += _BATCH
        if len(batch) < _BATCH:
            return
