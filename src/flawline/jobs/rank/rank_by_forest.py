"""Rank by BigML's method, an isolation forest over named features (`method=forest`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.features.feature_set import Column
from flawline.features.table import FeatureTable
from flawline.jobs.rank.forest import Forest, fit_forest, forest_importance, forest_scores
from flawline.jobs.rank.ranking import Reason


def grow(table: FeatureTable, *, trees: int, seed: int) -> Forest:
    """Grow a forest on a table whose rows are in the order of their names."""
    return fit_forest(table.values, trees=trees, seed=seed)


def score_table(
    forest: Forest, table: FeatureTable, top_n: int
) -> tuple[NDArray[np.float64], dict[int, tuple[Reason, ...]]]:
    """Score all rows, and list the fields that isolated the `top_n` most anomalous, the strongest first."""
    scores = forest_scores(forest, table.values)
    top = np.argsort(-scores, kind="stable")[:top_n]
    importance = forest_importance(forest, table.values[top], len(table.columns))
    reasons = {int(i): _reasons(row, table.columns) for i, row in zip(top, importance, strict=True)}
    return scores, reasons


def _reasons(importance: NDArray[np.float64], columns: Sequence[Column]) -> tuple[Reason, ...]:
    strongest = np.argsort(-importance, kind="stable")
    return tuple(
        Reason(columns[i].text, columns[i].name, float(importance[i]))
        for i in strongest
        if importance[i] > 0
    )
