"""Read the tables of `flawline measure` part by part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.scale import PartFrame
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.tables import read_table
from flawline.errors import ManifestError, SourceError
from flawline.specification.judge import MeasuredPart

if TYPE_CHECKING:
    import polars as pl

_INFINITE = "nearest_distance"  # empty if a part has a single defect, with no other near
_DEFECTS = ("image", "class", "part_x", "part_y")
_PARTS = ("image", "height", "width", "unjudged")
_TEXT = ("image", "class", "label", "contours")


def read_parts(
    path: Path, stated: TableFormat = UNSTATED
) -> tuple[tuple[MeasuredPart, ...], frozenset[str], tuple[str, ...]]:
    """Read a table of defects and its table of parts; returns parts in the order of the latter, its columns, and notes.

    Raises:
        SourceError: a table is missing or cannot be read.
        ManifestError: a table lacks a required column, or has defects of an unknown part.
    """
    read = [read_table(each, stated).typed(_TEXT) for each in (path, _parts_path(path))]
    defects, parts = (_typed(table.frame) for table in read)
    _check(defects, _DEFECTS, path)
    _check(parts, _PARTS, path)
    images = defects["image"].to_numpy()
    order = np.argsort(images, kind="stable")  # tables may have been sorted otherwise
    names, first = np.unique(images[order], return_index=True)
    ends = np.append(first, len(order))[1:]
    rows = {str(n): order[a:b] for n, a, b in zip(names, first, ends, strict=True)}
    unknown = sorted(set(rows) - {str(image) for image in parts["image"]})
    if unknown:
        raise ManifestError(
            f"the table of parts has no row for {unknown[0]!r}, which has defects",
            hint="keep the two tables of one `flawline measure` together",
        )
    table = _Table(
        defects["class"].cast(str).to_list(),
        {
            name: _numbers(defects[name], name)
            for name in defects.columns
            if name == "touches_border" or (name not in _TEXT and defects.schema[name].is_numeric())
        },
        defects["contours"].to_list() if "contours" in defects.columns else None,
    )
    none = np.empty(0, dtype=np.int64)
    measured = (_part(row, table, rows.get(str(row["image"]), none)) for row in parts.to_dicts())
    notes = tuple(note for table in read for note in table.notes)
    return tuple(measured), frozenset(parts.columns), notes


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of defects: classes, columns of numbers, and contours where it has them."""

    classes: list[str]
    columns: dict[str, NDArray[np.float64]]
    contours: list[Any] | None


def _parts_path(path: Path) -> Path:
    parts = path.with_name(f"{path.stem}-parts{path.suffix}")
    if not parts.is_file():
        raise SourceError(
            f"cannot read the table {parts.name!r}: it is not in the folder of {path.name!r}",
            hint="give the table of defects that `flawline measure` wrote; its table of parts must lie next to it",
            code="table",
        )
    return parts


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Convert columns without any value to numbers, since a CSV has no types."""
    import polars as pl

    texts = [n for n, kind in frame.schema.items() if kind == pl.String and n not in _TEXT]
    empty = [n for n in texts if frame[n].null_count() == len(frame)]
    return frame.with_columns(pl.col(name).cast(pl.Float64) for name in empty)


def _check(frame: pl.DataFrame, names: tuple[str, ...], path: Path) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ManifestError(
            f"the table {path.name!r} or its table of parts has no column {', '.join(missing)}",
            hint="give the table of defects that `flawline measure` wrote",
        )


def _part(row: dict[str, Any], table: _Table, indices: NDArray[np.int64]) -> MeasuredPart:
    scale = row.get("mm_per_px")
    columns = {
        name: values[indices]
        for name, values in table.columns.items()
        if scale is not None or "_mm" not in name
    }
    return MeasuredPart(
        str(row["image"]),
        tuple(table.classes[place] for place in indices.tolist()),
        columns,
        np.stack([columns["part_x"], columns["part_y"]], axis=1),
        (int(row["height"] or 0), int(row["width"] or 0)),
        None if scale is None else float(scale),
        _outlines(table, indices, row),
        _p_value(row.get("p_value")),
        str(row["unjudged"] or ""),
    )


def _numbers(series: pl.Series, name: str) -> NDArray[np.float64]:
    import polars as pl

    empty = float("inf") if name.startswith(_INFINITE) and not name.endswith("_u") else float("nan")
    return series.cast(pl.Float64).fill_null(empty).to_numpy().astype(np.float64)


def _outlines(
    table: _Table, indices: NDArray[np.int64], row: dict[str, Any]
) -> list[NDArray[np.float64]] | None:
    contours = table.contours
    if contours is None:
        return None
    frame = PartFrame(*(float(row.get(k) or 0) for k in ("origin_x", "origin_y", "frame_angle")))
    return [
        frame.to_part(
            np.array([point for piece in contours[k] for point in piece], dtype=np.float64)
        )
        for k in indices.tolist()
    ]


def _p_value(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number <= 1 else None
