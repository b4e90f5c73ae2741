"""A recipe opened from disk: the same whether its network is compiled anew or kept, and never unchecked."""

import json
import subprocess
import sys

import cv2
import pytest

from flawline.errors import ModelError
from flawline.inspector import Inspector
from flawline.recipe import write_recipe
from helpers.discs import disc, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    return train(write_discs(root / "parts", good=30), network).recipe


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FLAWLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLAWLINE_KEEP_COMPILED", raising=False)
    return tmp_path / "cache" / "compiled"


def found(inspector: Inspector) -> list[tuple]:
    pictures = [cv2.imencode(".png", disc(seed))[1].tobytes() for seed in range(100, 104)]
    return [
        (one.score, one.verdict, one.reasons, one.map.tobytes())
        for one in map(inspector.inspect, pictures)
    ]


def kept(folder) -> dict[str, int]:
    """The files of network and graph by name, and which file each is."""
    found = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert len(found) == 2
    return found


@pytest.mark.parametrize("name", ["disc", "disc.flaw"])
def test_kept_or_compiled_anew_finds_the_same(recipe, folder, tmp_path, monkeypatch, name):
    place = write_recipe(recipe, tmp_path / name)
    monkeypatch.setenv("FLAWLINE_KEEP_COMPILED", "0")
    anew = found(Inspector.open(place))
    assert not folder.exists()
    monkeypatch.delenv("FLAWLINE_KEEP_COMPILED")
    assert found(Inspector.open(place)) == anew
    files = kept(folder)
    assert found(Inspector.open(place)) == found(Inspector(recipe)) == anew
    assert kept(folder) == files


@pytest.mark.parametrize("part", ["model.onnx", "arrays/*factors.npy", "arrays/*scatter.npy"])
def test_what_is_altered_is_refused_though_its_network_is_kept(recipe, folder, tmp_path, part):
    place = write_recipe(recipe, tmp_path / "disc")
    Inspector.open(place)
    assert kept(folder)
    (path,) = place.glob(part)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{path.name} was altered"):
        Inspector.open(place)


SIDE_BY_SIDE = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from flawline.inspector import Inspector

place, picture = map(Path, sys.argv[1:])
with ThreadPoolExecutor(4) as pool:
    found = pool.map(lambda _: Inspector.open(place).inspect(picture).score, range(8))
    print(json.dumps(list(found)))
"""


def test_recipes_can_be_opened_side_by_side_in_a_fresh_process(recipe, tmp_path):
    place = write_recipe(recipe, tmp_path / "disc.flaw")
    picture = write(tmp_path / "100.png", disc(100))
    done = subprocess.run(
        [sys.executable, "-c", SIDE_BY_SIDE, place, picture],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert set(json.loads(done.stdout)) == {Inspector(recipe).inspect(picture).score}
