"""Masks stored with losses are refused under any format, and lossless ones of the same format are read."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from flawline.data.masks.bitmaps import png_layers
from flawline.data.masks.pixels import read_class_mask, read_colour_mask, read_mask
from flawline.data.masks.shapes import BrokenShape
from flawline.errors import ImageError

MASK = np.zeros((30, 40), np.uint8)
MASK[5:15, 8:26] = 255


def saved(format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(MASK).save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (saved("JPEG", quality=100), "a JPEG"),
        (saved("TIFF", compression="jpeg"), "a TIFF with JPEG"),
        (saved("JPEG2000", irreversible=True), "a lossy JPEG 2000"),
        (saved("JPEG2000", irreversible=True, no_jp2=True), "a lossy JPEG 2000"),
        (saved("WEBP", quality=100), "a lossy WebP"),
        (saved("WEBP", exif=b"Exif\0\0"), "a lossy WebP"),
        (saved("AVIF", quality=100), "an AVIF"),
    ],
    ids=["jpeg", "tiff-jpeg", "jp2", "j2k", "webp", "webp-extended", "avif"],
)
def test_masks_with_losses_are_refused(data: bytes, kind: str) -> None:
    readers = (read_mask, lambda d: read_colour_mask(d, {(0, 0, 0): 0}), read_class_mask)
    for read in readers:
        with pytest.raises(ImageError, match=f"without losses, got {kind}") as caught:
            read(data)
        assert caught.value.code == "image-mask"
        assert "PNG" in caught.value.hint


def test_bitmaps_in_annotations_have_no_losses_either() -> None:
    for data in (saved("JPEG"), saved("WEBP"), saved("TIFF", compression="jpeg")):
        with pytest.raises(BrokenShape, match="without losses"):
            png_layers(data, MASK.size)


@pytest.mark.parametrize(
    "data",
    [
        saved("PNG"),
        saved("TIFF", compression="tiff_lzw"),
        saved("TIFF", compression="tiff_adobe_deflate"),
        saved("JPEG2000"),
        saved("JPEG2000", no_jp2=True),
        saved("WEBP", lossless=True),
        saved("WEBP", lossless=True, exif=b"Exif\0\0"),
        saved("GIF"),
        saved("BMP"),
        saved("PPM"),
    ],
    ids=["png", "lzw", "deflate", "jp2", "j2k", "webp", "webp-extended", "gif", "bmp", "pgm"],
)
def test_masks_without_losses_keep_their_values(data: bytes) -> None:
    np.testing.assert_array_equal(read_mask(data), MASK)
    np.testing.assert_array_equal(read_class_mask(data), MASK > 0)


def test_a_truncated_reversible_code_gives_levels_that_are_no_class() -> None:
    data = saved("JPEG2000", quality_layers=[20])
    assert len(np.unique(read_mask(data))) > 2
    with pytest.raises(ImageError, match="grey levels"):
        read_class_mask(data)


@pytest.mark.parametrize(
    "format", ["TIFF", "GIF", "PNG", "WEBP"], ids=["tiff", "gif", "apng", "webp"]
)
def test_a_file_of_several_pages_is_no_mask(format: str) -> None:
    second = Image.fromarray(255 - MASK)
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(format, save_all=True, append_images=[second], **options)
    with pytest.raises(ImageError, match="one page, got several"):
        read_mask(data)
