"""Pictures brought to the light of the training pictures."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.view.illumination import LARGEST_GAIN, METHODS, Illumination, fit_illumination
from flawline.errors import UsageError
from flawline.synthetic.castings import draw_casting
from helpers.examples import examples

PIXELS = arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)))


def texture(seed, size=(200, 260), mean=120):
    rng = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(rng.normal(0, 60, size).astype(np.float32), (0, 0), 2)
    return np.repeat((mean + rough)[:, :, None], 3, axis=2)


def photograph(picture):
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def lamp(size, seed, strength=0.3):
    """Light from some side: a smooth field of mean about 1."""
    x, y = np.meshgrid(np.linspace(-1, 1, size[1]), np.linspace(-1, 1, size[0]))
    turn = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    return np.exp(strength * (x * np.cos(turn) + y * np.sin(turn)))[:, :, None]


def unevenness(pixels):
    """Spread of the local mean grey levels, as a part of their mean."""
    small = cv2.resize(pixels.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
    return float(small.std() / small.mean())


@pytest.mark.parametrize("method", METHODS)
@examples(40)
@given(st.lists(PIXELS, min_size=1, max_size=3), PIXELS)
def test_any_picture_stays_a_picture_and_noise_is_not_blown_up(method, good, pixels):
    lit = fit_illumination(good, method).apply(pixels)
    assert lit.dtype == np.uint8
    assert lit.shape == pixels.shape
    if method in ("none", "level"):
        assert np.ptp(lit.astype(int)) <= LARGEST_GAIN * np.ptp(pixels.astype(int)) + 1
    else:
        assert (lit <= LARGEST_GAIN * pixels.astype(int) + 1).all()
        assert (lit >= pixels.astype(int) / LARGEST_GAIN - 1).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grey", [0, 1, 128, 255])
def test_a_level_picture_stays_level(method, grey):
    level = np.full((50, 70, 3), grey, np.uint8)
    light = fit_illumination([photograph(texture(0))], method)
    assert np.isfinite(light.typical).all()
    assert np.ptp(light.apply(level)) <= 25 * (method in ("flat", "gradient"))
    assert np.ptp(fit_illumination([level], method).apply(level)) == 0
    assert (fit_illumination([level], method).apply(level) == grey).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_picture_in_typical_light_is_left_as_it_is(method):
    good = [photograph(texture(seed)) for seed in range(9)]
    light = fit_illumination(good, method)
    change = light.apply(good[0]).astype(int) - good[0]
    assert np.abs(change).mean() < 4


@pytest.mark.parametrize(("gain", "offset"), [(0.7, 0), (1.3, -20), (0.8, 40), (1.0, 30)])
def test_level_undoes_a_change_of_brightness_and_contrast(gain, offset):
    light = fit_illumination([photograph(texture(seed)) for seed in range(9)], "level")
    plain = light.apply(photograph(texture(50))).astype(int)
    changed = light.apply(photograph(texture(50) * gain + offset)).astype(int)
    assert np.abs(changed - plain).mean() < 1
    assert np.abs(photograph(texture(50) * gain + offset).astype(int) - plain).mean() > 8


def test_level_does_not_blow_up_the_noise_of_a_plain_picture():
    light = fit_illumination([photograph(texture(seed)) for seed in range(5)], "level")
    plain = photograph(120 + (texture(9) - 120) / 4)
    assert light.apply(plain).std() < 1.1 * LARGEST_GAIN * plain.std()


def test_flat_undoes_lamps_and_lens_that_stay():
    field = lamp((200, 260), 3) * (1 - 0.25 * np.square(np.linspace(-1, 1, 260))[None, :, None])
    light = fit_illumination([photograph(texture(seed) * field) for seed in range(20)], "flat")
    other = photograph(texture(50) * field)
    assert unevenness(other) > 0.12
    assert unevenness(light.apply(other)) < 0.03


def test_gradient_undoes_lamps_that_move():
    good = [photograph(texture(seed) * lamp((200, 260), seed)) for seed in range(20)]
    light = fit_illumination(good, "gradient")
    other = photograph(texture(50) * lamp((200, 260), 50))
    assert unevenness(other) > 0.12
    assert unevenness(light.apply(other)) < 0.04
    still = photograph(texture(50))
    assert unevenness(light.apply(still)) < 0.04


def test_gradient_works_on_parts_and_leaves_a_defect_there():
    parts = [draw_casting(np.random.default_rng(seed), size=200).pixels for seed in range(12)]
    light = fit_illumination(parts, "gradient")
    plain = parts[0].astype(np.float32)
    dark = photograph(plain * lamp((200, 200), 8, 0.25))
    error = np.abs(light.apply(dark).astype(int) - light.apply(parts[0])).mean()
    assert error < 0.35 * np.abs(dark.astype(int) - parts[0]).mean()
    stained = parts[0].copy()
    cv2.circle(stained, (100, 40), 14, (20, 20, 20), -1)
    inside = light.apply(stained)[30:50, 95:105].mean()
    assert inside < 40


def test_a_few_odd_pictures_change_nothing_much():
    good = [photograph(texture(seed)) for seed in range(20)]
    anomalous = [np.full((200, 260, 3), 10, np.uint8)] * 2
    for method in ("level", "flat", "gradient"):
        clean, dirty = fit_illumination(good, method), fit_illumination(good + anomalous, method)
        change = clean.apply(good[0]).astype(int) - dirty.apply(good[0])
        assert np.abs(change).mean() < 2


@pytest.mark.parametrize("method", METHODS)
def test_grey_and_colour_pictures_of_one_content_get_one_light(method):
    good = [photograph(texture(seed)) for seed in range(3)]
    light = fit_illumination(good, method)
    np.testing.assert_array_equal(light.apply(good[1])[..., 0], light.apply(good[1][..., 0]))


@pytest.mark.parametrize("method", METHODS)
def test_light_comes_back_from_settings_and_arrays(method):
    picture = photograph(texture(1))
    light = fit_illumination([picture, photograph(texture(2) * 0.8)], method)
    values, stored = light.as_arrays()
    again = Illumination.from_arrays(json.loads(json.dumps(values)), stored)
    np.testing.assert_array_equal(again.apply(picture), light.apply(picture))


def test_unknown_methods_and_no_pictures_are_refused():
    with pytest.raises(UsageError, match="expected a normalisation"):
        fit_illumination([], "bright")
    with pytest.raises(UsageError, match="got none"):
        fit_illumination([], "level")
    assert fit_illumination([], "none").method == "none"
