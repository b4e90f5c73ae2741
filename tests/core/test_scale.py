from __future__ import annotations

from math import sqrt

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.scale import PartFrame, Scale, scale_of_checkerboard, scale_of_two_points


def board(
    side: float, angle: float, tilt: float = 0.0, corners: tuple[int, int] = (9, 6)
) -> np.ndarray:
    """A drawn checkerboard with squares of `side` px, turned by `angle` degrees, squeezed by `tilt`."""
    fine = 3
    height, width = 480, 600
    y, x = (np.mgrid[: height * fine, : width * fine] + 0.5) / fine
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u = ((x - width / 2) * cos + (y - height / 2) * sin) / side
    v = ((y - height / 2) * cos - (x - width / 2) * sin) / (side * (1 - tilt))
    u, v = u + (corners[0] + 1) / 2, v + (corners[1] + 1) / 2
    on = (u > 0) & (v > 0) & (u < corners[0] + 1) & (v < corners[1] + 1)
    dark = on & ((np.floor(u) + np.floor(v)) % 2 == 0)
    grey = np.where(dark, 30, 225).astype(np.float32)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


@pytest.mark.parametrize(
    ("side", "angle"), [(40.0, 0), (33.3, 7), (35.5, 30), (37.25, 90), (40, 180)]
)
def test_a_drawn_board_has_its_scale(side: float, angle: float) -> None:
    found = scale_of_checkerboard(board(side, angle), (9, 6), 5.0)
    assert found is not None
    assert found.scale.mm_per_px == pytest.approx(5 / side, rel=5e-4)
    assert found.residual < 0.15
    assert found.scale.uncertainty < 1e-3 * found.scale.mm_per_px
    assert found.stretch == pytest.approx(1, abs=1e-3)


def test_a_tilted_board_is_less_sure() -> None:
    found = scale_of_checkerboard(board(40, 0, tilt=0.02), (9, 6), 5.0)
    assert found is not None
    assert abs(found.stretch - 1) == pytest.approx(0.02, abs=2e-3)
    low, high = 5 / 40, 5 / (40 * 0.98)
    reach = 2 * found.scale.uncertainty
    assert found.scale.mm_per_px - reach < low < high < found.scale.mm_per_px + reach


def test_the_uncertainty_of_the_square_is_carried() -> None:
    picture = board(40, 0)
    sure, unsure = (
        scale_of_checkerboard(picture, (9, 6), 5.0, square_uncertainty=u) for u in (0, 0.05)
    )
    assert sure is not None
    assert unsure is not None
    expected = sqrt(sure.scale.uncertainty**2 + (0.01 * sure.scale.mm_per_px) ** 2)
    assert unsure.scale.uncertainty == pytest.approx(expected)


def test_no_board() -> None:
    assert scale_of_checkerboard(np.full((200, 200), 9, np.uint8), (9, 6), 5.0) is None


def test_two_points() -> None:
    scale = scale_of_two_points(
        (10, 10), (310, 410), 50, distance_uncertainty=0.1, point_uncertainty=0.5
    )
    assert scale.mm_per_px == pytest.approx(0.1)
    # 0.1 mm of 50, and twice half a pixel of 500
    assert scale.uncertainty / scale.mm_per_px == pytest.approx(sqrt(0.002**2 + 2 * 0.001**2))


def test_uncertainties_of_lengths_and_areas() -> None:
    scale = Scale(0.1, 0.001, edge=0)
    length, spread = scale.length(np.array([200.0]))
    assert (length[0], spread[0]) == (pytest.approx(20), pytest.approx(0.2))
    area, spread = scale.area(np.array([1000.0]), np.array([120.0]))
    assert (area[0], spread[0]) == (pytest.approx(10), pytest.approx(0.2))
    _, spread = Scale(0.1, 0, edge=0.5).area(np.array([1000.0]), np.array([120.0]))
    assert spread[0] == pytest.approx(0.5 * 120 * 0.01)


def test_stated_uncertainties_are_those_of_a_simulation() -> None:
    rng = np.random.default_rng(0)
    one, other = (100.0, 50.0), (400.0, 450.0)
    stated = scale_of_two_points(one, other, 50, distance_uncertainty=0.05, point_uncertainty=0.4)
    drawn = [
        (50 + 0.05 * rng.normal())
        / np.hypot(*(np.array(other) - one + 0.4 * (rng.normal(size=2) - rng.normal(size=2))))
        for _ in range(4000)
    ]
    assert np.std(drawn) == pytest.approx(stated.uncertainty, rel=0.05)


@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(-360, 360), st.floats(0.01, 5))
def test_a_frame_keeps_distances_and_maps_its_origin_to_zero(
    x: float, y: float, angle: float, scale: float
) -> None:
    frame = PartFrame(x, y, angle)
    points = np.array([[x, y], [x + 3, y + 4]])
    mapped = frame.to_part(points, scale)
    np.testing.assert_allclose(mapped[0], 0, atol=1e-9)
    assert np.hypot(*mapped[1]) == pytest.approx(5 * scale)


def test_a_frame_turns_with_the_part() -> None:
    mapped = PartFrame(10, 20, 90).to_part(np.array([[10.0, 30.0]]))
    np.testing.assert_allclose(mapped, [[10, 0]], atol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Scale(0),
        lambda: Scale(1, -1),
        lambda: Scale(float("nan")),
        lambda: scale_of_two_points((1, 1), (1, 1), 5),
        lambda: scale_of_two_points((1, 1), (2, 1), 0),
        lambda: scale_of_checkerboard(np.zeros((9, 9), np.uint8), (2, 6), 5),
    ],
)
def test_bad_input(make) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()
