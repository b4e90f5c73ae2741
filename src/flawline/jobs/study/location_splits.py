"""Look for places where defects gather at some time alone, or with one lot, tool or class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.split_scan import SplitSpot, split_spots
from flawline.data.names import did_you_mean
from flawline.errors import UsageError
from flawline.jobs.study.inspected_parts import TIMES, InspectedParts, numbered
from flawline.jobs.study.time_spans import time_spans

Numbers = NDArray[np.int64]
TIME, CLASS = "time", "class"
_MOST_LEVELS = 40
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class SplitPlace:
    """A place that belongs to some levels of a split, those from `spot.first` up to before `spot.end`.

    `there` and `elsewhere` count what has a defect at the place, and all, in those levels and in the others: parts, or
    defects where the split is by class. `by_level` (levels, 2) are the same for each level. `p` is adjusted for the
    number of splits.
    """

    spot: SplitSpot
    x: float
    y: float
    there: tuple[int, int]
    elsewhere: tuple[int, int]
    by_level: Numbers
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A split of the defects: its `name`, the `levels`, the `unit` of time spans, and the places, the surest first."""

    name: str
    unit: str
    levels: tuple[str, ...]
    places: tuple[SplitPlace, ...]

    @property
    def ordered(self) -> bool:
        """Whether the levels follow each other."""
        return self.name == TIME


@dataclass(frozen=True, slots=True, eq=False)
class OnGrid:
    """Defects on the grid, one for each part and cell.

    `defect` (D,) are their numbers, `cell` (D,) theirs on the grid of `x_edges` and `y_edges`, `rows` (U,) the
    inspections that count, one for each part.
    """

    defect: Numbers
    cell: Numbers
    rows: Numbers
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    periodic: bool


def study_splits(
    found: InspectedParts, grid: OnGrid, names: Sequence[str], notes: list[str], seed: int
) -> tuple[Split, ...]:
    """Scan each split; p of all is multiplied by their number (Bonferroni).

    Args:
        found: inspections and defects.
        grid: the defects that count.
        names: of the splits: "time", "class", or columns such as lot and tool.
        notes: takes what is to be said of splits without two values.
        seed: of the draws.

    Raises:
        UsageError: an unknown column.
    """
    wanted = list(dict.fromkeys(TIME if name in TIMES else name for name in names))
    splits = [_split(found, grid, name, len(wanted), notes, seed) for name in wanted]
    return tuple(split for split in splits if split is not None)


def _split(
    found: InspectedParts, grid: OnGrid, name: str, count: int, notes: list[str], seed: int
) -> Split | None:
    unit, level, levels = _levels(found, grid, name)
    # Of very many values those with the most are looked at; the others cannot have a place of their own.
    many = np.bincount(level[level >= 0], minlength=len(levels))
    if len(levels) > _MOST_LEVELS:
        kept = np.sort(np.argsort(-many, kind="stable")[:_MOST_LEVELS])
        place = np.full(len(levels) + 1, -1)
        place[kept] = np.arange(len(kept))
        notes.append(
            f"of {len(levels)} values of {name} the {_MOST_LEVELS} most frequent are looked at"
        )
        level, levels = place[level], tuple(levels[k] for k in kept)
    units = np.arange(len(grid.defect)) if name == CLASS else _unit(found, grid)
    known = level[units] >= 0
    if len(levels) < 2 or len(np.unique(level[units[known]])) < 2:
        notes.append(f"{name} has no two values to tell apart")
        return None
    shape = len(grid.y_edges) - 1, len(grid.x_edges) - 1
    # Parts without a value are no part of this.
    place = np.cumsum(level >= 0) - 1
    spots = split_spots(
        grid.cell[known],
        place[units[known]],
        level[level >= 0],
        shape,
        ordered=name == TIME,
        periodic=grid.periodic,
        seed=seed,
    )
    places = [_place(grid, spot, units, level, len(levels), count) for spot in spots]
    usable = tuple(one for one in places if one.there[0] >= _FEWEST)
    return Split(name, unit, levels, usable)


def _levels(found: InspectedParts, grid: OnGrid, name: str) -> tuple[str, Numbers, tuple[str, ...]]:
    """Return the unit, the level of each part (or defect, of classes), and the names of the levels."""
    if name == CLASS:
        return "", found.kind[grid.defect], found.classes
    if name == TIME:
        times = found.times()
        spans = None if times is None else time_spans(times[grid.rows])
        if spans is None:
            raise UsageError(
                "`split` by time needs times that differ",
                hint="name another split, such as lot or tool",
            )
        return spans.unit, spans.level, spans.starts
    if name not in found.columns:
        known = [TIME, CLASS, *found.columns]
        raise UsageError(
            f"no column {name!r} to split by",
            hint=did_you_mean(name, known) or f"there are {', '.join(known[:15])}",
        )
    cells = found.columns[name]
    level, levels = numbered([cells[row] for row in grid.rows])
    return "", level, levels


def _unit(found: InspectedParts, grid: OnGrid) -> Numbers:
    """Number the part of each defect among those that count, (D,)."""
    place = np.full(found.count, -1)
    place[grid.rows] = np.arange(len(grid.rows))
    return np.asarray(place[found.owner[grid.defect]], np.int64)


def _place(
    grid: OnGrid, spot: SplitSpot, units: Numbers, level: Numbers, levels: int, count: int
) -> SplitPlace:
    inside = np.unique(units[spot.inside.ravel()[grid.cell]])
    by_level = np.column_stack(
        [np.bincount(one[one >= 0], minlength=levels) for one in (level[inside], level)]
    )
    now = by_level[spot.first : spot.end].sum(axis=0)
    other = by_level.sum(axis=0) - now
    side_x, side_y = (float(edges[1] - edges[0]) for edges in (grid.x_edges, grid.y_edges))
    return SplitPlace(
        spot,
        float(grid.x_edges[0] + (spot.column + 0.5) * side_x),
        float(grid.y_edges[0] + (spot.row + 0.5) * side_y),
        (int(now[0]), int(now[1])),
        (int(other[0]), int(other[1])),
        by_level,
        min(1.0, spot.p * count),
    )
