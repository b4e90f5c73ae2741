"""Test whether numbers are drawn from a normal distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr

FEWEST = 8


def anderson_darling(values: ArrayLike) -> float:
    """Compute Anderson and Darling's A*² of (N,) finite numbers against a normal of their own mean and deviation.

    Corrected for the estimated mean and deviation by (1 + 4/N - 25/N²), as G. Hamerly and C. Elkan, "Learning the k in
    k-means", NIPS 2003, equation 2, after M. A. Stephens, "EDF statistics for goodness of fit and some comparisons",
    JASA 69, 1974, whose critical values are 0.787 at 5 % and 1.092 at 1 %. Numbers that are all equal give 0.

    Raises:
        ValueError: fewer than 8 numbers, for which the critical values do not hold, or one is not finite.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n = len(x)
    if n < FEWEST or not np.isfinite(x).all():
        raise ValueError(f"expected at least {FEWEST} finite numbers, got {n}")
    deviation = x.std(ddof=1)
    if deviation <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return 0.0
    z = (x - x.mean()) / deviation
    odd = 2 * np.arange(1, n + 1) - 1
    statistic = -n - float(np.mean(odd * (log_ndtr(z) + log_ndtr(-z[::-1]))))
    return statistic * (1 + 4 / n - 25 / n**2)
