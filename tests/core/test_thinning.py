"""A few out of a stream of unknown length."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.thinning import thinned


@given(st.integers(0, 500), st.integers(2, 40))
def test_kept_items_are_evenly_spread_over_the_whole_stream(count, most):
    taken = thinned(iter(range(count)), most)
    assert len(taken) <= most
    if count <= most:
        assert taken == list(range(count))
        return
    strides = {b - a for a, b in pairwise(taken)}
    assert len(strides) <= 1
    assert len(taken) >= most // 2
    assert count - taken[-1] <= max(strides, default=count)


def test_one_cannot_be_kept():
    with pytest.raises(ValueError, match="2 items"):
        thinned([], 1)
