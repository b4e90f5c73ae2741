"""Note what estimated limits do not promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.core.spc.autocorrelation import autocorrelation
from flawline.core.spc.chart_points import Counts, Points, Subgroups, neighbours
from flawline.core.spc.charts import SIGMA_FROM, PhaseOne
from flawline.core.spc.charts_attributes import LANEY, false_signal_share, overdispersion
from flawline.core.spc.charts_between import components
from flawline.core.spc.charts_time_weighted import LARGEST_RANGE
from flawline.core.spc.charts_variables import means
from flawline.core.spc.limits import BETWEEN, RARE, ControlLimits
from flawline.core.spc.rules import Rule
from flawline.core.spc.transform_choice import REFUSED, normality
from flawline.core.spc.transforms import NONE, is_standard, revert
from flawline.jobs.chart.control_chart import Stage
from flawline.jobs.chart.short_runs import few_of_a_product

FEW = 20
_OVERDISPERSED = 1.3
_INTENDED = 0.0027
# An upper limit this many times farther from the centre than the largest value gets a note.
_FAR = 1.5


def cautions(
    limits: ControlLimits, points: Points, estimate: PhaseOne, sigma_from: str
) -> Iterator[str]:
    """List what limits of Phase I, estimated from these points, do not promise."""
    if limits.chart == "run":
        return
    if limits.points < FEW:
        yield (
            f"{limits.points} points are few for limits: 20 to 25 are usual, and until then they are a trial"
        )
    if limits.set_aside:
        count = len(limits.set_aside)
        rounds = estimate.rounds
        how = (
            f" in {rounds} round{'s' if rounds > 1 else ''}, without a known cause"
            if rounds
            else ""
        )
        yield f"{count} point{'s' if count > 1 else ''} set aside{how}: {', '.join(limits.set_aside[:12])}"
    if limits.chart in RARE:
        yield from _times_apart(limits, points, ~estimate.set_aside)
        return
    if limits.chart == "z-mr":
        few = few_of_a_product(limits)
        if few:
            yield few
        return
    yield from _alike(limits, points, ~estimate.set_aside)
    if isinstance(points, Counts):
        yield from _count_cautions(limits, points)
        return
    yield from _unequal_sizes(limits.chart, points, ~estimate.set_aside, sigma_from)
    if limits.chart in BETWEEN:
        yield _split(limits, points)
    if limits.transform != NONE:
        yield from _far_limit(limits, points)


def _times_apart(limits: ControlLimits, points: Points, keep: NDArray[np.bool_]) -> Iterator[str]:
    """Say where times between events do not follow the distribution of the limits."""
    if limits.chart != "t" or not isinstance(points, Subgroups) or keep.sum() < FEW:
        return
    departure = normality(points.values[keep], limits.transform)
    if departure > REFUSED:
        yield (
            f"the times do not fit a {limits.transform.name} distribution (A² {departure:.2f}, at most {REFUSED:.2f}): "
            "the limits are rough"
        )


def _alike(limits: ControlLimits, points: Points, keep: NDArray[np.bool_]) -> Iterator[str]:
    """Say what to do where each point resembles the one before."""
    values = means(points) if isinstance(points, Subgroups) else points.counts / points.sizes
    found = autocorrelation(values, keep, neighbours(points, keep))
    if found is None or not found.marked or is_standard(limits.transform):
        return
    wider = ""
    if isinstance(points, Subgroups) and limits.transform == NONE:
        single = "" if points.sizes.max() == 1 else "i-mr of the means with "
        centre, sigma = values[keep].mean(), values[keep].std(ddof=1)
        wider = f"wider limits ({single}`centre={centre:.6g}` and `sigma={sigma:.4g}`, of all points) or "
    yield (
        f"each point resembles the one before (autocorrelation {found.value:.2f}; chance makes at most "
        f"{found.by_chance:.2f}): these limits are too narrow, and runs occur by chance. If the level moved for a "
        f"cause, chart its stages apart; if the process is always so, take {wider}a chart of the residuals, each value "
        f"less {found.value:.2f} times the deviation of the one before from the centre"
    )


def _unequal_sizes(
    kind: str, points: Subgroups, keep: NDArray[np.bool_], sigma_from: str
) -> Iterator[str]:
    """Say how sigma comes from subgroups of several sizes: programs differ in it."""
    sizes = points.sizes[keep & (points.sizes > 1)]
    if kind == "i-mr" or len(sizes) == 0 or np.ptp(sizes) == 0:
        return
    by_range = kind in ("xbar-r", "median", "i-mr-r") or (
        kind not in ("xbar-s", "i-mr-s") and bool(points.sizes.max() <= LARGEST_RANGE)
    )
    each = "R / d2" if by_range else "s / c4"
    way = {
        "mean": f"the plain mean of {each} of the subgroups",
        "mvlue": f"the mean of {each}, weighted for the least variance (MVLUE)",
        "pooled": "the pooled standard deviation",
    }[sigma_from]
    others = " or ".join(name for name in SIGMA_FROM if name != sigma_from)
    yield (
        f"the subgroups have {sizes.min()} to {sizes.max()} measurements: sigma is {way}; `sigma_from` takes {others} "
        "instead"
    )


def _split(limits: ControlLimits, points: Subgroups) -> str:
    """Say how much of the variation lies within subgroups and how much between them."""
    found = components(limits, points)
    told = (
        f"sigma is {found.within:.4g} within subgroups, {found.between:.4g} between them, together "
        f"{found.together:.4g}"
    )
    if found.between:
        return told
    return f"{told}: the subgroups differ no more than their parts explain, and an xbar chart finds more"


def _far_limit(limits: ControlLimits, points: Subgroups) -> Iterator[str]:
    edges = limits.centre + limits.sigma * np.array([0.0, limits.k])
    centre, upper = (float(edge) for edge in revert(limits.transform, edges))
    largest = float(points.values.max())
    if upper - centre > _FAR * (largest - centre):
        yield (
            f"the upper limit {upper:.4g} lies far beyond the largest value {largest:.4g}: it is extrapolated by the "
            f"transform {limits.transform.name} from {limits.points} points, and more points make it surer"
        )


def _count_cautions(limits: ControlLimits, points: Counts) -> Iterator[str]:
    kind = limits.chart
    if kind in LANEY:
        yield f"the points vary {limits.sigma:.2f} times as much as chance alone (Laney's sigma z)"
        return
    ratio = overdispersion(limits, points)
    if ratio > _OVERDISPERSED and len(points) >= FEW:
        yield (
            f"the points vary {ratio:.1f} times as much as chance alone, so that these limits are too narrow: "
            f"consider {'laney-p' if kind in ('p', 'np') else 'laney-u'}"
        )
    share = false_signal_share(limits, float(np.median(points.sizes)))
    if limits.k == 3 and share > 2 * _INTENDED:
        yield (
            f"so few defects make the limits of 3 sigma coarse: by chance alone 1 point in {1 / share:.0f} lies beyond "
            "them, where 1 in 370 is meant"
        )


def rules_passed_over(rules: Sequence[Rule], stages: Sequence[Stage]) -> list[str]:
    """List which rules are not applied to which panels."""
    notes = []
    for panel in stages[0].panels:
        left = [str(rule.number) for rule in rules if rule.number not in panel.rules]
        # A zone chart judges the scores of its points instead.
        if left and panel.rules:
            plural = "s" if len(left) > 1 else ""
            verb = "are" if plural else "is"
            notes.append(f"rule{plural} {', '.join(left)} {verb} not applied to {panel.name}")
    return notes
