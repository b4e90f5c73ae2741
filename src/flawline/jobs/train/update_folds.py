"""Extend a detector by further good pictures, and score these by detectors that learnt the others of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flawline.data.source import Source
from flawline.data.splits import folds_of
from flawline.data.stream import map_pictures
from flawline.detectors.fitting import extend_detector
from flawline.inspector import Inspector
from flawline.inspector.damage import naming_damage
from flawline.inspector.parts import detector_state, joined_arrays, view_of
from flawline.jobs.train.calibration_targets import Scores
from flawline.jobs.train.scoring import ScoredPicture, measured, scores_of
from flawline.recipe import Recipe, detector_settings, recipe_with
from flawline.types import Sample, Track, Unjudged, no_track

FOLDS = 5


def extended_recipe(
    recipe: Recipe, source: Source, samples: Sequence[Sample], title: str, track: Track
) -> Recipe:
    """Learn pictures of good parts in addition; the thresholds and the records of pictures stay as they are."""
    view, value_range = view_of(recipe), recipe.manifest.value_range

    def windows() -> Iterator[NDArray[np.uint8]]:
        prepared = map_pictures(source, samples, view.look, value_range=value_range)
        for _, look in track(prepared, title=title, total=len(samples)):
            if not isinstance(look, Unjudged):
                for window in look.windows():
                    yield window.pixels

    with naming_damage():
        state = extend_detector(
            detector_state(recipe),
            recipe.model,
            windows,
            window=recipe.settings.picture.window,
            precision=detector_settings(recipe).precision,
        )
    others = {n: a for n, a in recipe.arrays.items() if not n.startswith("detector_")}
    learnt = {**recipe.manifest.settings, "detector": dict(state.settings)}
    return recipe_with(
        recipe,
        arrays={**others, **joined_arrays(detector=state.arrays)},
        manifest=replace(recipe.manifest, settings=learnt),
    )


def scores_in_folds(
    recipe: Recipe,
    source: Source,
    samples: Sequence[Sample],
    parts: Mapping[str, str],
    track: Track,
) -> Scores:
    """Score new good parts by detectors that learnt those of the other folds in addition, not the parts themselves."""
    found: dict[str, ScoredPicture] = {}
    folds = folds_of(samples, parts, FOLDS)
    for fold in track(folds, title="calibrating in folds", total=len(folds)):
        held = {sample.name for sample in fold}
        others = [sample for sample in samples if sample.name not in held]
        apart = extended_recipe(recipe, source, others, "", no_track) if others else recipe
        found |= scores_of_samples(Inspector(apart), source, fold, "", no_track)
    return scores_of(found, {}, parts, cross_fitted=True)


def scores_of_samples(
    inspector: Inspector, source: Source, samples: Sequence[Sample], title: str, track: Track
) -> dict[str, ScoredPicture]:
    """Score pictures by name; those that cannot be judged are left out."""
    results = map_pictures(source, samples, measured(inspector), value_range=inspector.value_range)
    return {
        sample.name: scored
        for sample, scored in track(results, title=title, total=len(samples))
        if not isinstance(scored, Unjudged)
    }
