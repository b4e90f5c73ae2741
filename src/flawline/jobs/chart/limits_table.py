"""Write the limits of every stage of a chart as texts."""

from __future__ import annotations

from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.finding import limit_width, number


def limits_table(chart: ControlChart) -> list[dict[str, str]]:
    """List the stages with their limits, as reports and pages show them."""
    return [_row(chart, stage) for stage in chart.stages]


def _row(chart: ControlChart, stage: Stage) -> dict[str, str]:
    panel, width = stage.panels[0], limit_width(stage)
    edges = {
        name: number(float(values[-1]), width) if values is not None and len(values) else "none"
        for name, values in (("lower", panel.lower), ("upper", panel.upper))
    }
    limits = stage.limits
    if chart.kind == "cusum":
        edges = {"lower": f"{-limits.decision:g} sigma", "upper": f"{limits.decision:g} sigma"}
        centre = number(limits.centre, limits.sigma)
    else:
        centre = number(float(panel.centre[-1]), width) if len(panel.centre) else "none"
    return {
        "name": stage.name,
        "first": chart.series.labels[stage.first],
        "last": chart.series.labels[stage.last],
        "centre": centre,
        "sigma": f"{limits.sigma:.4g}",
        "points": str(limits.points) if limits.points else "given standards, no",
        "transform": limits.transform.name,
        **edges,
    }
