"""Draw scratches and stains inside their boxes, as people would label them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.heat_sink_statistics import SCRATCH, Planned

Field: TypeAlias = NDArray[np.float32]
Points: TypeAlias = NDArray[np.float64]

_FINE = 4
_CANDIDATES = 12
_MOST_STRANDS = 24
# From this width of a stroke (px) on, a labelled scratch is more than one line.
_ONE_LINE = 6.2


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A defect in its box: `mask` bool (height, width) and, for scratches, the lines (N, 2) of x and y in px."""

    planned: Planned
    mask: NDArray[np.bool_]
    lines: tuple[Points, ...] = ()


def draw_shape(rng: np.random.Generator, planned: Planned) -> Drawn:
    """Draw the outline of a planned defect."""
    return _scratch(rng, planned) if planned.value == SCRATCH else _stain(rng, planned)


def strokes(lines: tuple[Points, ...], shape: tuple[int, int], width: float) -> Field:
    """Compute the share of each pixel of (height, width) that lines of a width in px cover, 0 to 1."""
    canvas = np.zeros((shape[0] * _FINE, shape[1] * _FINE), np.uint8)
    points = [np.round((line * _FINE - 0.5) * 16).astype(np.int32) for line in lines]
    cv2.polylines(canvas, points, False, 255, max(1, round(width * _FINE)), cv2.LINE_8, 4)
    small = cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _scratch(rng: np.random.Generator, planned: Planned) -> Drawn:
    box = (planned.height, planned.width)
    if min(box) <= 2:
        line = np.array([[0.5, 0.5], [planned.width - 0.5, planned.height - 0.5]])
        return Drawn(planned, np.ones(box, np.bool_), (line,))
    stroke = (
        min(planned.fullness, 5.2, min(box)) if planned.fullness > _ONE_LINE else planned.fullness
    )
    stroke = min(stroke, float(min(box)))
    lines = [_main_line(rng, planned, stroke)]
    area = planned.fullness * float(np.hypot(*box))
    mask = strokes(tuple(lines), box, stroke) >= 0.5
    if planned.fullness <= _ONE_LINE:
        # An arc is longer than the diagonal, a round end shorter.
        stroke *= float(np.clip(area / max(int(mask.sum()), 1), 0.85, 1.15))
        return Drawn(planned, strokes(tuple(lines), box, stroke) >= 0.5, tuple(lines))
    while mask.sum() < 0.9 * area and len(lines) < _MOST_STRANDS:
        lines.append(_strand(rng, lines, planned, stroke))
        mask = strokes(tuple(lines), box, stroke) >= 0.5
    return Drawn(planned, mask, tuple(lines))


def _main_line(rng: np.random.Generator, planned: Planned, stroke: float) -> Points:
    """Draw a line from one corner of the box to the opposite one: nearly straight, or an arc."""
    steps = np.linspace(0, 1, 7)
    slim = min(planned.height, planned.width) / max(planned.height, planned.width)
    if rng.random() < 0.25 * slim:
        turn = steps * np.pi / 2
        across, along = np.sin(turn), 1 - np.cos(turn)
    else:
        across, along = steps.copy(), steps.copy()
        bend = rng.normal(0, 0.05) * np.sin(np.pi * steps) + rng.normal(0, 0.012, 7)
        bend[[0, -1]] = 0
        across, along = (across + bend).clip(0, 1), (along - bend).clip(0, 1)
    if rng.random() < 0.5:
        across = 1 - across
    margin = stroke / 2
    x = margin + across * max(planned.width - stroke, 0)
    y = margin + along * max(planned.height - stroke, 0)
    return np.stack([x, y], axis=1)


def _strand(
    rng: np.random.Generator, lines: list[Points], planned: Planned, stroke: float
) -> Points:
    """Draw a further line from a point of an earlier one, about along the first or across it."""
    line = lines[int(rng.integers(len(lines)))]
    start = line[int(rng.integers(len(line)))]
    way = lines[0][-1] - lines[0][0]
    angle = rng.normal(0, 0.2) + (np.pi / 2 if rng.random() < 0.15 else 0)
    turned = np.array(
        [
            way[0] * np.cos(angle) - way[1] * np.sin(angle),
            way[0] * np.sin(angle) + way[1] * np.cos(angle),
        ]
    )
    end = start + turned * rng.choice([-1, 1]) * rng.uniform(0.4, 1.0)
    high = np.array([planned.width, planned.height]) - stroke / 2
    end = end.clip(stroke / 2, np.maximum(high, stroke / 2))
    return np.linspace(start, end, 4)


def _stain(rng: np.random.Generator, planned: Planned) -> Drawn:
    box = (planned.height, planned.width)
    if max(box) <= 3:
        return Drawn(planned, np.ones(box, np.bool_))
    blobs = [_blob(rng, box) for _ in range(_CANDIDATES)]
    area = planned.fullness * planned.height * planned.width
    return Drawn(planned, min(blobs, key=lambda blob: abs(float(blob.sum()) - area)))


def _blob(rng: np.random.Generator, box: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw a polygon of a few corners, as people click them, that reaches all four sides of the box."""
    corners = int(rng.integers(7, 14))
    angles = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * 2 * np.pi / corners
    radius = np.exp(rng.normal(0, rng.uniform(0.05, 0.45), corners))
    x, y = radius * np.cos(angles) * rng.uniform(1, 2.6), radius * np.sin(angles)
    lean = rng.uniform(0, np.pi)
    points = np.stack([x * np.cos(lean) - y * np.sin(lean), x * np.sin(lean) + y * np.cos(lean)])
    points = (points - points.min(axis=1, keepdims=True)) / np.ptp(points, axis=1, keepdims=True)
    height, width = box
    # A corner alone covers no pixel by half; with half a pixel more the shape reaches its box.
    points = points * np.array([[width + 1], [height + 1]]) - 0.5
    canvas = np.zeros((height * _FINE, width * _FINE), np.uint8)
    cv2.fillPoly(
        canvas, [np.round((points.T * _FINE - 0.5) * 16).astype(np.int32)], 255, cv2.LINE_8, 4
    )
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small >= 128)
