"""COCO panoptic: the PNGs are named by the JSON file and lie beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

Document = dict[str, Any]


def changed(tmp_path: Path, change: Callable[[Document], Any]) -> Path:
    """The export of the drawing after a change of its document."""
    path = tools.panoptic(tmp_path)
    document = json.loads(path.read_text())
    change(document)
    return tools.save_json(path, document)


def first(document: Document) -> Document:
    return document["annotations"][0]


def test_pngs_may_lie_beside_the_file_and_ids_be_texts(tmp_path: Path) -> None:
    def change(document: Document) -> None:
        document["annotations"][0]["image_id"] = "1"
        document["categories"][0]["id"] = 1.0

    path = changed(tmp_path, change)
    for file in (tmp_path / "panoptic").iterdir():
        file.rename(tmp_path / file.name)
    assert np.array_equal(tools.read(tools.pictures(tmp_path), path)["1.png"], tools.drawing())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: first(d).update(file_name="gone.png"), "the file 'panoptic/gone.png'"),
        (lambda d: first(d).update(file_name=3), "the name of a PNG, got 3"),
        (lambda d: first(d).update(file_name="../../images/1.png"), "lies outside the folder"),
        (lambda d: first(d).update(segments_info=5), "a list 'segments_info'"),
        (lambda d: first(d)["segments_info"].pop(), "colours that have a class, got others"),
        (lambda d: first(d)["segments_info"].append(first(d)["segments_info"][0]), "of one id"),
        (lambda d: first(d)["segments_info"].append({"id": 9, "category_id": 1}), "(9, 0, 0)"),
        (lambda d: first(d)["segments_info"][0].update(category_id=7), "of one id and category"),
        (lambda d: first(d)["segments_info"][0].update(id="x"), "of one id and category"),
        (lambda d: d["annotations"].append(first(d)), "each picture once"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(
    tmp_path: Path, change: Callable[[Document], Any], words: str
) -> None:
    path = changed(tmp_path / "set", change)
    why = tools.spoiled(tools.pictures(tmp_path), path)
    assert why.startswith("panoptic.json, annotations[")
    assert words in why


def test_a_png_of_another_size_does_not_fit(tmp_path: Path) -> None:
    path = tools.panoptic(tmp_path)
    tools.save_png(tmp_path / "panoptic" / "2.png", np.zeros((5, 5, 3), np.uint8))
    mask = tools.read(tools.pictures(tmp_path), path)["2.png"]
    assert isinstance(mask, np.ndarray)
    assert mask.shape == (5, 5)
