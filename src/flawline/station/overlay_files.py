"""Write the files of overlays next to the tables of an inspection."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.whole_file import replacing


def write_overlay(path: Path, data: bytes) -> None:
    """Write an overlay, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode an overlay, uint8 RGB (h, w, 3), as JPEG."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(data.tobytes())
