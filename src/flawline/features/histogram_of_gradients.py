"""histogram_of_gradients: strength of edges by direction and cell (234 fields).

Nine orientations of unsigned gradient (0 to 180 degrees, linear votes between bins, weighted by magnitude) in each of
the 26 cells of 1x1, 3x3 and 4x4 grids; each grid is scaled to Euclidean length 1, so that only the distribution of
contrast matters, not its strength. Orientation is the gradient's: 0 degrees at vertical edges, 90 at horizontal ones.

After N. Dalal and B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005 (central differences,
nine unsigned bins, magnitude votes), over the grids of BigML's field of the same name and count.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.features.feature_set import MICRO, Column, Extractor, pyramid_cells, pyramid_means
from flawline.types import Picture

BINS = 9
SIDE = 144
_CELL_OF = np.arange(SIDE, dtype=np.intp) // (SIDE // MICRO)
_BASE = (_CELL_OF[:, None] * MICRO + _CELL_OF[None, :]) * BINS


def histogram_of_gradients() -> Extractor:
    """Make the extractor, 234 columns."""
    columns = tuple(
        Column(
            f"gradients_{cell.name}_{bin_ * 20:03d}deg",
            f"gradients at {bin_ * 20}°, {cell.text}",
        )
        for cell in pyramid_cells()
        for bin_ in range(BINS)
    )
    return Extractor("histogram_of_gradients", columns, _compute)


def _compute(picture: Picture) -> NDArray[np.float32]:
    grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
    square = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    micro = _votes(np.asarray(square, dtype=np.uint8)).reshape(MICRO, MICRO, BINS)
    levels = [level.ravel() for level in pyramid_means(micro)]
    return np.concatenate(
        [level / max(float(np.linalg.norm(level)), 1e-12) for level in levels]
    ).astype(np.float32)


def _votes(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Compute the magnitude votes per micro-cell and orientation, flat (12 * 12 * 9,)."""
    kernel = np.array([[-1, 0, 1]], dtype=np.float32)
    dx = cv2.filter2D(grey, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    dy = cv2.filter2D(grey, cv2.CV_32F, kernel.T, borderType=cv2.BORDER_REPLICATE)
    magnitude, angle = cv2.cartToPolar(dx, dy, angleInDegrees=True)
    position = angle * np.float32(BINS / 180)
    lower = np.floor(position)
    share = position - lower
    first = lower.astype(np.intp) % BINS
    second = np.where(first == BINS - 1, 0, first + 1)
    size = MICRO * MICRO * BINS
    votes = np.bincount((_BASE + first).ravel(), (magnitude * (1 - share)).ravel(), size)
    votes += np.bincount((_BASE + second).ravel(), (magnitude * share).ravel(), size)
    return votes.astype(np.float64, copy=False)
