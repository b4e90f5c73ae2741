"""Score good parts that were not learnt from, and known bad ones."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.data.splits import folds_of
from flawline.inspector import Inspector
from flawline.jobs.train.calibration import Scores
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.scoring import ScoredPicture, scores_of
from flawline.jobs.train.training_job import TrainingJob
from flawline.recipe import Recipe
from flawline.types import Sample

FOLDS = 5


def held_out_scores(
    job: TrainingJob, kept: KeptPatches, recipe: Recipe, learn: Sequence[Sample]
) -> tuple[Scores, dict[str, float], dict[str, float]]:
    """Score good parts that were not learnt from, and known bad ones; by part, then by picture."""
    final = Inspector(recipe)
    chosen, parts = job.chosen, job.chosen.parts
    good = (
        job.measured(final, chosen.calibrate, "calibrating")
        if chosen.calibrate
        else _cross_fitted(job, kept, learn)
    )
    bad = job.measured(final, chosen.defective, "scoring known bad pictures")
    return (
        scores_of(good, bad, parts, cross_fitted=not chosen.calibrate),
        {name: scored.score for name, scored in good.items()},
        {name: scored.score for name, scored in bad.items()},
    )


def _cross_fitted(
    job: TrainingJob, kept: KeptPatches, learn: Sequence[Sample]
) -> dict[str, ScoredPicture]:
    """Score each picture by a detector that learnt from the other folds; nothing where there is one part."""
    settings, scores = job.settings, {}
    folds = folds_of(learn, job.chosen.parts, FOLDS, seed=settings.seed)
    if len(folds) < 2:
        return {}
    for fold in job.track(folds, title="cross-fitting", total=len(folds)):
        held = {sample.name for sample in fold}
        others = [sample.name for sample in learn if sample.name not in held]
        state = kept.fit(settings.method, others, seed=settings.seed)
        for name, scored in kept.scored(state, sorted(held)):
            scores[name] = ScoredPicture(scored.score, scored.peak)
    return dict(sorted(scores.items()))
