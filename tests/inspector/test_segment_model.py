from dataclasses import replace

import cv2
import numpy as np
import pytest

from flawline.data.image import read_image
from flawline.errors import FlawlineError, ImageError, ModelError
from flawline.inspector import Inspector
from flawline.recipe import read_recipe, recipe_with, write_recipe
from helpers.drawn_segmenter import segment_recipe

AREA = {"limit": "area", "class": "dark", "max": "50 px2"}


def png(spots=(), size=(80, 100)):
    """Grey 100, which is neither; spots are (left, top, side, grey)."""
    pixels = np.full((*size, 3), 100, np.uint8)
    for left, top, side, grey in spots:
        pixels[top : top + side, left : left + side] = grey
    return cv2.imencode(".png", pixels)[1].tobytes()


@pytest.fixture
def recipe(tmp_path):
    return segment_recipe(tmp_path / "network.onnx")


def test_a_part_without_marks_is_accepted(recipe):
    found = Inspector(recipe).inspect(png())
    assert found.verdict == "accept"
    assert found.regions == ()
    assert found.score == pytest.approx(1 / 3, abs=1e-6)
    assert found.measures["count_dark"] == 0
    assert "no defect is marked" in found.reasons[0]


def test_marks_are_measured_by_class_and_reject(recipe):
    found = Inspector(recipe).inspect(png([(10, 20, 8, 0), (60, 40, 5, 250), (80, 60, 3, 250)]))
    assert found.verdict == "reject"
    assert found.reasons[0].startswith("2 brights, 1 dark marked")
    assert sorted((r.label, r.area, r.box) for r in found.regions) == [
        ("bright", 9, (80, 60, 3, 3)),
        ("bright", 25, (60, 40, 5, 5)),
        ("dark", 64, (10, 20, 8, 8)),
    ]
    assert found.measures["count_bright"] == 2
    assert found.measures["LargestDarkArea"] == 49
    assert np.bincount(found.class_mask.ravel()).tolist()[1:] == [64, 34]
    dark = next(region for region in found.regions if region.label == "dark")
    assert dark.measures["rectangle_length"] == pytest.approx(8)
    assert dark.peak == pytest.approx(found.map[20 // 4 : 28 // 4, 12 // 4 : 16 // 4].max())


def test_thresholds_and_smallest_decide_what_is_marked(tmp_path):
    weak = png([(10, 20, 8, 80)])  # a logit of 0.8 against 0 and -0.8: probability 0.60
    for thresholds, marks in (((0.55, 0.9), 1), ((0.65, 0.9), 0)):
        recipe = segment_recipe(tmp_path / "a.onnx", thresholds=thresholds)
        assert len(Inspector(recipe).inspect(weak).regions) == marks
    recipe = segment_recipe(tmp_path / "b.onnx", smallest=10)
    found = Inspector(recipe).inspect(png([(10, 20, 3, 0), (40, 20, 4, 0)]))
    assert [region.area for region in found.regions] == [16]
    assert found.class_mask.sum() == 16


def test_a_specification_judges_instead(tmp_path):
    recipe = segment_recipe(tmp_path / "a.onnx", spec={"name": "A", "limits": [AREA]})
    inspector = Inspector(recipe)
    small, large = png([(10, 20, 7, 0)]), png([(10, 20, 8, 0)])
    accepted = inspector.inspect(small)
    assert accepted.verdict == "accept"
    assert accepted.spec == inspector.spec.hash
    assert "closest" in accepted.reasons[0]
    rejected = inspector.inspect(large)
    assert rejected.verdict == "reject"
    assert "64 px2, limit 50 px2, margin -14 px2" in rejected.reasons[0]
    written = write_recipe(recipe, tmp_path / "part.flaw")
    assert Inspector.open(written).inspect(large).reasons == rejected.reasons


def test_a_class_that_the_specification_does_not_cover_is_reviewed(tmp_path):
    both, dark_only = png([(10, 20, 7, 0), (50, 50, 9, 250)]), png([(10, 20, 7, 0)])
    inspector = Inspector(segment_recipe(tmp_path / "a.onnx", spec={"limits": [AREA]}))
    found = inspector.inspect(both)
    assert found.verdict == "review"
    assert found.reasons == ("review: no clause covers 'bright': 1 defect",)
    assert inspector.inspect(dark_only).verdict == "accept"
    allowed = [AREA, {"limit": "count", "class": "bright", "min": 0}]
    covered = Inspector(segment_recipe(tmp_path / "b.onnx", spec={"limits": allowed}))
    assert covered.inspect(both).verdict == "accept"


def test_millimetres_need_a_scale(tmp_path):
    limit = {**AREA, "max": "0.5 mm2"}
    with pytest.raises(ModelError, match=r"line \d+.*mm"):
        segment_recipe(tmp_path / "a.onnx", spec={"limits": [limit]})
    recipe = segment_recipe(tmp_path / "a.onnx", spec={"limits": [limit]}, mm_per_px=0.1)
    found = Inspector(recipe).inspect(png([(10, 20, 8, 0)]))
    assert found.regions[0].measures["area_mm2"] == pytest.approx(0.64)
    # Three quarters of a square millimetre too much would be sure; this lies within the edge's uncertainty.
    assert found.verdict in ("review", "reject")


def test_a_class_that_the_recipe_does_not_know_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"line \d+: unknown class 'darc'") as caught:
        segment_recipe(tmp_path / "a.onnx", spec={"limits": [{**AREA, "class": "darc"}]})
    assert "dark" in caught.value.hint


def test_what_cannot_be_judged_by_the_specification_is_not_accepted(tmp_path):
    limit = {"limit": "p_value", "min": 0.01}
    recipe = segment_recipe(tmp_path / "a.onnx", spec={"limits": [limit]})
    with pytest.raises(ImageError) as caught:
        Inspector(recipe).inspect(png())
    assert caught.value.code == "image-spec"
    held = {"calibration_scores": np.arange(99) / 100, "calibration_peaks": np.arange(99) / 100}
    inspector = Inspector(recipe_with(recipe, arrays=held))
    assert inspector.inspect(png()).verdict == "accept"
    assert inspector.inspect(png([(10, 20, 8, 0)])).p_value == pytest.approx(0.01)


def test_outside_the_region_of_interest_nothing_is_marked(recipe):
    interest = replace(
        recipe.settings.region_of_interest,
        unit="relative",
        polygons=(((0, 0), (0.5, 0), (0.5, 1), (0, 1)),),
    )
    inside = recipe_with(recipe, settings=replace(recipe.settings, region_of_interest=interest))
    found = Inspector(inside).inspect(png([(10, 20, 8, 0), (60, 40, 5, 250)]))
    assert [region.label for region in found.regions] == ["dark"]


def test_probabilities_are_those_of_the_network(recipe):
    picture = read_image(png([(10, 20, 8, 0)]))
    shares = Inspector(recipe).probabilities(picture)
    assert shares.shape == (3, 80, 100)
    np.testing.assert_allclose(shares.sum(0), 1, atol=1e-6)
    assert shares[1, 24, 14] > 0.95


def test_the_same_picture_gives_the_same_inspection(recipe, tmp_path):
    data = png([(10, 20, 8, 0)])
    read = read_recipe(write_recipe(recipe, tmp_path / "part"))
    one, other = Inspector(recipe).inspect(data), Inspector(read).inspect(data)
    assert one.map.tobytes() == other.map.tobytes()
    assert one.class_mask.tobytes() == other.class_mask.tobytes()
    assert one.measures == other.measures


def test_an_error_of_the_picture_is_one_of_flawline(recipe):
    with pytest.raises(FlawlineError):
        Inspector(recipe).inspect(b"no picture")
