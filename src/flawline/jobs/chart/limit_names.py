"""Label the limits at the right edge of a control chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from flawline.core.spc.chart_points import Panel
from flawline.core.spc.charts_zone import ZONE_SCORE
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import number
from flawline.report.figure import INK

# A limit farther from the points than this many times their span is named, not drawn.
_FAR = 4.0


def limit_ends(panel: Panel, width: float, kind: str) -> Iterator[tuple[float, str]]:
    """List the last value of each limit with its label."""
    names = {"lower": "LCL", "centre": "CL", "upper": "UCL"}
    if kind == "cusum":
        names = {"lower": "limit", "upper": "limit"}
    elif panel.name == ZONE_SCORE:
        names = {"lower": "signal", "upper": "signal"}
    elif kind == "run":
        names = {"centre": "median"}
    for part, name in names.items():
        limit = getattr(panel, part)
        if limit is not None and name:
            yield float(limit[-1]), f"{name} {number(float(limit[-1]), width)}"


def within_reach(
    axes: Any, chart: ControlChart, indices: list[int], ends: list[tuple[float, str]]
) -> list[tuple[float, str]]:
    """Keep the points readable: a limit so far away that it would flatten them is labelled at the edge."""
    drawn = [stage.panels[index] for stage in chart.stages for index in indices]
    inner = np.concatenate([part for panel in drawn for part in (panel.values, panel.centre)])
    if not len(inner):
        return ends
    low, high = float(inner.min()), float(inner.max())
    room = (high - low) or abs(high) or 1.0
    bottom, top = axes.get_ylim()
    if not any(value > high + _FAR * room or value < low - _FAR * room for value, _ in ends):
        return ends
    bottom, top = max(bottom, low - 0.15 * room), min(top, high + 0.25 * room)
    axes.set_ylim(bottom, top)
    return [_at_the_edge(value, text, bottom, top) for value, text in ends]


def _at_the_edge(value: float, text: str, bottom: float, top: float) -> tuple[float, str]:
    if bottom <= value <= top:
        return value, text
    arrow, edge = ("↑", top) if value > top else ("↓", bottom)
    return edge, f"{arrow} {text.partition(' ')[0]} {value:.3g}"


def name_limits(axes: Any, ends: list[tuple[float, str]]) -> None:
    """Write the labels at the right edge, moved apart where they would touch."""
    low, high = axes.get_ylim()
    distance = 0.075 * (high - low)
    placed: list[float] = []
    for value, text in sorted(ends):
        at = max(value, placed[-1] + distance) if placed else value
        placed.append(at)
        axes.annotate(
            text,
            (1.0, at),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            size=9,
            annotation_clip=False,
        )
