import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from flawline.core.normality import anderson_darling
from helpers.examples import examples


def test_the_statistic_follows_its_definition_term_by_term():
    values = np.array([2.1, 3.3, 1.9, 4.8, 5.0, 2.7, 3.1, 3.9, 4.1, 12.0])
    z = (np.sort(values) - values.mean()) / values.std(ddof=1)
    from scipy.stats import norm

    f = norm.cdf(z)
    n = len(f)
    total = sum((2 * i + 1) * (np.log(f[i]) + np.log(1 - f[n - 1 - i])) for i in range(n))
    expected = (-n - total / n) * (1 + 4 / n - 25 / n**2)
    assert anderson_darling(values) == pytest.approx(expected, rel=1e-12)


def test_one_in_twenty_normal_samples_passes_the_critical_value_of_5_percent():
    # Stephens 1974, table 1, case 3: 0.787 at 5 %, 1.092 at 1 %.
    rng = np.random.default_rng(0)
    found = np.array([anderson_darling(rng.normal(size=60)) for _ in range(1500)])
    assert 0.035 < (found > 0.787).mean() < 0.065
    assert 0.004 < (found > 1.092).mean() < 0.018


def test_normal_scores_pass_and_two_lumps_fail():
    scores = ndtri((np.arange(200) + 0.5) / 200)
    assert anderson_darling(scores) < 0.1
    assert anderson_darling(np.concatenate([scores - 4, scores + 4])) > 10


def test_equal_numbers_and_far_outliers_are_finite():
    assert anderson_darling(np.full(20, 7.0)) == 0
    assert np.isfinite(anderson_darling([*np.zeros(1000), 1e9]))


@pytest.mark.parametrize("values", [np.zeros(7), [1, 2, 3, 4, 5, 6, 7, np.nan]])
def test_what_the_test_cannot_judge_is_refused(values):
    with pytest.raises(ValueError, match="at least 8 finite"):
        anderson_darling(values)


@examples(50)
@given(
    st.lists(st.integers(-1000, 1000), min_size=8, max_size=60),
    st.floats(0.5, 100),
    st.floats(-100, 100),
)
def test_scale_and_place_do_not_count(values, scale, shift):
    x = np.asarray(values, dtype=float)
    moved = anderson_darling(x * scale + shift)
    assert moved == pytest.approx(anderson_darling(x), rel=1e-6, abs=1e-6)
