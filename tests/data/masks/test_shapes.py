"""Polygons against other rasterisers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Outline
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from flawline.data.masks.shapes import BrokenShape, paint_polygon

SHAPE = (40, 50)


def painted(points: NDArray[np.float64], shape: tuple[int, int] = SHAPE) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    paint_polygon(points, mask, 3)
    assert set(np.unique(mask)) <= {0, 3}
    return mask == 3


def star(seed: int, corners: int = 9) -> NDArray[np.float64]:
    """A polygon that does not cross itself: corners at rising angles around a middle."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(4, 30, corners)
    return np.stack([25 + radius * np.cos(angles), 20 + radius * np.sin(angles)], axis=1)


@given(st.integers(0, 10**6), st.integers(3, 30))
def test_pixels_are_inside_when_their_centres_are(seed: int, corners: int) -> None:
    points = star(seed, corners)
    rows, columns = np.indices(SHAPE)
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    closed = Outline(np.vstack([points, points[:1]]), closed=True)
    assert np.array_equal(painted(points).ravel(), closed.contains_points(centres))


@pytest.mark.parametrize("seed", range(8))
def test_the_same_pixels_as_scikit_image(seed: int) -> None:
    points = star(seed)
    # scikit-image has rows first and the centre of the first pixel at (0, 0).
    assert np.array_equal(painted(points), polygon2mask(SHAPE, points[:, ::-1] - 0.5))


@pytest.mark.parametrize("seed", range(8))
def test_opencv_differs_on_the_border_only(seed: int) -> None:
    points = star(seed)
    filled = np.zeros(SHAPE, np.uint8)
    cv2.fillPoly(filled, [np.round((points - 0.5) * 256).astype(np.int32)], 1, shift=8)
    border = np.zeros(SHAPE, np.uint8)
    cv2.polylines(border, [np.round((points - 0.5) * 256).astype(np.int32)], True, 1, 2, shift=8)
    assert not ((painted(points) != (filled > 0)) & (border == 0)).any()


def test_two_polygons_with_a_common_edge_cover_each_pixel_once() -> None:
    left = np.array([[3, 3], [20.3, 7.7], [14.5, 30.5], [2, 25]])
    right = np.array([[20.3, 7.7], [40, 2], [44, 33], [14.5, 30.5]])
    assert not (painted(left) & painted(right)).any()
    whole = np.array([[3, 3], [20.3, 7.7], [40, 2], [44, 33], [14.5, 30.5], [2, 25]])
    assert np.array_equal(painted(left) | painted(right), painted(whole))


def test_a_polygon_over_the_edge_is_cut_there() -> None:
    points = np.array([[-10, -10], [60, -10], [60, 5], [-10, 5.0]])
    assert np.array_equal(painted(points), np.indices(SHAPE)[0] < 5)


def test_a_polygon_of_no_area_paints_nothing() -> None:
    assert not painted(np.array([[1, 1], [9, 1], [4, 1.0]])).any()
    assert not painted(np.array([[4, 4.0]] * 3)).any()


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([[1, 1], [2, 2]], "at least 3 points, got 2"),
        ([[1, 1], [2, 2], [np.nan, 3]], "nan"),
        ([[1, 1], [2, 2], [np.inf, 3]], "inf"),
        ([[1, 1], [2, 2], [1e300, 3]], "50 x 40 px"),
        ([[1, 1], [2, 2], [3, 81]], r"\(3, 81\)"),
    ],
)
def test_broken_polygons_are_refused(points: list[list[float]], words: str) -> None:
    with pytest.raises(BrokenShape, match=words):
        painted(np.array(points, np.float64))
