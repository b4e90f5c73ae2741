"""Capability beside published answers, where the public table of 100 diameters is there.

Answers: jaspQualityControl, tests of processCapabilityStudies, which it verified with Minitab (d2 to three decimals).
"""

from dataclasses import asdict
from pathlib import Path

import pytest

import flawline

LIMITS = {"lsl": 0, "target": 6, "usl": 12}


@pytest.fixture(scope="module")
def diameters(real_data: Path) -> Path:
    path = real_data / "msa" / "jasp_capability_100.csv"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    return path


@pytest.fixture
def stage(diameters: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    head, *rows = diameters.read_text(encoding="utf-8").split()
    path = tmp_path / "stage.csv"
    kept = [row for row in rows if row.endswith(f",{request.param}")]
    path.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("how", [{"subgroup": 5}, {"by": "Time"}])
def test_subgroups_of_five_by_range(diameters, how):
    found = flawline.study_capability("Diameter", diameters, **LIMITS, **how).capability
    assert found.sigma_overall == pytest.approx(1.85635681)
    assert found.sigma_within == pytest.approx(1.76268272, rel=5e-5)
    values = {name: (i.value, i.low, i.high) for name, i in found.indices.items()}
    # The intervals count the degrees of freedom of a standard deviation; those of C indices are narrower there.
    for name, expected in {
        "Pp": (1.08, 0.93, 1.23),
        "Ppk": (0.88, 0.74, 1.02),
        "Cpm": (0.93, 0.81, 1.06),
    }.items():
        assert values[name] == pytest.approx(expected, abs=0.011)
    for name, expected in {"Cp": 1.13, "Cpk": 0.93, "Cpl": 1.34, "Ppl": 1.27, "Ppu": 0.88}.items():
        assert values[name][0] == pytest.approx(expected, abs=0.006)
    assert asdict(found.expected_overall) == pytest.approx(
        {"below": 68.39, "above": 4020.39}, abs=0.01
    )
    assert asdict(found.expected_within) == pytest.approx(
        {"below": 29.52, "above": 2625.65}, rel=1e-3
    )
    assert asdict(found.observed) == {"below": 0, "above": 10000}


@pytest.mark.parametrize(
    ("within", "sigma"), [("range", 1.762683), ("deviation", 1.848807), ("moving-range", 1.863493)]
)
def test_sigma_within_by_each_estimator(diameters, within, sigma):
    study = flawline.study_capability("Diameter", diameters, **LIMITS, subgroup=5, within=within)
    assert study.capability.sigma_within == pytest.approx(sigma, rel=4e-4)


@pytest.mark.parametrize(
    ("stage", "transform", "parameters", "indices", "above"),
    [
        # Minitab's own search ends at shapes 4.04074 and 4.18683, and parts per million of 3563.27 and 2041.66.
        ("1", "weibull", (4.04047, 7.82156), (1.10, 1.27, 0.91, 0.91), 3562.31),
        ("2", "weibull", (4.18663, 7.76308), (1.13, 1.29, 0.96, 0.96), 2044.04),
        ("1", "log", (), (0.85, 1.68, 0.52, 0.52), 29855.8),
        ("2", "log", (), (1.04, 1.87, 0.66, 0.66), 13912),
    ],
    indirect=["stage"],
)
def test_distributions_of_each_stage(stage, transform, parameters, indices, above):
    study = flawline.study_capability("Diameter", stage, **LIMITS, transform=transform)
    found = study.capability
    assert found.transform.parameters == pytest.approx(parameters, rel=1e-5)
    values = [found.indices[name].value for name in ("Pp", "Ppl", "Ppu", "Ppk")]
    assert values == pytest.approx(indices, abs=0.0051)
    assert found.expected_overall.above == pytest.approx(above, rel=1e-5)
    assert found.expected_overall.below == 0
