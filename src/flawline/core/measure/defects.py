"""Measured defects as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.outline import Points
from flawline.core.measure.ragged import Integers


@dataclass(frozen=True, slots=True)
class Defects:
    """Measured defects, ordered by picture and then by their topmost leftmost pixel.

    `picture` is the place of the mask in the batch and `value` the class index, each int64 (N,). `columns` holds the
    measured columns by name, each (N,): their meaning is in `measure.columns.COLUMNS`. Lengths are in pixels, areas in
    square pixels, places from the top left corner of the picture, so that the centre of its first pixel is at
    (0.5, 0.5). `nearest_distance` is infinite where a picture holds one defect only; nothing is NaN.

    `contours`, where requested, holds for each defect the outer contours of its pieces, float32 (points, 2).
    """

    picture: Integers
    value: Integers
    columns: Mapping[str, NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]]
    contours: tuple[tuple[Points, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.picture)

    def __getitem__(self, name: str) -> NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_]:
        """Look up one column; raises KeyError where it was not measured."""
        return self.columns[name]


def joined(parts: Sequence[Defects], pictures: Sequence[int]) -> Defects:
    """Join the defects of consecutive batches; `pictures` is the number of masks in each."""
    first = np.cumsum([0, *pictures[:-1]])
    contours = None
    if all(part.contours is not None for part in parts):
        contours = tuple(rings for part in parts for rings in part.contours or ())
    return Defects(
        np.concatenate([part.picture + at for part, at in zip(parts, first, strict=True)]),
        np.concatenate([part.value for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        contours,
    )
