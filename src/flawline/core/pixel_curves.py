"""Count pixels by the probability of each class, for precision and recall at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE

BINS = 1000
# In float32, as probabilities are compared with a threshold.
_EDGES = (np.arange(BINS + 1) / BINS).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PixelRates:
    """Rates of one class by threshold, float64 (999,) each, from the lowest threshold 0.001 to 0.999.

    `missed` counts true pixels that are not predicted and `false` falsely predicted ones. `precision` is 1 where
    nothing is predicted.
    """

    thresholds: NDArray[np.float64]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    dice: NDArray[np.float64]
    missed: NDArray[np.float64]
    false: NDArray[np.float64]


class PixelCurves:
    """Counts of pixels of each class of defects and of all others by probability, in 1000 bins of equal width.

    Memory does not grow with the number of pictures, and the order of pictures changes nothing. At every threshold
    that is a multiple of 0.001 the counts are exact.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        """Start without pictures; `classes` are the names of all classes, background first."""
        if not 2 <= len(classes) < IGNORE or len(set(classes)) < len(classes):
            raise ValueError(f"expected 2 to {IGNORE - 1} different names, got {list(classes)}")
        self.classes = tuple(classes)
        self._counts = np.zeros((len(classes) - 1, 2, BINS), np.int64)

    def add(self, truth: NDArray[np.uint8], probabilities: NDArray[np.float32]) -> None:
        """Count one picture.

        Args:
            truth: classes (H, W), 255 where unknown; those pixels are left out.
            probabilities: float32 (C, H, W), 0 to 1, background first.

        Raises:
            ValueError: the shapes do not belong together, a value is no class, or a probability is outside 0 to 1.
        """
        true, values = _checked(truth, probabilities, len(self.classes))
        known = true != IGNORE
        true, whole = true[known], known.all()
        for number in range(1, len(self.classes)):
            chance = values[number].ravel() if whole else values[number][known]
            own = true == number
            # Most pixels are certainly of another class, and the lowest bin needs no search.
            high = np.flatnonzero(chance >= _EDGES[1])
            keys = _bins(chance[high]) + BINS * own[high]
            counts = np.bincount(keys, minlength=2 * BINS).reshape(2, BINS)
            total = int(own.sum())
            counts[:, 0] += np.array([len(own) - total, total]) - counts.sum(1)
            self._counts[number - 1] += counts

    def merge(self, other: PixelCurves) -> None:
        """Add the counts of another one with the same classes."""
        if other.classes != self.classes:
            raise ValueError(f"expected the classes {self.classes}, got {other.classes}")
        self._counts += other._counts

    def pixels(self, name: str) -> int:
        """Count the true pixels of a class so far."""
        return int(self._counts[self._place(name), 1].sum())

    def precision_recall(self, name: str) -> PixelRates | None:
        """Compute the rates of a class of defects by threshold; None for a class without a true pixel."""
        others, own = self._counts[self._place(name)]
        true = int(own.sum())
        if not true:
            return None
        # Threshold k / BINS is reached in the bins from k on; the lowest, 0, would predict the class everywhere.
        right, false = (np.cumsum(c[::-1])[::-1][1:].astype(np.float64) for c in (own, others))
        predicted = right + false
        return PixelRates(
            thresholds=np.arange(1, BINS) / BINS,
            recall=right / true,
            precision=np.where(predicted > 0, right / np.maximum(predicted, 1), 1.0),
            dice=2 * right / (true + predicted),
            missed=true - right,
            false=false,
        )

    def _place(self, name: str) -> int:
        if name not in self.classes[1:]:
            raise ValueError(f"expected a class of {self.classes[1:]}, got {name!r}")
        return self.classes.index(name) - 1


def _bins(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Find the bin k of each probability: k / BINS <= p < (k + 1) / BINS, the last one with p = 1."""
    near = np.minimum((values * np.float32(BINS)).astype(np.int64), BINS - 1)
    # The product is rounded, so near an edge it can fall on the wrong side.
    near += (values >= _EDGES[near + 1]) & (near < BINS - 1)
    near -= values < _EDGES[near]
    return near


def _checked(
    truth: NDArray[np.uint8], probabilities: NDArray[np.float32], classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    true, values = np.asarray(truth), np.asarray(probabilities, np.float32)
    if true.ndim != 2 or values.shape != (classes, *true.shape):
        raise ValueError(
            f"expected classes (h, w) and probabilities ({classes}, h, w), got {true.shape} and {values.shape}"
        )
    if not ((true < classes) | (true == IGNORE)).all():
        raise ValueError(f"expected true classes 0 to {classes - 1} or {IGNORE}")
    # Also false for values that are not finite.
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("expected probabilities from 0 to 1")
    return true, values
