"""The frame of every study: the page, the document, what is printed, and the exit code."""

import json

import numpy as np
import pytest

from flawline.cli.study_output import show_study
from flawline.core.basis_verdict import BasisVerdict
from flawline.errors import FlawlineError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable
from flawline.jobs.study.study_rows import study_rows


def shift(**changed):
    whole = {
        "name": "shift",
        "title": "Shift of <width>",
        "finding": "The level moved by 0.5 mm.",
        "verdict": BasisVerdict("yes", "By 120 measurements"),
        "numbers": {"step": 1 / 3, "each": np.array([0.1 + 0.2, 2.0]), "count": np.int64(3)},
        "facts": {"mean": "10 mm"},
        "tables": (StudyTable("Levels", ("stage", "mean"), (("a<b", "1.0"),), printed=True),),
        "figures": tuple(
            StudyFigure(f"values {place}", "In order.", lambda axes: axes.plot([1, 2]))
            for place in range(2)
        ),
        "assumptions": (
            Assumption("readings are independent", "does not", "each resembles the one before"),
            Assumption("the gauge is right", "not checked", "no reference was given"),
        ),
        "next_step": "flawline chart parts.csv",
    }
    return Study(**{**whole, **changed})


def shown(study, folder, **how):
    return show_study(study, folder, **{"as_json": False, "quiet": False, "strict": False, **how})


def test_a_study_is_printed_and_written(tmp_path, capsys):
    assert shown(shift(), tmp_path) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("The level moved by 0.5 mm.\n")
    assert printed.err.startswith("does not hold: readings are independent: each resembles ")
    assert "a<b" in printed.out
    assert printed.out.endswith("next: flawline chart parts.csv\n")
    assert printed.err.endswith("shift.html\n")
    ends = ("html", "json", "png", "svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"shift.{end}" for end in ends]
    html = (tmp_path / "shift.html").read_text(encoding="utf-8")
    assert html.count("<svg") == 2
    for text in ("a&lt;b", "Shift of &lt;width&gt;", "Does not hold: readings", "not checked"):
        assert text in html
    document = json.loads((tmp_path / "shift.json").read_text(encoding="utf-8"))
    assert document["step"] == 0.3333333333
    assert document["each"] == [0.3, 2.0]
    assert [one["holds"] for one in document["assumptions"]] == ["does not", "not checked"]


def test_strict_and_skipped_rows_change_the_exit_code(tmp_path, capsys):
    weak = shift(verdict=BasisVerdict("not alone", "Only 12 measurements"))
    assert shown(weak, tmp_path) == 0
    assert shown(weak, tmp_path, strict=True) == 2
    assert shown(shift(), tmp_path, strict=True) == 0
    capsys.readouterr()
    assert shown(shift(skipped=(Skipped("row 4", "empty"),)), tmp_path, as_json=True) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["skipped"] == [{"label": "row 4", "reason": "empty"}]
    assert "row 4: empty" in err


def test_a_study_without_drawings_is_a_page_and_json(tmp_path):
    shown(shift(figures=(), facts={}), tmp_path, quiet=True)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".json"]


def test_rows_without_a_number_or_a_name_are_listed():
    columns = {"value": [1, "x", 3, 4], "part": ["a", "b", " ", "d"]}
    rows = study_rows(columns, ["value"], ["part"])
    assert rows.numbers["value"].tolist() == [1, 4]
    assert rows.names["part"] == ("a", "d")
    assert [(one.label, one.reason) for one in rows.skipped] == [
        ("row 2", "in 'value', 'x' is not a number"),
        ("row 3", "the cell in 'part' is empty"),
    ]
    with pytest.raises(FlawlineError, match="no row can be used: row 1: in 'value'"):
        study_rows({"value": ["?"], "part": ["a"]}, ["value"], ["part"])
