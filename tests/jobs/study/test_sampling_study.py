"""Sampling plans and decisions from the command to the report."""

import json

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.core.sampling.plans import AttributePlan
from flawline.errors import UsageError


@pytest.fixture
def table(tmp_path):
    values = np.random.default_rng(1).normal(10, 0.1, 60).round(4)
    path = tmp_path / "lot.csv"
    path.write_text("width\n" + "\n".join(map(str, values)) + "\n", encoding="utf-8")
    return path


def test_a_lot_by_the_tables(tmp_path, capsys):
    command = ["study", "sampling", "--lot", "1000", "--aql", "1", "-o", str(tmp_path), "-q"]
    assert run(command) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith(
        "From a lot of 1000 parts check 80 parts; accept it if at most 2 are bad."
    )
    assert (
        "Lots with 1 % bad parts pass in 95 of 100 cases, lots with 6.5 % in 10 of 100." in printed
    )
    assert run([*command, "--found", "2", "--strict"]) == 0
    capsys.readouterr()
    assert run([*command, "--found", "3", "--strict", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["decision"]["accepted"] is False
    assert document["standard"]["letter"] == "J"
    assert document["plan"] == {"by": "attributes", "size": 80, "accept": 2}
    html = (tmp_path / "sampling.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 2
    assert "Average outgoing quality" in html


def test_a_lot_by_measurements(table):
    found = flawline.study_sampling("width", table, aql=1, ltpd=5, lsl=9.7, usl=10.3)
    assert found.plan.size == 55
    assert found.decision.accepted
    assert found.tolerance.low < 9.8 < 10.2 < found.tolerance.high
    assert found.finding.startswith("Accept the lot: the mean lies ")
    tight = flawline.study_sampling("width", table, aql=1, ltpd=5, usl=10.1)
    assert not tight.decision.accepted
    assert tight.verdict.usable == "no"
    like = flawline.study_sampling("width", table, lot=1000, aql=1, usl=10.4)
    assert like.plan.size < 60
    assert any("not that of the tables of ISO 3951-1" in note for note in like.notes)


def test_a_plan_of_ones_own():
    found = flawline.study_sampling(sample=50, accept=1, aql=1)
    assert found.plan == AttributePlan(50, 1)
    assert found.verdict.usable == "yes"
    assert flawline.study_sampling(sample=50, accept=0, aql=2).verdict.usable == "not alone"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "expected a lot and its AQL"),
        ({"aql": 1}, "expected a lot and its AQL"),
        ({"sample": 50}, "go together"),
        ({"sample": 5, "accept": 5}, "0 <= `accept` < `sample`"),
        ({"aql": 1, "ltpd": 5, "variables": True, "found": 1}, "`found` counts bad parts"),
        ({"lot": 10, "aql": 1, "variables": True}, "whole lot"),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(UsageError, match=message):
        flawline.study_sampling(**settings)


def test_a_table_needs_its_column_and_a_limit(table):
    with pytest.raises(UsageError, match="column of measurements"):
        flawline.study_sampling(None, table, aql=1, ltpd=5)
    with pytest.raises(UsageError, match="specification limit"):
        flawline.study_sampling("width", table, aql=1, ltpd=5)
