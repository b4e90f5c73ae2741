"""Comparison with a golden sample: what counts as missing or extra, and what does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.golden.differences import (
    STRENGTH,
    GoldenSettings,
    class_mask,
    compare_with_golden,
    counted_regions,
    difference_maps,
)
from flawline.core.golden.reference import LONGEST, make_golden, working_size
from flawline.errors import ImageError, UsageError
from helpers.boards import PAD, board, moved, without_pad
from helpers.examples import examples


def counted(golden, pixels, settings=None):
    settings = settings or GoldenSettings()
    found = compare_with_golden(golden, pixels, settings)
    return counted_regions(found.regions, settings.least)


def inside_pad(region):
    x, y = region.box[0] + region.box[2] / 2, region.box[1] + region.box[3] / 2
    return PAD[0] < x < PAD[0] + PAD[2] and PAD[1] < y < PAD[1] + PAD[3]


@pytest.mark.parametrize(("x", "y"), [(0, 0), (4, -3), (-2.4, 5.7)])
def test_what_is_missing_is_found_where_it_lay_in_the_picture(x, y):
    golden = make_golden([board(0)])
    assert counted(golden, moved(board(1), x, y)) == ()
    (region,) = counted(golden, moved(without_pad(board(1)), x, y))
    assert region.label == "missing"
    centre = region.box[0] + region.box[2] / 2 - x, region.box[1] + region.box[3] / 2 - y
    assert np.allclose(centre, (PAD[0] + PAD[2] / 2, PAD[1] + PAD[3] / 2), atol=2)
    assert abs(region.area - PAD[2] * PAD[3]) < 0.25 * PAD[2] * PAD[3]


def test_what_is_extra_is_told_from_what_is_missing():
    golden = make_golden([without_pad(board(0))])
    (region,) = counted(golden, board(1))
    assert region.label == "extra"
    assert inside_pad(region)


@pytest.mark.parametrize(("material", "label"), [("dark", "missing"), ("bright", "extra")])
def test_the_material_decides_where_it_is_named(material, label):
    settings = GoldenSettings(material=material)
    (region,) = counted(make_golden([board(0)]), without_pad(board(1)), settings)
    assert region.label == label


def test_turned_parts_are_compared_where_they_may_turn():
    golden = make_golden([board(0)], align="rigid", largest_angle=20)
    regions = counted(golden, moved(without_pad(board(1)), 3, 2, degrees=5))
    assert [region.label for region in regions] == ["missing"]


def test_even_light_is_not_a_difference():
    dimmed = np.clip(board(1) * 0.7 + 12, 0, 255).astype(np.uint8)
    assert counted(make_golden([board(0)]), dimmed) == ()
    assert counted(make_golden([board(0)], light="none"), dimmed) != ()


def test_places_that_differ_from_part_to_part_do_not_count_once_learnt():
    # Good parts come with the pad and without it.
    good = [board(1), without_pad(board(2)), without_pad(board(3))]
    golden = make_golden(good)
    assert golden.pictures == 3
    assert counted(golden, board(9)) == counted(golden, without_pad(board(9))) == ()
    assert counted(make_golden([board(1)]), without_pad(board(9))) != ()


def test_a_picture_of_another_resolution_is_compared_in_its_own_pixels():
    import cv2

    large = cv2.resize(without_pad(board(1)), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    found = counted(make_golden([board(0)]), large)
    best = max(found, key=lambda region: region.measures[STRENGTH])
    assert np.allclose(best.box, np.array(PAD) * 2, atol=8)


def test_another_product_and_another_shape_are_refused():
    golden = make_golden([board(0)])
    noise = np.random.default_rng(3).integers(0, 255, (240, 240, 3), dtype=np.uint8)
    with pytest.raises(ImageError, match="not recognised") as caught:
        compare_with_golden(golden, noise)
    assert caught.value.code == "image-golden"
    with pytest.raises(ImageError, match="240 x 120 px"):
        compare_with_golden(golden, board(0)[:120])


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("slack", (-1, 51)),
        ("contrast", (0, 255)),
        ("least", (-1, float("nan"), float("inf"))),
        ("material", ("shiny",)),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(setting, values):
    for value in values:
        with pytest.raises(UsageError, match=f"`{setting}`"):
            GoldenSettings(**{setting: value})


def test_no_picture_is_no_golden_sample():
    with pytest.raises(UsageError, match="got none"):
        make_golden([])


@examples(30)
@given(
    st.integers(0, 5),
    st.tuples(st.integers(-5, 5), st.integers(-5, 5)),
    st.integers(0, 2**32 - 1),
)
def test_what_the_slack_covers_is_no_difference(slack, shift, seed):
    """A blurred picture beside itself shifted: 0 everywhere where the shift is within the slack's disc."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, 256, (40, 44, 3), dtype=np.uint8)
    down, across = shift
    first = np.ascontiguousarray(whole[8:32, 8:36])
    second = np.ascontiguousarray(whole[8 + down : 32 + down, 8 + across : 36 + across])
    darker, brighter = difference_maps(first, first, second, slack)
    edge = 6 + slack  # what blurs in from outside differs
    inner = np.maximum(darker, brighter)[edge:-edge, edge:-edge]
    if inner.size and down**2 + across**2 <= slack**2 * 0.5:
        assert inner.max() <= 1
    wider = difference_maps(first, first, second, slack + 1)
    assert (wider[0] <= darker).all()
    assert (wider[1] <= brighter).all()


def test_differences_add_up_to_the_strength():
    golden = make_golden([board(0)])
    found = compare_with_golden(golden, without_pad(board(1)))
    assert found.score == found.regions[0].measures[STRENGTH]
    assert found.score <= found.map.sum() / 255
    assert found.regions[0].peak == found.map.max()


def test_the_class_mask_names_the_kinds():
    golden = make_golden([board(0)])
    regions = counted(golden, without_pad(board(1)))
    mask = class_mask(regions, (240, 240))
    assert set(np.unique(mask)) == {0, 1}
    assert mask[PAD[1] + PAD[3] // 2, PAD[0] + PAD[2] // 2] == 1
    assert abs(int((mask > 0).sum()) - regions[0].area) < 0.3 * regions[0].area


def test_large_pictures_are_compared_smaller():
    assert working_size(np.zeros((10, 2 * LONGEST, 3), np.uint8)).shape == (5, LONGEST, 3)
    same = np.zeros((10, LONGEST, 3), np.uint8)
    assert working_size(same) is same
