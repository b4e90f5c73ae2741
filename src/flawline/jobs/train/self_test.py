"""Test a trained recipe by defects drawn into good pictures that it did not learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flawline.core.self_test import SizeAnswer, answer_for
from flawline.core.self_test_words import NAMES, size_text
from flawline.core.thinning import thinned
from flawline.core.view.framing import window_count
from flawline.data.splits import folds_of
from flawline.detectors.known import known_of
from flawline.detectors.patch_features import Basis
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import joined_arrays, part_arrays
from flawline.inspector.self_test import SelfTest, self_test
from flawline.inspector.self_test_document import self_test_document
from flawline.inspector.self_test_plan import QUICK_CONTRASTS, QUICK_KINDS, SelfTestPlan
from flawline.jobs.train.kept_patches import KeptPatches
from flawline.jobs.train.training_job import TrainingJob
from flawline.jobs.train.view import smallest_px
from flawline.recipe import NO_THRESHOLD, Recipe, recipe_with
from flawline.types import Picture, Sample

PICTURES = 24
"""Most good pictures that defects are drawn into."""
FEWEST = 5
FOLDS = 5
"""Where none are held out, one fold of so many is drawn into."""
DEFECTS = 18
"""Defects of each kind, dark and light, and contrast."""
MANY_WINDOWS = 4
"""Pictures of more windows than this take long: half of the pictures, two thirds of the defects, one contrast."""


@dataclass(frozen=True, slots=True, eq=False)
class TestedRecipe:
    """A recipe with the figures of its self-test, the test, None where there was none, and messages to a person."""

    recipe: Recipe
    test: SelfTest | None
    messages: tuple[str, ...]


def tested_recipe(
    job: TrainingJob, kept: KeptPatches, recipe: Recipe, learn: Sequence[Sample]
) -> TestedRecipe:
    """Test a calibrated recipe, with few defects: spots and scratches, dark and light, at two contrasts.

    Defects are drawn into the pictures held out for calibration; where none are, into those of one fold, for a detector
    that learnt from the other folds, with the recipe's thresholds.

    Args:
        job: the training; its settings say whether to test at all.
        kept: the patches of the pictures.
        recipe: with thresholds.
        learn: the pictures that it learnt from.

    Raises:
        UsageError: ("self-test-min-defect") the smallest defect to find is not found.
    """
    limit = recipe.settings.threshold
    if job.settings.self_test == "off" or limit is None or limit.review <= -NO_THRESHOLD:
        return TestedRecipe(recipe, None, ())
    inspector, samples = _apart(job, kept, recipe, learn)
    if len(samples) < FEWEST:
        return TestedRecipe(recipe, None, (_too_few(job),))
    wanted = smallest_px(job.settings.view)
    plan, most = _plan(job, wanted)

    def read(
        some: Sequence[Sample], function: Callable[[Picture], Any], title: str
    ) -> Iterable[tuple[Sample, Any]]:
        return job.read(some, function, title=f"self-test: {title}")

    shown = thinned(samples, most)
    test = self_test(read, shown, inspector, plan, seed=job.settings.seed, fewest=FEWEST)
    if test is None:
        text = (
            f"no self-test: fewer than {FEWEST} of {len(shown)} held-out good pictures are accepted"
        )
        return TestedRecipe(recipe, None, (text,))
    if wanted is not None:
        _check_smallest(job, test, answer_for(test.limits, wanted, NAMES))
    metrics = {**recipe.manifest.metrics, "self_test": self_test_document(test)}
    manifest = replace(recipe.manifest, metrics=metrics)
    return TestedRecipe(
        recipe_with(recipe, manifest=manifest), test, (f"self-test: {test.sentence}",)
    )


def _plan(job: TrainingJob, wanted: float | None) -> tuple[SelfTestPlan, int]:
    """Choose what is drawn, and into how many pictures at most, so that it takes seconds."""
    assert job.view is not None
    if window_count(job.view.size, job.view.view.framing) <= MANY_WINDOWS:
        return SelfTestPlan(QUICK_KINDS, QUICK_CONTRASTS, DEFECTS, wanted), PICTURES
    few = SelfTestPlan(QUICK_KINDS, QUICK_CONTRASTS[-1:], 2 * DEFECTS // 3, wanted)
    return few, PICTURES // 2


def _apart(
    job: TrainingJob, kept: KeptPatches, recipe: Recipe, learn: Sequence[Sample]
) -> tuple[Inspector, Sequence[Sample]]:
    """Give an inspector and good pictures that it did not learn from."""
    if job.chosen.calibrate:
        return Inspector(recipe), job.chosen.calibrate
    folds = folds_of(learn, job.chosen.parts, FOLDS, seed=job.settings.seed)
    held = {sample.name for sample in folds[0]}
    if len(folds) < 2 or len(held) < FEWEST:
        return Inspector(recipe), ()
    others = [sample.name for sample in learn if sample.name not in held]
    final = part_arrays(recipe.arrays, "detector")
    # Evidence of known defects is about the basis that it was learnt in.
    known, basis = known_of(final), Basis.of(final)
    state = kept.fit(
        job.settings.method, others, basis=basis if known else None, seed=job.settings.seed
    )
    own = {n: a for n, a in recipe.arrays.items() if not n.startswith("detector_")}
    learnt = {**recipe.manifest.settings, "detector": dict(state.settings)}
    apart = recipe_with(
        recipe,
        arrays={**own, **joined_arrays(detector={**state.arrays, **known})},
        manifest=replace(recipe.manifest, settings=learnt),
    )
    return Inspector(apart), folds[0]


def _too_few(job: TrainingJob) -> str:
    needed = FEWEST if job.chosen.calibrate else FOLDS * FEWEST
    return f"no self-test of what the recipe cannot see: it takes about {needed} good parts"


def _check_smallest(job: TrainingJob, test: SelfTest, answer: SizeAnswer | None) -> None:
    """Refuse a recipe that does not find the smallest defect to find, unless the training shall go on."""
    if answer is None or not answer.refuted or job.settings.self_test != "check":
        return
    reached = [
        limit.reach
        for limit in test.limits
        if abs(limit.contrast) == answer.contrast and limit.aspect == 1 and limit.reach is not None
    ]
    found = f"; 90 % are found from {size_text(min(reached))}" if reached else ""
    raise UsageError(
        f"a defect of {job.settings.view.min_defect} would not be found: of {answer.best} of that size, drawn into "
        f"good parts at {100 * answer.contrast:g} % contrast, {answer.found.hits} of {answer.found.of} were{found}",
        hint="photograph from nearer, at a higher resolution, with sharper optics or with light that shows it; name a "
        "larger `min_defect`; or go on deliberately with `self_test=report`",
        code="self-test-min-defect",
    )
