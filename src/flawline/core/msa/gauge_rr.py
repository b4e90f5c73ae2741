"""Estimate repeatability and reproducibility of a gauge, beside its parts and its tolerance, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.msa.gauge_anova import (
    INTERACTION,
    OPERATOR,
    PART,
    REPEATS,
    AnovaRow,
    anova,
    interaction_test,
    variances,
    without_interaction,
)
from flawline.core.msa.gauge_data import GaugeData
from flawline.core.msa.gauge_ranges import range_variances
from flawline.core.msa.gauge_reml import reml
from flawline.errors import UsageError

Method = Literal["anova", "reml", "range"]
METHODS = ("auto", "anova", "reml", "range")
POOLED_ABOVE = 0.25
"""The interaction is added to the repeats where its p lies above this: AIAG and Minitab's usual level."""
GAUGE, REPRODUCIBILITY, TOTAL = "gauge", "reproducibility", "total"
SIGMAS = 6.0
"""How many standard deviations are compared with the tolerance (AIAG, 4th edition; 5.15 before)."""
_DRAWS = 20_000
Draws = Mapping[str, NDArray[np.float64]]
Interval = tuple[float, float]
Figure = Callable[[Draws, str], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Share:
    """A figure in percent (or ndc) with its interval; the interval is None where the method gives none."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Component:
    """One source of variation: its standard deviation, and percentages of all variance, variation and tolerance."""

    source: str
    sigma: Share
    contribution: Share | None
    study: Share | None
    tolerance: Share | None

    @property
    def variance(self) -> float:
        """Variance."""
        return self.sigma.value**2


@dataclass(frozen=True, slots=True, eq=False)
class GaugeRR:
    """What a gauge adds to the variation of readings.

    `method` is how variances were estimated. `rows` is the analysis of variance of a balanced study, with the
    interaction; `interaction_p` its p, None where it cannot be told from repeats; `pooled` says that it was added to
    the repeats. `ndc` is 1.41 times parts over gauge: how many groups of these parts the gauge tells apart; None
    without parts, or where the gauge does not vary.
    """

    method: Method
    components: Mapping[str, Component]
    rows: tuple[AnovaRow, ...]
    interaction_p: float | None
    pooled: bool
    ndc: Share | None
    tolerance: float | None
    confidence: float


def gauge_rr(
    data: GaugeData,
    *,
    tolerance: float | None = None,
    method: str = "auto",
    confidence: float = 0.95,
) -> GaugeRR:
    """Estimate the variation by repeats, by operators and by parts.

    Args:
        data: the readings.
        tolerance: width of the tolerance in the unit of the readings.
        method: "anova" for balanced readings, "reml" for any, "range"; "auto" takes "anova" where it can.
        confidence: of the intervals.

    Intervals of a balanced analysis of variance are generalised ones: M. Hamada and S. Weerahandi, "Measurement system
    assessment via generalized inference", Journal of Quality Technology 32, 2000, pp. 241-253, by 20,000 draws with a
    fixed seed. Those of REML take log variances as normal, which is rough for few operators. Ranges give none.

    Raises:
        UsageError: settings that make no sense.
        FlawlineError: readings that the method cannot take.
    """
    _check(tolerance, method, confidence)
    balanced = data.trials is not None
    if method == "anova" and not balanced:
        raise UsageError(
            "the analysis of variance takes as many readings of each part by each operator",
            hint="leave `method` at auto, which takes REML here",
        )
    chosen: Method = "anova" if balanced else "reml"
    if method != "auto":
        chosen = method  # type: ignore[assignment]
    rows = anova(data) if balanced else ()
    p = next((row.p for row in rows if row.source == INTERACTION), None)
    p = p if balanced else interaction_test(data)
    crossed = not data.nested and len(data.factors) == 2
    pooled = crossed and data.cells.degrees > 0 and (p is None or p > POOLED_ABOVE)
    point, draws = _estimated(data, chosen, rows, crossed and not pooled)
    whole = GaugeRR(chosen, {}, rows, p, pooled and chosen != "range", None, tolerance, confidence)
    return _summary(whole, point, draws)


def _check(tolerance: float | None, method: str, confidence: float) -> None:
    if tolerance is not None and not (np.isfinite(tolerance) and tolerance > 0):
        raise UsageError(f"`tolerance` is a width above 0, got {tolerance:g}")
    if method not in METHODS:
        raise UsageError(f"expected `method` of {', '.join(METHODS)}, got {method!r}")
    if not 0 < confidence < 1:
        raise UsageError(f"`confidence` must be above 0 and below 1, got {confidence:g}")


def _estimated(
    data: GaugeData, method: Method, rows: tuple[AnovaRow, ...], interaction: bool
) -> tuple[dict[str, float], Draws | None]:
    if method == "range":
        return range_variances(data), None
    random = np.random.default_rng(0)
    if method == "reml":
        found = reml(data, interaction=interaction and data.cells.degrees > 0)
        return found.variances, _reml_draws(found.variances, found.sure, found.covariance, random)
    if not interaction and any(row.source == INTERACTION for row in rows):
        rows = without_interaction(rows)
    trials = data.trials or 1
    squares = {row.source: np.array(row.mean) for row in rows}
    drawn = {row.source: row.squares / random.chisquare(row.degrees, _DRAWS) for row in rows}
    point = variances(squares, data, trials)
    return {name: float(v) for name, v in point.items()}, variances(drawn, data, trials)


def _reml_draws(
    found: Mapping[str, float],
    sure: tuple[str, ...],
    covariance: NDArray[np.float64],
    random: np.random.Generator,
) -> Draws:
    """Draw variances whose logarithms are normal about the estimates; those of 0 stay 0."""
    centre = np.array([found[name] for name in sure])
    relative = covariance / np.outer(centre, centre)
    # A log variance with a deviation above 3 is known to a factor of 400 only; more is no news.
    steps = random.multivariate_normal(np.zeros(len(sure)), relative, _DRAWS, method="svd")
    drawn = dict(zip(sure, (centre * np.exp(np.clip(steps, -9, 9))).T, strict=True))
    return {name: drawn.get(name, np.zeros(_DRAWS)) for name in found}


def _summary(whole: GaugeRR, point: Mapping[str, float], draws: Draws | None) -> GaugeRR:
    values = with_sums({name: np.array(value) for name, value in point.items()})
    drawn = None if draws is None else with_sums(draws)

    def share(make: Figure, source: str) -> Share:
        inner = None
        if drawn is not None:
            edges = (50 * (1 - whole.confidence), 50 * (1 + whole.confidence))
            with np.errstate(divide="ignore", invalid="ignore"):
                every = make(drawn, source)
            low, high = np.percentile(every[~np.isnan(every)], edges)
            # What REML puts at 0 has draws of 0 alone, which is no interval.
            inner = (float(low), float(high)) if low < high else None
        return Share(float(make(values, source)), inner)

    varied = PART in point
    components = {
        name: Component(
            name,
            share(_sigma, name),
            share(_contribution, name) if varied else None,
            share(_study, name) if varied else None,
            None
            if whole.tolerance is None
            else _scaled(share(_sigma, name), 100 * SIGMAS / whole.tolerance),
        )
        for name in values
    }
    # A gauge without any spread of its own has no number of groups.
    told = varied and float(values[GAUGE]) > 0
    ndc = share(_ndc, PART) if told else None
    if ndc is not None and ndc.interval is not None and not np.isfinite(ndc.interval).all():
        ndc = replace(ndc, interval=None)
    return replace(whole, components=components, ndc=ndc)


def with_sums(found: Draws) -> dict[str, NDArray[np.float64]]:
    """Add the variances of reproducibility, gauge and total, in the order in which they are shown."""
    between = [found[name] for name in (OPERATOR, INTERACTION) if name in found]
    nothing = np.zeros_like(found[REPEATS])
    reproducibility = sum(between, start=nothing)
    gauge = found[REPEATS] + reproducibility
    shown = {GAUGE: gauge, REPEATS: found[REPEATS]}
    if between:
        shown[REPRODUCIBILITY] = reproducibility
    for name in (OPERATOR, INTERACTION, PART):
        if name in found:
            shown[name] = found[name]
    return {**shown, TOTAL: gauge + found.get(PART, nothing)}


def _sigma(found: Draws, source: str) -> NDArray[np.float64]:
    return np.sqrt(found[source])


def _contribution(found: Draws, source: str) -> NDArray[np.float64]:
    return 100 * found[source] / found[TOTAL]


def _study(found: Draws, source: str) -> NDArray[np.float64]:
    return 100 * np.sqrt(found[source] / found[TOTAL])


def _ndc(found: Draws, source: str) -> NDArray[np.float64]:
    return 1.41 * np.sqrt(found[source] / found[GAUGE])


def _scaled(share: Share, factor: float) -> Share:
    interval = share.interval
    return Share(
        factor * share.value,
        None if interval is None else (factor * interval[0], factor * interval[1]),
    )
