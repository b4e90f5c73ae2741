"""Pictures whose pixels are not all in the file are refused, also where the file has its end mark."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from flawline.data.image import ImageLimits, read_image
from flawline.data.jpeg_scans import check_scans
from flawline.errors import ImageError

Y, X = np.mgrid[:160, :200]
NOISE = np.random.default_rng(0).normal(0, 12, (160, 200))
GREY = np.clip(128 + 60 * np.sin(X / 17) + 50 * np.cos(Y / 23) + NOISE, 0, 255).astype(np.uint8)
RGB = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
END = b"\xff\xd9"
PARTS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95)


def save(pixels: NDArray[Any], format: str, mode: str | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, format, **options)
    return stream.getvalue()


def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(data, **options)
    return caught.value.code


JPEGS = {
    "colour": save(RGB, "JPEG"),
    "grey": save(GREY, "JPEG"),
    "progressive": save(RGB, "JPEG", progressive=True),
    "progressive grey": save(GREY, "JPEG", progressive=True),
    "restart markers": save(RGB, "JPEG", restart_marker_blocks=20),
    "4:4:4": save(RGB, "JPEG", subsampling=0),
    "with EXIF": save(RGB, "JPEG", exif=Image.Exif().tobytes()),
    "CMYK": save(np.dstack([RGB, GREY]), "JPEG", "CMYK"),
}


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("part", PARTS)
def test_a_jpeg_cut_anywhere_and_closed_is_truncated(kind: str, part: float) -> None:
    data = JPEGS[kind]
    assert read_image(data).pixels.shape == (160, 200, 3)
    assert refusal(data[: int(len(data) * part)] + END) == "image-truncated"
    assert refusal(data[: int(len(data) * part)] + END, target=80) == "image-truncated"


def scan_starts(data: bytes) -> list[int]:
    return [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]


def test_a_progressive_jpeg_that_ends_between_two_scans_is_truncated() -> None:
    data = JPEGS["progressive"]
    starts = scan_starts(data)
    assert len(starts) == 10
    for start in starts[1:]:
        assert refusal(data[:start] + END) == "image-truncated"


def test_a_jpeg_whose_header_states_a_larger_size_is_truncated() -> None:
    data = bytearray(JPEGS["colour"])
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 16000, 16000)
    assert refusal(bytes(data)) == "image-truncated"


def test_a_few_padding_bytes_before_the_end_are_noted() -> None:
    data = JPEGS["colour"]
    padded = read_image(data[:-2] + b"\0\0" + END)
    assert padded.notes == ("the JPEG has bytes without a meaning",)
    assert (padded.pixels == read_image(data).pixels).all()
    assert refusal(data[:-2] + bytes(200) + END) == "image-damaged"


def test_thousands_of_scans_are_refused_before_decoding() -> None:
    data = JPEGS["progressive"]
    last = scan_starts(data)[-1]
    assert refusal(data[:-2] + data[last:-2] * 2000 + END) == "image-damaged"


def test_memory_of_a_progressive_jpeg_counts_its_coefficients() -> None:
    assert check_scans(JPEGS["colour"]) == 0
    # 200 x 160 in blocks of 8, and half of that for two components of half the width and height: 96 x 80.
    assert check_scans(JPEGS["progressive"]) == 2 * (200 * 160 + 2 * 104 * 80)
    limits = ImageLimits(max_memory=len(JPEGS["colour"]) + 3 * GREY.size)
    assert read_image(JPEGS["colour"], limits=limits)
    assert refusal(JPEGS["progressive"], limits=limits) == "image-too-large"


def png(
    width: int, height: int, bits: int, colour: int, pixels: bytes, interlaced: int = 0
) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    pieces = [chunk(b"IDAT", pixels[at : at + 5000]) for at in range(0, len(pixels), 5000)]
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(pieces) + chunk(b"IEND", b"")


def png_rows(values: NDArray[Any]) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in values)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("bits", "colour", "values"),
    [(8, 0, GREY), (8, 2, RGB), (16, 0, GREY.astype(">u2")), (16, 2, RGB.astype(">u2"))],
)
def test_a_png_whose_stream_ends_early_is_truncated(
    bits: int, colour: int, values: NDArray[Any], part: float
) -> None:
    rows = png_rows(values)
    assert read_image(png(200, 160, bits, colour, zlib.compress(rows))).width == 200
    short = png(200, 160, bits, colour, zlib.compress(rows[: int(len(rows) * part)]))
    assert refusal(short) == "image-truncated"


def test_a_black_png_is_whole_and_a_short_black_one_is_not() -> None:
    for bits, colour, row in ((1, 0, 25), (8, 3, 200), (8, 6, 800), (16, 4, 800)):
        whole = bytes(160 * (1 + row))
        palette_free = colour != 3
        if palette_free:
            assert read_image(png(200, 160, bits, colour, zlib.compress(whole))).height == 160
            assert refusal(png(200, 160, bits, colour, zlib.compress(whole[:-row]))) == (
                "image-truncated"
            )
    # Adam7 of 9 x 5 grey pixels has rows of 2, 1, 3, 2, 5, 4 and 9 pixels in its seven passes.
    rows = [(2, 1), (1, 1), (3, 1), (2, 2), (5, 1), (4, 3), (9, 2)]
    interlaced = b"".join(bytes((1 + columns) * count) for columns, count in rows)
    assert read_image(png(9, 5, 8, 0, zlib.compress(interlaced), 1)).width == 9
    assert refusal(png(9, 5, 8, 0, zlib.compress(interlaced[:-10]), 1)) == "image-truncated"


def tiff_entries(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The place, tag, type and count of each entry of the first directory of a little-endian TIFF."""
    start = struct.unpack("<I", data[4:8])[0]
    for number in range(struct.unpack("<H", data[start : start + 2])[0]):
        at = start + 2 + 12 * number
        yield at, *struct.unpack("<HHI", data[at : at + 8])


def with_last_strip_cut(data: bytes) -> bytes:
    changed = bytearray(data)
    for at, tag, kind, count in tiff_entries(data):
        if tag == 279:
            size = 4 if kind == 4 else 2
            inside = size * count <= 4
            place = at + 8 if inside else struct.unpack("<I", data[at + 8 : at + 12])[0]
            place += size * (count - 1)
            length = int.from_bytes(changed[place : place + size], "little") // 2
            changed[place : place + size] = length.to_bytes(size, "little")
    return bytes(changed)


def with_side(data: bytes, side: int, length: int) -> bytes:
    """State another width (tag 256) or height (257)."""
    changed = bytearray(data)
    for at, tag, _, _ in tiff_entries(data):
        if tag == side:
            changed[at + 2 : at + 12] = struct.pack("<HII", 4, 1, length)
    return bytes(changed)


TIFFS = [
    *((values, name) for values in (RGB, GREY) for name in (None, "packbits", "jpeg")),
    *((values, "tiff_lzw") for values in (RGB, GREY.astype(np.uint16) * 200)),
    *((values, "tiff_adobe_deflate") for values in (GREY, GREY / np.float32(255))),
    *((values, None) for values in (GREY.astype(np.uint16) * 200, GREY / np.float32(255))),
]


@pytest.mark.parametrize(("values", "compression"), TIFFS)
def test_a_tiff_with_missing_strips_is_refused(
    values: NDArray[Any], compression: str | None
) -> None:
    data = save(values, "TIFF", **({"compression": compression} if compression else {}))
    assert read_image(data).height == 160
    for broken in (
        with_last_strip_cut(data),
        with_side(data, 257, 3000),
        with_side(data, 256, 3000),
    ):
        assert refusal(broken) in ("image-truncated", "image-damaged")


def test_a_gif_whose_first_frame_leaves_pixels_out_is_truncated() -> None:
    data = bytearray(save(GREY, "GIF"))
    assert read_image(bytes(data)).width == 200
    data[6:10] = struct.pack("<HH", 3000, 3000)
    assert refusal(bytes(data)) == "image-truncated"


def test_a_bmp_of_run_lengths_that_jumps_over_its_pixels_is_truncated() -> None:
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    runs = b"\x08\x05" + b"\0\2\x20\x20" * 120 + b"\x08\x07\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 4000, 4000, 1, 8, 1, len(runs), 0, 0, 256, 0)
    data = header + palette + runs
    start = 14 + 40 + len(palette)
    data = b"BM" + struct.pack("<IHHI", 14 + len(data), 0, 0, start) + data
    assert refusal(data) == "image-truncated"


def test_a_jpeg_2000_without_some_tiles_is_truncated() -> None:
    data = save(GREY, "JPEG2000", tile_size=(64, 64), no_jp2=True)
    assert read_image(data).width == 200
    tiles = [at for at in range(len(data) - 12) if data[at : at + 4] == b"\xff\x90\0\x0a"]
    assert len(tiles) == 12
    assert refusal(data[: tiles[4]] + END) == "image-truncated"
    assert refusal(data[: tiles[4] + 40] + END) in ("image-truncated", "image-damaged")


def test_decoders_print_nothing_on_the_terminal(tmp_path: Any) -> None:
    tiff = save(RGB, "TIFF", compression="tiff_lzw")
    (tmp_path / "cut.jpg").write_bytes(JPEGS["colour"][:3000] + END)
    (tmp_path / "cut.tif").write_bytes(with_last_strip_cut(tiff))
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(save(np.roll(GREY, number), "PNG"))
    done = subprocess.run(
        [sys.executable, "-m", "flawline", "rank", str(tmp_path), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        env={**os.environ, "FLAWLINE_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2
    for word in ("Corrupt", "LZWDecode", "premature end of data"):
        assert word not in done.stderr
    assert "cut.jpg" in done.stdout + done.stderr
