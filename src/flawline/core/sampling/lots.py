"""Decide about a lot by its sample, and say what a sampling plan lets through."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.basis_verdict import BasisVerdict
from flawline.core.sampling.iso2859 import StandardPlan
from flawline.core.sampling.plans import AttributePlan, Plan
from flawline.core.words import counted
from flawline.errors import FlawlineError, UsageError


@dataclass(frozen=True, slots=True)
class LotDecision:
    """Whether a lot is accepted, by how many bad parts, or by how many s the mean lies inside each limit."""

    accepted: bool
    bad: int | None = None
    below: float | None = None
    above: float | None = None


def decide_by_count(plan: AttributePlan, bad: int) -> LotDecision:
    """Decide by the number of bad parts in the sample.

    Raises:
        UsageError: more bad parts than the sample has, or fewer than none.
    """
    if not 0 <= bad <= plan.size:
        raise UsageError(f"`found` is 0 to {plan.size} bad parts of the sample, got {bad}")
    return LotDecision(bad <= plan.accept, bad=bad)


def decide_by_values(
    size: int, k: float, values: NDArray[np.float64], lower: float | None, upper: float | None
) -> LotDecision:
    """Decide by measurements (N,): the mean must lie k standard deviations inside each limit (ISO 3951, s-method).

    Raises:
        UsageError: no limit.
        FlawlineError: ("sampling-few") fewer measurements than the plan asks for.
    """
    if lower is None and upper is None:
        raise UsageError("expected a specification limit", hint="give `lsl`, `usl` or both")
    if len(values) < size:
        raise FlawlineError(
            f"the plan asks for {size} measurements, got {len(values)}",
            hint="measure more parts of the lot",
            code="sampling-few",
        )
    mean, sigma = float(values.mean()), float(values.std(ddof=1))

    def inside(room: float) -> float:
        return room / sigma if sigma else float(np.copysign(1e9, room))

    below = None if lower is None else inside(mean - lower)
    above = None if upper is None else inside(upper - mean)
    return LotDecision(
        all(q >= k for q in (below, above) if q is not None), below=below, above=above
    )


def plan_finding(plan: Plan, standard: StandardPlan | None) -> str:
    """Say what to check and what passes, for those who know no statistics."""
    lot = "From each lot" if standard is None else f"From a lot of {standard.lot} parts"
    if standard is not None and standard.whole:
        allowed = "none is bad" if not plan_accept(plan) else f"at most {plan_accept(plan)} are bad"
        return f"Check all {plan.size} parts of the lot: the tables ask for as many. Accept it if {allowed}."
    if isinstance(plan, AttributePlan):
        allowed = "none is bad" if plan.accept == 0 else f"at most {plan.accept} are bad"
        todo = f"{lot} check {counted(plan.size, 'part')}; accept it if {allowed}."
    else:
        todo = (
            f"{lot} measure {counted(plan.size, 'part')}; accept it if the mean lies at least {plan.k:.3f} standard "
            "deviations inside the limit."
        )
    good, bad = plan.quality(0.95), plan.quality(0.10)
    passed = f"Lots with {_percent(good)} bad parts pass in 95 of 100 cases"
    return f"{todo} {passed}, lots with {_percent(bad)} in 10 of 100."


def plan_accept(plan: Plan) -> int:
    """Return the bad parts that a plan by attributes allows, 0 of one by variables."""
    return plan.accept if isinstance(plan, AttributePlan) else 0


def decision_finding(decision: LotDecision, plan: Plan) -> str:
    """Say what is decided about the lot."""
    word = "Accept the lot" if decision.accepted else "Reject the lot"
    if decision.bad is not None:
        than = "at most" if decision.accepted else "more than the"
        return f"{word}: {decision.bad} of {plan.size} parts are bad, {than} {plan_accept(plan)} allowed."
    assert not isinstance(plan, AttributePlan)
    sides = [q for q in (decision.below, decision.above) if q is not None]
    than = "at least" if decision.accepted else "fewer than"
    return (
        f"{word}: the mean lies {min(sides):.2f} standard deviations inside the nearest limit, {than} the {plan.k:.2f} "
        "that are asked for."
    )


def plan_verdict(decision: LotDecision | None, plan: Plan, aql: float | None) -> BasisVerdict:
    """Judge a lot; without one, say whether lots of the AQL (share) mostly pass."""
    if decision is not None:
        return BasisVerdict(
            "yes" if decision.accepted else "no",
            "The lot is accepted" if decision.accepted else "The lot is rejected",
        )
    if aql is None:
        return BasisVerdict("yes", "The plan as it was given")
    chance = 100 * float(plan.passes(aql))
    text = f"Lots with {_percent(aql)} bad parts pass in {chance:.0f} of 100 cases"
    return BasisVerdict("yes" if chance >= 80 else "not alone", text)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
