"""Compare readings with what is known to be true: bias, linearity, and the type 1 study of one part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from flawline.errors import FlawlineError, UsageError

Numbers = NDArray[np.float64]
FEWEST_TYPE_ONE = 10


@dataclass(frozen=True, slots=True)
class Bias:
    """Mean of readings less the reference, its interval, and the t test that it is 0.

    `sigma` is the standard deviation of the readings; `t` and `p` are None where they do not vary.
    """

    reference: float
    count: int
    mean: float
    sigma: float
    low: float
    high: float
    t: float | None
    p: float | None

    @property
    def value(self) -> float:
        """The bias."""
        return self.mean - self.reference

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class TypeOne:
    """Capability of a gauge on one part of known size.

    `cg` compares `share` percent of the tolerance with 6 standard deviations, `cgk` what the bias leaves of it;
    `repeats` and `whole` are the same as percent of the tolerance, `whole` None where the bias takes up all of it. They
    are None without a tolerance, or where the readings do not vary.
    """

    bias: Bias
    tolerance: float | None
    share: float
    cg: float | None
    cgk: float | None

    @property
    def repeats(self) -> float | None:
        """Percent of the tolerance that 6 standard deviations take up."""
        return None if self.cg is None else self.share / self.cg

    @property
    def whole(self) -> float | None:
        """Percent of the tolerance that repeats and bias take up; None where there is no end to it."""
        return None if self.cgk is None or self.cgk <= 0 else self.share / self.cgk


@dataclass(frozen=True, slots=True, eq=False)
class Linearity:
    """Straight line of the bias over the reference, by least squares of all readings.

    `biases` are those of each reference, `mean` that of all. `slope` and `intercept` come with their p. `band` float64
    (K, 3) holds reference, and the lower and upper edge of the interval of the line. `straight` says that 0 lies within
    the band everywhere: AIAG's test that the gauge is linear and has no bias.
    """

    biases: tuple[Bias, ...]
    mean: Bias
    slope: float
    intercept: float
    r_squared: float
    slope_p: float | None
    intercept_p: float | None
    sigma: float
    band: Numbers

    @property
    def straight(self) -> bool:
        """Whether 0 lies within the band from the smallest to the largest reference."""
        return bool((self.band[:, 1] <= 0).all() and (self.band[:, 2] >= 0).all())


def bias(values: ArrayLike, reference: float, *, confidence: float = 0.95) -> Bias:
    """Estimate the bias of at least 2 readings of one part of known size."""
    readings = np.asarray(values, np.float64)
    return _bias(readings, reference, readings - reference, confidence)


def _bias(readings: Numbers, reference: float, errors: Numbers, confidence: float) -> Bias:
    count = len(errors)
    sigma = float(errors.std(ddof=1))
    error = sigma / float(np.sqrt(count))
    half = error * float(stdtrit(count - 1, (1 + confidence) / 2))
    off = float(errors.mean())
    t = off / error if error > 1e-12 * float(np.abs(readings).max()) else None
    p = None if t is None else 2 * float(stdtr(count - 1, -abs(t)))
    return Bias(reference, count, reference + off, sigma, off - half, off + half, t, p)


def type_one(
    values: ArrayLike,
    reference: float,
    *,
    tolerance: float | None = None,
    share: float = 20.0,
    confidence: float = 0.95,
) -> TypeOne:
    """Study one part of known size, read again and again.

    Cg = K T / (6 s) and Cgk = (K T / 2 - |bias|) / (3 s), with K `share` percent, T the tolerance and s the standard
    deviation of the readings: VDA 5, 3rd ed. 2021, and Minitab's type 1 gauge study.

    Raises:
        UsageError: a tolerance or share that makes no sense.
        FlawlineError: ("gauge-few") fewer than 10 readings.
    """
    readings = np.asarray(values, np.float64)
    if len(readings) < FEWEST_TYPE_ONE:
        raise FlawlineError(
            f"a type 1 study needs at least {FEWEST_TYPE_ONE} readings of one part, got {len(readings)}",
            hint="50 are usual; or name the column of parts with `part`",
            code="gauge-few",
        )
    if tolerance is not None and not (np.isfinite(tolerance) and tolerance > 0):
        raise UsageError(f"`tolerance` is a width above 0, got {tolerance:g}")
    if not 0 < share <= 100:
        raise UsageError(f"`share` is a percentage above 0, up to 100, got {share:g}")
    found = bias(readings, reference, confidence=confidence)
    if tolerance is None or found.t is None:
        return TypeOne(found, tolerance, share, None, None)
    room = share / 100 * tolerance
    cg = room / (6 * found.sigma)
    cgk = (room / 2 - abs(found.value)) / (3 * found.sigma)
    return TypeOne(found, tolerance, share, cg, cgk)


def linearity(values: ArrayLike, reference: ArrayLike, *, confidence: float = 0.95) -> Linearity:
    """Fit the bias of readings (N,) against the reference (N,) of their part.

    AIAG, "Measurement Systems Analysis", 4th ed. 2010, chapter III section B, guidelines for linearity.

    Raises:
        FlawlineError: ("gauge-few") fewer than 2 references, or fewer than 2 readings of one.
    """
    readings, true = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    levels, counts = np.unique(true, return_counts=True)
    if len(levels) < 2 or counts.min() < 2 or len(readings) < 4:
        raise FlawlineError(
            "linearity needs parts of at least 2 known sizes, each read at least twice",
            hint="5 parts over the range of the process, each read 12 times, are usual",
            code="gauge-few",
        )
    errors = readings - true
    biases = tuple(bias(readings[true == one], float(one), confidence=confidence) for one in levels)
    centre, spread = float(true.mean()), float(((true - true.mean()) ** 2).sum())
    slope = float((true - centre) @ errors) / spread
    intercept = float(errors.mean()) - slope * centre
    rest = errors - intercept - slope * true
    degrees = len(errors) - 2
    sigma = float(np.sqrt(rest @ rest / degrees))
    whole = float(((errors - errors.mean()) ** 2).sum())
    grid = np.linspace(levels[0], levels[-1], 61)
    half = float(stdtrit(degrees, (1 + confidence) / 2)) * sigma
    half_widths = half * np.sqrt(1 / len(errors) + (grid - centre) ** 2 / spread)
    line = intercept + slope * grid
    at_zero = sigma * float(np.sqrt(1 / len(errors) + centre**2 / spread))
    return Linearity(
        biases,
        _bias(readings, centre, errors, confidence),
        slope,
        intercept,
        1 - float(rest @ rest) / whole if whole else 0.0,
        _p(slope, sigma / float(np.sqrt(spread)), degrees),
        _p(intercept, at_zero, degrees),
        sigma,
        np.stack([grid, line - half_widths, line + half_widths], axis=1),
    )


def _p(value: float, error: float, degrees: int) -> float | None:
    return 2 * float(stdtr(degrees, -abs(value / error))) if error > 0 else None
