"""Crop the defects of a judgement from pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.names import stem
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.jobs.judge.judged_parts import JudgedTable
from flawline.specification.judge import ClauseResult
from flawline.types import Picture, Sample, Unjudged

_SIDE, _AROUND = 260, 24

Box = tuple[float, float, float, float]


def read_crops(
    judged: JudgedTable, wanted: Mapping[str, ClauseResult], pictures: Source
) -> dict[str, NDArray[np.uint8]]:
    """Read the first defect of each finding with its surroundings, uint8 RGB, by image.

    Pictures are matched with the parts by name, or else by name without folder and ending.
    """
    boxes = {
        part.image: _boxes(part.columns, wanted[part.image].defects)
        for part in judged.parts
        if part.image in wanted
    }
    by_stem = {stem(name): name for name in wanted}
    samples: dict[str, Sample] = {}
    for sample in pictures.samples():
        name = sample.name if sample.name in wanted else by_stem.get(stem(sample.name))
        if name is not None:
            samples.setdefault(name, sample)
    owner = {sample.name: name for name, sample in samples.items()}
    read = map_pictures(pictures, samples.values(), lambda picture: picture)
    return {
        owner[sample.name]: _crop(picture, boxes.get(owner[sample.name], []))
        for sample, picture in read
        if not isinstance(picture, Unjudged)
    }


def _boxes(columns: Mapping[str, NDArray[np.float64]], defects: Sequence[int]) -> list[Box]:
    names = ("left", "top", "width", "height")
    if any(name not in columns for name in names):
        return []
    boxes = [tuple(float(columns[name][place]) for name in names) for place in defects]
    return [(left, top, width, height) for left, top, width, height in boxes]


def _crop(picture: Picture, boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Crop and enlarge a picture around boxes and draw them; the whole picture without boxes."""
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    left, top, right, bottom = 0, 0, width, height
    if boxes:
        corners = np.array([(a, b, a + c, b + d) for a, b, c, d in boxes])
        x, y = corners[:, :2].min(axis=0).tolist()
        wide, high = (corners[:, 2:].max(axis=0) - (x, y)).tolist()
        half = max(wide, high) / 2 + _AROUND
        left, right = max(0, int(x + wide / 2 - half)), min(width, int(x + wide / 2 + half) + 1)
        top, bottom = max(0, int(y + high / 2 - half)), min(height, int(y + high / 2 + half) + 1)
    crop = pixels[top:bottom, left:right]
    scale = _SIDE / max(1, *crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = np.ascontiguousarray(cv2.resize(crop, size, interpolation=how), dtype=np.uint8)
    for x, y, wide, high in boxes:
        one = (round((x - left - 1) * scale), round((y - top - 1) * scale))
        other = (round((x + wide - left + 1) * scale), round((y + high - top + 1) * scale))
        cv2.rectangle(drawn, one, other, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.rectangle(drawn, one, other, (255, 255, 255), 2, cv2.LINE_AA)
    return drawn
