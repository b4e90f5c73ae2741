"""Pictures of another shape than those learnt from are not judged where they would be squeezed."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.errors import ImageError, ModelError
from flawline.inspector import Inspector
from flawline.inspector.shape import check_shape, shape_settings
from flawline.jobs.train.update_recipe import update_anomaly
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import BackboneRecord, RecipeManifest, recipe_with, write_recipe
from helpers.discs import SIDE, disc, train, write, write_discs
from helpers.drawn_segmenter import segment_recipe
from helpers.networks import write_network
from helpers.pictures import as_picture

KEY = "aspect_ratios"
BACKBONE = BackboneRecord("none", "0" * 64, "none", {})
SIDES = st.integers(1, 5000)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_discs(tmp_path_factory.mktemp("parts"), good=10, bad=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def recipe(parts, network):
    return train(parts, network).recipe


def stretched(seed, width, height):
    return cv2.resize(disc(seed), (width, height))


def test_a_detector_judges_pictures_of_the_shape_that_it_learnt(recipe):
    inspector = Inspector(recipe)
    assert recipe.manifest.settings[KEY] == [1.0, 1.0]
    for width, height in ((SIDE, SIDE), (400, 400), (105, 96), (96, 105)):
        assert inspector.inspect(as_picture(stretched(70, width, height))).verdict
    for width, height in ((2500, 100), (600, 400), (107, 96), (96, 107)):
        with pytest.raises(ImageError, match=r"1\.00 to 1\.00 .*crop it") as caught:
            inspector.inspect(as_picture(stretched(70, width, height)))
        assert f"got {width} x {height} px" in caught.value.message
        assert caught.value.code == "image-view"
        assert "flawline update" in caught.value.hint


def test_the_command_lists_what_it_refuses_and_judges_the_others(recipe, tmp_path, capsys):
    path = write_recipe(recipe, tmp_path / "disc.flaw")
    write(tmp_path / "new" / "0.png", disc(80))
    write(tmp_path / "new" / "1.png", stretched(81, 2500, 100))
    assert run(["inspect", str(path), str(tmp_path / "new"), "--out", str(tmp_path / "out")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "could not be judged: 1.png: expected a picture of width/height 1.00 to 1.00" in said
    assert "got 2500 x 100 px (25.0); crop it as for training, or train again" in said
    assert said.count("could not be judged") == 1


def test_windows_that_squeeze_nothing_take_every_shape(network, tmp_path):
    tiles = ViewSettings(window=(64, 64), min_defect="3 px")
    recipe = train(write_discs(tmp_path, good=6), network, view=tiles).recipe
    assert recipe.settings.picture.resolution != "fit"
    assert KEY not in recipe.manifest.settings
    assert Inspector(recipe).inspect(as_picture(stretched(70, 300, 90))).verdict


def test_an_update_widens_what_is_known(recipe, tmp_path):
    for place in range(3):
        write(tmp_path / "good" / f"{place}.png", stretched(90 + place, 140, 100))
    with open_source(tmp_path) as source:
        updated = update_anomaly(recipe, source, anyway=True)
    assert updated.recipe.manifest.settings[KEY] == [1.0, 1.4]
    assert len(updated.before) == 3
    inspector = Inspector(updated.recipe)
    assert inspector.inspect(as_picture(stretched(95, 280, 200))).verdict
    with pytest.raises(ImageError, match=r"1\.00 to 1\.40"):
        inspector.inspect(as_picture(stretched(95, 100, 200)))


def test_an_update_of_an_older_recipe_begins_no_range(recipe, tmp_path):
    known = {name: value for name, value in recipe.manifest.settings.items() if name != KEY}
    older = recipe_with(recipe, manifest=replace(recipe.manifest, settings=known))
    with open_source(write_discs(tmp_path, good=2, first=90)) as source:
        assert KEY not in update_anomaly(older, source).recipe.manifest.settings


def test_a_segmenter_refuses_too(tmp_path):
    recipe = segment_recipe(tmp_path / "a.onnx")
    manifest = replace(recipe.manifest, settings={**recipe.manifest.settings, KEY: [1.25, 1.25]})
    inspector = Inspector(recipe_with(recipe, manifest=manifest))
    assert inspector.inspect(as_picture(stretched(70, 200, 160))).verdict
    with pytest.raises(ImageError, match=r"1\.25 to 1\.25"):
        inspector.inspect(as_picture(stretched(70, 160, 200)))


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=5), st.integers(1, 9))
def test_what_was_learnt_is_never_refused_at_any_scale(sizes, scale):
    kept = shape_settings("fit", sizes)
    recipe = SimpleNamespace(manifest=RecipeManifest(BACKBONE, settings=kept))
    for height, width in sizes:
        check_shape(recipe, (height * scale, width * scale))
    low, high = kept[KEY]
    with pytest.raises(ImageError):
        check_shape(recipe, (1000, int(1000 * high * 1.101) + 1))
    widened = shape_settings("fit", [(3, 2)], recipe.manifest)[KEY]
    assert widened[0] <= low <= high <= widened[1]
    assert not shape_settings(0.5, sizes)


@pytest.mark.parametrize("kept", [[1.0], [1.0, "wide"], 3, [None, None]])
def test_a_range_that_is_not_two_numbers_is_a_damaged_recipe(recipe, kept):
    manifest = replace(recipe.manifest, settings={**recipe.manifest.settings, KEY: kept})
    with pytest.raises(ModelError, match="two numbers"):
        check_shape(replace(recipe, manifest=manifest), (96, 96))
