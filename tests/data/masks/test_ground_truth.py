"""SageMaker Ground Truth: masks by colour or by number, boxes, and lines that are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks

Document = dict[str, Any]


def manifest_with(tmp_path: Path, *first: Any, **changes: Any) -> Path:
    """The manifest of the drawing, with the first line changed, or replaced by other lines."""
    path = tools.ground_truth(tmp_path)
    lines = path.read_text().splitlines()
    own = first if first else [{**json.loads(lines[0]), **changes}]
    texts = [line if isinstance(line, str) else json.dumps(line) for line in own]
    path.write_text("\n".join([*texts, *lines[1:]]))
    return path


def boxes(*annotations: Any) -> Document:
    """A line of an object detection job."""
    size = [{"width": tools.WIDTH, "height": tools.HEIGHT, "depth": 3}]
    metadata = {"objects": [], "class-map": {"0": "scratch", "1": "stain"}}
    return {
        "source-ref": "s3://bucket/raw/1.png",
        "job": {"image_size": size, "annotations": list(annotations)},
        "job-metadata": {**metadata, "type": "groundtruth/object-detection"},
    }


def classified(name: str) -> Document:
    """A line of an image classification job."""
    metadata = {"class-name": name, "type": "groundtruth/image-classification"}
    return {"source-ref": "s3://bucket/raw/1.png", "job": 1, "job-metadata": metadata}


def test_masks_may_hold_the_numbers_of_the_colour_map(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.ground_truth(tmp_path)
    for file in path.parent.rglob("1_*.png"):
        tools.save_png(file, tools.drawing())
    assert np.array_equal(tools.read(images, path)["1.png"], tools.drawing())


def test_masks_lie_at_the_last_parts_of_their_addresses(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.ground_truth(tmp_path)
    for file in list(path.parent.rglob("*.png")):
        file.rename(path.parent / file.name.replace(":", "_"))
    assert np.array_equal(tools.read(images, path)["1.png"], tools.drawing())


def test_masks_beside_the_folder_of_the_manifest_need_the_root(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.ground_truth(tmp_path)
    job = path.parent / "job"
    (job / "manifests" / "output").mkdir(parents=True)
    path = path.rename(job / "manifests" / "output" / "output.manifest")
    assert "give the folder that holds both" in str(tools.read(images, path)["1.png"])
    assert np.array_equal(tools.read(images, job)["1.png"], tools.drawing())


def test_white_is_background_where_the_map_names_none(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.ground_truth(tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines[:2]:
        del line["job-ref-metadata"]["internal-color-map"]["0"]
    path.write_text("\n".join(map(json.dumps, lines)))
    for file in path.parent.rglob("*.png"):
        pixels = tools.coloured(tools.drawing() * (file.name[0] == "1"))
        pixels[(pixels == 0).all(axis=2)] = 255
        tools.save_png(file, pixels[..., ::-1])
    found = tools.read(images, path)
    assert np.array_equal(found["1.png"], tools.drawing())


def test_boxes_are_boxes(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    box = {"class_id": 1, "left": 10, "top": 4, "width": 20, "height": 10}
    path = manifest_with(tmp_path, boxes(box))
    assert "line 1, annotations[0]: expected an outline, got a box" in tools.spoiled(images, path)
    mask = tools.read(images, path, boxes="fill")["1.png"]
    assert np.sum(mask == 2) == 200


def test_a_picture_that_is_only_classified(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    path = manifest_with(tmp_path, classified("normal"))
    mask = tools.read(images, path)["1.png"]
    assert isinstance(mask, np.ndarray)
    assert not mask.any()
    why = tools.spoiled(images, manifest_with(tmp_path, classified("anomaly")))
    assert "only classified as 'anomaly'" in why


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"job-ref": 3}, "the address of a mask, got 3"),
        ({"job-ref": "s3://bucket/a/gone.png"}, "the file 'a/gone.png' below the annotations"),
        ({"job-ref": "s3://bucket/../images/1.png"}, "lies outside the folder"),
        ({"job-ref": "s3://bucket//etc/passwd"}, "the file 'etc/passwd' below the annotations"),
        ({"job-ref-metadata": {"internal-color-map": {"a": 3}}}, "numbers with class names"),
        ({"job-ref-metadata": {"internal-color-map": {}}}, "colours that have a class"),
        ({"job-ref-metadata": {"failure-reason": "x"}}, "labelling failed: 'x'"),
        ({"job-ref-metadata": {}}, "only classified"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(
    tmp_path: Path, line: Document, words: str
) -> None:
    why = tools.spoiled(tools.pictures(tmp_path), manifest_with(tmp_path, **line))
    assert why.startswith("output.manifest, line 1: expected ") or "outside" in why
    assert words in why


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (3, "a class_id of the class-map"),
        ({"class_id": 7, "left": 1, "top": 1, "width": 1, "height": 1}, "a class_id"),
        ({"class_id": 1, "left": 1, "top": None, "width": 1, "height": 1}, "left, top, width"),
        ({"class_id": 1, "left": 1, "top": 1, "width": 0, "height": 1}, "a width and a height"),
    ],
)
def test_a_broken_box_spoils_its_picture(tmp_path: Path, box: Any, words: str) -> None:
    path = manifest_with(tmp_path, boxes(box))
    assert words in tools.spoiled(tools.pictures(tmp_path), path, boxes="fill")


@pytest.mark.parametrize(
    "line", ["{", "[" * 100_000, "3", "{}", '{"source-ref": 3}', '{"a": ' + "9" * 5000 + "}"]
)
def test_a_broken_line_is_listed(tmp_path: Path, line: str) -> None:
    images = tools.pictures(tmp_path)
    path = manifest_with(tmp_path, line)
    with open_masks(images, annotations=path) as masked:
        assert any("line 1: expected a JSON object with a source-ref" in n for n in masked.notes)
        assert "1 picture without a label is left out" in masked.notes
        assert [sample.name for sample in masked.samples()] == ["2.png"]


def test_a_picture_with_two_lines_is_spoiled(tmp_path: Path) -> None:
    images, path = tools.pictures(tmp_path), tools.ground_truth(tmp_path)
    first = path.read_text().splitlines()[0]
    assert "each picture once" in tools.spoiled(images, manifest_with(tmp_path, first, first))
