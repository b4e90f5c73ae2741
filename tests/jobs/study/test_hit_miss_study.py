"""Detection by size from known defects that were found or missed."""

from __future__ import annotations

import json

import pytest
from tests.core.test_pod_published import cracks

import flawline
from flawline.cli.main import run
from flawline.errors import FlawlineError
from flawline.jobs.study.hit_miss_report import hit_miss_report
from flawline.jobs.study.study import study_document


@pytest.fixture
def table(tmp_path):
    """MIL-HDBK-1823A, example 3, in words."""
    path = tmp_path / "cracks.csv"
    rows = [f"{size},{'yes' if hit else 'no'}" for size, hit in zip(*cracks(), strict=True)]
    path.write_text("\n".join(["depth,found", *rows]))
    return path


def test_the_published_example_gives_its_sizes(table):
    found = flawline.study_hit_miss("depth", table, unit="in")
    assert (found.pod.intercept, found.pod.slope) == pytest.approx((17.65732, 4.390078), rel=1e-5)
    assert (found.pod.a50, found.pod.a90) == pytest.approx((0.0179154, 0.0295521), rel=1e-5)
    report = hit_miss_report(found)
    assert report.finding.startswith("9 of 10 defects of 0.0296 in are found")
    assert report.verdict.usable == "yes"
    document = study_document(report)
    assert document["a90_95"] > document["a90"] > document["a50"]
    many = [int(row[1]) for row in report.tables[0].rows]
    assert len(many) == 6
    assert sum(many) == document["defects"] == 119


def test_the_command_writes_the_report_and_lists_rows_that_say_nothing(table, tmp_path, capsys):
    table.write_text(table.read_text() + "\n-1,yes\n0.02,\n")
    out = tmp_path / "out"
    assert run(["study", "hit-miss", str(table), "--size", "depth", "-o", str(out)]) == 2
    said = capsys.readouterr()
    assert said.out.startswith("9 of 10 defects of 0.0296 are found")
    assert "a size is above 0, got -1" in said.err
    assert "'yes' counts as 1" in said.err
    assert (out / "hit-miss.html").is_file()
    assert json.loads((out / "hit-miss.json").read_text())["study"] == "hit-miss"


@pytest.mark.parametrize(
    ("rows", "told", "usable"),
    [
        ("1,1 2,1 3,1", "all 3 defects were found", "unknown"),
        ("1,0 2,0 3,1 4,1", "any steep curve between fits", "unknown"),
        ("1,0 2,1 3,0 4,1 5,1 6,1 7,1 8,1 9,1 10,1 11,1 12,1", "9 of 10", "not alone"),
    ],
)
def test_what_few_defects_do_not_tell_is_said(tmp_path, rows, told, usable):
    path = tmp_path / "few.csv"
    path.write_text("\n".join(["mm,found", *rows.split()]))
    report = hit_miss_report(flawline.study_hit_miss("mm", path))
    assert told in report.finding
    assert report.verdict.usable in (usable, "unknown")
    json.dumps(study_document(report), allow_nan=False)


def test_a_column_of_other_numbers_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("mm,found\n1,7\n2,8\n")
    with pytest.raises(FlawlineError, match="expected 1 for found or 0 for missed, got 7"):
        flawline.study_hit_miss("mm", path)
