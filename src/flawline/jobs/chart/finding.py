"""Summarise a control chart as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from flawline.core.spc.charts_zone import SIGNALS_AT, ZONE_SCORE
from flawline.core.spc.rules import describe
from flawline.core.spc.signal_texts import text_of
from flawline.core.spc.signals import CARRYING, Signal
from flawline.core.spc.transforms import NONE
from flawline.core.words import counted
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.short_runs import product_runs, products_of

SENTENCES = 3


def finding(chart: ControlChart) -> str:
    """Summarise a chart: points beyond a limit first, then the other signals, the latest first."""
    sentences = list(_signals(chart)) + list(_runs(chart))
    if not sentences:
        return _in_control(chart)
    more = len(sentences) - SENTENCES
    text = "; ".join(sentences[:SENTENCES])
    # A name stays as it is written, also where it begins the sentence.
    if not text.startswith(chart.series.labels):
        text = f"{text[0].upper()}{text[1:]}"
    return f"{text}{_more(more)}."


def sentence(chart: ControlChart, signal: Signal) -> str:
    """Describe one signal with the names of its points."""
    if signal.rule.number == 1:
        return _beyond(chart, signal)
    text = describe(signal.rule, signal.side, centre_word(chart))
    where = "" if signal.panel == chart.panel_names[0] else f" ({signal.panel})"
    length = _length(signal)
    if length > signal.rule.span and signal.rule.number in (2, 3, 4, 7, 8):
        text = text.replace(str(int(signal.rule.k)), str(length), 1)
    return f"{text} {_span(chart, signal)}{where}"


def meanings(chart: ControlChart) -> list[str]:
    """Say what the signals usually mean, each meaning once, by rule and then by panel."""
    names = chart.panel_names
    kinds = {(one.rule.number, names.index(one.panel), one.side) for one in chart.signals}
    texts: dict[str, str] = {}
    for rule, row, side in sorted(kinds, key=lambda kind: (kind[0], kind[1], -kind[2])):
        where = f" ({names[row]})" if row else ""
        texts.setdefault(text_of(rule, names[row], side).meaning, f"rule {rule}{where}")
    return [f"{rule}: {meaning}" for meaning, rule in texts.items()]


def _span(chart: ControlChart, signal: Signal) -> str:
    first = place(chart, signal.first)
    if signal.last == len(chart.series.labels) - 1:
        return f"since {first}"
    return f"from {first} to {label(chart, signal.last)}"


def place(chart: ControlChart, point: int) -> str:
    """Name a point with its word, such as "part 7"."""
    what, text = chart.series.what, label(chart, point)
    named = text.lower().startswith(what.lower()) and not text[len(what) :][:1].isalpha()
    return text if named else f"{what} {text}"


def label(chart: ControlChart, point: int) -> str:
    """Return the label of a point, with its number from 1 where others have the same, and its product if it has one."""
    text, products = chart.series.labels[point], products_of(chart.series)
    told = [f"#{point + 1}"] if text in chart.series.repeated else []
    told += [products[point]] if products else []
    return f"{text} ({', '.join(told)})" if told else text


def centre_word(chart: ControlChart) -> str:
    """Name the centre line."""
    return "the median" if chart.kind == "run" else "the centre"


def number(value: float, width: float) -> str:
    """Format a number with the decimals that three digits of the width of the limits need.

    A number much smaller than the limits, as skewed measures have, keeps two digits of its own.
    """
    if width <= 0 or not np.isfinite(width):
        return f"{value:.4g}"
    if abs(value) < 1e-9 * width:
        return "0"
    decimals = 2 - np.floor(np.log10(width))
    if abs(value) < width / 50:
        decimals = max(decimals, 1 - np.floor(np.log10(abs(value))))
    if not 0 <= decimals <= 12:
        return f"{value:.{3 if decimals > 0 else 6}g}"
    text = f"{value:.{int(decimals)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def limit_width(stage: Stage, panel: int = 0) -> float:
    """Return the distance from the lower limit (or the centre) to the upper one at the middle point."""
    drawn = stage.panels[panel]
    if not len(drawn.values):
        return 0.0
    middle = len(drawn.values) // 2
    high = drawn.upper if drawn.upper is not None else drawn.centre
    low = drawn.lower if drawn.lower is not None else drawn.centre
    return float(high[middle] - low[middle]) or float(np.ptp(drawn.values))


def stage_of(chart: ControlChart, point: int) -> Stage:
    """Find the stage of a point."""
    return next(stage for stage in chart.stages if stage.first <= point <= stage.last)


def _beyond(chart: ControlChart, signal: Signal) -> str:
    """Describe one point, or a stretch of a chart with memory, beyond a limit."""
    if signal.panel == ZONE_SCORE:
        side = "above" if signal.side > 0 else "below"
        return f"the zone score reaches {SIGNALS_AT:g} {side} the centre{_stretch(chart, signal)}"
    stage = stage_of(chart, signal.triggered)
    row = chart.panel_names.index(signal.panel)
    panel = stage.panels[row]
    spot = int(np.searchsorted(panel.at, signal.triggered - stage.first))
    limit = panel.upper if signal.side > 0 else panel.lower
    assert limit is not None
    width = limit_width(stage, row)
    plain = stage.limits.transform == NONE or row == 0
    unit = _unit(chart) if plain else ""
    side = "above its upper" if signal.side > 0 else "below its lower"
    edge = f"{number(float(limit[spot]), width)}{unit}"
    if signal.panel in CARRYING:
        began = _began(chart, signal) if chart.kind == "cusum" else ""
        return f"the {signal.panel} lies {side} limit {edge}{_stretch(chart, signal)}{began}"
    value = f"{number(float(panel.values[spot]), width)}{unit}"
    if row == 0:
        return f"{place(chart, signal.triggered)} is {side.replace('its', 'the')} limit {edge}, at {value}"
    return (
        f"the {signal.panel} at {place(chart, signal.triggered)} is {side} limit {edge}, at {value}"
    )


def _stretch(chart: ControlChart, signal: Signal) -> str:
    if signal.last == signal.triggered:
        return f" at {place(chart, signal.triggered)}"
    return f" {_span(chart, replace(signal, first=signal.triggered))}"


def _began(chart: ControlChart, signal: Signal) -> str:
    """Estimate when a shift began on a CUSUM: the point after its sum was last zero."""
    stage = stage_of(chart, signal.triggered)
    sums = stage.panels[chart.panel_names.index(signal.panel)].values
    zeros = np.flatnonzero(sums[: signal.triggered - stage.first + 1] == 0)
    start = stage.first + (int(zeros[-1]) + 1 if len(zeros) else 0)
    return f"; the shift began about {place(chart, start)}"


def _more(count: int) -> str:
    return f"; and {count} more signal{'s' if count > 1 else ''}" if count > 0 else ""


def _length(signal: Signal) -> int:
    return signal.last - signal.first + 1


def _signals(chart: ControlChart) -> Iterator[str]:
    """Describe signals panel by panel: points beyond a limit, then patterns, the latest first."""
    for panel in chart.panel_names:
        in_panel = [signal for signal in chart.signals if signal.panel == panel]
        for side in (1, -1):
            beyond = [
                signal for signal in in_panel if signal.rule.number == 1 and signal.side == side
            ]
            if len(beyond) > 2:
                yield _many(chart, beyond)
            else:
                yield from (sentence(chart, signal) for signal in beyond)
        patterns = [signal for signal in in_panel if signal.rule.number != 1]
        for signal in sorted(patterns, key=lambda one: (-one.last, one.rule.number)):
            yield sentence(chart, signal)


def _many(chart: ControlChart, signals: Sequence[Signal]) -> str:
    side = "above the upper" if signals[0].side > 0 else "below the lower"
    names = [label(chart, signal.triggered) for signal in signals]
    listed = ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
    if signals[0].panel == ZONE_SCORE:
        return (
            f"the zone score reaches {SIGNALS_AT:g} {side.split()[0]} the centre {len(signals)} times: "
            f"{chart.series.what} {listed}"
        )
    where = "" if signals[0].panel == chart.panel_names[0] else f" of the {signals[0].panel}"
    return f"{len(signals)} points lie {side} limit{where}: {chart.series.what} {listed}"


def _runs(chart: ControlChart) -> Iterator[str]:
    runs = chart.runs
    if runs is None or not runs.unusual:
        return
    if runs.longest > runs.longest_allowed:
        yield (
            f"{runs.longest} points in a row lie on one side of the median from {place(chart, runs.start)} on, where "
            f"chance makes at most {runs.longest_allowed}"
        )
    if runs.crossings < runs.fewest_allowed:
        yield (
            f"the series crosses its median {runs.crossings} times, where chance makes at least {runs.fewest_allowed}"
        )


def _in_control(chart: ControlChart) -> str:
    count = len(chart.series.labels)
    last = chart.stages[-1]
    panel = last.panels[0]
    if chart.kind == "run" or not len(panel.values):
        return (
            f"Nothing unusual in {count} points: their runs about the median are those of chance."
        )
    width = limit_width(last)
    if chart.kind == "z-mr":
        return _runs_in_control(chart)
    unit = f" {chart.series.unit}" if chart.series.unit else ""
    centre = number(float(panel.centre[-1]), width)
    if chart.kind == "cusum":
        centre = number(last.limits.centre, last.limits.sigma)
    return (
        f"In control: no signal in {count} points {_judged(chart)}; the centre is {centre}{unit}."
    )


def _runs_in_control(chart: ControlChart) -> str:
    runs = product_runs(chart.series)
    of = f"{len(chart.series.labels)} points"
    if runs:
        products = len({name for name, _, _ in runs})
        of += f" of {counted(products, 'product')} in {counted(len(runs), 'run')}"
    return f"In control: no signal in {of} {_judged(chart)}, each point against its own product."


def _judged(chart: ControlChart) -> str:
    """Say by which rules and limits a chart was judged."""
    last = chart.stages[-1]
    numbers = ", ".join(str(rule.number) for rule in chart.rules)
    by = "limits estimated from them" if last.phase == 1 else "limits that were given"
    if last.phase == 2 and "phase_one" in chart.settings:
        by = "limits of Phase I"
    return f"by rule{'s' if len(chart.rules) > 1 else ''} {numbers} and {by}"


def _unit(chart: ControlChart) -> str:
    """Return the unit of the panels, with a blank before it."""
    if chart.kind == "z-mr":
        return " sigma"
    return f" {chart.series.unit}" if chart.series.unit and chart.kind != "cusum" else ""
