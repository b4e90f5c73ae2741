"""Score pictures by an isolation forest with BigML's anomaly score, and explain them by fields.

F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008. The trees are grown by scikit-learn, but stored and
evaluated as plain arrays, so that a saved forest executes nothing and every path can be explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.trees import descend, padded
from flawline.networks.threads import one_thread

EULER = 0.5772156649015329
SUBSAMPLE = 256


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees padded to equal length. All arrays are (trees, nodes); children are -1 at leaves.

    `feature` is the column that a node splits, `threshold` its limit (<= goes left), `count` the training rows
    in the node. `expected_depth` is the mean depth of an unsuccessful search among the rows of one tree.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    count: NDArray[np.int32]
    expected_depth: float


def fit_forest(values: NDArray[np.float32], *, trees: int = 128, seed: int = 0) -> Forest:
    """Grow a forest on `values` (rows, fields), at least two rows; each tree sees at most 256 of them."""
    from sklearn.ensemble import IsolationForest

    with one_thread("sklearn.ensemble"):
        grown = IsolationForest(
            n_estimators=trees, max_samples=min(SUBSAMPLE, len(values)), random_state=seed, n_jobs=1
        ).fit(values)
    parts = [tree.tree_ for tree in grown.estimators_]

    def stacked(name: str, dtype: type, fill: int) -> Any:
        return padded([getattr(part, name) for part in parts], dtype, fill)

    return Forest(
        left=stacked("children_left", np.int32, -1),
        right=stacked("children_right", np.int32, -1),
        feature=stacked("feature", np.int32, 0),
        threshold=stacked("threshold", np.float64, 0),
        count=stacked("n_node_samples", np.int32, 1),
        expected_depth=float(average_path_length(np.array([min(SUBSAMPLE, len(values))]))[0]),
    )


def forest_scores(forest: Forest, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Score each row: 2^(-mean depth / expected depth), in (0, 1]; 0.6 and above is usually anomalous.

    Liu et al. 2008, equation 2; BigML prints the same score.
    """
    depth = np.zeros(len(values))
    for tree in range(len(forest.left)):
        leaf = np.zeros(len(values), dtype=np.intp)
        for alive, node, _ in descend(forest, tree, values):
            depth[alive] += 1
            leaf[alive] = node
        depth += average_path_length(forest.count[tree, leaf])
    return np.asarray(2.0 ** (-depth / (len(forest.left) * max(forest.expected_depth, 1e-12))))


def forest_importance(
    forest: Forest, values: NDArray[np.float32], fields: int
) -> NDArray[np.float64]:
    """Attribute each isolation to fields: (rows, fields), each row sums to 1 (or 0 where nothing was split).

    A split that leaves a fraction q of the node's training rows on the picture's side gives log2(1 / q) bits of
    isolation to its field; even splits, which every picture passes, give 1 bit, and only what is above that counts.
    """
    bits = np.zeros((len(values), fields))
    for tree in range(len(forest.left)):
        for alive, node, parent in descend(forest, tree, values):
            gained = np.log2(forest.count[tree, parent] / forest.count[tree, node]) - 1
            np.add.at(bits, (alive, forest.feature[tree, parent]), np.maximum(gained, 0))
    total = bits.sum(axis=1, keepdims=True)
    return bits / np.where(total > 0, total, 1)


def average_path_length(rows: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the mean depth of an unsuccessful search in a binary tree of `rows` rows (Liu et al. 2008, equation 1)."""
    n = np.asarray(rows, dtype=np.float64)
    safe = np.maximum(n, 3)
    length = 2 * (np.log(safe - 1) + EULER) - 2 * (safe - 1) / safe
    return np.where(n >= 3, length, np.where(n == 2, 1.0, 0.0))
