"""Process capability: Cp, Cpk, Pp, Ppk, Cpm with intervals, and parts per million outside the specification."""

from __future__ import annotations

import numpy as np

from flawline.core.spc.capability_intervals import (
    distance_interval,
    ratio_interval,
    target_interval,
)
from flawline.core.spc.capability_percentiles import transformed_capability
from flawline.core.spc.capability_values import (
    Capability,
    Index,
    SpecLimits,
    expected_outside,
    observed_outside,
    study_notes,
)
from flawline.core.spc.capability_within import estimate_within
from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.transforms import NONE, Transform
from flawline.errors import FlawlineError, UsageError

FEWEST = 10


def capability(
    points: Subgroups,
    spec: SpecLimits,
    *,
    transform: Transform = NONE,
    within: str = "auto",
    confidence: float = 0.95,
) -> Capability:
    """Estimate the capability of a process from measurements in time order.

    Under a transform, the quantiles at 0.135 %, 50 % and 99.865 % of the fitted distribution take the
    place of the mean and 3 sigma (ISO 22514-4), and the intervals come from 400 resamples with a fixed seed.

    Args:
        points: the measurements.
        spec: the specification limits.
        transform: `NONE`, or one that was fitted to them (core.transform_choice).
        within: how sigma within is estimated, one of `WITHIN` of capability_within.
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
    if transform != NONE:
        return transformed_capability(points, spec, transform, confidence)
    return _normal(points, spec, within, confidence)


def _normal(points: Subgroups, spec: SpecLimits, how: str, confidence: float) -> Capability:
    x = points.values
    mean, overall = float(x.mean()), float(x.std(ddof=1))
    estimator, within, degrees = estimate_within(points, how)
    indices = {
        **_indices("C", spec, mean, within, len(x), degrees, confidence),
        **_indices("P", spec, mean, overall, len(x), len(x) - 1, confidence),
    }
    if spec.target is not None and spec.lower is not None and spec.upper is not None:
        off = (mean - spec.target) / overall
        value = (spec.upper - spec.lower) / (6 * overall * float(np.sqrt(1 + off**2)))
        indices["Cpm"] = Index(value, *target_interval(value, len(x), off, confidence))
    return Capability(
        count=len(x),
        mean=mean,
        sigma_within=within,
        within=estimator,
        sigma_overall=overall,
        centre=mean,
        scale=overall,
        spec=spec,
        transform=NONE,
        confidence=confidence,
        indices=indices,
        observed=observed_outside(x, spec),
        expected_overall=expected_outside(spec, lambda edge: (edge - mean) / overall),
        expected_within=expected_outside(spec, lambda edge: (edge - mean) / within),
        notes=study_notes(len(x), spec),
    )


def _indices(
    letter: str,
    spec: SpecLimits,
    mean: float,
    sigma: float,
    count: int,
    degrees: float,
    confidence: float,
) -> dict[str, Index]:
    """Compute the indices of one sigma.

    D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed., equations 8.4 to 8.9.
    """
    indices: dict[str, Index] = {}
    sides: list[float] = []
    if spec.lower is not None and spec.upper is not None:
        value = (spec.upper - spec.lower) / (6 * sigma)
        indices[f"{letter}p"] = Index(value, *ratio_interval(value, degrees, confidence))
    for name, edge, direction in (("l", spec.lower, -1), ("u", spec.upper, 1)):
        if edge is not None:
            value = direction * (edge - mean) / (3 * sigma)
            sides.append(value)
            interval = distance_interval(value, count, degrees, confidence)
            indices[f"{letter}p{name}"] = Index(value, *interval)
    worst = min(sides)
    interval = distance_interval(worst, count, degrees, confidence)
    return indices | {f"{letter}pk": Index(worst, *interval)}
