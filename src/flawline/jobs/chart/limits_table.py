"""Write the limits of every stage of a chart as texts."""

from __future__ import annotations

from flawline.core.spc.charts_short_runs import measured_limits
from flawline.core.spc.product_levels import ProductLevel
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.finding import limit_width, number


def limits_table(chart: ControlChart) -> list[dict[str, str]]:
    """List the stages with their limits, as reports and pages show them; of short runs, the products of each stage."""
    if chart.kind == "z-mr":
        return [
            _product(chart, stage, level)
            for stage in chart.stages
            for level in stage.limits.products
        ]
    return [_row(chart, stage) for stage in chart.stages]


def _product(chart: ControlChart, stage: Stage, level: ProductLevel) -> dict[str, str]:
    """Write the limits of a product as they are measured; the chart itself shows all in sigmas."""
    low, centre, high = measured_limits(stage.limits, level)
    labels = chart.series.labels
    return {
        "name": f"{stage.name}, {level.name}" if len(chart.stages) > 1 else level.name,
        "first": labels[stage.first],
        "last": labels[stage.last],
        "centre": number(centre, high - low),
        "sigma": f"{level.sigma:.4g}",
        "points": str(level.points) if level.points else "given standards, no",
        "transform": stage.limits.transform.name,
        "lower": number(low, high - low),
        "upper": number(high, high - low),
    }


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
