"""Gauge studies from tables and records to the report."""

import csv
import json

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.study.gauge_report import gauge_report
from flawline.jobs.study.study_files import write_study
from helpers.msa_tables import AIAG, LINEARITY, NESTED, TYPE_ONE, readings, references


def write(path, names, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(names)
        out.writerows(rows)
    return path


@pytest.fixture
def aiag(tmp_path):
    rows = list(zip(*readings(AIAG), strict=True))
    return write(tmp_path / "aiag.csv", ["value", "part", "appraiser"], rows)


def test_a_study_of_three_operators(aiag, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["study", "gauge", str(aiag), "--measure", "value", "--part", "part"]
    operator = ["--operator", "appraiser", "-o", str(out), "-q"]
    assert run([*command, *operator, "--tolerance", "8", "--strict"]) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("The gauge takes up 23 % of the tolerance (95 % interval ")
    assert "usable for sorting with care, not for control. Most of it (56 %) comes from" in printed
    assert "It tells 4 groups of these parts apart; 5 are wanted." in printed
    document = json.loads((out / "gauge.json").read_text(encoding="utf-8"))
    assert document["usable"] == "not alone"
    assert document["ndc"]["groups"] == 4
    assert document["components"]["gauge"]["percent_tolerance"]["value"] == pytest.approx(
        22.68, 1e-3
    )
    html = (out / "gauge.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 6
    for text in ("Components of variation", "Ranges by operator", "Part and operator"):
        assert text in html
    assert run([*command, *operator, "--tolerance", "40", "--strict"]) == 2  # four groups
    assert run([*command, "--tolerance", "30", "-o", str(out), "-q", "--strict"]) == 0


def test_the_same_study_gives_the_same_bytes(aiag, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = flawline.study_gauge("value", aiag, part="part", operator="appraiser")
        write_study(gauge_report(found), tmp_path / name)
    for end in ("html", "svg", "png", "json"):
        one, two = (tmp_path / name / f"gauge.{end}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_bias_and_linearity(tmp_path):
    values, true = references(LINEARITY)
    rows = [(value, one, f"p{one:g}") for value, one in zip(values, true, strict=True)]
    table = write(tmp_path / "line.csv", ["value", "true", "part"], rows)
    found = flawline.study_gauge("value", table, part="part", reference="true", unit="mm")
    assert found.finding.endswith("adjust it over the whole range.")
    assert found.verdict.usable == "not alone"
    study = gauge_report(found)
    assert study.numbers["linearity"]["slope"] == pytest.approx(-0.131667, abs=5e-7)
    assert study.figures[-1].title == "bias by true size"
    rows[0] = (rows[0][0], 99, rows[0][2])
    table = write(tmp_path / "line.csv", ["value", "true", "part"], rows)
    with pytest.raises(FlawlineError, match="part p2 has the references 2 and 99"):
        flawline.study_gauge("value", table, part="part", reference="true")


def test_one_part_of_known_size(tmp_path):
    table = write(tmp_path / "one.csv", ["dm"], [[x] for x in TYPE_ONE.split()])
    found = flawline.study_gauge("dm", table, reference=-4, tolerance=15)
    assert found.verdict.text == "Cg 1.19 and Cgk 1.15; at least 1.33 are wanted"
    assert gauge_report(found).broken[0].what.startswith("the gauge is stable")
    same = flawline.study_gauge("dm", table, reference="-4", tolerance=15)
    assert same.finding == found.finding


def test_nested_parts(tmp_path):
    table = write(
        tmp_path / "n.csv", ["y", "batch", "who"], list(zip(*readings(NESTED), strict=True))
    )
    found = flawline.study_gauge(
        "y", table, part="batch", operator="who", nested=True, tolerance=15
    )
    assert len(found.data.parts) == 15
    assert "All of it is the same operator" in found.finding
    assert [one.title for one in gauge_report(found).figures][-1] == "readings by operator"


def test_missing_readings_are_listed_and_the_rest_is_studied(aiag, tmp_path, capsys):
    lines = aiag.read_text(encoding="utf-8").splitlines()
    lines[3] = "none,1,A"
    table = tmp_path / "gap.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    named = ["--measure", "value", "--part", "part", "--operator", "appraiser"]
    assert run(["study", "gauge", str(table), *named, "-o", str(tmp_path), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["method"] == "reml"
    assert document["skipped"] == [
        {"label": "row 3", "reason": "in 'value', 'none' is not a number"}
    ]
    assert any("split by REML" in note for note in document["notes"])


def test_spread_that_differs_is_said(aiag):
    found = flawline.study_gauge("value", aiag, part="part", operator="appraiser")
    assert not gauge_report(found).broken
    values, part, who = readings(AIAG)
    wild = [
        v + 3 * (n % 3 - 1) if p == "4" and o == "B" else v
        for n, (v, p, o) in enumerate(zip(values, part, who, strict=True))
    ]
    rows = list(zip(wild, part, who, strict=True))
    table = write(aiag.parent / "wild.csv", ["value", "part", "appraiser"], rows)
    broken = gauge_report(flawline.study_gauge("value", table, part="part", operator="appraiser"))
    assert "part 4 by B" in broken.broken[0].why


def test_readings_of_records(tmp_path):
    rows = [
        (f"{part}-{trial}.png", part, "accept", 2 + part + np.sin(17 * part + trial) / 50)
        for part in range(1, 7)
        for trial in range(3)
    ]
    table = write(tmp_path / "r.csv", ["image", "part", "verdict", "score"], rows)
    store = tmp_path / "records.db"
    flawline.import_records(store, table)
    found = flawline.study_gauge("score", store=store, part="part")
    assert len(found.data.parts) == 6
    assert found.verdict.usable == "yes"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "expected the column of parts"),
        ({"operator": "appraiser"}, "`operator` and `nested` need the column of parts"),
        ({"part": "part", "reference": 4}, "`part` names several"),
        ({"part": "part", "reference": "inf"}, "finite number or a column"),
        ({"part": "part", "operator": "appraiser", "method": "x"}, "expected `method`"),
        ({"part": "part", "where": {"lot": "1"}}, "choose records"),
    ],
)
def test_settings_that_do_not_go_together(aiag, settings, message):
    with pytest.raises(UsageError, match=message):
        flawline.study_gauge("value", aiag, **settings)


def test_parts_of_one_operator_each_are_asked_about(tmp_path):
    rows = list(zip(*readings(NESTED), strict=True))
    rows = [(value, f"{part}{who}", who) for value, part, who in rows]
    table = write(tmp_path / "n.csv", ["y", "batch", "who"], rows)
    with pytest.raises(UsageError, match="no part was read by more than one operator"):
        flawline.study_gauge("y", table, part="batch", operator="who")


def test_one_part_without_a_tolerance(tmp_path):
    rows = [(value, "p", who) for value, _, who in zip(*readings(AIAG), strict=True)]
    table = write(tmp_path / "one.csv", ["y", "part", "who"], rows)
    with pytest.raises(UsageError, match="all readings are of one part"):
        flawline.study_gauge("y", table, part="part", operator="who")
    found = flawline.study_gauge("y", table, part="part", operator="who", tolerance=20)
    assert found.finding.startswith("The gauge takes up ")
