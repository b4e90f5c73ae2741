"""Evidence of known defects: which patches teach it, what it learns, and when it counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from flawline.core.known_defects import (
    CANDIDATES,
    MASKED,
    Evidence,
    Trial,
    bad_candidates,
    choose_weight,
    fit_evidence,
    good_candidates,
)
from helpers.examples import examples

SEED = (0, 1)


def rows(count: int, seed: int, shift: float = 0.0) -> np.ndarray:
    """Patches of four features and a score; a defect shifts the first two."""
    found = np.random.default_rng(seed).normal(0, 1, (count, 5)).astype(np.float32)
    found[:, :2] += np.float32(shift)
    return found


def test_the_most_unusual_patches_of_a_bad_picture_are_taken_for_bad():
    scores = np.arange(100, dtype=np.float32)
    assert sorted(bad_candidates(scores)) == list(range(100 - CANDIDATES, 100))
    inside = scores < 50
    assert sorted(bad_candidates(scores, inside)) == list(range(50 - CANDIDATES, 50))


def test_a_mask_decides_where_it_covers_something():
    scores = np.arange(100, dtype=np.float32)
    covered = np.zeros(100, np.float32)
    covered[[3, 7]] = 1
    assert sorted(bad_candidates(scores, covered=covered)) == [3, 7]
    covered[:60] = 1
    assert sorted(bad_candidates(scores, covered=covered)) == list(range(60 - MASKED, 60))
    nothing = np.zeros(100, np.float32)
    assert list(bad_candidates(scores, covered=nothing)) == list(bad_candidates(scores))


def test_good_patches_are_the_most_unusual_and_some_of_the_others():
    scores = np.arange(200, dtype=np.float32)
    inside = scores < 100
    chosen = good_candidates(scores, inside, SEED)
    assert len(chosen) == len(set(chosen)) == 30
    assert set(range(85, 100)) <= set(chosen)
    assert max(chosen) < 100
    assert list(chosen) == list(good_candidates(scores, inside, SEED))
    assert inside.sum() == 100
    assert len(good_candidates(scores[:8], None, SEED)) == 8


def test_the_direction_is_that_of_the_defect():
    good, bad = rows(600, 0), rows(40, 1, shift=4.0)
    evidence = fit_evidence(good, bad, np.arange(40) // 4)
    direction = evidence.direction / np.linalg.norm(evidence.direction)
    assert (direction[:2] > 0.6).all()
    assert (np.abs(direction[2:]) < 0.3).all()
    of_good, of_bad = (evidence.of(one[:, :4], one[:, 4]) for one in (good, bad))
    assert np.quantile(of_good, 0.99) < np.quantile(of_bad, 0.01)


def test_it_is_the_penalised_logistic_regression_of_scikit_learn():
    good, bad = rows(300, 2), rows(30, 3, shift=1.0)
    evidence = fit_evidence(good, bad, np.arange(30))
    weights = np.repeat([0.5 / 300, 0.5 / 30], [300, 30])
    both = np.concatenate([good, bad]).astype(np.float64)
    mean = weights @ both
    deviation = np.sqrt(weights @ (both - mean) ** 2)
    other = LogisticRegression(C=1 / 0.01, tol=1e-8, max_iter=1000)
    other.fit((both - mean) / deviation, np.repeat([0, 1], [300, 30]), sample_weight=weights)
    expected = other.decision_function((both - mean) / deviation)
    np.testing.assert_allclose(evidence.of(both[:, :4], both[:, 4]), expected, atol=0.01)


def test_a_bad_picture_with_many_patches_counts_no_more_than_one_with_few():
    good, few, many = rows(300, 4), rows(2, 5, shift=3.0), rows(20, 6, shift=-3.0)
    once = fit_evidence(good, np.concatenate([few, many[:2]]), np.repeat([0, 1], [2, 2]))
    repeated = fit_evidence(
        good, np.concatenate([few, np.tile(many[:2], (10, 1))]), np.repeat([0, 1], [2, 20])
    )
    np.testing.assert_allclose(once.direction, repeated.direction, atol=1e-3)


def test_features_that_never_vary_tell_nothing():
    good, bad = rows(50, 7), rows(5, 8, shift=2.0)
    good[:, 3] = bad[:, 3] = 7
    evidence = fit_evidence(good, bad, np.arange(5))
    assert evidence.direction[3] == 0
    assert np.isfinite(evidence.direction).all()


@given(st.floats(-5, 5), st.floats(0.01, 20))
@examples(40)
def test_scaled_evidence_is_what_lies_above_the_floor_times_the_weight(floor, weight):
    evidence = fit_evidence(rows(50, 9), rows(5, 10, shift=2.0), np.arange(5))
    some = rows(20, 11, shift=1.0)
    plain = evidence.of(some[:, :4], some[:, 4]).astype(np.float64)
    found = evidence.scaled(floor, weight).of(some[:, :4], some[:, 4])
    np.testing.assert_allclose(found, weight * (plain - floor), rtol=1e-3, atol=1e-3 * weight)


def test_the_weight_with_fewest_missed_is_chosen_and_the_least_of_equals():
    good = np.tile(np.arange(20.0), (4, 1))
    bad = np.array([[1.0, 30, 2], [1, 30, 30], [30, 30, 30], [30, 30, 30]])
    known = Trial(good, bad)
    assert list(known.missed(0.05)) == [2, 1, 0, 0]
    assert choose_weight(known, [], 0.05) == 2


def test_no_weight_that_loses_unseen_kinds_is_chosen():
    good = np.tile(np.arange(20.0), (3, 1))
    known = Trial(good, np.array([[1.0, 1], [30, 1], [30, 30]]))
    unseen = Trial(good, np.array([[30.0], [30], [1]]))
    assert choose_weight(known, [unseen], 0.05) == 1
    lost = Trial(good, np.array([[30.0], [1], [1]]))
    assert choose_weight(known, [lost], 0.05) == 0
    found = Trial(good, np.array([[1.0], [1], [30]]))
    assert choose_weight(known, [lost, found], 0.05) == 2


def test_what_helps_nothing_is_not_chosen():
    known = Trial(np.tile(np.arange(20.0), (3, 1)), np.full((3, 4), 3.0))
    assert choose_weight(known, [], 0.05) == 0


@pytest.mark.parametrize("overkill", [0.05, 0.2])
def test_missed_parts_are_those_up_to_the_threshold(overkill):
    good = np.arange(100.0)[None]
    limit = np.quantile(good[0], 1 - overkill, method="higher")
    bad = np.array([[limit - 1, limit, limit + 1e-6, limit + 5]])
    assert list(Trial(good, bad).missed(overkill)) == [2]


def test_evidence_of_no_patches_is_empty():
    found = Evidence(np.ones(5, np.float32), 0.0).of(
        np.empty((0, 4), np.float32), np.empty(0, np.float32)
    )
    assert found.shape == (0,)
