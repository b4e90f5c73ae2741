"""Published average run lengths, by equation to the digits printed and by simulation within its error.

The tables are those quoted in the manual of the R package spc (S. Knoth), which names their sources.
"""

import pytest

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, WESTERN_ELECTRIC, Rule
from flawline.core.spc.run_length import (
    cusum_run_length,
    ewma_run_length,
    one_sided_cusum_run_length,
    shewhart_run_length,
    simulate_run_length,
)


@pytest.mark.parametrize(
    ("weight", "k", "table"),
    [
        # J. M. Lucas and M. S. Saccucci, Technometrics 32, 1990, table 3.
        (
            0.5,
            3.071,
            {0: 500, 0.25: 255, 0.5: 88.8, 0.75: 35.9, 1: 17.5, 2: 3.63, 3: 1.93, 5: 1.07},
        ),
        (
            0.03,
            2.437,
            {0: 500, 0.25: 76.7, 0.5: 29.3, 0.75: 17.6, 1: 12.6, 2: 5.99, 3: 4.03, 5: 2.55},
        ),
        # S. V. Crowder, Technometrics 29, 1987, table 1.
        (0.5, 2, {0: 26.45, 0.25: 20.12, 0.5: 11.89, 0.75: 7.29, 1: 4.91, 2: 1.94, 3: 1.26}),
        (0.05, 2, {0: 127.53, 0.25: 43.94, 0.5: 18.97, 0.75: 11.64, 1: 8.38, 2: 4.04, 3: 2.76}),
    ],
)
def test_ewma_tables(weight, k, table):
    for shift, printed in table.items():
        # Three digits in the one paper, two decimals in the other.
        within = 0.011 if k == 2 else 5.1e-3 * printed
        assert ewma_run_length(shift, weight, k) == pytest.approx(printed, abs=within)


def test_ewma_of_the_sas_manual():
    # SAS/QC manual, 1999: lambda 0.25, L 3, shift 1.
    assert ewma_run_length(1, 0.25, 3) == pytest.approx(11.154267016, abs=1e-8)


@pytest.mark.parametrize(
    ("head_start", "table"),
    [
        # J. M. Lucas and R. B. Crosier, Technometrics 24, 1982, table 1: k 0.5, h 4.
        (
            0,
            {
                0: 168,
                0.25: 74.2,
                0.5: 26.6,
                0.75: 13.3,
                1: 8.38,
                1.5: 4.75,
                2: 3.34,
                3: 2.19,
                5: 1.31,
            },
        ),
        (
            2,
            {
                0: 149,
                0.25: 62.7,
                0.5: 20.1,
                0.75: 8.97,
                1: 5.29,
                1.5: 2.86,
                2: 2.01,
                3: 1.32,
                5: 1.01,
            },
        ),
    ],
)
def test_cusum_tables(head_start, table):
    for shift, printed in table.items():
        found = cusum_run_length(shift, 0.5, 4, head_start)
        assert float(f"{found:.3g}") == pytest.approx(printed, abs=0.0101 if printed < 10 else 0.11)


def test_other_cusum_values():
    # D. Brook and D. A. Evans, Biometrika 59, 1972, section 4.3: 117.59 and 3.75 by their coarser method.
    assert one_sided_cusum_run_length(0, 0.5, 3) == pytest.approx(117.6, abs=0.01)
    assert one_sided_cusum_run_length(1.5, 0.5, 3) == pytest.approx(3.75, abs=0.005)
    # L. C. Vance, Journal of Quality Technology 18, 1986, table 1.
    for shift, printed in {-0.25: 2071.51, 0: 124.66, 0.25: 36.71, 0.5: 20.37, 1: 10.75}.items():
        assert one_sided_cusum_run_length(shift, 0, 10) == pytest.approx(
            printed, rel=5e-5, abs=0.0051
        )
    # SAS/QC manual, 1999.
    assert cusum_run_length(2.5, 0.25, 8) == pytest.approx(4.1500826715, rel=1e-6)
    assert one_sided_cusum_run_length(2.5, 0.25, 8, 0.1) == pytest.approx(4.1061588131, rel=1e-6)
    # D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed., table 9.3: h 5.
    for shift, printed in {
        0: 465,
        0.25: 139,
        0.5: 38.0,
        0.75: 17.0,
        1: 10.4,
        2: 4.01,
        3: 2.57,
    }.items():
        assert float(f"{cusum_run_length(shift, 0.5, 5):.3g}") == pytest.approx(printed, rel=6e-3)


# C. W. Champ and W. H. Woodall, Technometrics 29, 1987, table 1: limits at 3 sigma alone, and with 2 of 3 beyond 2
# sigma, 4 of 5 beyond 1 sigma, 8 on one side.
CHAMP_AND_WOODALL = [
    ((), {0.0: 370.40, 0.4: 200.08, 1.0: 43.89, 2.0: 6.30, 3.0: 2.00}),
    ((Rule(5, 2),), {0.0: 225.44, 1.0: 20.01}),
    ((Rule(6, 4),), {0.0: 166.05, 1.0: 12.66}),
    ((Rule(2, 8),), {0.0: 152.73, 1.0: 14.58}),
]


def test_shewhart_table():
    for shift, printed in CHAMP_AND_WOODALL[0][1].items():
        assert shewhart_run_length(shift) == pytest.approx(printed, abs=0.00501)


@pytest.mark.parametrize(("more", "table"), CHAMP_AND_WOODALL)
def test_run_rules_by_simulation(more, table):
    limits = ControlLimits("i-mr", 0, 1)
    for shift, printed in table.items():
        found = simulate_run_length(
            limits, (*FIRST_ONLY, *more), shift, runs=300, seed=1, panel="individuals"
        )
        assert abs(found.mean - printed) < 4 * found.error


def test_the_charts_themselves_keep_their_tables():
    for limits, exact in (
        (ControlLimits("ewma", 5, 2, k=2.814, weight=0.1), ewma_run_length(1, 0.1, 2.814)),
        (ControlLimits("cusum", 5, 2, decision=4), cusum_run_length(1, 0.5, 4)),
        (ControlLimits("cusum", 5, 2, decision=4, head_start=2), cusum_run_length(1, 0.5, 4, 2)),
    ):
        found = simulate_run_length(limits, FIRST_ONLY, 1, runs=600, seed=3)
        # The chart's EWMA limits begin narrow, so that it signals a little sooner than by its final ones.
        slack = 1.5 if limits.chart == "ewma" else 0
        assert -4 * found.error - slack < found.mean - exact < 4 * found.error


def test_simulation_is_repeatable_and_rules_shorten_the_run():
    limits = ControlLimits("i-mr", 0, 1)
    one = simulate_run_length(limits, WESTERN_ELECTRIC, 0, runs=50, seed=7, panel="individuals")
    assert one == simulate_run_length(
        limits, WESTERN_ELECTRIC, 0, runs=50, seed=7, panel="individuals"
    )
    assert one.mean < 370
