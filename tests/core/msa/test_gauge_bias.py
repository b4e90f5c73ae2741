"""Bias, linearity and type 1 studies beside published figures and scipy."""

import numpy as np
import pytest
from scipy import stats

from flawline.core.msa.gauge_bias import bias, linearity, type_one
from flawline.core.msa.gauge_verdict import linearity_finding, type_one_finding, type_one_verdict
from flawline.errors import FlawlineError, UsageError
from helpers.msa_tables import LINEARITY, TYPE_ONE, references


def type_one_readings():
    return [float(x) for x in TYPE_ONE.split()]


def test_linearity_of_aiag():
    # AIAG, Measurement Systems Analysis, 4th ed., table III-B 4 and figure III-B 5.
    found = linearity(*references(LINEARITY))
    assert found.slope == pytest.approx(-0.131667, abs=5e-7)
    assert found.intercept == pytest.approx(0.736667, abs=5e-7)
    assert found.r_squared == pytest.approx(0.7143, abs=5e-5)
    assert [one.value for one in found.biases] == pytest.approx(
        [0.491667, 0.125, 0.025, -0.291667, -0.616667], abs=5.1e-7
    )
    assert found.mean.value == pytest.approx(-0.053333, abs=5e-7)
    assert not found.straight
    told = linearity_finding(found, "mm")
    assert told.startswith("It reads 0.492 mm too high at 2 mm and 0.617 mm too low at 10 mm")


def test_a_straight_line_beside_scipy():
    readings, true = (np.array(column) for column in references(LINEARITY))
    found = linearity(readings, true)
    theirs = stats.linregress(true, readings - true)
    assert found.slope == pytest.approx(theirs.slope)
    assert found.slope_p == pytest.approx(theirs.pvalue)
    t = theirs.intercept / theirs.intercept_stderr
    assert found.intercept_p == pytest.approx(2 * stats.t.sf(abs(t), 58))


def test_a_gauge_that_reads_right_or_off_by_the_same():
    random = np.random.default_rng(2)
    true = np.repeat([1.0, 2, 3, 4, 5], 8)
    right = linearity(true + random.normal(0, 0.1, 40), true)
    assert right.straight
    assert "right on average" in linearity_finding(right, "")
    off = linearity(true + 0.5 + random.normal(0, 0.1, 40), true)
    assert "set its zero" in linearity_finding(off, "")


def test_type_one_beside_minitab():
    # jaspQualityControl, test-msaType1Gauge.R, which it verified with Minitab.
    found = type_one(type_one_readings(), -4, tolerance=15)
    assert found.bias.mean == pytest.approx(-3.946)
    assert found.bias.sigma == pytest.approx(0.420015, abs=5e-7)
    assert found.cg == pytest.approx(1.19, abs=0.005)
    assert found.cgk == pytest.approx(1.15, abs=0.005)
    assert found.repeats == pytest.approx(16.80, abs=0.005)
    assert found.whole == pytest.approx(17.43, abs=0.005)
    assert found.bias.value == pytest.approx(0.054)
    assert found.bias.t == pytest.approx(0.909106, abs=5e-7)
    assert found.bias.p == pytest.approx(0.3677, abs=5e-5)
    assert (found.bias.low, found.bias.high) == pytest.approx((-0.065367, 0.173367), abs=5e-7)
    assert type_one_verdict(found).usable == "no"
    assert "scatters too much" in type_one_finding(found, "")


def test_a_bias_beside_scipy():
    values = type_one_readings()
    theirs = stats.ttest_1samp(values, -4.2)
    found = bias(values, -4.2)
    assert (found.t, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    interval = theirs.confidence_interval()
    assert (found.low - 4.2, found.high - 4.2) == pytest.approx((interval.low, interval.high))


def test_findings_of_one_part():
    steady = np.tile([9.99, 10.0, 10.01], 10)
    good = type_one(steady, 10, tolerance=1)
    assert type_one_verdict(good).usable == "yes"
    assert "good enough on one part" in type_one_finding(good, "mm")
    off = type_one(steady + 0.09, 10, tolerance=1)
    assert "0.09 mm too high, which is more than chance. Set its zero" in type_one_finding(
        off, "mm"
    )
    far = type_one(steady + 0.2, 10, tolerance=1)
    assert far.cgk < 0
    assert far.whole is None
    unjudged = type_one(steady, 10)
    assert type_one_verdict(unjudged).usable == "unknown"
    constant = type_one([3.0] * 12, 3, tolerance=1)
    assert constant.cg is None
    assert "read with more digits" in type_one_finding(constant, "")


def test_what_cannot_be_studied():
    with pytest.raises(FlawlineError, match="at least 10 readings"):
        type_one([1.0, 2.0], 1)
    with pytest.raises(UsageError, match="tolerance"):
        type_one(range(12), 1, tolerance=-1)
    with pytest.raises(UsageError, match="share"):
        type_one(range(12), 1, share=0)
    with pytest.raises(FlawlineError, match="at least 2 known sizes"):
        linearity([1, 2, 3, 4], [1, 1, 1, 1])
