"""Calibrate thresholds, and their guarantees, from scores of parts that were not learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.escape_threshold import escape_threshold
from flawline.core.metrics import Share, auroc
from flawline.core.threshold import (
    OverkillGuarantee,
    cost_threshold,
    escape_share,
    overkill_share,
    overkill_threshold,
    pictures_needed,
    tightest_threshold,
)
from flawline.core.words import counted
from flawline.errors import UsageError
from flawline.jobs.train.threshold_offers import escape_offer, why_equal
from flawline.recipe import NO_THRESHOLD, ThresholdSettings

OVERKILL = 0.05
REVIEW = 0.10
CROSS_CALIBRATED = "; cross-calibrated, so about"
"""What the basis of thresholds adds where good parts were scored by detectors that learnt from the others."""

_EXACT = "holds for any distribution of the scores"
_APPROXIMATE = (
    "approximate: it would hold for any distribution if the detector scored a new part as the detectors do that learnt "
    "from fewer parts; those score higher as a rule, so that fewer good parts are flagged than stated"
)


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


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Thresholds, their metrics for the manifest, and messages to a person."""

    threshold: ThresholdSettings
    metrics: Mapping[str, Any]
    messages: tuple[str, ...]


def calibrate(scores: Scores, targets: CalibrationTargets) -> Calibrated:
    """Calibrate the thresholds.

    Raises:
        UsageError: too few good parts for a target (code "calibration-too-few"), with the number needed; or costs
            without a defective part.
    """
    if not len(scores.good):
        return _uncalibrated(scores, targets)
    if targets.by_costs:
        review, reject, basis, more = _by_costs(scores, targets)
    else:
        review, reject, basis, more = _by_shares(scores, targets)
    region = _review(scores.peaks, scores, targets).threshold
    if scores.cross_fitted:
        basis += CROSS_CALIBRATED
    threshold = ThresholdSettings(review=review, reject=reject, region=region, basis=basis)
    metrics = {
        **_metrics(scores, threshold, more),
        **_escapes(scores, review, reject),
    }
    return Calibrated(threshold, metrics, _messages(scores, targets, threshold, metrics))


def check_targets(
    parts: int, defective: int, targets: CalibrationTargets, *, cross_fitted: bool
) -> None:
    """Refuse targets that this many good and defective parts cannot reach; errors as for `calibrate`."""
    # Whether parts suffice depends on their number alone.
    count = 0 if cross_fitted and parts < 2 else parts
    scores = np.arange(float(count))
    calibrate(Scores(scores, scores, np.arange(float(defective)), cross_fitted), targets)


def _reject(scores: Scores, targets: CalibrationTargets) -> OverkillGuarantee:
    return _guarantee(scores.good, scores.set_aside, targets.overkill, targets.confidence, OVERKILL)


def _review(
    values: NDArray[np.float64], scores: Scores, targets: CalibrationTargets
) -> OverkillGuarantee:
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


def _by_shares(
    scores: Scores, targets: CalibrationTargets
) -> tuple[float, float, str, dict[str, Any]]:
    reject = _reject(scores, targets)
    if targets.escape is not None:
        return _by_escape(scores, targets, reject)
    review = _review(scores.good, scores, targets)
    same = review.rank == reject.rank and review.overkill == reject.overkill
    basis = f"reject and review: {reject}" if same else f"reject: {reject}; review: {review}"
    promised = {"reject": _promise(reject), "review": _promise(review)}
    return min(review.threshold, reject.threshold), reject.threshold, basis, promised


def _by_escape(
    scores: Scores, targets: CalibrationTargets, reject: OverkillGuarantee
) -> tuple[float, float, str, dict[str, Any]]:
    """Let known bad parts decide above which score a part is not accepted."""
    assert targets.escape is not None
    found = escape_threshold(scores.bad, targets.escape, targets.confidence)
    review = min(found.threshold, reject.threshold)
    more = {
        "reject": _promise(reject),
        "escape": {
            "at_most": found.escape,
            "confidence": found.confidence,
            "n": found.n,
            "rank": found.rank,
        },
        "not_accepted": _share(overkill_share(scores.good, review)),
    }
    return review, reject.threshold, f"reject: {reject}; review: {found}", more


def _promise(found: OverkillGuarantee) -> dict[str, Any]:
    return {
        "at_most": found.overkill,
        "confidence": found.confidence,
        "n": found.n,
        "rank": found.rank,
    }


def _by_costs(
    scores: Scores, targets: CalibrationTargets
) -> tuple[float, float, str, dict[str, Any]]:
    assert targets.cost_escape is not None
    assert targets.cost_overkill is not None
    assert targets.prevalence is not None
    best = cost_threshold(
        scores.good,
        scores.bad,
        targets.cost_escape,
        targets.cost_overkill,
        targets.prevalence,
        confidence=targets.confidence,
    )
    basis = (
        f"least expected cost per part, {best.cost:.4g} ({best.interval[0]:.4g} to {best.interval[1]:.4g}), for an "
        f"escape at {targets.cost_escape:g}, an overkill at {targets.cost_overkill:g} and "
        f"{100 * targets.prevalence:g} % bad parts; {len(scores.good)} good and {counted(len(scores.bad), 'bad part')}"
    )
    more = {
        "cost": {
            "escape": targets.cost_escape,
            "overkill": targets.cost_overkill,
            "prevalence": targets.prevalence,
            "expected": best.cost,
            "interval": list(best.interval),
        },
        "overkill": _share(best.overkill),
    }
    return best.threshold, best.threshold, basis, more


def _uncalibrated(scores: Scores, targets: CalibrationTargets) -> Calibrated:
    """Send every part to review: with one part nothing can be held out."""
    asked = (targets.overkill, targets.review, targets.escape, targets.prevalence)
    if any(share is not None for share in asked):
        raise UsageError(
            "a threshold needs good parts that were held out, and there is only one part",
            hint="give pictures of more good parts",
            code="calibration-too-few",
        )
    basis = "one good part and none held out: every part goes to review"
    threshold = ThresholdSettings(
        review=-NO_THRESHOLD, reject=NO_THRESHOLD, region=NO_THRESHOLD, basis=basis
    )
    messages = (
        f"{basis}; scores and maps still show where a part differs from the one that was learnt",
    )
    return Calibrated(threshold, _metrics(scores, threshold, {}), messages)


def _metrics(
    scores: Scores, threshold: ThresholdSettings, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Build the metrics, with the thresholds of the guarantee, so that later edits of recipe.toml are noticed."""
    return {
        "calibration": {
            "parts": len(scores.good),
            "cross_fitted": scores.cross_fitted,
            "set_aside": scores.set_aside,
            "guarantee": _APPROXIMATE if scores.cross_fitted else _EXACT,
            "thresholds": asdict(threshold),
            **more,
        }
    }


def _escapes(scores: Scores, review: float, reject: float) -> dict[str, Any]:
    if not len(scores.bad):
        return {}
    defective = np.repeat([False, True], [len(scores.good), len(scores.bad)])
    return {
        "defective": {
            "parts": len(scores.bad),
            "escape": _share(escape_share(scores.bad, review)),
            "not_rejected": _share(escape_share(scores.bad, reject)),
            "auroc": auroc(defective, np.concatenate([scores.good, scores.bad])),
        }
    }


def _share(share: Share) -> dict[str, Any]:
    return {
        "count": share.hits,
        "of": share.of,
        "share": share.value,
        "interval": list(share.interval),
        "confidence": share.confidence,
    }


def _messages(
    scores: Scores,
    targets: CalibrationTargets,
    threshold: ThresholdSettings,
    metrics: Mapping[str, Any],
) -> tuple[str, ...]:
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
    reject, review = _reject(scores, targets), _review(scores.good, scores, targets)
    wished = REVIEW if targets.review is None else targets.review
    return [why_equal(reject, review, wished, scores.set_aside)]
