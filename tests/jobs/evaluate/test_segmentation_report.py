"""The reports of segmenters say what was measured, with true and marked classes side by side."""

import re

import numpy as np
import pytest

from flawline.core.drawing import class_colour
from flawline.core.pod import fit_pod
from flawline.data.masks import MaskSettings
from flawline.data.source import open_source
from flawline.inspector import Inspector
from flawline.jobs.evaluate import figures, timing
from flawline.jobs.evaluate.compare import compare
from flawline.jobs.evaluate.comparison_files import write_comparison
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.evaluation_charts import pod_against_size, rates_over
from flawline.jobs.evaluate.evaluation_files import write_evaluation
from helpers.drawn_segmenter import segment_recipe
from helpers.segmented_parts import write_segmented

MASKS = MaskSettings(ignore=255)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(figures, "DRAWS", 100)
    monkeypatch.setattr(timing, "TIMED", 0.1)


@pytest.fixture
def parts(tmp_path):
    return write_segmented(tmp_path)


def checked(path):
    html = path.read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    bare = re.sub(r"data:[^\"]*", "", html)
    assert not re.search(r"\b(nan|None|inf)\b", bare)
    return html


def test_the_report_of_a_segmenter(parts, tmp_path):
    inspector = Inspector(segment_recipe(tmp_path / "n.onnx"))
    with open_source(parts) as source:
        evaluation = evaluate(source, inspector, masks=MASKS)
        written = write_evaluation(evaluation, source, inspector, tmp_path, MASKS)
    assert [path.name for path in written] == [
        "scores.csv",
        "evaluation.json",
        "report.html",
        "classes.csv",
        "regions.csv",
    ]
    html = checked(written[2])
    assert (
        "1 of 8 bad parts accepted; 1 of 10 good parts rejected; mean IoU of defects 0.782" in html
    )
    assert "83.7 %" in html
    assert "676 px" in html
    assert "5 of 8: 62.5 %" in html
    assert "any steep curve" in html
    assert "p =" not in html
    # Histogram, escape against overkill, both over the score, both over the target recall; no size curve was to be had.
    assert html.count("<svg") == 4
    # Two pictures with missed defects, ten good ones.
    assert html.count("<img") == 2 * (2 + 10)


def test_side_by_side_where_segmenters_differ(parts, tmp_path):
    pair = {
        "strict": Inspector(segment_recipe(tmp_path / "a.onnx")),
        "sharp": Inspector(segment_recipe(tmp_path / "b.onnx", thresholds=(0.36, 0.9))),
    }
    with open_source(parts) as source:
        found = compare(source, pair, masks=MASKS, costs=Costs(50, 1, 0.1))
        html = checked(write_comparison(found, source, pair, tmp_path, MASKS)[2])
    assert "Which to take" in html
    assert "the cheapest" in html
    assert "1 of 18 pictures get different verdicts" in html
    assert "on 1 more one finds a defect that another misses" in html
    assert html.count("<img") == 2 * 3
    assert "rgb({}, {}, {})".format(*class_colour(1)) in html


def test_a_size_curve_is_drawn_the_same_every_time():
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.normal(2, 0.8, 80))
    pod = fit_pod(sizes, rng.random(80) < 1 / (1 + np.exp(-3 * (np.log(sizes) - 1.5))))
    chart = pod_against_size(pod, "a $x$ <b>", "mm")
    assert chart == pod_against_size(pod, "a $x$ <b>", "mm")
    assert f"a90 {pod.a90:.3g} mm" in chart
    assert "&lt;b&gt;" in chart
    with pytest.raises(ValueError, match="all 2 defects were found"):
        pod_against_size(fit_pod([1, 2], [True, True]), "a", "mm")
    assert rates_over([0, 1], [1, 0], [0, 1], "x", at=0.5).startswith("<svg")
