"""Thresholds that let at most a share of known kinds of bad parts through."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from flawline.core.escape_threshold import EscapeGuarantee, escape_threshold
from flawline.core.threshold import escape_share, pictures_needed, verdict
from flawline.errors import UsageError

shares = st.floats(0.01, 0.6)
confidences = st.floats(0.3, 0.99)


@pytest.mark.parametrize(("n", "rank"), [(59, 1), (92, 1), (93, 2), (124, 3), (208, 6)])
def test_the_sample_sizes_of_wilks(n, rank):
    """5 % with 95 %: Nutt and Wallis 2004, as for overkill."""
    found = escape_threshold(np.arange(1.0, n + 1), 0.05, 0.95)
    assert found.rank == rank
    assert found.threshold == np.nextafter(rank, -np.inf)


@given(shares, confidences, st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_the_place_is_the_highest_whose_binomial_sum_suffices(escape, confidence, extra, seed):
    n = pictures_needed(escape, confidence) + extra
    scores = np.random.default_rng(seed).permutation(n) * 10.0
    found = escape_threshold(scores, escape, confidence)

    def sure(rank):
        """P(at least `rank` of n fall below the quantile `escape`): the score of that place lies below it."""
        return binom.sf(rank - 1, n, escape)

    assert escape_share(scores, found.threshold).hits == found.rank - 1
    assert sure(found.rank) >= confidence - 1e-9
    assert found.rank == n or sure(found.rank + 1) < confidence + 1e-9


def test_the_score_of_the_place_is_flagged_itself():
    found = escape_threshold(np.full(59, 3.0), 0.05, 0.95)
    assert verdict(3.0, found.threshold, 9.0) == "review"


def test_the_promise_is_kept_as_often_as_stated():
    """4,000 sets of 100 uniform scores, of which the threshold is the true escape."""
    rng = np.random.default_rng(7)
    found = [escape_threshold(rng.random(100), 0.1, 0.9) for _ in range(4000)]
    kept = np.mean([one.threshold <= 0.1 for one in found])
    exact = binom.sf(found[0].rank - 1, 100, 0.1)
    assert exact >= 0.9
    assert kept == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 4000))


def test_too_few_bad_parts_are_refused_with_what_would_do():
    with pytest.raises(UsageError) as refused:
        escape_threshold(np.arange(40), 0.02, 0.95)
    assert refused.value.code == "calibration-too-few"
    assert refused.value.message == (
        '"at most 2 % of such bad parts accepted, 95 % confidence" needs 149 held-out bad parts, got 40'
    )
    assert refused.value.hint == "give 109 more bad parts, or ask for an escape of 7.22 % or more"
    assert escape_threshold(np.arange(40), 0.0722, 0.95).rank == 1
    with pytest.raises(UsageError, match="got 0"):
        escape_threshold([], 0.02, 0.95)


@pytest.mark.parametrize("share", [0.0, 1.0, 2.0, math.nan])
def test_shares_outside_0_to_1_are_refused(share):
    with pytest.raises(UsageError, match="expected escape above 0 and below 1"):
        escape_threshold(np.arange(400), share, 0.95)


def test_the_sentence():
    text = str(EscapeGuarantee(1.5, 0.0249999, 0.95, 120, 1))
    assert text == "at most 2.5 % of such bad parts accepted, 95 % confidence, n = 120"
