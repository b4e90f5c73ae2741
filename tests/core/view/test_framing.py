"""At what resolution pictures are looked at."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flawline.core.view.framing import (
    VISIBLE_CELLS,
    Framing,
    choose_framing,
    map_size,
    scaled_size,
    window_count,
    window_starts,
)
from flawline.errors import UsageError

SIZES = st.tuples(st.integers(1, 3000), st.integers(1, 3000))


@given(
    st.lists(SIZES, min_size=1, max_size=4),
    st.floats(2, 400),
    st.sampled_from([(128, 128), (256, 256), (192, 320)]),
    st.sampled_from([4, 8, 16]),
)
def test_the_smallest_defect_spans_a_cell_and_windows_cover_every_picture(
    sizes, defect, window, cell
):
    framing = choose_framing(sizes, window, defect, cell=cell, max_windows=10**6)
    area = framing.window[0] * framing.window[1]
    assert area <= 2 * window[0] * window[1] * 1.3
    for size in sizes:
        scaled = scaled_size(size, framing)
        for length, side in zip(size, scaled, strict=True):
            # Rounding to a whole pixel may cost half of one.
            assert (side + 0.5) / length * defect >= VISIBLE_CELLS * cell * (1 - 1e-9)
        assert map_size(size, framing) == tuple(math.ceil(side / cell) for side in scaled)
        for starts, side, length in zip(
            window_starts(size, framing), framing.window, scaled, strict=True
        ):
            assert starts[0] == 0
            assert starts[-1] + side >= length
            assert all(start % 16 == 0 for start in starts)
            shared = min(framing.overlap, side // 2)
            assert all(b - a <= side - shared for a, b in pairwise(starts))


def test_without_a_smallest_defect_the_picture_is_fit():
    assert choose_framing([(300, 300)]) == Framing((256, 256))
    assert choose_framing([(300, 310), (301, 309)]) == Framing((256, 256))


def test_a_fit_window_takes_the_shape_of_the_pictures():
    assert choose_framing([(1000, 2000)]).window == (176, 368)
    assert choose_framing([(200, 5000)]).window == (48, 1360)
    assert choose_framing([(100, 200), (200, 100)]).window == (256, 256)


def test_one_window_while_the_defect_stays_visible_then_a_larger_one_then_tiles():
    assert choose_framing([(300, 300)], min_defect_px=10).window == (256, 256)
    larger = choose_framing([(300, 300)], min_defect_px=8)
    assert (larger.scale, larger.window) == ("fit", (304, 304))
    tiles = choose_framing([(300, 300)], min_defect_px=4)
    assert (tiles.scale, tiles.window, tiles.overlap) == (2.0, (256, 256), 64)
    assert window_count((300, 300), tiles) == 9


def test_line_scans_and_large_pictures():
    scan = choose_framing([(200, 5000)], min_defect_px=8)
    assert scan.window == (208, 320)
    assert window_count((200, 5000), scan) == 20
    large = choose_framing([(4000, 5000)], min_defect_px=20)
    assert large.scale == pytest.approx(0.4)
    assert window_count((4000, 5000), large) == 88


def test_a_defect_below_a_pixel_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match="1 pixel") as caught:
        choose_framing([(300, 300)], min_defect_px=0.5)
    assert "nearer" in caught.value.hint


@given(SIZES.filter(lambda size: max(size) > 500), st.integers(1, 20))
def test_too_many_windows_are_refused_and_the_defect_that_the_hint_names_will_do(size, most):
    try:
        choose_framing([size], min_defect_px=2, max_windows=most)
    except UsageError as error:
        defect, windows = re.findall(r"[\d.]+", error.hint)
        choose_framing([size], min_defect_px=float(defect), max_windows=most)
        framing = choose_framing([size], min_defect_px=2, max_windows=int(windows))
        assert window_count(size, framing) == int(windows) > most


@pytest.mark.parametrize(
    "arguments",
    [
        {"window": (250, 256)},
        {"window": (0, 16)},
        {"window": (64, 64), "overlap": 33},
        {"window": (64, 64), "overlap": -1},
        {"window": (64, 64), "scale": 0.0},
        {"window": (64, 64), "scale": math.inf},
        {"window": (64, 64), "cell": 3},
    ],
)
def test_framings_that_make_no_windows_are_refused(arguments):
    with pytest.raises(UsageError, match="expected"):
        Framing(**arguments)


@pytest.mark.parametrize("sizes", [[], [(0, 5)]])
def test_no_pictures_are_refused(sizes):
    with pytest.raises(UsageError, match="sizes of pictures"):
        choose_framing(sizes)


def test_settings_come_back():
    for framing in (Framing((256, 128)), Framing((64, 64), 0.37, 16, 4)):
        assert Framing.from_settings(framing.as_settings()) == framing
