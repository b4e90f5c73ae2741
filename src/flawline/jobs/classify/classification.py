"""A classification: a prediction for every picture, and their evaluation."""

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
    model made the prediction without the picture in its training; None for the final model.
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
    without any. `warnings` limit how the figures can be used.
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
    """Build one prediction per sample from probabilities (N, classes); `folds` (N,) from 0, -1 for the final model.

    The class has the highest raw probability, in which every class has the same weight.
    """
    chosen = raw.argmax(axis=1)
    predicted = []
    for row, sample in enumerate(samples):
        values = tuple(round(float(value), 6) for value in calibrated[row])
        fold = None if folds is None or folds[row] < 0 else int(folds[row]) + 1
        predicted.append(
            Prediction(sample, classifier_classes[chosen[row]], values, values[chosen[row]], fold)
        )
    return tuple(predicted)


def mistakes(classification: Classification) -> list[Prediction]:
    """List the predictions that contradict their label, the most confident first."""
    wrong = [
        prediction
        for prediction in classification.predictions
        if prediction.sample.label in classification.classes
        and prediction.predicted != prediction.sample.label
    ]
    return sorted(wrong, key=lambda p: (-p.probability, p.sample.name))
