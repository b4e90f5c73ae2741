"""Import tables of defects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.table_format import TableFormat
from flawline.data.tables import read_table
from flawline.errors import ManifestError
from flawline.records.cells import number_of, text_of
from flawline.records.record import DefectRecord

if TYPE_CHECKING:
    import polars as pl

_BOX = ("left", "top", "width", "height")
_NAMES = {*_BOX, "inspection", "number", "defect", "image", "part", "captured", "class"}


def defects_next_to(path: Path) -> Path | None:
    """Find the table of defects that an export or `flawline measure` wrote next to a table of parts."""
    stem = "defects" if path.stem == "inspections" else path.stem.removesuffix("-parts")
    defects = path.with_name(f"{stem}{path.suffix}")
    return defects if defects != path and defects.is_file() else None


def owner_of(parts: pl.DataFrame, fields: Mapping[str, str]) -> str:
    """Name the column of `parts` that their defects refer to: the number in an export, else the image."""
    return "id" if "id" in parts.columns else fields.get("image", "image")


def read_defects(
    path: Path, parts: pl.DataFrame, owner: str, stated: TableFormat
) -> tuple[dict[str, list[DefectRecord]], tuple[str, ...]]:
    """Read the defects of each row of `parts`, by its cell in the column `owner`; returns them with notes.

    Raises:
        SourceError: the table cannot be read.
        ManifestError: it lacks a column, or names a part that the other table does not have.
    """
    read = read_table(path, stated)
    names = [name for name in read.frame.columns if read.is_numeric(name)]
    rows = read.with_numbers([n for n in names if n not in _NAMES or n in _BOX]).frame
    own = "inspection" if owner == "id" else "image"
    for name, table in ((own, rows), ("class", rows), (owner, parts)):
        if name not in table.columns:
            raise ManifestError(
                f"the table of defects {path.name} or that of its parts has no column {name!r}",
                hint="give the two tables that were written together",
            )
    known = {str(cell) for cell in parts[owner]}
    # `flawline measure` has left and top as measures; they are a box only with width and height.
    boxed = set(_BOX) <= set(rows.columns)
    measures = [n for n in names if n not in _NAMES]
    if not boxed:
        measures += [n for n in _BOX if n in names]
    found: dict[str, list[DefectRecord]] = {}
    for row in rows.iter_rows(named=True):
        if str(row[own]) not in known:
            raise ManifestError(
                f"{path.name} has a defect of {row[own]!r}, which the other table does not know",
                hint="give the two tables that were written together",
            )
        found.setdefault(str(row[own]), []).append(_defect(row, measures, boxed))
    left = [n for n in rows.columns if n not in measures and n not in _NAMES]
    told = (f"left out of defects: {', '.join(left)}",) if left else ()
    return found, (*read.notes, *told)


def _defect(row: Mapping[str, Any], measures: list[str], boxed: bool) -> DefectRecord:
    values = {name: number_of(row[name]) for name in measures}
    measured = {name: value for name, value in values.items() if value is not None}
    box = None
    if boxed and row["left"] not in (None, ""):
        left, top, width, height = (int(float(row[name])) for name in _BOX)
        box = left, top, width, height
    return DefectRecord(text_of(row["class"]), box, measured)
