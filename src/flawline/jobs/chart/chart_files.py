"""Write a control chart as JSON, and frozen limits as a file; the same chart gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.limits import ControlLimits, limits_as_dict, limits_from_dict
from flawline.core.spc.rules import describe
from flawline.core.spc.signal_texts import text_of
from flawline.core.spc.signals import Signal
from flawline.data.json_file import parse_json, write_json_document
from flawline.errors import UsageError
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.finding import centre_word, finding, sentence
from flawline.jobs.chart.short_runs import products_of

_DIGITS = 12


def chart_as_dict(chart: ControlChart) -> dict[str, Any]:
    """Build the JSON document that `flawline chart` prints."""
    return {
        "measure": chart.series.measure,
        "unit": chart.series.unit,
        "finding": finding(chart),
        "in_control": chart.in_control,
        "settings": dict(chart.settings),
        "notes": list(chart.notes),
        "signals": signals_as_dicts(chart),
        "stages": [_stage(chart, stage) for stage in chart.stages],
        "panels": [_panel(chart, row) for row in range(len(chart.panel_names))],
        "set_aside": [
            chart.series.name(point) for point in np.flatnonzero(chart.set_aside).tolist()
        ],
        "skipped": [{"label": row.label, "reason": row.reason} for row in chart.series.skipped],
        **_products(chart),
    }


def _products(chart: ControlChart) -> dict[str, Any]:
    products = products_of(chart.series)
    return {} if products is None else {"products": list(products)}


def signals_as_dicts(chart: ControlChart) -> list[dict[str, Any]]:
    """Build the signals of that document, also shown on the page."""
    return [_signal(chart, signal) for signal in chart.signals]


def write_limits(limits: ControlLimits, path: Path) -> Path:
    """Write frozen limits to a file for Phase II."""
    return write_json_document(path, limits_as_dict(limits))


def read_limits(path: Path) -> ControlLimits:
    """Read the limits written by `write_limits`.

    Raises:
        UsageError: the file cannot be read or does not hold frozen limits.
    """
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read frozen limits from {path.name}: {error}",
            hint="write them by charting with `freeze=FILE`",
        ) from error
    if not isinstance(document, dict):
        raise UsageError(f"expected frozen limits in {path.name}, got another document")
    return limits_from_dict(document)


def _signal(chart: ControlChart, signal: Signal) -> dict[str, Any]:
    number = signal.rule.number
    labels = chart.series.labels
    told = text_of(number, signal.panel, signal.side)
    return {
        "rule": number,
        "k": signal.rule.k,
        "panel": signal.panel,
        "side": {1: "above", -1: "below"}.get(signal.side, "both"),
        "first": labels[signal.first],
        "rang": labels[signal.triggered],
        "last": labels[signal.last],
        "points": [labels[point] for point in signal.points],
        "text": sentence(chart, signal),
        "rule_text": describe(signal.rule, signal.side, centre_word(chart)),
        "meaning": told.meaning,
        "action": told.action,
    }


def _stage(chart: ControlChart, stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "first": chart.series.labels[stage.first],
        "last": chart.series.labels[stage.last],
        "phase": stage.phase,
        "limits": limits_as_dict(stage.limits),
    }


def _panel(chart: ControlChart, row: int) -> dict[str, Any]:
    panels = [(stage.first, stage.panels[row]) for stage in chart.stages]
    at = np.concatenate([panel.at + first for first, panel in panels])
    columns: dict[str, Any] = {
        "name": chart.panel_names[row],
        "points": [chart.series.labels[point] for point in at.tolist()],
    }
    for name in ("values", "centre", "lower", "upper"):
        parts = [getattr(panel, name) for _, panel in panels]
        whole = all(part is not None for part in parts)
        columns[name] = _rounded(np.concatenate(parts)) if whole else None
    rules_at: dict[int, list[int]] = {}
    for signal in chart.signals:
        if signal.panel == chart.panel_names[row]:
            for point in signal.points:
                rules_at.setdefault(point, []).append(signal.rule.number)
    index_of = {point: index for index, point in enumerate(at.tolist())}
    columns["rang"] = [
        {"at": index_of[point], "rules": sorted(numbers)}
        for point, numbers in sorted(rules_at.items())
    ]
    return columns


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") + 0.0 for value in values.tolist()]
