"""Exports of Label Studio: tasks, their pictures, bitmasks, brush pictures, JSON-MIN."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from flawline.data.masks import open_masks
from flawline.errors import FlawlineError, ImageError, SourceError

HEIGHT, WIDTH = 30, 40
SIZE = {"original_width": WIDTH, "original_height": HEIGHT}
SQUARE = [[10, 10], [35, 10], [35, 40], [10, 40]]
PIXELS = 10 * 9


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(tmp_path / "images" / name), np.full((HEIGHT, WIDTH), 9, np.uint8))
    return tmp_path / "images"


def region(**changes: Any) -> dict[str, Any]:
    value = {"points": SQUARE, "polygonlabels": ["stain"]}
    result = {"id": "r", "type": "polygonlabels", "to_name": "image", "value": value, **SIZE}
    return {**result, **changes}


def task(data: Any, *results: Any) -> dict[str, Any]:
    return {"id": 1, "data": data, "annotations": [{"id": 5, "result": list(results)}]}


def read(images: Path, document: Any, **options: Any) -> dict[str, Any]:
    """Return the pixels of every picture, or why it is spoiled."""
    path = images.parent / "a.json"
    path.write_text(json.dumps(document))
    found: dict[str, Any] = {}
    with open_masks(images, annotations=path, **options) as masked:
        for sample in masked.samples():
            try:
                found[sample.name] = int((masked.mask(sample) > 0).sum())
            except ImageError as error:
                found[sample.name] = error.message
    return found


GOOD = task({"image": "/data/upload/3/0a1b2c3d-b.png"}, region())


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (region(value={"points": SQUARE}), "one label, got nothing"),
        (region(value={"points": SQUARE, "polygonlabels": []}), "one label, got nothing"),
        (
            region(value={"points": SQUARE, "polygonlabels": ["x", "y"]}),
            "one label, got ['x', 'y']",
        ),
        (region(value={"points": SQUARE, "polygonlabels": [3]}), "one label, got [3]"),
        (region(value={"points": SQUARE, "polygonlabels": [" "]}), "one label, got [' ']"),
        (region(value={"points": "x", "polygonlabels": ["x"]}), "points [x, y] in per cent"),
        (region(value={"points": [[1, 2, 3]], "polygonlabels": ["x"]}), "points [x, y]"),
        (region(value={"points": [[1, None]], "polygonlabels": ["x"]}), "points [x, y]"),
        (region(value=None), "got a result of the type 'polygonlabels'"),
        (region(image_rotation=90), "not turned"),
        (region(image_rotation="x"), "not turned"),
        (region(original_width=None), "whole numbers as width and height"),
        (region(original_width="1e9"), "whole numbers as width and height"),
        (region(original_width=True), "whole numbers as width and height"),
        (region(original_width=10**7, original_height=10**7), "pixels"),
        (region(item_index=-1), "number of a page"),
        (region(value={"rle": [1, 300], "brushlabels": ["x"]}), "list of bytes"),
        (region(value={"rle": [1], "format": "png", "brushlabels": ["x"]}), "format 'rle'"),
        (region(value={"imageDataURL": "x", "bitmasklabels": ["x"]}), "PNG"),
        (7, "expected an object, got 7"),
    ],
)
def test_a_broken_region_spoils_its_own_task(images: Path, broken: Any, words: str) -> None:
    document = [task({"image": "a.png"}, region(), broken), GOOD, task({"image": "c.png"})]
    found = read(images, document, classes=["stain", "x"])
    assert found["b.png"] == PIXELS
    assert found["c.png"] == 0
    assert "a.json, [0].annotations[0].result[1]: " in found["a.png"]
    assert words in found["a.png"]


def test_regions_of_two_sizes_spoil_their_picture(images: Path) -> None:
    other = region(original_width=80)
    found = read(images, [task({"image": "a.png"}, region(), other), GOOD])
    assert "result[1]: expected the size of the other regions" in found["a.png"]
    assert found["b.png"] == PIXELS


def test_numbers_may_be_floats_or_texts(images: Path) -> None:
    points = [[str(x), float(y)] for x, y in SQUARE]
    value = {"points": points, "polygonlabels": ["stain"]}
    size = {"original_width": float(WIDTH), "original_height": str(HEIGHT)}
    result = region(value=value, image_rotation="0", **size)
    assert read(images, [task({"image": "a.png"}, result)]) == {"a.png": PIXELS}
    assert read(images, [task({"image": "a.png"}, region(image_rotation=360.0))]) == {
        "a.png": PIXELS
    }


def test_labels_may_stand_apart_from_their_regions(images: Path) -> None:
    drawn = region(type="polygon", value={"points": SQUARE})
    named = region(type="labels", value={"points": SQUARE, "labels": ["stain"]})
    said = region(type="choices", value={"points": SQUARE, "choices": ["deep"]})
    whole = {"type": "choices", "value": {"choices": ["bad"]}}
    assert read(images, [task({"image": "a.png"}, drawn, named, said, whole)]) == {"a.png": PIXELS}
    assert read(images, [task({"image": "a.png"}, named)]) == {"a.png": PIXELS}


@pytest.mark.parametrize(
    ("data", "tag", "names"),
    [
        ({"image": "a.png", "thumb": "b.png"}, "image", ["a.png"]),
        ({"thumb": "b.png", "image": "a.png"}, "image", ["a.png"]),
        ({"thumb": "b.png", "photo": "a.png"}, "image", ["a.png"]),
        ({"before": "b.png", "img_url": "a.png"}, "img", ["a.png"]),
        ({"image": "a.png", "note": "see b"}, "image", ["a.png"]),
        ({"image": "s3://parts/set/a"}, "image", ["a.png"]),
        ({"image": "/data/local-files/?d=set%2Fa.png"}, "image", ["a.png"]),
        ({"image": "https://host/get?file=set/a.png&token=3"}, "image", ["a.png"]),
        ({"image": "C:\\parts\\a.png"}, "image", ["a.png"]),
        ({"pages": ["a.png", "b.png"]}, "pages", ["a.png", "b.png"]),
    ],
)
def test_the_picture_of_a_task(images: Path, data: Any, tag: str, names: list[str]) -> None:
    found = read(
        images, [task(data, region(to_name=tag)), task({tag: "c.png"}, region(to_name=tag))]
    )
    assert found["c.png"] == PIXELS
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0) | {names[0]: PIXELS}
    assert len(found) == len(names) + 1


def test_several_pictures_of_a_task_have_their_own_regions(images: Path) -> None:
    data = {"front": "a.png", "back": "b.png"}
    front, back = region(to_name="front"), region(to_name="back", id="s")
    assert read(images, [task(data, front, back)]) == {"a.png": PIXELS, "b.png": PIXELS}
    # Another task tells that the back is annotated too.
    other = task({"back": "c.png"}, back)
    assert read(images, [task(data, front), other]) == {
        "a.png": PIXELS,
        "b.png": 0,
        "c.png": PIXELS,
    }


def test_pages_have_their_own_regions(images: Path) -> None:
    second = region(to_name="pages", item_index=1)
    assert read(images, [task({"pages": ["a.png", "b.png"]}, second)]) == {
        "a.png": 0,
        "b.png": PIXELS,
    }


def test_a_page_that_is_not_there_spoils_all_pages(images: Path) -> None:
    second = region(to_name="pages", item_index=2)
    found = read(
        images,
        [
            task({"pages": ["a.png", "b.png"]}, second),
            task({"pages": ["c.png"]}, region(to_name="pages")),
        ],
    )
    assert "expected one of 2 pages, counted from 0, got 2" in found["a.png"]
    assert found["a.png"] == found["b.png"]
    assert found["c.png"] == PIXELS


@pytest.mark.parametrize("tags", [["shown"], ["front", "shown"], []])
def test_pictures_that_regions_do_not_tell_apart_are_spoiled(images: Path, tags: list[str]) -> None:
    data = {"front": "a.png", "back": "c.png"}
    regions = [region(to_name=tag, id=tag) for tag in tags]
    found = read(images, [task(data, *regions), GOOD])
    for name in ("a.png", "c.png"):
        assert "[0].data: expected one picture in the task, got front, back" in found[name]
    assert found["b.png"] == PIXELS


@pytest.mark.parametrize(
    "data",
    [{"image": "https://host/image?id=77"}, {"n": 1}, 3, {"image": "data:image/png;base64,AA"}],
)
def test_a_task_whose_picture_has_no_name_is_left_out(images: Path, data: Any) -> None:
    document = [task(data, region()), GOOD]
    assert read(images, document) == {"b.png": PIXELS}
    path = images.parent / "a.json"
    with open_masks(images, annotations=path) as masked:
        assert "1 annotated pictures have no name ([0].data: expected the path" in masked.notes[0]
    found = read(images, document, unlabelled="empty")
    assert "so this picture may have regions" in found["a.png"]


def test_a_picture_of_two_tasks_is_spoiled(images: Path) -> None:
    found = read(images, [task({"image": "a.png"}, region()), task({"image": "a.png"}), GOOD])
    assert "[1]: expected each picture once, 'a.png' comes again" in found["a.png"]
    assert found["b.png"] == PIXELS


def test_exports_before_version_1_are_read(images: Path) -> None:
    old = {"data": {"image": "a.png"}, "completions": [{"result": [region()]}]}
    assert read(images, [old]) == {"a.png": PIXELS}


def png(pixels: Any) -> bytes:
    done, data = cv2.imencode(".png", pixels)
    assert done
    return data.tobytes()


def bitmask(pixels: Any) -> dict[str, Any]:
    text = "data:image/png;base64," + base64.b64encode(png(pixels)).decode()
    return region(type="bitmasklabels", value={"imageDataURL": text, "bitmasklabels": ["stain"]})


def test_bitmasks_are_the_opaque_pixels_of_a_png(images: Path) -> None:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[3:8, 4:10] = (0, 0, 0, 255)
    pixels[20, :] = (9, 9, 9, 127)
    assert read(images, [task({"image": "a.png"}, bitmask(pixels))]) == {"a.png": 30}
    for wrong, words in (
        (pixels[:-1], "PNG of 40 x 30 px, got 40 x 29"),
        (pixels[..., :3], "transparent background"),
    ):
        assert words in read(images, [task({"image": "a.png"}, bitmask(wrong)), GOOD])["a.png"]


def test_a_bitmask_that_is_cut_short_spoils_its_picture(images: Path) -> None:
    rng = np.random.default_rng(0)
    result = bitmask(rng.integers(0, 255, (HEIGHT, WIDTH, 4), dtype=np.uint8))
    text = result["value"]["imageDataURL"]
    head = text.index(",") + 1
    result["value"]["imageDataURL"] = text[: head + (len(text) - head) // 8 * 4]
    assert "whole PNG" in read(images, [task({"image": "a.png"}, result), GOOD])["a.png"]


def small(name: str, *regions: Any, **more: Any) -> dict[str, Any]:
    entry = {
        "id": 1,
        "image": f"/data/upload/1/0a1b2c3d-{name}",
        "annotator": 1,
        "annotation_id": 5,
    }
    return {**entry, "label": list(regions), "created_at": "2024-01-01T00:00:00Z", **more}


def test_json_min(images: Path) -> None:
    drawn = {"points": SQUARE, "polygonlabels": ["stain"], **SIZE}
    box = {"x": 1, "y": 1, "width": 9, "height": 9, "rotation": 0, "rectanglelabels": ["x"], **SIZE}
    document = [
        small("a.png", drawn, quality="good"),
        {**small("b.png", id=2), "label": [box]},
        small("c.png", id=3),
    ]
    found = read(images, document)
    assert found["a.png"] == PIXELS
    assert "[1].annotations[0].result[0]: expected an outline, got a box" in found["b.png"]
    assert found["c.png"] == 0
    assert read(images, document, boxes="fill")["b.png"] > 0


def test_json_min_of_regions_that_are_named_apart(images: Path) -> None:
    shape = {"points": SQUARE, **SIZE}
    apart = {
        "label": [{**shape, "labels": ["stain"]}],
        "poly": [shape],
        "depth": [{**shape, "choices": ["x"]}],
    }
    assert read(images, [{**small("a.png"), **apart}]) == {"a.png": PIXELS}


def test_json_min_takes_the_last_annotation_and_leaves_out_what_has_none(images: Path) -> None:
    drawn = {"points": SQUARE, "polygonlabels": ["stain"], **SIZE}
    document = [
        small("a.png", drawn, annotation_id=9),
        small("a.png", annotation_id=8),
        small("b.png", id=2, annotation_id=None),
    ]
    assert read(images, document) == {"a.png": PIXELS}


def brushes(folder: Path, *names: str) -> Path:
    folder.mkdir()
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[3:8, 4:10], pixels[20] = 255, 100
    for name in names:
        (folder / f"{name}.png").write_bytes(png(pixels))
    return folder


def test_brush_pictures_belong_to_pictures_named_for_their_tasks(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for n in (1, 2):
        cv2.imwrite(str(images / f"task-{n}.jpg"), np.full((HEIGHT, WIDTH), 9, np.uint8))
    folder = brushes(
        tmp_path / "export",
        "task-1-annotation-2-by-3-tag-scratch-0",
        "task-1-annotation-2-by-3-tag-scratch-1",
        "task-1-annotation-1-by-ann@x.de-tag-dent-0",
        "task-2-annotation-4-by-3-tag-rolled-in-0",
    )
    with open_masks(images, annotations=folder) as masked:
        assert masked.classes == ("background", "rolled-in", "scratch")
        assert masked.notes == ("1 tasks have several annotations, the last counts",)
        counts = [
            np.bincount(masked.mask(s).ravel(), minlength=3).tolist() for s in masked.samples()
        ]
    assert counts == [[1170, 0, 30], [1170, 30, 0]]


def test_brush_pictures_that_name_no_picture_are_refused(images: Path, tmp_path: Path) -> None:
    folder = brushes(tmp_path / "export", "task-1-annotation-2-by-3-tag-scratch-0")
    with pytest.raises(SourceError, match=r"'task-1' for 'a\.png'") as caught:
        open_masks(images, annotations=folder)
    assert 'Export the format "JSON"' in caught.value.hint


def test_an_archive_of_annotations_is_to_be_unpacked(images: Path, tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_bytes(b"PK")
    with pytest.raises(FlawlineError) as caught:
        open_masks(images, annotations=tmp_path / "export.zip")
    assert "Unpack" in caught.value.hint


@pytest.mark.parametrize("choice", ["NOK", "defect", "stain"])
def test_a_defect_that_was_chosen_and_not_drawn_spoils_the_picture(
    images: Path, choice: str
) -> None:
    chosen = {"type": "choices", "to_name": "image", "value": {"choices": [choice]}}
    good = {
        "type": "choices",
        "to_name": "image",
        "value": {"choices": ["OK", "front", "no defect"]},
    }
    document = [
        task({"image": "a.png"}, chosen),
        task({"image": "b.png"}, good),
        task({"image": "c.png"}, chosen, region()),
    ]
    found = read(images, document)
    assert f"result[0]: expected a region of '{choice}', got a choice" in found["a.png"]
    assert (found["b.png"], found["c.png"]) == (0, PIXELS)
