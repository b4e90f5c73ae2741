"""The compiled library against NumPy: the same numbers for any mask."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flawline.compiled import MEASURE, kernel
from flawline.core.measure.columns import NAMES
from flawline.core.measure.measure import measure
from flawline.core.measure.native import shapes as native
from flawline.core.measure.shapes import MeasureRequest, shapes
from helpers.drawn_masks import random_masks

SIDES = st.integers(1, 70)
SEEDS = st.integers(0, 2**32 - 1)


def noise(rng, height, width, classes, density):
    values = rng.integers(1, classes + 1, (height, width))
    return np.where(rng.random((height, width)) < density, values, 0).astype(np.uint8)


def grains(rng, height, width, classes, density):
    """Blotches with holes and islands."""
    level = np.quantile(field := cv2.blur(rng.random((height, width)), (5, 5)), 1 - density)
    return np.where(field > level, rng.integers(1, classes + 1), 0).astype(np.uint8)


def drawn(rng, height, width, classes, density):
    """Lines of a pixel and more, rings in rings, filled discs; some reach over the border."""
    mask = np.zeros((height, width), np.uint8)
    for _ in range(1 + int(8 * density)):
        x, y, x2, y2 = (int(rng.integers(0, side)) for side in (width, height) * 2)
        value, thick = int(rng.integers(1, classes + 1)), int(rng.integers(1, 4))
        if rng.random() < 0.5:
            cv2.line(mask, (x, y), (x2, y2), value, thick)
        else:
            cv2.circle(mask, (x, y), int(rng.integers(1, 25)), value, int(rng.choice([-1, 1, 3])))
    return mask


def same(found, expected) -> None:
    assert found.picture.tolist() == expected.picture.tolist()
    assert found.value.tolist() == expected.value.tolist()
    assert list(found.columns) == list(expected.columns)
    for name, values in expected.columns.items():
        assert found[name].dtype == values.dtype, name
        if values.dtype == np.float64:
            np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=0, err_msg=name)
        else:
            assert found[name].tolist() == values.tolist(), name
    assert (found.contours is None) == (expected.contours is None)
    for mine, theirs in zip(found.contours or (), expected.contours or (), strict=True):
        assert [ring.tolist() for ring in mine] == [ring.tolist() for ring in theirs]
        assert all(ring.dtype == np.float32 for ring in mine)


@settings(max_examples=150, deadline=None)
@given(
    SEEDS,
    SIDES,
    SIDES,
    st.sampled_from([noise, grains, drawn]),
    st.sampled_from([1, 3, 255]),
    st.sampled_from([0.02, 0.2, 0.5, 0.8, 0.97]),
)
def test_any_mask(by_both, seed, height, width, draw, classes, density) -> None:
    rng = np.random.default_rng(seed)
    mask = draw(rng, height, width, classes, density)
    picture = rng.integers(0, 256, mask.shape, np.uint8)
    same(*by_both([mask], pictures=[picture], cluster=float(rng.choice([0, 1, 5]))))


@settings(max_examples=60, deadline=None)
@given(
    SEEDS,
    st.sampled_from([noise, grains, drawn]),
    st.sampled_from([0.0, 1.0, 2.5, 10.0, float("inf")]),
    st.integers(0, 30),
)
@example(0, noise, float("inf"), 1)
def test_merged_pieces_and_what_is_left_out(by_both, seed, draw, merge, smallest) -> None:
    rng = np.random.default_rng(seed)
    masks = [draw(rng, 40, 50, 2, 0.15) for _ in range(3)]
    same(*by_both(masks, merge=merge, cluster=merge, smallest=smallest))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 400), st.booleans(), st.sampled_from([0.05, 0.5, 0.95]))
def test_one_row_and_one_column(by_both, seed, length, upright, density) -> None:
    mask = noise(np.random.default_rng(seed), 1, length, 3, density)
    same(*by_both([mask.T if upright else mask]))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(["area", "contour_area", "circle_x", "max_width", "contours"]))
def test_columns_alone_and_with_others(by_both, seed, name) -> None:
    masks = [grains(np.random.default_rng(seed), 40, 40, 1, 0.5)]
    found, expected = by_both(masks, columns=[name])
    same(found, expected)
    if name != "contours":
        assert found[name].tolist() == by_both(masks)[0][name].tolist()


def test_masks_as_they_are_drawn_for_benchmarks(by_both) -> None:
    same(*by_both(random_masks(60, seed=8)))


def test_probabilities(by_both) -> None:
    rng = np.random.default_rng(1)
    masks = random_masks(3, side=60, seed=2)
    maps = [rng.random((3, 60, 60), np.float32), None, rng.random((60, 60), np.float32)]
    same(*by_both(masks, probabilities=maps))


def test_no_surroundings_without_a_defect(by_both) -> None:
    full = np.ones((20, 20), np.uint8)
    inner = np.full((30, 30), 2, np.uint8)
    inner[10:20, 10:20] = 1
    inner[0, 0] = 0
    grey = np.arange(900, dtype=np.uint16).astype(np.uint8).reshape(30, 30)
    found, expected = by_both([full, inner], pictures=[full, grey])
    same(found, expected)
    assert found["contrast"][0] == 0


def test_a_large_blob_and_long_lines(by_both) -> None:
    mask = np.zeros((700, 900), np.uint8)
    cv2.circle(mask, (400, 350), 300, 1, -1)
    cv2.circle(mask, (430, 300), 90, 0, -1)
    cv2.line(mask, (0, 0), (899, 699), 2, 1)
    cv2.line(mask, (899, 0), (0, 699), 3, 5)
    same(*by_both([mask]))


def test_thousands_of_regions(by_both) -> None:
    mask = np.zeros((400, 500), np.uint8)
    mask[::3, ::4] = 1
    mask[1::6, 2::8] = 2
    names = ["nearest_distance", "cluster", "circle_radius", "area"]
    same(*by_both([mask], columns=names, cluster=2))


def test_arrays_that_are_not_contiguous(by_both) -> None:
    wide = random_masks(1, side=200, seed=3)[0]
    for view in (wide[::2, ::3], wide.T, wide[::-1, ::-1], np.asfortranarray(wide)):
        found, expected = by_both([view])
        same(found, expected)
        same(found, by_both([view.copy()])[0])


def test_threads_and_batches_change_nothing(by_both) -> None:
    masks = random_masks(64, seed=4)
    one, _ = by_both(masks)
    two, _ = by_both(masks, workers=4)
    same(one, two)


def test_many_callers_at_once(by_both) -> None:
    masks = random_masks(12, seed=6)
    expected, _ = by_both(masks)
    found: list = []
    threads = [threading.Thread(target=lambda: found.append(measure(masks))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for each in found:
        same(each, expected)


def test_columns_stand_where_python_expects_them(by_both) -> None:
    """Each column of the library's table is told from all others."""
    mask = random_masks(1, seed=9)[0]
    found, expected = by_both([mask], merge=4, pictures=[cv2.blur(mask * 90, (9, 9))])
    assert set(found.columns) == set(NAMES) - {"probability", "subpixel_area"}
    same(found, expected)


def test_no_memory_is_an_error_and_not_a_crash() -> None:
    class Full:
        def flawline_measure(self, *_: object) -> int:
            return 1

        def flawline_free(self, _: object) -> None:
            pass

    with pytest.raises(MemoryError, match="not enough memory"):
        native.shapes(Full(), random_masks(1), MeasureRequest(frozenset(), -1, 0, 1, None))


def test_masks_that_are_too_large_for_the_library_go_to_numpy(monkeypatch) -> None:
    monkeypatch.setattr(native, "LARGEST", 99)
    assert native.fits([np.zeros((9, 11), np.uint8)])
    assert not native.fits([np.zeros((3, 3), np.uint8), np.zeros((10, 10), np.uint8)])
    monkeypatch.setattr(native, "shapes", lambda *_: pytest.fail("went to the library"))
    assert len(measure([np.ones((10, 10), np.uint8)])) == 1


def test_the_groups_of_columns_that_the_library_computes(by_both) -> None:
    """Nothing is computed that was not asked for."""
    if kernel(MEASURE).library is None:
        pytest.skip(kernel(MEASURE).state)
    masks = random_masks(2, side=80)
    want = MeasureRequest(frozenset({"moments"}), -1, 0, 1, None)
    found = native.shapes(kernel(MEASURE).library, masks, want)
    assert set(found.columns) == {"centroid_x", "centroid_y", "eccentricity"}
    assert found.rings is None
    assert found.labelled is None
    expected = shapes(masks, want)
    np.testing.assert_array_equal(found.picture, expected.picture)
