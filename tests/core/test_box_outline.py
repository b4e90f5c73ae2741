"""What is estimated in an annotated box: the object, what surrounds it, and where neither is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.box_outline import outline_in_box
from flawline.core.segmentation_metrics import IGNORE
from helpers.examples import examples


def plate(height: int = 90, width: int = 110) -> np.ndarray:
    grey = np.random.default_rng(0).normal(130, 5, (height, width, 1))
    return np.clip(np.repeat(grey, 3, axis=2), 0, 255).astype(np.uint8)


def drawn(kind: str) -> tuple[np.ndarray, np.ndarray]:
    pixels, truth = plate(), np.zeros((90, 110), np.uint8)
    if kind == "disc":
        cv2.circle(truth, (50, 45), 14, 1, -1)
    else:
        cv2.line(truth, (25, 30), (85, 60), 1, 4)
    pixels[truth > 0] -= 60
    return pixels, truth


def boxed(shape: tuple[int, ...], box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, width, height = box
    found = np.zeros(shape[:2], bool)
    found[top : top + height, left : left + width] = True
    return found


@pytest.mark.parametrize("kind", ["disc", "scratch"])
def test_a_dark_defect_is_found_in_its_box(kind: str) -> None:
    pixels, truth = drawn(kind)
    left, top, width, height = map(int, cv2.boundingRect(truth))
    box = (left - 2, top - 2, width + 4, height + 4)
    found = outline_in_box(pixels, box, boxed(truth.shape, box))
    true = truth[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] > 0
    # Of what is stated, nearly all is right, and no large part is left open.
    assert (found == 1)[true].mean() > 0.9
    assert (found == 1)[~true].mean() < 0.1
    assert (found == 0)[~true].mean() > 0.6


def test_the_border_is_left_open() -> None:
    pixels, truth = drawn("disc")
    box = (34, 29, 33, 33)
    found = outline_in_box(pixels, box, boxed(truth.shape, box))
    grown = cv2.dilate((found == 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (found == IGNORE).any()
    assert not (found[grown] == 0).any()


def test_equal_arguments_give_equal_bytes_whatever_was_drawn_before() -> None:
    pixels, truth = drawn("scratch")
    box = (20, 25, 72, 42)
    cv2.setRNGSeed(1)
    first = outline_in_box(pixels, box, boxed(truth.shape, box))
    cv2.setRNGSeed(99)
    second = outline_in_box(pixels, box, boxed(truth.shape, box))
    assert first.tobytes() == second.tobytes()


def test_a_box_without_surroundings_is_certain_in_its_middle_fifth_alone() -> None:
    pixels = plate(60, 60)
    found = outline_in_box(pixels, (0, 0, 60, 60), np.ones((60, 60), bool))
    assert set(np.unique(found)) == {1, IGNORE}
    assert (found == 1).mean() == pytest.approx(0.2, abs=0.01)
    assert (found[17:43, 17:43] == 1).all()


def test_a_tiny_box_is_all_object() -> None:
    assert (outline_in_box(plate(), (10, 10, 5, 40), boxed((90, 110), (10, 10, 5, 40))) == 1).all()


@given(
    st.integers(0, 20), st.integers(0, 20), st.integers(1, 44), st.integers(1, 44), st.booleans()
)
@examples(15)
def test_every_box_keeps_a_pixel_of_its_object(
    left: int, top: int, width: int, height: int, flat: bool
) -> None:
    pixels = np.full((64, 64, 3), 90, np.uint8) if flat else plate(64, 64)
    width, height = min(width, 64 - left), min(height, 64 - top)
    box = (left, top, width, height)
    found = outline_in_box(pixels, box, boxed((64, 64), box))
    assert found.shape == (height, width)
    assert found.dtype == np.uint8
    assert (found == 1).any()
    assert set(np.unique(found)) <= {0, 1, IGNORE}
