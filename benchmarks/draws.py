"""What the ranking benchmarks share: seeded draws with a few bad parts, and their figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import auroc, found_within

GOOD, BAD, TOP = 106, 6, 7
REPORT_SEEDS = range(50)
CHOOSE_SEEDS = range(1000, 1050)


@dataclass(frozen=True)
class Draw:
    """Indices of one draw, 106 good then 6 bad, and its seed."""

    seed: int
    rows: NDArray[np.intp]


@dataclass(frozen=True)
class Figures:
    """Means and standard deviations over draws: bad parts within the top 7, and area under the ROC curve."""

    hits: float
    hits_sd: float
    auroc: float
    auroc_sd: float
    draws: int

    def __str__(self) -> str:
        error = self.hits_sd / self.draws**0.5
        hits = f"{self.hits:.2f} +- {error:.2f} of {BAD} (sd {self.hits_sd:.2f})"
        return f"{hits}   AUROC {self.auroc:.4f} (sd {self.auroc_sd:.4f})"


Scorer = Callable[[Draw], NDArray[np.floating]]


def evaluate(draws: Sequence[Draw], score: Scorer) -> Figures:
    """Rank every draw with `score`, which returns one number per row of the draw."""
    bad = np.arange(GOOD + BAD) >= GOOD
    hits, areas = [], []
    for draw in draws:
        scores = score(draw)
        order = np.argsort(-scores, kind="stable")
        hits.append(int(found_within(bad[order])[TOP - 1]))
        areas.append(auroc(bad, scores))
    return Figures(
        float(np.mean(hits)),
        float(np.std(hits)),
        float(np.mean(areas)),
        float(np.std(areas)),
        len(draws),
    )
