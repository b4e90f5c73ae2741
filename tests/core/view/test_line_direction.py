"""Pictures with lines one way, across, anyhow and none."""

import cmath
import math

import numpy as np
import pytest

from flawline.core.view.line_direction import how_parts_lie, line_direction


def stripes(degrees, size=(90, 120)):
    """Grey stripes whose gradients point `degrees` from x towards y."""
    y, x = np.mgrid[: size[0], : size[1]]
    angle = math.radians(degrees)
    return np.uint8(128 + 90 * np.sin(0.3 * (x * math.cos(angle) + y * math.sin(angle))))


@pytest.mark.parametrize("degrees", [0, 30, 60, 90, 135])
def test_stripes_have_the_direction_of_their_gradients(degrees):
    found = line_direction(stripes(degrees))
    assert abs(found) > 0.9
    assert abs(found / abs(found) - cmath.exp(2j * math.radians(degrees))) < 0.05


def test_a_plain_picture_has_no_direction_and_noise_hardly_any():
    assert line_direction(np.full((40, 50), 9, np.uint8)) == 0
    noise = np.random.default_rng(0).integers(0, 255, (200, 300), dtype=np.uint8)
    assert abs(line_direction(noise)) < 0.1


def ways(degrees):
    return [0.5 * cmath.exp(2j * math.radians(one)) for one in degrees]


def test_parts_that_lie_the_same_way_or_across_or_anyhow():
    rng = np.random.default_rng(1)
    assert how_parts_lie(ways(rng.normal(40, 8, 30))) == "same"
    assert how_parts_lie(ways([0, 90] * 15)) == "same"
    assert how_parts_lie(ways(rng.uniform(0, 180, 60))) == "anyhow"
    assert how_parts_lie([0.01 * one for one in ways(range(60))]) == "unknown"
    assert how_parts_lie(ways(range(5))) == "unknown"
