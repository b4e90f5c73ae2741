"""Pascal VOC: boxes are boxes, polygons and turned boxes are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

BOX = "<bndbox><xmin>11</xmin><ymin>5</ymin><xmax>30</xmax><ymax>14</ymax></bndbox>"
SIZE = f"<size><width>{tools.WIDTH}</width><height>{tools.HEIGHT}</height><depth>3</depth></size>"


def folder_with(tmp_path: Path, outline: str, name: str = "stain", size: str = SIZE) -> Path:
    """Picture 1 with one object, picture 2 with none."""
    folder = tmp_path / "Annotations"
    folder.mkdir(exist_ok=True)
    found = f"<object><name>{name}</name><difficult>0</difficult>{outline}</object>"
    for number, objects in (("1", found), ("2", "")):
        (folder / f"{number}.xml").write_text(
            f"<annotation><folder>x</folder><filename>{number}</filename>{size}"
            f"<segmented>0</segmented>{objects}</annotation>"
        )
    return folder


def test_boxes_are_refused_unless_they_are_to_be_filled(tmp_path: Path) -> None:
    images, folder = tools.pictures(tmp_path), folder_with(tmp_path, BOX)
    assert "1.xml, object 1: expected an outline, got a box" in tools.spoiled(images, folder)
    mask = tools.read(images, folder, boxes="fill")["1.png"]
    assert isinstance(mask, np.ndarray)
    # Pixels are numbered from 1, and both ends are part of the box.
    assert mask[4:14, 10:30].all()
    assert mask.sum() == 200


@pytest.mark.parametrize("size", ["", SIZE.replace("40", "0").replace("30", "0")])
def test_sizes_that_are_not_stated(tmp_path: Path, size: str) -> None:
    images, folder = tools.pictures(tmp_path), folder_with(tmp_path, BOX, size=size)
    mask = tools.read(images, folder, boxes="fill")["1.png"]
    assert isinstance(mask, np.ndarray)
    assert mask.shape == (tools.HEIGHT, tools.WIDTH)


def test_polygons_and_turned_boxes_are_drawn(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    numbers = "".join(
        f"<x{n}>{x}</x{n}><y{n}>{y}</y{n}>" for n, (x, y) in enumerate(tools.STAIN, 1)
    )
    folder = folder_with(tmp_path, f"{BOX}<polygon>{numbers}</polygon>")
    mask = tools.read(images, folder)["1.png"]
    assert np.array_equal(mask == 1, tools.inside(tools.STAIN))
    turned = "<cx>20</cx><cy>15</cy><w>20</w><h>6</h><angle>1.5707963</angle>"
    mask = tools.read(images, folder_with(tmp_path, f"<robndbox>{turned}</robndbox>"))["1.png"]
    assert isinstance(mask, np.ndarray)
    assert mask[5:25, 17:23].all()
    assert mask.sum() == 120


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        ("", "an object with a bndbox"),
        (BOX.replace("11", "a"), "the numbers xmin"),
        (BOX.replace("11", "nan"), "the numbers xmin"),
        (BOX.replace("30", "9"), "a width and a height"),
        ("<polygon><x1>1</x1><y1>1</y1></polygon>", "at least 3 points"),
        ("<polygon><x1>1</x1><y2>1</y2></polygon>", "the numbers x1, y1"),
    ],
)
def test_what_cannot_be_drawn_spoils_its_picture(tmp_path: Path, outline: str, words: str) -> None:
    folder = folder_with(tmp_path, outline)
    why = tools.spoiled(tools.pictures(tmp_path), folder, boxes="fill")
    assert why.startswith("Annotations, 1.xml, object 1: expected ")
    assert words in why


def test_an_object_without_a_name_spoils_its_picture(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, BOX, name=" ")
    assert "an object with a name" in tools.spoiled(tools.pictures(tmp_path), folder, boxes="fill")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<annotation>", "expected XML"),
        ("<svg/>", "got <svg>"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', "document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "document type"),
        ("<annotation>" * 1000, "more than 50 deep"),
        ("<annotation>" + "<a/>" * 1_300_000, "to be at most 5000000 bytes"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "expected XML"),
        (f"<annotation>{SIZE.replace('40', '40000000')}</annotation>", "it states"),
    ],
)
def test_a_broken_file_spoils_its_picture(tmp_path: Path, text: str, words: str) -> None:
    images, folder = tools.pictures(tmp_path), folder_with(tmp_path, BOX)
    (folder / "1.xml").write_text(text)
    assert words in tools.spoiled(images, folder, boxes="fill")
