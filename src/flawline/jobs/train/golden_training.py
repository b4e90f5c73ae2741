"""Add a golden sample to a recipe, and find the least strength that counts from held-out good pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from flawline.core.golden.differences import GoldenSettings
from flawline.core.golden.least import learnt_least
from flawline.core.golden.reference import Golden
from flawline.core.threshold import highest_by_part
from flawline.core.words import counted
from flawline.inspector.golden_sample import GOLDEN, GoldenSample
from flawline.inspector.parts import joined_arrays, view_of
from flawline.inspector.view import PreparedPicture
from flawline.jobs.train.training_job import TrainingJob
from flawline.recipe import GoldenSampleSettings, Recipe, recipe_with
from flawline.types import Picture, Sample


@dataclass(frozen=True, slots=True, eq=False)
class GivenGolden:
    """A golden sample for a recipe; `made_of` are the hashes of the files that it was made of."""

    golden: Golden
    made_of: frozenset[str]
    settings: GoldenSettings


def with_golden(
    recipe: Recipe,
    given: GivenGolden,
    job: TrainingJob,
    good: Sequence[str],
    bad: Mapping[str, float],
) -> tuple[Recipe, tuple[str, ...]]:
    """Add a golden sample to a calibrated recipe.

    Args:
        recipe: with thresholds.
        given: the golden sample.
        job: reads the pictures.
        good: the names of held-out good pictures; those that the golden sample was made of are left out.
        bad: raw scores of known bad pictures, by name.

    Returns:
        The recipe, and what a person should know.
    """
    chosen = job.chosen
    apart = [name for name in good if chosen.hashes[name] not in given.made_of]
    scores = _scores(recipe, given, job, [*apart, *bad])
    parts = [chosen.parts[name] for name in apart]
    highest = highest_by_part([scores[name] for name in apart], parts)
    least, basis = learnt_least(highest, given.settings.least)
    arrays = joined_arrays(golden=given.golden.as_arrays()[1])
    kept = {**given.golden.as_arrays()[0], "made_of": sorted(given.made_of)}
    section = GoldenSampleSettings(**{**asdict(given.settings), "least": least}, basis=basis)
    metrics: dict[str, Any] = {"good_parts": len(highest), "rejected": int((highest > least).sum())}
    messages = [
        f"beside the golden sample a place counts above a strength of {least:.4g} ({basis})"
    ]
    if bad and recipe.settings.threshold is not None:
        own = [chosen.parts[name] for name in bad]
        told = highest_by_part([scores[name] for name in bad], own) > least
        alone = highest_by_part(list(bad.values()), own) > recipe.settings.threshold.review
        missed = int((~told & ~alone).sum())
        metrics["escape"] = {"count": missed, "of": len(told)}
        messages.append(
            f"of {counted(len(told), 'known bad part')}, {int(told.sum())} differ from the golden sample; with it "
            f"{missed} would be accepted, without it {int((~alone).sum())}"
        )
    manifest = replace(
        recipe.manifest,
        settings={**recipe.manifest.settings, GOLDEN: kept},
        metrics={**recipe.manifest.metrics, GOLDEN: metrics},
    )
    changed = recipe_with(
        recipe,
        settings=replace(recipe.settings, golden=section),
        arrays={**recipe.arrays, **arrays},
        manifest=manifest,
    )
    return changed, tuple(messages)


def _scores(
    recipe: Recipe, given: GivenGolden, job: TrainingJob, names: Sequence[str]
) -> dict[str, float]:
    """Find the highest strength of pictures; one that cannot be compared has none."""
    wanted, view = set(names), view_of(recipe)
    samples = [sample for sample in _known(job) if sample.name in wanted]
    compare = partial(_strength, GoldenSample(given.golden, given.settings), view.look)
    found = job.read(samples, compare, title="comparing with the golden sample")
    return {sample.name: score for sample, score in found}


def _strength(
    sample: GoldenSample, look: Callable[[Picture], PreparedPicture], picture: Picture
) -> float:
    return sample.find(picture, look(picture)).score


def _known(job: TrainingJob) -> tuple[Sample, ...]:
    chosen = job.chosen
    return (*chosen.learn, *chosen.calibrate, *chosen.defective)
