from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import label as sk_label
from skimage.measure import regionprops_table

from flawline.core.measure.columns import COLUMNS, NAMES
from flawline.core.measure.measure import measure
from helpers.drawn_masks import random_masks
from helpers.examples import examples

SMALL = arrays(
    np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 2)
)


def by_scikit_image(mask: np.ndarray) -> list[tuple[int, ...]]:
    """(class, top, left, bottom, right, area) of every region, by another library."""
    rows = []
    for value in np.unique(mask[mask > 0]):
        numbers = sk_label(mask == value, connectivity=2)
        table = regionprops_table(numbers, properties=("bbox", "area"))
        columns = [table[f"bbox-{k}"] for k in range(4)] + [table["area"]]
        rows += [(int(value), *map(int, row)) for row in zip(*columns, strict=True)]
    return sorted(rows)


def measured(mask: np.ndarray) -> list[tuple[int, ...]]:
    found = measure([mask], columns=["area", "left", "top", "width", "height"])
    c = found.columns
    bottom, right = c["top"] + c["height"], c["left"] + c["width"]
    rows = zip(found.value, c["top"], c["left"], bottom, right, c["area"], strict=True)
    return sorted(tuple(map(int, row)) for row in rows)


def check_against_opencv(mask: np.ndarray) -> None:
    """Contour area and circle of every region as findContours, contourArea and minEnclosingCircle give them."""
    columns = ("contour_area", "circle_x", "circle_y", "circle_radius")
    found = measure([mask], columns=columns)
    for value in np.unique(mask[mask > 0]):
        ours = found.value == value
        count, numbers = cv2.connectedComponents((mask == value).view(np.uint8))
        expected = []
        for k in range(1, count):
            contours, _ = cv2.findContours(
                (numbers == k).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
            )
            (x, y), radius = cv2.minEnclosingCircle(contours[0])
            expected.append((cv2.contourArea(contours[0]), x, y, radius))
        actual = np.stack([found[name][ours] for name in columns], axis=1)
        actual[:, 1:3] -= 0.5
        order = np.lexsort(np.round(actual, 1).T)
        wanted = np.array(expected)
        wanted = wanted[np.lexsort(np.round(wanted, 1).T)]
        np.testing.assert_allclose(actual[order], wanted, atol=2e-3)


def test_a_thousand_masks_have_the_regions_that_scikit_image_finds() -> None:
    masks = random_masks(1000)
    found = measure(masks, columns=["area", "left", "top", "width", "height"], workers=2)
    ours: list[list[tuple[int, ...]]] = [[] for _ in masks]
    c = found.columns
    for k in range(len(found)):
        box = (
            c["top"][k],
            c["left"][k],
            c["top"][k] + c["height"][k],
            c["left"][k] + c["width"][k],
        )
        ours[found.picture[k]].append(tuple(map(int, (found.value[k], *box, c["area"][k]))))
    assert [sorted(rows) for rows in ours] == [by_scikit_image(mask) for mask in masks]


def test_the_heat_sink_masks_have_the_regions_that_scikit_image_finds(real_data) -> None:
    paths = sorted((real_data / "heat_sink" / "masks").glob("*.png"))
    assert len(paths) == 7
    for path in paths:
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert measured(mask) == by_scikit_image(mask)
        check_against_opencv(mask)


@given(SMALL)
def test_any_mask_has_the_regions_that_scikit_image_finds(mask: np.ndarray) -> None:
    assert measured(mask) == by_scikit_image(mask)


@given(SMALL)
def test_contours_and_circles_are_those_of_opencv(mask: np.ndarray) -> None:
    check_against_opencv(mask)


def test_contours_and_circles_of_drawn_masks_are_those_of_opencv() -> None:
    for mask in random_masks(40, seed=3):
        check_against_opencv(mask)


def test_moments_and_holes_are_those_of_scikit_image() -> None:
    rng = np.random.default_rng(0)
    masks = [*random_masks(20), (cv2.blur(rng.random((80, 80)), (5, 5)) > 0.49).astype(np.uint8)]
    names = ("centroid", "eccentricity", "euler_number", "area")
    for mask in masks:
        found = measure([mask], columns=["centroid_x", "centroid_y", "eccentricity", "holes"])
        for value in np.unique(mask[mask > 0]):
            table = regionprops_table(sk_label(mask == value, connectivity=2), properties=names)
            ours = found.value == value
            order = np.lexsort((table["centroid-1"], table["centroid-0"]))
            own = np.lexsort((found["centroid_x"][ours], found["centroid_y"][ours]))
            for name, expected in (
                ("centroid_x", table["centroid-1"] + 0.5),
                ("centroid_y", table["centroid-0"] + 0.5),
                ("eccentricity", table["eccentricity"]),
                ("holes", 1 - table["euler_number"]),
            ):
                np.testing.assert_allclose(found[name][ours][own], expected[order], atol=1e-6)


@given(SMALL)
def test_gaps_are_those_of_all_pairs_of_pixels(mask: np.ndarray) -> None:
    found = measure([mask], columns=["nearest_distance"])
    pixels = []
    for value in np.unique(mask[mask > 0]):
        numbers = sk_label(mask == value, connectivity=2)
        pixels += [np.argwhere(numbers == k) for k in range(1, numbers.max() + 1)]
    nearest = []
    for k, own in enumerate(pixels):
        rest = [p for j, p in enumerate(pixels) if j != k]
        gap = np.inf
        if rest:
            apart = np.maximum(0, np.abs(own[:, None] - np.concatenate(rest)[None]) - 1)
            gap = np.hypot(apart[..., 0], apart[..., 1]).min()
        nearest.append(gap)
    np.testing.assert_allclose(np.sort(found["nearest_distance"]), np.sort(nearest))


@examples(20)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_a_quarter_turn_and_a_shift_change_places_only(seed: int, quarter: int) -> None:
    (mask,) = random_masks(1, side=96, seed=seed)
    shifted = np.pad(mask, ((7, 3), (5, 9)))
    inner = ("touches_border", "edge_distance")
    places = [column.name for column in COLUMNS if column.place]
    turned_too = ("rectangle_angle", "width", "height")
    still = [
        n for n in NAMES if n not in (*inner, *places, "contrast", "probability", "subpixel_area")
    ]
    one, other = measure([mask]), measure([shifted])
    for name in still:
        np.testing.assert_allclose(one[name], other[name], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(one["centroid_x"] + 5, other["centroid_x"])
    np.testing.assert_allclose(one["circle_y"] + 7, other["circle_y"])
    turned = measure([np.ascontiguousarray(np.rot90(mask, quarter))])
    for name in set(still) - {*turned_too, "skeleton_length", "mean_width", "max_width", "cluster"}:
        np.testing.assert_allclose(
            np.sort(one[name]), np.sort(turned[name]), atol=1e-6, err_msg=name
        )


def test_threads_and_company_change_nothing() -> None:
    masks = random_masks(40, seed=5)
    together = measure(masks, workers=3)
    for place in (0, 17, 39):
        alone, ours = measure([masks[place]]), together.picture == place
        for name, values in alone.columns.items():
            assert values.tolist() == together[name][ours].tolist(), name


def test_empty_masks_and_every_shape() -> None:
    none = measure([np.zeros((5, 7), np.uint8)])
    assert len(none) == 0
    assert all(len(values) == 0 for values in none.columns.values())
    assert len(measure([])) == 0
    for shape in ((1, 1), (1, 9), (9, 1), (3, 200)):
        (row,) = (measure([np.full(shape, 7, np.uint8)]),)
        assert row["area"].tolist() == [shape[0] * shape[1]]
        assert row["convex_area"].tolist() == [shape[0] * shape[1]]
        assert row["touches_border"].tolist() == [True]
        assert row["nearest_distance"].tolist() == [np.inf]
        assert all(np.isfinite(v).all() for n, v in row.columns.items() if n != "nearest_distance")


def test_smallest_leaves_out_specks_before_anything_is_measured() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[5:10, 5:10] = mask[30:35, 30:35] = 1
    mask[12, 12] = 1
    assert measure([mask])["nearest_distance"][0] == pytest.approx(np.hypot(2, 2))
    found = measure([mask], smallest=2)
    assert len(found) == 2
    assert found["nearest_distance"][0] == pytest.approx(np.hypot(20, 20))


def test_merging_bridges_gaps_up_to_the_distance() -> None:
    mask = np.zeros((30, 60), np.uint8)
    mask[10:13, 5:15] = mask[10:13, 18:30] = 1  # a gap of 3
    mask[10:13, 35:40] = 2
    apart = measure([mask], merge=2.9)
    assert apart["pieces"].tolist() == [1, 1, 1]
    merged = measure([mask], merge=3)
    assert merged["pieces"].tolist() == [2, 1]
    assert merged["area"].tolist() == [66, 15]
    assert merged["width"].tolist() == [25, 5]
    assert merged["holes"].tolist() == [0, 0]
    assert merged["contour_area"].tolist() == [2 * 9 + 2 * 11, 8]
    assert [len(rings) for rings in merged.contours or ()] == [2, 1]
    assert measure([mask], merge=5)["pieces"].tolist() == [2, 1], "classes are never merged"


def test_clusters_are_chains_of_near_defects_of_any_class() -> None:
    mask = np.zeros((20, 60), np.uint8)
    for left, value in ((2, 1), (8, 2), (14, 1), (40, 1)):
        mask[5:8, left : left + 3] = value
    found = measure([mask, mask], cluster=3)
    assert found["cluster"].tolist() == [0, 0, 0, 1] * 2
    assert measure([mask], cluster=2)["cluster"].tolist() == [0, 1, 2, 3]


def test_holes_count_to_the_contour_and_not_to_the_area() -> None:
    mask = np.zeros((30, 30), np.uint8)
    mask[5:25, 5:25] = 1
    mask[10:20, 10:20] = 0
    mask[14:16, 14:16] = 1
    found = measure([mask])
    assert found["area"].tolist() == [300, 4]
    assert found["contour_area"].tolist() == [361, 1]
    assert found["holes"].tolist() == [1, 0]
    assert found["solidity"].tolist() == [0.75, 1]
    assert found["nearest_distance"].tolist() == [4, 4]


def test_border_pieces() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[0:3, 8:12] = mask[10:13, 3:6] = 1
    found = measure([mask])
    assert found["touches_border"].tolist() == [True, False]
    assert found["edge_distance"].tolist() == [0, 3]


def test_contrast_is_against_pixels_of_no_defect() -> None:
    mask, picture = np.zeros((40, 40), np.uint8), np.full((40, 40), 100, np.uint8)
    mask[10:20, 10:20], picture[10:20, 10:20] = 1, 40
    mask[10:20, 20:30], picture[10:20, 20:30] = 2, 250
    found = measure([mask], pictures=[picture])
    assert found["contrast"].tolist() == [-60, 150]
    full = measure([np.ones((4, 4), np.uint8)], pictures=[np.full((4, 4, 3), 9, np.uint8)])
    assert full["contrast"].tolist() == [0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"masks": [np.zeros((4, 4), np.int64)]}, "uint8"),
        ({"masks": [np.zeros(4, np.uint8)]}, "height, width"),
        ({"masks": [np.zeros((4, 4), np.uint8)], "columns": ["radius"]}, "expected columns"),
        ({"masks": [np.zeros((4, 4), np.uint8)], "pictures": []}, "for 1 masks"),
        (
            {
                "masks": [np.zeros((4, 4), np.uint8)],
                "probabilities": [np.zeros((2, 3, 4), np.float32)],
            },
            "to be",
        ),
    ],
)
def test_bad_input(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        measure(**arguments)
