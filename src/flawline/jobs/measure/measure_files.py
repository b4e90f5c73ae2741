"""Write measured tables as Parquet or CSV; the same measurement gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.outline import Points
from flawline.data.tables import write_frame
from flawline.jobs.measure.measure_tables import defect_columns, part_table
from flawline.jobs.measure.measured_masks import MeasuredMasks

if TYPE_CHECKING:
    import polars as pl

CONTOURS = "contours"


def parts_path(path: Path) -> Path:
    """Return the path of the table of parts: defects.parquet has defects-parts.parquet."""
    return path.with_name(f"{path.stem}-parts{path.suffix}")


def write_tables(measured: MeasuredMasks, path: Path) -> tuple[Path, Path]:
    """Write the table of defects to `path` and the table of parts next to it; returns both paths.

    Missing numbers (a length in mm without a scale, the gap to the nearest of a single defect) are
    empty. Contours are in the Parquet table only: for each defect its pieces, each a list of x and y. Masks that could
    not be measured are rows of the table of parts with the reason in the column `unjudged`.

    Raises:
        UsageError: the path ends neither in .parquet nor in .csv.
    """
    frame = defects_frame(measured)
    if path.suffix.lower() == ".csv":
        frame = frame.drop(CONTOURS)
    return write_frame(frame, path), write_frame(parts_frame(measured), parts_path(path))


def defects_frame(measured: MeasuredMasks) -> pl.DataFrame:
    """Build the table of defects, with the contours as its last column."""
    import polars as pl

    frame = pl.DataFrame({k: _series(v) for k, v in defect_columns(measured).items()})
    return frame.with_columns(_contours(measured.defects.contours or ()))


def _contours(contours: Sequence[tuple[Points, ...]]) -> pl.Series:
    """Nest contours as defects, pieces, points of x and y; built flat, as there are many."""
    import polars as pl

    kind = pl.List(pl.List(pl.List(pl.Float32)))
    if not contours:
        return pl.Series(CONTOURS, [], dtype=kind)
    pieces = [piece for pieces_of_defect in contours for piece in pieces_of_defect]
    owner = np.repeat(
        np.arange(len(contours)), [len(pieces_of_defect) for pieces_of_defect in contours]
    )
    lengths = [len(piece) for piece in pieces]
    flat = pl.DataFrame(
        {
            "defect": np.repeat(owner, lengths),
            "piece": np.repeat(np.arange(len(pieces)), lengths),
            "points": pl.Series(np.concatenate(pieces)).cast(pl.List(pl.Float32)),
        }
    )
    by_piece = flat.group_by("defect", "piece", maintain_order=True).agg("points")
    by_defect = by_piece.group_by("defect", maintain_order=True).agg("points")
    return by_defect["points"].alias(CONTOURS).cast(kind)


def parts_frame(measured: MeasuredMasks) -> pl.DataFrame:
    """Build the table of parts; masks that could not be measured follow with the reason."""
    import polars as pl

    frame = pl.DataFrame({k: _series(v) for k, v in part_table(measured).items()})
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("unjudged"))
    missed = pl.DataFrame(
        {
            "image": pl.Series([item.image for item in measured.unjudged], dtype=pl.String),
            "unjudged": pl.Series([item.reason for item in measured.unjudged], dtype=pl.String),
        }
    )
    return pl.concat([frame, missed], how="diagonal")


def _series(values: NDArray[Any]) -> pl.Series:
    import polars as pl

    if values.dtype == object:
        cells = values.tolist()
        if all(
            isinstance(v, int | float) and not isinstance(v, bool) for v in cells if v is not None
        ):
            numbers = any(v is not None for v in cells)
            return pl.Series(cells, dtype=pl.Float64 if numbers else pl.String, strict=False)
        return pl.Series([None if v is None else str(v) for v in cells], dtype=pl.String)
    if values.dtype.kind == "f":
        return pl.Series(np.where(np.isfinite(values), values, np.nan)).fill_nan(None)
    return pl.Series(values)
