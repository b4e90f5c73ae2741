"""Boxes and ellipses: drawn where they are turned, else only when asked, and never a picture without defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flawline.data.masks import open_masks
from flawline.data.masks.boxes import paint_box, paint_ellipse
from flawline.data.masks.check import check_masks
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import FlawlineError, ImageError, UsageError

HEIGHT, WIDTH = 60, 80
# The box of every format: left, top, width, height in px.
BOX = (24.0, 18.0, 32.0, 12.0)


def centres() -> NDArray[np.float64]:
    rows, columns = np.indices((HEIGHT, WIDTH))
    return np.stack([columns + 0.5, rows + 0.5], axis=-1)


def inside_box(rotation: float, pivot: tuple[float, float]) -> NDArray[np.bool_]:
    """Turn every centre back and look whether it lies in the upright box."""
    angle = np.radians(rotation)
    back = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    x, y = np.moveaxis((centres() - pivot) @ back + pivot, -1, 0)
    left, top, width, height = BOX
    return (x > left) & (x < left + width) & (y > top) & (y < top + height)


@pytest.mark.parametrize("rotation", [0, 17.5, 90, 133, 301, -40, 720.5])
def test_a_box_turns_clockwise_about_its_centre_or_its_corner(rotation: float) -> None:
    left, top, width, height = BOX
    for pivot, about in (((left + width / 2, top + height / 2), False), ((left, top), True)):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        paint_box((left, top), (width, height), rotation, mask, 3, about_corner=about)
        expected = inside_box(rotation, pivot)
        assert expected.any()
        assert ((mask == 3) != expected).sum() == 0


@pytest.mark.parametrize("rotation", [0, 25, 90, 160])
@pytest.mark.parametrize("centre", [(40, 30), (40.3, 29.9), (75, 5)])
def test_an_ellipse_holds_the_centres_within_its_equation(
    rotation: float, centre: tuple[float, float]
) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    paint_ellipse(centre, (20.5, 7.25), rotation, mask, 2)
    angle = np.radians(rotation)
    x, y = np.moveaxis(centres() - centre, -1, 0)
    along, across = (
        x * np.cos(angle) + y * np.sin(angle),
        y * np.cos(angle) - x * np.sin(angle),
    )
    expected = (along / 20.5) ** 2 + (across / 7.25) ** 2 <= 1
    assert expected.any()
    assert np.array_equal(mask == 2, expected)


@pytest.mark.parametrize("size", [(0, 3), (3, -1), (float("nan"), 3), (float("inf"), 3), (900, 3)])
def test_boxes_without_area_or_off_the_picture_are_broken(size: tuple[float, float]) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    with pytest.raises(BrokenShape):
        paint_box((1, 1), size, 0, mask, 1)
    with pytest.raises(BrokenShape):
        paint_ellipse((1, 1), size, 0, mask, 1)
    assert not mask.any()


def coco(region: dict[str, Any]) -> str:
    return json.dumps(
        {
            "images": [
                {"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2)
            ],
            "categories": [{"id": 1, "name": "stain"}],
            "annotations": [
                {"image_id": 1, "category_id": 1, **region},
                {"image_id": 2, "category_id": 1, "segmentation": [[4, 4, 14, 4, 14, 14, 4, 14]]},
            ],
        }
    )


def coco_box(rotation: float = 0) -> str:
    return coco({"bbox": BOX, "segmentation": [], "attributes": {"rotation": rotation}})


def cvat(element: str) -> str:
    def image(n: int, inside: str) -> str:
        return f'<image name="{n}.png" width="{WIDTH}" height="{HEIGHT}">{inside}</image>\n'

    square = '<polygon label="stain" points="4,4;14,4;14,14;4,14"/>'
    return f"<annotations>\n{image(1, element)}{image(2, square)}</annotations>"


def cvat_box(rotation: float = 0) -> str:
    left, top, width, height = BOX
    return cvat(
        f'<box label="stain" xtl="{left}" ytl="{top}" xbr="{left + width}" ybr="{top + height}" '
        f'rotation="{rotation}"/>'
    )


def studio(*values: dict[str, Any], kind: str = "rectanglelabels") -> str:
    side = [[5, 20 / 3], [17.5, 20 / 3], [17.5, 70 / 3], [5, 70 / 3]]
    square = {"points": side, "polygonlabels": ["stain"]}
    given = [(1, kind, value) for value in values] + [(2, "polygonlabels", square)]
    return json.dumps(
        [
            {
                "data": {"image": f"{n}.png"},
                "annotations": [
                    {
                        "result": [
                            {
                                "id": str(place),
                                "type": of,
                                "to_name": "image",
                                "original_width": WIDTH,
                                "original_height": HEIGHT,
                                "value": value,
                            }
                            for place, (number, of, value) in enumerate(given)
                            if number == n
                        ]
                    }
                ],
            }
            for n in (1, 2)
        ]
    )


def studio_box(rotation: float = 0) -> str:
    left, top, width, height = BOX
    value = {
        "x": 100 * left / WIDTH,
        "y": 100 * top / HEIGHT,
        "width": 100 * width / WIDTH,
        "height": 100 * height / HEIGHT,
        "rotation": rotation,
        "rectanglelabels": ["stain"],
    }
    return studio(value)


def yolo_box() -> str:
    left, top, width, height = BOX
    centre = ((left + width / 2) / WIDTH, (top + height / 2) / HEIGHT)
    return f"0 {centre[0]} {centre[1]} {width / WIDTH} {height / HEIGHT}"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for n in (1, 2):
        cv2.imwrite(str(tmp_path / "images" / f"{n}.png"), np.full((HEIGHT, WIDTH), n, np.uint8))
    return tmp_path / "images"


def save(images: Path, name: str, text: str) -> Path:
    """Write a file of annotations; that of YOLO is the label file of the first of two pictures."""
    path = images.parent / name
    if not name.endswith(".txt"):
        path.write_text(text)
        return path
    (images.parent / "labels").mkdir(exist_ok=True)
    (images.parent / "labels" / name).write_text(text)
    (images.parent / "labels" / "2.txt").write_text("0 0.05 0.07 0.175 0.07 0.175 0.24 0.05 0.24")
    return images.parent / "labels"


BOXES: list[tuple[str, Callable[[], str]]] = [
    ("a.json", coco_box),
    ("a.xml", cvat_box),
    ("a.json", studio_box),
    ("1.txt", yolo_box),
]


@pytest.mark.parametrize(("name", "text"), BOXES)
def test_a_box_spoils_its_picture_or_is_filled(
    images: Path, name: str, text: Callable[[], str]
) -> None:
    annotations = save(images, name, text())
    with open_masks(images, annotations=annotations, classes=["stain"]) as masked:
        with pytest.raises(ImageError, match=r"expected an outline, got a box \(`boxes=fill`"):
            masked.mask(masked.samples()[0])
        report = check_masks(masked)
    assert list(report.counts) == ["2.png"]
    assert report.counts["2.png"][1] == 100
    problem = report.findings[0]
    assert (problem.code, problem.files) == ("image-mask-outline", ("1.png",))
    with open_masks(images, annotations=annotations, classes=["stain"], boxes="fill") as masked:
        mask = masked.mask(masked.samples()[0])
    assert np.array_equal(mask == 1, inside_box(0, (0, 0)))


@pytest.mark.parametrize(("name", "text"), BOXES)
def test_the_outline_in_a_box_is_estimated(
    images: Path, name: str, text: Callable[[], str]
) -> None:
    pixels, truth = np.full((HEIGHT, WIDTH), 130, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(truth, (40, 24), (14, 4), 0, 0, 360, 1, -1)
    pixels[truth == 1] = 60
    cv2.imwrite(str(images / "1.png"), pixels)
    annotations = save(images, name, text())
    with open_masks(images, annotations=annotations, classes=["stain"], boxes="grabcut") as masked:
        assert masked.estimated == {"1.png"}
        assert "boxes of 1 picture are estimated" in " ".join(masked.notes)
        first, second = masked.samples()
        mask, again = masked.mask(first), masked.pair(first)[1]
        assert (masked.mask(second) == 1).sum() == 100
        report = check_masks(masked)
    assert np.array_equal(mask, again)
    assert (mask[truth == 1] == 1).mean() > 0.9
    assert (mask[~inside_box(0, (0, 0))] == 0).all()
    assert 0 < report.ignored == (mask == 255).sum() < 384
    assert report.estimated == 1
    # What a caller does to a mask changes no other.
    mask[:] = 7
    assert again.max() == 255


def test_without_boxes_nothing_is_estimated(images: Path) -> None:
    annotations = save(images, "a.json", coco({"segmentation": [[1, 1, 9, 1, 9, 9]]}))
    with open_masks(images, annotations=annotations, boxes="grabcut") as masked:
        assert not masked.estimated
        assert not masked.notes
        assert check_masks(masked).estimated == 0


def test_an_outline_needs_a_picture_of_the_stated_size(images: Path) -> None:
    cv2.imwrite(str(images / "1.png"), np.full((HEIGHT + 1, WIDTH), 9, np.uint8))
    annotations = save(images, "a.json", coco_box())
    with (
        open_masks(images, annotations=annotations, boxes="grabcut") as masked,
        pytest.raises(ImageError, match="80 x 60 px, its picture 80 x 61"),
    ):
        masked.mask(masked.samples()[0])


def test_a_box_that_is_to_be_ignored_is_ignored_as_a_whole(images: Path) -> None:
    text = coco_box().replace(
        '[{"id": 1, "name": "stain"}]',
        '[{"id": 1, "name": "stain"}, {"id": 2, "name": "stain 2"}, {"id": 3, "name": "crowd"}]',
    )
    annotations = save(
        images, "a.json", text.replace('"category_id": 1, "bbox"', '"category_id": 3, "bbox"')
    )
    with open_masks(images, annotations=annotations, ignore="crowd", boxes="grabcut") as masked:
        mask = masked.mask(masked.samples()[0])
    assert np.array_equal(mask == 255, inside_box(0, (0, 0)))


@pytest.mark.parametrize(
    ("name", "text", "pivot"),
    [
        ("a.json", coco_box, (40.0, 24.0)),
        ("a.xml", cvat_box, (40.0, 24.0)),
        ("a.json", studio_box, (24.0, 18.0)),
    ],
)
def test_a_turned_box_is_an_outline(
    images: Path, name: str, text: Callable[[float], str], pivot: tuple[float, float]
) -> None:
    with open_masks(images, annotations=save(images, name, text(33.3))) as masked:
        mask = masked.mask(masked.samples()[0])
    assert np.array_equal(mask == 1, inside_box(33.3, pivot))


def test_a_box_beside_an_outline_spoils_the_picture_too(images: Path) -> None:
    drawn = '<polygon label="stain" points="1,1;9,1;9,9"/>'
    box = '<box label="stain" xtl="30" ytl="30" xbr="34" ybr="34"/>'
    for element in (drawn + box, box + drawn):
        with (
            open_masks(images, annotations=save(images, "a.xml", cvat(element))) as masked,
            pytest.raises(ImageError, match="got a box"),
        ):
            masked.mask(masked.samples()[0])


def test_ellipses_of_both_tools_are_drawn(images: Path) -> None:
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    paint_ellipse((40, 30), (20, 9), 30, expected, 1)
    value = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 15, "rotation": 30}
    text = '<ellipse label="stain" cx="40" cy="30" rx="20" ry="9" rotation="30"/>'
    for name, document in (
        ("a.json", studio({**value, "ellipselabels": ["stain"]}, kind="ellipselabels")),
        ("a.xml", cvat(text)),
    ):
        with open_masks(images, annotations=save(images, name, document)) as masked:
            assert np.array_equal(masked.mask(masked.samples()[0]), expected)


POINT = {"x": 5, "y": 5, "width": 1, "keypointlabels": ["stain"]}
LINE = {"vertices": [{"x": 1, "y": 1}], "vectorlabels": ["stain"]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", coco({"segmentation": []})),
        ("a.json", coco({"segmentation": [[]], "bbox": []})),
        ("a.json", coco({"keypoints": [3, 3, 2]})),
        ("a.json", coco({"caption": "a stain"})),
        ("a.xml", cvat('<polyline label="stain" points="1,1;9,1;9,9"/>')),
        ("a.xml", cvat('<points label="stain" points="1,1"/>')),
        ("a.xml", cvat('<cuboid label="stain" xtl1="1"/>')),
        ("a.xml", cvat('<skeleton label="stain"><points label="a" points="1,1"/></skeleton>')),
        ("a.xml", cvat('<shape-of-a-later-version label="stain"/>')),
        ("a.json", studio(POINT, kind="keypointlabels")),
        ("a.json", studio(LINE, kind="vectorlabels")),
        ("a.json", studio({"sequence": [], "labels": ["stain"]}, kind="rectangle")),
        ("1.txt", "0 0.5 0.5"),
        ("1.txt", "0"),
    ],
)
@pytest.mark.parametrize("boxes", ["refuse", "fill"])
def test_a_region_without_an_area_spoils_its_picture_and_no_other(
    images: Path, name: str, text: str, boxes: Any
) -> None:
    annotations = save(images, name, text)
    with open_masks(images, annotations=annotations, classes=["stain"], boxes=boxes) as masked:
        first, second = masked.samples()
        with pytest.raises(ImageError) as caught:
            masked.mask(first)
        assert masked.mask(second).any()
    assert caught.value.code == "image-mask-outline"
    assert name in caught.value.message


def test_key_points_of_yolo_are_boxes(images: Path) -> None:
    annotations = save(images, "1.txt", f"{yolo_box()} 0.4 0.4 2 0.5 0.5 2")
    (annotations / "2.txt").write_text("")
    (annotations / "data.yaml").write_text("names: [stain]\nkpt_shape: [2, 3]\n")
    with open_masks(images, annotations=annotations) as masked, pytest.raises(ImageError):
        masked.mask(masked.samples()[0])
    with open_masks(images, annotations=annotations, boxes="fill") as masked:
        assert np.array_equal(masked.mask(masked.samples()[0]) == 1, inside_box(0, (0, 0)))


def test_another_word_than_refuse_or_fill_is_refused(images: Path) -> None:
    annotations = save(images, "a.xml", cvat_box())
    with pytest.raises(UsageError, match="refuse, fill, grabcut, got 'guess'"):
        open_masks(images, annotations=annotations, boxes="guess")  # type: ignore[arg-type]


def test_where_no_region_can_be_read_the_first_is_named(images: Path) -> None:
    text = cvat('<polyline label="stain" points="1,1;2,2"/>').replace('label="stain"', "")
    with pytest.raises(FlawlineError, match=r"a\.xml, line 2: expected an outline, got <polyline>"):
        open_masks(images, annotations=save(images, "a.xml", text))
