"""What a classification says: a prediction for every picture, and how good the predictions are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.jobs.classify.class_confusion import ClassifierEvaluation
from flawline.jobs.classify.classifier import Classifier
from flawline.types import EMPTY, Sample, Unjudged


@dataclass(frozen=True, slots=True)
class Prediction:
    """The class predicted for one picture.

    `probabilities` are calibrated, in the order of the classes. `fold` is the cross-validation fold (from 1) whose
    model made the prediction without having seen the picture; None where the final model did.
    """

    sample: Sample
    predicted: str
    probabilities: tuple[float, ...]
    probability: float
    fold: int | None


@dataclass(frozen=True, slots=True)
class Classification:
    """The outcome of classifying one source.

    `predictions` are in the order of names. `evaluation` covers the pictures whose label is one of `classes`, None
    where there are none. `warnings` are sentences that whoever reads the figures must know.
    """

    source: str
    classes: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    unjudged: tuple[Unjudged, ...]
    settings: Mapping[str, Any]
    warnings: tuple[str, ...]
    evaluation: ClassifierEvaluation | None
    classifier: Classifier
    labels: Mapping[str, bool | None] = field(default_factory=lambda: EMPTY)


def predictions(
    classifier_classes: tuple[str, ...],
    samples: tuple[Sample, ...],
    raw: NDArray[np.float64],
    calibrated: NDArray[np.float64],
    folds: NDArray[np.integer] | None = None,
) -> tuple[Prediction, ...]:
    """One prediction per sample from (N, classes) probabilities; `folds` (N,) counts from 0, -1 for the final model.

    The class is the likeliest one when every class has the same weight, so by the raw probabilities.
    """
    chosen = raw.argmax(axis=1)
    found = []
    for row, sample in enumerate(samples):
        values = tuple(round(float(value), 6) for value in calibrated[row])
        fold = None if folds is None or folds[row] < 0 else int(folds[row]) + 1
        found.append(
            Prediction(sample, classifier_classes[chosen[row]], values, values[chosen[row]], fold)
        )
    return tuple(found)


def mistakes(classification: Classification) -> list[Prediction]:
    """The predictions that contradict a label of one of the classes, the surest first."""
    wrong = [
        prediction
        for prediction in classification.predictions
        if prediction.sample.label in classification.classes
        and prediction.predicted != prediction.sample.label
    ]
    return sorted(wrong, key=lambda p: (-p.probability, p.sample.name))
