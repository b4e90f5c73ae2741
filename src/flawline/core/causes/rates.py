"""Defects a part with an interval that allows for parts that differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtri


@dataclass(frozen=True, slots=True)
class Rate:
    """A mean and its interval, defects a part; `parts` is how many parts it rests on."""

    value: float
    low: float
    high: float
    parts: int


def rate_of(counts: ArrayLike, confidence: float = 0.95) -> Rate:
    """Estimate the mean of counts, one per part, with an interval.

    The exact interval of a Poisson count (F. Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28,
    1936, pp. 437-442), widened by the dispersion of the counts, at least 1, as for quasi-likelihood (P. McCullagh and
    J. A. Nelder, "Generalized Linear Models", 1989, section 6.2).

    Args:
        counts: (N,) whole numbers of 0 or more, one per part, N at least 1.
        confidence: above 0 and below 1.

    Raises:
        ValueError: no counts, or a count below 0.
    """
    values = np.asarray(counts, np.float64)
    if not len(values) or values.min() < 0:
        raise ValueError("expected counts of at least one part, none below 0")
    total, parts, wide = values.sum(), len(values), dispersion(values)
    tail = (1 - confidence) / 2
    low = chdtri(2 * total / wide, 1 - tail) / 2 if total else 0.0
    high = chdtri(2 * (total / wide + 1), tail) / 2
    return Rate(float(total / parts), float(low * wide / parts), float(high * wide / parts), parts)


def dispersion(counts: NDArray[np.float64]) -> float:
    """Compute the variance of counts over their mean, at least 1; 1 for a single part or no defect."""
    if len(counts) < 2 or not counts.any():
        return 1.0
    return max(1.0, float(counts.var(ddof=1) / counts.mean()))


def share_of(
    some: ArrayLike, every: ArrayLike, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Estimate which share of `every` count, (N,) one per part, is `some` of it: value, low and high, 0 to 1.

    The ratio estimator over parts (W. G. Cochran, "Sampling Techniques", 1977, section 2.11), with the interval on the
    scale of the logarithm of the odds. Without any count the share is 0 with the interval 0 to 1.
    """
    a, b = np.asarray(some, np.float64), np.asarray(every, np.float64)
    total = b.sum()
    if not total:
        return 0.0, 0.0, 1.0
    share = float(a.sum() / total)
    # Half a defect on either side: a share of 0 or 1 has an interval too.
    inner = float((a.sum() + 0.5) / (total + 1))
    parts = len(a)
    spread = ((a - inner * b) ** 2).sum() * parts / max(parts - 1, 1)
    error = max(float(np.sqrt(spread)) / total, float(np.sqrt(inner * (1 - inner) / total)))
    away = float(ndtri((1 + confidence) / 2)) * error / (inner * (1 - inner))
    odds = inner / (1 - inner)
    low, high = (odds * np.exp(sign * away) for sign in (-1, 1))
    return share, min(share, float(low / (1 + low))), max(share, float(high / (1 + high)))


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values, (N,), so that at most a share of the findings below a level is false.

    Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57,
    1995, pp. 289-300.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")[::-1]
    raised = p[order] * len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(raised), 1.0)
    return adjusted
