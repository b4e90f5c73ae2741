"""Where a picture is judged."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.framing import Framing, map_size
from flawline.core.view.region_of_interest import (
    RegionOfInterest,
    adaptation,
    cells_inside,
    from_mask,
    from_polygons,
    pixels_inside,
)
from flawline.errors import UsageError

SQUARE = [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]]


def test_a_rectangle_in_pixels_holds_the_pixels_between_its_edges():
    region = from_polygons([[(10, 20), (30, 20), (30, 50), (10, 50)]], (100, 80))
    inside = pixels_inside(region, (100, 80))
    assert inside[20:50, 10:30].all()
    # OpenCV fills the outline too, which may add the row and column at the far edge.
    assert inside.sum() <= 31 * 21


def test_a_relative_polygon_fits_every_picture():
    for size in ((40, 40), (120, 60), (33, 411)):
        share = pixels_inside(from_polygons(SQUARE), size).mean()
        assert share == pytest.approx(0.25, abs=0.05)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(0.02, 0.4))
def test_the_area_of_a_triangle(x, y, side):
    corners = [(x, y), (min(1, x + side), y), (x, min(1, y + side))]
    area = 0.5 * (corners[1][0] - x) * (corners[2][1] - y)
    inside = pixels_inside(from_polygons([corners]), (400, 400))
    outline = 400 * 3.5 * side
    assert abs(inside.sum() - area * 400 * 400) <= outline + 4


def test_several_polygons_are_joined_also_where_they_overlap():
    two = [SQUARE[0], [(0.5, 0.5), (1, 0.5), (1, 1), (0.5, 1)]]
    joined = pixels_inside(from_polygons(two), (200, 200))
    apart = [pixels_inside(from_polygons([one]), (200, 200)) for one in two]
    np.testing.assert_array_equal(joined, apart[0] | apart[1])


def test_a_region_in_pixels_is_scaled_for_pictures_of_its_shape_and_says_so():
    region = from_polygons([[(10, 20), (30, 20), (30, 50), (10, 50)]], (100, 80))
    assert adaptation(region, (100, 80)) == ""
    assert (
        adaptation(region, (50, 40)) == "region of interest scaled from 80 x 100 px to 40 x 50 px"
    )
    assert pixels_inside(region, (200, 160)).sum() == pytest.approx(40 * 60, rel=0.06)
    with pytest.raises(UsageError, match="another shape"):
        pixels_inside(region, (80, 100))


def test_a_mask_is_scaled_for_pictures_of_its_shape_only():
    mask = np.zeros((60, 90, 3), np.uint8)
    mask[10:40, 20:60] = 255
    region = from_mask(mask)
    assert pixels_inside(region, (60, 90)).sum() == 30 * 40
    assert pixels_inside(region, (120, 180)).sum() == 60 * 80
    assert pixels_inside(region, (30, 45)).sum() == 15 * 20
    assert "scaled" in adaptation(region, (120, 180))
    with pytest.raises(UsageError, match="another shape"):
        pixels_inside(region, (60, 60))


@pytest.mark.parametrize("value", [1, 255, True])
def test_what_counts_in_a_mask_does_not_depend_on_how_it_is_written(value):
    mask = np.zeros((8, 8), np.asarray(value).dtype)
    mask[2:4] = value
    assert pixels_inside(from_mask(mask), (8, 8)).sum() == 16


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: from_mask(np.zeros((5, 5), np.uint8)), "black"),
        (lambda: from_polygons([[(200, 200), (210, 200), (210, 210)]], (100, 100)), "empty"),
        (lambda: from_polygons([]), "three corners"),
        (lambda: from_polygons([[(0, 0), (1, 1)]]), "three corners"),
        (lambda: from_polygons([[(0, 0), (1, 1), (np.nan, 0)]]), "finite"),
        (lambda: from_polygons([[(0, 0), (1, 1), (1, 0, 0)]]), "two"),
        (lambda: from_polygons([[(0, 0), (20, 0), (20, 20)]]), "0 to 1"),
    ],
)
def test_regions_without_an_inside_are_refused(make, reason):
    with pytest.raises(UsageError, match=reason):
        make()


def test_a_cell_counts_from_half_on():
    inside = np.zeros((64, 64), np.bool_)
    inside[8:20, 16:32] = True
    cells = cells_inside(inside, Framing((64, 64), 1.0))
    assert cells[1:3, 2:4].all()
    assert cells.sum() == 4


@given(st.integers(0, 39), st.integers(0, 52))
def test_the_smallest_region_keeps_a_cell(row, column):
    inside = np.zeros((40, 53), np.bool_)
    inside[row, column] = True
    for framing in (Framing((64, 64)), Framing((64, 64), 0.7, 16)):
        cells = cells_inside(inside, framing)
        assert cells.shape == map_size((40, 53), framing)
        assert 1 <= cells.sum() <= 4


def test_regions_come_back_from_settings_and_arrays():
    mask = np.zeros((20, 30), np.bool_)
    mask[3:9, 4:8] = True
    for region in (
        from_polygons(SQUARE),
        from_polygons([[(1, 1), (9, 1), (9, 9)]], (20, 30)),
        from_mask(mask),
    ):
        settings, arrays = region.as_arrays()
        again = RegionOfInterest.from_arrays(json.loads(json.dumps(settings)), arrays)
        assert (again.polygons, again.size) == (region.polygons, region.size)
        np.testing.assert_array_equal(
            pixels_inside(again, (20, 30)), pixels_inside(region, (20, 30))
        )
