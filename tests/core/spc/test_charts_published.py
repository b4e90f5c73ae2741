"""Charts of public tables against what other programs computed: qcc 3.0 and Minitab (through jaspQualityControl)."""

from collections import defaultdict

import numpy as np
import polars as pl
import pytest

from flawline.core.spc.chart_points import counts, individuals, subgroups
from flawline.core.spc.charts import State, advance, estimate
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, Rule, parse_rules

# The rows that the examples of qcc leave out, to get samples of unequal sizes.
LEFT_OUT = (9, 10, 30, 35, 45, 64, 65, 74, 75, 85, 99, 100)
RULES = {"nel2": Rule(2, 9), "nel3": Rule(3, 6), "nel5": Rule(5, 2), "nel6": Rule(6, 4)}
RULES |= {"nel7": Rule(7, 15), "wer2": Rule(5, 2), "wer3": Rule(6, 4), "wer4": Rule(2, 8)}
# qcc draws one centre for ranges and deviations of samples of unequal sizes, takes each sample's own size for the
# variance of a whole EWMA, and so finds other points near the zones.
OTHER_METHOD = {
    (case, chart, part)
    for case in ("ringsvar", "ringsvarall")
    for chart, parts in (
        ("xbar-r.range", ("centre", "ucl")),
        ("xbar-s.sd", ("centre", "ucl")),
        ("xbar-r.mean", RULES),
        ("xbar-s.mean", RULES),
        ("ewma", ("lcl", "ucl", "viol")),
    )
    for part in parts
}


@pytest.fixture
def tables(real_data):
    folder = real_data / "msa"
    if not folder.is_dir():
        pytest.skip("no tables with published answers: set FLAWLINE_TEST_DATA")
    return folder


def test_charts_of_qcc(tables):
    expected = pl.read_csv(tables / "qcc_expected.csv", null_values="NA")
    compared = 0
    for (case, chart, part), rows in expected.group_by(
        "case", "chart", "part", maintain_order=True
    ):
        if chart == "cap" or (case, chart, part) in OTHER_METHOD:
            continue
        found = computed(tables, case, chart, part)
        if found is None:
            continue
        want = rows["value"].cast(pl.Float64).to_numpy(allow_copy=True)
        # Flagged samples are listed from 1; the table has 12 digits, qcc's integrals some 8.
        np.testing.assert_allclose(found, want, rtol=1e-8, atol=1e-8, err_msg=f"{case} {chart}")
        compared += len(want)
    assert compared == 5691


def computed(tables, case, chart, part):
    kind, _, which = chart.partition(".")
    fast, kind = kind == "cusumfir", kind.removesuffix("fir")
    points = points_of(tables, case)
    slow = case.startswith("viscosity")
    own = ControlLimits(
        kind, 0.5, 1.0, head_start=2.0 if fast else 0.0, weight=0.1 if slow else 0.2
    )
    limits = estimate(kind, points, template=own, k=2.7 if slow and kind == "ewma" else 3.0)
    _, panels, _ = advance(State(), limits, (), points)
    panel = panels[1 if which in ("range", "sd") or part == "neg" else 0]
    if part == "centre":
        return panel.centre[:1]
    if part == "sigma":
        return deviation(kind, limits, points)
    if part in ("stat", "lcl", "ucl", "pos", "neg"):
        return {"lcl": panel.lower, "ucl": panel.upper}.get(part, panel.values)
    rule = RULES.get(part, FIRST_ONLY[0])
    if rule.number not in panel.rules:
        return None  # zones of counts and ranges are not normal ones
    _, _, signals = advance(State(), limits, [rule], points)
    at = [signal.at for signal in signals if signal.panel == panel.name]
    flags = np.full(len(points), np.nan)
    flags[at] = 1
    return flags if part == "rule1" else np.array(at) + 1


def deviation(kind, limits, points):
    """qcc's deviation of a point of counts, of a measurement else."""
    n, c = points.sizes[0], limits.centre
    of_counts = {"p": c * (1 - c) / n, "np": n * c * (1 - c), "c": c, "u": c}
    return [np.sqrt(of_counts[kind]) if kind in of_counts else limits.sigma]


def points_of(tables, case):
    if case == "boiler":
        return subgroups(list(np.loadtxt(tables / "qcc" / "boiler.txt", skiprows=1)))
    if "rings" in case:
        rows = pl.read_csv(tables / "qcc_pistonrings.csv").with_row_index("row", 1)
        if case in ("rings25", "ringsvar"):
            rows = rows.filter(pl.col("trial"))
        if "var" in case:
            rows = rows.filter(~pl.col("row").is_in(LEFT_OUT))
        groups = defaultdict(list)
        for sample, value in rows.select("sample", "diameter").iter_rows():
            groups[sample].append(value)
        return subgroups(list(groups.values()))
    rows = pl.read_csv(tables / f"qcc_{case.removesuffix('_t')}.csv")
    if case.endswith("_t"):
        rows = rows.filter(pl.col("trial"))
    for name in ("viscosity", "water"):
        if name in rows.columns:
            return individuals(rows[name])
    return counts(rows["D" if "D" in rows.columns else "x"], rows["size"])


def test_all_tests_of_minitab(tables):
    points = individuals(pl.read_csv(tables / "jasp_rules_45.csv")["V1"])
    rules = parse_rules("1,2=7,3=7,4=14,5=2,6=4,7=15,8=8", count_steps=True)
    _, _, signals = advance(State(), estimate("i-mr", points), rules, points)
    found = defaultdict(list)
    for signal in signals:
        if signal.panel == "individuals":
            found[signal.rule.number].append(signal.at + 1)
    assert found == {
        1: list(range(37, 46)),
        2: [*range(22, 37), 43, 44],
        3: [22],
        4: [15, 16],
        5: list(range(38, 45)),
        6: list(range(40, 45)),
        7: list(range(29, 37)),
        8: [44, 45],
    }
