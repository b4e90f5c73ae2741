import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from flawline.core.pod import fit_pod
from helpers.examples import examples


def drawn(n, seed, slope=4.0, a50=10.0):
    """Hits and misses of a known curve; a90 is a50 * 9 ** (1 / slope)."""
    rng = np.random.default_rng(seed)
    sizes = np.exp(rng.uniform(np.log(a50 / 5), np.log(a50 * 5), n))
    return sizes, rng.random(n) < special.expit(slope * np.log(sizes / a50))


def lost(line, x, is_found):
    odds = line[0] + line[1] * x
    return float(np.logaddexp(0, odds).sum() - odds[is_found].sum())


def by_profile(sizes, is_found):
    """The fit and the bound by another way: a general minimiser, and a search along sizes at which POD is 0.9."""
    x = np.log(sizes)
    best = optimize.minimize(lost, (0, 1), (x, is_found), method="Nelder-Mead", tol=1e-12)
    intercept, slope = best.x
    a90 = (math.log(9) - intercept) / slope
    limit = stats.chi2.ppf(0.9, 1) / 2

    def excess(place):
        given_place = lambda s: lost((math.log(9) - s * place, s), x, is_found)  # noqa: E731
        found = optimize.minimize_scalar(given_place, bracket=(0.1, slope), tol=1e-12)
        return found.fun - best.fun - limit

    bound = optimize.brentq(excess, a90, a90 + 5)
    return intercept, slope, math.exp(a90), math.exp(bound)


# Challenger's O-rings, one entry for each flight: temperature in F and whether any O-ring was in distress (S. R. Dalal,
# E. B. Fowlkes and B. Hoadley, Journal of the American Statistical Association 84, 1989, pp. 945-957, table 1).
TEMPERATURES = [
    66,
    70,
    69,
    68,
    67,
    72,
    73,
    70,
    57,
    63,
    70,
    78,
    67,
    53,
    67,
    75,
    70,
    81,
    76,
    79,
    75,
    76,
    58,
]
DISTRESS = [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]


def test_the_published_fit_of_the_o_rings():
    # The published line is 15.0429 - 0.2322 t, and on exp(-t / 10) the size is its logarithm.
    fit = fit_pod(np.exp(-np.array(TEMPERATURES) / 10), DISTRESS)
    assert fit.intercept == pytest.approx(15.0429, abs=5e-5)
    assert fit.slope / 10 == pytest.approx(0.2322, abs=5e-5)
    assert (fit.defects, fit.found) == (23, 7)
    # 90 % at (15.0429 - log 9) / 0.2322 = 55.32 F.
    assert -10 * math.log(fit.a90) == pytest.approx(55.32, abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_another_way_gives_the_same(seed):
    sizes, is_found = drawn(80, seed)
    fit = fit_pod(sizes, is_found)
    intercept, slope, a90, bound = by_profile(sizes, is_found)
    assert fit.intercept == pytest.approx(intercept, rel=1e-4)
    assert fit.slope == pytest.approx(slope, rel=1e-4)
    assert fit.a90 == pytest.approx(a90, rel=1e-4)
    assert fit.a90_95 == pytest.approx(bound, rel=1e-4)
    assert fit.a50 == pytest.approx(math.exp(-intercept / slope), rel=1e-4)


def test_the_bound_mostly_holds():
    # What 95 % are for many defects are, over 800 draws, 91 % for 100 of them.
    true = 10 * 9**0.25
    fits = [fit_pod(*drawn(100, seed)) for seed in range(1000, 1100)]
    held = np.mean([fit.a90_95 >= true for fit in fits])
    assert 0.84 <= held <= 0.98
    assert np.mean([fit.a90 >= true for fit in fits]) < held - 0.3


def test_the_curve_reaches_90_percent_at_a90_and_its_bound_at_a90_95():
    fit = fit_pod(*drawn(100, 3))
    size, pod, low = fit.curve.T
    assert (size[0], size[-1]) == pytest.approx((fit.smallest, fit.largest))
    assert np.interp(math.log(fit.a90), np.log(size), pod) == pytest.approx(0.9, abs=1e-3)
    assert np.interp(math.log(fit.a90_95), np.log(size), low) == pytest.approx(0.9, abs=1e-3)
    assert (low < pod).all()
    assert (np.diff(pod) > 0).all()


@pytest.mark.parametrize(
    ("sizes", "is_found", "reason"),
    [
        ([1, 2, 3], [1, 1, 1], "all 3 defects were found"),
        ([1, 2, 3], [0, 0, 0], "all 3 defects were missed"),
        ([2, 2, 2], [0, 1, 0], "same size"),
        ([1, 2, 3, 4], [0, 0, 1, 1], "any steep curve"),
        ([1, 2, 2, 4], [0, 0, 1, 1], "any steep curve"),
        ([1, 2, 3, 4], [1, 1, 0, 0], "not found more often"),
        ([1, 2, 3, 4, 5], [1, 1, 0, 1, 0], "not found more often"),
        ([1, 2, 1, 2], [1, 1, 0, 0], "not found more often"),
    ],
)
def test_without_a_trend_there_is_a_reason_and_no_number(sizes, is_found, reason):
    fit = fit_pod(sizes, is_found)
    assert reason in fit.reason
    assert fit.a50 is fit.a90 is fit.a90_95 is fit.slope is fit.curve is None


def test_a_trend_that_is_not_sure_has_no_bound():
    fit = fit_pod([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 0, 1])
    assert fit.a90 is not None
    assert fit.a90_95 is None
    assert "too few defects" in fit.reason


def test_sizes_beyond_the_data_are_told_with_a_warning():
    sizes, is_found = drawn(100, 0)
    small = sizes < 12
    fit = fit_pod(sizes[small], is_found[small])
    assert fit.a90_95 > fit.largest
    assert "beyond the largest defect" in fit.reason
    assert fit_pod(sizes, is_found).reason == ""


def test_sizes_far_beyond_the_data_are_not_told():
    sizes = np.linspace(1, 1.5, 200)
    is_found = np.arange(200) % 5 == 0
    is_found[-1] = True
    fit = fit_pod(sizes, is_found)
    assert fit.a90 is None
    assert fit.reason


@pytest.mark.parametrize(
    ("sizes", "is_found"),
    [([], []), ([1], [True, False]), ([0.0], [True]), ([float("nan")], [True])],
)
def test_what_is_no_data_is_refused(sizes, is_found):
    with pytest.raises(ValueError, match=r"list|above 0"):
        fit_pod(sizes, is_found)


cases = st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=60)


@examples(200)
@given(cases, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_numbers_are_finite_and_keep_their_order(pairs, unit, shuffle):
    sizes, is_found = (np.array(values) for values in zip(*pairs, strict=True))
    fit = fit_pod(sizes, is_found)
    known = [v for v in (fit.a50, fit.a90, fit.a90_95) if v is not None]
    assert all(math.isfinite(value) and value > 0 for value in known)
    assert known == sorted(known)
    assert fit.curve is None or np.isfinite(fit.curve).all()
    assert fit.a90_95 is not None or fit.reason
    # The unit only changes the unit, and the order nothing.
    shuffle.shuffle(pairs)
    other = fit_pod(
        *(np.array(v) * f for v, f in zip(zip(*pairs, strict=True), (unit, 1), strict=True))
    )
    assume((fit.a90_95 is None) == (other.a90_95 is None))
    if fit.a90_95 is not None:
        assert other.a90 == pytest.approx(fit.a90 * unit, rel=1e-6)
        assert other.a90_95 == pytest.approx(fit.a90_95 * unit, rel=1e-4)


@examples(50)
@given(st.integers(0, 10_000))
def test_the_fit_is_where_the_likelihood_is_highest(seed):
    sizes, is_found = drawn(50, seed)
    fit = fit_pod(sizes, is_found)
    assume(fit.slope is not None)
    x = np.log(sizes)
    least = lost((fit.intercept, fit.slope), x, is_found)
    for across, up in ((1e-2, 0), (-1e-2, 0), (0, 1e-2), (0, -1e-2)):
        assert lost((fit.intercept + across, fit.slope + up), x, is_found) >= least
