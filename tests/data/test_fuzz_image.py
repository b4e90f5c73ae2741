"""Mutated files of every format and mutated archives: each gives an expected error or a picture, soon.

Every run tries the same files; FLAWLINE_FUZZ_CASES sets how many pictures (default 2000); archives are
half as many.
"""

from __future__ import annotations

import bz2
import faulthandler
import gzip
import io
import lzma
import os
import sys
import tarfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, features

from flawline.data.archive import ArchiveLimits
from flawline.data.image import ImageLimits, read_image
from flawline.data.source import open_source
from flawline.errors import FlawlineError, ImageError, SourceError

CASES = int(os.environ.get("FLAWLINE_FUZZ_CASES", "2000"))
LONGEST = 10.0
LIMITS = ImageLimits(max_pixels=4_000_000, max_bytes=10_000_000)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def seeds() -> dict[str, bytes]:
    """Small files of every format and mode."""
    noise = np.random.default_rng(1).integers(0, 256, (24, 30, 3), dtype=np.uint8)
    deep = Image.fromarray(noise[:, :, 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "part"

    # Made anew each time: Pillow leaves one encoder's options on an image for the next encoder.
    def rgb() -> Image.Image:
        return Image.fromarray(noise)

    def frames() -> dict[str, object]:
        return {"save_all": True, "append_images": [rgb().rotate(90), rgb().rotate(180)]}

    files = {
        "jpeg": encoded(rgb(), "JPEG", exif=exif),
        "jpeg-progressive": encoded(rgb(), "JPEG", progressive=True),
        "jpeg-cmyk": encoded(rgb().convert("CMYK"), "JPEG"),
        "jpeg-mp": encoded(rgb(), "MPO", **frames()),
        "png": encoded(rgb(), "PNG", exif=exif),
        "png-palette": encoded(rgb().quantize(16), "PNG", transparency=3),
        "png-16": encoded(deep, "PNG"),
        "apng": encoded(rgb(), "PNG", **frames()),
        "gif": encoded(rgb(), "GIF", **frames()),
        "bmp": encoded(rgb().convert("L"), "BMP"),
        "bmp-1": encoded(rgb().convert("1"), "BMP"),
        "tiff": encoded(rgb(), "TIFF", **frames()),
        "tiff-lzw": encoded(rgb(), "TIFF", compression="tiff_lzw", exif=exif),
        "tiff-jpeg": encoded(rgb(), "TIFF", compression="jpeg"),
        "tiff-g4": encoded(rgb().convert("1"), "TIFF", compression="group4"),
        "tiff-16": encoded(deep, "TIFF"),
        "tiff-float": encoded(deep.convert("F").point(lambda v: v / 65535), "TIFF"),
        "webp": encoded(rgb(), "WEBP", exif=exif),
        "webp-frames": encoded(rgb(), "WEBP", lossless=True, **frames()),
        "ppm": encoded(rgb(), "PPM"),
        "pgm-plain": b"P2 # plain\n3 2\n99\n1 2 3\n4 5 99\n",
        "pgm-16": b"P5 30 24 4095\n" + noise.tobytes()[:1440],
        "pfm": b"PF\n3 2\n-1.0\n" + np.linspace(0, 1, 18, dtype="<f4").tobytes(),
    }
    import cv2

    colour16 = noise.astype(np.uint16) * 257
    files["png-rgb16"] = cv2.imencode(".png", colour16)[1].tobytes()
    files["tiff-rgb16"] = cv2.imencode(".tiff", colour16)[1].tobytes()
    files["tiff-rgb-float"] = cv2.imencode(".tiff", (noise / 255).astype(np.float32))[1].tobytes()
    for format, feature in (("JPEG2000", "jpg_2000"), ("AVIF", "avif")):
        if features.check(feature):
            files[format.lower()] = encoded(rgb(), format)
    return files


def mutated(data: bytes, random: Random) -> bytes:
    """A few changes: bytes, extreme numbers, cuts, copies and inserts, more often near the head."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8, 30))):
        reach = len(out) if random.random() < 0.6 else min(len(out), 160)
        at = random.randrange(max(reach, 1))
        kind = random.randrange(6)
        if kind == 0:
            out[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            out[at : at + 1] = bytes(
                [(out[at] if at < len(out) else 0) ^ (1 << random.randrange(8))]
            )
        elif kind == 2:
            value = random.choice((0, 1, 0x7F, 0x80, 0xFF)) if random.random() < 0.5 else 0xFF
            size = random.choice((1, 2, 4))
            out[at : at + size] = bytes([value]) * size
        elif kind == 3:
            del out[at : at + random.randrange(1, 64)]
        elif kind == 4:
            start = random.randrange(max(len(out), 1))
            out[at:at] = out[start : start + random.randrange(1, 64)]
        else:
            del out[at:]
    return bytes(out)


@pytest.fixture
def watchdog() -> object:
    """End the process with a traceback of all threads where one decode hangs."""
    yield lambda: faulthandler.dump_traceback_later(6 * LONGEST, exit=True, file=sys.__stderr__)
    faulthandler.cancel_dump_traceback_later()


def test_mutated_pictures(watchdog: object, capsys: pytest.CaptureFixture[str]) -> None:
    random, files, counts = Random(20), seeds(), Counter()
    for name, data in files.items():
        assert read_image(data, limits=LIMITS).width > 0, name
    slowest = 0.0
    for _ in range(CASES):
        name = random.choice(list(files))
        data = mutated(files[name], random)
        target = random.choice((None, None, 8))
        watchdog()  # type: ignore[operator]
        began = time.monotonic()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            counts[outcome(data, target)] += 1
        slowest = max(slowest, time.monotonic() - began)
        assert caught == [], name
        assert slowest < LONGEST, name
    with capsys.disabled():
        report("pictures", counts, slowest)
    assert counts["decoded"] > 0
    assert counts["image-truncated"] + counts["image-damaged"] > 0


def outcome(data: bytes, target: int | None) -> str:
    try:
        picture = read_image(data, target=target, limits=LIMITS)
    except ImageError as error:
        return checked(error, "image-")
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape[2] == 3
    assert picture.width * picture.height <= LIMITS.max_pixels
    return "decoded"


def checked(error: FlawlineError, prefix: str) -> str:
    assert isinstance(error, SourceError | ImageError)
    assert error.code.startswith(prefix)
    assert error.message
    assert error.hint
    return error.code


def report(what: str, counts: Counter[str], slowest: float) -> None:
    if "FLAWLINE_FUZZ_CASES" in os.environ:
        found = ", ".join(f"{count} {name}" for name, count in counts.most_common())
        print(f"\n{counts.total()} {what}: {found}; slowest {slowest:.2f} s")


def archives() -> dict[str, bytes]:
    """Small archives of every kind, with the same bytes at any time."""
    found = {}
    for name, method in (("stored", 0), ("deflated", 8), ("bzip2", 12)):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for i in range(4):
                archive.writestr(zipfile.ZipInfo(f"good/{i}.png"), bytes([i]) * 300, method)
        found[f"{name} zip"] = stream.getvalue()
    for layout in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=layout) as tar:
            for i in range(4):
                member = tarfile.TarInfo(f"good/{'long' * 40 * (i % 2)}{i}é.png")
                member.size = 300
                tar.addfile(member, io.BytesIO(bytes([i]) * 300))
        plain = stream.getvalue()
        found |= {
            f"tar {layout}": plain,
            f"tar gz {layout}": gzip.compress(plain, mtime=0),
            f"tar bz2 {layout}": bz2.compress(plain),
            f"tar xz {layout}": lzma.compress(plain),
        }
    return found


def test_mutated_archives(
    tmp_path: Path, watchdog: object, capsys: pytest.CaptureFixture[str]
) -> None:
    random, files, counts = Random(21), archives(), Counter()
    limits = ArchiveLimits(max_members=1000, max_member_bytes=10**6, max_total_bytes=10**7)
    slowest = 0.0
    path = tmp_path / "archive"
    for name, data in files.items():
        path.write_bytes(data)
        assert archive_outcome(path, limits) == "4 members read", name
    for _ in range(CASES // 2):
        name = random.choice(list(files))
        path.write_bytes(mutated(files[name], random))
        watchdog()  # type: ignore[operator]
        began = time.monotonic()
        counts[archive_outcome(path, limits)] += 1
        slowest = max(slowest, time.monotonic() - began)
        assert slowest < LONGEST, name
    with capsys.disabled():
        report("archives", counts, slowest)
    assert counts["archive-damaged"] > 0


def archive_outcome(path: Path, limits: ArchiveLimits) -> str:
    try:
        with open_source(path, limits=limits) as source:
            read = 0
            for sample in source.samples():
                sample.name.encode()
                read += len(source.read(sample.name)) <= limits.max_member_bytes
            return f"{read} members read"
    except FlawlineError as error:
        return checked(error, "")
