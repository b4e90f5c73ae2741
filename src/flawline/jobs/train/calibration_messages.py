"""Tell a person about calibrated thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flawline.core.threshold import pictures_needed
from flawline.core.words import counted
from flawline.jobs.train.calibration_targets import (
    OVERKILL,
    REVIEW,
    CalibrationTargets,
    Scores,
    reject_guarantee,
    review_guarantee,
)
from flawline.jobs.train.threshold_offers import escape_offer, why_equal
from flawline.recipe import ThresholdSettings


def calibration_messages(
    scores: Scores,
    targets: CalibrationTargets,
    threshold: ThresholdSettings,
    metrics: Mapping[str, Any],
) -> tuple[str, ...]:
    """Describe the thresholds, what limits them, and what known bad parts say of them."""
    review = (
        "" if threshold.review == threshold.reject else f"review above {threshold.review:.4g}, "
    )
    messages = [f"thresholds: {review}reject above {threshold.reject:.4g} ({threshold.basis})"]
    if scores.set_aside and not targets.by_costs:
        aside = counted(scores.set_aside, "good part that was", "good parts that were")
        messages.append(f"these shares count {aside} set aside as rejected")
    needed = pictures_needed(OVERKILL, targets.confidence, above=scores.set_aside)
    if len(scores.good) < needed and not targets.by_costs and targets.overkill is None:
        messages.append(
            f"{counted(len(scores.good), 'good part')} cannot promise an overkill of {100 * OVERKILL:g} %: "
            f"that takes {needed}"
        )
    if threshold.review == threshold.reject:
        messages += _why_equal(scores, targets)
    if "defective" in metrics:
        escape = metrics["defective"]["escape"]
        low, high = escape["interval"]
        messages.append(
            f"{escape['count']} of {escape['of']} known bad parts would be accepted "
            f"({100 * low:.1f} to {100 * high:.1f} % of such parts, 95 % confidence)"
        )
        if not targets.by_costs and targets.escape is None:
            offer = escape_offer(scores.good, scores.bad, threshold.review, targets.confidence)
            messages += [offer] if offer else []
    return tuple(messages)


def _why_equal(scores: Scores, targets: CalibrationTargets) -> list[str]:
    """Explain equal thresholds, unless costs ask for one."""
    if targets.by_costs:
        return []
    if targets.escape is not None:
        share = f"{100 * targets.escape:g} %"
        return [
            f"review equals reject: rejecting alone lets at most {share} of such bad parts through"
        ]
    reject, review = (
        reject_guarantee(scores, targets),
        review_guarantee(scores.good, scores, targets),
    )
    wished = REVIEW if targets.review is None else targets.review
    return [why_equal(reject, review, wished, scores.set_aside)]
