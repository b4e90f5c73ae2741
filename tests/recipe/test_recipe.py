"""Recipes in memory and on disk: the same content gives the same bytes and hash, and comes back as it was."""

import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from flawline.errors import ModelError, UsageError
from flawline.recipe import (
    RegionSettings,
    ThresholdSettings,
    known_pictures,
    new_recipe,
    read_recipe,
    recipe_with,
    thresholds_of,
    write_recipe,
)


@pytest.fixture(params=["part.flaw", "part"])
def place(request, tmp_path):
    return tmp_path / request.param


def same(one, other):
    assert one.settings == other.settings
    assert one.manifest == other.manifest
    assert (one.model, one.text, one.sha256) == (other.model, other.text, other.sha256)
    assert dict(one.files) == dict(other.files)
    assert list(one.arrays) == sorted(other.arrays)
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        np.testing.assert_array_equal(array, other.arrays[name])


def test_what_was_written_comes_back(recipe, place):
    assert write_recipe(recipe, place) == place
    same(read_recipe(place), recipe)
    same(read_recipe(str(place)), recipe)
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_the_same_recipe_gives_the_same_bytes(recipe, place, tmp_path):
    write_recipe(recipe, place)
    again = write_recipe(read_recipe(place), tmp_path / f"again{place.suffix}")
    if place.is_file():
        assert place.read_bytes() == again.read_bytes()
        return
    files = {p.relative_to(place): p.read_bytes() for p in place.rglob("*") if p.is_file()}
    assert files == {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}


def test_the_order_of_what_training_hands_over_changes_nothing(recipe, settings, arrays, manifest):
    turned = replace(
        manifest,
        pictures=manifest.pictures[::-1],
        metrics=dict(reversed(manifest.metrics.items())),
    )
    other = new_recipe(settings, recipe.model, dict(reversed(arrays.items())), turned, recipe.files)
    assert other.sha256 == recipe.sha256


def test_folder_and_zip_hold_the_same(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    with zipfile.ZipFile(write_recipe(recipe, tmp_path / "part.FLAW")) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        for name in archive.namelist():
            assert archive.read(name) == (folder / name).read_bytes()
        count = sum(path.is_file() for path in folder.rglob("*"))
        assert len(archive.namelist()) == count == 7


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_hash_is_what_the_shell_says(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    command = "sha256sum manifest.json recipe.toml | sha256sum"
    came = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    assert came.stdout.split()[0] == recipe.sha256


def test_a_zip_packed_by_hand_is_read(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    (folder / ".DS_Store").write_bytes(b"x")
    made = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "part")
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("__MACOSX/part/._recipe.toml", b"x")
    assert read_recipe(made).sha256 == recipe.sha256


def test_values_cannot_be_edited(recipe, arrays, place):
    read = read_recipe(write_recipe(recipe, place))
    for one in (read, recipe):
        with pytest.raises(ValueError, match="read-only"):
            one.arrays["detector_memory"][0] = 1
        with pytest.raises(TypeError):
            one.files["x.png"] = b""
    arrays["detector_memory"][0] = 1


def test_an_edited_threshold_gives_another_hash_and_is_read(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    assert not read_recipe(folder).edited
    text = (folder / "recipe.toml").read_text(encoding="utf-8")
    (folder / "recipe.toml").write_text(
        text.replace("reject = 3.0", "reject = 3.5 # Anna"), encoding="utf-8"
    )
    read = read_recipe(folder)
    assert thresholds_of(read) == (2.5, 3.5)
    assert read.sha256 != recipe.sha256
    assert read.edited
    moved = recipe_with(read, settings=replace(read.settings, part="other"))
    again = read_recipe(write_recipe(moved, folder))
    assert "reject = 3.5 # Anna" in again.text
    assert again.settings.part == "other"
    assert again.edited


def test_line_ends_and_byte_order_marks_change_nothing(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    for name in ("recipe.toml", "manifest.json"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"))
    same(read_recipe(folder), recipe)


def test_new_arrays_count_as_a_new_training(recipe):
    threshold = ThresholdSettings(review=1.0, reject=1.0, region=1.0)
    other = recipe_with(
        recipe,
        settings=replace(recipe.settings, threshold=threshold),
        arrays={"a": np.arange(3)},
        manifest=replace(recipe.manifest, seeds={"training": 8}),
    )
    assert not other.edited
    assert set(other.manifest.files) == {"model.onnx", "arrays/a.npy", "region.png"}
    assert other.manifest.seeds == {"training": 8}
    assert thresholds_of(other) == (1.0, 1.0)
    assert recipe.manifest.seeds == {"training": 7}


def test_what_training_fixed_cannot_be_changed(recipe, tmp_path):
    other = replace(recipe.settings, picture=replace(recipe.settings.picture, window=(128, 128)))
    with pytest.raises(ModelError, match=r"\[picture\] window: it was trained with \[256, 256\]"):
        recipe_with(recipe, settings=other)
    folder = write_recipe(recipe, tmp_path / "part")
    text = recipe.text.replace('method = "patch-gaussian"', 'method = "fast"')
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    line = text.splitlines().index('method = "fast"') + 1
    with pytest.raises(ModelError, match=f"line {line}: .* trained with patch-gaussian, got fast"):
        read_recipe(folder)


def test_a_mask_must_be_there(recipe, tmp_path):
    region = RegionSettings(mask="region.png")
    masked = recipe_with(recipe, settings=replace(recipe.settings, region_of_interest=region))
    assert 'mask = "region.png"' in masked.text
    with pytest.raises(ModelError, match=r"mask: the recipe holds no region\.png"):
        recipe_with(masked, files={})


def test_without_thresholds_nothing_is_judged(recipe):
    bare = recipe_with(recipe, settings=replace(recipe.settings, threshold=None))
    with pytest.raises(ModelError) as caught:
        thresholds_of(bare)
    assert caught.value.code == "recipe-uncalibrated"
    assert caught.value.hint


def test_known_pictures_have_their_first_role(recipe, manifest):
    known = known_pictures(recipe)
    by_name = {p.name: known[p.sha256] for p in manifest.pictures}
    assert by_name == {
        "good/2.png": "train",
        "good/10.png": "train",
        "good/3.png": "calibration",
        "good/4 übel.png": "set-aside",
        "copies/2.png": "train",
        "copies/3.png": "duplicate",
    }


@pytest.mark.parametrize(
    ("arrays", "files", "metrics"),
    [
        ({"a": np.array([np.nan])}, {}, {}),
        ({"a": np.array(["x"])}, {}, {}),
        ({"a": np.array([{}], object)}, {}, {}),
        ({"../a": np.zeros(1)}, {}, {}),
        ({"A": np.zeros(1), "a": np.zeros(1)}, {}, {}),
        ({}, {"sub/x.png": b""}, {}),
        ({}, {"Recipe.toml": b""}, {}),
        ({}, {"arrays": b""}, {}),
        ({}, {".hidden": b""}, {}),
        ({}, {}, {"auroc": float("nan")}),
        ({}, {}, {"auroc": np.float32(1)}),
        ({}, {}, {1: 2}),
    ],
)
def test_what_cannot_be_kept_is_refused(settings, manifest, arrays, files, metrics):
    with pytest.raises(ModelError, match="cannot be kept in a recipe") as caught:
        new_recipe(settings, b"onnx", arrays, replace(manifest, metrics=metrics), files)
    assert caught.value.code == "recipe-damaged"


def test_a_recipe_replaces_a_recipe_and_nothing_else(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    other = recipe_with(recipe, arrays={}, files={})
    (folder / ".DS_Store").touch()
    assert read_recipe(write_recipe(other, folder)).sha256 == other.sha256
    assert not (folder / "region.png").exists()
    (tmp_path / "empty").mkdir()
    write_recipe(recipe, tmp_path / "empty")

    (folder / ".git" / "objects").mkdir(parents=True)
    assert read_recipe(folder).sha256 == other.sha256
    with pytest.raises(UsageError, match=r"no part of a recipe: \.git"):
        write_recipe(recipe, folder)
    (folder / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match="no part of a recipe"):
        write_recipe(recipe, folder)
    for mine in (tmp_path / "mine", tmp_path / "mine.flaw"):
        mine.mkdir()
        (mine / "recipe.toml").write_text("mine")
        with pytest.raises(UsageError):
            write_recipe(recipe, mine)
        assert (mine / "recipe.toml").read_text(encoding="utf-8") == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="there is a file"):
        write_recipe(recipe, tmp_path / "file")
    assert {p.name for p in tmp_path.iterdir()} == {"part", "empty", "mine", "mine.flaw", "file"}


@pytest.mark.parametrize("fails", ["write", "swap"])
def test_a_write_that_fails_leaves_the_old_folder(recipe, tmp_path, monkeypatch, fails):
    folder = write_recipe(recipe, tmp_path / "part")
    rename, calls = os.rename, []

    def full(*_):
        raise OSError(28, "No space left on device")

    def second_fails(one, other):
        calls.append(other)
        full() if len(calls) == 2 else rename(one, other)

    if fails == "write":
        monkeypatch.setattr("pathlib.Path.write_bytes", full)
    else:
        monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(OSError, match="No space"):
        write_recipe(recipe_with(recipe, files={}), folder)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["part"]
    same(read_recipe(folder), recipe)


def test_a_link_to_a_recipe_stays_a_link(recipe, tmp_path):
    real = write_recipe(recipe, tmp_path / "v1")
    link = tmp_path / "current"
    try:
        link.symlink_to(real, target_is_directory=True)
    except OSError:
        pytest.skip("links cannot be made here")
    other = recipe_with(recipe, files={})
    write_recipe(other, link)
    assert link.is_symlink()
    assert read_recipe(real).sha256 == other.sha256


def test_the_manifest_can_be_read_by_eye(recipe, tmp_path):
    folder = write_recipe(recipe, tmp_path / "part")
    data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [line[66:] for line in data["pictures"]["train"]] == ["good/10.png", "good/2.png"]
    assert data["fixed"]["picture.window"] == [256, 256]
    assert data["backbone"]["licence"] == "Apache-2.0"
