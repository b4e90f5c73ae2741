"""average_pixels: mean red, green and blue, 0-255, of the cells of 1x1, 3x3 and 4x4 grids (78 fields)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.features.feature_set import MICRO, Column, Extractor, pyramid_cells, pyramid_means
from flawline.types import Picture


def average_pixels() -> Extractor:
    """Make the extractor, 78 columns; a grey picture has three equal values per cell."""
    columns = tuple(
        Column(f"average_{cell.name}_{colour}", f"average {colour}, {cell.text}")
        for cell in pyramid_cells()
        for colour in ("red", "green", "blue")
    )
    return Extractor("average_pixels", columns, _compute)


def _compute(picture: Picture) -> NDArray[np.float32]:
    # Float before averaging, or each micro-cell is rounded to a whole grey level.
    small = cv2.resize(
        picture.pixels.astype(np.float32), (MICRO, MICRO), interpolation=cv2.INTER_AREA
    )
    return np.concatenate([level.ravel() for level in pyramid_means(small)]).astype(np.float32)
