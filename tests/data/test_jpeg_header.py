"""The header of a plain JPEG is read as by Pillow; any other is left to Pillow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from flawline.data.image import read_image
from flawline.data.jpeg_header import plain_jpeg

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 4), dtype=np.uint8)
EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"


def encode(mode: str, **options: object) -> bytes:
    stream = io.BytesIO()
    depth = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
    pixels = PIXELS[..., 0] if depth == 1 else np.ascontiguousarray(PIXELS[..., :depth])
    Image.fromarray(pixels, mode=None if depth < 4 else mode).save(stream, "JPEG", **options)
    return stream.getvalue()


def with_segment(data: bytes, marker: int, content: bytes) -> bytes:
    """A segment put before the first one."""
    return (
        data[:2] + bytes([255, marker]) + (len(content) + 2).to_bytes(2, "big") + content + data[2:]
    )


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True, "quality": 20},
        {"subsampling": 0},
        {"restart_marker_blocks": 2},
        {"comment": b"hall 3", "dpi": (300, 300)},
    ],
)
def test_plain_headers_say_what_pillow_reads(mode: str, options: dict[str, object]) -> None:
    data = encode(mode, **options)
    header = plain_jpeg(data)
    assert header is not None
    opened = JpegImageFile(io.BytesIO(data))
    assert (header.size, header.mode) == (opened.size, opened.mode) == ((40, 24), mode)


PLAIN = encode("RGB")
FRAME = PLAIN.index(b"\xff\xc0")


@pytest.mark.parametrize(
    "data",
    [
        encode("CMYK"),
        encode("RGB", exif=EXIF),
        encode("RGB", icc_profile=b"profile"),
        with_segment(PLAIN, 0xEE, b"Adobe\0\x64\0\0\0\0\0"),
        with_segment(PLAIN, 0xE0, b"JFXX\0\x10"),
        with_segment(PLAIN, 0xC9, b""),
        with_segment(PLAIN, 0xDB, bytes(64)),
        with_segment(PLAIN, 0xDB, b"\x10" + bytes(128)),
        PLAIN[: FRAME + 4] + b"\x0c" + PLAIN[FRAME + 5 :],
        PLAIN[: FRAME + 5] + b"\0\0" + PLAIN[FRAME + 7 :],
        PLAIN[: FRAME + 9] + b"\x02" + PLAIN[FRAME + 10 :],
        PLAIN[:FRAME],
        PLAIN[: FRAME + 8],
        PLAIN[:2] + b"\xff" + PLAIN[2:],
        PLAIN[:2] + PLAIN[FRAME + 2 :],
        b"\xff\xd8\xff",
        b"",
    ],
)
def test_everything_else_is_left_to_pillow(data: bytes) -> None:
    assert plain_jpeg(data) is None


def test_two_frames_are_left_to_pillow() -> None:
    frame = PLAIN[FRAME + 4 : FRAME + 4 + 15]
    assert plain_jpeg(with_segment(PLAIN, 0xC0, frame)) is None


def test_orientation_in_exif_still_counts() -> None:
    picture = read_image(encode("RGB", exif=EXIF))
    assert (picture.width, picture.height) == (24, 40)


def test_what_pillow_refuses_or_reads_otherwise_is_never_taken() -> None:
    rng = np.random.default_rng(1)
    data, end = encode("RGB", comment=b"x"), PLAIN.index(b"\xff\xda") + 2
    taken = 0
    for _ in range(3000):
        altered = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            altered[rng.integers(2, end)] = rng.integers(256)
        header = plain_jpeg(bytes(altered))
        if header is not None:
            taken += 1
            opened = JpegImageFile(io.BytesIO(altered))
            assert (header.size, header.mode) == (opened.size, opened.mode)
    assert taken > 500
