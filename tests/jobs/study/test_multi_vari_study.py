"""The families of variation from the command to the report."""

import json

import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError, UsageError


@pytest.fixture
def table(tmp_path):
    return written(tmp_path / "parts.csv", (0.2, 1.0, 0.3))


def written(path, deviations):
    rng = np.random.default_rng(4)
    time, part, within = deviations
    rows = ["time,part,value"]
    for hour in range(12):
        level = 20 + rng.normal(0, time)
        for one in range(4):
            own = level + rng.normal(0, part)
            rows += [f"{hour}:00,{one},{own + rng.normal(0, within):.4f}" for _ in range(3)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_largest_family_is_found(table, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["study", "multi-vari", str(table), "--measure", "value", "--factors", "time,part"]
    assert run([*command, "-q", "-o", str(out), "--strict", "--unit", "mm"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.startswith("Variation from part to part is the largest family: ")
    assert "Look there for the cause first." in printed
    document = json.loads((out / "multi-vari.json").read_text(encoding="utf-8"))
    assert document["largest"] == "part to part"
    assert [one["family"] for one in document["families"]] == [
        "time to time",
        "part to part",
        "within part",
    ]
    assert sum(one["share"] for one in document["families"]) == pytest.approx(1)
    assert (out / "multi-vari.html").read_text(encoding="utf-8").count("<svg") == 2
    again = tmp_path / "again"
    assert run([*command, "-q", "-o", str(again), "--unit", "mm"]) == 0
    for name in ("multi-vari.html", "multi-vari.svg", "multi-vari.json"):
        assert (out / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize(
    ("deviations", "largest"),
    [((2.0, 0.3, 0.3), "time to time"), ((0.1, 0.1, 1.0), "within part")],
)
def test_the_other_families(tmp_path, deviations, largest):
    path = written(tmp_path / "t.csv", deviations)
    found = flawline.study_multi_vari("value", path, factors=["time", "part"])
    assert found.families[found.result.largest] == largest
    assert found.verdict.usable == "yes"


def test_the_next_command_is_told_where_times_differ(tmp_path, capsys):
    path = written(tmp_path / "t.csv", (2.0, 0.3, 0.3))
    command = ["study", "multi-vari", str(path), "--measure", "value", "--factors", "time,part"]
    assert run([*command, "-o", str(tmp_path / "out")]) == 0
    said = " ".join("".join(capsys.readouterr()).split())
    assert "--measure value --chart i-mr-r --by time" in said


def test_it_is_said_where_the_largest_is_not_sure(tmp_path, capsys):
    path = written(tmp_path / "t.csv", (0.5, 0.5, 0.5))
    command = ["study", "multi-vari", str(path), "--measure", "value", "--factors", "time,part"]
    assert run([*command, "-q", "-o", str(tmp_path / "out"), "--strict"]) == 2
    assert "It is not sure that it is larger than" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("factors", [[], ["a", "b", "c", "d", "e"], ["value"]])
def test_factors_that_make_no_hierarchy(table, factors):
    with pytest.raises(UsageError, match="`factors`"):
        flawline.study_multi_vari("value", table, factors=factors)
    with pytest.raises(UsageError, match="`confidence`"):
        flawline.study_multi_vari("value", table, factors=["time"], confidence=1.0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("8,1,1\n8,2,2\n9,1,1\n9,2,3\n", "each part has one value"),
        ("8,1,1\n8,1,2\n9,1,1\n9,1,3\n", "each time has one part"),
        ("8,1,1\n8,1,2\n8,2,1\n8,2,3\n", "there is one time"),
        ("8,1,1\n8,1,1\n8,2,1\n8,2,1\n9,1,1\n", "no variation"),
    ],
)
def test_tables_with_nothing_to_compare(tmp_path, rows, said):
    path = tmp_path / "t.csv"
    path.write_text(f"time,part,value\n{rows}", encoding="utf-8")
    with pytest.raises(FlawlineError, match=said):
        flawline.study_multi_vari("value", path, factors=["time", "part"])


def test_a_single_factor_and_rows_that_cannot_be_used(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("part,value\na,1\na,2\nb,5\nb,6\nb,x\n,3\n", encoding="utf-8")
    found = flawline.study_multi_vari("value", path, factors=["part"])
    assert found.families == ("part to part", "within part")
    assert len(found.skipped) == 2
