"""Copies among pictures."""

from __future__ import annotations

import cv2
import numpy as np

from flawline.core.near_duplicates import near_duplicates, thumbprint
from flawline.synthetic.castings import draw_casting


def prints(*pictures: np.ndarray) -> np.ndarray:
    return np.stack([thumbprint(np.asarray(picture, np.uint8)) for picture in pictures])


def parts(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    drawing = rng.integers(0, 255, (20, 20, 3)).astype(np.uint8)
    drawing = cv2.resize(drawing, (120, 120), interpolation=cv2.INTER_CUBIC)
    made = []
    for _ in range(count):
        own = cv2.resize(rng.normal(0, 25, (15, 15)), (120, 120))[..., None]
        made.append(np.clip(drawing + own, 0, 255).astype(np.uint8))
    return made


def test_different_parts_of_one_drawing_are_no_copies() -> None:
    assert near_duplicates(prints(*parts(20))) == [None] * 20


def test_a_recompressed_and_a_relit_copy_are_found() -> None:
    made = parts(20)
    _, data = cv2.imencode(".jpg", made[3], [cv2.IMWRITE_JPEG_QUALITY, 60])
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    relit = np.clip(made[5].astype(float) * 0.9 + 20, 0, 255).astype(np.uint8)
    found = near_duplicates(prints(*made, again, relit))
    assert [place for place, copy in enumerate(found) if copy] == [20, 21]
    assert found[20] is not None
    assert found[20][0] == 3
    assert found[20][1] > 0.97
    assert found[21] is not None
    assert found[21][0] == 5


def test_few_pictures_and_none() -> None:
    made = parts(3)
    found = near_duplicates(prints(*made, made[1]))
    assert [copy and copy[0] for copy in found] == [None, None, None, 1]
    assert near_duplicates(np.empty((0, 2304), np.float32)) == []


def test_constant_pictures_are_copies_of_each_other_and_finite() -> None:
    grey = np.full((40, 60, 3), 128, np.uint8)
    found = near_duplicates(prints(grey, grey, *parts(2)))
    assert [copy and copy[0] for copy in found] == [None, 0, None, None]


def test_rows_in_several_chunks_give_the_same() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(100, 30, (1500, 2304)).astype(np.float32)
    rows[1400] = rows[10]
    found = near_duplicates(rows)
    assert [(place, copy[0]) for place, copy in enumerate(found) if copy] == [(1400, 10)]


def test_castings_are_told_apart() -> None:
    pictures = [draw_casting(np.random.default_rng(seed)).pixels for seed in range(12)]
    assert near_duplicates(prints(*pictures)) == [None] * 12
