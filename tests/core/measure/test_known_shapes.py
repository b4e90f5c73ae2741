from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flawline.core.measure.measure import measure
from helpers.drawn_masks import arc, bar, coverage, disc
from helpers.examples import examples

DOCS = Path(__file__).parents[3] / "docs"


def drawn(inside, side: int = 120, fine: int = 4):
    share = coverage((side, side), inside, fine=fine)
    return measure([(share >= 0.5).astype(np.uint8)], probabilities=[share])


@pytest.mark.slow
def test_the_table_of_errors_in_the_documentation_is_what_is_measured() -> None:
    module = runpy.run_path(str(DOCS / "measurement_errors.py"))
    page = (DOCS / "reference" / "measurements.md").read_text(encoding="utf-8")
    assert module["replaced"](page) == page, "run `python docs/measurement_errors.py`"


@examples(12)
@given(st.floats(4, 45), st.floats(0, 1), st.floats(0, 1))
@example(radius=4.5, x=0.125, y=0.3125)
@example(radius=4.83915430, x=0.50945706, y=0.52735402)
@example(radius=5.0, x=0.625, y=0.4375)
@example(radius=7.28727035, x=0.58671082, y=0.50634215)
@example(radius=42.375, x=0.0, y=0.0)
@example(radius=42.78125, x=0.0, y=0.0)
def test_discs(radius: float, x: float, y: float) -> None:
    # A pixel is marked where half of it is covered, so each edge of the shape stands up to half a pixel off. The middle
    # between two opposite edges, and half the distance between them, are then up to half a pixel off too.
    half = 0.5
    found = drawn(disc(60 + x, 60 + y, radius), fine=16)
    # The whole pixels in a disc somewhere on the grid: their variance is 0.68 radius (Kendall 1948); five deviations.
    # Near a corner or the middle of a pixel the grid has eight symmetries: eight pixels of the edge come and go
    # together, and their deviation is up to sqrt(8) times as large; three of these.
    deviations = 5.0
    if max(abs(2 * place - round(2 * place)) for place in (x, y)) < 0.25:
        deviations = 3 * np.sqrt(8)
    bound = deviations * np.sqrt(0.68 * radius)
    assert found["area"][0] == pytest.approx(np.pi * radius**2, abs=bound)
    assert found["subpixel_area"][0] == pytest.approx(np.pi * radius**2, abs=5)
    assert found["circle_radius"][0] == pytest.approx(radius, abs=half)
    assert found["circle_x"][0] == pytest.approx(60 + x, abs=half)
    assert found["circle_y"][0] == pytest.approx(60 + y, abs=half)
    assert found["centroid_x"][0] == pytest.approx(60 + x, abs=half)
    assert found["centroid_y"][0] == pytest.approx(60 + y, abs=half)
    assert found["perimeter"][0] == pytest.approx(2 * np.pi * radius, rel=0.02, abs=3)
    assert found["solidity"][0] > 0.99
    assert found["eccentricity"][0] < 0.45
    (ring,) = found.contours[0]
    assert np.hypot(*(ring - (60 + x, 60 + y)).T) == pytest.approx(radius, abs=0.25)


@examples(12)
@given(st.floats(30, 80), st.floats(3, 12), st.floats(0, 180), st.floats(0, 1))
@example(length=30.0, width=4.875, angle=0.0, place=0.0)
@example(length=59.75821484657533, width=10.25, angle=0.7944619736548567, place=0.5)
def test_bars_at_every_angle(length: float, width: float, angle: float, place: float) -> None:
    # Each edge is drawn up to half a fine step off, and whole pixels move the width by up to one more.
    found = drawn(bar(60 + place, 60 - place, length, width, angle), fine=16)
    assert found["rectangle_length"][0] == pytest.approx(length, abs=2.2)
    assert found["rectangle_width"][0] == pytest.approx(width, abs=1.1)
    turned = abs(found["rectangle_angle"][0] - angle) % 180
    assert min(turned, 180 - turned) < np.degrees(np.arctan(2.5 / length))
    assert found["skeleton_length"][0] == pytest.approx(length, rel=0.04, abs=width + 1)
    assert found["mean_width"][0] == pytest.approx(width, rel=0.3, abs=1.3)
    assert found["max_width"][0] == pytest.approx(width, abs=1.2)
    assert found["solidity"][0] > 0.97


@examples(8)
@given(st.floats(20, 40), st.floats(2.2, 5), st.floats(60, 300), st.floats(0, 360))
def test_a_curved_scratch_is_longer_than_its_box(
    radius: float, width: float, sweep: float, begin: float
) -> None:
    found = drawn(arc(60.3, 60.1, radius, width, begin, sweep))
    length = radius * np.radians(sweep)
    assert found["skeleton_length"][0] == pytest.approx(length, rel=0.05, abs=width + 1)
    assert found["mean_width"][0] == pytest.approx(width, rel=0.15, abs=0.5)
    if sweep > 120:
        assert found["skeleton_length"][0] > found["rectangle_length"][0]


@examples(8)
@given(st.integers(2, 4), st.floats(5, 14), st.floats(0, 180))
def test_twice_as_large_is_twice_as_long_and_four_times_the_area(
    factor: int, length: float, angle: float
) -> None:
    small = drawn(bar(30.2, 30.1, 2 * length, length, angle), 60)
    large = drawn(
        bar(30.2 * factor, 30.1 * factor, 2 * length * factor, length * factor, angle), 60 * factor
    )
    for name, power, slack in (
        ("subpixel_area", 2, 30),
        ("rectangle_length", 1, 4),
        ("perimeter", 1, 8),
    ):
        expected = small[name][0] * factor**power
        assert large[name][0] == pytest.approx(expected, abs=slack * factor**power / 2)


def test_contours_are_finer_than_a_pixel_where_a_probability_allows() -> None:
    fine = drawn(disc(60.25, 60.75, 20))
    assert fine["probability"][0] > 0.9
    (ring,) = fine.contours[0]
    off = np.abs(np.hypot(*(ring - (60.25, 60.75)).T) - 20)
    assert off.max() < 0.2
    coarse = measure([(coverage((120, 120), disc(60.25, 60.75, 20)) >= 0.5).astype(np.uint8)])
    (ring,) = coarse.contours[0]
    assert np.abs(np.hypot(*(ring - (60.25, 60.75)).T) - 20).max() > 0.3


def test_several_classes_compete_for_the_contour() -> None:
    share = coverage((60, 60), disc(30, 30, 12))
    planes = np.stack([1 - share, 0.7 * share, 0.3 * share]).astype(np.float32)
    found = measure([planes.argmax(axis=0).astype(np.uint8)], probabilities=[planes])
    assert found.value.tolist() == [1]
    # 0.7 share = 1 - share where the share is 0.59, a little further in than one half
    assert found["subpixel_area"][0] < np.pi * 144
    assert found["subpixel_area"][0] == pytest.approx(np.pi * 144, rel=0.04)


def test_a_ring_keeps_its_hole_and_the_border_closes_the_contour() -> None:
    def ring(x, y):
        return disc(0, 30, 25)(x, y) & ~disc(0, 30, 10)(x, y)

    found = drawn(ring, 60)
    assert found["holes"].tolist() == [0]
    assert found["subpixel_area"][0] == pytest.approx(np.pi * (625 - 100) / 2, rel=0.01)
    (outline,) = found.contours[0]
    assert outline[:, 0].min() == 0

    found = drawn(lambda x, y: disc(30, 30, 25)(x, y) & ~disc(30, 30, 10)(x, y), 60)
    assert found["holes"].tolist() == [1]
    assert found["subpixel_area"][0] == pytest.approx(np.pi * (625 - 100), rel=0.01)
    assert found["max_width"][0] == pytest.approx(15, abs=1.5)
    assert found["skeleton_length"][0] == pytest.approx(2 * np.pi * 17.5, rel=0.04)


def test_a_mask_that_does_not_agree_with_its_probabilities_still_has_contours() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5:9, 5:9] = 1
    found = measure([mask], probabilities=[np.zeros((20, 20), np.float32)])
    assert len(found.contours[0]) == 1
    assert 8 < found["subpixel_area"][0] < 16
