"""Supervisely: holes, bitmaps and boxes, and what a broken object spoils."""

from __future__ import annotations

import base64
import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools
from tests.helpers.tool_exports import supervisely_object as made


def drawn(tmp_path: Path, *objects: Any, **options: Any) -> np.ndarray:
    images = tools.pictures(tmp_path)
    mask = tools.read(images, tools.supervisely(tmp_path, list(objects)), **options)["1.png"]
    assert isinstance(mask, np.ndarray), mask
    return mask


def test_holes_of_a_polygon_are_left_out(tmp_path: Path) -> None:
    holes = [[[22, 5], [30, 5], [30, 10], [22, 10]], [[31, 12], [34, 12], [34, 20], [31, 20]]]
    points = {"exterior": tools.STAIN, "interior": holes}
    mask = drawn(tmp_path, made("stain", "polygon", points=points))
    expected = tools.inside(tools.STAIN) & ~tools.inside(holes[0]) & ~tools.inside(holes[1])
    assert np.array_equal(mask == 2, expected)


def test_a_hole_shows_what_lies_below(tmp_path: Path) -> None:
    below = {"exterior": tools.STAIN, "interior": []}
    above = {"exterior": tools.STAIN, "interior": [[[22, 5], [30, 5], [30, 10], [22, 10]]]}
    mask = drawn(
        tmp_path,
        made("scratch", "polygon", points=below),
        made("stain", "polygon", points=above),
    )
    assert mask[6, 25] == 1
    assert mask[3, 21] == 2


def test_bitmaps_by_alpha_or_colour(tmp_path: Path) -> None:
    region = tools.inside(tools.STAIN)
    origin, own = tools.cropped(region)
    white = np.full((*own.shape, 4), 255, np.uint8)
    white[..., 3] = 200 * own
    black = np.zeros((*own.shape, 4), np.uint8)
    black[..., 3] = own
    for pixels in (white, black, 255 * own.astype(np.uint8), own):
        for packed in (zlib.compress, bytes):
            data = base64.b64encode(packed(tools.png(pixels))).decode()
            root = tmp_path / f"{pixels.shape} {pixels.dtype} {pixels.max()} {packed.__name__}"
            bitmap = made("stain", "bitmap", bitmap={"data": data, "origin": origin})
            assert np.array_equal(drawn(root, bitmap) == 2, region)


def test_a_rectangle_is_a_box_and_an_oriented_one_is_drawn(tmp_path: Path) -> None:
    corners = [[10, 4], [30, 14]]
    turned = made("stain", "oriented_bbox", points=corners, angle=math.pi / 2)
    mask = drawn(tmp_path, turned)
    assert mask[0:19, 15:25].all()
    assert not mask[19:].any()
    assert not mask[:, :15].any()
    points = {"exterior": corners, "interior": []}
    root = tools.supervisely(tmp_path, [made("stain", "rectangle", points=points)])
    assert "got a box" in tools.spoiled(tmp_path / "images", root)
    filled = tools.read(tmp_path / "images", root, boxes="fill")["1.png"]
    assert np.sum(filled == 2) == 200


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ({"name": "scratch", "value": None}, "a region of 'scratch'"),
        ({"name": "state", "value": "reject"}, "a region of 'reject'"),
        ({"name": "train", "value": 3}, ""),
        ({"name": "ok", "value": None}, ""),
        (7, ""),
    ],
)
def test_a_tag_of_a_class_or_defect_needs_a_region(tmp_path: Path, tag: Any, words: str) -> None:
    images, root = tools.pictures(tmp_path), tools.supervisely(tmp_path, [])
    path = root / "ds0" / "ann" / "1.png.json"
    tools.save_json(path, {**json.loads(path.read_text()), "tags": [tag]})
    if words:
        assert words in tools.spoiled(images, root)
    else:
        assert not np.any(tools.read(images, root)["1.png"])


def test_datasets_and_single_folders_of_annotations_are_read(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.supervisely(tmp_path)
    for folder in (root, root / "ds0", root / "ds0" / "ann"):
        found = tools.read(images, folder)
        assert np.array_equal(found["1.png"], tools.drawing())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classTitle": ""}, "an object with a classTitle"),
        ({"geometryType": "point"}, "a region with an area, got 'point'"),
        ({"geometryType": "line"}, "a region with an area, got 'line'"),
        ({"geometryType": "rectangle", "points": {}}, "got a box"),
        ({"points": 3}, "the points of a polygon"),
        ({"points": {"exterior": tools.STAIN, "interior": 4}}, "the points of a polygon"),
        ({"points": {"exterior": tools.STAIN, "interior": [[[1, 1]]]}}, "at least 3 points"),
        ({"points": {"interior": []}}, "list of points [x, y]"),
        ({"geometryType": "oriented_bbox", "points": [[1, 1], [5, 5]]}, "2 corners and an angle"),
        ({"geometryType": "bitmap"}, "an origin [x, y]"),
        ({"geometryType": "bitmap", "bitmap": {"origin": [0, 0]}}, "in base64, got none"),
        ({"geometryType": "bitmap", "bitmap": {"origin": [0.5, 0], "data": ""}}, "an origin"),
        ({"geometryType": "bitmap", "bitmap": {"origin": [0, 0], "data": "AAAA"}}, "by zlib"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    points = {"exterior": tools.STAIN, "interior": []}
    broken = {**made("stain", "polygon", points=points), **changes}
    root = tools.supervisely(tmp_path, [broken])
    why = tools.spoiled(tools.pictures(tmp_path), root)
    assert why.startswith("project, ds0/ann/1.png.json, objects[0]: expected ")
    assert words in why


def test_a_bitmap_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    bomb = base64.b64encode(zlib.compress(b"\0" * 50_000_000)).decode()
    bitmap = made("stain", "bitmap", bitmap={"data": bomb, "origin": [0, 0]})
    root = tools.supervisely(tmp_path, [bitmap])
    assert "cut short or too large" in tools.spoiled(tools.pictures(tmp_path), root)
