"""Save and load a classifier as one file of arrays and a manifest (see `flawline.data.array_file`)."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.trees import check_trees
from flawline.data.array_file import read_arrays, write_arrays
from flawline.errors import ModelError
from flawline.jobs.classify.calibration import Calibration, Isotonic, Sigmoid
from flawline.jobs.classify.classifier import (
    BoostedTrees,
    Classifier,
    Logistic,
    Model,
    VotingTrees,
)

KIND = "classifier"
SCHEMA = 1
_MODELS: dict[str, type[Model]] = {
    "logistic": Logistic,
    "forest": VotingTrees,
    "boosting": BoostedTrees,
}
_CALIBRATIONS: dict[str, type[Calibration]] = {"sigmoid": Sigmoid, "isotonic": Isotonic}
_WHOLE = {"left", "right", "feature", "decision"}


def save_classifier(classifier: Classifier, path: Path) -> Path:
    """Write a classifier; the same one gives the same bytes."""
    parts = {"model": classifier.model, "calibration": classifier.calibration}
    arrays = {
        f"{role}.{field.name}": getattr(part, field.name)
        for role, part in parts.items()
        for field in fields(part)
    }
    manifest = {
        "schema": SCHEMA,
        "model": _name(_MODELS, classifier.model),
        "calibration": _name(_CALIBRATIONS, classifier.calibration),
        "classes": list(classifier.classes),
        "columns": list(classifier.columns),
        "settings": dict(classifier.settings),
    }
    return write_arrays(path, KIND, manifest, arrays)


def load_classifier(path: str | Path) -> Classifier:
    """Load a classifier written by `save_classifier`.

    Raises:
        ModelError: the file is no classifier, of another version, or damaged.
    """
    path = Path(path)
    manifest, arrays = read_arrays(path, KIND)
    if manifest.get("schema") != SCHEMA:
        raise ModelError(
            f"{path.name} has schema {manifest.get('schema')}, this version reads {SCHEMA}",
            hint="train it again with this version of Flawline",
            code="model-foreign",
        )
    try:
        model, calibration = _MODELS[manifest["model"]], _CALIBRATIONS[manifest["calibration"]]
        classifier = Classifier(
            tuple(_text(name) for name in manifest["classes"]),
            tuple(_text(name) for name in manifest["columns"]),
            _filled(model, "model", arrays),
            _filled(calibration, "calibration", arrays),
            dict(manifest["settings"]),
        )
        _check(classifier)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"the classifier {path.name} is damaged: {error}",
            hint="copy it again from its origin, or train it again",
            code="model-damaged",
        ) from error
    return classifier


def _filled(kind: Any, role: str, arrays: dict[str, NDArray[Any]]) -> Any:
    values = {}
    for field in fields(kind):
        value = arrays[f"{role}.{field.name}"]
        expected = np.dtype(np.int32 if field.name in _WHOLE else np.float64)
        if value.dtype != expected or not np.isfinite(value).all():
            raise ValueError(f"{field.name} must be finite {expected}, it is {value.dtype}")
        values[field.name] = value
    return kind(**values)


def _check(classifier: Classifier) -> None:
    """Raise ValueError if the arrays are inconsistent, so that evaluating them always ends and never fails."""
    columns, classes = len(classifier.columns), len(classifier.classes)
    if classes < 2 or len(set(classifier.classes)) < classes:
        raise ValueError(f"expected at least two different classes, got {classifier.classes}")
    decisions = classes if classes > 2 else 1
    model, calibration = classifier.model, classifier.calibration
    if isinstance(model, Logistic):
        _shape("mean", model.mean, (columns,))
        _shape("scale", model.scale, (columns,))
        _shape("weights", model.weights, (decisions, columns))
        _shape("offset", model.offset, (decisions,))
        _within("scale", bool((model.scale > 0).all()))
    else:
        check_trees(model, columns)
    if isinstance(model, VotingTrees):
        _shape("share", model.share, (*model.left.shape, classes))
        _within("share", bool((model.share >= 0).all()))
    if isinstance(model, BoostedTrees):
        _shape("gain", model.gain, model.left.shape)
        _shape("decision", model.decision, model.left.shape[:1])
        _shape("baseline", model.baseline, (decisions,))
        _within("decision", bool(((model.decision >= 0) & (model.decision < decisions)).all()))
    if isinstance(calibration, Sigmoid):
        _shape("slope", calibration.slope, (classes,))
        _shape("offset", calibration.offset, (classes,))
    else:
        _shape("stated", calibration.stated, (classes, calibration.stated.shape[-1]))
        _shape("true", calibration.true, calibration.stated.shape)
        rising = np.diff(calibration.stated, axis=1) >= 0
        _within("stated", calibration.stated.size > 0 and bool(rising.all()))
        _within("true", bool(((calibration.true >= 0) & (calibration.true <= 1)).all()))


def _shape(name: str, value: NDArray[Any], expected: tuple[int, ...]) -> None:
    if value.shape != expected:
        raise ValueError(f"{name} must have the shape {expected}, it has {value.shape}")


def _within(name: str, right: bool) -> None:
    if not right:
        raise ValueError(f"{name} holds values out of range")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a name, got {value!r}")
    return value


def _name(kinds: dict[str, Any], part: object) -> str:
    return next(name for name, kind in kinds.items() if isinstance(part, kind))
