"""Predict new pictures with a saved classifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flawline.data.source import SourceLike, opened
from flawline.errors import ModelError
from flawline.features.compute import (
    ComputedFeatures,
    by_name,
    check_same_network,
    compute_features,
    expected_network,
    moved,
    settings_from_dict,
)
from flawline.jobs.classify.class_confusion import evaluate
from flawline.jobs.classify.classification import Classification, predictions
from flawline.jobs.classify.classifier import Classifier
from flawline.types import Track, no_track
from flawline.version import __version__


def apply_classifier(
    classifier: Classifier,
    source: SourceLike,
    *,
    backbone: str | None = None,
    weights: str | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Classification:
    """Predict the class of every picture of a source; compare with known labels.

    Args:
        classifier: a model of `classify` or `load_classifier`.
        source: anything that `open_source` takes, or an open source.
        backbone: present path of the backbone's file, if it was moved; it must be the same file.
        weights: the same for the weights of a network of timm.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that stores finished work, so that an interrupted run can resume.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or no picture can be judged.
        ModelError: the backbone or the features are not those of the training.
    """
    with opened(source, good, bad) as source:
        settings = moved(
            settings_from_dict(classifier.settings.get("computed_with") or {}), backbone, weights
        )
        computed = compute_features(
            source,
            settings,
            expected=expected_network(classifier.settings),
            unfinished=unfinished,
            track=track,
        )
        labels = {label: bad for label, (_, bad) in source.summary().labels.items()}
    warnings = _check_same(classifier, computed)
    table = by_name(computed.table)
    raw = classifier.raw(table.values)
    calibrated = classifier.calibrated(raw)
    known = [i for i, s in enumerate(table.samples) if s.label in classifier.classes]
    truth = np.array([classifier.classes.index(str(table.samples[i].label)) for i in known])
    bad_ones = [k for k, name in enumerate(classifier.classes) if labels.get(name)]
    positive = bad_ones[0] if bad_ones else len(classifier.classes) - 1
    return Classification(
        source=source.name,
        classes=classifier.classes,
        predictions=predictions(classifier.classes, table.samples, raw, calibrated),
        unjudged=table.unjudged,
        settings={
            "split": "none: a saved model predicted every picture",
            **computed.described(),
            "trained_on": f"{classifier.settings.get('training_pictures')} pictures, "
            f"sha256 {classifier.settings.get('training_sha256')}",
            "flawline": __version__,
        },
        warnings=(*warnings, *((_LEAK_WARNING,) if known else ())),
        evaluation=evaluate(classifier.classes, truth, raw[known], calibrated[known], positive)
        if known
        else None,
        classifier=classifier,
        labels=labels,
    )


_LEAK_WARNING = (
    "These figures hold for new parts only if none of these pictures, and none of the same part, was among those that "
    "the model was trained on."
)


def _check_same(classifier: Classifier, computed: ComputedFeatures) -> tuple[str, ...]:
    if tuple(column.name for column in computed.table.columns) != classifier.columns:
        raise ModelError(
            "the model was trained with other features than this version computes",
            hint="train it again with this version of Flawline",
            code="model-features",
        )
    return check_same_network(classifier.settings, computed.network)
