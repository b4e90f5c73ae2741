"""From scores of cells to one score of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core import anomaly_score
from flawline.core.anomaly_score import CELLS, EARLIER_CELLS
from helpers.examples import examples


def image_score(scores, inside=None, cells=EARLIER_CELLS):
    return anomaly_score.image_score(scores, inside, cells)


def some_map(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 20, (height, width)).astype(np.float32)


sides = st.integers(1, 24)


@given(
    sides, sides, st.integers(0, 10_000), st.floats(0, 1), st.sampled_from([1e6, np.inf, np.nan])
)
@examples(80)
def test_what_lies_outside_never_matters(height, width, seed, share, outside):
    rng = np.random.default_rng(seed)
    scores = some_map(height, width, seed)
    inside = rng.random((height, width)) < share
    inside[rng.integers(height), rng.integers(width)] = True
    other = np.where(inside, scores, np.float32(outside))
    assert image_score(scores, inside) == image_score(other, inside)
    assert scores[inside].min() <= image_score(scores, inside) <= scores[inside].max()


def test_all_cells_inside_is_the_same_as_no_region():
    scores = some_map(9, 14, 3)
    assert image_score(scores, np.ones((9, 14), bool)) == image_score(scores)


def test_a_part_that_is_odd_everywhere_alike_scores_higher():
    scores = some_map(32, 32, 1)
    assert image_score(scores + 5) == pytest.approx(image_score(scores) + 5)


def test_one_cell():
    assert image_score(np.array([[7.0]], np.float32)) == 7
    scores, inside = some_map(5, 5, 0), np.zeros((5, 5), bool)
    inside[2, 3] = True
    assert image_score(scores, inside) == scores[2, 3]
    with pytest.raises(ValueError, match="at least one cell"):
        image_score(some_map(3, 3, 0), np.zeros((3, 3), bool))


@pytest.mark.parametrize(
    ("height", "width", "count"), [(1, 1, 1), (8, 8, 1), (16, 16, 3), (32, 32, 10), (300, 400, 10)]
)
def test_the_highest_cells_are_a_hundredth_and_ten_at_most(height, width, count):
    values = np.random.default_rng(0).permutation(height * width).astype(np.float32)
    values = values.reshape(height, width)
    assert image_score(values) == np.sort(values, axis=None)[-count:].mean()
    assert count <= EARLIER_CELLS


@pytest.mark.parametrize(
    ("height", "width", "count"), [(1, 1, 1), (8, 8, 1), (24, 24, 2), (32, 32, 3), (300, 400, 3)]
)
def test_a_small_strong_spot_is_not_outvoted(height, width, count):
    values = np.random.default_rng(0).permutation(height * width).astype(np.float32)
    values = values.reshape(height, width)
    assert image_score(values, cells=CELLS) == np.sort(values, axis=None)[-count:].mean()


def test_a_defect_scores_alike_in_a_small_picture_and_in_a_large_one():
    small, large = np.zeros((40, 40), np.float32), np.zeros((200, 300), np.float32)
    small[10:14, 10:14] = large[100:104, 100:104] = 50
    assert image_score(small) == image_score(large) == 50
