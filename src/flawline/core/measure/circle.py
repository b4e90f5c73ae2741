"""Compute the smallest enclosing circles of many point sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.hull import Hulls
from flawline.core.measure.ragged import Floats, Integers, first_of_each

Complexes = NDArray[np.complex128]
_CANDIDATES = [(k, k) for k in range(3)] + list(combinations(range(3), 2))
_TINY = 1e-12
_SLACK = 1e-9  # relative to the squared radius, so that rounding cannot cause an endless loop


@dataclass(frozen=True, slots=True)
class Circles:
    """Circles through pixel centres: `x` and `y` from the centre of the top left pixel, `radius`, in px."""

    x: Floats
    y: Floats
    radius: Floats


def enclosing_circles(hull: Hulls) -> Circles:
    """Compute the smallest circle around the corners of each hull.

    The point farthest outside joins the at most three points that define the circle, and the smallest circle of these
    four is the next one; the radius grows each time until no point is outside (B. Gaertner, "Fast and robust smallest
    enclosing balls", ESA 1999, pivoting on the farthest point).
    """
    count = len(hull.counts)
    points = hull.x + 1j * hull.y
    first = first_of_each(hull.region)
    centre = points[first]
    square = np.zeros(count)
    support = np.repeat(first[None], 3, axis=0)
    active = np.arange(count)
    rows, owner = np.arange(len(points)), hull.region
    while len(active):
        distance = _squares(points[rows] - centre[owner])
        begin = first_of_each(owner)
        farthest = np.maximum.reduceat(distance, begin)
        outside = farthest > square[active] * (1 + _SLACK) + _TINY
        at_farthest = np.flatnonzero(
            distance == np.repeat(farthest, np.diff(begin, append=len(owner)))
        )
        pivot = rows[at_farthest[first_of_each(owner[at_farthest])]]
        active, pivot = active[outside], pivot[outside]
        centre[active], square[active], support[:, active] = _next(
            points, support[:, active], pivot
        )
        still = np.zeros(count, dtype=bool)
        still[active] = True
        stays = still[owner]
        rows, owner = rows[stays], owner[stays]
    return Circles(centre.real, centre.imag, np.sqrt(square))


def _squares(values: Complexes) -> Floats:
    return np.asarray(values.real**2 + values.imag**2, dtype=np.float64)


def _next(
    points: Complexes, support: Integers, pivot: Integers
) -> tuple[Complexes, Floats, Integers]:
    """Compute the smallest circle around up to four points, of which `pivot` is on the circle."""
    best_centre = np.zeros(len(pivot), dtype=np.complex128)
    best = np.full(len(pivot), np.inf)
    chosen = np.repeat(pivot[None], 3, axis=0)
    new = points[pivot]
    corners = (
        points[support] - new
    )  # around the pivot, which makes the circle through it and others short
    for one, other in _CANDIDATES:
        half = corners[one] / 2 if one == other else _through(corners[one], corners[other])
        square = _squares(half)
        better = (square < best) & np.isfinite(square)
        limit = square * (1 + _SLACK) + _TINY
        for corner in set(range(3)) - {one, other}:
            better &= _squares(corners[corner] - half) <= limit
        best[better], best_centre[better] = square[better], (new + half)[better]
        chosen[1, better], chosen[2, better] = support[one, better], support[other, better]
    return best_centre, best, chosen


def _through(u: Complexes, v: Complexes) -> Complexes:
    """Compute the centres of the circles through 0, u and v; infinite where they lie on one line."""
    cross = u.real * v.imag - u.imag * v.real
    turned = 1j * (u * _squares(v) - v * _squares(u))
    flat = np.abs(cross) < _TINY
    return np.where(flat, np.inf, turned / np.where(flat, 1.0, 2 * cross))
