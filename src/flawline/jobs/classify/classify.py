"""Learn the labels of a source and evaluate that by cross-validation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.names import natural_key
from flawline.data.source import SourceLike, opened
from flawline.errors import UsageError
from flawline.features.compute import (
    DEFAULT,
    ComputedFeatures,
    FeatureSettings,
    by_name,
    compute_features,
    describe_network,
    settings_as_dict,
)
from flawline.features.table import FeatureTable
from flawline.jobs.classify.calibration import METHODS
from flawline.jobs.classify.class_confusion import evaluate
from flawline.jobs.classify.classification import Classification, predictions
from flawline.jobs.classify.classifier import Classifier
from flawline.jobs.classify.classifier_fit import KINDS
from flawline.jobs.classify.classifier_folds import check_folds
from flawline.jobs.classify.fit_classifier import ClassifierSettings, FittedClassifier, train
from flawline.types import Sample, Track, no_track
from flawline.version import __version__

LEAK = (
    "The source names no groups, so pictures of the same part (rotated copies, several shots) may lie "
    "on both sides of a split. If there are any, every figure here is too good. Give a manifest with a column 'group', "
    "or name a column with `group`."
)


def classify(
    source: SourceLike,
    *,
    model: str = "logistic",
    folds: int = 5,
    group: str | None = None,
    calibration: str = "sigmoid",
    settings: FeatureSettings = DEFAULT,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Classification:
    """Learn the labels of a source by cross-validation, then train a final model on all pictures.

    Every labelled picture is predicted by a model trained without its group; pictures without a label are predicted by
    the final model.

    Args:
        source: anything that `open_source` takes, or an open source.
        model: "logistic", "forest" or "boosting".
        folds: parts of the cross-validation, at least 3.
        group: a further column of the manifest that names groups of pictures; by default its column `group`.
        calibration: "sigmoid" or "isotonic" (see `flawline.jobs.classify.calibration`).
        settings: the features.
        seed: seed of the splits and of the model.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that stores finished work, so that an interrupted run can resume.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or no picture can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument is out of range, there are fewer than two labels, or too few pictures or groups of one.
    """
    recipe = _recipe(model, calibration, folds, seed)
    with opened(source, good, bad) as source:
        # Labels and groups are checked before computing features, and again for the pictures that could be read.
        _problem(tuple(source.samples()), group, folds)
        computed = compute_features(source, settings, unfinished=unfinished, track=track)
        labels = {label: bad for label, (_, bad) in source.summary().labels.items()}
    table = by_name(computed.table)
    classes, rows, truth, groups = _problem(table.samples, group, folds)
    trained = train(table.values[rows], truth, groups, recipe, track)
    classifier = Classifier(
        classes,
        tuple(column.name for column in table.columns),
        trained.model,
        trained.calibration,
        _manifest(computed, table, recipe, rows, truth),
    )
    grouped = len(np.unique(groups)) < len(groups)
    return Classification(
        source=source.name,
        classes=classes,
        predictions=_all_predictions(classifier, table, rows, trained),
        unjudged=table.unjudged,
        settings={
            "model": recipe.kind,
            "split": _split_text(recipe, grouped, group, groups),
            "calibration": recipe.calibration,
            "class_weights": "balanced",
            **computed.described(),
            "seed": seed,
            "flawline": __version__,
        },
        warnings=() if grouped else (LEAK,),
        evaluation=evaluate(
            classes, truth, trained.raw, trained.calibrated, _positive(classes, labels)
        ),
        classifier=classifier,
        labels=labels,
    )


def _recipe(model: str, calibration: str, folds: int, seed: int) -> ClassifierSettings:
    if model not in KINDS:
        raise UsageError(f"expected a model of {', '.join(KINDS)}, got {model!r}")
    if calibration not in METHODS:
        raise UsageError(f"expected a calibration of {', '.join(METHODS)}, got {calibration!r}")
    if folds < 3 or seed < 0:
        raise UsageError(
            f"expected at least 3 folds and a seed of at least 0, got {folds} and {seed}",
            hint="with 2 folds nothing is left to fit the calibration on",
        )
    return ClassifierSettings(model, calibration, folds, seed)


def _problem(
    samples: tuple[Sample, ...], group: str | None, folds: int
) -> tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.int64], NDArray[np.int64]]:
    """List the classes, and rows, class and group numbers of labelled pictures; raises UsageError."""
    rows = np.array([i for i, s in enumerate(samples) if s.label is not None], dtype=np.intp)
    names = [str(samples[i].label) for i in rows]
    classes = tuple(sorted(set(names), key=natural_key))
    if len(classes) < 2:
        labels = f"all are {classes[0]!r}" if classes else "no picture has one"
        raise UsageError(
            f"expected pictures of at least two labels, {labels}",
            hint="put each class into a folder of its name, or give a manifest with a column 'label'",
        )
    truth = np.array([classes.index(name) for name in names], dtype=np.int64)
    groups = _groups([samples[i] for i in rows], group)
    if len(np.unique(groups)) == 1:
        raise UsageError(
            "expected at least two groups, all pictures are in one",
            hint="a group holds the pictures of one part; name its column with `group`",
        )
    check_folds(classes, truth, groups, folds)
    return classes, rows, truth, groups


def _groups(samples: Sequence[Sample], column: str | None) -> NDArray[np.int64]:
    """Number the group of each sample; a sample without a group is a group of its own."""
    if column is None or column == "group":
        names = [sample.group for sample in samples]
    else:
        if not any(column in sample.metadata for sample in samples):
            known = sorted({key for sample in samples for key in sample.metadata})
            raise UsageError(
                f"the source has no column {column!r} to group by",
                hint=f"it has {', '.join(known)}" if known else "only manifests have such columns",
            )
        values = (sample.metadata.get(column) for sample in samples)
        names = [None if value in (None, "") else str(value) for value in values]
    keys = [
        ("part", value) if value is not None else ("picture", sample.name)
        for value, sample in zip(names, samples, strict=True)
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)


def _all_predictions(
    classifier: Classifier, table: FeatureTable, rows: NDArray[np.intp], trained: FittedClassifier
) -> tuple[Any, ...]:
    raw = np.zeros((len(table.samples), len(classifier.classes)))
    calibrated = np.zeros_like(raw)
    fold = np.full(len(raw), -1)
    raw[rows], calibrated[rows], fold[rows] = trained.raw, trained.calibrated, trained.fold
    others = np.setdiff1d(np.arange(len(raw)), rows)
    if len(others):
        raw[others] = classifier.raw(table.values[others])
        calibrated[others] = classifier.calibrated(raw[others])
    return predictions(classifier.classes, table.samples, raw, calibrated, fold)


def _positive(classes: tuple[str, ...], labels: dict[str, bool | None]) -> int:
    return next((k for k, name in enumerate(classes) if labels.get(name)), len(classes) - 1)


def _split_text(
    recipe: ClassifierSettings, grouped: bool, column: str | None, groups: NDArray[np.int64]
) -> str:
    if not grouped:
        return f"{recipe.folds} stratified folds, every picture for itself"
    return (
        f"{recipe.folds} stratified folds by column {column or 'group'!r}: "
        f"{len(np.unique(groups))} groups, none on both sides"
    )


def _manifest(
    computed: ComputedFeatures,
    table: FeatureTable,
    recipe: ClassifierSettings,
    rows: NDArray[np.intp],
    truth: NDArray[np.int64],
) -> dict[str, Any]:
    """Describe how the model was made, and what is needed to compute the same features."""
    import sklearn

    network, settings = computed.network, computed.settings
    training = hashlib.sha256()
    for row, number in zip(rows, truth.tolist(), strict=True):
        training.update(f"{table.samples[row].name}\0{number}\0".encode())
        training.update(table.values[row].astype("<f4").tobytes())
    return {
        "computed_with": settings_as_dict(settings, network),
        **(describe_network(network) if network else {}),
        "calibration_folds": recipe.folds,
        "seed": recipe.seed,
        "training_pictures": len(rows),
        "training_sha256": training.hexdigest(),
        "flawline": __version__,
        "scikit_learn": sklearn.__version__,
    }
