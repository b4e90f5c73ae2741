import json

import numpy as np
import pytest

from flawline.core.spc.capability_values import SpecLimits
from flawline.core.spc.transforms import NONE
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.forming import Forming
from flawline.jobs.chart.series import form_series
from flawline.jobs.study.capability_report import capability_report
from flawline.jobs.study.capability_study import (
    capability_as_dict,
    capability_finding,
    ppm,
    study_capability,
)
from flawline.jobs.study.study_files import write_study


def series_of(values, **how):
    return form_series({"width": list(values)}, "width", "xbar-r", Forming(unit="mm", **how))


def normal(count=200, seed=10, mean=10.0, sigma=0.1):
    return np.random.default_rng(seed).normal(mean, sigma, count)


def test_a_stable_normal_process_gets_a_forecast():
    found = study_capability(series_of(normal()), SpecLimits(9.6, 10.4))
    told = capability_finding(found)
    assert told.startswith("Cpk is 1.")
    assert told.endswith("outside the specification, 9.6 to 10.4 mm; 0 of 200 were.")
    assert "parts per million are expected" in told
    document = capability_as_dict(found)
    assert document["in_control"]
    assert document["fit"]["passes"]
    interval = document["tolerance_interval"]
    assert 9.6 < interval["low"] < 9.8 < 10.2 < interval["high"] < 10.4
    assert (interval["share"], interval["confidence"]) == (0.99, 0.95)
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("shift", np.repeat([0.0, 0.5], 60)),
        ("late shift", np.repeat([0.0, 0.4], [95, 25])),
        ("drift", np.linspace(0, 0.5, 120)),
        ("cycle", 0.2 * np.sin(np.arange(120) / 8)),
        ("one outlier", np.where(np.arange(120) == 70, 0.8, 0)),
    ],
)
@pytest.mark.parametrize("every", [None, 4])
def test_a_process_out_of_control_keeps_its_normal_figures_and_gets_no_forecast(name, shape, every):
    x = normal(120) + shape
    found = study_capability(series_of(x, every=every), SpecLimits(9.2, 11.2))
    told = capability_finding(found)
    assert told.startswith("Not in control: ")
    assert told.endswith("that is no forecast.")
    assert "parts per million" not in told
    study = found.capability
    assert study.transform == NONE
    assert study.indices["Ppk"].value == pytest.approx(
        min(x.mean() - 9.2, 11.2 - x.mean()) / (3 * x.std(ddof=1))
    )
    assert f"Ppk was {study.indices['Ppk'].value:.2f}" in told
    document = capability_as_dict(found)
    assert not document["in_control"]
    assert document["tolerance_interval"] is None


def test_stable_processes_are_seldom_called_out_of_control():
    called = [
        not study_capability(series_of(normal(100, seed)), SpecLimits(9, 11)).stability.stable
        for seed in range(30)
    ]
    assert sum(called) <= 4


def test_a_single_signal_that_may_be_chance_is_a_note():
    x = normal(200, 3)
    x[50] = x.mean() + 3.3 * x.std()
    found = study_capability(series_of(x), SpecLimits(9.2, 10.8))
    assert found.stability.stable
    assert any("may be chance" in note for note in found.notes)


def test_neighbours_alike_get_a_note():
    x = normal(200, 5)
    for place in range(1, 200):
        x[place] = 10 + 0.7 * (x[place - 1] - 10) + 0.7 * (x[place] - 10)
    alike = study_capability(series_of(x), SpecLimits(9, 11))
    assert any("judge by the P indices" in note for note in alike.notes)
    free = study_capability(series_of(normal()), SpecLimits(9, 11))
    assert not any("P indices" in note for note in free.notes)


def test_skewed_values_are_studied_under_the_transform_that_passes():
    skewed = np.random.default_rng(11).lognormal(0, 0.6, 200)
    found = study_capability(series_of(skewed), SpecLimits(upper=9.0))
    assert found.capability.transform.name == "log"
    assert capability_finding(found).startswith("Ppk is ")
    assert any("A²" in note for note in found.notes)


def test_values_that_fit_nothing_get_no_forecast():
    random = np.random.default_rng(12)
    two = random.permutation(np.concatenate([random.normal(0, 1, 100), random.normal(8, 1, 100)]))
    found = study_capability(series_of(two), SpecLimits(-20, 28))
    assert found.stability.stable
    assert not found.fits
    assert found.capability.transform == NONE
    told = capability_finding(found)
    assert "roughly: the values do not fit a normal distribution" in told
    assert "parts per million" not in told
    asked = study_capability(series_of(two + 20), SpecLimits(0, 48), transform="weibull")
    assert "do not fit a Weibull distribution" in capability_finding(asked)


def test_what_cannot_be_studied():
    with pytest.raises(FlawlineError):
        study_capability(series_of([1.0] * 20), SpecLimits(0, 2))
    counted = form_series({"n": [1, 2, 3]}, "n", "c", Forming())
    with pytest.raises(UsageError, match="got counts"):
        study_capability(counted, SpecLimits(0, 2))
    with pytest.raises(UsageError, match="needs subgroups"):
        study_capability(series_of(normal()), SpecLimits(0, 20), within="pooled")
    with pytest.raises(UsageError, match="expected `within` of"):
        study_capability(series_of(normal()), SpecLimits(0, 20), within="median")


def test_parts_per_million_are_not_given_beyond_reason():
    assert ppm(1.7e-122) == "less than 0.01"
    assert ppm(0.0) == "0"
    assert ppm(2.83) == "2.8"
    assert ppm(1872.4) == "1872"


@pytest.mark.parametrize(
    ("values", "how", "transform"),
    [
        (normal(120), {}, "auto"),
        (normal(120), {"every": 5}, "auto"),
        (normal(120) + np.repeat([0, 0.5], 60), {"every": 12}, "weibull"),
        (np.where(np.arange(120) % 3, 0, normal(120)), {}, "log"),
        (normal(120).round(1), {}, "percentile"),
    ],
)
def test_the_page_shows_all_of_the_study(tmp_path, values, how, transform):
    found = study_capability(
        series_of(values, **how), SpecLimits(None, 10.9, 10.1), transform=transform
    )
    written = write_study(capability_report(found), tmp_path)
    html = written.page.read_text(encoding="utf-8")
    for text in ("10.1 mm", "at most 10.9 mm", "sigma overall", "Probability plot", "Histogram"):
        assert text in html
    assert html.count("<svg") == len(found.chart.panel_names) + 3
    assert capability_finding(found) in html.replace("&#39;", "'")
    assert (tmp_path / "capability.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_study_gives_the_same_bytes(tmp_path):
    found = study_capability(series_of(normal(40)), SpecLimits(9, 11))
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        write_study(capability_report(found), tmp_path / name)
    for name in ("capability.html", "capability.svg", "capability.png", "capability.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
