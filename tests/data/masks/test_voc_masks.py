"""Masks of Pascal VOC with a labelmap.txt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError


def test_the_folder_of_masks_may_be_given_itself(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.voc_masks(tmp_path)
    found = tools.read(images, root / "SegmentationClass")
    assert np.array_equal(found["1.png"], tools.drawing())


def test_a_palette_of_the_same_colours_is_read(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.voc_masks(tmp_path)
    image = Image.fromarray(np.array([5, 9, 2], np.uint8)[tools.drawing()])
    image.putpalette([0] * 15 + [0, 0, 0] + [0] * 9 + [0, 0, 255] + [9] * 9)
    palette = [7] * 768
    for index, colour in zip((5, 9, 2), tools.COLOURS.values(), strict=True):
        palette[3 * index : 3 * index + 3] = colour
    image.putpalette(palette)
    image.save(root / "SegmentationClass" / "1.png")
    assert np.array_equal(tools.read(images, root)["1.png"], tools.drawing())


def test_classes_without_colours_have_those_of_voc(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.voc_masks(tmp_path)
    (root / "labelmap.txt").write_text("background:::\nscratch:::\nstain:::\n\ncow:64,128,0:a,b:c")
    pixels = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.uint8)[tools.drawing()]
    tools.save_png(root / "SegmentationClass" / "1.png", pixels[..., ::-1])
    with open_masks(images, annotations=root) as masked:
        assert masked.classes == ("background", "scratch", "stain", "cow")
        assert np.array_equal(masked.mask(masked.samples()[0]), tools.drawing())


def test_unknown_colours_spoil_their_picture(tmp_path: Path) -> None:
    images, root = tools.pictures(tmp_path), tools.voc_masks(tmp_path)
    pixels = tools.coloured(tools.drawing())
    pixels[0, 0] = (1, 2, 3)
    tools.save_png(root / "SegmentationClass" / "1.png", pixels[..., ::-1])
    why = tools.spoiled(images, root)
    assert (
        "SegmentationClass/1.png: expected colours that have a class, got others: (1, 2, 3)" in why
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scratch", "line 1: expected 'label:red,green,blue::', got 'scratch'"),
        ("# a\nscratch:1,2::", "line 2: expected"),
        ("scratch:1,2,256::", "line 1: expected"),
        ("scratch:1,2,3::\nstain:1,2,3::", "line 2: expected a colour of its own, 'stain'"),
    ],
)
def test_a_broken_labelmap_is_refused(tmp_path: Path, text: str, words: str) -> None:
    images, root = tools.pictures(tmp_path), tools.voc_masks(tmp_path)
    (root / "labelmap.txt").write_text(text)
    with pytest.raises(SourceError) as caught:
        open_masks(images, annotations=root)
    assert words in caught.value.message
