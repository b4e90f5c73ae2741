"""Points inside zones, and areas of zones."""

from __future__ import annotations

from math import pi

import numpy as np
from numpy.typing import NDArray

from flawline.specification.model import Zone

Floats = NDArray[np.float64]


def inside(zone: Zone, points: Floats) -> NDArray[np.bool_]:
    """Find which points (N, 2), in the unit of the zone, lie in it; on an outer edge either answer is possible.

    Polygons by the even-odd rule (M. Shimrat, "Algorithm 112", Communications of the ACM 5, 1962).
    """
    x, y = points[:, 0], points[:, 1]
    if zone.ring is not None:
        centre_x, centre_y, inner, outer = zone.ring
        distance = np.hypot(x - centre_x, y - centre_y)
        return np.asarray((distance >= inner) & (distance <= outer))
    within = np.zeros(len(points), dtype=bool)
    corners = np.array(zone.polygon, dtype=np.float64)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (ay > y) != (by > y)
        if crosses.any():
            at = ax + (y - ay) * (bx - ax) / (by - ay if by != ay else 1.0)
            within ^= crosses & (x < at)
    return within


def area(zone: Zone) -> float:
    """Compute the area of a zone in the square of its unit."""
    if zone.ring is not None:
        return pi * (zone.ring[3] ** 2 - zone.ring[2] ** 2)
    x, y = np.array(zone.polygon, dtype=np.float64).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
