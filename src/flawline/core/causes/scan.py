"""Find places with more defects than expected: the spatial scan statistic of Kulldorff on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.causes.circles import Bools, Circles, Floats, circles_of

DRAWS = 499
_MOST_SPOTS = 5
_AT_ONCE = 32


@dataclass(frozen=True, slots=True, eq=False)
class HotSpot:
    """A place with more defects than expected: its centre and radius in cells, (row, column), what lies in it, and p.

    `ratio` is the rate inside over that outside. `p` allows for looking at all places and sizes. `inside` bool (R, C)
    are its cells.
    """

    row: float
    column: float
    radius: float
    observed: float
    expected: float
    ratio: float
    p: float
    inside: Bools


def hot_spots(
    counts: Floats, expected: Floats, *, periodic: bool = False, sure: float = 0.05, seed: int = 0
) -> list[HotSpot]:
    """Scan a grid for circles with more than expected, the surest first; at least one where there is any defect.

    M. Kulldorff, "A spatial scan statistic", Communications in Statistics 26, 1997, pp. 1481-1496: the likelihood ratio
    of a Poisson rate that is higher inside a circle, largest over all circles around cells that hold at most a quarter
    of what is expected; p by as many events spread anew as expected. Further circles that do not overlap those
    before are taken with the same p-values, which is on the careful side (Kulldorff 1997, section 5).

    Args:
        counts: (R, C) events of each cell, whole numbers.
        expected: (R, C) what is expected of each cell, of any scale; 0 where no event can be.
        periodic: columns go round, as angles do.
        sure: further circles are taken up to this p.
        seed: of the draws.

    Raises:
        ValueError: shapes differ, events are no whole numbers, or one lies where none can be.
    """
    if counts.shape != expected.shape:
        raise ValueError(f"expected grids of one shape, got {counts.shape} and {expected.shape}")
    if (counts != np.round(counts)).any():
        raise ValueError("expected whole numbers of events")
    total = float(counts.sum())
    share = expected / max(float(expected.sum()), 1e-300)
    if (counts[share <= 0] > 0).any():
        raise ValueError("an event lies where none is expected")
    if total <= 0:
        return []
    circles = circles_of(share, periodic=periodic)
    ratios = circles.ratios(counts.astype(np.int64), round(total))
    largest = _largest_by_chance(circles, share, round(total), seed)
    spots: list[HotSpot] = []
    taken = np.zeros(counts.shape, bool)
    while len(spots) < _MOST_SPOTS:
        size, row, column = (int(k) for k in np.unravel_index(int(np.argmax(ratios)), ratios.shape))
        found = float(ratios[size, row, column])
        p = float((largest >= found - 1e-9).sum() + 1) / (DRAWS + 1)
        if found <= 0 or (spots and p > sure):
            break
        inside = circles.cells(size, row, column) & (share > 0)
        spots.append(_spot(counts, share, total, inside, row, column, circles.areas[size], p))
        # What is left of a place at its rim is no place of its own.
        taken |= cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        ratios[circles.touching(taken)] = -1.0
    return spots


def _spot(
    counts: Floats,
    share: Floats,
    total: float,
    inside: Bools,
    row: int,
    column: int,
    cells: int,
    p: float,
) -> HotSpot:
    observed, part = float(counts[inside].sum()), float(share[inside].sum())
    outside = (total - observed) / max(1 - part, 1e-12)
    ratio = observed / part / outside if outside > 0 else float("inf")
    radius = float(np.sqrt(cells / np.pi))
    return HotSpot(row, column, radius, observed, total * part, ratio, p, inside)


def _largest_by_chance(circles: Circles, share: Floats, total: int, seed: int) -> Floats:
    """Draw the largest ratio of as many events spread as expected, (draws,)."""
    rng = np.random.default_rng(seed)
    flat = share.ravel() / share.sum()
    sizes = [min(_AT_ONCE, DRAWS - start) for start in range(0, DRAWS, _AT_ONCE)]
    batches = (rng.multinomial(total, flat, some).reshape(some, *share.shape) for some in sizes)
    return circles.largest(batches, total)


def edges_of(low: float, high: float, cells: int) -> Floats:
    """Divide a range into cells, (cells + 1,)."""
    return np.linspace(low, high if high > low else low + 1, cells + 1)


def cells_of(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """Return the cell of each value, (N,); values on the last edge belong to the last cell, others beyond get -1."""
    cell = np.searchsorted(edges, values, side="right") - 1
    cell = np.where(values == edges[-1], len(edges) - 2, cell)
    return np.asarray(np.where((cell >= 0) & (cell < len(edges) - 1), cell, -1), dtype=np.int64)


def once_a_part(part: NDArray[np.int64], cell: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the first defect of each part in each cell: many in one place of a part count once."""
    key = part * (int(cell.max(initial=0)) + 1) + cell
    return np.asarray(np.unique(key, return_index=True)[1], dtype=np.int64)
