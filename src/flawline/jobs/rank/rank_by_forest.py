"""`method=forest`: BigML's recipe, an isolation forest over named features."""

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
    """Scores of all rows, and every field that helped to isolate the `top_n` oddest, by row, the strongest first."""
    scores = forest_scores(forest, table.values)
    top = np.argsort(-scores, kind="stable")[:top_n]
    shares = forest_importance(forest, table.values[top], len(table.columns))
    reasons = {int(i): _reasons(share, table.columns) for i, share in zip(top, shares, strict=True)}
    return scores, reasons


def _reasons(share: NDArray[np.float64], columns: Sequence[Column]) -> tuple[Reason, ...]:
    strongest = np.argsort(-share, kind="stable")
    return tuple(
        Reason(columns[i].text, columns[i].name, float(share[i])) for i in strongest if share[i] > 0
    )
