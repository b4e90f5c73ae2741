"""Sampling plans beside published tables, exhaustive search and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flawline.core.sampling.iso2859 import AQLS, LETTERS, SIZES, code_letter, standard_plan
from flawline.core.sampling.lots import decide_by_count, decide_by_values, plan_finding
from flawline.core.sampling.plans import (
    AttributePlan,
    VariablesPlan,
    attribute_plan,
    variables_plan,
)
from flawline.errors import FlawlineError, UsageError
from helpers.examples import examples

# ISO 2859-1:1999, table 2-A: letter, sample, AQL, acceptance number.
NORMAL = """
F 20 0.65 0
J 80 0.65 1
K 125 0.65 2
L 200 0.65 3
M 315 0.65 5
N 500 0.65 7
P 800 0.65 10
Q 1250 0.65 14
E 13 1.0 0
H 50 1.0 1
J 80 1.0 2
K 125 1.0 3
L 200 1.0 5
M 315 1.0 7
N 500 1.0 10
P 800 1.0 14
Q 1250 1.0 21
C 5 2.5 0
F 20 2.5 1
G 32 2.5 2
H 50 2.5 3
J 80 2.5 5
K 125 2.5 7
L 200 2.5 10
M 315 2.5 14
N 500 2.5 21
"""
# The same standard, table 1: a lot of each range with its letters at S-1, S-2, S-3, S-4, I, II and III.
CODES = {
    8: "AAAAAAB",
    90: "BBCCCEF",
    91: "BBCDDFG",
    500: "BCDEFHJ",
    1000: "CCEFGJK",
    3201: "CDFGJLM",
    35_000: "CDFHKMN",
    500_001: "DEHKNQR",
}


def lot_of(letter):
    """The smallest lot with this letter at level III, or II."""
    sizes = (2, 9, 16, 26, 51, 91, 151, 281, 501, 1201, 3201, 10_001, 35_001, 150_001, 500_001)
    for level in ("III", "II", "S-1"):
        for lot in sizes:
            if code_letter(lot, level) == letter:
                return lot, level
    raise AssertionError(letter)


@pytest.mark.parametrize("row", [line.split() for line in NORMAL.split("\n") if line])
def test_plans_of_iso_2859(row):
    letter, size, aql, accept = row[0], int(row[1]), float(row[2]), int(row[3])
    lot, level = lot_of(letter)
    found = standard_plan(lot, aql, level)
    assert (found.letter, found.used) == (letter, letter)
    assert (min(size, lot), accept) == (found.plan.size, found.plan.accept)


@pytest.mark.parametrize(("lot", "letters"), CODES.items())
def test_code_letters_of_iso_2859(lot, letters):
    levels = ("S-1", "S-2", "S-3", "S-4", "I", "II", "III")
    assert "".join(code_letter(lot, level) for level in levels) == letters


def test_tightened_plans_and_arrows():
    # ISO 2859-1:1999, table 2-B: K 0.65 is 125 with 1, L 200 with 2, M 315 with 3, N 500 with 5, P 800 with 8.
    for lot, expected in ((3000, (125, 1)), (10_000, (200, 2)), (30_000, (315, 3))):
        plan = standard_plan(lot, 0.65, severity="tightened").plan
        assert (plan.size, plan.accept) == expected
    # G 1.5 is 32 with 1; F 1.5 leads down to it, E 1.5 up to D with 0.
    up = standard_plan(80, 1.5)
    assert (up.letter, up.used, up.plan) == ("E", "D", AttributePlan(8, 0))
    down = standard_plan(100, 1.5)
    assert (down.letter, down.used, down.plan) == ("F", "G", AttributePlan(32, 1))
    small = standard_plan(20, 0.10)
    assert small.whole
    assert plan_finding(small.plan, small).startswith("Check all 20 parts")


@given(st.sampled_from(AQLS), st.integers(2, 10**6), st.sampled_from(["normal", "tightened"]))
@examples(60)
def test_every_lot_has_a_plan_that_passes_its_aql(aql, lot, severity):
    found = standard_plan(lot, aql, severity=severity)
    assert found.used in LETTERS
    assert found.plan.size in SIZES or found.whole
    # Table 10 of ISO 2859-1: lots of the AQL pass normal inspection in 87 to 99 % of cases, tightened in less.
    passes = float(
        AttributePlan(SIZES[LETTERS.index(found.used)], found.plan.accept).passes(aql / 100)
    )
    assert 0.70 < passes < 0.995


def test_curves_of_iso_2859():
    # ANSI/ASQ Z1.4, tables X-F and X-J: percent bad at which 95 and 10 % of lots pass.
    for plan, good, bad in (
        (AttributePlan(20, 0), 0.256, 10.9),
        (AttributePlan(80, 2), 1.03, 6.52),
    ):
        assert 100 * plan.quality(0.95) == pytest.approx(good, abs=0.005)
        assert 100 * plan.quality(0.10) == pytest.approx(bad, abs=0.05)


def test_a_plan_of_two_qualities():
    # A. Kiermeier, Journal of Statistical Software 26(6), 2008: 5 % passes 95, 15 % at most 7.5 %.
    assert attribute_plan(0.05, 0.15, 0.05, 0.075) == AttributePlan(80, 7)


@given(st.floats(0.005, 0.1), st.floats(1.8, 6), st.floats(0.02, 0.2), st.floats(0.02, 0.2))
@examples(25)
def test_no_smaller_plan_by_attributes_does(good, ratio, producer, consumer):
    bad = min(ratio * good, 0.9)
    plan = attribute_plan(good, bad, producer, consumer)
    assert plan.passes(good) >= 1 - producer
    assert plan.passes(bad) <= consumer
    sizes = np.arange(1, plan.size)
    for accept in range(plan.accept + 2):
        fits = (stats.binom.cdf(accept, sizes, good) >= 1 - producer) & (
            stats.binom.cdf(accept, sizes, bad) <= consumer
        )
        assert not (fits & (sizes > accept)).any()


@given(st.floats(0.005, 0.05), st.floats(2, 6))
@examples(15)
def test_a_plan_by_variables_keeps_both_risks_with_fewer_parts(good, ratio):
    bad = good * ratio
    plan = variables_plan(good, bad)
    assert plan.passes(good) >= 0.95 - 1e-6
    assert plan.passes(bad) <= 0.10 + 1e-6
    assert plan.size <= attribute_plan(good, bad).size
    assert plan.passes(plan.quality(0.5)) == pytest.approx(0.5, abs=1e-6)


def test_a_plan_by_variables_beside_simulation():
    plan = VariablesPlan(20, 1.7)
    random = np.random.default_rng(1)
    x = random.normal(size=(20_000, 20))
    for bad in (0.01, 0.05, 0.10):
        limit = stats.norm.isf(bad)
        accepted = ((limit - x.mean(axis=1)) / x.std(axis=1, ddof=1) >= 1.7).mean()
        assert plan.passes(bad) == pytest.approx(accepted, abs=0.012)


def test_decisions():
    plan = AttributePlan(80, 2)
    assert decide_by_count(plan, 2).accepted
    assert not decide_by_count(plan, 3).accepted
    values = np.array([9.0, 10.0, 11.0] * 4)
    sigma = values.std(ddof=1)
    found = decide_by_values(12, 2.0, values, 8.0, 13.0)
    assert (found.below, found.above) == pytest.approx((2 / sigma, 3 / sigma))
    assert found.accepted
    assert not decide_by_values(12, 2.5, values, 8.0, None).accepted
    assert decide_by_values(3, 2.0, np.array([5.0, 5.0, 5.0]), 4.0, None).accepted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: standard_plan(1000, 1.2), "no AQL of 1.2 %; the nearest is 1"),
        (lambda: standard_plan(1, 1.0), "at least 2 parts"),
        (lambda: standard_plan(100, 1.0, "IV"), "`level`"),
        (lambda: standard_plan(100, 1.0, severity="reduced"), "`severity`"),
        (lambda: attribute_plan(0.05, 0.04), "`aql` < `ltpd`"),
        (lambda: attribute_plan(0.01, 0.04, 0.6, 0.5), "risks"),
        (lambda: decide_by_count(AttributePlan(10, 1), 11), "`found`"),
        (lambda: decide_by_values(5, 2, np.ones(9), None, None), "specification limit"),
    ],
)
def test_what_makes_no_sense(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_what_cannot_be_done():
    with pytest.raises(FlawlineError, match="more than 100000 parts"):
        attribute_plan(0.0100, 0.0101)
    with pytest.raises(FlawlineError, match="more than 100000 parts"):
        variables_plan(0.0100, 0.0101)
    with pytest.raises(FlawlineError, match="asks for 20 measurements, got 3"):
        decide_by_values(20, 2.0, np.array([1.0, 2.0, 3.0]), 0.0, None)
