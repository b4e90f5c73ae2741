import numpy as np

from flawline.core.drawing import class_colour, class_overlay, outline_regions
from flawline.types import Region

GREY = np.full((40, 60, 3), 100, np.uint8)


def test_classes_are_tinted_and_the_rest_stays():
    class_mask = np.zeros((40, 60), np.uint8)
    class_mask[10:20, 10:20] = 1
    class_mask[10:20, 30:40] = 2
    drawn = class_overlay(GREY, class_mask)
    assert (drawn[class_mask == 0] == 100).all()
    for number in (1, 2):
        expected = np.rint(0.6 * 100 + 0.4 * np.array(class_colour(number)))
        assert (drawn[class_mask == number] == expected).all()


def test_masks_of_another_size_are_brought_to_the_picture():
    class_mask = np.zeros((80, 120), np.uint8)
    class_mask[20:40, 20:40] = 1
    assert (class_overlay(GREY, class_mask) != 100).any(axis=2).sum() == 100


def test_a_place_of_one_pixel_gets_a_ring():
    pixels = GREY.copy()
    point = Region("a", (30, 20, 1, 1), np.array([[30.5, 20.5]], np.float32), 1.0, 1.0)
    outline_regions(pixels, [point], 1.0)
    assert (pixels != 100).any(axis=2).sum() > 10
