"""Masks from pictures, and pictures that are refused as masks."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from flawline.data.masks.pixels import read_colour_mask, read_mask
from flawline.errors import ImageError

CLASSES = np.array([[0, 1, 2], [2, 255, 0]], np.uint8)


def png(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    done, data = cv2.imencode(".png", values)
    assert done
    return data.tobytes()


def saved(image: Image.Image, format: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format)
    return stream.getvalue()


def palette() -> bytes:
    image = Image.fromarray(CLASSES).convert("P")
    image.putpalette([9, 9, 9, 255, 0, 0] + [0, 255, 0] * 254)
    return saved(image, "PNG")


@pytest.mark.parametrize(
    "data",
    [
        png(CLASSES),
        png(CLASSES.astype(np.uint16)),
        png(np.dstack([CLASSES] * 3)),
        saved(Image.fromarray(CLASSES), "TIFF"),
        saved(Image.fromarray(CLASSES.astype(np.uint16)), "TIFF"),
        saved(Image.fromarray(CLASSES.astype(np.int32)), "TIFF"),
        saved(Image.fromarray(CLASSES), "BMP"),
        b"P5 3 2 65535\n" + CLASSES.astype(">u2").tobytes(),
        palette(),
    ],
    ids=["png", "png-16", "png-rgb", "tiff", "tiff-16", "tiff-32", "bmp", "pgm-16", "palette"],
)
def test_levels_and_places_in_a_palette_are_the_classes(data: bytes) -> None:
    mask = read_mask(data)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, CLASSES)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(CLASSES.astype(np.uint16) + 1), "at most 255, got 256"),
        (saved(Image.fromarray(CLASSES.astype(np.uint16) + 7), "TIFF"), "at most 255, got 262"),
        (png(np.dstack([CLASSES, CLASSES, CLASSES // 2])), "grey level is the class, got colours"),
        (saved(Image.fromarray(CLASSES), "JPEG"), "without losses, got a JPEG"),
        (png(CLASSES)[:-30], "ends before"),
    ],
    ids=["png-16", "tiff-16", "colours", "jpeg", "cut"],
)
def test_what_gives_no_class_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_mask(data)
    assert caught.value.hint


def test_a_palette_whose_black_is_a_class_is_refused() -> None:
    places = Image.fromarray(np.array([[1, 0, 0], [1, 1, 0]], np.uint8)).convert("P")
    places.putpalette([255, 0, 0, 0, 0, 0])
    with pytest.raises(ImageError, match="black is at place 1") as caught:
        read_mask(saved(places, "PNG"))
    assert "`palette`" in caught.value.hint
    values = {(0, 0, 0): 0, (255, 0, 0): 1}
    assert read_colour_mask(saved(places, "PNG"), values).tolist() == [[0, 1, 1], [0, 0, 1]]


def test_colours_are_classes_where_a_palette_says_so() -> None:
    colours = np.zeros((2, 2, 3), np.uint8)
    colours[0, 0], colours[1, 1] = (255, 0, 0), (1, 2, 3)
    data = saved(Image.fromarray(colours), "PNG")
    values = {(0, 0, 0): 0, (255, 0, 0): 1, (1, 2, 3): 7}
    assert read_colour_mask(data, values).tolist() == [[1, 0], [0, 7]]
    with pytest.raises(ImageError, match=r"got \(1, 2, 3\) in 1 px") as caught:
        read_colour_mask(data, {(0, 0, 0): 0, (255, 0, 0): 1})
    assert caught.value.code == "image-mask-value"
