"""level_histogram: share of the pixels in 16 brightness levels of each colour (48 fields)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.features.feature_set import Column, Extractor
from flawline.types import Picture

LEVELS = 16


def level_histogram() -> Extractor:
    """Make the extractor, 48 columns; the 16 shares of a colour sum to 1."""
    width = 256 // LEVELS
    columns = tuple(
        Column(
            f"level_{colour}_{level * width:03d}",
            f"share of {colour} from {level * width} to {(level + 1) * width - 1}",
        )
        for colour in ("red", "green", "blue")
        for level in range(LEVELS)
    )
    return Extractor("level_histogram", columns, _compute)


def _compute(picture: Picture) -> NDArray[np.float32]:
    counts = [
        cv2.calcHist([picture.pixels], [channel], None, [LEVELS], [0, 256]).ravel()
        for channel in range(3)
    ]
    area = picture.pixels.shape[0] * picture.pixels.shape[1]
    return np.asarray(np.concatenate(counts) / area, dtype=np.float32)
