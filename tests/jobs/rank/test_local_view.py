"""The local view: one place that stands out at its place, in its picture and from its surroundings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flawline.jobs.rank.local_view import fit_local_scale, moving_average, strongest_place
from helpers.examples import examples

GRID = (6, 8)


def distances(seed=0, count=30):
    rng = np.random.default_rng(seed)
    first = np.exp(rng.normal(0, 0.1, (48, count)))
    return np.stack([first, first * 1.1]).astype(np.float32)


def test_one_far_place_stands_out():
    found = distances()
    found[:, 20, 4] *= 3
    strength = strongest_place(found, fit_local_scale(found), GRID)
    assert strength.argmax() == 4
    assert strength[4] > 2 * np.delete(strength, 4).max()


def test_a_place_that_varies_from_part_to_part_must_differ_more():
    quiet, lively = distances(), distances()
    lively[:, 20] = np.exp(8 * np.log(lively[:, 20]))
    for found in (quiet, lively):
        found[:, 20, 4] = 3
    strength = [
        strongest_place(found, fit_local_scale(found), GRID)[4] for found in (quiet, lively)
    ]
    assert strength[0] > strength[1]


def test_a_broad_highlight_stands_out_less_than_a_point_of_the_same_height():
    found = distances()
    scale = fit_local_scale(found)
    broad, point = found.copy(), found.copy()
    broad.reshape(2, *GRID, -1)[:, 1:5, 1:5, 4] *= 3
    point.reshape(2, *GRID, -1)[:, 3, 3, 4] *= 3
    assert strongest_place(point, scale, GRID)[4] > strongest_place(broad, scale, GRID)[4]


@given(st.floats(0.2, 50), st.integers(0, 29))
@examples(30)
def test_a_picture_that_is_far_everywhere_stands_out_nowhere(factor, index):
    found = distances()
    scale = fit_local_scale(found)
    before = strongest_place(found, scale, GRID)
    found[:, :, index] *= np.float32(factor)
    np.testing.assert_allclose(strongest_place(found, scale, GRID), before, atol=1e-3)


def test_rounding_at_blank_places_stands_out_nowhere():
    found = distances()
    found[:, :5] = 0
    found[:, 2, 7] = 1e-4
    strength = strongest_place(found, fit_local_scale(found), GRID)
    assert np.isfinite(strength).all()
    assert strength.argmax() != 7


def test_equal_pictures_are_finite():
    found = np.zeros((2, 48, 5), dtype=np.float32)
    assert (strongest_place(found, fit_local_scale(found), GRID) == 0).all()


def test_a_moving_average_keeps_constants_and_repeats_the_edge():
    weights = moving_average(5, 2)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(weights[0], [0.6, 0.2, 0.2, 0, 0], atol=1e-6)
