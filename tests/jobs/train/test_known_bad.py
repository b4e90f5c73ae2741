"""Training that learns from known bad parts, and says what that brings."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

import flawline
from flawline.data.source import open_source
from flawline.detectors.known import DIRECTION
from flawline.errors import UsageError
from flawline.inspector import Inspector
from flawline.jobs.train.training_files import trained_as_dict
from flawline.jobs.train.training_pictures import write_training_report
from flawline.jobs.train.view import ViewSettings
from flawline.recipe import known_pictures, read_recipe, write_recipe
from helpers.discs import SIDE, disc, roles, train, write, write_discs
from helpers.networks import write_network

BAD = 12
SIZE = 16


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.onnx")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_tinted(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def trained(parts, network):
    return train(parts, network, held_out=None)


@pytest.fixture(scope="module")
def ignoring(parts, network):
    return train(parts, network, held_out=None, ignore_bad=True)


def tinted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A part with a faint tint somewhere, and its mask."""
    pixels, mask = disc(seed).astype(float), np.zeros((SIDE, SIDE), np.uint8)
    left, top = 20 + seed * 7 % 40, 20 + seed * 5 % 40
    at = slice(top, top + SIZE), slice(left, left + SIZE)
    pixels[at] += np.array([11.0, -11.0, 0.0])
    mask[at] = 255
    return np.clip(pixels, 0, 255).astype(np.uint8), mask


def write_tinted(folder: Path, bad: int = BAD, masks: bool = True) -> Path:
    """Write good parts and tinted ones, with a manifest that names the masks; returns the manifest."""
    write_discs(folder, good=24)
    rows = [(f"good/{index}.png", "good", "") for index in range(24)]
    for index in range(bad):
        pixels, mask = tinted(500 + index)
        write(folder / "bad" / f"{index}.png", pixels)
        write(folder / "masks" / f"{index}.png", mask)
        rows.append((f"bad/{index}.png", "bad", f"masks/{index}.png" if masks else ""))
    with (folder / "samples.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image", "label", "mask"), *rows])
    return folder / "samples.csv"


def learnt(trained) -> dict:
    return trained.recipe.manifest.settings["known_bad"]


def message(trained) -> str:
    (found,) = (line for line in trained.messages if "learn" in line and "known bad part" in line)
    return found


def test_fewer_are_missed_and_that_is_said(trained, ignoring):
    told = learnt(trained)
    assert told["learnt"]
    assert told["parts"] == BAD
    assert told["missed"] < told["missed_without"]
    assert message(trained) == (
        "learnt from 12 known bad parts, each judged without itself: at a limit that rejects 5 % of the good parts, "
        f"{told['missed']} are missed instead of {told['missed_without']}"
    )
    escapes = [
        one.recipe.manifest.metrics["defective"]["escape"]["count"] for one in (trained, ignoring)
    ]
    assert escapes[0] < escapes[1]


def test_documents_tell_what_bad_parts_taught(trained, ignoring, parts, tmp_path):
    assert trained_as_dict(trained, tmp_path / "part.flaw")["known_bad"] == learnt(trained)
    assert trained_as_dict(ignoring, tmp_path / "part.flaw")["known_bad"] is None
    with open_source(parts) as source:
        page = write_training_report(trained, source, tmp_path / "part.html").read_text("utf-8")
        other = write_training_report(ignoring, source, tmp_path / "other.html").read_text("utf-8")
    told = learnt(trained)
    row = f"<td>{told['parts']}</td><td>{told['missed_without']}</td><td>{told['missed']}</td>"
    assert row in page
    assert "What known bad parts taught" not in other


def test_what_is_said_of_bad_parts_is_of_detectors_that_did_not_learn_from_them(trained, parts):
    inspector = Inspector(trained.recipe)
    assert len(trained.bad) == BAD
    for name, score in list(trained.bad.items())[:3]:
        assert inspector.inspect(parts.parent / name).score != score
    taught = {name for name, role in roles(trained).items() if role == "train"}
    assert set(trained.good) == {name for name in taught if name.startswith("good/")}


def test_the_pictures_that_taught_are_kept_as_such(trained, ignoring, parts):
    taught, counted = roles(trained), roles(ignoring)
    bad = [name for name in taught if name.startswith("bad/")]
    assert len(bad) == BAD
    assert {taught[name] for name in bad} == {"train"}
    assert {counted[name] for name in bad} == {"calibration"}
    with pytest.raises(UsageError) as caught:
        flawline.evaluate(trained.recipe, parts.parent)
    assert "train" in str(caught.value)


def test_ignored_bad_parts_teach_nothing(ignoring, network, tmp_path):
    write_discs(tmp_path, good=24)
    alone = train(tmp_path, network, held_out=None)
    assert "known_bad" not in ignoring.recipe.manifest.settings
    detector = [name for name in ignoring.recipe.arrays if name.startswith("detector_")]
    assert detector
    for name in detector:
        assert ignoring.recipe.arrays[name].tobytes() == alone.recipe.arrays[name].tobytes()


def test_scores_only_rise(trained, ignoring, parts):
    knowing, plain = Inspector(trained.recipe), Inspector(ignoring.recipe)
    rises = 0
    for name in [*list(trained.bad)[:4], *list(trained.good)[:4]]:
        found, before = knowing.inspect(parts.parent / name), plain.inspect(parts.parent / name)
        assert (found.map >= before.map - 1e-3 * np.abs(before.map).max()).all()
        rises += found.score > before.score + 1e-3
    assert rises >= 4


def test_the_same_pictures_give_the_same_recipe(trained, parts, network):
    again = train(parts, network, held_out=None)
    for name, array in trained.recipe.arrays.items():
        assert array.tobytes() == again.recipe.arrays[name].tobytes(), name


def test_good_parts_held_out_calibrate_the_detector_that_knows(parts, network):
    found = train(parts, network, held_out=0.4)
    assert "known_bad" in found.recipe.manifest.settings
    inspector = Inspector(found.recipe)
    name, score = next(iter(found.good.items()))
    assert inspector.inspect(parts.parent / name).score == score


def test_a_single_bad_part_teaches_and_is_not_counted_as_found_by_that(network, tmp_path):
    parts = write_tinted(tmp_path, bad=1)
    found = train(parts, network, held_out=None)
    told = learnt(found)
    if told["missed"] == 0:
        pytest.fail("the part is found without learning from it: choose a fainter one")
    assert message(found) == (
        "learnt from 1 known bad part; whether that helps takes two or more to test"
    )
    plain = train(parts, network, held_out=None, ignore_bad=True)
    assert found.bad["bad/0.png"] == pytest.approx(plain.bad["bad/0.png"], rel=1e-3)
    assert f"detector_{DIRECTION}" in found.recipe.arrays


def test_a_mask_that_cannot_be_read_is_named(network, tmp_path):
    parts = write_tinted(tmp_path)
    (tmp_path / "masks" / "3.png").write_bytes(b"no picture")
    found = train(parts, network, held_out=None)
    assert any("masks/3.png" in line for line in found.messages)


def test_a_recipe_that_knows_learns_more_good_parts(trained, tmp_path):
    path = write_recipe(trained.recipe, tmp_path / "known.flaw")
    write_discs(tmp_path / "more", good=3, first=300)
    updated = flawline.update(read_recipe(path), tmp_path / "more").recipe
    name = f"detector_{DIRECTION}"
    assert updated.arrays[name].tobytes() == trained.recipe.arrays[name].tobytes()
    assert updated.manifest.settings["known_bad"] == learnt(trained)
    before, after = (
        list(known_pictures(one).values()).count("train") for one in (trained.recipe, updated)
    )
    assert after == before + 3


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """A part in a window of 1024 cells, where a score is the mean of several of them."""
    return cv2.resize(pixels, (256, 256), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("method", ["patch-gaussian", "patch-memory"])
def test_parts_are_scored_for_the_thresholds_as_they_are_inspected(network, tmp_path, method):
    for index in range(24):
        write(tmp_path / "good" / f"{index}.png", enlarged(disc(index)))
    for index in range(6):
        write(tmp_path / "bad" / f"{index}.png", enlarged(tinted(500 + index)[0]))
    view = ViewSettings(window=(256, 256))
    found = train(tmp_path, network, held_out=None, method=method, view=view)
    assert learnt(found)["missed"] is not None
    inspector = Inspector(found.recipe)
    verdicts = [inspector.inspect(enlarged(disc(900 + index))).verdict for index in range(16)]
    assert verdicts.count("accept") >= 13
