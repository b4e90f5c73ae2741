"""Segmenters of a known difference, side by side and beside a detector."""

import json

import pytest

from flawline.data.masks import MaskSettings
from flawline.data.source import open_source
from flawline.inspector import Inspector
from flawline.jobs.evaluate import timing
from flawline.jobs.evaluate.compare import compare
from flawline.jobs.evaluate.differences import Costs
from flawline.jobs.evaluate.evaluation_tables import comparison_as_dict
from flawline.jobs.evaluate.figures import EvaluatedPart
from helpers.drawn_segmenter import segment_recipe
from helpers.segmented_parts import write_segmented
from helpers.stub_inspector import BrightnessInspector

MASKS = MaskSettings(classes=("dark", "bright"), ignore=255)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "TIMED", 0.1)
        yield


@pytest.fixture(scope="module")
def inspectors(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipes")
    return {
        "strict": Inspector(segment_recipe(folder / "a.onnx")),
        "sharp": Inspector(segment_recipe(folder / "b.onnx", thresholds=(0.36, 0.9))),
    }


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_segmented(tmp_path_factory.mktemp("segmented"))


@pytest.fixture(scope="module")
def comparison(parts, inspectors):
    with open_source(parts) as source:
        return compare(source, inspectors, masks=MASKS, costs=Costs(50, 1, 0.1))


def row(comparison, name):
    return next(row for row in comparison.rows if row.name.startswith(name))


def test_the_intersection_over_union_gains_what_was_missed(comparison):
    mean, dark, bright = (row(comparison, f"{n}") for n in ("mean IoU", "IoU of dark", "IoU of br"))
    assert dark.values == pytest.approx((676 / 808, 708 / 808))
    assert dark.differences[0].value == pytest.approx(32 / 808)
    assert dark.differences[0].low >= 0
    assert bright.differences[0].value == 0
    assert mean.differences[0].value == pytest.approx(16 / 808)
    assert mean.differences[0].groups == 18


def test_what_one_misses_is_shown(comparison):
    # d4 is accepted by one; d5 is rejected by both, for its bright place, and one misses the dark one.
    assert comparison.disagreements == ("bad/d4.png",)
    assert comparison.found_apart == ("bad/d5.png",)
    assert row(comparison, "escape").values == pytest.approx((1 / 8, 0))
    assert row(comparison, "defect regions").values == pytest.approx((11 / 13, 1))


def test_the_ranking_has_the_cost_of_both(comparison):
    by_name = {one.name: one for one in comparison.ranking}
    assert by_name["sharp"].cost == pytest.approx(0.9 * 0.1)
    assert by_name["strict"].cost == pytest.approx(0.1 * 50 / 8 + 0.9 * 0.1)
    assert by_name["sharp"].more is None
    assert by_name["sharp"].as_cheap
    assert by_name["strict"].more.value == pytest.approx(0.1 * 50 / 8)
    document = json.loads(json.dumps(comparison_as_dict(comparison), allow_nan=False))
    assert [one["name"] for one in document["ranking"]] == [one.name for one in comparison.ranking]
    assert document["found_apart"] == ["bad/d5.png"]


def test_a_detector_beside_a_segmenter(parts, inspectors):
    pair = {"sharp": inspectors["sharp"], "bright": BrightnessInspector(review=0.45, reject=0.9)}
    with open_source(parts) as source:
        found = compare(source, pair, masks=MASKS)
    mean = row(found, "mean IoU")
    assert mean.values[1] is None
    assert mean.differences == (None,)
    assert mean.reason == "only a segmenter has classes"
    # Both are held against the same regions in the same order.
    assert row(found, "defect regions").values == pytest.approx((1, 6 / 13))
    assert found.ranking == ()
    # Nothing about pixels stands between them: the first one's thresholds are on pixels, the other's on a score.
    assert [one.thresholds for one in found.evaluations] == [None, (0.45, 0.9)]


def test_parts_without_a_p_value_have_none():
    assert EvaluatedPart("a", True, 0.5, None, "accept").p_value is None


def test_without_good_parts_there_is_no_cost_and_the_rest_is_measured(parts, inspectors):
    rows = parts.read_text(encoding="utf-8").splitlines()
    bad = parts.with_name("bad.csv")
    bad.write_text("\n".join([rows[0], *(r for r in rows if ",bad," in r)]), encoding="utf-8")
    with open_source(bad) as source:
        found = compare(source, inspectors, masks=MASKS, costs=Costs(50, 1, 0.1))
    assert found.ranking == ()
    assert row(found, "cost").reason == "parts are all good or all bad"
    assert row(found, "overkill").reason == "no part is good"
    assert row(found, "mean IoU").differences[0].value > 0
    assert row(found, "milliseconds").values[0] > 0
    json.dumps(comparison_as_dict(found), allow_nan=False)
