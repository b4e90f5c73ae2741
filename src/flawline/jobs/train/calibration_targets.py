"""What thresholds are calibrated for, from which scores, and the guarantees of shares that come of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.core.threshold import (
    OverkillGuarantee,
    overkill_threshold,
    pictures_needed,
    tightest_threshold,
)
from flawline.errors import UsageError

OVERKILL = 0.05
REVIEW = 0.10


@dataclass(frozen=True, slots=True)
class CalibrationTargets:
    """Targets for calibrating the thresholds.

    `overkill` and `review` are the largest shares of good parts rejected, and rejected or sent to review, with
    `confidence`; None asks for 5 % and 10 %, or where there are too few parts for the least that they can promise.
    With all of `cost_escape`, `cost_overkill` and `prevalence`, one threshold of least expected cost replaces both.
    `escape` is the largest share accepted of such bad parts as are known, with the same confidence; it decides review.
    """

    overkill: float | None = None
    review: float | None = None
    confidence: float = 0.95
    cost_escape: float | None = None
    cost_overkill: float | None = None
    prevalence: float | None = None
    escape: float | None = None

    def __post_init__(self) -> None:
        """Refuse targets that contradict each other."""
        costs = (self.cost_escape, self.cost_overkill, self.prevalence)
        if any(cost is not None for cost in costs):
            if any(cost is None for cost in costs):
                raise UsageError(
                    "a threshold from costs needs `cost_escape`, `cost_overkill` and `prevalence`, not some of them"
                )
            if any(share is not None for share in (self.overkill, self.review, self.escape)):
                raise UsageError(
                    "costs and a target of overkill, review or escape both decide the thresholds",
                    hint="give either costs, or `overkill` and `review` or `escape`",
                )
        if self.escape is not None and self.review is not None:
            raise UsageError(
                "`review` and `escape` both decide the threshold of review",
                hint="give one: the share of good parts not accepted, or that of bad parts accepted",
            )
        if self.overkill is not None and self.review is not None and self.review < self.overkill:
            raise UsageError(
                f"`review` counts rejected parts too: expected at least {self.overkill:g}, got {self.review:g}"
            )

    @property
    def by_costs(self) -> bool:
        """Whether costs determine the thresholds."""
        return self.prevalence is not None


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Raw scores of parts that were not learnt from, float64, one for each part, the highest of its pictures.

    `good` (n,) and `peaks` (n,), the highest map scores, are of good parts; `bad` (m,) of defective ones.
    `cross_fitted`: good parts were scored by detectors that learnt from the others, not by the final one. `set_aside`
    counts the highest of `good`, parts of which a picture was set aside: they count as rejected at every threshold.
    """

    good: NDArray[np.float64]
    peaks: NDArray[np.float64]
    bad: NDArray[np.float64]
    cross_fitted: bool
    set_aside: int = 0


def reject_guarantee(scores: Scores, targets: CalibrationTargets) -> OverkillGuarantee:
    """Find the threshold of reject; errors as for `overkill_threshold`."""
    return _guarantee(scores.good, scores.set_aside, targets.overkill, targets.confidence, OVERKILL)


def review_guarantee(
    values: NDArray[np.float64], scores: Scores, targets: CalibrationTargets
) -> OverkillGuarantee:
    """Find the threshold of review on these values: scores, or peaks for that of regions."""
    return _guarantee(values, scores.set_aside, targets.review, targets.confidence, REVIEW)


def _guarantee(
    values: NDArray[np.float64],
    aside: int,
    asked: float | None,
    confidence: float,
    usual: float,
) -> OverkillGuarantee:
    """Find the threshold of a share asked for, else of the usual one, or the tightest that few scores allow.

    The `aside` highest values count as higher than every threshold.
    """
    held = np.sort(values)[: len(values) - aside]
    if asked is None and len(values) < pictures_needed(usual, confidence, above=aside):
        return tightest_threshold(held, confidence, above=aside)
    return overkill_threshold(held, usual if asked is None else asked, confidence, above=aside)
