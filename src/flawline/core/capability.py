"""Whether a process can hold its specification: Cp, Cpk, Pp, Ppk with intervals, and parts per million outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from flawline.core.capability_intervals import (
    degrees_of_moving_ranges,
    degrees_of_ranges,
    distance_interval,
    ratio_interval,
    target_interval,
)
from flawline.core.chart_points import Subgroups
from flawline.core.charts_time_weighted import estimate_time_weighted
from flawline.core.transform_choice import fit_transform
from flawline.core.transforms import NONE, Transform, apply, is_standard, revert
from flawline.errors import FlawlineError, UsageError

FEWEST = 10
LARGEST_RANGE = 10
_RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Spec:
    """The limits of a specification in units of the measure; one of them may be missing. `target` is what is aimed at.

    Raises:
        UsageError: no limit, limits the wrong way round or not finite, or a target outside them.
    """

    lower: float | None = None
    upper: float | None = None
    target: float | None = None

    def __post_init__(self) -> None:
        """Refuse a specification that nothing can be held against."""
        given = [edge for edge in (self.lower, self.upper, self.target) if edge is not None]
        if self.lower is None and self.upper is None:
            raise UsageError(
                "capability needs a specification limit, got none", hint="give --lsl, --usl or both"
            )
        if not all(np.isfinite(given)):
            raise UsageError(f"specification limits must be finite, got {given}")
        low = -np.inf if self.lower is None else self.lower
        high = np.inf if self.upper is None else self.upper
        if low >= high:
            raise UsageError(
                f"the lower specification limit {low:g} must be below the upper one {high:g}"
            )
        if self.target is not None and not low <= self.target <= high:
            raise UsageError(f"the target {self.target:g} lies outside the specification")


@dataclass(frozen=True, slots=True)
class Index:
    """A capability index and its two-sided interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outside:
    """Parts per million below the lower and above the upper specification limit; None where there is no limit."""

    below: float | None
    above: float | None

    @property
    def total(self) -> float:
        """Parts per million outside."""
        return (self.below or 0.0) + (self.above or 0.0)


@dataclass(frozen=True, slots=True)
class Capability:
    """A capability study.

    `indices` are by name: "Cp", "Cpk", "Cpl", "Cpu" from sigma within subgroups, "Pp", "Ppk", "Ppl", "Ppu" from the
    standard deviation of all values, "Cpm" where a target was given. What does not exist for a one-sided specification
    is not there. Under a transform only the overall indices are given and `expected_within` is None; `centre` and
    `scale` are mean and deviation of the transformed values.
    """

    count: int
    mean: float
    sigma_within: float | None
    sigma_overall: float
    centre: float
    scale: float
    spec: Spec
    transform: Transform
    confidence: float
    indices: Mapping[str, Index]
    observed: Outside
    expected_overall: Outside
    expected_within: Outside | None
    notes: tuple[str, ...]


def capability(
    points: Subgroups,
    spec: Spec,
    *,
    transform: Transform = NONE,
    confidence: float = 0.95,
) -> Capability:
    """Capability of measurements in time order.

    Sigma within is the mean moving range over d2 for single measurements, else the mean of R / d2 (subgroups of up to
    10) or s / c4. Under a transform, the quantiles at 0.135 %, 50 % and 99.865 % of the fitted distribution take the
    place of the mean and 3 sigma (ISO 22514-4), and the intervals come from 400 resamples with a fixed seed.

    Args:
        points: the measurements.
        spec: what they are held against.
        transform: `NONE`, or one that was fitted to them (core.transform_choice).
        confidence: of the intervals, above 0 and below 1.

    Raises:
        UsageError: a confidence outside 0 to 1.
        FlawlineError: fewer than 10 values, or values that do not vary.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"the confidence must be above 0 and below 1, got {confidence:g}")
    x = points.values
    if len(x) < FEWEST or np.ptp(x) <= 1e-12 * max(1.0, float(np.abs(x).max())):
        what = f"{len(x)} values" if len(x) < FEWEST else f"{len(x)} equal values"
        raise FlawlineError(
            f"capability needs at least {FEWEST} values that vary, got {what}",
            hint="some 100 values from a process in control give a useful interval",
            code="chart",
        )
    return (_normal if transform == NONE else _transformed)(points, spec, transform, confidence)


def _normal(points: Subgroups, spec: Spec, transform: Transform, confidence: float) -> Capability:
    x = points.values
    mean, overall = float(x.mean()), float(x.std(ddof=1))
    keep = np.ones(len(points), dtype=bool)
    _, within = estimate_time_weighted(points, NONE, keep)
    indices = {
        **_indices("C", spec, mean, within, len(x), _degrees(points), confidence),
        **_indices("P", spec, mean, overall, len(x), len(x) - 1, confidence),
    }
    if spec.target is not None and spec.lower is not None and spec.upper is not None:
        off = (mean - spec.target) / overall
        value = (spec.upper - spec.lower) / (6 * overall * np.sqrt(1 + off**2))
        indices["Cpm"] = Index(value, *target_interval(value, len(x), off, confidence))
    return Capability(
        count=len(x),
        mean=mean,
        sigma_within=within,
        sigma_overall=overall,
        centre=mean,
        scale=overall,
        spec=spec,
        transform=NONE,
        confidence=confidence,
        indices=indices,
        observed=_observed(x, spec),
        expected_overall=_expected(spec, lambda edge: (edge - mean) / overall),
        expected_within=_expected(spec, lambda edge: (edge - mean) / within),
        notes=_notes(len(x), spec),
    )


def _degrees(points: Subgroups) -> float:
    if points.sizes.max() == 1:
        return degrees_of_moving_ranges(len(points))
    several = points.sizes[points.sizes > 1]
    return degrees_of_ranges(several, by_range=bool(several.max() <= LARGEST_RANGE))


def _indices(
    letter: str,
    spec: Spec,
    mean: float,
    sigma: float,
    count: int,
    degrees: float,
    confidence: float,
) -> dict[str, Index]:
    """D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed., equations 8.4 to 8.9."""
    found: dict[str, Index] = {}
    sides: list[float] = []
    if spec.lower is not None and spec.upper is not None:
        value = (spec.upper - spec.lower) / (6 * sigma)
        found[f"{letter}p"] = Index(value, *ratio_interval(value, degrees, confidence))
    for name, edge, direction in (("l", spec.lower, -1), ("u", spec.upper, 1)):
        if edge is not None:
            value = direction * (edge - mean) / (3 * sigma)
            sides.append(value)
            interval = distance_interval(value, count, degrees, confidence)
            found[f"{letter}p{name}"] = Index(value, *interval)
    worst = min(sides)
    interval = distance_interval(worst, count, degrees, confidence)
    return found | {f"{letter}pk": Index(worst, *interval)}


def _transformed(
    points: Subgroups, spec: Spec, transform: Transform, confidence: float
) -> Capability:
    x = points.values
    values = _percentile_indices(x, spec, transform)
    # The same draws each time: an interval is a property of the data.
    draws = np.random.default_rng(0).integers(0, len(x), (_RESAMPLES, len(x)))
    resampled: dict[str, list[float]] = {name: [] for name in values}
    for draw in draws:
        try:
            refitted = fit_transform(x[draw], _family(transform))
            again = _percentile_indices(x[draw], spec, refitted)
        except (FlawlineError, ValueError):
            continue
        for name, value in again.items():
            resampled[name].append(value)
    tail = (1 - confidence) / 2
    indices = {
        name: Index(value, *_quantiles(resampled[name], value, tail))
        for name, value in values.items()
    }
    centre, sigma = _scale(x, transform)
    return Capability(
        count=len(x),
        mean=float(x.mean()),
        sigma_within=None,
        sigma_overall=float(x.std(ddof=1)),
        centre=centre,
        scale=sigma,
        spec=spec,
        transform=transform,
        confidence=confidence,
        indices=indices,
        observed=_observed(x, spec),
        expected_overall=_expected(
            spec, lambda edge: (edge_score(transform, edge) - centre) / sigma
        ),
        expected_within=None,
        notes=(
            "sigma within subgroups has no meaning on the measure's own scale: only the overall indices are given",
            *_notes(len(x), spec),
        ),
    )


def _family(transform: Transform) -> str:
    return transform.name.split("-s")[0] if transform.name.startswith("johnson") else transform.name


def _quantiles(values: list[float], value: float, tail: float) -> tuple[float, float]:
    if len(values) < _RESAMPLES // 2:
        return value, value
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(min(low, value)), float(max(high, value))


def _scale(x: NDArray[np.float64], transform: Transform) -> tuple[float, float]:
    """Mean and deviation of the scores: 0 and 1 where a share of zeros was fitted along with the rest."""
    if is_standard(transform):
        return 0.0, 1.0
    scores = apply(transform, x)
    return float(scores.mean()), float(scores.std(ddof=1))


def _percentile_indices(
    x: NDArray[np.float64], spec: Spec, transform: Transform
) -> dict[str, float]:
    centre, sigma = _scale(x, transform)
    low, median, high = revert(transform, centre + sigma * np.array([-3.0, 0.0, 3.0])).tolist()
    found: dict[str, float] = {}
    if spec.lower is not None and spec.upper is not None:
        found["Pp"] = (spec.upper - spec.lower) / _above_zero(high - low)
    if spec.lower is not None and (median > low or spec.lower > 0):
        found["Ppl"] = (median - spec.lower) / _above_zero(median - low)
    if spec.upper is not None:
        found["Ppu"] = (spec.upper - median) / _above_zero(high - median)
    sides = [found[name] for name in ("Ppl", "Ppu") if name in found]
    if not sides:
        raise FlawlineError(
            "no measure lies below the median, so that a lower limit alone says nothing",
            hint="give --usl",
            code="chart",
        )
    return found | {"Ppk": min(sides)}


def _above_zero(width: float) -> float:
    if width <= 0:
        raise FlawlineError(
            "the fitted distribution has no width on one side of its median", code="chart"
        )
    return width


def edge_score(transform: Transform, edge: float) -> float:
    """The score of any number: minus infinity below what the transform takes."""
    try:
        return float(apply(transform, np.array([edge]))[0])
    except ValueError:
        return -np.inf  # nothing lies below zero under a transform of numbers above zero


def _expected(spec: Spec, score: Callable[[float], float]) -> Outside:
    below = None if spec.lower is None else 1e6 * float(ndtr(score(spec.lower)))
    above = None if spec.upper is None else 1e6 * float(ndtr(-score(spec.upper)))
    return Outside(below, above)


def _observed(x: NDArray[np.float64], spec: Spec) -> Outside:
    below = None if spec.lower is None else 1e6 * float((x < spec.lower).mean())
    above = None if spec.upper is None else 1e6 * float((x > spec.upper).mean())
    return Outside(below, above)


def _notes(count: int, spec: Spec) -> tuple[str, ...]:
    notes = []
    if spec.lower is None or spec.upper is None:
        notes.append(
            "the specification is one-sided: Cp and Pp, which need both limits, do not exist"
        )
    if count < 30:
        notes.append(f"{count} values are few: the intervals are approximate and wide")
    return tuple(notes)
