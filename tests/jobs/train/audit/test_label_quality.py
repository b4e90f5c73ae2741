"""Confident learning on pixels: values computed by hand, and what must hold for any masks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.segmentation_metrics import IGNORE
from flawline.jobs.train.audit.label_quality import (
    ClassThresholds,
    ConfidentJoint,
    balanced,
    confident_classes,
    label_quality,
    local_quality,
    softmin,
)

# Six pixels in a row; the last is unknown.
MASK = np.array([[0, 0, 0, 1, 1, IGNORE]], np.uint8)
SHARES = np.array(
    [
        [[0.9, 0.8, 0.1, 0.3, 0.6, 0.0]],
        [[0.1, 0.1, 0.8, 0.7, 0.3, 1.0]],
        [[0.0, 0.1, 0.1, 0.0, 0.1, 0.0]],
    ],
    np.float32,
)


def thresholds(*pictures, classes=3):
    sums = ClassThresholds(classes)
    for mask, shares in pictures:
        sums.add(mask, shares)
    return sums.values()


def test_thresholds_are_mean_self_confidences():
    found = thresholds((MASK, SHARES))
    assert found[:2] == pytest.approx([(0.9 + 0.8 + 0.1) / 3, (0.7 + 0.3) / 2])
    assert found[2] == math.inf


def test_confident_classes_reach_their_threshold():
    # Thresholds 0.6, 0.5 and none: pixel by pixel 0, 0, 1, 1, 0, and 1 at the unknown one.
    seen = confident_classes(SHARES, np.array([0.6, 0.5, np.inf], np.float32))
    assert seen.tolist() == [[0, 0, 1, 1, 0, 1]]
    nowhere = confident_classes(SHARES, np.full(3, np.inf))
    assert (nowhere == IGNORE).all()


def test_the_most_probable_of_those_that_reach_theirs_is_seen():
    shares = np.array([[[0.55]], [[0.3]], [[0.15]]], np.float32)
    assert confident_classes(shares, np.array([0.9, 0.2, 0.1]))[0, 0] == 1
    assert confident_classes(shares, np.array([0.5, 0.2, 0.1]))[0, 0] == 0


def test_the_joint_by_hand():
    joint = ConfidentJoint(3)
    joint.add(MASK, np.array([[0, IGNORE, 1, 1, 0, 1]], np.uint8))
    assert joint.counts.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    # Three of five pixels are given 0, and half of those that are sure are seen as 1.
    assert joint.joint() == pytest.approx(
        np.array([[0.3, 0.3, 0], [0.2, 0.2, 0], [0, 0, 0]]), abs=1e-12
    )


def test_labels_of_which_nothing_is_sure_count_as_right():
    joint = ConfidentJoint(2)
    assert joint.joint().tolist() == [[0, 0], [0, 0]]
    joint.add(np.array([[1, 1]], np.uint8), np.full((1, 2), IGNORE, np.uint8))
    assert joint.joint().tolist() == [[0, 0], [0, 1]]


def test_quality_is_the_probability_of_what_is_given():
    found = label_quality(MASK, SHARES)
    assert found.dtype == np.float32
    assert found[0].tolist() == pytest.approx([0.9, 0.8, 0.1, 0.7, 0.3, 1.0])


def test_probabilities_in_units_of_thresholds_by_hand():
    # 0.6 / 0.9 and 0.4 / 0.2 are 2/3 and 2: of 8/3 together, a quarter and three quarters.
    shares = np.array([[[0.6]], [[0.4]], [[0.0]]], np.float32)
    found = balanced(shares, np.array([0.9, 0.2, np.inf]))
    assert found[:, 0, 0] == pytest.approx([0.25, 0.75, 0])
    never = np.array([[[0.0]], [[0.0]], [[1.0]]], np.float32)
    assert balanced(never, np.array([0.9, 0.2, np.inf])).tolist() == [[[0]], [[0]], [[0]]]


def test_local_quality_is_the_mean_of_the_known_pixels_around():
    # Windows of 3 pixels in a row: the last two hold 0.7, 0.3 and the unknown one, and 0.3 alone.
    found = local_quality(MASK, SHARES, 3)[0]
    assert found == pytest.approx(
        [0.85, 0.6, (0.8 + 0.1 + 0.7) / 3, (0.1 + 0.7 + 0.3) / 3, 0.5, 0.3], abs=1e-6
    )
    unknown = np.full((2, 2), IGNORE, np.uint8)
    assert (local_quality(unknown, np.full((3, 2, 2), 1 / 3, np.float32)) == 1).all()


def test_softmin_by_hand():
    first, second = math.exp(0.8 / 0.1), math.exp(0.0)
    expected = (0.2 * first + 1.0 * second) / (first + second)
    values = np.array([0.2, 1.0], np.float32)
    assert softmin(values, 0.1) == pytest.approx(expected)
    assert softmin(values, 1e9) == pytest.approx(0.6)
    assert softmin(values, 1e-9) == pytest.approx(0.2)


def test_one_wrong_region_weighs_more_than_the_rest_of_a_picture():
    quality = np.full((100, 100), 0.98, np.float32)
    assert softmin(quality) == pytest.approx(0.98)
    quality[:10, :10] = 0.02
    assert softmin(quality) < 0.05
    assert softmin(quality, 0.1) < 0.05


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_none(temperature):
    with pytest.raises(ValueError, match="temperature above 0"):
        softmin(np.ones(3, np.float32), temperature)


def test_no_value_has_no_softmin():
    with pytest.raises(ValueError, match="got 0 values"):
        softmin(np.empty(0, np.float32))


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="of 2 classes for a mask"):
        ClassThresholds(2).add(MASK, SHARES)
    with pytest.raises(ValueError, match=r"classes 0 to 2 or 255, got 7"):
        label_quality(np.where(MASK == 0, 7, MASK).astype(np.uint8), SHARES)


@st.composite
def pictures(draw, classes=3):
    size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    values = st.sampled_from([*range(classes), IGNORE])
    mask = draw(arrays(np.uint8, size, elements=values))
    raw = draw(arrays(np.float32, (classes, *size), elements=st.floats(0.125, 1, width=32)))
    return mask, raw / raw.sum(0)


@given(st.lists(pictures(), min_size=1, max_size=4), st.randoms())
def test_pictures_in_any_order_give_the_same(some, random):
    joint, other = ConfidentJoint(3), ConfidentJoint(3)
    limits = thresholds(*some)
    for mask, shares in some:
        joint.add(mask, confident_classes(shares, limits))
    random.shuffle(some)
    assert thresholds(*some) == pytest.approx(limits)
    for mask, shares in some:
        other.add(mask, confident_classes(shares, limits))
    assert np.array_equal(joint.counts, other.counts)


@given(st.lists(pictures(), min_size=1, max_size=4))
def test_rows_of_the_joint_are_the_shares_of_the_given_classes(some):
    joint = ConfidentJoint(3)
    for mask, shares in some:
        joint.add(mask, confident_classes(shares, np.full(3, 0.4)))
    known = np.concatenate([mask[mask != IGNORE] for mask, _ in some])
    expected = np.bincount(known, minlength=3) / max(len(known), 1)
    assert joint.joint().sum(1) == pytest.approx(expected)
    assert (joint.joint() >= 0).all()


@given(pictures(), st.integers(0, 2**32 - 1))
def test_unknown_pixels_count_nowhere(picture, seed):
    mask, shares = picture
    other = shares.copy()
    unknown = mask == IGNORE
    other[:, unknown] = np.random.default_rng(seed).dirichlet(np.ones(3), unknown.sum()).T
    assert np.array_equal(thresholds((mask, shares)), thresholds((mask, other)))
    assert np.array_equal(label_quality(mask, shares), label_quality(mask, other))
    counts = []
    for one in (shares, other):
        joint = ConfidentJoint(3)
        joint.add(mask, confident_classes(one, np.full(3, 0.4)))
        counts.append(joint.counts)
    assert np.array_equal(*counts)


@given(pictures(), st.integers(1, 7))
def test_local_quality_is_what_a_plain_loop_gives(picture, window):
    mask, shares = picture
    quality, found = label_quality(mask, shares), local_quality(mask, shares, window)
    for row, column in np.ndindex(mask.shape):
        top, left = row - window // 2, column - window // 2
        rows, columns = slice(max(top, 0), top + window), slice(max(left, 0), left + window)
        known = mask[rows, columns] != IGNORE
        expected = quality[rows, columns][known].mean() if known.any() else 1
        assert found[row, column] == pytest.approx(expected, abs=1e-5)


@given(pictures())
def test_thresholds_that_are_all_equal_change_no_probability(picture):
    _, shares = picture
    assert balanced(shares, np.full(3, 0.7)) == pytest.approx(shares, abs=1e-5)


@given(
    arrays(np.float32, st.integers(1, 30), elements=st.floats(0, 1, width=32)),
    st.floats(0.01, 10),
)
def test_softmin_lies_between_minimum_and_mean(values, temperature):
    found = softmin(values, temperature)
    assert values.min() - 1e-6 <= found <= values.mean(dtype=np.float64) + 1e-6
    assert found == pytest.approx(softmin(values[::-1], temperature))
