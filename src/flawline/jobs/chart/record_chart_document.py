"""Convert a chart of records to what JSON can hold, with the inspections behind every point."""

from __future__ import annotations

from typing import Any

from flawline.core.spc.limits import limits_as_dict
from flawline.core.spc.signals import Signal
from flawline.jobs.chart.chart_files import chart_as_dict
from flawline.jobs.chart.finding import label, meanings, sentence
from flawline.jobs.chart.record_chart import Overview, RecordChart
from flawline.records.chart_entries import entry_as_dict


def record_chart_document(found: RecordChart) -> dict[str, Any]:
    """Build the document of one chart.

    `points` lists every point by its name, time and inspections; `signals` count them from 0.
    """
    chart, stored = found.chart, found.stored
    return {
        **chart_as_dict(chart),
        "series": stored.name,
        "finding": found.finding,
        "action": found.action,
        "meanings": meanings(chart),
        "points": [
            {"name": label(chart, place), "time": time, "inspections": list(ids)}
            for place, (time, ids) in enumerate(zip(stored.times, stored.ids, strict=True))
        ],
        "signals": [_signal(found, one) for one in chart.signals],
        "entries": [entry_as_dict(one) for one in stored.entries],
        "frozen": None if found.frozen is None else entry_as_dict(found.frozen),
        "limits": limits_as_dict(chart.stages[-1].limits),
    }


def overview_document(found: Overview) -> dict[str, Any]:
    """Build the document of the charts of all measures."""
    return {
        "finding": found.sentence,
        "charts": [
            {
                "measure": one.stored.series.measure,
                "series": one.stored.name,
                "finding": one.finding,
                "action": one.action,
                "signals": len(one.chart.signals),
                "open_signals": len(one.open),
                "in_control": not one.open,
                "points": len(one.stored.ids),
                "frozen": one.frozen is not None,
            }
            for one in found.charts
        ],
        "uncharted": [{"measure": one.measure, "reason": one.reason} for one in found.uncharted],
    }


def _signal(found: RecordChart, signal: Signal) -> dict[str, Any]:
    return {
        "rule": signal.rule.number,
        "panel": signal.panel,
        "text": sentence(found.chart, signal),
        "first": signal.first,
        "triggered": signal.triggered,
        "last": signal.last,
        "points": list(signal.points),
        "open": signal in found.open,
    }
