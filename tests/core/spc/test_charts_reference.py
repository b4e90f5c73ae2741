"""Published control charts, reproduced to the digits that were printed.

qcc: L. Scrucca, "A quick tour of qcc", vignette of version 3.0 of the R package, 2020; printed with 7 digits.
Montgomery: D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed., Wiley 2009.
Montgomery and Runger: Applied Statistics and Probability for Engineers, 3rd ed., Wiley 2003, chapter 16.
NIST: NIST/SEMATECH e-Handbook of Statistical Methods, chapter 6.

All of them take d2 from a table of three decimals. Where the result was printed with more, `table_d2` rounds ours too.
"""

import numpy as np
import pytest

from flawline.core.spc import charts_variables
from flawline.core.spc.chart_constants import d2
from flawline.core.spc.chart_points import counts, individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate, phase_one
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, WESTERN_ELECTRIC, parse_rules
from helpers.reference_series import (
    CIRCUIT,
    COMPUTERS,
    CONCENTRATION,
    FLOW,
    FLOWRATE,
    JUICE,
    JUICE_AFTER,
    LOANS,
    NIST_EWMA,
    RINGS,
    SHIFTED,
    VISCOSITY,
    WAFERS,
)


def printed(value):
    """The value within half a unit of the last digit printed."""
    text = str(value)
    decimals = len(text.partition(".")[2])
    return pytest.approx(float(text), abs=0.5000001 * 10**-decimals)


@pytest.fixture
def table_d2(monkeypatch):
    monkeypatch.setattr(charts_variables, "d2", lambda size: round(d2(size), 3))


def charted(kind, points, limits=None, rules=FIRST_ONLY, **more):
    limits = limits or estimate(kind, points, **more)
    _, panels, signals = advance(State(), limits, rules, points)
    return limits, panels, signals


# Rings without 12 single measurements, so that samples hold 3, 4 or 5: qcc, "Variable control limits".
_LEFT_OUT = {9, 10, 30, 35, 45, 64, 65, 74, 75, 85, 99, 100}
UNEVEN = [
    [value for place, value in enumerate(row, start=5 * sample + 1) if place not in _LEFT_OUT]
    for sample, row in enumerate(RINGS)
]
_JUICE_KEPT = [d for place, d in enumerate(JUICE, start=1) if place not in (15, 23)]
_CIRCUIT_KEPT = [d for place, d in enumerate(CIRCUIT, start=1) if place not in (6, 20)]
_BATCHES_KEPT = [x for place, x in enumerate(VISCOSITY, start=1) if place != 4]


@pytest.mark.parametrize(
    ("kind", "points", "centre", "sigma", "lower", "upper"),
    [
        # qcc, "x-bar chart": rings 1 to 25.
        ("xbar-r", subgroups(RINGS[:25]), "74.00118", "0.009785039", "73.98805", "74.0143"),
        # qcc, "S chart": centre and sigma of the same rings by standard deviation; limits with A3 of Montgomery.
        ("xbar-s", subgroups(RINGS[:25]), "74.00118", "0.009829977", None, None),
        # qcc, "Variable control limits in control charts": sample 1 holds 5 rings.
        ("xbar-r", subgroups(UNEVEN[:25]), "74.00075", "0.009856701", "73.98753", "74.01398"),
        # qcc, "p and np charts".
        ("p", counts(JUICE, 50), "0.2313333", None, "0.05242755", "0.4102391"),
        ("np", counts(JUICE, 50), None, None, "2.621377", "20.51196"),
        ("p", counts(_JUICE_KEPT, 50), "0.215", None, "0.04070284", "0.3892972"),
        ("p", counts(JUICE_AFTER, 50), "0.1108333", None, "0", "0.2440207"),
        # qcc, "c and u charts".
        ("c", counts(CIRCUIT), "19.84615", None, "6.481447", "33.21086"),
        ("c", counts(_CIRCUIT_KEPT), "19.66667", None, "6.362532", "32.9708"),
        ("u", counts(_CIRCUIT_KEPT, 100), "0.1966667", None, "0.06362532", "0.329708"),
        ("u", counts(COMPUTERS, 5), "1.93", None, "0.06613305", "3.793867"),
        # qcc, "Continuous one-at-time data".
        ("i-mr", individuals(VISCOSITY), "34.088", "0.5076521", "32.56504", "35.61096"),
        ("i-mr", individuals(_BATCHES_KEPT), "33.98947", "0.4117415", "32.75425", "35.2247"),
        # NIST 6.3.2.2, individuals control limits: printed with d2 rounded to 1.128.
        ("i-mr", individuals(FLOWRATE), "50.81", None, None, None),
        # NIST 6.3.3.1, counts control charts: 400 defects on 25 wafers.
        ("c", counts(WAFERS), "16", None, "4", "28"),
        # NIST 6.3.3.2, proportions control charts: the same counts as the juice.
        ("p", counts(JUICE, 50), "0.2313", None, "0.0524", "0.4102"),
    ],
)
@pytest.mark.usefixtures("table_d2")
def test_centre_and_limits(kind, points, centre, sigma, lower, upper):
    limits, panels, _ = charted(kind, points)
    if centre:
        assert limits.centre == printed(centre)
    if sigma:
        assert limits.sigma == printed(sigma)
    if lower:
        assert panels[0].lower[0] == printed(lower)
        assert panels[0].upper[0] == printed(upper)


@pytest.mark.usefixtures("table_d2")
def test_ranges_and_deviations_of_rings():
    # qcc, "R chart" and "S chart".
    _, (_, spread), _ = charted("xbar-r", subgroups(RINGS[:25]))
    assert spread.values.mean() == printed("0.02276")
    assert spread.centre[0] == printed("0.02276")
    assert spread.lower[0] == 0
    # qcc's d3 of 5, 0.8640855, differs from the integral's 0.8640819 in the sixth digit.
    assert spread.upper[0] == pytest.approx(0.04812533, abs=2e-7)
    _, (_, spread), _ = charted("xbar-s", subgroups(RINGS[:25]))
    assert spread.centre[0] == printed("0.009240037")
    assert spread.lower[0] == 0
    assert spread.upper[0] == printed("0.01930242")


def test_warning_limits_of_rings():
    # qcc 2.7, "A quick tour", limits.xbar at 2 sigma.
    _, panels, _ = charted("xbar-r", subgroups(RINGS[:25]), k=2)
    assert panels[0].lower[0] == printed("73.99242")
    assert panels[0].upper[0] == printed("74.00993")


@pytest.mark.usefixtures("table_d2")
def test_limits_follow_the_size_of_a_sample():
    # qcc, "Variable control limits": sample 2 holds 3 rings, sample 25 holds 5.
    _, panels, _ = charted("xbar-r", subgroups(UNEVEN[:25]))
    assert panels[0].lower[[1, -1]].tolist() == [printed("73.98368"), printed("73.98753")]
    assert panels[0].upper[[1, -1]].tolist() == [printed("74.01782"), printed("74.01398")]


def test_flow_width_phase_one_and_two():
    # Montgomery, example 6.1: mean 1.5056, mean range 0.32521, limits 1.31795 and 1.69325 and 0.68749.
    first = subgroups(FLOW[:25])
    limits, (level, spread), signals = charted("xbar-r", first, rules=WESTERN_ELECTRIC)
    assert limits.centre == printed("1.5056")
    # The ranges of the printed table add up to 8.1292; the book has 8.1302.
    assert spread.values.mean() == pytest.approx(0.32521, abs=5e-5)
    assert signals == ()
    # The book works with that sum and with A2 = 0.577 and D4 = 2.114, rounded.
    assert level.lower[0] == pytest.approx(1.31795, abs=1.5e-4)
    assert level.upper[0] == pytest.approx(1.69325, abs=1.5e-4)
    assert spread.upper[0] == pytest.approx(0.68749, abs=2e-4)
    assert limits.sigma == printed("0.1398")
    # Figure 6.4: of the samples 26 to 45, numbers 43 and 45 lie above the upper limit, and no range does.
    _, _, later = charted("xbar-r", subgroups(FLOW[25:]), limits)
    assert [(signal.panel, signal.at + 26, signal.side) for signal in later] == [
        ("mean", 43, 1),
        ("mean", 45, 1),
    ]


def test_loans():
    # Montgomery, example 6.5: mean 300.5, mean moving range 7.79, limits 279.78 and 321.22, 25.45.
    limits, (level, moving), signals = charted("i-mr", individuals(LOANS))
    assert limits.centre == printed("300.5")
    assert moving.values.mean() == printed("7.79")
    rounded = ControlLimits("i-mr", 300.5, 7.79 / 1.128)
    _, (level, moving), _ = charted("i-mr", individuals(LOANS), rounded)
    assert (level.lower[0], level.upper[0]) == (printed("279.78"), printed("321.22"))
    assert moving.upper[0] == pytest.approx(25.45, abs=0.01)
    assert signals == ()


def test_concentration():
    # Montgomery and Runger, example 16-2, p. 617: limits from the rounded mean 99.1 and mean moving range 2.59.
    limits, (_, moving), signals = charted("i-mr", individuals(CONCENTRATION))
    assert limits.centre == printed("99.1")
    assert moving.values.mean() == printed("2.59")
    assert moving.values[:5].tolist() == [printed(x) for x in ("7.2", "3.5", "0.1", "3.6", "3.5")]
    assert signals == ()
    _, (level, _), _ = charted(
        "i-mr", individuals(CONCENTRATION), ControlLimits("i-mr", 99.1, 2.59 / 1.128)
    )
    assert (level.lower[0], level.upper[0]) == (printed("92.21"), printed("105.99"))


def test_flowrate():
    # NIST 6.3.2.2: mean moving range 1.8778, limits 45.8159 and 55.8041.
    _, (_, moving), _ = charted("i-mr", individuals(FLOWRATE))
    assert moving.values.mean() == printed("1.8778")
    _, (level, _), signals = charted(
        "i-mr", individuals(FLOWRATE), ControlLimits("i-mr", 50.81, 1.8778 / 1.128)
    )
    assert (level.lower[0], level.upper[0]) == (printed("45.8159"), printed("55.8041"))
    assert signals == ()


def test_points_out_of_control():
    # Montgomery, example 7.1: samples 15 and 23 plot above the upper limit.
    _, _, signals = charted("p", counts(JUICE, 50))
    assert [signal.at + 1 for signal in signals] == [15, 23]
    # Example 7.3: numbers 6 and 20 lie outside the limits of the circuit boards.
    _, _, signals = charted("c", counts(CIRCUIT))
    assert [(signal.at + 1, signal.side) for signal in signals] == [(6, -1), (20, 1)]
    # NIST 6.3.3.1: wafer 24 with 31 defects; wafer 3 with 28 lies on the limit.
    _, _, signals = charted("c", counts(WAFERS))
    assert [signal.at + 1 for signal in signals] == [24]
    # Montgomery 4th ed., example 6.5 (qcc): batch 4.
    _, _, signals = charted("i-mr", individuals(VISCOSITY))
    assert {signal.at + 1 for signal in signals if signal.panel == "individuals"} == {4}


def test_setting_aside_goes_on_to_the_point_that_the_new_limits_find():
    # Montgomery, section 7.2.1: without 15 and 23 the limits are 0.0407 and 0.3893, and sample 21 lies above them.
    found = phase_one("p", counts(JUICE, 50), set_aside=[d in (22, 24) for d in JUICE])
    assert found.limits.centre == printed("0.215")
    _, (panel,), signals = charted("p", counts(JUICE, 50), found.limits)
    assert panel.upper[0] == printed("0.3893")
    assert [signal.at + 1 for signal in signals] == [15, 21, 23]
    assert np.flatnonzero(phase_one("p", counts(JUICE, 50), automatic=True).set_aside).tolist() == [
        14,
        20,
        22,
    ]


@pytest.mark.parametrize(
    ("points", "k", "at", "lower", "upper"),
    [
        # qcc, "EWMA": rings with lambda 0.2.
        (subgroups(RINGS[:25]), 3, 0, "73.99855", "74.00380"),
        (subgroups(RINGS[:25]), 3, 1, "73.99781", "74.00454"),
        (subgroups(RINGS[:25]), 3, 24, "73.99680", "74.00555"),
        (subgroups(RINGS[:25]), 2.7, 0, "73.99881", "74.00354"),
        (subgroups(RINGS[:25]), 2.7, 1, "73.99815", "74.00420"),
        (individuals(VISCOSITY), 2.7, 0, "33.81387", "34.36213"),
        (individuals(VISCOSITY), 2.7, 1, "33.73694", "34.43906"),
    ],
)
@pytest.mark.usefixtures("table_d2")
def test_ewma_limits(points, k, at, lower, upper):
    _, (panel,), _ = charted("ewma", points, k=k)
    assert (panel.lower[at], panel.upper[at]) == (printed(lower), printed(upper))


def test_ewma_of_a_shifted_process():
    # Montgomery, table 9.10: lambda 0.1, L 2.7; the last limits are 9.38 and 10.62, and observation 29 signals.
    limits = ControlLimits("ewma", 10, 1, k=2.7, weight=0.1)
    _, (panel,), signals = charted("ewma", individuals(SHIFTED), limits)
    text = "9.945 9.7495 9.70355 9.8992 10.1253 10.1307 9.92167 10.0755 9.98796 10.0232 9.92384"
    assert panel.values[:11].tolist() == [printed(value) for value in text.split()]
    assert (
        panel.values[-4:].tolist()
        == [printed(x) for x in ("10.4568", "10.5731", "10.6468", "10.6341")][:4]
    )
    assert (panel.upper[0], panel.upper[-1]) == (printed("10.27"), printed("10.62"))
    assert panel.lower[-1] == printed("9.38")
    assert signals[0].at + 1 == 29


def test_ewma_of_nist():
    # NIST 6.3.2.4: EWMA_0 50, s 2.0539, lambda 0.3; final upper limit 52.5884.
    limits = ControlLimits("ewma", 50, 2.0539, weight=0.3)
    _, (panel,), signals = charted("ewma", individuals(NIST_EWMA), limits)
    text = (
        "50.60 49.52 50.56 50.18 50.16 49.21 49.75 49.85 50.26 50.33 50.11 49.36 49.52 50.05 49.38 49.92 50.73 51.23 "
        "51.94 51.99"
    )
    assert panel.values.tolist() == [printed(value) for value in text.split()]
    assert panel.upper[-1] == pytest.approx(52.5884, abs=1e-4)
    assert signals == ()


def test_tabular_cusum_of_a_shifted_process():
    # Montgomery, table 9.2: k 0.5, h 5; the upper sum passes at 29, after 7 periods above zero.
    limits = ControlLimits("cusum", 10, 1)
    _, (upper, lower), signals = charted("cusum", individuals(SHIFTED), limits)
    up = (
        "0 0 0 1.16 2.82 2.50 0.04 1.00 0 0 0 0.97 0.98 0 0 0 0.12 0 0 0.34 0.74 0 1.79 2.79 2.89 3.47 3.35 4.47 5.28 "
        "5.30"
    )
    down = (
        "0.05 1.56 1.77 0 0 0 1.46 0 0.30 0 0.47 0 0 0.10 0 0.13 0 0 0.98 0 0 0.17 0 0 0 0 0 0 0 0"
    )
    assert upper.values.round(9).tolist() == [
        pytest.approx(float(x), abs=0.00501) for x in up.split()
    ]
    assert (-lower.values).round(9).tolist() == [
        pytest.approx(float(x), abs=0.00501) for x in down.split()
    ]
    assert [(signal.panel, signal.at + 1) for signal in signals] == [
        ("upper sum", 29),
        ("upper sum", 30),
    ]
    assert np.flatnonzero(upper.values == 0)[-1] + 1 == 29 - 7


def test_tabular_cusum_of_the_concentration():
    # Montgomery and Runger, table 16-8, p. 636: target 99, K 1, H 10. Its last row prints the lower sum 0.0.
    limits = ControlLimits("cusum", 99, 1, reference=1, decision=10)
    _, (upper, lower), signals = charted("cusum", individuals(CONCENTRATION), limits)
    up = "2.0 0.0 0.0 0.0 2.0 0.5 0.0 0.0 0.0 0.0 1.3 0.0 1.1 0.0 0.0 0.0 0.3 1.7 0.0 1.0"
    down = "0.0 3.2 2.9 2.5 0.0 0.0 0.0 0.3 0.0 0.0 0.0 0.0 0.0 0.0 1.0 2.3 0.0 0.0 0.8 0.0"
    assert upper.values.tolist() == [pytest.approx(float(x), abs=1e-9) for x in up.split()]
    assert (-lower.values).tolist() == [pytest.approx(float(x), abs=1e-9) for x in down.split()]
    assert signals == ()


@pytest.mark.parametrize(
    ("rule", "scores", "found"),
    [
        # qcc, tests/testthat/test-rules.R: points (from 1) that complete each of Nelson's tests.
        ("1", [0, 3.2, -3.4, 3], [2, 3]),
        ("2", [0.5] * 10 + [-0.5] * 10, [9, 10, 19, 20]),
        ("3", [1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1], [6, 7, 13, 14]),
        ("4", [1, 3, 2, 4, 3, 5, 4, 6, 5, 7, 6, 8, 7, 9, 8], [14, 15]),
        ("5", [0, 2.3, 0.4, 2.2, -2.4, -0.2, -2.5], [4, 7]),
        ("6", [1.2, 1.3, 0.2, 1.4, 1.5, -1.2, -1.3, -0.1, -1.4, -1.5], [5, 10]),
        ("7", [0.3] * 16 + [1.2], [15, 16]),
        ("8", [1.2, -1.3, 1.1, -1.4, 1.5, -1.2, 1.3, -1.1, 0.2], [8]),
        # ... and the Western Electric rules 2, 3 and 4.
        ("5", [0, 2.5, 1.0, 2.6, 0], [4]),
        ("6", [0, 1.2, 1.3, 0.2, 1.4, 1.5], [6]),
        ("2=8", [-1] * 8 + [1], [8]),
    ],
)
def test_rules_of_qcc(rule, scores, found):
    _, _, signals = charted(
        "i-mr", individuals(scores), ControlLimits("i-mr", 0, 1), rules=parse_rules(rule)
    )
    assert [signal.at + 1 for signal in signals if signal.panel == "individuals"] == found


def test_rings_after_the_trial():
    # Montgomery, example 6.3, figure 6.18: samples 37, 38 and 39 of Phase II lie above the upper limit.
    limits = estimate("xbar-s", subgroups(RINGS[:25]))
    _, _, signals = charted("xbar-s", subgroups(RINGS[25:]), limits)
    assert [signal.at + 26 for signal in signals] == [37, 38, 39]
