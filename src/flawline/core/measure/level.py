"""Trace sub-pixel contours where a probability crosses one half, by marching squares over a whole picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.outline import Outlines, Points, polygon_areas, sorted_by_region
from flawline.core.measure.ragged import Floats, starts
from flawline.core.measure.runs import Mask

_SMALLEST = 1e-3
# Edges of a square of four pixel centres: 0 top, 1 right, 2 bottom, 3 left. For each of the 16 cases (1 upper left,
# 2 upper right, 4 lower right, 8 lower left inside) the edges that the contour enters and leaves by, with the inside
# on its left as seen; pixels inside that meet at a corner are connected.
_CASES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    5: ((1, 0), (3, 2)),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((2, 0),),
    10: ((0, 3), (2, 1)),
    11: ((2, 1),),
    12: ((1, 3),),
    13: ((1, 0),),
    14: ((0, 3),),
}


def signed_field(mask: Mask, probabilities: NDArray[np.float32], value: int) -> Floats:
    """Compute a field (h, w) that is positive inside class `value` of the mask and negative outside.

    With (K, h, w) it is the probability of the class less the highest of the others, with (h, w) 2 p - 1. Where the
    sign differs from the mask, which may have been cleaned, the mask decides.
    """
    if probabilities.ndim == 3:
        rest = np.delete(probabilities, value, axis=0).max(axis=0)
        field = probabilities[value].astype(np.float64) - rest
    else:
        field = 2 * probabilities.astype(np.float64) - 1
    inside = mask == value
    signed: Floats = np.where(inside, np.maximum(field, _SMALLEST), np.minimum(field, -_SMALLEST))
    return signed


def level_contours(field: Floats, regions: NDArray[np.int64]) -> tuple[Outlines, Floats]:
    """Trace contours of level 0 of a field (h, w), with the area they enclose less their holes.

    `regions` (h, w) holds the region of each pixel where the field is positive. Contours are closed along the border
    of the picture. Points are linear interpolations between pixel centres (W. E. Lorensen and H. E. Cline, SIGGRAPH
    1987, in two dimensions). Outer contours only are returned; the areas are (number of regions,).
    """
    padded = np.pad(field, 1, mode="edge")
    for edge in (padded[0], padded[-1], padded[:, 0], padded[:, -1]):
        edge[:] = -np.abs(edge)
    points, follow, owner = _segments(padded, np.pad(regions, 1, constant_values=-1))
    rings = _rings(follow)
    count = int(regions.max(initial=-1)) + 1
    order = np.array([node for ring in rings for node in ring], dtype=np.int64)
    counts = np.array([len(ring) for ring in rings], dtype=np.int64)
    if not len(rings):
        return Outlines(np.empty((0, 2), np.float32), counts, counts), np.zeros(count)
    traced = Outlines(points[order].astype(np.float32), counts, owner[order[starts(counts)]])
    outer = _anticlockwise(points[order], counts)
    area = polygon_areas(_chosen(traced, outer), count) - polygon_areas(
        _chosen(traced, ~outer), count
    )
    return sorted_by_region(_chosen(traced, outer)), area


def _segments(
    field: Floats, regions: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Find the crossings as points, the crossing that follows each, and the region that each bounds."""
    inside = field > 0
    case = (
        inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, 1:] + 8 * inside[1:, :-1]
    ).astype(np.int64)
    entered, left = [], []
    wide = field.shape[1]
    for number, segments in _CASES.items():
        y, x = np.nonzero(case == number)
        # An edge is numbered by its first pixel, upright ones after all level ones.
        names = (
            y * wide + x,
            (y * wide + x + 1) + field.size,
            (y + 1) * wide + x,
            y * wide + x + field.size,
        )
        for enter, leave in segments:
            entered.append(names[enter])
            left.append(names[leave])
    begin, end = np.concatenate(entered), np.concatenate(left)
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    follow = np.searchsorted(begin, end)
    upright = begin >= field.size
    one = begin - np.where(upright, field.size, 0)
    other = one + np.where(upright, wide, 1)
    a, b = field.reshape(-1)[one], field.reshape(-1)[other]
    share = a / (a - b)
    y, x = np.divmod(one, wide)
    points = (
        np.stack([x + np.where(upright, 0, share), y + np.where(upright, share, 0)], axis=1) - 0.5
    )
    owner = np.where(a > 0, regions.reshape(-1)[one], regions.reshape(-1)[other])
    return (
        points.astype(np.float64),
        np.asarray(follow, dtype=np.int64),
        np.asarray(owner, dtype=np.int64),
    )


def _rings(follow: NDArray[np.int64]) -> list[list[int]]:
    """Find the cycles of a permutation, each from its smallest element."""
    after = follow.tolist()
    visited = bytearray(len(after))
    rings = []
    for begin in range(len(after)):
        if visited[begin]:
            continue
        ring, node = [], begin
        while not visited[node]:
            visited[node] = 1
            ring.append(node)
            node = after[node]
        rings.append(ring)
    return rings


def _anticlockwise(points: Floats, counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find the rings that go anticlockwise as seen, as outer contours do."""
    ring = np.repeat(np.arange(len(counts)), counts)
    first = starts(counts)
    after = np.arange(1, len(points) + 1)
    after[first + counts - 1] = first
    local = points - points[first][ring]
    following = points[after] - points[first][ring]
    doubled = np.bincount(ring, local[:, 0] * following[:, 1] - local[:, 1] * following[:, 0])
    return np.asarray(doubled < 0)


def _chosen(outlines: Outlines, chosen: NDArray[np.bool_]) -> Outlines:
    points: Points = outlines.points[np.repeat(chosen, outlines.counts)]
    return Outlines(points, outlines.counts[chosen], outlines.regions[chosen])
