"""What is broken in an export spoils its own picture; the others are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.errors import ImageError

HEIGHT, WIDTH = 30, 40
SQUARE = [[4, 4], [14, 4], [14, 14], [4, 14]]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Pictures 1 to 4."""
    (tmp_path / "images").mkdir()
    for n in (1, 2, 3, 4):
        path = str(tmp_path / "images" / f"{n}.png")
        cv2.imwrite(path, np.full((HEIGHT, WIDTH), n, np.uint8))
    return tmp_path / "images"


def read(images: Path, annotations: Path, **options: Any) -> tuple[dict[str, int], dict[str, str]]:
    """Return the pixels of the pictures that were read, and the reasons of the spoiled ones."""
    with open_masks(images, annotations=annotations, **options) as masked:
        report = check_masks(masked)
    spoiled = {
        file: detail
        for finding in report.findings
        if finding.code == "image-mask-outline"
        for file, detail in zip(finding.files, finding.details, strict=True)
    }
    return {name: sum(counts[1:]) for name, counts in report.counts.items()}, spoiled


def coco(images: Path, change: Any) -> Path:
    """Pictures 1 to 3: two regions, one region, none."""
    flat = [number for point in SQUARE for number in point]
    document: dict[str, Any] = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2, 3)
        ],
        "categories": [{"id": 1, "name": "stain"}, {"id": 2, "name": "scratch"}],
        "annotations": [
            {"image_id": n, "category_id": 1, "segmentation": [flat]} for n in (1, 1, 2)
        ],
    }
    change(document)
    path = images.parent / "a.json"
    path.write_text(json.dumps(document))
    return path


def setting(path: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        *parts, last = path.split(".")
        place: Any = document
        for part in parts:
            place = place[int(part) if part.isdigit() else part]
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("annotations.1.category_id", 9, "annotations[1].category_id"),
        ("annotations.1.category_id", "stain", "annotations[1].category_id"),
        ("annotations.1.segmentation", [[1, 2, 3]], "annotations[1]"),
        ("annotations.1.segmentation", {"counts": [3], "size": [1, 3]}, "annotations[1]"),
        ("annotations.1.segmentation", {"counts": "??", "size": [HEIGHT, WIDTH]}, "annotations[1]"),
        ("annotations.1.segmentation", "abc", "annotations[1]"),
        ("images.0.height", "tall", "images[0]"),
    ],
)
def test_broken_coco_regions(images: Path, path: str, value: Any, place: str) -> None:
    read_, spoiled = read(images, coco(images, setting(path, value)))
    assert read_ == {"2.png": 100, "3.png": 0}
    assert list(spoiled) == ["1.png"]
    assert f"a.json, {place}: expected" in spoiled["1.png"]


@pytest.mark.parametrize("value", [77, None, True, 1e400, "1e9", {}])
def test_a_region_of_an_unknown_picture_may_belong_to_one_without_regions(
    images: Path, value: Any
) -> None:
    path = coco(images, setting("annotations.2.image_id", value))
    read_, spoiled = read(images, path)
    assert read_ == {"1.png": 100}
    assert list(spoiled) == ["2.png", "3.png"]
    assert "annotations[2].image_id: expected an id of images" in spoiled["3.png"]
    with open_masks(images, annotations=path) as masked:
        assert "1 regions have no picture (annotations[2].image_id" in masked.notes[0]


def test_an_id_that_two_pictures_have_spoils_both(images: Path) -> None:
    read_, spoiled = read(images, coco(images, setting("images.2.id", 1)))
    assert read_ == {"2.png": 100}
    assert list(spoiled) == ["1.png", "3.png"]


def test_a_picture_listed_twice_is_spoiled_unless_both_are_the_same(images: Path) -> None:
    again = {"id": 8, "file_name": "1.png", "width": WIDTH, "height": HEIGHT}
    read_, spoiled = read(images, coco(images, lambda d: d["images"].append(again)))
    assert read_ == {"2.png": 100, "3.png": 0}
    assert list(spoiled) == ["1.png"]
    read_, spoiled = read(images, coco(images, lambda d: d["images"].append(d["images"][0])))
    assert read_ == {"1.png": 100, "2.png": 100, "3.png": 0}
    assert not spoiled


def test_a_category_with_two_names_spoils_the_pictures_that_have_it(images: Path) -> None:
    path = coco(images, setting("categories.1", {"id": 1, "name": "dent"}))
    read_, spoiled = read(images, path, classes=["stain", "dent"])
    assert read_ == {"3.png": 0}
    assert list(spoiled) == ["1.png", "2.png"]


def test_a_picture_without_a_name_is_left_out(images: Path) -> None:
    path = coco(images, setting("images.0.file_name", None))
    read_, spoiled = read(images, path)
    assert read_ == {"2.png": 100, "3.png": 0}
    assert not spoiled
    # Which of the pictures that are not listed it is, is not known: none of them is without defects.
    read_, spoiled = read(images, path, unlabelled="empty")
    assert read_ == {"2.png": 100, "3.png": 0}
    assert list(spoiled) == ["1.png", "4.png"]
    assert "images[0].file_name" in spoiled["4.png"]


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ('<polygon label="stain" points="1,1;2"/>', "line 3: expected a list of x and y"),
        ('<polygon points="1,1;9,1;9,9"/>', "line 3: expected a shape with a label"),
        ('<polygon label="stain" points="1,1;9,1;9,9" z_order="top"/>', "'z_order', got 'top'"),
        ('<mask label="stain" rle="1,2" left="0" top="0" width="1" height="1"/>', "line 3"),
        ('<mask label="stain" rle="1" left="0.5" top="0" width="1" height="1"/>', "'left'"),
        ('<ellipse label="stain" cx="3" cy="3" rx="0" ry="3"/>', "radii above 0"),
        ('<ellipse label="stain" cx="3" cy="3" rx="2"/>', "attribute 'ry'"),
        ('<box label="stain" xtl="a" ytl="1" xbr="3" ybr="3" rotation="4"/>', "'xtl', got 'a'"),
    ],
)
def test_broken_cvat_shapes(images: Path, element: str, words: str) -> None:
    square = '<polygon label="stain" points="4,4;14,4;14,14;4,14"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    path = images.parent / "a.xml"
    path.write_text(
        f'<annotations>\n<image name="1.png" {size}>{square}\n{element}</image>\n'
        f'<image name="2.png" {size}>{square}</image><image name="3.png" {size}/></annotations>'
    )
    read_, spoiled = read(images, path)
    assert read_ == {"2.png": 100, "3.png": 0}
    assert list(spoiled) == ["1.png"]
    assert words in spoiled["1.png"]


def test_broken_cvat_pictures(images: Path) -> None:
    square = '<polygon label="stain" points="4,4;14,4;14,14;4,14"/>'
    size = f'width="{WIDTH}" height="{HEIGHT}"'
    path = images.parent / "a.xml"
    path.write_text(
        f'<annotations><image name="1.png" width="wide" height="3">{square}</image>\n'
        f'<image name="2.png" {size}>{square}</image>\n<image name="3.png" {size}>{square}</image>\n'
        f'<image name="3.png" {size}>{square}</image>\n<image {size}>{square}</image></annotations>'
    )
    read_, spoiled = read(images, path)
    assert read_ == {"2.png": 100}
    assert "line 1: expected whole numbers" in spoiled["1.png"]
    assert "line 4: expected each picture once" in spoiled["3.png"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"0 0.1 0.1 0.9 0.1 0.9 0.9\nx 0.1 0.1 0.5 0.5 0.1 0.5", "1.txt, line 2"),
        (b"0 0.1 0.1 0.9 0.1 0.9 0.9\n0 0.1 0.1 0.5", "1.txt, line 2"),
        (b"0 0.1 0.1 0.9 0.1 0.9 0,9", "1.txt, line 1"),
        (b"\xff\xfe0", "UTF-8"),
    ],
)
def test_a_bad_line_in_one_label_file(images: Path, content: bytes, words: str) -> None:
    labels = images.parent / "labels"
    labels.mkdir()
    (labels / "1.txt").write_bytes(content)
    (labels / "2.txt").write_text("0 0.1 0.2 0.35 0.2 0.35 0.5")
    read_, spoiled = read(images, labels, classes=["stain"])
    assert list(read_) == ["2.png", "3.png", "4.png"]
    assert read_["2.png"] > 0
    assert words in spoiled["1.png"]


def test_a_spoiled_picture_gives_no_mask(images: Path) -> None:
    path = coco(images, setting("annotations.0.category_id", None))
    with open_masks(images, annotations=path) as masked:
        sample = masked.samples()[0]
        for call in (masked.mask, masked.pair):
            with pytest.raises(ImageError, match=r"annotations\[0\]\.category_id"):
                call(sample)


@pytest.mark.parametrize(
    "outline",
    [
        [[3.6, 3.6, 3.9, 3.6, 3.9, 3.9]],
        [[2, 2, 9, 9, 4, 4]],
        [[-9, 3, -2, 3, -2, 8]],
        [[45, 3, 50, 3, 50, 8]],
        [[3, 31, 9, 31, 9, 40]],
        {"counts": [HEIGHT * WIDTH], "size": [HEIGHT, WIDTH]},
    ],
)
def test_a_picture_whose_regions_cover_no_pixel_is_not_without_defects(
    images: Path, outline: Any
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["annotations"][2]["segmentation"] = outline

    read_, spoiled = read(images, coco(images, change))
    assert read_ == {"1.png": 200 - 100, "3.png": 0}
    assert "annotations[2]: expected" in spoiled["2.png"]


def test_a_region_beside_the_picture_spoils_it_next_to_others_too(images: Path) -> None:
    outside = [[-9, 3, -2, 3, -2, 8]]
    _, spoiled = read(images, coco(images, setting("annotations.1.segmentation", outside)))
    assert "got one beside it, at (-9, 3)" in spoiled["1.png"]


def test_a_tag_of_a_class_that_is_not_drawn(images: Path) -> None:
    square = '<polygon label="stain" points="4,4;14,4;14,14;4,14"/>'
    inside = {
        1: square + '<tag label="stain"/><tag label="front"/><tag label="defective"/>',
        2: '<tag label="front"/><tag label="ok"/>',
        3: '<tag label="stain"/>',
        4: '<tag label="NG"/>',
    }
    path = images.parent / "a.xml"
    pictures = "\n".join(
        f'<image name="{n}.png" width="{WIDTH}" height="{HEIGHT}">{text}</image>'
        for n, text in inside.items()
    )
    path.write_text(f"<annotations>\n{pictures}</annotations>")
    read_, spoiled = read(images, path)
    assert read_ == {"1.png": 100, "2.png": 0}
    assert "line 4: expected a region of 'stain', got a tag" in spoiled["3.png"]
    assert "line 5: expected a region of 'NG', got a tag" in spoiled["4.png"]


def test_tags_of_an_export_without_shapes_are_not_taken_for_good_parts(images: Path) -> None:
    path = images.parent / "a.xml"
    labels = "".join(f"<label><name>{name}</name></label>" for name in ("stain", "ok"))
    pictures = "".join(
        f'<image name="{n}.png" width="{WIDTH}" height="{HEIGHT}"><tag label="{tag}"/></image>'
        for n, tag in ((1, "stain"), (2, "ok"))
    )
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    path.write_text(f"<annotations>{meta}{pictures}</annotations>")
    read_, spoiled = read(images, path)
    assert read_ == {"2.png": 0}
    assert "a region of 'stain'" in spoiled["1.png"]


def test_a_category_of_the_whole_picture(images: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["categories"] += [{"id": 3, "name": "good"}]
        document["annotations"] += [
            {"image_id": 3, "category_id": 3},
            {"image_id": 2, "category_id": 2, "segmentation": []},
        ]

    read_, spoiled = read(images, coco(images, change))
    assert read_ == {"1.png": 200 - 100, "3.png": 0}
    assert "annotations[4]: expected a segmentation, got none" in spoiled["2.png"]
