"""Write the report of a Pareto chart: self-contained HTML, SVG and JSON."""

from __future__ import annotations

from pathlib import Path

from flawline.core.spc.pareto import Pareto
from flawline.data.json_file import write_json_document
from flawline.data.whole_file import write_text
from flawline.jobs.chart.chart_figure import on_page, pareto_svg
from flawline.jobs.chart.pareto_counts import pareto_as_dict, pareto_finding
from flawline.jobs.chart.row_groups import Skipped
from flawline.report.template import template


def write_pareto(
    counted: Pareto, measure: str, axis: str, skipped: tuple[Skipped, ...], folder: Path
) -> Path:
    """Write pareto.html, pareto.svg and pareto.json into `folder`; returns the path of the HTML."""
    document = pareto_as_dict(counted, measure, skipped)
    write_json_document(folder / "pareto.json", document)
    svg = pareto_svg(counted, axis=axis)
    write_text(folder / "pareto.svg", svg + "\n")
    html = template("pareto.html").render(
        measure=measure,
        finding=pareto_finding(counted, measure),
        picture=on_page(svg),
        bars=document["bars"],
        skipped=skipped,
    )
    return write_text(folder / "pareto.html", html)
