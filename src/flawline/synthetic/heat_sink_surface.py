"""Paint a heat sink's gold-plated fin: granular metal between dark gaps, and its defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.heat_sink_shapes import Drawn, strokes
from flawline.synthetic.heat_sink_statistics import SCRATCH, SIDE
from flawline.synthetic.surface import grain

Field: TypeAlias = NDArray[np.float32]
Box = tuple[int, int]

# Camera levels under warm light, chosen by eye: the gap, and worn plating relative to gold.
_GAP = np.array([14.0, 8.0, 5.0], np.float32)
_WORN = np.array([0.62, 1.55, 2.1], np.float32)
# Bright grains turn yellow: green rises faster than red.
_RISE = (1.0, 1.18, 1.12)
_REACH = 8


@dataclass(frozen=True, slots=True)
class PartSurface:
    """Surface of one part, shared by its pictures: colour (red, green, blue), grain (px), contrast and ripple."""

    colour: tuple[float, float, float]
    grain: float
    contrast: float
    ripple: float


def draw_part_surface(rng: np.random.Generator, lamp: float) -> PartSurface:
    """Draw the surface of one part under a lamp of relative brightness `lamp`."""
    red = float(rng.normal(98, 7)) * lamp
    return PartSurface(
        (red, red * float(rng.uniform(0.3, 0.355)), red * float(rng.uniform(0.05, 0.07))),
        float(rng.uniform(0.9, 1.5)),
        float(rng.uniform(0.09, 0.15)),
        float(rng.uniform(0.0, 0.05)),
    )


def paint(
    rng: np.random.Generator, surface: PartSurface, defects: list[tuple[Drawn, Box]]
) -> NDArray[np.uint8]:
    """Paint a fin, uint8 (SIDE, SIDE, 3), RGB, with defects, each with the (top, left) of its box."""
    brightness = _metal(rng, surface)
    worn = np.zeros((SIDE, SIDE), np.float32)
    _specks(rng, brightness)
    _hairlines(rng, brightness)
    for drawn, place in defects:
        window, inner, outer = _window(drawn, place)
        if drawn.planned.value == SCRATCH:
            _scratch(rng, brightness[outer], worn[outer], drawn, window, inner)
        else:
            _stain(rng, brightness[outer], drawn, window, inner)
    plate = _edges(rng)
    colour = np.stack(
        [brightness**rise * np.float32(c) for rise, c in zip(_RISE, surface.colour, strict=True)],
        axis=-1,
    )
    colour *= 1 + worn[..., None] * (_WORN - 1)
    image = _GAP * np.float32(0.35) + colour * plate[..., None]
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.62), np.float32)
    noise = rng.standard_normal(image.shape, dtype=np.float32) * (0.7 + 0.008 * image)
    return np.round(image + noise).clip(0, 255).astype(np.uint8)


def _metal(rng: np.random.Generator, surface: PartSurface) -> Field:
    """Draw the relative brightness, about 1: grains, their clusters, rolling ripple, and uneven lighting."""
    shape = (SIDE, SIDE)
    fine = grain(rng, shape, surface.grain)
    fine = np.asarray(cv2.GaussianBlur(fine, (0, 0), 0.3, sigmaY=0.7 * surface.grain), np.float32)
    fine /= fine.std()
    coarse = grain(rng, shape, 4.0)
    clouds = np.float32(0.7) * grain(rng, shape, 10.0) + grain(rng, shape, 30.0)
    streaks = np.asarray(
        cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 7, sigmaY=0.8),
        np.float32,
    )
    streaks /= streaks.std()
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j].astype(np.float32)
    slope = rng.normal(0, 0.05) * x + rng.normal(0, 0.04) * y - rng.uniform(0, 0.06) * y * y
    values = (
        surface.contrast * (fine + 0.4 * coarse) + 0.03 * clouds + surface.ripple * streaks + slope
    )
    # Grains glint: the distribution has its longer tail on the bright side.
    return np.asarray(np.exp(values - 0.5 * surface.contrast**2), np.float32)


def _specks(rng: np.random.Generator, brightness: Field) -> None:
    """Draw pores and dust too small to be labelled."""
    for _ in range(int(rng.poisson(14))):
        x, y = (int(place * 16) for place in rng.uniform(0, SIDE, 2))
        dot = np.zeros((SIDE, SIDE), np.float32)
        radius = int(rng.uniform(0.5, 1.8) * 16)
        cv2.circle(dot, (x, y), radius, 1.0, -1, cv2.LINE_8, 4)
        row, column = min(y // 16, SIDE - 1), min(x // 16, SIDE - 1)
        near = (slice(max(row - 6, 0), row + 7), slice(max(column - 6, 0), column + 7))
        soft = cv2.GaussianBlur(np.ascontiguousarray(dot[near]), (0, 0), 0.9)
        brightness[near] *= 1 - np.float32(rng.uniform(0.12, 0.4)) * np.asarray(soft, np.float32)


def _hairlines(rng: np.random.Generator, brightness: Field) -> None:
    """Draw faint traces of handling that nobody labels."""
    for _ in range(int(rng.poisson(4))):
        start = rng.uniform(0, SIDE, 2)
        angle, length = rng.uniform(0, np.pi), rng.uniform(15, 90)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        line = cv2.GaussianBlur(strokes((np.stack([start, end]),), (SIDE, SIDE), 1.0), (0, 0), 0.9)
        brightness *= 1 + np.float32(rng.uniform(-0.16, 0.16)) * np.asarray(line, np.float32)


def _window(drawn: Drawn, place: Box) -> tuple[Box, Box, tuple[slice, slice]]:
    """Compute the size of a window around a box, the box's place in it, and its slices of the picture."""
    height, width = drawn.mask.shape
    top, left = max(place[0] - _REACH, 0), max(place[1] - _REACH, 0)
    bottom, right = min(place[0] + height + _REACH, SIDE), min(place[1] + width + _REACH, SIDE)
    size = (bottom - top, right - left)
    return size, (place[0] - top, place[1] - left), (slice(top, bottom), slice(left, right))


def _scratch(
    rng: np.random.Generator, brightness: Field, worn: Field, drawn: Drawn, size: Box, inner: Box
) -> None:
    """Draw a groove: dark, or bright in grains where its edge glints, or greenish where the plating is worn."""
    shift = np.array([inner[1], inner[0]], np.float64)
    lines = tuple(line + shift for line in drawn.lines)
    wide = float(rng.uniform(1.2, 3.2))
    line = np.asarray(
        cv2.GaussianBlur(strokes(lines, size, wide), (0, 0), rng.uniform(0.7, 1.4)), np.float32
    )
    along = np.float32(1) + np.float32(0.45) * grain(rng, size, 9.0)
    line *= along.clip(0.15, 1.8)
    strength = float(np.exp(rng.normal(-0.75, 0.45)))
    # Bundles of lines are mostly scuffs that glint.
    kind = rng.choice(3, p=[0.45, 0.38, 0.17] if len(lines) < 3 else [0.25, 0.65, 0.1])
    if kind == 0:
        brightness *= 1 - np.float32(min(0.85, 0.9 * strength)) * line.clip(0, 1)
    elif kind == 1:
        glint = (np.float32(0.9) + np.float32(0.6) * grain(rng, size, 1.5)).clip(0, 2.2)
        brightness *= 1 + np.float32(0.9 * strength) * line * glint
    else:
        worn += np.float32(min(0.75, strength)) * line
        brightness *= 1 + np.float32(0.25 * strength) * line


def _stain(
    rng: np.random.Generator, brightness: Field, drawn: Drawn, size: Box, inner: Box
) -> None:
    """Draw a dark spot with a soft, ragged rim a little inside its mask."""
    mask = np.zeros(size, np.float32)
    height, width = drawn.mask.shape
    mask[inner[0] : inner[0] + height, inner[1] : inner[1] + width] = drawn.mask
    small = min(height, width)
    soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), min(5.0, 1.0 + 0.1 * small)), np.float32)
    soft /= max(float(soft.max()), 0.3)
    ragged = soft + np.float32(0.15) * (grain(rng, size, 1.6) + grain(rng, size, 3.5)) * (
        soft > 0.08
    )
    rim = float(rng.uniform(0.45, 0.75))
    spot = ((ragged - np.float32(rng.uniform(0.3, 0.5))) / np.float32(rim)).clip(0, 1)
    spot = np.asarray(cv2.GaussianBlur(spot, (0, 0), rng.uniform(0.8, 1.5)), np.float32)
    depth = float(np.clip(rng.normal(0.72, 0.2), 0.22, 0.94))
    if max(height, width) > 50:
        # Large stains are veils with darker places rather than spots.
        depth *= 0.8
        spot *= (np.float32(0.65) + np.float32(0.4) * grain(rng, size, 6.0)).clip(0.1, 1.1)
    brightness *= 1 - np.float32(depth) * spot


def _edges(rng: np.random.Generator) -> Field:
    """Draw the share of metal: ragged dark gaps above and below the fin, sometimes also at a side."""
    plate = np.ones((SIDE, SIDE), np.float32)
    for edge in range(4):
        rows = edge < 2
        depth = rng.gamma(2.0, 0.6) if rows or rng.random() < 0.15 else 0.0
        if depth < 0.3:
            continue
        rough = float(rng.choice([0.3, 1.0, 2.4], p=[0.65, 0.25, 0.1]))
        chips = grain(rng, (1, SIDE), 3.5)[0] + 1.2 * grain(rng, (1, SIDE), 14.0)[0]
        border = np.asarray(depth + rough * chips, np.float32)
        distance = np.arange(SIDE, dtype=np.float32)[:, None] - border[None, :]
        # The fin's rounded edge reflects less light before it falls off.
        rounded = np.float32(rng.uniform(0.08, 0.35)) * np.exp(-distance / rng.uniform(6.0, 16.0))
        share = (distance / np.float32(rng.uniform(2.0, 4.5))).clip(0, 1) * (1 - rounded).clip(0, 1)
        share = share if edge % 2 == 0 else share[::-1]
        plate *= share if rows else share.T
    return plate
