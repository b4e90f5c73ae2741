"""A warning where accepted parts score unlike the good parts of calibration."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from flawline.data.source import opened
from flawline.inspector import Inspector
from flawline.station.accepted_scores import accepted_drift
from flawline.station.inspect_source import inspect_source
from flawline.station.inspection_tables import run_as_dict
from flawline.station.station import Station
from helpers.discs import disc, train, write, write_discs
from helpers.networks import write_network


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """An inspector and the folder that it learnt from."""
    root = tmp_path_factory.mktemp("training")
    network = write_network(root / "small.onnx")
    parts = write_discs(root / "parts", good=39)
    return Inspector(train(parts, network, held_out=None).recipe), parts


def inspect(location, inspector):
    with opened(location) as source, Station(inspector) as station:
        return inspect_source(source, station)


def hazy(folder, count, strength):
    """New good parts seen through a haze: less contrast, the more the higher its strength."""
    for index in range(200, 200 + count):
        pixels = disc(index).astype(np.float64)
        pixels = cv2.addWeighted(pixels, 1 - strength, np.full_like(pixels, 128), strength, 0)
        write(folder / f"{index}.png", pixels.astype(np.uint8))
    return folder


def test_parts_like_those_of_calibration_give_no_warning(learnt, tmp_path):
    run = inspect(hazy(tmp_path, 60, 0), learnt[0])
    found = accepted_drift(learnt[0], run.inspections)
    assert found is not None
    assert found.parts >= 50
    assert found.calibration >= 36
    assert not found.drifted
    assert run.notes == ()
    assert run_as_dict(run)["notes"] == []


def test_a_drawn_shift_of_the_light_gives_one(learnt, tmp_path):
    run = inspect(hazy(tmp_path, 60, 0.06), learnt[0])
    assert run.counts["accept"] >= 50
    assert len(run.notes) == 1
    found = accepted_drift(learnt[0], run.inspections)
    assert found is not None
    assert found.drifted
    assert (
        f"the {run.counts['accept']} accepted parts score higher than the {found.calibration} "
        in run.notes[0]
    )
    assert "`flawline update` learns them" in run.notes[0]
    assert run_as_dict(run)["notes"] == list(run.notes)


def test_pictures_that_were_learnt_from_are_left_out(learnt):
    inspector, parts = learnt
    run = inspect(parts, inspector)
    assert run.counts["accept"] >= 38
    assert accepted_drift(inspector, run.inspections) is None
    assert run.notes == ()


def test_pictures_of_one_part_count_once(learnt, tmp_path):
    hazy(tmp_path, 24, 0)
    lines = [f"{200 + place}.png,{place % 12}" for place in range(24)]
    (tmp_path / "parts.csv").write_text("\n".join(["image,group", *lines]))
    run = inspect(tmp_path / "parts.csv", learnt[0])
    found = accepted_drift(learnt[0], run.inspections)
    assert found is not None
    assert found.parts <= 12
