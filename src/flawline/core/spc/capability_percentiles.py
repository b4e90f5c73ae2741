"""Capability of measures that are not normal, by the percentiles of a fitted distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.capability_values import (
    Capability,
    Index,
    SpecLimits,
    expected_outside,
    observed_outside,
    study_notes,
)
from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import Transform, apply, is_standard, revert
from flawline.errors import FlawlineError

_RESAMPLES = 400


def transformed_capability(
    points: Subgroups, spec: SpecLimits, transform: Transform, confidence: float
) -> Capability:
    x = points.values
    values = _percentile_indices(x, spec, transform)
    # A fixed seed: the same data give the same interval.
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
        within="none",
        sigma_overall=float(x.std(ddof=1)),
        centre=centre,
        scale=sigma,
        spec=spec,
        transform=transform,
        confidence=confidence,
        indices=indices,
        observed=observed_outside(x, spec),
        expected_overall=expected_outside(
            spec, lambda edge: (edge_score(transform, edge) - centre) / sigma
        ),
        expected_within=None,
        notes=(
            "sigma within subgroups has no meaning on the measure's own scale: only the overall indices are given",
            *study_notes(len(x), spec),
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
    """Compute the mean and deviation of the scores: 0 and 1 where a whole distribution was fitted to the values.

    Its percentiles are those of the scores -3, 0 and 3. Log, Box-Cox and Johnson only make the values normal.
    """
    if is_standard(transform) or transform.name in ("weibull", "gamma"):
        return 0.0, 1.0
    scores = apply(transform, x)
    return float(scores.mean()), float(scores.std(ddof=1))


def _percentile_indices(
    x: NDArray[np.float64], spec: SpecLimits, transform: Transform
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
            hint="give `usl`",
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
    """Transform one number to its score; minus infinity below the domain of the transform."""
    try:
        return float(apply(transform, np.array([edge]))[0])
    except ValueError:
        return -np.inf  # nothing lies below zero under a transform of numbers above zero
