"""T2 and MEWMA beside published limits and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.spc.multivariate import (
    contributions,
    mewma_limit,
    multivariate,
    phase_one_limit,
    phase_two_limit,
)
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples
from helpers.msa_tables import STRENGTH


def strength():
    return np.array([line.split() for line in STRENGTH.split("\n") if line], float)


def test_strength_and_diameter():
    # Montgomery, table 11.1, as in jaspQualityControl: the chance of 0.0027 for each of two measures.
    found = multivariate(strength(), alpha=1 - 0.9973**2)
    assert found.centre == pytest.approx([115.5875, 1.058])
    assert found.covariance[0, 0] == pytest.approx(0.147188, abs=5e-7)
    assert found.covariance[0, 1] == pytest.approx(-0.00146842, abs=5e-9)
    assert found.covariance[1, 1] == pytest.approx(0.000711579, abs=5e-10)
    assert found.limits == pytest.approx(np.full(20, 8.285928), abs=5e-7)
    assert not len(found.beyond)


@pytest.mark.parametrize(
    ("measures", "weight", "limit"),
    [(2, 0.05, 7.35), (2, 0.1, 8.64), (2, 0.2, 9.65), (4, 0.1, 12.73), (4, 0.2, 13.87)],
)
def test_limits_of_the_mewma(measures, weight, limit):
    # S. S. Prabhu and G. C. Runger, Journal of Quality Technology 29, 1997, pp. 8-15, for a mean run of 200.
    assert mewma_limit(measures, weight, 200) == pytest.approx(limit, abs=0.011)


@given(st.integers(0, 10**6), st.integers(2, 5))
@examples(20)
def test_t2_does_not_depend_on_units(seed, measures):
    random = np.random.default_rng(seed)
    values = random.normal(size=(40, measures)) @ random.normal(size=(measures, measures))
    scales, shift = random.uniform(0.01, 100, measures), random.normal(size=measures)
    one, other = multivariate(values), multivariate(values * scales + shift)
    assert other.t2 == pytest.approx(one.t2, rel=1e-6)
    assert other.mewma == pytest.approx(one.mewma, rel=1e-6)
    # The mean of T2 of the points themselves is P (N - 1) / N.
    assert one.t2.mean() == pytest.approx(measures * 39 / 40)


def test_false_alarms_are_as_many_as_were_asked_for():
    random = np.random.default_rng(1)
    alarms, later = 0, 0
    for _ in range(400):
        found = multivariate(random.normal(size=(50, 3)), learn=30, alpha=0.02)
        alarms += (found.t2[:30] > found.limits[:30]).sum()
        later += (found.t2[30:] > found.limits[30:]).sum()
    assert alarms / 12_000 == pytest.approx(0.02, abs=0.004)
    assert later / 8_000 == pytest.approx(0.02, abs=0.006)
    assert phase_one_limit(30, 3, 0.02) < phase_two_limit(30, 3, 0.02)


def test_a_shift_is_found_and_named():
    random = np.random.default_rng(2)
    values = random.normal(size=(80, 2)) @ np.linalg.cholesky([[1, 0.9], [0.9, 1]]).T
    values[50] = [2.0, -2.0]
    found = multivariate(values, learn=40)
    assert 50 in found.beyond
    values[60:, 1] += 0.8
    shifted = multivariate(values, learn=40)
    assert any(place >= 60 for place in shifted.drifting)
    off = values - shifted.centre
    share = contributions(off[60:], shifted.covariance)
    assert (share >= -1e-9).all()


@pytest.mark.parametrize(
    ("values", "settings", "error", "message"),
    [
        (np.ones((10, 1)), {}, FlawlineError, "two measures or more"),
        (np.ones((3, 2)), {}, FlawlineError, "from 4 points or more, got 3"),
        (np.ones((10, 2)), {}, FlawlineError, "measure 1 does not vary"),
        (np.arange(20.0).reshape(10, 2), {}, FlawlineError, "follows from the others"),
        (np.eye(10)[:, :2], {"learn": 11}, FlawlineError, "got 10 of 10"),
        (np.eye(10)[:, :2], {"alpha": 0}, UsageError, "`alpha`"),
        (np.eye(10)[:, :2], {"weight": 2}, UsageError, "`weight`"),
    ],
)
def test_what_cannot_be_charted(values, settings, error, message):
    with pytest.raises(error, match=message):
        multivariate(values, **settings)
