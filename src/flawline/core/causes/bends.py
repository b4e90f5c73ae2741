"""Find where a series bends: joined straight lines, with a test and an interval for each time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import f as fisher

Floats = NDArray[np.float64]
_LEAST = 3
_CANDIDATES = 40
_SHUFFLES = 399
_MOST = 2


@dataclass(frozen=True, slots=True)
class Bend:
    """A time at which a line changes its slope.

    `day` (value, low, high) is the time, `before` and `after` the slopes (value a day) on either side, `p` the p-value.
    """

    day: tuple[float, float, float]
    before: float
    after: float
    p: float

    @property
    def rises(self) -> bool:
        """Whether growth begins or quickens here."""
        return self.after > max(self.before, 0.0)


@dataclass(frozen=True, slots=True)
class Joined:
    """Joined straight lines: their bends in order, and the fitted values (N,) of the series."""

    bends: tuple[Bend, ...]
    fitted: Floats


def fit_bends(days: Floats, values: Floats, *, confidence: float = 0.95, seed: int = 0) -> Joined:
    """Fit joined straight lines with no, one or two bends, as many as are significant at 1 - `confidence`.

    Least squares over all candidate times, at most 40 of the shots', with 3 shots or more on each line (D. J. Hudson,
    "Fitting Segmented Curves Whose Join Points Have to Be Estimated", JASA 61, 1966). A further bend is tested by how
    much it lowers the residual sum of squares against 399 shuffles of the residuals about the fit without it (D.
    Freedman and D. Lane, J. Business and Economic Statistics 1, 1983), each with its own best times, so that having
    looked at all times is paid for. The interval of a time reaches to the candidates next to those that an F test does
    not reject: between shots a time is not known better.

    Args:
        days: (N,) rising.
        values: (N,).
        confidence: of the tests and the intervals.
        seed: of the shuffles.
    """
    times = _candidates(days)
    knots: tuple[float, ...] = ()
    chance: list[float] = []
    fitted = _best(days, values, [()])[1]
    generator = np.random.default_rng(seed)
    before: list[tuple[float, ...]] = [()] if len(times) else []
    while before and len(knots) < _MOST:
        further = _sets(days, times, len(knots) + 1)
        if not further or not _scatters(values, fitted):
            break
        p = _shuffled(days, values, fitted, before, further, generator)
        if p > 1 - confidence:
            break
        knots, fitted = _best(days, values, further)
        chance.append(p)
        before = further
    if not knots:
        return Joined((), fitted)
    return Joined(_bends(days, values, knots, before, max(chance), confidence), fitted)


def _candidates(days: Floats) -> Floats:
    """Return the times of shots at which a bend can lie."""
    inner = np.unique(days)[_LEAST - 1 : -_LEAST + 1]
    if len(inner) > _CANDIDATES:
        inner = inner[np.unique(np.linspace(0, len(inner) - 1, _CANDIDATES).astype(int))]
    return inner


def _sets(days: Floats, times: Floats, count: int) -> list[tuple[float, ...]]:
    """Return the sets of `count` times with 3 shots or more on each line."""
    found = []
    for knots in combinations(times.tolist(), count):
        edges = np.searchsorted(days, knots)
        sizes = np.diff(np.r_[0, edges, len(days)])
        if sizes.min() >= _LEAST - 1 and len(days) > 2 * count + 2:
            found.append(knots)
    return found


def _bases(days: Floats, sets: list[tuple[float, ...]]) -> Floats:
    """Return orthonormal bases (sets, N, columns) of the joined lines."""
    line = np.broadcast_to(
        np.column_stack([np.ones(len(days)), days - days.mean()]), (len(sets), len(days), 2)
    )
    at = np.array(sets, dtype=float).reshape(len(sets), 1, -1)
    hinges = np.maximum(days[None, :, None] - at, 0.0)
    basis: Floats = np.linalg.qr(np.concatenate([line, hinges], axis=2))[0]
    return basis


def _squares(bases: Floats, values: Floats) -> Floats:
    """Return residual sums of squares (sets, series) of `values` (N, series)."""
    whole = (values**2).sum(axis=0)
    left: Floats = np.maximum(whole - ((bases.transpose(0, 2, 1) @ values) ** 2).sum(axis=1), 0.0)
    return left


def _best(
    days: Floats, values: Floats, sets: list[tuple[float, ...]]
) -> tuple[tuple[float, ...], Floats]:
    bases = _bases(days, sets)
    best = int(np.argmin(_squares(bases, values[:, None])[:, 0]))
    fitted: Floats = bases[best] @ (bases[best].T @ values)
    return sets[best], fitted


def _scatters(values: Floats, fitted: Floats) -> bool:
    return bool(np.abs(values - fitted).max() > 1e-9 * max(float(np.abs(values).max()), 1e-300))


def _shuffled(
    days: Floats,
    values: Floats,
    fitted: Floats,
    fewer: list[tuple[float, ...]],
    more: list[tuple[float, ...]],
    generator: np.random.Generator,
) -> float:
    """Return the p-value of one more bend."""
    rest = values - fitted
    shuffles = [generator.permutation(rest) for _ in range(_SHUFFLES)]
    series = np.column_stack([rest, *shuffles]) + fitted[:, None]
    series -= series.mean(axis=0)
    small = 1e-12 * (series**2).sum(axis=0)
    left = _squares(_bases(days, fewer), series).min(axis=0) + small
    ratio = left / (_squares(_bases(days, more), series).min(axis=0) + small)
    return float((1 + (ratio[1:] >= ratio[0]).sum()) / (1 + _SHUFFLES))


def _bends(
    days: Floats,
    values: Floats,
    knots: tuple[float, ...],
    sets: list[tuple[float, ...]],
    p: float,
    confidence: float,
) -> tuple[Bend, ...]:
    design = np.column_stack(
        [np.ones(len(days)), days, *(np.maximum(days - knot, 0.0) for knot in knots)]
    )
    slopes = np.cumsum(np.linalg.lstsq(design, values, rcond=None)[0][1:])
    left = _squares(_bases(days, sets), (values - values.mean())[:, None])[:, 0]
    freedom = max(len(days) - 2 - 2 * len(knots), 1)
    within = left <= left.min() * (1 + float(fisher.ppf(confidence, 1, freedom)) / freedom)
    held = np.array(sets)[within]
    every = _candidates(days)
    return tuple(
        Bend(
            (knot, *_around(every, held[:, k])),
            float(slopes[k]),
            float(slopes[k + 1]),
            p,
        )
        for k, knot in enumerate(knots)
    )


def _around(every: Floats, held: Floats) -> tuple[float, float]:
    """Return the candidates on either side of those that are held."""
    low = int(np.searchsorted(every, held.min())) - 1
    high = int(np.searchsorted(every, held.max())) + 1
    return float(every[max(low, 0)]), float(every[min(high, len(every) - 1)])
