"""Compute the smallest enclosing circles of many point sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.hull import Hulls
from flawline.core.measure.ragged import Floats, Integers, first_of_each

Complexes = NDArray[np.complex128]
# A circle has the pivot and one of three corners as a diameter, or passes through it and two of them.
_ONE, _OTHER = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])
_REST = (_ONE[:, None] != np.arange(3)) & (_OTHER[:, None] != np.arange(3))
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
    new = points[pivot]
    # From the pivot, which makes the circle through it and others short.
    corners = points[support] - new
    half = np.concatenate([corners / 2, _through(corners[_ONE[3:]], corners[_OTHER[3:]])])
    square = _squares(half)
    limit = square * (1 + _SLACK) + _TINY
    outside = (_squares(corners - half[:, None]) > limit[:, None]) & _REST[:, :, None]
    square[outside.any(axis=1) | ~np.isfinite(square)] = np.inf
    best, every = square.argmin(axis=0), np.arange(len(pivot))
    chosen = np.stack([pivot, support[_ONE[best], every], support[_OTHER[best], every]])
    return (new + half[best, every]), square[best, every], chosen


def _through(u: Complexes, v: Complexes) -> Complexes:
    """Compute the centres of the circles through 0, u and v; infinite where they lie on one line."""
    cross = u.real * v.imag - u.imag * v.real
    turned = 1j * (u * _squares(v) - v * _squares(u))
    flat = np.abs(cross) < _TINY
    return np.where(flat, np.inf, turned / np.where(flat, 1.0, 2 * cross))
