"""Draw pictures next to their masks and the prediction of a segmenter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_overlay, thumbnail
from flawline.core.segmentation_metrics import IGNORE
from flawline.data.whole_file import replacing

_GAP = 6

Panels = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def three_panels(
    pixels: NDArray[np.uint8], truth: NDArray[np.uint8], predicted: NDArray[np.uint8]
) -> Panels:
    """Draw a small picture, and the same with its mask and with the prediction, uint8 RGB; unknown pixels stay."""
    small = thumbnail(pixels)
    known = np.where(truth == IGNORE, np.uint8(0), truth)
    return small, class_overlay(small, known), class_overlay(small, predicted)


def write_sheet(rows: Sequence[Panels], path: Path) -> Path:
    """Write a JPEG with one row of panels below the other; nothing where there are none."""
    if rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = _stacked([_row(panels) for panels in rows])
        _, data = cv2.imencode(".jpg", drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        with replacing(path) as part:
            part.write_bytes(data.tobytes())
    return path


def _row(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)


def _stacked(rows: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    wide = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, _GAP), (0, wide - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    return np.concatenate(padded)
