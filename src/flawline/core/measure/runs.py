"""Masks as runs of pixels, and the 8-connected regions that runs form.

A mask of defects is mostly empty. As runs - row, first column, column after the last - a thousand masks are a few
hundred thousand integers, and everything that is summed over pixels is summed over runs of all masks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.ragged import starts

Integers = NDArray[np.int64]
Mask = NDArray[np.uint8]
_PIXELS = 8  # of a word


@dataclass(frozen=True, slots=True)
class Runs:
    """Horizontal runs of equal class, by picture, then row, then column.

    All arrays have one entry per run: `picture` is the place of its mask in the batch, `row` the row in that mask,
    pixels `start` up to but without `stop` have the class `value` (1 to 255). `height` and `width` hold one entry
    per picture.
    """

    picture: Integers
    row: Integers
    start: Integers
    stop: Integers
    value: Integers
    height: Integers
    width: Integers

    def __len__(self) -> int:
        return len(self.row)

    def tall_row(self) -> Integers:
        """The row in a tall stack of all pictures with an empty row between them."""
        above = np.cumsum(self.height + 1) - (self.height + 1)
        return above[self.picture] + self.row


@dataclass(frozen=True, slots=True)
class Labelled:
    """Runs grouped into 8-connected regions of one class.

    `region` is the region of each run, numbered from 0 by picture and then by the topmost leftmost pixel.
    """

    runs: Runs
    region: Integers
    count: int


@dataclass(frozen=True, slots=True)
class Touching:
    """Pairs of runs of one class in neighbouring rows that touch, also by a corner."""

    upper: Integers
    lower: Integers


def runs_of_masks(masks: Sequence[Mask]) -> Runs:
    """The runs of class masks, uint8 (height, width), 0 being background.

    Raises:
        ValueError: a mask is not uint8, not two-dimensional or empty.
    """
    sizes = [checked_mask(mask, place).shape for place, mask in enumerate(masks)]
    height, width = np.array(sizes, dtype=np.int64).reshape(-1, 2).T
    if not len(masks):
        none = np.empty(0, np.int64)
        return Runs(none, none, none, none, none, height, width)
    words, base = _as_words(masks)
    (places,) = (words != 0).nonzero()
    first, length, value = _stretches(places, words[places])
    # Both ascend, so few bisections find where each picture begins.
    begin = np.append(np.searchsorted(first, base * _PIXELS), len(first))
    picture = np.repeat(np.arange(len(masks)), np.diff(begin))
    first -= base[picture] * _PIXELS
    return _split_at_rows(picture, first, length, value, height, width)


def label_runs(runs: Runs, pairs: Touching) -> Labelled:
    """Group runs into regions: runs of one class in neighbouring rows that touch by a side or a corner."""
    count, region = _components(len(runs), pairs.upper, pairs.lower)
    return Labelled(runs, region, count)


def checked_mask(mask: Mask, place: int) -> Mask:
    """The mask; raises ValueError where it is not uint8 (height, width) or empty. `place` is its place in the batch."""
    if mask.dtype != np.uint8 or mask.ndim != 2 or mask.size == 0:
        raise ValueError(
            f"expected masks of uint8 (height, width), mask {place} is {mask.dtype} {mask.shape}"
        )
    return mask


def _as_words(masks: Sequence[Mask]) -> tuple[NDArray[np.uint64], Integers]:
    """All pixels row by row, eight to a word, and the first word of each mask; an empty word parts masks.

    Nearly all of a mask is background, so passing over eight pixels at a time decides how fast measuring is.
    """
    parts, sizes = [], []
    for mask in masks:
        rest = np.zeros(_PIXELS + -mask.size % _PIXELS, np.uint8)
        parts += [mask.reshape(-1), rest]
        sizes.append((mask.size + len(rest)) // _PIXELS)
    return np.concatenate(parts).view(np.uint64), starts(np.array(sizes, dtype=np.int64))


def _stretches(places: Integers, words: NDArray[np.uint64]) -> tuple[Integers, Integers, Integers]:
    """First pixel, length and class of each stretch of one class, from the words that are not empty."""
    pixels = words.view(np.uint8)
    before, after = np.zeros_like(pixels), np.zeros_like(pixels)
    before[1:], after[:-1] = pixels[:-1], pixels[1:]
    parted = np.flatnonzero(places[1:] != places[:-1] + 1) + 1
    before[parted * _PIXELS] = after[parted * _PIXELS - 1] = 0
    marked = pixels != 0
    begin = np.flatnonzero((pixels != before) & marked)
    last = np.flatnonzero((pixels != after) & marked)
    first = places[begin >> 3] * _PIXELS + (begin & 7)
    return first, last - begin + 1, pixels[begin].astype(np.int64)


def _split_at_rows(
    picture: Integers,
    first: Integers,
    length: Integers,
    value: Integers,
    height: Integers,
    width: Integers,
) -> Runs:
    # Dividing by one number is many times faster than by an array of equal ones.
    wide = width[0] if (width == width[0]).all() else width[picture]
    top = first // wide
    left = first - top * wide
    stop = left + length
    if (stop <= wide).all():
        return Runs(picture, top, left, stop, value, height, width)
    wide = width[picture]
    rows = (stop - 1) // wide + 1
    owner = np.repeat(np.arange(len(rows)), rows)
    below = np.arange(len(owner)) - np.repeat(np.cumsum(rows) - rows, rows)
    start = np.where(below == 0, left[owner], 0)
    end = np.minimum(stop[owner] - below * wide[owner], wide[owner])
    return Runs(picture[owner], top[owner] + below, start, end, value[owner], height, width)


def touching_runs(runs: Runs) -> Touching:
    """All pairs of runs of one class that touch."""
    if not len(runs):
        return Touching(np.empty(0, np.int64), np.empty(0, np.int64))
    stride = int(runs.width.max()) + 2
    row = runs.tall_row() * stride
    below = row + stride
    starts, stops = row + runs.start, row + runs.stop
    first = np.searchsorted(stops, below + runs.start)
    counts = np.searchsorted(starts, below + runs.stop, side="right") - first
    upper = np.repeat(np.arange(len(runs)), counts)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    same = runs.value[upper] == runs.value[lower]
    return Touching(upper[same], lower[same])


def _components(count: int, upper: Integers, lower: Integers) -> tuple[int, Integers]:
    """Components of the graph of `count` nodes; numbered by their first node."""
    # Most runs hang under one other: following the first run above settles nearly all of them.
    root = np.arange(count)
    root[lower[::-1]] = upper[::-1]
    while True:
        above = root[root]
        if np.array_equal(above, root):
            break
        root = above
    torn = root[upper] != root[lower]
    if torn.any():
        root = _joined(root, root[upper[torn]], root[lower[torn]])
    own = root == np.arange(count)
    number = np.cumsum(own) - 1
    return int(own.sum()), number[root]


def _joined(root: Integers, one: Integers, other: Integers) -> Integers:
    """Roots after joining pairs of roots; the smallest of each component becomes the root of all."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, place = np.unique(np.concatenate([one, other]), return_inverse=True)
    half = len(one)
    graph = coo_array((np.ones(half), (place[:half], place[half:])), shape=(len(nodes),) * 2)
    number, component = connected_components(graph, directed=False)
    smallest = np.full(number, len(root))
    np.minimum.at(smallest, component, nodes)
    replacement = np.arange(len(root))
    replacement[nodes] = smallest[component]
    return np.asarray(replacement[root], dtype=np.int64)
