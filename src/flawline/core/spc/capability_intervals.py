"""Confidence intervals of capability indices, and the degrees of freedom of a sigma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from flawline.core.spc.chart_constants import c4, c5, d2, d3

Interval = tuple[float, float]


def ratio_interval(value: float, degrees: float, confidence: float = 0.95) -> Interval:
    """Compute the interval of Cp or Pp, tolerance over 6 sigma, exact by chi-square for a sample standard deviation.

    Y.-M. Chou, D. B. Owen and S. A. Borrego, "Lower confidence limits on process capability indices", Journal of
    Quality Technology 22, 1990, pp. 223-229.
    """
    tail = (1 - confidence) / 2
    low, high = (chdtri(degrees, share) / degrees for share in (1 - tail, tail))
    return float(value * np.sqrt(low)), float(value * np.sqrt(high))


def distance_interval(
    value: float, count: float, degrees: float, confidence: float = 0.95
) -> Interval:
    """Compute the interval of Cpk, Ppk or a one-sided index, in the normal approximation.

    Variance 1 / (9 N) + value^2 / (2 degrees): A. F. Bissell, "How reliable is your capability index?", Applied
    Statistics 39, 1990, pp. 331-340. It holds for some 30 values and more.
    """
    width = float(-ndtri((1 - confidence) / 2)) * np.sqrt(
        1 / (9 * count) + value**2 / (2 * degrees)
    )
    return float(value - width), float(value + width)


def target_interval(value: float, count: float, off: float, confidence: float = 0.95) -> Interval:
    """Compute the interval of Cpm, by Patnaik's chi-square; `off` is (mean - target) / sigma.

    R. A. Boyles, "The Taguchi capability index", Journal of Quality Technology 23, 1991, pp. 17-26.
    """
    degrees = count * (1 + off**2) ** 2 / (1 + 2 * off**2)
    return ratio_interval(value, degrees, confidence)


def degrees_of_ranges(sizes: NDArray[np.int64], *, by_range: bool) -> float:
    """Compute the effective degrees of freedom of a sigma from the mean range or deviation of subgroups.

    `sizes` (G,) are 2 or more. P. B. Patnaik's matching of the first two moments to a chi: with cv the relative
    deviation of the estimate, 1 / (-2 + 2 sqrt(1 + 2 cv^2)) (Biometrika 37, 1950, pp. 78-87).
    """
    ratios = [((d3(n) / d2(n)) if by_range else (c5(n) / c4(n))) ** 2 for n in sizes.tolist()]
    return _patnaik(sum(ratios) / len(ratios) ** 2)


def degrees_of_moving_ranges(count: int) -> float:
    """Compute the effective degrees of freedom of a sigma from the mean moving range of `count` values, at least 2.

    The variance of the estimate is (0.8264 N - 1.082) / (N - 1)^2 sigma^2: J. D. Cryer and T. P. Ryan, "The estimation
    of sigma for an X chart: MR/d2 or S/c4?", Journal of Quality Technology 22, 1990, pp. 187-192.
    """
    return _patnaik((0.8264 * count - 1.082) / (count - 1) ** 2)


def _patnaik(squared: float) -> float:
    return float(1 / (-2 + 2 * np.sqrt(1 + 2 * squared)))
