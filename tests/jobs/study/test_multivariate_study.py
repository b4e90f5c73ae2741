"""Several measures together from the command to the report."""

import json

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import UsageError


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(2)
    values = random.normal(size=(80, 2)) @ np.linalg.cholesky([[1, 0.9], [0.9, 1]]).T
    values[50] = [2.5, -2.5]
    rows = "\n".join(f"p{n},{x:.4f},{y:.4f}" for n, (x, y) in enumerate(values, 1))
    path = tmp_path / "parts.csv"
    path.write_text(f"part,width,length\n{rows}\n", encoding="utf-8")
    return path


def test_a_part_that_does_not_belong(table, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["study", "multivariate", str(table), "--measures", "width,length", "-q"]
    assert run([*command, "--label", "part", "--learn", "40", "-o", str(out), "--strict"]) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("1 point of 80 does not belong to the others, p51 the least: its ")
    document = json.loads((out / "multivariate.json").read_text(encoding="utf-8"))
    assert document["beyond"][0]["label"] == "p51"
    assert len(document["t2"]["values"]) == 80
    html = (out / "multivariate.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 4
    assert "Contributions to p51" in html


def test_a_calm_process(tmp_path):
    values = np.random.default_rng(3).normal(size=(60, 3))
    rows = "\n".join(",".join(f"{x:.4f}" for x in row) for row in values)
    path = tmp_path / "calm.csv"
    path.write_text(f"a,b,c\n{rows}\n", encoding="utf-8")
    found = flawline.study_multivariate(["a", "b", "c"], path)
    assert found.finding.startswith("a, b and c together are in control")
    assert found.verdict.usable == "yes"
    assert flawline.study_multivariate(["a", "b", "c"], path, learn=30).verdict.usable != "yes"


def test_one_measure_is_refused(table):
    with pytest.raises(UsageError, match="two measures or more, got width"):
        flawline.study_multivariate(["width", "width"], table)
