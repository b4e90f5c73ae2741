"""LabelMe: what of its shapes is drawn, and what a broken file spoils."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools
from tests.helpers.tool_exports import labelme_file, labelme_shape, save_json

from flawline.errors import UsageError

HEIGHT, WIDTH = tools.HEIGHT, tools.WIDTH


def folder_with(tmp_path: Path, *shapes: Any, **more: Any) -> Path:
    """Picture 1 with these shapes, picture 2 with none."""
    folder = tmp_path / "labelme"
    save_json(folder / "1.json", labelme_file("1.png", list(shapes), **more))
    save_json(folder / "2.json", labelme_file("2.png", []))
    return folder


def drawn(tmp_path: Path, *shapes: Any, **options: Any) -> np.ndarray:
    images = tools.pictures(tmp_path)
    mask = tools.read(images, folder_with(tmp_path, *shapes), classes=["stain"], **options)["1.png"]
    assert isinstance(mask, np.ndarray), mask
    return mask


def test_a_circle_is_given_by_its_centre_and_a_point_of_its_edge(tmp_path: Path) -> None:
    mask = drawn(tmp_path, labelme_shape("stain", [[20.0, 15.0], [23.0, 19.0]], "circle"))
    rows, columns = np.indices((HEIGHT, WIDTH)) + 0.5
    assert np.array_equal(mask == 1, (columns - 20) ** 2 + (rows - 15) ** 2 <= 25)


@pytest.mark.parametrize("corners", [[[10, 4], [30, 14]], [[30, 4], [10, 14]]])
def test_a_rectangle_is_a_box(tmp_path: Path, corners: Any) -> None:
    shape = labelme_shape("stain", corners, "rectangle")
    mask = drawn(tmp_path, shape, boxes="fill")
    assert mask[4:14, 10:30].all()
    assert mask.sum() == 200
    why = tools.spoiled(tmp_path / "images", tmp_path / "labelme")
    assert "1.json, shapes[0]: expected an outline, got a box" in why


@pytest.mark.parametrize("kind", ["oriented_rectangle", "rotation"])
def test_a_turned_rectangle_is_drawn(tmp_path: Path, kind: str) -> None:
    corners = [[20.0, 5.2], [30.0, 15.2], [20.0, 25.2], [10.0, 15.2]]
    mask = drawn(tmp_path, labelme_shape("stain", corners, kind))
    assert np.array_equal(mask == 1, tools.inside(corners))


def test_the_first_versions_have_neither_types_nor_sizes(tmp_path: Path) -> None:
    images, folder = tools.pictures(tmp_path), tmp_path / "old"
    shape = {"label": "stain", "line_color": None, "fill_color": None, "points": tools.STAIN}
    document = {"shapes": [shape], "imagePath": "1.png", "imageData": None, "fillColor": [1, 2]}
    save_json(folder / "1.json", document)
    assert np.array_equal(tools.read(images, folder)["1.png"], tools.inside(tools.STAIN))


def test_files_lie_beside_their_pictures_or_are_given_one_by_one(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    one = save_json(images / "1.json", labelme_file("1.png", [labelme_shape("stain", tools.STAIN)]))
    for given in (images, one):
        assert list(tools.read(images, given)) == ["1.png"]


def test_a_stale_path_within_the_file_does_not_count(tmp_path: Path) -> None:
    images, folder = tools.pictures(tmp_path), tmp_path / "labelme"
    stain, scratch = (labelme_shape(name, tools.STAIN) for name in ("stain", "scratch"))
    save_json(folder / "1.json", labelme_file("/home/a/2.png", [stain]))
    save_json(folder / "2.json", labelme_file("C:\\data\\3.png", [scratch]))
    found = tools.read(images, folder, classes=["stain", "scratch"])
    assert [int(np.max(mask)) for mask in found.values()] == [1, 2]


def test_the_background_of_its_label_files_is_background(tmp_path: Path) -> None:
    shapes = [labelme_shape("stain", tools.STAIN), labelme_shape("_background_", tools.STAIN)]
    assert not drawn(tmp_path, *shapes).any()


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (labelme_shape("stain", [[1, 1], [9, 9]], "line"), "a region with an area, got 'line'"),
        (labelme_shape("stain", [[1, 1]], "point"), "a region with an area, got 'point'"),
        (labelme_shape("", tools.STAIN), "a region with a label"),
        (labelme_shape(None, tools.STAIN), "a region with a label"),  # type: ignore[arg-type]
        (7, "a region with a label"),
        (labelme_shape("stain", [[1, 1], [9, 9]]), "at least 3 points"),
        (labelme_shape("stain", [[1, 1], [9, 9], [float("nan"), 2]]), "points on the picture"),
        (labelme_shape("stain", [[1, 1], [9, 9], [1e400, 2]]), "points on the picture"),
        (labelme_shape("stain", [[1, 1], [9, 9], [10**400, 2]]), "x and y in turn"),
        (labelme_shape("stain", "abc"), "list of points [x, y]"),
        (labelme_shape("stain", [[1, 1], 3], "circle"), "list of points [x, y]"),
        (labelme_shape("stain", [[1, 1]], "circle"), "the centre and a point"),
        (labelme_shape("stain", [[1, 1], [2, 2]], "mask"), "bitmap in base64, got none"),
        (labelme_shape("stain", [[1, 1], [2, 2]], "mask", mask="!!"), "bitmap in base64, got '!!'"),
        (labelme_shape("stain", [[1, 1], [2, 2]], "mask", mask="AAAA"), "bitmap as PNG"),
        (labelme_shape("stain", [], "mask", mask="AAAA"), "the corners of a mask"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(tmp_path: Path, shape: Any, words: str) -> None:
    good = labelme_shape("stain", tools.STAIN)
    why = tools.spoiled(tools.pictures(tmp_path), folder_with(tmp_path, good, shape))
    assert why.startswith("labelme, 1.json, shapes[1]: expected ")
    assert words in why


def test_a_flag_of_a_defect_needs_a_region(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    flags = {"defect": True, "bad": False, "blurred": True}
    why = tools.spoiled(images, folder_with(tmp_path, flags=flags))
    assert "1.json, flags: expected a region of 'defect'" in why
    stain = labelme_shape("stain", tools.STAIN)
    assert np.any(tools.read(images, folder_with(tmp_path, stain, flags=flags))["1.png"])
    good = folder_with(tmp_path, flags={"blurred": True, "ok": True})
    assert not np.any(tools.read(images, good, classes=["stain"])["1.png"])


def test_bitmaps_in_lines_or_as_addresses_are_read(tmp_path: Path) -> None:
    own = tools.labelme_mask(tools.inside(tools.STAIN))
    lines = "\n".join(own["mask"][at : at + 20] for at in range(0, len(own["mask"]), 20))
    for number, text in enumerate((lines, f"data:image/png;base64,{own['mask']}")):
        mask = drawn(
            tmp_path / str(number), labelme_shape("stain", own["points"], "mask", mask=text)
        )
        assert np.array_equal(mask == 1, tools.inside(tools.STAIN))


def test_labels_must_be_text_that_can_be_written(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, labelme_shape("a\ud800", tools.STAIN))
    with pytest.raises(UsageError, match="valid Unicode"):
        tools.read(tools.pictures(tmp_path), folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected JSON"),
        ("[" * 100_000, "nested too deep"),
        ("{}", "a file of LabelMe"),
        ('{"shapes": 3, "imagePath": "1.png"}', "a file of LabelMe"),
        ('{"shapes": [], "imagePath": "1.png", "imageHeight": 9}', "as width and height"),
        ('{"shapes": [], "imagePath": "", "imageHeight": 1e9, "imageWidth": 1e9}', "it states"),
    ],
)
def test_a_broken_file_spoils_its_picture(tmp_path: Path, text: str, words: str) -> None:
    images, folder = tools.pictures(tmp_path), folder_with(tmp_path)
    (folder / "1.json").write_text(text)
    assert words in tools.spoiled(images, folder)


def test_bitmaps_that_leave_the_picture_are_empty_or_huge(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    own = tools.labelme_mask(tools.inside(tools.STAIN))
    empty = base64.b64encode(tools.png(np.zeros((3, 3), np.uint8))).decode()
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )
    huge = base64.b64encode(bomb + b"\0\0\0\0IEND\xaeB`\x82").decode()
    for points, mask, words in (
        ([[30, 2], [45, 25]], own["mask"], "bitmap on the picture of 40 x 30 px"),
        ([[-1, 2], [15, 25]], own["mask"], "at (-1, 2)"),
        ([[2, 2], [5, 5]], empty, "it is empty"),
        ([[2, 2], [5, 5]], huge, "60000 x 60000"),
    ):
        shape = labelme_shape("stain", points, "mask", mask=mask)
        assert words in tools.spoiled(images, folder_with(tmp_path, shape))
