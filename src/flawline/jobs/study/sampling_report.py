"""Describe a sampling plan, and the decision about a lot, for its report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.colours import BAD, GOOD, UNKNOWN
from flawline.core.sampling.iso2859 import StandardPlan
from flawline.core.sampling.lots import (
    LotDecision,
    decision_finding,
    plan_finding,
    plan_verdict,
)
from flawline.core.sampling.plans import AttributePlan, Plan
from flawline.core.spc.tolerance import ToleranceInterval
from flawline.core.spc.transform_choice import REFUSED, normality
from flawline.core.spc.transforms import NONE
from flawline.jobs.chart.row_groups import Skipped
from flawline.jobs.study.study import Assumption, Study, StudyFigure, StudyTable
from flawline.report.figure import INK

_CHANCES = (0.99, 0.95, 0.90, 0.50, 0.10, 0.05, 0.01)
_MEANING = (
    "No sample tells a good lot from a slightly worse one. The curve says how often lots of each quality pass: left "
    "of its shoulder most do, right of its foot hardly any. The AQL is the quality that should pass, as an average "
    "of many lots; it is not a quality that customers get in each lot. A plan protects by being followed every time; "
    "after two of five lots were rejected, tightened inspection is due."
)


@dataclass(frozen=True, slots=True, eq=False)
class SamplingStudy:
    """A plan, where it comes from, and what it decides about a lot.

    `aql` and `ltpd` are the shares that should and should not pass, as far as they were given. `values` are the
    measurements of the sample, `tolerance` the limits that hold a share of the lot.
    """

    plan: Plan
    standard: StandardPlan | None
    aql: float | None
    ltpd: float | None
    decision: LotDecision | None
    values: NDArray[np.float64] | None
    tolerance: ToleranceInterval | None
    unit: str
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def finding(self) -> str:
        """What to check, what passes, and what is decided."""
        told = plan_finding(self.plan, self.standard)
        return (
            told
            if self.decision is None
            else f"{decision_finding(self.decision, self.plan)} {told}"
        )

    @property
    def verdict(self) -> BasisVerdict:
        """Whether the lot, or the plan, is good."""
        return plan_verdict(self.decision, self.plan, self.aql)


def sampling_report(found: SamplingStudy) -> Study:
    """Describe a sampling plan."""
    plan = found.plan
    by = "attributes" if isinstance(plan, AttributePlan) else "variables"
    return Study(
        name="sampling",
        title=f"Acceptance sampling by {by}",
        finding=found.finding,
        verdict=found.verdict,
        numbers=sampling_as_dict(found),
        facts=_facts(found),
        tables=(_chance_table(plan),),
        figures=_figures(found),
        assumptions=_assumptions(found),
        notes=found.notes,
        skipped=found.skipped,
        meaning=_MEANING,
    )


def sampling_as_dict(found: SamplingStudy) -> dict[str, Any]:
    """Build the figures of the JSON document; qualities are shares, 0 to 1."""
    plan, standard = found.plan, found.standard
    grid = _grid(plan)
    return {
        "plan": {
            "by": "attributes" if isinstance(plan, AttributePlan) else "variables",
            **asdict(plan),
        },
        "standard": None
        if standard is None
        else {
            "lot": standard.lot,
            "aql_percent": standard.aql,
            "level": standard.level,
            "severity": standard.severity,
            "letter": standard.letter,
            "used_letter": standard.used,
            "whole_lot": standard.whole,
        },
        "aql": found.aql,
        "ltpd": found.ltpd,
        "quality": {f"{chance:g}": plan.quality(chance) for chance in _CHANCES},
        "curve": {"bad": grid, "passes": plan.passes(grid)},
        "decision": None if found.decision is None else asdict(found.decision),
        "tolerance_interval": None if found.tolerance is None else asdict(found.tolerance),
    }


def _facts(found: SamplingStudy) -> dict[str, str]:
    plan, standard = found.plan, found.standard
    facts = {"sample": f"{plan.size}"}
    if isinstance(plan, AttributePlan):
        facts |= {"accept with": f"{plan.accept} bad", "reject from": f"{plan.accept + 1} bad"}
    else:
        facts["k"] = f"{plan.k:.4f}"
    if standard is not None:
        arrow = "" if standard.used == standard.letter else f", arrow to {standard.used}"
        facts |= {
            "lot": f"{standard.lot}",
            "code letter": f"{standard.letter}{arrow}",
            "inspection": f"level {standard.level}, {standard.severity}",
        }
    for name, share in (("AQL", found.aql), ("LTPD", found.ltpd)):
        if share is not None:
            passes = 100 * float(plan.passes(share))
            facts[name] = f"{100 * share:g} %, passes in {passes:.1f} of 100"
    if found.values is not None:
        tail = f" {found.unit}" if found.unit else ""
        facts |= {
            "mean": f"{found.values.mean():.6g}{tail}",
            "s": f"{found.values.std(ddof=1):.4g}{tail}",
        }
    if found.tolerance is not None:
        one = found.tolerance
        edges = " to ".join("no limit" if e is None else f"{e:.5g}" for e in (one.low, one.high))
        facts["tolerance interval"] = (
            f"{edges}, {100 * one.share:g} % of parts, {100 * one.confidence:g} % sure"
        )
    return facts


def _chance_table(plan: Plan) -> StudyTable:
    names = ("lots pass in", "at % of bad parts")
    rows = tuple(
        (f"{100 * chance:g} of 100 cases", f"{100 * plan.quality(chance):.3g}")
        for chance in _CHANCES
    )
    return StudyTable("operating curve", names, rows, frozenset(names[1:]), printed=True)


def _grid(plan: Plan) -> NDArray[np.float64]:
    return np.linspace(0, min(1.0, 1.25 * plan.quality(0.01)), 101)


def _figures(found: SamplingStudy) -> tuple[StudyFigure, ...]:
    plan = found.plan
    figures = [
        StudyFigure(
            "operating curve",
            "How often lots of each quality pass.",
            lambda axes: _draw_curve(axes, found),
        )
    ]
    if isinstance(plan, AttributePlan):
        figures.append(
            StudyFigure(
                "average outgoing quality",
                "What customers get on average where rejected lots are sorted through and bad parts replaced.",
                lambda axes: _draw_outgoing(axes, plan),
                right=0.3,
            )
        )
    return tuple(figures)


def _draw_curve(axes: Any, found: SamplingStudy) -> None:
    grid = _grid(found.plan)
    axes.plot(100 * grid, 100 * found.plan.passes(grid), color=GOOD, lw=1.6)
    for name, share, colour in (("AQL", found.aql, UNKNOWN), ("LTPD", found.ltpd, BAD)):
        if share is not None and share <= grid[-1]:
            axes.axvline(100 * share, color=colour, ls=(0, (5, 2)), lw=1.2)
            axes.annotate(
                name,
                (100 * share, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                size=8,
                color=INK,
            )
    axes.set_ylim(0, 105)
    axes.set_xlabel("bad parts, %")
    axes.set_ylabel("lots that pass, %")


def _draw_outgoing(axes: Any, plan: AttributePlan) -> None:
    grid = _grid(plan)
    axes.plot(100 * grid, 100 * grid * plan.passes(grid), color=GOOD, lw=1.6)
    axes.set_xlabel("bad parts that come in, %")
    axes.set_ylabel("that go out, %")


def _assumptions(found: SamplingStudy) -> tuple[Assumption, ...]:
    rest = [
        Assumption(
            "the sample is drawn at random from the whole lot",
            "not checked",
            "parts from one corner of the box, or one hour, say little about the rest",
        )
    ]
    if isinstance(found.plan, AttributePlan):
        lot = None if found.standard is None else found.standard.lot
        what = "the lot is large beside the sample, some ten times"
        if lot is None:
            rest.append(Assumption(what, "not checked", "the lot was not given"))
        else:
            fits = lot >= 10 * found.plan.size
            why = f"{lot} beside {found.plan.size}"
            why += "" if fits else ": in truth fewer bad lots pass than the curve says"
            rest.append(Assumption(what, "holds" if fits else "does not", why))
        rest.append(
            Assumption(
                "every bad part in the sample is seen",
                "not checked",
                "people miss some: `study agreement` tells how many",
            )
        )
        return tuple(rest)
    what = "the measure is normal"
    if found.values is None or len(found.values) < 10:
        rest.append(Assumption(what, "not checked", "there are no measurements, or fewer than 10"))
    else:
        a = normality(found.values, NONE)
        why = f"A² {a:.2f}, at most {REFUSED:.2f} for a normal distribution"
        rest.append(Assumption(what, "holds" if a <= REFUSED else "does not", why))
    return tuple(rest)
