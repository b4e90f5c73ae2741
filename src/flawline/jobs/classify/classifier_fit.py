"""Fit a classifier with scikit-learn and convert it to plain arrays.

Every class has the same weight in the fit, however rare (scikit-learn's "balanced" class weights).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.trees import padded
from flawline.errors import ModelError
from flawline.jobs.classify.classifier import BoostedTrees, Logistic, Model, VotingTrees
from flawline.networks.threads import one_thread

KINDS = ("logistic", "forest", "boosting")
_LEVELS = 64


def fit_model(values: NDArray[np.float32], truth: NDArray[np.int64], kind: str, seed: int) -> Model:
    """Fit a "logistic", "forest" or "boosting" model to (N, F) and classes (N,) from 0 up, all of them present.

    Raises:
        ModelError: the arrays do not reproduce scikit-learn's result, so its version is not supported.
    """
    with one_thread("sklearn.ensemble", "sklearn.linear_model"):
        if kind == "logistic":
            model, expected = _logistic(values, truth)
        elif kind == "forest":
            model, expected = _forest(values, truth, seed)
        else:
            model, expected = _boosting(values, truth, seed)
    gap = float(np.abs(model.probabilities(values) - expected).max())
    if not gap <= 1e-6:  # NaN is a difference too
        raise ModelError(
            f"the {kind} model differs from scikit-learn's by {gap:.2g}",
            hint="this version of scikit-learn is not supported; choose another model",
        )
    return model


def _logistic(
    values: NDArray[np.float32], truth: NDArray[np.int64]
) -> tuple[Model, NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    exact = values.astype(np.float64)
    mean, deviation = exact.mean(axis=0), exact.std(axis=0)
    scale = np.where(deviation > 1e-9 * np.maximum(1.0, np.abs(mean)), deviation, 1.0)
    standard = (exact - mean) / scale
    fitted = LogisticRegression(C=0.1, class_weight="balanced", max_iter=10_000, tol=1e-3)
    fitted.fit(standard, truth)
    model = Logistic(mean, scale, fitted.coef_, fitted.intercept_)
    return model, fitted.predict_proba(standard)


def _forest(
    values: NDArray[np.float32], truth: NDArray[np.int64], seed: int
) -> tuple[Model, NDArray[np.float64]]:
    from sklearn.ensemble import RandomForestClassifier

    from flawline.data.cores import cpu_count

    fitted = RandomForestClassifier(
        200, class_weight="balanced", min_samples_leaf=3, random_state=seed, n_jobs=cpu_count()
    ).fit(values, truth)
    parts = [tree.tree_ for tree in fitted.estimators_]

    def stacked(name: str, dtype: type, fill: int) -> Any:
        return padded([getattr(part, name) for part in parts], dtype, fill)

    weight = [part.value[:, 0, :] for part in parts]
    model = VotingTrees(
        left=stacked("children_left", np.int32, -1),
        right=stacked("children_right", np.int32, -1),
        feature=np.maximum(stacked("feature", np.int32, 0), 0),
        threshold=stacked("threshold", np.float64, 0),
        share=padded([part / part.sum(axis=1, keepdims=True) for part in weight], np.float64, 0),
    )
    return model, fitted.predict_proba(values)


def _boosting(
    values: NDArray[np.float32], truth: NDArray[np.int64], seed: int
) -> tuple[Model, NDArray[np.float64]]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # scikit-learn takes minutes to find weighted levels of a few hundred columns, but uses whole numbers unchanged.
    edges = [_edges(column) for column in values.T]
    levels = np.stack(
        [np.searchsorted(edge, column) for edge, column in zip(edges, values.T, strict=True)], 1
    )
    fitted = HistGradientBoostingClassifier(
        class_weight="balanced",
        early_stopping=False,
        max_iter=100,
        max_leaf_nodes=8,
        min_samples_leaf=min(10, max(1, len(values) // 10)),
        max_features=0.2,
        random_state=seed,
    ).fit(levels, truth)
    rounds = fitted._predictors
    nodes = [tree.nodes for trees in rounds for tree in trees]
    model = BoostedTrees(
        left=padded([_child(part, "left") for part in nodes], np.int32, -1),
        right=padded([_child(part, "right") for part in nodes], np.int32, -1),
        feature=padded([part["feature_idx"] for part in nodes], np.int32, 0),
        threshold=padded([_limits(part, edges) for part in nodes], np.float64, 0),
        gain=padded([part["value"] for part in nodes], np.float64, 0),
        decision=np.tile(np.arange(len(rounds[0]), dtype=np.int32), len(rounds)),
        baseline=np.ravel(fitted._baseline_prediction).astype(np.float64),
    )
    return model, fitted.predict_proba(levels)


def _child(part: NDArray[Any], side: str) -> NDArray[np.int64]:
    return np.where(part["is_leaf"] == 1, -1, part[side].astype(np.int64))


def _edges(column: NDArray[np.float32]) -> NDArray[np.float32]:
    """List at most 63 rising limits of a column at equally spaced quantiles; a value equal to a limit is below it."""
    quantiles = np.arange(1, _LEVELS) / _LEVELS
    return np.unique(np.quantile(column, quantiles, method="lower"))


def _limits(part: NDArray[Any], edges: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Convert the limits of a tree's splits to the units of the columns: level <= k means value <= edge k."""
    return np.array(
        [
            0.0 if node["is_leaf"] else edges[node["feature_idx"]][int(node["num_threshold"])]
            for node in part
        ]
    )
