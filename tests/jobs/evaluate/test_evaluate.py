"""A recipe whose every answer is known, on pictures whose every answer is known."""

import hashlib
import json

import cv2
import numpy as np
import pytest

from flawline.data.source import open_source
from flawline.errors import ModelError, UsageError
from flawline.jobs.evaluate.evaluate import evaluate
from flawline.jobs.evaluate.evaluation_tables import (
    evaluation_as_dict,
    write_evaluation_json,
    write_scores,
)
from flawline.recipe.manifest import PictureRecord
from flawline.types import Unjudged
from helpers.stub_inspector import BrightnessInspector, write_part, write_parts


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def evaluation(parts):
    with open_source(parts) as source:
        return evaluate(source, BrightnessInspector())


def known(path, role="train"):
    return PictureRecord(hashlib.sha256(path.read_bytes()).hexdigest(), path.name, role)


def test_escape_and_overkill_count_parts_once_and_pictures_apart(evaluation):
    escape, overkill = evaluation.rates.escape, evaluation.rates.overkill
    assert (escape.hits, escape.of) == (2, 6)
    assert (escape.parts.hits, escape.parts.of) == (2, 6)
    # The good pictures of bad parts are good pictures, and no good parts.
    assert (overkill.hits, overkill.of) == (1, 26)
    assert (overkill.parts.hits, overkill.parts.of) == (1, 10)
    assert evaluation.rates.good_to_review.parts.hits == 1
    assert evaluation.rates.bad_to_review.parts.hits == 0
    assert overkill.parts.interval == pytest.approx((0.0025286, 0.4450161), abs=1e-6)


def test_auroc_is_the_share_of_pairs_in_order(evaluation):
    # 6 bad: four at 0.9, two at 0.3. 26 good: one at 0.7, one at 0.5, 24 at about 0.1.
    assert evaluation.auroc.value == pytest.approx((4 * 26 + 2 * 24) / (6 * 26))
    assert (evaluation.auroc.pictures, evaluation.auroc.parts) == (32, 16)
    low, high = evaluation.auroc.interval
    assert low < evaluation.auroc.value <= high
    # Down the ranking: 4 of 4, then 0.7, 0.5, then the two at 0.3 together.
    assert evaluation.average_precision.value == pytest.approx((4 + 2 * 6 / 8) / 6)


def test_labels_stand_alone_against_all_good_pictures(evaluation):
    chip, crack = evaluation.labels
    assert (chip.label, chip.pictures, chip.auroc.value) == ("chip", 2, 1.0)
    assert crack.auroc.value == pytest.approx((2 * 26 + 2 * 24) / (4 * 26))
    assert (crack.accepted.parts.hits, crack.accepted.parts.of) == (2, 4)
    assert (crack.rejected.parts.hits, chip.rejected.parts.hits) == (2, 2)


def test_recall_by_region_part_label_and_size(evaluation):
    everything = evaluation.recall
    assert (everything.regions.hits, everything.regions.of) == (4, 8)
    assert (everything.parts.hits, everything.parts.of) == (4, 6)
    found = {one.name: (one.regions.hits, one.regions.of) for one in evaluation.recall_by_label}
    # Masks of two classes, each under one label: the classes have the names of the labels.
    assert found == {"crack": (2, 4), "chip": (2, 4)}
    sizes = [(one.name, one.regions.hits, one.regions.of) for one in evaluation.recall_by_size]
    assert sum(of for _, _, of in sizes) == 8
    assert sizes[0] == ("below 256 px²", 0, 2)


def test_pixel_figures_count_pictures_with_masks_and_good_ones(evaluation):
    pixels = evaluation.pixels
    assert (pixels.pictures, pixels.regions) == (32, 8)
    # Every defect is brighter than the background, which the cells touch by interpolation only.
    assert 0.9 < pixels.auroc.value <= 1
    assert 0 < pixels.aupro_strict.value <= pixels.aupro.value <= 1


def test_p_values_are_held_against_their_promise(evaluation):
    tenth = evaluation.promises[-1]
    assert tenth.p == 0.1
    # A p-value up to 0.1 needs a score of at least 0.9; no good part has it.
    assert (tenth.observed.parts.hits, tenth.observed.parts.of) == (0, 10)


def test_the_test_split_is_taken_and_named(parts, evaluation):
    assert evaluation.split == "test"
    assert any("'test'" in text and "1 picture " in text for text in evaluation.messages)
    with open_source(parts) as source:
        everything = evaluate(source, BrightnessInspector(), split="all")
        train = evaluate(source, BrightnessInspector(), split="Train")
        with pytest.raises(UsageError, match=r"no split 'validation'.*'test', 'train'"):
            evaluate(source, BrightnessInspector(), split="validation")
    assert everything.split is None
    assert len(everything.pictures) == 33
    assert [p.sample.name for p in train.pictures] == ["good/t0.png"]


def test_what_cannot_be_measured_is_left_out_with_the_reason(parts):
    with open_source(parts) as source:
        train = evaluate(source, BrightnessInspector(calibrated=False), split="train")
    assert train.auroc is None
    assert train.pixels is None
    assert train.rates.escape is None
    assert set(train.missing) == {
        "auroc",
        "average_precision",
        "pixels",
        "recall",
        "escape",
        "p_values",
    }
    json.dumps(evaluation_as_dict(train), allow_nan=False)


def test_pictures_that_the_recipe_knows_are_refused(parts):
    folder = parts.parent
    names = [f"good/g{k}_0.png" for k in range(5)]
    seen = tuple(known(folder / name, "calibration") for name in names)
    inspector = BrightnessInspector(known=(*seen, known(folder / "good/t0.png")))
    with open_source(parts) as source, pytest.raises(UsageError) as caught:
        evaluate(source, inspector)
    assert caught.value.code == "evaluation-leak"
    assert "5 of 32 pictures" in caught.value.message
    assert "good/g0_0.png (calibration of the recipe)" in caught.value.message
    assert "and 2 more" in caught.value.message
    assert "`drop_known`" in caught.value.hint


def test_known_pictures_are_dropped_with_the_rest_of_their_parts(parts):
    seen = (known(parts.parent / "good/g1_0.png"),)
    with open_source(parts) as source:
        evaluation = evaluate(source, BrightnessInspector(known=seen), drop_known=True)
    assert evaluation.dropped == ("good/g1_0.png", "good/g1_1.png")
    assert evaluation.rates.overkill.parts.of == 9
    assert any("1 more picture of the same parts" in text for text in evaluation.messages)


def test_the_same_bytes_under_another_name_are_known_too(parts, tmp_path):
    original = parts.parent / "good/g3_0.png"
    write_part(tmp_path, "bad/x.png", [(8, 8, 8, 230)])
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "renamed.png").write_bytes(original.read_bytes())
    inspector = BrightnessInspector(known=(known(original),))
    with open_source(tmp_path) as source, pytest.raises(UsageError, match=r"renamed\.png"):
        evaluate(source, inspector)


def test_dropping_everything_is_an_error(tmp_path):
    path = write_part(tmp_path, "good/x.png")
    inspector = BrightnessInspector(known=(known(path),))
    with open_source(tmp_path) as source, pytest.raises(Exception, match="none is left"):
        evaluate(source, inspector, drop_known=True)


def test_without_thresholds_nothing_is_evaluated(parts):
    inspector = BrightnessInspector()
    inspector.recipe.settings.threshold = None
    with open_source(parts) as source, pytest.raises(ModelError) as caught:
        evaluate(source, inspector)
    assert caught.value.code == "recipe-uncalibrated"


def test_pictures_without_a_meaning_are_left_out_and_said(tmp_path):
    write_part(tmp_path, "good/a.png")
    write_part(tmp_path, "bad/b.png", [(8, 8, 16, 230)])
    write_part(tmp_path, "odd/c.png", [(8, 8, 16, 128)])
    with open_source(tmp_path) as source:
        evaluation = evaluate(source, BrightnessInspector())
    assert len(evaluation.pictures) == 2
    assert any("1 picture left out" in text for text in evaluation.messages)
    assert any("no group column" in text for text in evaluation.messages)
    # Two parts are too few to draw from: the value stands without an interval.
    assert evaluation.auroc.value == 1.0
    assert evaluation.auroc.interval is None


def test_labels_that_say_nothing_are_an_error(tmp_path):
    write_part(tmp_path, "one/a.png")
    with open_source(tmp_path) as source, pytest.raises(UsageError) as caught:
        evaluate(source, BrightnessInspector())
    assert caught.value.code == "evaluation-unlabelled"
    assert "`good`" in caught.value.hint


def test_without_labels_masks_say_what_is_bad(tmp_path):
    write_part(tmp_path, "images/a.png", mask="masks/a.png")
    write_part(tmp_path, "images/b.png", [(8, 8, 16, 230)], mask="masks/b.png", value=255)
    with open_source(tmp_path) as source:
        evaluation = evaluate(source, BrightnessInspector())
    assert [p.defective for p in evaluation.pictures] == [False, True]
    assert evaluation.recall.regions.value == 1.0


def test_unreadable_pictures_and_masks_are_named_and_the_rest_goes_on(tmp_path):
    rows = ["image,label,mask"]
    for name, label in (("a", "good"), ("b", "bad"), ("c", "bad"), ("d", "bad")):
        spots = [(8, 8, 16, 230)] if label == "bad" else []
        write_part(tmp_path, f"{name}.png", spots, mask=f"{name}_mask.png")
        rows.append(
            f"{name}.png,{label},{name}_mask.png" if label == "bad" else f"{name}.png,good,"
        )
    (tmp_path / "b.png").write_bytes(b"no picture")
    (tmp_path / "c_mask.png").write_bytes(b"no mask")
    cv2.imwrite(str(tmp_path / "d_mask.png"), np.zeros((10, 12), np.uint8))
    (tmp_path / "samples.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with open_source(tmp_path / "samples.csv") as source:
        evaluation = evaluate(source, BrightnessInspector())
        assert all(isinstance(item, Unjudged) for item in evaluation.unjudged)
    assert [item.image for item in evaluation.unjudged] == ["b.png", "c_mask.png", "d_mask.png"]
    assert "mask of c.png" in evaluation.unjudged[1].reason
    assert "64 x 64" in evaluation.unjudged[2].reason
    assert "12 x 10" in evaluation.unjudged[2].reason
    assert [p.sample.name for p in evaluation.pictures] == ["a.png", "c.png", "d.png"]
    assert evaluation.exit_code == 2
    scores = (
        write_scores(evaluation, tmp_path / "scores.csv").read_text(encoding="utf-8").splitlines()
    )
    assert scores[0] == "image,label,meaning,group,score,p_value,verdict"
    assert len(scores) == 7
    assert scores[4].startswith('b.png,,,,,,"could not be judged')


def test_a_mask_that_contradicts_its_label_is_not_used(tmp_path):
    write_part(tmp_path, "a.png", [(8, 8, 16, 128)], mask="a_m.png")
    write_part(tmp_path, "b.png", mask="b_m.png")
    text = "image,label,mask\na.png,good,a_m.png\nb.png,bad,b_m.png\n"
    (tmp_path / "samples.csv").write_text(text, encoding="utf-8")
    with open_source(tmp_path / "samples.csv") as source:
        evaluation = evaluate(source, BrightnessInspector())
    assert evaluation.pixels is None
    assert evaluation.recall is None
    assert any("contradicts the label of 2 pictures" in text for text in evaluation.messages)


def test_parts_in_several_splits_are_warned_of(tmp_path):
    for name in ("a", "b", "c"):
        write_part(tmp_path, f"{name}.png")
    text = "image,label,group,split\na.png,good,p,train\nb.png,good,p,test\nc.png,good,q,test\n"
    (tmp_path / "samples.csv").write_text(text, encoding="utf-8")
    with open_source(tmp_path / "samples.csv") as source:
        evaluation = evaluate(source, BrightnessInspector())
    assert any(
        text.startswith("warning: 1 part of the split 'test'") for text in evaluation.messages
    )


def test_the_document_is_the_same_every_time_but_for_the_times(parts, tmp_path):
    texts = []
    for name in ("one", "two"):
        with open_source(parts) as source:
            found = evaluate(source, BrightnessInspector())
        document = json.loads(
            write_evaluation_json(found, tmp_path / f"{name}.json").read_text(encoding="utf-8")
        )
        assert document.pop("pictures_per_second") > 0
        assert document.pop("milliseconds") == {"model": 2.0, "judge": 1.0, "total": 3.0}
        texts.append(json.dumps(document))
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert document["group_column"] == "group"
    assert document["counts"]["bad"] == {"pictures": 6, "parts": 6}
    assert document["rates"]["escape"]["parts"]["hits"] == 2
    assert document["worst_misses"][0]["verdict"] == "accept"
    assert document["worst_false_alarms"][0]["image"] == "good/g1_0.png"
