"""Tell whether the lines of several pictures run the same way: whether parts lie the same way, or anyhow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Pictures are shrunk to this longer side: fine noise has no direction."""
CLEAR = 0.1
"""Below this coherence a picture has no direction of its own."""
ANYHOW = 0.2
"""Below this agreement directions count as spread over all angles; 1 / sqrt(n) more for n pictures, as chance gives."""

FAINT = 1.0
"""Below this mean square of the gradient (Scharr, 32 for a slope of one grey level per pixel) there are no lines."""

Lie = Literal["same", "anyhow", "unknown"]


def line_direction(grey: NDArray[np.uint8]) -> complex:
    """Compute the direction in which the lines of a picture run.

    The gradients of the picture, each at twice its angle, summed and divided by the sum of their squared lengths: the
    structure tensor of the whole picture (J. Bigun and G. H. Granlund, "Optimal orientation detection of linear
    symmetry", ICCV 1987).

    Args:
        grey: (H, W).

    Returns:
        A number whose length, 0 to 1, is the coherence (1: all lines run one way, 0: no way more than another), and
        whose angle is twice that of the gradients. 0 for a picture that is plain but for rounding.
    """
    height, width = grey.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(3, round(width * scale)), max(3, round(height * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.GaussianBlur(small, (0, 0), 1.5)
    across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0).astype(np.float64)
    down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1).astype(np.float64)
    energy = float((across**2 + down**2).sum())
    if energy < FAINT * small.size:
        return 0j
    return complex(float((across**2 - down**2).sum()), float(2 * (across * down).sum())) / energy


def how_parts_lie(directions: Sequence[complex]) -> Lie:
    """Tell whether parts lie the same way by the directions of their pictures.

    Pictures with a coherence below `CLEAR` say nothing. The agreement of the others is the length of the mean of their
    directions as unit vectors, which is near 0 for directions at random (K. V. Mardia and P. E. Jupp, "Directional
    Statistics", 2000, section 2.3). Where lines run along rows on some pictures and along columns on others, as on
    circuit boards, that mean is short too, but that of the doubled angles is not. Fewer than eight pictures with a
    direction, or fewer than half of all, say nothing.
    """
    clear = [direction / abs(direction) for direction in directions if abs(direction) >= CLEAR]
    if len(clear) < max(8, len(directions) / 2):
        return "unknown"
    along, crossed = abs(sum(clear)), abs(sum(one**2 for one in clear))
    chance = 1 / math.sqrt(len(clear))
    return "anyhow" if max(along, crossed) / len(clear) < ANYHOW + chance else "same"
