"""Study the capability of a series; summarise it as text and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy.special import bdtrc

from flawline.core.basis_verdict import BasisVerdict, capability_verdict
from flawline.core.spc.autocorrelation import autocorrelation
from flawline.core.spc.capability import capability
from flawline.core.spc.capability_values import Capability, Outside, SpecLimits
from flawline.core.spc.chart_points import Subgroups, neighbours
from flawline.core.spc.charts_time_weighted import LARGEST_RANGE
from flawline.core.spc.charts_variables import means
from flawline.core.spc.stability import Stability, judge_stability
from flawline.core.spc.tolerance import ToleranceInterval, tolerance_interval
from flawline.core.spc.transform_choice import REFUSED, choose_transform, normality
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import NONE, transform_as_dict
from flawline.core.words import counted
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import place
from flawline.jobs.chart.series import Series

_DIGITS = 10
_BEYOND = 0.0027
# Numbers of parts per million below it are the tail of a curve and no forecast.
_LEAST_PPM = 0.01


@dataclass(frozen=True, slots=True)
class CapabilityStudy:
    """A series, its capability against a specification, its control chart and notes.

    `departure` is A*² of the values under the distribution on which the indices are based. `tolerance` is None where
    the process is not in control, or the distribution has none.
    """

    series: Series
    capability: Capability
    chart: ControlChart
    stability: Stability
    departure: float
    tolerance: ToleranceInterval | None
    notes: tuple[str, ...]

    @property
    def verdict(self) -> BasisVerdict:
        """Say whether the study rests on enough to be used."""
        return capability_verdict(
            tuple(self.stability.reasons), self.capability.count, fits=self.fits
        )

    @property
    def fits(self) -> bool:
        """Whether the values pass the Anderson-Darling test of their distribution at 1 %."""
        return self.departure <= REFUSED


def study_capability(
    series: Series,
    spec: SpecLimits,
    *,
    transform: str = "auto",
    within: str = "auto",
    confidence: float = 0.95,
    coverage: float = 0.99,
) -> CapabilityStudy:
    """Estimate the capability of a series, with its control chart and with notes, such as the reason for a transform.

    Raises:
        UsageError, FlawlineError: as `core.capability.capability`, or a transform that cannot be fitted.
    """
    points = series.points
    if not isinstance(points, Subgroups):
        raise UsageError("expected measurements for a capability study, got counts")
    name, reasons = _transform(points, transform)
    fitted = NONE if name == "none" else fit_transform(points.values, name)
    study = capability(points, spec, transform=fitted, within=within, confidence=confidence)
    chart = _chart(series, points, name)
    stage = chart.stages[0]
    stability = judge_stability(
        points, stage.panels, stage.limits.sigma, lambda point: place(chart, point)
    )
    notes = (*series.notes, *reasons, *_chance(chart, stability), *_alike(points), *study.notes)
    departure = normality(points.values, fitted)
    tolerance = tolerance_interval(
        points.values,
        fitted,
        sides=(spec.lower is not None, spec.upper is not None),
        share=coverage,
        confidence=confidence,
    )
    promised = tolerance if stability.stable and departure <= REFUSED else None
    return CapabilityStudy(series, study, chart, stability, departure, promised, notes)


def _transform(points: Subgroups, name: str) -> tuple[str, tuple[str, ...]]:
    """Name the transform that is asked for, or that "auto" chooses, with the reason."""
    if name != "auto":
        return name, () if name == "none" else (f"transform {name}, as asked",)
    try:
        choice = choose_transform(points.values)
    except FlawlineError:
        return "none", ()  # the study reports what is wrong with the values
    # A distribution that does not pass its test promises nothing: the values are taken as they are.
    return choice.transform.name if choice.passes else "none", (choice.reason,)


def _chart(series: Series, points: Subgroups, transform: str) -> ControlChart:
    """Chart the series as its sigma within goes: individuals, or means with ranges or standard deviations."""
    series = replace(series, notes=())
    if points.sizes.max() == 1:
        return chart_series(series, "i-mr", estimation=Estimation(transform=transform))
    return chart_series(series, "xbar-r" if points.sizes.max() <= LARGEST_RANGE else "xbar-s")


def _chance(chart: ControlChart, stability: Stability) -> tuple[str, ...]:
    """Note points beyond the limits that are no more than chance makes in so many."""
    level = chart.stages[0].panels[0].name
    beyond = sum(len(one.points) for one in chart.signals if one.panel == level)
    if not beyond or not stability.stable:
        return ()
    count = len(chart.series.labels)
    chance = 100 * float(bdtrc(beyond - 1, count, _BEYOND))
    return (
        f"{counted(beyond, 'point')} of {count} beyond the control limits may be chance, as in {chance:.0f} % of "
        "stable processes; look for a cause all the same",
    )


def _alike(points: Subgroups) -> tuple[str, ...]:
    """Note where each point resembles the one before: sigma within then misses most of the variation."""
    every = np.ones(len(points), dtype=bool)
    found = autocorrelation(means(points), every, neighbours(points, every))
    if found is None or not found.marked:
        return ()
    return (
        f"each point resembles the one before (autocorrelation {found.value:.2f}; chance makes at most "
        f"{found.by_chance:.2f}), so that the C indices are too good: judge by the P indices",
    )


def capability_finding(found: CapabilityStudy) -> str:
    """Summarise the study in one or two sentences: first whether the process is in control.

    Parts per million are forecast only for a stable process whose values fit their distribution.
    """
    study, unit = found.capability, found.series.unit
    promised = found.stability.stable and found.fits
    name = "Cpk" if promised and "Cpk" in study.indices else "Ppk"
    index = study.indices[name]
    sure = f"{100 * study.confidence:g} % interval {index.low:.2f} to {index.high:.2f}"
    value = f"{index.value:.2f} ({sure})"
    observed = round(study.observed.total * study.count / 1e6)
    outside = f"{observed} of {study.count}"
    spec = specification(study.spec, unit)
    if not found.stability.stable:
        return (
            f"Not in control: {found.stability.reasons[0]}. Ppk was {value}, and {outside} were outside the "
            f"specification, {spec}; that is no forecast."
        )
    if not found.fits:
        return (
            f"Ppk is {value}, roughly: the values do not fit a {distribution(study)} (A² {found.departure:.2f}), so "
            f"that no share outside the specification, {spec}, can be forecast; {outside} were."
        )
    expected = study.expected_within or study.expected_overall
    few = "" if found.verdict.usable == "yes" else f"{found.verdict.text}. "
    return (
        f"{few}{name} is {value}: {ppm(expected.total)} parts per million are expected outside "
        f"the specification, {spec}; {outside} were."
    )


def distribution(study: Capability) -> str:
    """Name the distribution on which the indices are based."""
    names = {"none": "normal", "log": "lognormal", "weibull": "Weibull"}
    name = names.get(study.transform.name, study.transform.name)
    zeros = " with zeros" if study.transform.zeros else ""
    return f"{name} distribution{zeros}"


def specification(spec: SpecLimits, unit: str = "", digits: int = 6) -> str:
    """Format a specification as text."""
    tail = f" {unit}" if unit else ""
    if spec.lower is None:
        return f"at most {spec.upper:.{digits}g}{tail}"
    if spec.upper is None:
        return f"at least {spec.lower:.{digits}g}{tail}"
    return f"{spec.lower:.{digits}g} to {spec.upper:.{digits}g}{tail}"


def capability_as_dict(found: CapabilityStudy) -> dict[str, Any]:
    """Build the JSON document that `flawline study capability` prints."""
    series, study = found.series, found.capability
    return {
        "measure": series.measure,
        "unit": series.unit,
        "verdict": found.verdict.text,
        "usable": found.verdict.usable,
        "finding": capability_finding(found),
        "in_control": found.stability.stable,
        "out_of_control": list(found.stability.reasons),
        "count": study.count,
        "subgroups": len(series.labels),
        "mean": _round(study.mean),
        "sigma_within": None if study.sigma_within is None else _round(study.sigma_within),
        "within": study.within,
        "sigma_overall": _round(study.sigma_overall),
        "specification": asdict(study.spec),
        "transform": transform_as_dict(study.transform),
        "fit": {"a_squared": _round(found.departure), "passes": found.fits},
        "confidence": study.confidence,
        "indices": {
            name: {"value": _round(i.value), "low": _round(i.low), "high": _round(i.high)}
            for name, i in study.indices.items()
        },
        "ppm": {
            "observed": _outside(study.observed),
            "expected_within": _outside(study.expected_within),
            "expected_overall": _outside(study.expected_overall),
        },
        "tolerance_interval": None if found.tolerance is None else asdict(found.tolerance),
        "notes": list(found.notes),
        "skipped": [{"label": row.label, "reason": row.reason} for row in series.skipped],
    }


def _outside(outside: Outside | None) -> dict[str, float | None] | None:
    if outside is None:
        return None
    sides = {"below": outside.below, "above": outside.above, "total": outside.total}
    return {name: None if value is None else _round(value) for name, value in sides.items()}


def tolerance(found: CapabilityStudy) -> str:
    """Format the tolerance interval."""
    interval, unit = found.tolerance, found.series.unit
    if interval is None:
        return "none"
    edges = specification(SpecLimits(interval.low, interval.high), unit, digits=4)
    return f"{edges}, for {100 * interval.share:g} % of the parts with {100 * interval.confidence:g} % confidence"


def ppm(value: float) -> str:
    """Format parts per million; what is next to nothing is not given in digits."""
    if 0 < value < _LEAST_PPM:
        return f"less than {_LEAST_PPM:g}"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") + 0.0
