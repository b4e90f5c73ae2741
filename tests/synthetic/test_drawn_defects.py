"""Defects drawn into pictures: where the pixels change, by how much, and how large the change is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flawline.synthetic.drawn_defects import KINDS, draw_defect, is_grey, size_of_defect
from helpers.examples import examples

UNCOLOURED = sorted(name for name, kind in KINDS.items() if not kind.coloured)
SHAPES = sorted(KINDS.keys() - {"dent", "texture patch"})
contrasts = st.floats(0.05, 0.3) | st.floats(-0.3, -0.05)
seeds = st.integers(0, 2**32)


def plain(colour: tuple[int, int, int] = (120, 126, 134), side: int = 240) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


def textured(seed: int, side: int = 96) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(100, 150, (side, side, 1))
    return np.repeat(noise, 3, axis=2).astype(np.uint8)


def changed(old: NDArray[np.uint8], new: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Find the largest change of a channel at each pixel, in grey levels."""
    return np.abs(new.astype(np.int16) - old).max(axis=2)


@given(st.sampled_from(sorted(KINDS)), st.floats(3, 12), contrasts, seeds)
@examples(60)
def test_pixels_change_in_the_mask_and_in_its_soft_edge_only(
    kind: str, size: float, contrast: float, seed: int
) -> None:
    old = plain()
    before = old.copy()
    new, mask = draw_defect(old, None, kind, size, contrast, np.random.default_rng(seed))
    assert np.array_equal(old, before)
    assert new.dtype == np.uint8
    assert new.shape == old.shape
    assert mask.any()
    change = changed(old, new)
    assert change[mask].any()
    # A smear fades over a whole width, a dent over half of one.
    reach = 2 * int({"smear": 1.5 * 3 * size, "dent": size}.get(kind, 0.2 * size) + 2) + 1
    around = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8))
    assert not change[around == 0].any()
    if kind in SHAPES:
        assert change[mask].min() >= 255 * abs(contrast) / 2 - 1
        assert change[~mask].max() <= 255 * abs(contrast) / 2 + 1


@given(st.sampled_from(SHAPES), st.floats(3, 12), contrasts, seeds)
@examples(60)
def test_strongest_change_is_the_contrast(
    kind: str, size: float, contrast: float, seed: int
) -> None:
    old = plain()
    new, _ = draw_defect(old, None, kind, size, contrast, np.random.default_rng(seed))
    assert changed(old, new).max() == pytest.approx(255 * abs(contrast), abs=1)
    if KINDS[kind].signed:
        difference = new.astype(int) - old
        assert difference.min() >= 0 if contrast > 0 else difference.max() <= 0


def test_a_dent_is_dark_on_one_side_and_light_on_the_other() -> None:
    old = plain()
    new, _ = draw_defect(old, None, "dent", 15, 0.2, np.random.default_rng(0))
    difference = new[..., 0].astype(int) - old[..., 0]
    assert max(difference.max(), -difference.min()) == 51
    assert difference.min() == pytest.approx(-difference.max(), abs=2)
    assert difference.sum() == pytest.approx(0, abs=60)


@given(st.sampled_from(sorted(KINDS)), st.floats(4, 16), seeds)
@examples(60)
def test_the_mask_has_the_area_of_the_size(kind: str, size: float, seed: int) -> None:
    old = plain(side=400)
    _, mask = draw_defect(old, None, kind, size, 0.2, np.random.default_rng(seed))
    width, length = size_of_defect(kind, size)
    rounded = np.pi / 4 * width
    area = width * rounded + width * (length - width) if kind == "scratch" else length * rounded
    # Pixels of the outline count whole or not at all.
    assert mask.sum() == pytest.approx(area, rel=0.04, abs=1.3 * size)


@given(st.floats(1, 4), st.floats(12, 60), seeds)
@examples(40)
def test_a_scratch_is_as_long_and_as_wide_as_asked(width: float, length: float, seed: int) -> None:
    old = plain()
    new, mask = draw_defect(
        old, None, "scratch", (width, length), -0.3, np.random.default_rng(seed)
    )
    corners = cv2.minAreaRect(np.argwhere(mask)[:, ::-1].astype(np.float32))[1]
    # The rectangle reaches from middle to middle of the outermost pixels.
    assert max(corners) + 1 == pytest.approx(length, abs=2)
    assert changed(old, new).sum() / (0.3 * 255) == pytest.approx(width * length, rel=0.2)


def test_texture_has_the_contrast_as_its_deviation_and_keeps_the_mean() -> None:
    old = plain()
    new, mask = draw_defect(old, None, "texture patch", 60, 0.1, np.random.default_rng(1))
    core = cv2.erode(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    within = new[core][:, 0].astype(float) - old[core][:, 0]
    assert within.std() == pytest.approx(25.5, rel=0.06)
    assert within.mean() == pytest.approx(0, abs=2)


def test_a_missing_piece_has_no_texture() -> None:
    old = textured(0)
    new, mask = draw_defect(old, None, "missing piece", 24, 0.2, np.random.default_rng(2))
    core = cv2.erode(mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert old[core].std() > 10
    assert new[core].std() == 0
    assert float(new[core].mean()) == pytest.approx(old[mask].mean() + 51, abs=1)


def test_a_colour_keeps_the_lightness() -> None:
    old = plain()
    new, mask = draw_defect(old, None, "colour", 20, 0.2, np.random.default_rng(3))
    lightness = (new[mask].astype(float) - old[mask]) @ (0.299, 0.587, 0.114)
    assert np.abs(lightness).max() <= 0.5
    assert changed(old, new).max() == 51


@given(st.sampled_from(UNCOLOURED), st.floats(3, 9), contrasts, seeds)
@examples(40)
def test_grey_pictures_stay_grey(kind: str, size: float, contrast: float, seed: int) -> None:
    new, _ = draw_defect(textured(1), None, kind, size, contrast, np.random.default_rng(seed))
    assert (new == new[..., :1]).all()


@given(st.sampled_from(sorted(KINDS)), st.floats(3, 6), contrasts, seeds)
@examples(40)
def test_nothing_changes_beside_the_part(
    kind: str, size: float, contrast: float, seed: int
) -> None:
    old, inside = plain(side=120), np.zeros((120, 120), bool)
    inside[20:100, 40:100] = True
    new, mask = draw_defect(old, inside, kind, size, contrast, np.random.default_rng(seed))
    assert not changed(old, new)[~inside].any()
    assert mask.any()
    assert not (mask & ~inside).any()


def test_the_same_generator_gives_the_same_defect() -> None:
    drawn = [
        draw_defect(textured(2), None, kind, 8, 0.2, np.random.default_rng(5))
        for kind in UNCOLOURED
        for _ in range(2)
    ]
    assert len(drawn) == 12
    for (one, mask), (again, same) in zip(drawn[::2], drawn[1::2], strict=True):
        assert np.array_equal(one, again)
        assert np.array_equal(mask, same)


def test_places_are_spread_evenly_over_the_part() -> None:
    rng = np.random.default_rng(6)
    inside = np.zeros((90, 90), bool)
    inside[30:60, :] = True
    places = [
        np.argwhere(draw_defect(plain(side=90), inside, "spot", 2, 0.2, rng)[1]).mean(axis=0)
        for _ in range(300)
    ]
    rows, columns = np.array(places).T
    assert rows.min() >= 29
    assert rows.max() <= 61
    counts, _ = np.histogram(columns, bins=3, range=(0, 90))
    assert counts.min() > 70


def test_a_dark_spot_goes_where_there_is_light_to_lose() -> None:
    old = plain((0, 0, 0))
    old[:, 180:] = 200
    _, mask = draw_defect(old, None, "spot", 6, -0.4, np.random.default_rng(7))
    assert np.argwhere(mask)[:, 1].min() >= 178
    with pytest.raises(ValueError, match="no place of the part has room"):
        draw_defect(plain((0, 0, 0)), None, "spot", 6, -0.4, np.random.default_rng(7))


@pytest.mark.parametrize(
    ("kind", "size", "contrast", "words"),
    [
        ("hole", 3, 0.1, "expected one of spot, scratch"),
        ("spot", 0.5, 0.1, "a size of 1 px or more"),
        ("dent", 2, 0.1, "a size of 3 px or more for a dent"),
        ("spot", float("nan"), 0.1, "a size of 1 px"),
        ("spot", 3, 0, "a contrast of -1 to 1"),
        ("spot", 3, 1.5, "a contrast of -1 to 1"),
        ("spot", 3, float("nan"), "a contrast of -1 to 1"),
        ("spot", 400, 0.2, "no place of the part has room"),
        ("scratch", 60, 0.2, "60 x 600 px"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    kind: str, size: float, contrast: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        draw_defect(plain(), None, kind, size, contrast, np.random.default_rng(0))


def test_a_grey_picture_has_no_colour_to_change() -> None:
    with pytest.raises(ValueError, match="a grey picture has no colour"):
        draw_defect(textured(0), None, "colour", 6, 0.2, np.random.default_rng(0))
    assert is_grey(textured(0))
    assert not is_grey(plain((90, 120, 100)))


def test_an_empty_part_is_refused() -> None:
    nowhere = np.zeros((240, 240), bool)
    with pytest.raises(ValueError, match="no pixel of the picture lies on the part"):
        draw_defect(plain(), nowhere, "spot", 3, 0.2, np.random.default_rng(0))
