"""Kinds of suspicious regions, on masks and probabilities that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.run_lengths import column_runs
from flawline.core.segmentation_metrics import IGNORE
from flawline.data.masks.rle import paint_coco
from flawline.jobs.train.audit.audit_settings import RegionLimits
from flawline.jobs.train.audit.region_fits import misfits
from flawline.jobs.train.audit.suspicious_regions import SuspiciousRegion, suspicious_regions, weigh
from helpers.audited_masks import mask_of, shares_of

THRESHOLDS = np.array([0.9, 0.6, 0.6])


def regions(mask, truth, limits=RegionLimits(), sure=0.98):  # noqa: B008
    return suspicious_regions(weigh(mask, shares_of(truth, sure), THRESHOLDS), limits)


def told(found):
    return [(one.kind, one.given, one.seen) for one in found]


def test_a_right_mask_has_no_suspicious_region():
    mask = mask_of((1, 20, 20, 9), (2, 60, 60, 12))
    assert regions(mask, mask) == ()


def test_a_mark_that_is_missing():
    [one] = regions(mask_of(), mask_of((1, 30, 40, 8)))
    assert told([one]) == [("missing", 0, 1)]
    assert one.box == (22, 32, 17, 17)
    assert one.area == mask_of((1, 30, 40, 8)).sum()
    assert one.confidence == pytest.approx(0.98)


def test_a_mark_of_nothing():
    assert told(regions(mask_of((2, 30, 40, 8)), mask_of())) == [("extra", 2, 0)]


def test_a_mark_of_the_wrong_class():
    found = regions(mask_of((2, 30, 40, 8)), mask_of((1, 30, 40, 8)))
    assert told(found) == [("class", 2, 1)]


def test_a_mark_that_is_too_thin_is_a_matter_of_its_border():
    found = regions(mask_of((1, 40, 40, 8)), mask_of((1, 40, 40, 14)))
    assert told(found) == [("border", 0, 1)]
    far = regions(mask_of((1, 40, 40, 8)), mask_of((1, 40, 40, 30)))
    assert told(far) == [("missing", 0, 1)]


def test_an_outline_that_differs_by_a_pixel_is_no_error():
    assert regions(mask_of((1, 40, 40, 10)), mask_of((1, 40, 40, 11))) == ()


def test_a_part_of_a_mark_that_is_not_seen_is_no_extra_mark():
    long, half = mask_of(), mask_of()
    long[30:36, 5:75], half[30:36, 5:40] = 1, 1
    assert regions(long, half) == ()
    assert told(regions(long, mask_of())) == [("extra", 1, 0)]


def test_unknown_pixels_are_never_suspicious():
    mask = mask_of()
    mask[:] = IGNORE
    assert regions(mask, mask_of((1, 30, 40, 8))) == ()


def test_a_model_that_is_not_sure_says_nothing():
    assert regions(mask_of(), mask_of((1, 30, 40, 8)), sure=0.5) == ()


def test_small_regions_are_left_out():
    mask, truth = mask_of(), mask_of((1, 30, 40, 3))
    assert told(regions(mask, truth)) == [("missing", 0, 1)]
    assert regions(mask, truth, RegionLimits(smallest=60)) == ()


def test_the_largest_region_comes_first():
    found = regions(mask_of(), mask_of((1, 20, 20, 4), (2, 60, 60, 12)))
    assert told(found) == [("missing", 0, 2), ("missing", 0, 1)]


def fits(mark, seen, reach=8):
    return not misfits(mark > 0, mark == 0, seen.astype(np.float32), reach).any()


def test_marks_that_do_not_fit():
    mark = mask_of((1, 40, 40, 9))
    assert fits(mark, mark)
    wider = mask_of((1, 40, 40, 16))
    assert np.array_equal(misfits(mark > 0, mark == 0, wider.astype(np.float32), 8), mark > 0)
    assert fits(mark, wider, reach=0)
    # A mark beside its place has the right width (`test_mark_shifts.py`).
    assert fits(mark, mask_of((1, 44, 37, 9)))
    for radius, right in ((16, False), (13, False), (11, True), (9, True), (7, True), (4, False)):
        assert fits(mark, mask_of((1, 40, 40, radius))) is right, radius
    wide = mask_of((1, 40, 40, 20))
    for radius, right in ((20, True), (18, True), (15, False), (8, True)):
        assert fits(wide, mask_of((1, 40, 40, radius))) is right, radius


def test_a_mark_in_a_corner_fits():
    mark = mask_of((1, 0, 0, 12), (1, 79, 40, 6))
    assert fits(mark, mark)


@given(
    arrays(np.uint8, (12, 14), elements=st.sampled_from([0, 1, 2, IGNORE])),
    arrays(np.uint8, (12, 14), elements=st.integers(0, 2)),
)
def test_regions_of_any_masks_hold_what_they_say(mask, truth):
    for one in regions(mask, truth, RegionLimits(smallest=1, quality=0.5)):
        left, top, width, height = one.box
        own = np.zeros(mask.shape, bool)
        own[top : top + height, left : left + width] = one.pixels
        assert (mask[own] == one.given).all()
        assert (truth[own] == one.seen).all()
        assert one.area == own.sum() > 0
        assert (one.kind == "class") == (one.given > 0 and one.seen > 0)
        assert 0 <= one.confidence <= 1


@given(arrays(np.bool_, (5, 4)), st.integers(0, 3), st.integers(0, 3))
def test_runs_paint_the_region_again(pixels, left, top):
    size = (top + 5 + 1, left + 4 + 2)
    region = SuspiciousRegion("extra", 1, 0, (left, top, 4, 5), pixels, 1.0)
    painted = np.zeros(size, np.uint8)
    paint_coco(list(column_runs(region.pixels, region.box, size)), list(size), painted, 1)
    expected = np.zeros(size, np.uint8)
    expected[top : top + 5, left : left + 4] = pixels
    assert np.array_equal(painted, expected)
