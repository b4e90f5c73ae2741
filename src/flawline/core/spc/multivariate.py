"""Chart several measures together: Hotelling's T2 of each point, and the MEWMA for small lasting shifts.

D. C. Montgomery, "Introduction to Statistical Quality Control", 6th ed. 2009, sections 11.3 and 11.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import betaincinv, chdtri, chndtr, fdtri

from flawline.errors import FlawlineError, UsageError

Numbers = NDArray[np.float64]
_STATES = 60


@dataclass(frozen=True, slots=True, eq=False)
class Multivariate:
    """T2 and MEWMA statistics (N,) of points with P measures, and their upper limits.

    `centre` (P,) and `covariance` (P, P) are of the first `learnt` points. `limits` (N,) are of T2: by the beta
    distribution for points from which they were learnt, by F for later ones. `mewma_limit` is the same for all.
    """

    t2: Numbers
    limits: Numbers
    mewma: Numbers
    mewma_limit: float
    centre: Numbers
    covariance: Numbers
    learnt: int
    alpha: float
    weight: float

    @property
    def beyond(self) -> NDArray[np.int64]:
        """Points, from 0, whose T2 lies above its limit."""
        return np.flatnonzero(self.t2 > self.limits)

    @property
    def drifting(self) -> NDArray[np.int64]:
        """Points, from 0, whose MEWMA lies above its limit."""
        return np.flatnonzero(self.mewma > self.mewma_limit)


def multivariate(
    values: Numbers, *, learn: int | None = None, alpha: float = 0.0027, weight: float = 0.1
) -> Multivariate:
    """Chart points (N, P) of P measures in time order.

    Args:
        values: finite measurements, a row per point.
        learn: estimate mean and covariance from the first so many points (Phase I), and judge the others by them;
            all if not given.
        alpha: chance of a T2 above its limit for a point of a stable process; the MEWMA's limit gives the same mean
            run between false alarms, 1 / alpha.
        weight: the MEWMA's lambda.

    Raises:
        UsageError: settings out of their range.
        FlawlineError: ("multivariate") fewer than 2 measures, too few points, or measures that follow from each other.
    """
    points, measures = values.shape
    learnt = points if learn is None else learn
    _check(points, measures, learnt, alpha, weight)
    first = values[:learnt]
    centre, covariance = first.mean(axis=0), np.cov(first, rowvar=False)
    scales = np.sqrt(np.diag(covariance))
    flat = scales <= 1e-12 * np.maximum(np.abs(first).max(axis=0), 1e-300)
    if flat.any():
        raise FlawlineError(
            f"measure {int(np.flatnonzero(flat)[0]) + 1} does not vary", code="multivariate"
        )
    correlation = covariance / np.outer(scales, scales)
    if np.linalg.eigvalsh(correlation)[0] < 1e-8:
        raise FlawlineError(
            "one of the measures follows from the others, so that T2 has no meaning",
            hint="leave out one of those that always move together",
            code="multivariate",
        )
    off = values - centre
    t2 = distances(off, covariance)
    limits = np.where(
        np.arange(points) < learnt,
        phase_one_limit(learnt, measures, alpha),
        phase_two_limit(learnt, measures, alpha),
    )
    return Multivariate(
        t2,
        limits,
        _mewma(off, covariance, weight),
        mewma_limit(measures, weight, 1 / alpha),
        centre,
        covariance,
        learnt,
        alpha,
        weight,
    )


def distances(off: Numbers, covariance: Numbers) -> Numbers:
    """Compute the squared distances (N,) of deviations (N, P), in standard deviations along the covariance."""
    return np.asarray(np.einsum("np,np->n", off, np.linalg.solve(covariance, off.T).T))


def contributions(off: Numbers, covariance: Numbers) -> Numbers:
    """Compute how much of T2 (N,) each measure adds beside the others: (N, P) of deviations (N, P).

    T2 less that of the other measures alone: G. C. Runger, F. B. Alt and D. C. Montgomery, "Contributors to a
    multivariate statistical process control signal", Communications in Statistics 25, 1996, pp. 2203-2213.
    """
    whole = distances(off, covariance)
    found = np.empty_like(off)
    for place in range(off.shape[1]):
        rest = np.delete(np.arange(off.shape[1]), place)
        found[:, place] = whole - distances(off[:, rest], covariance[np.ix_(rest, rest)])
    return found


def phase_one_limit(points: int, measures: int, alpha: float) -> float:
    """Compute the limit of T2 for points among those from which mean and covariance were estimated.

    (m - 1)^2 / m times a quantile of the beta distribution: N. D. Tracy, J. C. Young and R. L. Mason, "Multivariate
    control charts for individual observations", Journal of Quality Technology 24, 1992, pp. 88-95.
    """
    quantile = betaincinv(measures / 2, (points - measures - 1) / 2, 1 - alpha)
    return float((points - 1) ** 2 / points * quantile)


def phase_two_limit(points: int, measures: int, alpha: float) -> float:
    """Compute the limit of T2 for later points, by F: Montgomery, equation 11.24."""
    m, p = points, measures
    return float(p * (m + 1) * (m - 1) / (m * (m - p)) * fdtri(p, m - p, 1 - alpha))


def _mewma(off: Numbers, covariance: Numbers, weight: float) -> Numbers:
    """Compute the statistic (N,) of C. A. Lowry and others, "A multivariate EWMA chart", Technometrics 34, 1992."""
    average = np.zeros(off.shape[1])
    found = np.empty(len(off))
    for place, row in enumerate(off):
        average = weight * row + (1 - weight) * average
        share = weight / (2 - weight) * (1 - (1 - weight) ** (2 * (place + 1)))
        found[place] = average @ np.linalg.solve(share * covariance, average)
    return found


@cache
def mewma_limit(measures: int, weight: float, run: float) -> float:
    """Compute the limit at which a stable process has a mean run of `run` points between false alarms.

    By a Markov chain on the distance of the average from the centre, as if its variance were that of a long run: G. C.
    Runger and S. S. Prabhu, "A Markov chain model for the multivariate exponentially weighted moving averages control
    chart", Journal of the American Statistical Association 91, 1996, pp. 1701-1706.
    """
    # Averaging makes runs longer: the limit is at most that of single points.
    most = 1.05 * float(chdtri(measures, 1 / run))
    return float(brentq(lambda h: _run_length(h, measures, weight) - run, 1e-3, most, xtol=1e-6))


def _run_length(limit: float, measures: int, weight: float) -> float:
    edge = np.sqrt(limit * weight / (2 - weight))
    width = 2 * edge / (2 * _STATES + 1)
    at = np.arange(_STATES + 1)
    away = ((1 - weight) * at * width / weight) ** 2
    ends = ((at + 0.5) * width / weight) ** 2
    below = chndtr(ends[None, :], measures, away[:, None])
    moves = np.diff(below, axis=1, prepend=0.0)
    runs = np.linalg.solve(np.eye(_STATES + 1) - moves, np.ones(_STATES + 1))
    return float(runs[0])


def _check(points: int, measures: int, learnt: int, alpha: float, weight: float) -> None:
    if not (0 < alpha < 0.5 and 0 < weight <= 1):
        raise UsageError(
            f"expected `alpha` above 0 and below 0.5, and `weight` above 0 and at most 1, got {alpha:g} and {weight:g}"
        )
    if measures < 2:
        raise FlawlineError(
            "T2 takes two measures or more",
            hint="chart one by `flawline chart`",
            code="multivariate",
        )
    if not measures + 2 <= learnt <= points:
        raise FlawlineError(
            f"T2 of {measures} measures is learnt from {measures + 2} points or more, got {min(learnt, points)} of "
            f"{points}",
            hint="20 points or more for each measure are usual; `learn` says how many are learnt from",
            code="multivariate",
        )
