"""What masks of every kind say, and what of them a recipe found."""

import io

import numpy as np
import pytest
from PIL import Image

from flawline.errors import ImageError
from flawline.jobs.evaluate.masks import (
    GRID,
    class_names,
    found_regions,
    mask_of,
    mask_of_classes,
    on_grid,
)


def stored(array, mode=None, suffix="PNG", palette=None, **options):
    image = Image.fromarray(array) if mode is None else Image.fromarray(array).convert(mode)
    if palette:
        image = Image.fromarray(array, "L")
        image.putpalette(palette)
    data = io.BytesIO()
    image.save(data, suffix, **options)
    return mask_of(data.getvalue())


def classes():
    values = np.zeros((40, 60), np.uint8)
    values[5:15, 5:15] = 1
    values[20:24, 30:50] = 3
    return values


def test_grey_classes_keep_their_values_and_areas():
    mask = stored(classes())
    assert mask.areas.tolist() == [100, 80]
    assert mask.codes.tolist() == [1, 3]
    assert mask.regions[6, 6] == 1
    assert mask.regions[0, 0] == 0


def test_masks_of_16_bits_are_not_scaled_away():
    assert stored(classes().astype(np.uint16)).codes.tolist() == [1, 3]
    assert stored(classes().astype(np.uint16) * 20000).areas.tolist() == [100, 80]


def test_masks_of_one_bit_with_alpha_and_with_a_palette():
    assert stored((classes() > 0), "1").areas.tolist() == [100, 80]
    assert stored(classes() * 80, "LA").areas.tolist() == [100, 80]
    assert stored(np.repeat(classes()[..., None] * 80, 3, axis=2), "RGBA").areas.tolist() == [
        100,
        80,
    ]
    coloured = stored(classes(), palette=[0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 128, 0])
    assert coloured.areas.tolist() == [100, 80]
    assert coloured.codes.tolist() == [0x800000, 0x008000]


def test_traces_of_compression_are_no_defects():
    mask = stored((classes() > 0).astype(np.uint8) * 255, suffix="JPEG", quality=60)
    assert len(mask.areas) == 2
    assert mask.areas == pytest.approx([100, 80], rel=0.2)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("TIFF", {"compression": "jpeg", "quality": 60}),
        ("JPEG2000", {"irreversible": True, "quality_layers": [4]}),
        ("WEBP", {"quality": 60}),
    ],
)
def test_traces_of_any_compression_are_no_defects(suffix, options):
    mask = stored((classes() > 0).astype(np.uint8) * 255, suffix=suffix, **options)
    assert len(mask.areas) == 2
    assert mask.areas == pytest.approx([100, 80], rel=0.2)


def test_a_mask_drawn_on_transparent_is_the_alpha_channel():
    drawn = (classes() > 0).astype(np.uint8) * 255
    for ink in (0, 255):
        layers = [np.full_like(drawn, ink)] * 3
        assert stored(np.dstack([*layers, drawn])).areas.tolist() == [100, 80]
    with pytest.raises(ImageError, match="alpha channel"):
        stored(np.dstack([255 - drawn] * 3 + [drawn]))


def test_an_empty_mask_has_no_region():
    mask = stored(np.zeros((8, 8), np.uint8))
    assert not len(mask.areas)
    assert not len(mask.codes)


def test_diagonal_neighbours_are_one_region_named_by_its_commonest_value():
    values = np.zeros((8, 8), np.uint8)
    values[2, 2] = 5
    values[3, 3:6] = 7
    mask = stored(values)
    assert mask.areas.tolist() == [4]
    assert mask.codes.tolist() == [7]


def test_large_pictures_are_compared_at_reduced_size_and_keep_small_defects():
    values = np.zeros((3000, 2000), np.uint8)
    values[1501, 1001] = 1
    scores, defective = on_grid(np.zeros((30, 20), np.float32), stored(values), (3000, 2000))
    assert scores.shape == defective.shape == (1000, 667)
    assert max(scores.shape) <= GRID
    assert 1 <= defective.sum() <= 4


def test_names_of_classes():
    alone = class_names({"crack": {3}, "chip": {1}})
    assert alone == {("crack", 3): "crack", ("chip", 1): "chip"}
    shared = class_names({"bad": {1, 2}})
    assert shared == {("bad", 1): "class 1", ("bad", 2): "class 2"}
    binary = class_names({"crack": {255}, "chip": {255}})
    assert binary == {("crack", 255): "crack", ("chip", 255): "chip"}
    soft = class_names({"crack": set(range(1, 256))})
    assert set(soft.values()) == {"crack"}
    assert class_names({"bad": {0x800000, 1}})["bad", 0x800000] == "class #800000"
    assert class_names({}) == {}


def test_regions_of_a_class_mask_are_of_one_class_each_and_come_by_name():
    values = classes()
    values[15:18, 5:15] = 3  # beside a region of another class
    values[0, 0] = 255
    mask = mask_of_classes(values, ("background", "stain", "hole", "crack"))
    assert mask.labels == ("crack", "crack", "stain")
    assert mask.areas.tolist() == [30, 80, 100]
    assert mask.regions[0, 0] == 0
    reported = np.zeros(values.shape, bool)
    reported[22, 40] = reported[0, 0] = True
    assert found_regions(mask, reported).tolist() == [False, True, False]
    assert mask_of_classes(np.full((4, 4), 255, np.uint8), ("background", "a")).areas.tolist() == []


@pytest.mark.parametrize("side", [40, 3 * GRID])
def test_unknown_pixels_are_good_ones_that_nothing_scores(side):
    values = np.zeros((side, side), np.uint8)
    values[: side // 4], values[-side // 4 :] = 1, 255
    scores, defective = on_grid(
        np.linspace(0, 1, 1600, dtype=np.float32).reshape(40, 40),
        mask_of_classes(values, ("background", "a")),
        values.shape,
    )
    rows = len(scores)
    assert (scores[-rows // 4 :] == scores.min()).all()
    assert defective[: rows // 4].all()
    assert not defective[rows // 4 + 1 :].any()
    assert scores[rows // 2].max() > 0.4
