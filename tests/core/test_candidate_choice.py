"""The choice among candidates: escapes at an overkill, AUROC, and the simpler one where it is as good."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from flawline.core.candidate_choice import AROUND, CandidateScores, choose_candidate

NUMBERS = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=30)


def scores(good, bad):
    return CandidateScores(np.array(good, np.float64), np.array(bad, np.float64))


@given(NUMBERS, NUMBERS)
def test_auroc_is_that_of_mann_and_whitney(good, bad):
    found = scores(good, bad)
    expected = mannwhitneyu(bad, good).statistic / (len(good) * len(bad))
    assert found.auroc == pytest.approx(expected)


@given(NUMBERS, NUMBERS, st.sampled_from([0.01, 0.05, 0.1, 0.3]))
def test_no_more_good_parts_than_wished_lie_above_the_limit(good, bad, overkill):
    found = scores(good, good)
    rejected = ~found.escapes(overkill)
    assert rejected.sum() <= overkill * (len(good) + 1) + 1e-9
    own = scores(good, bad)
    escapes = np.mean([own.escapes(times * overkill).mean() for times in AROUND])
    assert own.losses(overkill).mean() == pytest.approx(escapes + 1 - own.auroc)


def test_escapes_are_counted_at_the_wished_overkill():
    good = np.arange(1.0, 20.0)
    assert scores(good, [18, 19, 19.5]).escapes(0.05).tolist() == [True, True, False]
    assert scores(good, [18, 19, 19.5]).escapes(0.1).tolist() == [True, False, False]
    # Too few good parts for the share: the highest of them.
    assert scores([1, 2], [2, 2.1]).escapes(0.05).tolist() == [True, False]


def test_a_part_that_is_never_accepted_is_no_escape():
    assert scores([1, 2, 3], [2, 5, np.inf]).escapes(0.05).tolist() == [True, False, False]


def test_to_accept_no_part_is_no_merit():
    lost = scores([1, 2, np.inf, np.inf], [5, np.inf])
    assert lost.escapes(0.05).tolist() == [True, True]
    assert lost.escapes(0.6).tolist() == [False, False]
    nothing = scores([np.inf] * 20, [np.inf] * 10)
    usual = scores(range(20), [10.5, 12.5, *range(20, 28)])
    assert choose_candidate([nothing.losses(0.05), usual.losses(0.05)], [0, 0]) == 1


def test_the_simplest_within_a_standard_error_is_chosen():
    best = np.array([0.0] * 10)
    near = np.array([1.0] + [0.0] * 9)  # a mean difference of one standard error
    far = np.array([1.0] * 4 + [0.0] * 6)
    assert choose_candidate([far, near, best], [0, 1, 2]) == 1
    assert choose_candidate([far, near, best], [2, 1, 0]) == 2
    assert choose_candidate([far, near, best], [1, 1, 1]) == 2
    assert choose_candidate([best, best], [1, 1]) == 0


def test_a_difference_that_is_the_same_for_all_parts_counts():
    assert choose_candidate([np.full(5, 0.2), np.full(5, 0.1)], [0, 1]) == 1


def test_one_part_that_differs_decides_nothing():
    assert choose_candidate([np.array([1.0]), np.array([0.0])], [0, 1]) == 0


def test_no_candidate_is_an_error():
    with pytest.raises(ValueError, match="one candidate or more"):
        choose_candidate([], [])
