"""Estimate limits from the first points of a series and judge the later ones."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, Rule
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.chart_series import Estimation, chart_series
from flawline.jobs.chart.control_chart import ControlChart
from flawline.jobs.chart.growing_chart import GrowingChart, drawn_chart, grow
from flawline.jobs.chart.series import Series, cut_series
from flawline.jobs.chart.short_runs import refuse_unknown

DEFAULT = Estimation()


def chart_in_phases(
    series: Series,
    kind: str,
    learn: int,
    *,
    rules: Sequence[Rule] = FIRST_ONLY,
    estimation: Estimation = DEFAULT,
) -> ControlChart:
    """Chart a series whose first `learn` points are Phase I and all others Phase II.

    Runs continue from Phase I into Phase II, since the limits are the same.

    Raises:
        UsageError: the series has stages, or as `chart_series`.
        FlawlineError: there are fewer points, or they cannot be charted.
    """
    refuse_stages(series)
    if learn > len(series.labels):
        raise FlawlineError(
            f"expected at least {learn} points for Phase I, got {len(series.labels)}",
            hint="give a smaller `phase1`, or wait for more points",
            code="chart",
        )
    limits, notes = learn_limits(cut_series(series, 0, learn), kind, rules, estimation)
    begun = GrowingChart(limits, tuple(rules), learn)
    series = refuse_unknown(series, limits)
    growing, _ = grow(begun, series, range(len(series.labels)))
    return drawn_chart(growing, series, kind, notes=notes)


def learn_limits(
    series: Series, kind: str, rules: Sequence[Rule], estimation: Estimation
) -> tuple[ControlLimits, tuple[str, ...]]:
    """Estimate the limits of Phase I; returns them with notes.

    Raises:
        UsageError, FlawlineError: as `chart_series`.
    """
    chart = chart_series(series, kind, rules=rules, estimation=estimation)
    notes = list(chart.notes)
    if not chart.in_control:
        notes.append("the points of Phase I have signals themselves: look for their causes")
    return chart.stages[-1].limits, tuple(notes)


def refuse_stages(series: Series) -> None:
    """Raise UsageError if the series has named stages."""
    if any(series.stages):
        raise UsageError(
            "stages have limits of their own, and Phase I of a series is one of them",
            hint="leave out `stage`, or choose one stage with `where` or `since`",
        )
