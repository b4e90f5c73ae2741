import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from flawline.jobs.rank.forest import (
    average_path_length,
    fit_forest,
    forest_importance,
    forest_scores,
)
from helpers.examples import examples


@pytest.fixture
def cloud():
    values = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
    values[0, 5] = 25
    return values


def test_scores_are_those_of_scikit_learn(cloud):
    ours = forest_scores(fit_forest(cloud, trees=40, seed=3), cloud)
    theirs = IsolationForest(n_estimators=40, max_samples=256, random_state=3).fit(cloud)
    np.testing.assert_allclose(ours, -theirs.score_samples(cloud), rtol=1e-12)


def test_an_outlier_scores_highest_and_its_field_explains_it(cloud):
    forest = fit_forest(cloud, seed=1)
    scores = forest_scores(forest, cloud)
    importance = forest_importance(forest, cloud[:1], 12)
    assert scores.argmax() == 0
    assert importance[0].argmax() == 5
    assert importance[0, 5] > 0.5
    assert importance.sum() == pytest.approx(1)


def test_a_picture_that_is_odd_in_every_field_passes_bigmls_0_6(cloud):
    cloud[0] = 25
    assert forest_scores(fit_forest(cloud), cloud)[0] > 0.6


def test_a_score_does_not_depend_on_the_batch(cloud):
    forest = fit_forest(cloud, trees=30)
    alone = [forest_scores(forest, row[None])[0] for row in cloud[:20]]
    assert alone == forest_scores(forest, cloud)[:20].tolist()


def test_equal_rows_score_one_half_and_need_no_reason():
    values = np.ones((10, 4), dtype=np.float32)
    forest = fit_forest(values, trees=5)
    np.testing.assert_allclose(forest_scores(forest, values), 0.5)
    assert not forest_importance(forest, values, 4).any()


def test_average_path_length_of_equation_1():
    # Two harmonic numbers: c(n) = 2 H(n-1) - 2 (n-1)/n with H(i) ~ ln(i) + 0.5772156649.
    assert average_path_length(np.array([1, 2])).tolist() == [0, 1]
    assert average_path_length(np.array([256]))[0] == pytest.approx(10.244770920, abs=1e-8)


@examples(20)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 2**16))
def test_scores_lie_above_0_and_at_most_1(rows, fields, seed):
    values = np.random.default_rng(seed).normal(size=(rows, fields)).astype(np.float32)
    scores = forest_scores(fit_forest(values, trees=8, seed=seed), values)
    assert ((scores > 0) & (scores <= 1)).all()
