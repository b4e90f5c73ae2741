"""Find places that have more defects at some time, or with one lot, tool or class, than elsewhere and otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from flawline.core.causes.circles import Bools, Circles, Floats, circles_of

Numbers = NDArray[np.int64]
SPLIT_DRAWS = 199
LARGEST_SHARE = 0.5
"""A place with more than this share of all defects is no place any more; its defects over time are a chart's matter."""
_MOST_SPOTS = 3
# Fewer defects are no place.
_FEWEST = 3
_AT_ONCE = 8


@dataclass(frozen=True, slots=True, eq=False)
class SplitSpot:
    """A place with more defects in the levels `first` up to before `end` than in its other ones, beside other places.

    `row`, `column` and `radius` are in cells, `inside` bool (R, C) its cells. `observed` defects lie there in those
    levels, where `expected` are by what lies there at all. `p` allows for looking at all places, sizes and levels.
    """

    row: int
    column: int
    radius: float
    first: int
    end: int
    observed: int
    expected: float
    p: float
    inside: Bools


def split_spots(
    cells: Numbers,
    units: Numbers,
    levels: Numbers,
    shape: tuple[int, int],
    *,
    ordered: bool,
    periodic: bool = False,
    sure: float = 0.05,
    seed: int = 0,
) -> list[SplitSpot]:
    """Scan a grid for circles with more defects of some levels than elsewhere, the surest first.

    M. Kulldorff and N. Nagarwalla, "Spatial disease clusters: detection and inference", Statistics in Medicine 14,
    1995, pp. 799-810: the likelihood ratio of a share of those levels that is higher inside a circle, so that neither
    a place that is always dense nor a time of many defects is a finding. p by dealing out the levels anew among the
    parts: defects of one part stay together. Ordered levels are looked at in runs of any length, others one by one.
    What lies in a circle is then taken out, and the rest is looked at again (Z. Zhang, R. Assunção and M. Kulldorff,
    "Spatial scan statistics adjusted for multiple clusters", Journal of Probability and Statistics, 2010).

    Args:
        cells: (D,) cell of each defect, row by row.
        units: (D,) the part of each defect, or the defect itself where levels are of defects.
        levels: (U,) the level of each part, from 0.
        shape: rows and columns of the grid.
        ordered: levels follow each other, as times do.
        periodic: columns go round.
        sure: further circles are taken up to this p.
        seed: of the draws.

    Raises:
        ValueError: no defect, or fewer than two levels.
    """
    count = int(levels.max(initial=-1)) + 1
    if not len(cells) or count < 2:
        raise ValueError(f"expected defects of two levels or more, got {len(cells)} of {count}")
    windows = _windows(count, ordered=ordered)
    spots: list[SplitSpot] = []
    while len(spots) < _MOST_SPOTS and len(cells):
        deal = _Deal(cells, units, levels, count, shape)
        spot = _surest(deal, windows, periodic=periodic, seed=seed)
        if spot is None or (spots and spot.p > sure):
            break
        spots.append(spot)
        if spot.p > sure:
            break
        rest = ~spot.inside.ravel()[cells]
        cells, units = cells[rest], units[rest]
    return spots


@dataclass(frozen=True, slots=True, eq=False)
class _Deal:
    """Defects in `cells` (D,) of `units` (D,), which have `levels` (U,) out of `count`, on a grid of a `shape`."""

    cells: Numbers
    units: Numbers
    levels: Numbers
    count: int
    shape: tuple[int, int]

    def counted(self, levels: Numbers) -> Numbers:
        """Count the defects of each cell and level, (R, C, levels)."""
        key = self.cells * self.count + levels[self.units]
        size = self.shape[0] * self.shape[1] * self.count
        return np.bincount(key, minlength=size).reshape(*self.shape, self.count)

    def anew(self, seed: int) -> Iterator[Numbers]:
        """Deal the levels out among the units anew, a few at a time: (R, C, levels, n)."""
        rng = np.random.default_rng(seed)
        for start in range(0, SPLIT_DRAWS, _AT_ONCE):
            some = min(_AT_ONCE, SPLIT_DRAWS - start)
            yield np.stack([self.counted(rng.permutation(self.levels)) for _ in range(some)], -1)


def _surest(
    deal: _Deal, windows: list[tuple[int, int]], *, periodic: bool, seed: int
) -> SplitSpot | None:
    """Find the circle and run of levels with the largest ratio; None where no circle has three defects."""
    total = len(deal.cells)
    grids = deal.counted(deal.levels)
    circles = circles_of(grids.sum(axis=2) / total, periodic=periodic, largest=LARGEST_SHARE)
    enough = circles.usable & (circles.share * total > _FEWEST - 0.5)
    circles = replace(circles, usable=enough)
    terms = xlogy(whole := np.arange(total + 1, dtype=np.float64), whole)
    ratios = np.stack(
        [_of_window(circles, grids[:, :, a:b].sum(axis=2), terms) for a, b in windows]
    )
    window, size, row, column = (
        int(k) for k in np.unravel_index(int(np.argmax(ratios)), ratios.shape)
    )
    best = float(ratios[window, size, row, column])
    if best <= 0:
        return None
    chance = np.concatenate([_largest(circles, some, windows, terms) for some in deal.anew(seed)])
    p = float((chance >= best - 1e-9).sum() + 1) / (SPLIT_DRAWS + 1)
    inside = circles.cells(size, row, column)
    first, end = windows[window]
    observed = int(grids[inside][:, first:end].sum())
    expected = float(grids[:, :, first:end].sum()) * float(grids[inside].sum()) / total
    radius = float(np.sqrt(circles.areas[size] / np.pi))
    return SplitSpot(row, column, radius, first, end, observed, expected, p, inside)


def _windows(count: int, *, ordered: bool) -> list[tuple[int, int]]:
    """List runs of levels, (first, end), all but that of all levels; or each level alone."""
    if not ordered:
        return [(level, level + 1) for level in range(count)]
    runs = [(first, end) for first in range(count) for end in range(first + 1, count + 1)]
    return [run for run in runs if run != (0, count)]


def _of_window(circles: Circles, counts: Numbers, terms: Floats) -> Floats:
    """Compute the ratios of all circles for the defects of some levels, (K, R, C)."""
    here = np.round(circles.share * (len(terms) - 1)).astype(np.int64)
    ratios = _log_ratios(circles.sums(counts), here, np.asarray(counts.sum()), terms)
    return np.where(circles.usable, ratios, 0.0)


def _log_ratios(both: Numbers, here: Numbers, of_levels: Numbers, terms: Floats) -> Floats:
    """Compute the logarithm of the Bernoulli likelihood ratio; 0 where the share is not higher inside.

    Args:
        both: defects inside and of the levels.
        here: all defects inside.
        of_levels: all defects of the levels.
        terms: n log n of 0 to all defects, (D + 1,).
    """
    total = len(terms) - 1
    found = terms[both] + terms[here - both] + terms[of_levels - both]
    found = found + terms[total - here - of_levels + both] + terms[total]
    found = found - terms[here] - terms[total - here] - terms[of_levels] - terms[total - of_levels]
    return np.where(both * total > here * of_levels, np.maximum(found, 0), 0.0)


def _largest(
    circles: Circles, grids: Numbers, windows: list[tuple[int, int]], terms: Floats
) -> Floats:
    """Find the largest ratio of each of n dealt counts (R, C, levels, n)."""
    rows, columns, count, some = grids.shape
    # Sums up to before each level give those of any run of levels.
    upto = np.zeros((rows, columns, count + 1, some), np.int64)
    np.cumsum(grids, axis=2, out=upto[:, :, 1:])
    of_level, found = upto.sum(axis=(0, 1)), np.zeros(some)
    for summed, starts, share in circles.alike_sums(upto.reshape(rows, columns, -1)):
        inside = summed.reshape(len(summed), count + 1, some).astype(np.int64)
        here = np.round(share * (len(terms) - 1)).astype(np.int64)[:, None]
        for first, end in windows:
            # Of circles with as many defects that with the most of these levels has the largest ratio.
            most = np.maximum.reduceat(inside[:, end] - inside[:, first], starts, axis=0)
            ratios = _log_ratios(most, here, of_level[end] - of_level[first], terms)
            found = np.maximum(found, ratios.max(axis=0))
    return found
