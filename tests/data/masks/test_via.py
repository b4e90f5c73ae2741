"""VGG Image Annotator: shapes, and which attribute is the class."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError

POLYGON = tools.via_polygon(tools.STAIN)


def export_with(tmp_path: Path, *regions: Any) -> Path:
    return tools.save_json(tmp_path / "via.json", tools.via_entries(list(regions)))


def drawn(tmp_path: Path, shape: dict[str, Any], **options: Any) -> np.ndarray:
    images = tools.pictures(tmp_path)
    path = export_with(tmp_path, tools.via_region(shape, {"type": "stain"}))
    mask = tools.read(images, path, **options)["1.png"]
    assert isinstance(mask, np.ndarray), mask
    return mask


def test_circles_and_turned_ellipses(tmp_path: Path) -> None:
    mask = drawn(tmp_path, {"name": "circle", "cx": 20, "cy": 15, "r": 6})
    rows, columns = np.indices(mask.shape) + 0.5
    assert np.array_equal(mask == 1, (columns - 20) ** 2 + (rows - 15) ** 2 <= 36)
    ellipse = {"name": "ellipse", "cx": 20, "cy": 15, "rx": 12, "ry": 4}
    upright = drawn(tmp_path / "a", {**ellipse, "theta": math.pi / 2})
    inside = ((columns - 20) / 4) ** 2 + ((rows - 15) / 12) ** 2 <= 1
    assert np.array_equal(upright == 1, inside)


def test_a_rectangle_is_a_box(tmp_path: Path) -> None:
    box = {"name": "rect", "x": 10, "y": 4, "width": 20, "height": 10}
    assert drawn(tmp_path, box, boxes="fill")[4:14, 10:30].sum() == 200
    why = tools.spoiled(tmp_path / "images", tmp_path / "via.json")
    assert "'1.png4001'.regions[0]: expected an outline, got a box" in why


def test_the_first_version_numbers_its_regions(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    regions = {str(number): region for number, region in enumerate(tools.via_regions())}
    path = tools.save_json(tmp_path / "via.json", tools.via_entries(regions))
    assert np.array_equal(tools.read(images, path)["1.png"], tools.drawing())


def test_the_class_may_be_a_ticked_box(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    ticked = tools.via_region(POLYGON, {"kind": {"stain": True, "scratch": False}})
    assert np.max(tools.read(images, export_with(tmp_path, ticked))["1.png"]) == 1
    both = tools.via_region(POLYGON, {"kind": {"stain": True, "scratch": True}})
    assert "one class" in tools.spoiled(images, export_with(tmp_path, both))


def test_one_of_several_attributes_is_the_class(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    attributes = {"severity": "2", "Class": "stain", "name": "x"}
    path = export_with(tmp_path, tools.via_region(POLYGON, attributes))
    with open_masks(images, annotations=path) as masked:
        assert masked.classes == ("background", "stain")
        assert masked.notes[0].startswith("the class is the region attribute 'Class' out of")
    path = export_with(tmp_path, tools.via_region(POLYGON, {"severity": "2", "depth": "3"}))
    with pytest.raises(SourceError, match="found 'severity', 'depth'") as caught:
        open_masks(images, annotations=path)
    assert "'class'" in caught.value.hint


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"name": "polyline", "all_points_x": [1], "all_points_y": [1]}, "got 'polyline'"),
        ({"name": "point", "cx": 3, "cy": 4}, "a region with an area, got 'point'"),
        ({}, "a region with an area"),
        (3, "the attributes of a shape, got 3"),
        ({"name": "circle", "cx": 3, "cy": 4}, "the numbers cx, cy, r, r"),
        ({"name": "circle", "cx": 3, "cy": 4, "r": -1}, "radii above 0"),
        ({"name": "circle", "cx": 3, "cy": 4, "r": float("inf")}, "the numbers cx, cy"),
        ({"name": "ellipse", "cx": 3, "cy": 4, "rx": 1, "ry": 2, "theta": "x"}, "theta"),
        ({**POLYGON, "all_points_x": [1, 2, 3]}, "as many x as y, got 3 and 4"),
        ({**POLYGON, "all_points_x": "abc"}, "all_points_x"),
        ({"name": "polygon"}, "all_points_x"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(tmp_path: Path, shape: Any, words: str) -> None:
    good = tools.via_region(POLYGON, {"type": "stain"})
    path = export_with(tmp_path, good, tools.via_region(shape, {"type": "stain"}))
    why = tools.spoiled(tools.pictures(tmp_path), path)
    assert why.startswith("via.json, '1.png4001'.regions[1]: expected ")
    assert words in why


@pytest.mark.parametrize("attributes", [{}, {"type": ""}, {"type": 3}, None, {"other": []}])
def test_a_region_without_a_class_spoils_its_picture(tmp_path: Path, attributes: Any) -> None:
    path = export_with(tmp_path, tools.via_region(POLYGON, attributes))
    assert "a region with one class" in tools.spoiled(tools.pictures(tmp_path), path)


@pytest.mark.parametrize("value", ["defective", {"NG": True, "ok": False}])
def test_an_attribute_of_a_defective_picture_needs_a_region(tmp_path: Path, value: Any) -> None:
    images = tools.pictures(tmp_path)
    entries = tools.via_entries([])
    entries["1.png4001"]["file_attributes"] = {"quality": value, "note": "x", "number": 3}
    why = tools.spoiled(images, tools.save_json(tmp_path / "via.json", entries))
    assert "'1.png4001', file_attributes: expected a region of" in why


def test_two_pictures_of_one_name_are_not_joined(tmp_path: Path) -> None:
    images, entries = tools.pictures(tmp_path), tools.via_entries(tools.via_regions())
    entries["1.png77"] = {**entries["1.png4001"], "size": 77}
    why = tools.spoiled(images, tools.save_json(tmp_path / "via.json", entries))
    assert "via.json, '1.png77': expected '1.png' once" in why


def test_a_broken_cell_spoils_its_picture(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.via_table(tmp_path)
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[1][5] = rows[1][5][:-3]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert "row 2: expected the attributes of a shape" in tools.spoiled(images, path)


def test_entries_that_name_no_picture_are_listed(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.via_project(tmp_path)
    project = json.loads(path.read_text())
    project["_via_img_metadata"]["x"] = {"regions": []}
    project["_via_img_metadata"]["y"] = 3
    with open_masks(images, annotations=tools.save_json(path, project)) as masked:
        assert any(note.startswith("2 annotated pictures have no name") for note in masked.notes)
        assert np.array_equal(masked.mask(masked.samples()[0]), tools.drawing())
