"""One sentence about a recipe: what it finds, misses and rejects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from flawline.inspector.parts import calibration_of
from flawline.inspector.recipe_figures import PartCount, recipe_figures
from flawline.recipe import recipe_with, threshold_settings
from helpers.discs import train, write_discs
from helpers.drawn_segmenter import segment_recipe
from helpers.networks import write_network


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    parts = write_discs(folder / "parts", good=24, bad=6)
    return train(parts, write_network(folder / "small.onnx"), ignore_bad=True)


def moved(recipe, **limits):
    limit = replace(threshold_settings(recipe), **limits)
    return recipe_with(recipe, settings=replace(recipe.settings, threshold=limit))


def with_metrics(recipe, **metrics):
    changed = replace(recipe.manifest, metrics={**recipe.manifest.metrics, **metrics})
    return recipe_with(recipe, manifest=changed)


def test_counts_are_those_of_parts_that_were_not_learnt_from(trained):
    recipe = trained.recipe
    found = recipe_figures(recipe)
    limit, scores = threshold_settings(recipe), calibration_of(recipe).scores
    assert found.missed == PartCount(sum(s <= limit.review for s in trained.bad.values()), 6)
    assert found.rejected == PartCount(int(np.sum(scores > limit.reject)), len(scores))
    assert (
        found.sentence
        == f"misses {found.missed.count} of 6 known bad, rejects {found.rejected.count} of {len(scores)} good"
    )


def test_moved_thresholds_count_anew(trained):
    scores, bad = calibration_of(trained.recipe).scores, sorted(trained.bad.values())
    recipe = moved(trained.recipe, review=bad[2], reject=float(scores[-3]) + max(bad))
    assert recipe_figures(recipe).missed is None
    assert recipe_figures(recipe).sentence.endswith("what it misses is not known")
    assert recipe_figures(recipe, bad).missed == PartCount(3, 6)
    strict = moved(trained.recipe, review=float(scores[-3]), reject=float(scores[-2]))
    found = recipe_figures(strict)
    assert (found.rejected, found.reviewed) == (
        PartCount(1, len(scores)),
        PartCount(1, len(scores)),
    )


def limit(name, contrast, size):
    return {"name": name, "contrast": contrast, "found_from_px": size}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            [limit("dark spots", -0.2, 4.04), limit("light spots", 0.2, 7.0)],
            "finds dark spots from 4 px; ",
        ),
        (
            [limit("dark spots", -0.2, None), limit("dark spots", -0.4, 3.0)],
            "finds none of 1 kind of drawn defects surely; ",
        ),
        ([], "misses"),
    ],
)
def test_what_the_self_test_found_comes_first(trained, limits, words):
    recipe = with_metrics(trained.recipe, self_test={"limits": limits})
    assert recipe_figures(recipe).sentence.startswith(words)


def test_with_a_golden_sample_a_part_is_missed_where_both_miss_it(trained):
    recipe = with_metrics(trained.recipe, golden={"escape": {"count": 1, "of": 6}})
    assert recipe_figures(recipe).missed == PartCount(1, 6)
    # What it misses at other thresholds its scores alone do not tell.
    assert recipe_figures(moved(recipe, review=1e9, reject=1e9), [1.0]).missed is None


def test_a_segmenter_counts_its_validation_pictures(tmp_path):
    recipe = segment_recipe(tmp_path / "segmenter.onnx")
    found = recipe_figures(with_metrics(recipe, validation={"escapes": [1, 9], "overkill": None}))
    assert (found.missed, found.rejected) == (PartCount(1, 9), None)
    assert found.sentence == "misses 1 of 9 known bad"
