"""Choose the transform that makes measurements normal, and give the reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.normality import anderson_darling
from flawline.core.spc.transform_fits import FITS, ZERO_SHARE, above_zero, checked, zero_heavy
from flawline.core.spc.transforms import NONE, POSITIVE, Transform, apply
from flawline.errors import FlawlineError

# Stephens's critical values of A*²: 5 % and 1 %.
REFUSED = 0.787


MUCH = 0.25


# With more values the test rejects every distribution for departures that do not matter.
_JUDGED = 1000


# From the simplest to the most flexible: the first that does as well as the best is taken.
_ORDER = ("log", "weibull", "gamma", "box-cox")


# So flexible that it makes outliers and mixtures look normal too: used only on request.
_PLIANT = "johnson"


@dataclass(frozen=True, slots=True)
class TransformChoice:
    """A transform, A*² of every candidate's scores against the normal, and the reason for the choice."""

    transform: Transform
    statistics: tuple[tuple[str, float], ...]
    reason: str


def choose_transform(values: ArrayLike, *, pliant: bool = False) -> TransformChoice:
    """Choose the simplest transform under which (N,) values look normal.

    None is used where the values themselves pass the Anderson-Darling test at 5 % (A*² at most 0.787). Otherwise the
    candidates are log, Weibull, gamma and Box-Cox, and with `pliant` Johnson; the first of them is taken that passes
    and is about as good as the best. Where none passes, the one with the smallest A*² is taken, and the reason warns.
    Values with at least 5 % exact zeros and none below zero get a share of zeros and a transform of the rest.

    Raises:
        FlawlineError: fewer than 8 values (or values above zero), values that are all equal, or one that is not finite.
    """
    x = checked(values)
    zeros = float((x == 0).mean())
    if zeros >= ZERO_SHARE and (x >= 0).all():
        return _with_zeros(x, zeros, pliant)
    plain = _departure(NONE, x)
    if plain <= REFUSED:
        reason = f"no transform: A² {plain:.2f} does not speak against a normal distribution"
        return TransformChoice(NONE, (("none", plain),), reason)
    return _best(x, plain, "the values", pliant)


def _with_zeros(x: NDArray[np.float64], zeros: float, pliant: bool) -> TransformChoice:
    above = above_zero(x)
    inner = _best(above, _departure(NONE, above), "the values above zero", pliant, always=True)
    transform = zero_heavy(inner.transform, above, zeros)
    share = f"{100 * zeros:.0f} % of the values are exactly zero and are modelled as such"
    return TransformChoice(transform, inner.statistics, f"{share}; {inner.reason}")


def _best(
    x: NDArray[np.float64], plain: float, what: str, pliant: bool, *, always: bool = False
) -> TransformChoice:
    tried: list[tuple[str, Transform, float]] = []
    for name in (*_ORDER, *((_PLIANT,) if pliant else ())):
        if name in POSITIVE and x.min() <= 0:
            continue
        try:
            fitted = FITS[name](x)
            statistic = _departure(fitted, x)
        except (FlawlineError, ValueError):
            continue  # the family cannot represent these values
        tried.append((name, fitted, statistic))
    if not always or not tried:
        tried.insert(0, ("none", NONE, plain))
    best = min(statistic for _, _, statistic in tried)
    passing = [one for one in tried if one[2] <= REFUSED and one[2] <= best + MUCH]
    name, fitted, statistic = passing[0] if passing else min(tried, key=lambda one: one[2])
    table = (("none", plain), *((n, s) for n, _, s in tried if n != "none"))
    return TransformChoice(fitted, table, _reason(name, statistic, plain, what, bool(passing)))


def _reason(name: str, statistic: float, plain: float, what: str, passes: bool) -> str:
    start = f"A² {plain:.2f} speaks against a normal distribution of {what}"
    if plain <= REFUSED:
        start = f"{what} must stay above zero"
    if passes:
        return f"{start}; under the transform {name} it is {statistic:.2f}"
    closest = (
        "they are charted as they are"
        if name == "none"
        else f"{name} comes closest, {statistic:.2f}"
    )
    return f"{start}, and no transform passes: {closest}, and the chance of a false signal is known only roughly"


def _departure(transform: Transform, x: NDArray[np.float64]) -> float:
    """Compute A*² of the scores of at most 1000 values, evenly spaced in time."""
    places = np.linspace(0, len(x) - 1, min(len(x), _JUDGED)).round().astype(np.int64)
    return anderson_darling(apply(transform, x[places]))
