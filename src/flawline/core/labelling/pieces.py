"""Pieces of a class mask: the 8-connected regions of each class, with their outlines."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """An 8-connected region of one class: `pixels` is bool (h, w) within `box` (left, top, width, height) in px."""

    number: int
    box: Box
    pixels: NDArray[np.bool_]

    @property
    def area(self) -> int:
        """Count the pixels."""
        return int(self.pixels.sum())

    def outlines(self) -> tuple[tuple[float, ...], ...]:
        """Trace the outlines, those of holes too, through the centres of pixels: flat x, y, x, y ... in px."""
        found, _ = cv2.findContours(
            self.pixels.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
        )
        shift = np.array(self.box[:2], np.float64) + 0.5
        return tuple(tuple((line.reshape(-1, 2) + shift).ravel().tolist()) for line in found)


def pieces_of(mask: Mask) -> tuple[Piece, ...]:
    """Find the pieces of a class mask uint8 (H, W), 0 background: by class, each from the top."""
    found: list[Piece] = []
    for number in np.unique(mask[mask > 0]).tolist():
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            (mask == number).astype(np.uint8), connectivity=8
        )
        for place, (left, top, width, height) in enumerate(stats[1:, :4].tolist(), start=1):
            pixels = labels[top : top + height, left : left + width] == place
            found.append(Piece(int(number), (left, top, width, height), pixels))
    return tuple(found)


def class_areas(mask: Mask, classes: int) -> tuple[int, ...]:
    """Count the pixels of each of `classes` classes, background first.

    Raises:
        ValueError: a value is no class.
    """
    counts = np.bincount(mask.ravel(), minlength=classes)
    if len(counts) > classes:
        raise ValueError(f"expected classes 0 to {classes - 1}, got {len(counts) - 1}")
    return tuple(int(count) for count in counts)
