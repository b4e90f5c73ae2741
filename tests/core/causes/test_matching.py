import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.causes.matching import follow, match, seen_again
from helpers.examples import examples


def greedy(part, places, owner, known, tolerance):
    """Pairs one after the other from the nearest on: slow and plain."""
    pairs = [
        (float(np.hypot(*(a - b))), i, j)
        for i, a in enumerate(places)
        for j, b in enumerate(known)
        if part[i] == owner[j] and np.hypot(*(a - b)) <= tolerance
    ]
    found, taken = np.full(len(part), -1), set()
    for _, i, j in sorted(pairs):
        if found[i] < 0 and j not in taken:
            found[i] = j
            taken.add(j)
    return found


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 12))
def test_matches_are_those_of_taking_pairs_one_by_one(seed, count, others):
    rng = np.random.default_rng(seed)
    part, owner = rng.integers(0, 3, count), rng.integers(0, 3, others)
    places, known = rng.random((count, 2)) * 10, rng.random((others, 2)) * 10
    expected = greedy(part, places, owner, known, 4.0)
    assert match(part, places, owner, known, 4.0).tolist() == expected.tolist()


def test_a_defect_that_is_missed_once_is_not_new():
    part, step = np.zeros(3, int), np.array([0, 2, 2])
    places = np.array([[10.0, 10], [11, 10], [40, 40]])
    found = follow(part, step, places, 3.0, 3)
    assert found.track.tolist() == [0, 0, 1]
    assert found.first.tolist() == [0, 2]
    assert found.seen.tolist() == [[True, False, True], [False, False, True]]
    assert seen_again(found.seen) == (0, 1)


def test_parts_next_to_each_other_do_not_share_defects():
    found = follow(np.array([0, 1]), np.array([0, 1]), np.zeros((2, 2)), 5.0, 2)
    assert found.track.tolist() == [0, 1]


def test_without_a_tolerance_nothing_is_followed():
    with pytest.raises(ValueError, match="a tolerance above 0"):
        follow(np.zeros(1, int), np.zeros(1, int), np.zeros((1, 2)), 0.0, 2)
