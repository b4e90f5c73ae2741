"""A kept ranking scores new pictures: the same alone or in a batch, and only with what it was fitted on."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from flawline.cli.main import run
from flawline.data.source import open_source
from flawline.errors import ModelError, SourceError
from flawline.features.compute import FeatureSettings
from flawline.jobs.rank.rank import rank, rank_with
from flawline.jobs.rank.saved_ranking import load_ranking, save_ranking
from helpers.networks import write_network
from helpers.pictures import parts


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
    assert scores(again) == scores(ranking)
    assert [p.sample.name for p in again.pictures] == [p.sample.name for p in ranking.pictures]


def test_new_pictures_score_the_same_alone_and_together(fitted, folder, tmp_path):
    saved = load_ranking(save_ranking(fitted[1], tmp_path / "m.flr"))
    together = scores(rank_with(folder / "more", saved))
    assert len(together) == 7
    for name, score in together.items():
        alone = rank_with(folder / "more" / name, saved)
        assert alone.pictures[0].score == score


def test_the_same_ranking_is_kept_as_the_same_bytes(fitted, tmp_path):
    one, two = tmp_path / "one.flr", tmp_path / "two.flr"
    save_ranking(fitted[1], one)
    save_ranking(load_ranking(one), two)
    assert one.read_bytes() == two.read_bytes()


def test_more_pictures_than_references_are_scored_one_by_one(folder, monkeypatch):
    from flawline.jobs.rank import rank_by_comparison as by_comparison

    monkeypatch.setattr(by_comparison, "reference_limit", lambda width: 8)
    settings = FeatureSettings(backbone=str(folder / "small.onnx"))
    ranking, saved = rank(folder / "parts", settings=settings)
    assert len(ranking.pictures) == 14
    assert saved.described["references"] == 8
    assert scores(rank_with(folder / "parts", saved)) == scores(ranking)


def test_another_backbone_is_refused(fitted, folder, tmp_path):
    other = write_network(tmp_path / "small.onnx", seed=7)
    saved = fitted[1]
    path = folder / "small.onnx"
    kept = path.read_bytes()
    try:
        # The hash is compared before anything reads the file as a network.
        for data in (other.read_bytes(), b"no network"):
            path.write_bytes(data)
            with pytest.raises(ModelError, match="was made with backbone_sha256"):
                rank_with(folder / "more", saved)
        path.write_bytes(kept)
        described = {k: v for k, v in saved.described.items() if k != "backbone_sha256"}
        with pytest.raises(ModelError, match="backbone_sha256 not stated"):
            rank_with(folder / "more", replace(saved, described=described))
    finally:
        path.write_bytes(kept)


def test_a_backbone_that_was_moved_can_be_named(fitted, folder, tmp_path, capsys):
    import shutil

    model = save_ranking(fitted[1], tmp_path / "m.flr")
    moved = shutil.copy(folder / "small.onnx", tmp_path / "elsewhere.onnx")
    kept = (folder / "small.onnx").rename(folder / "hidden.onnx")
    common = [
        "rank",
        str(folder / "more"),
        "--model",
        str(model),
        "-o",
        str(tmp_path / "out"),
        "-q",
    ]
    try:
        assert run(common) == 2
        assert run([*common, "--backbone", str(moved)]) == 0
    finally:
        kept.rename(folder / "small.onnx")
    capsys.readouterr()
    assert run([*common, "--method", "forest", "--seed", "3"]) == 2
    assert "--method, --seed cannot be given with --model" in capsys.readouterr().err


def test_rows_of_another_preparation_are_not_reused(folder, tmp_path):
    bare = write_network(tmp_path / "bare.onnx", preparation=None)
    unfinished = tmp_path / "rows"
    found = []
    for preparation in ("imagenet", "tensorflow"):
        settings = FeatureSettings(backbone=str(bare), preparation=preparation, size=32)
        for keep in (unfinished, None):
            ranking, _ = rank(folder / "parts", settings=settings, unfinished=keep)
            found.append(scores(ranking))
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert found[0] != found[2]


def test_pictures_of_one_part_only_cannot_be_ranked(folder, tmp_path):
    table = tmp_path / "samples.csv"
    names = sorted((folder / "parts" / "good").iterdir())[:4]
    table.write_text("image,group\n" + "".join(f"{name},one\n" for name in names))
    settings = FeatureSettings(backbone=str(folder / "small.onnx"))
    with (
        open_source(table, root=folder) as source,
        pytest.raises(SourceError, match="0 of 4 could be judged") as caught,
    ):
        rank(source, settings=settings)
    assert "of the same part" in caught.value.hint


def test_a_network_that_gives_no_numbers_is_told(folder, tmp_path, monkeypatch):
    from flawline.networks.openvino_runtime import OpenVINONetwork

    honest = OpenVINONetwork.__call__

    def broken(self, pixels):
        return {name: value * np.float32("nan") for name, value in honest(self, pixels).items()}

    monkeypatch.setattr(OpenVINONetwork, "__call__", broken)
    for method in ("auto", "forest"):
        settings = FeatureSettings(backbone=str(folder / "small.onnx"))
        with pytest.raises(SourceError) as caught:
            rank(folder / "parts", method=method, settings=settings)
        assert "not finite" in caught.value.hint


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


def test_a_defect_that_repeats_at_one_place_does_not_hide_itself(tmp_path, folder):
    import cv2

    repeated = tmp_path / "repeated"
    parts(repeated, good=40, bad=0)
    for index in range(4):
        path = repeated / "good" / f"part_{index}.png"
        pixels = cv2.imread(str(path))
        cv2.circle(pixels, (40, 26), 6, (255, 255, 255), -1)
        cv2.imwrite(str(path), pixels)
    settings = FeatureSettings(backbone=str(folder / "small.onnx"), precision="f32")
    ranking, saved = rank(repeated, settings=settings)
    first = {picture.sample.name for picture in ranking.pictures[:4]}
    assert first == {f"good/part_{index}.png" for index in range(4)}
    kept = load_ranking(save_ranking(saved, tmp_path / "m.flr"))
    assert scores(rank_with(repeated, kept)) == scores(ranking)


def test_identical_pictures_say_so(tmp_path, folder):
    import cv2

    same = tmp_path / "same"
    same.mkdir()
    pixels = np.full((40, 40, 3), 90, np.uint8)
    for index in range(4):
        cv2.imwrite(str(same / f"{index}.png"), pixels)
    settings = FeatureSettings(backbone=str(folder / "small.onnx"))
    with pytest.raises(SourceError, match="0 of 4 could be judged"):
        rank(same, settings=settings)


def test_metadata_never_takes_the_name_of_a_result(tmp_path, folder, capsys):
    table = tmp_path / "samples.csv"
    names = sorted((folder / "parts" / "good").iterdir())[:4]
    table.write_text("image,score,lot\n" + "".join(f"{name},7,a\n" for name in names))
    common = ["--backbone", str(folder / "small.onnx"), "-q", "-o", str(tmp_path / "out")]
    assert run(["rank", str(table), *common, "--root", str(folder)]) == 0
    header = (tmp_path / "out" / "ranking.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header == "rank,image,label,score,group,reasons,lot,source_score"


def test_what_cannot_be_listed_is_not_judged(tmp_path, folder, capsys):
    table = tmp_path / "samples.csv"
    names = sorted((folder / "parts" / "good").iterdir())[:4]
    table.write_text("image\n" + "".join(f"{name}\n" for name in names) + "missing.png\n")
    common = ["--backbone", str(folder / "small.onnx"), "-q", "-o", str(tmp_path / "out"), "--json"]
    assert run(["rank", str(table), *common, "--root", str(folder.parent)]) == 2
    document = json.loads(capsys.readouterr().out)
    assert "missing.png" in document["unjudged"][0]["reason"]
