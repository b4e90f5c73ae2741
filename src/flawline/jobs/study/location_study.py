"""Study where on the part defects gather."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.scan import HotSpot, cells_of, edges_of, hot_spots, once_a_part
from flawline.core.words import counted
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.aligned_places import AlignedBy
from flawline.jobs.study.factors_study import Ranked, study_factors, units
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.inspected_tables import need_places
from flawline.jobs.study.location_splits import OnGrid, Split, study_splits
from flawline.jobs.study.time_spans import time_spans

Floats = NDArray[np.float64]
SURE = 0.05
CELLS = 48
_ANGLES, _RADII = 72, 24
# Fewer parts than this at one place are no repetition.
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place where defects gather.

    `x`, `y` and `radius` are in the unit of the places; with polar coordinates `x` is the angle in degrees and `y` the
    radius. `parts` of the inspected parts have a defect there. `classes` are those of its defects by number,
    `ranked` the
    factors with which they go.
    """

    spot: HotSpot
    x: float
    y: float
    radius: float
    parts: int
    defects: int
    classes: tuple[tuple[str, int], ...]
    ranked: tuple[Ranked, ...]

    @property
    def sure(self) -> bool:
        """Whether chance does as much in fewer than 1 in 20 cases."""
        return self.spot.p < SURE


@dataclass(frozen=True, slots=True, eq=False)
class LocationStudy:
    """Where defects lie: `counts` and `expected` (R, C) of cells with `x_edges` (C + 1,) and `y_edges` (R + 1,).

    With a `centre` columns are angles in degrees and rows radii. `points` (D, 2) are the places in the part's
    coordinates. `mean` is the mean picture of the part, grey, and `extent` (left, top, right, bottom) what it covers,
    None where there is none; `shape` says what is expected. `aligned` says how places came into these coordinates, None
    where they are as given. `splits` are those that were looked at for places of some time, lot, tool or class alone.
    `timed` tells whether there are times that differ.
    """

    parts: int
    defects: int
    counts: Floats
    expected: Floats
    x_edges: Floats
    y_edges: Floats
    centre: tuple[float, float] | None
    points: Floats
    mean: NDArray[np.uint8] | None
    extent: tuple[float, float, float, float] | None
    shape: str
    places: tuple[Place, ...]
    crowded: float
    frame: str
    only: str | None
    aligned: AlignedBy | None
    splits: tuple[Split, ...]
    timed: bool
    notes: tuple[str, ...]

    @property
    def sure(self) -> tuple[Place, ...]:
        """Select the places that are surely no chance."""
        return tuple(place for place in self.places if place.sure)


def study_location(
    found: InspectedParts,
    by: Sequence[str] = (),
    *,
    only: str | None = None,
    at: str | None = None,
    step: str = "step",
    order: Sequence[str] = (),
    centre: tuple[float, float] | None = None,
    mean: NDArray[np.uint8] | None = None,
    inside: NDArray[np.bool_] | None = None,
    aligned: AlignedBy | None = None,
    split: Sequence[str] = (),
    seed: int = 0,
) -> LocationStudy:
    """Look for places with more defects than the shape of the part leads to expect, and what goes with them.

    Args:
        found: inspections and defects with places.
        by: factors to compare at each place, as for `study_factors`.
        only: defects of this class alone.
        at: defects first seen after this step alone.
        step, order: as for `study_steps`, where `at` is given.
        centre: of a ring-shaped part: angles and radii about it in place of x and y.
        mean: the mean picture of the part, which covers the extent of the places.
        inside: where the part is on it, of the same size; everywhere in the extent by default.
        aligned: by what places were aligned; the centre of a round part is used where none is given.
        split: look too for places that belong to some "time" or "class" alone, or to a value of a column such as lot.
        seed: of the draws.

    Raises:
        UsageError: an unknown class or column.
        FlawlineError: no defect with a place.
    """
    need_places(found)
    if only is not None and only not in found.classes:
        raise UsageError(
            f"no defect is of the class {only!r}",
            hint=f"classes are {', '.join(found.classes[:20])}",
        )
    if centre is None and aligned is not None:
        centre = aligned.centre
    notes = list(found.notes)
    rows, chosen = units(found, at, step, order, None, notes)
    chosen = chosen & np.isfinite(found.places).all(axis=1)
    if only is not None:
        chosen &= found.kind == found.classes.index(only)
    if not chosen.any():
        raise FlawlineError("no defect with a place is left to look at", code="study-empty")
    defects = np.flatnonzero(chosen)
    points = found.places[defects]
    x, y, x_edges, y_edges = _grid(found, points, centre)
    column, row = cells_of(x, x_edges), cells_of(y, y_edges)
    known = (column >= 0) & (row >= 0)
    if not known.all():
        beyond = int((~known).sum())
        notes.append(f"{counted(beyond, 'defect')} beyond the edge of the picture left out")
    defects, column, row = defects[known], column[known], row[known]
    shape = len(y_edges) - 1, len(x_edges) - 1
    part = found.part_numbers[found.owner[defects]]
    once = once_a_part(part, row * shape[1] + column)
    counts = np.zeros(shape)
    np.add.at(counts, (row[once], column[once]), 1)
    expected = _expected(x_edges, y_edges, centre, inside, found.span)
    # A defect at the rim of the part is on the part.
    expected = np.maximum(expected, np.where(counts > 0, 0.05 * expected.max(), 0))
    spots = hot_spots(counts, expected, periodic=centre is not None, seed=seed)
    places = [
        _place(found, s, defects, part, row, column, x_edges, y_edges, by, seed) for s in spots
    ]
    on = OnGrid(
        defects[once],
        (row * shape[1] + column)[once],
        rows,
        x_edges,
        y_edges,
        periodic=centre is not None,
    )
    splits = study_splits(found, on, split, notes, seed)
    times = found.times()
    timed = times is not None and time_spans(times[rows]) is not None
    return LocationStudy(
        len(rows),
        len(defects),
        counts,
        expected,
        x_edges,
        y_edges,
        centre,
        found.places[defects],
        mean,
        None if mean is None else found.span,
        "evenly over the part in the mean picture"
        if inside is not None
        else "evenly over the whole range",
        tuple(place for place in places if place.parts >= _FEWEST),
        1 - len(once) / len(defects),
        found.frame,
        only,
        aligned,
        splits,
        timed,
        tuple(notes),
    )


def _grid(
    found: InspectedParts, points: Floats, centre: tuple[float, float] | None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the coordinates of the points and the edges of the cells."""
    left, top, right, bottom = found.span
    if centre is None:
        side = max(right - left, bottom - top) / CELLS or 1.0
        across, down = (max(2, round(length / side)) for length in (right - left, bottom - top))
        return (
            points[:, 0],
            points[:, 1],
            edges_of(left, right, across),
            edges_of(top, bottom, down),
        )
    away = points - centre
    angle = np.degrees(np.arctan2(away[:, 1], away[:, 0])) % 360
    radius = np.hypot(away[:, 0], away[:, 1])
    return (
        angle,
        radius,
        edges_of(0, 360, _ANGLES),
        edges_of(0, float(radius.max()) * 1.001, _RADII),
    )


def _expected(
    x_edges: Floats,
    y_edges: Floats,
    centre: tuple[float, float] | None,
    inside: NDArray[np.bool_] | None,
    span: tuple[float, float, float, float],
) -> Floats:
    """Compute the area of the part in each cell, from 5 x 5 points of it."""
    fine = (np.arange(5) + 0.5) / 5
    x = (x_edges[:-1, None] + np.diff(x_edges)[:, None] * fine).ravel()
    y = (y_edges[:-1, None] + np.diff(y_edges)[:, None] * fine).ravel()
    xs, ys = np.meshgrid(x, y)
    weight = np.ones_like(xs)
    if centre is not None:
        weight = ys
        turned = np.radians(xs)
        xs, ys = centre[0] + ys * np.cos(turned), centre[1] + ys * np.sin(turned)
    left, top, right, bottom = span
    on = (xs >= left) & (xs <= right) & (ys >= top) & (ys <= bottom)
    if inside is not None:
        height, width = inside.shape
        column = np.clip(((xs - left) / max(right - left, 1e-9) * width).astype(int), 0, width - 1)
        row = np.clip(((ys - top) / max(bottom - top, 1e-9) * height).astype(int), 0, height - 1)
        on = on & inside[row, column]
    rows, columns = len(y_edges) - 1, len(x_edges) - 1
    return np.asarray((on * weight).reshape(rows, 5, columns, 5).mean(axis=(1, 3)))


def _place(
    found: InspectedParts,
    spot: HotSpot,
    defects: NDArray[np.int64],
    part: NDArray[np.int64],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    x_edges: Floats,
    y_edges: Floats,
    by: Sequence[str],
    seed: int,
) -> Place:
    here = spot.inside[row, column]
    own = defects[here]
    kinds = np.bincount(found.kind[own], minlength=len(found.classes))
    order = np.argsort(-kinds, kind="stable")
    side_x, side_y = float(x_edges[1] - x_edges[0]), float(y_edges[1] - y_edges[0])
    return Place(
        spot,
        float(x_edges[0] + (spot.column + 0.5) * side_x),
        float(y_edges[0] + (spot.row + 0.5) * side_y),
        spot.radius * (side_x + side_y) / 2,
        len(np.unique(part[here])),
        len(own),
        tuple((found.classes[k], int(kinds[k])) for k in order if kinds[k]),
        _goes_with(found, own, by, seed) if spot.p < SURE else (),
    )


def _goes_with(
    found: InspectedParts, own: NDArray[np.int64], by: Sequence[str], seed: int
) -> tuple[Ranked, ...]:
    """Rank the factors of the defects at a place."""
    alone = replace(
        found,
        owner=found.owner[own],
        kind=np.zeros(len(own), np.int64),
        classes=("defect",),
        places=found.places[own],
        sizes=found.sizes[own],
    )
    try:
        return study_factors(alone, by, seed=seed).sure
    except FlawlineError as error:
        if error.code == "study-factors":
            return ()
        raise
