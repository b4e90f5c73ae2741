"""The smallest area of each class: above what is marked on good parts, below the real defects."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.smallest_area import MOST_LOST, choose_smallest
from flawline.errors import UsageError
from helpers.examples import examples


def parts(*areas):
    """Parts by name, with an area of class 1 or with those of a dict."""
    own = [one if isinstance(one, dict) else {1: one} if one else {} for one in areas]
    return {f"p{number}": one for number, one in enumerate(own)}


REAL = parts(*[80 + k for k in range(20)])


def test_specks_on_good_parts_are_below_it():
    found = choose_smallest(parts(*[1, 3, 0, 5] * 20), REAL, 1)
    assert (found.smallest, found.lost, found.rejected, found.good) == ((80,), 0, 0, 80)
    assert found.guarantee.overkill == 0.05
    assert "0 of 80 validation parts" in found.message


def test_each_class_has_its_own():
    real = parts(*[{1: 80 + k, 2: 9 + k} for k in range(20)])
    good = parts(*[{1: 70}, {2: 5}, {}] * 20)
    assert choose_smallest(good, real, 2).smallest == (80, 9)


def test_a_quiet_segmenter_needs_none():
    found = choose_smallest(parts(*[0] * 60), REAL, 1)
    assert (found.smallest, found.rejected) == ((1,), 0)


def test_no_more_than_one_part_in_twenty_is_lost():
    found = choose_smallest(parts(*[85] * 60), REAL, 1)
    assert (found.smallest, found.rejected) == ((1,), 60)
    assert found.guarantee is None
    found = choose_smallest(parts(*[80] * 30, *[300] * 30), REAL, 1)
    assert (found.smallest, found.lost, found.rejected) == ((81,), 0.05, 30)
    assert "5 % would lose more than 5 % of the defects" in found.message


def test_few_good_parts_promise_less():
    found = choose_smallest(parts(3, 0, 2), REAL, 1)
    assert (found.smallest, found.rejected) == ((80,), 0)
    assert found.guarantee.overkill > 0.5
    assert "5 % takes 59 good parts" in found.message


def test_without_a_good_part_nothing_is_known():
    found = choose_smallest({}, REAL, 1)
    assert (found.smallest, found.guarantee) == ((1,), None)
    assert "no validation part is without a defect" in found.message


def test_a_class_that_few_parts_show_is_not_touched():
    found = choose_smallest(parts(*[3] * 60), parts(80, 90, 100, 110), 1)
    assert (found.smallest, found.rejected) == ((1,), 60)


def test_a_share_out_of_range_is_refused():
    with pytest.raises(UsageError, match="overkill"):
        choose_smallest({}, {}, 1, overkill=1.5)


areas = st.dictionaries(st.integers(1, 2), st.integers(1, 300), max_size=2)
some = st.lists(areas, max_size=90).map(lambda own: parts(*own))


@given(some, some)
@examples(60)
def test_the_promises_hold_for_any_areas(good, bad):
    found = choose_smallest(good, bad, 2)
    for number, smallest in enumerate(found.smallest, start=1):
        own = [one[number] for one in bad.values() if number in one]
        assert sum(area < smallest for area in own) <= MOST_LOST * len(own)
    left = [
        any(area >= found.smallest[number - 1] for number, area in one.items())
        for one in good.values()
    ]
    assert sum(left) == found.rejected
    if found.guarantee is not None:
        assert not math.isnan(found.guarantee.overkill)
        assert found.rejected <= len(good) - found.guarantee.rank
