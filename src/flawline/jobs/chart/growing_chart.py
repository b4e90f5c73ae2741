"""Judge new points of a growing series once each, at a cost independent of the number before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel, Subgroups, individuals
from flawline.core.spc.charts import State, advance
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import Rule, RuleSignal
from flawline.core.spc.signals import merge_signals
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.series import Series

PHASES = ("Phase I", "Phase II")


@dataclass(frozen=True, slots=True, eq=False)
class GrowingChart:
    """State needed to judge the next points, and the last `most` points to draw.

    The limits were estimated from the first `learnt` points; 0 if they were given. `labels`, `ids` (of the first
    inspection of each point), `panels` (`at` counts from the first drawn point) and `signals` (counted from the first
    point of all) belong to the drawn points.
    """

    limits: ControlLimits
    rules: tuple[Rule, ...]
    learnt: int = 0
    most: int | None = None
    state: State = field(default_factory=State)
    labels: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    panels: tuple[Panel, ...] = ()
    signals: tuple[RuleSignal, ...] = ()

    @property
    def before(self) -> int:
        """Number of points before the first drawn one."""
        return self.state.seen - len(self.labels)


def grow(
    growing: GrowingChart, series: Series, ids: Sequence[int]
) -> tuple[GrowingChart, tuple[RuleSignal, ...]]:
    """Judge further points; also returns their signals, counted from the first point of all."""
    state, panels, signals = advance(growing.state, growing.limits, growing.rules, series.points)
    drawn = len(growing.labels)
    start = max(0, drawn + len(series.labels) - (growing.most or state.seen))
    old = growing.panels or (None,) * len(panels)
    first = state.seen - drawn - len(series.labels) + start
    return replace(
        growing,
        state=state,
        labels=(*growing.labels, *series.labels)[start:],
        ids=(*growing.ids, *ids)[start:],
        panels=tuple(_window(was, new, drawn, start) for was, new in zip(old, panels, strict=True)),
        signals=tuple(one for one in (*growing.signals, *signals) if one.at >= first),
    ), signals


def _window(old: Panel | None, new: Panel, drawn: int, start: int) -> Panel:
    """Join two panels without the points before `start`; those of `new` follow after `drawn` points."""
    new = replace(new, at=new.at + drawn)
    if old is not None:
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(old, name), getattr(new, name)])
            for name in ("at", "values", "centre", "lower", "upper", "scores", "rounding")
            if getattr(new, name) is not None
        }
        new = replace(new, **joined)
    return _points(new, start, None)


def _points(panel: Panel, start: int, stop: int | None) -> Panel:
    """Select the points from `start` up to `stop` of a panel, counted from `start`."""
    low = int(np.searchsorted(panel.at, start))
    high = None if stop is None else int(np.searchsorted(panel.at, stop))
    here = slice(low, high)
    return replace(
        panel,
        at=panel.at[here] - start,
        values=panel.values[here],
        centre=panel.centre[here],
        lower=None if panel.lower is None else panel.lower[here],
        upper=None if panel.upper is None else panel.upper[here],
        scores=panel.scores[here],
        rounding=panel.rounding[here],
    )


def drawn_chart(
    growing: GrowingChart, series: Series, kind: str, *, notes: Sequence[str] = ()
) -> ControlChart:
    """Build the chart of the drawn points; `series` names what is charted and needs no points of its own."""
    before, count = growing.before, len(growing.labels)
    signals = [
        replace(one, at=one.at - before, first=max(one.first - before, 0))
        for one in growing.signals
    ]
    if before:
        notes = (f"the last {count} of {growing.state.seen} points are drawn", *notes)
    return ControlChart(
        series=replace(
            series,
            points=_drawn_points(growing, series),
            labels=growing.labels,
            stages=("",) * count,
            rows=(),
        ),
        kind=kind,
        rules=growing.rules,
        stages=tuple(_stages(growing)),
        signals=merge_signals(signals),
        set_aside=_set_aside(growing),
        notes=tuple(notes),
        settings={
            "chart": kind,
            "phase": 2,
            "rules": {str(rule.number): rule.k for rule in growing.rules},
            "transform": growing.limits.transform.name,
            **({"phase_one": growing.learnt} if growing.learnt else {}),
        },
    )


def _drawn_points(growing: GrowingChart, series: Series) -> Subgroups:
    """Make points of the drawn values, with their products where the whole series is known."""
    points = individuals(growing.panels[0].values)
    known = series.points.products if isinstance(series.points, Subgroups) else None
    if known is None or len(known) != len(points):
        return points
    return replace(points, products=known)


def _set_aside(growing: GrowingChart) -> NDArray[np.bool_]:
    """Find the drawn points of Phase I that were set aside, by label or number; limits that were given name others."""
    named = set(growing.limits.set_aside)
    points = enumerate(growing.labels, growing.before)
    return np.array(
        [
            point < growing.learnt and not named.isdisjoint((label, f"#{point + 1}"))
            for point, label in points
        ],
        dtype=bool,
    )


def _stages(growing: GrowingChart) -> list[Stage]:
    count = len(growing.labels)
    turn = min(max(growing.learnt - growing.before, 0), count)
    spans = [(0, turn, 1), (turn, count, 2)]
    named = growing.learnt > 0
    return [
        Stage(
            PHASES[phase - 1] if named else "",
            start,
            stop - 1,
            growing.limits,
            phase,
            tuple(_points(panel, start, stop) for panel in growing.panels),
        )
        for start, stop, phase in spans
        if start < stop
    ]
