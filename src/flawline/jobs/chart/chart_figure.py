"""Draw control charts and Pareto charts as SVG and PNG."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.colours import BAD, GOOD
from flawline.core.spc.pareto import Pareto
from flawline.jobs.chart.chart_lines import draw_limits, draw_values, draw_zones, thin
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import limit_width
from flawline.jobs.chart.limit_names import limit_ends, name_limits, within_reach
from flawline.jobs.chart.series import Series
from flawline.jobs.chart.short_runs import MOST_RUNS, product_runs
from flawline.report.figure import INK, as_png, as_svg, own_style, use_ink

_WIDTH = 9.0
_HEIGHT = 2.7
_LEFT = 0.115
_RIGHT = 0.87
# One bucket for each second pixel of the drawing's width at 100 dots per inch.
_BUCKETS = 350
_NUMBERED = 40


@own_style()
def control_chart_svg(chart: ControlChart, *, zones: bool = False) -> str:
    """Draw a control chart as inline SVG; its ink takes the text colour of the page."""
    return as_svg(_draw(chart, zones=zones), f"Control chart of {chart.series.measure}")


def on_page(svg: str) -> str:
    """Replace the colours of an SVG by those of the page, which are lighter on a dark page."""
    return svg.replace(GOOD.lower(), "var(--good)").replace(BAD.lower(), "var(--bad)")


@own_style()
def control_chart_png(chart: ControlChart, *, zones: bool = False) -> bytes:
    """Draw a control chart as PNG on white at 150 dots per inch."""
    return as_png(_draw(chart, zones=zones))


@own_style()
def pareto_svg(pareto: Pareto, *, axis: str) -> str:
    """Draw a Pareto chart with its cumulative line as inline SVG, the largest bar first."""
    figure = new_figure(3.2)
    axes = _axes(figure, 0, 1, bottom=0.22)
    places = np.arange(len(pareto.names))
    axes.bar(places, pareto.counts, color=GOOD)
    axes.set_xticks(places, [_short(name) for name in pareto.names], rotation=20, ha="right")
    axes.set_ylabel(axis)
    running = axes.twinx()
    running.plot(places, 100 * np.array(pareto.cumulative), color=BAD, marker="o", ms=4, lw=1.5)
    running.set_ylim(0, 105)
    running.set_ylabel("cumulative share, %", color=INK)
    running.tick_params(colors=INK)
    running.patch.set_alpha(0)
    for spine in running.spines.values():
        spine.set_visible(False)
    return as_svg(figure, "Pareto chart")


def _draw(chart: ControlChart, *, zones: bool) -> Any:
    groups = _rows(chart)
    figure = new_figure(_HEIGHT * len(groups) + 0.5)
    for row, indices in enumerate(groups):
        axes = _axes(figure, row, len(groups))
        _draw_panel(axes, chart, indices, zones=(zones or chart.kind == "zone") and row == 0)
        label_places(axes, chart.series, last=row == len(groups) - 1)
        if row == 0:
            _name_stages(axes, chart)
    return figure


def draw_panel_alone(axes: Any, chart: ControlChart, index: int) -> None:
    """Draw one panel of a control chart on axes of their own."""
    _draw_panel(axes, chart, [index], zones=False)
    label_places(axes, chart.series, last=True)


def _rows(chart: ControlChart) -> list[list[int]]:
    """Group the panels that share an axis, such as the two sums of a CUSUM."""
    names = chart.panel_names
    if chart.kind == "cusum":
        return [list(range(len(names)))]
    return [[place] for place in range(len(names))]


def _draw_panel(axes: Any, chart: ControlChart, indices: list[int], *, zones: bool) -> None:
    ends: list[tuple[float, str]] = []
    for index in indices:
        signalled_by = _rules_at(chart, index)
        for number_of_stage, stage in enumerate(chart.stages):
            panel = stage.panels[index]
            if not len(panel.values):
                continue
            places = panel.at + stage.first
            signalled = np.isin(
                places, np.fromiter(signalled_by, dtype=np.int64, count=len(signalled_by))
            )
            aside = chart.set_aside[places]
            shown = thin(panel.values, signalled | aside, _BUCKETS)
            if zones:
                draw_zones(axes, panel, places)
            draw_limits(axes, panel, places)
            draw_values(axes, panel, places, shown, signalled, aside, _broken(chart, places))
            if number_of_stage == len(chart.stages) - 1:
                ends += limit_ends(panel, limit_width(stage, index), chart.kind)
        _number_signals(axes, chart, index)
    ends = within_reach(axes, chart, indices, ends)
    name_limits(axes, ends)
    first = chart.stages[0].panels[indices[0]].name
    in_sigmas = chart.kind in ("cusum", "z-mr")
    unit = f", {chart.series.unit}" if chart.series.unit and not in_sigmas else ""
    label = "sums in sigma of a point" if chart.kind == "cusum" else first
    transform = "none" if chart.kind == "z-mr" else chart.stages[0].limits.transform.name
    if transform != "none" and first in ("moving range", "moving average", "EWMA"):
        label = f"{first}\nafter {transform}"
    if indices == [0] and chart.kind in (
        "i-mr",
        "run",
        "xbar-r",
        "xbar-s",
        "median",
        "i-mr-r",
        "i-mr-s",
        "ma",
        "zone",
        "z-mr",
        "ewma",
        "g",
        "t",
    ):
        label = f"{_short(chart.series.measure, 26)}{unit}\n{first}"
    axes.set_ylabel(label)


def _broken(chart: ControlChart, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find the points (M,) of a panel before which others are missing."""
    skipped = np.diff(places, prepend=places[0]) > 1
    gaps = chart.series.points.gaps
    return skipped if gaps is None else skipped | gaps[places]


def _rules_at(chart: ControlChart, index: int) -> dict[int, list[int]]:
    """List the rules that signal at each point of a panel."""
    signalled_by: dict[int, list[int]] = {}
    for signal in chart.signals:
        if signal.panel == chart.panel_names[index]:
            for point in signal.points:
                signalled_by.setdefault(point, []).append(signal.rule.number)
    return signalled_by


def _number_signals(axes: Any, chart: ControlChart, index: int) -> None:
    """Write the rule's number where a signal is raised; if space is short, points beyond a limit first."""
    name = chart.panel_names[index]
    begun: dict[int, list[int]] = {}
    for signal in chart.signals:
        if signal.panel == name:
            begun.setdefault(signal.triggered, []).append(signal.rule.number)
    for point, rules in _spaced(begun, len(chart.series.labels)):
        stage = next(one for one in chart.stages if one.first <= point <= one.last)
        panel = stage.panels[index]
        index_of_point = int(np.searchsorted(panel.at, point - stage.first))
        value = float(panel.values[index_of_point])
        below = value < float(panel.centre[index_of_point])
        axes.annotate(
            ",".join(str(rule) for rule in sorted(set(rules))),
            (point, value),
            xytext=(0, -6 if below else 6),
            textcoords="offset points",
            ha="center",
            va="top" if below else "bottom",
            size=9,
            weight="bold",
            color=INK,
        )


def _spaced(begun: dict[int, list[int]], count: int) -> list[tuple[int, list[int]]]:
    """Choose the points to number, each at least the width of a number apart."""
    distance = count / 55
    chosen: list[int] = []
    for point in sorted(begun, key=lambda one: (min(begun[one]), one)):
        if len(chosen) < _NUMBERED and all(abs(point - other) >= distance for other in chosen):
            chosen.append(point)
    return [(point, begun[point]) for point in sorted(chosen)]


def label_places(axes: Any, series: Series, *, last: bool) -> None:
    """Name some points on the axis below, if it is the `last` panel; as many as the width of the axes takes."""
    from matplotlib.ticker import FixedLocator

    count = len(series.labels)
    axes.set_xlim(-0.5 - 0.01 * count, count - 0.5 + 0.01 * count)
    longest = max((len(label) for label in series.labels[:: max(count // 50, 1)]), default=1)
    inches = axes.get_position().width * axes.figure.get_size_inches()[0]
    wanted = int(np.clip(13.25 * inches / max(longest + 2, 4), 3, 15))
    step = _round_step(count / wanted)
    places = np.arange(step - 1, count, step)
    axes.xaxis.set_major_locator(FixedLocator(places.tolist()))
    names = [_short(series.labels[place]) for place in places.tolist()] if last else []
    axes.set_xticklabels(names if last else [""] * len(places))
    if last:
        axes.set_xlabel(series.what)


def _round_step(least: float) -> int:
    """Round up to 1, 2, 5, 10, 20, 50, ..."""
    power = 10 ** int(np.floor(np.log10(max(least, 1.0))))
    return int(next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least))


def _name_stages(axes: Any, chart: ControlChart) -> None:
    for name, first in _spans(chart):
        if first:
            for row in axes.figure.axes:
                row.axvline(first - 0.5, color=INK, lw=0.9, ls=(0, (1, 2)), zorder=1)
        axes.annotate(
            _short(name),
            (first - 0.4, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 3),
            textcoords="offset points",
            color=INK,
            size=9,
        )


def _spans(chart: ControlChart) -> list[tuple[str, int]]:
    """List what is named above the chart, with its first point: the stages, or the runs of products if not too many."""
    if len(chart.stages) > 1:
        return [(stage.name, stage.first) for stage in chart.stages]
    runs = [(name, first) for name, first, _ in product_runs(chart.series)]
    return runs if len(runs) <= MOST_RUNS else []


def _short(text: str, most: int = 18) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def new_figure(height: float) -> Any:
    """Create a transparent figure of the width of a chart; `height` in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height))
    figure.patch.set_alpha(0)
    return figure


def _axes(figure: Any, row: int, rows: int, *, bottom: float | None = None) -> Any:
    """Add axes at fixed places: solving for a layout takes longer than drawing the chart."""
    height = float(figure.get_size_inches()[1])
    low = 0.52 / height if bottom is None else bottom
    top = 1 - 0.24 / height
    gap = 0.22 / height
    each = (top - low - gap * (rows - 1)) / rows
    axes = figure.add_axes((_LEFT, top - (row + 1) * each - row * gap, _RIGHT - _LEFT, each))
    use_ink(axes)
    axes.margins(y=0.12)
    axes.yaxis.set_label_coords(-0.085, 0.5)
    # A power of ten above the axis would stand where the stages are named.
    axes.yaxis.get_major_formatter().set_powerlimits((-4, 7))
    return axes
