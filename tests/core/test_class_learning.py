"""What was learnt of a class, against IoU by hand and guesses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.class_learning import ClassLearning, LearningCurves
from flawline.core.segmentation_metrics import IGNORE


def learning(*pairs):
    curves = LearningCurves(2)
    for mask, probability in pairs:
        curves.add(mask, np.stack([1 - probability, probability]).astype(np.float32))
    return curves.values()


def test_a_segmenter_that_sees_the_masks_is_far_above_chance_however_unsure():
    mask = np.zeros((10, 10), np.uint8)
    mask[2:5, 2:6] = 1
    [_, one] = learning((mask, np.where(mask, 0.1, 0.02)))
    assert one == ClassLearning(1.0, 0.12)
    assert one.above_chance == 1
    assert one.learnt


def test_a_segmenter_that_gives_the_same_everywhere_is_a_guess():
    mask = np.zeros((10, 10), np.uint8)
    mask[:4] = 1
    [_, one] = learning((mask, np.full((10, 10), 0.7)))
    assert one == ClassLearning(0.4, 0.4)
    assert not one.learnt


def test_a_class_without_a_pixel_was_not_tried():
    [background, one] = learning((np.zeros((4, 4), np.uint8), np.zeros((4, 4))))
    assert one is None
    assert background == ClassLearning(1.0, 1.0)
    assert not background.learnt


@given(
    arrays(np.uint8, (6, 8), elements=st.sampled_from([0, 1, IGNORE])),
    arrays(np.uint8, (6, 8), elements=st.integers(0, 9)),
)
def test_iou_is_that_of_the_best_threshold_over_known_pixels_of_all_pictures(mask, tenths):
    pairs = [(mask[:3], tenths[:3] / 10), (mask[3:], tenths[3:] / 10)]
    [_, one] = learning(*pairs)
    known, own = mask != IGNORE, mask == 1
    if not own.any():
        assert one is None
        return
    seen = [(tenths >= least) & known for least in range(10)]
    assert one.iou == pytest.approx(max((s & own).sum() / (s | own).sum() for s in seen))
    assert one.chance == pytest.approx(own.sum() / known.sum())
    assert one.iou >= one.chance
