"""The reports of evaluations and comparisons say what was measured, and take no name for markup."""

import re

import numpy as np
import pytest

from flawline.core.metrics import Share
from flawline.data.source import open_source
from flawline.jobs.evaluate import figures
from flawline.jobs.evaluate.compare import compare
from flawline.jobs.evaluate.comparison_files import write_comparison
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.evaluation import Estimated, Rate
from flawline.jobs.evaluate.evaluation_charts import escape_against_overkill, promised_and_observed
from flawline.jobs.evaluate.evaluation_files import write_evaluation
from flawline.jobs.evaluate.figures import EvaluatedPart, trade_off
from flawline.jobs.evaluate.metric_text import estimate, rate, share
from flawline.recipe import NO_THRESHOLD
from helpers.stub_inspector import BrightnessInspector, write_part, write_parts


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(figures, "DRAWS", 100)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_parts(tmp_path_factory.mktemp("parts"))


def test_the_report_of_an_evaluation(parts, tmp_path):
    inspector = BrightnessInspector()
    with open_source(parts) as source:
        evaluation = evaluate(source, inspector)
        scores, document, report = write_evaluation(evaluation, source, inspector, tmp_path)
    assert [path.name for path in (scores, document, report)] == [
        "scores.csv",
        "evaluation.json",
        "report.html",
    ]
    html = report.read_text(encoding="utf-8")
    assert "2 of 6 bad parts accepted; 1 of 10 good parts rejected; AUROC 0.974" in html
    assert "split <b>test</b>" in html
    assert "2 of 6: 33.3 % (4.3 to 77.7)" in html
    assert html.count("<svg") == 3
    # Twelve worst at most of each kind, each with its heat.
    assert html.count("<img") == 2 * (6 + 12)
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    assert not re.search(r"\bnan\b", re.sub(r"data:[^\"]*", "", html), re.I)


def test_the_report_without_masks_or_bad_parts_names_what_is_missing(tmp_path):
    for k in range(3):
        write_part(tmp_path, f"good/{k}.png")
    inspector = BrightnessInspector(calibrated=False)
    with open_source(tmp_path) as source:
        found = evaluate(source, inspector)
        report = write_evaluation(found, source, inspector, tmp_path)[2].read_text("utf-8")
    assert "Not measured" in report
    assert "every picture is good" in report
    assert "Worst misses" not in report
    assert "AUPRO" not in report


def test_what_thresholds_rest_on_is_told_and_those_not_set_are_no_numbers(tmp_path):
    write_part(tmp_path / "parts", "good/0.png")
    write_part(tmp_path / "parts", "bad/0.png", spots=[(10, 10, 8, 250)])

    def told(inspector):
        with open_source(tmp_path / "parts") as source:
            found = evaluate(source, inspector)
            return write_evaluation(found, source, inspector, tmp_path)[2].read_text("utf-8")

    page = told(BrightnessInspector())
    assert "1 good picture of 1 part, 1 bad picture of 1 part;" in page
    assert "it is rejected. Thresholds: set by hand." in page
    blind = BrightnessInspector(review=-NO_THRESHOLD, reject=NO_THRESHOLD)
    page = told(blind)
    assert "Every part goes to review, as no threshold for that is set. Thresholds:" in page
    assert "above 1e+30" not in page


def test_the_report_of_a_comparison(parts, tmp_path):
    pair = {
        "loose": BrightnessInspector(),
        "<b>strict": BrightnessInspector(review=0.2, reject=0.25),
    }
    with open_source(parts) as source:
        found = compare(source, pair, costs=Costs(50, 1, 0.01))
        html = write_comparison(found, source, pair, tmp_path)[2].read_text(encoding="utf-8")
    assert "&lt;b&gt;strict" in html
    assert "<b>strict" not in html
    assert "3 of 32 pictures get different verdicts" in html
    assert "on 2 more one finds a defect that another misses" in html
    # Five pictures, each with the heat of two recipes.
    assert html.count("<img") == 15
    assert "cost per part" in html
    assert html.count("<svg") == 3


def test_figures_in_words():
    assert share(Share(12, 50)) == "12 of 50: 24.0 % (13.1 to 38.2)"
    assert rate(Rate(12, 50, Share(12, 50))) == share(Share(12, 50))
    assert rate(Rate(20, 80, Share(12, 50))).endswith("; pictures 20 of 80")
    assert rate(None) == "none"
    assert estimate(Estimated(0.9621, (0.94, 0.98), 10, 5)) == "0.962 (0.940 to 0.980)"
    assert "too few" in estimate(Estimated(1.0, None, 2, 2))


def test_escape_and_overkill_at_every_threshold():
    flags = (False, True, False, True)
    values = (0.1, 0.4, 0.35, 0.8)
    parts = [
        EvaluatedPart(str(k), bad, score, 1.0, "accept")
        for k, (bad, score) in enumerate(zip(flags, values, strict=True))
    ]
    thresholds, escape, overkill = trade_off(parts)
    assert thresholds[1:].tolist() == [0.1, 0.35, 0.4, 0.8]
    assert escape.tolist() == [0, 0, 0, 0.5, 1]
    assert overkill.tolist() == [1, 0.5, 0, 0, 0]


def test_charts_are_drawn_the_same_every_time():
    curve = (np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    args = ({"a $x$": curve}, {"a $x$": (0.0, 1.0)})
    assert escape_against_overkill(*args) == escape_against_overkill(*args)
    assert "a $x$" in escape_against_overkill(*args)
    assert promised_and_observed([0.01], [0.0], [0.0], [0.1]).startswith("<svg")
