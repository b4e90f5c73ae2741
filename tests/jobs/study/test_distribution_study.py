"""Which distribution a measure follows, beside scipy and from the command to the report."""

import json

import numpy as np
import pytest
from scipy import stats

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError
from flawline.jobs.study.distribution_report import study_distribution

DRAWN = {
    "none": lambda random: random.normal(10, 0.5, 200),
    "log": lambda random: random.lognormal(0, 0.8, 200),
    "weibull": lambda random: 5 * random.weibull(0.7, 200),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_drawn_distribution_may_be_the_right_one(name):
    found = study_distribution(DRAWN[name](np.random.default_rng(4)), "x")
    fits = {one.name: one for one in found.candidates}
    assert fits[name].passes
    assert found.best.name == name
    assert found.verdict.usable == "yes"


def test_fits_beside_scipy():
    values = DRAWN["weibull"](np.random.default_rng(5))
    fits = {one.name: one for one in study_distribution(values, "x").candidates}
    shape, _, scale = stats.weibull_min.fit(values, floc=0)
    assert fits["weibull"].transform.parameters == pytest.approx((shape, scale), rel=1e-3)
    assert fits["none"].percentiles()[3] == pytest.approx(values.mean())
    log = np.log(values)
    middle = np.exp(log.mean() + stats.norm.ppf(0.95) * log.std(ddof=1))
    assert fits["log"].percentiles()[4] == pytest.approx(middle)


def test_a_mixture_follows_nothing():
    random = np.random.default_rng(6)
    two = random.permutation(np.concatenate([random.normal(0, 1, 300), random.normal(12, 0.2, 60)]))
    found = study_distribution(two, "x")
    assert found.verdict.usable == "no"
    assert "follows none of the usual distributions" in found.finding
    assert {"log", "weibull"} <= set(found.refused)


def test_the_command_and_its_report(tmp_path, capsys):
    values = DRAWN["log"](np.random.default_rng(4))
    table = tmp_path / "x.csv"
    table.write_text(
        "width\n" + "\n".join(f"{x:.5f}" for x in values) + "\nnone\n", encoding="utf-8"
    )
    out = tmp_path / "out"
    command = ["study", "distribution", str(table), "--measure", "width", "-o", str(out), "-q"]
    assert run(command) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("width may be taken as lognormal: half of it lies below ")
    document = json.loads((out / "distribution.json").read_text(encoding="utf-8"))
    assert (document["best"], document["count"]) == ("log", 200)
    html = (out / "distribution.html").read_text(encoding="utf-8")
    assert html.count("<svg") == len(document["distributions"]) == 6


def test_values_that_tell_nothing(tmp_path):
    table = tmp_path / "x.csv"
    table.write_text("width\n" + "1\n" * 20, encoding="utf-8")
    with pytest.raises(FlawlineError, match="20 equal values"):
        flawline.study_distribution("width", table)
    with pytest.raises(FlawlineError, match="got 3 values"):
        study_distribution(np.array([1.0, 2.0, 3.0]), "x")
