"""Set the thresholds of an updated recipe anew, or leave them and say why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flawline.core.words import counted
from flawline.inspector.parts import calibration_of, joined_arrays
from flawline.jobs.train.calibration import calibrate
from flawline.jobs.train.calibration_targets import CalibrationTargets, Scores
from flawline.jobs.train.scoring import ScoredPicture
from flawline.recipe import Recipe, edited_thresholds, recipe_with, thresholds_of

MOST_ALARMS = 0.5
"""Of new parts of which more than this share was not accepted, they were chosen for it and are no sample of parts."""
_SET_BEFORE = re.compile(r"; set before (\d+) pictures? (?:was|were) added$")


def why_kept(recipe: Recipe, before: Mapping[str, ScoredPicture], parts: Mapping[str, str]) -> str:
    """Say why the thresholds cannot be set anew from what the recipe holds and new parts; empty where they can.

    Args:
        recipe: before the update.
        before: its scores of the new pictures, by name.
        parts: the part of each picture, by name.
    """
    if recipe.settings.threshold is None or calibration_of(recipe) is None:
        return "the recipe holds no scores of good parts that were not learnt from"
    edited = edited_thresholds(recipe)
    if edited is None or edited:
        return "they were edited by hand"
    targets = _targets(recipe)
    if targets.by_costs or targets.escape is not None:
        return "known bad parts set them, and the recipe does not hold these"
    limit, _ = thresholds_of(recipe)
    alarms = {parts[name] for name, scored in before.items() if scored.score > limit}
    of = len({parts[name] for name in before})
    if len(alarms) > MOST_ALARMS * of:
        return (
            f"{len(alarms)} of {counted(of, 'new part')} were not accepted before, so that they seem chosen for it and "
            "do not tell how often that happens"
        )
    return ""


def old_thresholds(recipe: Recipe, count: int, why: str) -> tuple[Recipe, list[str]]:
    """Leave the thresholds as they were, with their age in the basis; `count` pictures were added."""
    limit = recipe.settings.threshold
    if limit is None:
        return recipe, ["the recipe has no thresholds yet"]
    earlier = _SET_BEFORE.search(limit.basis)
    base = limit.basis[: earlier.start()] if earlier else limit.basis
    count += int(earlier[1]) if earlier else 0
    basis = f"{base}; set before {counted(count, 'picture was', 'pictures were')} added"
    settings = replace(recipe.settings, threshold=replace(limit, basis=basis))
    reason = f": {why}" if why else ""
    return recipe_with(recipe, settings=settings), [
        f"the thresholds stay as they were{reason}; give `calibration` to set them anew on pictures that were held out"
    ]


def recalibrated(recipe: Recipe, fresh: Scores) -> tuple[Recipe, list[str]]:
    """Set the thresholds anew on the scores that the recipe was calibrated with and those of new parts, `fresh`.

    The earlier scores are those of detectors that knew less, so they are higher, if anything, than those of the
    updated one: fewer good parts are flagged than stated.
    """
    held = calibration_of(recipe)
    assert held is not None
    metrics = recipe.manifest.metrics
    scores = Scores(
        np.concatenate([held.scores, fresh.good]),
        np.concatenate([held.peaks, fresh.peaks]),
        fresh.bad,
        cross_fitted=True,
        set_aside=metrics["calibration"].get("set_aside", 0),
    )
    done = calibrate(scores, _targets(recipe))
    own = {"scores": np.sort(scores.good), "peaks": np.sort(scores.peaks)}
    updated = recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=done.threshold),
        arrays={**recipe.arrays, **joined_arrays(calibration=own)},
        manifest=replace(recipe.manifest, metrics=with_calibration(metrics, done.metrics)),
    )
    new, old = counted(len(fresh.good), "new one"), len(held.scores)
    first = f"thresholds set anew on {old} earlier good parts and {new}, these in folds"
    if "defective" in metrics:
        first += "; how many known bad parts they miss is not known: `flawline evaluate` tells"
    return updated, [first, *done.messages]


def with_calibration(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Replace what the metrics of a recipe say of its calibration; its self-test, by other thresholds, goes."""
    replaced = ("calibration", "defective", "self_test")
    return {n: v for n, v in old.items() if n not in replaced} | dict(new)


def _targets(recipe: Recipe) -> CalibrationTargets:
    return CalibrationTargets(**recipe.manifest.settings.get("thresholds", {}))
