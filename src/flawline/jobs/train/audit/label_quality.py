"""Estimate which pixels of class masks are labelled wrongly, by a model that did not learn from them.

C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal of
Artificial Intelligence Research 70, 2021, here with pixels as examples; V. Lad and J. Mueller, "Estimating label
quality and errors in semantic segmentation data via any model", ICML workshop on data-centric machine learning, 2023.

A mask is uint8 (H, W) of class numbers, `IGNORE` where unknown; such pixels count nowhere. Probabilities are float
(C, H, W). Every sum is added picture by picture, so that memory does not depend on their number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE

TEMPERATURE = 0.002
WINDOW = 5

Mask = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


class ClassThresholds:
    """Mean self-confidence of each class: the mean of its p over the pixels labelled as it (2021, eq. 2)."""

    def __init__(self, classes: int) -> None:
        """Start without pictures; `classes` counts background."""
        self._sums = np.zeros(classes, np.float64)
        self._pixels = np.zeros(classes, np.int64)

    def add(self, mask: Mask, probabilities: Probabilities) -> None:
        """Count one picture; raises ValueError where mask and probabilities do not fit together."""
        known = _known(mask, probabilities, len(self._sums))
        given = mask[known]
        self._sums += np.bincount(given, _of_class(probabilities, mask)[known], len(self._sums))
        self._pixels += np.bincount(given, minlength=len(self._pixels))

    def values(self) -> NDArray[np.float64]:
        """Return thresholds (C,); infinite for a class without a pixel, of which a model can never be confident."""
        means = self._sums / np.maximum(self._pixels, 1)
        return np.where(self._pixels > 0, means, np.inf)


class ConfidentJoint:
    """Pixels counted by the class in the mask and the class that the model is confident of (2021, eq. 1)."""

    def __init__(self, classes: int) -> None:
        """Start without pictures; `classes` counts background."""
        self._counts = np.zeros((classes, classes), np.int64)
        self._pixels = np.zeros(classes, np.int64)

    def add(self, mask: Mask, seen: Mask) -> None:
        """Count one picture; `seen` is its result of `confident_classes`."""
        classes = len(self._pixels)
        both = (mask != IGNORE) & (seen != IGNORE)
        pairs = mask[both].astype(np.int64) * classes + seen[both]
        self._counts += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        self._pixels += np.bincount(mask[mask != IGNORE], minlength=classes)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels (C, C): a row for each given class, a column for each one seen; off the diagonal lie the suspects."""
        return self._counts.copy()

    def joint(self) -> NDArray[np.float64]:
        """Estimate probabilities (C, C) of all known pixels by given and true class, together 1 (2021, eq. 3).

        Every row adds up to the share of the pixels with that given class; where the model is confident of none of
        them, they are taken to be right. All 0 without known pixels.
        """
        confident = self._counts.sum(1, keepdims=True)
        rows = np.where(
            confident > 0, self._counts / np.maximum(confident, 1), np.eye(len(self._pixels))
        )
        return np.asarray(rows * (self._pixels / max(self._pixels.sum(), 1))[:, None])


def confident_classes(probabilities: Probabilities, thresholds: NDArray[np.float64]) -> Mask:
    """Find the most probable class that reaches its threshold, uint8 (H, W), `IGNORE` where none does."""
    reached = np.where(probabilities >= thresholds[:, None, None], probabilities, np.float32(-1))
    best = reached.argmax(0)
    none = np.take_along_axis(reached, best[None], 0)[0] < 0
    return np.where(none, IGNORE, best).astype(np.uint8)


def balanced(probabilities: Probabilities, thresholds: NDArray[np.float64]) -> Probabilities:
    """Divide probabilities by the thresholds of their classes and scale them to add up to 1, float32 (C, H, W).

    A model is rarely as sure of a rare class as of background, even where it is right. After this, the usual
    probability of a class where it is labelled counts the same for every class. An infinite threshold gives 0.
    """
    scaled = (probabilities / thresholds[:, None, None]).astype(np.float32)
    total = scaled.sum(0)
    return np.asarray(scaled / np.where(total > 0, total, 1), np.float32)


def label_quality(mask: Mask, probabilities: Probabilities) -> NDArray[np.float32]:
    """Return the probability of the labelled class of each pixel, float32 (H, W); 1 where it is unknown."""
    known = _known(mask, probabilities, len(probabilities))
    return np.where(known, _of_class(probabilities, mask), np.float32(1))


def local_quality(
    mask: Mask, probabilities: Probabilities, window: int = WINDOW
) -> NDArray[np.float32]:
    """Average `label_quality` over the known pixels of a square window around each pixel, float32 (H, W).

    Wrong labels are regions, not single pixels. 1 where no pixel of the window is known.
    """
    known = mask != IGNORE
    sums = _box_sums(np.where(known, label_quality(mask, probabilities), 0), window)
    pixels = _box_sums(known, window)
    return np.where(pixels > 0.5, sums / np.maximum(pixels, 1), 1).astype(np.float32)


def softmin(quality: NDArray[np.float32], temperature: float = TEMPERATURE) -> float:
    """Average values of any shape with the weights exp((1 - value) / temperature), so that the lowest count most.

    A temperature near 0 gives the minimum, a high one the mean (2023, "softmin"). The paper takes 0.1 for single
    pixels; local means vary less, and 0.002 ranks masks better by them.

    Raises:
        ValueError: there is no value, or the temperature is not above 0.
    """
    if not quality.size or not temperature > 0:
        raise ValueError(f"expected values and a temperature above 0, got {quality.size} values")
    values = quality.astype(np.float64).ravel()
    weights = np.exp((values.min() - values) / temperature)
    return float(values @ weights / weights.sum())


def _box_sums(values: NDArray[Any], window: int) -> NDArray[np.float64]:
    """Sum over a square window around each pixel, as far as it lies on the picture."""
    sums = values.astype(np.float64)
    before = window // 2
    for axis in (0, 1):
        size = sums.shape[axis]
        total = np.insert(np.cumsum(sums, axis), 0, 0, axis)
        first = np.clip(np.arange(size) - before, 0, size)
        last = np.clip(np.arange(size) - before + window, 0, size)
        sums = total.take(last, axis) - total.take(first, axis)
    return sums


def _of_class(probabilities: Probabilities, mask: Mask) -> NDArray[np.float32]:
    """Return the probability of the labelled class, any value where it is unknown."""
    number = np.where(mask == IGNORE, 0, mask)[None].astype(np.int64)
    return np.asarray(np.take_along_axis(probabilities, number, 0)[0], np.float32)


def _known(mask: Mask, probabilities: Probabilities, classes: int) -> NDArray[np.bool_]:
    if probabilities.shape != (classes, *mask.shape) or mask.ndim != 2:
        raise ValueError(
            f"expected probabilities of {classes} classes for a mask {mask.shape}, got {probabilities.shape}"
        )
    known: NDArray[np.bool_] = mask != IGNORE
    if (known & (mask >= classes)).any():
        raise ValueError(
            f"expected classes 0 to {classes - 1} or {IGNORE}, got {mask[known].max()}"
        )
    return known
