"""What is told of thresholds that were edited by hand."""

from dataclasses import asdict, replace

import pytest

from flawline.recipe import (
    NO_THRESHOLD,
    ThresholdSettings,
    new_recipe,
    read_recipe,
    recipe_with,
    stated_thresholds,
    write_recipe,
)

SET = ThresholdSettings(
    review=60.1, reject=71.2, region=55.5, basis="reject: at most 5 % of good parts"
)


@pytest.fixture
def calibrated(settings, arrays, manifest):
    return with_calibration(settings, arrays, manifest, SET)


def with_calibration(settings, arrays, manifest, threshold, kept=...):
    kept = asdict(threshold) if kept is ... else kept
    metrics = {"calibration": {"parts": 60, "thresholds": kept}}
    settings = replace(settings, threshold=threshold)
    return new_recipe(settings, b"onnx", arrays, replace(manifest, metrics=metrics), {})


def edited(recipe, folder, *replacements):
    """The recipe after somebody edited its recipe.toml."""
    write_recipe(recipe, folder)
    text = (folder / "recipe.toml").read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    return read_recipe(folder)


def told(recipe):
    return stated_thresholds(recipe)["basis"]


def test_calibrated_thresholds_keep_their_promise(calibrated, tmp_path):
    again = read_recipe(write_recipe(calibrated, tmp_path / "part.flaw"))
    assert stated_thresholds(calibrated) == stated_thresholds(again) == asdict(SET)


def test_a_recipe_without_thresholds_states_none(calibrated):
    settings = replace(calibrated.settings, threshold=None)
    assert stated_thresholds(recipe_with(calibrated, settings=settings)) is None


def test_an_edited_threshold_ends_the_promise(calibrated, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ("reject = 71.2", "reject = 300"))
    assert stated_thresholds(recipe) == {
        **asdict(SET),
        "reject": 300,
        "basis": "edited by hand: reject 300 (calibrated: 71.2); no promise is made for it",
    }
    assert recipe.settings.threshold.basis == SET.basis


def test_all_that_was_edited_is_named(calibrated, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ("60.1", "60.1001"), ("71.2", "80"))
    assert told(recipe) == (
        "edited by hand: review 60.1001 (calibrated: 60.1), reject 80 (calibrated: 71.2); "
        "no promise is made for them"
    )


def test_the_promise_of_parts_does_not_rest_on_regions(calibrated, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ("55.5", "50"))
    assert told(recipe) == (
        f"{SET.basis}; edited by hand: region 50 (calibrated: 55.5); no promise is made for it"
    )


def test_words_of_the_editor_are_told(calibrated, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ("71.2", "80"), (SET.basis, "Anna: trial of 9"))
    assert told(recipe).startswith("Anna: trial of 9; edited by hand: reject 80")


def test_an_edit_beside_the_thresholds_changes_nothing(calibrated, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ('part = "casting"', 'part = "lid" # Anna'))
    assert recipe.edited
    assert told(recipe) == SET.basis


def test_an_edit_outlives_further_training(calibrated, arrays, tmp_path):
    recipe = edited(calibrated, tmp_path / "part", ("reject = 71.2", "reject = 300"))
    basis = f"{SET.basis}; set before 2 pictures were added"
    taught = recipe_with(recipe, arrays=arrays)
    threshold = replace(taught.settings.threshold, basis=basis)
    taught = recipe_with(taught, settings=replace(taught.settings, threshold=threshold))
    assert told(taught) == told(recipe)


def test_putting_the_old_value_back_restores_the_promise(calibrated, tmp_path):
    edited(calibrated, tmp_path / "part", ("reject = 71.2", "reject = 300"))
    recipe = edited(read_recipe(tmp_path / "part"), tmp_path / "part", ("300", "7.12e1"))
    assert told(recipe) == SET.basis


@pytest.mark.parametrize(
    "kept", [None, "71.2", {}, {**asdict(SET), "reject": "71.2"}, {**asdict(SET), "review": 99}]
)
def test_older_and_odd_manifests_say_that_something_was_edited(
    settings, arrays, manifest, tmp_path, kept
):
    recipe = with_calibration(settings, arrays, manifest, SET, kept)
    assert told(recipe) == SET.basis
    assert "no promise" in told(edited(recipe, tmp_path / "part", ("71.2", "300")))


def test_what_could_not_be_calibrated_is_no_number(settings, arrays, manifest, tmp_path):
    blind = ThresholdSettings(
        review=-NO_THRESHOLD, reject=NO_THRESHOLD, region=NO_THRESHOLD, basis="one good part"
    )
    recipe = with_calibration(settings, arrays, manifest, blind)
    assert told(recipe) == "one good part"
    recipe = edited(recipe, tmp_path / "part", ("reject = 1e+30", "reject = 80"))
    assert told(recipe) == (
        "edited by hand: reject 80 (calibrated: none); no promise is made for it"
    )
