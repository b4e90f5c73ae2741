"""Find the moment at which the areas of all places change by one factor: the camera, not the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]
FEWEST_PLACES = 3
_ALIKE = 0.01
_LEAST_FACTOR = 1.25
_SIDE = 4
_LEAST_SIDE = 3
_MOST = 300
_SHUFFLES = 999
_FLOOR = 0.03


@dataclass(frozen=True, slots=True)
class CameraStep:
    """A step of all places at once: its time, the factor of areas, its p-value, and how many places show it.

    `alike` is the p-value of one factor for all places: small where the places step by different factors.
    """

    at: float
    factor: float
    p: float
    places: int
    alike: float

    def surely(self, chance: float) -> bool:
        """Return whether places step together, with a p-value of at most `chance`, and by one factor.

        A factor within 1.25 is not told from places that begin to grow on one day.
        """
        clear = abs(np.log(self.factor)) >= np.log(_LEAST_FACTOR)
        return bool(self.p <= chance and self.alike > _ALIKE and clear)


def camera_step(series: Sequence[tuple[Floats, Floats]], *, seed: int = 0) -> CameraStep | None:
    """Find the moment at which the areas of all places most clearly step by one factor.

    At each moment between shots, lines through up to 4 shots before and after it are carried into the gap, place by
    place. The step is the logarithm of their ratio where they are closest there: 0 where they meet, as they do where a
    place begins to grow. There is none where lines that only bend describe the places better than a step does. Steps
    are averaged over places by their usual scatter, and the error is widened where places differ by more than that (R.
    T. Birge, Physical Review 40, 1932). The largest average is compared with 999 shifts of the places' steps against
    each other in time: chance makes places step, but not together.

    Args:
        series: (times, areas) of each place, times rising and on one clock.
        seed: of the shifts.

    Returns:
        The step, which need not be sure, or None with fewer than 3 places that can be compared.
    """
    usable = [
        (times[areas > 0], areas[areas > 0])
        for times, areas in series
        if (areas > 0).sum() >= 2 * _LEAST_SIDE
    ]
    if len(usable) < FEWEST_PLACES:
        return None
    moments = _moments(np.unique(np.concatenate([times for times, _ in usable])))
    steps = np.array([_steps(times, areas, moments) for times, areas in usable])
    steps = steps[np.isfinite(steps[..., 0]).any(axis=1)]
    if len(steps) < FEWEST_PLACES:
        return None
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(steps[..., 0], axis=1, keepdims=True)
        usual = 1.4826 * np.nanmedian(np.abs(steps[..., 0] - middle), axis=1, keepdims=True)
    weights = 1 / np.maximum(usual, _FLOOR) ** 2
    needed = max(FEWEST_PLACES, (2 * len(steps) + 2) // 3)
    clear, mean, spread = _clearness(steps, weights, needed)
    best = int(np.argmax(clear))
    if not clear[best] > 0:
        return None
    generator = np.random.default_rng(seed)
    higher = 0
    for _ in range(_SHUFFLES):
        shifted = _shifted(steps, generator)
        higher += int(_clearness(shifted, weights, needed)[0].max() >= clear[best])
    count = int(np.isfinite(steps[:, best, 0]).sum())
    return CameraStep(
        float(moments[best]),
        float(np.exp(mean[best])),
        (1 + higher) / (1 + _SHUFFLES),
        count,
        float(chi2.sf(spread[best], count - 1)),
    )


def _moments(times: Floats) -> Floats:
    """Return the middles of the widest gaps between shots, at most 300, in order."""
    widest = np.sort(np.argsort(-np.diff(times), kind="stable")[:_MOST])
    return (times[widest] + times[widest + 1]) / 2


def _steps(times: Floats, areas: Floats, moments: Floats) -> Floats:
    """Return (moments, 2): the logarithm of after by before, and by how much a step is better; NaN where not known.

    The second is the residual sum of squares of a bend less that of a step, relative to the areas.
    """
    found = np.full((len(moments), 2), np.nan)
    known: dict[int, tuple[float, float]] = {}
    for k, cut in enumerate(np.searchsorted(times, moments)):
        if cut not in known:
            step = _step(times, areas, int(cut))
            known[int(cut)] = step, _better(times, areas, int(cut)) if np.isfinite(step) else step
        found[k] = known[int(cut)]
    return found


def _step(times: Floats, areas: Floats, cut: int) -> float:
    before, after = slice(max(cut - _SIDE, 0), cut), slice(cut, cut + _SIDE)
    if len(times[before]) < _LEAST_SIDE or len(times[after]) < _LEAST_SIDE:
        return float("nan")
    steps = []
    for moment in times[cut - 1 : cut + 1]:
        first, then = (_carried(times[side] - moment, areas[side]) for side in (before, after))
        if not min(first, then) > 0:
            return float("nan")
        steps.append(float(np.log(then / first)))
    return 0.0 if steps[0] * steps[1] <= 0 else min(steps, key=abs)


def _better(times: Floats, areas: Floats, cut: int) -> float:
    """Return the residual sum of squares of the best bend less that of a step at `cut`; both have 4 parameters."""
    near = slice(max(cut - _SIDE, 0), cut + _SIDE)
    days, values = times[near] - times[cut], areas[near]
    later = (np.arange(len(days)) >= min(cut, _SIDE)).astype(float)
    weight = 1 / np.maximum(values, values.mean() / 5)
    inner = np.concatenate([days[1:-1], (days[1:-2] + days[2:-1]) / 2])
    one = np.ones(len(days))
    bends = [np.column_stack([one, days, np.maximum(days - knot, 0)]) for knot in inner]
    step = np.column_stack([one, days, later, later * days])
    target = weight * values
    bent = float(_left(np.array(bends) * weight[:, None], target).min())
    return bent - float(_left(step[None] * weight[:, None], target)[0])


def _left(designs: Floats, target: Floats) -> Floats:
    """Return the residual sum of squares of `target` (N,) for each design (designs, N, columns)."""
    basis = np.linalg.qr(designs)[0]
    left: Floats = (target**2).sum() - ((basis.transpose(0, 2, 1) @ target) ** 2).sum(axis=1)
    return left


def _carried(times: Floats, areas: Floats) -> float:
    """Return the value at time 0 of the line through the areas."""
    middle = times.mean()
    squares = ((times - middle) ** 2).sum()
    slope = ((times - middle) * areas).sum() / squares if squares > 0 else 0.0
    return float(areas.mean() - slope * middle)


def _clearness(steps: Floats, weights: Floats, needed: int) -> tuple[Floats, Floats, Floats]:
    """Return how clear the mean step of each moment is, the mean, and the spread of places about it."""
    there = np.isfinite(steps[..., 0])
    count = there.sum(axis=0)
    weight = np.where(there, weights, 0.0)
    total = np.maximum(weight.sum(axis=0), 1e-300)
    filled, better = np.where(there[..., None], steps, 0.0).transpose(2, 0, 1)
    mean = (weight * filled).sum(axis=0) / total
    spread = (weight * (filled - mean) ** 2).sum(axis=0)
    error = np.sqrt(np.maximum(spread / np.maximum(count - 1, 1), 1.0) / total)
    stepped = (count >= needed) & ((weight * better).sum(axis=0) > 0)
    return np.where(stepped, np.abs(mean) / error, 0.0), mean, spread


def _shifted(steps: Floats, generator: np.random.Generator) -> Floats:
    """Shift the steps of each place in time, round at the end, among the moments at which it has one."""
    shifted = np.full_like(steps, np.nan)
    for row, values in enumerate(steps):
        there = np.flatnonzero(np.isfinite(values[:, 0]))
        shifted[row, there] = np.roll(values[there], int(generator.integers(len(there))), axis=0)
    return shifted
