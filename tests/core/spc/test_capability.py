import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flawline.core.spc.capability import capability
from flawline.core.spc.capability_intervals import (
    degrees_of_moving_ranges,
    degrees_of_ranges,
    distance_interval,
    ratio_interval,
    target_interval,
)
from flawline.core.spc.capability_values import SpecLimits
from flawline.core.spc.chart_constants import d2
from flawline.core.spc.chart_points import individuals, subgroups
from flawline.core.spc.transform_fits import fit_transform
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples
from helpers.reference_series import FLOW, RINGS

# qcc 3.0, "A quick tour", process capability of the rings 1 to 25, sigma 0.009785039 with 124 degrees of freedom:
# index, value, 2.5 %, 97.5 %. One-sided indices have 90 % intervals there. Off target its interval of Cpm is wider than
# Boyles's, so that only the value is compared.
MEAN, SIGMA = 74.001176, 0.009785039
QCC = [
    ("Cp", (73.95, 74.05), 1.703, 1.491, 1.915),
    ("Cpl", (73.95, 74.05), 1.743, 1.555, 1.932),
    ("Cpu", (73.95, 74.05), 1.663, 1.483, 1.844),
    ("Cpk", (73.95, 74.05), 1.663, 1.448, 1.878),
    ("Cp", (73.99, 74.01), 0.341, 0.298, 0.383),
    ("Cpl", (73.99, 74.01), 0.381, 0.318, 0.444),
    ("Cpu", (73.99, 74.01), 0.301, 0.242, 0.359),
    ("Cpk", (73.99, 74.01), 0.301, 0.231, 0.370),
    ("Cp", (73.99, 74.10), 1.874, 1.641, 2.106),
    ("Cpu", (73.99, 74.10), 3.367, 3.011, 3.722),
    ("Cpk", (73.99, 74.10), 0.381, 0.305, 0.456),
]


@pytest.mark.parametrize(("name", "spec", "value", "low", "high"), QCC)
def test_capability_of_rings_by_qcc(name, spec, value, low, high):
    lower, upper = spec
    sides = {"Cpl": (MEAN - lower) / (3 * SIGMA), "Cpu": (upper - MEAN) / (3 * SIGMA)}
    index = {"Cp": (upper - lower) / (6 * SIGMA), "Cpk": min(sides.values()), **sides}[name]
    interval = {
        "Cp": lambda: ratio_interval(index, 124),
        "Cpk": lambda: distance_interval(index, 125, 124),
    }.get(name, lambda: distance_interval(index, 125, 124, 0.9))()
    assert (index, *interval) == pytest.approx((value, low, high), abs=5.1e-4)


@pytest.mark.parametrize(
    ("spec", "target", "printed"),
    [
        ((73.95, 74.05), 74.0, (1.69, 1.48, 1.90)),
        ((73.99, 74.01), 74.0, (0.338, 0.296, 0.380)),
        ((73.95, 74.05), 74.02, (0.786,)),
        ((73.99, 74.10), 74.045, (0.408,)),
    ],
)
def test_cpm_of_rings_by_qcc(spec, target, printed):
    off = (MEAN - target) / SIGMA
    value = (spec[1] - spec[0]) / (6 * SIGMA * np.sqrt(1 + off**2))
    found = (value, *target_interval(value, 125, off))
    within = 5.1e-3 if printed[0] == 1.69 else 5.1e-4
    assert found[: len(printed)] == pytest.approx(printed, abs=within)


def test_the_study_of_rings_has_those_values():
    study = capability(subgroups(RINGS[:25]), SpecLimits(73.95, 74.05, 74.0))
    assert study.indices["Cp"].value == pytest.approx(1.703, abs=6e-4)
    assert study.indices["Cpk"].value == pytest.approx(1.663, abs=6e-4)
    # The sigma of 25 ranges of 5 has fewer degrees of freedom than 124, and its interval is wider than qcc's.
    assert degrees_of_ranges(np.full(25, 5), by_range=True) == pytest.approx(90.9, abs=0.5)
    assert study.indices["Cp"].low < 1.491
    assert study.observed.total == 0


def test_flow_width():
    # D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed., example 6.1: 1.50 +- 0.50 gives Cp 1.192
    # and some 350 parts per million outside.
    study = capability(subgroups(FLOW[:25]), SpecLimits(1.0, 2.0))
    assert study.indices["Cp"].value == pytest.approx(1.192, abs=6e-4)
    assert study.expected_within.total == pytest.approx(350, abs=20)


def test_nist_example():
    # NIST/SEMATECH e-Handbook, 6.1.6: limits 8 and 20, mean 16, s 2, target 14: Cp 1.0, Cpk 0.6667, Cpm 0.7071.
    x = np.random.default_rng(0).normal(size=200)
    x = 16 + 2 * (x - x.mean()) / x.std(ddof=1)
    study = capability(individuals(x), SpecLimits(8, 20, 14))
    found = [study.indices[name].value for name in ("Pp", "Ppu", "Ppl", "Ppk", "Cpm")]
    assert found == pytest.approx([1.0, 0.6667, 1.3333, 0.6667, 0.7071], abs=5e-5)
    # Normal: 0.5 Cpk relations of the same page, Phi(-3 Cpu) + Phi(-3 Cpl).
    assert study.expected_overall.total == pytest.approx(
        1e6 * (stats.norm.sf(2) + stats.norm.sf(4)), rel=1e-6
    )


def test_parts_per_million_of_centred_processes():
    # Montgomery, table 8.2: Cp 0.5, 1.0 and 1.5, two-sided: 133614, 2700 and 7 defective parts per million.
    x = np.random.default_rng(0).normal(size=500)
    x = (x - x.mean()) / x.std(ddof=1)
    for index, ppm in ((0.5, 133614), (1.0, 2700), (1.5, 7)):
        study = capability(individuals(x), SpecLimits(-3 * index, 3 * index))
        assert study.indices["Pp"].value == pytest.approx(index)
        assert round(study.expected_overall.total) == pytest.approx(ppm, abs=0.6)


def test_one_sided_specifications():
    x = np.random.default_rng(1).normal(5, 1, 100)
    upper = capability(individuals(x), SpecLimits(upper=9.0))
    assert set(upper.indices) == {"Cpu", "Cpk", "Ppu", "Ppk"}
    assert upper.indices["Cpk"] == upper.indices["Cpu"]
    assert upper.observed.below is None
    assert any("one-sided" in note for note in upper.notes)
    lower = capability(individuals(x), SpecLimits(lower=1.0))
    assert set(lower.indices) == {"Cpl", "Cpk", "Ppl", "Ppk"}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"lower": 2.0, "upper": 1.0},
        {"lower": 1.0, "upper": 1.0},
        {"upper": float("inf")},
        {"upper": 1.0, "target": 2.0},
    ],
)
def test_specifications_that_make_no_sense(spec):
    with pytest.raises(UsageError):
        SpecLimits(**spec)


def test_values_that_say_nothing():
    for values in ([1.0] * 50, [1.0, 2.0]):
        with pytest.raises(FlawlineError, match="at least 10 values that vary"):
            capability(individuals(values), SpecLimits(0, 3))
    with pytest.raises(UsageError, match="confidence"):
        capability(individuals(np.arange(20.0)), SpecLimits(0, 30), confidence=1.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(3)
    held = {"Cp": 0, "Cpk": 0, "Pp": 0, "Ppk": 0}
    truth = {"Cp": 4 / 3, "Pp": 4 / 3, "Cpk": 1.0, "Ppk": 1.0}
    runs = 300
    for _ in range(runs):
        study = capability(individuals(random.normal(1, 1, 60)), SpecLimits(-4, 4))
        for name in held:
            index = study.indices[name]
            held[name] += index.low <= truth[name] <= index.high
    assert all(0.92 <= count / runs <= 0.98 for count in held.values()), held


def test_degrees_of_freedom_are_those_of_simulated_sigmas():
    random = np.random.default_rng(5)
    x = random.normal(size=(40_000, 30))
    sigma = np.abs(np.diff(x, axis=1)).mean(axis=1) / d2(2)
    # A chi with v degrees of freedom over its root has variance of about 1 / (2 v).
    assert degrees_of_moving_ranges(30) == pytest.approx(1 / (2 * sigma.var()), rel=0.05)
    means = np.ptp(x.reshape(40_000, 6, 5), axis=2).mean(axis=1) / d2(5)
    assert degrees_of_ranges(np.full(6, 5), by_range=True) == pytest.approx(
        1 / (2 * means.var()), rel=0.05
    )


def test_skewed_measures_go_by_percentiles():
    random = np.random.default_rng(6)
    x = random.lognormal(0, 0.5, 300)
    upper = float(np.exp(0.5 * 4))  # 4 sigma of the logarithm: 32 parts per million
    plain = capability(individuals(x), SpecLimits(upper=upper))
    log = capability(individuals(x), SpecLimits(upper=upper), transform=fit_transform(x, "log"))
    assert log.expected_overall.total == pytest.approx(31.7, rel=3)
    assert plain.expected_overall.total < 1
    # ISO 22514-4: (USL - X50) / (X99.865 - X50).
    expected = (upper - 1) / (np.exp(1.5) - 1)
    index = log.indices["Ppk"]
    assert index.low <= expected <= index.high
    assert "Cpk" not in log.indices
    assert (
        log.indices
        == capability(
            individuals(x), SpecLimits(upper=upper), transform=fit_transform(x, "log")
        ).indices
    )


@pytest.mark.parametrize("name", ["box-cox", "johnson", "weibull", "gamma", "percentile"])
def test_every_transform_gives_indices(name):
    x = np.random.default_rng(7).gamma(3, 1, 200)
    study = capability(individuals(x), SpecLimits(0.05, 15), transform=fit_transform(x, name))
    assert {"Ppk", "Pp"} <= study.indices.keys()
    for index in study.indices.values():
        assert np.isfinite([index.value, index.low, index.high]).all()
        assert index.low <= index.value <= index.high


def test_zero_heavy_areas_against_an_upper_limit():
    random = np.random.default_rng(8)
    x = np.where(random.random(3000) < 0.6, 0, random.lognormal(-2, 0.6, 3000))
    study = capability(individuals(x), SpecLimits(upper=1.0), transform=fit_transform(x, "log"))
    exact = 1e6 * 0.4 * stats.norm.sf((0 + 2) / 0.6)
    assert study.expected_overall.above == pytest.approx(exact, rel=0.8)
    both = capability(individuals(x), SpecLimits(-1, 1.0), transform=fit_transform(x, "log"))
    assert both.expected_overall.below == 0


@given(
    st.lists(st.floats(-100, 100).map(lambda v: round(v, 2)), min_size=10, max_size=60),
    st.floats(0.5, 50),
)
@examples(60)
def test_indices_are_ordered_and_finite(values, half):
    try:
        study = capability(individuals(values), SpecLimits(-half, half))
    except FlawlineError:
        return
    found = {name: index.value for name, index in study.indices.items()}
    assert np.isfinite(list(found.values())).all()
    assert found["Cpk"] <= found["Cp"] + 1e-9
    assert found["Ppk"] == min(found["Ppl"], found["Ppu"])
    assert 0 <= study.observed.total <= 1e6 + 1e-6


def test_sigma_within_by_each_estimator():
    x = np.random.default_rng(5).normal(10, 2, (20, 5))
    x += np.random.default_rng(6).normal(0, 1, (20, 1))
    points = subgroups(x)
    ranges, deviations = np.ptp(x, axis=1), x.std(axis=1, ddof=1)
    # d2 of 5 and 2, c4 of 5 and 81, as printed in ASTM E2587.
    expected = {
        "auto": ranges.mean() / 2.32593,
        "range": ranges.mean() / 2.32593,
        "deviation": deviations.mean() / 0.939986,
        "pooled": np.sqrt((deviations**2).mean()) / 0.996880,
        "moving-range": np.abs(np.diff(x.ravel())).mean() / 1.128379,
    }
    for name, sigma in expected.items():
        study = capability(points, SpecLimits(0, 20), within=name)
        assert study.sigma_within == pytest.approx(sigma, rel=2e-5)
        assert study.indices["Cp"].value == pytest.approx(20 / (6 * sigma), rel=2e-5)
        assert study.within == ("range" if name == "auto" else name)


@pytest.mark.parametrize("name", ["weibull", "gamma", "log"])
def test_percentiles_are_those_of_the_distribution_that_scipy_fits(name):
    x = 5 * np.random.default_rng(8).weibull(3, 80) + 0.5
    if name == "log":
        fitted = stats.lognorm(np.log(x).std(ddof=1), scale=np.exp(np.log(x).mean()))
    else:
        family = {"weibull": stats.weibull_min, "gamma": stats.gamma}[name]
        fitted = family(*family.fit(x, floc=0))
    study = capability(individuals(x), SpecLimits(0, 12), transform=fit_transform(x, name))
    low, median, high = fitted.ppf([0.00135, 0.5, 0.99865])
    near = 2e-3
    assert study.indices["Pp"].value == pytest.approx(12 / (high - low), rel=near)
    assert study.indices["Ppu"].value == pytest.approx((12 - median) / (high - median), rel=near)
    assert study.indices["Ppl"].value == pytest.approx(median / (median - low), rel=near)
    assert study.expected_overall.above == pytest.approx(1e6 * fitted.sf(12), rel=20 * near)
    assert study.expected_overall.below == 0
