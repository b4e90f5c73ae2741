"""Fit transforms to measurements, family by family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, ndtr, polygamma

from flawline.core.normality import FEWEST, anderson_darling
from flawline.core.spc.transforms import NONE, POSITIVE, Transform, apply
from flawline.errors import FlawlineError

ZERO_SHARE = 0.05


# From here on a percentile of 0.135 % lies within the values: 1 / 0.00135.
FEW_PERCENTILES = 741


_JOHNSON_STEPS = tuple(round(0.25 + 0.05 * step, 2) for step in range(21))


def fit_transform(values: ArrayLike, name: str) -> Transform:
    """Fit a transform to (N,) values: none, log, box-cox, johnson, weibull, gamma or percentile.

    Values with at least 5 % exact zeros and none below zero get a share of zeros and the transform of the rest. So do
    values with fewer zeros under a transform of values above zero.

    Raises:
        FlawlineError: an unknown name, or values that it cannot be fitted to.
    """
    x = checked(values)
    if name not in ("none", *FITS):
        raise FlawlineError(
            f"expected a transform of none, {', '.join(FITS)}, got {name!r}", code="usage"
        )
    zeros = float((x == 0).mean())
    enough = zeros >= ZERO_SHARE or (zeros > 0 and name in POSITIVE)
    if name not in ("none", "percentile") and enough and (x >= 0).all():
        above = above_zero(x)
        return zero_heavy(fit_transform(above, name), above, zeros)
    if name in POSITIVE and x.min() <= 0:
        raise FlawlineError(
            f"the {name} transform takes values above zero, got {x.min():g}",
            hint="take the transform johnson or auto",
            code="chart",
        )
    return NONE if name == "none" else FITS[name](x)


def above_zero(x: NDArray[np.float64]) -> NDArray[np.float64]:
    above = x[x > 0]
    if len(above) < FEWEST or np.ptp(above) <= 1e-12 * above.max():
        raise FlawlineError(
            f"only {len(above)} of {len(x)} values are above zero and differ, too few for a distribution of sizes",
            hint="chart the share of parts that have any (chart p), or give more values",
            code="chart",
        )
    return above


def zero_heavy(inner: Transform, above: NDArray[np.float64], zeros: float) -> Transform:
    scores = apply(inner, above)
    return Transform(
        inner.name, inner.parameters, zeros, float(scores.mean()), float(scores.std(ddof=1))
    )


def checked(values: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(values, dtype=np.float64).ravel()
    if len(x) < FEWEST or not np.isfinite(x).all():
        raise FlawlineError(
            f"expected at least {FEWEST} finite values to choose a distribution, got {len(x)}",
            hint="use the transform none, or collect more values",
            code="chart",
        )
    if np.ptp(x) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        raise FlawlineError(
            f"all {len(x)} values are {x[0]:g}: there is no variation to describe",
            hint="check the measure; limits can be taken from another period with `limits`",
            code="chart",
        )
    return x


def _fit_log(x: NDArray[np.float64]) -> Transform:
    return Transform("log")


def _fit_box_cox(x: NDArray[np.float64]) -> Transform:
    """Find the power of the largest likelihood between -3 and 3 (Box and Cox 1964, equation 8), to 0.01."""
    logs = np.log(x / np.exp(np.log(x).mean()))

    def likelihood(power: float) -> float:
        scaled = logs if abs(power) < 1e-9 else np.expm1(power * logs) / power
        return -0.5 * len(x) * float(np.log(scaled.var())) + (power - 1) * float(logs.sum())

    # The likelihood has one peak: find its tenth, then its hundredth.
    tenth = max(range(-30, 31), key=lambda step: likelihood(step / 10))
    hundredth = max(
        range(10 * tenth - 10, 10 * tenth + 11), key=lambda step: likelihood(step / 100)
    )
    return Transform("box-cox", (hundredth / 100,))


def _fit_weibull(x: NDArray[np.float64]) -> Transform:
    """Fit by maximum likelihood; the shape solves sum(x^k log x) / sum(x^k) - 1/k = mean(log x)."""
    logs = np.log(x / x.max())

    def excess(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float((powers * logs).sum() / powers.sum() - 1 / shape - logs.mean())

    shape = _root(excess, 1e-3, 1e3)
    scale = x.max() * float(np.exp(shape * logs).mean()) ** (1 / shape)
    return Transform("weibull", (shape, float(scale)))


def _fit_gamma(x: NDArray[np.float64]) -> Transform:
    """Fit by maximum likelihood; the shape solves log k - digamma(k) = log(mean x) - mean(log x)."""
    gap = float(np.log(x.mean()) - np.log(x).mean())
    if gap <= 1e-9:
        raise FlawlineError("the values hardly differ", code="chart")
    shape = (3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
    for _ in range(20):
        step = (np.log(shape) - digamma(shape) - gap) / (1 / shape - polygamma(1, shape))
        shape = max(shape - step, shape / 2)
    return Transform("gamma", (float(shape), float(x.mean() / shape)))


def _fit_johnson(x: NDArray[np.float64]) -> Transform:
    """Fit Johnson's S_U, S_B or S_L by four quantiles: J. F. Slifker and S. S. Shapiro, Technometrics 22, 1980.

    The step z is tried from 0.25 to 1.25, and the fit with the most normal scores is taken (Y.-M. Chou, A. M.
    Polansky and R. L. Mason, "Transforming non-normal data to normality in statistical process control", Journal of
    Quality Technology 30, 1998, pp. 133-141). A fit that leaves a value outside its bounds is rejected.
    """
    ordered = np.sort(x)
    best: tuple[float, Transform] | None = None
    for z in _JOHNSON_STEPS:
        fitted = _johnson_at(ordered, z)
        if fitted is None or not _holds(fitted, ordered):
            continue
        statistic = anderson_darling(apply(fitted, ordered))
        if best is None or statistic < best[0]:
            best = (statistic, fitted)
    if best is None:
        raise FlawlineError("no Johnson distribution fits these values", code="chart")
    return best[1]


def _johnson_at(ordered: NDArray[np.float64], z: float) -> Transform | None:
    """Apply Slifker and Shapiro's formulas at one step z; None where they have no solution."""
    count = len(ordered)
    # Their quantile of probability p is the value of rank N p + 1/2.
    ranks = count * ndtr(np.array([-3 * z, -z, z, 3 * z])) + 0.5
    q = np.interp(ranks, np.arange(1, count + 1), ordered)
    m, n, p = float(q[3] - q[2]), float(q[1] - q[0]), float(q[2] - q[1])
    if min(m, n, p) <= 0:
        return None
    ratio, middle = m * n / p**2, float(q[1] + q[2]) / 2
    if ratio > 1.001:
        return _unbounded(m / p, n / p, p, middle, z)
    if ratio < 0.999:
        return _bounded(p / m, p / n, p, middle, z)
    if abs(m / p - 1) < 1e-3:
        return None  # a normal distribution, which needs no transform
    eta = 2 * z / float(np.log(m / p))
    gamma = eta * float(np.log(abs(m / p - 1) / (p * np.sqrt(m / p))))
    return _johnson("johnson-sl", gamma, eta, middle - p / 2 * (m / p + 1) / (m / p - 1))


def _unbounded(m: float, n: float, p: float, middle: float, z: float) -> Transform | None:
    root, total = np.sqrt(m * n - 1), m + n
    eta = 2 * z / np.arccosh(total / 2)
    gamma = eta * np.arcsinh((n - m) / (2 * root))
    width = 2 * p * root / ((total - 2) * np.sqrt(total + 2))
    return _johnson("johnson-su", gamma, eta, middle + p * (n - m) / (2 * (total - 2)), width)


def _bounded(m: float, n: float, p: float, middle: float, z: float) -> Transform | None:
    inner, excess = (1 + m) * (1 + n), m * n - 1
    eta = z / np.arccosh(np.sqrt(inner) / 2)
    gamma = eta * np.arcsinh((n - m) * np.sqrt(inner - 4) / (2 * excess))
    width = p * np.sqrt((inner - 2) ** 2 - 4) / excess
    epsilon = middle - width / 2 + p * (n - m) / (2 * excess)
    return _johnson("johnson-sb", gamma, eta, epsilon, width)


def _holds(transform: Transform, ordered: NDArray[np.float64]) -> bool:
    if transform.name == "johnson-su":
        return True
    low = transform.parameters[2]
    high = low + transform.parameters[3] if transform.name == "johnson-sb" else np.inf
    return bool(low < ordered[0] and ordered[-1] < high)


def _johnson(name: str, *parameters: float) -> Transform | None:
    values = tuple(float(value) for value in parameters)
    possible = all(np.isfinite(values)) and values[1] > 0
    return Transform(name, values) if possible else None


def _fit_percentile(x: NDArray[np.float64]) -> Transform:
    """Take the percentiles 0.135, 50 and 99.865 without any distribution; of fewer than 741 values the extremes.

    A further point of a process in control lies beyond the extremes of N with a chance of 2 / (N + 1), so few values
    make many false signals.
    """
    low, median, high = (float(q) for q in np.quantile(x, [0.00135, 0.5, 0.99865]))
    if len(x) < FEW_PERCENTILES:
        low, high = float(x.min()), float(x.max())
    if median >= high:
        raise FlawlineError(
            "half of the values equal the largest one: percentiles give no upper limit",
            code="chart",
        )
    return Transform("percentile", (low, median, high))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Find the root of a rising function by halving the logarithm of its interval."""
    for _ in range(120):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return float((low * high) ** 0.5)


FITS: dict[str, Callable[[NDArray[np.float64]], Transform]] = {
    "log": _fit_log,
    "weibull": _fit_weibull,
    "gamma": _fit_gamma,
    "box-cox": _fit_box_cox,
    "johnson": _fit_johnson,
    "percentile": _fit_percentile,
}
