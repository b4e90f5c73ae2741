"""Measure gaps between regions of one picture: the shortest distance from pixel edge to pixel edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.hull import Hulls
from flawline.core.measure.ragged import Floats, Integers, expand, first_of_each, starts
from flawline.core.measure.runs import Labelled, components
from flawline.core.measure.sums import Boxes

_AT_ONCE = 4_000_000
_FEW = 64  # regions of which all pairs are sooner tried than the nearest found
_SLACK = 1e-9  # px: rounding must not exclude the pair from which a limit was computed


@dataclass(frozen=True, slots=True)
class Gaps:
    """Pairs of regions (`one` < `other`) and the gap between them in px: 0 where they touch."""

    one: Integers
    other: Integers
    gap: Floats


def close_pairs(
    labelled: Labelled, around: Boxes, limit: Floats, *, same_class: bool = False
) -> Gaps:
    """Find all pairs of regions of one picture whose gap is at most the larger `limit` (regions,) of the two."""
    if labelled.count < 2:
        return Gaps(*(np.empty(0, np.int64),) * 2, np.empty(0))
    beyond = float(around.right.max(initial=0) + around.bottom.max(initial=0))
    limit = np.minimum(limit, beyond) + _SLACK
    one, other = _box_pairs(around, limit)
    if same_class:
        alike = around.value[one] == around.value[other]
        one, other = one[alike], other[alike]
    gap = _run_gaps(labelled, around, one, other, np.maximum(limit[one], limit[other]))
    close = gap <= np.maximum(limit[one], limit[other])
    return Gaps(one[close], other[close], gap[close])


def nearest_gaps(labelled: Labelled, around: Boxes, corners: Hulls) -> Floats:
    """Compute the gap from each region to the nearest other one of its picture, (regions,); infinite without one."""
    pairs = close_pairs(labelled, around, _upper_bounds(around, corners))
    nearest = np.full(labelled.count, np.inf)
    np.minimum.at(nearest, pairs.one, pairs.gap)
    np.minimum.at(nearest, pairs.other, pairs.gap)
    return nearest


def grouped(count: int, pairs: Gaps) -> Integers:
    """Group `count` regions by joining pairs; groups are numbered by their first region."""
    return components(count, pairs.one, pairs.other)[1]


def _upper_bounds(around: Boxes, corners: Hulls) -> Floats:
    """Bound the distance from each region to the nearest other one of its picture from above; -1 for a single one.

    It is the gap between two facing hull corners: of the region, and of the one of a few near regions that has the
    nearest box.
    """
    count = len(around.left)
    bound = np.full(count, -1.0)
    region, near = _neighbours(around)
    if not len(region):
        return bound
    # The pair with the smallest gap of boxes: sorted by it, the first of each region.
    order = np.lexsort((_box_gaps(around, region, near), region))
    region, near = region[order], near[order]
    first = first_of_each(region)
    region, near = region[first], near[first]
    one, other = _towards(corners, around, region, near), _towards(corners, around, near, region)
    across = np.maximum(np.abs(corners.x[one] - corners.x[other]) - 1, 0)
    down = np.maximum(np.abs(corners.y[one] - corners.y[other]) - 1, 0)
    bound[region] = np.hypot(across, down)
    return bound


def _towards(corners: Hulls, around: Boxes, region: Integers, other: Integers) -> Integers:
    """Find the hull corner of each `region` that lies nearest to the middle of the box of the `other`."""
    owner, place = expand(corners.counts[region])
    corner = starts(corners.counts)[region][owner] + place
    x = ((around.left + around.right - 1) / 2)[other][owner] - corners.x[corner]
    y = ((around.top + around.bottom - 1) / 2)[other][owner] - corners.y[corner]
    square = x**2 + y**2
    begin = first_of_each(owner)
    nearest = np.minimum.reduceat(square, begin)
    best = np.flatnonzero(square == nearest[owner])
    return np.asarray(corner[best[first_of_each(owner[best])]], dtype=np.int64)


def _neighbours(around: Boxes) -> tuple[Integers, Integers]:
    """Pair each region with others of its picture, seven at least that have near centres: region, other."""
    count = len(around.left)
    if count <= _FEW:
        alike = (around.picture[:, None] == around.picture) & ~np.eye(count, dtype=bool)
        one, two = np.nonzero(alike)
        return one.astype(np.int64), two.astype(np.int64)
    per_picture = np.bincount(around.picture, minlength=1)
    if not (per_picture > 1).any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    # Imported here: it takes longer to import than most pictures take to inspect.
    from scipy.spatial import cKDTree

    far = 4.0 * (around.right.max() + around.bottom.max())
    x, y = (around.left + around.right) / 2, (around.top + around.bottom) / 2
    centres = np.stack([x, y, around.picture * far], axis=1)
    tried = min(8, count)
    _, near = cKDTree(centres).query(centres, k=tried)
    region, other = np.repeat(np.arange(count), tried), near.reshape(-1)
    valid = (other != region) & (around.picture[other] == around.picture[region])
    return region[valid], np.asarray(other[valid], dtype=np.int64)


def _box_gaps(around: Boxes, a: Integers, b: Integers) -> Floats:
    left, right = (
        np.maximum(around.left[a], around.left[b]),
        np.minimum(around.right[a], around.right[b]),
    )
    top, bottom = (
        np.maximum(around.top[a], around.top[b]),
        np.minimum(around.bottom[a], around.bottom[b]),
    )
    gap: Floats = np.hypot(np.maximum(0, left - right), np.maximum(0, top - bottom))
    return gap


def _box_pairs(around: Boxes, limit: Floats) -> tuple[Integers, Integers]:
    """Find pairs of one picture whose boxes are as close as the larger of their limits; `one` < `other`.

    Boxes are swept from top to bottom: a pair can be close only where one begins before the other, extended downwards
    by the limit, has ended.
    """
    count = len(around.left)
    if not count:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    reach = np.maximum(limit, 0)
    tall = (int(around.bottom.max()) + int(np.ceil(reach.max())) + 2) * 2
    order = np.lexsort((around.top, around.picture))
    base = around.picture[order] * tall
    top = base + around.top[order]
    # The largest limit of a picture is used for all its boxes, so that no pair is missed.
    widest = np.zeros(int(around.picture.max()) + 1)
    np.maximum.at(widest, around.picture, reach)
    end = base + around.bottom[order] + np.ceil(widest[around.picture[order]]).astype(np.int64)
    counts = np.searchsorted(top, end, side="right") - np.arange(count) - 1
    pairs: list[NDArray[np.int64]] = []
    # In portions, so that ten thousand boxes do not make a hundred million pairs at once.
    portion = np.cumsum(counts) // _AT_ONCE
    for number in np.unique(portion):
        rows = np.flatnonzero(portion == number)
        owner, place = expand(counts[rows])
        a, b = order[rows[owner]], order[rows[owner] + place + 1]
        close = _box_gaps(around, a, b) <= np.maximum(limit[a], limit[b])
        pairs.append(np.stack([np.minimum(a, b)[close], np.maximum(a, b)[close]]))
    one, other = np.concatenate(pairs, axis=1)
    return one, other


def _run_gaps(
    labelled: Labelled, around: Boxes, one: Integers, other: Integers, limit: Floats
) -> Floats:
    """Compute the smallest gap between the runs of each pair; infinite where it is above `limit`."""
    order = np.argsort(labelled.region, kind="stable")
    counts = np.bincount(labelled.region, minlength=labelled.count)
    runs = labelled.runs
    row, start, stop = (values[order] for values in (runs.row, runs.start, runs.stop))
    first = starts(counts)
    gap = np.full(len(one), np.inf)
    cost = counts[one] * counts[other]
    portion = np.cumsum(cost) // _AT_ONCE
    for number in np.unique(portion):
        pairs = np.flatnonzero(portion == number)
        p, a = _near_runs(
            row, start, stop, first, counts, one[pairs], around, other[pairs], limit[pairs]
        )
        q, b = _near_runs(
            row, start, stop, first, counts, other[pairs], around, one[pairs], limit[pairs]
        )
        gap[pairs] = _smallest(row, start, stop, p, a, q, b, len(pairs))
    return gap


def _near_runs(
    row: Integers,
    start: Integers,
    stop: Integers,
    first: Integers,
    counts: Integers,
    region: Integers,
    around: Boxes,
    other: Integers,
    limit: Floats,
) -> tuple[Integers, Integers]:
    """Find the runs of `region` within `limit` of the box of the `other` region: numbers of pair and run."""
    pair, place = expand(counts[region])
    run = first[region][pair] + place
    box = other[pair]
    down = np.maximum(0, np.maximum(around.top[box] - row[run] - 1, row[run] - around.bottom[box]))
    across = np.maximum(0, np.maximum(around.left[box] - stop[run], start[run] - around.right[box]))
    near = down**2 + across**2 <= limit[pair] ** 2
    return pair[near], run[near]


def _smallest(
    row: Integers,
    start: Integers,
    stop: Integers,
    p: Integers,
    a: Integers,
    q: Integers,
    b: Integers,
    count: int,
) -> Floats:
    of_one, of_other = np.bincount(p, minlength=count), np.bincount(q, minlength=count)
    owner, place = expand(of_one * of_other)
    size = np.maximum(of_other[owner], 1)
    left = a[starts(of_one)[owner] + place // size]
    right = b[starts(of_other)[owner] + place % size]
    down = np.maximum(0, np.abs(row[left] - row[right]) - 1)
    across = np.maximum(
        0, np.maximum(start[left], start[right]) - np.minimum(stop[left], stop[right])
    )
    square = down**2 + across**2
    gap = np.full(count, np.inf)
    if len(owner):
        begin = first_of_each(owner)
        gap[owner[begin]] = np.sqrt(np.minimum.reduceat(square, begin))
    return gap
