"""Score good parts that were not learnt from, and known bad ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flawline.data.cores import cpu_count
from flawline.data.splits import folds_of
from flawline.data.stream import in_order
from flawline.detectors.detector import DetectorState
from flawline.detectors.registry import method_of
from flawline.inspector import Inspector
from flawline.jobs.train.calibration_targets import Scores
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.known_bad import KnownBad
from flawline.jobs.train.scoring import ScoredPicture, scores_of
from flawline.jobs.train.training_job import TrainingJob
from flawline.recipe import Recipe
from flawline.types import Sample

FOLDS = 10
MEMORY_FOLDS = 5
MANY = 100
"""Parts from which on a memory, which takes long to select, has fewer folds."""


def held_out_scores(
    job: TrainingJob,
    kept: KeptPatches,
    recipe: Recipe,
    learn: Sequence[Sample],
    known: KnownBad | None = None,
) -> tuple[Scores, dict[str, float], dict[str, float]]:
    """Score good parts that were not learnt from, and known bad ones; by part, then by picture.

    Good parts that were held out are scored by the detector of the recipe. Where none were, each part is scored by a
    detector that learnt from the other folds of parts: all teach the final detector, and all calibrate. What was set
    aside of them for looking bad calibrates too, scored by the final detector, which did not learn it: without, the
    thresholds would be set on the good parts that look best. `known` has scores of what taught what known defects look
    like, by detectors that did not learn from it.
    """
    final = Inspector(recipe)
    chosen, parts = job.chosen, job.chosen.parts
    cross_fitted = not chosen.calibrate
    good = (
        job.measured(final, chosen.calibrate, "calibrating")
        if not cross_fitted
        else known.good
        if known is not None
        else cross_scores(job, kept, learn)
    )
    bad = (
        known.bad
        if known is not None and known.learnt
        else job.measured(final, chosen.defective, "scoring known bad pictures")
    )
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
    scores = {}
    for names, state in fold_states(job, kept, learn):
        for name, scored in kept.scored(state, names):
            scores[name] = ScoredPicture(scored.score, scored.peak)
    return dict(sorted(scores.items()))


def fold_states(
    job: TrainingJob, kept: KeptPatches, learn: Sequence[Sample]
) -> Iterator[tuple[list[str], DetectorState]]:
    """For each fold of pictures, by part, fit a detector to the others; nothing where there is one part."""
    settings = job.settings
    parts = {job.chosen.parts[sample.name] for sample in learn}
    long = len(parts) >= MANY and not method_of(settings.method).averages
    count = MEMORY_FOLDS if long else FOLDS
    folds = folds_of(learn, job.chosen.parts, count, seed=settings.seed)
    if len(folds) < 2:
        return

    def fitted(fold: Sequence[Sample]) -> DetectorState:
        held = {sample.name for sample in fold}
        others = [sample.name for sample in learn if sample.name not in held]
        return kept.fit(settings.method, others, seed=settings.seed)

    cores = cpu_count()
    states = in_order(folds, fitted, workers=cores, ahead=cores)
    for fold, state in job.track(states, title="calibrating in folds", total=len(folds)):
        yield sorted(sample.name for sample in fold), state
