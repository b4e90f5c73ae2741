"""Measure what a segmenter learnt of each class, on masks that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE

_STEPS = 255
LEAST = 0.1
"""Below this part of the way from a guess to the masks, a class was not learnt."""


@dataclass(frozen=True, slots=True)
class ClassLearning:
    """How well held-out masks of a class are met: `iou`, and `chance`, that of a guess; both 0 to 1.

    `iou` takes the threshold of the class's probability that meets its masks best, so that it does not depend on how
    sure the segmenters are. A guess has the IoU of its share of the known pixels: that of marking everything.
    """

    iou: float
    chance: float

    @property
    def above_chance(self) -> float:
        """Part of the way from a guess, 0, to the masks as they are, 1."""
        return (self.iou - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0

    @property
    def learnt(self) -> bool:
        """Whether masks of the class can be judged by what was learnt of it."""
        return self.above_chance >= LEAST


class LearningCurves:
    """Histograms of the probability of each class, over its own pixels and over all, summed picture by picture."""

    def __init__(self, classes: int) -> None:
        """Start without pictures; `classes` counts background."""
        self._own = np.zeros((classes, _STEPS + 1), np.int64)
        self._all = np.zeros((classes, _STEPS + 1), np.int64)

    def add(self, mask: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> None:
        """Count a mask (H, W) and probabilities (C, H, W); pixels with `IGNORE` do not count."""
        known = mask != IGNORE
        given = mask[known]
        for number, of_class in enumerate(probabilities):
            steps = np.rint(of_class[known] * _STEPS).astype(np.int64)
            self._all[number] += np.bincount(steps, minlength=_STEPS + 1)
            self._own[number] += np.bincount(steps[given == number], minlength=_STEPS + 1)

    def values(self) -> tuple[ClassLearning | None, ...]:
        """Return what was learnt of each class; None for one without a pixel in the masks."""
        return tuple(_learning(own, every) for own, every in zip(self._own, self._all, strict=True))


def _learning(own: NDArray[np.int64], every: NDArray[np.int64]) -> ClassLearning | None:
    if not own.any():
        return None
    hits, marked = own[::-1].cumsum(), every[::-1].cumsum()
    iou = hits / (own.sum() + marked - hits)
    return ClassLearning(float(iou.max()), float(own.sum() / every.sum()))
