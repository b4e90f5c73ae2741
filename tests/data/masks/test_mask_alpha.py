"""Masks with an alpha channel: one colour on transparent is read, what is ambiguous is refused."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

import flawline
from flawline.data.masks.pixels import read_colour_mask, read_mask
from flawline.errors import ImageError

CLASS = np.zeros((30, 40), np.uint8)
CLASS[5:15, 8:26] = 1
ON, OFF, WHITE = CLASS * 255, CLASS * 0, CLASS * 0 + 255


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def rgba(red: Any, green: Any, blue: Any, alpha: Any) -> Image.Image:
    return Image.fromarray(np.dstack([red, green, blue, alpha]).astype(np.uint8))


def grey_alpha(grey: Any, alpha: Any) -> Image.Image:
    return Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])


def indexed(*colours: tuple[int, int, int]) -> Image.Image:
    image = Image.fromarray(CLASS).convert("L")
    places = Image.new("P", image.size)
    places.putdata(CLASS.ravel().tolist())
    places.putpalette([level for colour in colours for level in colour])
    return places


def deep_png(kind: int, values: NDArray[np.uint16], chunks: bytes = b"") -> bytes:
    """A PNG of 16 bits: `kind` 0 grey, 4 grey with alpha, 6 RGBA."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    body = _chunk(b"IHDR", head) + chunks + _chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


DEEP = CLASS.astype(np.uint16) * 65535
KEY = _chunk(b"tRNS", struct.pack(">H", 0))


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (saved(rgba(OFF, OFF, OFF, ON)), 255),
        (saved(rgba(WHITE, WHITE, WHITE, ON)), 255),
        (saved(rgba(ON, ON, ON, ON)), 255),
        (saved(rgba(CLASS, CLASS, CLASS, ON)), 1),
        (saved(rgba(ON, OFF, OFF, ON)), 255),
        (saved(rgba(ON, ON, ON, WHITE)), 255),
        (saved(grey_alpha(OFF, ON)), 255),
        (saved(grey_alpha(WHITE, ON)), 255),
        (saved(grey_alpha(OFF, ON), "TIFF"), 255),
        (saved(rgba(OFF, OFF, OFF, ON), "TIFF"), 255),
        (saved(rgba(OFF, OFF, OFF, ON), "WEBP", lossless=True, exact=True), 255),
        (saved(rgba(OFF, OFF, OFF, ON), "JPEG2000"), 255),
        (saved(indexed((0, 0, 0), (255, 0, 0)), transparency=0), 1),
        (saved(indexed((0, 0, 0), (0, 0, 0)), transparency=bytes([0, 255])), 1),
        (saved(indexed((255, 255, 255), (0, 0, 0)), transparency=0), 1),
        (saved(Image.fromarray(ON), transparency=0), 255),
        (deep_png(4, np.dstack([DEEP * 0, DEEP])), 255),
        (deep_png(6, np.dstack([DEEP * 0, DEEP * 0, DEEP * 0, DEEP])), 255),
        (deep_png(6, np.dstack([CLASS, CLASS, CLASS, DEEP])), 1),
        (deep_png(0, CLASS.astype(np.uint16), KEY), 1),
    ],
    ids=[
        "black", "white", "white-on-black", "class", "red", "opaque", "la-black", "la-white", "la-tiff", "tiff",
        "webp", "jp2", "palette", "black-palette", "white-palette", "grey-key", "la-16", "rgba-16", "class-16",
        "grey-key-16",
    ],
)  # fmt: skip
def test_what_is_drawn_on_transparent_is_the_mask(data: bytes, level: int) -> None:
    np.testing.assert_array_equal(read_mask(data), CLASS * level)


@pytest.mark.parametrize("ink", [OFF, WHITE], ids=["black", "white"])
def test_a_transparent_picture_without_a_drawing_is_empty(ink: NDArray[np.uint8]) -> None:
    assert not read_mask(saved(rgba(ink, ink, ink, OFF))).any()


@pytest.mark.parametrize(
    "data",
    [
        saved(rgba(255 - ON, 255 - ON, 255 - ON, ON)),
        saved(rgba(ON, ON, ON, OFF)),
        saved(rgba(ON, ON, ON, 255 - ON)),
        saved(indexed((0, 0, 0), (255, 0, 0)), transparency=1),
        saved(Image.fromarray(ON), transparency=255),
        saved(grey_alpha(255 - ON, ON)),
        deep_png(4, np.dstack([65535 - DEEP, DEEP])),
    ],
    ids=["black-on-white", "all-clear", "holes", "palette", "grey-key", "la", "la-16"],
)
def test_grey_levels_and_alpha_that_differ_are_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="alpha channel, they state different ones") as caught:
        read_mask(data)
    assert caught.value.code == "image-mask"


@pytest.mark.parametrize(
    ("channels", "settings"),
    [
        ([OFF, ON], {"photometric": "minisblack"}),
        ([OFF, OFF, OFF, ON], {"photometric": "rgb"}),
        ([OFF / np.float32(1)] * 3 + [ON / np.float32(255)], {"photometric": "rgb"}),
    ],
    ids=["grey", "rgb", "float"],
)
def test_a_channel_of_unknown_meaning_is_refused(
    channels: list[NDArray[Any]], settings: dict[str, Any]
) -> None:
    stream = io.BytesIO()
    values = np.dstack(channels)
    tifffile.imwrite(
        stream, values, extrasamples=["unspecified"], planarconfig="contig", **settings
    )
    with pytest.raises(ImageError, match="the last of unknown meaning") as caught:
        read_mask(stream.getvalue())
    assert "alpha" in caught.value.hint


@pytest.mark.parametrize("down", [False, True])
def test_the_fourth_byte_of_a_bmp_is_alpha_where_it_varies(down: bool) -> None:
    for fourth in (ON, OFF, WHITE):
        for level in (0, 255):
            values = np.dstack([CLASS * level, CLASS * level, CLASS * level, fourth])
            data = bmp(values.astype(np.uint8), down=down)
            if level or fourth is ON:
                np.testing.assert_array_equal(read_mask(data), ON)
            else:
                assert not read_mask(data).any()


def bmp(values: NDArray[np.uint8], *, down: bool) -> bytes:
    """A BMP of 32 bits without masks of channels, from the top `down` or from the bottom up."""
    height, width = values.shape[:2]
    rows = (values if down else values[::-1]).tobytes()
    head = struct.pack("<IiiHHIIiiII", 40, width, -height if down else height, 1, 32, *[0] * 6)
    return b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + head + rows


def test_half_transparent_edges_are_levels_that_a_threshold_cuts() -> None:
    soft = cv2.blur(ON, (3, 3))
    data = saved(rgba(OFF, OFF, OFF, soft))
    np.testing.assert_array_equal(read_mask(data), soft)
    np.testing.assert_array_equal(read_mask(data, threshold=128), soft >= 128)


def test_a_turned_mask_is_upright_with_its_alpha() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.rot90(ON, -1)
    for image in (rgba(OFF, OFF, OFF, ON), indexed((0, 0, 0), (9, 0, 0))):
        mask = read_mask(saved(image, exif=exif))
        np.testing.assert_array_equal(mask > 0, turned > 0)


RED = {(0, 0, 0): 0, (255, 0, 0): 1}


def test_transparent_pixels_of_a_colour_mask_are_background() -> None:
    for below in (OFF, WHITE):
        picture = np.where(ON[..., None] > 0, (255, 0, 0), below[..., None])
        mask = read_colour_mask(saved(rgba(*np.moveaxis(picture, 2, 0), ON)), RED)
        np.testing.assert_array_equal(mask, CLASS)


@pytest.mark.parametrize(
    ("alpha", "words"),
    [
        (ON // 2, "in between in 180 px"),
        (255 - ON, "colour of a class in 180 px"),
        (OFF, "colour of a class in 180 px"),
    ],
    ids=["half", "hidden", "all-clear"],
)
def test_a_colour_mask_that_alpha_contradicts_is_refused(
    alpha: NDArray[np.uint8], words: str
) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_colour_mask(saved(rgba(ON, OFF, OFF, alpha)), RED)
    assert "alpha" in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("mask", "level"),
    [
        (np.dstack([OFF, OFF, OFF, ON]), 255),
        (np.dstack([OFF, OFF, OFF, ON]).astype(np.uint16) * 257, 255),
        (rgba(OFF, OFF, OFF, ON), 255),
        (grey_alpha(OFF, ON), 255),
        (indexed((255, 0, 0), (9, 9, 9)), 1),
        (CLASS, 1),
        (Image.fromarray(ON), 255),
    ],
    ids=["array", "array-16", "rgba", "la", "palette", "grey-array", "grey"],
)
def test_masks_in_memory_keep_alpha_and_palette(mask: Any, level: int) -> None:
    found = flawline.measure({"a": mask})
    assert found.defects["area"].tolist() == [int(CLASS.sum())]
    assert found.class_names() == (f"class {level}",)
