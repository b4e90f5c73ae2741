"""Cluster the pictures of a source by appearance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.data.source import SourceLike, opened
from flawline.errors import SourceError, UsageError
from flawline.features.compute import DEFAULT, FeatureSettings, by_name, compute_features
from flawline.features.table import FeatureTable
from flawline.jobs.cluster.clustering import NO_CLUSTER, ClusteredPicture, Clustering, agreement
from flawline.jobs.cluster.gmeans import MOST, Partition, gmeans, kmeans
from flawline.networks.threads import one_thread
from flawline.types import Sample, Track, no_track
from flawline.version import __version__

METHODS = ("kmeans", "hdbscan")
COMPONENTS = 32
MIN_CLUSTER = 8


def cluster(
    source: SourceLike,
    *,
    clusters: int | None = None,
    method: str = "kmeans",
    min_cluster: int = MIN_CLUSTER,
    settings: FeatureSettings = DEFAULT,
    seed: int = 0,
    good: Sequence[str] = (),
    bad: Sequence[str] = (),
    unfinished: Path | None = None,
    track: Track = no_track,
) -> Clustering:
    """Group the pictures of a source by how they look, without using their labels.

    Features are standardised and reduced to at most 32 principal components.

    Args:
        source: anything that `open_source` takes, or an open source.
        clusters: how many clusters k-means makes; by default G-means chooses (see `flawline.jobs.cluster.gmeans`).
        method: "kmeans", or "hdbscan" (Campello, Moulavi, Sander, PAKDD 2013), which leaves sparse pictures out.
        min_cluster: fewest pictures of a cluster, at least 2; not used where `clusters` is given.
        settings: the features.
        seed: seed of k-means where `clusters` is given; the other methods draw nothing.
        good, bad: labels that mean good and bad, where the words alone do not say so.
        unfinished: a file that stores finished work, so that an interrupted run can resume.
        track: shows progress.

    Raises:
        SourceError: the source cannot be opened or has fewer than two pictures that can be judged.
        ModelError: the backbone cannot be used.
        UsageError: an argument is out of range, such as more clusters than different pictures.
    """
    _check(clusters, method, min_cluster, seed)
    with opened(source, good, bad) as source:
        computed = compute_features(source, settings, unfinished=unfinished, track=track)
        labels = {label: bad for label, (_, bad) in source.summary().labels.items()}
    table = by_name(computed.table)
    if len(table.samples) < 2:
        raise SourceError(
            f"clustering compares pictures, and only 1 of {1 + len(table.unjudged)} could be judged",
            hint=table.unjudged[0].reason if table.unjudged else "give at least two pictures",
        )
    with one_thread("sklearn.cluster", "sklearn.decomposition"):
        rows = principal_components(table.values)
        partition, chosen = _partition(rows, clusters, method, min_cluster, seed)
    pictures = _in_order(table, rows, partition)
    return Clustering(
        source=source.name,
        pictures=pictures,
        unjudged=table.unjudged,
        settings={
            **computed.described(),
            "principal_components": rows.shape[1],
            **chosen,
            "flawline": __version__,
        },
        labels=labels,
        agreement=agreement([p.sample.label for p in pictures], [p.cluster for p in pictures]),
    )


def principal_components(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Standardise the columns of (N, F), N at least 2, and reduce them to (N, at most 32) principal components.

    Constant columns are left out; if all are constant, the result is one column of zeros.
    """
    from sklearn.decomposition import PCA

    exact = values.astype(np.float64)
    deviation = exact.std(axis=0)
    varies = deviation > 1e-9 * np.maximum(1.0, np.abs(exact).max(axis=0))
    if not varies.any():
        return np.zeros((len(values), 1))
    standard = (exact[:, varies] - exact[:, varies].mean(axis=0)) / deviation[varies]
    width = min(COMPONENTS, *standard.shape)
    return np.asarray(PCA(width, svd_solver="full").fit_transform(standard), dtype=np.float64)


def _check(clusters: int | None, method: str, min_cluster: int, seed: int) -> None:
    if method not in METHODS:
        raise UsageError(f"expected a method of {', '.join(METHODS)}, got {method!r}")
    if clusters is not None and (clusters < 1 or method != "kmeans"):
        raise UsageError(
            f"expected a number of clusters from 1 up with kmeans, got {clusters} with {method}",
            hint="hdbscan finds the number itself; steer it with the smallest cluster",
        )
    if min_cluster < 2 or seed < 0:
        raise UsageError(
            f"expected clusters of at least 2 and a seed of at least 0, got {min_cluster}, {seed}"
        )


def _partition(
    rows: NDArray[np.float64], clusters: int | None, method: str, min_cluster: int, seed: int
) -> tuple[Partition, Mapping[str, Any]]:
    if method == "hdbscan":
        return _hdbscan(rows, min_cluster), {"method": "HDBSCAN", "min_cluster": min_cluster}
    if clusters is None:
        how = f"by G-means (Anderson-Darling test at 0.0001, at most {MOST})"
        return gmeans(rows, fewest=min_cluster), {
            "method": "k-means",
            "number_of_clusters": how,
            "min_cluster": min_cluster,
        }
    different = len(np.unique(rows, axis=0))
    if clusters > different:
        raise UsageError(
            f"expected at most as many clusters as different pictures, {different}, got {clusters}"
        )
    return kmeans(rows, clusters, seed), {
        "method": "k-means",
        "number_of_clusters": clusters,
        "seed": seed,
    }


def _hdbscan(rows: NDArray[np.float64], min_cluster: int) -> Partition:
    from sklearn.cluster import HDBSCAN

    if min_cluster > len(rows):
        raise UsageError(
            f"expected a smallest cluster of at most the {len(rows)} pictures, got {min_cluster}"
        )
    labels = HDBSCAN(min_cluster_size=min_cluster, copy=True).fit(rows).labels_.astype(np.int64)
    centres = [rows[labels == number].mean(axis=0) for number in range(labels.max() + 1)]
    return Partition(labels, np.stack(centres) if centres else np.empty((0, rows.shape[1])))


def _in_order(
    table: FeatureTable, rows: NDArray[np.float64], partition: Partition
) -> tuple[ClusteredPicture, ...]:
    """Number the clusters by falling size and rank their pictures by distance; equal distances by name."""
    distance = _distances(rows, partition)
    groups: dict[int, list[int]] = {}
    for row, label in enumerate(partition.labels.tolist()):
        groups.setdefault(label, []).append(row)
    order = sorted(groups, key=lambda label: (label < 0, -len(groups[label]), groups[label][0]))
    pictures: list[ClusteredPicture] = []
    for number, label in enumerate(order, start=1):
        near: list[tuple[float, Sample]] = [
            (round(float(distance[row]), 6), table.samples[row]) for row in groups[label]
        ]
        near.sort(key=lambda pair: (pair[0], pair[1].name))
        pictures += [
            ClusteredPicture(sample, number if label >= 0 else NO_CLUSTER, away, rank)
            for rank, (away, sample) in enumerate(near, start=1)
        ]
    return tuple(pictures)


def _distances(rows: NDArray[np.float64], partition: Partition) -> NDArray[np.float64]:
    """Compute the distance of each row to its centre, else to the nearest centre, else to the mean."""
    centres = partition.centres if len(partition.centres) else rows.mean(axis=0, keepdims=True)
    away = np.stack([np.linalg.norm(rows - centre, axis=1) for centre in centres], axis=1)
    own = np.take_along_axis(away, np.maximum(partition.labels, 0)[:, None], axis=1)[:, 0]
    return np.asarray(np.where(partition.labels < 0, away.min(axis=1), own))
