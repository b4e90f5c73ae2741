"""Smallest enclosing circles of many point sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from flawline.core.measure.hull import Hulls
from flawline.core.measure.ragged import Floats, Integers, first_of_each

_SLACK = 1e-9  # relative to the squared radius: rounding must not keep a point outside for ever


@dataclass(frozen=True, slots=True)
class Circles:
    """Circles through pixel centres: `x` and `y` from the centre of the top left pixel, `radius`, in px."""

    x: Floats
    y: Floats
    radius: Floats


def enclosing_circles(found: Hulls) -> Circles:
    """The smallest circle around the corners of each hull.

    The point farthest outside joins the at most three that hold the circle, and the smallest circle of those four is
    the next one; the radius grows each time until nothing is outside (B. Gaertner, "Fast and robust smallest enclosing
    balls", ESA 1999, pivoting on the farthest point).
    """
    count = len(found.counts)
    points = np.stack([found.x, found.y], axis=1).astype(np.float64)
    first = first_of_each(found.region)
    centre = points[first]
    square = np.zeros(count)
    support = np.repeat(first[:, None], 3, axis=1)
    active = np.arange(count)
    rows, owner = np.arange(len(points)), found.region
    while len(active):
        distance = ((points[rows] - centre[owner]) ** 2).sum(axis=1)
        begin = first_of_each(owner)
        farthest = np.maximum.reduceat(distance, begin)
        outside = farthest > square[active] * (1 + _SLACK) + 1e-12
        hit = np.flatnonzero(distance == np.repeat(farthest, np.diff(begin, append=len(owner))))
        pivot = rows[hit[first_of_each(owner[hit])]]
        active, pivot = active[outside], pivot[outside]
        centre[active], square[active], support[active] = _next(points, support[active], pivot)
        still = np.zeros(count, dtype=bool)
        still[active] = True
        kept = still[owner]
        rows, owner = rows[kept], owner[kept]
    return Circles(centre[:, 0], centre[:, 1], np.sqrt(square))


def _next(points: Floats, support: Integers, pivot: Integers) -> tuple[Floats, Floats, Integers]:
    """The smallest circle around up to four points, of which `pivot` is on the circle."""
    best_centre = np.zeros((len(pivot), 2))
    best = np.full(len(pivot), np.inf)
    chosen = np.repeat(pivot[:, None], 3, axis=1)
    corners = points[support]
    new = points[pivot]
    candidates = [(k, k) for k in range(3)] + list(combinations(range(3), 2))
    for one, other in candidates:
        centre = (
            (corners[:, one] + new) / 2
            if one == other
            else _through(corners[:, one], corners[:, other], new)
        )
        square = ((new - centre) ** 2).sum(axis=1)
        reach = ((corners - centre[:, None]) ** 2).sum(axis=2).max(axis=1, initial=0.0)
        better = (reach <= square * (1 + _SLACK) + 1e-12) & (square < best)
        best[better], best_centre[better] = square[better], centre[better]
        held = np.stack([pivot, support[:, one], support[:, other]], axis=1)
        chosen[better] = held[better]
    return best_centre, best, chosen


def _through(a: Floats, b: Floats, c: Floats) -> Floats:
    """Centres of the circles through three points each; far away where they lie on one line."""
    u, v = a - c, b - c
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    safe = np.where(np.abs(cross) > 1e-12, cross, np.nan)
    uu, vv = (u**2).sum(axis=1), (v**2).sum(axis=1)
    x = (v[:, 1] * uu - u[:, 1] * vv) / (2 * safe)
    y = (u[:, 0] * vv - v[:, 0] * uu) / (2 * safe)
    return np.asarray(np.nan_to_num(c + np.stack([x, y], axis=1), nan=1e12), dtype=np.float64)
