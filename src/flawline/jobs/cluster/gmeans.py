"""Cluster with k-means, choosing the number of clusters from the data.

G. Hamerly and C. Elkan, "Learning the k in k-means", NIPS 2003: start with one cluster; split every cluster in two with
k-means, project its rows on the line between the two new centres, and keep the split if the projection is not
normal; run k-means over all centres; end when no split is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.normality import FEWEST, anderson_darling

CRITICAL = 1.8692  # Hamerly and Elkan's critical value at significance 0.0001
MOST = 30


@dataclass(frozen=True, slots=True)
class Partition:
    """`labels` is int (N,) with -1 for rows in no cluster; `centres` is float64 (K, F)."""

    labels: NDArray[np.int64]
    centres: NDArray[np.float64]


def gmeans(rows: NDArray[np.float64], *, fewest: int = FEWEST, most: int = MOST) -> Partition:
    """Cluster float64 rows (N, F), splitting clusters that are not normal along their split.

    A split is kept only if both halves hold at least `fewest` rows, and no more than `most` clusters are made.
    """
    centres = rows.mean(axis=0, keepdims=True)
    labels = np.zeros(len(rows), dtype=np.int64)
    while True:
        grown: list[NDArray[np.float64]] = []
        for index, centre in enumerate(centres):
            room = most - len(grown) - (len(centres) - index - 1)
            halves = _split(rows[labels == index], centre, fewest) if room >= 2 else None
            grown.extend(halves if halves is not None else centre[None])
        if len(grown) == len(centres):
            return Partition(labels, centres)
        centres, labels = _lloyd(rows, np.stack(grown))


def kmeans(rows: NDArray[np.float64], clusters: int, seed: int) -> Partition:
    """Run k-means on float64 rows (N, F), the best of ten k-means++ starts drawn from `seed`."""
    from sklearn.cluster import KMeans

    fitted = KMeans(clusters, n_init=10, random_state=seed).fit(rows)
    return Partition(fitted.labels_.astype(np.int64), fitted.cluster_centers_.astype(np.float64))


def _split(
    rows: NDArray[np.float64], centre: NDArray[np.float64], fewest: int
) -> NDArray[np.float64] | None:
    """Split the rows of one cluster into two centres (2, F); None if it should stay whole."""
    if len(rows) < max(2 * fewest, FEWEST):
        return None
    # Hamerly and Elkan, section 3: the main principal component, at c +- s sqrt(2 lambda / pi).
    _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    if singular[0] <= 1e-9 * max(1.0, float(np.abs(rows).max())):
        return None
    step = directions[0] * np.sqrt(2 * singular[0] ** 2 / len(rows) / np.pi)
    halves, sides = _lloyd(rows, np.stack([centre + step, centre - step]))
    if np.bincount(sides, minlength=2).min() < fewest:
        return None
    between = halves[0] - halves[1]
    return halves if anderson_darling(rows @ between) > CRITICAL else None


def _lloyd(
    rows: NDArray[np.float64], start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from sklearn.cluster import KMeans

    fitted = KMeans(len(start), init=start, n_init=1).fit(rows)
    return fitted.cluster_centers_.astype(np.float64), fitted.labels_.astype(np.int64)
