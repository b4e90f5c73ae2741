"""Segmenters that learn from boxes, or from strokes: what they claim, and what they refuse."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from flawline.cli.main import run
from flawline.data.masks import open_masks
from flawline.errors import SourceError
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.recipe import read_recipe

REASON = "the extra [train] is not installed; `make test-train` runs this"
pytest.importorskip("torch", reason=REASON)
pytest.importorskip("segmentation_models_pytorch", reason=REASON)
pytestmark = pytest.mark.train

from flawline.jobs.train.segment.train_segment import TrainSegmentSettings, train_segment  # noqa: E402

UNKNOWN = 200
TRAINING = SegmentSettings(patch=(64, 64), epochs=1, patches=8, batch=8, precision="f32")


@pytest.fixture
def plates(drawn_source, tmp_path):
    """Sixteen plates: pictures in a folder, and their full masks by name."""
    drawn, folder = drawn_source(16), tmp_path / "images"
    folder.mkdir()
    masks = {}
    for sample in drawn.samples():
        picture, masks[sample.name] = drawn.pair(sample)
        cv2.imwrite(str(folder / sample.name), picture.pixels)
    return folder, masks


def boxes_of(masks, path):
    """Write the regions of masks as boxes of COCO."""
    annotations = []
    for number, mask in enumerate(masks.values()):
        for label in (1, 2):
            count, _, stats, _ = cv2.connectedComponentsWithStats((mask == label).astype(np.uint8))
            annotations += [
                {"image_id": number, "category_id": label, "bbox": stats[k, :4].tolist()}
                for k in range(1, count)
            ]
    images = [
        {"id": number, "file_name": name, "width": mask.shape[1], "height": mask.shape[0]}
        for number, (name, mask) in enumerate(masks.items())
    ]
    categories = [{"id": 1, "name": "scratch"}, {"id": 2, "name": "stain"}]
    document = {"images": images, "categories": categories, "annotations": annotations}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def strokes_of(masks, folder, *, background=True):
    """Write masks in which two rows of the background and every third of a defect are labelled."""
    folder.mkdir()
    for name, mask in masks.items():
        stroked = np.full_like(mask, UNKNOWN)
        stroked[::3][mask[::3] > 0] = mask[::3][mask[::3] > 0]
        if background:
            for row in (2, 68):
                stroked[row][mask[row] == 0] = 0
        cv2.imwrite(str(folder / name), stroked)
    return folder


def test_the_command_learns_from_boxes_and_says_so(plates, tmp_path, capsys):
    images, masks = plates
    boxes, out = boxes_of(masks, tmp_path / "boxes.json"), tmp_path / "plate.flaw"
    options = "--epochs 1 --patch 64 --rotation 10 --precision f32 --quiet --json".split()
    asked = ["train", "segment", str(images), "--annotations", str(boxes), "-o", str(out), *options]
    assert run(asked) == 2
    assert "--boxes grabcut estimates the outline" in capsys.readouterr().out
    assert run([*asked, "--boxes", "grabcut"]) == 0
    told = json.loads(capsys.readouterr().out)
    boxed = sum(bool(mask.any()) for mask in masks.values())
    assert any(f"boxes of {boxed} pictures are estimated" in line for line in told["messages"])
    assert told["usable"] != "yes"
    labels = read_recipe(out).manifest.metrics["labels"]
    assert labels["estimated_outlines"] == boxed > 8
    assert 0.9 < labels["known_pixels"] < 1
    assert "are estimated, not drawn" in out.with_suffix(".html").read_text(encoding="utf-8")


def test_strokes_count_as_strokes(plates, tmp_path):
    images, masks = plates
    folder = strokes_of(masks, tmp_path / "strokes")
    with open_masks(
        str(images), annotations=folder, classes=["scratch", "stain"], ignore=UNKNOWN
    ) as source:
        found = train_segment(
            source, TrainSegmentSettings("plate", TRAINING), folder=tmp_path / "work"
        )
    told = "\n".join(found.messages)
    assert "of the pixels are labelled: shares of pixels, IoU and thresholds are those of" in told
    assert found.recipe.manifest.metrics["labels"]["known_pixels"] < 0.1
    # No plate of which two rows are labelled is known to be good.
    assert found.validation.detection.overkill() is None
    assert not found.validation.good_scores
    assert found.verdict.usable != "yes"
    shown = sum(bool((masks[s.name][::3] > 0).any()) for s in found.split.validation)
    assert found.validation.detection.escapes().of == shown > 0


def test_strokes_need_some_of_the_background(plates, tmp_path):
    images, masks = plates
    folder = strokes_of(masks, tmp_path / "strokes", background=False)
    with (
        open_masks(
            str(images), annotations=folder, classes=["scratch", "stain"], ignore=UNKNOWN
        ) as source,
        pytest.raises(SourceError, match="a pixel of the background") as caught,
    ):
        train_segment(source, TrainSegmentSettings("plate", TRAINING), folder=tmp_path / "work")
    assert "mark good places too" in caught.value.hint
