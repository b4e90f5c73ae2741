import math
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, norm

from flawline.core.intervals import clopper_pearson
from flawline.core.threshold import (
    OverkillGuarantee,
    conformal_p_value,
    cost_threshold,
    escape_share,
    guaranteed_overkill,
    highest_by_part,
    overkill_share,
    overkill_threshold,
    pictures_needed,
    tightest_threshold,
    verdict,
)
from flawline.errors import ModelError, UsageError

tied = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=40)
shares = st.floats(0.005, 0.6)
confidences = st.floats(0.3, 0.99)


# Sample sizes of Wilks 1941 for the highest, second, ... score, as used in reactor safety: W. T. Nutt and G. B. Wallis,
# Reliability Engineering and System Safety 83, 2004, pp. 57-77.
WILKS = {
    (0.05, 0.95): [59, 93, 124, 153, 181, 208],
    (0.02, 0.95): [149, 236, 313],
    (0.01, 0.95): [299, 473, 628],
    (0.10, 0.90): [22],
}


@pytest.mark.parametrize(
    ("overkill", "confidence", "place", "n"),
    [(*asked, k, n) for asked, sizes in WILKS.items() for k, n in enumerate(sizes)],
)
def test_the_sample_sizes_of_wilks(overkill, confidence, place, n):
    """One score fewer and the next higher place is needed, or there is none."""
    assert overkill_threshold(np.arange(n), overkill, confidence).rank == n - place
    assert pictures_needed(overkill, confidence, above=place) == n
    if place:
        assert overkill_threshold(np.arange(n - 1), overkill, confidence).rank == n - place
    else:
        with pytest.raises(UsageError):
            overkill_threshold(np.arange(n - 1), overkill, confidence)


@pytest.mark.parametrize(
    ("overkill", "confidence", "n"),
    [(0.5, 0.75, 2), (0.5, 0.5, 1), (0.9, 0.1, 1), (1e-6, 0.5, 693147)],
)
def test_sizes_at_the_edge_of_rounding(overkill, confidence, n):
    assert pictures_needed(overkill, confidence) == n


@given(shares, confidences, st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_the_place_is_the_lowest_whose_binomial_sum_suffices(overkill, confidence, extra, seed):
    n = pictures_needed(overkill, confidence) + extra
    scores = np.random.default_rng(seed).permutation(n) * 10.0
    found = overkill_threshold(scores, overkill, confidence)

    def sure(rank):
        """P(at most rank - 1 of n fall below the quantile): the score of that place lies above it."""
        below = 1 - overkill
        return math.fsum(comb(n, k) * below**k * overkill ** (n - k) for k in range(min(rank, n)))

    assert found.threshold == 10 * (found.rank - 1)
    assert sure(found.rank) >= confidence - 1e-9
    assert found.rank == 1 or sure(found.rank - 1) < confidence + 1e-9
    assert (scores > found.threshold).sum() == n - found.rank
    assert guaranteed_overkill(n, found.rank, confidence) <= overkill + 1e-9


@given(st.integers(1, 300), confidences, st.data())
def test_promises_grow_weaker_down_the_ranks_and_stronger_with_more_pictures(n, confidence, data):
    rank = data.draw(st.integers(1, n))
    promise = guaranteed_overkill(n, rank, confidence)
    assert 0 < promise <= 1
    if rank < n:
        assert guaranteed_overkill(n, rank + 1, confidence) < promise
    assert guaranteed_overkill(n + 1, rank + 1, confidence) < promise


@pytest.mark.parametrize("discrete", [False, True])
def test_the_promise_is_kept_as_often_as_stated_and_oftener_with_ties(discrete):
    """4000 sets of 100 scores that are uniform, so that 1 - t is the true overkill."""
    rng = np.random.default_rng(1)
    scores = rng.random((4000, 100))
    if discrete:
        scores = np.floor(scores * 30) / 30
    found = [overkill_threshold(row, 0.05, 0.90) for row in scores]
    true = np.array([1 - one.threshold for one in found])
    if discrete:  # A value stands for the whole thirtieth above it, so that much less lies above.
        true = true - 1 / 30
    rank = found[0].rank
    exact = beta.cdf(0.05, 100 - rank + 1, rank)
    kept = (true <= 0.05 + 1e-12).mean()
    assert exact >= 0.90
    if discrete:
        assert kept > exact
    else:
        assert kept == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / 4000))


def test_scores_in_folds_keep_the_promise_where_the_learner_is_stable():
    """2,000 sets of 60 parts in 10 folds, scored by the distance to the mean of the others; the last learns all."""
    rng = np.random.default_rng(8)
    parts = rng.normal(size=(2000, 10, 6))
    others = (parts.sum(axis=(1, 2), keepdims=True) - parts.sum(axis=2, keepdims=True)) / 54
    scores = np.abs(parts - others).reshape(2000, 60)
    found = [overkill_threshold(row, 0.1, 0.9) for row in scores]
    limit, middle = np.array([one.threshold for one in found]), parts.mean(axis=(1, 2))
    true = norm.sf(limit + middle) + norm.cdf(-limit + middle)
    exact = beta.sf(0.1, 60 - found[0].rank + 1, found[0].rank)
    # As exact as with parts held out, up to the errors of 2,000 draws.
    assert (true > 0.1).mean() <= exact + 3 * math.sqrt(exact * (1 - exact) / 2000)
    assert exact <= 0.1


def test_few_pictures_promise_little_and_say_so():
    found = tightest_threshold([3.0, 1.0, 5.0, 2.0, 4.0], 0.95)
    assert (found.threshold, found.n, found.rank) == (5.0, 5, 5)
    assert found.overkill == pytest.approx(1 - 0.05 ** (1 / 5))
    assert str(found) == "at most 45.1 % of good parts, 95 % confidence, n = 5"
    assert tightest_threshold([7.0], 0.95).overkill == pytest.approx(0.95)


@given(st.integers(1, 400), confidences)
def test_the_tightest_threshold_promises_what_could_have_been_asked(n, confidence):
    found = tightest_threshold(np.arange(n), confidence)
    assert pictures_needed(found.overkill, confidence) == n


@given(shares, confidences, st.integers(0, 8), st.integers(0, 60))
def test_parts_set_aside_count_as_higher_than_every_score(overkill, confidence, above, extra):
    needed = pictures_needed(overkill, confidence, above=above)
    scores = np.arange(needed + extra - above, dtype=float)
    found = overkill_threshold(scores, overkill, confidence, above=above)
    whole = overkill_threshold([*scores, *[1e9] * above], overkill, confidence)
    assert found == whole
    assert found.threshold < 1e9
    tight = tightest_threshold(scores, confidence, above=above)
    assert (tight.n, tight.rank) == (len(scores) + above, len(scores))
    assert tight.overkill <= overkill + 1e-9
    if len(scores) > 1 and not extra:
        with pytest.raises(UsageError, match="set aside" if above else "got"):
            overkill_threshold(scores[1:], overkill, confidence, above=above)


def test_too_few_pictures_are_refused_with_what_would_do():
    with pytest.raises(UsageError) as refused:
        overkill_threshold(np.arange(120), 0.01, 0.95)
    assert refused.value.code == "calibration-too-few"
    assert refused.value.message == (
        '"at most 1 % of good parts, 95 % confidence" needs 299 held-out good parts, got 120'
    )
    assert (
        refused.value.hint == "give 179 more good parts, or ask for an overkill of 2.47 % or more"
    )
    # What the hint offers is granted.
    assert overkill_threshold(np.arange(120), 0.0247, 0.95).rank == 120


@pytest.mark.parametrize(
    "call",
    [
        lambda: overkill_threshold([], 0.5, 0.5),
        lambda: tightest_threshold([], 0.95),
        lambda: conformal_p_value([], 1.0),
        lambda: cost_threshold([], [1.0], 1, 1, 0.5),
        lambda: cost_threshold([1.0], [], 1, 1, 0.5),
    ],
)
def test_no_calibration_is_an_error(call):
    with pytest.raises(UsageError) as refused:
        call()
    assert refused.value.code == "calibration-too-few"
    assert "got 0" in refused.value.message


@pytest.mark.parametrize("share", [0.0, 1.0, 5.0, -0.1, math.nan])
def test_shares_outside_0_to_1_are_refused(share):
    for call in (
        lambda: overkill_threshold(np.arange(400), share, 0.95),
        lambda: overkill_threshold(np.arange(400), 0.05, share),
        lambda: tightest_threshold([1.0], share),
        lambda: guaranteed_overkill(3, 3, share),
        lambda: cost_threshold([1.0], [2.0], 1, 1, share),
    ):
        with pytest.raises(UsageError, match="above 0 and below 1"):
            call()
    with pytest.raises(ValueError, match="place from 1 to 3"):
        guaranteed_overkill(3, 4, 0.95)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_scores_that_are_not_finite_are_errors(wrong):
    for call in (
        lambda: conformal_p_value([1.0, wrong], 1.0),
        lambda: conformal_p_value([1.0], [1.0, wrong]),
        lambda: overkill_threshold([1.0, wrong], 0.5, 0.5),
        lambda: tightest_threshold([wrong], 0.5),
        lambda: cost_threshold([1.0], [wrong], 1, 1, 0.5),
        lambda: escape_share([wrong], 1.0),
    ):
        with pytest.raises(ValueError, match="finite"):
            call()


@pytest.mark.parametrize(
    ("overkill", "confidence", "text"),
    [
        (0.01, 0.95, "at most 1 % of good parts, 95 % confidence, n = 312"),
        (0.0249999, 0.999, "at most 2.5 % of good parts, 99.9 % confidence, n = 312"),
        (0.07, 0.29, "at most 7 % of good parts, 29 % confidence, n = 312"),
        (1.2341e-5, 0.99999999, "at most 0.00124 % of good parts, 99.9999 % confidence, n = 312"),
    ],
)
def test_the_sentence_never_claims_more_than_holds(overkill, confidence, text):
    assert str(OverkillGuarantee(1.5, overkill, confidence, 312, 311)) == text


def test_p_values_by_hand():
    assert conformal_p_value([1, 2, 2, 3], [0.5, 1, 2, 2.5, 3, 9]).tolist() == pytest.approx(
        [1.0, 1.0, 0.8, 0.4, 0.4, 0.2]
    )
    assert float(conformal_p_value([1, 2, 2, 3], 2.5)) == pytest.approx(0.4)
    assert conformal_p_value([1.0], np.zeros((2, 3))).shape == (2, 3)


@given(tied.filter(lambda pool: len(pool) > 1))
def test_p_values_are_valid_for_any_pool_of_exchangeable_scores_also_with_ties(pool):
    """Each of n + 1 scores is as likely to be the new one, and at most alpha of them get alpha or less."""
    p = [float(conformal_p_value(pool[:k] + pool[k + 1 :], pool[k])) for k in range(len(pool))]
    for alpha in np.arange(1, len(pool) + 1) / len(pool):
        assert np.mean(np.array(p) <= alpha + 1e-12) <= alpha + 1e-12


@given(tied, tied)
def test_p_values_fall_with_the_score(calibration, scores):
    p = conformal_p_value(calibration, np.sort(scores))
    assert (np.diff(p) <= 0).all()
    assert p.min() >= 1 / (len(calibration) + 1)
    assert p.max() <= 1


def test_p_values_of_new_good_parts_are_uniform():
    """20,000 times 99 held-out scores and a new one: p <= 0.01, 0.05, 0.2 exactly as often."""
    scores = np.random.default_rng(2).gumbel(size=(20_000, 100))
    p = np.array([float(conformal_p_value(row[:99], row[99])) for row in scores])
    for alpha in (0.01, 0.05, 0.2):
        share = (p <= alpha + 1e-12).mean()
        assert share == pytest.approx(alpha, abs=3 * math.sqrt(alpha * (1 - alpha) / len(p)))


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-9, 9)), min_size=1, max_size=30))
def test_the_highest_of_each_part(rows):
    parts, scores = zip(*rows, strict=True)
    found = highest_by_part(scores, parts)
    first_seen = list(dict.fromkeys(parts))
    expected = [max(s for p, s in rows if p == part) for part in first_seen]
    assert found.tolist() == expected


def test_shares_count_equal_scores_as_let_through():
    escaped, thrown = escape_share([1, 2, 3], 2.0), overkill_share([1, 2, 3], 2.0, 0.9)
    assert (escaped.hits, escaped.of, thrown.hits, thrown.of) == (2, 3, 1, 3)
    assert thrown.confidence == 0.9
    # 0 of 20: 0 to 0.1684 (Newcombe 1998, table I).
    assert escape_share(np.arange(20), -1.0).interval == pytest.approx((0, 0.1684), abs=5e-5)


def expected_cost(good, bad, threshold, cost_escape, cost_overkill, prevalence):
    escape, overkill = np.mean(np.array(bad) <= threshold), np.mean(np.array(good) > threshold)
    return prevalence * cost_escape * escape + (1 - prevalence) * cost_overkill * overkill


@given(tied, tied, st.floats(0, 100), st.floats(0.01, 100), st.floats(0.001, 0.9))
def test_no_threshold_costs_less(good, bad, cost_escape, cost_overkill, prevalence):
    found = cost_threshold(good, bad, cost_escape, cost_overkill, prevalence)
    tolerance = 1e-9 * (cost_escape + cost_overkill)
    levels = np.arange(-1.25, 8, 0.5)
    costs = [
        expected_cost(good, bad, level, cost_escape, cost_overkill, prevalence) for level in levels
    ]
    assert found.cost == pytest.approx(min(costs), abs=tolerance)
    same = levels[np.array(costs) <= min(costs) + tolerance]
    assert found.escape.value <= min(np.mean(np.array(bad) <= level) for level in same)
    assert found.interval[0] <= found.cost + tolerance
    assert found.cost <= found.interval[1] + tolerance
    for threshold, cost in zip(found.thresholds, found.costs, strict=True):
        assert cost == pytest.approx(
            expected_cost(good, bad, threshold, cost_escape, cost_overkill, prevalence),
            abs=tolerance,
        )


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.lists(st.floats(-1e6, 1e6), min_size=1),
)
def test_every_way_of_parting_the_scores_is_tried(good, bad):
    found = cost_threshold(good, bad, 1, 1, 0.5)
    values = np.unique([*good, *bad])
    assert np.searchsorted(values, found.thresholds, side="right").tolist() == list(
        range(len(values) + 1)
    )
    assert np.isfinite(found.thresholds).all()


def test_the_cost_threshold_lies_midway_in_the_gap_and_prefers_overkill_to_escapes():
    clear = cost_threshold([1.0, 2.0], [6.0, 9.0], 50, 1, 0.01)
    assert (clear.threshold, clear.cost) == (4.0, 0.0)
    assert clear.interval[1] > 0
    # Above or below the 2s costs the same.
    level = cost_threshold([1.0, 2.0], [2.0, 3.0], 1, 1, 0.5)
    assert (level.threshold, level.escape.hits, level.overkill.hits) == (1.5, 0, 1)
    # Free overkill: still no more of it than needed.
    free = cost_threshold([1.0, 5.0], [3.0], 1, 0, 0.5)
    assert (free.threshold, free.overkill.hits) == (2.0, 1)
    # Where escapes are cheap, nothing is flagged; where they are dear, everything is.
    assert cost_threshold([1.0, 3.0], [2.0], 1, 1000, 0.01).overkill.hits == 0
    assert cost_threshold([1.0, 3.0], [0.0], 1e6, 1, 0.5).escape.hits == 0


def test_neighbouring_floats_are_still_parted():
    above = np.nextafter(1.0, 2.0)
    found = cost_threshold([1.0, 1.0], [above], 5, 1, 0.5)
    assert (found.threshold, found.cost, found.escape.hits, found.overkill.hits) == (1.0, 0, 0, 0)


def test_the_interval_of_the_cost_adds_up_exact_intervals_at_the_root_of_the_confidence():
    found = cost_threshold(np.arange(60), [3.5, *range(58, 90)], 50, 2, 0.1, confidence=0.81)
    escapes = clopper_pearson(found.escape.hits, 33, 0.9)
    overkills = clopper_pearson(found.overkill.hits, 60, 0.9)
    assert found.interval == pytest.approx(
        [5 * e + 1.8 * o for e, o in zip(escapes, overkills, strict=True)]
    )


def test_the_interval_holds_the_true_cost_of_a_given_threshold():
    """Two overlapping levels of scores, so that the threshold is always 0.5: exact intervals cover at least 90 %."""
    rng = np.random.default_rng(3)
    true = 0.2 * 5 * 0.1 + 0.8 * 1 * 0.2
    covered = []
    for _ in range(400):
        bad, good = (rng.random(40) < 0.9).astype(float), (rng.random(60) < 0.2).astype(float)
        found = cost_threshold([*good, 0.0], [*bad, 1.0], 5, 1, 0.2, confidence=0.9)
        if found.threshold == 0.5:
            covered.append(found.interval[0] <= true <= found.interval[1])
    assert len(covered) > 350
    assert np.mean(covered) >= 0.9


@pytest.mark.parametrize("costs", [(-1, 1), (0, 0), (math.inf, 1), (1, math.nan)])
def test_costs_that_make_no_sense_are_refused(costs):
    with pytest.raises(UsageError, match="costs of 0 or more"):
        cost_threshold([1.0], [2.0], *costs, 0.5)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-5, 5))
def test_verdicts_follow_the_order_of_the_thresholds(score, one, other):
    review, reject = sorted((one, other))
    grades = ["accept", "review", "reject"]
    found = verdict(score, review, reject)
    assert grades.index(found) == (score > review) + (score > reject)
    assert verdict(review, review, reject) == "accept"
    assert verdict(reject, reject, reject) == "accept"


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_a_score_that_is_not_finite_is_never_accepted(score):
    with pytest.raises(ModelError) as refused:
        verdict(score, 1.0, 2.0)
    assert refused.value.code == "score-not-finite"


@pytest.mark.parametrize(
    "thresholds", [(2.0, 1.0), (math.nan, 1.0), (1.0, math.inf), (-math.inf, 1.0)]
)
def test_thresholds_out_of_order_are_refused(thresholds):
    with pytest.raises(UsageError) as refused:
        verdict(0.0, *thresholds)
    assert refused.value.code == "thresholds"


@pytest.mark.parametrize("steps", [0, 1])
def test_a_threshold_parts_neighbouring_floats(steps):
    """The middle of two neighbours rounds to one of them: to the upper one where its last bit is even."""
    good = np.nextafter(1.0, 2.0) if steps else 1.0
    bad = np.nextafter(good, 2.0)
    found = cost_threshold([good], [bad], 1, 1, 0.5)
    assert good <= found.threshold < bad
