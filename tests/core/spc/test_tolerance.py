import numpy as np
import pytest
from scipy import stats

from flawline.core.spc.tolerance import one_sided_factor, tolerance_interval, two_sided_factor
from flawline.core.spc.transforms import NONE, Transform
from flawline.errors import UsageError


@pytest.mark.parametrize(
    ("count", "share", "confidence", "one", "two"),
    [
        # NIST/SEMATECH e-Handbook, 7.2.6.3: one-sided 1.8740; two-sided 2.2173 by Howe's approximation, exact 2.2228.
        (43, 0.9, 0.99, 1.8740, 2.2228),
        # ISO 16269-6, tables of factors.
        (10, 0.95, 0.95, 2.911, 3.393),
        (5, 0.9, 0.95, 3.407, 4.291),
        (20, 0.9, 0.95, 1.926, 2.319),
    ],
)
def test_published_factors(count, share, confidence, one, two):
    assert one_sided_factor(count, share, confidence) == pytest.approx(one, abs=6e-4)
    assert two_sided_factor(count, share, confidence) == pytest.approx(two, abs=6e-4)


@pytest.mark.parametrize("count", [2, 3, 10, 100, 2000])
def test_one_sided_factors_of_scipy_and_the_limit_of_many_values(count):
    root = np.sqrt(count)
    for share, confidence in ((0.9, 0.95), (0.99, 0.95), (0.9973, 0.99)):
        expected = stats.nct.ppf(confidence, count - 1, stats.norm.ppf(share) * root) / root
        assert one_sided_factor(count, share, confidence) == pytest.approx(expected, rel=1e-5)
        assert two_sided_factor(count, share, confidence) > stats.norm.ppf((1 + share) / 2)
    assert two_sided_factor(10**7, 0.99, 0.95) == pytest.approx(stats.norm.ppf(0.995), rel=2e-3)


@pytest.mark.parametrize("sides", [(True, True), (False, True), (True, False)])
def test_intervals_hold_the_share_as_often_as_they_say(sides):
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        x = random.lognormal(1, 0.5, 25)
        found = tolerance_interval(x, Transform("log"), sides=sides, share=0.9, confidence=0.9)
        true = stats.lognorm(0.5, scale=np.e)
        low = 0.0 if found.low is None else true.cdf(found.low)
        held += (1.0 if found.high is None else true.cdf(found.high)) - low >= 0.9
    assert held / 400 == pytest.approx(0.9, abs=0.04)


def test_what_has_no_tolerance_interval():
    x = np.arange(1.0, 30)
    both = {"sides": (True, True), "confidence": 0.95}
    for transform in (Transform("weibull", (2.0, 10.0)), Transform("log", (), 0.2)):
        assert tolerance_interval(x, transform, share=0.9, **both) is None
    for share in (0.0, 1.0, 1.5):
        with pytest.raises(UsageError, match="coverage"):
            tolerance_interval(x, NONE, share=share, **both)
