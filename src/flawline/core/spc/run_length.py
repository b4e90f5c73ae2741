"""Average run length of charts: exact where an equation is known, else by simulation with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from flawline.core.spc.chart_points import individuals
from flawline.core.spc.charts import State, advance
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import Rule

_NODES = 60


@dataclass(frozen=True, slots=True)
class RunLength:
    """Mean of simulated run lengths, its standard error, and the number of runs."""

    mean: float
    error: float
    runs: int


def shewhart_run_length(shift: float, k: float = 3.0) -> float:
    """Compute the mean points until one lies beyond k sigma, for a normal process off by `shift` sigma of a point."""
    return float(1 / (ndtr(-k - shift) + ndtr(-k + shift)))


def ewma_run_length(shift: float, weight: float, k: float) -> float:
    """Compute the mean points until an EWMA of normal points off by `shift` sigma passes its final limits.

    The integral equation of S. V. Crowder, "A simple method for studying run-length distributions of exponentially
    weighted moving average charts", Technometrics 29, 1987, pp. 401-407, by Gauss-Legendre quadrature, starting at the
    centre. Limits that widen from the first point on, as the chart draws them, signal a little sooner.
    """
    edge = k * np.sqrt(weight / (2 - weight))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    u, w = nodes * edge, weights * edge
    lengths = np.linalg.solve(
        np.eye(_NODES) - w * _step(u[:, None], u, weight, shift), np.ones(_NODES)
    )
    start = _step(np.zeros((1, 1)), u, weight, shift)[0]
    return float(1 + (w * start) @ lengths)


def cusum_run_length(
    shift: float, reference: float, decision: float, head_start: float = 0.0
) -> float:
    """Compute the mean points until a two-sided tabular CUSUM of normal points off by `shift` sigma signals.

    Each side by its integral equation (A. L. Goel and S. M. Wu, Technometrics 13, 1971, pp. 221-230; L. C. Vance, 1986)
    and both together by 1 / (1 / up + 1 / down) (K. W. Kemp, Journal of the Royal Statistical Society B 23, 1961); the
    sum is exact without a head start.
    """
    up = one_sided_cusum_run_length(shift, reference, decision, head_start)
    down = one_sided_cusum_run_length(-shift, reference, decision, head_start)
    if not head_start:
        return 1 / (1 / up + 1 / down)
    up_cold = one_sided_cusum_run_length(shift, reference, decision)
    down_cold = one_sided_cusum_run_length(-shift, reference, decision)
    # J. M. Lucas and R. B. Crosier, Technometrics 24, 1982, equation A1.
    return (up * down_cold + down * up_cold - up_cold * down_cold) / (up_cold + down_cold)


def one_sided_cusum_run_length(
    shift: float, reference: float, decision: float, head_start: float = 0.0
) -> float:
    """Compute the mean points until the upper sum alone signals."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    u, w = (nodes + 1) * decision / 2, weights * decision / 2
    mean = shift - reference
    at = np.concatenate([[0.0], u])
    # The sum is zero with positive probability, and has a density elsewhere.
    kernel = np.empty((_NODES + 1, _NODES + 1))
    kernel[:, 0] = ndtr(-at - mean)
    kernel[:, 1:] = w * _density(u - at[:, None] - mean)
    lengths = np.linalg.solve(np.eye(_NODES + 1) - kernel, np.ones(_NODES + 1))
    first = np.concatenate([[ndtr(-head_start - mean)], w * _density(u - head_start - mean)])
    return float(1 + first @ lengths)


def simulate_run_length(
    limits: ControlLimits,
    rules: Sequence[Rule],
    shift: float,
    *,
    runs: int,
    seed: int,
    panel: str = "",
    most: int = 100_000,
) -> RunLength:
    """Simulate the chart on normal points off by `shift` sigma from the first on, until it signals.

    Args:
        limits: of a chart of single measurements; its centre and sigma scale the points.
        rules: the rules that signal.
        shift: in sigmas.
        runs: how many times.
        seed: of the random points.
        panel: signals of this panel alone, by its name; "" for those of every panel.
        most: a run is cut off after so many points, which makes the mean too low.
    """
    random = np.random.default_rng(seed)
    lengths = np.array(
        [_one_run(limits, rules, shift, random, panel, most) for _ in range(runs)], dtype=np.float64
    )
    return RunLength(float(lengths.mean()), float(lengths.std(ddof=1) / np.sqrt(runs)), runs)


def _one_run(
    limits: ControlLimits,
    rules: Sequence[Rule],
    shift: float,
    random: np.random.Generator,
    panel: str,
    most: int,
) -> int:
    state, batch = State(), 64
    while state.seen < most:
        x = limits.centre + limits.sigma * (shift + random.standard_normal(batch))
        state, _, signals = advance(state, limits, rules, individuals(x))
        places = [signal.at for signal in signals if panel in ("", signal.panel)]
        if places:
            return places[0] + 1
        batch = min(2 * batch, 1024)
    return most


def _step(
    at: NDArray[np.float64], to: NDArray[np.float64], weight: float, shift: float
) -> NDArray[np.float64]:
    return _density((to - (1 - weight) * at) / weight - shift) / weight


def _density(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))
