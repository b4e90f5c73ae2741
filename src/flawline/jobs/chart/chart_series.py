"""Chart a series: Phase I estimates limits stage by stage, Phase II uses given ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.chart_points import Points, Subgroups, select
from flawline.core.spc.charts import TRANSFORMED, PhaseOne, State, advance, phase_one
from flawline.core.spc.charts_variables import means
from flawline.core.spc.limits import ControlLimits
from flawline.core.spc.rules import FIRST_ONLY, Rule, RuleSignal
from flawline.core.spc.run_chart import runs_about_median
from flawline.core.spc.signals import merge_signals
from flawline.core.spc.transform_choice import choose_transform
from flawline.core.spc.transform_fits import FEW_PERCENTILES, fit_transform
from flawline.core.spc.transforms import NONE, Transform
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.chart.cautions import FEW, cautions, rules_passed_over
from flawline.jobs.chart.control_chart import ControlChart, Stage
from flawline.jobs.chart.series import Series
from flawline.jobs.chart.short_runs import refuse_unknown


@dataclass(frozen=True, slots=True)
class Estimation:
    """Settings for the estimation of limits in Phase I.

    `set_aside` names points to leave out; `automatic` repeatedly sets aside points beyond the limits.
    `transform` is "auto" (for i-mr: none if the values look normal), "none" or a name of `fit_transform`. `own`
    holds span, weight, reference, decision, head start and `product_sigma`. `sigma_from` is one of `SIGMA_FROM`.
    """

    set_aside: tuple[str, ...] = ()
    automatic: bool = False
    transform: str = "auto"
    own: ControlLimits | None = None
    sigma_from: str = "mean"


def chart_series(
    series: Series,
    kind: str,
    *,
    rules: Sequence[Rule] = FIRST_ONLY,
    limits: ControlLimits | None = None,
    estimation: Estimation = Estimation(),
) -> ControlChart:
    """Chart a series.

    Args:
        series: the points, formed for this kind of chart.
        kind: one of core.limits.KINDS.
        rules: the rules to apply; the K of rule 1 sets the limits of Phase I.
        limits: for Phase II; None estimates them from the points of each stage.
        estimation: settings of Phase I.

    Raises:
        UsageError: limits of another chart, or settings that contradict each other.
        FlawlineError: the points cannot be charted.
    """
    if limits is not None:
        series = refuse_unknown(series, limits)
    if limits is None:
        stages, signals, aside, notes = _first_phase(series, kind, rules, estimation)
    else:
        stages, signals, aside, notes = _second_phase(series, kind, rules, limits, estimation)
    notes += rules_passed_over(rules, stages)
    return ControlChart(
        series=series,
        kind=kind,
        rules=tuple(rules),
        stages=tuple(stages),
        signals=merge_signals(signals),
        set_aside=aside,
        notes=(*series.notes, *notes),
        settings={
            "chart": kind,
            "phase": 1 if limits is None else 2,
            "rules": {str(rule.number): rule.k for rule in rules},
            "transform": estimation.transform if limits is None else limits.transform.name,
            **({} if estimation.sigma_from == "mean" else {"sigma_from": estimation.sigma_from}),
        },
        runs=runs_about_median(_means(series.points)) if kind == "run" else None,
    )


def _second_phase(
    series: Series, kind: str, rules: Sequence[Rule], limits: ControlLimits, estimation: Estimation
) -> tuple[list[Stage], list[RuleSignal], NDArray[np.bool_], list[str]]:
    check_given(limits, kind, rules, estimation)
    _, panels, signals = advance(State(), limits, rules, series.points)
    last = len(series.labels) - 1
    names = " and ".join(dict.fromkeys(name for name in series.stages if name))
    stage = Stage(names, 0, last, limits, 2, panels)
    return [stage], list(signals), np.zeros(last + 1, dtype=bool), []


def check_given(
    limits: ControlLimits, kind: str, rules: Sequence[Rule], estimation: Estimation
) -> None:
    """Raise UsageError if limits are of another chart or K, or if points are to be set aside."""
    if limits.chart != kind:
        raise UsageError(f"expected frozen limits of {kind}, got those of {limits.chart}")
    for name, given in (
        ("set_aside", bool(estimation.set_aside or estimation.automatic)),
        ("sigma_from", estimation.sigma_from != "mean"),
    ):
        if given:
            raise UsageError(
                f"`{name}` is for limits that are estimated, and limits are given",
                hint=f"leave out `{name}`, or `limits`",
            )
    wanted = next((rule.k for rule in rules if rule.number == 1), limits.k)
    if wanted not in (3.0, limits.k):
        raise UsageError(
            f"expected rule 1 with the {limits.k:g} sigma of the frozen limits, got {wanted:g}"
        )


def _first_phase(
    series: Series, kind: str, rules: Sequence[Rule], estimation: Estimation
) -> tuple[list[Stage], list[RuleSignal], NDArray[np.bool_], list[str]]:
    named = _set_aside_mask(series, estimation.set_aside)
    k = next((float(rule.k) for rule in rules if rule.number == 1), 3.0)
    spans = list(_spans(series.stages))
    family, notes = _family(series.points, kind, named, spans, estimation.transform)
    notes += _returning(spans)
    stages: list[Stage] = []
    signals: list[RuleSignal] = []
    aside = np.zeros(len(series.labels), dtype=bool)
    for name, first, last in spans:
        here = slice(first, last + 1)
        points = _cut(series.points, first, last)
        estimate = _estimated(points, kind, named[here], family, estimation, k, name)
        aside[here] = estimate.set_aside
        names = tuple(
            series.name(first + place) for place in np.flatnonzero(estimate.set_aside).tolist()
        )
        limits = replace(estimate.limits, set_aside=names)
        _, panels, own = advance(State(), limits, rules, points)
        stages.append(Stage(name, first, last, limits, 1, panels))
        signals += [replace(one, at=one.at + first, first=one.first + first) for one in own]
        told = cautions(limits, points, estimate, estimation.sigma_from)
        notes += [f"{name}: {text}" if name else text for text in told]
    return *_common_panels(stages, signals), aside, notes


def _estimated(
    points: Points,
    kind: str,
    named: NDArray[np.bool_],
    family: str,
    estimation: Estimation,
    k: float,
    stage: str,
) -> PhaseOne:
    try:
        return phase_one(
            kind,
            points,
            set_aside=named,
            automatic=estimation.automatic and kind not in ("run", "ma", "ewma", "cusum", "zone"),
            transform=_fitted(points, ~named, family),
            template=estimation.own,
            k=k,
            sigma_from=estimation.sigma_from,
        )
    except FlawlineError as error:
        if not stage:
            raise
        raise FlawlineError(
            f"stage {stage}: {error.message}", hint=error.hint, code=error.code
        ) from error


def _common_panels(
    stages: Sequence[Stage], signals: Sequence[RuleSignal]
) -> tuple[list[Stage], list[RuleSignal]]:
    """Keep the panels of all stages: a stage of many zeros has no moving range, so the others drop it too."""
    names = [{panel.name for panel in stage.panels} for stage in stages]
    common = set.intersection(*names)
    reduced = [
        replace(stage, panels=tuple(panel for panel in stage.panels if panel.name in common))
        for stage in stages
    ]
    return reduced, [one for one in signals if one.panel in common]


def _set_aside_mask(series: Series, names: Sequence[str]) -> NDArray[np.bool_]:
    aside = np.zeros(len(series.labels), dtype=bool)
    if names:
        places = {series.name(place): place for place in range(len(series.labels))}
        aside[[_place(series, name, places) for name in names]] = True
    return aside


def _place(series: Series, name: str, places: Mapping[str, int]) -> int:
    """Find a point by its name, or by its number from 1 after #."""
    number = name[1:] if name.startswith("#") else ""
    if name in places:
        return places[name]
    if number.isdecimal() and 0 < int(number) <= len(series.labels):
        return int(number) - 1
    same = [f"#{place + 1}" for place, label in enumerate(series.labels) if label == name]
    if same:
        raise UsageError(
            f"{len(same)} points are called {name!r}: {', '.join(same[:6])}{' ...' if len(same) > 6 else ''}",
            hint=f"name the one that is meant by its number: `set_aside` '{same[0]}'",
        )
    raise UsageError(
        f"there is no point {name!r} to set aside",
        hint=f"points are named like {series.labels[0]!r}, or by number like #1 to #{len(series.labels)}",
    )


def _spans(stages: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """List name, first and last point of every run of equal stages."""
    start = 0
    for name, run in groupby(stages):
        length = len(list(run))
        yield name, start, start + length - 1
        start += length


def _returning(spans: Sequence[tuple[str, int, int]]) -> list[str]:
    times = Counter(name for name, _, _ in spans)
    return [
        f"the stage {name} occurs {count} times: each run of its rows is a stage of its own"
        for name, count in times.items()
        if count > 1
    ]


def _cut(points: Points, first: int, last: int) -> Points:
    if first == 0 and last == len(points) - 1:
        return points
    keep = np.zeros(len(points), dtype=bool)
    keep[first : last + 1] = True
    return select(points, keep)


def _family(
    points: Points,
    kind: str,
    named: NDArray[np.bool_],
    spans: Sequence[tuple[str, int, int]],
    wanted: str,
) -> tuple[str, list[str]]:
    """Choose the transform of all stages, with the reasons; "auto" decides by the longest stage of an i-mr chart."""
    if kind == "t" and wanted == "auto":
        return "weibull", []
    single = isinstance(points, Subgroups) and points.sizes.max() == 1
    if wanted == "none" or (wanted == "auto" and (kind != "i-mr" or not single)):
        return "none", []
    if not isinstance(points, Subgroups) or not single or kind not in TRANSFORMED:
        raise UsageError(
            f"expected a transform only for single measurements on {', '.join(TRANSFORMED)}, got {kind}"
        )
    _, first, last = max(spans, key=lambda span: span[2] - span[1])
    values = points.values[first : last + 1][~named[first : last + 1]]
    if wanted == "auto":
        return _judged_shape(values) if len(values) >= FEW else ("none", [])
    reasons = [f"transform {wanted}, as asked"]
    if wanted == "percentile" and len(values) < FEW_PERCENTILES:
        chance = (len(values) + 1) / 2
        reasons.append(
            f"{len(values)} values hold no percentile of 0.135 %: the limits are the smallest and the largest, and "
            f"1 point in {chance:.0f} lies beyond them by chance"
        )
    return wanted, reasons


def _fitted(points: Points, keep: NDArray[np.bool_], family: str) -> Transform:
    if family == "none" or not isinstance(points, Subgroups):
        return NONE
    return fit_transform(points.values[keep], family)


def _judged_shape(values: NDArray[np.float64]) -> tuple[str, list[str]]:
    """Choose a transform by the shape of the values, and tell why, unless they simply look normal."""
    try:
        choice = choose_transform(values)
    except FlawlineError as error:
        return "none", [f"{error.message}; they are charted untransformed"]
    name = choice.transform.name
    return name, [] if choice.passes and name == "none" else [choice.reason]


def _means(points: Points) -> NDArray[np.float64]:
    return means(points) if isinstance(points, Subgroups) else points.counts / points.sizes
