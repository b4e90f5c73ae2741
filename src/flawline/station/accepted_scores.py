"""Warn where accepted parts score unlike the good parts that calibrated the recipe."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.core.score_drift import ScoreDrift, score_drift
from flawline.core.threshold import highest_by_part
from flawline.inspector import Inspector
from flawline.recipe import known_pictures
from flawline.station.inspected import Inspected


def accepted_drift(inspector: Inspector, inspections: Sequence[Inspected]) -> ScoreDrift | None:
    """Compare the accepted parts of a run with those of calibration; None where there are too few, or no calibration.

    Pictures that the recipe learnt from or was calibrated with are left out: they score lower than new ones. A part,
    its pictures joined by `group`, has the score of its highest picture.
    """
    calibration, limit = inspector.calibration, inspector.recipe.settings.threshold
    if calibration is None or limit is None:
        return None
    known = known_pictures(inspector.recipe)
    new = [
        item
        for item in inspections
        if item.inspection.verdict == "accept" and item.inspection.sha256 not in known
    ]
    parts = [(item.sample.group is None, item.sample.group or item.sample.name) for item in new]
    scores = highest_by_part([item.inspection.score for item in new], parts)
    return score_drift(calibration.scores, scores, limit.review)


def drift_notes(inspector: Inspector, inspections: Sequence[Inspected]) -> tuple[str, ...]:
    """Say that accepted parts score unlike those of calibration; nothing where they do not."""
    found = accepted_drift(inspector, inspections)
    if found is None or not found.drifted:
        return ()
    high = found.higher > 0.5
    what = "higher" if high else "lower"
    why = (
        "look at some of them, and at lamp, optics and material. Where they are good, `flawline update` learns them"
        if high
        else "look at focus and exposure: a dull picture hides defects. Thresholds may be too high for them"
    )
    return (
        f"the {found.parts} accepted parts score {what} than the {found.calibration} good ones of calibration "
        f"(median {found.recent:.4g}, usually {found.usual:.4g}; p = {found.p_value:.1g}), so that the guarantee of "
        f"the thresholds may no longer hold: {why}",
    )
