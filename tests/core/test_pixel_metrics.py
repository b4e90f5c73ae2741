import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from flawline.core.metrics import Share
from flawline.core.pixel_metrics import (
    PixelCurve,
    SizeClass,
    recall_by_label,
    recall_by_size,
    region_peaks,
)
from flawline.errors import UsageError
from helpers.examples import examples


def exact_aupro(pairs, limit):
    """The definition, threshold by threshold, with nothing shared with what is tested."""
    maps = [np.asarray(scores, dtype=np.float64) for scores, _ in pairs]
    regions = []
    for scores, (_, mask) in zip(maps, pairs, strict=True):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        regions += [scores[labels == k] for k in range(1, count + 1)]
    good = np.concatenate([scores[~mask] for scores, (_, mask) in zip(maps, pairs, strict=True)])
    points = [(0.0, 0.0)]
    for threshold in np.unique(np.concatenate([scores.ravel() for scores in maps]))[::-1]:
        overlap = np.mean([(region >= threshold).mean() for region in regions])
        points.append(((good >= threshold).mean(), overlap))
    total = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit:
            break
        if x1 > limit:
            y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            x1 = limit
        total += (x1 - x0) * (y0 + y1) / 2
    return total / limit


def curve_of(pairs, bins=2**16):
    curve = PixelCurve(bins)
    for scores, mask in pairs:
        curve.add(np.asarray(scores, dtype=np.float32), mask)
    return curve


def drawn(seed, pictures=6, levels=None, shape=(24, 20)):
    """Maps with a defect or two in every other picture; `levels` makes ties."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(pictures):
        scores, mask = rng.normal(1, 0.5, shape).astype(np.float32), np.zeros(shape, dtype=bool)
        for _ in range(rng.integers(1, 3) if number % 2 else 0):
            y, x = rng.integers(0, shape[0] - 4), rng.integers(0, shape[1] - 4)
            mask[y : y + rng.integers(1, 5), x : x + rng.integers(1, 5)] = True
        scores += mask * np.float32(rng.uniform(0, 1.5))
        pairs.append((np.round(scores * levels) / levels if levels else scores, mask))
    return pairs


@examples(30)
@given(st.integers(0, 10_000), st.sampled_from([None, 1, 3, 20]), st.sampled_from([0.05, 0.3, 1.0]))
def test_areas_follow_their_definitions_exactly_while_scores_are_told_apart(seed, levels, limit):
    pairs = drawn(seed, levels=levels)
    curve = curve_of(pairs)
    found = curve.aupro(limit)
    assert found.value == pytest.approx(exact_aupro(pairs, limit), abs=1e-12)
    assert found.error == 0
    truth = np.concatenate([mask.ravel() for _, mask in pairs])
    scores = np.concatenate([scores.ravel() for scores, _ in pairs])
    assert curve.auroc().value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


@examples(30)
@given(
    st.integers(0, 10_000),
    st.sampled_from([2, 5, 17, 64, 300]),
    st.sampled_from([None, 3]),
    st.sampled_from([0.05, 0.3, 1.0]),
)
def test_coarser_bins_stay_within_the_error_they_state(seed, bins, levels, limit):
    pairs = drawn(seed, levels=levels)
    exact, coarse = curve_of(pairs), curve_of(pairs, bins)
    for fine, rough in ((exact.aupro(limit), coarse.aupro(limit)), (exact.auroc(), coarse.auroc())):
        assert abs(fine.value - rough.value) <= rough.error + 1e-12
        assert rough.error <= 1


def test_sixteen_thousand_bins_are_wrong_in_the_fourth_place_at_most():
    pairs = drawn(7, pictures=40, shape=(96, 96))
    assert sum(mask.size for _, mask in pairs) > 20 * 2**14
    exact, coarse = curve_of(pairs, 2**20), curve_of(pairs, 2**14)
    for limit in (0.05, 0.3):
        fine, rough = exact.aupro(limit), coarse.aupro(limit)
        assert fine.error == 0
        assert 0 < rough.error < 5e-4
        assert abs(fine.value - rough.value) < 2e-5


@examples(20)
@given(st.integers(0, 10_000), st.sampled_from([16, 100, 2**16]))
def test_the_order_of_the_pictures_does_not_count(seed, bins):
    pairs = drawn(seed)
    forth, back = curve_of(pairs, bins), curve_of(pairs[::-1], bins)
    assert forth.aupro().value == pytest.approx(back.aupro().value, abs=1e-12)
    assert forth.aupro().error == pytest.approx(back.aupro().error, abs=1e-12)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 1e-30])
def test_negative_scores_and_signed_zeros_keep_their_order(shift):
    pairs = [
        (scores - np.float32(1) + np.float32(shift), mask) for scores, mask in drawn(3, levels=4)
    ]
    assert curve_of(pairs).aupro().value == pytest.approx(exact_aupro(pairs, 0.3), abs=1e-12)
    mask = np.array([[True, False]])
    assert curve_of([(np.array([[0.0, -0.0]]), mask)]).auroc().value == 0.5


@pytest.mark.parametrize("columns", [[3], [1, 3, 5]])
def test_rising_rows_as_in_the_tests_of_anomalib(columns):
    """Scores 0 to 2799 row by row, whole columns defective: AUPRO to 1/3 is 1/6 within 0.001 (tests of anomalib)."""
    scores = np.arange(2800, dtype=np.float32).reshape(400, 7)
    mask = np.zeros((400, 7), dtype=bool)
    mask[:, columns] = True
    assert curve_of([(scores, mask)]).aupro(1 / 3).value == pytest.approx(1 / 6, abs=1e-3)


def test_perfect_inverted_and_constant_maps():
    mask = np.zeros((8, 8), dtype=bool)
    mask[1:3, 1:3] = mask[5, 5:7] = True
    good = np.zeros_like(mask)
    perfect = curve_of([(mask, mask), (good, good)])
    assert (perfect.auroc().value, perfect.aupro(0.05).value) == (1, 1)
    inverted = curve_of([(~mask, mask), (~good, good)])
    assert (inverted.auroc().value, inverted.aupro(0.3).value) == (0, 0)
    # One threshold only: a straight line from nothing to everything.
    constant = curve_of([(np.full((8, 8), 2.5), mask), (np.full((8, 8), 2.5), good)])
    assert constant.auroc().value == 0.5
    assert constant.aupro(0.3).value == pytest.approx(0.15)
    assert constant.aupro(1.0).value == pytest.approx(0.5)


def test_regions_count_alike_whatever_their_size():
    """One region of 100 pixels missed, one of a single pixel found: half."""
    mask = np.zeros((20, 20), dtype=bool)
    mask[2:12, 2:12] = mask[15, 15] = True
    scores = np.where(mask, 0.0, 1.0)
    scores[15, 15] = 2.0
    curve = curve_of([(scores, mask)])
    assert curve.regions == 2
    assert curve.aupro(0.3).value == pytest.approx(0.5)


def test_memory_does_not_grow_with_the_pictures():
    rng = np.random.default_rng(0)
    mask = np.zeros((128, 128), dtype=bool)
    mask[4:9, 4:9] = True
    peaks = []
    for pictures in (10, 80):
        curve = PixelCurve(2**12)
        tracemalloc.start()
        for _ in range(pictures):
            curve.add(rng.normal(size=mask.shape).astype(np.float32), mask)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 6e6


def test_pixel_curves_refuse_what_has_no_area():
    curve, mask = PixelCurve(), np.zeros((4, 5), dtype=bool)
    with pytest.raises(ValueError, match="only one kind"):
        curve.auroc()
    curve.add(np.ones((4, 5), dtype=np.float32), mask)
    with pytest.raises(ValueError, match="only one kind"):
        curve.aupro()
    with pytest.raises(ValueError, match="only one kind"):
        curve_of([(np.ones((4, 5)), ~mask)]).aupro()
    with pytest.raises(ValueError, match="one shape"):
        curve.add(np.ones((4, 4), dtype=np.float32), mask)
    with pytest.raises(ValueError, match="finite"):
        curve.add(np.full((4, 5), np.nan, dtype=np.float32), mask)
    with pytest.raises(ValueError, match="2 bins"):
        PixelCurve(1)
    with pytest.raises(UsageError, match="false-positive rate"):
        curve.aupro(0.0)


def test_regions_join_at_corners_and_keep_their_highest_score():
    mask = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]], dtype=bool)
    scores = np.arange(16, dtype=np.float32).reshape(4, 4)
    areas, peaks = region_peaks(scores, mask)
    assert areas.tolist() == [2, 2]
    assert peaks.tolist() == [5, 15]
    areas, peaks = region_peaks(scores, np.zeros_like(mask))
    assert (areas.size, peaks.size) == (0, 0)


def test_recall_by_given_sizes():
    """What has the size of an edge belongs above it; the class from 100 up has no region and is left out."""
    found = recall_by_size([1, 5, 9, 10, 40, 41], [0, 1, 0, 1, 1, 1], [10, 30, 100])
    assert found == (
        SizeClass(0.0, 10.0, Share(1, 3)),
        SizeClass(10.0, 30.0, Share(1, 1)),
        SizeClass(30.0, 100.0, Share(2, 2)),
    )
    assert recall_by_size([], []) == ()


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), max_size=60), st.integers(1, 6))
def test_every_region_is_in_one_class_of_sizes(rows, classes):
    areas, hits = [area for area, _ in rows], [hit for _, hit in rows]
    found = recall_by_size(areas, hits, classes=classes)
    assert sum(one.found.of for one in found) == len(rows)
    assert sum(one.found.hits for one in found) == sum(hits)
    assert len(found) <= classes
    for one in found:
        inside = [a for a in areas if one.smallest <= a and (one.limit is None or a < one.limit)]
        assert one.found.of == len(inside)


def test_quantile_classes_hold_about_equally_many():
    found = recall_by_size(np.arange(1, 101), np.arange(100) >= 50)
    assert [one.found.of for one in found] == pytest.approx([25] * 4, abs=1)
    assert [one.found.value for one in found] == pytest.approx([0, 0, 1, 1], abs=0.05)
    assert (found[0].smallest, found[-1].limit) == (0, None)


def test_recall_by_label_is_in_alphabetical_order():
    found = recall_by_label(["crack", "blowhole", "crack"], [True, False, False], confidence=0.9)
    assert list(found) == ["blowhole", "crack"]
    assert (found["crack"].hits, found["crack"].of, found["crack"].confidence) == (1, 2, 0.9)


def test_recall_refuses_lists_that_do_not_match():
    with pytest.raises(ValueError, match="equal length"):
        recall_by_size([1, 2], [True])
    with pytest.raises(ValueError, match="longer"):
        recall_by_label(["crack"], [True, False])
    with pytest.raises(UsageError, match="rising sizes"):
        recall_by_size([1, 2], [True, False], [5, 5])
