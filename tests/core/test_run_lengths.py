"""Run lengths are read back as the region that they were made of."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.run_lengths import column_runs, row_runs
from flawline.data.masks.rle import paint_coco
from helpers.examples import examples


@st.composite
def regions(draw):
    """A region in a box within a picture, often one that touches its borders."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    wide, high = draw(st.integers(1, width - left)), draw(st.integers(1, height - top))
    bits = draw(st.lists(st.booleans(), min_size=wide * high, max_size=wide * high))
    return np.array(bits, bool).reshape(high, wide), (left, top, wide, high), (height, width)


@examples(150)
@given(regions())
def test_coco_reads_what_was_written(region):
    pixels, box, size = region
    painted, expected = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    left, top, width, height = box
    expected[top : top + height, left : left + width] = pixels
    runs = column_runs(pixels, box, size)
    assert sum(runs) == size[0] * size[1]
    assert min(runs[1:], default=1) > 0
    paint_coco(list(runs), list(size), painted, 1)
    np.testing.assert_array_equal(painted, expected)


@examples(80)
@given(regions())
def test_rows_of_a_box(region):
    pixels, _, _ = region
    runs = row_runs(pixels)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    np.testing.assert_array_equal(flat.reshape(pixels.shape), pixels)


def test_a_region_at_the_bottom_of_its_last_column_ends_there():
    # A 2 x 3 picture; the left column is the region.
    assert column_runs(np.ones((2, 1), bool), (0, 0, 1, 2), (2, 3)) == (0, 2, 4)
