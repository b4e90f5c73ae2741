"""Out-of-fold predictions and the final model.

Within each fold the calibration is fitted to predictions of further models, each trained on a part of the fold's
training pictures and asked about the others. So no picture is judged by anything that has seen it, or another of its
group.
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
    """What is fitted: a kind of model, a way of calibration, a number of folds, a seed."""

    kind: str
    calibration: str
    folds: int
    seed: int


@dataclass(frozen=True, slots=True)
class FittedClassifier:
    """Probabilities (N, classes) by models that had not seen the picture, the fold (N,) from 0, the final model."""

    raw: NDArray[np.float64]
    calibrated: NDArray[np.float64]
    fold: NDArray[np.int64]
    model: Model
    calibration: Calibration


def train(
    values: NDArray[np.float32],
    truth: NDArray[np.int64],
    groups: NDArray[np.int64],
    recipe: ClassifierSettings,
    track: Track = no_track,
) -> FittedClassifier:
    """Cross-validate on rows (N, F) of classes (N,) and groups (N,), then fit a model to all rows.

    The final model's calibration is fitted to the out-of-fold probabilities of all rows.

    Raises:
        UsageError: the groups cannot be split so that every class can always be learned.
    """
    outer = split(truth, groups, recipe.folds, recipe.seed, fewest=2)
    raw = np.zeros((len(truth), int(truth.max()) + 1))
    calibrated = np.zeros_like(raw)
    fold = np.full(len(truth), -1)
    for number, (seen, unseen) in enumerate(track(outer, title="Folds", total=len(outer))):
        inner = _inner(truth[seen], groups[seen], recipe.seed)
        before = out_of_fold(values[seen], truth[seen], inner, recipe)
        calibration = fit_calibration(before, truth[seen], recipe.calibration)
        model = fit_model(values[seen], truth[seen], recipe.kind, recipe.seed)
        raw[unseen] = model.probabilities(values[unseen])
        calibrated[unseen] = calibration.apply(raw[unseen])
        fold[unseen] = number
    return FittedClassifier(
        raw,
        calibrated,
        fold,
        fit_model(values, truth, recipe.kind, recipe.seed),
        fit_calibration(raw, truth, recipe.calibration),
    )


def out_of_fold(
    values: NDArray[np.float32],
    truth: NDArray[np.int64],
    splits: list[Split],
    recipe: ClassifierSettings,
) -> NDArray[np.float64]:
    """Probabilities (N, classes) of each row by a model that had not seen it."""
    raw = np.zeros((len(truth), int(truth.max()) + 1))
    for seen, unseen in splits:
        model = fit_model(values[seen], truth[seen], recipe.kind, recipe.seed)
        raw[unseen] = model.probabilities(values[unseen])
    return raw


def _inner(truth: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> list[Split]:
    fewest = min(len(np.unique(groups[truth == k])) for k in np.unique(truth))
    return split(truth, groups, min(INNER_FOLDS, fewest), seed)
