"""Exports of real tools, where the folder of real data has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flawline.data.masks import open_masks
from flawline.errors import ImageError

SETS = "label_exports/datumaro_tests"
COCO = f"{SETS}/coco_dataset"
SPOILED = -1


@pytest.mark.parametrize(
    ("source", "annotations", "expected"),
    [
        # Areas as pycocotools gives them.
        (f"{COCO}/coco_instances/images", "../annotations/instances_val.json", {"val/b.jpg": 20}),
        (
            f"{COCO}/coco_instances/images",
            "../annotations/instances_train.json",
            {"train/a.jpg": SPOILED},
        ),
        (f"{COCO}/coco_stuff/images", "../annotations/stuff_train.json", {"train/a.jpg": 20}),
        (
            f"{COCO}/coco_labels/images",
            "../annotations/labels_train.json",
            {"train/a.jpg": SPOILED},
        ),
        (
            f"{SETS}/cvat_dataset/for_images/export_task/images",
            "../train.xml",
            {"img0.jpg": SPOILED, "img1.jpg": SPOILED},
        ),
        (
            f"{SETS}/cvat_dataset/for_video/images",
            "../annotations.xml",
            {"frame_000010.png": SPOILED, "frame_000013.png": SPOILED, "frame_000016.png": 0},
        ),
        (
            f"{SETS}/roboflow_dataset/yolo/train/images",
            "../../data.yaml",
            {"train_001.jpg": SPOILED, "train_002.jpg": SPOILED},
        ),
        (
            f"{SETS}/roboflow_dataset/yolo_obb/train/images",
            "../../data.yaml",
            {"train_001.jpg": 4, "train_002.jpg": 16},
        ),
    ],
)
def test_real_exports(
    real_data: Path, source: str, annotations: str, expected: dict[str, int]
) -> None:
    folder = real_data / source
    if not folder.exists():
        pytest.skip(f"{source} is not in the folder of real data")
    found = {}
    with open_masks(folder, annotations=(folder / annotations).resolve()) as masked:
        for sample in masked.samples():
            try:
                found[sample.name] = int((masked.mask(sample) > 0).sum())
            except ImageError as error:
                found[sample.name] = SPOILED if error.code == "image-mask-outline" else -2
    assert found == expected


def test_real_label_files(real_data: Path) -> None:
    folder = real_data / "kolektorsdd"
    if not folder.exists():
        pytest.skip("kolektorsdd is not in the folder of real data")
    labels = folder / "labels_yolo_seg"
    with open_masks(folder / "images", annotations=labels, classes=["crack"]) as masked:
        cracked = [sample.name for sample in masked.samples() if masked.mask(sample).any()]
        assert len(masked.samples()) == 72
    assert len(cracked) == 9
