"""Read binary PGM, PPM and PFM at full depth: Pillow cuts colours to 8 bits, reads no PFM in
colour, and takes seconds for a megapixel whose white is not 255 or 65535.

Layout: https://netpbm.sourceforge.net/doc/pgm.html, ppm.html, pfm.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ImageError

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(
    rb"(P[56Ff])" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})" + _GAP + rb"(-?[\d.]{1,20})\s"
)


@dataclass(frozen=True, slots=True)
class NetpbmHeader:
    """`size` is (width, height); `largest` the value of white, or None for floats; `offset` where pixels start."""

    size: tuple[int, int]
    channels: int
    dtype: str
    largest: int | None
    offset: int


def netpbm_header(data: bytes) -> NetpbmHeader | None:
    """Read the header of a binary PGM, PPM or PFM; None where `data` is another kind of Netpbm file."""
    found = _HEADER.match(data[:4096])
    if found is None:
        return None
    kind, size = found[1], (int(found[2]), int(found[3]))
    channels = 3 if kind in (b"P6", b"PF") else 1
    if kind in (b"PF", b"Pf"):
        return NetpbmHeader(
            size, channels, "<f4" if found[4][:1] == b"-" else ">f4", None, found.end()
        )
    largest = int(found[4]) if found[4].isdigit() else 0
    if not 0 < largest < 65536:
        return None
    return NetpbmHeader(size, channels, "u1" if largest < 256 else ">u2", largest, found.end())


def netpbm_pixels(data: bytes, header: NetpbmHeader) -> NDArray[Any]:
    """Read values (height, width, channels) in native byte order; raises ImageError ("image-truncated")."""
    width, height = header.size
    count = width * height * header.channels
    dtype = np.dtype(header.dtype)
    came = len(data) - header.offset
    if came < count * dtype.itemsize:
        raise ImageError(
            f"expected {count * dtype.itemsize} bytes of pixels, got {came}",
            hint="The file is cut short: copy it again from where it was taken.",
            code="image-truncated",
        )
    values = np.frombuffer(data, dtype, count, header.offset).reshape(
        height, width, header.channels
    )
    if dtype.kind == "f":
        values = values[::-1]
    return np.ascontiguousarray(values.astype(dtype.newbyteorder("="), copy=False))
