"""Decode colour pictures of more than 8 bits per channel with OpenCV.

Pillow would cut them to 8 bits. tifffile needs a further package for LZW and for the predictor of floats, and reads
empty strips as black; OpenCV reads them, and is a dependency anyway.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

_PNG_GREY_ALPHA, _PNG_RGB, _PNG_RGBA = 4, 2, 6
_UNSIGNED = 1
_GREY, _RGB = 1, 2


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """The first directory of a TIFF; `end` is the byte after its last strip or tile.

    `sample_format` is 1 unsigned, 2 signed, 3 floating point (TIFF 6.0, page 80); `photometric` 0
    is white-is-zero (page 37); `compression` 1 none (page 30).
    """

    size: tuple[int, int]
    bits: int
    samples: int
    sample_format: int
    photometric: int
    orientation: int
    planar: bool
    several: bool
    end: int
    compression: int


def tiff_layout(data: bytes) -> TiffLayout:
    """Read the first directory; raises the errors of Pillow for a damaged one, KeyError without a size."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    big = data[2:4] in (b"+\0", b"\0+")
    tags = ImageFileDirectory_v2(data[: 16 if big else 8])
    stream = io.BytesIO(data)
    stream.seek(tags.next)
    tags.load(stream)
    starts = tags.get(273) or tags.get(324) or (0,)
    counts = tags.get(279) or tags.get(325) or (0,)
    return TiffLayout(
        size=(int(tags[256]), int(tags[257])),
        bits=int(max(tags.get(258, (1,)))),
        samples=int(tags.get(277, 1)),
        sample_format=int(max(tags.get(339, (_UNSIGNED,)))),
        photometric=int(tags.get(262, 1)),
        orientation=int(tags.get(274, 1)),
        planar=int(tags.get(284, 1)) == 2,
        several=bool(tags.next),
        end=max(int(a) + int(b) for a, b in zip(starts, counts, strict=False)),
        compression=int(tags.get(259, 1)),
    )


def unsupported_layout(what: str) -> ImageError:
    """Make the error for channels and bits that neither decoder reads correctly."""
    return ImageError(
        f"this layout of channels and bits is not supported: {what}",
        hint="Store the picture as grey or RGB PNG or TIFF with 8 or 16 bits, channels interleaved.",
        code="image-unsupported",
    )


def check_layout(layout: TiffLayout) -> None:
    """Raise ImageError ("image-unsupported") for TIFF layouts that OpenCV would decode to wrong pixels."""
    if layout.planar and layout.samples > 1:
        raise unsupported_layout("TIFF with separate colour planes")
    if layout.bits not in (8, 16, 32, 64):
        raise unsupported_layout(f"TIFF of {layout.bits} bits")
    if layout.samples not in (1, 3, 4) or layout.end <= 0:
        raise unsupported_layout(f"TIFF of {layout.samples} channels")
    if layout.photometric not in (_GREY, _RGB):
        raise unsupported_layout(f"TIFF of photometric interpretation {layout.photometric}")


def is_deep(name: str, data: bytes, mode: str) -> bool:
    """Whether Pillow's `mode` for this file holds fewer bits per channel than the file."""
    if name == "PNG":
        return data[24] == 16 and data[25] in (_PNG_GREY_ALPHA, _PNG_RGB, _PNG_RGBA)
    if name == "TIFF" and mode in ("RGB", "RGBA", "RGBX", "LA"):
        return tiff_layout(data).bits > 8
    return False


def plain_png(data: bytes) -> bytes:
    """Reduce a PNG to its header and pixels; raises OSError for chunks that do not fit.

    OpenCV allocates any length that a chunk states, gigabytes for a file of a few bytes, and decodes
    animations.
    """
    at, chunks = 8, [data[:8]]
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            raise OSError("truncated")
        kind = data[at + 4 : at + 8]
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            chunks.append(data[at:end])
        if kind == b"IEND":
            return b"".join(chunks)
        at = end
    raise OSError("truncated")


def decode_deep(data: bytes) -> NDArray[Any]:
    """Decode to (height, width) or (height, width, 3) in RGB order at the file's depth; alpha is dropped."""
    values = decode_unchanged(data)
    if values.ndim == 3 and values.shape[2] >= 3:
        return values[:, :, 2::-1]
    return values


def decode_unchanged(data: bytes) -> NDArray[Any]:
    """Decode to (height, width) or (height, width, 3 or 4) as OpenCV orders channels: blue, green, red, alpha."""
    import cv2

    # Damage is raised as an error, not printed; the level cannot be set for one thread.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(
            f"OpenCV cannot decode it: {error.err}",
            hint="Copy it again from where it was taken, or convert it to PNG.",
            code="image-damaged",
        ) from error
    if values is None:
        raise unsupported_layout("OpenCV knows no such layout")
    return values
