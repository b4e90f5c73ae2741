"""Predict new pictures with a saved classifier."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flawline import __version__
from flawline.classification.evaluation import evaluate
from flawline.classification.result import Classification, predictions
from flawline.data.source import Source
from flawline.errors import ModelError
from flawline.features.compute import (
    ComputedFeatures,
    FeatureSettings,
    by_name,
    compute_features,
    opened,
)
from flawline.models.backbone import EMBEDDED
from flawline.models.classifier import Classifier
from flawline.models.network import preparation_from_json
from flawline.types import Track, no_track


def apply_classifier(
    classifier: Classifier,
    source: str | Path | Source,
    *,
    backbone: str | None = None,
    weights: str | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Classification:
    """Predict the class of every picture of a source; where labels are known, compare.

    Args:
        classifier: a model of `classify` or `load_classifier`.
        source: anything that `open_source` takes, or an open source.
        backbone: where the backbone's file lies now, if not where it lay in training; it must be the same file.
        weights: the same for the weights of a network of timm.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that keeps work done, so that an interrupted run can go on.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or no picture can be judged.
        ModelError: the backbone or the features are not those of the training.
    """
    with opened(source, good, bad) as source:
        settings = trained_settings(classifier, backbone, weights)
        computed = compute_features(source, settings, unfinished=unfinished, track=track)
        labels = {label: bad for label, (_, bad) in source.summary().labels.items()}
    _check_same(classifier, computed)
    table = by_name(computed.table)
    raw = classifier.raw(table.values)
    calibrated = classifier.calibrated(raw)
    known = [i for i, s in enumerate(table.samples) if s.label in classifier.classes]
    truth = np.array([classifier.classes.index(str(table.samples[i].label)) for i in known])
    bad_ones = [k for k, name in enumerate(classifier.classes) if labels.get(name)]
    positive = bad_ones[0] if bad_ones else len(classifier.classes) - 1
    return Classification(
        source=Path(source.location).name,
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
        warnings=(_SEEN,) if known else (),
        evaluation=evaluate(classifier.classes, truth, raw[known], calibrated[known], positive)
        if known
        else None,
        classifier=classifier,
        labels=labels,
    )


_SEEN = (
    "These figures hold for new parts only if none of these pictures, and none of the same part, was among those that "
    "the model was trained on."
)


def trained_settings(
    classifier: Classifier, backbone: str | None = None, weights: str | None = None
) -> FeatureSettings:
    """The feature settings that a classifier was trained with; raises ModelError where they cannot be read."""
    said = classifier.settings
    # A backbone that is named anew comes with its own weights.
    weights = weights if backbone or weights else said.get("weights")
    try:
        preparation, value_range = said["preparation"], said["value_range"]
        return FeatureSettings(
            features=tuple(str(name) for name in said["features"]),
            backbone=backbone or said["backbone"] or EMBEDDED,
            preparation=preparation_from_json(json.dumps(preparation)) if preparation else None,
            precision=said["precision"] or "auto",
            value_range=(float(value_range[0]), float(value_range[1])) if value_range else None,
            weights=weights,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"the model does not say how its features are computed: {error!r}",
            hint="copy it again from where it was trained, or train it again",
            code="model-damaged",
        ) from error


def _check_same(classifier: Classifier, computed: ComputedFeatures) -> None:
    expected, network = classifier.settings.get("backbone_sha256"), computed.network
    if network and network.sha256 != expected:
        raise ModelError(
            f"the model was trained with the backbone of sha256 {expected}, "
            f"{network.name} has {network.sha256}",
            hint="name the file that it was trained with by --backbone",
            code="model-backbone",
        )
    if tuple(column.name for column in computed.table.columns) != classifier.columns:
        raise ModelError(
            "the model was trained with other features than this version computes",
            hint="train it again with this version of Flawline",
            code="model-features",
        )
