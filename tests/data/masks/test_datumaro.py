"""Datumaro: every type of annotation is drawn, is no region, or spoils its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError

STAIN = [number for point in tools.STAIN for number in point]
POLYGON = {"type": "polygon", "label_id": 1, "points": STAIN, "z_order": 0}


def export_with(tmp_path: Path, *annotations: Any, **more: Any) -> Path:
    """The export of the drawing with other annotations of picture 1."""
    path = tools.datumaro(tmp_path)
    document = json.loads(path.read_text())
    document["items"][0].update({"annotations": list(annotations), **more})
    return tools.save_json(path, document)


def drawn(tmp_path: Path, *annotations: Any, **options: Any) -> np.ndarray:
    images = tools.pictures(tmp_path)
    mask = tools.read(images, export_with(tmp_path, *annotations), **options)["1.png"]
    assert isinstance(mask, np.ndarray), mask
    return mask


def test_an_ellipse_lies_within_two_corners(tmp_path: Path) -> None:
    mask = drawn(tmp_path, {"type": "ellipse", "label_id": 1, "points": [10, 5, 30, 25]})
    rows, columns = np.indices(mask.shape) + 0.5
    inside = ((columns - 20) / 10) ** 2 + ((rows - 15) / 10) ** 2 <= 1
    assert np.array_equal(mask == 2, inside)


def test_boxes_are_refused_unless_turned_or_to_be_filled(tmp_path: Path) -> None:
    box = {"type": "bbox", "label_id": 0, "bbox": [10, 4, 20, 10]}
    turned = {**box, "attributes": {"occluded": False, "rotation": 90.0}}
    mask = drawn(tmp_path, turned)
    assert mask[0:19, 15:25].all()
    assert mask.sum() == 190
    path = export_with(tmp_path, box)
    assert "got a box" in tools.spoiled(tmp_path / "images", path)
    filled = tools.read(tmp_path / "images", path, boxes="fill")["1.png"]
    assert np.sum(filled == 1) == 200


def test_labels_of_whole_pictures_must_have_a_region_or_mean_good(tmp_path: Path) -> None:
    label = {"type": "label", "label_id": 1}
    assert np.array_equal(drawn(tmp_path, label, POLYGON) == 2, tools.inside(tools.STAIN))
    path = export_with(tmp_path, label)
    assert "a region of 'stain', got a tag" in tools.spoiled(tmp_path / "images", path)
    document = json.loads(path.read_text())
    document["categories"]["label"]["labels"][1]["name"] = "good"
    found = tools.read(tmp_path / "images", tools.save_json(path, document))
    assert isinstance(found["1.png"], np.ndarray)
    assert not found["1.png"].any()


def test_captions_are_no_regions(tmp_path: Path) -> None:
    assert not drawn(tmp_path, {"type": "caption", "caption": "a stain"}).any()


def test_pictures_may_be_named_by_their_ids_alone(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    path = export_with(tmp_path, POLYGON, id="set/1", image=None)
    assert np.sum(tools.read(images, path)["1.png"] == 2) == np.sum(tools.inside(tools.STAIN))


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (3, "an annotation, got 3"),
        ({**POLYGON, "label_id": None}, "the number of a label"),
        ({**POLYGON, "label_id": 2}, "the number of a label, got 2"),
        ({**POLYGON, "label_id": -1}, "the number of a label, got -1"),
        ({**POLYGON, "z_order": "top"}, "numbers as z_order and rotation"),
        ({**POLYGON, "points": [1, 2, 3]}, "x and y in turn"),
        ({**POLYGON, "points": None}, "x and y in turn"),
        ({**POLYGON, "type": "polyline"}, "a region with an area, got 'polyline'"),
        ({**POLYGON, "type": "points"}, "a region with an area, got 'points'"),
        ({**POLYGON, "type": "cuboid_3d"}, "a region with an area"),
        ({**POLYGON, "type": "mask"}, "run lengths"),
        ({**POLYGON, "type": "mask", "rle": {"counts": "12", "size": [9, 9]}}, "of the size"),
        ({**POLYGON, "type": "ellipse", "points": [1, 2]}, "an ellipse as"),
        ({**POLYGON, "type": "bbox", "attributes": {"rotation": 3}}, "a box as"),
        ({**POLYGON, "type": "bbox", "attributes": {"rotation": "x"}}, "z_order and rotation"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(
    tmp_path: Path, annotation: Any, words: str
) -> None:
    path = export_with(tmp_path, POLYGON, annotation)
    why = tools.spoiled(tools.pictures(tmp_path), path)
    assert why.startswith("default.json, items[0].annotations[1]: expected ")
    assert words in why


@pytest.mark.parametrize(
    "more",
    [
        {"image": {"path": "1.png", "size": [30]}},
        {"image": {"path": "1.png", "size": ["a", 40]}},
        {"annotations": 7},
    ],
)
def test_a_broken_item_spoils_its_picture(tmp_path: Path, more: Any) -> None:
    path = export_with(tmp_path, POLYGON, **more)
    assert "items[0]: expected" in tools.spoiled(tools.pictures(tmp_path), path)


@pytest.mark.parametrize("part", ["categories", "items"])
def test_a_file_of_another_structure_is_refused(tmp_path: Path, part: str) -> None:
    images, path = tools.pictures(tmp_path), tools.datumaro(tmp_path)
    tools.save_json(path, {**json.loads(path.read_text()), part: 3})
    with pytest.raises(SourceError, match=f"default.json, {part}: expected"):
        open_masks(images, annotations=path)
