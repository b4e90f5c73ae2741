"""Find pictures that are nearly copies of each other, so that none counts twice."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 48
ALIKE = 0.95
_ENOUGH = 8
_ALIKE_ALONE = 0.999
_CHUNK = 1024


def thumbprint(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shrink uint8 RGB (height, width, 3) to a grey picture of 48 x 48 cells, float32 (2304,)."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32).ravel()


def near_duplicates(prints: NDArray[np.float32]) -> list[tuple[int, float] | None]:
    """Find for each picture the earlier one that it nearly copies, with their correlation; None for an original.

    Pictures of one kind of part look alike, so the mean picture is subtracted first; two pictures are copies where
    their rests correlate at 0.95 or more (with fewer than eight pictures at 0.999, and nothing is subtracted). A
    picture is compared with earlier originals and never with another copy, so that no chain of small steps joins
    different parts.

    Args:
        prints: float32 (N, 2304), rows of `thumbprint`.

    Returns:
        N pairs of (row, correlation), or None.
    """
    if not len(prints):
        return []
    few = len(prints) < _ENOUGH
    rest = prints if few else prints - prints.mean(axis=0)
    rest = rest - rest.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rest, axis=1, keepdims=True)
    # Less than a grey level is rounding: such pictures are copies of each other.
    flat = length[:, 0] < np.sqrt(prints.shape[1])
    rest = np.where(flat[:, None], np.eye(1, prints.shape[1]), rest / np.maximum(length, 1e-6))
    rest = rest.astype(np.float32)
    limit = _ALIKE_ALONE if few else ALIKE
    copies: list[tuple[int, float] | None] = [None] * len(prints)
    originals: list[int] = []
    for start in range(0, len(prints), _CHUNK):
        stop = min(start + _CHUNK, len(prints))
        alike = rest[start:stop] @ rest[:stop].T
        for place in range(start, stop):
            row = alike[place - start, originals]
            best = int(np.argmax(row)) if originals else -1
            if originals and row[best] >= limit:
                copies[place] = originals[best], min(float(row[best]), 1.0)
            else:
                originals.append(place)
    return copies
