"""Inspections and their defects as columns, from tables or from records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flawline.data.names import natural_key
from flawline.data.times import local_time
from flawline.errors import FlawlineError, UsageError

Names = tuple[str | None, ...]
TIMES = ("captured", "time", "timestamp")


@dataclass(frozen=True, eq=False)
class InspectedParts:
    """N inspections and their D defects.

    `columns` are texts of each inspection (N,), None where unknown. `owner` (D,) is the inspection of each defect,
    `kind` (D,) its place in `classes`, `places` (D, 2) its x and y in `frame` and `sizes` (D,) its area, NaN where
    unknown. `part` names the column of parts. `extent` (left, top, right, bottom) is where defects can lie, as far as
    it is known. `complete` tells whether inspections without a defect are among them. `ids` are the numbers of the
    inspections in the records, () for tables.
    """

    columns: dict[str, Names]
    owner: NDArray[np.int64]
    classes: tuple[str, ...]
    kind: NDArray[np.int64]
    places: NDArray[np.float64]
    sizes: NDArray[np.float64]
    part: str
    complete: bool
    frame: str = "px"
    extent: tuple[float, float, float, float] | None = None
    notes: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()

    def only(self, rows: NDArray[np.bool_]) -> InspectedParts:
        """Keep some of the inspections, bool (N,), and their defects."""
        defects = rows[self.owner]
        kept = np.flatnonzero(rows)
        return replace(
            self,
            columns={
                name: tuple(cells[row] for row in kept) for name, cells in self.columns.items()
            },
            owner=(np.cumsum(rows) - 1)[self.owner[defects]],
            kind=self.kind[defects],
            places=self.places[defects],
            sizes=self.sizes[defects],
            ids=tuple(self.ids[row] for row in kept) if self.ids else (),
        )

    @property
    def count(self) -> int:
        """Count the inspections."""
        return len(next(iter(self.columns.values())))

    @cached_property
    def part_numbers(self) -> NDArray[np.int64]:
        """Number the part of each inspection, (N,), from 0; one without a name is a part of its own."""
        names = self.columns[self.part]
        return numbered([name or f"\0{place}" for place, name in enumerate(names)])[0]

    def levels(self, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Number the values of a column, (N,), -1 where unknown, and name them in natural order."""
        return numbered(self.columns[name])

    def times(self) -> NDArray[np.float64] | None:
        """Return the time of each inspection, (N,), in seconds since 1970, NaN where unknown; None without any.

        Times without a zone are compared with each other as they are.
        """
        cells = next(
            (self.columns[name] for name in TIMES if any(self.columns.get(name, ()))), None
        )
        if cells is None:
            return None
        known = {cell: _seconds(cell) for cell in set(cells)}
        return np.array([known[cell] for cell in cells])

    @property
    def span(self) -> tuple[float, float, float, float]:
        """Return where defects can lie: the extent, or else the smallest box around all of them."""
        if self.extent is not None:
            return self.extent
        known = self.places[np.isfinite(self.places).all(axis=1)]
        if not len(known):
            raise FlawlineError(
                "no defect has a place",
                hint="name the columns of the places with `x` and `y`",
                code="study-empty",
            )
        (left, top), (right, bottom) = known.min(axis=0), known.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def numbered(names: Sequence[str | None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Number names from 0 in natural order ("2" before "10"), -1 for None; returns the numbers and the names."""
    distinct = sorted({name for name in names if name is not None}, key=natural_key)
    places = {name: place for place, name in enumerate(distinct)}
    numbers = (-1 if name is None else places[name] for name in names)
    return np.fromiter(numbers, np.int64, len(names)), tuple(distinct)


def _seconds(cell: str | None) -> float:
    if cell is None:
        return np.nan
    try:
        # Nearly all times are written like this, and it is a hundred times as fast.
        time = datetime.fromisoformat(cell)
    except ValueError:
        try:
            time = local_time(cell)
        except UsageError:
            return np.nan
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
