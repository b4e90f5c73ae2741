"""Extractors, and feature sets that join several to one row with named columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError
from flawline.types import Picture


@dataclass(frozen=True, slots=True)
class Column:
    """One field: `name` in tables, `text` in reasons ("gradients at 20°, cell 2,3 of 4x4")."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Extractor:
    """A named function from one picture to float32 (len(columns),), finite for every picture."""

    name: str
    columns: tuple[Column, ...]
    compute: Callable[[Picture], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Extractors side by side: one row per picture."""

    extractors: tuple[Extractor, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of every extractor, in order."""
        return tuple(column for extractor in self.extractors for column in extractor.columns)

    def compute(self, picture: Picture) -> NDArray[np.float32]:
        """Compute the row of one picture, float32 (len(self.columns),)."""
        return finite(np.concatenate([e.compute(picture) for e in self.extractors]))


def finite(row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Check that a row is finite and return it.

    Raises:
        ImageError: a value is not finite, as networks of low precision can give; such a picture cannot be judged.
    """
    if not np.isfinite(row).all():
        raise ImageError(
            "its features are not finite numbers",
            hint="compute in float32 (`precision=f32`); if it stays, the network cannot be used for it",
            code="image-not-finite",
        )
    return row


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a square grid over the picture; rows and columns count from 1."""

    grid: int
    row: int
    column: int

    @property
    def name(self) -> str:
        """Part of a column's name: "4x4_2_3"."""
        return f"{self.grid}x{self.grid}_{self.row}_{self.column}"

    @property
    def text(self) -> str:
        """Part of a reason: "cell 2,3 of 4x4", or "whole picture"."""
        if self.grid == 1:
            return "whole picture"
        return f"cell {self.row},{self.column} of {self.grid}x{self.grid}"


GRIDS = (1, 3, 4)
MICRO = 12  # the least common multiple of the grids: 12x12 micro-cells sum up to every grid


def pyramid_cells() -> tuple[Cell, ...]:
    """List the 26 cells of the 1x1, 3x3 and 4x4 grids, row by row."""
    return tuple(
        Cell(grid, row + 1, column + 1)
        for grid in GRIDS
        for row in range(grid)
        for column in range(grid)
    )


def pyramid_means(micro: NDArray[Any]) -> list[NDArray[Any]]:
    """Average values (12, 12, K) of micro-cells over each grid: arrays (1, K), (9, K) and (16, K)."""
    depth = micro.shape[2]
    return [
        micro.reshape(grid, MICRO // grid, grid, MICRO // grid, depth)
        .mean(axis=(1, 3))
        .reshape(grid * grid, depth)
        for grid in GRIDS
    ]
