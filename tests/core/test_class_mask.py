import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.class_mask import class_mask_of, coarse_map, region_areas, remove_small_regions

SHARES = arrays(np.float32, (3, 5, 6), elements=st.floats(0, 1, width=32))
LIMITS = st.tuples(*[st.sampled_from([0.125, 0.25, 0.5, 1.0])] * 2)


@given(SHARES, LIMITS)
def test_each_pixel_by_itself(probabilities, limits):
    class_mask = class_mask_of(probabilities, limits)
    for y, x in np.ndindex(class_mask.shape):
        factors = [probabilities[k + 1, y, x] / np.float32(limit) for k, limit in enumerate(limits)]
        expected = int(np.argmax(factors)) + 1 if max(factors) >= 1 else 0
        assert class_mask[y, x] == expected


@given(SHARES)
def test_a_higher_threshold_marks_no_more(probabilities):
    low, high = (class_mask_of(probabilities, (limit, limit)) for limit in (0.25, 0.5))
    assert ((high > 0) <= (low > 0)).all()


def test_small_places_of_a_class_are_left_out():
    class_mask = np.zeros((6, 8), np.uint8)
    class_mask[0:2, 0:2] = 1
    class_mask[2, 2] = 1  # touches by a corner: one region of five
    class_mask[4, 6:8] = 2
    class_mask[5, 5] = 2  # touches by a corner: three
    cleaned = remove_small_regions(class_mask, 5)
    assert (cleaned == np.where(class_mask == 1, 1, 0)).all()
    assert (remove_small_regions(class_mask, 3) == class_mask).all()
    assert not remove_small_regions(class_mask, 6).any()
    assert (remove_small_regions(class_mask, (6, 3)) == np.where(class_mask == 2, 2, 0)).all()
    assert class_mask.sum() == 5 + 6


def test_regions_are_counted_and_those_that_touch_are_told():
    class_mask = np.zeros((6, 8), np.uint8)
    class_mask[0:2, 0:2] = 1
    class_mask[4:6, 4:7] = 1
    truth = np.zeros((6, 8), bool)
    truth[5, 6:] = True
    areas, touching = region_areas(class_mask, 1, truth)
    assert (areas.tolist(), touching.tolist()) == ([4, 6], [False, True])
    assert [len(one) for one in region_areas(class_mask, 2, truth)] == [0, 0]


@pytest.mark.parametrize("size", [(8, 8), (9, 5), (1, 1), (4, 7)])
def test_a_coarse_map_keeps_the_highest(size):
    probabilities = np.random.default_rng(0).random((3, *size)).astype(np.float32)
    found = coarse_map(probabilities)
    assert found.shape == (-(-size[0] // 4), -(-size[1] // 4))
    assert found.max() == probabilities[1:].max()
    for y, x in np.ndindex(found.shape):
        block = probabilities[1:, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
        assert found[y, x] == block.max()


@pytest.mark.parametrize(
    ("classes", "limits", "words"), [(3, (0.5,), "probabilities"), (2, (0.0,), "above 0")]
)
def test_what_makes_no_sense_is_refused(classes, limits, words):
    with pytest.raises(ValueError, match=words):
        class_mask_of(np.zeros((classes, 4, 4), np.float32), limits)
