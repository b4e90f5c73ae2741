"""Compute convex hulls and smallest rotated rectangles of all regions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flawline.core.measure.ragged import Floats, Integers, expand, first_of_each, starts, total
from flawline.core.measure.runs import Labelled
from flawline.core.measure.sums import Boxes


@dataclass(frozen=True, slots=True)
class Hulls:
    """Corners of convex hulls of pixel centres, region after region.

    `x` and `y` are columns and rows, `region` is ascending, `counts` the corners of each region. Corners go down the
    left side, then up the right one, which is counterclockwise as seen.
    """

    x: Integers
    y: Integers
    region: Integers
    counts: Integers

    def following(self) -> Integers:
        """Compute the place of the next corner of the same hull."""
        after = np.arange(1, len(self.x) + 1)
        first = starts(self.counts)
        after[first + self.counts - 1] = first
        return after


def hulls(labelled: Labelled, around: Boxes) -> Hulls:
    """Compute the convex hull of every region."""
    runs, region = labelled.runs, labelled.region
    heights = around.bottom - around.top
    slot = (starts(heights) - around.top)[region] + runs.row
    owner, row = expand(heights)
    row += around.top[owner]
    left, right = np.full(len(owner), np.iinfo(np.int64).max), np.full(len(owner), -1)
    np.minimum.at(left, slot, runs.start)
    np.maximum.at(right, slot, runs.stop - 1)
    filled = right >= 0  # a defect of several pieces may have empty rows
    if not filled.all():
        left, right, owner, row = left[filled], right[filled], owner[filled], row[filled]
    one = _chain(left, row, owner)
    other = _chain(-right, row, owner)[::-1]
    x = np.concatenate([left[one], right[other]])
    y = np.concatenate([row[one], row[other]])
    both = np.concatenate([owner[one], owner[other]])
    # A pixel that is both left and right must count once.
    double = np.zeros(len(x), dtype=bool)
    ends = left[other] == right[other]
    top, bottom = around.top[owner[other]], around.bottom[owner[other]] - 1
    double[len(one) :] = ends & ((row[other] == top) | (row[other] == bottom))
    order = np.argsort(both[~double], kind="stable")
    x, y, both = (values[~double][order] for values in (x, y, both))
    return Hulls(x, y, both, np.bincount(both, minlength=labelled.count))


def _chain(x: Integers, y: Integers, owner: Integers) -> Integers:
    """Find the points on the left hull of each owner; points are sorted by owner, then y.

    A point right of the line between two others of its owner is no corner. The order of removal does not matter, so
    all points right of the line between their neighbours are removed at once, until there is none.
    """
    corners = np.arange(len(x))
    while len(corners) > 2:
        down, across = np.diff(y), np.diff(x)
        kept = np.ones(len(corners), dtype=bool)
        kept[1:-1] = (owner[2:] != owner[:-2]) | (
            across[:-1] * (down[1:] + down[:-1]) < down[:-1] * (across[1:] + across[:-1])
        )
        # Places are taken several times as fast as what is true is picked out.
        stays = np.flatnonzero(kept)
        if len(stays) == len(corners):
            break
        corners, x, y, owner = corners[stays], x[stays], y[stays], owner[stays]
    return corners


def convex_areas(hull: Hulls) -> Floats:
    """Count the pixels whose centres lie in or on the hull, by Pick's theorem: area + border points / 2 + 1."""
    after = hull.following()
    x, y = hull.x, hull.y
    count = len(hull.counts)
    doubled = total(hull.region, x[after] * y - x * y[after], count)
    border = total(hull.region, np.gcd(x[after] - x, y[after] - y), count)
    return np.abs(doubled) / 2 + border / 2 + 1


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Rotated rectangles: centre from the top left corner of the picture, sides in px with length >= width.

    `angle` is that of the length, in degrees from the x axis (right) towards the y axis (down), 0 <= angle < 180.
    """

    x: Floats
    y: Floats
    length: Floats
    width: Floats
    angle: Floats


def smallest_rectangles(hull: Hulls) -> Rectangles:
    """Compute the smallest rectangle around the pixels of each region.

    One side lies along a side of the hull (H. Freeman and R. Shapira, Communications of the ACM 18, 1975), so all
    sides are tried. The hull runs through pixel centres, on average half the distance between neighbouring lines of
    pixels inside the true edge, so both sides grow by that distance: 1 / sqrt(p^2 + q^2) for the direction (p, q) in
    lowest terms, 1 px along rows and columns, 0.71 px along diagonals.
    """
    after = hull.following()
    dx, dy = hull.x[after] - hull.x, hull.y[after] - hull.y
    dx = np.where((dx == 0) & (dy == 0), 1, dx)  # a single pixel
    size = np.sqrt(dx * dx + dy * dy)
    cos, sin = dx / size, dy / size
    ahead, across, behind = _supports(hull, np.arctan2(dy, dx))
    x, y = hull.x, hull.y
    along = np.stack([x[behind] * cos + y[behind] * sin, x[ahead] * cos + y[ahead] * sin])
    sideways = np.stack([y * cos - x * sin, y[across] * cos - x[across] * sin])
    sides = np.abs(np.stack([along[1] - along[0], sideways[1] - sideways[0]]))
    sides += np.gcd(dx, dy) / size
    angle = np.degrees(np.arctan2(sin, cos)) + 90 * (sides[1] > sides[0] + 1e-9)
    angle = np.round(angle % 180, 9) % 180
    # Equal areas are common on a pixel grid: take the longer rectangle, so that turning the picture changes nothing.
    area, longer = np.round(sides[0] * sides[1], 6), np.round(sides.max(axis=0), 6)
    order = np.lexsort((angle, -longer, area, hull.region))
    best = order[first_of_each(hull.region)]
    middle_along, middle_across = along[:, best].mean(axis=0), sideways[:, best].mean(axis=0)
    return Rectangles(
        middle_along * cos[best] - middle_across * sin[best] + 0.5,
        middle_along * sin[best] + middle_across * cos[best] + 0.5,
        sides[:, best].max(axis=0),
        sides[:, best].min(axis=0),
        angle[best],
    )


def _supports(hull: Hulls, direction: Floats) -> tuple[Integers, Integers, Integers]:
    """Find for each side of a hull the corners farthest ahead, opposite, and behind.

    The direction of sides increases around the hull; these corners are where it passes a quarter, a half and three
    quarters of a turn more: rotating calipers, by bisection in all hulls at once.
    """
    first = starts(hull.counts)[hull.region]
    turned = (direction[first] - direction) % (2 * np.pi)
    # Rounding must not put the first side behind the last one.
    turned = np.where(turned > 2 * np.pi - 1e-9, 0.0, turned)
    base = 7.0 * hull.region
    keys = base + turned
    last = first + hull.counts[hull.region]
    corners = []
    for quarter in (1, 2, 3):
        target = (turned + quarter * np.pi / 2) % (2 * np.pi)
        corner = np.searchsorted(keys, base + target - 1e-9)
        corners.append(np.where(corner < last, corner, first))
    return corners[0], corners[1], corners[2]
