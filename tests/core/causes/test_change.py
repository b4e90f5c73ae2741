import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import energy_distance
from sklearn.metrics.pairwise import rbf_kernel
from statsmodels.stats.multitest import multipletests

from flawline.core.causes.change import energy_test, find_change, holm, mmd_test


def test_a_step_is_dated_with_an_interval():
    rng = np.random.default_rng(0)
    values = rng.normal(10, 1, 120)
    values[70:] += 2
    found = find_change(values)
    assert (found.kind, found.p < 0.01) == ("step", True)
    assert found.low <= 70 <= found.high
    assert found.after - found.before == pytest.approx(2, abs=0.5)


def test_a_slow_move_begins_where_it_begins():
    rng = np.random.default_rng(1)
    values = rng.normal(0, 0.1, 150) + np.clip((np.arange(150) - 80) / 70, 0, 1)
    found = find_change(values)
    assert found.kind == "ramp"
    assert found.low <= 80 <= found.high
    assert found.after == pytest.approx(1, abs=0.1)


def test_without_a_change_p_is_even():
    p = [find_change(np.random.default_rng(k).normal(0, 1, 60), seed=k).p for k in range(60)]
    assert np.mean(np.array(p) < 0.2) == pytest.approx(0.2, abs=0.16)


def test_values_that_resemble_each_other_are_no_change():
    alone = together = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise, values = rng.normal(0, 1, 120), np.zeros(120)
        for k in range(1, 120):
            values[k] = 0.5 * values[k - 1] + noise[k]
        together += find_change(values, seed=seed).p < 0.05
        alone += find_change(rng.permutation(values), seed=seed).p < 0.05
    assert together <= 4
    assert alone <= 4


def test_many_values_are_dated_in_their_own_numbers():
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1, 5000)
    values[3000:] += 1
    found = find_change(values)
    assert found.low <= 3000 <= found.high
    assert found.high - found.low < 400


@pytest.mark.parametrize("values", [np.zeros(20), np.full(20, 7.0)])
def test_a_still_signal_does_not_move(values):
    assert find_change(values).p == 1


def test_few_values_and_values_that_are_not_finite():
    assert find_change(np.arange(11.0)) is None
    with pytest.raises(ValueError, match="finite"):
        find_change(np.r_[np.zeros(20), np.nan])


def test_holm_is_that_of_statsmodels():
    p = np.random.default_rng(3).random(9) / 8
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_the_energy_distance_is_that_of_scipy():
    rng = np.random.default_rng(4)
    first, second = rng.normal(0, 1, (40, 1)), rng.normal(0.8, 1, (30, 1))
    distance, p = energy_test(first, second)
    # SciPy gives its square root.
    assert np.sqrt(distance) == pytest.approx(energy_distance(first[:, 0], second[:, 0]))
    assert p < 0.02
    assert energy_test(first, first + 0.0)[1] > 0.5


def test_the_mean_discrepancy_is_that_of_a_kernel_of_scikit_learn():
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(30, 4)), rng.normal(0.8, 1, size=(25, 4))
    found, p = mmd_test(first, second)
    both = np.concatenate([first, second])
    width = np.median(pdist(both))
    kernel = rbf_kernel(both, gamma=1 / (2 * width**2))
    across = kernel[:30, 30:].mean()
    assert found == pytest.approx(kernel[:30, :30].mean() + kernel[30:, 30:].mean() - 2 * across)
    assert p < 0.01
    assert mmd_test(1000 * first, 1000 * second) == pytest.approx((found, p))
    assert mmd_test(first, first + 0.0)[1] > 0.5
    assert mmd_test(np.ones((5, 2)), np.ones((6, 2)))[0] == pytest.approx(0)


def test_a_larger_spread_about_one_mean_is_a_discrepancy():
    rng = np.random.default_rng(4)
    assert mmd_test(rng.normal(size=(60, 2)), rng.normal(0, 3, size=(60, 2)))[1] < 0.01
