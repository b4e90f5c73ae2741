"""The one way in which pixels are brought to a network's size: in training, inference and export alike."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def prepare(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize uint8 (height, width, 3) to `size` (height, width), not keeping the aspect ratio.

    Bilinear below a twofold reduction, where area averaging costs four times as much for a difference under one grey
    level; area averaging from there on, where bilinear would skip pixels and with them small defects.
    """
    height, width = size
    if pixels.shape[:2] == size:
        return pixels
    reduction = max(pixels.shape[0] / height, pixels.shape[1] / width)
    how = cv2.INTER_AREA if reduction >= 2 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=how), dtype=np.uint8)
