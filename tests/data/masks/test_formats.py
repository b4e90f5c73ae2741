"""One drawing gives the same masks in the format of every tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.helpers import tool_exports as tools

from flawline.data.masks import open_masks
from flawline.errors import SourceError

FORMATS = {
    tools.labelme: "LabelMe",
    tools.labelme_xml: "LabelMe XML",
    tools.voc_masks: "VOC masks",
    tools.panoptic: "COCO panoptic",
    tools.datumaro: "Datumaro",
    tools.supervisely: "Supervisely",
    tools.ground_truth: "Ground Truth",
    tools.run_length_table: "run lengths",
    tools.via_annotations: "VIA",
    tools.via_project: "VIA",
    tools.via_table: "VIA",
}


@pytest.mark.parametrize(("made", "format"), FORMATS.items())
def test_every_format_gives_the_same_masks(
    tmp_path: Path, made: Callable[[Path], Path], format: str
) -> None:
    images = tools.pictures(tmp_path)
    with open_masks(images, annotations=made(tmp_path)) as masked:
        assert masked.format == format
        assert masked.classes == ("background", "scratch", "stain")
        assert masked.unlabelled == ("3.png",)
        masks = {sample.name: masked.mask(sample) for sample in masked.samples()}
    assert list(masks) == ["1.png", "2.png"]
    assert np.array_equal(masks["1.png"], tools.drawing())
    assert not masks["2.png"].any()


@pytest.mark.parametrize("made", FORMATS)
def test_classes_can_be_ordered_and_ignored_by_name(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    images, annotations = tools.pictures(tmp_path), made(tmp_path)
    with open_masks(images, annotations=annotations, classes=["stain"], ignore="scratch") as masked:
        assert masked.classes == ("background", "stain")
        mask = masked.mask(masked.samples()[0])
    assert np.array_equal(mask, np.array([0, 255, 1], np.uint8)[tools.drawing()])


@pytest.mark.parametrize("made", FORMATS)
def test_the_root_that_holds_an_export_beside_its_pictures_may_be_given(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    images = tools.pictures(tmp_path)
    made(tmp_path)
    with open_masks(images, annotations=tmp_path) as masked:
        assert masked.format == FORMATS[made]
        assert np.array_equal(masked.mask(masked.samples()[0]), tools.drawing())


@pytest.mark.parametrize("made", [tools.panoptic, tools.ground_truth, tools.voc_masks])
def test_masks_below_the_source_are_no_pictures(
    tmp_path: Path, made: Callable[[Path], Path]
) -> None:
    tools.pictures(tmp_path)
    annotations = made(tmp_path)
    with open_masks(tmp_path, annotations=annotations, unlabelled="empty") as masked:
        names = [sample.name for sample in masked.samples()]
        assert names == ["images/1.png", "images/2.png", "images/3.png"]
        assert np.array_equal(masked.mask(masked.samples()[0]), tools.drawing())


def test_a_root_with_two_exports_is_refused(tmp_path: Path) -> None:
    images = tools.pictures(tmp_path)
    tools.via_annotations(tmp_path)
    tools.datumaro(tmp_path)
    with pytest.raises(SourceError, match=r"'via\.json' and 'annotations/default\.json'"):
        open_masks(images, annotations=tmp_path)
