"""Whether recent accepted parts score as those of calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from flawline.core.score_drift import FEWEST, SURE, score_drift
from helpers.examples import examples

tied = st.lists(st.integers(0, 9).map(float), min_size=FEWEST, max_size=60)


@examples(60)
@given(tied, tied)
def test_the_test_of_mann_and_whitney(usual, new):
    """SciPy's own asymptotic p-value, without a correction for continuity."""
    found = score_drift(usual, new, 9.0)
    assert found is not None
    if len({*usual, *new}) == 1:
        assert (found.higher, found.p_value) == (0.5, 1.0)
        return
    theirs = mannwhitneyu(new, usual, method="asymptotic", use_continuity=False)
    assert found.higher == pytest.approx(theirs.statistic / (len(usual) * len(new)))
    assert found.p_value == pytest.approx(theirs.pvalue, abs=1e-12)


def test_both_sides_are_cut_at_the_threshold():
    usual, new = np.arange(40.0), np.arange(100.0)
    found = score_drift(usual, new, 29.0)
    assert found is not None
    assert (found.calibration, found.parts, found.higher) == (30, 30, 0.5)
    assert not found.drifted


@pytest.mark.parametrize("few", [0, FEWEST - 1])
def test_too_few_of_either_say_nothing(few):
    assert score_drift(np.arange(50), np.arange(few), 100) is None
    assert score_drift(np.arange(few), np.arange(50), 100) is None


def test_alike_parts_hardly_ever_warn_and_shifted_ones_do():
    """2,000 sets of 60 and 120 skewed scores, cut at the highest of calibration."""
    rng = np.random.default_rng(5)
    alike, surely, shifted = [], [], []
    for _ in range(2000):
        usual, new = rng.gumbel(size=60), rng.gumbel(size=120)
        found = score_drift(usual, new, usual.max())
        assert found is not None
        alike.append(found.drifted)
        surely.append(found.p_value < 0.05)
        moved = score_drift(usual, new + 1.5, usual.max())
        shifted.append(moved is not None and moved.drifted and moved.higher > 0.5)
    assert np.mean(surely) == pytest.approx(0.05, abs=0.015)
    assert np.mean(alike) <= 2 * SURE
    assert np.mean(shifted) > 0.95


def test_a_small_shift_of_many_parts_is_no_drift():
    rng = np.random.default_rng(6)
    found = score_drift(rng.normal(size=5000), rng.normal(size=5000) + 0.2, 99)
    assert found is not None
    assert found.p_value < SURE
    assert not found.drifted


def test_scores_that_are_not_finite_are_errors():
    with pytest.raises(ValueError, match="finite"):
        score_drift([*range(20), float("-inf")], range(20), 100)
