"""Process data that once gave wrong figures give the right ones, which SciPy computed from the same values."""

import pytest

import flawline
from flawline.jobs.study.capability_study import capability_finding


@pytest.mark.parametrize(
    ("name", "index", "ppm"),
    [("cap_level_shift", 0.96645, 1872.47), ("cap_shift_3sigma", 1.65125, 0.36402)],
)
def test_a_moved_level_keeps_its_normal_figures_and_gets_no_forecast(cases, name, index, ppm):
    found = flawline.study_capability("x", cases / "charts" / f"{name}.csv", lsl=9, usl=11)
    assert found.capability.transform.name == "none"
    assert found.capability.indices["Ppk"].value == pytest.approx(index, rel=1e-5)
    assert found.capability.expected_overall.total == pytest.approx(ppm, rel=1e-4)
    told = capability_finding(found)
    assert told.startswith("Not in control: the level moves")
    assert "million" not in told


def test_percentiles_of_a_weibull_distribution_are_standardised_once(cases):
    path = cases / "charts" / "cap_weibull_stage2.csv"
    found = flawline.study_capability("Diameter", path, lsl=0, usl=12, transform="weibull")
    study = found.capability
    # Minitab: 1.13, 0.96 and 2041.66, with a shape that its own search ended at.
    assert study.indices["Pp"].value == pytest.approx(1.13, abs=0.005)
    assert study.indices["Ppk"].value == pytest.approx(0.96, abs=0.005)
    assert study.expected_overall.total == pytest.approx(2041.66, rel=2e-3)


def test_a_stable_lognormal_sample_has_no_point_beyond_its_limits(cases):
    chart = flawline.chart("x", cases / "charts" / "auto_not_in_control.csv")
    assert chart.stages[0].limits.transform.name == "log"
    assert not [one for one in chart.signals if one.panel == "individuals"]


def test_no_moving_range_spans_a_missing_cell(cases):
    path = cases / "charts" / "missing_cells.csv"
    found = flawline.study_capability("x", path, lsl=3, usl=12)
    assert (found.capability.count, len(found.series.skipped)) == (30, 10)
    assert found.capability.mean == pytest.approx(6.822222)
    assert found.capability.sigma_within == pytest.approx(1.122554, rel=1e-6)
