"""Score good parts that were not learnt from, and known bad ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flawline.data.splits import folds_of
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays
from flawline.jobs.train.calibration import Scores
from flawline.jobs.train.scoring import ScoredPicture, scores_of
from flawline.jobs.train.training_job import TrainingJob
from flawline.recipe import Recipe, recipe_with
from flawline.types import Sample

FOLDS = 5


def held_out_scores(
    job: TrainingJob, recipe: Recipe, learn: Sequence[Sample]
) -> tuple[Scores, dict[str, float], dict[str, float]]:
    """Score good parts that were not learnt from, and known bad ones; by part, then by picture."""
    final = Inspector(recipe)
    chosen, parts = job.chosen, job.chosen.parts
    if chosen.calibrate:
        good = job.measured(final, chosen.calibrate, "calibrating")
    else:
        good = _cross_fitted(job, recipe, learn)
    bad = job.measured(final, chosen.defective, "scoring known bad pictures")
    return (
        scores_of(good, bad, parts, cross_fitted=not chosen.calibrate),
        {name: scored.score for name, scored in good.items()},
        {name: scored.score for name, scored in bad.items()},
    )


def _cross_fitted(
    job: TrainingJob, recipe: Recipe, learn: Sequence[Sample]
) -> dict[str, ScoredPicture]:
    """Score each picture by a detector that learnt from the other folds; nothing where there is one part."""
    scores: dict[str, ScoredPicture] = {}
    folds = folds_of(learn, job.chosen.parts, FOLDS, seed=job.settings.seed)
    if len(folds) < 2:
        return scores
    for fold in folds:
        held = {sample.name for sample in fold}
        state = job.fit([sample for sample in learn if sample.name not in held])
        others = {n: a for n, a in recipe.arrays.items() if not n.startswith("detector_")}
        manifest = replace(
            recipe.manifest,
            settings={**recipe.manifest.settings, "detector": dict(state.settings)},
        )
        arrays = {**others, **joined_arrays(detector=state.arrays)}
        apart = Inspector(recipe_with(recipe, arrays=arrays, manifest=manifest))
        scores.update(job.measured(apart, fold, "cross-fitting"))
    return dict(sorted(scores.items()))
