"""The change of a picture since the first shots of its place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from flawline.core.causes.picture_change import first_look
from flawline.errors import UsageError

SIZE = (120, 200)


def surface(seed=0):
    """A plain with lines and grains, the same for every shot of a place."""
    random = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(random.normal(0, 60, SIZE).astype(np.float32), (0, 0), 2.0)
    rows = 25 * np.sin(np.arange(SIZE[0]) / 4)[:, None]
    return 120 + grain + rows


def shot(number, base=None, gain=1.0, moved=(0, 0), spot=0):
    """A shot with noise of its own, brighter by `gain`, moved by whole px, with a dark spot."""
    random = np.random.default_rng(100 + number)
    grey = (surface() if base is None else base) * gain + random.normal(0, 1, SIZE)
    if spot:
        cv2.circle(grey, (120, 60), spot, 20.0, -1)
    grey = np.roll(grey, moved, (0, 1)).clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def look():
    return first_look([shot(n) for n in range(6)])


def test_the_same_place_changes_by_its_noise_alone(look):
    assert look.change(shot(50)) < 3


def test_light_and_a_small_motion_are_no_change(look):
    assert look.change(shot(51, gain=1.3)) < 4
    assert look.change(shot(52, moved=(2, -3))) < 5


def test_a_spot_that_grows_changes_more_and_more(look):
    found = [look.change(shot(60 + size, spot=size)) for size in (0, 4, 8, 16)]
    assert found == sorted(found)
    assert found[3] > found[0] + 5


def test_another_place_has_nothing_in_common(look):
    assert look.change(shot(53, base=surface(9))) > 30
    assert look.change(np.full((*SIZE, 3), 90, np.uint8)) == 100


def test_a_picture_of_another_size_is_stretched(look):
    large = cv2.resize(shot(54), (400, 244), interpolation=cv2.INTER_CUBIC)
    assert look.change(large) < 15


def test_pictures_of_several_shapes_are_no_reference():
    with pytest.raises(UsageError):
        first_look([shot(0), shot(1)[:, :150]])
