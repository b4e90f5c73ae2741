"""Calibrate thresholds, and their guarantees, from scores of parts that were not learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from flawline.core.escape_threshold import escape_threshold
from flawline.core.metrics import Share, auroc
from flawline.core.threshold import (
    OverkillGuarantee,
    cost_threshold,
    escape_share,
    overkill_share,
)
from flawline.core.words import counted
from flawline.errors import UsageError
from flawline.jobs.train.calibration_messages import calibration_messages
from flawline.jobs.train.calibration_targets import (
    CalibrationTargets,
    Scores,
    reject_guarantee,
    review_guarantee,
)
from flawline.recipe import NO_THRESHOLD, ThresholdSettings

CROSS_CALIBRATED = "; cross-calibrated, so about"
"""What the basis of thresholds adds where good parts were scored by detectors that learnt from the others."""

_EXACT = "holds for any distribution of the scores"
_APPROXIMATE = (
    "approximate: it would hold for any distribution if the detector scored a new part as the detectors do that learnt "
    "from fewer parts; those score higher as a rule, so that fewer good parts are flagged than stated"
)


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
    region = review_guarantee(scores.peaks, scores, targets).threshold
    if scores.cross_fitted:
        basis += CROSS_CALIBRATED
    threshold = ThresholdSettings(review=review, reject=reject, region=region, basis=basis)
    metrics = {
        **_metrics(scores, threshold, more),
        **_escapes(scores, review, reject),
    }
    return Calibrated(threshold, metrics, calibration_messages(scores, targets, threshold, metrics))


def check_targets(
    parts: int, defective: int, targets: CalibrationTargets, *, cross_fitted: bool
) -> None:
    """Refuse targets that this many good and defective parts cannot reach; errors as for `calibrate`."""
    # Whether parts suffice depends on their number alone.
    count = 0 if cross_fitted and parts < 2 else parts
    scores = np.arange(float(count))
    calibrate(Scores(scores, scores, np.arange(float(defective)), cross_fitted), targets)


def _by_shares(
    scores: Scores, targets: CalibrationTargets
) -> tuple[float, float, str, dict[str, Any]]:
    reject = reject_guarantee(scores, targets)
    if targets.escape is not None:
        return _by_escape(scores, targets, reject)
    review = review_guarantee(scores.good, scores, targets)
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
