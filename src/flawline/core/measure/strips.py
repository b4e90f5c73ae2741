"""Stack regions one below the other, 64 pixels to a word, so that one operation works on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.ragged import Integers, starts
from flawline.core.measure.runs import Labelled
from flawline.core.measure.sums import Boxes

Words = NDArray[np.uint64]
_BITS = 64
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class Strip:
    """Some regions of about the same width, each on a frame of one empty pixel.

    `words` is uint64 (rows, W), the lowest bit being the leftmost pixel. Region `regions[k]` begins in row
    `first[k]`; the pixel (x, y) of its picture is bit x - left[k] + 1 of row first[k] + y - top[k] + 1. `owner` is
    the k of each row.
    """

    regions: Integers
    first: Integers
    left: Integers
    top: Integers
    owner: Integers
    words: Words

    def pixels(self) -> NDArray[np.uint8]:
        """Unpack the strip to uint8 (rows, 64 W) of 0 and 1."""
        return np.unpackbits(self.words.view(np.uint8), axis=1, bitorder="little")


def strips(
    labelled: Labelled, around: Boxes, chosen: NDArray[np.bool_] | None = None
) -> Iterator[Strip]:
    """Stack all regions, or the `chosen` ones (regions,); those with equally many words to a row share a strip."""
    needed = (around.right - around.left + 2 + _BITS - 1) // _BITS
    if chosen is not None:
        needed = np.where(chosen, needed, 0)
    for wide in np.unique(needed[needed > 0]):
        yield _strip(labelled, around, np.flatnonzero(needed == wide), int(wide))


def _strip(labelled: Labelled, around: Boxes, regions: Integers, wide: int) -> Strip:
    heights = (around.bottom - around.top)[regions] + 2
    first = starts(heights)
    left, top = around.left[regions], around.top[regions]
    place = np.full(labelled.count, -1)
    place[regions] = np.arange(len(regions))
    k = place[labelled.region]
    own = np.flatnonzero(k >= 0)
    k, runs = k[own], labelled.runs
    row = first[k] + runs.row[own] - top[k] + 1
    words = np.zeros(int(heights.sum()) * wide, dtype=np.uint64)
    for edge in (runs.start, runs.stop):
        bit = edge[own] - left[k] + 1
        np.add.at(words, row * wide + bit // _BITS, _ONE << (bit % _BITS).astype(np.uint64))
    filled = _fill(words.reshape(-1, wide))
    return Strip(regions, first, left, top, np.repeat(np.arange(len(regions)), heights), filled)


def _fill(words: Words) -> Words:
    """Set the bits between pairs of set bits: the running exclusive or along every row."""
    for shift in (1, 2, 4, 8, 16, 32):
        words = words ^ (words << np.uint64(shift))
    for column in range(1, words.shape[1]):
        carry = words[:, column - 1] >> np.uint64(_BITS - 1)
        words[:, column] ^= np.uint64(0) - carry
    return words
