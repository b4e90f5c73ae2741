"""Score good parts that were not learnt from, and known bad ones."""

from __future__ import annotations

from collections.abc import Sequence

from flawline.data.splits import folds_of
from flawline.detectors.registry import method_of
from flawline.inspector import Inspector
from flawline.jobs.train.calibration import Scores
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.scoring import ScoredPicture, scores_of
from flawline.jobs.train.training_job import TrainingJob
from flawline.recipe import Recipe
from flawline.types import Sample

FOLDS = 10
MEMORY_FOLDS = 5
MANY = 100
"""Parts from which on a memory, which takes long to select, has fewer folds."""


def held_out_scores(
    job: TrainingJob, kept: KeptPatches, recipe: Recipe, learn: Sequence[Sample]
) -> tuple[Scores, dict[str, float], dict[str, float]]:
    """Score good parts that were not learnt from, and known bad ones; by part, then by picture.

    Good parts that were held out are scored by the detector of the recipe. Where none were, each part is scored by a
    detector that learnt from the other folds of parts: all teach the final detector, and all calibrate. What was set
    aside of them for looking bad calibrates too, scored by the final detector, which did not learn it: without, the
    thresholds would be set on the good parts that look best.
    """
    final = Inspector(recipe)
    chosen, parts = job.chosen, job.chosen.parts
    cross_fitted = not chosen.calibrate
    good = (
        cross_scores(job, kept, learn)
        if cross_fitted
        else job.measured(final, chosen.calibrate, "calibrating")
    )
    bad = job.measured(final, chosen.defective, "scoring known bad pictures")
    learnt = {sample.name for sample in learn}
    unusual = [s for s in chosen.learn if cross_fitted and good and s.name not in learnt]
    aside = job.measured(final, unusual, "scoring pictures set aside")
    return (
        scores_of(good, bad, parts, cross_fitted=cross_fitted, set_aside=aside),
        {name: scored.score for name, scored in good.items()},
        {name: scored.score for name, scored in bad.items()},
    )


def cross_scores(
    job: TrainingJob, kept: KeptPatches, learn: Sequence[Sample]
) -> dict[str, ScoredPicture]:
    """Score each picture by a detector that learnt from the other folds; nothing where there is one part.

    V. Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74, 2015, pp. 9-28, with
    one detector inspecting in place of those of the folds.
    """
    settings, scores = job.settings, {}
    parts = {job.chosen.parts[sample.name] for sample in learn}
    long = len(parts) >= MANY and not method_of(settings.method).averages
    count = MEMORY_FOLDS if long else FOLDS
    folds = folds_of(learn, job.chosen.parts, count, seed=settings.seed)
    if len(folds) < 2:
        return {}
    for fold in job.track(folds, title="calibrating in folds", total=len(folds)):
        held = {sample.name for sample in fold}
        others = [sample.name for sample in learn if sample.name not in held]
        state = kept.fit(settings.method, others, seed=settings.seed)
        for name, scored in kept.scored(state, sorted(held)):
            scores[name] = ScoredPicture(scored.score, scored.peak)
    return dict(sorted(scores.items()))
