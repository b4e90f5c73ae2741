"""Limits from the first points of a series, judgement of those after."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, Rule
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.growing import Growing, drawn_chart, grow
from flawline.jobs.chart.series import Series, cut_series

AS_IT_IS = Estimation()


def chart_in_phases(
    series: Series,
    kind: str,
    learn: int,
    *,
    rules: Sequence[Rule] = FIRST_ONLY,
    estimation: Estimation = AS_IT_IS,
) -> ControlChart:
    """Chart a series whose first `learn` points are Phase I and all others Phase II.

    Runs go on from one into the other, since the limits are the same.

    Raises:
        UsageError: stages, fewer points than that, or as `charting.chart_series`.
        FlawlineError: the points cannot be charted.
    """
    refuse_stages(series)
    if learn > len(series.labels):
        raise FlawlineError(
            f"limits are to come from the first {learn} points, and there are {len(series.labels)}",
            hint="give a smaller `phase1`, or wait for more points",
            code="chart",
        )
    limits, notes = learn_limits(cut_series(series, 0, learn), kind, rules, estimation)
    begun = Growing(limits, tuple(rules), learn)
    growing, _ = grow(begun, series, range(len(series.labels)))
    return drawn_chart(growing, series, kind, notes=notes)


def learn_limits(
    series: Series, kind: str, rules: Sequence[Rule], estimation: Estimation
) -> tuple[ControlLimits, tuple[str, ...]]:
    """The limits of Phase I, and what must be known with them.

    Raises:
        UsageError, FlawlineError: as `charting.chart_series`.
    """
    chart = chart_series(series, kind, rules=rules, estimation=estimation)
    notes = list(chart.notes)
    if not chart.in_control:
        notes.append("the points of Phase I have signals themselves: look for their causes")
    return chart.stages[-1].limits, tuple(notes)


def refuse_stages(series: Series) -> None:
    """Refuse points of named stages.

    Raises:
        UsageError: there are some.
    """
    if any(series.stages):
        raise UsageError(
            "stages have limits of their own, and Phase I of a series is one of them",
            hint="leave out `stage`, or choose one stage with `where` or `since`",
        )
