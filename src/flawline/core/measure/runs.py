"""Masks as runs of pixels, and the 8-connected regions that runs form.

A mask of defects is mostly empty. As runs - row, first column, column after the last - a thousand masks are a few
hundred thousand integers, and sums over pixels become sums over the runs of all masks at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.ragged import Integers, starts

Mask = NDArray[np.uint8]


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
        """Compute the row in a stack of all pictures with an empty row between them."""
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
    """Find the runs of class masks, uint8 (height, width), 0 being background.

    Raises:
        ValueError: a mask is not uint8, not two-dimensional or empty.
    """
    sizes = [checked_mask(mask, place).shape for place, mask in enumerate(masks)]
    height, width = np.array(sizes, dtype=np.int64).reshape(-1, 2).T
    base = starts((height * width + 7) // 8 + 1)
    if not masks:
        none = np.empty(0, np.int64)
        return Runs(none, none, none, none, none, height, width)
    first, length, value = _stretches(*_occupied(masks, base))
    # Both ascend, so few bisections find where each picture begins.
    begin = np.append(np.searchsorted(first, base * 8), len(first))
    picture = np.repeat(np.arange(len(masks)), np.diff(begin))
    return _split_at_rows(picture, first - base[picture] * 8, length, value, height, width)


def label_runs(runs: Runs, pairs: Touching) -> Labelled:
    """Group runs into regions: runs of one class in neighbouring rows that touch by a side or a corner."""
    count, region = components(len(runs), pairs.upper, pairs.lower)
    return Labelled(runs, region, count)


def checked_mask(mask: Mask, place: int) -> Mask:
    """Check that a mask is uint8 (height, width) and not empty, else raise ValueError; `place` is that in the batch."""
    if mask.dtype != np.uint8 or mask.ndim != 2 or mask.size == 0:
        raise ValueError(
            f"expected masks of uint8 (height, width), mask {place} is {mask.dtype} {mask.shape}"
        )
    return mask


def _occupied(masks: Sequence[Mask], base: Integers) -> tuple[Integers, NDArray[np.uint64]]:
    """Find the words of eight pixels, row by row, that contain a defect: their places and pixels.

    The first word of each mask has its place in `base`, with an empty word between masks. Nearly all of a mask is
    background, so this pass decides the speed of measuring.
    """
    every = [_words(mask) for mask in masks]
    filled = np.zeros(int(base[-1]) + len(every[-1]), dtype=bool)
    begins = base.tolist()
    for words, begin in zip(every, begins, strict=True):
        np.not_equal(words, 0, out=filled[begin : begin + len(words)])
    places = np.flatnonzero(filled)
    edges = [*np.searchsorted(places, base).tolist(), len(places)]
    held = [
        words[places[one:other] - begin]
        for words, begin, one, other in zip(every, begins, edges[:-1], edges[1:], strict=True)
    ]
    return places, np.concatenate(held)


def _words(mask: Mask) -> NDArray[np.uint64]:
    """Take eight pixels at a time; the last ones are filled up with background."""
    flat = np.ascontiguousarray(mask).reshape(-1)
    rest = -len(flat) % 8
    return (np.append(flat, np.zeros(rest, np.uint8)) if rest else flat).view(np.uint64)


def _stretches(places: Integers, words: NDArray[np.uint64]) -> tuple[Integers, Integers, Integers]:
    """Find first pixel, length and class of each stretch of one class, from the words that are not empty."""
    gap = np.diff(places, prepend=-2) > 1
    # An empty word between words that are not neighbours; summing integers is faster than summing booleans.
    slot = np.cumsum(gap.astype(np.int64) + 1) - 1
    dense = np.zeros(int(slot[-1]) + 2 if len(slot) else 1, dtype=np.uint64)
    dense[slot] = words
    where = np.zeros(len(dense), dtype=np.int64)
    where[slot] = places
    pixels = dense.view(np.uint8)
    change = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    length, change = np.diff(change), change[:-1]
    # Indexing by places is several times as fast as by a mask.
    foreground = np.flatnonzero(pixels[change])
    change, length = change[foreground], length[foreground]
    value = pixels[change]
    return where[change >> 3] * 8 + (change & 7), length, value.astype(np.int64)


def _split_at_rows(
    picture: Integers,
    first: Integers,
    length: Integers,
    value: Integers,
    height: Integers,
    width: Integers,
) -> Runs:
    # Dividing by one number is many times faster than by an array of equal numbers.
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
    """Find all pairs of runs of one class that touch."""
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


def components(count: int, one: Integers, other: Integers) -> tuple[int, Integers]:
    """Number the components of a graph of `count` nodes by their first node; pairs of nodes are its edges."""
    root = np.arange(count)
    while len(one):
        # Most nodes hang under one other, so the first round settles nearly all of them.
        root[np.maximum(one, other)[::-1]] = np.minimum(one, other)[::-1]
        while not np.array_equal(above := root[root], root):
            root = above
        torn = np.flatnonzero(root[one] != root[other])
        one, other = root[one[torn]], root[other[torn]]
    own = root == np.arange(count)
    number = np.cumsum(own) - 1
    return int(own.sum()), number[root]
