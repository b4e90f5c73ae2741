"""Windows out of pictures and one map out of the windows' maps."""

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.framing import Framing, choose_framing, map_size, scaled_size, window_count
from flawline.core.view.tiling import (
    WindowPlace,
    cell_pitch,
    cell_share,
    cut,
    resize,
    stitch,
    to_cells,
    to_picture,
    upsample,
)
from helpers.examples import examples

SIZES = st.tuples(st.integers(1, 200), st.integers(1, 200))
FRAMINGS = st.builds(
    lambda rows, columns, scale, overlap, cell: Framing(
        (16 * rows, 16 * columns), scale, min(overlap, 8 * max(rows, columns)), cell
    ),
    st.integers(2, 8),
    st.integers(2, 8),
    st.one_of(st.just("fit"), st.just(1.0), st.floats(0.2, 2)),
    st.integers(0, 64),
    st.sampled_from([4, 8, 16]),
)


def noise(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


@given(SIZES, FRAMINGS, st.randoms())
def test_a_map_of_global_positions_is_stitched_exactly_in_any_order(size, framing, random):
    rows, columns = (side // framing.cell for side in framing.window)

    def field(place):
        top, left = place.top // framing.cell, place.left // framing.cell
        r, c = np.mgrid[top : top + rows, left : left + columns].astype(np.float32)
        return np.sin(r * np.float32(0.37)) * 3 + np.cos(c * np.float32(0.21)) / 7

    maps = [(window.place, field(window.place)) for window in cut(noise(size), framing)]
    random.shuffle(maps)
    whole = stitch(maps, framing, size)
    height, width = map_size(size, framing)
    r, c = np.mgrid[:height, :width].astype(np.float32)
    expected = np.sin(r * np.float32(0.37)) * 3 + np.cos(c * np.float32(0.21)) / 7
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, expected)


def box_filtered(pixels, cell, radius):
    """A detector with a receptive field of `radius` cells around each cell."""
    cells = pixels.mean(2).reshape(pixels.shape[0] // cell, cell, pixels.shape[1] // cell, cell)
    side = 2 * radius + 1
    means = cells.mean((1, 3)).astype(np.float32)
    return cv2.blur(means, (side, side), borderType=cv2.BORDER_REFLECT_101)


# A map of 100 px at 0.43 would be margin alone.
@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((300, 410), 1.0),
        ((300, 410), 0.43),
        ((300, 410), 1.7),
        ((100, 700), 1.0),
        ((100, 700), 1.7),
    ],
)
def test_a_local_detector_gives_one_map_wherever_windows_begin(size, scale):
    pixels = noise(size, 3)
    maps = []
    # The margin that counts nothing is three eighths of an overlap of 64, which is three cells.
    for window in ((256, 256), (128, 192), (192, 128), (512, 1216)):
        framing = Framing(window, scale, 64)
        found = ((part.place, box_filtered(part.pixels, 8, 3)) for part in cut(pixels, framing))
        maps.append(stitch(found, framing, size))
    inner = np.s_[3:-4, 3:-4]
    for other in maps[1:]:
        assert other.shape == maps[0].shape
        np.testing.assert_allclose(other[inner], maps[0][inner], atol=1e-4)


@examples(30)
@given(SIZES, FRAMINGS)
def test_windows_show_the_scaled_picture_and_never_black(size, framing):
    pixels = np.maximum(noise(size), 1)
    windows = list(cut(pixels, framing))
    assert len(windows) == window_count(size, framing)
    whole = resize(pixels, scaled_size(size, framing))
    for window in windows:
        assert window.pixels.shape == (*framing.window, 3)
        assert window.pixels.min() >= 1
        place = window.place
        expected = whole[place.top :, place.left :][: framing.window[0], : framing.window[1]]
        shown = window.pixels[: expected.shape[0], : expected.shape[1]]
        if framing.scale == "fit" or framing.scale <= 1:
            np.testing.assert_array_equal(shown, expected)


def test_an_enlarged_window_is_the_enlarged_picture():
    steps = np.add.outer(np.arange(90), 2 * np.arange(70)) % 200
    smooth = cv2.GaussianBlur(steps.astype(np.uint8), (0, 0), 2)
    windows = list(cut(smooth, Framing((64, 96), 2.3, 16)))
    assert len(windows) > 4
    for window in windows:
        place = window.place
        whole = resize(smooth, scaled_size((90, 70), Framing((64, 96), 2.3, 16)))
        expected = whole[place.top : place.top + 64, place.left : place.left + 96]
        shown = window.pixels[: expected.shape[0], : expected.shape[1]].astype(int)
        assert np.abs(shown - expected).max() <= 2


@examples(30)
@given(SIZES, FRAMINGS)
def test_one_grey_stays_that_grey(size, framing):
    windows = list(cut(np.full(size, 77, np.uint8), framing))
    assert windows
    assert all((window.pixels == 77).all() for window in windows)


def test_windows_come_one_at_a_time():
    picture = np.zeros((4000, 5000, 3), np.uint8)
    framing = choose_framing([(4000, 5000)], min_defect_px=2, max_windows=9000)
    tracemalloc.start()
    windows = cut(picture, framing)
    for _ in range(50):
        next(windows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert framing.scale == 4
    assert peak < 20e6


def test_a_missing_window_and_a_map_of_another_size_are_refused():
    framing = Framing((64, 64), 1.0, 16)
    with pytest.raises(ValueError, match="missing"):
        stitch([(WindowPlace(0, 0), np.zeros((8, 8), np.float32))], framing, (100, 100))
    with pytest.raises(ValueError, match="expected a map of"):
        stitch([(WindowPlace(0, 0), np.zeros((4, 8), np.float32))], framing, (100, 100))


@examples(30)
@given(SIZES, FRAMINGS)
def test_cells_and_pixels_convert_back_and_the_map_covers_the_picture(size, framing):
    points = np.array([[0.0, 0.0], [3.5, 1.25], [size[1] - 1, size[0] - 1]])
    cells = to_cells(points, size, framing)
    np.testing.assert_allclose(to_picture(cells, size, framing), points, atol=1e-9)
    height, width = map_size(size, framing)
    pitch = cell_pitch(size, framing)
    assert height * pitch[0] >= size[0] * (1 - 1e-9)
    assert width * pitch[1] >= size[1] * (1 - 1e-9)
    corner = to_picture(np.array([-0.5, -0.5]), size, framing)
    np.testing.assert_allclose(corner, [-0.5, -0.5])


def test_upsampling_puts_a_peak_where_the_cell_lies():
    framing, size = Framing((64, 64), 0.5, 16), (301, 407)
    cells = np.zeros(map_size(size, framing), np.float32)
    cells[7, 20] = 1
    whole = upsample(cells, size, framing)
    assert whole.shape == size
    y, x = np.unravel_index(int(whole.argmax()), size)
    assert np.abs(np.array([x, y]) - to_picture(np.array([20, 7]), size, framing)).max() <= 1


@examples(30)
@given(SIZES, FRAMINGS, st.floats(-5, 5, width=16))
def test_upsampling_keeps_a_level_map_level(size, framing, level):
    whole = upsample(np.full(map_size(size, framing), level, np.float32), size, framing)
    assert whole.shape == size
    np.testing.assert_allclose(whole, level, rtol=1e-6, atol=1e-9)


@examples(30)
@given(SIZES, FRAMINGS)
def test_the_share_of_cells_under_nothing_and_everything(size, framing):
    for value in (False, True):
        share = cell_share(np.full(size, value), framing)
        assert share.shape == map_size(size, framing)
        assert (share == float(value)).all()


def test_the_share_of_a_cell_is_its_covered_area():
    mask = np.zeros((64, 64), np.bool_)
    mask[8:12, 16:24] = True
    share = cell_share(mask, Framing((64, 64), 1.0))
    assert share[1, 2] == pytest.approx(0.5, abs=0.01)
    assert share.sum() == pytest.approx(0.5, abs=0.01)
