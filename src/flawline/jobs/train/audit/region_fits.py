"""Find marks that do not fit the prediction around them: too thin or too thick."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Chosen on drawn heat sinks: of 1006 right marks these call 8 too thin and 4 too thick.
# A mark is too thin where the ring around it has the mean _RING, too thick where its own rim has at most _RIM; both
# only where the rest has at least _SEEN.
_RING, _RIM, _SEEN = 0.7, 0.2, 0.5

Places = NDArray[np.bool_]
Probability = NDArray[np.float32]


def misfits(marked: Places, free: Places, probability: Probability, reach: int) -> Places:
    """Find the connected marks, bool (H, W), that would fit better wider or narrower.

    Args:
        marked: pixels (H, W) marked as one class.
        free: known pixels (H, W) without any mark.
        probability: of that class, float32 (H, W).
        reach: twice the width of rings and rims, in pixels.
    """
    if reach < 1:
        return np.zeros_like(marked)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        marked.view(np.uint8), connectivity=8
    )
    padded, spare = np.pad(probability, reach), np.pad(free, reach)
    wrong = np.zeros(count, np.bool_)
    for number in range(1, count):
        left, top, width, height = (int(value) for value in boxes[number, :4])
        window = (slice(top, top + height + 2 * reach), slice(left, left + width + 2 * reach))
        mark = labels[top : top + height, left : left + width] == number
        wrong[number] = _wrong_width(
            np.pad(mark, reach), padded[window], spare[window], max(1, reach // 2)
        )
    return np.asarray(wrong[labels])


def _wrong_width(mark: Places, around: Probability, free: Places, width: int) -> bool:
    """Tell whether the class is seen all around a mark, or inside but not along its rim."""
    ring = _near(mark, width) & ~mark & free
    rim = _near(~mark, width) & mark
    core = mark & ~rim
    too_thin = _mean(around, ring) >= _RING and _mean(around, mark) >= _SEEN
    return too_thin or (_mean(around, rim) <= _RIM and _mean(around, core) >= _SEEN)


def _near(places: Places, reach: int) -> Places:
    away = cv2.distanceTransform((~places).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= reach)


def _mean(probability: Probability, places: Places) -> float:
    """Average over places; 0 without any."""
    return float(probability[places].mean(dtype=np.float64)) if places.any() else 0.0
