"""Defects drawn into good pictures, to choose a set-up by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flawline.jobs.train.setup.drawn_bad import DefectDrawing
from helpers.discs import disc
from helpers.pictures import as_picture


def named(seed):
    return replace(as_picture(disc(seed)), sha256=f"{seed:064x}"[::-1])


def test_a_defect_is_the_same_each_time_and_another_for_another_picture_or_seed():
    drawing = DefectDrawing(lambda pixels: None)
    changes = set()
    for seed in range(6):
        picture = named(seed)
        found, again = drawing(picture), drawing(picture)
        assert np.array_equal(found.pixels, again.pixels)
        changed = (found.pixels != picture.pixels).any(axis=2)
        assert 0 < changed.mean() < 0.2
        changes.add(changed.tobytes())
    assert len(changes) == 6
    other = DefectDrawing(lambda pixels: None, seed=1)(named(0))
    assert not np.array_equal(other.pixels, drawing(named(0)).pixels)


def test_defects_lie_on_the_part():
    part = np.zeros((96, 96), bool)
    part[10:50, 10:50] = True
    drawing = DefectDrawing(lambda pixels: part)
    for seed in range(6):
        picture = named(seed)
        found = drawing(picture)
        assert not (found.pixels != picture.pixels)[~part].any()


def test_the_smallest_defect_that_counts_is_the_scale():
    areas = []
    for smallest in (2.0, 8.0):
        drawing = DefectDrawing(lambda pixels: None, smallest)
        pairs = [(named(seed), drawing(named(seed))) for seed in range(12)]
        areas.append(
            np.median([(a.pixels != b.pixels).any(axis=2).sum() for a, b in pairs if b is not None])
        )
    assert areas[1] > 3 * areas[0]


def test_no_room_gives_none():
    drawing = DefectDrawing(lambda pixels: np.zeros(pixels.shape[:2], bool))
    assert drawing(named(0)) is None
