"""Decide the verdict of a part, with reasons that a person can check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flawline.core.measure.parts import plural
from flawline.core.threshold import verdict
from flawline.core.words import counted
from flawline.errors import ImageError
from flawline.recipe import NO_THRESHOLD, ThresholdSettings
from flawline.specification.judge import ClauseResult, Judgement, MeasuredPart, judge
from flawline.specification.model import Spec
from flawline.types import SEVERITY, Region, Verdict

_TOLD = 5


@dataclass(frozen=True, slots=True)
class ReasonedVerdict:
    """A verdict and its reasons, the most important first."""

    verdict: Verdict
    reasons: tuple[str, ...]


def decide_by_score(
    score: float,
    threshold: ThresholdSettings,
    p_value: float | None,
    regions: Sequence[Region],
    held_out: int,
) -> ReasonedVerdict:
    """Decide by a detector's score; the p-value rests on `held_out` good parts."""
    found = verdict(score, threshold.review, threshold.reject)
    standing = (
        "no good part was held out to compare with"
        if p_value is None
        else f"p = {p_value:.3g} among {held_out} held-out good parts"
    )
    words = [f"score {score:.4g}{_against(score, threshold)}; {standing}"]
    if regions:
        highest = max(regions, key=lambda region: region.peak)
        left, top, width, height = highest.box
        places = "1 place" if len(regions) == 1 else f"{len(regions)} places"
        words.append(
            f"{places} above {threshold.region:.4g}, the most anomalous at x {left} to {left + width}, "
            f"y {top} to {top + height} px"
        )
    elif found == "reject":
        words.append("no single place stands out: the part differs as a whole")
    return ReasonedVerdict(found, tuple(words))


def _against(score: float, threshold: ThresholdSettings) -> str:
    if score > threshold.reject:
        return f" is above {threshold.reject:.4g} (reject)"
    if threshold.review <= -NO_THRESHOLD:
        return ": no threshold for review could be set, so the part goes to review"
    above = "above" if score > threshold.review else "not above"
    return f" is {above} {threshold.review:.4g} (review)"


def decide_by_class_mask(score: float, regions: Sequence[Region]) -> ReasonedVerdict:
    """Decide by a segmenter without a specification: any defect rejects the part."""
    if not regions:
        said = f"no defect is marked; the highest probability of one is {score:.3g}"
        return ReasonedVerdict("accept", (said,))
    counts = Counter(region.label for region in regions)
    told = ", ".join(f"{n} {name if n == 1 else plural(name)}" for name, n in counts.most_common())
    largest = max(regions, key=lambda region: region.area)
    left, top, width, height = largest.box
    return ReasonedVerdict(
        "reject",
        (
            f"{told} marked, and without a specification none is allowed",
            f"the largest, {largest.label} of {largest.area:.0f} px2, at x {left} to {left + width}, "
            f"y {top} to {top + height} px",
        ),
    )


def decide_by_spec(
    spec: Spec, part: MeasuredPart, decided: Collection[str] = ()
) -> ReasonedVerdict:
    """Decide by a specification; `decided` are the classes that a model decides on as well.

    Raises:
        ImageError: ("image-spec") a number that a clause needs is missing.
    """
    judged = judge(spec, part, decided=decided)
    if judged.verdict is None:
        raise ImageError(
            f"the specification cannot be applied: {judged.reason}",
            hint="complete the recipe, or take the clause out of its [spec]",
            code="image-spec",
        )
    return ReasonedVerdict(judged.verdict, _told(judged))


def stricter(one: ReasonedVerdict, other: ReasonedVerdict) -> ReasonedVerdict:
    """Join two verdicts: the stricter one, its reasons first."""
    first, second = sorted((one, other), key=lambda d: -SEVERITY.index(d.verdict))
    return ReasonedVerdict(first.verdict, first.reasons + second.reasons)


def unless_lost(decision: ReasonedVerdict, lost: str) -> ReasonedVerdict:
    """Ask for a review of a part that was not found in its place, for the reason `lost`; empty where it was found."""
    if not lost:
        return decision
    found: Verdict = "review" if decision.verdict == "accept" else decision.verdict
    return ReasonedVerdict(
        found, (f"{lost}, so its score says little: look at it", *decision.reasons)
    )


def _told(judged: Judgement) -> tuple[str, ...]:
    if not judged.findings:
        closest = judged.closest
        return (
            (f"within the specification; closest: {_clause(closest)}",)
            if closest
            else ("within the specification",)
        )
    words = [f"{finding.outcome}: {_clause(finding)}" for finding in judged.findings[:_TOLD]]
    more = len(judged.findings) - _TOLD
    return (*words, *([f"and {more} more violations"] if more > 0 else []))


def _clause(finding: ClauseResult) -> str:
    if finding.line is None:
        return f"{finding.clause}: {counted(len(finding.defects), 'defect')}"
    unit = f" {finding.unit}" if finding.unit else ""
    note = f" ({finding.note})" if finding.note else ""
    return (
        f"{finding.clause}: {finding.value:.4g}{unit}, limit {finding.bound:.4g}{unit}, "
        f"margin {finding.margin:.4g}{unit}{note}"
    )
