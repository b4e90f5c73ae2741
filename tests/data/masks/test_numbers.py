"""Numbers and ids as tools write them: 40, 40.0 and "40" are the same; what is no number stays an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.data.masks.documents import key_of, real, whole

HEIGHT, WIDTH = 30, 40


@pytest.mark.parametrize("value", [40, 40.0, "40", "40.0", " 40 ", "+40", "40."])
def test_whole_numbers(value: Any) -> None:
    assert whole(value) == 40


NO_NUMBERS = [
    *(
        True,
        False,
        None,
        [],
        {},
        "",
        " ",
        "4 0",
        "40 px",
        "0x28",
        "1e9",
        "1_0",
        "４０",
        "nan",
        "--4",
    ),
    *(40.5, "40.5", 1e400, -1e400, float("nan"), 1e300, "9" * 50),
]


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_whole_number(value: Any) -> None:
    assert whole(value) is None


def test_numbers_with_fractions() -> None:
    for value in (0.5, "0.5", ".5", "5e-1", "+0.50", " 0.5"):
        assert real(value) == 0.5
    for value in (True, None, "nan", "inf", "1e999", 10**400, float("inf"), "1_0", "0.5.1", "1,5"):
        assert real(value) is None


def test_ids() -> None:
    assert {key_of(value) for value in (1, 1.0, "1", "1.0", " 1")} == {1}
    # These are names, not numbers.
    assert [key_of(value) for value in ("01", "a", "+1", "1a", "")] == ["01", "a", "+1", "1a", ""]
    for value in (True, None, 1.5, 1e400, [], {}):
        assert key_of(value) is None


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    return tmp_path / "images"


def pixels(images: Path, name: str, text: str, **options: Any) -> int:
    path = images.parent / name
    path.write_text(text)
    with open_masks(images, annotations=path, **options) as masked:
        return int((masked.mask(masked.samples()[0]) > 0).sum())


@pytest.mark.parametrize("write", [int, float, str, lambda n: f"{n}.0"])
def test_every_number_of_a_coco_file(images: Path, write: Any) -> None:
    runs = [0, 60, HEIGHT * WIDTH - 60]
    for outline in (
        [[write(n) for n in (0, 0, 2, 0, 2, 30, 0, 30)]],
        {"counts": [write(n) for n in runs], "size": [write(HEIGHT), write(WIDTH)]},
    ):
        document = {
            "images": [
                {
                    "id": write(1),
                    "file_name": "1.png",
                    "width": write(WIDTH),
                    "height": write(HEIGHT),
                }
            ],
            "categories": [{"id": write(7), "name": "stain"}],
            "annotations": [{"image_id": 1, "category_id": 7, "segmentation": outline}],
        }
        assert pixels(images, "a.json", json.dumps(document)) == 60
    document["annotations"][0] |= {"segmentation": [], "bbox": [write(n) for n in (0, 0, 2, 30)]}
    assert pixels(images, "a.json", json.dumps(document), boxes="fill") == 60


def test_fields_that_nobody_needs_may_hold_anything(images: Path) -> None:
    region = {"image_id": 1, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 30, 0, 30]]}
    odd = {
        "area": float("nan"),
        "iscrowd": float("-inf"),
        "score": 1e400,
        "attributes": [float("nan")],
    }
    document = {
        "info": {"contributor": None},
        "images": [{"id": 1, "file_name": "1.png", "date_captured": float("nan")}],
        "categories": [{"id": 1, "name": "stain", "supercategory": 7}],
        "annotations": [
            {"id": float("nan"), **region, **odd},
            {"bbox": [float("nan")] * 4, **region},
        ],
    }
    text = json.dumps(document)
    assert "NaN" in text
    assert "Infinity" in text
    assert pixels(images, "a.json", text) == 60


@pytest.mark.parametrize("write", [str, lambda n: f"{n}.0", lambda n: f" {n} "])
def test_every_number_of_a_cvat_file(images: Path, write: Any) -> None:
    shapes = [
        f'<mask label="stain" rle="{write(0)}, {write(4)}" left="{write(0)}" top="{write(0)}" '
        f'width="{write(2)}" height="{write(2)}" z_order="{write(1)}"/>',
        f'<polygon label="stain" points="{write(0)},{write(0)};{write(2)},{write(0)};{write(2)},{write(2)};'
        f'{write(0)},{write(2)}"/>',
    ]
    for shape in shapes:
        text = (
            f'<image name="1.png" width="{write(WIDTH)}" height="{write(HEIGHT)}">{shape}</image>'
        )
        assert pixels(images, "a.xml", f"<annotations>{text}</annotations>") == 4


@pytest.mark.parametrize("number", ["1", "1.0", "1.000000e+00", "1.00"])
def test_classes_of_yolo(images: Path, number: str) -> None:
    labels = images.parent / "labels"
    labels.mkdir()
    (labels / "1.txt").write_text(f"{number} 0.0 0 .05 0 5e-2 1 0 1.0")
    with open_masks(images, annotations=labels, classes=["a", "b"]) as masked:
        counts = np.bincount(masked.mask(masked.samples()[0]).ravel(), minlength=3)
    assert counts.tolist() == [1140, 0, 60]
