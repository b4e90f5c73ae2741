"""Write the report of a capability study: self-contained HTML, histogram and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.colours import BAD, GOOD, UNKNOWN
from flawline.core.spc.capability_percentiles import edge_score
from flawline.core.spc.capability_values import Capability, Outside
from flawline.core.spc.chart_points import Subgroups
from flawline.data.json_file import write_json_document
from flawline.data.whole_file import write_text
from flawline.jobs.chart.chart_figure import on_page
from flawline.jobs.chart.series import Series
from flawline.jobs.study.capability_study import (
    capability_as_dict,
    capability_finding,
    specification,
)
from flawline.report.figure import INK, as_svg, new_figure, own_style
from flawline.report.template import template


def write_capability(
    series: Series, study: Capability, notes: tuple[str, ...], folder: Path
) -> Path:
    """Write capability.html, capability.svg and capability.json into `folder`; returns the path of the HTML."""
    write_json_document(folder / "capability.json", capability_as_dict(series, study, notes))
    points = series.points
    assert isinstance(points, Subgroups)
    svg = capability_svg(points.values, study, series.unit)
    write_text(folder / "capability.svg", svg + "\n")
    html = template("capability.html").render(
        measure=series.measure,
        study=study,
        finding=capability_finding(study, series.unit),
        specification=specification(study.spec, series.unit),
        notes=notes,
        skipped=series.skipped,
        picture=on_page(svg),
        confidence=f"{100 * study.confidence:g} %",
        indices=[
            {
                "name": name,
                "value": f"{index.value:.2f}",
                "low": f"{index.low:.2f}",
                "high": f"{index.high:.2f}",
            }
            for name, index in study.indices.items()
        ],
        outside=_outside_rows(study),
        settings=_settings(study),
    )
    return write_text(folder / "capability.html", html)


@own_style()
def capability_svg(values: NDArray[np.float64], study: Capability, unit: str = "") -> str:
    """Draw a histogram with specification limits and the fitted distribution, as inline SVG."""
    edges = [edge for edge in (study.spec.lower, study.spec.upper) if edge is not None]
    low, high = min(values.min(), *edges), max(values.max(), *edges)
    pad = 0.06 * (high - low)
    figure, axes = new_figure(size=(6.0, 3.2))
    bins = int(np.clip(2 * np.sqrt(len(values)), 8, 60))
    counts, at, _ = axes.hist(values, bins=bins, color=GOOD, alpha=0.75)
    x = np.linspace(low - pad, high + pad, 400)
    expected = len(values) * np.diff(_cumulative(study, x))
    if study.transform.zeros:
        # The fraction of zeros is a step, not a density.
        expected[(x[:-1] <= 0) & (x[1:] >= 0)] = 0.0
    scale = (at[1] - at[0]) / (x[1] - x[0])
    axes.plot((x[1:] + x[:-1]) / 2, expected * scale, color=UNKNOWN, lw=1.5)
    axes.set_ylim(0, 1.15 * max(float(counts.max()), 1.0))
    for name, edge in (("LSL", study.spec.lower), ("USL", study.spec.upper)):
        if edge is not None:
            axes.axvline(edge, color=BAD, ls=(0, (5, 2)), lw=1.5)
            axes.annotate(
                f"{name} {edge:g}",
                (edge, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                color=INK,
                size=9,
            )
    axes.set_xlim(low - pad, high + pad)
    axes.set_xlabel(unit or "measure")
    axes.set_ylabel("measurements")
    return as_svg(figure, "Capability")


def _cumulative(study: Capability, x: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import ndtr

    scores = np.array([edge_score(study.transform, value) for value in x.tolist()])
    return np.asarray(ndtr((scores - study.centre) / study.scale))


def _outside_rows(study: Capability) -> list[dict[str, Any]]:
    named = (
        ("observed", study.observed),
        ("expected, variation within", study.expected_within),
        ("expected, variation overall", study.expected_overall),
    )
    return [_outside_row(name, outside) for name, outside in named if outside is not None]


def _outside_row(name: str, outside: Outside) -> dict[str, Any]:
    def text_of(value: float | None) -> str:
        return "no limit" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.2g}"

    return {
        "name": name,
        "below": text_of(outside.below),
        "above": text_of(outside.above),
        "total": text_of(outside.total),
    }


def _settings(study: Capability) -> dict[str, str]:
    within = "none" if study.sigma_within is None else f"{study.sigma_within:.4g}"
    return {
        "mean": f"{study.mean:.4g}",
        "sigma within": within,
        "sigma overall": f"{study.sigma_overall:.4g}",
        "transform": study.transform.name,
    }
