"""The kinds of defects that are drawn into pictures of parts: the shape of each, and what it does to the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flawline.synthetic.surface import grain

Floats = NDArray[np.float32]

_SOFT = 0.2
"""Width of the soft edge as a share of the defect's width; one pixel at least."""
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """The shape of a defect: odd sides, its middle in the middle.

    `weight` float32 (h, w) is how much of the contrast each pixel takes, 1 where it is strongest (of a dent from -1
    on); `mask` is bool (h, w).
    """

    weight: Floats
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DefectKind:
    """One kind of defect.

    `stamp` draws the shape for a width and a length in px; `fill` gives the pixels (h, w, 3) with a stamp in them for a
    contrast in grey levels. `aspect` is the usual length over width. A `signed` kind comes dark or light; a `coloured`
    one needs a picture in colour. `smallest` is the smallest width that can be drawn, px.
    """

    name: str
    stamp: Callable[[np.random.Generator, float, float], Stamp]
    fill: Callable[[np.random.Generator, Floats, Stamp, np.float32], Floats]
    aspect: float = 1.0
    signed: bool = True
    coloured: bool = False
    smallest: float = 1.0


def _blob(rng: np.random.Generator, width: float, length: float) -> Stamp:
    """Draw an ellipse with a slightly uneven outline and its area."""
    x, y = _turned(rng, width, length)
    waves = rng.uniform(-1, 1, 3) * (0.10, 0.07, 0.05), rng.uniform(0, 2 * np.pi, 3)
    angle = np.arctan2(y / width, x / length)
    outline = np.ones_like(x)
    for k, (high, turn) in enumerate(zip(*waves, strict=True), start=2):
        outline += high * np.cos(k * angle + turn)
    # The area of r = 1 + sum of waves is larger by half of each squared amplitude.
    outline /= np.sqrt(1 + (waves[0] ** 2).sum() / 2)
    radius = np.hypot(x / length, y / width) * 2
    return _edged((outline - radius) * width / 2, width)


def _polygon(rng: np.random.Generator, width: float, length: float) -> Stamp:
    """Draw a polygon of 5 to 7 uneven corners with the area of the ellipse."""
    x, y = _turned(rng, width, length)
    count = int(rng.integers(5, 8))
    angles = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * (2 * np.pi / count)
    radii = rng.uniform(0.8, 1.2, count)
    corners = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    following = np.roll(corners, -1, axis=0)
    area = (corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum() / 2
    corners *= np.sqrt(np.pi / area) / 2 * np.array([length, width])
    following = np.roll(corners, -1, axis=0)
    # Of a polygon that is not quite convex this cuts off a corner; radii from 0.8 to 1.2 leave little of that.
    normals = np.stack([following[:, 1] - corners[:, 1], corners[:, 0] - following[:, 0]], axis=1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    within = [
        (corner[0] - x) * normal[0] + (corner[1] - y) * normal[1]
        for corner, normal in zip(corners, normals, strict=True)
    ]
    return _edged(np.minimum.reduce(within), 0.0)


def _line(rng: np.random.Generator, width: float, length: float) -> Stamp:
    """Draw a slightly bent line of a width and a length."""
    bend = rng.uniform(-0.06, 0.06) * length
    x, y = _turned(rng, width + 2 * abs(bend), length)
    straight = max(length - width, 0.0) / 2
    along = np.clip(x, -straight, straight)
    middle = bend * (1 - 2 * (along / straight) ** 2) / 2 if straight else np.zeros_like(x)
    slope = -2 * bend * along / straight**2 if straight else np.zeros_like(x)
    across = (y - middle) / np.sqrt(1 + slope**2)
    return _edged(width / 2 - np.hypot(x - along, across), width)


def _cloud(rng: np.random.Generator, width: float, length: float) -> Stamp:
    """Draw a Gaussian of two widths at half of its height."""
    x, y = _turned(rng, 1.6 * width, 1.6 * length)
    weight = np.exp(-4 * np.log(2) * ((x / length) ** 2 + (y / width) ** 2))
    weight[weight < 0.02] = 0
    return Stamp(weight.astype(np.float32), weight >= 0.5)


def _relief(rng: np.random.Generator, width: float, length: float) -> Stamp:
    """Draw the shading of a shallow hollow: light on one side, dark on the other."""
    x, y = _turned(rng, width, length)
    radius = np.hypot(x / length, y / width) * 2
    turn = rng.uniform(0, 2 * np.pi)
    slope = (x / length * np.cos(turn) + y / width * np.sin(turn)) * np.exp(-2 * radius**2)
    weight = slope / np.abs(slope).max()
    weight[radius > 1.5] = 0
    return Stamp(weight.astype(np.float32), radius <= 1)


def _turned(rng: np.random.Generator, width: float, length: float) -> tuple[Floats, Floats]:
    """Compute coordinates (h, w) along and across a defect, turned at random: its middle is 0, with room around."""
    turn = rng.uniform(0, np.pi)
    cos, sin = np.cos(turn), np.sin(turn)
    reach = 0.5 + 0.5 * _SOFT
    right = int(np.ceil(reach * np.hypot(length * cos, width * sin) * 1.25 + 1))
    down = int(np.ceil(reach * np.hypot(length * sin, width * cos) * 1.25 + 1))
    y, x = np.mgrid[-down : down + 1, -right : right + 1].astype(np.float64)
    return x * cos + y * sin, y * cos - x * sin


def _edged(depth: NDArray[np.float64], width: float) -> Stamp:
    """Make a stamp of the depth (h, w) below the outline in px, with an edge that is soft around the outline."""
    weight = np.clip(0.5 + depth / max(1.0, _SOFT * width), 0, 1).astype(np.float32)
    return Stamp(weight, weight >= 0.5)


def _shifted(rng: np.random.Generator, old: Floats, stamp: Stamp, levels: np.float32) -> Floats:
    """Shift the grey level; the texture stays."""
    return old + levels * stamp.weight[..., None]


def _flat(rng: np.random.Generator, old: Floats, stamp: Stamp, levels: np.float32) -> Floats:
    """Replace the texture by a plain level, darker or lighter than it was on average."""
    level = old[stamp.mask].mean(axis=0) + levels
    return np.asarray(old + (level - old) * stamp.weight[..., None], np.float32)


def _grained(rng: np.random.Generator, old: Floats, stamp: Stamp, levels: np.float32) -> Floats:
    """Add a fine grain, whose standard deviation is the contrast."""
    height, width = stamp.weight.shape
    noise = grain(rng, (height, width), 0.8)
    if stamp.mask.sum() > 1:
        noise = noise - noise[stamp.mask].mean()
    noise = noise / np.sqrt(np.square(noise[stamp.mask]).mean())
    return np.asarray(old + abs(levels) * (noise * stamp.weight)[..., None], np.float32)


def _coloured(rng: np.random.Generator, old: Floats, stamp: Stamp, levels: np.float32) -> Floats:
    """Shift the colour and keep the lightness."""
    shift = rng.standard_normal(3)
    shift -= (shift @ _LUMA) / (_LUMA @ _LUMA) * _LUMA
    shift /= np.abs(shift).max()
    return np.asarray(old + levels * stamp.weight[..., None] * shift, np.float32)


SPOT = DefectKind("spot", _blob, _shifted)
"""A spot: a stain, a pore, a grain of dust."""
SCRATCH = DefectKind("scratch", _line, _shifted, aspect=10.0)
"""A scratch or a crack: a thin line, slightly bent."""
DENT = DefectKind("dent", _relief, _shifted, signed=False, smallest=3.0)
"""A dent: one side shaded, the other lit."""
MISSING_PIECE = DefectKind("missing piece", _polygon, _flat)
"""A piece broken out or a hole: with corners, its texture gone."""
SMEAR = DefectKind("smear", _cloud, _shifted, aspect=3.0)
"""A smear: long, without an edge; its size is that at half of its strength."""
TEXTURE_PATCH = DefectKind("texture patch", _blob, _grained, signed=False, smallest=3.0)
"""A place of another texture: fine grain is added, the mean stays; the contrast is its standard deviation."""
COLOUR = DefectKind("colour", _blob, _coloured, signed=False, coloured=True)
"""A discolouration: the colour changes, the lightness stays."""
