"""Motions, and the search for one picture on another."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.registration import (
    correlate,
    likeness,
    make_templates,
    moved,
    refine,
    rescaled,
    shift,
    structure,
    turn,
    turned_templates,
    vertex,
)
from helpers.examples import examples

ANGLES = st.floats(-180, 180)
COORDINATES = st.floats(-50, 50)


def scene(seed=0, size=(96, 128)):
    """Blobs in the middle of a plain picture, as grey levels."""
    rng = np.random.default_rng(seed)
    values = np.zeros(size, np.float32)
    for _ in range(9):
        x, y = (int(rng.uniform(0.3, 0.7) * side) for side in size[::-1])
        cv2.circle(values, (x, y), int(rng.integers(3, 9)), float(rng.uniform(0.3, 1)), -1)
    return 60 + 120 * cv2.GaussianBlur(values, (0, 0), 1)


@given(ANGLES, COORDINATES, COORDINATES, st.floats(0.5, 2))
def test_a_turn_keeps_its_centre_and_its_inverse_undoes_it(angle, x, y, scale):
    motion = turn((x, y), angle, scale)
    np.testing.assert_allclose(motion @ [x, y, 1], [x, y, 1], atol=1e-9)
    back = turn((x, y), -angle, 1 / scale)
    np.testing.assert_allclose(back @ motion, np.eye(3), atol=1e-9)


def test_a_quarter_turn_takes_right_to_down():
    np.testing.assert_allclose(turn((0, 0), 90) @ [1, 0, 1], [0, 1, 1], atol=1e-12)
    np.testing.assert_allclose(shift(3, -2) @ [1, 1, 1], [4, -1, 1])


@given(ANGLES, COORDINATES, st.floats(0.2, 5), st.floats(0.2, 5))
def test_a_rescaled_motion_moves_the_same_places(angle, x, across, down):
    motion = shift(x, -x) @ turn((7, 9), angle)
    point = np.array([12.0, 5.0, 1])
    large = np.array([(12.5) * across - 0.5, 5.5 * down - 0.5, 1])
    small_moved, large_moved = motion @ point, rescaled(motion, across, down) @ large
    np.testing.assert_allclose((small_moved[0] + 0.5) * across - 0.5, large_moved[0], atol=1e-6)
    np.testing.assert_allclose((small_moved[1] + 0.5) * down - 0.5, large_moved[1], atol=1e-6)


@given(st.floats(0.5, 1.5), st.floats(-20, 20))
def test_structure_hardly_depends_on_the_light(gain, offset):
    values = scene()
    changed = structure(np.clip(values * gain + offset, 0, 400).astype(np.float32))
    assert likeness(structure(values), changed, np.ones_like(values)) > 0.95


def test_a_plain_picture_has_no_structure_and_no_likeness():
    plain = np.full((40, 50), 128, np.float32)
    assert np.abs(structure(plain)).max() < 0.01
    assert likeness(plain, scene(size=(40, 50)), np.ones_like(plain)) == 0
    assert likeness(plain, plain, np.zeros_like(plain)) == 0


@examples(15)
@given(st.integers(-20, 20), st.integers(-15, 15))
def test_correlation_finds_a_shift_to_the_pixel(x, y):
    values = structure(scene())
    found = correlate(moved(values, shift(x, y)), make_templates(values, [np.eye(3)]), 1)[0]
    np.testing.assert_allclose(found, shift(-x, -y), atol=1)


@examples(15)
@given(ANGLES, st.floats(-12, 12), st.floats(-9, 9))
def test_correlation_and_refinement_find_a_turn_and_shift(angle, x, y):
    grey = scene()
    motion = shift(x, y) @ turn((63.5, 47.5), angle)
    reference = structure(grey)
    other = structure(moved(grey, motion, cv2.BORDER_REPLICATE))
    starts = correlate(other, turned_templates(reference, 180), 6)
    weights = np.ones_like(reference)
    refined = [refine(reference, other, start, weights, turning=True) for start in starts]
    best, like = max(refined, key=lambda each: each[1])
    assert like > 0.9
    np.testing.assert_allclose((best @ motion)[:2, :2], np.eye(2), atol=0.01)
    middle = np.array([63.5, 47.5, 1])
    np.testing.assert_allclose(best @ motion @ middle, middle, atol=0.2)


def test_refinement_never_makes_it_worse():
    rng = np.random.default_rng(0)
    for seed in range(6):
        reference, other = (rng.normal(0, 1, (40, 40)).astype(np.float32) for _ in range(2))
        weights = np.ones_like(reference)
        begun = likeness(reference, other, weights)
        assert refine(reference, other, np.eye(3), weights, turning=seed % 2 == 0)[1] >= begun
    plain = np.zeros((40, 40), np.float32)
    motion, like = refine(plain, plain, np.eye(3), np.ones_like(plain), turning=True)
    assert like == 0
    assert np.isfinite(motion).all()


@given(st.floats(-0.45, 0.45), st.floats(0.5, 3))
def test_the_vertex_of_a_parabola(top, bend):
    values = [5 - bend * (x - top) ** 2 for x in (-1.0, 0.0, 1.0)]
    assert vertex(values) == pytest.approx(top, abs=1e-6)
    assert vertex([1.0, 1.0, 1.0]) == 0
