"""Sigma from subgroups of several sizes, in the three ways that programs take."""

from math import exp, lgamma, sqrt

import numpy as np
import pytest

from flawline.core.spc.chart_constants import d2, d3
from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.charts import SIGMA_FROM, estimate
from flawline.core.spc.limits import ControlLimits
from flawline.errors import UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series

SIZES = [2, 9, 3, 5, 2, 9, 4, 1, 6, 7]


def c4(n):
    return sqrt(2 / (n - 1)) * exp(lgamma(n / 2) - lgamma((n - 1) / 2))


def rows(seed=3, sizes=SIZES):
    random = np.random.default_rng(seed)
    return [random.normal(10, 2, size) for size in sizes]


def plainly(groups, kind, way):
    """The formulas as the papers print them, one subgroup after another."""
    several = [g for g in groups if len(g) > 1]
    if way == "pooled":
        freedom = sum(len(g) - 1 for g in several)
        return sqrt(sum((len(g) - 1) * g.std(ddof=1) ** 2 for g in several) / freedom) / c4(
            freedom + 1
        )
    total = weights = 0.0
    for g in several:
        n = len(g)
        if kind == "xbar-r":
            one, weight = np.ptp(g) / d2(n), (d2(n) / d3(n)) ** 2
        else:
            one, weight = g.std(ddof=1) / c4(n), c4(n) ** 2 / (1 - c4(n) ** 2)
        weight = weight if way == "mvlue" else 1.0
        total, weights = total + weight * one, weights + weight
    return total / weights


@pytest.mark.parametrize("kind", ["xbar-r", "xbar-s", "ewma", "cusum"])
@pytest.mark.parametrize("way", SIGMA_FROM)
def test_sigma_is_what_the_formulas_say(kind, way):
    groups = rows()
    limits = estimate(kind, subgroups(groups), sigma_from=way)
    spread = "xbar-s" if kind == "xbar-s" else "xbar-r"
    assert limits.sigma == pytest.approx(plainly(groups, spread, way), rel=1e-9)


def test_equal_subgroups_have_one_mean_of_ranges():
    points = subgroups(rows(sizes=[5] * 12))
    plain, weighted = (estimate("xbar-r", points, sigma_from=way) for way in ("mean", "mvlue"))
    assert plain.sigma == pytest.approx(weighted.sigma)


def test_weights_make_the_estimate_surer():
    found = {way: [] for way in SIGMA_FROM}
    for seed in range(200):
        points = subgroups(rows(seed))
        for way, sigmas in found.items():
            sigmas.append(estimate("xbar-s", points, sigma_from=way).sigma)
    spread = {way: np.std(sigmas) for way, sigmas in found.items()}
    assert spread["mvlue"] < 0.9 * spread["mean"]
    assert all(np.mean(sigmas) == pytest.approx(2, rel=0.03) for sigmas in found.values())


def test_what_has_no_subgroups_has_no_other_way():
    with pytest.raises(UsageError, match="goes with subgroups"):
        estimate("i-mr", individuals([1.0, 2.0, 3.0]), sigma_from="pooled")
    with pytest.raises(UsageError, match="mean, mvlue, pooled"):
        estimate("xbar-r", subgroups(rows()), sigma_from="median")


def series(sizes):
    groups = rows(sizes=sizes)
    lots = np.repeat(np.arange(len(sizes)), sizes)
    return form_series(
        {"x": np.concatenate(groups).tolist(), "lot": lots.tolist()},
        "x",
        "xbar-r",
        Forming(by="lot"),
    )


@pytest.mark.parametrize(
    ("way", "words"), [("mean", "plain mean of R / d2"), ("mvlue", "MVLUE"), ("pooled", "pooled")]
)
def test_a_note_says_which_mean_is_taken(way, words):
    chart = chart_series(series(SIZES), "xbar-r", estimation=Estimation(sigma_from=way))
    (note,) = [text for text in chart.notes if "sigma is" in text]
    assert note.startswith("the subgroups have 2 to 9 measurements")
    assert words in note
    assert chart.settings.get("sigma_from", "mean") == way
    assert way not in note.partition("takes")[2]
    equal = chart_series(series([4] * 9), "xbar-r", estimation=Estimation(sigma_from=way))
    assert not [text for text in equal.notes if "sigma is" in text]


def test_given_limits_need_no_way():
    given = ControlLimits("xbar-r", 10.0, 2.0)
    with pytest.raises(UsageError, match="`sigma_from` is for limits that are estimated"):
        chart_series(
            series(SIZES), "xbar-r", limits=given, estimation=Estimation(sigma_from="mvlue")
        )
