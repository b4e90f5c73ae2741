"""Decode JPEG with simplejpeg: the same pixels as with OpenCV and Pillow, but lost data are an error."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Warnings of libjpeg (jerror.h) after which every pixel is as the camera wrote it.
_HARMLESS = re.compile(
    r"(?P<count>\d+) extraneous bytes before marker|unknown JFIF revision|Unknown Adobe color|Invalid SOS parameters"
)
# Cameras pad; many bytes left over mean that the blocks before them were not what was written.
_MOST_EXTRA = 16
_EXTRA = "the JPEG has bytes without a meaning"


def decode_jpeg(
    data: bytes, colours: str, size: tuple[int, int], reduction: int = 1
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode to (height, width, channels), and list notes.

    `colours` is "GRAY", "RGB" or "CMYK", `size` (width, height) of the file, and `reduction` 1, 2, 4 or 8.

    Raises:
        OSError: pixels are missing or damaged.
    """
    import simplejpeg

    width, height = (-(-side // reduction) for side in size)
    scale: dict[str, Any] = {"min_width": width, "min_height": height} if reduction > 1 else {}
    try:
        return simplejpeg.decode_jpeg(data, colours, **scale), ()
    except ValueError as error:
        found = _HARMLESS.search(str(error))
        if found is None or int(found["count"] or 0) > _MOST_EXTRA:
            raise OSError(str(error)) from error
    return simplejpeg.decode_jpeg(data, colours, strict=False, **scale), (_EXTRA,)
