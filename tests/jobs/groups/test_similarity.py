"""Alignment of textures: what must not matter does not, and what must, does."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.jobs.groups.near_search import (
    dihedral_variants,
    grid_descriptor,
    nearest,
    turn_free_descriptor,
    whitened,
)
from flawline.jobs.groups.similarity import align, chance_corrected, is_flat, texture
from helpers.examples import examples

SEEDS = st.integers(0, 2**32 - 1)
FEW = examples(15)


def surface(seed: int, height: int = 160, width: int = 160) -> np.ndarray:
    """Grey texture at several scales, uint8 (height, width)."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(
            rng.normal(size=(height // step, width // step)).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for step in (4, 9, 23)
    ]
    return np.clip(np.sum(layers, axis=0) * 25 + 120, 0, 255).astype(np.uint8)


@FEW
@given(SEEDS, st.floats(0.6, 1.0), st.floats(-10, 10))
def test_gain_and_offset_do_not_matter(seed, gain, offset):
    grey = surface(seed)
    lit = np.clip(grey * gain + offset, 0, 255).astype(np.uint8)
    assert align(texture(grey), texture(lit)).correlation > 0.97


@FEW
@given(SEEDS, st.floats(0, 360), st.booleans())
def test_turns_and_mirroring_are_undone(seed, degrees, mirrored):
    grey = surface(seed)
    side = np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey
    warp = cv2.getRotationMatrix2D((79.5, 79.5), degrees, 1)
    turned = cv2.warpAffine(side, warp, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    found = align(texture(grey), texture(turned))
    assert found.correlation > 0.9
    assert found.mirrored == mirrored


@FEW
@given(SEEDS, st.integers(-16, 16), st.integers(-16, 16))
def test_a_small_shift_is_undone(seed, across, down):
    large = surface(seed, 200, 200)
    one, other = large[20:180, 20:180], large[20 + down : 180 + down, 20 + across : 180 + across]
    found = align(texture(one), texture(np.ascontiguousarray(other)))
    assert found.correlation > 0.9
    assert min(found.turned, 360 - found.turned) < 2


@FEW
@given(SEEDS)
def test_other_surfaces_do_not_agree(seed):
    found = align(texture(surface(seed)), texture(surface(seed ^ 0xFFFFFFFF)))
    assert found.correlation < 0.5


def test_the_turn_is_told():
    grey = surface(5)
    turned = np.ascontiguousarray(np.rot90(grey))
    found = align(texture(grey), texture(turned))
    assert found.correlation > 0.97
    assert found.turned % 180 == pytest.approx(90, abs=1)


def test_another_crop_is_matched_at_its_own_scale():
    large = surface(8, 240, 180)
    crop = np.ascontiguousarray(large[10:220, 5:170])
    one, other = texture(large), texture(crop)
    ratio = (max(one.shape) / 240) / (max(other.shape) / 210)
    assert align(one, other, (1.0, ratio)).correlation > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (16, 16), (5, 400)])
def test_odd_shapes_give_finite_values(shape):
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    contrast = texture(grey)
    assert np.isfinite(contrast).all()
    assert np.isfinite(align(contrast, texture(surface(1))).correlation)
    assert np.isfinite(turn_free_descriptor(contrast)).all()
    assert np.isfinite(grid_descriptor(contrast)).all()


def test_an_even_picture_is_flat():
    contrast = texture(np.full((80, 120), 90, np.uint8))
    assert is_flat(contrast)
    assert not is_flat(texture(surface(0)))
    assert align(contrast, contrast).correlation == 0
    assert np.isfinite(turn_free_descriptor(contrast)).all()


@given(st.floats(-1, 1), st.floats(0, 0.9))
def test_chance_correction_runs_from_likeness_to_identity(correlation, likeness):
    value = chance_corrected(correlation, likeness)
    assert 0 <= value <= 1
    assert (value > 0) == (correlation > likeness) or value < 1e-12
    assert chance_corrected(1.0, likeness) == 1


def test_descriptor_hardly_sees_a_quarter_turn():
    kept, turned, other = (
        turn_free_descriptor(texture(np.ascontiguousarray(grey)))
        for grey in (surface(3), np.rot90(surface(3))[:, ::-1], surface(4))
    )
    assert kept @ turned > 0.999
    assert kept @ turned > kept @ other


def test_dihedral_variants_hold_every_quarter_turn_and_mirror_image():
    grey = surface(6)
    grid = grid_descriptor(texture(grey))[None]
    variants = np.concatenate(dihedral_variants(grid))
    for mirrored in (grey, grey[:, ::-1]):
        for quarter in range(4):
            turned = np.ascontiguousarray(np.rot90(mirrored, quarter))
            assert (variants @ grid_descriptor(texture(turned))).max() > 0.97


@FEW
@given(SEEDS, st.integers(8, 60), st.integers(1, 5))
def test_nearest_is_what_a_full_sort_finds(seed, count, wanted):
    values = np.random.default_rng(seed).normal(size=(count, 12)).astype(np.float32)
    found = nearest([values], values, wanted)
    assert len(found) == count
    for place, row in enumerate(found):
        near = values @ values[place]
        near[place] = -np.inf
        assert near[row].tolist() == sorted(near, reverse=True)[:wanted]
        assert place not in row


def test_whitening_keeps_rows_at_length_one():
    values = np.random.default_rng(1).normal(size=(40, 30)).astype(np.float32)
    assert np.allclose(np.linalg.norm(whitened(values), axis=1), 1, atol=1e-5)
    assert whitened(values[:3]).shape == (3, 30)
    assert np.isfinite(whitened(np.ones((40, 30), np.float32))).all()
