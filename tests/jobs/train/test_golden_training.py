"""A golden sample in the recipe of a detector: learnt, kept, inspected with, and refused where it cannot go."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import ModelError, UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.training_verdict import training_verdict
from flawline.recipe import (
    GoldenSampleSettings,
    RecipeSettings,
    SegmenterSettings,
    read_recipe,
    recipe_with,
    write_recipe,
)
from helpers.boards import PAD, board, moved, without_pad
from helpers.networks import write_network


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return path


def cloudy(pixels, seed):
    """The picture under light of its own: boards that differ in noise alone count as copies."""
    field = np.random.default_rng([seed, 1]).normal(0, 14, (5, 5)).astype(np.float32)
    light = cv2.resize(field, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(pixels + light, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Boards, two of them without their pad, a golden sample, and a small network."""
    folder = tmp_path_factory.mktemp("boards")
    for seed in range(8):
        write(folder / "parts" / "good" / f"{seed}.png", cloudy(board(seed), seed))
    for seed in range(2):
        write(
            folder / "parts" / "bad" / f"{seed}.png",
            cloudy(without_pad(board(50 + seed)), 50 + seed),
        )
    write(folder / "golden.png", board(99))
    write_network(folder / "small.onnx")
    return folder


@pytest.fixture(scope="module")
def trained(place):
    return flawline.train_anomaly(
        place / "parts", golden=place / "golden.png", backbone=str(place / "small.onnx")
    )


def test_what_is_missing_rejects_a_part_with_its_place(trained):
    inspector = Inspector(trained.recipe)
    bad = inspector.inspect(without_pad(board(70)))
    assert bad.verdict == "reject"
    (reason,) = (text for text in bad.reasons if "golden sample" in text)
    assert "missing at x 119" in reason or "missing at x 120" in reason
    assert bad.class_mask[PAD[1] + PAD[3] // 2, PAD[0] + PAD[2] // 2] == 1
    good = inspector.inspect(board(71))
    assert any("nothing is missing or extra" in text for text in good.reasons)
    assert not good.class_mask[PAD[1] : PAD[1] + PAD[3], PAD[0] : PAD[0] + PAD[2]].any()


def test_the_score_is_that_of_the_detector_alone(trained, place):
    alone = flawline.train_anomaly(place / "parts", backbone=str(place / "small.onnx"))
    assert alone.recipe.settings.golden is None
    for pixels in (board(70), without_pad(board(70))):
        both = Inspector(trained.recipe).inspect(pixels)
        one = Inspector(alone.recipe).inspect(pixels)
        assert (both.score, both.p_value) == (one.score, one.p_value)


def test_training_says_what_the_golden_sample_adds(trained):
    told = [text for text in trained.messages if "golden sample" in text]
    assert "counts above a strength of 4 (at most" in told[0]
    assert "n = 8" in told[0]
    assert "of 2 known bad parts, 2 differ from the golden sample; with it 0 would" in told[1]


def test_the_verdict_on_the_recipe_counts_what_both_miss(trained):
    recipe = trained.recipe
    assert recipe.manifest.metrics["golden"]["escape"] == {"count": 0, "of": 2}
    both = {**recipe.manifest.metrics["defective"], "escape": {"count": 2, "of": 2}}
    blind = replace(recipe.manifest, metrics={**recipe.manifest.metrics, "defective": both})
    found = training_verdict(replace(trained, recipe=recipe_with(recipe, manifest=blind)))
    assert found.text.startswith("Misses 0 of 2 known bad parts")


def test_the_recipe_is_the_same_after_writing_and_reading(trained, tmp_path):
    again = read_recipe(write_recipe(trained.recipe, tmp_path / "part.flaw"))
    assert again.settings.golden == trained.recipe.settings.golden
    assert again.sha256 == trained.recipe.sha256
    pixels = moved(without_pad(board(70)), 3, 2)
    first, second = (Inspector(one).inspect(pixels) for one in (trained.recipe, again))
    assert first.reasons == second.reasons
    assert np.array_equal(first.class_mask, second.class_mask)


def test_the_section_may_be_edited_or_taken_out(trained):
    recipe = trained.recipe
    golden = recipe.settings.golden
    blind = recipe_with(
        recipe, settings=replace(recipe.settings, golden=replace(golden, least=1e6))
    )
    without = recipe_with(recipe, settings=replace(recipe.settings, golden=None))
    for changed in (blind, without):
        found = Inspector(changed).inspect(without_pad(board(70)))
        assert not any("missing at" in text for text in found.reasons)


def test_a_golden_sample_of_the_good_pictures_is_calibrated_on_the_others(place, tmp_path):
    for seed in (0, 1, 2):
        write(tmp_path / "some" / f"{seed}.png", cloudy(board(seed), seed))
    trained = flawline.train_anomaly(
        place / "parts", golden=tmp_path / "some", backbone=str(place / "small.onnx")
    )
    assert "n = 5" in trained.recipe.settings.golden.basis
    assert trained.recipe.manifest.settings["golden"]["pictures"] == 3


def test_what_lies_outside_the_region_of_interest_does_not_count(place):
    outside = [[(0, 0), (100, 0), (100, 239), (0, 239)]]
    trained = flawline.train_anomaly(
        place / "parts",
        golden=place / "golden.png",
        roi=outside,
        backbone=str(place / "small.onnx"),
    )
    found = Inspector(trained.recipe).inspect(without_pad(board(70)))
    assert any("nothing is missing or extra" in text for text in found.reasons)


def test_another_product_is_not_accepted(trained):
    noise = np.random.default_rng(3).integers(0, 255, (240, 240, 3), dtype=np.uint8)
    found = Inspector(trained.recipe).inspect(noise)
    assert found.verdict != "accept"
    assert any("golden sample: the part was not recognised" in text for text in found.reasons)


def test_an_update_keeps_the_golden_sample(trained, place, tmp_path):
    write(tmp_path / "more" / "good" / "80.png", board(80))
    updated = flawline.update(trained.recipe, tmp_path / "more").recipe
    assert updated.settings.golden == trained.recipe.settings.golden
    assert Inspector(updated).inspect(without_pad(board(70))).verdict == "reject"


def test_an_export_is_refused_with_the_way_out(trained, tmp_path):
    with pytest.raises(UsageError, match="golden sample") as caught:
        flawline.export(trained.recipe, "onnx", tmp_path / "out")
    assert "[golden]" in caught.value.hint


def test_a_recipe_without_the_arrays_of_its_golden_sample_is_damaged(trained):
    recipe = trained.recipe
    others = {n: a for n, a in recipe.arrays.items() if not n.startswith("golden_")}
    with pytest.raises(ModelError, match="damaged"):
        Inspector(recipe_with(recipe, arrays=others))
    wrong = {**recipe.arrays, "golden_low": np.zeros(3)}
    with pytest.raises(ModelError, match="golden_low"):
        Inspector(recipe_with(recipe, arrays=wrong))


def test_a_segmenter_has_no_golden_sample():
    segmenter = SegmenterSettings(network="light", classes=("stain",), thresholds=(0.4,))
    with pytest.raises(ModelError, match="golden"):
        RecipeSettings(
            task="segment",
            detector=None,
            segmenter=segmenter,
            golden=GoldenSampleSettings(least=4),
        )


def test_the_command_takes_the_golden_sample(place, tmp_path, capsys):
    out = tmp_path / "part.flaw"
    golden = ["--golden", str(place / "golden.png"), "--backbone", str(place / "small.onnx")]
    assert (
        run(["train", "anomaly", str(place / "parts"), "-o", str(out), *golden, "--effort", "none"])
        == 0
    )
    assert "differ from the golden sample" in capsys.readouterr().out
    assert read_recipe(out).settings.golden is not None
