"""The probability of detection of a published table: MIL-HDBK-1823A, example 3 (hit/miss)."""

import math

import pytest
from scipy import stats

from flawline.core.pod import fit_pod

# MIL-HDBK-1823A, 2009, example 3, as in jaspQualityControl: depth in inches, found and missed cracks of that depth.
CRACKS = """
0.004 0 1; 0.006 0 3; 0.008 0 3; 0.01 0 6; 0.012 0 5; 0.014 0 2; 0.016 1 1; 0.018 2 2;
0.019 4 2; 0.021 5 1; 0.023 1 1; 0.025 5 1; 0.027 4 0; 0.029 3 0; 0.031 3 0; 0.033 4 1;
0.035 1 0; 0.037 4 0; 0.039 4 0; 0.041 5 0; 0.043 4 0; 0.045 2 0; 0.047 6 0; 0.049 6 0;
0.051 1 0; 0.053 2 0; 0.055 1 0; 0.057 3 0; 0.058 4 0; 0.06 2 0; 0.062 3 0; 0.064 2 0;
0.066 1 0; 0.068 3 0; 0.076 1 0; 0.084 1 0; 0.097 1 0; 0.1 0 1
"""


def cracks():
    sizes, found = [], []
    for cell in CRACKS.replace("\n", " ").split(";"):
        size, hits, misses = cell.split()
        sizes += [float(size)] * (int(hits) + int(misses))
        found += [True] * int(hits) + [False] * int(misses)
    return sizes, found


def test_example_3_of_the_handbook():
    # The fit of R's glm and of JASP: 17.65732 + 4.390078 log(depth).
    fit = fit_pod(*cracks())
    assert fit.intercept == pytest.approx(17.65732, abs=5e-5)
    assert fit.slope == pytest.approx(4.390078, abs=5e-6)
    assert fit.a50 == pytest.approx(0.0179154, abs=5e-8)
    assert fit.a90 == pytest.approx(0.0295521, abs=5e-8)
    # By the likelihood ratio with one degree of freedom.
    assert fit.a90_95 == pytest.approx(0.035766, abs=5e-6)


def test_the_fit_beside_statsmodels():
    models = pytest.importorskip("statsmodels.api")
    sizes, found = cracks()
    logs = [math.log(size) for size in sizes]
    theirs = models.GLM(found, models.add_constant(logs), family=models.families.Binomial()).fit()
    fit = fit_pod(sizes, found)
    assert (fit.intercept, fit.slope) == pytest.approx(tuple(theirs.params), rel=1e-6)
    # The bound by the likelihood ratio lies near that of Wald, 0.034982.
    cov = theirs.cov_params()
    a90 = math.log(fit.a90)
    error = math.sqrt(cov[0, 0] + 2 * a90 * cov[0, 1] + a90**2 * cov[1, 1]) / fit.slope
    assert math.exp(a90 + stats.norm.ppf(0.95) * error) == pytest.approx(0.034982, abs=5e-7)
