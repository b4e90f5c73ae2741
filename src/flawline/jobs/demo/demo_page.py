"""Write the page of the demo: one HTML file that tells the story and links the report of each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import heat_overlay
from flawline.data.whole_file import write_text
from flawline.jobs.chart.chart_figure import control_chart_svg, on_page
from flawline.jobs.chart.finding import finding
from flawline.jobs.demo.lots import PHASE_ONE, SPEC
from flawline.jobs.demo.story import Story
from flawline.report.charts import score_histogram
from flawline.report.pictures import data_address
from flawline.report.template import template

SHOWN = 6


@dataclass(frozen=True, slots=True)
class StepReports:
    """Addresses of the reports of the steps, from the page."""

    ranking: str
    training: str
    inspection: str
    chart: str


def write_demo_page(
    story: Story,
    ranked: Mapping[str, NDArray[np.uint8]],
    inspected: Mapping[str, NDArray[np.uint8]],
    reports: StepReports,
    path: Path,
) -> Path:
    """Write the page.

    Args:
        story: what the steps found.
        ranked: thumbnails (uint8 RGB) of the first places and the late parts, by name.
        inspected: thumbnails of parts of the second lot, with what was found in them, by name.
        reports: where the report of each step is.
        path: the HTML file to write.
    """
    stopped = [part for part in story.parts if part.verdict != "accept"]
    html = template("demo.html").render(
        story=story,
        reports=reports,
        top=[_card(story, one.sample.name, ranked) for one in story.ranking.pictures[:SHOWN]],
        late=[(one, _card(story, one.picture.sample.name, ranked)) for one in story.late],
        stopped=sorted(stopped, key=lambda part: (-part.score, part.image)),
        shown={name: data_address(pixels) for name, pixels in inspected.items()},
        histogram=_histogram(story),
        phase_one=PHASE_ONE,
        line_stopped=_line_stopped(story),
        line_parts=len(story.chart.series.labels),
        chart=on_page(control_chart_svg(story.chart)),
        finding=finding(story.chart),
        spec=SPEC,
    )
    return write_text(path, html)


def _card(story: Story, name: str, pixels: Mapping[str, NDArray[np.uint8]]) -> dict[str, Any]:
    picture = next(one for one in story.ranking.pictures if one.sample.name == name)
    heat = story.ranking.heat_maps.get(name)
    low, high = _heat_range(story)
    return {
        "picture": picture,
        "address": data_address(pixels[name]),
        "heat": None if heat is None else data_address(heat_overlay(pixels[name], heat, low, high)),
    }


def _heat_range(story: Story) -> tuple[float, float]:
    values = np.concatenate([heat.ravel() for heat in story.ranking.heat_maps.values()])
    return float(np.quantile(values, 0.7)), float(np.quantile(values, 0.998))


def _line_stopped(story: Story) -> str:
    """Say which part of the line was the first that the recipe did not accept."""
    if story.line_stopped is None:
        return "The recipe itself stopped no part of this line."
    return f"The first part that the recipe itself stopped was part {story.line_stopped}."


def _histogram(story: Story) -> str:
    groups: dict[str, list[float]] = {"good": [], "bad": []}
    for part in story.parts:
        groups["bad" if part.bad else "good"].append(part.score)
    limits = {"rejected": story.limit}
    return score_histogram(groups, unit="anomaly score", limits=limits)
