"""The smallest area of a segmenter: above the noise of pictures without a class, below the real defects."""

from hypothesis import given
from hypothesis import strategies as st

from flawline.core.smallest_area import choose_smallest
from helpers.examples import examples

areas = st.lists(st.integers(0, 500), min_size=1, max_size=250)


def test_specks_on_good_pictures_are_below_it():
    chosen = choose_smallest([1, 3, 2, 0, 5] * 20, [80, 120, 400])
    assert chosen.smallest == 6
    assert "6 px: 0 of 100 times" in chosen.message


def test_one_picture_in_a_hundred_may_keep_a_region():
    assert choose_smallest([2] * 99 + [300], [1000]).smallest == 3
    assert choose_smallest([2] * 49 + [300], [1000]).smallest == 301


def test_no_more_than_one_real_defect_in_twenty_is_left_out():
    real = [4] + [30] * 19
    chosen = choose_smallest([200] * 50, real)
    assert chosen.smallest <= 30
    assert sum(area < chosen.smallest for area in real) <= 1
    assert "201 px would leave out more than 5 % of the real defects" in chosen.message


def test_a_quiet_segmenter_needs_none():
    assert choose_smallest([0] * 30, [50]).smallest == 1


def test_without_a_picture_that_lacks_a_class_the_noise_is_not_known():
    chosen = choose_smallest([], [50])
    assert (chosen.smallest, "not known" in chosen.message) == (1, True)


@given(areas, st.lists(st.integers(1, 500), max_size=60))
@examples(60)
def test_the_promises_hold_for_any_areas(false, real):
    chosen = choose_smallest(false, real)
    lost = sum(area < chosen.smallest for area in real)
    assert lost <= 0.05 * len(real)
    left = sum(area >= chosen.smallest for area in false)
    assert left <= 0.01 * len(false) or "would leave out more" in chosen.message
    assert chosen == choose_smallest(false[::-1], real[::-1])
