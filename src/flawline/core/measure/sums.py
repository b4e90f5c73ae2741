"""Sums over the pixels of regions: area, box, moments, holes, area inside the contour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.ragged import Floats, Integers, total
from flawline.core.measure.runs import Labelled, Touching


@dataclass(frozen=True, slots=True)
class Boxes:
    """Bounding boxes, one entry per region: `right` and `bottom` are the column and row after the last."""

    picture: Integers
    value: Integers
    left: Integers
    top: Integers
    right: Integers
    bottom: Integers


def boxes(labelled: Labelled) -> Boxes:
    """Compute the bounding box, picture and class of every region."""
    runs, region, count = labelled.runs, labelled.region, labelled.count
    # Runs go from top to bottom: the last write is the lowest run, and in reverse order the highest.
    top, bottom, picture, value = (np.zeros(count, np.int64) for _ in range(4))
    bottom[region] = runs.row + 1
    top[region[::-1]] = runs.row[::-1]
    picture[region] = runs.picture
    value[region] = runs.value
    left, right = np.full(count, np.iinfo(np.int64).max), np.zeros(count, np.int64)
    np.minimum.at(left, region, runs.start)
    np.maximum.at(right, region, runs.stop)
    return Boxes(picture, value, left, top, right, bottom)


def areas(labelled: Labelled) -> Integers:
    """Count the pixels of every region."""
    runs = labelled.runs
    return total(labelled.region, runs.stop - runs.start, labelled.count).astype(np.int64)


def holes(labelled: Labelled, touching: Touching, pieces: Integers) -> Integers:
    """Count the holes of every region: background enclosed by its pixels, 4-connected.

    Every cycle of touching runs closes one hole, so holes are pieces - runs + touching pairs (Euler). `pieces` is the
    number of connected pieces of each region.
    """
    runs = np.bincount(labelled.region, minlength=labelled.count)
    pairs = np.bincount(labelled.region[touching.upper], minlength=labelled.count)
    return np.asarray(pieces - runs + pairs, dtype=np.int64)


def areas_inside_contours(labelled: Labelled, touching: Touching) -> Floats:
    """Compute the area inside the polygon through the centres of the border pixels, for regions without holes.

    Equals cv2.contourArea (Green's formula) of cv2.findContours, without tracing: each square of four pixel centres
    counts fully where all four are in the region, half where three are, else not.
    """
    runs, upper, lower = labelled.runs, touching.upper, touching.lower
    start = np.maximum(runs.start[upper], runs.start[lower])
    stop = np.minimum(runs.stop[upper], runs.stop[lower])
    uneven = (runs.start[upper] != runs.start[lower]).astype(np.int64)
    uneven += runs.stop[upper] != runs.stop[lower]
    inside = np.where(stop > start, stop - start - 1 + 0.5 * uneven, 0.0)
    return total(labelled.region[upper], inside, labelled.count)


@dataclass(frozen=True, slots=True)
class Moments:
    """Centroids, from the top left corner of the picture, and central second moments per pixel, in square pixels."""

    x: Floats
    y: Floats
    xx: Floats
    yy: Floats
    xy: Floats

    def eccentricity(self) -> Floats:
        """Compute the eccentricity of the ellipse with the same second moments: 0 for a circle, towards 1 for a line.

        sqrt(1 - l2 / l1) with l1 >= l2 the eigenvalues of the matrix of central second moments; 0 for a single pixel.
        """
        spread = np.hypot(self.xx - self.yy, 2 * self.xy)
        largest, smallest = self.xx + self.yy + spread, self.xx + self.yy - spread
        share = np.divide(smallest, largest, out=np.ones_like(largest), where=largest > 0)
        result: NDArray[np.float64] = np.sqrt(np.clip(1 - share, 0, 1))
        return result


def moments(labelled: Labelled, area: Integers, left: Integers, top: Integers) -> Moments:
    """Compute the moments of regions as sets of pixel centres; `left` and `top` are of their boxes."""
    runs, region, count = labelled.runs, labelled.region, labelled.count
    length = (runs.stop - runs.start).astype(np.float64)
    # Relative to the corner of the box: relative to that of a large picture, digits would be lost.
    middle = (runs.start + runs.stop) / 2 - left[region]
    row = runs.row + 0.5 - top[region]
    x, y = (total(region, length * at, count) / area for at in (middle, row))
    across, down = middle - x[region], row - y[region]
    xx = total(region, length * across**2 + length * (length**2 - 1) / 12, count) / area
    yy = total(region, length * down**2, count) / area
    xy = total(region, length * across * down, count) / area
    return Moments(x + left, y + top, xx, yy, xy)
