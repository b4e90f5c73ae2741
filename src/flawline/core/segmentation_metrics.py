"""Metrics of segmenters: over pixels, over defect regions and over parts.

Truth and prediction are maps (h, w) of class numbers; 0 is background, and pixels that are `IGNORE` in the truth are
left out. A figure without a value (the recall of a class that does not occur) is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.metrics import Share
from flawline.core.pixel_metrics import SizeClass, recall_by_label, recall_by_size, region_peaks

IGNORE = 255
LEAST_KNOWN = 0.5
"""Share of the pixels of a picture that must be known before it can be said to have no defect."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class over all pixels, 0 to 1, None where the denominator is 0.

    With TP, FP and FN its true positive, false positive and false negative pixels: `iou` TP / (TP + FP + FN) (Jaccard),
    `dice` 2 TP / (2 TP + FP + FN) (also F1), `precision` TP / (TP + FP), `recall` TP / (TP + FN).
    """

    pixels: int
    iou: float | None
    dice: float | None
    precision: float | None
    recall: float | None


def shows_defect(truth: NDArray[np.uint8] | NDArray[np.int64]) -> bool | None:
    """Tell whether a picture (h, w) has a defect; None where none is marked and less than half of it is known."""
    known = truth != IGNORE
    if (known & (truth > 0)).any():
        return True
    return False if known.size and known.mean() >= LEAST_KNOWN else None


class ConfusionMatrix:
    """Pixels counted by true and by predicted class, picture by picture."""

    def __init__(self, classes: int) -> None:
        """Start without pictures; `classes` counts background and is at least 2."""
        if not 2 <= classes < IGNORE:
            raise ValueError(f"expected 2 to {IGNORE - 1} classes, got {classes}")
        self._counts = np.zeros((classes, classes), np.int64)

    @classmethod
    def of(cls, counts: ArrayLike) -> ConfusionMatrix:
        """Make a matrix from counts (C, C), as `counts` gives them.

        Raises:
            ValueError: not square, or negative.
        """
        table = np.asarray(counts, np.int64)
        if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
            raise ValueError(f"expected counts (C, C) from 0 on, got shape {table.shape}")
        matrix = cls(len(table))
        matrix._counts += table
        return matrix

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels (C, C): a row for each true class, a column for each predicted one."""
        return self._counts.copy()

    def add(self, truth: ArrayLike, predicted: ArrayLike) -> None:
        """Count one picture.

        Raises:
            ValueError: the shapes differ, or a value is no class.
        """
        classes = len(self._counts)
        true, mask = _checked(truth, predicted, classes)
        known = true != IGNORE
        pairs = true[known] * classes + mask[known]
        self._counts += np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def merge(self, other: ConfusionMatrix) -> None:
        """Add the counts of another matrix with as many classes."""
        if other._counts.shape != self._counts.shape:
            raise ValueError(f"expected {len(self._counts)} classes, got {len(other._counts)}")
        self._counts += other._counts

    def by_true_class(self) -> tuple[tuple[float, ...] | None, ...]:
        """Normalise each row: shares of the predicted classes of a true class; None for a class without pixels."""
        return tuple(
            tuple((row / row.sum()).tolist()) if row.any() else None for row in self._counts
        )

    def accuracy(self) -> float | None:
        """Compute the share of pixels with the right class; high wherever background is most of the picture."""
        return _over(int(np.trace(self._counts)), int(self._counts.sum()))

    def figures(self) -> tuple[ClassFigures, ...]:
        """Compute the figures of each class, background first."""
        right = np.diag(self._counts).tolist()
        true, predicted = self._counts.sum(1).tolist(), self._counts.sum(0).tolist()
        return tuple(
            ClassFigures(t, _over(tp, t + p - tp), _over(2 * tp, t + p), _over(tp, p), _over(tp, t))
            for tp, t, p in zip(right, true, predicted, strict=True)
        )

    def mean(self, figure: str = "iou") -> float | None:
        """Average a figure ("iou", "dice", "precision", "recall") over the classes of defects that have a value."""
        values = [getattr(one, figure) for one in self.figures()[1:]]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None


class Detection:
    """Counts of defect regions and defective parts that are found, picture by picture.

    A region is an 8-connected region of one class in the truth. It is found where the prediction has its class on at
    least one of its pixels. A part is defective where the truth has a defect on any of its pictures (`shows_defect`).
    Then it is rejected where the prediction has a defect anywhere: one on unknown pixels, beside a stroke that marks
    the defect, stops the part too. A good part is rejected where the prediction has a defect on known pixels. Parts of
    which too little is known to call them good are not counted, and neither are predicted regions on unknown pixels.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        """Start without pictures; `classes` are the names of all classes, background first."""
        self._classes = tuple(classes)
        self._labels: list[str] = []
        self._areas: list[int] = []
        self._found: list[bool] = []
        self._false: dict[str, int] = dict.fromkeys(self._classes[1:], 0)
        self._parts: dict[str, list[tuple[bool | None, bool, bool]]] = {}

    def add(self, truth: ArrayLike, predicted: ArrayLike, part: str) -> None:
        """Count one picture of a part.

        Raises:
            ValueError: the shapes differ, or a value is no class.
        """
        true, mask = _checked(truth, predicted, len(self._classes))
        known, shows = true != IGNORE, shows_defect(true)
        for number, name in enumerate(self._classes[1:], start=1):
            areas, found = _regions(true == number, mask == number)
            self._labels += [name] * len(areas)
            self._areas += areas
            self._found += found
            _, right = _regions(mask == number, true == number)
            _, seen = _regions(mask == number, known)
            self._false[name] += sum(s and not r for r, s in zip(right, seen, strict=True))
        anywhere, on_known = bool(mask.any()), bool((known & (mask > 0)).any())
        self._parts.setdefault(part, []).append((shows, anywhere, on_known))

    def by_class(self, confidence: float = 0.95) -> dict[str, Share]:
        """Compute the share of found regions of each class, with intervals; classes without a region are left out."""
        return recall_by_label(self._labels, self._found, confidence=confidence)

    def by_size(
        self, edges: Sequence[float] | None = None, *, label: str | None = None
    ) -> tuple[SizeClass, ...]:
        """Compute the share of found regions by size in pixels, of one class of defects or of all."""
        chosen = np.array([label in (None, name) for name in self._labels], bool)
        areas = np.array(self._areas, np.int64)[chosen]
        return recall_by_size(areas, np.array(self._found, bool)[chosen], edges)

    def false_regions(self) -> dict[str, int]:
        """Count predicted regions of each class that touch known pixels, but none of that class."""
        return dict(self._false)

    def escapes(self, confidence: float = 0.95) -> Share | None:
        """Compute the share of defective parts without a predicted defect; None without defective parts."""
        return self._share(True, False, confidence)

    def overkill(self, confidence: float = 0.95) -> Share | None:
        """Compute the share of good parts with a predicted defect; None without good parts."""
        return self._share(False, True, confidence)

    def _share(self, defective: bool, rejected: bool, confidence: float) -> Share | None:
        calls = []
        for pictures in self._parts.values():
            shows = [one for one, _, _ in pictures]
            if defective and True in shows:
                calls.append(any(anywhere for _, anywhere, _ in pictures))
            elif not defective and all(one is False for one in shows):
                calls.append(any(on_known for _, _, on_known in pictures))
        return Share(calls.count(rejected), len(calls), confidence) if calls else None


def _regions(of: NDArray[np.bool_], touched_by: NDArray[np.bool_]) -> tuple[list[int], list[bool]]:
    """Compute the areas of the regions of one map, and whether the other touches them."""
    if not of.any():
        return [], []
    areas, peaks = region_peaks(touched_by.astype(np.float32), of)
    return areas.tolist(), (peaks > 0).tolist()


def _over(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _checked(
    truth: ArrayLike, predicted: ArrayLike, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    true, mask = np.asarray(truth), np.asarray(predicted)
    if true.shape != mask.shape or true.ndim != 2:
        raise ValueError(
            f"expected two maps of one shape (h, w), got {true.shape} and {mask.shape}"
        )
    if not (np.issubdtype(true.dtype, np.integer) and np.issubdtype(mask.dtype, np.integer)):
        raise ValueError(f"expected class numbers, got {true.dtype} and {mask.dtype}")
    true, mask = true.astype(np.int64), mask.astype(np.int64)
    if mask.size and not 0 <= mask.min() <= mask.max() < classes:
        raise ValueError(f"expected predicted classes 0 to {classes - 1}")
    known = (true >= 0) & (true < classes) | (true == IGNORE)
    if not known.all():
        raise ValueError(
            f"expected true classes 0 to {classes - 1} or {IGNORE}, got {true[~known][0]}"
        )
    return true, mask
