"""Read inspections and defects from the tables of `flawline measure`, of exported records, or of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flawline.data.names import did_you_mean
from flawline.data.process import PROCESS
from flawline.data.table_format import UNSTATED, TableFormat
from flawline.data.tables import Table, read_table
from flawline.errors import FlawlineError, SourceError
from flawline.jobs.study.inspected_parts import TIMES, InspectedParts, numbered

if TYPE_CHECKING:
    import polars as pl

SIGNALS = ("score", "brightness", "sharpness", "focus", "noise", "colour", "warmth", "recipe")
"""Columns of inspections that tell what drifts."""
PLACES = (("part_x", "part_y"), ("x", "y"), ("centroid_x", "centroid_y"), ("circle_x", "circle_y"))
BOX = ("left", "top", "width", "height")
CLASS = ("class", "label")
PART = ("part", "group", "image")
# What ties a defect to its inspection: exported records, measured masks, tables of one's own.
_TIES = (("inspection", "id"), ("image", "image"))


@dataclass(frozen=True, slots=True)
class InspectedColumns:
    """Names of columns that are not the usual ones; None takes those.

    With `of_picture` places are those in the picture, also where the table has them in a frame of the part.
    """

    part: str | None = None
    step: str | None = None
    x: str | None = None
    y: str | None = None
    kind: str | None = None
    size: str | None = None
    further: tuple[str, ...] = ()
    of_picture: bool = False


def read_inspected(
    path: Path, parts: Path | None, named: InspectedColumns, stated: TableFormat = UNSTATED
) -> InspectedParts:
    """Read a table of defects, one row each, and that of the inspected parts, one row per part and step.

    Without the latter, the inspections are those that have a defect.

    Args:
        path: the defects.
        parts: the parts; where it is not given, NAME-parts or inspections next to `path`, if there is one.
        named: columns that are not the usual ones; `further` must be in one of the tables.
        stated: how the tables are written.

    Raises:
        SourceError: a table cannot be read or lacks a column, or defects are of an unknown part.
    """
    of_defects = read_table(path, stated)
    beside = parts or _parts_beside(path)
    of_parts = read_table(beside, stated) if beside else None
    _check(of_defects, of_parts, named)
    if of_parts is None:
        rows, owner = _without_parts(of_defects, named)
    else:
        rows, owner = _joined(of_defects, of_parts, named)
    numeric = _numbers(of_defects, named)
    classes = _first(of_defects.frame, named.kind, CLASS)
    names = ["defect"] * len(owner) if classes is None else _texts(of_defects.frame, classes)
    kind, known = numbered([name or "defect" for name in names])
    x, y = numeric[:2]
    return InspectedParts(
        columns=rows,
        owner=owner,
        classes=known,
        kind=kind,
        places=np.column_stack([x, y]),
        sizes=numeric[2],
        part=_part(rows, named),
        complete=of_parts is not None,
        extent=None if of_parts is None else _extent(of_parts, of_defects, named),
        notes=tuple(note for table in (of_defects, of_parts) if table for note in table.notes),
    )


def _parts_beside(path: Path) -> Path | None:
    """Find the table of parts next to a table of defects."""
    near = [path.with_name(f"{path.stem}-parts{path.suffix}")]
    if path.stem == "defects":
        near += [path.with_name(f"{name}{path.suffix}") for name in ("parts", "inspections")]
    return next((each for each in near if each.is_file()), None)


def _check(of_defects: Table, of_parts: Table | None, named: InspectedColumns) -> None:
    """Refuse names that no table has."""
    columns = [*of_defects.frame.columns, *(of_parts.frame.columns if of_parts else ())]
    own = of_defects.frame.columns
    wanted = [(name, own) for name in (named.x, named.y, named.kind, named.size) if name]
    wanted += [(name, columns) for name in (named.part, named.step, *named.further) if name]
    for name, there in wanted:
        if name not in there:
            listed = ", ".join(there[:12])
            where = (
                of_defects.name
                if there is own or of_parts is None
                else (f"{of_defects.name} or {of_parts.name}")
            )
            raise SourceError(
                f"no column {name!r} in {where}",
                hint=f"{did_you_mean(name, there)} There are: {listed}".strip(),
                code="table",
            )


def _without_parts(
    table: Table, named: InspectedColumns
) -> tuple[dict[str, tuple[str | None, ...]], NDArray[np.int64]]:
    """Make one inspection of the defects of each picture, or of each part and step."""
    frame = table.frame
    ties = [str(name) for name in ("inspection", "image") if name in frame.columns][:1]
    part = _first(frame, named.part, PART)
    if not ties:
        ties = [name for name in (part, named.step or "step") if name in frame.columns]
    if not ties:
        raise SourceError(
            f"{table.name} does not say which part a defect is on",
            hint="name the column with `part`",
            code="table",
        )
    import polars as pl

    texts = frame.select(pl.col(ties).cast(pl.String))
    keys = texts.unique(maintain_order=True).with_row_index("row")
    owner = texts.join(keys, on=ties, how="left", nulls_equal=True, maintain_order="left")[
        "row"
    ].to_numpy()
    _, first = np.unique(owner, return_index=True)
    rows = frame[first]
    wanted = [name for name in rows.columns if name in {*_wanted(named), *ties}]
    return {name: tuple(_texts(rows, name)) for name in wanted}, owner.astype(np.int64)


def _joined(
    of_defects: Table, of_parts: Table, named: InspectedColumns
) -> tuple[dict[str, tuple[str | None, ...]], NDArray[np.int64]]:
    """Find the inspection of each defect, and take further columns of defects that all defects of one share."""
    import polars as pl

    left, right = of_defects.frame, of_parts.frame
    ties = _ties(left, right, named)
    if not ties:
        raise SourceError(
            f"{of_defects.name} and {of_parts.name} share no column that tells which defect is of which part",
            hint="both need an image, or the columns of `part` and `step`",
            code="table",
        )
    names = [f"tie {place}" for place in range(len(ties))]
    keys = right.select(
        pl.col(b).cast(pl.String).alias(n) for (_, b), n in zip(ties, names, strict=True)
    )
    twice = keys.is_duplicated()
    if twice.any():
        at = int(np.flatnonzero(twice.to_numpy())[0])
        raise SourceError(
            f"{of_parts.name} has two rows for {' / '.join(map(str, keys.row(at)))}",
            hint="it needs one row for each inspection of a part; `step` names the column that tells them apart",
            code="table",
        )
    own = left.select(
        pl.col(a).cast(pl.String).alias(n) for (a, _), n in zip(ties, names, strict=True)
    )
    found = own.join(
        keys.with_row_index("row"), on=names, how="left", nulls_equal=True, maintain_order="left"
    )["row"]
    if found.null_count():
        at = int(np.flatnonzero(found.is_null().to_numpy())[0])
        raise SourceError(
            f"{of_parts.name} has no row for {' / '.join(map(str, own.row(at)))}, which has a defect",
            hint="keep the two tables together, or name the other one with `parts`",
            code="table",
        )
    wanted = [name for name in right.columns if name in _wanted(named)]
    return {name: tuple(_texts(right, name)) for name in wanted}, found.to_numpy().astype(np.int64)


def _ties(
    left: pl.DataFrame, right: pl.DataFrame, named: InspectedColumns
) -> list[tuple[str, str]]:
    for mine, theirs in _TIES:
        if mine in left.columns and theirs in right.columns:
            return [(mine, theirs)]
    part = next(
        (n for n in (named.part, "part") if n and n in left.columns and n in right.columns), None
    )
    step = named.step or "step"
    both = step in left.columns and step in right.columns
    return [] if part is None else [(part, part), *([(step, step)] if both else [])]


def _wanted(named: InspectedColumns) -> set[str]:
    own = (named.part, named.step, *named.further)
    return {*PROCESS, *PART, *TIMES, *SIGNALS, *(name for name in own if name)}


def _first(frame: pl.DataFrame, name: str | None, usual: Sequence[str]) -> str | None:
    return name or next((each for each in usual if each in frame.columns), None)


def _part(rows: dict[str, tuple[str | None, ...]], named: InspectedColumns) -> str:
    """Name the column of parts: the first usual one with a value."""
    if named.part:
        return named.part
    usual = [name for name in PART if name in rows]
    return next((n for n in usual if any(rows[n])), next(iter([*usual, *rows])))


def _texts(frame: pl.DataFrame, name: str) -> list[str | None]:
    import polars as pl

    cells = frame[name].cast(pl.String).str.strip_chars().replace("", None)
    return list(cells.to_list())


def _numbers(table: Table, named: InspectedColumns) -> list[NDArray[np.float64]]:
    """Read x, y and size of each defect, NaN where a cell is empty or no number."""
    frame = table.frame
    if named.x and named.y:
        pair: tuple[str, ...] = (named.x, named.y)
    else:
        usual = PLACES[1:] if named.of_picture else PLACES
        pair = next((p for p in (*usual, BOX) if all(n in frame.columns for n in p)), ())
    size = _first(frame, named.size, ("area",))
    size = size if size is not None and size in frame.columns else None
    table = table.with_numbers([*pair, *([size] if size else [])])
    read = {name: _column(table.frame, name) for name in (*pair, *([size] if size else []))}
    nothing = np.full(len(frame), np.nan)
    sizes = nothing if size is None else read[size]
    if pair == BOX:
        left, top, width, height = (read[name] for name in BOX)
        return [left + width / 2, top + height / 2, sizes]
    return [*(read[name] for name in pair), sizes] if pair else [nothing, nothing, sizes]


def _column(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    import polars as pl

    values = (
        frame[name].cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().astype(np.float64)
    )
    return np.where(np.isfinite(values), values, np.nan)


def _extent(
    of_parts: Table, of_defects: Table, named: InspectedColumns
) -> tuple[float, float, float, float] | None:
    """Return the size of the pictures, where places are in their pixels and all are alike."""
    frame = of_parts.frame
    if named.x or not {"height", "width"} <= set(frame.columns):
        return None
    moved = ("origin_x", "origin_y", "frame_angle")
    if any(name in frame.columns and np.nan_to_num(_column(frame, name)).any() for name in moved):
        return None
    sizes = [np.unique(_column(frame, name)) for name in ("width", "height")]
    sizes = [values[np.isfinite(values) & (values > 0)] for values in sizes]
    if any(len(values) != 1 for values in sizes):
        return None
    return 0.0, 0.0, float(sizes[0][0]), float(sizes[1][0])


def need_places(found: InspectedParts) -> None:
    """Refuse defects without places.

    Raises:
        FlawlineError: ("study-places") none has one.
    """
    if len(found.owner) and not np.isfinite(found.places).all(axis=1).any():
        raise FlawlineError(
            "no defect has a place",
            hint=f"name its columns with `x` and `y`; known ones are {', '.join('/'.join(p) for p in PLACES)} and "
            f"{'/'.join(BOX)}",
            code="study-places",
        )
