"""Compute where the lines and points of a control chart lie on a drawing of any size, in percent of its area."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel
from flawline.jobs.chart.chart_lines import thin
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.finding import limit_width, number
from flawline.jobs.chart.limit_names import limit_ends

MOST_CIRCLES = 600
"""With more points than this only those with a mark are drawn one by one."""
_BUCKETS = 700
# A limit farther from the points than this many times their span is named at the edge, not drawn.
_FAR = 4.0
_ROOM = 0.08
# Percent of the width that the number of a rule takes on a phone.
_APART = 4.0


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """A point that is drawn: its number from 0, its place in percent from the upper left, its value and its mark.

    `rules` are the numbers of the rules that signal there; `aside` points were left out of the estimate. `text` is
    written beside the point: the rules whose signals begin there, where there is room.
    """

    point: int
    x: float
    y: float
    value: str
    rules: tuple[int, ...] = ()
    aside: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """One panel of a chart on an area of 100 by 100 from the upper left.

    `values`, `centre`, `limits` and `zones` are paths of SVG; `ends` are places and texts of the limits at the right,
    `ticks` those of the scale at the left.
    """

    name: str
    values: str
    centre: str
    limits: str
    zones: str
    points: tuple[PlotPoint, ...]
    ends: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]


def plot_chart(chart: ControlChart) -> tuple[Plot, ...]:
    """Place every panel of a chart."""
    return tuple(plot_panel(chart, row) for row in range(len(chart.panel_names)))


def plot_panel(chart: ControlChart, row: int) -> Plot:
    """Place one panel of a chart."""
    count = len(chart.series.labels)
    panels = [(stage, stage.panels[row]) for stage in chart.stages if len(stage.panels[row].values)]
    if not panels:
        return Plot(chart.panel_names[row], "", "", "", "", (), (), ())
    low, high = _reach([panel for _, panel in panels])
    scale = _Scale(count, low, high)
    last = chart.stages.index(panels[-1][0])
    width = limit_width(chart.stages[last], row)
    ends = list(limit_ends(panels[-1][1], width, chart.kind))
    return Plot(
        chart.panel_names[row],
        "".join(_values(chart, stage, panel, scale) for stage, panel in panels),
        "".join(_steps(scale, stage, panel, panel.centre) for stage, panel in panels),
        "".join(
            _steps(scale, stage, panel, limit)
            for stage, panel in panels
            for limit in (panel.lower, panel.upper)
            if limit is not None
        ),
        "".join(_zones(scale, stage, panel) for stage, panel in panels),
        tuple(_points(chart, row, panels, scale, width)),
        tuple((scale.inside(value), _named(scale, value, text)) for value, text in ends),
        tuple((scale.y(value), f"{value:.6g}") for value in _ticks(low, high)),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From points and values to percent."""

    count: int
    low: float
    high: float

    def x(self, place: float) -> float:
        return round(100 * (place + 0.5) / self.count, 3)

    def y(self, value: float) -> float:
        return round(100 * (self.high - value) / (self.high - self.low), 3)

    def inside(self, value: float) -> float:
        return min(max(self.y(value), 0.0), 100.0)


def _reach(panels: Sequence[Panel]) -> tuple[float, float]:
    """Choose the least and largest value of the area: a limit far away would flatten the points."""
    inner = np.concatenate([part for panel in panels for part in (panel.values, panel.centre)])
    low, high = float(inner.min()), float(inner.max())
    room = (high - low) or abs(high) or 1.0
    edges = [low, high]
    for panel in panels:
        for limit in (panel.lower, panel.upper):
            if limit is not None:
                near = limit[(limit <= high + _FAR * room) & (limit >= low - _FAR * room)]
                edges += near.tolist()
    low, high = min(edges), max(edges)
    pad = _ROOM * ((high - low) or abs(high) or 1.0)
    return low - pad, high + pad


def _values(chart: ControlChart, stage: Stage, panel: Panel, scale: _Scale) -> str:
    """Draw the line through the values, broken where points are missing."""
    places = panel.at + stage.first
    shown = thin(panel.values, np.zeros(len(places), dtype=bool), _BUCKETS)
    gaps = chart.series.points.gaps
    broken = np.diff(places, prepend=places[0]) > 1
    if gaps is not None:
        broken |= gaps[places]
    # A gap between two values that are drawn breaks the line, also where the values at it are not.
    breaks = np.diff(np.cumsum(broken)[shown], prepend=0) > 0
    return "".join(
        f"{'M' if k == 0 or breaks[k] else 'L'}{scale.x(int(places[index]))} {scale.y(float(panel.values[index]))}"
        for k, index in enumerate(shown.tolist())
    )


def _steps(scale: _Scale, stage: Stage, panel: Panel, line: NDArray[np.float64]) -> str:
    """Draw a line with steps between points, over the width of its stage."""
    places = panel.at + stage.first
    change = [0, *(np.flatnonzero(np.diff(line)) + 1).tolist(), len(line)]
    return "".join(
        f"M{scale.x(int(places[begin]) - 0.5)} {scale.y(float(line[begin]))}"
        f"H{scale.x(int(places[end - 1]) + 0.5)}"
        for begin, end in itertools.pairwise(change)
    )


def _zones(scale: _Scale, stage: Stage, panel: Panel) -> str:
    """Draw lines at 1 and 2 sigma where the limits are symmetric about the centre."""
    if panel.upper is None or panel.lower is None or (panel.rules and 5 not in panel.rules):
        return ""
    width = panel.upper - panel.centre
    if not np.allclose(width, panel.centre - panel.lower):
        return ""
    return "".join(
        _steps(scale, stage, panel, panel.centre + share * width)
        for share in (-2 / 3, -1 / 3, 1 / 3, 2 / 3)
    )


def _points(
    chart: ControlChart,
    row: int,
    panels: Sequence[tuple[Stage, Panel]],
    scale: _Scale,
    width: float,
) -> Iterator[PlotPoint]:
    rules: dict[int, set[int]] = {}
    for signal in chart.signals:
        if signal.panel == chart.panel_names[row]:
            for point in signal.points:
                rules.setdefault(point, set()).add(signal.rule.number)
    every = len(chart.series.labels) <= MOST_CIRCLES
    texts = _texts(chart, row, scale)
    for stage, panel in panels:
        for at, value in zip(panel.at.tolist(), panel.values.tolist(), strict=True):
            point = at + stage.first
            aside = bool(chart.set_aside[point])
            if every or aside or point in rules:
                yield PlotPoint(
                    point,
                    scale.x(point),
                    scale.inside(value),
                    number(value, width),
                    tuple(sorted(rules.get(point, ()))),
                    aside,
                    texts.get(point, ""),
                )


def _texts(chart: ControlChart, row: int, scale: _Scale) -> dict[int, str]:
    """Write the rules where their signals are raised, where they do not touch."""
    raised: dict[int, set[int]] = {}
    for signal in chart.signals:
        if signal.panel == chart.panel_names[row]:
            raised.setdefault(signal.triggered, set()).add(signal.rule.number)
    texts: dict[int, str] = {}
    before = -100.0
    for point, numbers in sorted(raised.items()):
        if scale.x(point) - before >= _APART:
            texts[point] = ",".join(map(str, sorted(numbers)))
            before = scale.x(point)
    return texts


def _named(scale: _Scale, value: float, text: str) -> str:
    """Name a limit; one beyond the area points to where it lies."""
    if scale.low <= value <= scale.high:
        return text
    return f"{'↑' if value > scale.high else '↓'} {text}"


def _ticks(low: float, high: float) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) + 0.0 for value in found if low <= value <= high]


def time_ticks(times: Sequence[str], most: int = 5) -> tuple[tuple[float, str], ...]:
    """Place and name up to `most` times (ISO 8601, UTC) below a chart: the hour within two days, else the day too."""
    count = len(times)
    if count == 0:
        return ()
    chosen = np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist()
    days = times[0][:10], times[-1][:10]
    start = 11 if days[0] == days[1] else 5
    scale = _Scale(count, 0.0, 1.0)
    return tuple((scale.x(place), times[place][start:16].replace("T", " ")) for place in chosen)
