"""From scores of cells to one score of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from flawline.core.anomaly_score import CELLS, image_score, relative_map


def some_map(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 20, (height, width)).astype(np.float32)


sides = st.integers(1, 24)


@given(sides, sides, st.integers(0, 10_000), st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_what_lies_outside_never_matters(height, width, seed, share):
    rng = np.random.default_rng(seed)
    scores = some_map(height, width, seed)
    inside = rng.random((height, width)) < share
    inside[rng.integers(height), rng.integers(width)] = True
    other = np.where(inside, scores, rng.normal(0, 1e6, scores.shape)).astype(np.float32)
    one, two = relative_map(scores, inside), relative_map(other, inside)
    assert np.isfinite(two).all()
    assert np.array_equal(one[inside], two[inside])
    assert image_score(one, inside) == image_score(two, inside)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_not_even_numbers_without_end_outside_matter(odd):
    scores, inside = some_map(8, 8, 0), np.ones((8, 8), bool)
    inside[2:5, 3:6] = False
    wanted = relative_map(scores, inside)
    found = relative_map(np.where(inside, scores, np.float32(odd)), inside)
    assert np.array_equal(found[inside], wanted[inside])


@given(sides, sides, st.integers(0, 10_000), st.floats(-500, 500), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_picture_that_is_odd_everywhere_alike_scores_no_higher(height, width, seed, shift, whole):
    scores = some_map(height, width, seed)
    inside = None if whole else some_map(height, width, seed + 1) > 30
    if inside is not None:
        inside[0, 0] = True
    moved = relative_map((scores + np.float32(shift)).astype(np.float32), inside)
    np.testing.assert_allclose(moved, relative_map(scores, inside), atol=2e-3)


@given(sides, sides, st.floats(-1e4, 1e4, width=32))
@settings(max_examples=40, deadline=None)
def test_a_constant_map_scores_nothing(height, width, value):
    scores = np.full((height, width), value, np.float32)
    found = relative_map(scores)
    assert np.isfinite(found).all()
    assert image_score(found) == pytest.approx(0, abs=1e-6 * max(1, abs(value)))


def test_all_cells_inside_is_the_same_as_no_region():
    scores = some_map(9, 14, 3)
    assert np.array_equal(relative_map(scores, np.ones((9, 14), bool)), relative_map(scores))


def test_smoothing_is_gaussian_of_one_cell():
    scores = some_map(20, 31, 1)
    wanted = gaussian_filter(scores.astype(np.float64), 1.0, mode="reflect", truncate=4)
    np.testing.assert_allclose(relative_map(scores), wanted - np.median(scores), atol=0.05)


def test_a_region_is_smoothed_from_its_own_cells_alone():
    scores, inside = some_map(12, 12, 2), np.zeros((12, 12), bool)
    inside[3:9, 2:11] = True
    weight = inside.astype(np.float64)
    middle = np.median(scores[inside])
    blurred = gaussian_filter((scores - middle) * weight, 1.0, mode="reflect", truncate=4)
    wanted = blurred / gaussian_filter(weight, 1.0, mode="reflect", truncate=4)
    found = relative_map(scores, inside)
    np.testing.assert_allclose(found[inside], wanted[inside], atol=0.05)


def test_one_cell():
    one = np.array([[7.0]], np.float32)
    assert relative_map(one).tolist() == [[0.0]]
    assert image_score(one) == 7
    inside = np.zeros((5, 5), bool)
    inside[2, 3] = True
    assert image_score(relative_map(some_map(5, 5, 0), inside), inside) == 0
    with pytest.raises(ValueError, match="at least one cell"):
        image_score(some_map(3, 3, 0), np.zeros((3, 3), bool))


@pytest.mark.parametrize(
    ("height", "width", "count"), [(1, 1, 1), (8, 8, 1), (16, 16, 3), (32, 32, 10), (300, 400, 10)]
)
def test_the_highest_cells_are_a_hundredth_and_ten_at_most(height, width, count):
    values = np.random.default_rng(0).permutation(height * width).astype(np.float32)
    values = values.reshape(height, width)
    assert image_score(values) == np.sort(values, axis=None)[-count:].mean()
    assert count <= CELLS


def test_a_defect_scores_alike_in_a_small_picture_and_in_a_large_one():
    small, large = np.zeros((40, 40), np.float32), np.zeros((200, 300), np.float32)
    small[10:14, 10:14] = large[100:104, 100:104] = 50
    assert image_score(relative_map(small)) == pytest.approx(image_score(relative_map(large)))
