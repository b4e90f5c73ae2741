"""Patches: where they lie, what they show, and that nothing but seed, epoch and number decides it. Needs no PyTorch."""

import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.errors import ImageError, SourceError, UsageError
from flawline.jobs.train.segment.augment import pasted, relit
from flawline.jobs.train.segment.pairs import Pairs, find_defects
from flawline.jobs.train.segment.patches import Patches, batches
from flawline.jobs.train.segment.segment_settings import (
    NO_AUGMENTATION,
    Augmentation,
    NetworkSettings,
    SegmentSettings,
    settings_from_dict,
)
from flawline.jobs.train.segment.warp import (
    Warp,
    _sources,
    cut_patch,
    draw_warp,
    place_anywhere,
    place_around,
)
from helpers.examples import examples

STRAIGHT = Warp(np.eye(2), None)


def patches_of(source, **settings):
    pairs = Pairs(source, source.samples())
    return Patches(pairs, find_defects(pairs), SegmentSettings(**{"patch": (32, 48), **settings}))


def random_pair(height, width, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return pixels, rng.integers(0, 3, (height, width), dtype=np.uint8)


def reflected(array, top, left, size):
    """The same by numpy's own padding."""
    pads = [(300, 300), (300, 300)] + [(0, 0)] * (array.ndim - 2)
    padded = np.pad(array, pads, mode="reflect")
    return padded[300 + top : 300 + top + size[0], 300 + left : 300 + left + size[1]]


@examples(40)
@given(
    st.integers(2, 60),
    st.integers(2, 60),
    st.integers(-20, 60),
    st.integers(-20, 60),
    st.booleans(),
)
def test_a_cut_is_the_picture_reflected_at_its_edges(height, width, top, left, bent):
    size = (17, 20)
    # Without a turn, and no patch that only shows what lies beyond the picture.
    top, left = min(top, height - 1), min(left, width - 1)
    centre = np.array([left, top]) + (np.array(size[::-1]) - 1) / 2
    pair = random_pair(height, width)
    warp = Warp(np.eye(2), np.zeros((2, 6, 6), np.float32)) if bent else STRAIGHT
    pixels, mask = cut_patch(pair, centre, warp, size)
    np.testing.assert_array_equal(pixels, reflected(pair[0], top, left, size))
    np.testing.assert_array_equal(mask, reflected(pair[1], top, left, size))


def test_a_flip_mirrors_and_a_turn_turns():
    pair = random_pair(16, 16)
    centre = np.array([7.5, 7.5])
    pixels, mask = cut_patch(pair, centre, Warp(np.diag([-1.0, 1.0]), None), (16, 16))
    np.testing.assert_array_equal(pixels, pair[0][:, ::-1])
    np.testing.assert_array_equal(mask, pair[1][:, ::-1])
    quarter = Warp(np.array([[0.0, -1.0], [1.0, 0.0]]), None)
    _, turned = cut_patch(pair, centre, quarter, (16, 16))
    np.testing.assert_array_equal(turned, np.rot90(pair[1]))


@examples(60)
@given(st.integers(0, 10**6))
def test_a_warp_reads_no_more_than_it_touches_and_gives_the_same(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(30, 150, 2).tolist()
    pair, size = random_pair(height, width), (32, 48)
    warp = draw_warp(size, Augmentation(), rng)
    centre = rng.random(2) * (width, height)
    x, y = _sources(centre, warp, size)
    edge = cv2.BORDER_REFLECT_101
    pixels, mask = cut_patch(pair, centre, warp, size)
    wanted = cv2.remap(pair[0], x, y, cv2.INTER_LINEAR, borderMode=edge)
    # Places are rounded to 1/32 px, and not alike at another offset.
    assert np.mean(np.abs(pixels.astype(int) - wanted) > 24) < 0.01
    same = mask == cv2.remap(pair[1], x, y, cv2.INTER_NEAREST, borderMode=edge)
    assert same.mean() > 0.93


@examples(60)
@given(st.integers(0, 10**6))
def test_a_patch_around_a_pixel_shows_it_where_it_says(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(20, 90, 2).tolist())
    pixel = np.array([rng.integers(shape[1]), rng.integers(shape[0])], np.int32)
    pixels, mask = np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.uint8)
    cv2.circle(mask, pixel.tolist(), 2, (1,), -1)
    size = (32, 48)
    warp = draw_warp(size, Augmentation(elastic=0), rng)
    centre, at = place_around(pixel, shape, warp, size, rng)
    _, shown = cut_patch((pixels, mask), centre, warp, size)
    column, row = np.clip(np.rint(at).astype(int), 0, (47, 31))
    assert shown[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].any()


@examples(50)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 99))
def test_a_patch_anywhere_stays_inside_where_it_can(height, width, seed):
    rng = np.random.default_rng(seed)
    x, y = place_anywhere((height, width), (32, 48), rng)
    assert (23.5 <= x <= width - 24.5) if width > 48 else x == (width - 1) / 2
    assert (15.5 <= y <= height - 16.5) if height > 32 else y == (height - 1) / 2


def test_patches_around_defects_show_every_class_as_often(drawn_source):
    source = drawn_source(12)
    drawn = patches_of(source, around_defects=1.0, augmentation=NO_AUGMENTATION)
    assert drawn.defects.present == (1, 2)
    shown = [drawn(0, number)[1] for number in range(200)]
    assert all((mask > 0).any() for mask in shown)
    # A stain lies on half of the pictures of scratches, so scratches are seen oftener than drawn; stains not.
    assert np.mean([(mask == 2).any() for mask in shown]) > 0.4
    plain = patches_of(source, around_defects=0.0, augmentation=NO_AUGMENTATION)
    assert np.mean([(plain(0, number)[1] > 0).mean() for number in range(200)]) < 0.7 * np.mean(
        [(mask > 0).mean() for mask in shown]
    )


def test_a_patch_depends_on_seed_epoch_and_number_alone(drawn_source):
    one, other = (patches_of(drawn_source(12)) for _ in range(2))
    for number in reversed(range(5)):
        other(3, number)
    for number in range(5):
        for mine, same in zip(one(3, number), other(3, number), strict=True):
            np.testing.assert_array_equal(mine, same)
    changed = patches_of(drawn_source(12), seed=1)
    assert not np.array_equal(one(3, 0)[0], changed(3, 0)[0])
    assert not np.array_equal(one(3, 0)[0], one(4, 0)[0])
    assert not np.array_equal(one(3, 0)[0], one(3, 1)[0])


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_the_same_whatever_the_number_of_workers(drawn_source, workers):
    drawn = patches_of(drawn_source(12))
    alone = list(batches(drawn, 1, range(1, 5), 3))
    ahead = list(batches(drawn, 1, range(1, 5), 3, workers=workers))
    assert len(alone) == len(ahead) == 4
    for (pixels, mask), (others, masks) in zip(alone, ahead, strict=True):
        assert pixels.shape == (3, 32, 48, 3)
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(pixels, others)
        np.testing.assert_array_equal(mask, masks)
    np.testing.assert_array_equal(alone[0][0][1], drawn(1, 4)[0])


def test_an_abandoned_iteration_leaves_no_threads(drawn_source):
    before = threading.active_count()
    drawing = batches(patches_of(drawn_source(12)), 0, range(50), 2, workers=2)
    next(drawing)
    drawing.close()
    assert threading.active_count() == before


def test_whole_pictures_are_shrunk_where_asked(drawn_source):
    source = drawn_source(4)
    pairs = Pairs(source, source.samples(), fit=(32, 48))
    settings = SegmentSettings(patch=(32, 48), resolution="fit", augmentation=NO_AUGMENTATION)
    drawn = Patches(pairs, find_defects(pairs), settings)
    masks = [pairs[number][1] for number in range(4)]
    for number in range(6):
        assert any(np.array_equal(drawn(0, number)[1], mask) for mask in masks)


def test_a_pasted_defect_lies_on_good_area_at_its_level():
    flat = np.full((40, 40, 3), 100, np.uint8)
    clean = np.zeros((40, 40), np.uint8)
    donor, mask = flat + 50, clean.copy()
    mask[18:23, 18:23] = 2
    donor[mask == 2] = 220
    pixels, marked = pasted((flat, clean), (donor, mask), np.array([20.0, 20.0]))
    np.testing.assert_array_equal(marked, mask)
    assert (pixels[20, 20] == 170).all()  # 70 above its surroundings, as in the donor
    assert (pixels[:14] == 100).all()
    occupied = clean.copy()
    occupied[20, 24] = 1
    same = pasted((flat, occupied), (donor, mask), np.array([20.0, 20.0]))
    assert same[1] is occupied
    assert pasted((flat, clean), (donor, mask), np.array([2.0, 2.0]))[1] is clean
    edge = np.zeros_like(mask)
    edge[:5, :5] = 1
    assert pasted((flat, clean), (donor, edge), np.array([2.0, 2.0]))[1] is clean


def test_pasting_makes_defects_on_good_pictures_commoner(drawn_source):
    source = drawn_source(12)
    settings = {"patch": (64, 64), "around_defects": 0.0, "augmentation": Augmentation(paste=0)}
    without = patches_of(source, **settings)
    pasting = patches_of(source, **settings | {"augmentation": Augmentation(paste=1)})
    shares = [
        np.mean([(drawn(0, n)[1] == 2).any() for n in range(150)]) for drawn in (without, pasting)
    ]
    assert shares[1] > shares[0] + 0.1


def test_light_and_noise_change_levels_alike_in_all_channels():
    pixels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16)[..., None], 3, 2)
    rng = np.random.default_rng(0)
    lit = relit(pixels, replace(NO_AUGMENTATION, light=0.2), rng)
    assert (lit == lit[..., :1]).all()
    assert not np.array_equal(lit, pixels)
    assert (np.diff(lit[..., 0].ravel().astype(int)) >= 0).all()
    noisy = np.stack([relit(pixels, replace(NO_AUGMENTATION, noise=10), rng) for _ in range(20)])
    assert (noisy == noisy[..., :1]).all()
    assert 2 < np.abs(noisy.astype(int) - pixels).mean() < 10
    np.testing.assert_array_equal(relit(pixels, NO_AUGMENTATION, rng), pixels)


def test_unknown_pixels_stay_unknown_and_are_no_defects(drawn_source):
    class Doubtful(drawn_source):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            return picture, np.where(mask == 1, 255, mask).astype(np.uint8)

    drawn = patches_of(Doubtful(12))
    assert drawn.defects.present == (2,)
    found = set(np.unique([drawn(0, n)[1] for n in range(40)]).tolist())
    assert found == {0, 2, 255}


def test_pictures_are_read_once_where_they_fit(drawn_source):
    source = drawn_source(6)
    pairs = Pairs(source, source.samples())
    find_defects(pairs)
    pairs[3]
    assert source.reads == 6
    forgetful = Pairs(source, source.samples(), keep=0)
    forgetful[0], forgetful[0]
    assert source.reads == 8


@pytest.mark.parametrize("coloured", [(), (1, 4), range(12)])
@pytest.mark.parametrize("resolution", ["full", "fit"])
def test_grey_pictures_give_the_same_patches_from_one_channel(drawn_source, coloured, resolution):
    class Mixed(drawn_source):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            if int(sample.name.partition(".")[0]) in coloured:
                picture.pixels[..., 2] //= 2
            return picture, mask

    source = Mixed(12)
    varied = replace(SegmentSettings().augmentation, paste=0.9)
    settings = SegmentSettings(patch=(64, 64), resolution=resolution, augmentation=varied)
    found = []
    for lean in (False, True):
        fit = (64, 64) if resolution == "fit" else None
        pairs = Pairs(source, source.samples(), fit=fit, lean=lean)
        dimensions = {pairs[number][0].ndim for number in range(len(pairs))}
        assert (2 in dimensions) == (lean and len(coloured) < 12)
        patches = Patches(pairs, find_defects(pairs), settings)
        found.append([patches(0, number) for number in range(60)])
    for (pixels, mask), (same, its) in zip(*found, strict=True):
        assert pixels.shape == (64, 64, 3)
        np.testing.assert_array_equal(pixels, same)
        np.testing.assert_array_equal(mask, its)


def test_masks_that_do_not_fit_are_refused(drawn_source):
    class Wrong(drawn_source):
        def pair(self, sample):
            picture, mask = super().pair(sample)
            return picture, mask[1:] if sample.name == "0.png" else mask + 7

    pairs = Pairs(Wrong(2), Wrong(2).samples())
    with pytest.raises(SourceError, match=r"0.png is uint8 \(71, 80\), expected uint8 \(72, 80\)"):
        pairs[0]
    with pytest.raises(SourceError, match=r"1.png has the value 7"):
        pairs[1]


def test_a_picture_that_cannot_be_read_is_named(drawn_source):
    class Broken(drawn_source):
        def pair(self, sample):
            raise ImageError("it is cut short", hint="copy it again", code="image-damaged")

    source = Broken(2)
    with pytest.raises(
        SourceError, match=r"0.png cannot be learnt from: it is cut short"
    ) as caught:
        find_defects(Pairs(source, source.samples()))
    assert (caught.value.code, caught.value.hint) == ("image-damaged", "copy it again")


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "luck"},
        {"resolution": "half"},
        {"patch": (250, 256)},
        {"around_defects": 1.5},
        {"rate": 0},
        {"rate": float("nan")},
        {"epochs": None},
        {"batch": 8, "accumulate": 3},
        {"batch": 8, "accumulate": 8},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UsageError):
        SegmentSettings(**wrong)


def test_augmentation_that_makes_no_sense_is_refused():
    with pytest.raises(UsageError, match="paste is from 0 to 1"):
        Augmentation(paste=1.5)
    with pytest.raises(UsageError, match="noise"):
        Augmentation(noise=-1)


def test_settings_survive_json():
    settings = SegmentSettings(
        network=NetworkSettings("unet", "resnet50"), patch=(64, 96), minutes=3
    )
    assert settings_from_dict(settings.as_dict()) == settings
