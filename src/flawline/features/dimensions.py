"""dimensions: size of the file, width, height and their ratio (4 fields)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.features.feature_set import Column, Extractor
from flawline.types import Picture

COLUMNS = (
    Column("file_bytes", "size of the file in bytes"),
    Column("width", "width in pixels"),
    Column("height", "height in pixels"),
    Column("aspect_ratio", "width divided by height"),
)


def dimensions() -> Extractor:
    """Make the extractor, 4 columns; width and height are those of the file, upright, before any reduction."""
    return Extractor("dimensions", COLUMNS, _compute)


def _compute(picture: Picture) -> NDArray[np.float32]:
    ratio = picture.width / picture.height
    return np.array([picture.file_bytes, picture.width, picture.height, ratio], dtype=np.float32)
