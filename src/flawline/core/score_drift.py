"""Compare the scores of recent accepted parts with those of the good parts that calibrated the thresholds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flawline.core.metrics import auroc

FEWEST = 10
"""With fewer scores on either side nothing is said."""
SURE = 0.001
LARGE = 0.15
"""Chances of 0.35 to 0.65 to score higher do not matter, however surely they are not 0.5."""


@dataclass(frozen=True, slots=True)
class ScoreDrift:
    """How recent accepted parts score beside those of calibration.

    `higher` is the chance that a recent part scores above one of calibration, ties counting half: 0.5 where both are
    alike. `p_value` is that of a chance at least as far from 0.5 where both are draws from one process. `usual` and
    `recent` are the medians of `calibration` and `parts` scores.
    """

    higher: float
    p_value: float
    usual: float
    recent: float
    calibration: int
    parts: int

    @property
    def drifted(self) -> bool:
        """Whether the scores differ both surely and by much."""
        return self.p_value < SURE and abs(self.higher - 0.5) > LARGE


def score_drift(calibration: ArrayLike, recent: ArrayLike, limit: float) -> ScoreDrift | None:
    """Test whether accepted parts score as the accepted ones of calibration did; None with fewer than ten of either.

    Both are cut at `limit`, above which no part is accepted: what remains of good parts is then of one distribution,
    unless the process has changed. Two-sided test of H. B. Mann and D. R. Whitney, "On a test of whether one of two
    random variables is stochastically larger than the other", Annals of Mathematical Statistics 18, 1947, pp. 50-60,
    by the normal approximation with the correction for ties.

    Args:
        calibration: (n,) scores of good parts that were not learnt from, one per part.
        recent: (m,) scores of recent parts, one per part.
        limit: the threshold of review; parts above it are left out of both.

    Raises:
        ValueError: a score is not finite.
    """
    usual, new = (np.asarray(values, np.float64) for values in (calibration, recent))
    usual, new = usual[usual <= limit], new[new <= limit]
    n, m = len(usual), len(new)
    if min(n, m) < FEWEST:
        return None
    both = np.concatenate([usual, new])
    higher = auroc(np.repeat([False, True], [n, m]), both)
    ties = np.unique(both, return_counts=True)[1].astype(np.float64)
    variance = (n + m + 1 - (ties**3 - ties).sum() / ((n + m) * (n + m - 1))) / (12 * n * m)
    away = abs(higher - 0.5) / math.sqrt(variance) if variance > 0 else 0.0
    p_value = math.erfc(away / math.sqrt(2))
    return ScoreDrift(higher, p_value, float(np.median(usual)), float(np.median(new)), n, m)
