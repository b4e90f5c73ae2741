"""LabelMe's web page: masks are named by the XML files and lie below the folder that is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError

BOX = "<pt><x>10</x><y>4</y></pt><pt><x>30</x><y>4</y></pt><pt><x>30</x><y>14</y></pt>"
POLYGON = f"<polygon>{BOX}<pt><x>10</x><y>14</y></pt></polygon>"


def folder_with(tmp_path: Path, outline: str) -> Path:
    """The export of the drawing, with another outline for its first object."""
    root = tools.labelme_xml(tmp_path)
    path = root / "Annotations" / "set" / "1.xml"
    head, _, tail = path.read_text().partition("<polygon>")
    path.write_text(head + outline + tail.partition("</polygon>")[2])
    return root


def test_bounding_boxes_are_boxes(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    root = folder_with(tmp_path, f"<type>bounding_box</type>{POLYGON}")
    assert "object 1: expected an outline, got a box" in tools.spoiled(images, root)
    mask = tools.read(images, root, boxes="fill")["1.png"]
    assert isinstance(mask, np.ndarray)
    assert np.count_nonzero(mask == 1) == 200 - np.count_nonzero(
        tools.inside(tools.STAIN)[4:14, 10:30]
    )


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        ("", "a polygon or a mask"),
        (POLYGON.replace("<y>4</y>", ""), "the numbers x, y"),
        (POLYGON.replace("30", "1e999"), "the numbers x, y"),
        ("<polygon></polygon>", "at least 3 points"),
        ("<segm><mask>gone.png</mask></segm>", "'Masks/set/gone.png' below the annotations"),
        ("<segm><mask>../../../images/1.png</mask></segm>", "outside the folder"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(tmp_path: Path, outline: str, words: str) -> None:
    why = tools.spoiled(tools.pictures(tmp_path), folder_with(tmp_path, outline))
    assert why.startswith("web, Annotations/set/1.xml, object 1: ")
    assert words in why


def test_links_that_leave_the_annotations_are_not_followed(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.labelme_xml(tmp_path)
    mask = root / "Masks" / "set" / "1_mask_1.png"
    mask.rename(tmp_path / "elsewhere.png")
    mask.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(SourceError, match="a link that leaves the folder"):
        open_masks(images, annotations=root)


def test_files_without_objects_are_recognised(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.labelme_xml(tmp_path)
    (root / "Annotations" / "set" / "1.xml").unlink()
    with open_masks(images, annotations=root, classes=["stain"]) as masked:
        assert masked.format == "LabelMe XML"


def test_masks_outside_the_given_folder_are_not_read(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.labelme_xml(tmp_path)
    assert "found none" in tools.spoiled(images, root / "Annotations")
