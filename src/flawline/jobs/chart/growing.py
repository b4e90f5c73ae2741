"""A series that grows: each new point is judged once, at the same cost however many came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Panel, individuals
from flawline.core.spc.charts import State, advance
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import Rule, RuleSignal
from flawline.core.spc.signals import merge_signals
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.series import Series

PHASES = ("Phase I", "Phase II")


@dataclass(frozen=True, slots=True, eq=False)
class Growing:
    """What judging the next points needs, and the last `most` points to be drawn.

    `learnt` is how many points the limits were estimated from, counted from the first; 0 where they were given.
    `labels`, `ids` (of the first inspection of each point), `panels` (whose `at` counts from the first drawn point) and
    `hits` (which count from the first of all) are those of the points that are drawn.
    """

    limits: ControlLimits
    rules: tuple[Rule, ...]
    learnt: int = 0
    most: int | None = None
    state: State = field(default_factory=State)
    labels: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    panels: tuple[Panel, ...] = ()
    hits: tuple[RuleSignal, ...] = ()

    @property
    def before(self) -> int:
        """How many points came before the first one that is drawn."""
        return self.state.seen - len(self.labels)


def grow(
    growing: Growing, series: Series, ids: Sequence[int]
) -> tuple[Growing, tuple[RuleSignal, ...]]:
    """Judge further points; returns also the hits among them, which count from the first point of all."""
    state, panels, hits = advance(growing.state, growing.limits, growing.rules, series.points)
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
        hits=tuple(hit for hit in (*growing.hits, *hits) if hit.at >= first),
    ), hits


def _window(old: Panel | None, new: Panel, drawn: int, start: int) -> Panel:
    """Both panels as one, without the points before `start`; those of `new` come after `drawn` points."""
    new = replace(new, at=new.at + drawn)
    if old is not None:
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(old, name), getattr(new, name)])
            for name in ("at", "values", "centre", "lower", "upper", "scores")
            if getattr(new, name) is not None
        }
        new = replace(new, **joined)
    return _points(new, start, None)


def _points(panel: Panel, start: int, stop: int | None) -> Panel:
    """The points from `start` up to `stop` of a panel, counted from `start`."""
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
    )


def drawn_chart(
    growing: Growing, series: Series, kind: str, *, notes: Sequence[str] = ()
) -> ControlChart:
    """The chart of the points that are drawn; `series` says what is charted and need not have points of its own."""
    before, count = growing.before, len(growing.labels)
    hits = [
        replace(hit, at=hit.at - before, first=max(hit.first - before, 0)) for hit in growing.hits
    ]
    if before:
        notes = (f"the last {count} of {growing.state.seen} points are drawn", *notes)
    return ControlChart(
        series=replace(
            series,
            points=individuals(growing.panels[0].values),
            labels=growing.labels,
            stages=("",) * count,
            rows=(),
        ),
        kind=kind,
        rules=growing.rules,
        stages=tuple(_stages(growing)),
        signals=merge_signals(hits),
        set_aside=np.isin(np.array(growing.labels, dtype=object), list(growing.limits.set_aside)),
        notes=tuple(notes),
        settings={
            "chart": kind,
            "phase": 2,
            "rules": {str(rule.number): rule.k for rule in growing.rules},
            "transform": growing.limits.transform.name,
            **({"phase_one": growing.learnt} if growing.learnt else {}),
        },
    )


def _set_aside(growing: Growing) -> NDArray[np.bool_]:
    named = np.isin(np.array(growing.labels, dtype=object), list(growing.limits.set_aside))
    places = np.arange(len(growing.labels)) + growing.before
    return np.asarray(named & (places < growing.learnt))


def _stages(growing: Growing) -> list[Stage]:
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
