import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from flawline.core.causes.rates import benjamini_hochberg, rate_of, share_of


def test_the_interval_of_ten_events_is_that_of_the_published_table():
    # Garwood 1936, table: 10 events, 95 %: 4.80 to 18.39.
    found = rate_of(np.eye(10)[0] * 0 + 1)
    assert (10 * found.low, 10 * found.high) == pytest.approx((4.795, 18.390), abs=1e-3)


def test_no_event_has_an_upper_limit():
    found = rate_of(np.zeros(100))
    assert (found.value, found.low) == (0, 0)
    assert 100 * found.high == pytest.approx(3.689, abs=1e-3)


def test_parts_that_differ_widen_the_interval():
    even, uneven = rate_of(np.full(100, 2.0)), rate_of(np.r_[np.zeros(90), np.full(10, 20.0)])
    assert even.value == uneven.value == 2
    assert uneven.high - uneven.low > 3 * (even.high - even.low)


def test_a_share_has_an_interval_even_where_it_is_all():
    assert share_of([2, 1, 0], [2, 1, 0])[0] == 1
    assert share_of([2, 1, 0], [2, 1, 0])[1] < 0.8
    assert share_of([0, 0], [0, 0]) == (0, 0, 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_those_of_scipy(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values))


@pytest.mark.parametrize("counts", [[], [-1]])
def test_no_counts_are_refused(counts):
    with pytest.raises(ValueError, match="counts of at least one part"):
        rate_of(counts)
