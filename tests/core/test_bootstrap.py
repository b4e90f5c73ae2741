import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.bootstrap import metric_interval, paired_difference
from flawline.core.metrics import auroc
from flawline.errors import UsageError
from helpers.examples import examples


def scored(rng, good=60, bad=40, shift=1.0, noise=0.5):
    """Truth, and two scores of the same pictures that share most of their variance."""
    defective = np.repeat([False, True], [good, bad])
    shared = rng.normal(size=good + bad) + shift * defective
    return defective, *(shared + noise * rng.normal(size=good + bad) for _ in range(2))


def delong(defective, first, second):
    """Standard error of the difference of two paired areas (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988)."""

    def placements(scores):
        above = np.sign(scores[defective][:, None] - scores[~defective][None, :]) / 2 + 0.5
        return above.mean(axis=1), above.mean(axis=0)

    (bad_1, good_1), (bad_2, good_2) = placements(first), placements(second)
    return np.sqrt(
        np.var(bad_2 - bad_1, ddof=1) / len(bad_1) + np.var(good_2 - good_1, ddof=1) / len(good_1)
    )


def test_the_width_agrees_with_delong():
    data = scored(np.random.default_rng(0), good=150, bad=100)
    found = paired_difference(auroc, *data, draws=1500)
    assert found.value == pytest.approx(auroc(data[0], data[2]) - auroc(data[0], data[1]))
    width = 2 * 1.96 * delong(*data)
    assert found.high - found.low == pytest.approx(width, rel=0.1)


def test_pairing_makes_the_interval_of_a_difference_narrower():
    data = scored(np.random.default_rng(1), noise=0.2)
    paired = paired_difference(auroc, *data, draws=500)
    single = metric_interval(auroc, data[0], data[1], draws=500)
    assert paired.high - paired.low < 0.6 * (single.high - single.low)


def test_intervals_cover_and_p_values_are_level_where_there_is_no_difference():
    """200 sets without a true difference: 95 % intervals hold 0, and p <= 0.2 in about a fifth."""
    rng = np.random.default_rng(2)
    found = [paired_difference(auroc, *scored(rng, 40, 30), draws=100, seed=k) for k in range(200)]
    assert 0.90 <= np.mean([one.low <= 0 <= one.high for one in found]) <= 0.99
    assert 0.12 <= np.mean([one.p <= 0.2 for one in found]) <= 0.28


def test_copies_in_a_group_add_nothing_and_copies_taken_singly_feign_certainty():
    defective, first, second = scored(np.random.default_rng(3))
    once = paired_difference(auroc, defective, first, second, draws=300)
    copied = [np.repeat(values, 4) for values in (defective, first, second)]
    groups = np.repeat(np.arange(len(defective)), 4).tolist()
    grouped = paired_difference(auroc, *copied, groups, draws=300)
    assert (grouped.low, grouped.high, grouped.p) == pytest.approx((once.low, once.high, once.p))
    assert grouped.groups == len(defective)
    singly = paired_difference(auroc, *copied, draws=300)
    assert singly.high - singly.low < 0.65 * (once.high - once.low)


def test_a_clear_gain_is_sure_and_its_mirror_image_too():
    rng = np.random.default_rng(4)
    defective = np.repeat([False, True], 50)
    worse, better = rng.normal(size=100), rng.normal(size=100) + 3 * defective
    up = paired_difference(auroc, defective, worse, better, draws=400)
    down = paired_difference(auroc, defective, better, worse, draws=400)
    assert up.low > 0.2
    assert up.p == down.p == pytest.approx(2 / 401)
    assert (down.low, down.high) == pytest.approx((-up.high, -up.low))
    same = paired_difference(auroc, defective, better, better, draws=100)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


@examples(40)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=40),
    st.integers(0, 1000),
)
def test_every_draw_has_both_kinds_and_whole_groups(rows, seed):
    defective, groups = (list(column) for column in zip(*rows, strict=True))
    scores = np.arange(len(rows), dtype=float)
    seen = []

    def metric(bad, values):
        assert 0 < bad.sum() < len(bad)
        assert (bad == np.array(defective)[values.astype(int)]).all()
        times = np.bincount(values.astype(int), minlength=len(rows))
        for group in set(groups):
            assert len({times[k] for k in range(len(rows)) if groups[k] == group}) == 1
        seen.append(values)
        return float(bad.mean())

    try:
        found = metric_interval(metric, defective, scores, groups, draws=100, seed=seed)
    except UsageError:
        held = [{bad for bad, group in rows if group == name} for name in set(groups)]
        assert any(
            held.count({kind}) < 2 and held.count({False, True}) < 2 for kind in (False, True)
        )
        return
    assert len(seen) == 101
    assert found.low <= found.high
    assert found == metric_interval(metric, defective, scores, groups, draws=100, seed=seed)


def test_another_seed_gives_another_interval():
    defective, first, _ = scored(np.random.default_rng(5))
    found = [metric_interval(auroc, defective, first, draws=100, seed=seed) for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_what_cannot_be_drawn_from_is_refused():
    defective, scores = [False, False, False, True, True], [1.0, 2, 3, 4, 5]
    with pytest.raises(UsageError, match="two groups with bad parts") as refused:
        metric_interval(auroc, defective, scores, ["a", "b", "c", "d", "d"])
    assert refused.value.code == "groups-too-few"
    with pytest.raises(UsageError, match="100 draws"):
        metric_interval(auroc, defective, scores, draws=10)
    with pytest.raises(UsageError, match="confidence"):
        metric_interval(auroc, defective, scores, draws=100, confidence=95)
    with pytest.raises(ValueError, match="equal length"):
        metric_interval(auroc, defective, scores[1:])
    with pytest.raises(ValueError, match="finite"):
        paired_difference(auroc, defective, scores, [np.nan, *scores[1:]])
    with pytest.raises(ValueError, match="a group for each"):
        metric_interval(auroc, defective, scores, ["a"])
