"""Exports agree with the recipe, say how well, and are not written where they do not."""

import hashlib
import json
import os
import re
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

import cv2
import numpy as np
import pytest

from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.errors import ModelError, SourceError, UsageError
from flawline.inspector import Inspector
from flawline.inspector.parts import view_of
from flawline.jobs.export import export_recipe as run
from flawline.jobs.export import model_file, parity
from flawline.jobs.export.export_recipe import export_recipe
from flawline.jobs.export.exported import Parity, Tolerance
from flawline.jobs.export.model_file import open_model
from flawline.jobs.export.parity import scorer_of
from flawline.jobs.export.pictures import drawn_pictures
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.train_anomaly import train_anomaly
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import RegionSettings, recipe_with
from flawline.synthetic.castings import write_castings
from helpers.networks import write_network

FILES = {
    "onnx": ["HOW-TO-RUN.md", "export.json", "model.onnx"],
    "openvino": ["HOW-TO-RUN.md", "export.json", "model.bin", "model.xml"],
}


@pytest.fixture(scope="module", autouse=True)
def few_pictures():
    """Drawing and comparing 16 pictures is most of an export's time, and no test but one depends on the number."""
    few = list(drawn_pictures((128, 128)))[:4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "drawn_pictures", lambda size: iter(few))
        yield


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "parts"
    write_castings(folder, good=10, bad=2, size=128)
    return folder


@pytest.fixture(scope="module")
def trained(parts, tmp_path_factory):
    """Recipes on a small backbone and with windows of 64 px; "tiled", a memory, has several for a picture."""
    network = str(write_network(tmp_path_factory.mktemp("network") / "small.onnx"))

    def train(method, **settings):
        view = ViewSettings(window=(64, 64), **settings)
        settings = AnomalySettings(
            part="ring",
            method=method,
            backbone=network,
            view=view,
            held_out=0.4,
            set_aside=False,
        )
        with open_source(parts) as source:
            return train_anomaly(source, settings).recipe

    region = RegionSettings(polygons=(((8, 8), (120, 8), (120, 100)),))
    return {
        "patch-gaussian": train("patch-gaussian"),
        "fast": train("fast"),
        "tiled": train("patch-memory", min_defect="8 px", light="level", region=region),
    }


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """An export and its folder, by method and format; each is made once."""
    made = {}

    def export(method, name):
        if (method, name) not in made:
            folder = tmp_path_factory.mktemp("made") / "out"
            made[method, name] = export_recipe(trained[method], name, folder), folder
        return made[method, name]

    return export


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("method", ["patch-gaussian", "fast", "tiled"])
def test_an_export_agrees_with_its_recipe(method, name, trained, exported):
    recipe = trained[method]
    done, out = exported(method, name)
    assert sorted(path.name for path in out.iterdir()) == FILES[name]
    assert sorted(path.name for path in done.written) == FILES[name]
    document = json.loads((out / "export.json").read_text(encoding="utf-8"))
    assert document == done.document
    assert document["recipe"]["sha256"] == recipe.sha256
    for file, digest in document["files"].items():
        assert hashlib.sha256((out / file).read_bytes()).hexdigest() == digest
    side = 32 if method == "fast" else 64
    assert document["model"]["input"]["shape"] == [1, side, side, 3]
    assert document["model"]["output"]["shape"] == [1, 1, side // 8, side // 8]
    figures, checked = document["parity"], done.checked
    assert figures["compared"] == 4
    assert figures["largest_map_difference"] <= figures["tolerance"]
    assert figures["verdicts_that_differ"] == []
    assert checked.tolerance.holds(checked.parity)
    held = Inspector(recipe).calibration.scores
    assert figures["spread"] == pytest.approx(held.max() - np.median(held))


def test_a_tiled_recipe_has_several_windows(trained):
    recipe = trained["tiled"]
    (_, picture), *_ = drawn_pictures((128, 128))
    assert len(list(view_of(recipe).look(picture).windows())) > 1


@pytest.mark.parametrize("name", FILES)
def test_the_same_recipe_gives_the_same_bytes(name, trained, exported, tmp_path):
    first, _ = exported("fast", name)
    second = export_recipe(trained["fast"], name, tmp_path / "out")
    assert first.written
    for one, other in zip(first.written, second.written, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_an_export_takes_the_place_of_one_in_the_other_format(trained, exported, tmp_path):
    _, earlier = exported("fast", "openvino")
    shutil.copytree(earlier, tmp_path / "out")
    export_recipe(trained["fast"], "onnx", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES["onnx"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("method", ["patch-gaussian", "fast"])
def test_the_page_is_run_and_gives_the_score(
    method, name, trained, exported, parts, tmp_path, monkeypatch
):
    recipe = trained[method]
    out = shutil.copytree(exported(method, name)[1], tmp_path / "out")
    picture = read_image(sorted((parts / "good").iterdir())[3])
    bgr = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(out / "part.png"), bgr)
    text = (out / "HOW-TO-RUN.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(out)
    found = {}
    with redirect_stdout(StringIO()):
        exec(compile(code, "HOW-TO-RUN.md", "exec"), found)
    expected = Inspector(recipe, precision="f32").inspect(picture)
    assert found["score"] == pytest.approx(expected.score, rel=1e-4)
    assert found["verdict"] == expected.verdict


def test_the_page_of_a_tiled_recipe_says_what_is_not_in_the_model(exported, monkeypatch):
    done, out = exported("tiled", "onnx")
    text = (out / "HOW-TO-RUN.md").read_text(encoding="utf-8")
    assert "**Not in the model**: illumination evened out (level); cells outside the region" in text
    assert "Cut windows of 64 x 64" in text
    assert done.document["before"]["overlap"] > 0
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(out)
    found = {}
    exec(compile(code, "HOW-TO-RUN.md", "exec"), found)
    assert found["cells"].shape == (8, 8)


def test_pictures_to_compare_on_may_be_given(trained, parts, tmp_path):
    (parts / "good" / "broken.png").write_bytes(b"x")
    try:
        with open_source(parts) as source:
            done = export_recipe(trained["fast"], "openvino", tmp_path / "out", source=source)
    finally:
        os.unlink(parts / "good" / "broken.png")
    assert done.checked.parity.pictures == 12
    assert sum(done.checked.verdicts.values()) == 12
    assert [item.image for item in done.checked.unjudged] == ["good/broken.png"]
    assert done.document["parity"]["not_compared"][0]["code"].startswith("image-")


def shifted(by):
    """Opening the exported model gives one that is off by `by` in a single cell."""
    opened = model_file.open_model

    def open_other(path, recipe, precision="f32"):
        model = opened(path, recipe, precision)

        def other(window):
            scores = model.run(window).copy()
            scores[0, 0, 3, 4] += by
            return scores

        return replace(model, run=other)

    return open_other


@pytest.mark.parametrize("by", [0.5, float("nan")])
def test_a_model_that_differs_is_refused_and_leaves_no_file(by, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "open_model", shifted(by))
    with pytest.raises(ModelError, match="differs from the recipe: maps by up to") as caught:
        export_recipe(trained["patch-gaussian"], "onnx", tmp_path / "out")
    assert caught.value.code == "export-differs"
    assert list(tmp_path.iterdir()) == []


def test_a_difference_within_the_tolerance_is_measured(trained, exported, tmp_path, monkeypatch):
    exact = exported("patch-gaussian", "openvino")[0].checked
    by = 0.5 * exact.tolerance.value
    monkeypatch.setattr(run, "open_model", shifted(by))
    off = export_recipe(trained["patch-gaussian"], "openvino", tmp_path / "out").checked
    assert off.parity.map_largest - exact.parity.map_largest == pytest.approx(by, rel=0.1)


def test_a_file_that_does_not_run_is_refused(trained, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"\x08\x09")
    with pytest.raises(ModelError, match="does not run") as caught:
        open_model(tmp_path / "model.onnx", trained["fast"])
    assert caught.value.code == "export-differs"


def test_verdicts_may_differ_only_at_a_threshold():
    tolerance = Tolerance(1e-3, 10.0, "")
    assert tolerance.value == pytest.approx(0.01)
    assert tolerance.holds(Parity(3, 0.01, 0.001, 0.01, 1, ()))
    assert not tolerance.holds(Parity(3, 0.01, 0.001, 0.01, 0, ("a",)))
    assert not tolerance.holds(Parity(3, 0.011, 0.001, 0.01, 0, ()))
    assert not tolerance.holds(Parity(3, 0.01, 0.001, 0.011, 0, ()))


def test_a_raised_threshold_does_not_widen_the_tolerance(trained, exported, tmp_path):
    recipe = trained["patch-gaussian"]
    limit = recipe.settings.threshold
    before = exported("patch-gaussian", "openvino")[0].checked.tolerance
    settings = replace(recipe.settings, threshold=replace(limit, reject=limit.reject + 1e9))
    edited = recipe_with(recipe, settings=settings)
    after = export_recipe(edited, "openvino", tmp_path / "out").checked.tolerance
    assert after.value <= before.value + 1e-12


def test_without_held_out_parts_the_maps_give_the_spread(trained, tmp_path):
    recipe = trained["fast"]
    kept = {n: a for n, a in recipe.arrays.items() if not n.startswith("calibration")}
    done = export_recipe(recipe_with(recipe, arrays=kept), "openvino", tmp_path / "out")
    assert "standard deviation" in done.checked.tolerance.basis
    assert done.document["calibration_scores"] == []


def test_without_thresholds_there_is_nothing_to_compare(trained, tmp_path):
    recipe = trained["fast"]
    bare = recipe_with(recipe, settings=replace(recipe.settings, threshold=None))
    with pytest.raises(ModelError) as caught:
        export_recipe(bare, "onnx", tmp_path / "out")
    assert caught.value.code == "recipe-uncalibrated"


def test_other_files_are_left_alone(trained, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"not part of an export: mine\.txt"):
        export_recipe(trained["fast"], "onnx", tmp_path)
    with pytest.raises(UsageError, match="there is a file"):
        export_recipe(trained["fast"], "onnx", tmp_path / "mine.txt")
    with pytest.raises(UsageError, match="onnx, openvino, got 'torch'"):
        export_recipe(trained["fast"], "torch", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_no_picture_that_can_be_compared_is_an_error(trained, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "broken.png").write_bytes(b"x")
    with (
        open_source(tmp_path / "pictures") as source,
        pytest.raises(SourceError, match="none of 1 pictures could be compared"),
    ):
        export_recipe(trained["fast"], "openvino", tmp_path / "out", source=source)
    assert not (tmp_path / "out").exists()


def test_the_comparison_does_what_the_inspector_does(trained, parts):
    inspector = Inspector(trained["tiled"], precision="f32")
    scored = scorer_of(trained["tiled"], inspector.model.detector)
    picture = read_image(sorted((parts / "bad").iterdir())[0])
    found = inspector.find(picture)
    score, scores = scored(picture)
    assert score == found.score
    np.testing.assert_array_equal(scores, found.map)


def test_drawn_pictures_are_the_same_each_time_and_of_the_size_asked():
    first = dict(drawn_pictures((90, 210)))
    assert len(first) == 16
    assert all(picture.pixels.shape == (90, 210, 3) for picture in first.values())
    assert {p.sha256 for p in first.values()} == {p.sha256 for _, p in drawn_pictures((90, 210))}
    assert len({p.sha256 for p in first.values()}) == 16
