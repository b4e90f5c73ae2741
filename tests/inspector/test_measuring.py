"""Regions of a detector: the connected places of its map above a threshold, measured as those of a class mask."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from flawline.core.measure.regions import Regions, find_regions
from flawline.core.regions import ANOMALY, mask_of_map
from flawline.core.scale import Scale
from flawline.inspector.measuring import Numbers, measured_part
from flawline.inspector.model import Found
from flawline.types import Region
from helpers import map_regions
from helpers.examples import examples

MODEL = SimpleNamespace(classes=("background", ANOMALY), merge=None, highest_first=True)
MAPS = arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    elements=st.floats(-4, 4, width=32),
)
SIZES = st.tuples(st.integers(8, 60), st.integers(8, 60))


def regions_of_map(
    scores: np.ndarray, threshold: float, size: tuple[int, int]
) -> tuple[Region, ...]:
    mask, fine = mask_of_map(scores, threshold, size)
    found = Found(mask, (fine,), scores, 0.0, 0.0, "", {})
    return measured_part(found, np.zeros((*size, 3), np.uint8), MODEL).regions


def test_nothing_above_the_threshold() -> None:
    assert regions_of_map(np.full((4, 4), 2, np.float32), 2, (40, 40)) == ()


def test_a_map_of_the_size_of_the_picture_keeps_its_pixels() -> None:
    scores = np.zeros((30, 40), np.float32)
    scores[5:10, 7:20] = 1
    scores[20, 30] = 3
    point, block = regions_of_map(scores, 0.5, (30, 40))
    assert point.peak == 3
    assert point.box == (30, 20, 1, 1)
    assert point.contour.tolist() == [[30.5, 20.5]]
    assert block.box == (7, 5, 13, 5)
    assert block.area == 65
    assert block.contour.min(axis=0).tolist() == [7.5, 5.5]
    assert block.contour.max(axis=0).tolist() == [19.5, 9.5]


def test_corners_touch_and_a_region_inside_a_ring_counts() -> None:
    scores = np.zeros((30, 30), np.float32)
    scores[2:28, 2:28] = 1
    scores[5:25, 5:25] = 0
    scores[10, 10] = scores[11, 11] = 2
    regions = regions_of_map(scores, 0.5, (30, 30))
    assert [region.area for region in regions] == [2, 26 * 26 - 20 * 20]
    assert all(len(region.contour) for region in regions)


def test_a_disc_on_a_coarse_map_lies_where_it_was_drawn() -> None:
    y, x = np.mgrid[:64, :64] + 0.5
    scores = (40 - np.hypot(4 * x - 100, 4 * y - 150)).astype(np.float32)
    (region,) = regions_of_map(scores, 0, (256, 256))
    assert region.area == pytest.approx(np.pi * 40**2, rel=0.01)
    assert region.box == pytest.approx((60, 110, 80, 80), abs=1)
    assert np.hypot(*(region.contour - (100, 150)).T) == pytest.approx(40, abs=1)


def test_a_large_picture_is_searched_smaller_and_scaled_back() -> None:
    scores = np.zeros((20, 30), np.float32)
    scores[10, 20] = 1
    (region,) = regions_of_map(scores, 0.5, (2000, 3000))
    left, top, width, height = region.box
    assert left + width / 2 == pytest.approx(2050, abs=3)
    assert top + height / 2 == pytest.approx(1050, abs=3)
    moments = cv2.moments(region.contour)
    assert moments["m10"] / moments["m00"] == pytest.approx(2050, abs=3)


@given(MAPS, SIZES, st.floats(-3, 3))
def test_the_highest_peak_is_the_highest_score(
    scores: np.ndarray, size: tuple[int, int], threshold: float
) -> None:
    regions = regions_of_map(scores, threshold, size)
    assert bool(regions) == bool(scores.max() > threshold)
    peaks = [region.peak for region in regions]
    assert peaks == sorted(peaks, reverse=True)
    if regions:
        assert peaks[0] == scores.max()
    for region in regions:
        left, top, width, height = region.box
        assert left >= 0 <= top
        assert left + width <= size[1]
        assert top + height <= size[0]
        assert 0 < region.area <= width * height
        assert (region.contour >= (left, top)).all()
        assert (region.contour <= (left + width, top + height)).all()


@examples(100)
@given(MAPS, SIZES, st.floats(-3, 3))
def test_regions_are_those_that_version_0_1_found(
    scores: np.ndarray, size: tuple[int, int], threshold: float
) -> None:
    before = map_regions.regions_of_map(scores, threshold, size)
    regions = regions_of_map(scores, threshold, size)
    assert [one.box for one in regions] == [one.box for one in before]
    assert [one.area for one in regions] == [one.area for one in before]
    assert [one.peak for one in regions] == [one.peak for one in before]


@examples(20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(1500, 900), (2300, 2100)]))
def test_regions_of_large_pictures_differ_by_less_than_a_repeated_pixel(
    seed: int, size: tuple[int, int]
) -> None:
    scores = np.random.default_rng(seed).random((6, 8)).astype(np.float32) ** 4
    before = map_regions.regions_of_map(scores, 0.5, size)
    regions = regions_of_map(scores, 0.5, size)
    assert [one.peak for one in regions] == [one.peak for one in before]
    for one, other in zip(regions, before, strict=True):
        assert one.box == pytest.approx(other.box, abs=2)
        assert one.area == pytest.approx(other.area, abs=sum(other.box[2:]))


def test_what_lies_in_the_hole_of_a_ring_is_not_in_the_mask() -> None:
    scores = np.zeros((32, 32), np.float32)
    cv2.circle(scores, (16, 16), 10, 1.0, 2)
    mask, _ = mask_of_map(scores, 0.5, (256, 256))
    assert not mask[128, 128]
    assert mask[128, 128 + 80]


@pytest.mark.parametrize(
    ("scores", "threshold", "size"),
    [
        (np.zeros((0, 4), np.float32), 0, (4, 4)),
        (np.zeros(4, np.float32), 0, (4, 4)),
        (np.full((4, 4), np.nan, np.float32), 0, (4, 4)),
        (np.zeros((4, 4), np.float32), float("nan"), (4, 4)),
        (np.zeros((4, 4), np.float32), 0, (0, 4)),
    ],
)
def test_bad_input(scores: np.ndarray, threshold: float, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        mask_of_map(scores, threshold, size)


def test_a_picture_without_defects_is_measured_as_by_the_way_of_all_others() -> None:
    size = (40, 60)
    found = Found(np.zeros(size, np.uint8), (), np.zeros((5, 8), np.float32), 0.0, 0.0, "", {})
    pixels = np.full((*size, 3), 90, np.uint8)
    short = measured_part(found, pixels, MODEL)
    regions = find_regions(
        [found.class_mask],
        merge=-1,
        cluster=0,
        smallest=1,
        pictures=None,
        probabilities=None,
    )
    whole = Numbers(regions, {"contrast": np.empty(0)}, np.empty(0, np.int64), MODEL.classes, None)
    assert short.regions == ()
    assert short.size == size
    assert short.numbers.part == whole.part
    assert short.numbers.names == whole.names == tuple(whole.columns)
    assert {n: (v.dtype, v.shape) for n, v in short.numbers.columns.items()} == {
        n: (v.dtype, v.shape) for n, v in whole.columns.items()
    }
    assert measured_part(found, pixels, MODEL).numbers.part is short.numbers.part


def test_a_part_that_is_judged_by_areas_waits_for_no_skeleton(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class_mask = np.zeros((30, 40), np.uint8)
    class_mask[5:10, 7:20] = 1
    found = Found(
        class_mask, (class_mask.astype(np.float32),), np.zeros((8, 10), np.float32), 1, 1, "", {}
    )
    scale = Scale(0.1, 0.001)
    whole = measured_part(found, np.zeros((30, 40, 3), np.uint8), MODEL, scale).as_part(
        "a.png", None
    )
    expected = {name: values.tolist() for name, values in whole.columns.items()}

    def refuse(self: Regions) -> None:
        raise AssertionError("skeletons are measured")

    monkeypatch.setattr(Regions, "skeletons", property(refuse))
    part = measured_part(found, np.zeros((30, 40, 3), np.uint8), MODEL, scale).as_part(
        "a.png", None
    )
    assert part.columns["area"].tolist() == [65]
    assert part.columns["area_mm2"].tolist() == pytest.approx([0.65])
    for name in ("part_x", "perimeter_mm", "area_mm2_u"):
        assert part.columns[name].tolist() == expected[name]
    assert list(part.columns) == list(expected)
    assert "skeleton_length_mm" in part.columns
    assert "depth" not in part.columns
    with pytest.raises(AssertionError, match="skeletons"):
        part.columns["skeleton_length"]


def test_numbers_are_measured_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.zeros((30, 40), np.float32)
    scores[5:10, 7:20] = 1
    asked = []
    traced = Regions.skeletons.func
    monkeypatch.setattr(
        Regions, "skeletons", property(lambda self: asked.append(1) or traced(self))
    )
    (region,) = regions_of_map(scores, 0.5, (30, 40))
    assert (region.area, region.peak, asked) == (65, 1, [])
    assert region.measures["rectangle_length"] == 13
    assert asked
    again = pickle.loads(pickle.dumps(region.measures))
    assert type(again) is dict
    assert again == region.measures
    assert repr(again) == repr(region.measures)
