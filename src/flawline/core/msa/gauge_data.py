"""Hold the readings of a gauge study, and reduce them to their cells: the repeats of one part by one operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flawline.errors import FlawlineError

FEWEST = 4
FACTORS = ("part", "operator")


@dataclass(frozen=True, eq=False)
class GaugeData:
    """Readings float64 (N,) with the numbers of their part and operator, int (N,) from 0, and the names of both.

    Parts of a `nested` study belong to one operator each: part 1 of A and part 1 of B are two parts.
    """

    values: NDArray[np.float64]
    part: NDArray[np.int64]
    operator: NDArray[np.int64]
    parts: tuple[str, ...]
    operators: tuple[str, ...]
    nested: bool = False

    @cached_property
    def cells(self) -> Cells:
        """The readings by cell."""
        at = self.part * len(self.operators) + self.operator
        _, first, place = np.unique(at, return_index=True, return_inverse=True)
        counts = np.bincount(place)
        means = np.bincount(place, weights=self.values) / counts
        return Cells(
            means, counts, self.part[first], self.operator[first], self.values - means[place], place
        )

    @property
    def factors(self) -> tuple[str, ...]:
        """What has more than one level: "part", "operator", both or neither."""
        named = zip(FACTORS, (self.parts, self.operators), strict=True)
        return tuple(name for name, levels in named if len(levels) > 1)

    @property
    def trials(self) -> int | None:
        """Readings of each cell; None where they differ or cells are missing."""
        counts = self.cells.counts
        full = len(self.parts) * (1 if self.nested else len(self.operators))
        per_operator = np.bincount(self.cells.operator)
        even = len(counts) == full and np.ptp(counts) == 0 and np.ptp(per_operator) == 0
        return int(counts[0]) if even else None


@dataclass(frozen=True, eq=False)
class Cells:
    """Mean (C,) and number (C,) of the readings of each cell, its part and operator, and what is left of each reading.

    `rest` (N,) are the readings less the mean of their cell, `place` (N,) the cell of each reading.
    """

    means: NDArray[np.float64]
    counts: NDArray[np.int64]
    part: NDArray[np.int64]
    operator: NDArray[np.int64]
    rest: NDArray[np.float64]
    place: NDArray[np.int64]

    @property
    def squares(self) -> float:
        """Sum of squares within cells."""
        return float(self.rest @ self.rest)

    @property
    def degrees(self) -> int:
        """Degrees of freedom within cells."""
        return len(self.rest) - len(self.means)

    def ranges(self) -> NDArray[np.float64]:
        """Compute the range (C,) of the readings of each cell."""
        high, low = np.full((2, len(self.means)), -np.inf)
        np.maximum.at(high, self.place, self.rest)
        np.maximum.at(low, self.place, -self.rest)
        return np.asarray(high + low)

    def deviations(self) -> NDArray[np.float64]:
        """Compute the standard deviation (C,) of the readings of each cell, 0 of a single one."""
        squares = np.bincount(self.place, weights=self.rest**2)
        return np.asarray(np.sqrt(squares / np.maximum(self.counts - 1, 1)))


def gauge_data(
    values: Sequence[float] | NDArray[np.float64],
    part: Sequence[str],
    operator: Sequence[str] | None = None,
    *,
    nested: bool = False,
) -> GaugeData:
    """Number the parts and operators of readings, in the order in which they are met.

    Args:
        values: (N,) finite readings.
        part: (N,) names.
        operator: (N,) names; none where one operator, or the machine alone, took all.
        nested: each part belongs to one operator; equal names of two operators are two parts.

    Raises:
        FlawlineError: ("gauge-few") fewer than 4 readings, no repeated ones, or nothing to compare; ("gauge-constant")
            all readings are equal.
    """
    readings = np.asarray(values, np.float64)
    by = ["" for _ in part] if operator is None else list(operator)
    nested = nested and len(set(by)) > 1
    named = [f"{name} ({who})" if nested else name for name, who in zip(part, by, strict=True)]
    parts, operators = tuple(dict.fromkeys(named)), tuple(dict.fromkeys(by))
    data = GaugeData(
        readings,
        _numbers(named, parts),
        _numbers(by, operators),
        parts,
        operators,
        nested,
    )
    _check(data)
    return data


def _numbers(names: Sequence[str], levels: Sequence[str]) -> NDArray[np.int64]:
    place = {name: number for number, name in enumerate(levels)}
    return np.array([place[name] for name in names], dtype=np.int64)


def _check(data: GaugeData) -> None:
    if len(data.values) < FEWEST:
        raise FlawlineError(
            f"a gauge study needs at least {FEWEST} readings, got {len(data.values)}",
            hint="10 parts, 3 operators and 3 repeats are usual",
            code="gauge-few",
        )
    if np.ptp(data.values) <= 1e-12 * float(np.abs(data.values).max()):
        raise FlawlineError(
            f"all {len(data.values)} readings are {data.values[0]:g}: they say nothing about the gauge",
            hint="name the column of readings with `measure`; a gauge that always reads the same is too coarse",
            code="gauge-constant",
        )
    if not data.factors:
        raise FlawlineError(
            "one part and one operator give nothing to compare",
            hint="repeated readings of one part of known size are a type 1 study: leave out `part`, give `reference`",
            code="gauge-few",
        )
    if data.cells.degrees < 1 and (data.nested or len(data.factors) < 2):
        raise FlawlineError(
            "no part was read twice by the same operator, so that nothing tells how readings repeat",
            hint="read each part at least twice; name the columns with `part` and `operator`",
            code="gauge-few",
        )
