"""Two partitions compared pair by pair."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from flawline.jobs.groups.partitions import compare_partitions

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=25)


@given(LABELS)
def test_counts_and_index_are_those_of_the_definition(pairs):
    first, second = zip(*pairs, strict=True)
    both, one, other, index = compare_partitions(first, second)
    together = [(a[0] == b[0], a[1] == b[1]) for a, b in combinations(pairs, 2)]
    assert both == sum(x and y for x, y in together)
    assert one == sum(x and not y for x, y in together)
    assert other == sum(y and not x for x, y in together)
    assert index == pytest.approx(adjusted_rand_score(first, second), abs=1e-9)


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="zip"):
        compare_partitions([1], [1, 2])
