"""Study the capability of a series; summarise it as text and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from flawline.core.spc.capability import capability
from flawline.core.spc.capability_values import Capability, Outside, SpecLimits
from flawline.core.spc.chart_points import Subgroups
from flawline.core.spc.transform_choice import choose_transform
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import NONE, Transform, transform_as_dict
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.series import Series

_DIGITS = 10


@dataclass(frozen=True, slots=True)
class CapabilityStudy:
    """A series, its capability against a specification, and notes."""

    series: Series
    capability: Capability
    notes: tuple[str, ...]


def study_capability(
    series: Series, spec: SpecLimits, *, transform: str = "auto", confidence: float = 0.95
) -> tuple[Capability, tuple[str, ...]]:
    """Estimate the capability of a series; returns it with notes, such as the reason for the transform.

    Raises:
        UsageError, FlawlineError: as `core.capability.capability`, or a transform that cannot be fitted.
    """
    if not isinstance(series.points, Subgroups):
        raise UsageError("expected measurements for a capability study, got counts")
    fitted, reasons = _transform(series.points, transform)
    study = capability(series.points, spec, transform=fitted, confidence=confidence)
    return study, (*series.notes, *reasons, *study.notes)


def _transform(points: Subgroups, name: str) -> tuple[Transform, tuple[str, ...]]:
    if name == "none":
        return NONE, ()
    if name != "auto":
        return fit_transform(points.values, name), (f"transform {name}, as asked",)
    try:
        choice = choose_transform(points.values)
    except FlawlineError:
        return NONE, ()  # the study reports what is wrong with the values
    return choice.transform, (choice.reason,)


def capability_finding(study: Capability, unit: str = "") -> str:
    """Summarise the study in one or two sentences."""
    name = "Cpk" if "Cpk" in study.indices else "Ppk"
    index = study.indices[name]
    expected = study.expected_within or study.expected_overall
    sure = f"{100 * study.confidence:g} % interval {index.low:.2f} to {index.high:.2f}"
    observed = round(study.observed.total * study.count / 1e6)
    return (
        f"{name} is {index.value:.2f} ({sure}): {_ppm(expected.total)} parts per million are expected outside "
        f"the specification, {specification(study.spec, unit)}; {observed} of {study.count} were."
    )


def specification(spec: SpecLimits, unit: str = "") -> str:
    """Format a specification as text."""
    tail = f" {unit}" if unit else ""
    if spec.lower is None:
        return f"at most {spec.upper:g}{tail}"
    if spec.upper is None:
        return f"at least {spec.lower:g}{tail}"
    return f"{spec.lower:g} to {spec.upper:g}{tail}"


def capability_as_dict(series: Series, study: Capability, notes: tuple[str, ...]) -> dict[str, Any]:
    """Build the JSON document that `flawline study capability` prints."""
    return {
        "measure": series.measure,
        "unit": series.unit,
        "finding": capability_finding(study, series.unit),
        "count": study.count,
        "mean": _round(study.mean),
        "sigma_within": None if study.sigma_within is None else _round(study.sigma_within),
        "sigma_overall": _round(study.sigma_overall),
        "specification": asdict(study.spec),
        "transform": transform_as_dict(study.transform),
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
        "notes": list(notes),
        "skipped": [{"label": row.label, "reason": row.reason} for row in series.skipped],
    }


def _outside(outside: Outside | None) -> dict[str, float | None] | None:
    if outside is None:
        return None
    sides = {"below": outside.below, "above": outside.above, "total": outside.total}
    return {name: None if value is None else _round(value) for name, value in sides.items()}


def _ppm(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") + 0.0
