"""Grey levels that are classes, smoothed edges, and numbers that are no class."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from flawline.data.masks import open_masks
from flawline.data.masks.check import check_masks
from flawline.data.masks.levels import check_levels
from flawline.data.masks.pixels import read_class_mask, read_mask
from flawline.errors import ImageError, UsageError
from helpers.drawn_masks import random_masks

MASK = np.zeros((60, 80), np.uint8)
cv2.circle(MASK, (40, 30), 15, 255, -1)


def smoothed(highest: int = 255, scale: int = 4) -> NDArray[np.uint8]:
    """A disc with edges as reducing a larger picture makes them."""
    large = cv2.resize(MASK, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    moved = np.roll(large, (1, 1), axis=(0, 1))
    small = cv2.resize(moved, MASK.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.rint(small / 255 * highest).astype(np.uint8)


def tiff(values: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "TIFF")
    return stream.getvalue()


@pytest.mark.parametrize("highest", [255, 200, 128, 60])
@pytest.mark.parametrize("scale", [2, 4])
def test_smoothed_edges_are_no_classes(highest: int, scale: int) -> None:
    with pytest.raises(ImageError, match="grey levels") as caught:
        check_levels(smoothed(highest, scale))
    assert caught.value.code == "image-mask-value"
    assert "`threshold=128`" in caught.value.hint


def test_many_levels_are_no_classes() -> None:
    blocks = np.ones((5, 5), np.uint8)
    check_levels(np.kron(np.arange(17, dtype=np.uint8), blocks))
    with pytest.raises(ImageError, match="got 250 grey levels"):
        check_levels(np.kron(np.arange(251, dtype=np.uint8), blocks))


def test_classes_that_touch_are_classes() -> None:
    masks = random_masks(30, seed=5)
    assert len(masks) == 30
    for mask in masks:
        check_levels(mask)
    stripes = np.kron(np.arange(1, 8, dtype=np.uint8), np.ones((20, 5), np.uint8))
    check_levels(cv2.copyMakeBorder(stripes, 5, 5, 5, 5, cv2.BORDER_CONSTANT, value=0))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (MASK * np.float32(0.6 / 255), "whole numbers, got 0.6 among 709 px"),
        (MASK * np.float32(-1 / 255), "at least 0, got -1 among 709 px"),
        (MASK.astype(np.int32) * -1, "at least 0, got -255 among 709 px"),
        (np.where(MASK, np.float32("nan"), 0).astype(np.float32), "NaN"),
        (MASK.astype(np.float32) * 2, "at most 255, got 510"),
    ],
    ids=["fraction", "negative-float", "negative", "nan", "high"],
)
def test_numbers_that_are_no_class_are_refused(values: NDArray[np.generic], words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_mask(tiff(values))
    assert caught.value.hint


def test_signed_bytes_below_zero_are_refused() -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, (MASK > 0).astype(np.int8) * -1)
    with pytest.raises(ImageError, match="at least 0, got -1"):
        read_mask(stream.getvalue())


def test_whole_numbers_of_any_type_are_classes() -> None:
    for kind in (np.float32, np.int32, np.uint16):
        np.testing.assert_array_equal(read_mask(tiff((MASK // 255).astype(kind))), MASK // 255)


def test_a_threshold_cuts_any_kind_of_number() -> None:
    for values, threshold in ((smoothed(), 128), (smoothed() / np.float32(255), 0.5)):
        cut = read_mask(tiff(values), threshold=threshold)
        assert cut.dtype == np.uint8
        np.testing.assert_array_equal(cut, values >= threshold)


def test_the_file_of_one_class_may_number_regions_but_not_smooth_them() -> None:
    numbered = np.zeros((40, 60), np.uint8)
    for number in range(1, 29):
        numbered[5:15, 2 * number : 2 * number + 1] = number
    np.testing.assert_array_equal(read_class_mask(tiff(numbered)), numbered > 0)
    soft = cv2.blur(MASK, (3, 1))
    assert len(np.unique(soft)) > 2
    with pytest.raises(ImageError, match="smoothed edges"):
        read_class_mask(tiff(soft))
    np.testing.assert_array_equal(read_class_mask(tiff(soft), threshold=128), soft >= 128)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "images" / name), np.full_like(MASK, 90))
        cv2.imwrite(str(tmp_path / "masks" / name), MASK)
    return tmp_path


def test_one_smoothed_mask_spoils_its_own_picture(pairs: Path) -> None:
    cv2.imwrite(str(pairs / "masks" / "b.png"), smoothed())
    for classes in (None, {255: "stain"}):
        with open_masks(pairs, classes=classes) as masked:
            report = check_masks(masked)
        assert list(report.counts) == ["images/a.png"]
        assert [(one.code, one.files) for one in report.findings] == [
            ("image-mask-value", ("images/b.png",))
        ]
    with open_masks(pairs, classes=["stain"], threshold=128) as masked:
        report = check_masks(masked)
    assert masked.classes == ("background", "stain")
    assert report.counts["images/b.png"][1] == (smoothed() >= 128).sum()
    assert not report.findings


def test_more_values_than_classes_without_names_are_refused(pairs: Path) -> None:
    for name, first in (("a.png", 1), ("b.png", 11)):
        values = np.kron(np.arange(first, first + 10, dtype=np.uint8), np.ones((60, 8), np.uint8))
        cv2.imwrite(str(pairs / "masks" / name), values)
    with pytest.raises(UsageError, match="at most 16 classes without names, got 20"):
        open_masks(pairs)
    with open_masks(pairs, classes=[f"kind {number}" for number in range(1, 21)]) as masked:
        assert len(check_masks(masked).counts) == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": 0}, "above 0"),
        ({"threshold": float("nan")}, "above 0"),
        ({"threshold": 9, "ignore": 255}, "ignore"),
        ({"threshold": 9, "palette": {"a": (255, 0, 0)}}, "palette"),
        ({"threshold": 9, "classes": ["a", "b"]}, "one class with `threshold`, got a, b"),
    ],
)
def test_a_threshold_stands_alone(pairs: Path, settings: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_masks(pairs, **settings)  # type: ignore[arg-type]
