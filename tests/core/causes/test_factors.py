"""Factors beside statsmodels and SciPy."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import f_oneway
from scipy.stats.contingency import association
from statsmodels.stats.oneway import anova_oneway

from flawline.core.causes.factors import (
    f_test,
    factor_effect,
    only_with,
    overlap,
    own_effect,
    welch,
)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(3)
    levels = np.repeat([0, 1, 2], [60, 90, 50])
    means = np.array([1.0, 2.4, 1.1])[levels]
    return rng.negative_binomial(2, 2 / (2 + means)).astype(float), levels


def test_means_and_ratio_are_those_of_a_negative_binomial_regression(counts):
    values, levels = counts
    found = factor_effect(values, levels, "counts")
    worst = (levels == 1).astype(float)
    peer = sm.NegativeBinomial(values, sm.add_constant(worst)).fit(disp=False)
    assert found.worst == 1
    assert found.ratio[0] == pytest.approx(np.exp(peer.params[1]), rel=0.02)
    # Theirs is an interval of one comparison: ours allows for the choice among three.
    low, high = np.exp(peer.conf_int(0.05 / 3)[1])
    assert found.ratio[1:] == pytest.approx((low, high), rel=0.08)
    assert found.p < 0.01


def test_without_a_difference_p_is_even():
    rng = np.random.default_rng(4)
    levels = np.repeat([0, 1, 2], 20)
    p = [
        factor_effect(rng.poisson(1.0, 60).astype(float), levels, "counts", seed=k).p
        for k in range(120)
    ]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.07)


def test_sizes_are_compared_by_the_test_of_welch():
    rng = np.random.default_rng(5)
    levels = np.repeat([0, 1, 2], [20, 40, 30])
    values = np.exp(
        rng.normal(np.array([1.0, 1.0, 1.5])[levels], np.array([0.2, 0.6, 0.4])[levels])
    )
    peer = anova_oneway(np.log(values), levels, use_var="unequal")
    found = factor_effect(values, levels, "sizes")
    assert found.p == pytest.approx(peer.pvalue)
    assert found.worst == 2
    assert found.means[2] == pytest.approx(np.exp(np.log(values[levels == 2]).mean()))


def test_the_f_test_is_that_of_scipy(counts):
    values, levels = counts
    groups = [values[levels == level] for level in range(3)]
    assert f_test(values, levels) == pytest.approx(f_oneway(*groups).pvalue)


def test_a_factor_beside_another_is_the_f_test_of_nested_regressions():
    rng = np.random.default_rng(6)
    factor, other = rng.integers(0, 3, 90), rng.integers(0, 2, 90)
    values = rng.normal(0, 1, 90) + other + 0.4 * (factor == 1)
    small = sm.add_constant(other.astype(float))
    whole = np.column_stack([small, factor == 1, factor == 2]).astype(float)
    expected = sm.OLS(values, whole).fit().compare_f_test(sm.OLS(values, small).fit())[1]
    assert own_effect(values, factor, other) == pytest.approx(expected)


def test_what_always_runs_together_cannot_be_told_apart():
    factor = np.repeat([0, 1], 20)
    assert own_effect(np.arange(40.0), factor, factor) is None
    assert only_with(factor, 1, factor) == 1
    assert overlap(factor, factor) == pytest.approx(1)


def test_overlap_has_its_bias_taken_off():
    rng = np.random.default_rng(7)
    factor, other = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
    table = np.zeros((4, 3))
    np.add.at(table, (factor, other), 1)
    assert overlap(factor, other) < association(table.astype(int), method="cramer")
    assert only_with(factor, 0, other) is None


@pytest.mark.parametrize("levels", [[0, 0, 0, 0], [0, 0, 0, 1]])
def test_with_one_level_of_three_parts_nothing_is_compared(levels):
    assert factor_effect(np.arange(4.0), np.array(levels), "counts") is None


def test_values_without_spread_differ_or_do_not():
    assert welch(np.array([1.0, 1, 1, 1]), np.array([0, 0, 1, 1])) == 1
    assert welch(np.array([1.0, 1, 2, 2]), np.array([0, 0, 1, 1])) == 0
