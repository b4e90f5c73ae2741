"""Pieces of masks, two masks of one picture, and the regions of clicks and boxes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import label

from flawline.core.labelling.pieces import class_areas, pieces_of
from flawline.core.labelling.two_masks import agreement, join_masks
from flawline.core.labelling.wand import REACH, flood_region, grab_region
from helpers.examples import examples


def masks(classes=3):
    """Small class masks."""
    return st.lists(st.integers(0, classes - 1), min_size=35, max_size=35).map(
        lambda values: np.array(values, np.uint8).reshape(5, 7)
    )


@examples(80)
@given(masks())
def test_pieces_cover_the_mask_once(mask):
    pieces = pieces_of(mask)
    painted = np.zeros_like(mask)
    for piece in pieces:
        left, top, width, height = piece.box
        place = painted[top : top + height, left : left + width]
        assert not place[piece.pixels].any()
        assert piece.pixels.any(axis=0)[[0, -1]].all()
        assert piece.pixels.any(axis=1)[[0, -1]].all()
        place[piece.pixels] = piece.number
    np.testing.assert_array_equal(painted, mask)
    # Another implementation counts as many.
    assert len(pieces) == sum(int(label(mask == k, connectivity=2).max()) for k in (1, 2))
    areas = class_areas(mask, 3)
    assert sum(areas) == mask.size
    assert areas[1:] == tuple(sum(p.area for p in pieces if p.number == k) for k in (1, 2))


def test_outlines_run_through_the_centres_and_holes_have_their_own():
    mask = np.zeros((8, 9), np.uint8)
    mask[1:7, 2:8] = 1
    mask[3:5, 4:6] = 0
    (piece,) = pieces_of(mask)
    lines = [np.array(line).reshape(-1, 2) for line in piece.outlines()]
    assert len(lines) == 2
    outer = max(lines, key=lambda points: np.ptp(points))
    assert (outer.min(0).tolist(), outer.max(0).tolist()) == ([2.5, 1.5], [7.5, 6.5])


def test_a_value_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="0 to 1, got 5"):
        class_areas(np.array([[0, 5]], np.uint8), 2)


@examples(80)
@given(masks(), masks())
def test_agreement_is_the_usual_jaccard_index(one, other):
    found = agreement(one, other, 3)
    first, second = one > 0, other > 0
    union = (first | second).sum()
    assert found.iou == pytest.approx((first & second).sum() / union if union else 1.0)
    for number in (1, 2):
        a, b = one == number, other == number
        expected = (a & b).sum() / (a | b).sum() if (a | b).any() else None
        assert found.by_class[number - 1] == (None if expected is None else pytest.approx(expected))
    assert (found.one, found.other) == ((first & ~second).sum(), (second & ~first).sum())
    assert found.both == (first & second).sum()
    assert found.renamed == (first & second & (one != other)).sum()
    assert 0 <= found.least <= found.iou


@examples(80)
@given(masks(), masks())
def test_what_joins_two_masks(mine, theirs):
    both = join_masks(mine, theirs, "both")
    np.testing.assert_array_equal(both > 0, (mine > 0) | (theirs > 0))
    np.testing.assert_array_equal(both[mine > 0], mine[mine > 0])
    common = join_masks(mine, theirs, "common")
    np.testing.assert_array_equal(common, np.where(mine == theirs, mine, 0))
    np.testing.assert_array_equal(join_masks(mine, mine, "both"), mine)
    assert agreement(common, common, 3).iou == 1


def test_masks_of_two_sizes_are_not_joined():
    with pytest.raises(ValueError, match="one size"):
        join_masks(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), "both")


def stained(size=(120, 160)):
    """Noise around grey 160 with a dark ellipse, and the ellipse."""
    rng = np.random.default_rng(3)
    pixels = rng.normal(160, 4, (*size, 3))
    stain = np.zeros(size, np.uint8)
    cv2.ellipse(stain, (70, 60), (30, 14), 25, 0, 360, 1, -1)
    pixels[stain > 0] -= 80
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    # As decoded pictures are.
    pixels.flags.writeable = False
    return pixels, stain > 0


def whole(region, size):
    (left, top, width, height), pixels = region
    found = np.zeros(size, bool)
    found[top : top + height, left : left + width] = pixels
    return found


def test_a_click_takes_the_even_place_around_it():
    pixels, stain = stained()
    found = whole(flood_region(pixels, 70, 60, 40), stain.shape)
    np.testing.assert_array_equal(found, stain)
    assert flood_region(pixels, 70, 60, 0) is not None
    assert flood_region(pixels, 160, 60, 40) is None
    assert flood_region(pixels, -1, 0, 40) is None


def test_a_click_reaches_no_further_than_stated():
    pixels = np.zeros((4, 3 * REACH, 3), np.uint8)
    (left, _, width, _), _ = flood_region(pixels, 10, 2, 5)
    assert (left, width) == (0, 10 + REACH + 1)


def test_grabcut_finds_the_stain_in_a_box_around_it():
    pixels, stain = stained()
    first = grab_region(pixels, (30, 35, 80, 50))
    found = whole(first, stain.shape)
    iou = (found & stain).sum() / (found | stain).sum()
    assert iou > 0.95
    assert not found[:, 110:].any()
    again = grab_region(pixels, (30, 35, 80, 50))
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("box", [(500, 5, 10, 10), (-20, -20, 10, 10), (5, 5, 0, 4)])
def test_a_box_beside_the_picture_finds_nothing(box):
    assert grab_region(stained()[0], box) is None


def test_a_box_over_all_of_a_picture_is_all_of_it():
    (left, top, width, height), found = grab_region(stained()[0], (-5, -5, 400, 400))
    assert (left, top, width, height) == (0, 0, 160, 120)
    assert found.all()


def test_a_large_box_is_cut_out_of_a_smaller_copy():
    pixels, stain = stained()
    large = cv2.resize(pixels, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC)
    truth = cv2.resize(stain.astype(np.uint8), (160 * 12, 120 * 12), interpolation=0) > 0
    found = whole(grab_region(large, (360, 420, 960, 600)), truth.shape)
    assert (found & truth).sum() / (found | truth).sum() > 0.9
