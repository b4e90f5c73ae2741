"""A kept ranking scores new pictures: the same alone or in a batch, and only with what it was fitted on."""

import json
import zipfile

import numpy as np
import pytest

from flawline.cli.main import run
from flawline.errors import ModelError
from flawline.features.compute import FeatureSettings
from flawline.ranking import load_ranking, rank, rank_with, save_ranking
from networks import write_network
from pictures import parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("saved")
    parts(root / "parts")
    parts(root / "more", good=4, bad=3, side=72)
    write_network(root / "small.onnx")
    return root


@pytest.fixture(params=["auto", "forest"])
def fitted(request, folder):
    settings = FeatureSettings(backbone=str(folder / "small.onnx"))
    return rank(folder / "parts", method=request.param, settings=settings, forest_size=20)


def scores(ranking):
    return {picture.sample.name: picture.score for picture in ranking.pictures}


def test_a_kept_ranking_gives_its_own_pictures_their_scores_again(fitted, folder, tmp_path):
    ranking, saved = fitted
    again = rank_with(folder / "parts", load_ranking(save_ranking(saved, tmp_path / "m.flr")))
    assert scores(again) == pytest.approx(scores(ranking), abs=1e-5)
    assert [p.sample.name for p in again.pictures] == [p.sample.name for p in ranking.pictures]


def test_new_pictures_score_the_same_alone_and_together(fitted, folder, tmp_path):
    saved = load_ranking(save_ranking(fitted[1], tmp_path / "m.flr"))
    together = scores(rank_with(folder / "more", saved))
    for name, score in together.items():
        alone = rank_with(folder / "more" / name, saved)
        assert alone.pictures[0].score == pytest.approx(score, abs=1e-5)


def test_the_same_ranking_is_kept_as_the_same_bytes(fitted, tmp_path):
    one, two = tmp_path / "one.flr", tmp_path / "two.flr"
    save_ranking(fitted[1], one)
    save_ranking(load_ranking(one), two)
    assert one.read_bytes() == two.read_bytes()


def test_more_pictures_than_references_are_scored_one_by_one(folder, monkeypatch):
    from flawline.ranking import by_comparison

    monkeypatch.setattr(by_comparison.choose_references, "__defaults__", (8,))
    settings = FeatureSettings(backbone=str(folder / "small.onnx"))
    ranking, saved = rank(folder / "parts", settings=settings)
    assert len(ranking.pictures) == 14
    assert saved.described["references"] == 8
    assert scores(rank_with(folder / "parts", saved)) == pytest.approx(scores(ranking), abs=1e-5)


def test_another_backbone_is_refused(fitted, folder, tmp_path):
    other = write_network(tmp_path / "small.onnx", seed=7)
    saved = fitted[1]
    path = folder / "small.onnx"
    kept = path.read_bytes()
    try:
        path.write_bytes(other.read_bytes())
        with pytest.raises(ModelError, match="was fitted with backbone_sha256"):
            rank_with(folder / "more", saved)
    finally:
        path.write_bytes(kept)


def rewritten(path, change):
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def flip_array(contents):
    name = next(name for name in contents if name.endswith(".npy"))
    contents[name] = contents[name][:-1] + bytes([contents[name][-1] ^ 1])


def newer_schema(contents):
    manifest = json.loads(contents["manifest.json"])
    contents["manifest.json"] = json.dumps({**manifest, "schema": 99}).encode()


def other_kind(contents):
    manifest = json.loads(contents["manifest.json"])
    contents["manifest.json"] = json.dumps({**manifest, "kind": "cake recipe"}).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (flip_array, "hash"),
        (newer_schema, "schema 99"),
        (other_kind, "cake recipe"),
        (dict.clear, "manifest"),
    ],
)
def test_altered_and_foreign_models_are_refused(fitted, tmp_path, change, words):
    path = save_ranking(fitted[1], tmp_path / "m.flr")
    rewritten(path, change)
    with pytest.raises(ModelError, match=words):
        load_ranking(path)


def test_a_pickle_in_an_array_is_never_loaded(fitted, tmp_path):
    import hashlib
    import io

    path = save_ranking(fitted[1], tmp_path / "m.flr")
    buffer = io.BytesIO()
    np.save(buffer, np.array([object()], dtype=object), allow_pickle=True)

    def change(contents):
        name = next(name for name in contents if name.endswith(".npy"))
        contents[name] = buffer.getvalue()
        manifest = json.loads(contents["manifest.json"])
        manifest["sha256"][name] = hashlib.sha256(buffer.getvalue()).hexdigest()
        contents["manifest.json"] = json.dumps(manifest).encode()

    rewritten(path, change)
    with pytest.raises(ModelError, match="allow_pickle"):
        load_ranking(path)


def test_the_command_keeps_scores_and_copies(folder, tmp_path, capsys):
    common = ["--backbone", str(folder / "small.onnx"), "-q", "-o", str(tmp_path / "out")]
    model = str(tmp_path / "m.flr")
    source = str(folder / "parts")
    assert run(["rank", source, *common, "--save-model", model, "--keep", "2", "--drop", "3"]) == 0
    with zipfile.ZipFile(tmp_path / "out" / "top.zip") as top:
        assert len(top.namelist()) == 2
        name = top.namelist()[0]
        assert top.read(name) == (folder / "parts" / name).read_bytes()
    with zipfile.ZipFile(tmp_path / "out" / "rest.zip") as rest:
        assert len(rest.namelist()) == 11
        assert name not in rest.namelist()
    assert run(["rank", str(folder / "more"), *common, "--model", model, "--json"]) == 0
    capsys.readouterr()
    assert run(["rank", str(tmp_path / "out" / "rest.zip"), *common]) == 0
    assert run(["rank", source, *common, "--model", str(tmp_path / "none.flr")]) == 2
