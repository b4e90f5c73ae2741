"""Cross-validate a classifier and fit the final model.

Within each fold the calibration is fitted to predictions of further models, each trained on a part of the training
pictures of the fold and applied to the others. So no picture is judged by a model trained with its group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.jobs.classify.calibration import Calibration, fit_calibration
from flawline.jobs.classify.classifier import Model
from flawline.jobs.classify.classifier_fit import fit_model
from flawline.jobs.classify.classifier_folds import Split, split
from flawline.types import Track, no_track

INNER_FOLDS = 3


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """Settings of the fit: kind of model, method of calibration, number of folds, seed."""

    kind: str
    calibration: str
    folds: int
    seed: int


@dataclass(frozen=True, slots=True)
class FittedClassifier:
    """Out-of-fold probabilities (N, classes), the fold (N,) from 0, and the final model."""

    raw: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    fold: NDArray[np.int64]
    model: Model
    calibration: Calibration


def train(
    values: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    settings: ClassifierSettings,
    track: Track = no_track,
) -> FittedClassifier:
    """Cross-validate on rows (N, F) of classes (N,) and groups (N,), then fit a model to all rows.

    The final model's calibration is fitted to the out-of-fold probabilities of all rows.

    Raises:
        UsageError: the groups cannot be split with every class in each training part.
    """
    outer = split(truth, groups, settings.folds, settings.seed, fewest=2)
    raw = np.zeros((len(truth), int(truth.max()) + 1))
    calibrated = np.zeros_like(raw)
    fold = np.full(len(truth), -1)
    for number, (train_rows, test) in enumerate(track(outer, title="Folds", total=len(outer))):
        inner = _inner(truth[train_rows], groups[train_rows], settings.seed)
        before = out_of_fold(values[train_rows], truth[train_rows], inner, settings)
        calibration = fit_calibration(before, truth[train_rows], settings.calibration)
        model = fit_model(values[train_rows], truth[train_rows], settings.kind, settings.seed)
        raw[test] = model.probabilities(values[test])
        calibrated[test] = calibration.apply(raw[test])
        fold[test] = number
    return FittedClassifier(
        raw,
        calibrated,
        fold,
        fit_model(values, truth, settings.kind, settings.seed),
        fit_calibration(raw, truth, settings.calibration),
    )


def out_of_fold(
    values: NDArray[np.float32],
    truth: NDArray[np.int64],
    splits: list[Split],
    settings: ClassifierSettings,
) -> NDArray[np.float64]:
    """Predict probabilities (N, classes) of each row by a model trained without it."""
    raw = np.zeros((len(truth), int(truth.max()) + 1))
    for train_rows, test in splits:
        model = fit_model(values[train_rows], truth[train_rows], settings.kind, settings.seed)
        raw[test] = model.probabilities(values[test])
    return raw


def _inner(truth: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> list[Split]:
    fewest = min(len(np.unique(groups[truth == k])) for k in np.unique(truth))
    return split(truth, groups, min(INNER_FOLDS, fewest), seed)
