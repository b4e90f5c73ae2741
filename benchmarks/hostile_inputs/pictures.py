"""Pictures that lack pixels, state other sizes, or grow when they are decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hostile_inputs.case import ANSWERED, REFUSED, Case, Shared, write_part

Image.MAX_IMAGE_PIXELS = None
SIDE = 160
LARGE = 16_370
"""Its square is just below the limit of pixels."""
Y, X = np.mgrid[:SIDE, :SIDE]
GREY = np.clip(
    128
    + 60 * np.sin(X / 17)
    + 50 * np.cos(Y / 23)
    + np.random.default_rng(0).normal(0, 12, (SIDE, SIDE)),
    0,
    255,
).astype(np.uint8)
RGB = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
END = b"\xff\xd9"
PARTS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.97)
Draw = Callable[[], bytes]


def save(pixels: Any, format: str, mode: str | None = None, **options: Any) -> bytes:
    """Encode a picture with Pillow."""
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, format, **options)
    return stream.getvalue()


def jpegs() -> Iterator[tuple[str, Draw, frozenset[int]]]:
    """JPEG files that were cut and closed, that state other sizes, or that have thousands of scans."""
    kinds = {
        "colour": partial(save, RGB, "JPEG"),
        "grey": partial(save, GREY, "JPEG"),
        "progressive": partial(save, RGB, "JPEG", progressive=True),
        "restart markers": partial(save, RGB, "JPEG", restart_marker_blocks=10),
        "exif": partial(save, RGB, "JPEG", exif=Image.Exif().tobytes()),
        "cmyk": partial(save, np.dstack([RGB, GREY]), "JPEG", "CMYK"),
    }
    for kind, whole in kinds.items():
        for share in PARTS:
            yield (
                f"jpeg {kind}, cut at {share:.0%} and closed",
                lambda whole=whole, share=share: whole()[: int(len(whole()) * share)] + END,
                REFUSED,
            )
    whole = kinds["progressive"]()
    for number, start in enumerate(scans(whole)[1:]):
        yield (
            f"jpeg without its last {9 - number} scans",
            lambda at=start: whole[:at] + END,
            REFUSED,
        )
    for count in (2_000, 20_000):
        yield f"jpeg of {count} scans", partial(repeated_scan, whole, count), REFUSED
    for kind in ("colour", "progressive", "grey"):
        for size in (1_000, LARGE, 65_500):
            yield (
                f"jpeg {kind} that states {size} px",
                partial(sized_jpeg, kinds[kind](), size),
                REFUSED,
            )
    yield "jpeg of many comments", partial(commented, kinds["colour"](), 2_000), ANSWERED
    yield "jpeg of 268 million pixels", partial(plain, "JPEG", "L"), ANSWERED
    yield (
        "jpeg of 268 million pixels, progressive",
        partial(plain, "JPEG", "L", progressive=True),
        ANSWERED,
    )


def scans(data: bytes) -> list[int]:
    """Find where the scans of a JPEG begin."""
    return [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]


def repeated_scan(data: bytes, count: int) -> bytes:
    """Repeat the last scan of a JPEG."""
    return data[:-2] + data[scans(data)[-1] : -2] * count + END


def sized_jpeg(data: bytes, size: int) -> bytes:
    """Write another size into the frame header."""
    at = next(data.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in data)
    return data[: at + 5] + struct.pack(">HH", size, size) + data[at + 9 :]


def commented(data: bytes, count: int) -> bytes:
    """Put comments of 64 kB before the picture."""
    return data[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * count + data[2:]


def plain(format: str, mode: str, side: int = LARGE, **options: Any) -> bytes:
    """Encode a large picture of one colour."""
    stream = io.BytesIO()
    Image.new(mode, (side, side), 0).save(stream, format, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Build a chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(
    width: int,
    height: int,
    bits: int,
    colour: int,
    pixels: bytes,
    *more: bytes,
    interlaced: int = 0,
) -> bytes:
    """Build a PNG around compressed pixels; `more` are chunks before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    middle = b"".join(more) + chunk(b"IDAT", pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    """Compress zeros without holding them."""
    stream, block = zlib.compressobj(1), bytes(1 << 20)
    parts = [stream.compress(block) for _ in range(count >> 20)]
    return b"".join([*parts, stream.compress(bytes(count & (1 << 20) - 1)), stream.flush()])


def pngs() -> Iterator[tuple[str, Draw, frozenset[int]]]:
    """PNG files without all their rows, and those that grow."""
    kinds = {
        "grey": (8, 0, GREY),
        "colour": (8, 2, RGB),
        "16-bit": (16, 2, RGB.astype(">u2")),
        "black": (8, 0, GREY * 0),
    }
    for kind, (bits, colour, values) in kinds.items():
        rows = b"".join(b"\0" + row.tobytes() for row in values)
        for share in PARTS:
            short = partial(zlib.compress, rows[: int(len(rows) * share)])
            yield (
                f"png {kind}, rows to {share:.0%}",
                lambda b=bits, c=colour, s=short: png(SIDE, SIDE, b, c, s()),
                REFUSED,
            )
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in GREY))
    for size in (1_000, LARGE, 2**31 - 1):
        yield f"png that states {size} px", partial(png, size, size, 8, 0, rows), REFUSED
    yield "png that states 0 px", partial(png, 0, 5, 8, 0, rows), REFUSED
    yield (
        "png interlaced without its passes",
        partial(png, SIDE, SIDE, 8, 0, rows, interlaced=1),
        REFUSED,
    )
    for name, bits, colour, bytes_of in (
        ("1 bit", 1, 0, 1 / 8),
        ("grey", 8, 0, 1),
        ("colour", 8, 2, 3),
    ):
        length = LARGE * (1 + -(-LARGE * bytes_of // 1))
        yield (
            f"png of 268 million pixels, {name}",
            lambda b=bits, c=colour, n=int(length): png(LARGE, LARGE, b, c, zeros(n)),
            ANSWERED,
        )
    for name, kind, start in (("text", b"zTXt", b"a\0\0"), ("profile", b"iCCP", b"a\0\0")):
        yield (
            f"png with a {name} that grows to 1 GB",
            lambda k=kind, s=start: png(SIDE, SIDE, 8, 0, rows, chunk(k, s + zeros(10**9))),
            ANSWERED,
        )
    yield (
        "png with 20,000 chunks",
        lambda: png(SIDE, SIDE, 8, 0, rows, chunk(b"tEXt", b"a\0b") * 20_000),
        ANSWERED,
    )


def tiffs() -> Iterator[tuple[str, Draw, frozenset[int]]]:
    """TIFF files with strips that are missing, elsewhere or too large."""
    compressions = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    for compression in compressions:
        whole = save(RGB, "TIFF", **({"compression": compression} if compression else {}))
        for tag, value in ((257, 4_000), (256, 4_000), (273, 10**9), (279, 5), (257, 2**31 - 1)):
            yield (
                f"tiff {compression}, tag {tag} = {value}",
                partial(tagged, whole, tag, value),
                REFUSED,
            )
        for share in PARTS[::2]:
            yield f"tiff {compression}, cut at {share:.0%}", partial(part_of, whole, share), REFUSED
    whole = save(RGB, "TIFF")
    yield "tiff whose directory follows itself", partial(looped, whole), ANSWERED
    yield (
        "tiff of 268 million pixels",
        partial(plain, "TIFF", "L", compression="tiff_adobe_deflate"),
        ANSWERED,
    )
    yield "tiff of 2000 pages", pages, ANSWERED


def part_of(data: bytes, share: float, end: bytes = b"") -> bytes:
    """Cut a file, and close it."""
    return data[: int(len(data) * share)] + end


def tagged(data: bytes, tag: int, value: int) -> bytes:
    """Write a value into the first directory of a little-endian TIFF."""
    changed = bytearray(data)
    start = struct.unpack("<I", data[4:8])[0]
    for at in range(
        start + 2, start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0], 12
    ):
        if struct.unpack("<H", data[at : at + 2])[0] == tag:
            changed[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    return bytes(changed)


def looped(data: bytes) -> bytes:
    """Make the first directory of a TIFF its own successor."""
    start = struct.unpack("<I", data[4:8])[0]
    at = start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0]
    return data[:at] + data[4:8] + data[at + 4 :]


def pages() -> bytes:
    """Encode a TIFF of many pages."""
    first, *others = [Image.fromarray(GREY) for _ in range(2000)]
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others, compression="tiff_lzw")
    return stream.getvalue()


def others() -> Iterator[tuple[str, Draw, frozenset[int]]]:
    """GIF, BMP, WebP, JPEG 2000, AVIF and Netpbm."""
    for format, options, end in (
        ("GIF", {}, b"\0;"),
        ("BMP", {}, b""),
        ("WEBP", {"quality": 80}, b""),
        ("WEBP", {"lossless": True}, b""),
        ("JPEG2000", {"tile_size": (64, 64)}, END),
        ("JPEG2000", {"no_jp2": True}, END),
        ("AVIF", {}, b""),
        ("PPM", {}, b""),
    ):
        whole = save(RGB if format != "GIF" else GREY, format, **options)
        for share in PARTS[::2]:
            name = f"{format.lower()} {options or ''}, cut at {share:.0%}"
            yield name, partial(part_of, whole, share, end), REFUSED
    gif = save(GREY, "GIF")
    yield (
        "gif with a large screen",
        lambda: gif[:6] + struct.pack("<HH", 16_000, 16_000) + gif[10:],
        REFUSED,
    )
    bmp = save(RGB, "BMP")
    for size in (4_000, 2**31 - 1, -4_000):
        yield f"bmp that states {size} rows", partial(with_rows, bmp, size), REFUSED
    yield "bmp of run lengths that jump", jumping_bmp, REFUSED
    for header in (
        b"P5 99999 99999 255 ",
        b"P6 16370 16370 65535 ",
        b"P2 9999 9999 255 1 2 3",
        b"Pf 4 4 -1.0 ",
    ):
        yield (
            f"netpbm {header.decode().strip()}",
            lambda h=header: h + b"\xff\xff\xff\x7f" * 3,
            REFUSED,
        )
    nan = np.full((8, 8), np.nan, "<f4").tobytes()
    yield "pfm of NaN", lambda: b"Pf\n8 8\n-1.0\n" + nan, REFUSED
    for content in (
        b"",
        b"\0" * 5_000,
        b"<html>",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"II*\0",
    ):
        yield f"a picture of {content[:8]!r}", lambda c=content: c, REFUSED
    for format in ("WEBP", "JPEG2000"):
        yield (
            f"{format.lower()} of 100 million pixels",
            partial(plain, format, "RGB", 10_000),
            ANSWERED,
        )


def with_rows(data: bytes, rows: int) -> bytes:
    """Write another height into a BMP."""
    return data[:22] + struct.pack("<i", rows) + data[26:]


def jumping_bmp() -> bytes:
    """Build a BMP whose few runs jump over almost all of its pixels."""
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    runs = b"\x08\x05" + b"\0\2\xff\xff" * 4_000 + b"\x08\x07\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, LARGE, LARGE, 1, 8, 1, len(runs), 0, 0, 256, 0)
    body = header + palette + runs
    return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 54 + len(palette)) + body


def ranked(draw: Draw, folder: Path, shared: Shared) -> list[str]:
    """Put a picture between good ones, and rank them."""
    for number in range(4):
        write_part(folder / "lot" / f"{number}.png", number)
    (folder / "lot" / "x.jpg").write_bytes(draw())
    return ["rank", "lot", "-o", "out", "--quiet"]


def three_ranked(draw: Draw, folder: Path, shared: Shared) -> list[str]:
    """Rank three large pictures."""
    for number in range(3):
        (folder / "lot").mkdir(exist_ok=True)
        (folder / "lot" / f"{number}.png").write_bytes(draw())
    return ["rank", "lot", "-o", "out", "--quiet"]


def measured(draw: Draw, folder: Path, shared: Shared) -> list[str]:
    """Measure a mask beside a good one."""
    (folder / "masks").mkdir()
    good = np.zeros((40, 40), np.uint8)
    good[5:15, 5:20] = 255
    (folder / "masks" / "a.png").write_bytes(save(good, "PNG"))
    (folder / "masks" / "b.png").write_bytes(draw())
    return ["measure", "masks", "-o", "d.csv", "--quiet"]


def masks() -> Iterator[tuple[str, Draw, frozenset[int]]]:
    """Masks of noise, of fractions, and of many pixels."""
    draws = np.random.default_rng(1)
    for side, exits in ((800, ANSWERED), (3_000, REFUSED)):
        noise = (draws.integers(0, 2, (side, side)) * 255).astype(np.uint8)
        yield f"mask of noise, {side} px", partial(save, noise, "PNG"), exits
    yield "mask of fractions", partial(save, GREY.astype(np.float32) / 300, "TIFF"), REFUSED
    yield "mask of NaN", partial(save, np.full((8, 8), np.nan, np.float32), "TIFF"), REFUSED
    yield "mask of a photograph", partial(save, GREY, "PNG"), REFUSED
    yield "mask of 268 million pixels", partial(plain, "PNG", "L"), ANSWERED
    yield "mask that is one defect of 268 million pixels", full_mask, REFUSED


def full_mask() -> bytes:
    """Encode a mask that is white everywhere."""
    stream = io.BytesIO()
    Image.new("L", (LARGE, LARGE), 255).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _cases() -> Iterator[Case]:
    for kind in (jpegs, pngs, tiffs, others):
        for name, draw, exits in kind():
            yield Case(name, partial(ranked, draw), exits)
    for name, draw in (
        ("grey", partial(plain, "PNG", "L")),
        ("colour, 13,000 px", partial(plain, "PNG", "RGB", 13_000)),
        ("jpeg", partial(plain, "JPEG", "RGB")),
    ):
        yield Case(f"three large pictures, {name}", partial(three_ranked, draw), ANSWERED)
    for name, draw, exits in masks():
        yield Case(name, partial(measured, draw), exits)


CASES = tuple(_cases())
