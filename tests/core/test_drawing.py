import numpy as np

from flawline.core.drawing import class_colour, class_overlay, outline_regions
from flawline.types import Region

GREY = np.full((40, 60, 3), 100, np.uint8)


def test_classes_are_tinted_and_the_rest_stays():
    marked = np.zeros((40, 60), np.uint8)
    marked[10:20, 10:20] = 1
    marked[10:20, 30:40] = 2
    drawn = class_overlay(GREY, marked)
    assert (drawn[marked == 0] == 100).all()
    for number in (1, 2):
        expected = np.rint(0.6 * 100 + 0.4 * np.array(class_colour(number)))
        assert (drawn[marked == number] == expected).all()


def test_masks_of_another_size_are_brought_to_the_picture():
    marked = np.zeros((80, 120), np.uint8)
    marked[20:40, 20:40] = 1
    assert (class_overlay(GREY, marked) != 100).any(axis=2).sum() == 100


def test_a_place_of_one_pixel_gets_a_ring():
    pixels = GREY.copy()
    point = Region("a", (30, 20, 1, 1), np.array([[30.5, 20.5]], np.float32), 1.0, 1.0)
    outline_regions(pixels, [point], 1.0)
    assert (pixels != 100).any(axis=2).sum() > 10
