"""Find whether, when and how a signal moved, and whether two sets of features differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import chdtri

Floats = NDArray[np.float64]
Kind = Literal["step", "ramp"]
DRAWS = 499
FEWEST = 12
_MOST = 400
_EDGE = 3


@dataclass(frozen=True, slots=True)
class Change:
    """How a signal of N values moved.

    `place` is the first value after the change, with the interval `low` to `high` (places), `kind` whether it is a
    step or
    a slow move that begins there. `before` and `after` are the levels (of a ramp the first and the last), `spread` the
    standard deviation about them. `p` is that of no change at all.
    """

    place: int
    low: int
    high: int
    kind: Kind
    before: float
    after: float
    spread: float
    p: float


def find_change(values: Floats, *, confidence: float = 0.95, seed: int = 0) -> Change | None:
    """Look for the one change of a signal that explains most; None with fewer than 12 values.

    The largest cumulative sum of deviations from the mean (E. S. Page, "Continuous inspection schemes", Biometrika 41,
    1954), p by permuting the values; where neighbours resemble each other, by drawing still signals alike. Step and
    ramp are fitted by least squares at every place, the better one is taken; the interval holds the places whose fit is
    not surely worse (profile likelihood, chi-squared with 2 degrees of freedom: one alone holds too few). More than 400
    values are averaged in runs first.

    Args:
        values: (N,) finite numbers in the order of time.
        confidence: of the interval of the place.
        seed: of the permutations.

    Raises:
        ValueError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("expected finite values")
    if len(values) < FEWEST:
        return None
    run = -(-len(values) // _MOST)
    x = np.array([values[start : start + run].mean() for start in range(0, len(values), run)])
    if float(np.ptp(x)) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        return Change(0, 0, len(values) - 1, "step", float(x[0]), float(x[0]), 0.0, 1.0)
    fits = {"step": _fits(x, ramp=False), "ramp": _fits(x, ramp=True)}
    kind: Kind = "step" if fits["step"][0].min() <= fits["ramp"][0].min() else "ramp"
    left, below, above = fits[kind]
    best = int(np.argmin(left))
    close = np.flatnonzero(len(x) * np.log(left / left[best]) <= chdtri(2, 1 - confidence))
    fitted = _fitted(len(x), best + _EDGE, kind, below[best], above[best])
    p = _p_value(x, x - fitted, seed)
    last = len(values) - 1
    return Change(
        min((best + _EDGE) * run, last),
        # The change may lie within the run before.
        max((int(close[0]) + _EDGE) * run - run + 1, 0),
        min((int(close[-1]) + _EDGE + 1) * run - 1, last),
        kind,
        float(below[best]),
        float(above[best]),
        float((x - fitted).std()),
        p,
    )


def _fitted(count: int, place: int, kind: Kind, below: float, above: float) -> Floats:
    shape = _shape(count, place, ramp=kind == "ramp")
    return np.asarray(below + (above - below) * shape)


def _shape(count: int, place: int, *, ramp: bool) -> Floats:
    at = np.arange(count)
    if not ramp:
        return (at >= place).astype(np.float64)
    return np.asarray(np.clip((at - place + 1) / (count - place), 0, 1))


def _fits(x: Floats, *, ramp: bool) -> tuple[Floats, Floats, Floats]:
    """Return what is left of the squares, and both levels, for a change at each place but the ends."""
    count = len(x)
    shapes = np.stack([_shape(count, k, ramp=ramp) for k in range(_EDGE, count - _EDGE + 1)])
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    slope = centred @ x / (centred**2).sum(axis=1)
    level = x.mean() - slope * shapes.mean(axis=1)
    left = ((x - x.mean()) ** 2).sum() - slope**2 * (centred**2).sum(axis=1)
    return np.maximum(left, 1e-12 * float((x**2).sum()) + 1e-300), level, level + slope


def _p_value(x: Floats, rest: Floats, seed: int) -> float:
    centred = x - x.mean()
    found = float(np.abs(np.cumsum(centred)).max())
    rng = np.random.default_rng(seed)
    alike = float((rest[1:] * rest[:-1]).sum() / max(float((rest**2).sum()), 1e-300))
    if alike <= 1 / np.sqrt(len(x)):
        drawn = rng.permuted(np.tile(centred, (DRAWS, 1)), axis=1).T
    else:
        drawn = _resembling(rest, alike, rng)
    largest = np.abs(np.cumsum(drawn, axis=0)).max(axis=0)
    return float((largest >= found - 1e-12).sum() + 1) / (DRAWS + 1)


def _resembling(rest: Floats, alike: float, rng: np.random.Generator) -> Floats:
    """Draw still signals whose neighbours resemble each other as those of what the change leaves, (N, draws).

    Normal autoregressions of order 1. Their coefficient is corrected for the bias (1 + 3 r) / N of an estimate (F. H.
    C. Marriott and J. A. Pope, "Bias in the estimation of autocorrelations", Biometrika 41, 1954), six times for the
    fitted change, and drawn anew for each signal from its standard error.
    """
    count = len(rest)
    alike += 6 * (1 + 3 * alike) / count
    error = np.sqrt(max(1 - alike**2, 0.01) / count)
    each = np.clip(alike + rng.normal(0, error, DRAWS), 0, 0.95)
    drawn = rng.normal(0, 1, (count, DRAWS))
    own = np.sqrt(1 - each**2)
    for place in range(1, count):
        drawn[place] = each * drawn[place - 1] + own * drawn[place]
    # The fit took three numbers of the signal: a level, a change and its place.
    spread = np.sqrt(float((rest**2).sum()) / (count - 3))
    return np.asarray((drawn - drawn.mean(axis=0)) * spread)


def holm(p_values: Floats) -> Floats:
    """Adjust p-values, (N,), so that any false finding has the stated chance.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979,
    pp. 65-70.
    """
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * (len(p_values) - np.arange(len(p_values)))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


def energy_test(first: Floats, second: Floats, *, seed: int = 0) -> tuple[float, float]:
    """Compute the energy distance of two samples (N, F) and (M, F), and its p-value by permutation.

    G. J. Székely and M. L. Rizzo, "Energy statistics: a class of statistics based on distances", Journal of Statistical
    Planning and Inference 143, 2013, pp. 1249-1272: twice the mean distance between them less the mean distances
    within. 0 where both are draws of one distribution.
    """
    both = np.concatenate([first, second])
    return _permuted(-cdist(both, both), len(first), seed)


def mmd_test(first: Floats, second: Floats, *, seed: int = 0) -> tuple[float, float]:
    """Compute the squared maximum mean discrepancy of two samples (N, F) and (M, F), and its p-value by permutation.

    A. Gretton et al., "A kernel two-sample test", Journal of Machine Learning Research 13, 2012, pp. 723-773: the
    V-statistic (equation 5) of a Gaussian kernel whose width is the median distance between all rows (section 8), so
    that the unit of the features does not matter. 0 where both are draws of one distribution, at most 2.
    """
    both = np.concatenate([first, second])
    distances = cdist(both, both)
    apart = distances[np.triu_indices(len(both), 1)]
    width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
    return _permuted(np.exp(-(distances**2) / (2 * width**2)), len(first), seed)


def _permuted(likeness: Floats, first: int, seed: int) -> tuple[float, float]:
    """Compute how much more alike the `first` rows and the others are within than across, and its p-value.

    `likeness` (N + M, N + M) is that of each two rows.
    """
    second = len(likeness) - first
    rng = np.random.default_rng(seed)
    signs = np.tile(np.r_[np.full(first, 1 / first), np.full(second, -1 / second)], (DRAWS + 1, 1))
    signs[1:] = rng.permuted(signs[1:], axis=1)
    found = np.einsum("di,ij,dj->d", signs, likeness, signs, optimize=True)
    return float(max(found[0], 0.0)), float((found[1:] >= found[0] - 1e-12).sum() + 1) / (DRAWS + 1)
