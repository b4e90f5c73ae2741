"""Describe a study of capability for its report."""

from __future__ import annotations

from typing import Any

from flawline.core.spc.capability_values import Capability, Outside
from flawline.core.spc.transform_choice import REFUSED
from flawline.core.spc.transforms import transform_as_dict
from flawline.jobs.study.capability_figure import drawings
from flawline.jobs.study.capability_study import (
    CapabilityStudy,
    capability_as_dict,
    capability_finding,
    distribution,
    ppm,
    specification,
    tolerance,
)
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

_CAPTIONS = {
    "individuals": "Each measurement with its control limits (dashed); squares are points with a signal.",
    "mean": "The mean of each subgroup with its control limits (dashed); squares are points with a signal.",
    "moving range": "The difference of each measurement from the one before.",
    "range": "The range of each subgroup.",
    "standard deviation": "The standard deviation of each subgroup.",
    "last": "The last measurements one by one, and the mean of all.",
    "histogram": "The measurements, the specification (dashed), and the curves on which the indices are based.",
    "probability": "The measurements by rank. They follow the line where they fit it; 95 % lie in the band.",
}
_FIT_LIMIT = f" (at most {REFUSED:.2f})"


_MEANING = (
    "C indices compare the specification with the variation within subgroups (or from one part to the next): what the "
    "process could do at a stable level. P indices compare it with the variation of all measurements: what the process "
    "did. Cp and Pp ignore where the process is centred, Cpk and Ppk use the nearer limit. An index predicts the "
    "future only for a process in control."
)


def capability_report(found: CapabilityStudy) -> Study:
    """Describe a study of capability for its report."""
    series, study = found.series, found.capability
    figures = drawings(found).items()
    return Study(
        name="capability",
        title=f"Capability of {series.measure}",
        subtitle=f"{study.count} measurements against {specification(study.spec, series.unit)}.",
        finding=capability_finding(found),
        verdict=found.verdict,
        numbers=capability_as_dict(found),
        facts=_settings(found),
        tables=(_index_table(study), _outside_table(found)),
        figures=tuple(StudyFigure(name, _caption(name), draw) for name, draw in figures),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=series.skipped,
        meaning=_MEANING,
    )


def _assumptions(found: CapabilityStudy) -> tuple[Assumption, ...]:
    stable = found.stability.stable
    reasons = "; ".join(found.stability.reasons)
    fit = f"A² {found.departure:.2f}, at most {REFUSED:.2f} for a {distribution(found.capability)}"
    return (
        Assumption(
            "the process is in control",
            "holds" if stable else "does not",
            "no more signals on its control chart than chance makes"
            if stable
            else f"{reasons}. Its past says nothing about its future: look for the causes first",
        ),
        Assumption(
            "the measurements fit the distribution on which the indices are based",
            "holds" if found.fits else "does not",
            fit if found.fits else f"{fit}; the probability plot shows where they leave it",
        ),
        Assumption(
            "what is measured is right",
            "not checked",
            "a gauge that scatters widens every sigma",
        ),
    )


def _index_table(study: Capability) -> StudyTable:
    interval = f"{100 * study.confidence:g} % interval"
    rows = tuple(
        (name, f"{index.value:.2f}", f"{index.low:.2f} to {index.high:.2f}")
        for name, index in study.indices.items()
    )
    names = ("index", "value", interval)
    return StudyTable("Indices", names, rows, frozenset(names[1:]), printed=True)


def _outside_table(found: CapabilityStudy) -> StudyTable:
    names = ("by", "below", "above", "together")
    rows = tuple(
        (row["name"], row["below"], row["above"], row["total"])
        for row in _outside_rows(found.capability)
    )
    why = "the measurements do not fit the distribution"
    why = why if found.stability.stable else "the process is not in control"
    promised = found.stability.stable and found.fits
    text = "" if promised else f"Parts per million by a curve are no forecast here: {why}."
    return StudyTable("parts per million outside", names, rows, frozenset(names[1:]), note=text)


def _caption(title: str) -> str:
    return next(text for name, text in _CAPTIONS.items() if title.startswith(name))


def _outside_rows(study: Capability) -> list[dict[str, Any]]:
    named = (
        ("observed", study.observed),
        ("the curve within", study.expected_within),
        ("the curve overall", study.expected_overall),
    )
    return [_outside_row(name, outside) for name, outside in named if outside is not None]


def _outside_row(name: str, outside: Outside) -> dict[str, Any]:
    def text_of(value: float | None) -> str:
        # Three columns of words do not fit on a phone.
        return "no limit" if value is None else ppm(value).replace("less than", "<")

    return {
        "name": name,
        "below": text_of(outside.below),
        "above": text_of(outside.above),
        "total": text_of(outside.total),
    }


def _settings(found: CapabilityStudy) -> dict[str, str]:
    study, unit = found.capability, found.series.unit
    tail = f" {unit}" if unit else ""
    within = "none on the measure's own scale"
    if study.sigma_within is not None:
        within = f"{study.sigma_within:.4g}{tail}, by {study.within}"
    fit = "fits" if found.fits else "does not fit"
    parameters = ", ".join(
        f"{name} {value:.4g}"
        for name, value in transform_as_dict(study.transform).items()
        if name != "name"
    )
    return {
        "measurements": f"{study.count} in {len(found.series.labels)} subgroups"
        if study.count > len(found.series.labels)
        else f"{study.count}",
        "specification": specification(study.spec, unit),
        "target": "none" if study.spec.target is None else f"{study.spec.target:g}{tail}",
        "mean": f"{study.mean:.4g}{tail}",
        "sigma within": within,
        "sigma overall": f"{study.sigma_overall:.4g}{tail}",
        "distribution": f"{distribution(study)}{f' ({parameters})' if parameters else ''}",
        "fit": f"{fit}, A² {found.departure:.2f}{_FIT_LIMIT}",
        "in control": "yes" if found.stability.stable else "no",
        "tolerance interval": tolerance(found),
    }
