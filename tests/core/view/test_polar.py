"""Centre, rings and angle of round parts."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.polar import (
    disc,
    enlarged_by,
    outer_radius,
    outline,
    rings,
    symmetry_centre,
    turned_by,
    unrolled,
)
from flawline.core.view.registration import moved, structure, turn
from helpers.examples import examples


def wheel(x=95.0, y=98.0, radius=60.0, angle=0.0, lamp=0.0):
    """A disc with a groove, seven spokes and one keyway, in light that falls from `lamp` degrees."""
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    away, around = np.hypot(columns - x, rows - y) / radius, np.arctan2(rows - y, columns - x)
    own = around - np.radians(angle)
    grey = np.where(away < 1, 150.0, 70.0)
    grey[(away > 0.75) & (away < 0.8)] = 90
    grey[(away > 0.35) & (away < 0.7) & (np.mod(own * 7 / (2 * np.pi), 1) < 0.3)] = 110
    grey[away < 0.2] = 20
    grey[(away < 0.28) & (np.abs(np.mod(own + np.pi, 2 * np.pi) - np.pi) < 0.2)] = 20
    light = 1 + 0.3 * np.cos(around - np.radians(lamp)) * np.minimum(away, 1)
    return cv2.GaussianBlur((grey * light).astype(np.float32), (0, 0), 1)


def off(angle):
    return (angle + 180) % 360 - 180


@examples(20)
@given(st.floats(80, 112), st.floats(80, 112), st.floats(45, 70))
def test_the_centre_and_the_radius(x, y, radius):
    values = structure(wheel(x, y, radius))
    centre = symmetry_centre(values)
    np.testing.assert_allclose(centre, (x, y), atol=1)
    assert outer_radius(values, centre) == pytest.approx(radius, rel=0.12)


@examples(10)
@given(st.floats(-180, 180), st.floats(0, 360), st.floats(0, 360))
def test_the_angle_is_told_by_one_keyway_whatever_the_light(angle, first, second):
    reference = outline(wheel(lamp=first), (95, 98), 60)
    other = outline(wheel(angle=angle, lamp=second), (95, 98), 60)
    assert off(turned_by(reference, other) - angle) == pytest.approx(0, abs=1.5)


@given(st.floats(0.95, 1.05))
def test_the_size(scale):
    reference = rings(structure(wheel()), (95, 98), 66)
    other = structure(wheel(radius=60 * scale))
    assert enlarged_by(reference, other, (95, 98), 66) == pytest.approx(scale, abs=0.006)


def test_rings_do_not_depend_on_the_angle():
    values = structure(wheel())
    turned = moved(values, turn((95, 98), 77))
    difference = np.abs(rings(values, (95, 98), 60) - rings(turned, (95, 98), 60))
    assert difference.max() < 0.05 * np.ptp(values)


def test_unrolling_puts_angles_down_and_radii_across():
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    values = np.hypot(columns - 95, rows - 98).astype(np.float32)
    around = unrolled(values, (95, 98), 60)
    assert np.abs(around - around.mean(axis=0)).max() < 0.1
    assert around[0, -1] == pytest.approx(60, abs=0.1)
    below = unrolled((rows > 98).astype(np.float32), (95, 98), 60)
    assert below[180].mean() == 1
    assert below[540].mean() == 0


def test_a_disc():
    assert disc((50, 40), (20, 25), 10).sum() == pytest.approx(np.pi * 100, rel=0.03)
