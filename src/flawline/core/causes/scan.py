"""Find places with more defects than expected: the spatial scan statistic of Kulldorff on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.special import xlogy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DRAWS = 499
# A place with more than this share of what is expected is no place any more.
LARGEST = 0.25
_MOST_SPOTS = 5
_AT_ONCE = 64
# Rounding of the sums must not make a place of nothing.
_EVENT = 1.0


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
        counts: (R, C) events of each cell.
        expected: (R, C) what is expected of each cell, of any scale; 0 where no event can be.
        periodic: columns go round, as angles do.
        sure: further circles are taken up to this p.
        seed: of the draws.

    Raises:
        ValueError: shapes differ, or an event lies where none can be.
    """
    if counts.shape != expected.shape:
        raise ValueError(f"expected grids of one shape, got {counts.shape} and {expected.shape}")
    total = float(counts.sum())
    share = expected / max(float(expected.sum()), 1e-300)
    if (counts[share <= 0] > 0).any():
        raise ValueError("an event lies where none is expected")
    if total <= 0:
        return []
    scan = _scan(share, periodic=periodic)
    ratios = scan.ratios(counts[None], total)[0]
    largest = _largest_by_chance(scan, share, round(total), seed)
    spots: list[HotSpot] = []
    taken = np.zeros(counts.shape, bool)
    while len(spots) < _MOST_SPOTS:
        size, row, column = (int(k) for k in np.unravel_index(int(np.argmax(ratios)), ratios.shape))
        found = float(ratios[size, row, column])
        p = float((largest >= found - 1e-9).sum() + 1) / (DRAWS + 1)
        if found <= 0 or (spots and p > sure):
            break
        alone = np.zeros((1, *counts.shape))
        alone[0, row, column] = 1
        inside = np.asarray(scan.sums(alone)[0, size] > 0.5) & (share > 0)
        spots.append(_spot(counts, share, total, inside, row, column, scan.discs[size], p))
        # What is left of a place at its rim is no place of its own.
        taken |= cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        ratios[scan.sums(taken[None].astype(np.float64))[0] > 0.5] = -1.0
    return spots


def _spot(
    counts: Floats,
    share: Floats,
    total: float,
    inside: Bools,
    row: int,
    column: int,
    disc: Bools,
    p: float,
) -> HotSpot:
    observed, part = float(counts[inside].sum()), float(share[inside].sum())
    outside = (total - observed) / max(1 - part, 1e-12)
    ratio = observed / part / outside if outside > 0 else float("inf")
    radius = float(np.sqrt(disc.sum() / np.pi))
    return HotSpot(row, column, radius, observed, total * part, ratio, p, inside)


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    """All circles of a grid: `discs` by size, `kernels` their transforms (K, ...), the share inside each (K, R, C).

    `shape` is that of the grid with room around it; `usable` (K, R, C) are the circles that count.
    """

    shape: tuple[int, int]
    size: tuple[int, int]
    discs: list[Bools]
    kernels: NDArray[np.complex64]
    within: Floats
    usable: Bools

    def sums(self, grids: Floats) -> Floats:
        """Sum each grid (N, R, C) over every circle, (N, K, R, C)."""
        rows, columns = self.size
        waves = rfft2(grids.astype(np.float32), self.shape)
        summed = irfft2(waves[:, None] * self.kernels[None], self.shape)
        return np.asarray(summed[:, :, :rows, :columns])

    def ratios(self, grids: Floats, total: float) -> Floats:
        """Compute the logarithm of the likelihood ratio of every circle, 0 where the rate is not higher inside."""
        counts = self.sums(grids)
        higher = self.usable & (counts > total * self.within + 0.5 * _EVENT)
        found = np.zeros(counts.shape)
        share = np.broadcast_to(self.within, counts.shape)[higher]
        inside = np.round(counts[higher].astype(np.float64))
        rest = np.maximum(total - inside, 0)
        found[higher] = np.maximum(
            xlogy(inside, inside / (total * share)) + xlogy(rest, rest / (total * (1 - share))), 0
        )
        return found


def _scan(share: Floats, *, periodic: bool) -> _Scan:
    """Prepare the circles that hold at most a quarter of what is expected."""
    rows, columns = share.shape
    discs: list[Bools] = []
    within, kernels = [], []
    most = int(max(share.shape) / 2)
    shape = rows + most, columns if periodic else columns + most
    waves = rfft2(share, shape)
    radius = 0.5
    while radius <= most and not (periodic and 2 * int(radius) + 1 > columns):
        reach = int(radius)
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        disc = np.asarray(x**2 + y**2 <= radius**2)
        radius *= 1.35
        if discs and disc.sum() == discs[-1].sum():
            continue
        kernel = np.zeros(shape)
        down, across = np.nonzero(disc)
        kernel[(down - reach) % shape[0], (across - reach) % shape[1]] = 1
        wave = rfft2(kernel)
        part = np.maximum(irfft2(waves * wave, shape)[:rows, :columns], 0)
        if discs and not ((part > 1e-9) & (part <= LARGEST)).any():
            break
        discs.append(disc)
        within.append(part)
        kernels.append(wave.astype(np.complex64))
    parts = np.stack(within)
    usable = (parts > 1e-9) & (parts <= LARGEST)
    # A grid of few cells has no smaller place than one cell.
    usable[0] |= (parts[0] > 1e-9) & (parts[0] < 1) & ~usable.any(axis=0)
    return _Scan(shape, (rows, columns), discs, np.stack(kernels), parts, usable)


def _largest_by_chance(scan: _Scan, share: Floats, total: int, seed: int) -> Floats:
    """Draw the largest ratio of as many events spread as expected, (draws,)."""
    rng = np.random.default_rng(seed)
    flat = share.ravel() / share.sum()
    largest = np.zeros(DRAWS)
    for start in range(0, DRAWS, _AT_ONCE):
        some = min(_AT_ONCE, DRAWS - start)
        grids = rng.multinomial(total, flat, some).reshape(some, *share.shape).astype(np.float64)
        largest[start : start + some] = scan.ratios(grids, float(total)).max(axis=(1, 2, 3))
    return largest


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
