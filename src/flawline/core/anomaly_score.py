"""From the raw scores of cells to a map that can be compared between pictures, and to one score of a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

CELLS = 10
SHARE = 0.01
_SIGMA = 1.0


def relative_map(
    scores: NDArray[np.float32], inside: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """A map less its own median, smoothed a little: how much odder each place is than its picture.

    Rough or differently lit parts are odd everywhere and not defective for it; what stands out from its own picture is.
    Smoothing is Gaussian with a deviation of one cell, and looks at nothing outside of `inside`.

    Args:
        scores: float32 (h, w), raw, higher is odder.
        inside: bool (h, w), the cells that count, at least one; None for all.
    """
    if inside is None or inside.all():
        smooth = cv2.GaussianBlur(scores, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
        return np.asarray(smooth - np.median(scores), np.float32)
    middle = np.float32(np.median(scores[inside]))
    # Normalised convolution: what lies outside has no weight (H. Knutsson and C.-F. Westin, CVPR 1993).
    weight = inside.astype(np.float32)
    own = np.where(inside, scores - middle, np.float32(0))
    blurred = cv2.GaussianBlur(own, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
    weights = cv2.GaussianBlur(weight, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred / np.maximum(weights, 1e-3), np.float32)


def image_score(relative: NDArray[np.float32], inside: NDArray[np.bool_] | None = None) -> float:
    """The mean of the highest cells of a relative map: a hundredth of those that count, one at least and ten at most.

    A fixed number rather than a share of large maps: a defect does not get larger with the picture that it is in.

    Raises:
        ValueError: no cell counts.
    """
    values = relative.ravel() if inside is None else relative[inside]
    if not len(values):
        raise ValueError("expected a map with at least one cell that counts")
    count = max(1, min(CELLS, round(SHARE * len(values))))
    return float(np.partition(values, len(values) - count)[-count:].mean(dtype=np.float64))
