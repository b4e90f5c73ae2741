"""Compute features, and find out what they say: clusters, classes, parts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flawline.api.settings import FEATURES, ValueRange, feature_settings, path_text
from flawline.data.source import SourceLike, opened
from flawline.errors import UsageError
from flawline.features import compute
from flawline.features.compute import ComputedFeatures
from flawline.types import Track, no_track

if TYPE_CHECKING:
    from flawline.jobs.classify.classification import Classification
    from flawline.jobs.classify.classifier import Classifier
    from flawline.jobs.cluster.clustering import Clustering
    from flawline.jobs.groups.grouping import Grouping
    from flawline.jobs.groups.named_parts import NamedParts

AUTO = "auto"


def compute_features(
    source: SourceLike,
    *,
    features: str | Sequence[str] = FEATURES,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> ComputedFeatures:
    """Compute the features of every picture of a source.

    Args:
        source: anything that `open_source` takes, or an open source.
        features: which ones: names, or a text with commas.
        backbone, weights, preparation, size, precision: the network of the feature "embedding", as for `rank`.
        good, bad, value_range, unfinished, track: as for `rank`.

    Returns:
        The table, and the network that it was computed with. `flawline.features.files.write_table` writes it.

    Raises:
        SourceError: the source cannot be opened or none of its pictures can be judged.
        ModelError: the backbone cannot be used.
        UsageError: the name of a feature is unknown.
    """
    settings = feature_settings(
        features, backbone, preparation, size, precision, value_range, weights
    )
    with opened(source, good, bad) as open_:
        return compute.compute_features(open_, settings, unfinished=unfinished, track=track)


def cluster(
    source: SourceLike,
    *,
    clusters: int | str = AUTO,
    method: str = "kmeans",
    min_cluster: int = 8,
    features: str | Sequence[str] = FEATURES,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Clustering:
    """Group the pictures of a source by how they look, without their labels.

    Args:
        source: anything that `open_source` takes, or an open source.
        clusters: how many, or "auto" to let the data choose.
        method: "kmeans", or "hdbscan", which leaves out what is sparse.
        min_cluster: fewest pictures of a cluster, at least 2; not used where `clusters` is a number.
        seed: of k-means.
        features, backbone, weights, preparation, size, precision, good, bad, value_range, unfinished, track: as for
            `compute_features`.

    Returns:
        The clusters, and how far they agree with the labels, where there are some.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument makes no sense, such as more clusters than different pictures.
    """
    from flawline.jobs.cluster import cluster as clustering

    if not isinstance(clusters, int) and clusters != AUTO:
        raise UsageError(f'`clusters` takes a number from 1 up or "auto", got {clusters!r}')
    return clustering.cluster(
        source,
        clusters=clusters if isinstance(clusters, int) else None,
        method=method,
        min_cluster=min_cluster,
        settings=feature_settings(
            features, backbone, preparation, size, precision, value_range, weights
        ),
        seed=seed,
        good=good,
        bad=bad,
        unfinished=unfinished,
        track=track,
    )


def classify(
    source: SourceLike,
    *,
    model: str = "logistic",
    folds: int = 5,
    group: str | None = None,
    calibration: str = "sigmoid",
    features: str | Sequence[str] = FEATURES,
    backbone: str = "flawline-small",
    weights: str | os.PathLike[str] | None = None,
    preparation: str | None = None,
    size: int | None = None,
    precision: str = "auto",
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    value_range: ValueRange = None,
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Classification:
    """Learn the labels of a source, and measure by cross-validation how well that works.

    Args:
        source: anything that `open_source` takes, or an open source.
        model: "logistic", "forest" or "boosting".
        folds: parts of the cross-validation, at least 3.
        group: column of a manifest that says which pictures belong together; its column `group` by default.
        calibration: "sigmoid", or "isotonic" for a thousand pictures and more.
        seed: of the splits and the model.
        features, backbone, weights, preparation, size, precision, good, bad, value_range, unfinished, track: as for
            `compute_features`.

    Returns:
        The prediction of every picture by a model that did not see it, the figures, and the `classifier`.

    Raises:
        SourceError: the source cannot be opened or no picture can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument makes no sense, there are fewer than two labels, or too few pictures of one.
    """
    from flawline.jobs.classify import classify as classifying

    return classifying.classify(
        source,
        model=model,
        folds=folds,
        group=group,
        calibration=calibration,
        settings=feature_settings(
            features, backbone, preparation, size, precision, value_range, weights
        ),
        seed=seed,
        good=good,
        bad=bad,
        unfinished=unfinished,
        track=track,
    )


def classify_with(
    source: SourceLike,
    classifier: Classifier | str | os.PathLike[str],
    *,
    backbone: str | None = None,
    weights: str | os.PathLike[str] | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Classification:
    """Predict the class of every picture with a classifier; where labels are known, compare.

    Args:
        source: as for `classify`.
        classifier: `Classification.classifier`, or where `save_classifier` kept it.
        backbone, weights: where their files lie now, if not where they lay; they must be the same files.
        good, bad, unfinished, track: as for `classify`.

    Returns:
        The predictions.

    Raises:
        SourceError: the source cannot be opened or no picture can be judged.
        ModelError: the classifier or its backbone cannot be used.
    """
    from flawline.jobs.classify import apply_classifier as applying
    from flawline.jobs.classify.classifier import Classifier
    from flawline.jobs.classify.classifier_file import load_classifier

    return applying.apply_classifier(
        classifier if isinstance(classifier, Classifier) else load_classifier(Path(classifier)),
        source,
        backbone=backbone,
        weights=path_text(weights),
        good=good,
        bad=bad,
        unfinished=unfinished,
        track=track,
    )


def groups(
    source: SourceLike,
    *,
    threshold: float = 0.75,
    neighbours: int = 12,
    value_range: ValueRange = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> Grouping:
    """Suggest which pictures show the same part: under other light, shifted a little, turned or mirrored.

    Args:
        source: anything that `open_source` takes, or an open source.
        threshold: similarity from which pictures are joined, above 0 and at most 1; lower joins more.
        neighbours: candidates that each picture is compared with, at least 2.
        value_range, good, bad, track: as for `compute_features`.

    Returns:
        The groups, and the pairs near the threshold, to be looked at.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        UsageError: an argument makes no sense.
    """
    from flawline.jobs.groups import group as grouping

    return grouping.group(
        source,
        threshold=threshold,
        neighbours=neighbours,
        value_range=value_range,
        good=good,
        bad=bad,
        track=track,
    )


def name_parts(
    source: SourceLike,
    *,
    part_from: str | None = None,
    codes: bool = False,
    sequence: int | None = None,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    track: Track = no_track,
) -> NamedParts:
    """Suggest the part of each picture from a code in it, from its name, or from the order in which it was taken.

    Args:
        source: anything that `open_source` takes, or an open source.
        part_from: a pattern of names such as "{lot}_{part}_{view}"; "*" stands for anything.
        codes: read DataMatrix, QR and 1-D codes, which come before names and order.
        sequence: this many pictures in a row show one part, by the last number in their names, or else by their order.
        good, bad, track: as for `compute_features`.

    Returns:
        The fields of each picture, gaps in the sequence, and what does not fit. Nothing is changed.

    Raises:
        UsageError: none of the three is asked for, or a pattern or number makes no sense.
        SourceError: the source cannot be opened or has no picture.
        DependencyError: zxing-cpp, of the extra `codes`, is not installed.
    """
    from flawline.jobs.groups import named_parts

    with opened(source, good, bad) as open_:
        return named_parts.name_parts(
            open_, part_from=part_from, codes=codes, sequence=sequence, track=track
        )
