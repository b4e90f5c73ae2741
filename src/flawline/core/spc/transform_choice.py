"""Choose the transform that makes measurements normal, and give the reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from flawline.core.normality import anderson_darling
from flawline.core.spc.chart_constants import d2
from flawline.core.spc.run_chart import chance_of_runs
from flawline.core.spc.transform_fits import (
    FITS,
    ZERO_SHARE,
    above_zero,
    checked,
    fit_transform,
)
from flawline.core.spc.transforms import NONE, POSITIVE, Transform, apply
from flawline.errors import FlawlineError

# Stephens's critical value of A*² at 1 %.
REFUSED = 1.092
# The first in the order is taken that is worse than the best by less than this.
MUCH = 0.25
# What a value that is left out adds to A*²: a transform must not fit by leaving out a tail, nor by hiding an outlier.
_LEFT_OUT = 0.1
_MOST_LEFT_OUT = 0.05
# A stable process has a value as extreme as one that is left out in one of 100 samples.
_EXTREME = 0.01
# Chance of runs about the median that few stable processes have.
_MOVED = 0.01
# With more values the test rejects every distribution for departures that do not matter.
_JUDGED = 1000
# From the simplest to the most flexible. Johnson makes outliers and mixtures look normal too: used only on request.
_ORDER = ("none", "log", "weibull", "gamma", "box-cox")


@dataclass(frozen=True, slots=True)
class TransformChoice:
    """A transform, whether it passes its test, A*² of every candidate's scores, and the reason for the choice."""

    transform: Transform
    passes: bool
    statistics: tuple[tuple[str, float], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    transform: Transform
    statistic: float
    left_out: int

    @property
    def cost(self) -> float:
        return self.statistic + _LEFT_OUT * self.left_out


def choose_transform(values: ArrayLike) -> TransformChoice:
    """Choose the simplest transform under which (N,) values in time order look normal.

    The candidates are none, log, Weibull, gamma and Box-Cox. Each leaves out the values that are too extreme for it,
    at most 5 %, and the rest must pass the Anderson-Darling test at 1 % (A*² at most 1.092); equal values are spread
    evenly over their rounding first. The first candidate that is about as good as the best is taken, Box-Cox only if
    no other passes. None is taken where no candidate passes, or where the level moves, since a transform could hide
    it; the reason warns. Values with at least 5 % exact zeros and none below zero get a share of zeros and a transform
    of the rest, and so do values with fewer zeros that do not look normal.

    Raises:
        FlawlineError: fewer than 8 values (or values above zero), values that are all equal, or one that is not finite.
    """
    x = checked(values)
    zeros = float((x == 0).mean()) if x.min() >= 0 else 0.0
    if zeros >= ZERO_SHARE:
        return _with_zeros(x, zeros)
    if chance_of_runs(x)[1] < _MOVED:
        reason = (
            "the level moves, so that the shape cannot be judged: the values are taken as they are"
        )
        return TransformChoice(NONE, False, (("none", normality(x, NONE)),), reason)
    choice = _best(x, _ORDER, "the values")
    return _with_zeros(x, zeros) if zeros and not choice.passes else choice


def normality(values: ArrayLike, transform: Transform) -> float:
    """Compute A*² of the scores of at most 1000 of (N,) values, evenly spaced in time; equal values are spread out.

    Where a share of zeros was fitted, the values above zero are tested.
    """
    x = np.asarray(values, dtype=np.float64)
    if transform.zeros:
        x, transform = x[x > 0], replace(transform, zeros=0.0)
    x = spread_ties(x)
    places = np.linspace(0, len(x) - 1, min(len(x), _JUDGED)).round().astype(np.int64)
    return anderson_darling(apply(transform, x[places]))


def spread_ties(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread equal values of (N,) evenly over the smallest distance of two values, as if they had not been rounded.

    Values above zero stay above zero.
    """
    different, counts = np.unique(x, return_counts=True)
    if len(different) in (1, len(x)):
        return x
    gaps = np.diff(different)
    rank_in_tie = np.arange(len(x)) - np.repeat(np.cumsum(counts) - counts, counts)
    shift = (rank_in_tie + 0.5) / np.repeat(counts, counts) - 0.5
    step = float(gaps[gaps > 1e-9 * np.ptp(x)].min())
    step = min(step, float(x.min())) if x.min() > 0 else step
    spread = np.empty_like(x)
    order = np.argsort(x, kind="stable")
    spread[order] = x[order] + step * shift
    return spread


def _with_zeros(x: NDArray[np.float64], zeros: float) -> TransformChoice:
    inner = _best(above_zero(x), _ORDER[1:], "the values above zero")
    share = f"{100 * zeros:.0f} % of the values are exactly zero and are modelled as such"
    transform = fit_transform(x, inner.transform.name)
    return TransformChoice(transform, inner.passes, inner.statistics, f"{share}; {inner.reason}")


def _best(x: NDArray[np.float64], names: tuple[str, ...], what: str) -> TransformChoice:
    tried = [one for name in names if (one := _candidate(x, name))]
    most = _MOST_LEFT_OUT * len(x)
    passing = [one for one in tried if one.statistic <= REFUSED and one.left_out <= most]
    statistics = tuple((one.name, one.statistic) for one in tried)
    if not passing:
        closest = min(tried, key=lambda one: one.cost)
        taken = closest if "none" not in names else tried[0]
        return TransformChoice(taken.transform, False, statistics, _warning(taken, closest, what))
    # Box-Cox extrapolates with a parameter more: only where nothing simpler passes.
    simple = [one for one in passing if one.name != "box-cox"] or passing
    best = min(one.cost for one in simple)
    taken = next(one for one in simple if one.cost <= best + MUCH)
    return TransformChoice(taken.transform, True, statistics, _reason(taken, tried[0], what))


def _candidate(x: NDArray[np.float64], name: str) -> _Candidate | None:
    """Fit one family, without the values that are too extreme for it; None if it cannot represent these values."""
    if name in POSITIVE and x.min() <= 0:
        return None
    keep = np.ones(len(x), dtype=bool)
    try:
        for _ in range(3):
            transform = NONE if name == "none" else FITS[name](x[keep])
            inside = _inside(apply(transform, x), keep)
            enough = inside.mean() >= 1 - 2 * _MOST_LEFT_OUT and np.ptp(x[inside]) > 0
            if (inside == keep).all() or not enough:
                break
            keep = inside
        statistic = normality(x[keep], transform)
    except (FlawlineError, ValueError):
        return None
    return _Candidate(name, transform, statistic, int((~keep).sum()))


def _inside(z: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the scores (N,) that a stable process reaches; sigma is that of neighbours, as on a chart."""
    moved = np.abs(np.diff(z))[keep[1:] & keep[:-1]]
    widest = -ndtri(_EXTREME / (2 * len(z)))
    return np.asarray(np.abs(z - z[keep].mean()) <= widest * moved.mean() / d2(2))


def _reason(taken: _Candidate, plain: _Candidate, what: str) -> str:
    if taken.name == "none":
        return (
            f"no transform: A² {taken.statistic:.2f} does not speak against a normal distribution"
        )
    under = f"under the transform {taken.name} A² is {taken.statistic:.2f}"
    if plain.name != "none":
        return f"{what} must stay above zero; {under}"
    return f"{what} look less normal as they are (A² {plain.statistic:.2f}); {under}"


def _warning(taken: _Candidate, closest: _Candidate, what: str) -> str:
    raw = "are taken as they are" if taken.name == "none" else f"are taken under {taken.name}"
    near = f"{closest.name} comes closest with A² {closest.statistic:.2f}"
    return (
        f"no transform makes {what} normal ({near}): they {raw}, to be read with care, since the chance of a false "
        "signal is known only roughly"
    )
