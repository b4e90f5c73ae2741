"""`flawline watch` at a terminal: the sentence, the exit code, and what it refuses."""

from __future__ import annotations

import json

import pytest

from flawline.cli.main import run
from flawline.recipe import write_recipe
from helpers.discs import disc, spoilt, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    trained = train(write_discs(root / "parts", good=20), network)
    return write_recipe(trained.recipe, root / "disc.flaw")


@pytest.fixture
def once(recipe, tmp_path):
    (tmp_path / "in").mkdir()
    fixed = ["--once", "--settle", "0", "--out", str(tmp_path / "w")]
    return lambda *more: run(["watch", str(recipe), str(tmp_path / "in"), *fixed, *more])


def test_it_says_what_was_judged_and_what_was_not(once, tmp_path, capsys):
    write(tmp_path / "in" / "good.png", disc(3))
    write(tmp_path / "in" / "spoilt.png", spoilt(7))
    (tmp_path / "in" / "broken.png").write_text("no picture")
    assert once() == 2
    shown = capsys.readouterr()
    assert "reject  spoilt.png" in shown.out
    assert "not judged  broken.png" in shown.out
    assert "good.png" not in shown.out
    assert shown.out.splitlines()[-1].startswith("3 pictures: ")
    assert "1 could not be judged" in shown.out
    assert "--store" in shown.err
    assert once() == 0
    assert "no new picture" in capsys.readouterr().out


def test_json_is_one_document(once, tmp_path, capsys):
    write(tmp_path / "in" / "spoilt.png", spoilt(7))
    assert once("--json", "--store", str(tmp_path / "r.db")) == 1
    found = json.loads(capsys.readouterr().out)
    assert found == {"accept": 0, "review": 0, "reject": 1, "unjudged": 0, "dropped": 0}


def test_a_missing_folder_or_recipe_is_named_first(recipe, tmp_path, capsys):
    assert run(["watch", str(recipe), str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith("error: expected a folder to watch")
    assert run(["watch", str(tmp_path / "none.flaw"), str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: no recipe at")
