"""All circles of a grid, and how much more of what is counted lies in each than is expected there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Whole = NDArray[np.int64]
Grids = NDArray[Any]
LARGEST = 0.25
"""A place with more than this share of what is expected is no place any more."""
_STEP = 1.35
_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Circles:
    """K sizes of circles around each cell of a grid (R, C).

    `halves` holds for each size half the width of its rows, from the topmost to the lowest, and `areas` its cells.
    `share` (K, R, C) is what is expected inside of all that is expected, `usable` (K, R, C) which circles count.
    `periodic` columns go round.
    """

    halves: tuple[tuple[int, ...], ...]
    areas: tuple[int, ...]
    share: Floats
    usable: Bools
    periodic: bool

    def touching(self, cells: Bools) -> Bools:
        """Mark the circles that hold any of some cells (R, C), (K, R, C)."""
        return np.asarray(self.sums(cells.astype(np.int64)) > 0)

    def sums(self, grid: Whole) -> Whole:
        """Sum a grid (R, C) over every circle, (K, R, C)."""
        reaching = _reaching(grid[..., None], self.halves[-1], periodic=self.periodic)
        return np.stack([_summed(reaching, each, grid.shape)[..., 0] for each in self.halves])

    def cells(self, size: int, row: int, column: int) -> Bools:
        """Mark the cells of one circle, (R, C)."""
        alone = np.zeros(self.share.shape[1:], np.int64)
        alone[row, column] = 1
        # A circle is the same from its centre as towards it.
        reaching = _reaching(alone[..., None], self.halves[size], periodic=self.periodic)
        return np.asarray(_summed(reaching, self.halves[size], alone.shape)[..., 0] > 0)

    def ratios(self, counts: Whole, total: int) -> Floats:
        """Compute the logarithm of the likelihood ratio of each circle, (K, R, C); 0 where there is not more inside.

        Args:
            counts: (R, C) events of each cell.
            total: their sum.
        """
        found = _log_ratios(self.sums(counts), self.share, total, _own(total))
        return np.where(self.usable, found, 0.0)

    def largest(self, batches: Iterable[Whole], total: int) -> Floats:
        """Find the largest of these ratios of each grid in batches (n, R, C) of grids of `total` events, (N,)."""
        own = _own(total)
        return np.concatenate([self._largest(grids, total, own) for grids in batches])

    def _largest(self, grids: Whole, total: int, own: Floats) -> Floats:
        # With the grids innermost each row of a circle is one long sum.
        found = np.zeros(len(grids))
        for inside, starts, share in self.alike_sums(np.moveaxis(grids, 0, -1)):
            # Where the same is expected the one with the most events has the largest ratio.
            most = np.maximum.reduceat(inside, starts, axis=0)
            found = np.maximum(found, _log_ratios(most, share[:, None], total, own).max(axis=0))
        return found

    def alike_sums(self, grids: Whole) -> Iterator[tuple[Grids, Whole, Floats]]:
        """Sum grids (R, C, N) over the usable circles (M,), size by size, those of one share next to each other.

        Yields the sums (M, N), where each of the G shares begins (G,), and the shares (G,).
        """
        reaching = _reaching(grids.astype(np.int32), self.halves[-1], periodic=self.periodic)
        for half, order, starts, share in self._alike:
            inside = _summed(reaching, half, grids.shape[:2]).reshape(-1, grids.shape[2])
            yield inside[order], starts, share

    @cached_property
    def _alike(self) -> list[tuple[tuple[int, ...], Whole, Whole, Floats]]:
        """Sort the usable circles of each size by what is expected inside: their order, where each begins, and it."""
        found = []
        for half, usable, share in zip(self.halves, self.usable, self.share, strict=True):
            places = np.flatnonzero(usable)
            order = places[np.argsort(share.ravel()[places], kind="stable")]
            expected, starts = np.unique(share.ravel()[order], return_index=True)
            if len(order):
                found.append((half, order, starts, expected))
        return found


def _own(total: int) -> Floats:
    """Compute c log c + (n - c) log (n - c) for c of 0 to n."""
    whole = np.arange(total + 1, dtype=np.float64)
    own = xlogy(whole, whole)
    return np.asarray(own + own[::-1])


def _log_ratios(inside: Grids, share: Floats, total: int, own: Floats) -> Floats:
    """Compute the logarithm of the Poisson likelihood ratio of c of n events `inside`, where a `share` is expected.

    That is c log(c / ns) + (n - c) log((n - c) / n(1 - s)), of which all but two terms in c depend on s alone.
    """
    known = np.clip(share, _LEAST, 1 - _LEAST)
    slope = np.log(known) - np.log1p(-known)
    found = own[inside] - inside * slope - total * np.log(total * (1 - known))
    # What rounding leaves of an event makes no place of nothing.
    return np.where(inside > total * share + 0.5, np.maximum(found, 0), 0.0)


def circles_of(share: Floats, *, periodic: bool, largest: float = LARGEST) -> Circles:
    """Prepare the circles of a grid (R, C) that hold at most the `largest` share of what is expected.

    Args:
        share: what is expected of each cell, of all that is expected.
        periodic: columns go round.
    """
    rows, columns = share.shape
    most = max(1, max(rows, columns) // 2)
    halves: list[tuple[int, ...]] = []
    within: list[Floats] = []
    radius = 0.5
    while radius <= most and not (periodic and 2 * int(radius) + 1 > columns):
        down = np.arange(-int(radius), int(radius) + 1)
        half = tuple(int(np.sqrt(radius**2 - y**2)) for y in down)
        radius *= _STEP
        if halves and half == halves[-1]:
            continue
        reaching = _reaching(share[..., None], half, periodic=periodic)
        # Rounded, so that circles alike are alike.
        part = np.asarray(_summed(reaching, half, share.shape)[..., 0].round(12), np.float64)
        if halves and not ((part > _LEAST) & (part <= largest)).any():
            break
        halves.append(half)
        within.append(part)
    parts = np.stack(within)
    usable = (parts > _LEAST) & (parts <= largest)
    # A grid of few cells has no smaller place than one cell.
    usable[0] |= (parts[0] > _LEAST) & (parts[0] < 1) & ~usable.any(axis=0)
    areas = tuple(sum(2 * half + 1 for half in each) for each in halves)
    return Circles(tuple(halves), areas, parts, usable, periodic)


def _reaching(grids: Grids, half: tuple[int, ...], *, periodic: bool) -> Grids:
    """Add up the columns of grids (R, C, N) from the left, with as much room around them as a circle reaches."""
    reach = len(half) // 2
    wide = np.pad(grids, ((0, 0), (reach, reach), (0, 0)), mode="wrap" if periodic else "constant")
    return np.pad(np.cumsum(wide, axis=1, dtype=grids.dtype), ((reach, reach), (1, 0), (0, 0)))


def _summed(reaching: Grids, half: tuple[int, ...], size: tuple[int, ...]) -> Grids:
    """Sum circles around each cell of the grids of `size` (R, C), which `_reaching` added up."""
    rows, columns = size
    room, reach = (reaching.shape[0] - rows) // 2, len(half) // 2
    found = np.zeros((rows, columns, reaching.shape[2]), reaching.dtype)
    for place, width in enumerate(half):
        top = room - reach + place
        band = reaching[top : top + rows]
        found += band[:, room + width + 1 : room + width + 1 + columns]
        found -= band[:, room - width : room - width + columns]
    return found
