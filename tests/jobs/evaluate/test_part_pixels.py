import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.segmentation_metrics import ConfusionMatrix
from flawline.jobs.evaluate.part_pixels import difference_of, interval_of, iou_of, mean_iou
from flawline.jobs.evaluate.segmentation import PartPixels
from helpers.examples import examples

counts = arrays(np.int64, (6, 3, 3), elements=st.integers(0, 50))


def parts_of(table):
    return PartPixels(tuple(f"p{k}" for k in range(len(table))), table)


@examples(50)
@given(counts)
def test_the_mean_is_that_of_the_matrix(table):
    whole = table.sum(0)
    matrix = ConfusionMatrix.of(whole)
    assert mean_iou(whole) == pytest.approx(matrix.mean() or 0)
    assert iou_of(2)(whole) == pytest.approx(matrix.figures()[2].iou or 0)


@examples(20)
@given(counts, st.integers(0, 5))
def test_intervals_hold_draws_of_whole_parts(table, seed):
    table[:4, 1, 1] += 1
    parts = parts_of(table)
    drawn = interval_of(mean_iou, parts, draws=100, seed=seed)
    assert drawn == interval_of(mean_iou, parts, draws=100, seed=seed)
    assert drawn.value == mean_iou(table.sum(0))
    assert 0 <= drawn.low <= drawn.high <= 1
    same = difference_of(mean_iou, parts, parts, draws=100, seed=seed)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_what_every_part_gains_is_sure():
    rng = np.random.default_rng(0)
    first = rng.integers(1, 50, (20, 3, 3))
    second = first.copy()
    second[:, 1, 1] += second[:, 1, 0]
    second[:, 1, 0] = 0
    found = difference_of(mean_iou, parts_of(first), parts_of(second), draws=200, seed=0)
    assert 0 < found.low < found.value < found.high
    assert difference_of(iou_of(2), parts_of(first), parts_of(second), draws=200, seed=0).value == 0


def test_one_part_has_no_interval_and_other_parts_no_difference():
    one = parts_of(np.ones((1, 3, 3), np.int64))
    assert interval_of(mean_iou, one, draws=100, seed=0) is None
    two = PartPixels(("other",), one.counts)
    with pytest.raises(ValueError, match="same parts"):
        difference_of(mean_iou, one, two, draws=100, seed=0)
