"""Drawn things: shapes of parts, holes, scratches, stains, lettering.

Every function takes a random generator and a side in pixels and returns a uint8 (side, side) mask,
0 outside and 255 inside, with smooth edges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .textures import Rng, spectrum

Mask = NDArray[Any]
Points = NDArray[Any]
SHIFT = 4


def _fixed(points: Points) -> Points:
    """Points in pixels as cv2 fixed point numbers, which draw at sub-pixel places."""
    return np.round(points * (1 << SHIFT)).astype(np.int32)


def _blank(side: int) -> Mask:
    return np.zeros((side, side), np.uint8)


def _fill(side: int, points: Points) -> Mask:
    return cv2.fillPoly(_blank(side), [_fixed(points)], 255, cv2.LINE_AA, SHIFT)


def _trace(mask: Mask, points: Points, width: int, closed: bool = False) -> Mask:
    return cv2.polylines(mask, [_fixed(points)], closed, 255, width, cv2.LINE_AA, SHIFT)


def _polar(radii: Points, angles: Points) -> Points:
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)


def _place(rng: Rng, side: int) -> Points:
    return rng.uniform(-0.1, 1.1, 2) * side


def _size(rng: Rng, side: int, low: float = 0.02, high: float = 0.5) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high)))) * side


def blob(rng: Rng, side: int) -> Mask:
    """A round thing with a wavy outline."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radii = np.ones(48)
    for wave in range(1, int(rng.integers(2, 8))):
        radii += rng.normal(0, 0.3 / wave) * np.cos(wave * angles + rng.uniform(0, 7))
    outline = _polar(np.abs(radii) * _size(rng, side), angles) * rng.uniform(0.4, 1, 2)
    return _fill(side, outline + _place(rng, side))


def polygon(rng: Rng, side: int) -> Mask:
    """A straight-edged plate, filled or outlined, often a rectangle."""
    corners = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    if rng.random() < 0.5:
        half = rng.uniform(0.2, 1.4)
        angles = np.array([half, np.pi - half, np.pi + half, -half]) + rng.uniform(0, 7)
    points = _polar(np.full(len(angles), _size(rng, side, 0.05, 0.7)), angles) + _place(rng, side)
    if rng.random() < 0.3:
        return _trace(_blank(side), points, int(rng.integers(1, 8)), closed=True)
    return _fill(side, points)


def disc(rng: Rng, side: int) -> Mask:
    """A round or oval hole, disc or ring."""
    centre, radius = _place(rng, side), _size(rng, side)
    flattening = rng.uniform(0.3, 1) if rng.random() < 0.4 else 1.0
    width = -1 if rng.random() < 0.5 else int(rng.integers(1, max(2, int(radius / 2)) + 1))
    return cv2.ellipse(
        _blank(side), tuple(map(int, centre)), (int(radius) + 1, int(radius * flattening) + 1),
        rng.uniform(0, 180), 0, 360 if rng.random() < 0.8 else rng.uniform(30, 330), 255, width,
        cv2.LINE_AA,
    )  # fmt: skip


def gear(rng: Rng, side: int) -> Mask:
    """A toothed wheel, an impeller or a star, mostly with a bore."""
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    wave = np.sin(angles * rng.integers(3, 26) + rng.uniform(0, 7))
    teeth = np.clip(wave * rng.uniform(0.8, 6), -1, 1) * rng.uniform(0.04, 0.4)
    radius, centre = _size(rng, side, 0.1, 0.6), _place(rng, side)
    mask = _fill(side, _polar(radius * (1 + teeth), angles) + centre)
    if rng.random() < 0.7:
        bore = _polar(np.full(240, radius * rng.uniform(0.1, 0.7)), angles) + centre
        cv2.fillPoly(mask, [_fixed(bore)], 0, cv2.LINE_AA, SHIFT)
    return mask


def holes(rng: Rng, side: int) -> Mask:
    """Holes on a grid or on a pitch circle."""
    mask, radius = _blank(side), max(1, int(_size(rng, side, 0.008, 0.06)))
    if rng.random() < 0.5:
        count = int(rng.integers(3, 16))
        angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 7)
        places = _polar(np.full(count, _size(rng, side, 0.1, 0.5)), angles) + _place(rng, side)
    else:
        pitch = radius * rng.uniform(2.2, 7)
        line = np.arange(0, side, pitch)[:24]
        places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2) + rng.uniform(0, pitch)
    for x, y in places:
        cv2.circle(mask, (int(x), int(y)), radius, 255, -1, cv2.LINE_AA)
    return mask


def _walk(rng: Rng, side: int, wander: float) -> Points:
    """A path (steps, 2) in pixels whose heading drifts by ``wander`` radians per step."""
    steps = int(rng.integers(4, 40))
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, wander, steps))
    stride = np.full(steps, _size(rng, side, 0.005, 0.08))
    return _place(rng, side) + np.cumsum(_polar(stride, heading), axis=0)


def scratches(rng: Rng, side: int) -> Mask:
    """One to a dozen thin lines, straight or bent."""
    mask = _blank(side)
    for _ in range(int(rng.integers(1, 13)) if rng.random() < 0.4 else 1):
        path = _walk(rng, side, rng.uniform(0, 0.25))
        _trace(mask, path, int(rng.integers(1, 4)) if rng.random() < 0.8 else 7)
    return mask


def crack(rng: Rng, side: int) -> Mask:
    """A jagged line with branches."""
    mask, stem = _blank(side), _walk(rng, side, rng.uniform(0.3, 1))
    _trace(mask, stem, int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(0, 5))):
        branch = _walk(rng, side, 0.5) * rng.uniform(0.3, 1)
        _trace(mask, branch - branch[0] + stem[rng.integers(len(stem))], 1)
    return mask


def stain(rng: Rng, side: int) -> Mask:
    """Ragged patches: where a noise field exceeds a level."""
    field = spectrum(rng, side, rng.uniform(1, 2.2))
    level = np.quantile(field[::8, ::8], rng.uniform(0.5, 0.97))
    sharpness = np.exp(rng.uniform(1, 4))
    return (255 * np.clip(0.5 + (field - level) * sharpness, 0, 1)).astype(np.uint8)


def lettering(rng: Rng, side: int) -> Mask:
    """Stamped letters and figures."""
    mask = _blank(side)
    for _ in range(int(rng.integers(1, 4))):
        text = "".join(chr(c) for c in rng.integers(33, 91, int(rng.integers(1, 9))))
        place = tuple(int(v) for v in rng.uniform(-0.1, 0.9, 2) * side)
        cv2.putText(
            mask, text, place, int(rng.integers(0, 8)), rng.uniform(0.3, 2.5), 255,
            int(rng.integers(1, 5)), cv2.LINE_AA,
        )  # fmt: skip
    return (
        mask if rng.random() < 0.5 else np.ascontiguousarray(np.rot90(mask, int(rng.integers(4))))
    )


def pits(rng: Rng, side: int) -> Mask:
    """Many small specks or pores."""
    mask = _blank(side)
    for x, y in rng.uniform(0, side, (int(rng.integers(2, 60)), 2)):
        radius = int(min(rng.exponential(1.5) + 1, 12))
        cv2.circle(mask, (int(x), int(y)), radius, 255, -1, cv2.LINE_AA)
    return mask


SHAPES: tuple[Callable[[Rng, int], Mask], ...] = (blob, polygon, polygon, disc, disc, gear, holes)
FLAWS: tuple[Callable[[Rng, int], Mask], ...] = (
    scratches, scratches, crack, stain, stain, lettering, pits, blob, holes,
)  # fmt: skip
