"""Follow the area of one place over time: how fast it grows, from when on, and when it reaches a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
FEWEST = 5
_BASE, _LEAST_BASE = 12, 6
_RATIOS = np.geomspace(0.25, 4.0, 401)
_FURTHEST = 1e4


@dataclass(frozen=True, slots=True)
class Growth:
    """How an area grows with time.

    `rate` (value, low, high) is area a day, `level` the fitted area at the last shot, in the framing of the last one.
    `spread` is the standard deviation about the line. `scale` is the factor of areas after the framing changed, None
    where it did not. `reaches` (value, low, high) are days from the last shot until the limit: infinite where it is not
    reached, below 0 where it has been; None without a limit. `alike` is the correlation of neighbours about the line.
    """

    rate: tuple[float, float, float]
    level: float
    spread: float
    scale: float | None
    reaches: tuple[float, float, float] | None
    alike: float

    @property
    def grows(self) -> bool:
        """Whether the interval of the rate lies above 0."""
        return self.rate[1] > 0


def fit_growth(
    days: Floats,
    areas: Floats,
    framing: NDArray[np.int64],
    *,
    scale: float | None = None,
    limit: float | None = None,
    confidence: float = 0.95,
) -> Growth | None:
    """Fit a straight line to areas, those of earlier framings times `scale`; None with fewer than 5 shots.

    Least squares. The time at which the limit is reached, with its interval, is where the line and its prediction band
    meet it (N. R. Draper and H. Smith, "Applied Regression Analysis", 1998, section 3.2, inverse regression).

    Args:
        days: (N,) rising.
        areas: (N,) 0 or more.
        framing: (N,) number of the framing of each shot.
        scale: factor of `common_scale`.
        limit: an area in the framing of the last shot.
        confidence: of the intervals.
    """
    if len(days) < FEWEST or not np.ptp(days) > 0:
        return None
    if not (framing != framing[-1]).any():
        scale = None
    scaled = in_last_framing(areas, framing, scale)
    count = len(days)
    middle, squares = float(days.mean()), float(((days - days.mean()) ** 2).sum())
    slope = float(((days - middle) * scaled).sum() / squares)
    level = float(scaled.mean())
    rest = scaled - level - slope * (days - middle)
    # One degree of freedom more for the scale.
    freedom = max(count - 2 - (scale is not None), 1)
    spread = float(np.sqrt((rest**2).sum() / freedom))
    away = float(stdtrit(freedom, (1 + confidence) / 2))
    error = away * spread / np.sqrt(squares)
    rate = slope, slope - error, slope + error
    last = float(days[-1])
    reaches = None
    if limit is not None:
        reaches = _reaches(limit, level, slope, middle, last, away * spread, count, squares)
    alike = float((rest[1:] * rest[:-1]).sum() / max(float((rest**2).sum()), 1e-300))
    return Growth(rate, level + slope * (last - middle), spread, scale, reaches, alike)


def in_last_framing(areas: Floats, framing: NDArray[np.int64], scale: float | None) -> Floats:
    """Return areas as they would be in the framing of the last shot: those of earlier ones times `scale`."""
    return areas if scale is None else np.where(framing != framing[-1], areas * scale, areas)


def common_scale(
    series: Sequence[tuple[Floats, Floats, NDArray[np.int64]]],
) -> float | None:
    """Estimate by what factor areas grow when the framing changes, from all places (days, areas, framing) together.

    It is the factor with which straight lines fit best, squares relative to those of the areas, so that no scale is
    better
    only for being small. A camera that is moved changes all places alike. None where no place has 3 shots on either
    side.
    """
    usable = [one for one in series if _framed(one[2])]
    if not usable:
        return None
    left = np.zeros(len(_RATIOS))
    for days, areas, framing in usable:
        earlier = framing != framing[-1]
        design = np.column_stack([np.ones(len(days)), days - days.mean()])
        solve = np.eye(len(days)) - design @ np.linalg.pinv(design)
        scaled = np.where(earlier, areas * _RATIOS[:, None], areas)
        left += ((scaled @ solve) ** 2).sum(axis=1) / np.maximum((scaled**2).sum(axis=1), 1e-300)
    return float(_RATIOS[int(np.argmin(left))])


def _framed(framing: NDArray[np.int64]) -> bool:
    earlier = framing != framing[-1]
    return bool(earlier.sum() >= 3 and (~earlier).sum() >= 3)


def _reaches(
    limit: float,
    level: float,
    slope: float,
    middle: float,
    last: float,
    band: float,
    count: int,
    squares: float,
) -> tuple[float, float, float]:
    at = last + np.concatenate([np.linspace(-100, 0, 1001), np.geomspace(0.01, _FURTHEST, 4000)])
    line = level + slope * (at - middle)
    wide = band * np.sqrt(1 + 1 / count + (at - middle) ** 2 / squares)

    def first(values: Floats) -> float:
        over = np.flatnonzero(values >= limit)
        return float(at[over[0]] - last) if len(over) and slope > 0 else float("inf")

    value = (limit - level) / slope + middle - last if slope > 0 else float("inf")
    return float(value), first(line + wide), first(line - wide)


def first_alarm(areas: Floats, *, from_the_start: bool = True) -> tuple[int | None, float]:
    """Find the first of two shots in a row above what is usual, and the limit; None where there is none.

    What is usual are the first 12 shots without the rise that is looked for: the limit is their mean and three sigma by
    their moving range (AIAG, SPC Reference Manual, individuals). With fewer than 6 shots before the rise, or none
    without
    area, every area above 0 counts.
    """
    base = areas[:_BASE]
    quiet = base[base <= max(float(np.median(base)) * 3, 0.0)] if len(base) else base
    limit = 0.0
    if from_the_start and len(areas) > _BASE and len(quiet) >= _LEAST_BASE:
        limit = float(quiet.mean() + 3 * np.abs(np.diff(quiet)).mean() / 1.128)
    runs = alarm_runs(areas, limit)
    return (runs[0][0] if runs else None), limit


def alarm_runs(areas: Floats, limit: float) -> list[tuple[int, int]]:
    """List first and last shot of every run of two or more above a limit."""
    edges = np.flatnonzero(np.diff(np.r_[False, areas > limit, False].astype(np.int8)))
    return [(int(start), int(stop) - 1) for start, stop in edges.reshape(-1, 2) if stop - start > 1]
