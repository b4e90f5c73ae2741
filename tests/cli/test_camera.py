"""`flawline camera` at a terminal, on a video file."""

from __future__ import annotations

import json

import cv2
import pytest

from flawline.cli.main import run
from flawline.recipe import write_recipe
from flawline.records import open_store
from helpers.discs import disc, spoilt, train, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    trained = train(write_discs(root / "parts", good=20), network)
    return write_recipe(trained.recipe, root / "disc.flaw")


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "line.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 96))
    for pixels in (disc(101), spoilt(7), spoilt(8)):
        writer.write(pixels[..., ::-1])
    writer.release()
    return path


def test_each_picture_is_judged_and_recorded_once(recipe, video, tmp_path, capsys):
    arguments = ["camera", str(recipe), str(video), "-o", str(tmp_path / "c")]
    arguments += ["--store", str(tmp_path / "line.db"), "--set", "lot=L7"]
    assert run(arguments) == 1
    shown = capsys.readouterr().out
    assert "reject  line-000001.png" in shown
    assert shown.splitlines()[-1].startswith("3 pictures: ")
    assert run([*arguments, "--count", "2", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["reject"], told["unjudged"], told["dropped"]) == (1, 0, 0)
    with open_store(str(tmp_path / "line.db")) as store:
        names = [one.record.image for one in store.page(count=10).items]
    assert sorted(names) == [f"line-00000{n}.png" for n in range(3)]


def test_no_camera_and_bad_settings_are_named(recipe, tmp_path, capsys):
    there = ["camera", str(recipe), str(tmp_path / "none.avi"), "-o", str(tmp_path / "c")]
    assert run(there) == 2
    assert "expected a camera or a video file" in capsys.readouterr().err
    assert run([*there, "--every", "-1"]) == 2
    assert "--every" in capsys.readouterr().err
