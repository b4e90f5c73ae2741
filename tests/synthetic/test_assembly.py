"""Drawn assemblies: what is drawn, where the mistake is, and the files written."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest

import flawline
from flawline.cli.main import run
from flawline.errors import UsageError
from flawline.synthetic.assembly import DEFECTS, draw_assembly


def plate(seed, defect=None, size=160):
    return draw_assembly(np.random.default_rng(seed), size=size, defect=defect)


@pytest.mark.parametrize("defect", [None, *DEFECTS])
def test_same_seed_same_pixels_and_a_mask_of_the_mistake_alone(defect):
    first, second = plate(4, defect), plate(4, defect)
    assert np.array_equal(first.pixels, second.pixels)
    assert first.pixels.shape == (160, 160, 3)
    index = 0 if defect is None else 1 + DEFECTS.index(defect)
    assert set(np.unique(first.mask)) == {0, index}


@pytest.mark.parametrize("defect", DEFECTS)
@pytest.mark.parametrize("seed", range(4))
def test_pixels_change_where_the_mask_says_and_nowhere_else(defect, seed):
    wrong = plate(seed, defect)
    changed = np.abs(wrong.pixels.astype(int) - plate(seed).pixels).max(axis=2) > 25
    assert changed.sum() > 20
    near = cv2.dilate(wrong.mask, np.ones((7, 7), np.uint8)) > 0
    assert not (changed & ~near).any()


def test_right_plates_vary():
    assert np.abs(plate(0).pixels.astype(int) - plate(1).pixels).mean() > 3


@pytest.mark.parametrize(("size", "defect"), [(100, None), (3000, None), (160, "rust")])
def test_sizes_and_mistakes_that_are_not_drawn_are_refused(size, defect):
    with pytest.raises(UsageError, match="expected"):
        plate(0, defect, size)


def test_a_set_on_disk_is_a_source_with_masks(tmp_path, capsys):
    out = tmp_path / "set"
    assert run(["synth", "assembly", str(out), "--good", "3", "--bad", "6", "--size", "128"]) == 0
    assert "3 good, 6 bad" in capsys.readouterr().out
    with (out / "samples.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["defect"] for row in rows] == ["", "", "", *DEFECTS, DEFECTS[0]]
    assert all((out / row["image"]).is_file() for row in rows)
    assert all((out / row["mask"]).is_file() for row in rows if row["label"] == "bad")
    with flawline.open_source(out / "samples.csv") as source:
        assert source.summary().labels == {"bad": (6, True), "good": (3, False)}
    assert (out / "golden.png").is_file()


def test_a_picture_does_not_depend_on_how_many_there_are(tmp_path):
    flawline.synth_assembly(tmp_path / "one", good=1, bad=1, size=128)
    flawline.synth_assembly(tmp_path / "more", good=2, bad=3, size=128)
    for name in ("good/assembly_0000.png", "bad/assembly_0000.png", "golden.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "more" / name).read_bytes()


def test_a_folder_with_a_set_and_counts_out_of_range_are_refused(tmp_path):
    flawline.synth_assembly(tmp_path / "set", good=1, bad=0, size=128)
    with pytest.raises(UsageError, match="holds a set already"):
        flawline.synth_assembly(tmp_path / "set", good=1, bad=0, size=128)
    for good, bad, seed in ((0, 0, 0), (-1, 2, 0), (1, 1, -1)):
        with pytest.raises(UsageError, match="expected up to"):
            flawline.synth_assembly(tmp_path / "other", good=good, bad=bad, seed=seed, size=128)


def test_a_learnt_golden_sample_finds_every_mistake(tmp_path):
    """Eight good plates show that screws are turned anyhow; every kind of mistake is found, and no good plate."""
    flawline.synth_assembly(tmp_path / "good", good=8, bad=0, size=240, seed=5)
    flawline.synth_assembly(tmp_path / "lot", good=2, bad=5, size=240)
    found = flawline.compare_golden(
        tmp_path / "lot" / "samples.csv",
        tmp_path / "good" / "good",
        align="rigid",
        largest_angle=8,
        least=3,
    )
    rejected = [picture.sample.name for picture in found.pictures if picture.regions]
    assert rejected == [f"bad/assembly_{index:04d}.png" for index in range(5)]
