"""Run lengths against encoders written here after the formats' own descriptions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from flawline.data.masks.rle import paint_coco, paint_cvat, paint_label_studio
from flawline.data.masks.shapes import BrokenShape

SHAPES = st.tuples(st.integers(1, 17), st.integers(1, 23))
BINARY = arrays(np.bool_, SHAPES)


def runs(flat: list[bool]) -> list[int]:
    lengths, value = [0], False
    for pixel in flat:
        if pixel != value:
            lengths.append(0)
            value = pixel
        lengths[-1] += 1
    return lengths


def as_text(lengths: list[int]) -> str:
    """A compressed encoding of pycocotools."""
    text = ""
    for place, length in enumerate(lengths):
        x = length - (lengths[place - 2] if place > 2 else 0)
        more = True
        while more:
            part = x & 31
            x >>= 5
            more = x != -1 if part & 16 else x != 0
            text += chr((part | 32 if more else part) + 48)
    return text


def packed(
    values: list[int], blocks: list[int], sizes: tuple[int, ...] = (3, 4, 8, 16)
) -> list[int]:
    """A stream as rle-pack writes it, cut into blocks of at most the lengths in `blocks`."""
    bits = f"{len(values):032b}{8 - 1:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    at, turn = 0, 0
    while at < len(values):
        same = 1
        while at + same < len(values) and values[at + same] == values[at]:
            same += 1
        length = min(blocks[turn % len(blocks)], len(values) - at)
        repeated = same > 1
        length = min(same, length) if repeated else length
        kind = next(k for k, size in enumerate(sizes) if length - 1 < 1 << size)
        bits += f"{int(repeated)}{kind:02b}{length - 1:0{sizes[kind]}b}"
        bits += "".join(
            f"{v:08b}" for v in (values[at : at + 1] if repeated else values[at : at + length])
        )
        at, turn = at + length, turn + 1
    bits += "0" * (-len(bits) % 8)
    return [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]


@given(BINARY, st.booleans())
def test_coco_runs_go_down_the_columns(region: NDArray[np.bool_], compressed: bool) -> None:
    lengths = runs(region.ravel(order="F").tolist())
    mask = np.full(region.shape, 9, np.uint8)
    paint_coco(as_text(lengths) if compressed else lengths, list(region.shape), mask, 4)
    assert np.array_equal(mask, np.where(region, 4, 9))


def test_a_known_compressed_text() -> None:
    lengths = [6, 1, 40, 4, 5, 4, 5, 4, 21]
    mask = np.zeros((9, 10), np.uint8)
    paint_coco("61X13mN000`0", [9, 10], mask, 1)
    assert runs(mask.ravel(order="F").astype(bool).tolist()) == lengths


@given(BINARY, st.lists(st.integers(1, 300), min_size=1, max_size=5), st.integers(0, 255))
def test_label_studio_brushes_are_the_alpha_of_packed_pictures(
    region: NDArray[np.bool_], blocks: list[int], colour: int
) -> None:
    rgba = np.full((*region.shape, 4), colour, np.uint8)
    rgba[..., 3] = np.where(region, 255, 0)
    mask = np.zeros(region.shape, np.uint8)
    paint_label_studio(packed(rgba.ravel().tolist(), blocks), mask, 7)
    assert np.array_equal(mask, np.where(region, 7, 0))


@given(BINARY, st.integers(0, 4), st.integers(0, 4))
def test_cvat_runs_go_along_the_rows_of_their_box(
    region: NDArray[np.bool_], left: int, top: int
) -> None:
    height, width = region.shape
    mask = np.zeros((height + top + 2, width + left + 1), np.uint8)
    paint_cvat(runs(region.ravel().tolist()), (left, top, width, height), mask, 2)
    expected = np.zeros_like(mask)
    expected[top : top + height, left : left + width] = 2 * region
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([3, 3], "together, got 6"),
        ([13], "impossible"),
        ([-1, 13], "impossible"),
        ([2**62, 2**62], "impossible"),
        ([10**30, 1], "whole run lengths"),
        ([1.5, 10.5], "whole run lengths"),
        ([[1], [2, 3]], "run lengths"),
        (None, "run lengths"),
        ("é", "text"),
        ("\x01", "text"),
        ("o" * 5, "text"),
        ("ooooooooooooooo", "text"),
    ],
)
def test_broken_coco_runs_are_refused(counts: object, words: str) -> None:
    with pytest.raises(BrokenShape, match=words):
        paint_coco(counts, [3, 4], np.zeros((3, 4), np.uint8), 1)


@pytest.mark.parametrize("size", [[4, 3], None, [3], [3, 4, 1], "3x4", [10**9, 10**9]])
def test_coco_runs_of_another_size_are_refused(size: object) -> None:
    with pytest.raises(BrokenShape, match="size"):
        paint_coco([12], size, np.zeros((3, 4), np.uint8), 1)


@pytest.mark.parametrize(
    "stream",
    [
        [],
        [1, 2],
        [0, 0, 0, 8],
        [300],
        ["a"],
        [[1], [2, 3]],
        None,
        [255] * 40,
        packed([0] * 12, [12]),
        packed([0, 1, 2, 3] * 2, [8])[:-2],
    ],
)
def test_broken_brushes_are_refused(stream: object) -> None:
    with pytest.raises(BrokenShape):
        paint_label_studio(stream, np.zeros((1, 2), np.uint8), 1)


@given(st.lists(st.integers(0, 255), max_size=60))
def test_noise_is_a_brush_or_is_refused(stream: list[int]) -> None:
    mask = np.zeros((2, 3), np.uint8)
    head = [0, 0, 0, 24]
    try:
        paint_label_studio(head + stream, mask, 1)
    except BrokenShape:
        assert not mask.any()


@pytest.mark.parametrize("box", [(-1, 0, 2, 2), (0, 0, 0, 2), (3, 0, 2, 2), (0, 2, 2, 2)])
def test_a_cvat_mask_outside_the_picture_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(BrokenShape, match="on the picture"):
        paint_cvat([0, 4], box, np.zeros((3, 4), np.uint8), 1)
