"""A classifier on disk: a folder with manifest.json and arrays.npz, which holds plain arrays and executes nothing."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import ModelError
from flawline.models.calibration import Calibration, Isotonic, Sigmoid
from flawline.models.classifier import BoostedTrees, Classifier, Logistic, Model, VotingTrees

FORMAT = "flawline-classifier-1"
MANIFEST, ARRAYS = "manifest.json", "arrays.npz"
_KINDS: dict[str, type[Model]] = {
    "logistic": Logistic,
    "forest": VotingTrees,
    "boosting": BoostedTrees,
}
_CALIBRATIONS: dict[str, type[Calibration]] = {"sigmoid": Sigmoid, "isotonic": Isotonic}
_WHOLE = {"left", "right", "feature", "decision"}


def save_classifier(classifier: Classifier, folder: Path) -> Path:
    """Write a classifier into `folder`, which is made where it is missing; the same one gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"model": classifier.model, "calibration": classifier.calibration}
    arrays = {
        f"{role}.{field.name}": getattr(part, field.name)
        for role, part in parts.items()
        for field in fields(part)
    }
    np.savez_compressed(folder / ARRAYS, allow_pickle=False, **arrays)
    manifest = {
        "format": FORMAT,
        "kind": _name(_KINDS, classifier.model),
        "calibration": _name(_CALIBRATIONS, classifier.calibration),
        "classes": list(classifier.classes),
        "columns": list(classifier.columns),
        "arrays_sha256": hashlib.sha256((folder / ARRAYS).read_bytes()).hexdigest(),
        "settings": dict(classifier.settings),
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return folder


def load_classifier(folder: str | Path) -> Classifier:
    """Read a classifier that `save_classifier` wrote.

    Raises:
        ModelError: `folder` holds no classifier, one of another version, or a damaged one.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    try:
        classes = tuple(_text(name) for name in manifest["classes"])
        columns = tuple(_text(name) for name in manifest["columns"])
        settings = dict(manifest["settings"])
        kind, calibration = _KINDS[manifest["kind"]], _CALIBRATIONS[manifest["calibration"]]
        arrays = _arrays(folder, manifest["arrays_sha256"])
        classifier = Classifier(
            classes,
            columns,
            _filled(kind, "model", arrays),
            _filled(calibration, "calibration", arrays),
            settings,
        )
        _check(classifier)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, str(error)) from error
    return classifier


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ModelError(
            f"expected a folder with {MANIFEST} and {ARRAYS}, {str(folder)!r} has no {MANIFEST}",
            hint="give the folder 'classifier' that `flawline classify` wrote",
            code="model-missing",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise _damaged(folder, f"{MANIFEST} is not JSON: {error}") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"expected a model of format {FORMAT!r}, {str(folder)!r} has {found!r}",
            hint="train it again with this version of Flawline",
            code="model-foreign",
        )
    return dict(manifest)


def _arrays(folder: Path, sha256: str) -> dict[str, NDArray[Any]]:
    try:
        data = (folder / ARRAYS).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"{ARRAYS} is not the file that {MANIFEST} was written with")
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(folder, f"{ARRAYS} cannot be read: {error}") from error


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
    """Raise ValueError where the arrays do not fit together, so that evaluating them always ends and never fails."""
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
        _check_trees(model, columns)
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


def _check_trees(trees: VotingTrees | BoostedTrees, columns: int) -> None:
    shape = trees.left.shape
    _within("left", len(shape) == 2 and min(shape) > 0)
    for name in ("right", "feature", "threshold"):
        _shape(name, getattr(trees, name), shape)
    here = np.arange(shape[1], dtype=np.int64)
    inner = trees.left >= 0
    for name in ("left", "right"):
        child = getattr(trees, name)
        # A child lies behind its parent, or a walk down the tree might never end.
        _within(name, bool(((child > here) & (child < shape[1]))[inner].all()))
    _within("feature", bool(((trees.feature >= 0) & (trees.feature < columns)).all()))


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


def _damaged(folder: Path, why: str) -> ModelError:
    return ModelError(
        f"the model {str(folder)!r} is damaged: {why}",
        hint="copy it again from where it was trained, or train it again",
        code="model-damaged",
    )
