"""Marks beside their place, on probabilities that are drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.audit.audit_settings import RegionLimits
from flawline.jobs.train.audit.mark_shifts import gain_limits, mark_fits, shift_words, sides
from flawline.jobs.train.audit.shifted_regions import shifted_regions, with_shifted
from flawline.jobs.train.audit.suspicious_regions import suspicious_regions, weigh
from helpers.audited_masks import mask_of, shares_of
from helpers.examples import examples

THRESHOLDS = np.array([0.9, 0.6, 0.6])


def picture_of(truth):
    """Marks brighter than what is around them."""
    pixels = np.full((*truth.shape, 3), 90, np.uint8)
    pixels[truth > 0] = 170
    return pixels


def fits(mask, truth, sure=0.98, reach=8, pixels=None):
    pixels = picture_of(truth) if pixels is None else pixels
    return list(mark_fits(mask, shares_of(truth, sure), pixels, reach))


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([0.6, 0.98]))
@examples(30)
def test_the_best_move_is_where_the_mark_is_seen(x, y, sure):
    truth = mask_of((1, 40 + x, 40 + y, 9), (2, 15, 15, 6))
    [one, other] = fits(mask_of((1, 40, 40, 9), (2, 15, 15, 6)), truth, sure)
    assert (one.value, one.x, one.y) == (1, x, y)
    assert one.moved == (np.hypot(x, y) >= 2)
    assert (other.value, other.x, other.y, other.gain) == (2, 0, 0, 0)


def test_the_gain_is_that_of_the_soft_iou_and_of_the_contrast():
    mask, truth = mask_of((1, 40, 40, 9)), mask_of((1, 44, 40, 9))
    flat = np.full((80, 80, 3), 90, np.uint8)
    [one] = fits(mask, truth, 0.8, pixels=flat)
    seen = np.where(truth == 1, 0.8, 0.1)
    # Everything within 8 px of the mark counts as seen around it.
    y, x = np.mgrid[:80, :80]
    rows, columns = np.nonzero(mask)
    away = np.hypot(y[..., None] - rows, x[..., None] - columns).min(-1)
    before, after = (seen[m > 0].sum() for m in (mask, truth))
    marked, around = (mask > 0).sum(), seen[away <= 8].sum()
    iou = after / (marked + around - after) - before / (marked + around - before)
    assert one.gain == pytest.approx(iou, rel=1e-4)

    grey = cv2.cvtColor(picture_of(truth), cv2.COLOR_RGB2LAB)[..., 0].astype(float)
    # The mark with its surroundings of 8 px and a ring of 3, in units of whose deviation contrasts are.
    deviation = grey[40 - 20 : 40 + 21, 40 - 20 : 40 + 21].std()

    def contrast(by):
        moved, ring = (np.roll(places, by, 1) for places in (mask > 0, (away > 1) & (away <= 3)))
        return abs(grey[moved].mean() - grey[ring].mean()) / deviation

    [one] = fits(mask, truth, 0.8)
    assert (one.x, one.y) == (4, 0)
    expected = iou + (contrast(4) - contrast(0)) / (contrast(4) + 0.05)
    assert one.gain == pytest.approx(expected, rel=1e-3)


def test_a_move_that_the_picture_speaks_against_gains_less():
    mask, truth = mask_of((1, 40, 40, 9)), mask_of((1, 44, 40, 9))
    [agreed], [against] = (fits(mask, truth, 0.6, pixels=picture_of(m)) for m in (truth, mask))
    assert agreed.moved
    assert not against.moved


def test_a_mark_within_a_larger_one_stays_where_it_is():
    [one] = fits(mask_of((1, 40, 40, 6)), mask_of((1, 43, 40, 18)))
    assert (one.x, one.y) == (0, 0)


def test_a_mark_is_not_moved_onto_another_nor_onto_what_is_not_known():
    two = mask_of((1, 30, 40, 5), (1, 42, 40, 5))
    [left, right] = fits(two, mask_of((1, 42, 40, 5)))
    assert not left.moved
    assert not right.moved
    unknown = mask_of((1, 30, 40, 5))
    unknown[:, 36:50] = IGNORE
    [one] = fits(unknown, mask_of((1, 42, 40, 5)))
    assert not one.moved


def test_a_mark_in_a_corner_fits_and_none_moves_without_reach():
    mask = mask_of((1, 0, 0, 12), (1, 79, 40, 6))
    assert [one.gain for one in fits(mask, mask)] == [0, 0]
    assert fits(mask, mask, reach=0) == []


def test_what_right_marks_gain_sets_the_limit():
    assert gain_limits(3, []).tolist() == [0.25] * 3
    sharp = [(1, 0.001)] * 20 + [(1, 0.5)]
    vague = [(2, gain) for gain in (0.0, 0.05, 0.06, 0.1, 0.2)]
    background, first, second = gain_limits(3, sharp + vague).tolist()
    assert (background, first) == (0.25, 0.25)
    assert second == pytest.approx(4 * 0.1)


def test_the_sides_of_a_shifted_mark_are_two_regions_with_their_shift():
    mask, truth = mask_of((1, 30, 40, 9)), mask_of((1, 35, 40, 9))
    evidence = weigh(mask, shares_of(truth), THRESHOLDS)
    [fit] = mark_fits(mask, evidence.balanced, picture_of(truth), 8)
    found = shifted_regions(fit, evidence)
    assert [(one.kind, one.given, one.seen, one.shift) for one in found] == [
        ("border", 1, 0, (-5, 0)),
        ("border", 0, 1, (-5, 0)),
    ]
    for one in found:
        left, top, width, height = one.box
        own = np.zeros(mask.shape, bool)
        own[top : top + height, left : left + width] = one.pixels
        assert np.array_equal(own, (mask == one.given) & (truth == one.seen))
        assert one.confidence == pytest.approx(0.98)


def test_a_mark_at_the_edge_may_have_one_side_alone():
    mask = mask_of((1, 76, 40, 6))
    fit = fits(mask, mask_of((1, 79, 40, 6)))[0]
    left, taken = sides(fit, mask)
    assert left.any()
    assert not taken[:, :76].any()


def test_what_a_shift_explains_is_not_listed_twice():
    mask, truth = mask_of((1, 30, 40, 5)), mask_of((1, 37, 40, 5), (2, 60, 60, 9))
    evidence = weigh(mask, shares_of(truth), THRESHOLDS)
    limits = RegionLimits(border=7)
    alone = suspicious_regions(evidence, RegionLimits(border=1))
    assert {(one.kind, one.seen) for one in alone} == {("missing", 1), ("missing", 2)}
    [fit] = mark_fits(mask, evidence.balanced, picture_of(truth), limits.border)
    joined = with_shifted(alone, shifted_regions(fit, evidence))
    assert [(one.kind, one.seen) for one in joined if one.shift is None] == [("missing", 2)]
    assert len(joined) == 3


@pytest.mark.parametrize(
    ("x", "y", "where"),
    [
        (-4, 0, "4 px to the left"),
        (3, 1, "3 px to the right"),
        (0, -5, "5 px above"),
        (-1, 6, "6 px below"),
        (3, 4, "5 px below and to the right"),
        (-3, -4, "5 px above and to the left"),
    ],
)
def test_words(x, y, where):
    assert shift_words(x, y) == f"the mask lies about {where} of what is seen"
