"""Find out which distribution a measure follows, and describe it for its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.spc.autocorrelation import autocorrelation
from flawline.core.spc.run_chart import chance_of_runs
from flawline.core.spc.transform_choice import MUCH, REFUSED, normality
from flawline.core.spc.transform_fits import fit_transform
from flawline.core.spc.transforms import Transform, apply, revert, transform_as_dict
from flawline.core.words import counted
from flawline.errors import FlawlineError
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.capability_figure import draw_probability
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

CANDIDATES = ("none", "log", "weibull", "gamma", "box-cox", "johnson")
"""From the simplest to the most flexible."""
NAMES = {
    "none": "normal",
    "log": "lognormal",
    "weibull": "Weibull",
    "gamma": "gamma",
    "box-cox": "normal after Box-Cox",
    "johnson": "Johnson",
}
FEWEST, FEW = 8, 50
_PERCENTS = (0.135, 1, 5, 50, 95, 99, 99.865)
_MEANING = (
    "A² (Anderson-Darling) measures how far the values leave a distribution, most at its ends; up to 1.09 it may be "
    "the right one at 1 %. Among those that may be, the simplest that is about as good as the best is taken: a more "
    "flexible one follows chance too. In a probability plot, the values lie on the line where they follow the "
    "distribution, and 95 % in the band."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A distribution that was fitted: A*², and the mean and deviation of the scores of its transform."""

    name: str
    transform: Transform
    departure: float
    centre: float
    scale: float

    @property
    def passes(self) -> bool:
        """Whether A*² does not refuse it at 1 %."""
        return self.departure <= REFUSED

    def percentiles(self) -> NDArray[np.float64]:
        """Compute the percentiles at 0.135, 1, 5, 50, 95, 99 and 99.865 %."""
        from scipy.special import ndtri

        scores = ndtri(np.array(_PERCENTS) / 100)
        return revert(self.transform, self.centre + self.scale * scores)


@dataclass(frozen=True, slots=True, eq=False)
class DistributionStudy:
    """The values in their order, the distributions that could be fitted, and those that could not with the reason."""

    measure: str
    unit: str
    values: NDArray[np.float64]
    candidates: tuple[Candidate, ...]
    refused: dict[str, str]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def best(self) -> Candidate:
        """The simplest distribution that is about as good as the best."""
        least = min(one.departure for one in self.candidates)
        fitting = [one for one in self.candidates if one.passes]
        return next(
            (one for one in fitting if one.departure <= least + MUCH),
            min(self.candidates, key=lambda one: one.departure),
        )

    @property
    def finding(self) -> str:
        """What was found, for those who know no statistics."""
        best = self.best
        low, middle, high = best.percentiles()[[0, 3, 6]]
        tail = f" {self.unit}" if self.unit else ""
        if not best.passes:
            return (
                f"{self.measure} follows none of the usual distributions; the nearest is the {NAMES[best.name]} one. "
                "Look for a mixture of sources or for outliers before anything is forecast."
            )
        return (
            f"{self.measure} may be taken as {NAMES[best.name]}: half of it lies below {middle:.4g}{tail}, and all "
            f"but 27 in 10,000 between {low:.4g} and {high:.4g}{tail}."
        )

    @property
    def verdict(self) -> BasisVerdict:
        """Whether the distribution can be used."""
        text = f"By {counted(len(self.values), 'value')}"
        if not self.best.passes:
            return BasisVerdict("no", f"A² of the best is {self.best.departure:.2f}. {text}")
        if len(self.values) < FEW:
            return BasisVerdict(
                "not alone", f"{text}: {FEW} or more are needed to tell distributions apart"
            )
        return BasisVerdict("yes", text)


def study_distribution(
    values: NDArray[np.float64],
    measure: str,
    unit: str = "",
    skipped: tuple[Skipped, ...] = (),
    notes: tuple[str, ...] = (),
) -> DistributionStudy:
    """Fit each of `CANDIDATES` to values (N,) in time order.

    Raises:
        FlawlineError: ("distribution") fewer than 8 values, or values that do not vary.
    """
    if len(values) < FEWEST or np.ptp(values) <= 1e-12 * float(np.abs(values).max()):
        what = f"{len(values)} values" if len(values) < FEWEST else f"{len(values)} equal values"
        raise FlawlineError(
            f"a distribution needs at least {FEWEST} values that vary, got {what}",
            hint="100 values of a stable process tell most distributions apart",
            code="distribution",
        )
    found, refused = [], {}
    for name in CANDIDATES:
        try:
            transform = Transform() if name == "none" else fit_transform(values, name)
        except FlawlineError as error:
            refused[name] = error.message
            continue
        scores = apply(transform, values)
        found.append(
            Candidate(
                name,
                transform,
                normality(values, transform),
                float(scores.mean()),
                float(scores.std(ddof=1)),
            )
        )
    return DistributionStudy(measure, unit, values, tuple(found), refused, skipped, notes)


def distribution_report(found: DistributionStudy) -> Study:
    """Describe a study of the distribution."""
    label = f"{found.measure}{f', {found.unit}' if found.unit else ''}"
    return Study(
        name="distribution",
        title=f"Distribution of {found.measure}",
        subtitle=f"{len(found.values)} values.",
        finding=found.finding,
        verdict=found.verdict,
        numbers=distribution_as_dict(found),
        facts=_facts(found),
        tables=(_fit_table(found), _percentile_table(found)),
        figures=tuple(_figure(found, one, label) for one in found.candidates),
        assumptions=_assumptions(found.values),
        notes=(
            *_taken(found),
            *found.notes,
            *(f"not {NAMES[name]}: {why}" for name, why in found.refused.items()),
        ),
        skipped=found.skipped,
        meaning=_MEANING,
    )


def _taken(found: DistributionStudy) -> tuple[str, ...]:
    name = found.best.name
    return () if name == "none" else (f"`transform={name}` takes it for charts and capability",)


def distribution_as_dict(found: DistributionStudy) -> dict[str, Any]:
    """Build the figures of the JSON document."""
    return {
        "measure": found.measure,
        "unit": found.unit,
        "count": len(found.values),
        "best": found.best.name,
        "distributions": [
            {
                "name": one.name,
                "a_squared": one.departure,
                "passes": one.passes,
                "transform": transform_as_dict(one.transform),
                "percentiles": {
                    f"{percent:g}": value
                    for percent, value in zip(_PERCENTS, one.percentiles().tolist(), strict=True)
                },
            }
            for one in found.candidates
        ],
        "refused": found.refused,
    }


def _facts(found: DistributionStudy) -> dict[str, str]:
    best = found.best
    own = transform_as_dict(best.transform)
    return {
        "values": f"{len(found.values)}",
        "best": NAMES[best.name],
        "A²": f"{best.departure:.2f}",
        **{name: f"{value:.4g}" for name, value in own.items() if name != "name"},
        "mean": f"{found.values.mean():.5g}",
        "s": f"{found.values.std(ddof=1):.4g}",
    }


def _fit_table(found: DistributionStudy) -> StudyTable:
    rows = tuple(
        (
            NAMES[one.name] + (" (best)" if one is found.best else ""),
            f"{one.departure:.2f}",
            "may be" if one.passes else "no",
        )
        for one in sorted(found.candidates, key=lambda one: one.departure)
    )
    return StudyTable(
        "fit", ("distribution", "A²", "right?"), rows, frozenset(["A²"]), printed=True
    )


def _percentile_table(found: DistributionStudy) -> StudyTable:
    names = ("% below", *(NAMES[one.name] for one in found.candidates))
    columns = [one.percentiles() for one in found.candidates]
    rows = tuple(
        (f"{percent:g}", *(f"{column[place]:.4g}" for column in columns))
        for place, percent in enumerate(_PERCENTS)
    )
    return StudyTable("percentiles", names, rows, frozenset(names))


def _figure(found: DistributionStudy, one: Candidate, label: str) -> StudyFigure:
    return StudyFigure(
        f"{NAMES[one.name]}, A² {one.departure:.2f}",
        "The values by rank, the fitted line and its 95 % band."
        + (" Taken." if one is found.best else ""),
        lambda axes: draw_probability(
            axes, found.values, one.transform, one.centre, one.scale, label
        ),
    )


def _assumptions(values: NDArray[np.float64]) -> tuple[Assumption, ...]:
    runs = chance_of_runs(values)[1]
    stable = runs >= 0.01
    level = Assumption(
        "the level does not move",
        "holds" if stable else "does not",
        f"chance of such runs about the median {runs:.2g}"
        + ("" if stable else ": a moving level looks like another distribution"),
    )
    every = np.ones(len(values), dtype=bool)
    alike = autocorrelation(values, every, every[1:])
    what = "values do not resemble the one before"
    if alike is None:
        return level, Assumption(what, "not checked", "there are too few values")
    why = f"autocorrelation {alike.value:.2f}, chance makes at most {alike.by_chance:.2f}"
    return level, Assumption(what, "does not" if alike.marked else "holds", why)
