"""A trained classifier as plain arrays.

Every row is computed alone, so that a probability never depends on other rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.trees import leaves
from flawline.jobs.classify.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Logistic:
    """Logistic regression on standardised columns: `mean` and `scale` (F,), `weights` (C, F), `offset` (C,).

    Two classes have one line of weights, for the second class.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: NDArray[np.float64]

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predict probabilities (N, classes) of float32 (N, F)."""
        standard = (values.astype(np.float64) - self.mean) / self.scale
        # Row by row: a product of matrices rounds differently with the number of rows.
        decisions = [self.weights @ row + self.offset for row in standard]
        return from_decisions(np.stack(decisions)) if decisions else np.empty((0, 0))


@dataclass(frozen=True, slots=True)
class VotingTrees:
    """A random forest: trees as in `flawline.core.trees`, `share` (trees, nodes, classes) of each class in a node."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    share: NDArray[np.float64]

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predict probabilities (N, classes) of float32 (N, F): the mean share over the trees."""
        total = np.zeros((len(values), self.share.shape[2]))
        for tree in range(len(self.left)):
            total += self.share[tree, leaves(self, tree, values)]
        return total / len(self.left)


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """Gradient-boosted trees: `gain` (trees, nodes) is added to the decision `decision` (trees,), from `baseline` (R,).

    Two classes have one decision, for the second class.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    gain: NDArray[np.float64]
    decision: NDArray[np.int32]
    baseline: NDArray[np.float64]

    def probabilities(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predict probabilities (N, classes) of float32 (N, F)."""
        total = np.tile(self.baseline, (len(values), 1))
        for tree, column in enumerate(self.decision):
            total[:, column] += self.gain[tree, leaves(self, tree, values)]
        return from_decisions(total)


Model = Logistic | VotingTrees | BoostedTrees


def from_decisions(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert decisions (N, C) to probabilities by softmax, or (N, 1) to (N, 2) by the logistic function."""
    if decisions.shape[1] == 1:
        decisions = np.concatenate([np.zeros_like(decisions), decisions], axis=1)
    power = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model, its calibration, classes and features.

    `classes` are the labels in the order of the probabilities, `columns` the names of the features in the order of a
    row, `settings` plain values about the computation of the features and the training data.
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...]
    model: Model
    calibration: Calibration
    settings: Mapping[str, Any]

    def raw(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predict raw probabilities (N, classes), in which every class has the same weight."""
        return self.model.probabilities(values)

    def calibrated(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrate the probabilities (N, classes) of `raw`."""
        return self.calibration.apply(raw)
