"""Write the report of a control chart: self-contained HTML, SVG, PNG and JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flawline.data.json_file import write_json_document
from flawline.data.whole_file import replacing, write_text
from flawline.jobs.chart.chart_figure import control_chart_png, control_chart_svg, on_page
from flawline.jobs.chart.chart_files import chart_as_dict, signals_as_dicts
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.finding import finding
from flawline.jobs.chart.limits_table import limits_table
from flawline.report.template import template

if TYPE_CHECKING:
    from flawline.records.alerts import StoredAlert

SHOWN_SIGNALS = 60


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """State of a watch, shown on its page.

    `read` is the time of the last reading and `every` the seconds between readings, None once the watch has ended.
    `total` counts all judged points, `alerts` are the open ones.
    """

    read: datetime
    every: float | None
    total: int
    alerts: tuple[StoredAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenChart:
    """Path of the page of a chart, and the document of chart.json."""

    page: Path
    document: dict[str, Any]


def write_chart(
    chart: ControlChart, folder: Path, *, zones: bool = False, watched: WatchStatus | None = None
) -> WrittenChart:
    """Write chart.html, chart.svg, chart.png and chart.json into `folder`."""
    document = chart_as_dict(chart)
    write_json_document(folder / "chart.json", document)
    svg = control_chart_svg(chart, zones=zones)
    write_text(folder / "chart.svg", svg + "\n")
    with replacing(folder / "chart.png") as part:
        part.write_bytes(control_chart_png(chart, zones=zones))
    page = _write_page(chart, document["signals"], svg, folder, watched)
    return WrittenChart(page, document)


def rewrite_page(chart: ControlChart, folder: Path, watched: WatchStatus) -> Path:
    """Rewrite chart.html with the present chart.svg, when only the time has changed."""
    svg = (folder / "chart.svg").read_text(encoding="utf-8").rstrip("\n")
    return _write_page(chart, signals_as_dicts(chart), svg, folder, watched)


def _write_page(
    chart: ControlChart,
    signals: list[dict[str, Any]],
    svg: str,
    folder: Path,
    watched: WatchStatus | None,
) -> Path:
    html = template("chart.html").render(
        chart=chart,
        phases=sorted({stage.phase for stage in chart.stages}),
        watched=watched,
        finding=finding(chart),
        picture=on_page(svg),
        signals=signals[:SHOWN_SIGNALS],
        more=max(len(signals) - SHOWN_SIGNALS, 0),
        stages=limits_table(chart),
    )
    return write_text(folder / "chart.html", html)
