"""Evaluate the predictions of a classifier against known labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import Share, auroc

BINS = 10
FEWEST_IN_BIN = 10


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Recall and precision of a class; None if there is no such picture."""

    name: str
    recall: Share | None
    precision: Share | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """Reliability by bin: `stated` is the mean highest probability, `right` the fraction that is of that class.

    Bins hold equally many pictures. `error` is the mean distance of the two (expected calibration error; C. Guo et al.,
    ICML 2017). `brier` is the mean over pictures of the sum over classes of (probability - truth)², 0 best, 2 worst
    (G. W. Brier, Monthly Weather Review 78, 1950).
    """

    stated: tuple[float, ...]
    right: tuple[float, ...]
    error: float
    brier: float


@dataclass(frozen=True, slots=True)
class ClassifierEvaluation:
    """`confusion[i][j]` pictures of class i were predicted as class j.

    `balanced_accuracy` is the mean recall over the classes that have pictures. `auroc` is that of the second-named
    `positive` class where there are two classes, else None. `before` and `after` are the reliability before
    and after calibration.
    """

    pictures: int
    confusion: tuple[tuple[int, ...], ...]
    scores: tuple[ClassScore, ...]
    accuracy: float
    balanced_accuracy: float
    positive: str | None
    auroc: float | None
    before: Reliability
    after: Reliability


def evaluate(
    classes: Sequence[str],
    truth: NDArray[np.integer],
    raw: NDArray[np.float64],
    calibrated: NDArray[np.float64],
    positive: int = 1,
) -> ClassifierEvaluation:
    """Compare predictions with the truth.

    Args:
        classes: names of the C classes.
        truth: class of each picture, (N,) from 0 to C - 1, N at least 1.
        raw: probabilities (N, C); the highest gives the predicted class.
        calibrated: probabilities (N, C).
        positive: of two classes, the one whose probability the area under the ROC curve takes as score.
    """
    count = len(classes)
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (truth, raw.argmax(axis=1)), 1)
    scores = tuple(
        ClassScore(
            name, _share(table[k, k], table[k].sum()), _share(table[k, k], table[:, k].sum())
        )
        for k, name in enumerate(classes)
    )
    recalls = [score.recall.value for score in scores if score.recall]
    is_positive = truth == positive
    ranked = count == 2 and 0 < is_positive.sum() < len(truth)
    return ClassifierEvaluation(
        pictures=len(truth),
        confusion=tuple(tuple(row) for row in table.tolist()),
        scores=scores,
        accuracy=float(np.trace(table) / len(truth)),
        balanced_accuracy=float(np.mean(recalls)),
        positive=classes[positive] if ranked else None,
        auroc=auroc(is_positive, calibrated[:, positive]) if ranked else None,
        before=reliability(truth, raw),
        after=reliability(truth, calibrated),
    )


def reliability(truth: NDArray[np.integer], probabilities: NDArray[np.float64]) -> Reliability:
    """Compare probabilities (N, C) with the truth (N,) in up to ten bins of at least ten pictures."""
    stated = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    order = np.argsort(stated, kind="stable")
    bins = np.array_split(order, int(np.clip(len(truth) // FEWEST_IN_BIN, 1, BINS)))
    means = [(float(stated[part].mean()), float(right[part].mean())) for part in bins]
    error = sum(
        len(part) * abs(predicted - observed)
        for part, (predicted, observed) in zip(bins, means, strict=True)
    )
    exact = np.zeros_like(probabilities)
    exact[np.arange(len(truth)), truth] = 1
    return Reliability(
        stated=tuple(predicted for predicted, _ in means),
        right=tuple(observed for _, observed in means),
        error=error / len(truth),
        brier=float(((probabilities - exact) ** 2).sum(axis=1).mean()),
    )


def _share(hits: int, of: int) -> Share | None:
    return Share(int(hits), int(of)) if of else None
