"""Control charts: Phase I estimates and freezes limits, Phase II judges new points by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flawline.core.spc.chart_points import Counts, Panel, Points, Subgroups
from flawline.core.spc.charts_attributes import count_panels, estimate_counts
from flawline.core.spc.charts_between import between_panels, estimate_between
from flawline.core.spc.charts_rare import estimate_rare, rare_panels
from flawline.core.spc.charts_short_runs import estimate_products, short_run_panels
from flawline.core.spc.charts_time_weighted import (
    cusum_panels,
    estimate_time_weighted,
    ewma_panels,
    moving_average_panels,
)
from flawline.core.spc.charts_variables import (
    Memory,
    estimate_individuals,
    estimate_median,
    estimate_subgroups,
    individuals_panels,
    run_panels,
    subgroup_panels,
)
from flawline.core.spc.charts_zone import zone_panels
from flawline.core.spc.limits import BETWEEN, COUNTED, ControlLimits, check_kind
from flawline.core.spc.rules import FIRST_ONLY, Rule, RuleSignal, Tail, find_signals
from flawline.core.spc.transforms import NONE, Transform
from flawline.errors import FlawlineError, UsageError

SIGMA_FROM = ("mean", "mvlue", "pooled")
TRANSFORMED = ("i-mr", "ma", "ewma", "cusum", "t")
# With a larger share of points set aside, the rest no longer describes the process.
MOST_SET_ASIDE = 0.25


@dataclass(frozen=True, slots=True)
class State:
    """State of a chart after the points so far, of constant size; `State()` begins, `advance` continues.

    `seen` counts the points, `memory` is what the chart carries from point to point (the last measurement, the average
    and its variance, the sums), `tails` the last values of each panel for the rules.
    """

    seen: int = 0
    memory: Memory = ()
    tails: tuple[Tail, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PhaseOne:
    """Limits, the points (G,) set aside as True, and the number of rounds that set points aside."""

    limits: ControlLimits
    set_aside: NDArray[np.bool_]
    rounds: int


def advance(
    state: State, limits: ControlLimits, rules: Sequence[Rule], points: Points
) -> tuple[State, tuple[Panel, ...], tuple[RuleSignal, ...]]:
    """Judge the next points by given limits; all at once or one by one gives the same panels and signals.

    A single point costs the same after ten million as after ten. Signals count points from the beginning; the panels'
    `at` counts from the first of `points`.

    Raises:
        FlawlineError: points that the chart cannot take.
    """
    memory, panels = _panels(limits, points, state.memory)
    tails = state.tails or (Tail(),) * len(panels)
    signals: list[RuleSignal] = []
    ends: list[Tail] = []
    for panel, tail in zip(panels, tails, strict=True):
        new, end = find_signals(panel, rules, state.seen, tail)
        signals += new
        ends.append(end)
    signals.sort(key=lambda signal: signal.at)
    return State(state.seen + len(points), memory, tuple(ends)), panels, tuple(signals)


def estimate(
    kind: str,
    points: Points,
    *,
    set_aside: ArrayLike | None = None,
    transform: Transform = NONE,
    template: ControlLimits | None = None,
    k: float = 3.0,
    sigma_from: str = "mean",
) -> ControlLimits:
    """Estimate the limits of one of `KINDS` from points taken to be in control, without those set aside.

    Args:
        kind: the chart.
        points: `Subgroups`, or `Counts` for the charts of counts.
        set_aside: (G,) booleans, True for points not to use.
        transform: for i-mr, ma, ewma, cusum and t of single measurements.
        template: limits that give span, weight, reference, decision, head start and, for z-mr, `product_sigma`.
        k: sigmas from the centre to a limit.
        sigma_from: one of `SIGMA_FROM`, how the subgroups' ranges or deviations are averaged.

    Raises:
        UsageError: an unknown chart, or points or a transform that do not go with it.
        FlawlineError: nothing to estimate from: too few points, or no variation.
    """
    _check_points(kind, points, transform)
    _check_sigma_from(kind, points, sigma_from)
    keep = np.ones(len(points), dtype=bool)
    if set_aside is not None:
        keep &= ~np.asarray(set_aside, dtype=bool)
    if not keep.any():
        raise FlawlineError(
            "every point is set aside: nothing is left to estimate from", code="chart"
        )
    own = template or ControlLimits(kind, 1.0 if kind in ("c", "u", "laney-u") else 0.5, 1.0)
    within = own.within
    products = own.products
    if kind in BETWEEN and isinstance(points, Subgroups):
        centre, sigma, within = estimate_between(kind, points, keep, sigma_from)
    elif kind == "z-mr" and isinstance(points, Subgroups):
        transform, products = estimate_products(points, keep, own.product_sigma)
        centre, sigma = 0.0, 1.0
    else:
        centre, sigma = _estimate(kind, points, transform, keep, sigma_from)
    return replace(
        own,
        chart=kind,
        centre=centre,
        sigma=sigma,
        k=k,
        transform=transform,
        points=int(keep.sum()),
        set_aside=(),
        within=within,
        products=products,
    )


def phase_one(
    kind: str,
    points: Points,
    *,
    set_aside: ArrayLike | None = None,
    automatic: bool = False,
    transform: Transform = NONE,
    template: ControlLimits | None = None,
    k: float = 3.0,
    sigma_from: str = "mean",
) -> PhaseOne:
    """Estimate limits; with `automatic`, set aside points beyond them and estimate anew until none is beyond.

    `automatic` treats every point beyond the limits as if an assignable cause had been found. Without such causes the
    limits become too narrow: then leave it out (D. C. Montgomery, Introduction to Statistical Quality Control, 6th ed.,
    section 6.2.1, "trial control limits").

    Raises:
        UsageError, FlawlineError: as `estimate`; or more than a quarter of the points would be set aside.
    """
    aside = np.zeros(len(points), dtype=bool)
    if set_aside is not None:
        aside |= np.asarray(set_aside, dtype=bool)
    rounds = 0
    while True:
        limits = estimate(
            kind,
            points,
            set_aside=aside,
            transform=transform,
            template=template,
            k=k,
            sigma_from=sigma_from,
        )
        _, _, signals = advance(State(), limits, FIRST_ONLY, points)
        beyond = np.zeros(len(points), dtype=bool)
        beyond[[signal.at for signal in signals]] = True
        if not automatic or not (beyond & ~aside).any():
            return PhaseOne(limits, aside, rounds)
        aside |= beyond
        rounds += 1
        if aside.mean() > MOST_SET_ASIDE:
            raise FlawlineError(
                f"{int(aside.sum())} of {len(points)} points lie beyond the limits of the others: the process is not "
                "in control, and no limits describe it",
                hint="chart its stages or sources apart, or set points aside by name",
                code="chart",
            )


def _check_points(kind: str, points: Points, transform: Transform) -> None:
    check_kind(kind)
    if (kind in COUNTED) != isinstance(points, Counts):
        wanted = "counts" if kind in COUNTED else "measurements"
        raise UsageError(f"the chart {kind} takes {wanted}")
    if transform != NONE and kind not in TRANSFORMED:
        raise UsageError(
            f"a transform goes with the charts {', '.join(TRANSFORMED)}, got {kind}",
            hint="means of subgroups need none; chart a summary of each subgroup as individuals",
        )
    if transform != NONE and isinstance(points, Subgroups) and points.sizes.max() > 1:
        raise UsageError("a transform goes with single measurements, got subgroups")


def _check_sigma_from(kind: str, points: Points, sigma_from: str) -> None:
    if sigma_from not in SIGMA_FROM:
        raise UsageError(
            f"expected one of {', '.join(SIGMA_FROM)} for `sigma_from`, got {sigma_from!r}"
        )
    grouped = isinstance(points, Subgroups) and points.sizes.max() > 1 and kind != "run"
    if sigma_from != "mean" and not grouped:
        raise UsageError(
            f"`sigma_from` {sigma_from} goes with subgroups of measurements, got {kind} without any",
            hint="form them with `subgroup` or `by`, or leave it out",
        )


def _estimate(
    kind: str, points: Points, transform: Transform, keep: NDArray[np.bool_], sigma_from: str
) -> tuple[float, float]:
    if isinstance(points, Counts):
        return estimate_counts(kind, points, keep)
    match kind:
        case "i-mr":
            return estimate_individuals(points, transform, keep)
        case "xbar-r" | "xbar-s" | "median":
            return estimate_subgroups(
                points,
                keep,
                by_range=kind != "xbar-s",
                sigma_from=sigma_from,
                of_medians=kind == "median",
            )
        case "run":
            return estimate_median(points, keep)
        case "g" | "t":
            return estimate_rare(kind, points, transform, keep)
        case _:
            return estimate_time_weighted(points, transform, keep, sigma_from)


def _panels(
    limits: ControlLimits, points: Points, memory: Memory
) -> tuple[Memory, tuple[Panel, ...]]:
    # The logarithms of a relative sigma are no choice of a transform.
    transform = NONE if limits.chart == "z-mr" else limits.transform
    _check_points(limits.chart, points, transform)
    if isinstance(points, Counts):
        return (), count_panels(limits, points)
    match limits.chart:
        case "i-mr":
            return individuals_panels(limits, points, memory)
        case "i-mr-r" | "i-mr-s":
            return between_panels(limits, points, memory)
        case "zone":
            return zone_panels(limits, points, memory)
        case "z-mr":
            return short_run_panels(limits, points, memory)
        case "ma":
            return moving_average_panels(limits, points, memory)
        case "ewma":
            return ewma_panels(limits, points, memory)
        case "cusum":
            return cusum_panels(limits, points, memory)
        case "run":
            return (), run_panels(limits, points)
        case "g" | "t":
            return (), rare_panels(limits, points)
        case _:
            return (), subgroup_panels(limits, points)
