"""Layouts of inspection data sets: what is a picture, what is a mask, and what a mask tells."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from flawline.data.masks import open_masks
from flawline.data.source import open_source
from flawline.errors import SourceError
from flawline.types import Sample

Pixels = NDArray[np.uint8]
SIZE = (30, 40)
GOOD, BAD = 0, 24
"""Pixels of the defect in a mask."""


def photo(seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(60, 190, (*SIZE, 3), np.uint8)


def mask(pixels: int, value: int = 255) -> Pixels:
    drawn = np.zeros(SIZE, np.uint8)
    drawn.ravel()[:pixels] = value
    return drawn


def save(root: Path, files: Mapping[str, int | None]) -> Path:
    """Draw files: a photograph for None, a mask of so many pixels for a number."""
    for seed, (name, pixels) in enumerate(files.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), photo(seed) if pixels is None else mask(pixels))
    return root


def listed(root: Path) -> list[Sample]:
    with open_source(root) as source:
        return list(source.samples())


LAYOUTS: dict[str, tuple[dict[str, int | None], list[Sample]]] = {
    "BTAD": (
        {
            "01/train/ok/0000.bmp": None,
            "01/test/ok/0005.bmp": None,
            "01/test/ko/0000.bmp": None,
            "01/ground_truth/ko/0000.png": BAD,
        },
        [
            Sample("01/test/ko/0000.bmp", "ko", True, "01/ground_truth/ko/0000.png", split="test"),
            Sample("01/test/ok/0005.bmp", "ok", False, split="test"),
            Sample("01/train/ok/0000.bmp", "ok", False, split="train"),
        ],
    ),
    "MPDD": (
        {
            "Train/Good/000.png": None,
            "Test/Good/000.png": None,
            "Test/hole/000.png": None,
            "Ground_Truth/Hole/000_mask.png": BAD,
        },
        [
            Sample("Test/Good/000.png", "Good", False, split="test"),
            Sample("Test/hole/000.png", "hole", True, "Ground_Truth/Hole/000_mask.png", split="test"),
            Sample("Train/Good/000.png", "Good", False, split="train"),
        ],
    ),
    "VisA": (
        {
            "capsules/Data/Images/Normal/0000.JPG": None,
            "capsules/Data/Images/Anomaly/000.JPG": None,
            "capsules/Data/Masks/Anomaly/000.png": BAD,
        },
        [
            Sample(
                "capsules/Data/Images/Anomaly/000.JPG",
                "Anomaly",
                True,
                "capsules/Data/Masks/Anomaly/000.png",
            ),
            Sample("capsules/Data/Images/Normal/0000.JPG", "Normal", False),
        ],
    ),
    "KolektorSDD": (
        {
            "kos01/Part0.jpg": None,
            "kos01/Part0_label.bmp": BAD,
            "kos01/Part1.jpg": None,
            "kos01/Part1_label.bmp": GOOD,
            "kos02/Part0.jpg": None,
            "kos02/Part0_label.bmp": GOOD,
        },
        [
            Sample("kos01/Part0.jpg", "kos01", True, "kos01/Part0_label.bmp"),
            Sample("kos01/Part1.jpg", "kos01", False, "kos01/Part1_label.bmp"),
            Sample("kos02/Part0.jpg", "kos02", False, "kos02/Part0_label.bmp"),
        ],
    ),
    "KolektorSDD2": (
        {
            "train/10000.png": None,
            "train/10000_GT.png": GOOD,
            "test/20000.png": None,
            "test/20000_GT.png": BAD,
        },
        [
            Sample("test/20000.png", "bad", True, "test/20000_GT.png", split="test"),
            Sample("train/10000.png", "good", False, "train/10000_GT.png", split="train"),
        ],
    ),
    "DAGM": (
        {
            "Train/0576.PNG": None,
            "Train/0577.PNG": None,
            "Train/Label/0576_label.PNG": BAD,
            "Test/0001.PNG": None,
            "Test/Label/0001_label.PNG": BAD,
        },
        [
            Sample("Test/0001.PNG", "bad", True, "Test/Label/0001_label.PNG", split="test"),
            Sample("Train/0576.PNG", "bad", True, "Train/Label/0576_label.PNG", split="train"),
            Sample("Train/0577.PNG", "good", False, split="train"),
        ],
    ),
    "magnetic tiles": (
        {
            "MT_Break/Imgs/exp1.jpg": None,
            "MT_Break/Imgs/exp1.png": BAD,
            "MT_Free/Imgs/exp2.jpg": None,
            "MT_Free/Imgs/exp2.png": GOOD,
        },
        [
            Sample("MT_Break/Imgs/exp1.jpg", "MT_Break", True, "MT_Break/Imgs/exp1.png"),
            Sample("MT_Free/Imgs/exp2.jpg", "MT_Free", False, "MT_Free/Imgs/exp2.png"),
        ],
    ),
    "VOC": (
        {
            "JPEGImages/1.jpg": None,
            "SegmentationClass/1.png": BAD,
            "SegmentationObject/1.png": BAD,
        },
        [Sample("JPEGImages/1.jpg", mask="SegmentationClass/1.png")],
    ),
    "capitals": (
        {"Images/1.png": None, "Images/2.png": None, "Masks/1.png": BAD, "Masks/2.png": GOOD},
        [
            Sample("Images/1.png", mask="Masks/1.png"),
            Sample("Images/2.png", mask="Masks/2.png"),
        ],
    ),
    "labels": (
        {"images/1.jpg": None, "images/2.jpg": None, "labels/1.png": BAD},
        [Sample("images/1.jpg", mask="labels/1.png"), Sample("images/2.jpg")],
    ),
    "next to label folders": (
        {"good/1.png": None, "bad/1.png": None, "masks/bad/1.jpg.png": GOOD, "masks/bad/1.png": BAD},
        [
            Sample("bad/1.png", "bad", True, "masks/bad/1.png"),
            Sample("good/1.png", "good", False),
        ],
    ),
    "next to a folder of any name": (
        {"rgb/1.png": None, "rgb/2.png": None, "Ground Truth/1.png": BAD, "Ground Truth/2.png": GOOD},
        [
            Sample("rgb/1.png", "rgb", mask="Ground Truth/1.png"),
            Sample("rgb/2.png", "rgb", mask="Ground Truth/2.png"),
        ],
    ),
    "of one of two folders": (
        {"good/1.png": None, "bad/7.png": None, "masks/7.png": BAD},
        [Sample("bad/7.png", "bad", True, "masks/7.png"), Sample("good/1.png", "good", False)],
    ),
    "names of pictures in full": (
        {"images/1.jpg": None, "images/2.jpg": None, "masks/1.jpg.png": BAD},
        [Sample("images/1.jpg", mask="masks/1.jpg.png"), Sample("images/2.jpg")],
    ),
    "masks that fit no picture": (
        {"images/1.jpg": None, "masks/77.png": BAD, "masks/78.png": GOOD},
        [Sample("images/1.jpg")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_masks_are_masks(tmp_path: Path, name: str) -> None:
    files, expected = LAYOUTS[name]
    root = save(tmp_path / "set", files)
    assert listed(root) == expected
    masks = sum(pixels is not None for pixels in files.values())
    with open_source(root) as source:
        summary = source.summary()
        assert summary.passed_over == {"mask": masks}
        assert summary.pictures == len(expected)
        counted = {label: count for label, (count, _) in summary.labels.items()}
        assert counted == {
            label: sum(s.label == label for s in expected)
            for label in {s.label for s in expected} - {None}
        }
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.write(root / file, file)
    assert listed(packed) == expected


@pytest.mark.parametrize("name", ["BTAD", "MPDD", "VisA", "KolektorSDD", "KolektorSDD2", "DAGM"])
def test_good_parts_without_a_mask_have_no_defect(tmp_path: Path, name: str) -> None:
    files, expected = LAYOUTS[name]
    with open_masks(save(tmp_path, files), classes={255: "defect"}) as masked:
        found = {s.name: int(masked.pair(s)[1].sum()) for s in masked.samples()}
    assert found == {sample.name: BAD if sample.defective else 0 for sample in expected}


def test_data_sets_of_several_layouts(tmp_path: Path) -> None:
    expected = []
    for name in ("BTAD", "KolektorSDD", "VisA"):
        files, samples = LAYOUTS[name]
        save(tmp_path / name, files)
        expected += [
            (f"{name}/{s.name}", s.defective, s.mask and f"{name}/{s.mask}") for s in samples
        ]
    assert [(s.name, s.defective, s.mask) for s in listed(tmp_path)] == expected


FALSE_FRIENDS: dict[str, dict[str, int | None]] = {
    "a folder of pictures called label": {"images/1.png": None, "label/7.png": None},
    "labels that are photographed": {"images/1.png": None, "label/1.png": None},
    "a class called Masks": {"good/1.png": None, "Masks/1.png": None},
    "a class called masks within images": {"images/masks/1.png": None, "images/caps/1.png": None},
    "classes called images and masks": {"images/1.png": None, "masks/a7.png": None},
    "labels next to their products": {"1.png": None, "1_label.png": None, "2.png": None},
    "photographs in two formats": {"1.png": None, "1.jpg": None, "2.png": None},
    "a label without its product": {"1.png": None, "2_label.png": BAD},
    "masks of another name": {"photos/1.png": None, "photos/gt/2.png": None},
    "photographs of one name": {"front/1.png": None, "masks/1.png": None},
}


@pytest.mark.parametrize("name", FALSE_FRIENDS)
def test_pictures_that_are_called_like_masks_are_pictures(tmp_path: Path, name: str) -> None:
    files = FALSE_FRIENDS[name]
    found = listed(save(tmp_path, files))
    assert sorted(sample.name for sample in found) == sorted(files)
    assert [sample.mask for sample in found] == [None] * len(files)


def test_a_mask_has_the_size_of_its_picture(tmp_path: Path) -> None:
    save(tmp_path, {"1.png": None, "1_label.png": None})
    cv2.imwrite(str(tmp_path / "1_label.png"), mask(BAD)[:20])
    assert len(listed(tmp_path)) == 2


def test_what_is_not_taken_for_masks_is_said(tmp_path: Path) -> None:
    for name in ("labels next to their products", "labels that are photographed"):
        with open_source(save(tmp_path / name, FALSE_FRIENDS[name])) as source:
            assert len(source.summary().hints) == 1
            assert "do not look like masks" in source.summary().hints[0]
    assert "'*_label'" in _hint(tmp_path / "labels next to their products")
    assert "'label'" in _hint(tmp_path / "labels that are photographed")


def test_masks_that_fit_no_picture_are_said(tmp_path: Path) -> None:
    save(tmp_path, {"images/image_1.png": None, "masks/gt_1.png": SIZE[0] * SIZE[1]})
    assert [sample.name for sample in listed(tmp_path)] == ["images/image_1.png"]
    assert _hint(tmp_path) == "No mask in 'masks' has the name of a picture."


def _hint(root: Path) -> str:
    with open_source(root) as source:
        return source.summary().hints[0]


@pytest.mark.parametrize(
    ("drawn", "taken"),
    [
        (mask(BAD), True),
        (mask(BAD, 1), True),
        (cv2.GaussianBlur(mask(BAD * 4), (5, 5), 0), True),
        (cv2.applyColorMap(mask(BAD, 9), cv2.COLORMAP_BONE), True),
        (np.full(SIZE, 120, np.uint8), False),
        (cv2.cvtColor(photo(), cv2.COLOR_BGR2GRAY), False),
    ],
    ids=["two levels", "dark", "smoothed", "colours", "flat", "grey"],
)
def test_what_looks_like_a_mask(tmp_path: Path, drawn: Any, taken: bool) -> None:
    save(tmp_path, {"a/1.png": None})
    cv2.imwrite(str(tmp_path / "a" / "1_label.png"), drawn)
    assert len(listed(tmp_path)) == (1 if taken else 2)


def test_what_a_mask_of_another_kind_tells(tmp_path: Path) -> None:
    """Of a mask in the alpha channel the alpha counts, of one in colours what is not black."""
    drawn = np.dstack([np.zeros((*SIZE, 3), np.uint8), mask(BAD)])
    coloured = np.dstack([mask(BAD), mask(0), mask(0)])
    for name, pixels in (("1", drawn), ("2", coloured), ("3", mask(GOOD))):
        save(tmp_path, {f"train/{name}.png": None})
        cv2.imwrite(str(tmp_path / "train" / f"{name}_GT.png"), pixels)
    assert [sample.defective for sample in listed(tmp_path)] == [True, True, False]


def test_masks_of_pictures_that_differ_in_their_extension(tmp_path: Path) -> None:
    save(tmp_path, {"images/1.jpg": None, "images/1.png": None, "masks/1.png": BAD})
    assert [s.mask for s in listed(tmp_path)] == [None, "masks/1.png"]
    save(tmp_path, {"masks/1.jpg.png": GOOD})
    assert [s.mask for s in listed(tmp_path)] == ["masks/1.jpg.png", "masks/1.png"]


def test_a_mask_that_fits_two_pictures_is_refused(tmp_path: Path) -> None:
    save(tmp_path, {"images/1.jpg": None, "images/1.png": None, "masks/1.bmp": BAD})
    with pytest.raises(SourceError, match=r"fits 'images/1\.jpg' and 'images/1\.png'") as caught:
        listed(tmp_path)
    assert caught.value.code == "annotations-ambiguous"


def test_an_unreadable_mask_tells_nothing(tmp_path: Path) -> None:
    save(tmp_path, {"train/1.png": None, "train/2.png": None, "train/1_GT.png": BAD})
    (tmp_path / "train" / "2_GT.png").write_bytes(b"")
    assert [(s.label, s.defective) for s in listed(tmp_path)] == [("bad", True), (None, None)]
