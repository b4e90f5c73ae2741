"""Study which family of variation is largest, and describe it for its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import BAD, GOOD, LIMIT
from flawline.core.msa.nested import Nested
from flawline.core.words import counted
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable

_SURE = 0.95
_DRAWN = 200
_MEANING = (
    "Each family of variation has its own causes. Within a part: the place on it, or the measurement itself. From part "
    "to part: fixtures, cavities, the single piece of material. From time to time: lots, shifts, warming, wear. Look "
    "for the cause in the largest family first; mending another changes little."
)


@dataclass(frozen=True, slots=True, eq=False)
class MultiVariStudy:
    """Values (N,) with the groups (N,) of each factor from the outside in, and how the variation is split.

    `names` are the names of the groups of the outermost factor.
    """

    measure: str
    unit: str
    factors: tuple[str, ...]
    values: NDArray[np.float64]
    levels: tuple[NDArray[np.int64], ...]
    names: tuple[str, ...]
    result: Nested
    confidence: float
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families: "time to time", "part to part", "within part"."""
        return (*(f"{name} to {name}" for name in self.factors), f"within {self.factors[-1]}")

    @property
    def finding(self) -> str:
        """Which family is largest, for those who know no statistics."""
        found, top = self.result, self.result.largest
        share, low, high = (100 * one[top] for one in (found.shares, found.low, found.high))
        name = self.families[top]
        where = (
            f"Variation {'' if top == len(self.factors) else 'from '}{name} is the largest family"
        )
        told = f"{where}: {share:.0f} % ({100 * self.confidence:g} % interval {low:.0f} to {high:.0f} %)."
        if found.surest >= _SURE:
            return f"{told} Look there for the cause first."
        other = self.families[int(np.argsort(-found.shares, kind="stable")[1])]
        return f"{told} It is not sure that it is larger than {other}: more groups decide it."

    @property
    def verdict(self) -> BasisVerdict:
        """Whether it is sure which family is largest."""
        groups = int(self.levels[0].max()) + 1
        basis = f"{len(self.values)} values in {groups} groups by {self.factors[0]}"
        if self.result.surest >= _SURE:
            return BasisVerdict("yes", f"The largest family is sure, by {basis}")
        return BasisVerdict("not alone", f"The largest family is not sure, by {basis}")


def multi_vari_report(found: MultiVariStudy) -> Study:
    """Describe a multi-vari study."""
    return Study(
        name="multi-vari",
        title=f"Families of variation of {found.measure}",
        subtitle=f"{counted(len(found.values), 'value')} by {', '.join(found.factors)}.",
        finding=found.finding,
        verdict=found.verdict,
        numbers=multi_vari_as_dict(found),
        facts=_facts(found),
        tables=(_table(found),),
        figures=_figures(found),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING,
    )


def multi_vari_as_dict(found: MultiVariStudy) -> dict[str, Any]:
    """Build the figures of the JSON document."""
    result = found.result
    families = zip(
        found.families,
        result.freedom.tolist(),
        result.squares.tolist(),
        result.variances.tolist(),
        result.shares.tolist(),
        result.low.tolist(),
        result.high.tolist(),
        strict=True,
    )
    names = ("family", "freedom", "sum_of_squares", "variance", "share", "low", "high")
    return {
        "measure": found.measure,
        "unit": found.unit,
        "values": len(found.values),
        "factors": list(found.factors),
        "confidence": found.confidence,
        "largest": found.families[result.largest],
        "surest": result.surest,
        "families": [dict(zip(names, row, strict=True)) for row in families],
    }


def _facts(found: MultiVariStudy) -> dict[str, str]:
    counts = {
        f"groups by {name}": f"{int(level.max()) + 1}"
        for name, level in zip(found.factors, found.levels, strict=True)
    }
    spread = float(np.sqrt(found.result.variances.sum()))
    unit = f" {found.unit}" if found.unit else ""
    return {
        "values": f"{len(found.values)}",
        **counts,
        "mean": f"{found.values.mean():.5g}{unit}",
        "s of all families": f"{spread:.4g}{unit}",
        "largest is sure to": f"{100 * found.result.surest:.1f} %",
    }


def _table(found: MultiVariStudy) -> StudyTable:
    result = found.result
    head = ("family", "share, %", "interval, %", "s", "mean square", "df")
    rows = tuple(
        (
            name,
            f"{100 * result.shares[place]:.1f}",
            f"{100 * result.low[place]:.1f} to {100 * result.high[place]:.1f}",
            f"{np.sqrt(result.variances[place]):.4g}",
            f"{result.squares[place] / result.freedom[place]:.4g}",
            f"{result.freedom[place]}",
        )
        for place, name in enumerate(found.families)
    )
    note = "The shares are of the variance; s is the standard deviation that the family alone would cause."
    return StudyTable("families of variation", head, rows, frozenset(head[1:]), True, note)


def _figures(found: MultiVariStudy) -> tuple[StudyFigure, ...]:
    inner = found.levels[-1]
    shown = min(int(inner.max()) + 1, _DRAWN)
    first = (
        "" if shown > inner.max() else f" The first {shown} of {int(inner.max()) + 1} are drawn."
    )
    caption = (
        f"Each upright line is one {found.factors[-1]} from its smallest to its largest value, its dot the mean; the "
        f"dashed lines are the means of each {found.factors[0]}.{first}"
    )
    return (
        StudyFigure("multi-vari chart", caption, lambda axes: _draw_chart(axes, found, shown), 3.2),
        StudyFigure(
            "families",
            "Share of each family in the variance, with its interval.",
            lambda axes: _draw_shares(axes, found),
            left=1.5,
            right=0.3,
        ),
    )


def _draw_chart(axes: Any, found: MultiVariStudy, shown: int) -> None:
    inner, outer = found.levels[-1], found.levels[0]
    own = outer[np.unique(inner, return_index=True)[1]]
    # Groups of one outer group stand together, with a gap to the next.
    order = np.argsort(own, kind="stable")[:shown]
    apart = len(found.levels) > 1
    at = np.arange(len(order)) + (
        np.cumsum(np.diff(own[order], prepend=own[order[0]]) > 0) if apart else 0
    )
    pieces = [found.values[inner == group] for group in order.tolist()]
    lows, highs = ([float(pick(piece)) for piece in pieces] for pick in (np.min, np.max))
    axes.vlines(at, lows, highs, color=GOOD, lw=1.2)
    means = [float(piece.mean()) for piece in pieces]
    ticks = []
    for group in np.unique(own[order]).tolist():
        inside = np.flatnonzero(own[order] == group)
        axes.plot(at[inside], np.array(means)[inside], color=GOOD, lw=0.8, marker="o", ms=3)
        level = float(found.values[outer == group].mean())
        axes.plot([at[inside[0]] - 0.4, at[inside[-1]] + 0.4], [level] * 2, color=LIMIT, ls="--")
        ticks.append((float(at[inside].mean()), found.names[group][:10]))
    step = max(-(-len(ticks) // 8), 1)
    axes.set_xticks([place for place, _ in ticks[::step]], [name for _, name in ticks[::step]])
    axes.set_xlabel(found.factors[0])
    axes.set_ylabel(f"{found.measure}{f', {found.unit}' if found.unit else ''}")


def _draw_shares(axes: Any, found: MultiVariStudy) -> None:
    result = found.result
    at = np.arange(len(result.shares))[::-1]
    colours = [BAD if place == result.largest else GOOD for place in range(len(at))]
    axes.barh(at, 100 * result.shares, color=colours)
    axes.hlines(at, 100 * result.low, 100 * result.high, color=LIMIT, lw=2)
    axes.set_yticks(at, [name[:22] for name in found.families])
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the variance, %")


def _assumptions(found: MultiVariStudy) -> tuple[Assumption, ...]:
    from scipy.stats import levene

    inner = found.levels[-1]
    pieces = np.split(
        found.values[np.argsort(inner, kind="stable")], np.cumsum(np.bincount(inner))[:-1]
    )
    several = [piece for piece in pieces if len(piece) >= 3 and np.ptp(piece) > 0]
    what = f"the spread within each {found.factors[-1]} is alike"
    if len(several) < 2:
        alike = Assumption(what, "not checked", "it takes three different values in two groups")
    else:
        p = float(levene(*several).pvalue)
        alike = Assumption(
            what, "holds" if p >= 0.01 else "does not", f"p {p:.2g} by Levene's test of medians"
        )
    equal = found.result.balanced
    why = "so the intervals are of exact distributions" if equal else "so the intervals are rough"
    return (
        alike,
        Assumption("all groups have as many values", "holds" if equal else "does not", why),
        Assumption(
            f"the groups stand for all others of {' and '.join(found.factors)}",
            "not checked",
            "the table does not say how they were chosen",
        ),
    )
