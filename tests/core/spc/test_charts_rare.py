"""Charts of rare events beside published findings, the geometric distribution and simulation."""

import numpy as np
import pytest
from scipy import stats

import flawline
from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.limits import ControlLimits, limits_as_dict, limits_from_dict
from flawline.core.spc.rules import FIRST_ONLY
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import revert
from flawline.errors import FlawlineError
from helpers.msa_tables import RARE


def rare():
    return np.array([line.split() for line in RARE.split("\n") if line], float).T


def charted(kind, values, limits=None):
    points = individuals(values)
    transform = {"transform": fit_transform(np.asarray(values), "weibull")} if kind == "t" else {}
    limits = limits or estimate(kind, points, **transform)
    return limits, *advance(State(), limits, FIRST_ONLY, points)[1:]


def test_charts_of_jasp_have_no_signal():
    # jaspQualityControl, test-rareEventCharts.R, 7.4, 8.4 and 9.2, which it verified with Minitab.
    opportunities, hours, days = rare()
    for kind, values in (("g", opportunities), ("t", hours), ("t", days), ("t", opportunities)):
        _, _, signals = charted(kind, values)
        assert not signals


def test_limits_of_a_g_chart_are_those_of_the_geometric_distribution():
    limits, (panel,), _ = charted("g", rare()[0])
    count = len(rare()[0])
    chance = (count - 1) / count / (rare()[0].mean() + 1)
    assert limits.centre == pytest.approx(1 / chance - 1)
    tail = stats.norm.sf(3)
    upper = panel.upper[0]
    # x good parts before a bad one: the first trial that fails is x + 1.
    assert stats.geom.sf(np.ceil(upper), chance) < tail
    assert stats.geom.sf(np.floor(upper) - 1, chance) >= tail
    assert panel.lower is None
    assert panel.centre[0] == pytest.approx(stats.geom.median(chance) - 1, abs=1)


def test_a_point_signals_exactly_beyond_its_limit():
    limits = ControlLimits("g", 50.0, 1.0)
    (panel,) = charted("g", [0, 1], limits)[1]
    edge = panel.upper[0]
    for value, seen in ((np.floor(edge), 0), (np.ceil(edge), 1)):
        assert len(charted("g", [10, value], limits)[2]) == seen
    rarest = ControlLimits("g", 5000.0, 1.0)
    (low,) = charted("g", [0, 1], rarest)[1]
    assert low.lower[0] > 1
    assert len(charted("g", [0, 3000], rarest)[2]) == 1


@pytest.mark.parametrize("mean", [10.0, 200.0])
def test_false_alarms_of_a_g_chart_are_not_above_what_is_meant(mean):
    values = np.random.default_rng(1).geometric(1 / (mean + 1), 200_000) - 1.0
    signals = charted("g", values, ControlLimits("g", mean, 1.0))[2]
    assert 0.0005 < len(signals) / 200_000 <= 0.0029


def test_limits_of_a_t_chart_are_percentiles():
    hours = rare()[1]
    limits, (panel,), _ = charted("t", hours)
    shape, scale = limits.transform.parameters
    weibull = stats.weibull_min(shape, scale=scale)
    ends = weibull.ppf(stats.norm.cdf([-3, 0, 3]))
    assert (panel.lower[0], panel.centre[0], panel.upper[0]) == pytest.approx(tuple(ends))
    assert limits_from_dict(limits_as_dict(limits)) == limits
    assert float(revert(limits.transform, np.array([3.0]))[0]) == pytest.approx(ends[2])


def test_the_calls_know_both(tmp_path):
    path = tmp_path / "rare.csv"
    path.write_text(
        "n,hours\n" + "\n".join(f"{a:g},{b}" for a, b in rare()[:2].T), encoding="utf-8"
    )
    g = flawline.chart("n", path, chart="g")
    assert g.panel_names == ("good parts between",)
    t = flawline.chart("hours", path, chart="t", phase1=25)
    assert t.stages[0].limits.transform.name == "weibull"
    assert len(t.series.labels) == 37
    two = np.tile([1.0, 100.0], 20)
    path.write_text("hours\n" + "\n".join(map(str, two)), encoding="utf-8")
    assert any("do not fit" in note for note in flawline.chart("hours", path, chart="t").notes)


@pytest.mark.parametrize(
    ("kind", "points", "message"),
    [
        ("g", individuals([1.5, 2]), "whole numbers"),
        ("g", individuals([-1, 2]), "whole numbers"),
        ("g", individuals([0, 0, 0]), "with parts between"),
        ("g", individuals([4]), "two events or more"),
        ("g", subgroups([[1, 2], [3, 4]]), "one number for each event"),
        ("t", individuals([1.0, 2.0]), "times above 0"),
    ],
)
def test_what_cannot_be_charted(kind, points, message):
    with pytest.raises(FlawlineError, match=message):
        estimate(kind, points)


def test_times_of_zero_are_refused(tmp_path):
    path = tmp_path / "zero.csv"
    path.write_text("hours\n0\n1\n2\n3\n4\n", encoding="utf-8")
    with pytest.raises(FlawlineError):
        flawline.chart("hours", path, chart="t")
