"""A segmenter whose every mark is known, held against class masks whose every pixel is known."""

import csv
import hashlib
import json

import cv2
import numpy as np
import pytest

from flawline.data.masks import MaskSettings
from flawline.data.source import open_source
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.jobs.evaluate import timing
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.evaluation_tables import evaluation_as_dict, write_scores
from flawline.jobs.evaluate.segmentation_tables import write_class_table, write_region_table
from flawline.recipe import PictureRecord, RecipeManifest, recipe_with
from helpers.drawn_segmenter import segment_recipe
from helpers.segmented_parts import HIDDEN, SEEN, write_picture, write_segmented
from helpers.stub_inspector import BrightnessInspector

MASKS = MaskSettings(ignore=255)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "TIMED", 0.1)
        yield


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_segmented(tmp_path_factory.mktemp("segmented"))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return segment_recipe(tmp_path_factory.mktemp("recipe") / "network.onnx")


@pytest.fixture(scope="module")
def evaluation(parts, recipe):
    with open_source(parts) as source:
        return evaluate(source, Inspector(recipe), masks=MASKS)


@pytest.fixture(scope="module")
def found(evaluation):
    return evaluation.segmentation


def test_pixels_are_counted_by_true_and_marked_class(found):
    assert found.classes == ("background", "dark", "bright")
    # Dark: 4 x 144 + 100 seen, 2 x 16 hidden, 100 drawn bright. 36 pixels are unknown, 9 good ones bright.
    assert found.counts[1] == (32, 676, 100)
    assert found.counts[2] == (0, 0, 4 * 64 + 36)
    assert found.counts[0] == (18 * 64 * 64 - 36 - 808 - 292 - 9, 0, 9)
    assert found.by_true_class[1] == pytest.approx((32 / 808, 676 / 808, 100 / 808))
    dark, bright = found.defects
    assert dark.figures.iou == pytest.approx(676 / 808)
    assert bright.figures.iou == pytest.approx(292 / 401)
    assert (bright.figures.precision, bright.figures.recall) == (pytest.approx(292 / 401), 1)
    assert found.mean_iou.value == pytest.approx((676 / 808 + 292 / 401) / 2)
    low, high = found.mean_iou.interval
    assert low < found.mean_iou.value < high
    assert found.accuracy > 0.99
    assert (found.pictures, found.parts) == (18, 18)


def test_defects_are_found_by_any_mark_and_named_by_their_own(found):
    dark, bright = found.defects
    assert (dark.name, dark.threshold) == ("dark", 0.9)
    assert (dark.found.regions.hits, dark.found.regions.of) == (6, 8)
    assert (dark.named.regions.hits, dark.named.regions.of) == (5, 8)
    assert (bright.found.regions.hits, bright.named.regions.hits) == (5, 5)
    # The dark place that is called bright touches no bright pixel; nor does the place on the good part.
    assert (dark.false_regions, bright.false_regions) == (0, 2)
    assert sum(size.regions.hits for size in dark.by_size) == 5
    assert (dark.by_size[0].name, dark.by_size[0].regions.hits) == ("below 100 px²", 0)
    assert (found.unmarked.hits, found.unmarked.of) == (1, 8)
    assert (found.marked_good.hits, found.marked_good.of) == (1, 10)


def test_parts_are_judged_by_their_marks(evaluation):
    assert (evaluation.rates.escape.parts.hits, evaluation.rates.escape.parts.of) == (1, 8)
    assert (evaluation.rates.overkill.parts.hits, evaluation.rates.overkill.parts.of) == (1, 10)
    assert evaluation.thresholds is None
    assert evaluation.recall.regions.hits == 11
    assert {one.name for one in evaluation.recall_by_label} == {"dark", "bright"}
    assert all(picture.p_value is None for picture in evaluation.pictures)
    assert evaluation.missing == {"p_values": "the recipe holds no scores of held-out good parts"}
    assert "class masks (index): dark, bright" in evaluation.messages
    assert any(
        "dark: 8 defects; MIL-HDBK-1823A asks for 60" in text for text in evaluation.messages
    )


def test_target_recalls_tell_what_thresholds_would_do(found):
    recalls = [target.recall for target in found.targets]
    assert recalls == [k / 20 for k in range(1, 21)]
    # Hidden pixels are darker by 4 levels, which makes them dark with 0.387. What is drawn bright is never found.
    dark, bright = found.targets[-1].chosen
    assert (dark.threshold, dark.recall, dark.reached) == (0.387, pytest.approx(708 / 808), False)
    assert (bright.recall, bright.reached) == (1, True)
    assert found.targets[-1].escape.hits == 0
    half = next(target for target in found.targets if target.recall == 0.5)
    assert half.escape.hits == 1
    assert half.overkill.hits == 1


def test_size_that_is_found_or_the_reason_why_not(found):
    dark, bright = (one.pod for one in found.defects)
    assert (dark.defects, dark.found, dark.smallest, dark.largest) == (8, 5, 4, 12)
    assert dark.a90 is None
    assert "any steep curve" in dark.reason
    assert bright.reason == "all 5 defects were found"
    assert found.unit == "px"


def test_sizes_are_in_millimetres_where_the_scale_is_known(parts, tmp_path):
    recipe = segment_recipe(tmp_path / "n.onnx", mm_per_px=0.05)
    with open_source(parts) as source:
        found = evaluate(source, Inspector(recipe), masks=MASKS).segmentation
    assert found.unit == "mm"
    assert found.defects[0].pod.largest == pytest.approx(0.6)


def test_the_document_and_the_tables(evaluation, found, tmp_path):
    document = json.loads(json.dumps(evaluation_as_dict(evaluation), allow_nan=False))
    held = document["segmentation"]
    assert held["confusion"]["pixels"][1] == [32, 676, 100]
    assert held["defects"][0]["found"]["regions"]["hits"] == 6
    assert held["defects"][0]["pod"]["a90"] is None
    assert len(held["wishes"]) == 20
    with write_class_table(found, tmp_path / "classes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["background", "dark", "bright"]
    assert (rows[1]["regions"], rows[1]["found"], rows[1]["named"]) == ("8", "6", "5")
    assert rows[1]["a90_px"] == ""
    assert rows[2]["pod_reason"] == "all 5 defects were found"
    path = write_region_table(evaluation.pictures, tmp_path / "regions.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 13
    assert {"image": "bad/d6.png", "group": "d6", "class": "dark", "area_px": "100"}.items() <= (
        next(row for row in rows if row["image"] == "bad/d6.png").items()
    )
    assert sum(int(row["found"]) for row in rows) == 11
    scores = (
        write_scores(evaluation, tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()
    )
    assert scores[0].endswith("score,p_value,verdict")


def test_the_same_twice(parts, recipe, evaluation):
    with open_source(parts) as source:
        other = evaluate(source, Inspector(recipe), masks=MASKS)
    one, two = (
        {
            k: v
            for k, v in evaluation_as_dict(e).items()
            if k not in ("milliseconds", "pictures_per_second")
        }
        for e in (evaluation, other)
    )
    assert one == two


def test_classes_are_matched_by_name_and_not_by_number(parts, recipe):
    swapped = MaskSettings(classes=("bright", "dark"), ignore=255)
    with open_source(parts) as source:
        found = evaluate(source, Inspector(recipe), masks=swapped).segmentation
    # What the masks call 1 is now bright: a dark place that is marked dark is a bright one marked wrongly.
    assert found.counts[2] == (32, 676, 100)


def test_a_class_that_the_recipe_does_not_know_is_an_error(parts, recipe):
    given = MaskSettings(classes=("dark", "brihgt"), ignore=255)
    with open_source(parts) as source, pytest.raises(UsageError, match="'brihgt'") as caught:
        evaluate(source, Inspector(recipe), masks=given)
    assert caught.value.code == "evaluation-classes"
    assert "Did you mean 'bright'" in caught.value.hint


def test_annotations_beside_the_source_name_their_classes(tmp_path, recipe):
    write_picture(tmp_path, "images/a.png", [(8, 8, 12, 1, SEEN)])
    write_picture(tmp_path, "images/b.png")
    square = [40, 40, 48, 40, 48, 48, 40, 48]
    document = {
        "images": [
            {"id": k, "file_name": name, "width": 64, "height": 64}
            for k, name in enumerate(("a.png", "b.png"))
        ],
        "categories": [{"id": 1, "name": "bright"}, {"id": 7, "name": "dark"}],
        "annotations": [
            {
                "id": 1,
                "image_id": 0,
                "category_id": 7,
                "segmentation": [[8, 8, 20, 8, 20, 20, 8, 20]],
            },
            {"id": 2, "image_id": 0, "category_id": 1, "segmentation": [square]},
        ],
    }
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with open_source(tmp_path / "images") as source:
        evaluation = evaluate(source, Inspector(recipe), masks=MaskSettings(path))
    found = evaluation.segmentation
    assert found.counts[1:] == ((0, 144, 0), (64, 0, 0))
    assert [picture.defective for picture in evaluation.pictures] == [True, False]


def test_without_class_masks_parts_are_judged_all_the_same(tmp_path, recipe):
    write_picture(tmp_path, "good/a.png")
    write_picture(tmp_path, "bad/b.png", [(8, 8, 12, 1, SEEN)])
    for path in (tmp_path / "masks").iterdir():
        path.unlink()
    with open_source(tmp_path) as source:
        evaluation = evaluate(source, Inspector(recipe))
    assert evaluation.segmentation is None
    assert "class mask" in evaluation.missing["segmentation"]
    assert evaluation.rates.escape.parts.hits == 0
    assert evaluation_as_dict(evaluation)["segmentation"] is None


def test_masks_that_cannot_be_used_are_named(tmp_path, recipe):
    rows = ["image,label,mask"]
    for name in "abc":
        mask = write_picture(tmp_path, f"{name}.png", [(8, 8, 12, 1, SEEN)])
        rows.append(f"{name}.png,bad,{mask}")
    rows.append(f"d.png,good,{write_picture(tmp_path, 'd.png')}")
    cv2.imwrite(str(tmp_path / "masks/a.png"), np.full((64, 64), 9, np.uint8))
    cv2.imwrite(str(tmp_path / "masks/b.png"), np.ones((8, 8), np.uint8))
    (tmp_path / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with open_source(tmp_path / "samples.csv") as source:
        evaluation = evaluate(source, Inspector(recipe))
    assert [item.image for item in evaluation.unjudged] == ["masks/a.png", "masks/b.png"]
    assert evaluation.segmentation.pictures == 2
    assert len(evaluation.pictures) == 4


def test_pictures_of_the_test_split_are_no_leak(parts, recipe):
    path = parts.parent / "bad/d0.png"
    record = PictureRecord(hashlib.sha256(path.read_bytes()).hexdigest(), "d0.png", "test")
    old = recipe.manifest
    kept = recipe_with(
        recipe,
        manifest=RecipeManifest(old.backbone, (record,), settings=old.settings, kind="segment"),
    )
    with open_source(parts) as source:
        assert len(evaluate(source, Inspector(kept), masks=MASKS).pictures) == 18
        known = (record._replace(role="train"),)
        leaky = recipe_with(
            recipe,
            manifest=RecipeManifest(old.backbone, known, settings=old.settings, kind="segment"),
        )
        with pytest.raises(UsageError, match="seen in training"):
            evaluate(source, Inspector(leaky), masks=MASKS)


def test_a_detector_takes_the_same_class_masks(parts):
    given = MaskSettings(classes=("dark", "bright"), ignore=255)
    with open_source(parts) as source:
        evaluation = evaluate(source, BrightnessInspector(review=0.45, reject=0.9), masks=given)
    assert evaluation.segmentation is None
    found = {one.name: (one.regions.hits, one.regions.of) for one in evaluation.recall_by_label}
    # It sees what is bright: five bright places and the dark one that is drawn bright.
    assert found == {"bright": (5, 5), "dark": (1, 8)}


def test_hidden_defects_are_found_at_a_lower_threshold(parts, tmp_path):
    assert HIDDEN < 100
    recipe = segment_recipe(tmp_path / "n.onnx", thresholds=(0.36, 0.9))
    with open_source(parts) as source:
        found = evaluate(source, Inspector(recipe), masks=MASKS)
    assert found.segmentation.unmarked.hits == 0
    assert found.segmentation.counts[1][0] == 0
