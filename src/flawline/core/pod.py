"""Fit the probability of detection against defect size, from found and missed defects (hit/miss data).

The model is a straight line of the log odds over the logarithm of the size, fitted by maximum likelihood. Bounds come
from the loglikelihood ratio, which MIL-HDBK-1823A, "Nondestructive Evaluation System Reliability Assessment", 2009,
appendix G, takes for hit/miss (and the approximation of Cheng and Iles only for signals with a measured height). A line
is plausible where its loglikelihood lies at most half the 90 % quantile of chi-square with one degree of freedom below
the highest; the lowest plausible line at a size is the bound there, with one-sided confidence of 95 %. As the
loglikelihood is concave, that is the bound by profile likelihood (D. R. Cox and D. V. Hinkley, "Theoretical
Statistics", 1974, section 9.3).

The bound is exact for many defects only: drawn from a known curve, it lay above the true a90 in 93 % of cases for 400
defects, 91 % for 100 and 89 % for 60. Defects count as independent; those of one part are not quite. The model says
that the largest are always found and the smallest never: where defects are missed whatever their size, it does not
hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

Numbers = NDArray[np.float64]

FEWEST = 60
"""The fewest defects that the handbook recommends for hit/miss data."""
_CHI_SQUARE = 2.705543454095416
"""The 90 % quantile with one degree of freedom: one-sided 95 %."""
_ODDS = math.log(9)
_REACH = math.log(100)
_ANGLES = 720
_CURVE = 61


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """Probability of detection by size; sizes have the unit of the data.

    `a50` and `a90` are the sizes that are found with 50 and 90 %; `a90_95` is the upper bound of `a90` with 95 %
    confidence. Sizes that cannot be estimated are None, and `reason` says why, or what lies beyond the data. `curve` is
    float64 (61, 3) from the smallest to the largest size: size, probability of detection and its lower bound; None
    without a fit. With p the probability and a the size, log(p / (1 - p)) = intercept + slope * log(a).
    """

    defects: int
    found: int
    smallest: float
    largest: float
    intercept: float | None = None
    slope: float | None = None
    a50: float | None = None
    a90: float | None = None
    a90_95: float | None = None
    curve: Numbers | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Distinct log sizes, centred and scaled, with the number of defects and of found ones at each."""

    x: Numbers
    of: Numbers
    found: Numbers
    centre: float
    scale: float

    def loglikelihood(self, lines: Numbers) -> Numbers:
        """Compute the loglikelihood (K,) of lines (K, 2), intercept and slope."""
        odds = lines[:, :1] + lines[:, 1:] * self.x
        return np.asarray(odds @ self.found - np.logaddexp(0, odds) @ self.of)

    def gradient(self, lines: Numbers) -> Numbers:
        """Compute the gradient (K, 2) of the loglikelihood of lines (K, 2)."""
        rest = self.found - self.of * expit(lines[:, :1] + lines[:, 1:] * self.x)
        return np.stack([rest.sum(1), rest @ self.x], axis=1)

    def information(self, line: Numbers) -> Numbers:
        """Compute the Fisher information (2, 2) at one line."""
        p = expit(line[0] + line[1] * self.x)
        weights = self.of * p * (1 - p)
        mixed = weights @ self.x
        return np.array([[weights.sum(), mixed], [mixed, weights @ self.x**2]])


def fit_pod(sizes: ArrayLike, found: ArrayLike) -> Pod:
    """Fit the probability of detection against size.

    Args:
        sizes: (K,) finite numbers above 0, at least one, in any unit of length.
        found: (K,) booleans.

    Returns:
        The fit. There is none where sizes do not explain what is found: all found or all missed, one size only, every
        found one larger than every missed one (any steep curve fits, none is best), or no more found among the large
        than among the small. `a90_95` is also None where the data do not exclude that large ones are not found more
        often.

    Raises:
        ValueError: the lengths differ, there is no defect, or a size is not above 0.
    """
    size, is_found = np.asarray(sizes, np.float64), np.asarray(found, bool)
    if size.shape != is_found.shape or size.ndim != 1 or not len(size):
        raise ValueError(f"expected two lists of one length, got {size.shape} and {is_found.shape}")
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError("sizes must be finite and above 0")
    counted = len(size), int(is_found.sum()), float(size.min()), float(size.max())
    reason = _without_fit(size, is_found)
    if reason:
        return Pod(*counted, reason=reason)
    data = _data(size, is_found)
    best = _most_likely(data)
    if best[1] <= 1e-9:
        return Pod(*counted, reason="large defects are not found more often than small ones")
    return _pod(data, best, counted)


def _without_fit(size: Numbers, is_found: NDArray[np.bool_]) -> str:
    """Explain why no curve is the most likely one; empty where there is one."""
    if is_found.all() or not is_found.any():
        return f"all {len(is_found)} defects were {'found' if is_found.all() else 'missed'}"
    found, missed = size[is_found], size[~is_found]
    if size.min() == size.max():
        return "all defects have the same size"
    if missed.max() <= found.min():
        return (
            f"all missed defects are up to {missed.max():.4g} and all found ones from {found.min():.4g} on: "
            "any steep curve between fits"
        )
    if found.max() <= missed.min():
        return "large defects are not found more often than small ones"
    return ""


def _data(size: Numbers, is_found: NDArray[np.bool_]) -> _Data:
    x, place = np.unique(np.log(size), return_inverse=True)
    of = np.bincount(place, minlength=len(x)).astype(np.float64)
    found = np.bincount(place, weights=is_found, minlength=len(x)).astype(np.float64)
    centre = float(of @ x / of.sum())
    scale = float(np.sqrt(of @ (x - centre) ** 2 / of.sum()))
    return _Data((x - centre) / scale, of, found, centre, scale)


def _most_likely(data: _Data) -> Numbers:
    """Find intercept and slope of highest likelihood, by Newton's method with halved steps."""
    line = np.zeros(2)
    reached = data.loglikelihood(line[None])[0]
    for _ in range(200):
        step = np.linalg.solve(data.information(line), data.gradient(line[None])[0])
        while data.loglikelihood((line + step)[None])[0] < reached and np.abs(step).max() > 1e-12:
            step = step / 2
        line = line + step
        reached = data.loglikelihood(line[None])[0]
        if np.abs(step).max() <= 1e-10 * (1 + np.abs(line).max()):
            break
    return line


def _plausible(data: _Data, best: Numbers) -> Numbers:
    """Find lines (720, 2) on the boundary of the plausible region, all around the most likely one."""
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    # Along the axes of the information the boundary is nearly a circle.
    axes = np.linalg.inv(np.linalg.cholesky(data.information(best)))
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1) @ axes
    target = data.loglikelihood(best[None])[0] - _CHI_SQUARE / 2
    away = np.full((_ANGLES, 1), math.sqrt(_CHI_SQUARE))
    # The loglikelihood is concave along a ray, so Newton's method converges monotonically from the second step on.
    for _ in range(100):
        lines = best + away * rays
        slope = (data.gradient(lines) * rays).sum(1, keepdims=True)
        step = (data.loglikelihood(lines)[:, None] - target) / slope
        away = away - step
        if np.abs(step).max() <= 1e-9 * away.max():
            break
    return np.asarray(best + away * rays)


def _pod(data: _Data, best: Numbers, counted: tuple[int, int, float, float]) -> Pod:
    edge = _plausible(data, best)
    low, high = math.log(counted[2]), math.log(counted[3])
    grid = np.linspace(low, high, _CURVE)
    x = (grid - data.centre) / data.scale
    lowest = (edge[:, :1] + edge[:, 1:] * x).min(axis=0)
    curve = np.stack([np.exp(grid), expit(best[0] + best[1] * x), expit(lowest)], axis=1)

    def sized(odds: float, line: Numbers) -> float:
        """Find the log size at which lines (..., 2) reach log odds, the largest of them."""
        return float(((odds - line[..., 0]) / line[..., 1]).max()) * data.scale + data.centre

    sure = bool(edge[:, 1].min() > 0)

    def within_reach(log: float) -> float | None:
        return math.exp(log) if low - _REACH <= log <= high + _REACH else None

    a90, bound = sized(_ODDS, best), sized(_ODDS, edge) if sure else math.inf
    slope = float(best[1]) / data.scale
    return Pod(
        *counted,
        intercept=float(best[0]) - slope * data.centre,
        slope=slope,
        a50=within_reach(sized(0, best)),
        a90=within_reach(a90),
        a90_95=within_reach(bound),
        curve=curve,
        reason=_left_out(a90, bound, low, high),
    )


def _left_out(a90: float, bound: float, low: float, high: float) -> str:
    if a90 > high + _REACH:
        return "90 % would be found only beyond 100 times the largest defect"
    if a90 < low - _REACH:
        return "more than 90 % are found down to a hundredth of the smallest defect"
    if bound == math.inf:
        return "too few defects to be sure that large ones are found more often than small ones"
    if bound > high + _REACH:
        return "the bound of a90 lies beyond 100 times the largest defect"
    if bound > high:
        return f"{'a90' if a90 > high else 'a90/95'} lies beyond the largest defect, where there are no data"
    return ""
