"""A recipe whose parts do not fit together, with hashes that are right, is named as damaged."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import onnx
import pytest

from flawline.data.array_file import npy_bytes
from flawline.errors import FlawlineError, ModelError
from flawline.inspector import Inspector
from flawline.inspector.damage import naming_damage
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import read_recipe, write_recipe
from flawline.recipe.manifest import file_hash, manifest_bytes
from helpers.discs import disc, train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    root = tmp_path_factory.mktemp("damage")
    network, parts = write_network(root / "small.onnx"), write_discs(root / "parts", good=20)
    aligned = ViewSettings(window=(64, 64), alignment="shift", light="level")
    return {
        "gaussian": train(parts, network, view=aligned).recipe,
        "memory": train(parts, network, method="patch-memory").recipe,
    }


CHANGES = {
    "empty": lambda array: array[:0],
    "half": lambda array: array[: max(1, len(array) // 2)],
    "doubled": lambda array: np.concatenate([array, array]),
    "flat": lambda array: array.ravel(),
    "deeper": lambda array: array[None],
    "true and false": lambda array: array.astype(bool),
    "huge": lambda array: np.full_like(array, 1e30, dtype=np.float64),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", ["gaussian", "memory"])
def test_arrays_that_do_not_fit_give_an_error_or_a_verdict_and_nothing_else(recipes, kind):
    recipe, refused = recipes[kind], 0
    assert len(recipe.arrays) > 5
    for name, array in recipe.arrays.items():
        changed = [{name: change(array)} for change in CHANGES.values()]
        without = {other: kept for other, kept in recipe.arrays.items() if other != name}
        for arrays in (without, *({**recipe.arrays, **one} for one in changed)):
            try:
                Inspector(replace(recipe, arrays=MappingProxyType(arrays))).inspect(disc(1))
            except FlawlineError as error:
                refused += error.code in ("recipe-damaged", "image-score")
    assert refused > 3 * len(recipe.arrays)


def test_a_missing_array_is_named(recipes):
    arrays = {n: a for n, a in recipes["memory"].arrays.items() if n != "detector_mean"}
    with pytest.raises(ModelError, match=r"recipe is damaged: 'mean' is missing") as caught:
        Inspector(replace(recipes["memory"], arrays=arrays))
    assert caught.value.code == "recipe-damaged"


def test_numbers_that_are_not_finite_are_named_with_their_file(recipes, tmp_path):
    recipe = recipes["memory"]
    folder = write_recipe(recipe, tmp_path / "part")
    bad = npy_bytes(np.full_like(recipe.arrays["detector_mean"], np.nan))
    (folder / "arrays" / "detector_mean.npy").write_bytes(bad)
    hashes = {**recipe.manifest.files, "arrays/detector_mean.npy": file_hash(bad)}
    (folder / "manifest.json").write_bytes(manifest_bytes(replace(recipe.manifest, files=hashes)))
    with pytest.raises(
        ModelError, match=r"arrays/detector_mean.npy holds other than finite"
    ) as caught:
        read_recipe(folder)
    assert caught.value.code == "recipe-damaged"


def test_calibrations_that_are_none_are_refused(recipes):
    recipe = recipes["memory"]
    for scores in (np.zeros((2, 2)), np.zeros(0), np.array([3.0, 1.0])):
        arrays = {**recipe.arrays, "calibration_scores": scores}
        with pytest.raises(ModelError, match="calibration_scores"):
            Inspector(replace(recipe, arrays=arrays))


def test_a_network_with_other_outputs_is_named(recipes, tmp_path):
    model = onnx.load_from_string(recipes["memory"].model)
    model.graph.output[0].name = model.graph.output[1].name
    with pytest.raises(ModelError, match="no feature map"):
        Inspector(replace(recipes["memory"], model=model.SerializeToString()))


def test_errors_that_say_what_is_wrong_pass():
    with pytest.raises(FlawlineError, match="own words"), naming_damage():
        raise FlawlineError("own words")
    with pytest.raises(ModelError, match="do not fit together: ZeroDivisionError"), naming_damage():
        raise ZeroDivisionError
