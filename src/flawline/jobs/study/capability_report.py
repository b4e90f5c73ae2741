"""Write the report of a capability study: self-contained HTML, a sixpack as SVG and PNG, and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.core.spc.capability_values import Capability, Outside
from flawline.core.spc.transform_choice import REFUSED
from flawline.core.spc.transforms import transform_as_dict
from flawline.data.json_file import write_json_document
from flawline.data.whole_file import replacing, write_text
from flawline.jobs.chart.chart_figure import on_page
from flawline.jobs.study.capability_figure import drawing_svg, drawings, sixpack_png, sixpack_svg
from flawline.jobs.study.capability_study import (
    CapabilityStudy,
    capability_as_dict,
    capability_finding,
    distribution,
    ppm,
    specification,
    tolerance,
)
from flawline.report.template import template

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


@dataclass(frozen=True, slots=True)
class WrittenStudy:
    """Path of the page of a study, and the document of capability.json."""

    page: Path
    document: dict[str, Any]


def write_capability(found: CapabilityStudy, folder: Path) -> WrittenStudy:
    """Write capability.html, .svg, .png and .json into `folder`."""
    document = capability_as_dict(found)
    write_json_document(folder / "capability.json", document)
    figures = _figures(found)
    write_text(folder / "capability.svg", sixpack_svg(found, figures) + "\n")
    with replacing(folder / "capability.png") as part:
        part.write_bytes(sixpack_png(found, figures))
    series, study = found.series, found.capability
    html = template("capability.html").render(
        found=found,
        study=study,
        finding=capability_finding(found),
        specification=specification(study.spec, series.unit),
        promised=found.stability.stable and found.fits,
        pictures=[
            {"title": title, "svg": on_page(drawing_svg(title, draw)), "caption": _caption(title)}
            for title, draw in drawings(found).items()
        ],
        indices=_indices(study),
        outside=_outside_rows(study),
        settings=_settings(found),
    )
    return WrittenStudy(write_text(folder / "capability.html", html), document)


def _caption(title: str) -> str:
    return next(text for name, text in _CAPTIONS.items() if title.startswith(name))


def _indices(study: Capability) -> list[dict[str, str]]:
    return [
        {"name": name, **{part: f"{getattr(index, part):.2f}" for part in ("value", "low", "high")}}
        for name, index in study.indices.items()
    ]


def _outside_rows(study: Capability) -> list[dict[str, Any]]:
    named = (
        ("observed", study.observed),
        ("by the curve within", study.expected_within),
        ("by the curve overall", study.expected_overall),
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


def _figures(found: CapabilityStudy) -> dict[str, str]:
    """Gather the figures of the sixpack: settings, indices and parts per million."""
    study = found.capability
    rows = {
        name: value.removesuffix(_FIT_LIMIT)
        for name, value in _settings(found).items()
        if name not in ("distribution", "tolerance interval")
    }
    indices = {
        row["name"]: f"{row['value']}  ({row['low']} to {row['high']})" for row in _indices(study)
    }
    outside = {
        f"ppm {row['name'].replace('by the curve ', '')}": row["total"]
        for row in _outside_rows(study)
    }
    return {**rows, **indices, **outside}
